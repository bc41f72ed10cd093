//! `tenure compare`: known bugs show and have their causes, Tenure's modes have none of them, the same
//! bytes again, bad input.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use tenure_sim::sharding::Mode;
use tenure_sim::sharding::compare::{Case, Figures, Group, Names, Subject, run};
use tenure_sim::sharding::peers::Peer;

const SMALL: Group = Group { replicas: 3, slots: 16, names: Names::StatefulSet };

fn figures(subject: Subject, case: Case, group: &Group, seed: u64) -> Figures {
    run(subject, &case.scenario(group, seed), seed).unwrap()
}

fn peer(peer: Peer, case: Case) -> Figures {
    figures(Subject::Peer(peer), case, &SMALL, 1)
}

/// Mean time without owner, in seconds.
fn unowned(figures: &Figures) -> u64 {
    figures.unowned_nanos / figures.gaps.max(1) / 1_000_000_000
}

#[test]
fn tenure_never_has_two_owners_and_always_finds_one() {
    for mode in [Mode::Ranked, Mode::Planned, Mode::Leased] {
        for case in Case::ALL {
            let figures = figures(Subject::Tenure(mode), case, &SMALL, 1);
            assert_eq!(figures.two_owner_nanos, 0, "{mode:?} {}", case.name());
            assert_eq!(figures.unowned_at_end, 0, "{mode:?} {}", case.name());
        }
    }
}

#[test]
fn crashes_are_found_as_late_as_published_constants_say() {
    // Lease 15 s; 2 × 15 s; lease 60 s and polls of 10 to 22 s; 30 + 10 + 5 s; session 45 s.
    let expected = [
        (Subject::Tenure(Mode::Ranked), 10..=16),
        (Subject::Peer(Peer::Timebertt), 27..=31),
        (Subject::Peer(Peer::Knative), 48..=97),
        (Subject::Peer(Peer::Multicluster), 20..=46),
        (Subject::Peer(Peer::Kcl), 10..=41),
        (Subject::Peer(Peer::Kafka), 41..=50),
    ];
    for (subject, seconds) in expected {
        let figures = figures(subject, Case::Crash, &SMALL, 1);
        assert!(figures.gaps > 0, "{}", subject.name());
        let took = unowned(&figures);
        assert!(seconds.contains(&took), "{}: {took} s", subject.name());
    }
    for ordinal in [Peer::StateMetrics, Peer::ArgoStatic, Peer::ArgoDynamic] {
        let figures = peer(ordinal, Case::Crash);
        assert!(figures.unowned_at_end > 0, "{}: nobody takes over", ordinal.name());
    }
}

#[test]
fn calls_are_as_many_as_formulas_say() {
    let calm = |of| peer(of, Case::Calm);
    let near = |value: u64, formula: u64| value.abs_diff(formula) * 20 <= formula;
    // N/2; B/10 and B(N − 1)/16; (N + S)/10 and as many reads, and N lists; S · 3/10; N/10; N/3.
    assert!(near(calm(Peer::Timebertt).writes_per_1000s, 1_500));
    assert!(near(calm(Peer::Knative).writes_per_1000s, 1_000));
    assert!(calm(Peer::Knative).reads_per_1000s.abs_diff(1_250) < 250);
    assert!(near(calm(Peer::Multicluster).writes_per_1000s, 1_900));
    assert!(near(calm(Peer::Multicluster).reads_per_1000s, 2_200));
    assert!(near(calm(Peer::Kcl).writes_per_1000s, 4_836));
    assert!(near(calm(Peer::ArgoDynamic).writes_per_1000s, 300));
    assert!(near(calm(Peer::Kafka).writes_per_1000s, 1_000));
}

#[test]
fn everybody_who_is_cut_off_and_has_no_deadline_works_on() {
    for of in [Peer::Multicluster, Peer::Kafka, Peer::Kcl] {
        assert!(peer(of, Case::Partition).two_owner_nanos > 0, "{}", of.name());
    }
    // The lease's deadline, 10 s, and the sharder's patience, 30 s.
    assert_eq!(peer(Peer::Timebertt, Case::Partition).two_owner_nanos, 0);
}

#[test]
fn whoever_asks_the_owner_first_has_one() {
    // A drain label, and a second round: work ends before somebody else begins.
    for of in [Peer::Timebertt, Peer::Kafka] {
        for case in [Case::Join, Case::Leave, Case::RollingUpdate] {
            let figures = peer(of, case);
            assert_eq!(figures.two_owner_nanos, 0, "{} {}", of.name(), case.name());
            assert!(figures.moves > 0, "{} {}", of.name(), case.name());
        }
    }
}

#[test]
fn who_computes_alone_has_two_owners_while_numbers_differ() {
    let group = Group { slots: 128, ..SMALL };
    for of in [Peer::ArgoDynamic, Peer::ArgoStatic, Peer::StateMetrics] {
        let figures = figures(Subject::Peer(of), Case::Join, &group, 1);
        assert!(figures.two_owner_nanos > 0, "{}", of.name());
        assert_eq!(figures.unowned_at_end, 0, "{}", of.name());
    }
}

#[test]
fn a_wall_clock_that_is_behind_gives_two_owners() {
    for of in [Peer::Multicluster, Peer::Timebertt] {
        assert!(peer(of, Case::WallClock).two_owner_nanos > 0, "{}", of.name());
    }
}

#[test]
fn a_change_of_the_number_of_buckets_gives_every_key_two_owners() {
    let change = peer(Peer::Knative, Case::ConfigurationChange);
    // The old ones hold leases of 10 buckets, the new ones of 5, until the last old one has gone.
    assert!(change.two_owner_nanos > 16 * 40_000_000_000, "{change:?}");
    assert!(peer(Peer::Knative, Case::RollingUpdate).two_owner_nanos < 16 * 1_000_000_000);
    assert_eq!(peer(Peer::Knative, Case::Calm).busiest_permille, 3_000, "the first has all");
}

#[test]
fn a_fence_is_released_while_work_goes_on() {
    let join = peer(Peer::Multicluster, Case::Join);
    let calm = peer(Peer::Multicluster, Case::Calm);
    assert!(join.two_owner_nanos > calm.two_owner_nanos, "{join:?}");
}

#[test]
fn names_of_a_stateful_set_load_one_replica_with_half() {
    let names = |names| Group { replicas: 5, slots: 256, names };
    let of = Subject::Peer(Peer::Multicluster);
    let stateful = figures(of, Case::Calm, &names(Names::StatefulSet), 1);
    assert!((2_300..=2_700).contains(&stateful.busiest_permille), "{stateful:?}");
    let deployed = figures(of, Case::Calm, &names(Names::Deployment), 1);
    assert!(deployed.busiest_permille < 1_600, "{deployed:?}");
}

#[test]
fn twenty_shards_disagree_with_themselves() {
    let group = Group { replicas: 20, ..SMALL };
    let names = group.names(20, 1);
    let disorder = |of: Subject| of.disorder_permille(&names, 1);
    let differ = disorder(Subject::Peer(Peer::Timebertt)).unwrap();
    assert!((10..=60).contains(&differ), "{differ}");
    assert_eq!(disorder(Subject::Tenure(Mode::Ranked)), Some(0));
    assert_eq!(disorder(Subject::Peer(Peer::Multicluster)), Some(0));
    assert_eq!(disorder(Subject::Peer(Peer::Knative)), None);
    let deployed = Group { names: Names::Deployment, ..group };
    let few = Subject::Peer(Peer::Timebertt).disorder_permille(&deployed.names(20, 1), 1);
    assert_eq!(few, Some(0), "the random ends of names prevent it");
    // Which moves objects although no member has changed: each resync drains some.
    let calm =
        figures(Subject::Peer(Peer::Timebertt), Case::Calm, &Group { slots: 256, ..group }, 1);
    assert!(calm.moves > 0, "{calm:?}");
}

fn compare(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
    command.arg("compare").args(arguments.split_whitespace()).output().unwrap()
}

const QUICK: &str = "--scenario calm,crash --system tenure-ranked,naive --replicas 2 --slots 8";

#[test]
fn the_same_bytes_again() {
    let answer = |arguments: &str| {
        let output = compare(&format!("{QUICK} {arguments}"));
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    let table = answer("--seeds 3..5");
    assert!(table.starts_with("2 replicas, 8 slots, seeds 3 to 4\ncalm, crash\n"), "{table}");
    assert!(table.contains("\ntenure-ranked ") && table.contains("\nnaive "), "{table}");
    assert_eq!(table, answer("--seeds 3..5"));
    assert_ne!(table, answer("--seeds 5..7"));
    let value: serde_json::Value = serde_json::from_str(&answer("--json --seeds 3..4")).unwrap();
    let systems = value["systems"].as_array().unwrap();
    assert_eq!(systems[0]["scenarios"]["crash"]["two_owner_nanos"], 0);
    assert!(systems[1]["scenarios"]["calm"]["two_owner_nanos"].as_u64().unwrap() > 0);
}

#[test]
fn bad_input_is_one_line_that_says_what_to_do() {
    for (arguments, parts) in [
        ("--scenario crush", ["\"crush\"", "did you mean crash"]),
        ("--system knativ", ["\"knativ\"", "did you mean knative"]),
        ("--system zzzzzzzz", ["--system", "use tenure-ranked, tenure-planned"]),
        ("--system naive,naive", ["naive stands there twice", "once"]),
        ("--slots 48", ["--slots", "power of two"]),
        ("--slots 8192", ["--slots 8192", "at most 4096"]),
        ("--replicas 1", ["--replicas", "2..=100"]),
        ("--seeds 5..5", ["--seeds", "0..1000"]),
        ("--names deployment --system kube-state-metrics", ["ordinals", "leave it out"]),
    ] {
        let output = compare(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {error}");
        assert_eq!(error.lines().count(), 1, "{arguments}: {error}");
        for part in parts {
            assert!(error.contains(part), "{arguments}: {error:?} does not say {part:?}");
        }
    }
}
