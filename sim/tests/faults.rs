//! Faults do what they say, no less and no more, and what is said of them is true.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use tenure_sim::distribution::Distribution;
use tenure_sim::fault::{
    Code, Direction, Edit, Fault, Happening, Links, Outage, Planned, Reborn, Site, Target, Trigger,
    WakeUp,
};
use tenure_sim::scenario::{Api, Scenario};
use tenure_sim::time::{Shift, SimTime, Span};
use tenure_sim::trace::{Entry, Recorder, Reply, Verb, What};
use tenure_sim::world::{FaultEffect, World};

fn seconds(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + Span::from_secs(seconds)
}

fn with(faults: Vec<Planned>) -> Scenario {
    Scenario { faults, ..Scenario::default() }
}

fn run(scenario: &Scenario, seed: u64) -> (Vec<Entry>, World) {
    let mut recorder = Recorder::default();
    let mut world = World::new(scenario, seed).unwrap();
    world.run(&mut recorder);
    (recorder.entries, world)
}

/// When a replica's processes began.
fn starts(entries: &[Entry], of: u32) -> Vec<SimTime> {
    let started =
        |entry: &&Entry| matches!(entry.what, What::Started { replica, .. } if replica == of);
    entries.iter().filter(started).map(|entry| entry.at).collect()
}

fn crash(from: u64, of: u32, lasts: Option<u64>) -> Planned {
    let fault = Fault::Crash { target: Target::Replica(of), reborn: Reborn::New };
    Planned { lasts: lasts.map(seconds), ..Planned::at(seconds(from), fault) }
}

fn stop(from: u64, of: u32, lasts: u64) -> Planned {
    Planned::at(seconds(from), Fault::Stop { target: Target::Replica(of) }).lasting(seconds(lasts))
}

#[test]
fn a_process_stays_down_until_all_that_took_it_down_have_ended() {
    let (entries, world) = run(&with(vec![crash(60, 1, Some(60)), crash(62, 1, Some(5))]), 1);
    assert_eq!(starts(&entries, 1), [at(0), at(120)]);
    assert!(!world.fault_effects()[1].had_effect, "it hit nobody, and kept nobody down");

    let (entries, world) = run(&with(vec![crash(60, 1, Some(10)), crash(62, 1, Some(60))]), 1);
    assert_eq!(starts(&entries, 1), [at(0), at(122)]);
    assert!(world.fault_effects()[1].had_effect, "it kept the process down");

    let (entries, _) = run(&with(vec![crash(60, 1, None), crash(62, 1, Some(5))]), 1);
    assert_eq!(starts(&entries, 1), [at(0)]);

    let (entries, _) = run(&with(vec![stop(60, 1, 30), crash(70, 1, None)]), 1);
    assert_eq!(starts(&entries, 1), [at(0)]);

    let restart = Fault::Restart { target: Target::Replica(1), reborn: Reborn::New };
    let faults =
        vec![crash(60, 1, Some(60)), Planned::at(seconds(80), restart), crash(100, 1, None)];
    let (entries, _) = run(&with(faults), 1);
    assert_eq!(starts(&entries, 1), [at(0), at(80)], "a restart ends what kept it down");
}

#[test]
fn a_process_that_is_killed_on_its_way_out_does_not_come_back_before_its_time() {
    // The work takes 30 s to end: the stop is over while the process is still winding down.
    let mut scenario = with(vec![stop(60, 0, 5), crash(70, 0, Some(100))]).with_replicas(1);
    scenario.work.stop_takes = seconds(30);
    let (entries, _) = run(&scenario, 1);
    assert_eq!(starts(&entries, 0), [at(0), at(170)]);
    let mut scenario = with(vec![stop(60, 0, 5)]).with_replicas(1);
    scenario.work.stop_takes = seconds(30);
    let (entries, _) = run(&scenario, 1);
    assert_eq!(starts(&entries, 0), [at(0), at(90)]);
}

#[test]
fn no_process_starts_on_a_machine_that_is_suspended() {
    let suspend = |running| Fault::Suspend { target: Target::Replica(1), running };
    let faults = |running| {
        vec![crash(60, 1, Some(5)), Planned::at(seconds(62), suspend(running)).lasting(seconds(30))]
    };
    let (entries, world) = run(&with(faults(false)), 1);
    assert_eq!(starts(&entries, 1), [at(0), at(92)]);
    assert!(world.fault_effects()[1].had_effect);
    let (entries, _) = run(&with(faults(true)), 1);
    assert_eq!(starts(&entries, 1), [at(0), at(65)], "only the clock is broken");
}

#[test]
fn taking_a_fault_out_leaves_the_draws_of_the_others() {
    let links = Links::of(Site::Of(Target::Replica(0)));
    let slow = Distribution::uniform(Span::ZERO, seconds(3));
    let kinds = [
        Fault::Loss { links: links.clone(), ppm: 300_000 },
        Fault::Duplicate { links: links.clone(), ppm: 300_000 },
        Fault::Delay { links, by: slow },
        Fault::StoreSlow { before: slow, after: slow },
        Fault::StoreErrors { before_ppm: 300_000, after_ppm: 300_000, code: Code::default() },
    ];
    let plan: Vec<_> = kinds.map(|kind| Planned::at(seconds(60), kind)).into();
    // A fault that does nothing, before all others.
    let nothing = Planned::at(seconds(60), Fault::Heal {});
    let more = [vec![nothing], plan.clone()].concat();
    let seen = |faults| {
        let (entries, _) = run(&with(faults), 4);
        let of_replicas = entries.into_iter().filter(|entry| entry.what.replica().is_some());
        of_replicas.map(|entry| (entry.at, entry.what)).collect::<Vec<_>>()
    };
    assert!(seen(plan) == seen(more), "the draws of the others have changed");
}

#[test]
fn an_answer_meets_the_network_when_it_leaves_the_store() {
    // The store takes 4 s to answer; the answers' way is cut after the request took effect and
    // before the answer leaves, and the other way round.
    let mut scenario = Scenario::default().with_replicas(1);
    scenario.store.after = Distribution::Constant(seconds(4));
    scenario.work.period = Span::ZERO;
    let (entries, _) = run(&scenario, 1);
    let applied = entries.iter().find(|entry| matches!(entry.what, What::Applied { .. }));
    let applied = applied.unwrap().at.saturating_since(SimTime::ZERO);
    let cut = |after| {
        let answers = Links::of(Site::Of(Target::Replica(0))).direction(Direction::Incoming);
        let fault = Fault::Partition(answers);
        Planned::at(applied + after, fault).lasting(seconds(2))
    };
    let first_answered = |planned| {
        let (entries, _) = run(&Scenario { faults: vec![planned], ..scenario.clone() }, 1);
        entries.iter().find_map(|entry| match entry.what {
            What::Answered { request, .. } => Some(request),
            _ => None,
        })
    };
    assert_eq!(first_answered(cut(Span::from_millis(1_000))), Some(0), "over before it leaves");
    assert_ne!(first_answered(cut(Span::from_millis(3_000))), Some(0), "cut when it leaves");
}

#[test]
fn chance_ends_with_the_healing() {
    let mut scenario = Scenario { heal_at: Some(seconds(300)), ..Scenario::default() };
    scenario.network.loss_ppm = 200_000;
    scenario.network.duplicate_ppm = 200_000;
    scenario.store.error_ppm = 200_000;
    let (entries, world) = run(&scenario, 1);
    assert!(world.statistics().lost > 10);
    // What was sent before may still go wrong.
    let calm: Vec<_> = entries.iter().filter(|entry| entry.at > at(306)).collect();
    let wrong = |entry: &&&Entry| match &entry.what {
        What::GivenUp { .. } | What::Answered { late: true, .. } => true,
        What::Answered { reply, .. } => matches!(reply, Reply::Failed(_)),
        _ => false,
    };
    assert!(calm.len() > 100);
    assert_eq!(calm.iter().find(wrong), None);
}

#[test]
fn the_next_api_server_is_asked_once_for_each_call_that_failed() {
    // The first API server answers each request with an error, 6 s late: the call was given up, and
    // the other server has been asked, when the error arrives.
    let mut scenario = Scenario::default().with_replicas(1);
    scenario.network.apis = vec![Api::default(); 2];
    scenario.network.fail_over = true;
    let first = Links {
        sites: vec![Site::Of(Target::Replica(0))],
        from: vec![Site::Api(Some(0))],
        direction: Direction::Incoming,
    };
    let by = Distribution::Constant(seconds(6));
    scenario.faults = vec![
        Planned::at(Span::ZERO, Fault::StoreOutage { api: Some(0), how: Outage::Refuse }),
        Planned::at(Span::ZERO, Fault::Delay { links: first, by }),
    ];
    let (entries, world) = run(&scenario, 1);
    assert_eq!(world.statistics().given_up, 1, "it went on with the server that works");
    let first = |wanted: fn(&What) -> bool| entries.iter().find(|entry| wanted(&entry.what));
    assert!(first(|what| matches!(what, What::Answered { late: true, .. })).is_some());
    assert!(first(|what| matches!(what, What::StartedLeading { .. })).unwrap().at < at(30));
}

#[test]
fn what_is_late_is_what_the_elector_ignores() {
    // The process is paused until the very deadline of its call, and looks at its messages first.
    for profile in ["strict", "client-go-head"] {
        let mut scenario = Scenario { profile: profile.parse().unwrap(), ..Scenario::default() };
        scenario = scenario.with_replicas(1);
        scenario.network.request = Distribution::Constant(Span::from_millis(1));
        scenario.network.response = scenario.network.request;
        let trigger = Trigger {
            event: Happening::UpdateApplied,
            by: Target::Everyone,
            nth: 5,
            since: Span::ZERO,
        };
        let pause = Fault::Pause { target: Target::Actor, wake_up: WakeUp::MessagesFirst };
        // Applied 1 ms after it was sent, with 5 s to go.
        scenario.faults = vec![Planned::on(trigger, pause).lasting(Span::from_millis(4_999))];
        let (entries, _) = run(&scenario, 1);
        let resumed = entries.iter().position(|e| matches!(e.what, What::Resumed { .. })).unwrap();
        let late = entries[resumed..].iter().find_map(|entry| match entry.what {
            What::Answered { late, .. } => Some(late),
            _ => None,
        });
        // The strict elector ignores it, and asks the store again at once; the other sleeps.
        let asks = entries[resumed..].iter().any(|entry| {
            entry.at == entries[resumed].at
                && matches!(entry.what, What::Sent { verb: Verb::Get, .. })
        });
        assert_eq!(late, Some(asks), "{profile}");
    }
}

#[test]
fn a_restored_record_is_one_of_the_lock() {
    use tenure_sim::scenario::Initial;

    let (holder, lease_duration_seconds) = ("old".to_owned(), 15);
    let initial = Initial { holder, lease_duration_seconds, transitions: 3, rest: None };
    let restore = Fault::Edit(Edit::Restore { back: 0 });
    let mut scenario = with(vec![Planned::at(seconds(1), restore)]);
    scenario.store.initial = Some(initial);
    scenario.replicas[0].start = seconds(5);
    scenario.replicas[1].start = seconds(5);
    scenario.replicas[2].start = seconds(5);
    let mut world = World::new(&scenario, 1).unwrap();
    let other = world.store().get("lock").unwrap().object.clone();
    let tenure::lock::Object::Lease(mut lease) = other else { panic!() };
    Arc::make_mut(&mut lease.metadata).name = "other".into();
    lease.spec.holder_identity = Some("somebody else".into());
    world.store_mut().create(&tenure::lock::Object::Lease(lease)).unwrap();
    while world.now() < at(2) && world.step().is_some() {}
    let holder = &world.store().snapshot("lock").unwrap().record.holder;
    assert_eq!(holder.as_str(), "old");
}

fn effects(faults: Vec<Planned>) -> Vec<bool> {
    let (_, world) = run(&with(faults), 1);
    assert!(world.fault_effects().iter().all(|FaultEffect { fired, .. }| *fired));
    world.fault_effects().iter().map(|effect| effect.had_effect).collect()
}

#[test]
fn clock_faults_have_an_effect_if_a_process_sees_another_time() {
    let drift = |from, lasts, of, rate_ppb| {
        let fault = Fault::Drift { target: Target::Replica(of), rate_ppb };
        Planned::at(seconds(from), fault).lasting(seconds(lasts))
    };
    let jump = |of, by| {
        let fault = Fault::ClockJump { target: Target::Replica(of), by: Shift::from_secs(by) };
        Planned::at(seconds(60), fault)
    };
    assert_eq!(effects(vec![drift(60, 9, 0, 1_000_000_000)]), [false], "the rate it has");
    assert_eq!(effects(vec![drift(60, 9, 0, 900_000_000)]), [true]);
    assert_eq!(effects(vec![jump(0, 0), jump(0, 1)]), [false, true]);
    let dead = |lasts| vec![crash(50, 0, Some(30)), drift(60, lasts, 0, 900_000_000)];
    assert_eq!(effects(dead(5)), [true, false], "nobody was there to see it");
    assert_eq!(effects(dead(60)), [true, true], "the process that came back saw it");
    let suspend = Fault::Suspend { target: Target::Replica(0), running: false };
    let suspend = |from| Planned::at(seconds(from), suspend.clone()).lasting(seconds(30));
    let hidden = vec![suspend(55), drift(60, 9, 0, 900_000_000)];
    assert_eq!(effects(hidden), [true, false], "the clock stood still all the time");
}

#[test]
fn a_pause_has_an_effect_if_something_was_due() {
    let pause = Fault::Pause { target: Target::Everyone, wake_up: WakeUp::TimersFirst };
    // Nobody goes on again: what is due stays undone.
    let mut scenario = with(vec![Planned::at(seconds(60), pause.clone())]);
    scenario.network.request = Distribution::Constant(Span::from_millis(1));
    scenario.network.response = scenario.network.request;
    let (_, world) = run(&scenario, 1);
    assert!(world.fault_effects()[0].had_effect);
    let short = Planned::at(seconds(60), pause).lasting(Span::from_nanos(1));
    assert_eq!(effects(vec![short]), [false]);
}

#[test]
fn a_hand_over_has_an_effect_if_the_lock_is_handed_over() {
    let hand_over = |target, to| Planned::at(seconds(60), Fault::HandOver { target, to });
    let (calm, _) = run(&with(vec![]), 1);
    let leads = |entry: &Entry| match entry.what {
        What::StartedLeading { replica, .. } => Some(replica),
        _ => None,
    };
    let leader = calm.iter().find_map(leads).unwrap();
    let other = (leader + 1) % 3;
    for (profile, target, to, effect) in [
        ("strict", Target::Leader, other, true),
        ("strict", Target::Leader, leader, false),
        ("strict", Target::Replica(other), leader, false),
        ("client-go-head", Target::Everyone, other, false),
    ] {
        let faults = vec![hand_over(target, to)];
        let scenario = Scenario { profile: profile.parse().unwrap(), ..with(faults) };
        let (_, world) = run(&scenario, 1);
        assert_eq!(world.fault_effects()[0].had_effect, effect, "{profile} {target} to {to}");
        let statistics = world.statistics();
        let counted = (statistics.handed_over, statistics.effective_faults);
        assert_eq!(counted, (u64::from(effect), u64::from(effect)), "{profile} {target} to {to}");
    }
}
