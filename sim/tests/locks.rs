//! Objects of all kinds, watches, rollouts, and that the scenarios about them reach their point.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use tenure::election::Cause;
use tenure::lock::Kind;
use tenure_sim::catalogue;
use tenure_sim::fault::{Fault, Links, Planned, Site, Target};
use tenure_sim::outcome::Statistics;
use tenure_sim::scenario::{Change, Initial, Lock, Replica, Rollout, Scenario};
use tenure_sim::time::{SimTime, Span};
use tenure_sim::trace::{End, Entry, Recorder, Reply, What};
use tenure_sim::world::World;

fn run(scenario: &Scenario, seed: u64) -> (Vec<Entry>, World) {
    let mut recorder = Recorder::default();
    let mut world = World::new(scenario, seed).unwrap();
    world.run(&mut recorder);
    (recorder.entries, world)
}

fn named(name: &str, profile: &str, seed: u64) -> (Vec<Entry>, World) {
    let scenario = catalogue::find(name).unwrap();
    run(&Scenario { profile: profile.parse().unwrap(), ..scenario }, seed)
}

fn seconds(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

fn at(secs: u64) -> SimTime {
    SimTime::ZERO + seconds(secs)
}

/// Who began to lead, and when.
fn leaders(entries: &[Entry]) -> Vec<(SimTime, u32)> {
    let begins = entries.iter().filter_map(|entry| match entry.what {
        What::StartedLeading { replica, .. } => Some((entry.at, replica)),
        _ => None,
    });
    begins.collect()
}

/// How long nobody led after something happened at `from`.
fn gap(entries: &[Entry], from: u64) -> Span {
    let next = leaders(entries).into_iter().find(|(when, _)| *when > at(from));
    next.unwrap().0.saturating_since(at(from))
}

fn watching() -> Scenario {
    let replica = Replica { watch: true, ..Replica::default() };
    Scenario { replicas: vec![replica; 3], ..Scenario::default() }
}

#[test]
fn a_watch_shows_each_version_in_order() {
    let (entries, world) = run(&watching(), 3);
    let mut shown: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for entry in &entries {
        if let What::Watched { replica, version: Some(version), .. } = entry.what {
            shown.entry(replica).or_default().push(version);
        }
    }
    let last = world.store().version();
    for versions in shown.values() {
        let first = versions[0];
        assert!(versions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{versions:?}");
        assert!(first <= 3 && versions.last().unwrap() + 1 >= last, "{first} {last}");
    }
    assert_eq!(shown.len(), 3);
    assert_eq!(world.statistics().watched, shown.values().map(|it| it.len() as u64).sum::<u64>());
}

#[test]
fn watching_saves_reads_and_time() {
    let of = |watch: bool| -> (Statistics, Span) {
        let mut scenario = catalogue::find("watch").unwrap();
        scenario.replicas.iter_mut().for_each(|replica| replica.watch = watch);
        let (entries, world) = run(&scenario, 3);
        (*world.statistics(), gap(&entries, 60))
    };
    let ((polled, slow), (watched, fast)) = (of(false), of(true));
    assert_eq!(polled.watched, 0);
    assert!(watched.reads * 4 < polled.reads, "{watched:?} {polled:?}");
    assert!(fast < Span::from_millis(200), "{fast}, polling {slow}");
}

#[test]
fn a_quiet_watch_shows_nothing_until_it_is_begun_anew() {
    let (entries, _) = named("watch-quiet", "strict", 3);
    let shown: Vec<_> =
        entries.iter().filter(|entry| matches!(entry.what, What::Watched { .. })).collect();
    let latest = at(50) + Span::from_millis(21);
    assert!(!shown.iter().any(|entry| entry.at > latest && entry.at < at(170)));
    assert!(shown.iter().any(|entry| entry.at > at(170) && entry.at < at(171)));
    assert!(gap(&entries, 120) < Span::from_millis(24_000));
}

#[test]
fn a_watch_that_breaks_is_begun_anew_with_what_is_there() {
    let cut = Planned::at(seconds(60), Fault::Partition(Links::of(Site::Of(Target::Replica(1)))));
    let delete = Planned::at(seconds(70), Fault::Delete {});
    let mut scenario = watching();
    scenario.faults = vec![cut.lasting(seconds(20)), delete];
    let (entries, _) = run(&scenario, 4);
    let mine: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry.what {
            What::Watched { replica: 1, version, .. } => Some((entry.at, version)),
            _ => None,
        })
        .collect();
    let quiet = |when: SimTime| when > at(60) + Span::from_millis(21) && when < at(80);
    assert!(!mine.iter().any(|(when, _)| quiet(*when)));
    let (when, version) = *mine.iter().find(|(when, _)| *when >= at(80)).unwrap();
    assert!(when < at(86), "it asks every 5 s: {when}");
    // The lock was deleted and made anew meanwhile: it is shown as it is, and nothing of before.
    let before = mine.iter().filter(|(earlier, _)| *earlier < when);
    assert!(version > before.filter_map(|(_, version)| *version).max().map(|it| it + 1));
}

#[test]
fn a_rollout_restarts_each_in_turn_with_what_is_new() {
    let set = Change { lock: Some(Lock::ConfigMapAndLease), ..Change::default() };
    let rollout = Rollout { at: seconds(60), gap: seconds(30), replicas: vec![2, 0, 1], set };
    let scenario =
        Scenario { lock: Lock::ConfigMap, rollouts: vec![rollout], ..Scenario::default() };
    for profile in ["strict", "client-go-v1.20"] {
        let (entries, world) =
            run(&Scenario { profile: profile.parse().unwrap(), ..scenario.clone() }, 5);
        let later = entries.iter().filter_map(|entry| match entry.what {
            What::Started { replica, life: 1, lock, .. } => Some((entry.at, replica, lock)),
            _ => None,
        });
        let later: Vec<_> = later.collect();
        assert_eq!(later.iter().map(|it| it.1).collect::<Vec<_>>(), [2, 0, 1], "{profile}");
        for (place, (when, _, lock)) in later.iter().enumerate() {
            assert_eq!(*lock, Lock::ConfigMapAndLease);
            let due = at(60 + 30 * place as u64);
            assert!(*when >= due && *when < due + seconds(12), "{profile}: {when}");
        }
        let ended = |entry: &&Entry| matches!(entry.what, What::Ended { end: End::Finished, .. });
        assert_eq!(entries.iter().filter(ended).count(), 3, "{profile}: gracefully");
        assert_eq!(world.statistics().rolled_out, 3);
        for kind in [Kind::ConfigMap, Kind::Lease] {
            assert!(world.store().snapshot_of(kind, "lock").is_some(), "{profile}: {kind}");
        }
    }
}

#[test]
fn what_else_a_config_map_holds_stays() {
    let (holder, rest) = ("old".to_owned(), Some("data".to_owned()));
    let initial = Initial { holder, lease_duration_seconds: 15, transitions: 3, rest };
    for profile in ["strict", "client-go-v1.20"] {
        let mut scenario = Scenario { lock: Lock::ConfigMap, ..Scenario::default() };
        scenario.profile = profile.parse().unwrap();
        scenario.store.initial = Some(initial.clone());
        let (entries, world) = run(&scenario, 1);
        assert_eq!(leaders(&entries).len(), 1, "{profile}");
        let stored = world.store().get_of(Kind::ConfigMap, "lock").unwrap();
        assert_eq!(stored.object.metadata().rest.as_deref(), Some(b"data".as_slice()));
        assert_eq!(stored.object.record().unwrap().leader_transitions, 4, "{profile}");
        assert!(world.store().get("lock").is_err(), "{profile}: no Lease");
    }
}

#[test]
fn a_trace_of_two_objects_comes_back_from_its_text() {
    let (entries, _) = named("migrate-config-map", "strict", 1);
    let objects = entries.iter().filter_map(|entry| match entry.what {
        What::Applied { object, .. } => Some(object),
        _ => None,
    });
    assert_eq!(objects.collect::<std::collections::BTreeSet<_>>().len(), 2);
    for entry in &entries {
        let text = serde_json::to_string(entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), *entry, "{text}");
    }
}

#[test]
fn a_leader_in_danger_says_so_before_its_authority_ends() {
    let (entries, _) = named("danger-zone", "strict", 1);
    let endangered: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry.what {
            What::Endangered { until, .. } => Some((entry.at, until)),
            _ => None,
        })
        .collect();
    assert_eq!(endangered.len(), 2, "{endangered:?}");
    for (when, until) in &endangered {
        let left = until.saturating_since(*when);
        assert!(left > Span::from_millis(3_900) && left <= seconds(4), "{left}");
    }
    let lost = entries.iter().filter(|it| matches!(it.what, What::StoppedLeading { .. })).count();
    assert_eq!(lost, 1, "the first time it renews before the end");
}

#[test]
fn a_lock_delay_is_waited_for_after_a_crash_and_not_after_a_release() {
    let (entries, _) = named("lock-delay", "strict", 1);
    let crash = gap(&entries, 60);
    assert!(crash > seconds(22) && crash < seconds(35), "{crash}");
    assert!(gap(&entries, 180) < Span::from_millis(4_600));
}

#[test]
fn who_is_named_has_the_lock_next() {
    let (entries, _) = named("hand-over", "strict", 1);
    let then = |from| leaders(&entries).into_iter().find(|(when, _)| *when > at(from)).unwrap().1;
    assert_eq!((then(60), then(120)), (2, 1));
    let handed = entries.iter().filter(|entry| {
        matches!(entry.what, What::StoppedLeading { cause: Cause::HandedOver, .. })
    });
    assert_eq!(handed.count(), 2);
    let (entries, _) = named("preferred", "strict", 1);
    let of_it = leaders(&entries).into_iter().filter(|(_, replica)| *replica == 2).count();
    assert!(of_it >= 2, "{:?}", leaders(&entries));
}

#[test]
fn transitions_begin_anew_and_tokens_do_not() {
    for profile in ["strict", "client-go-v1.36"] {
        let (entries, _) = named("tokens-after-deletion", profile, 1);
        let tokens = entries.iter().filter_map(|entry| match entry.what {
            What::StartedLeading { token, .. } => Some(token.unwrap()),
            _ => None,
        });
        let tokens: Vec<_> = tokens.collect();
        assert!(tokens.len() == 3 && tokens.is_sorted(), "{profile}: {tokens:?}");
        let created = entries.iter().filter_map(|entry| match &entry.what {
            What::Applied { before: None, reply: Reply::Is(made), .. } => {
                Some(made.record.leader_transitions)
            }
            _ => None,
        });
        assert_eq!(created.collect::<Vec<_>>(), [0, 0, 0], "{profile}");
    }
}

#[test]
fn only_strict_gets_over_garbage() {
    let after = |profile| {
        let (entries, _) = named("garbage-annotation", profile, 1);
        leaders(&entries).into_iter().filter(|(when, _)| *when > at(61)).count()
    };
    assert_eq!((after("strict"), after("client-go-v1.20"), after("client-go-head")), (1, 0, 0));
}
