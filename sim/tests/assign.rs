//! `tenure assign`: against what other implementations recorded, and as scripts meet it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use serde_json::Value;

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.arg("assign").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn assign(arguments: &[&str], keys: &[u8]) -> Output {
    let mut child = start(arguments);
    let mut input = child.stdin.take().unwrap();
    let keys = keys.to_vec();
    // It may answer before it has read all, and may not read at all.
    let writer = thread::spawn(move || {
        let _ = input.write_all(&keys);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What it answers, which must be fine.
fn answer(arguments: &str, keys: &str) -> String {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let output = assign(&arguments, keys.as_bytes());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    text(&output.stdout).to_owned()
}

/// The owner of each key.
fn owners(arguments: &str, keys: &[&str]) -> Vec<String> {
    let answer = answer(arguments, &keys.join("\n"));
    let lines: Vec<_> = answer.lines().collect();
    assert_eq!(lines.len(), keys.len());
    let pairs = lines.iter().zip(keys);
    pairs
        .map(|(line, key)| {
            let rest = line.strip_prefix(key).unwrap();
            rest.strip_prefix('\t').unwrap_or(rest).to_owned()
        })
        .collect()
}

/// Refused: exit status 2, one line on standard error that contains each of these, no answer.
fn refused_with(arguments: &str, keys: &[u8], parts: &[&str]) {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let output = assign(&arguments, keys);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert!(error.ends_with('\n') && error.lines().count() == 1, "{arguments:?}: {error}");
    for part in parts {
        assert!(error.contains(part), "{arguments:?}: {error:?} does not say {part:?}");
    }
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

fn refused(arguments: &str, parts: &[&str]) {
    refused_with(arguments, b"key\n", parts);
}

/// A file in a directory of the test's own.
fn file(name: &str, content: &[u8]) -> String {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("assign");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

fn names(name: &str, members: &[&str]) -> String {
    file(name, members.join("\n").as_bytes())
}

fn vectors(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/vectors");
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn rows<'a>(file: &'a Value, field: &str) -> &'a [Value] {
    let rows = file[field].as_array().unwrap();
    assert!(!rows.is_empty());
    rows
}

fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn a_small_answer_stays_what_it_is() {
    let keys = "ConfigMap/default/settings\nLease/kube-system/scheduler\nä\n\nPod/a/b";
    for (arguments, members) in [
        ("", [8, 2, 9, 8, 7]),
        ("--members 3", [0, 2, 2, 1, 1]),
        ("--members 3 --hash siphash:0706050403020100:0f0e0d0c0b0a0908", [1, 0, 1, 1, 1]),
        ("--algorithm jump --hash fnv1a-mix", [6, 8, 6, 9, 5]),
        ("--algorithm ring:20 --weights 1,2,3 --members 3", [0, 2, 1, 2, 2]),
    ] {
        let lines = keys.split('\n').zip(members);
        let lines = lines.map(|(key, member)| format!("{key}\tmember-{member}"));
        let expected = lines.collect::<Vec<_>>().join("\n") + "\n";
        assert_eq!(answer(arguments, keys), expected, "{arguments}");
    }
}

#[test]
fn lines_end_as_they_like_and_each_has_an_answer() {
    let plain = answer("", "a\nb\nc\n");
    assert_eq!(plain.lines().count(), 3);
    for keys in ["a\nb\nc", "a\r\nb\r\nc\r\n", "a\r\nb\nc"] {
        assert_eq!(answer("", keys), plain, "{keys:?}");
    }
    let keys = file("keys", b"a\nb\nc\n");
    assert_eq!(answer(&keys, "not these"), plain);
    assert_eq!(answer("-", "a\nb\nc\n"), plain);
}

/// Of several blocks, with lines across their borders.
#[test]
fn long_input_is_answered_line_by_line() {
    let keys: Vec<String> = (0..40_000).map(|key| format!("key-{}", key * 31)).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let all = owners("--members 7", &keys);
    let parts = keys.chunks(13_000).flat_map(|keys| owners("--members 7", keys));
    assert_eq!(all, parts.collect::<Vec<_>>());
}

#[test]
fn who_asks_and_waits_gets_an_answer() {
    let mut child = start(&[]);
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for key in ["one", "two"] {
        input.write_all(format!("{key}\n").as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{key}\tmember-")), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = start(&[]);
    let mut input = child.stdin.take().unwrap();
    drop(child.stdout.take());
    let keys = "key\n".repeat(100_000);
    let _ = input.write_all(keys.as_bytes());
    drop(input);
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!((child.wait().unwrap().code(), error.as_str()), (Some(0), ""));
}

#[test]
fn jump_is_the_one_recorded() {
    for (algorithm, file, number) in [
        ("jump", "jump_u64.json", "bucket"),
        ("jump", "jump_edge_paper_vs_guava.json", "bucket_paper_formula"),
        ("jump-guava", "jump_edge_paper_vs_guava.json", "bucket_guava_formula"),
    ] {
        let vectors = vectors(file);
        let mut by_size: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for row in rows(&vectors, "rows") {
            by_size.entry(row["n"].as_u64().unwrap()).or_default().push(row);
        }
        for (size, rows) in by_size {
            if size > 1_000_000 {
                continue; // more members than the command takes
            }
            let keys: Vec<_> = rows.iter().map(|row| field(row, "key")).collect();
            let arguments = format!("--algorithm {algorithm} --hash raw --members {size}");
            for (row, owner) in rows.iter().zip(owners(&arguments, &keys)) {
                assert_eq!(owner, format!("member-{}", row[number]), "{algorithm} {row}");
            }
        }
    }
}

#[test]
fn jump_back_is_the_one_recorded() {
    let vectors = vectors("jumpback_hash4j.json");
    let keys: Vec<_> = rows(&vectors, "rows").iter().map(|row| field(row, "key")).collect();
    for size in [1, 2, 3, 5, 7, 8, 9, 10, 16, 17, 100, 1000, 1024, 1025, 100_000] {
        let arguments = format!("--algorithm jump-back --hash raw --members {size}");
        for (row, owner) in rows(&vectors, "rows").iter().zip(owners(&arguments, &keys)) {
            assert_eq!(owner, format!("member-{}", row[format!("n{size}")]), "{row}");
        }
    }
}

#[test]
fn kube_state_metrics_is_the_one_recorded() {
    let vectors = vectors("kube_state_metrics.json");
    let uids: Vec<_> = rows(&vectors, "rows").iter().map(|row| field(row, "uid")).collect();
    for shards in [1, 2, 3, 4, 5, 10, 100] {
        let arguments = format!("--algorithm kube-state-metrics --members {shards}");
        for (row, owner) in rows(&vectors, "rows").iter().zip(owners(&arguments, &uids)) {
            assert_eq!(owner, format!("member-{}", row[format!("shard_of_{shards}")]), "{row}");
        }
    }
}

/// Numbers follow the file; algorithms over names do not care.
#[test]
fn the_order_of_the_file_counts_for_numbers_alone() {
    let forwards = names("forwards", &["a", "b", "c", "d"]);
    let backwards = names("backwards", &["d", "c", "b", "a"]);
    let keys = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let with = |algorithm: &str, members: &str| {
        answer(&format!("--algorithm {algorithm} --members {members}"), keys)
    };
    for algorithm in ["rendezvous", "ring"] {
        assert_eq!(with(algorithm, &forwards), with(algorithm, &backwards), "{algorithm}");
    }
    for algorithm in ["jump", "flip", "modulo"] {
        assert_ne!(with(algorithm, &forwards), with(algorithm, &backwards), "{algorithm}");
    }
    let raw = format!("--algorithm modulo --hash raw --members {backwards}");
    assert_eq!(answer(&raw, "0\n5\n"), "0\td\n5\tc\n");
}

#[test]
fn who_is_removed_owns_nothing_and_nobody_else_notices() {
    let keys: Vec<String> = (0..300).map(|key| key.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (algorithm, removed) in
        [("rendezvous", "member-3"), ("ring", "member-0"), ("jump", "member-9")]
    {
        let before = owners(&format!("--algorithm {algorithm}"), &keys);
        let after = owners(&format!("--algorithm {algorithm} --removed {removed}"), &keys);
        assert!(before.iter().any(|owner| owner == removed));
        for (before, after) in before.iter().zip(&after) {
            assert_ne!(after, removed);
            assert!(before == after || before == removed, "{algorithm}");
        }
    }
    let two = "--algorithm jump --members 4 --removed member-3,member-2";
    assert_eq!(answer(two, "a\nb\nc\n"), answer("--algorithm jump --members 2", "a\nb\nc\n"));
    let none = "--members 2 --removed member-0,member-1";
    assert_eq!(answer(none, "a\n"), "a\n");
}

#[test]
fn the_best_begin_with_the_owner() {
    let keys: Vec<String> = (0..50).map(|key| key.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for algorithm in ["rendezvous", "ring"] {
        let owner = owners(&format!("--algorithm {algorithm}"), &keys);
        let best = owners(&format!("--algorithm {algorithm} --best 3"), &keys);
        let all = owners(&format!("--algorithm {algorithm} --best 99"), &keys);
        for ((owner, best), all) in owner.iter().zip(&best).zip(&all) {
            assert!(all.starts_with(best.as_str()) && best.starts_with(owner.as_str()));
            let all: std::collections::BTreeSet<_> = all.split('\t').collect();
            assert_eq!((best.split('\t').count(), all.len()), (3, 10), "{algorithm}");
        }
    }
}

#[test]
fn a_weight_counts_wherever_it_stands() {
    let listed = file("weights", b"member-0\nmember-1\t5\nmember-2\t\tsomewhere\r\n");
    let keys: Vec<String> = (0..700).map(|key| key.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let by_file = owners(&format!("--members {listed}"), &keys);
    assert_eq!(by_file, owners("--members 3 --weights 1,5,1", &keys));
    let heavy = by_file.iter().filter(|owner| *owner == "member-1").count();
    assert!((450..550).contains(&heavy), "{heavy}");
    let maglev = owners("--algorithm maglev:101 --members 2 --weights 1,100", &keys);
    let heavy = maglev.iter().filter(|owner| *owner == "member-1").count();
    assert!(heavy * 10 > maglev.len() * 9, "{heavy} of {}", maglev.len());
}

#[test]
fn all_algorithms_are_listed() {
    let list = answer("--algorithm help", "");
    for name in ["rendezvous", "ring[:POINTS]", "jump", "modulo", "kube-state-metrics"] {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
    }
}

#[test]
fn what_cannot_be_is_refused_before_any_answer() {
    refused(
        "--algorithm rendezvouz",
        &["--algorithm", "\"rendezvouz\"", "did you mean rendezvous?"],
    );
    refused("--algorithm nothing-like-it", &["no such algorithm", "help` lists them"]);
    refused("--algorithm jump:3", &["jump:3", "takes nothing after a colon", "write jump"]);
    refused("--algorithm ring:0", &["ring:0", "POINTS", "from 1 to"]);
    refused("--algorithm ring:many", &["POINTS \"many\"", "from 1 to"]);
    refused("--algorithm ring:100000 --members 1000000", &["ring:100000", "points"]);
    refused("--hash md5", &["--hash", "\"md5\"", "write xxh3"]);
    refused("--hash siphash:1", &["siphash:1", "two numbers in hexadecimal"]);
    refused("--hash siphash:1:xyz", &["siphash:1:xyz"]);
    refused(
        "--algorithm kube-state-metrics --hash xxh3",
        &["--hash xxh3", "its own", "fnv1a", "leave"],
    );
    refused(
        "--algorithm jump --members 2 --weights 1,2",
        &["--algorithm jump", "member-1", "weight 2", "leave"],
    );
    refused("--members 2 --weights 1", &["--weights", "1 for 2 members", "one for each"]);
    refused(
        "--members 2 --weights 1,0",
        &["--weights", "member-1", "\"0\"", "from 1 to 4294967295"],
    );
    refused("--members 2 --weights 1,4294967296", &["\"4294967296\"", "from 1 to 4294967295"]);
    refused("--members 2 --weights 1,-1", &["\"-1\"", "from 1 to"]);
    refused("--members 2 --weights 1,", &["\"\"", "from 1 to"]);
    refused("--members 0", &["--members 0", "from 1 to"]);
    refused("--members -3", &["--members -3", "from 1 to"]);
    refused("--members 99999999999999999999", &["99999999999999999999", "from 1 to"]);
    refused(
        "--members /nowhere/members",
        &["--members", "/nowhere/members", "cannot be read", "a number, or name a file"],
    );
    refused("--algorithm ring,jump", &["--algorithm ring,jump", "name one"]);
    refused("--algorithm all", &["--algorithm all", "name one"]);
    refused("--algorithm maglev:100", &["--algorithm maglev:100", "not a prime", "101"]);
    refused("--algorithm anchor:9", &["--algorithm anchor:9", "10 members", "10 or more"]);
    refused("--removed member-10", &["--removed", "\"member-10\"", "not a member"]);
    refused("--removed member-1,member-1", &["--removed", "\"member-1\"", "not a member"]);
    refused("--algorithm jump --removed member-3", &["member-3", "only the last", "member-9"]);
    refused("--algorithm jump --best 2", &["--best", "jump", "no second best"]);
    refused("--best 0", &["--best", "0"]);
    refused("--best -1", &["--best", "'-1'"]);
    refused("/nowhere/keys", &["KEYS /nowhere/keys", "cannot be read"]);
    refused(".", &["KEYS .", "cannot be read"]);
}

#[test]
fn a_list_of_members_is_refused_by_line() {
    for (name, content, parts) in [
        ("empty", &b""[..], &["no member", "one a line"][..]),
        ("gap", b"a\n\nb\n", &["line 2", "empty"]),
        ("twice", b"a\nb\na\t2\n", &["line 3", "\"a\"", "line 1 already", "once"]),
        ("binary", b"\xff\xfe", &["UTF-8"]),
        ("zero", b"a\nb\t0\n", &["line 2", "\"0\"", "from 1 to 4294967295"]),
        ("huge", b"a\t4294967296\n", &["line 1", "4294967296", "from 1 to"]),
        ("fields", b"a\t1\tz\tmore\n", &["line 1", "three fields"]),
        ("marked", b"\xef\xbb\xbfa\n", &["line 1", "feff", "plain text"]),
    ] {
        let path = file(name, content);
        let parts: Vec<_> = [&["--members", path.as_str()], parts].concat();
        refused(&format!("--members {path}"), &parts);
    }
    let heavy = file("heavy", b"a\t2\nb\n");
    refused(&format!("--members {heavy} --weights 1,2"), &["--weights", "\"a\"", "leave one"]);
}

#[test]
fn a_line_that_is_no_key_is_refused() {
    refused_with("", b"a\nb\xff\n", &["line 2", "UTF-8"]);
    for line in ["-1", "+1", "1.5", "", "18446744073709551616", "0x1"] {
        let keys = format!("1\n{line}\n2\n");
        refused_with("--hash raw", keys.as_bytes(), &["line 2", "no number", "2^64"]);
    }
    refused_with("", &vec![b'x'; 3 << 20], &["line 1", "megabyte", "one key a line"]);
    refused_with("", b"", &["keys: there are none", "one key a line"]);
    refused_with("", b"a\tb\n", &["keys: line 1", "tabulator"]);
    refused_with("--algorithm argo-cd-round-robin", b"", &["keys: there are none"]);
    refused_with("", b"\xef\xbb\xbfa\nb\n", &["keys: line 1", "byte order mark"]);
    assert_eq!(answer("--members 1", "a\n\u{feff}b\n"), "a\tmember-0\n\u{feff}b\tmember-0\n");
    // Whether keys are answered as they come or all at once; in the latter case all of it is read.
    let long = vec![b'x'; 40 << 20];
    for algorithm in ["rendezvous", "bounded-rendezvous"] {
        let arguments = format!("--algorithm {algorithm}");
        refused_with(&arguments, &long, &["keys: line 1", "longer than a megabyte"]);
    }
}

/// Rows of a key and the answers to it under these arguments.
fn is_recorded<'a>(arguments: &'a str, rows: impl Iterator<Item = (&'a str, String)>) {
    let (keys, expected): (Vec<_>, Vec<_>) = rows.unzip();
    assert!(!keys.is_empty());
    for ((key, expected), owner) in keys.iter().zip(expected).zip(owners(arguments, &keys)) {
        assert_eq!(owner, expected, "{arguments}: {key}");
    }
}

#[test]
fn timebertt_is_the_one_recorded() {
    let vectors = vectors("timebertt_ring.json");
    let members = names("timebertt", &strings(&vectors["nodes"]));
    let gone = strings(&vectors["nodes"])[2];
    let rows = rows(&vectors, "rows");
    let with = |name| rows.iter().map(move |row| (field(row, "key"), field(row, name).to_owned()));
    let all = format!("--algorithm timebertt --members {members}");
    is_recorded(&all, with("shard"));
    is_recorded(&format!("{all} --removed {gone}"), with("shard_without_ccccc"));
}

#[test]
fn thanos_is_the_one_recorded() {
    let vectors = vectors("thanos_ketama.json");
    let (endpoints, az) = (strings(&vectors["endpoints"]), strings(&vectors["az"]));
    let lone = names("thanos", &endpoints);
    let zoned = endpoints.iter().zip(az).map(|(name, zone)| format!("{name}\t\t{zone}\n"));
    let zoned = file("thanos-zoned", zoned.collect::<String>().as_bytes());
    let rows = rows(&vectors, "rows");
    for (members, column) in [(lone, "replicas_no_az"), (zoned, "replicas_az")] {
        let replicas = |row: &'static str| {
            rows.iter().map(move |r| (field(r, "hash"), strings(&r[row]).join("\t")))
        };
        let arguments = format!("--algorithm thanos --hash raw --best 3 --members {members}");
        is_recorded(&arguments, replicas(column));
    }
}

#[test]
fn ketama_is_the_one_recorded() {
    let go = vectors("ketama_go.json");
    let nodes = go["nodes"].as_array().unwrap().iter();
    let nodes = nodes.map(|node| format!("{}\t{}\n", field(node, "Label"), node["Weight"]));
    let members = file("ketama", nodes.collect::<String>().as_bytes());
    let arguments = format!("--algorithm ketama --members {members}");
    let rows_of_go = rows(&go, "rows");
    let with = |name| rows_of_go.iter().map(move |row| (field(row, "key"), &row[name]));
    is_recorded(
        &arguments,
        with("node").map(|(key, node)| (key, node.as_str().unwrap().to_owned())),
    );
    let top = with("top3").map(|(key, top)| (key, strings(top).join("\t")));
    is_recorded(&format!("{arguments} --best 3"), top);

    let library = vectors("ketama_libmemcached.json");
    let members = names("libmemcached", &strings(&library["nodes"]));
    let weights: Vec<_> = library["weights_in_weighted_mode"].as_array().unwrap().iter().collect();
    let weights: Vec<_> = weights.iter().map(ToString::to_string).collect();
    for (algorithm, column, weights) in [
        ("libmemcached-weighted", "rows_ketama_weighted", Some(weights.join(","))),
        ("libmemcached", "rows_ketama_unweighted", None),
    ] {
        let weights = weights.map(|weights| format!(" --weights {weights}")).unwrap_or_default();
        let arguments = format!("--algorithm {algorithm} --members {members}{weights}");
        let rows = rows(&library, column).iter();
        is_recorded(&arguments, rows.map(|r| (field(r, "key"), field(r, "node").to_owned())));
    }
}

#[test]
fn argo_cd_is_the_one_recorded() {
    let vectors = vectors("argocd.json");
    let ids = strings(&vectors["ids_in_order"]);
    let mut by_replicas: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for row in rows(&vectors, "rows") {
        by_replicas.entry(row["replicas"].as_u64().unwrap()).or_default().push(row);
    }
    for (replicas, rows) in by_replicas {
        let arguments = |name: &str| format!("--algorithm {name} --members {replicas}");
        let legacy = rows
            .iter()
            .map(|row| (field(row, "id"), format!("member-{}", row["legacy_fnv32a_mod"])));
        is_recorded(&arguments("argo-cd-legacy"), legacy);
        // The bounded assignment depends on all ids.
        let all = owners(&arguments("argo-cd-consistent"), &ids);
        let all: BTreeMap<_, _> = ids.iter().copied().zip(all).collect();
        for row in &rows {
            let expected = format!("member-{}", field(row, "bounded"));
            assert_eq!(all[field(row, "id")], expected, "{row}");
        }
        let ranked = owners(&arguments("argo-cd-round-robin"), &ids);
        let mut sorted: Vec<_> = ids.iter().zip(ranked).collect();
        sorted.sort_unstable();
        for (rank, (_, owner)) in (0..).zip(&sorted) {
            assert_eq!(*owner, format!("member-{}", rank % replicas));
        }
    }
}

#[test]
fn knative_is_the_one_recorded() {
    let vectors = vectors("knative_choosesubset.json");
    let members = names("knative", &strings(&vectors["from"]));
    let mut by_count: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
    for row in rows(&vectors, "rows") {
        by_count.entry(row["n"].as_u64().unwrap()).or_default().push(row);
    }
    for (count, rows) in by_count {
        let arguments = format!("--algorithm knative --members {members} --best {count}");
        let subset = |row: &&'_ Value| {
            let mut subset = strings(&row["subset"]);
            subset.sort_unstable();
            subset.join("\t")
        };
        is_recorded(&arguments, rows.iter().map(|row| (field(row, "target"), subset(row))));
    }
}

#[test]
fn the_best_across_zones_are_in_as_many_as_there_are() {
    let members = file("zones", b"a1\t\ta\na2\t\ta\na3\t1\ta\nb1\t\tb\nc1\t\tc\n");
    let keys: Vec<String> = (0..50).map(|key| key.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for algorithm in ["rendezvous", "ring"] {
        let best = format!("--algorithm {algorithm} --members {members} --best 3");
        for best in owners(&format!("{best} --zones"), &keys) {
            let zones: std::collections::BTreeSet<_> =
                best.split('\t').map(|name| &name[..1]).collect();
            assert_eq!(zones.len(), 3, "{algorithm}: {best}");
        }
        assert_ne!(owners(&best, &keys), owners(&format!("{best} --zones"), &keys));
    }
    refused("--best 2 --zones", &["--zones", "no member has a zone", "leave --zones out"]);
    refused("--zones", &["--best"]);
}

/// Each removal is seen by the next, and their order counts where the catalogue says so.
#[test]
fn removals_are_done_in_their_order() {
    let keys: Vec<String> = (0..2000).map(|key| key.to_string()).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    for (algorithm, counts) in [
        ("anchor", true),
        ("memento", true),
        ("memento-jump", true),
        ("dx", false),
        ("maglev", false),
    ] {
        let with =
            |removed: &str| owners(&format!("--algorithm {algorithm} --removed {removed}"), &keys);
        let (one, other) = (with("member-3,member-7,member-1"), with("member-1,member-7,member-3"));
        assert_eq!(one != other, counts, "{algorithm}");
        assert!(one.iter().all(|owner| !["member-1", "member-3", "member-7"].contains(&&**owner)));
    }
    refused("--algorithm memento --removed member-3,member-3", &["--removed", "\"member-3\""]);
}
