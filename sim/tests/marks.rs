//! No mark is out of reach: each has a scenario in which it is counted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use tenure_sim::outcome::Statistics;
use tenure_sim::scenario::Scenario;
use tenure_sim::subject::{Ran, Subject};
use tenure_sim::verdict::Verdict;
use tenure_sim::{catalogue, sharding};

/// A mark of elections, and in which scenario it is counted, under which profile.
const ELECTION: [(&str, &str, &str); 41] = [
    ("events", "calm", "strict"),
    ("entries", "calm", "strict"),
    ("requests", "calm", "strict"),
    ("reads", "calm", "strict"),
    ("takeovers", "leader-crash", "strict"),
    ("conflicts", "watch", "strict"),
    ("late answers", "late-acquisition", "strict"),
    ("calls given up", "answers-lost", "strict"),
    ("messages lost", "leader-cut", "strict"),
    ("beginnings of belief", "calm", "strict"),
    ("ends of belief", "answers-lost", "strict"),
    ("starts", "calm", "strict"),
    ("crashes", "leader-crash", "strict"),
    ("pauses", "pause", "strict"),
    ("guarded writes", "calm", "strict"),
    ("guarded writes refused", "migrate-at-once", "client-go-head"),
    ("faults", "pause", "strict"),
    ("faults with an effect", "pause", "strict"),
    ("shown by a watch", "watch", "strict"),
    ("rollouts", "rollout-durations", "strict"),
    ("warnings of the end", "danger-zone", "strict"),
    ("takeovers from a holder", "leader-crash", "strict"),
    ("takeovers of a free lock", "graceful-release", "strict"),
    ("conflicts on the fast path", "same-identity", "client-go-head"),
    ("races lost", "watch", "strict"),
    ("effects without an answer", "release-of-anothers-lease", "strict"),
    ("released by the holder", "graceful-release", "strict"),
    ("released by another", "release-of-anothers-lease", "client-go-head"),
    ("two views at once", "pause", "client-go-head"),
    ("terms that ran out", "leader-cut", "strict"),
    ("terms ended by another's", "suspend", "strict"),
    ("terms ended by a stop", "graceful-release", "strict"),
    ("terms handed over", "hand-over", "strict"),
    ("terms ended by a deletion", "deleted", "strict"),
    ("locks made anew", "outside-delete", "strict"),
    ("writes by hand", "holder-cleared", "strict"),
    ("foreign writes noticed", "touched", "strict"),
    ("clocks changed", "ntp-steps", "strict"),
    ("restarts", "leader-crash", "strict"),
    ("leaders paused", "pause", "strict"),
    ("leaders crashed", "leader-crash", "strict"),
];

/// The same of sharded groups; the third is a rule that is left out.
const SHARDED: [(&str, &str, &str); 33] = [
    ("events", "calm", ""),
    ("entries", "calm", ""),
    ("reads", "calm", ""),
    ("writes", "calm", ""),
    ("commits", "calm", ""),
    ("conflicts", "stale-watch", ""),
    ("late answers", "late-grant", ""),
    ("shown by a watch", "calm", ""),
    ("messages lost", "partition-member", ""),
    ("starts", "calm", ""),
    ("crashes", "crash", ""),
    ("pauses", "pause-long", ""),
    ("pieces of work", "calm", ""),
    ("slots gained", "calm", ""),
    ("guarded writes refused", "stale-excluder", "conflict-is-no-exclusion"),
    ("faults", "crash", ""),
    ("slots moved", "join-one", ""),
    ("two views at once", "pause-long", ""),
    ("drains overdue", "slow-drain", ""),
    ("pieces of work cut off", "pause-long", ""),
    ("rights that ran out", "store-outage", ""),
    ("joins", "calm", ""),
    ("leaves", "leave", ""),
    ("exclusions", "crash", ""),
    ("records collected", "collected", ""),
    ("configurations changed", "configuration-change", ""),
    ("plans", "planned", ""),
    ("changes of planner", "planned", ""),
    ("writes by hand", "record-deleted", ""),
    ("clocks changed", "swarm", ""),
    ("restarts", "rolling-update-same-names", ""),
    ("owners paused", "pause-long", ""),
    ("owners crashed", "crash", ""),
];

/// Scenarios of the catalogue, and those that only show a mark.
fn election(name: &str, profile: &str) -> Scenario {
    let text = match name {
        "deleted" => r#"{"faults": [{"at": "30s", "fault": {"delete": {}}}], "horizon": "2m"}"#,
        "touched" => {
            r#"{"faults": [{"at": "30s", "fault": {"edit": {"touch-label": {}}}}], "horizon": "2m"}"#
        }
        name => {
            return Scenario {
                profile: profile.parse().unwrap(),
                ..catalogue::find(name).unwrap()
            };
        }
    };
    Scenario { profile: profile.parse().unwrap(), ..serde_json::from_str(text).unwrap() }
}

fn sharded(name: &str, without: &str) -> sharding::Scenario {
    let mut scenario = match name {
        // A crashed member's record is deleted once everybody has read that it is excluded.
        "collected" => {
            let mut crash = sharding::catalogue::find("sharding/crash").unwrap();
            crash.collect_after = "30s".parse().unwrap();
            crash.faults.truncate(1);
            crash.horizon = "10m".parse().unwrap();
            crash
        }
        name => sharding::catalogue::find(&format!("sharding/{name}")).unwrap(),
    };
    scenario
        .without
        .extend(tenure::sharding::Rule::ALL.into_iter().find(|it| it.name() == without));
    scenario
}

fn reached(ran: &Ran, mark: &str, of: &str) {
    assert!(ran.mark(mark) > 0, "{mark} in {of}: {:?}", ran.marks);
}

fn names(ran: &Ran) -> BTreeSet<&str> {
    ran.marks.iter().map(|(name, _)| *name).collect()
}

#[test]
fn each_mark_of_an_election_is_reached_by_its_scenario() {
    for (mark, name, profile) in ELECTION {
        let scenario = election(name, profile);
        reached(&scenario.run(scenario.seed.unwrap_or(1)).unwrap(), mark, name);
    }
    let calm = catalogue::find("calm").unwrap().run(1).unwrap();
    assert_eq!(names(&calm), ELECTION.map(|(mark, ..)| mark).into());
    assert_eq!(names(&calm).len(), calm.marks.len(), "no name twice");
}

#[test]
fn each_mark_of_a_group_is_reached_by_its_scenario() {
    for (mark, name, without) in SHARDED {
        let scenario = sharded(name, without);
        reached(&scenario.run(scenario.seed.unwrap_or(1)).unwrap(), mark, name);
    }
    let calm = sharded("calm", "").run(1).unwrap();
    assert_eq!(names(&calm), SHARDED.map(|(mark, ..)| mark).into());
    assert_eq!(names(&calm).len(), calm.marks.len(), "no name twice");
}

/// Marks are quiet where nothing happens, and count no more than happened.
#[test]
fn a_calm_day_has_no_marks_but_those_of_its_routine() {
    let calm = catalogue::find("calm").unwrap().run(1).unwrap();
    for (mark, times) in &calm.marks[21..] {
        // All candidates may create the first lock, and the creator takes it from nobody.
        let first = matches!(*mark, "races lost" | "takeovers of a free lock");
        assert!(*times == 0 || first, "{mark}: {times}");
    }
    let crash = catalogue::find("leader-crash").unwrap().run(1).unwrap();
    let counted = ["leaders crashed", "takeovers from a holder", "restarts"];
    assert_eq!(counted.map(|mark| crash.mark(mark)), [1; 3]);
    let statistics = Statistics::default().marks();
    assert_eq!(statistics.len(), 21);
}

/// Where nothing happens the answer is that nothing is known, not that all is well.
#[test]
fn a_run_in_which_nothing_happened_is_unknown() {
    let alone: Scenario = serde_json::from_str(r#"{"replicas": [{}], "horizon": "1m"}"#).unwrap();
    assert_eq!(alone.run(1).unwrap().verdict, Verdict::Unknown);
    // A fault that hits nobody changes nothing.
    let missed = r#"{"replicas": [{}], "horizon": "1m",
        "faults": [{"at": "30s", "for": "1s", "fault": {"crash": {"target": "follower"}}}]}"#;
    let missed: Scenario = serde_json::from_str(missed).unwrap();
    assert_eq!(missed.run(1).unwrap().verdict, Verdict::Unknown);
    let mut nobody = sharded("calm", "");
    nobody.replicas.iter_mut().for_each(|replica| replica.spare = true);
    nobody.horizon = "1m".parse().unwrap();
    assert_eq!(nobody.run(1).unwrap().verdict, Verdict::Unknown);
}
