//! What a replica's process does in the experiment: its controller, and in the sharded mode its
//! membership.

use std::collections::VecDeque;
use std::sync::Arc;

use tenure::election::Failure;
use tenure::placement::Member;
use tenure::time::{Instant, Now};

use super::controller::{Controller, Pace, Right, Step};
use super::naive::{Membership, Terms};
use super::workload::Workload;
use super::{Mode, note};
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
    pub(super) faults: Vec<Planned>,
}

/// One life of a replica.
#[derive(Debug)]
pub(super) struct Replica {
    group: Arc<Group>,
    index: u32,
    seed: u64,
    /// Nothing before the process began.
    controller: Option<Controller>,
    membership: Option<Membership>,
    /// The members that it counts, a bit each.
    live: u64,
    /// Asked by timers: when it was last asked to do something.
    now: Instant,
    stopping: bool,
    out: VecDeque<Action>,
}

impl Replica {
    pub(super) fn new(group: Arc<Group>, index: u32, seed: u64) -> Self {
        Self {
            group,
            index,
            seed,
            controller: None,
            membership: None,
            live: 0,
            now: Instant::default(),
            stopping: false,
            out: VecDeque::new(),
        }
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
        let may_begin = match self.group.mode {
            Mode::Alone | Mode::Sharded => true,
            Mode::Leader => standing.is_leading,
        };
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
    }

    /// Sees which members count now; if others do than before, it owns other objects.
    fn look_around(&mut self, now: Now) {
        let Some(membership) = &mut self.membership else { return };
        let position =
            |name: &str| self.group.members.iter().position(|member| member.name() == name);
        let live = membership.live(now.instant).filter_map(position);
        let live = live.fold(0_u64, |live, index| live | 1 << index);
        while let Some((id, call)) = membership.poll_call() {
            let verb = match call {
                Call::List { .. } => note::LISTS,
                _ => note::WRITES,
            };
            self.out.push_back(Action::Note { kind: note::CALLED, a: verb, b: id });
            self.out.push_back(Action::Call { id, call });
        }
        if live != self.live {
            self.live = live;
            self.out.push_back(Action::Note { kind: note::COUNTS, a: live, b: 0 });
            let owners = Arc::new(self.group.workload.owners(&self.group.members, live));
            self.grant(Right::Owned { owners, mine: self.index }, now);
        }
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
            Mode::Sharded => {
                let name = group.members.get(self.index as usize).map_or("", Member::name);
                let mut membership = Membership::new(name.into(), group.terms, now.instant);
                membership.handle_timeout(now);
                self.membership = Some(membership);
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
        if let Some(membership) = &mut self.membership {
            membership.handle_timeout(now);
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
        if let Some(membership) = &mut self.membership {
            membership.handle_answer(now, id, answer);
        }
        self.go_on(now, standing);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let work = self.controller.as_ref().and_then(Controller::poll_timeout);
        let calls = self.membership.as_ref().map(|membership| membership.poll_timeout(self.now));
        work.into_iter().chain(calls).min()
    }
}
