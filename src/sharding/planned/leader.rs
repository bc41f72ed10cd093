//! The part of a member that plans, if it is elected to.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{Input, Move, Plan, Roster, StoredPlan, Unmet, next};
use crate::election::{self, Elector, Event, Missing};
use crate::lock::{Identity, LockRef};
use crate::sharding::machine::Machine;
use crate::sharding::{Answer, Config, Mode, Op, RequestId, Response};
use crate::time::{Instant, Now};

/// Takes part in the election of who plans, and plans. Whoever leads: plans are stored by
/// compare-and-swap, and a leader that died only stops plans from changing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::sharding) struct Leader {
    seed: u64,
    elector: Option<Box<Elector>>,
    /// The elector's call under way: its id outside and inside.
    asked: Option<(RequestId, election::RequestId)>,
    storing: Option<Storing>,
    roster: Roster,
    loads: Vec<u32>,
    /// What was told last that a plan could not meet.
    unmet: Vec<Unmet>,
    /// When to plan although nothing has happened.
    due: Option<Instant>,
}

/// A plan on its way to the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Storing {
    id: RequestId,
    deadline: Instant,
    plan: Arc<Plan>,
    voluntary: u32,
    moves: Vec<Move>,
    unmet: Vec<Unmet>,
}

impl Leader {
    pub(in crate::sharding) const fn new(seed: u64) -> Self {
        Self {
            seed,
            elector: None,
            asked: None,
            storing: None,
            roster: Roster::new(),
            loads: Vec::new(),
            unmet: Vec::new(),
            due: None,
        }
    }

    pub(in crate::sharding) fn poll_timeout(&self) -> Option<Instant> {
        let elector = self.elector.as_ref().and_then(|elector| elector.poll_timeout());
        let storing = self.storing.as_ref().map(|storing| storing.deadline);
        let due = self.due.filter(|_| self.storing.is_none());
        [elector, storing, due].into_iter().flatten().min()
    }

    /// Whether it was this leader who asked.
    pub(in crate::sharding) fn asked(&self, id: RequestId) -> bool {
        self.asked.is_some_and(|(mine, _)| mine == id)
            || self.storing.as_ref().is_some_and(|storing| storing.id == id)
    }

    pub(in crate::sharding) fn handle_response(
        &mut self,
        machine: &mut Machine,
        now: Now,
        response: Response,
    ) {
        if let Some((_, id)) = self.asked.take_if(|(mine, _)| *mine == response.id) {
            let result = match response.result {
                Ok(Answer::Elected(stored)) => Ok(stored),
                Ok(_) => Err(election::Failure::Other),
                Err(failure) => Err(failure),
            };
            if let Some(elector) = &mut self.elector {
                elector.handle_response(now, election::Response { id, result });
            }
        } else if let Some(storing) = self.storing.take_if(|storing| storing.id == response.id) {
            if let Ok(Answer::Written { version }) = response.result
                && now.instant < storing.deadline
            {
                self.roster.stored(storing.voluntary, now.instant);
                self.tell(machine, storing.moves, storing.unmet);
                let stored = StoredPlan { plan: storing.plan, version };
                machine.plan_stored(now.instant, &stored);
                machine.handle_timeout(now);
            } else {
                self.not_stored(machine, now);
            }
        }
        self.settle(machine, now);
    }

    /// What is measured on each slot.
    pub(in crate::sharding) fn measure(
        &mut self,
        machine: &mut Machine,
        now: Now,
        loads: Vec<u32>,
    ) {
        self.loads = loads;
        self.due = Some(now.instant);
        self.settle(machine, now);
    }

    /// Does what is due.
    pub(in crate::sharding) fn settle(&mut self, machine: &mut Machine, now: Now) {
        if !machine.is_planned() {
            return;
        }
        if self.storing.as_ref().is_some_and(|storing| storing.deadline <= now.instant) {
            self.storing = None;
            self.not_stored(machine, now);
        }
        if self.elector.is_none() && machine.may_plan() && !machine.is_stopping() {
            let config = election(&machine.config, machine.life());
            let seed = self.seed ^ u64::from(machine.life());
            self.elector = Some(Elector::unchecked(config, seed, now.instant).into());
            self.roster = Roster::default();
            self.unmet.clear();
            machine.lease(now, true);
        }
        self.run(machine, now);
        self.plan_if_due(machine, now);
        self.retire(machine, now);
    }

    /// The plan was not stored, or nobody can tell. If a read shows another one, that is planned from at
    /// once; if it shows the one before, nothing has changed, and still there is something to store.
    fn not_stored(&mut self, machine: &mut Machine, now: Now) {
        let again = now.instant + machine.config.retry_period;
        self.due = Some(self.due.map_or(again, |due| due.min(again)));
        machine.read_plan_soon(now.instant);
        machine.handle_timeout(now);
    }

    fn run(&mut self, machine: &mut Machine, now: Now) {
        let Some(elector) = &mut self.elector else { return };
        // The lock of who is no member any more need not run out: plans go over versions, whoever leads.
        let over = |(holder, version): (&Identity, u64)| {
            let (process, _life) = holder.as_str().rsplit_once('.')?;
            machine.is_over(process, version).then_some(version)
        };
        if let Some(version) = elector.held().and_then(over) {
            elector.presume_released(now, version);
        }
        elector.handle_timeout(now);
        while let Some(event) = elector.poll_event() {
            match event {
                Event::StartedLeading { .. } => self.due = Some(now.instant),
                Event::StoppedLeading { .. } => elector.work_stopped(now),
                _ => {}
            }
        }
        if let Some(request) = elector.poll_request() {
            let deadline = now.instant + machine.config.request_timeout;
            let deadline = request.deadline.map_or(deadline, |at| at.min(deadline));
            let id = machine.out.request(Op::Elect(request.lock, request.op), deadline);
            self.asked = Some((id, request.id));
        }
    }

    fn is_leading(&self, now: Instant) -> bool {
        self.elector.as_ref().is_some_and(|elector| elector.is_leading(now))
    }

    fn plan_if_due(&mut self, machine: &mut Machine, now: Now) {
        if !self.is_leading(now.instant) {
            self.due = None;
            return;
        }
        let changed = machine.take_plan_change();
        if changed {
            self.due = Some(now.instant);
        }
        let Mode::Planned(policy) = &machine.config.mode else { return };
        if !machine.knows_plan() {
            self.due = None; // a read will tell that something has changed
            return;
        }
        if self.storing.is_some() || self.due.is_none_or(|due| due > now.instant) {
            return;
        }
        let previous = machine.known_plan();
        let plan = previous.as_ref().map(|stored| &*stored.plan);
        self.roster.observe(plan, &machine.plannable(), now.instant);
        let outcome = next(
            policy,
            &Input {
                generation: machine.generation(),
                slots: machine.config.slots,
                previous: previous.as_ref(),
                roster: &self.roster,
                loads: &self.loads,
                now: now.instant,
            },
        );
        self.due = outcome.next_due.map(|due| due.max(now.instant + machine.config.retry_period));
        let Some(plan) = outcome.plan else {
            self.tell(machine, Vec::new(), outcome.unmet);
            return;
        };
        let plan = Arc::new(plan);
        let op = match &previous {
            Some(stored) if stored.version > 0 => Op::UpdatePlan(plan.clone(), stored.version),
            _ => Op::CreatePlan(plan.clone()),
        };
        let deadline = now.instant + machine.config.request_timeout;
        let id = machine.out.request(op, deadline);
        self.storing = Some(Storing {
            id,
            deadline,
            plan,
            voluntary: outcome.voluntary,
            moves: outcome.moves,
            unmet: outcome.unmet,
        });
    }

    /// Tells what was planned, unless nothing is new about it.
    fn tell(&mut self, machine: &mut Machine, moves: Vec<Move>, unmet: Vec<Unmet>) {
        if moves.is_empty() && unmet == self.unmet {
            return;
        }
        self.unmet.clone_from(&unmet);
        machine.out.event(crate::sharding::Event::Planned { moves, unmet });
    }

    /// Who takes no part any more leads no more; one that leaves first plans without itself.
    fn retire(&mut self, machine: &mut Machine, now: Now) {
        let Some(elector) = &mut self.elector else { return };
        let leads = elector.is_leading(now.instant);
        let busy =
            leads && (self.storing.is_some() || self.due.is_some_and(|at| at <= now.instant));
        let goes = !machine.may_plan() || machine.is_stopping() && !busy;
        if goes {
            elector.stop(now);
            self.run(machine, now);
        }
        if self.elector.as_ref().is_some_and(|elector| elector.is_finished()) {
            self.elector = None;
            self.asked = None;
            self.storing = None;
            self.due = None;
            machine.lease(now, false);
        }
    }
}

/// How the leader is elected. Whether two lead at once does not matter, so a lock that is missing is
/// simply made.
fn election(config: &Config, life: u32) -> election::Config {
    let lock = LockRef::lease(config.namespace.clone(), alloc::format!("{}-leader", config.group));
    let incarnation = alloc::format!("{}.{life}", config.incarnation);
    election::Config {
        lease_duration: config.lease_duration,
        renew_deadline: config.renew_deadline,
        retry_period: config.retry_period,
        missing: Missing::NewGroup,
        ..election::Config::new(lock, config.member.name(), incarnation)
    }
}
