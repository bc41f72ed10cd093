use tenure::election::Failure;

use super::super::story::{Story, found, lock};
use super::*;
use crate::fault::{Fault, Links, Site, Target};
use crate::time::Span;

/// With R = 2 s and λ = 10 ms: 23.89 s after the last version, 4.45 s after a release, 4.44 s for a
/// missing lock.
fn scenario() -> Scenario {
    let latency = crate::distribution::Distribution::Constant(Span::from_millis(10));
    let mut scenario = Scenario::default();
    (scenario.network.request, scenario.network.response) = (latency, latency);
    scenario
}

fn check(story: &Story) -> Vec<String> {
    found(&story.check(&mut Failover::new(&scenario())))
}

/// Replica 0 leads, and its last write is at 10 s; replica 1 is a candidate.
fn led() -> Story {
    let (first, second) = (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 10, 0));
    Story::new()
        .started(0, "strict")
        .started(1, "strict")
        .sent(0, 1, Verb::Create, None)
        .applied(0, 1, Verb::Create, None, &first)
        .leads(0)
        .at("10s")
        .sent(0, 2, Verb::Update, Some(1))
        .applied(0, 2, Verb::Update, Some(&first), &second)
        .at("11s")
}

/// Replica 1 takes the lock.
fn takes(story: Story, at: &str) -> Story {
    story.at(at).sent(1, 7, Verb::Update, Some(2)).applied(
        1,
        7,
        Verb::Update,
        Some(&lock(2, "r0", 0, 10, 0)),
        &lock(3, "r1", 30, 30, 1),
    )
}

#[test]
fn a_crashed_leader_is_replaced_within_the_bound() {
    let late = "failover/held at 33.890s of []";
    let story = takes(led().crashed(0), "33.88s").at("33.89s").leads(1).at("40s");
    assert_eq!(check(&story), [""; 0]);
    assert_eq!(check(&led().crashed(0).at("33.890000001s").leads(1)), [late]);
    assert_eq!(check(&led().crashed(0).at("60s").horizon()), [late]);
    // The plant: one retry period more.
    assert_eq!(check(&takes(led().crashed(0), "35.88s").at("35.89s").leads(1)), [late]);
    // What leads is not replaced.
    assert_eq!(check(&led().at("60s").horizon()), [""; 0]);
}

#[test]
fn how_near_a_takeover_came_is_known() {
    let mut check = Failover::new(&scenario());
    takes(led().crashed(0), "33.88s").leads(1).check(&mut check);
    let worst = check.worst().unwrap();
    assert_eq!((worst.took, worst.percent()), (Span::from_millis(23_880), 100));
}

#[test]
fn it_counts_from_when_a_candidate_can_go_on() {
    let cut = |story: Story| {
        story.fault(0, &[1], Fault::Partition(Links::of(Site::Of(Target::Replica(1)))))
    };
    let story = cut(led()).crashed(0).at("70s");
    assert_eq!(check(&story), [""; 0]);
    let healed = story.says(What::FaultEnded { fault: 0 });
    // 5 s for a call under way, then the bound.
    assert_eq!(check(&healed.clone().at("98.8s").horizon()), [""; 0]);
    let late = ["failover/held at 98.890s of []"];
    assert_eq!(check(&healed.at("98.9s").horizon()), late);
    assert_eq!(
        check(&cut(led()).crashed(0).at("70s").says(What::Healed).at("99s").horizon()),
        late
    );
    let paused = led().paused(1).crashed(0).at("70s").horizon();
    assert_eq!(check(&paused), [""; 0]);
    let stopping = led().says(What::Stopping { replica: 1 }).crashed(0).at("70s").horizon();
    assert_eq!(check(&stopping), [""; 0]);
}

#[test]
fn a_paused_leader_leads_nobody() {
    assert_eq!(check(&led().paused(0).at("60s").horizon()), ["failover/held at 33.890s of []"]);
}

#[test]
fn whoever_writes_by_hand_is_to_blame() {
    let edited =
        led().crashed(0).at("30s").edited(&lock(2, "r0", 0, 10, 0), &lock(3, "x", 0, 10, 0));
    assert_eq!(check(&edited.clone().at("53.8s").horizon()), [""; 0]);
    assert_eq!(check(&edited.at("60s").horizon()), ["failover/held at 53.890s of []"]);
}

#[test]
fn a_slow_clock_has_more_time() {
    let slow = led().says(What::Clock { replica: 1, rate_ppb: 500_000_000 }).crashed(0);
    assert_eq!(check(&slow.clone().at("57s").horizon()), [""; 0]);
    assert_eq!(check(&slow.at("60s").horizon()), ["failover/held at 57.690s of []"]);
}

#[test]
fn a_released_lock_is_taken_soon() {
    let before = lock(2, "r0", 0, 10, 0);
    let released = led()
        .stops_leading(0)
        .says(What::Stopping { replica: 0 })
        .applied(0, 3, Verb::Update, Some(&before), &lock(3, "", 11, 11, 0))
        .finished(0);
    assert_eq!(check(&released.clone().at("15.45s").leads(1)), [""; 0]);
    assert_eq!(check(&released.at("20s").leads(1)), ["failover/released at 15.450s of []"]);
}

#[test]
fn a_missing_lock_is_made_soon() {
    let start = Story::new().started(1, "strict");
    let story = start.clone().refused(1, 0, Verb::Get, None, Failure::NotFound).at("9s").horizon();
    assert_eq!(check(&story), ["failover/missing at 4.440s of []"]);
    let made = start.applied(1, 1, Verb::Create, None, &lock(1, "tenure.dev/unclaimed", 0, 0, 0));
    assert_eq!(check(&made.clone().at("23s").horizon()), [""; 0]);
    assert_eq!(check(&made.at("24s").horizon()), ["failover/held at 23.890s of []"]);
}

#[test]
fn whoever_takes_the_lock_must_say_so() {
    let silent = takes(led().crashed(0), "30s").at("31s").horizon();
    assert_eq!(check(&silent), ["failover/silent at 30.010s of [1]"]);
    let dead = takes(led().crashed(0), "30s").crashed(1).at("31s").horizon();
    assert_eq!(check(&dead), [""; 0]);
    let given_up = led()
        .crashed(0)
        .at("29s")
        .sent(1, 7, Verb::Update, Some(2))
        .says(What::GivenUp { replica: 1, request: 7 });
    let before = lock(2, "r0", 0, 10, 0);
    let late = given_up.applied(1, 7, Verb::Update, Some(&before), &lock(3, "r1", 30, 30, 1));
    assert_eq!(check(&late.at("31s").horizon()), [""; 0]);
}

#[test]
fn where_messages_get_lost_by_chance_nothing_is_owed() {
    let mut chancy = scenario();
    chancy.network.loss_ppm = 1;
    let story = led().crashed(0).at("60s").horizon();
    assert_eq!(found(&story.check(&mut Failover::new(&chancy))), [""; 0]);
}

#[test]
fn a_long_lease_that_was_written_by_hand_is_waited_for() {
    let mut long = (*lock(3, "nobody", 0, 10, 0)).clone();
    long.record.lease_duration_seconds = 3_600;
    let long = std::sync::Arc::new(long);
    let story = led().edited(&lock(2, "r0", 0, 10, 0), &long).at("12s").stops_leading(0);
    let taken = story.at("3615s").sent(1, 7, Verb::Update, Some(3));
    let after = lock(4, "r1", 30, 30, 1);
    let taken = taken.applied(1, 7, Verb::Update, Some(&long), &after);
    assert_eq!(check(&taken.at("3615.01s").leads(1).at("3650s").horizon()), [""; 0]);
}

#[test]
fn writing_without_end_is_not_leading() {
    let mut story = Story::new().started(1, "strict");
    let mut before = None;
    // The plant: a placeholder that is renewed.
    for version in 1..20 {
        let after = lock(version, "tenure.dev/unclaimed", 0, 0, 0);
        let verb = if before.is_some() { Verb::Update } else { Verb::Create };
        story = story.applied(1, version, verb, before.as_ref(), &after);
        story = story.at(&format!("{}s", version * 4));
        before = Some(after);
    }
    // 4.44 s and twice 23.89 s.
    assert_eq!(check(&story), ["failover/unsettled at 52.220s of []"]);
}

#[test]
fn of_two_objects_the_one_that_is_held_counts() {
    let mut scenario = scenario();
    scenario.lock = crate::scenario::Lock::ConfigMapAndLease;
    let (held, other) = (lock(1, "r0", 0, 0, 0), lock(2, "r0", 0, 0, 0));
    let free = lock(3, "", 11, 11, 0);
    let story = Story::new()
        .started(0, "strict")
        .started(1, "strict")
        .about(Kind::ConfigMap)
        .applied(0, 1, Verb::Create, None, &held)
        .about(Kind::Lease)
        .applied(0, 2, Verb::Create, None, &other)
        .leads(0)
        .at("10s")
        .about(Kind::ConfigMap)
        .applied(0, 3, Verb::Update, Some(&held), &free)
        .crashed(0);
    let check = |story: &Story| found(&story.check(&mut Failover::new(&scenario)));
    // 15 s + 8.8 s + 22 ways after the last write of any.
    assert_eq!(check(&story.clone().at("34.02s").leads(1)), [""; 0]);
    let late = ["failover/held at 34.020s of []"];
    assert_eq!(check(&story.clone().at("34.021s").leads(1)), late);
    // With both free it is 4.4 s and 14 ways.
    let both = story.about(Kind::Lease).applied(0, 4, Verb::Update, Some(&other), &free);
    assert_eq!(check(&both.clone().at("14.54s").leads(1)), [""; 0]);
    assert_eq!(check(&both.at("14.541s").leads(1)), ["failover/released at 14.540s of []"]);
}

#[test]
fn a_lock_that_is_handed_over_is_waited_for_and_one_that_delays_too() {
    let mut handed = (*lock(3, "", 11, 11, 0)).clone();
    handed.record.lease_duration_seconds = 15;
    let second = lock(2, "r0", 0, 10, 0);
    let story = led().stops_leading(0).applied(0, 3, Verb::Update, Some(&second), &handed.into());
    assert_eq!(check(&story.clone().crashed(0).at("34.89s").leads(1)), [""; 0]);
    let late = story.crashed(0).at("34.891s").leads(1);
    assert_eq!(check(&late), ["failover/held at 34.890s of []"]);
    let mut delayed = scenario();
    delayed.replicas[1].lock_delay = Some(Span::from_secs(5));
    let check = |story: &Story| found(&story.check(&mut Failover::new(&delayed)));
    assert_eq!(check(&led().crashed(0).at("38.89s").leads(1)), [""; 0]);
    let late = ["failover/held at 38.890s of []"];
    assert_eq!(check(&led().crashed(0).at("38.891s").leads(1)), late);
}

/// Who took one of two objects, while another took the other, has no lock to speak of.
#[test]
fn a_disputed_lock_is_nobodys() {
    let held = |holder: &str| Lock::Held { holder: holder.into(), lasts: Span::from_secs(15) };
    assert!(Lock::is_disputed(&[&held("a"), &Lock::Missing, &held("b")]));
    assert!(!Lock::is_disputed(&[&held("a"), &held("a")]));
    assert!(!Lock::is_disputed(&[&held("a"), &held("tenure.dev/unclaimed"), &Lock::Free]));
}
