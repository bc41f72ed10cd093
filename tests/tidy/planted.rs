//! A house with one thing wrong, for each rule: the rule must see it, and nothing but it.

use super::source::{File, functions};
use crate::{DATA_FILE_BYTES, RULES, Rule};

/// Each of `files` is a path and a text.
fn complaints(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let file = |(path, text): &(&str, &str)| File::new(path, text.as_bytes().to_vec());
    rule(&files.iter().map(file).collect::<Vec<_>>())
}

#[track_caller]
fn caught(rule: Rule, path: &str, text: &str, line: usize) {
    let complaints = complaints(rule, &[(path, text)]);
    assert_eq!(complaints.len(), 1, "{text}\n{complaints:?}");
    let place = format!("{path}:{line}: ");
    assert!(complaints.iter().all(|complaint| complaint.starts_with(&place)), "{complaints:?}");
}

#[track_caller]
fn clean(rule: Rule, path: &str, text: &str) {
    assert_eq!(complaints(rule, &[(path, text)]), [""; 0], "{text}");
}

#[test]
fn arrows() {
    let rule = crate::arrows;
    caught(rule, "src/time.rs", "\nuse crate::lock::Record;", 2);
    caught(rule, "src/lock/lease.rs", "fn f() { super::super::election::g(); }", 1);
    caught(rule, "src/lock/lease.rs", "use crate::{time::Instant, election::{Event as E}};", 1);
    caught(rule, "src/lock.rs", "use super::election::Event;", 1);
    caught(rule, "src/lock.rs", "mod tests { use super::super::election::Event; }", 1);
    caught(rule, "src/election.rs", "use crate::placement::Key;", 1);
    caught(rule, "src/election/elector.rs", "use crate::sharding;", 1);
    caught(rule, "src/election/elector.rs", "use crate::Elector;", 1);
    caught(rule, "src/election/elector.rs", "use crate::*;", 1);
    caught(rule, "src/placement/hash.rs", "use crate::time::Instant;", 1);
    caught(rule, "src/sharding/view.rs", "use crate::election::Elector;", 1);
    caught(rule, "src/attic.rs", "", 1);
    caught(rule, "src/time.rs", "// as tenure_sim has it", 1);
    caught(rule, "src/election.rs", "use tenure::placement::Key;", 1);

    clean(rule, "src/lib.rs", "pub mod lock;\npub use crate::election::Elector;");
    clean(rule, "src/lock.rs", "/// [`Token`](crate::election::Token)\nuse crate::time::Instant;");
    clean(rule, "src/lock.rs", "mod tests { use super::election; use super::*; }");
    clean(rule, "src/lock/lease.rs", "use super::{Identity, Record};\npub(super) fn f() {}");
    clean(rule, "src/election/elector.rs", "use crate::{lock::{self, Record}, time::Now};");
    clean(rule, "src/sharding/planner.rs", "use crate::election::Elector;");
    clean(rule, "src/sharding/leased/slot.rs", "use crate::{election::Elector, placement::Key};");
    clean(rule, "sim/src/world.rs", "use tenure::election::Elector;\nuse crate::placement;");
}

#[test]
fn arrows_between_algorithms() {
    let house = |text| {
        let ring = ("src/placement/ring.rs", "use super::hash::mix;\nuse super::{Key, Member};");
        let other = ("src/placement/multi_probe.rs", text);
        complaints(crate::arrows, &[ring, other, ("src/placement/hash.rs", "")])
    };
    assert_eq!(house("use super::hash;\nuse super::MultiProbe;\nuse super::Members;"), [""; 0]);
    assert_eq!(house("use super::ring::Point;").len(), 1);
    assert_eq!(house("use crate::placement::{Key, Ring};").len(), 1);
    assert_eq!(house("mod tests { use super::super::ring; }").len(), 1);
}

#[test]
fn links() {
    let house = |text: &str| {
        let other =
            ("docs/other.md", "# Of `this`, and that\n# Twice\n```\n# no heading\n```\n# Twice\n");
        complaints(crate::links, &[("docs/a/page.md", text), other, ("README.md", "")])
    };
    let clean = "# Own\n[a](../other.md#of-this-and-that) [b](#own) [c](../../README.md) [d](..) \
                 [e](../other.md#twice-1) [f](https://x.example/#y)\n`[g](nowhere)`\n```\n[h](nowhere)\n```\n";
    assert_eq!(house(clean), [""; 0]);
    for wrong in
        ["other.md", "#none", "../other.md#no-heading", "../other.md#twice-2", "../../../x", ".."]
    {
        let text = format!("# Own\n\n[a]({wrong}{})", if wrong == ".." { "#a" } else { "" });
        let found = house(&text);
        assert!(
            found.len() == 1 && found[0].starts_with("docs/a/page.md:3: "),
            "{wrong}: {found:?}"
        );
    }
}

#[test]
fn one_home_for_a_file() {
    let rule = crate::one_home_for_a_file;
    caught(rule, "sim/src/lib.rs", "#[path = \"../../src/time.rs\"]\nmod time;", 1);
    caught(rule, "tests/a.rs", "\ninclude!(\"../src/time.rs\");", 2);
    caught(
        rule,
        "tests/a.rs",
        "include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/src/time.rs\"));",
        1,
    );
    clean(rule, "tests/a.rs", "#[path = \"a/common.rs\"]\nmod common;");
    clean(rule, "tests/a.rs", "const TEXT: &str = include_str!(\"../README.md\");");
}

#[test]
fn lengths() {
    let rule = crate::lengths;
    caught(rule, "src/a.rs", &"\n".repeat(601), 1);
    clean(rule, "src/a.rs", &"\n".repeat(600));
    clean(rule, "docs/a.md", &"\n".repeat(601));
    let function = |lines: usize| format!("\nfn f(a: [u8; 2]) -> T {{{}}}", "\n".repeat(lines - 1));
    caught(rule, "tests/a.rs", &function(71), 2);
    clean(rule, "tests/a.rs", &function(70));
    clean(rule, "tests/a.rs", &format!("trait T {{ fn f(&self); }}\n{}", "\n".repeat(100)));
}

#[test]
fn functions_end_where_they_end() {
    let text = r##"fn a<'a>(b: &'a [u8; 2]) { '{'; '\''; "}\"}"; /* } /* } */ */ br#"}"}"#; // }
        let f: fn(u8) = |_| {}; } fn b();"##;
    let code = File::new("a.rs", text.as_bytes().to_vec()).code;
    let all: Vec<_> = functions(&code).map(|range| &text[range]).collect();
    assert_eq!(all, [text.trim_end_matches(" fn b();")]);
}

#[test]
fn left_overs() {
    let rule = crate::left_overs;
    caught(rule, "src/a.rs", "fn f() {\n    todo!()\n}", 2);
    caught(rule, "src/a.rs", "fn f() { unimplemented!(\"later\") }", 1);
    caught(rule, "benches/a.rs", "fn f() { dbg!(1); }", 1);
    for mark in ["FIXME", "XXX", "TODO"] {
        caught(rule, "src/a.rs", &format!("\n/// {mark}: mend"), 2);
        clean(rule, "src/a.rs", &format!("const A: &str = \"{mark}\"; // {mark}S"));
    }
    let dead =
        ["let a = 1;", "self.f(a);", "if a > b {", "}", "});", "use a::b;", "a = b;", "f!(x);"];
    for line in dead {
        caught(rule, "src/a.rs", &format!("fn f() {{\n    // {line}\n}}"), 2);
    }
    let prose = ["first this;", "the holder (if any) goes on;", "it asks `Op::Get {`", "so: a = b"];
    for line in prose {
        clean(rule, "src/a.rs", &format!("// {line}\nfn f() {{}}"));
    }
    clean(rule, "src/a.rs", "/// ```\n/// let a = 1;\n/// ```\nfn todo() {}");
}

#[test]
fn reasons() {
    let rule = crate::reasons;
    caught(rule, "src/a.rs", "#[allow(dead_code, reason = \"x\")]\nfn f() {}", 1);
    caught(rule, "src/a.rs", "\n#![allow(dead_code)]", 2);
    caught(rule, "src/a.rs", "#[cfg_attr(test, allow(dead_code))]\nfn f() {}", 1);
    caught(rule, "src/a.rs", "#[expect(dead_code)]\nfn f() {}", 1);
    clean(rule, "src/a.rs", "#[expect(dead_code, reason = \"x\")]\nfn f() { a.expect(\"b\"); }");
    clean(rule, "src/a.rs", "// #[allow(\nfn allow() { allow() }");
}

#[test]
fn platform() {
    let rule = crate::platform;
    for name in ["f32", "f64", "std::fmt"] {
        caught(rule, "src/a.rs", &format!("fn f() -> {name} {{}}"), 1);
        clean(rule, "src/a.rs", &format!("#[cfg(test)]\nmod tests {{ use {name}; }}"));
        clean(rule, "src/a/tests.rs", &format!("use {name};"));
        clean(rule, "sim/src/a.rs", &format!("use {name};"));
    }
    caught(rule, "src/a.rs", "#[cfg(not(test))]\nextern crate std;", 2);
    caught(rule, "src/a.rs", "#[cfg(test)]\nmod tests;\nconst A: u64 = 1_f64 as u64;", 3);
    caught(rule, "src/lib.rs", "pub mod time;", 1);
    clean(rule, "src/lib.rs", "#![no_std]\npub mod time;");
    for clock in ["Instant::now()", "SystemTime"] {
        let text = format!("\nconst A: () = {{ {clock} }};");
        caught(rule, "src/a.rs", &text, 2);
        caught(rule, "sim/src/world.rs", &text, 2);
        clean(rule, "sim/src/main.rs", &text);
        clean(rule, "sim/src/cli/sweep.rs", &text);
        clean(rule, "benches/a.rs", &text);
    }
}

#[test]
fn dependencies() {
    let table = "[package]\n\n[dependencies]\na = { version = \"1\", optional = true }\n";
    let others = "[dev-dependencies]\nb = \"1\"\n";
    assert_eq!(
        complaints(crate::dependencies, &[("Cargo.toml", &[table, others].concat())]),
        [""; 0]
    );
    let wrong = [table, "b = \"1\"\n", others].concat();
    assert_eq!(complaints(crate::dependencies, &[("Cargo.toml", &wrong)]).len(), 1);
}

#[test]
fn machine_paths() {
    for path in [concat!("/wo", "rk/main"), concat!("/tmp/", "bash_x"), concat!("../sha", "red/a")]
    {
        caught(crate::machine_paths, "docs/a.md", &format!("see\n{path}"), 2);
    }
    clean(crate::machine_paths, "docs/a.md", "it may work/sleep");
}

#[test]
fn data() {
    let fits = "x".repeat(DATA_FILE_BYTES);
    caught(crate::data, "tests/data/a.txt", &[&fits, "x"].concat(), 1);
    clean(crate::data, "tests/data/a.txt", &fits);
    clean(crate::data, "docs/a.txt", &[&fits, "x"].concat());
    let files = ["a", "b", "c", "d", "e"].map(|name| format!("tests/data/{name}"));
    let files = files.each_ref().map(|path| (path.as_str(), fits.as_str()));
    assert_eq!(complaints(crate::data, &files[..4]), [""; 0]);
    assert_eq!(complaints(crate::data, &files).len(), 1);
}

#[test]
fn a_tidy_house_has_no_complaints() {
    let house = [
        ("Cargo.toml", "[package]\n"),
        ("src/lib.rs", "//! It.\n#![no_std]\npub mod time;\n"),
        ("src/time.rs", "//! Time.\npub struct Instant(u64);\n"),
    ];
    for rule in RULES {
        assert_eq!(complaints(rule, &house), [""; 0]);
    }
}
