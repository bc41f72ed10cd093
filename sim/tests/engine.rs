//! The engine as a whole: what it promises to those who build on it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure_sim::check::{Check, Violation};
use tenure_sim::distribution::Distribution;
use tenure_sim::fault::{
    Direction, Fault, Happening, Links, Planned, Reborn, Site, Target, Trigger, WakeUp,
};
use tenure_sim::outcome::Outcome;
use tenure_sim::scenario::Scenario;
use tenure_sim::time::{Shift, SimTime, Span};
use tenure_sim::trace::{self, Entry, Header, Recorder, Reply, Verb, What, Writer};
use tenure_sim::world::World;

const PROFILES: [&str; 3] = ["strict", "client-go-v1.36", "client-go-head"];

fn seconds(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

fn calm(profile: &str, faults: Vec<Planned>) -> Scenario {
    Scenario { profile: profile.parse().unwrap(), faults, ..Scenario::default() }
}

fn run(scenario: &Scenario, seed: u64) -> (Outcome, Vec<Entry>, World) {
    let mut recorder = Recorder::default();
    let mut world = World::new(scenario, seed).unwrap();
    let outcome = world.run(&mut recorder);
    (outcome, recorder.entries, world)
}

/// The times at which `wanted` is so.
fn times(entries: &[Entry], wanted: impl Fn(&What) -> bool) -> Vec<SimTime> {
    entries.iter().filter(|entry| wanted(&entry.what)).map(|entry| entry.at).collect()
}

fn pause(target: Target, wake_up: WakeUp) -> Fault {
    Fault::Pause { target, wake_up }
}

#[test]
fn a_calm_day_has_one_leader_who_stays() {
    for profile in PROFILES {
        let (outcome, entries, _) = run(&calm(profile, Vec::new()), 1);
        let statistics = outcome.statistics;
        assert_eq!((statistics.takeovers, statistics.started_leading), (1, 1), "{profile}");
        assert_eq!((statistics.stopped_leading, statistics.given_up, statistics.lost), (0, 0, 0));
        assert!(statistics.accepted > 500 && statistics.refused == 0, "{profile}: {statistics:?}");
        assert_eq!(outcome.end, SimTime::ZERO + seconds(600));
        assert!(matches!(entries.last().unwrap().what, What::Horizon));
    }
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    for profile in PROFILES {
        let faults = vec![
            Planned::at(seconds(60), pause(Target::Leader, WakeUp::TimersFirst))
                .lasting(seconds(20)),
            Planned::at(seconds(200), Fault::Crash { target: Target::Leader, reborn: Reborn::New })
                .lasting(seconds(5)),
        ];
        let scenario = calm(profile, faults);
        let (first, entries, _) = run(&scenario, 7);
        let (second, again, _) = run(&scenario, 7);
        assert_eq!((first.digest, &entries), (second.digest, &again), "{profile}");
        let (other, ..) = run(&scenario, 8);
        assert_ne!(first.digest, other.digest, "{profile}");
        assert_eq!(first.statistics.effective_faults, 2, "{profile}");
        assert!(first.statistics.takeovers >= 2, "{profile}: {:?}", first.statistics);
    }
}

#[test]
fn a_crashed_leader_is_followed_within_the_bound() {
    for profile in PROFILES {
        let crash = Fault::Crash { target: Target::Leader, reborn: Reborn::New };
        let scenario = calm(profile, vec![Planned::at(seconds(60), crash)]);
        for seed in 0..20 {
            let (_, entries, _) = run(&scenario, seed);
            let led = times(&entries, |what| matches!(what, What::StartedLeading { .. }));
            assert_eq!(led.len(), 2, "{profile} {seed}");
            let gap = led[1].saturating_since(SimTime::ZERO + seconds(60));
            assert!(
                gap > seconds(10) && gap < Span::from_millis(23_900),
                "{profile} {seed}: {gap}"
            );
        }
    }
}

#[test]
fn a_request_is_applied_and_its_answer_is_lost() {
    for profile in PROFILES {
        let answers = Links::of(Site::Of(Target::Leader)).direction(Direction::Incoming);
        let cut = Planned::at(seconds(60), Fault::Partition(answers)).lasting(seconds(4));
        let (outcome, entries, world) = run(&calm(profile, vec![cut]), 3);
        let during = |entry: &&Entry| {
            entry.at > SimTime::ZERO + seconds(60) && entry.at < SimTime::ZERO + seconds(64)
        };
        let written = |entry: &Entry| {
            matches!(entry.what, What::Applied { verb: Verb::Update, reply: Reply::Is(_), .. })
        };
        assert!(entries.iter().filter(during).any(written), "{profile}");
        assert!(outcome.statistics.given_up >= 1 && outcome.statistics.lost >= 1, "{profile}");
        assert_eq!(outcome.statistics.takeovers, 1, "{profile}: it takes up its own record");
        assert!(world.fault_effects()[0].had_effect, "{profile}");
    }
}

#[test]
fn a_late_answer_is_seen_to_be_late() {
    let slow = Fault::Delay {
        links: Links::of(Site::Of(Target::Leader)).direction(Direction::Incoming),
        by: Distribution::Constant(seconds(6)),
    };
    for profile in PROFILES {
        let scenario =
            calm(profile, vec![Planned::at(seconds(60), slow.clone()).lasting(seconds(3))]);
        let (outcome, ..) = run(&scenario, 3);
        assert!(outcome.statistics.late_answers >= 1, "{profile}: {:?}", outcome.statistics);
    }
}

#[test]
fn a_paused_process_does_nothing_and_then_all_it_missed() {
    for wake_up in [WakeUp::TimersFirst, WakeUp::MessagesFirst] {
        let trigger = Trigger {
            event: Happening::UpdateApplied,
            by: Target::Leader,
            nth: 5,
            since: Span::ZERO,
        };
        let planned = Planned::on(trigger, pause(Target::Actor, wake_up)).lasting(seconds(3));
        let scenario = calm("strict", vec![planned]);
        let (outcome, entries, world) = run(&scenario, 11);
        assert_eq!(outcome.statistics.pauses, 1);
        assert!(world.fault_effects()[0].fired && world.fault_effects()[0].had_effect);
        let at = |wanted: fn(&What) -> bool| entries.iter().position(|entry| wanted(&entry.what));
        let paused = at(|what| matches!(what, What::Paused { .. })).unwrap();
        let resumed = at(|what| matches!(what, What::Resumed { .. })).unwrap();
        let leader = entries[paused].what.replica().unwrap();
        let own = |entry: &&Entry| {
            let done_for_it =
                matches!(entry.what, What::Applied { .. } | What::GuardedWrite { .. });
            entry.what.replica() == Some(leader) && !done_for_it
        };
        assert_eq!(entries[paused + 1..resumed].iter().find(own), None);
        let at_once: Vec<_> =
            entries[resumed + 1..].iter().take_while(|e| e.at == entries[resumed].at).collect();
        let answered = at_once.iter().any(|e| matches!(e.what, What::Answered { late: false, .. }));
        assert!(answered, "{wake_up:?}: the answer that came meanwhile is in time: {at_once:?}");
    }
}

#[test]
fn wake_up_orders_differ() {
    let trigger =
        Trigger { event: Happening::UpdateApplied, by: Target::Leader, nth: 5, since: Span::ZERO };
    let late = |wake_up| {
        let fault = pause(Target::Actor, wake_up);
        let planned = Planned::on(trigger.clone(), fault).lasting(Span::from_millis(5_500));
        run(&calm("client-go-head", vec![planned]), 11).0.statistics
    };
    // The call was given up meanwhile: whoever looks at the clock first does so before it looks at
    // the answer.
    assert_eq!(late(WakeUp::TimersFirst).late_answers, 1);
    assert_eq!(late(WakeUp::MessagesFirst).given_up, 1);
}

#[test]
fn overlapping_partitions_heal_independently() {
    let cut = |at, lasts| {
        Planned::at(seconds(at), Fault::Partition(Links::of(Site::Api(None))))
            .lasting(seconds(lasts))
    };
    let scenario = calm("strict", vec![cut(60, 40), cut(80, 40)]);
    let (_, entries, world) = run(&scenario, 5);
    let applied = times(&entries, |what| matches!(what, What::Applied { .. }));
    let during = |at: &&SimTime| {
        let at = at.saturating_since(SimTime::ZERO);
        at > Span::from_millis(60_021) && at < seconds(120)
    };
    assert_eq!(applied.iter().find(during), None);
    assert!(applied.iter().any(|at| at.saturating_since(SimTime::ZERO) > seconds(120)));
    assert!(world.fault_effects().iter().all(|effect| effect.had_effect));
}

#[test]
fn everything_heals() {
    let forever = [
        Fault::Partition(Links::of(Site::Of(Target::Replica(0)))),
        Fault::Crash { target: Target::Replica(1), reborn: Reborn::New },
        pause(Target::Replica(2), WakeUp::TimersFirst),
        Fault::StoreOutage { api: None, how: tenure_sim::fault::Outage::Hang },
        Fault::Drift { target: Target::Replica(0), rate_ppb: 1_200_000_000 },
    ];
    for profile in PROFILES {
        let faults = forever.iter().map(|fault| Planned::at(seconds(60), fault.clone())).collect();
        let scenario = Scenario { heal_at: Some(seconds(300)), ..calm(profile, faults) };
        let (outcome, entries, _) = run(&scenario, 5);
        let healed = times(&entries, |what| matches!(what, What::Healed));
        assert_eq!(healed, [SimTime::ZERO + seconds(300)], "{profile}");
        let led = times(&entries, |what| matches!(what, What::StartedLeading { .. }));
        assert!(led.last().unwrap() > &healed[0], "{profile}");
        assert_eq!(outcome.statistics.faults, 5, "{profile}");
        let rates: Vec<_> = entries
            .iter()
            .filter_map(|entry| match entry.what {
                What::Clock { rate_ppb, .. } => Some(rate_ppb),
                _ => None,
            })
            .collect();
        assert_eq!(rates, [1_200_000_000, 1_000_000_000], "{profile}");
    }
}

#[test]
fn authority_in_real_time_follows_the_clock() {
    let drift = Fault::Drift { target: Target::Leader, rate_ppb: 2_000_000_000 };
    let suspend = Fault::Suspend { target: Target::Leader, running: false };
    let scenario = calm(
        "strict",
        vec![
            Planned::at(seconds(100), drift).lasting(seconds(50)),
            Planned::at(seconds(200), suspend).lasting(seconds(5)),
        ],
    );
    let (_, entries, _) = run(&scenario, 5);
    let left = |at: u64| {
        let before = |entry: &&Entry| entry.at <= SimTime::ZERO + seconds(at);
        let shown = entries.iter().filter(before).rev().find_map(|entry| match entry.what {
            What::Authority { until: Some(until), .. } => Some(until),
            _ => None,
        });
        shown.unwrap().saturating_since(SimTime::ZERO + seconds(at))
    };
    assert!(left(99) > seconds(7) && left(99) <= seconds(10), "{}", left(99));
    assert!(left(100) > Span::from_millis(3_500) && left(100) <= seconds(5), "{}", left(100));
    assert!(left(201) > seconds(1_000_000), "the clock stands still");
    assert!(left(206) <= seconds(10));
}

#[test]
fn a_graceful_stop_releases_and_the_process_comes_back() {
    for profile in PROFILES {
        let stop = Planned::at(seconds(60), Fault::Stop { target: Target::Leader });
        let scenario =
            Scenario { release_on_stop: true, ..calm(profile, vec![stop.lasting(seconds(30))]) };
        let (outcome, entries, _) = run(&scenario, 5);
        let led = times(&entries, |what| matches!(what, What::StartedLeading { .. }));
        let gap = led[1].saturating_since(SimTime::ZERO + seconds(60));
        assert!(gap < Span::from_millis(4_600), "{profile}: {gap}");
        let started = times(&entries, |what| matches!(what, What::Started { .. }));
        assert_eq!(started.last(), Some(&(SimTime::ZERO + seconds(90))), "{profile}");
        assert_eq!(outcome.statistics.refused, 0, "{profile}");
    }
}

#[test]
fn a_trace_comes_back_from_its_text() {
    let crash = Fault::Crash { target: Target::Leader, reborn: Reborn::Same };
    for profile in PROFILES {
        let scenario =
            calm(profile, vec![Planned::at(seconds(60), crash.clone()).lasting(seconds(1))]);
        let mut both = (Recorder::default(), Writer::new(Vec::new(), &Header::new(&scenario, 9)));
        World::new(&scenario, 9).unwrap().run(&mut both);
        let text = both.1.finish().unwrap();
        let (header, entries) = trace::read(text.as_slice()).unwrap();
        assert_eq!((header.seed, &header.scenario), (9, &scenario));
        assert_eq!(entries, both.0.entries, "{profile}");
    }
}

#[test]
fn a_trace_of_times_far_away_comes_back_too() {
    let mut scenario = Scenario { horizon: seconds(60), ..Scenario::default() };
    scenario.replicas[0].wall_offset = Shift::from_nanos(i64::MAX);
    scenario.replicas[1].wall_offset = Shift::from_nanos(-i64::MAX);
    let mut both = (Recorder::default(), Writer::new(Vec::new(), &Header::new(&scenario, 9)));
    World::new(&scenario, 9).unwrap().run(&mut both);
    let text = both.1.finish().unwrap();
    assert!(trace::read(text.as_slice()).unwrap().1 == both.0.entries);
}

#[test]
fn what_is_no_trace_is_refused_by_its_line() {
    let scenario = Scenario { horizon: seconds(1), ..Scenario::default() };
    let mut writer = Writer::new(Vec::new(), &Header::new(&scenario, 9));
    World::new(&scenario, 9).unwrap().run(&mut writer);
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let error = |text: &str| trace::read(text.as_bytes()).unwrap_err().to_string();
    assert!(error("{}\n").starts_with("line 1: missing field `format`"));
    assert!(error("").starts_with("empty"));
    let other = text.replacen("\"format\":1", "\"format\":2,\"new\":0", 1);
    assert_eq!(error(&other), "line 1: format is 2: this version reads 1");
    let mut lines: Vec<_> = text.lines().collect();
    lines.remove(3);
    let gap = "line 4: entry 3 of 0.000s is not in its place, which is that of 2";
    assert_eq!(error(&lines.join("\n")), gap);
}

#[test]
fn a_run_ends_when_asked_to() {
    struct Third;
    impl Check for Third {
        fn name(&self) -> &'static str {
            "third"
        }
        fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
            if entry.seq == 2 {
                found.push(Violation {
                    check: "third".into(),
                    rule: "any".into(),
                    at: entry.at,
                    seq: entry.seq,
                    replicas: Vec::new(),
                    what: "the third entry".into(),
                });
            }
        }
    }
    let mut world = World::new(&Scenario::default(), 1).unwrap();
    let outcome = world.run_while(&mut Third, |_| false);
    assert_eq!(outcome.violations.len(), 1);
    assert!(outcome.end < SimTime::ZERO + seconds(1));
}

#[test]
fn durations_that_electors_refuse_are_refused_with_a_remedy() {
    let scenario = Scenario { lease_duration: seconds(10), ..Scenario::default() };
    assert_eq!(
        World::new(&scenario, 1).unwrap_err().to_string(),
        "lease_duration, renew_deadline, retry_period of replicas[0] is 10s, 10s, 2s: \
         leaseDuration must be greater than renewDeadline: lease_duration is 10s, renew_deadline \
         is 10s; or set `unchecked` to run it all the same"
    );
    assert!(World::new(&Scenario { unchecked: true, ..scenario }, 1).is_ok());
}

/// Finds instants at which two replicas have authority, in the least clever way.
#[derive(Default)]
struct Overlap {
    until: std::collections::BTreeMap<u32, SimTime>,
}

impl Check for Overlap {
    fn name(&self) -> &'static str {
        "overlap"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match &entry.what {
            What::Authority { replica, until: Some(until) } if *until > entry.at => {
                self.until.insert(*replica, *until);
            }
            What::Authority { replica, .. } | What::Ended { replica, .. } => {
                self.until.remove(replica);
            }
            _ => return,
        }
        self.until.retain(|_, until| *until > entry.at);
        if self.until.len() > 1 {
            found.push(Violation {
                check: "overlap".into(),
                rule: "authority".into(),
                at: entry.at,
                seq: entry.seq,
                replicas: self.until.keys().copied().collect(),
                what: format!("{:?}", self.until),
            });
        }
    }
}

#[test]
fn random_plans_run_twice_alike_and_strict_never_has_two_leaders() {
    let mut sum = tenure_sim::outcome::Statistics::default();
    for seed in 0..300 {
        let scenario =
            tenure_sim::plan::scenario(&Scenario::default(), tenure_sim::plan::Mix::Safe, seed);
        let outcome = World::new(&scenario, seed).unwrap().run(&mut Overlap::default());
        assert_eq!(outcome.violations, [], "{seed}: {scenario:?}");
        sum.add(&outcome.statistics);
        if seed % 20 == 0 {
            assert_eq!(World::new(&scenario, seed).unwrap().run(&mut ()).digest, outcome.digest);
        }
    }
    assert!(sum.effective_faults * 10 > sum.faults * 5, "{sum:?}");
    assert!(sum.takeovers > 600 && sum.late_answers > 100 && sum.conflicts > 300, "{sum:?}");
}

#[test]
fn random_plans_find_two_leaders_where_there_are_two() {
    use tenure_sim::plan::{Mix, scenario};

    let found = |base: &Scenario, mix| {
        let violates = |seed: &u64| {
            let scenario = scenario(base, mix, *seed);
            let mut world = World::new(&scenario, *seed).unwrap();
            !world.run_while(&mut Overlap::default(), |_| false).violations.is_empty()
        };
        (0..200).filter(violates).count()
    };
    let inverted = Scenario { renew_deadline: seconds(20), unchecked: true, ..Scenario::default() };
    assert!(found(&inverted, Mix::Safe) > 10, "a deadline longer than the lease");
    assert!(found(&Scenario::default(), Mix::Wild) > 5, "clocks outside the bound, edits");
}
