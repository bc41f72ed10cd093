//! What a replica's process does in the experiment: its controller, and in the sharded modes its
//! membership.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use tenure::election::{Failure, Token};
use tenure::placement::Member;
use tenure::sharding::{Sharder, Slot, SlotSet, Slots};
use tenure::time::{Instant, Now};

use super::controller::{Controller, Pace, Right, Step};
use super::naive::{self, Terms};
use super::workload::Workload;
use super::{Mode, note, ranked};
use crate::fault::Planned;
use crate::program::{Action, Program, Standing};
use crate::store::{Answer, Call};

/// What all replicas of a run share.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) mode: Mode,
    pub(super) workload: Arc<Workload>,
    pub(super) members: Vec<Member>,
    pub(super) pace: Pace,
    pub(super) terms: Terms,
    pub(super) slots: Slots,
    /// In which of them each object lies.
    pub(super) slot_of: Vec<Slot>,
    pub(super) faults: Vec<Planned>,
}

/// How a replica knows what it may work on, if neither everything nor its elector says so.
#[derive(Debug)]
enum Membership {
    None,
    Naive(Box<naive::Membership>),
    Ranked(Box<ranked::Membership>),
}

/// One life of a replica.
#[derive(Debug)]
pub(super) struct Replica {
    group: Arc<Group>,
    index: u32,
    /// How many lives it had before.
    life: u32,
    seed: u64,
    /// Nothing before the process began.
    controller: Option<Controller>,
    membership: Membership,
    /// The members that it counts, a bit each (naive).
    live: u64,
    /// The slots that it may work on (ranked).
    owned: SlotSet,
    /// Asked by timers: when it was last asked to do something.
    now: Instant,
    stopping: bool,
    out: VecDeque<Action>,
}

impl Replica {
    pub(super) fn new(group: Arc<Group>, index: u32, life: u32, seed: u64) -> Self {
        Self {
            owned: SlotSet::none(group.slots),
            group,
            index,
            life,
            seed,
            controller: None,
            membership: Membership::None,
            live: 0,
            now: Instant::default(),
            stopping: false,
            out: VecDeque::new(),
        }
    }

    fn name(&self) -> &str {
        self.group.members.get(self.index as usize).map_or("", Member::name)
    }

    fn grant(&mut self, right: Right, now: Now) {
        if let Some(controller) = &mut self.controller {
            controller.grant(right, now.instant);
        }
    }

    /// Does what is to be done now, and says so.
    fn go_on(&mut self, now: Now, standing: Standing) {
        self.now = now.instant;
        self.look_around(now);
        self.look_at_slots(now);
        let may_begin = self.group.mode != Mode::Leader || standing.is_leading;
        let Some(controller) = &mut self.controller else { return };
        controller.handle_timeout(now.instant, may_begin);
        while let Some(step) = controller.poll_step() {
            let (kind, object) = match step {
                Step::Began(object) => (note::BEGAN, object),
                Step::Ended(object) => (note::ENDED, object),
            };
            self.out.push_back(Action::Note { kind, a: object.into(), b: 0 });
        }
        if self.stopping && controller.is_idle() {
            self.stopping = false;
            self.out.push_back(Action::WorkEnded);
        }
        self.go_on_with_slots(now);
    }

    /// Sees which members count now; if others do than before, it owns other objects.
    fn look_around(&mut self, now: Now) {
        let Membership::Naive(membership) = &mut self.membership else { return };
        let position =
            |name: &str| self.group.members.iter().position(|member| member.name() == name);
        let live = membership.live(now.instant).filter_map(position);
        let live = live.fold(0_u64, |live, index| live | 1 << index);
        while let Some((id, call)) = membership.poll_call() {
            self.out.extend(called(id, call));
        }
        if live != self.live {
            self.live = live;
            self.out.push_back(Action::Note { kind: note::COUNTS, a: live, b: 0 });
            self.grant(self.group.naively(live, self.index), now);
        }
    }

    /// Sees which slots it owns now.
    fn look_at_slots(&mut self, now: Now) {
        let Membership::Ranked(membership) = &self.membership else { return };
        let none = || SlotSet::none(self.group.slots);
        let sharder = membership.sharder();
        let owned = sharder.owned(now.instant).map_or_else(none, Cow::into_owned);
        if owned == self.owned {
            return;
        }
        for slot in &self.owned.without(&owned) {
            self.out.push_back(Action::Note { kind: note::LOST, a: slot.index().into(), b: 0 });
        }
        for slot in &owned.without(&self.owned) {
            let b = sharder.token(slot, now.instant).map_or(0, Token::as_u64);
            self.out.push_back(Action::Note { kind: note::GAINED, a: slot.index().into(), b });
        }
        let mine = self.group.slot_of.iter().map(|slot| owned.contains(*slot)).collect();
        let right = if owned.is_empty() { Right::Nothing } else { Right::Some(Arc::new(mine)) };
        self.owned = owned;
        self.grant(right, now);
    }

    /// Says on which slots work has ended, and sends what is to be sent.
    fn go_on_with_slots(&mut self, now: Now) {
        let Membership::Ranked(membership) = &mut self.membership else { return };
        membership.busy_with(now, || {
            let working = self.controller.iter().flat_map(Controller::working);
            let slots = working.filter_map(|object| self.group.slot_of.get(object as usize));
            let mut busy = SlotSet::none(self.group.slots);
            busy.extend(slots.copied());
            busy
        });
        while let Some((id, call)) = membership.poll_call() {
            self.out.extend(called(id, call));
        }
    }
}

/// A call, and that it is sent.
fn called(id: u64, call: Call) -> [Action; 2] {
    let verb = match call {
        Call::List { .. } => note::LISTS,
        _ => note::WRITES,
    };
    [Action::Note { kind: note::CALLED, a: verb, b: id }, Action::Call { id, call }]
}

impl Group {
    /// What a replica takes for its own that counts the members whose bits are set in `live`.
    pub(super) fn naively(&self, live: u64, index: u32) -> Right {
        let owners = self.workload.owners(&self.members, live);
        Right::Some(Arc::new(owners.into_iter().map(|owner| owner == Some(index)).collect()))
    }

    /// A member that joins at `now`.
    fn ranked(&self, name: &str, incarnation: String, seed: u64, now: Instant) -> Membership {
        let config = ranked::config(name, incarnation, self.terms);
        // The terms are those of a scenario that was checked.
        let sharder = Sharder::new(config, seed, now).ok();
        let none = SlotSet::none(self.slots);
        sharder.map_or(Membership::None, |sharder| {
            Membership::Ranked(Box::new(ranked::Membership::new(sharder, none)))
        })
    }
}

impl Program for Replica {
    fn handle_start(&mut self, now: Now, standing: Standing) {
        let group = &self.group;
        let workload = Arc::clone(&group.workload);
        self.controller = Some(Controller::new(workload, group.pace, self.seed, now.instant));
        match group.mode {
            Mode::Alone => self.grant(Right::Everything, now),
            Mode::Leader => {}
            Mode::Naive => {
                let mut membership =
                    naive::Membership::new(self.name().into(), group.terms, now.instant);
                membership.handle_timeout(now);
                self.membership = Membership::Naive(Box::new(membership));
            }
            Mode::Ranked => {
                let incarnation = format!("{}-{}", self.index, self.life);
                self.membership = group.ranked(self.name(), incarnation, self.seed, now.instant);
                if let Membership::Ranked(membership) = &mut self.membership {
                    membership.handle_timeout(now);
                }
            }
        }
        self.go_on(now, standing);
    }

    fn handle_started_leading(&mut self, now: Now, standing: Standing) {
        self.stopping = false;
        self.grant(Right::Everything, now);
        self.go_on(now, standing);
    }

    fn handle_stopped_leading(&mut self, now: Now, standing: Standing) {
        self.stopping = true;
        self.grant(Right::Nothing, now);
        self.go_on(now, standing);
    }

    fn handle_timeout(&mut self, now: Now, standing: Standing) {
        match &mut self.membership {
            Membership::None => {}
            Membership::Naive(membership) => membership.handle_timeout(now),
            Membership::Ranked(membership) => membership.handle_timeout(now),
        }
        self.go_on(now, standing);
    }

    fn handle_answer(
        &mut self,
        now: Now,
        standing: Standing,
        id: u64,
        answer: &Result<Answer, Failure>,
    ) {
        match &mut self.membership {
            Membership::None => {}
            Membership::Naive(membership) => membership.handle_answer(now, id, answer),
            Membership::Ranked(membership) => membership.handle_answer(now, id, answer),
        }
        self.go_on(now, standing);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let work = self.controller.as_ref().and_then(Controller::poll_timeout);
        let calls = match &self.membership {
            Membership::None => None,
            Membership::Naive(membership) => Some(membership.poll_timeout(self.now)),
            Membership::Ranked(membership) => membership.poll_timeout(),
        };
        work.into_iter().chain(calls).min()
    }
}
