//! Each check of a sharded group finds what it is there for, in a trace made by hand that no other check
//! minds: the invariants of the protocol one by one.
#![expect(clippy::unwrap_used, reason = "a failure fails the test")]

use std::collections::BTreeSet;
use std::sync::Arc;

use tenure::sharding::{SlotSet, Slots};
use tenure_sim::sharding::check::{Check as _, Checks};
use tenure_sim::sharding::trace::{Entry, Set, What};
use tenure_sim::sharding::{Mode, Scenario, Summary, record_of};
use tenure_sim::time::{SimTime, Span};

const SLOTS: u32 = 256;

/// A run that is made up.
struct Story {
    checks: Checks,
    seq: u64,
    version: u64,
    now: SimTime,
    found: BTreeSet<String>,
}

fn secs(secs: u64) -> SimTime {
    SimTime::ZERO + Span::from_secs(secs)
}

fn set(of: core::ops::Range<u32>) -> Set {
    let slots = Slots::new(SLOTS).unwrap();
    let mut set = SlotSet::none(slots);
    set.extend(of.filter_map(|index| slots.get(index)));
    Set(Arc::new(set))
}

impl Story {
    /// Three replicas that have started.
    fn new(change: impl FnOnce(&mut Scenario)) -> Self {
        let mut scenario = Scenario::new(Mode::Ranked);
        scenario.slots = SLOTS;
        change(&mut scenario);
        let checks = Checks::new(&scenario.checked().unwrap());
        let now = SimTime::ZERO;
        let mut story = Self { checks, seq: 0, version: 0, now, found: BTreeSet::new() };
        for replica in 0..3 {
            story.start(replica, 0);
        }
        story
    }

    fn tell(&mut self, at: u64, what: What) {
        self.now = secs(at);
        let mut found = Vec::new();
        let entry = Entry { seq: self.seq, at: self.now, cause: None, what };
        self.seq += 1;
        self.checks.observe(&entry, &mut found);
        self.note(found);
    }

    fn note(&mut self, found: Vec<tenure_sim::check::Violation>) {
        self.found.extend(found.into_iter().map(|it| format!("{}/{}", it.check, it.rule)));
    }

    fn start(&mut self, replica: u32, at: u64) {
        let name = format!("replica-{replica}").into();
        self.tell(at, What::Started { replica, life: 0, name, weight: 1, rate_ppb: 1_000_000_000 });
    }

    fn until(&mut self, replica: u32, at: u64, until: u64) {
        let (learnt, renewed) = (secs(at), secs(at));
        self.tell(at, What::Until { replica, until: Some(secs(until)), learnt, renewed });
    }

    /// Slots with ends of their own, the last of which is `until` of them all.
    fn ends(&mut self, replica: u32, at: u64, slots: core::ops::Range<u32>, until: u64) {
        self.tell(at, What::Ends { replica, slots: set(slots), until: secs(until) });
    }

    fn gain(&mut self, replica: u32, at: u64, slots: core::ops::Range<u32>) {
        self.until(replica, at, at + 10);
        self.tell(at, What::Gained { replica, slots: set(slots) });
    }

    fn lose(&mut self, replica: u32, at: u64, slots: core::ops::Range<u32>) {
        self.tell(at, What::Lost { replica, slots: set(slots) });
    }

    fn work(&mut self, replica: u32, at: u64, slot: u32, token: u64, until: u64) -> u64 {
        let (work, until) = (self.seq, secs(until));
        self.tell(at, What::Began { replica, life: 0, work, slot, of: SLOTS, token, until });
        work
    }

    fn piece(&mut self, replica: u32, at: u64, slot: u32, token: u64) {
        let work = self.work(replica, at, slot, token, at + 10);
        self.tell(at, What::Done { replica, work, cut: false });
    }

    fn commit(&mut self, at: u64, by: u32, of: u32, was: Option<Summary>, now: Summary) {
        self.version += 1;
        let (sent, name, version) = (secs(at), record_of(&format!("replica-{of}")), self.version);
        let (by, now) = (Some(by), Some(now));
        self.tell(at, What::Committed { by, sent, name, version, before: None, now, was });
    }

    fn ends_with(mut self, at: u64, wanted: &[&str]) {
        let mut found = Vec::new();
        self.tell(at, What::Horizon);
        self.checks.finish(secs(at), &mut found);
        self.note(found);
        assert_eq!(self.found, wanted.iter().map(|it| (*it).to_owned()).collect());
    }
}

fn says(state: &str, generation: &str) -> Summary {
    Summary {
        state: state.into(),
        incarnation: "one".into(),
        generation: Some(generation.into()),
        weight: Some(1),
        lease: Some(Span::from_secs(15)),
        ..Summary::default()
    }
}

/// By rendezvous, slots that are the first replica's whoever of the other two is there.
fn firsts(of: u32) -> Vec<u32> {
    use tenure::placement::{Key, Members, Placement as _, Rendezvous};
    let names = (0..3).map(|index| format!("replica-{index}"));
    let placement = Rendezvous::new(Members::new(names).unwrap());
    let mine = |slot: &u32| {
        placement.place(Key::from_hash((*slot).into())).unwrap().name() == format!("replica-{of}")
    };
    (0..SLOTS).filter(mine).collect()
}

#[test]
fn what_is_fine_is_not_found() {
    let mut story = Story::new(|_| {});
    let (one, other) = (firsts(0)[0], firsts(1)[0]);
    story.gain(0, 1, one..one + 1);
    story.gain(1, 2, other..other + 1);
    story.piece(0, 3, one, 1);
    story.piece(1, 3, other, 2);
    story.ends_with(4, &[]);
}

/// I1.
#[test]
fn two_owners() {
    let mut story = Story::new(|it| it.mode = Mode::Planned);
    story.gain(0, 1, 0..2);
    story.gain(1, 2, 1..3);
    story.ends_with(3, &["one-owner/authority"]);
}

/// I2.
#[test]
fn a_token_that_does_not_grow() {
    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..6);
    story.piece(0, 2, 5, 7);
    story.lose(0, 3, 5..6);
    story.gain(1, 4, 5..6);
    story.piece(1, 5, 5, 7);
    story.ends_with(6, &["tokens/grow"]);
}

/// I3.
#[test]
fn work_after_its_permit() {
    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..6);
    story.work(0, 2, 5, 7, 2);
    story.ends_with(3, &["permits/late"]);
}

/// I4.
#[test]
fn gone_with_work_in_flight() {
    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..6);
    story.work(0, 2, 5, 7, 11);
    story.commit(3, 0, 0, Some(says("Draining", "1")), says("Left", "1"));
    story.ends_with(4, &["hand-over/gone"]);
}

/// I5.
#[test]
fn nobody_takes_over_in_time() {
    let mut story = Story::new(|it| it.bounded = true);
    story.gain(0, 1, 0..SLOTS);
    story.tell(2, What::Ended { replica: 0, crashed: true });
    story.gain(1, 40, 0..SLOTS);
    story.ends_with(41, &["coverage/crash"]);
}

/// I6.
#[test]
fn a_slot_that_moves_for_nothing() {
    let mut story = Story::new(|it| it.mode = Mode::Ring(core::num::NonZeroU32::MIN));
    story.gain(1, 1, 0..1);
    story.gain(0, 2, 5..6);
    story.lose(0, 3, 5..6);
    story.gain(1, 3, 5..6);
    story.ends_with(4, &["movement/needless"]);
}

/// I7: without a plan, and with one.
#[test]
fn shares_that_are_not_even() {
    for (mode, wanted) in [(Mode::Ranked, "balance/share"), (Mode::Planned, "balance/load")] {
        let mut story = Story::new(|it| it.mode = mode);
        story.tell(1, What::Ended { replica: 2, crashed: false });
        let all = if mode == Mode::Ranked { firsts(1) } else { (4..SLOTS).collect() };
        for slot in &all {
            story.gain(1, 370, *slot..*slot + 1);
        }
        let few = if mode == Mode::Ranked { firsts(0)[0] } else { 0 };
        story.gain(0, 371, few..few + 1);
        story.ends_with(372, &[wanted]);
    }
}

/// I8: among those that rank, and beyond a budget.
#[test]
fn slots_that_move_too_often() {
    let mut story = Story::new(|it| it.mode = Mode::Ring(core::num::NonZeroU32::MIN));
    for turn in 0..6 {
        let (from, to) = (1 - turn % 2, turn % 2);
        story.lose(from, u64::from(turn) + 1, 5..6);
        story.tell(u64::from(turn) + 1, What::Leaving { replica: from });
        story.gain(to, u64::from(turn) + 1, 5..6);
    }
    story.ends_with(8, &["thrash/moves"]);

    let mut story = Story::new(|it| {
        it.mode = Mode::Planned;
        let (moves, every) = (core::num::NonZeroU32::MIN, Span::from_secs(60));
        it.policy.budget = Some(tenure_sim::sharding::Budget { moves, every });
    });
    story.gain(0, 1, 0..10);
    story.gain(1, 1, 20..21);
    story.lose(0, 2, 0..10);
    story.gain(1, 3, 0..10);
    story.ends_with(4, &["thrash/budget"]);
}

/// I9 and I15: as if the two had reckoned differently who ranks first.
#[test]
fn an_owner_that_does_not_rank_first() {
    let mut story = Story::new(|_| {});
    let (one, other) = (firsts(0)[0], firsts(0)[1]);
    story.gain(0, 1, one..one + 1);
    story.gain(1, 2, other..other + 1);
    story.ends_with(3, &["order/rank"]);
}

/// I10.
#[test]
fn two_configurations() {
    let mut story = Story::new(|it| it.mode = Mode::Planned);
    story.commit(1, 0, 0, None, says("Active", "1"));
    story.commit(1, 1, 1, None, says("Active", "2"));
    story.gain(0, 2, 0..1);
    story.gain(1, 3, 1..2);
    story.ends_with(4, &["one-configuration/mixed"]);
}

/// I11.
#[test]
fn what_an_earlier_life_had() {
    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..7);
    story.piece(0, 2, 5, 7);
    story.tell(3, What::Ended { replica: 0, crashed: true });
    let (replica, name) = (0, "replica-0".into());
    story.tell(4, What::Started { replica, life: 1, name, weight: 1, rate_ppb: 1_000_000_000 });
    story.gain(0, 5, 5..7);
    let until = secs(15);
    story.tell(
        6,
        What::Began { replica: 0, life: 1, work: 99, slot: 6, of: SLOTS, token: 7, until },
    );
    story.ends_with(7, &["lives/void"]);

    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..6);
    story.until(0, 12, 20); // it had ended at 11
    story.ends_with(13, &["lives/revived"]);
}

/// Where each slot has a lease: it counts by itself, whatever has become of the others.
#[test]
fn slots_whose_rights_end_one_by_one() {
    let one_of_two_has_ended = || {
        let mut story = Story::new(|scenario| scenario.mode = Mode::Leased);
        story.until(0, 1, 11);
        story.ends(0, 1, 5..6, 4);
        story.ends(0, 1, 6..7, 11);
        story.tell(1, What::Gained { replica: 0, slots: set(5..7) });
        story
    };
    let mut story = one_of_two_has_ended();
    story.piece(0, 5, 6, 1);
    story.gain(1, 5, 5..6);
    story.ends_with(6, &[]);

    let mut story = one_of_two_has_ended();
    story.piece(0, 5, 5, 1);
    story.ends_with(6, &["permits/late"]);

    let mut story = one_of_two_has_ended();
    story.gain(1, 5, 6..7);
    story.ends_with(6, &["one-owner/authority"]);

    let mut story = one_of_two_has_ended();
    story.ends(0, 5, 5..6, 11);
    story.ends_with(6, &["lives/revived"]);

    let mut story = one_of_two_has_ended();
    story.gain(1, 5, 5..6);
    story.ends(0, 6, 5..6, 11);
    story.ends_with(7, &["lives/revived", "one-owner/authority"]);
}

/// I12.
#[test]
fn acting_on_what_is_stale() {
    let mut story = Story::new(|_| {});
    story.gain(0, 1, 5..6);
    let (learnt, renewed) = (secs(1), secs(8));
    story.tell(8, What::Until { replica: 0, until: Some(secs(18)), learnt, renewed });
    story.ends_with(9, &["freshness/until"]);
}

/// I13.
#[test]
fn one_that_is_alone_has_not_all() {
    let mut story = Story::new(|_| {});
    story.tell(1, What::Ended { replica: 1, crashed: false });
    story.tell(1, What::Ended { replica: 2, crashed: false });
    story.gain(0, 90, 0..SLOTS - 1);
    story.ends_with(91, &["alone/all"]);
}

/// I14.
#[test]
fn who_was_excluded_had_given_a_sign() {
    let mut story = Story::new(|_| {});
    story.commit(1, 0, 0, None, says("Active", "1"));
    story.commit(15, 1, 0, Some(says("Active", "1")), says("Excluded", "1"));
    story.ends_with(16, &["exclusion/early"]);
}

/// And a machine must not want to be called for ever.
#[test]
fn a_timer_that_is_always_due() {
    let mut story = Story::new(|_| {});
    story.tell(1, What::Spins { replica: 0 });
    story.ends_with(2, &["timers/past"]);
}
