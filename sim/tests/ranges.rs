//! `tenure ranges`, as people and scripts meet it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;
use tenure::sharding::{Field, Selector};

fn ranges(arguments: &str, keys: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.arg("ranges").args(arguments.split_whitespace());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let keys = keys.to_vec();
    // It may not read all.
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

fn answer(arguments: &str, keys: &str) -> String {
    let output = ranges(&format!("--keys - {arguments}"), keys.as_bytes());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments}");
    text(&output.stdout).to_owned()
}

/// What it answers, after this: each key is selected by one replica, and the counts are so.
fn checked(arguments: &str, keys: &[String]) -> Value {
    let line = answer(&format!("{arguments} --json"), &(keys.join("\n") + "\n"));
    assert_eq!(line.lines().count(), 1);
    let json: Value = serde_json::from_str(&line).unwrap();
    let replicas = json["replicas"].as_array().unwrap();
    let selectors: Vec<Option<Selector>> = replicas
        .iter()
        .map(|row| row["selector"].as_str().map(|text| text.parse().unwrap()))
        .collect();
    let mut counts = vec![0_u64; replicas.len()];
    for key in keys {
        let mut owners = (0..).zip(&selectors).filter(|(_, selector)| {
            selector.as_ref().is_some_and(|selector| selector.matches(key))
        });
        let (owner, _): (usize, _) = owners.next().unwrap();
        assert!(owners.next().is_none(), "{key}");
        counts[owner] += 1;
    }
    for (count, row) in counts.iter().zip(replicas) {
        assert_eq!(row["keys"], *count, "{row}");
    }
    assert_eq!(json["keys"], keys.len());
    let selected = selectors.iter().flatten().map(|selector| selector.ranges().width());
    assert_eq!(selected.sum::<u128>(), 1 << 64, "keys to come have an owner as well");
    json
}

fn keys_of(json: &Value) -> Vec<u64> {
    let rows = json["replicas"].as_array().unwrap();
    rows.iter().map(|row| row["keys"].as_u64().unwrap()).collect()
}

fn equal(json: &Value) -> Vec<u64> {
    let rows = json["equal_ranges"]["keys"].as_array().unwrap();
    rows.iter().map(|keys| keys.as_u64().unwrap()).collect()
}

fn numbered() -> Vec<String> {
    (0..1000).map(|number| format!("ns-{number}")).collect()
}

fn teams() -> Vec<String> {
    ('a'..='z').flat_map(|team| (0..10).map(move |n| format!("team-{team}{n}"))).collect()
}

fn refused_with(arguments: &str, keys: &[u8], parts: &[&str]) {
    let output = ranges(arguments, keys);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
    assert!(error.ends_with('\n') && error.lines().count() == 1, "{arguments}: {error}");
    for part in parts {
        assert!(error.contains(part), "{arguments}: {error:?} does not say {part:?}");
    }
    assert!(output.stdout.is_empty(), "{arguments}");
}

#[test]
fn namespaces_that_equal_ranges_cannot_part_are_parted_evenly() {
    let json = checked("--replicas 2", &numbered());
    assert_eq!((equal(&json), keys_of(&json)), (vec![100, 900], vec![500, 500]));
    assert_eq!(json["equal_ranges"]["peak_to_mean"], 1.8);
    assert_eq!(json["peak_to_mean"], 1.0);

    let json = checked("--replicas 16 --field namespace", &teams());
    let mut alone = equal(&json);
    alone.sort_unstable();
    assert_eq!(alone, [vec![0; 15], vec![260]].concat());
    assert!(keys_of(&json).into_iter().all(|keys| keys == 16 || keys == 17));
    assert_eq!(json["equal_ranges"]["peak_to_mean"], 16.0);
}

/// A plan cuts at the borders of slots: ten of these names lie in one.
#[test]
fn with_slots_cuts_are_at_their_borders() {
    let json = checked("--replicas 13 --slots 65536", &teams());
    assert_eq!(keys_of(&json), [20; 13]);
    for row in json["replicas"].as_array().unwrap() {
        let selector: Selector = row["selector"].as_str().unwrap().parse().unwrap();
        let range = selector.ranges().as_slice()[0];
        assert_eq!(range.start() % (1 << 48), 0, "{row}");
    }
    let all = checked("--replicas 4 --slots 1", &teams());
    assert_eq!(keys_of(&all).into_iter().filter(|keys| *keys > 0).collect::<Vec<_>>(), [260]);
    let nothing =
        all["replicas"].as_array().unwrap().iter().filter(|row| row["selector"].is_null());
    assert_eq!(nothing.count(), 3);
}

#[test]
fn a_namespace_counts_as_often_as_it_stands_there() {
    let mut keys = numbered();
    keys.extend(std::iter::repeat_n("busy".to_owned(), 2000));
    keys.extend(std::iter::repeat_n(String::new(), 3)); // objects of no namespace
    let json = checked("--replicas 4", &keys);
    assert_eq!((&json["keys"], &json["different"]), (&3003.into(), &1002.into()));
    assert_eq!(
        (&json["most_frequent"], keys_of(&json).into_iter().max()),
        (&2000.into(), Some(2000))
    );
    keys.reverse();
    assert_eq!(checked("--replicas 4", &keys), json);
}

#[test]
fn uids_are_even_by_themselves_and_better_with_cuts() {
    let uid = |n: u64| format!("{n:08x}-0000-4000-8000-{:012x}", n.wrapping_mul(0x9e37_79b9));
    let keys: Vec<String> = (0..5000).map(uid).collect();
    let json = checked("--replicas 5 --field uid", &keys);
    assert_eq!(keys_of(&json), [1000; 5]);
    assert_eq!(json["field"], Field::Uid.as_str());
}

#[test]
fn the_table_says_what_to_send_and_what_it_brings() {
    let keys = numbered().join("\n");
    let table = answer("--replicas 2", &keys);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "keys          1000 of object.metadata.namespace, 1000 different; the most frequent 0.1 %",
            "peak to mean  1.000 with these ranges, 1.800 with equal ones",
            "",
            "replica        keys    share  selector",
        ]
    );
    for (number, line) in lines[4..].iter().enumerate() {
        let selector =
            line.strip_prefix(&format!("{number}               500  50.00 %  ")).unwrap();
        selector.parse::<Selector>().unwrap();
    }
    let one = answer("--replicas 1", "a");
    assert!(one.ends_with(
        "0                 1  100.00 %  shardRange(object.metadata.namespace, '0x0000000000000000', '0x10000000000000000')\n"
    ), "{one}");
    assert!(answer("--replicas 2 --slots 1", "a").contains("- (nothing: it must not list)"));
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ranges");
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("keys");
    for ending in ["\n", "\r\n"] {
        fs::write(&path, keys.replace('\n', ending) + ending).unwrap();
        let output = ranges(&format!("--replicas 2 --keys {}", path.display()), b"not these");
        assert_eq!(text(&output.stdout), table);
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let both = |keys: &[u8], parts: &[&str]| {
        refused_with("--keys - --replicas 2", keys, parts);
        refused_with("--keys - --replicas 2 --field uid", keys, parts);
    };
    both(b"", &["--keys -: there are none", "one key a line"]);
    both(b"a\nb\xff\n", &["--keys -: line 2", "UTF-8"]);
    both(b"\xef\xbb\xbfa\nb\n", &["--keys -: line 1", "byte order mark", "without"]);
    both(b"a\nb\tc\n", &["--keys -: line 2", "tabulator"]);
    both(&[b"a\n", &vec![b'x'; (1 << 20) + 1][..], b"\nb\n"].concat(), &["line 2", "megabyte"]);
    both(&vec![b'x'; 40 << 20], &["line 1", "longer than a megabyte"]);
    refused_with(
        "--keys - --replicas 2 --field uid",
        b"a\n\nb\n",
        &["--keys -: line 2", "is empty"],
    );
    refused_with("--keys /nowhere/keys --replicas 2", b"", &["/nowhere/keys", "cannot be read"]);
    for replicas in ["0", "-1", "65536", "two"] {
        let arguments = format!("--keys - --replicas={replicas}");
        refused_with(&arguments, b"a\n", &["--replicas", replicas]);
    }
    refused_with("--keys -", b"a\n", &["--replicas"]);
    refused_with("--replicas 2", b"a\n", &["--keys"]);
    refused_with("--keys - --replicas 2 --field name", b"a\n", &["--field", "uid", "namespace"]);
    for slots in ["0", "1000", "131072"] {
        let arguments = format!("--keys - --replicas 2 --slots {slots}");
        refused_with(&arguments, b"a\n", &["--slots", slots, "power of two"]);
    }
}

/// The longest line that is a key.
#[test]
fn a_line_of_a_megabyte_is_a_key() {
    let long = "x".repeat(1 << 20);
    assert!(
        answer("--replicas 1", &format!("{long}\r\n{long}\na\n")).contains("keys          3 of")
    );
}
