//! `tenure balance`: figures that can be computed by hand, the same bytes again, the plot, bad input.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tenure::placement::Member;
use tenure_sim::balance::catalogue::{ALL, Choice, Instance, Leaves};
use tenure_sim::balance::input::{KeyHash, Keys, numbered};
use tenure_sim::balance::measure::newcomers;
use tenure_sim::balance::placer::{Best, Change};

fn balance(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.arg("balance").args(arguments.split_whitespace()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn answer(arguments: &str) -> String {
    let output = balance(arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments}");
    text(&output.stdout).to_owned()
}

fn json(arguments: &str) -> Value {
    let answer = answer(&format!("--json {arguments}"));
    assert_eq!(answer.lines().count(), 1);
    serde_json::from_str(&answer).unwrap()
}

fn refused(arguments: &str, parts: &[&str]) {
    let output = balance(arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
    assert!(error.ends_with('\n') && error.lines().count() == 1, "{arguments}: {error}");
    for part in parts {
        assert!(error.contains(part), "{arguments}: {error:?} does not say {part:?}");
    }
    assert!(output.stdout.is_empty(), "{arguments}");
}

fn path(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("balance");
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

fn file(name: &str, content: &[u8]) -> String {
    fs::write(path(name), content).unwrap();
    path(name).display().to_string()
}

/// Numbers as keys, a line each.
fn numbers(name: &str, numbers: impl Iterator<Item = u64>) -> String {
    let lines: Vec<_> = numbers.map(|number| number.to_string()).collect();
    file(name, lines.join("\n").as_bytes())
}

fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

/// 60 keys to one and 40 to the other of two: chi-square 4 with one degree of freedom.
#[test]
fn figures_of_balance_are_those_of_the_textbook() {
    let keys = numbers("60-40", (0..60).map(|key| 2 * key).chain((0..40).map(|key| 2 * key + 1)));
    let report = json(&format!("--algorithm modulo --hash raw --members 2 --keys {keys}"));
    let row = &report["algorithms"][0];
    near(&row["peak_to_mean"], 1.2);
    near(&row["variation"], 0.2);
    near(&row["ideal"], 0.1);
    near(&row["chi_square"], 4.0);
    near(&row["p_value"], 0.045_500_264);
    let even = numbers("even", 0..100);
    let report = json(&format!("--algorithm modulo --hash raw --members 10 --keys {even}"));
    let row = &report["algorithms"][0];
    near(&row["variation"], 0.0);
    near(&row["p_value"], 1.0);
}

/// Of 0 to 5: a third member gets 2 and 5, and 3 and 4 move for nothing.
#[test]
fn movement_is_counted_key_by_key() {
    let keys = numbers("six", 0..6);
    let report = json(&format!("--algorithm modulo --hash raw --members 2 --keys {keys}"));
    let row = &report["algorithms"][0];
    let expected = |moved: u64, least: u64, misplaced: u64| serde_json::json!({ "moved": moved, "least": least, "misplaced": misplaced, "keys": 6 });
    assert_eq!(row["join"], expected(4, 2, 2));
    assert_eq!(row["leave"], expected(3, 3, 0));
    assert_eq!(row["replace"], expected(3, 3, 0));
    let alone = json(&format!("--algorithm modulo --hash raw --members 1 --keys {keys}"));
    assert_eq!(alone["algorithms"][0]["leave"], Value::Null);
    assert_eq!(alone["algorithms"][0]["p_value"], Value::Null);
}

/// Every row that is no baseline and assigns key by key moves what it must, with the greatest care.
#[test]
fn least_disruption_is_seen_where_it_is_promised() {
    let report = json("--keys 2000 --members 5");
    for row in report["algorithms"].as_array().unwrap() {
        let name = row["algorithm"].as_str().unwrap();
        let misplaced = row["join"]["misplaced"].as_u64().unwrap();
        let misplaced = misplaced + row["leave"]["misplaced"].as_u64().unwrap();
        let excused = ["modulo", "maglev"].contains(&name) || name.starts_with("bounded");
        assert!(misplaced == 0 || excused, "{name}: {misplaced}");
        assert!(name != "modulo" || misplaced > 1000);
        let peak = row["peak_to_mean"].as_f64().unwrap();
        assert!((1.0..1.6).contains(&peak), "{name}: {peak}");
    }
}

#[test]
fn shares_are_by_weight() {
    let report = json("--weights 1,2,3,4 --members 4 --keys 20000");
    for row in report["algorithms"].as_array().unwrap() {
        let peak = row["peak_to_mean"].as_f64().unwrap();
        assert!(peak < 1.25, "{row}");
        let chi_square = row["chi_square"].as_f64().unwrap();
        let variation = row["variation"].as_f64().unwrap();
        assert!((chi_square - 20_000.0 * variation * variation).abs() < 1e-6);
    }
    let names: Vec<_> = report["algorithms"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names.iter().map(|row| row["algorithm"].as_str().unwrap()).collect();
    assert!(names.contains(&"rendezvous") && !names.contains(&"jump"), "{names:?}");
}

#[test]
fn the_same_arguments_are_the_same_bytes() {
    for arguments in ["--json", "--timing no", "--json --keys 500 --seed 7 --algorithm all"] {
        assert_eq!(answer(arguments), answer(arguments), "{arguments}");
    }
    assert_ne!(answer("--json --keys 500"), answer("--json --keys 500 --seed 43"));
    let untimed = json("--algorithm jump");
    assert_eq!(untimed["algorithms"][0].get("timing"), None);
    let timed = json("--algorithm jump --timing yes");
    assert!(timed["algorithms"][0]["timing"]["look_up_nanos"].as_f64().unwrap() > 0.1);
}

#[test]
fn the_table_has_a_line_for_each_and_says_what_it_means() {
    let table = answer("--algorithm rendezvous,ring:7,modulo");
    for part in [
        "members  10: controller-0 to controller-9",
        "keys     2291: names of Kubernetes objects",
        "algorithm   peak/mean     cov   ideal      p",
        "look-up",
        "\nrendezvous ",
        "\nring:7 ",
        "\nmodulo ",
        "\nmisplaced  ",
    ] {
        assert!(table.contains(part), "{part}:\n{table}");
    }
    assert!(!answer("--algorithm jump --timing no").contains("look-up"));
    assert!(answer("--algorithm help").contains("ring[:POINTS]"));
}

/// Tags close as they open, and nothing of a file's name is taken for one.
#[test]
fn the_plot_is_an_svg_with_all_that_a_person_needs() {
    let keys = file("a&b<c>.txt", b"one\ntwo\nthree\nfour\n");
    let draw = |name: &str| {
        let svg = path(name);
        let arguments = format!("--algorithm rendezvous,jump --keys {keys} --timing no");
        answer(&format!("{arguments} --plot {}", svg.display()));
        fs::read_to_string(svg).unwrap()
    };
    let svg = draw("one.svg");
    assert_eq!(svg, draw("two.svg"));
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if tag.ends_with('/') => assert_eq!(tag.matches('"').count() % 2, 0, "{tag}"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty() && svg.starts_with("<svg "));
    for part in ["rendezvous", "jump", "members", "coefficient of variation", "bytes", "ideal"] {
        assert!(svg.contains(part), "{part}");
    }
    assert!(!svg.contains("nanoseconds"), "nothing was timed");
    let timed = path("timed.svg");
    answer(&format!("--algorithm jump --keys {keys} --plot {}", timed.display()));
    assert!(fs::read_to_string(timed).unwrap().contains("nanoseconds"));
}

#[test]
fn what_cannot_be_is_refused() {
    refused("--algorithm jmup", &["\"jmup\"", "did you mean jump"]);
    refused("--algorithm jump,", &["--algorithm", "empty name"]);
    refused("--algorithm jump,ring,jump", &["jump", "twice"]);
    refused("--algorithm jump,anchor:10 --members 10", &["anchor:10: 10 numbers", "room for more"]);
    refused("--algorithm dx:5", &["--algorithm dx:5", "CAPACITY 5", "10 members", "10 or more"]);
    refused(
        "--algorithm jump --weights 1,2 --members 2",
        &["jump", "weight 2", "leave weights out"],
    );
    refused("--algorithm kube-state-metrics --hash fnv1a", &["--hash fnv1a", "its own"]);
    refused(
        "--algorithm presets --hash xxh3 --members 2 --weights 1,2",
        &["--algorithm", "none of these"],
    );
    refused("--members 0", &["--members 0", "from 1 to"]);
    refused("--keys 0", &["--keys 0", "from 1 to"]);
    refused("--keys -1", &["--keys -1", "from 1 to"]);
    refused("--keys /nowhere/keys", &["--keys", "/nowhere/keys", "cannot be read", "a number, or"]);
    refused("--hash raw", &["--keys", "no number", "--hash raw", "choose another hash\n"]);
    refused("--algorithm timebertt --hash raw", &["--hash raw", "its own"]);
    refused("--seed x", &["--seed"]);
    refused("--seed -1", &["--seed", "'-1'"]);
    refused("--timing perhaps", &["--timing", "perhaps"]);
    refused(
        "--algorithm jump --plot /nowhere/plot.svg",
        &["--plot /nowhere/plot.svg", "cannot be written", "name a file"],
    );
    for (name, content, parts) in [
        ("no-keys", &b""[..], &["no key", "one a line"][..]),
        ("gap", b"a\n\nb\n", &["line 2", "empty"]),
        ("twice", b"a\nb\na\n", &["line 3", "line 1 already"]),
        ("binary", b"\xff", &["UTF-8"]),
    ] {
        let path = file(name, content);
        let named = format!("--keys {path}: ");
        refused(&named[..named.len() - 2], &[&[named.as_str()], parts].concat());
    }
    let binary = file("binary-members", b"\xff");
    refused(&format!("--members {binary}"), &["--members", &binary, "UTF-8"]);
}

/// What is refused before anything is drawn leaves no file; what cannot be drawn is measured first.
#[test]
fn a_plot_that_cannot_be_is_no_file() {
    let svg = path("never.svg");
    let _ = fs::remove_file(&svg); // of a run before
    let plot = format!("--plot {}", svg.display());
    refused(&format!("--algorithm dx:5 {plot}"), &["dx:5"]);
    refused(&format!("--hash raw {plot}"), &["--hash raw"]);
    let output = balance(&format!("--algorithm anchor:20 --timing no {plot}"));
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    for part in ["--plot", "1000 members", "--algorithm anchor:20", "1000 or more"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(text(&output.stdout).contains("\nanchor:20 "));
    assert!(!svg.exists());
}

#[test]
fn newcomers_are_called_as_those_who_are_there() {
    let names = |members: &[&str]| {
        let members: Vec<_> = members.iter().copied().map(Member::from).collect();
        let new = newcomers(&members, 2, 1);
        new.iter().map(|member| member.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["x-0", "x-1", "x-3"]), ["x-4", "x-5"]);
    assert_eq!(names(&["x-0", "x-2"]), ["x-3", "x-4"]);
    assert_eq!(names(&["0", "1"]), ["2", "3"]);
    for name in names(&["op-7d9f5b6c8-aaaaa"]) {
        let suffix = name.strip_prefix("op-7d9f5b6c8-").unwrap();
        assert_eq!(suffix.len(), 5, "{name}");
    }
}

/// A row that says what it cannot do, or does not say what it can, misleads all others.
#[test]
fn each_row_does_what_it_says() {
    let keys = Keys::drawn(50, 1);
    for row in ALL {
        let choice = Choice::of(row);
        let items = keys.items(choice.hash(None).unwrap()).unwrap();
        let instance = Instance::new(choice, numbered("x", 6)).unwrap();
        let mut best = Vec::new();
        let three = Best { count: 3, across_zones: false };
        assert_eq!(instance.best_into(items[0], three, &mut best), row.ranking, "{choice}");
        let mut owners = Vec::new();
        instance.place_each(&items, &mut owners);
        assert_eq!(owners.iter().flatten().count(), items.len(), "{choice}");
        if row.ranking {
            assert!(
                best.len() == 3 && best.iter().any(|some| Some(*some) == owners[0]),
                "{choice}"
            );
            assert!(Some(best[0]) == owners[0] || row.name == "knative", "{choice}");
        }
        let leaves = instance.changed(&Change::Leave("x-2".to_owned())).is_ok();
        assert_eq!(leaves, row.leaves != Leaves::Last, "{choice}");
        assert!(instance.changed(&Change::Leave("x-5".to_owned())).is_ok(), "{choice}");
        assert!(instance.changed(&Change::Join("x-5".into())).is_err(), "{choice}");
        let weighted: Vec<_> = (1..4_u32)
            .map(|number| {
                let weight = core::num::NonZeroU32::new(number).unwrap();
                Member::from(format!("x-{number}")).with_weight(weight)
            })
            .collect();
        assert_eq!(Instance::new(choice, weighted).is_ok(), row.weights, "{choice}");
        let parameter = row.parameter.map(|parameter| format!("{}:{}", row.name, parameter.least));
        assert_eq!(format!("{}:1", row.name).parse::<Choice>().is_ok(), parameter.is_some());
    }
    let names: std::collections::BTreeSet<_> = ALL.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), ALL.len());
}

/// What is computed, against what is allocated: the members' list aside, and what joins their numbers
/// to them.
#[test]
fn bytes_are_those_that_are_allocated() {
    for row in ALL.iter().filter(|row| !row.whole) {
        for count in [10, 100, 1000_usize] {
            let members = numbered("x", u32::try_from(count).unwrap());
            let mut instance = None;
            let allocated = allocation_counter::measure(|| {
                instance = Instance::new(Choice::of(row), members).ok();
            });
            let allocated = usize::try_from(allocated.bytes_current).unwrap();
            let bytes = instance.unwrap().bytes(0);
            let joined = if [Leaves::Numbers, Leaves::History].contains(&row.leaves) {
                20 * count
            } else {
                0
            };
            let most = bytes + count * size_of::<Member>() + joined + 200;
            let name = row.name;
            assert!(allocated <= most, "{name} {count}: {allocated} allocated, {bytes} said");
            // A preset that rounds weights down may have some points less.
            let least = bytes - bytes / 20 + count * size_of::<Member>();
            assert!(
                allocated + 300 >= least,
                "{name} {count}: {allocated} allocated, {bytes} said"
            );
        }
    }
}

/// One key under each hash, by other implementations of them.
#[test]
fn hashes_are_the_named_ones() {
    for (name, hash) in [
        ("xxh3", 0x78af_5f94_892f_3950_u64),
        ("xxh64", 0x44bc_2cf5_ad77_0999),
        ("fnv1a", 0xe71f_a219_0541_574b),
        ("raw", 0),
    ] {
        let parsed: KeyHash = name.parse().unwrap();
        let key = if name == "raw" { "0" } else { "abc" };
        assert_eq!(parsed.key(key).unwrap().as_u64(), hash, "{name}");
        assert_eq!(parsed.to_string(), name);
    }
    let secret: KeyHash = "siphash:0706050403020100:f0e0d0c0b0a0908".parse().unwrap();
    assert_eq!(secret, KeyHash::SipHash([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]));
    assert_eq!(secret.to_string().parse(), Ok(secret));
}
