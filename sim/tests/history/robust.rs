//! Whatever a recording holds, reading it ends, in little memory, and says what was damaged.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tenure_sim::history::{Format, Histories, Rule, Settings, Unread};

use super::stories::{audit, found, lease, lines, only, read, written};

const SAMPLES: [&str; 4] = [
    "s1-norelease.audit.jsonl",
    "s1-norelease.watch.jsonl",
    "s3-release-wipe.audit.jsonl",
    "s3-release-wipe.watch.jsonl",
];

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn settings(format: Option<Format>, strict: bool) -> Settings {
    Settings { format, strict, slack_nanos: None }
}

/// Reads it in each way; only that it ends matters, and that numbers agree.
fn survives(text: &[u8]) {
    for format in [None, Some(Format::Audit), Some(Format::Watch), Some(Format::Trace)] {
        for strict in [false, true] {
            let mut histories = Histories::new(settings(format, strict));
            if let Ok(recording) = histories.read(text, &mut |_| {}) {
                assert_eq!(recording.bytes, text.len() as u64);
                assert!(recording.first_damaged.len() as u64 <= recording.damaged);
                assert!(!strict || recording.damaged == 0);
            }
        }
    }
}

/// What may be done to a line of a recording.
#[derive(Debug, Clone)]
enum Harm {
    Cut(usize),
    Double,
    Drop,
    Flip(usize, u8),
    Swap,
    Number(String),
}

fn harm() -> impl Strategy<Value = Harm> {
    let numbers =
        ["99999999999999999999999", "-9223372036854775808", "9223372036854775807", "1e999", "0.5"];
    prop_oneof![
        any::<usize>().prop_map(Harm::Cut),
        Just(Harm::Double),
        Just(Harm::Drop),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Harm::Flip(at, byte)),
        Just(Harm::Swap),
        proptest::sample::select(numbers.to_vec())
            .prop_map(|number| Harm::Number(number.to_owned())),
    ]
}

fn harmed(text: &[u8], harms: &[(usize, Harm)]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    for (place, harm) in harms {
        let at = place % lines.len();
        let line = &mut lines[at];
        match harm {
            Harm::Cut(length) => line.truncate(length % (line.len() + 1)),
            Harm::Double => {
                let line = line.clone();
                lines.insert(at, line);
            }
            Harm::Drop => line.clear(),
            Harm::Flip(byte, with) => {
                let length = line.len().max(1);
                if let Some(byte) = line.get_mut(byte % length) {
                    *byte ^= with;
                }
            }
            Harm::Swap => {
                let other = (at + 1) % lines.len();
                lines.swap(at, other);
            }
            Harm::Number(number) => {
                let text = String::from_utf8_lossy(line).into_owned();
                let text = text.replace(
                    "\"leaseDurationSeconds\": 4",
                    &format!("\"leaseDurationSeconds\":{number}"),
                );
                *line = text
                    .replace("\"leaseTransitions\": ", &format!("\"leaseTransitions\":{number}"))
                    .into_bytes();
            }
        }
    }
    lines.join(&b'\n')
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(text in proptest::collection::vec(any::<u8>(), 0..2000)) {
        survives(&text);
    }

    #[test]
    fn random_json_like_text(text in "(\\{|\\}|\"|kind|Lease|spec|[0-9]{1,40}|:|,|\\[|\\]|\n| |type|object|null){0,200}") {
        survives(text.as_bytes());
    }

    #[test]
    fn samples_with_harm(
        name in proptest::sample::select(SAMPLES.to_vec()),
        harms in proptest::collection::vec((any::<usize>(), harm()), 1..20),
    ) {
        survives(&harmed(&sample(name), &harms));
    }

    /// Lines that come twice, and reads that are left out, change no verdict.
    #[test]
    fn doubled_lines_change_nothing(
        name in proptest::sample::select(SAMPLES.to_vec()),
        places in proptest::collection::vec(any::<usize>(), 1..20),
    ) {
        let text = sample(name);
        let harms: Vec<_> = places.into_iter().map(|place| (place, Harm::Double)).collect();
        let rules = |text: &[u8]| {
            let (histories, _) = read(text);
            let (_, history) = histories.locks().next().unwrap();
            // Who deletes twice is told twice.
            let rules = history.findings.kept().map(|finding| finding.rule);
            rules.filter(|rule| *rule != Rule::Deleted).collect::<Vec<_>>()
        };
        prop_assert_eq!(rules(&harmed(&text, &harms)), rules(&text));
    }
}

#[test]
fn damaged_lines_are_counted_and_named() {
    let mut story = lines(&audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0), (4.0, "x", "x", 0)]));
    let second = story.find('\n').unwrap() + 1;
    story.insert_str(second, "{\"verb\":\"update\",\"leases\n\n<html>\n{\"verb\":\"list\"\n");
    let (histories, recording) = read(story.as_bytes());
    let named: Vec<_> = recording.first_damaged.iter().map(|(line, _)| *line).collect();
    assert_eq!((recording.damaged, recording.lines, named), (3, 7, vec![2, 4, 5]));
    assert_eq!(only(&histories, Format::Audit).counts.versions, 3);
    let mut strict = Histories::new(settings(None, true));
    let refused = strict.read(story.as_bytes(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Unread::Damaged { line: 2, .. }), "{refused:?}");
}

#[test]
fn of_damage_no_more_is_told_than_people_read() {
    let mut story = audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0)]);
    story[1]["responseObject"]["spec"]["renewTime"] = "\u{1b}z".repeat(100_000).into();
    let (_, recording) = read(lines(&story).as_bytes());
    let (_, why) = &recording.first_damaged[0];
    assert!(why.starts_with("spec.renewTime is ") && why.chars().count() < 1000, "{why}");
}

#[test]
fn strict_looks_at_lines_that_do_not_matter() {
    let mut story = lines(&audit(&[(0.0, "x", "x", 0), (2.0, "x", "x", 0)]));
    story.push_str("{\"verb\":\"update\",,}\n");
    let (_, recording) = read(story.as_bytes());
    assert_eq!(recording.damaged, 0);
    let mut strict = Histories::new(settings(None, true));
    let refused = strict.read(story.as_bytes(), &mut |_| {}).unwrap_err();
    assert!(matches!(refused, Unread::Damaged { line: 3, .. }), "{refused:?}");
}

#[test]
fn a_violation_planted_into_a_sample_is_found() {
    let text = String::from_utf8(sample("s1-norelease.audit.jsonl")).unwrap();
    // The recorded duration was 4 s, and all waited for that.
    let longer = text.replace("\"leaseDurationSeconds\": 4", "\"leaseDurationSeconds\": 6");
    let (histories, _) = read(longer.as_bytes());
    let history = only(&histories, Format::Audit);
    assert_eq!(history.findings.count(Rule::EarlyTakeover), 3, "{:?}", found(history));
    let kept = text.replace("\"leaseTransitions\": 3", "\"leaseTransitions\": 2");
    let (histories, _) = read(kept.as_bytes());
    assert_eq!(only(&histories, Format::Audit).findings.count(Rule::TransitionsKept), 1);
}

/// A year of one lock needs no more memory than a day.
#[test]
fn memory_does_not_grow_with_the_recording() {
    let story = |events: u32| {
        let events = (1..=events).map(|version| {
            let at = f64::from(version) * 2.0;
            let holder = ["x", "y"][(version / 50 % 2) as usize];
            let lease = lease(version.into(), holder, at % 7.0, i64::from(version / 50));
            written(at, holder, "update", Some(u64::from(version) - 1), &lease)
        });
        lines(&events.collect::<Vec<_>>())
    };
    let (short, long) = (story(10_000), story(40_000));
    let peak = |text: &str| allocation_counter::measure(|| drop(read(text.as_bytes()))).bytes_max;
    let (short, long) = (peak(&short), peak(&long));
    assert!(long < short + 4096, "{short} and {long} bytes");
    assert!(long < 200_000, "{long} bytes");
}

#[test]
fn what_is_neither_is_refused() {
    for text in ["hello\n", "{\"kind\":\"Pod\"}\n", "\u{1f}\u{8b}"] {
        let refused = Histories::new(Settings::default()).read(text.as_bytes(), &mut |_| {});
        assert!(matches!(refused, Err(Unread::NoFormat)), "{text}: {refused:?}");
    }
    let nothing = Histories::new(Settings::default()).read(&b""[..], &mut |_| {}).unwrap();
    assert_eq!((nothing.format, nothing.lines), (None, 0));
    let sharded = json!({"format": 1, "scenario": {"members": 3}}).to_string();
    let refused = Histories::new(Settings::default()).read(sharded.as_bytes(), &mut |_| {});
    assert!(matches!(refused, Err(Unread::Header(_))), "{refused:?}");
}

/// A hundred terms are kept, and of long names only the beginnings.
#[test]
fn names_of_megabytes_are_not_kept_for_each_term() {
    const NAME: usize = 100_000;
    let name = |nth: usize| format!("{}{nth}", "ü".repeat(NAME));
    let names: Vec<String> = (0..60).map(name).collect();
    let writes = names.iter().zip(0_i32..);
    let writes = writes.map(|(name, nth)| (20.0 * f64::from(nth), "a", &**name, i64::from(nth)));
    let text = lines(&audit(&writes.collect::<Vec<_>>()));
    let (histories, _) = read(text.as_bytes());
    let history = only(&histories, Format::Audit);
    assert_eq!((history.counts.takeovers, history.findings.violations()), (59, 0));
    let kept: usize = history.terms.kept().map(|term| term.holder.as_str().len()).sum();
    assert!(kept < 2 * NAME + 100 + 59 * 2048, "{kept}");
    let cut = history.terms.kept().next().unwrap().holder.as_str();
    assert!(cut.starts_with("üüü") && cut.ends_with("ü…"));
}
