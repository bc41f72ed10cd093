//! Faults do what they say, no less and no more, and what is said of them is true.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use tenure_sim::distribution::Distribution;
use tenure_sim::fault::{
    Direction, Edit, Fault, Happening, Links, Outage, Planned, Reborn, Site, Target, Trigger,
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
        Fault::StoreErrors { before_ppm: 300_000, after_ppm: 300_000 },
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
