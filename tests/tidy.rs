//! The rules of the house that no compiler checks: who may import whom, how long files and
//! functions may be, and what must not be left lying about. `CONTRIBUTING.md` lists them.
//!
//! Each rule reads a list of files and returns complaints, so that the tests below can show it a
//! house with one thing wrong.
#![expect(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use std::fs;
use std::path::Path;

use tidy::links::links;
use tidy::source::{File, closing, functions, imports, is_dead_code, test_items, words};

mod tidy {
    pub(crate) mod links;
    mod planted;
    pub(crate) mod source;
}

/// Which rooms of `src/` each room may import, besides itself.
const ARROWS: [(&str, &[&str]); 6] = [
    ("time", &[]),
    ("jitter", &["time"]),
    ("lock", &["time"]),
    ("election", &["time", "lock", "jitter"]),
    ("placement", &[]),
    ("sharding", &["time", "lock", "placement", "jitter"]),
];
/// The planned mode elects its leader, the leased mode is a set of electors; what both ask goes through
/// the doors of sharding.
const MAY_ELECT: [&str; 4] =
    ["src/sharding/config", "src/sharding/leased", "src/sharding/plan", "src/sharding/request"];
/// What election and sharding call alike.
const SHARED_WORDS: [&str; 2] = ["Failure", "Token"];
/// Files of `src/placement/` that are no algorithms: all may import them.
const PARTS: [&str; 10] =
    ["hash", "key", "log", "member", "members", "named", "numbered", "points", "tests", "zones"];
/// The crates that the core cannot do without: stable hashes, published and tested elsewhere.
const REQUIRED: [&str; 2] = ["siphasher", "xxhash-rust"];
/// Files of `src/` that may compute with floats, because what they implement is defined by them.
const MAY_FLOAT: [&str; 1] = ["src/placement/presets/ketama.rs"];

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const DATA_FILE_BYTES: usize = 2 << 20;
const DATA_BYTES: usize = 8 << 20;

type Rule = fn(&[File]) -> Vec<String>;
const RULES: [Rule; 10] = [
    arrows,
    one_home_for_a_file,
    lengths,
    left_overs,
    reasons,
    platform,
    dependencies,
    machine_paths,
    data,
    links,
];

fn arrows(files: &[File]) -> Vec<String> {
    let algorithms: Vec<_> =
        files.iter().filter_map(File::algorithm).map(str::to_lowercase).collect();
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("src/")) {
        for name in ["tenure_sim", "tenure"] {
            let code = if name == "tenure" { &file.code } else { &file.text };
            for (at, _) in words(code).filter(|(_, word)| *word == name) {
                complaints.push(file.at(at, &format!("the core imports {name}")));
            }
        }
        let module = file.module();
        let Some(room) = module.first() else { continue };
        let Some((_, may)) = ARROWS.iter().find(|(name, _)| name == room) else {
            complaints.push(file.at(0, &format!("no arrows are known for {room}: see ARROWS")));
            continue;
        };
        let elects = MAY_ELECT.iter().any(|path| file.path.starts_with(path));
        for (at, path) in imports(file) {
            let target = path.first().copied().unwrap_or("*");
            let word = path.get(1).is_some_and(|word| SHARED_WORDS.contains(word));
            let sharing = *room == "sharding" && (elects || word) && target == "election";
            let allowed = may.contains(&target) || sharing;
            if target != *room && !allowed {
                complaints.push(file.at(at, &format!("{room} imports {target}")));
            }
            if let (Some(own), "placement", Some(part)) = (file.algorithm(), target, path.get(1)) {
                let part = part.replace('_', "").to_lowercase();
                let other = |name: &String| name.replace('_', "") == part && name != own;
                // They put algorithms together with other systems' hashes.
                if own != "presets" && algorithms.iter().any(other) {
                    complaints.push(file.at(at, &format!("{own} imports {part}: see PARTS")));
                }
            }
        }
    }
    complaints
}

/// The simulator, tests and benches see the core through its doors only: no file is taken in from
/// another folder.
fn one_home_for_a_file(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for taken in ["#[path", "include!("] {
            for (at, _) in file.code.match_indices(taken) {
                let line = file.text[at..].lines().next().unwrap_or_default();
                if line.contains("..") || line.contains("CARGO_MANIFEST_DIR") {
                    complaints.push(file.at(at, "a file belongs to one folder"));
                }
            }
        }
    }
    complaints
}

fn lengths(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            complaints.push(file.at(0, &format!("{lines} lines; {FILE_LINES} are allowed")));
        }
        for function in functions(&file.code) {
            let lines = file.text[function.clone()].lines().count();
            if lines > FUNCTION_LINES {
                let complaint = format!("function of {lines} lines; {FUNCTION_LINES} are allowed");
                complaints.push(file.at(function.start, &complaint));
            }
        }
    }
    complaints
}

fn left_overs(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (at, word) in words(&file.code) {
            let is_macro = file.code[at + word.len()..].starts_with('!');
            if is_macro && ["todo", "unimplemented", "dbg"].contains(&word) {
                complaints.push(file.at(at, &format!("{word}! is left over")));
            }
        }
        for (at, word) in words(&file.comments) {
            if ["TODO", "FIXME", "XXX"].contains(&word) {
                complaints.push(file.at(at, &format!("{word} is left over")));
            }
        }
        let mut at = 0;
        for line in file.comments.split_inclusive('\n') {
            if is_dead_code(line) {
                complaints.push(file.at(at, "code that is commented out"));
            }
            at += line.len();
        }
    }
    complaints
}

/// `#[expect(…, reason = "…")]`, never `allow`.
fn reasons(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (at, word) in words(&file.code) {
            let before = file.code[..at].trim_end();
            let is_attribute = ["#[", "#!["].iter().any(|head| before.ends_with(head))
                || (before.ends_with(',') && before.contains("cfg_attr("));
            let arguments = at + word.len();
            if !is_attribute || !file.code[arguments..].starts_with('(') {
                continue;
            }
            let rest = &file.code[arguments..closing(&file.code, arguments)];
            if word == "allow" || (word == "expect" && !words(rest).any(|(_, w)| w == "reason")) {
                complaints.push(file.at(at, "expect with a reason, do not allow"));
            }
        }
    }
    complaints
}

/// Nothing of the platform in the core, no clock in the simulator's library.
fn platform(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let core = file.path.starts_with("src/");
        let command = ["sim/src/main.rs", "sim/src/cli"].iter().any(|p| file.path.starts_with(p));
        if core || (file.path.starts_with("sim/src/") && !command) {
            complaints.extend(file.find("Instant::now", "the driver passes the time in"));
            complaints.extend(file.find("SystemTime", "the driver passes the time in"));
        }
        if !core || file.path.ends_with("tests.rs") || file.path.contains("/tests/") {
            continue;
        }
        if file.path == "src/lib.rs" && !file.code.contains("#![no_std]") {
            complaints.push(file.at(0, "the core is no_std"));
        }
        let tests = test_items(&file.code);
        for (at, word) in words(&file.code) {
            let digits = |c: char| c.is_ascii_digit() || c == '_';
            let float = ["f32", "f64"].contains(&word.trim_start_matches(digits));
            let allowed = MAY_FLOAT.contains(&file.path.as_str());
            if tests.iter().any(|range| range.contains(&at)) {
                continue;
            }
            if word == "std" {
                complaints.push(file.at(at, "core or alloc, not std"));
            } else if float && !allowed {
                complaints.push(file.at(at, "floats decide nothing here: see MAY_FLOAT"));
            }
        }
    }
    complaints
}

/// The core requires no other crate.
fn dependencies(files: &[File]) -> Vec<String> {
    let Some(file) = files.iter().find(|file| file.path == "Cargo.toml") else { return Vec::new() };
    let Some((_, table)) = file.text.split_once("\n[dependencies]\n") else { return Vec::new() };
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter(|line| line.contains('=') && !line.contains("optional = true"))
        .filter(|line| !REQUIRED.iter().any(|name| line.starts_with(&format!("{name} ="))))
        .map(|line| format!("{}: the core requires no crate: {line}", file.path))
        .collect()
}

fn machine_paths(files: &[File]) -> Vec<String> {
    let paths = [concat!("/wo", "rk/"), concat!("/tmp/", "bash"), concat!("../sha", "red")];
    let find = |file: &File| {
        let found = paths.iter().filter_map(|path| file.text.find(path));
        found.map(|at| file.at(at, "a path of one machine")).collect::<Vec<_>>()
    };
    files.iter().flat_map(find).collect()
}

fn data(files: &[File]) -> Vec<String> {
    let data = files.iter().filter(|file| file.path.starts_with("tests/data/"));
    let large = data.clone().filter(|file| file.bytes > DATA_FILE_BYTES);
    let mut complaints: Vec<_> =
        large.map(|file| file.at(0, &format!("{} bytes of test data", file.bytes))).collect();
    let total: usize = data.map(|file| file.bytes).sum();
    if total > DATA_BYTES {
        complaints.push(format!("tests/data: {total} bytes; {DATA_BYTES} are allowed"));
    }
    complaints
}

/// Reads all files below `root`, but for those that `.gitignore` names at its root.
fn collect(root: &Path, below: &str, files: &mut Vec<File>) {
    let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
    let mut entries: Vec<_> =
        fs::read_dir(root.join(below)).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let known = ignored.lines().any(|line| line.strip_prefix('/') == Some(&*path));
        if path == ".git" || known {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, files);
        } else {
            files.push(File::new(&path, fs::read(entry.path()).unwrap()));
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let mut files = Vec::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    assert!(files.iter().any(|file| file.path == "tests/tidy.rs"), "found this very file");
    let complaints: Vec<_> = RULES.iter().flat_map(|rule| rule(&files)).collect();
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
