//! What differs where a plan decides who owns what: what a member makes of it.

use alloc::vec::Vec;

use super::calls::Kind;
use super::{Machine, Move, Phase, Restatement};
use crate::election::Failure;
use crate::placement::Members;
use crate::sharding::planned::{Plan, StoredPlan};
use crate::sharding::rules::Rule;
use crate::sharding::view::Known;
use crate::sharding::{Mode, Op, Slot, SlotSet, State};
use crate::time::{Instant, Now};

/// What a member knows of the plan in this life.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Following {
    /// The newest plan that was read, with its versions written out.
    plan: Option<(Plan, u64)>,
    /// A read has found none: there was none before, or somebody has deleted it.
    none: bool,
    /// When it was learnt that there is the plan in hand.
    learnt: Instant,
    /// When the last read was sent that was answered, also by that there is none.
    read: Option<Instant>,
    next_read: Instant,
    /// Some slots of the plan are not held yet.
    waiting: bool,
    /// Something has changed that the leader plans by.
    changed: bool,
}

impl Following {
    pub(super) fn new(now: Instant) -> Self {
        Self { next_read: now, ..Self::default() }
    }
}

impl Machine {
    pub(in crate::sharding) const fn is_planned(&self) -> bool {
        matches!(self.config.mode, Mode::Planned(_))
    }

    /// A new life has begun: no plan is kept from before, and no read that was sent before counts. By
    /// the clock alone that could not be told, which may show one instant all the time.
    pub(super) fn forget_plan(&mut self, now: Instant) {
        self.calls.drop_plan(&mut self.out);
        self.following = Following { read: self.following.read, ..Following::new(now) };
    }

    /// When the plan was looked at last, as far as is known. A watch does not tell.
    pub(super) const fn plan_looked(&self) -> Option<Instant> {
        self.following.read
    }

    /// For explorers.
    pub(super) fn restate_plan_read(&mut self, to: impl Fn(Instant) -> Instant) {
        self.following.read = self.following.read.map(to);
    }

    pub(super) fn next_plan_read(&self) -> Option<Instant> {
        let reads = self.is_planned() && self.phase != Phase::Left && !self.calls.planning();
        reads.then_some(self.following.next_read)
    }

    pub(super) fn read_plan_if_due(&mut self, now: Instant) {
        if self.next_plan_read().is_none_or(|due| due > now) {
            return;
        }
        let deadline = now + self.config.request_timeout.min(self.config.renew_deadline);
        self.calls.send(&mut self.out, (now, deadline), Kind::ReadPlan, Op::ReadPlan);
        self.following.next_read = now + self.jitter.member_wait(self.config.retry_period);
    }

    pub(super) fn plan_read(&mut self, now: Instant, sent: Instant, stored: &StoredPlan) {
        if now < sent + self.config.renew_deadline {
            self.following.read = self.following.read.max(Some(sent));
            (self.following.none, self.following.learnt) = (false, now);
            self.follow(now, stored);
        }
    }

    pub(super) fn plan_not_read(&mut self, now: Instant, sent: Instant, why: Failure) {
        if why == Failure::NotFound && now < sent + self.config.renew_deadline {
            self.following.read = self.following.read.max(Some(sent));
        }
        // One that was sent before the plan was stored says nothing of it.
        let known = self.following.plan.is_some() && sent <= self.following.learnt;
        if why == Failure::NotFound && !self.following.none && !known {
            self.following.none = true;
            self.following.changed = true;
        }
        let again = sent + self.config.retry_period;
        self.following.next_read = self.following.next_read.min(again).max(now);
    }

    /// A watch has shown the plan. Before the first plan of this life it may be older than the joining
    /// write, and say what others have agreed to be over.
    pub(super) fn plan_shown(&mut self, now: Instant, stored: &StoredPlan) {
        let joined = self.phase.life().map_or(0, |life| life.joined);
        let new = self.following.none && stored.version > joined;
        if self.following.plan.is_some() || new {
            self.follow(now, stored);
        }
    }

    /// This leader's plan was stored.
    pub(in crate::sharding) fn plan_stored(&mut self, now: Instant, stored: &StoredPlan) {
        self.follow(now, stored);
    }

    /// Somebody else's was, or nobody can tell.
    pub(in crate::sharding) fn read_plan_soon(&mut self, now: Instant) {
        self.following.next_read = self.following.next_read.min(now);
    }

    fn follow(&mut self, now: Instant, stored: &StoredPlan) {
        let known = self.following.plan.as_ref().map(|(_, version)| *version);
        // Nobody could have acknowledged a version of 0, or anybody.
        let old = known.is_some_and(|known| known >= stored.version) || stored.version == 0;
        if self.phase.life().is_none() || old {
            return;
        }
        let plan = stored.resolved();
        let before = known.unwrap_or(self.published);
        let mut moved = self.holdings.in_flight();
        moved.subtract(&self.unmoved(&plan));
        for earlier in &self.moves {
            moved.subtract(&earlier.slots);
        }
        // What has moved is drained even if it has come back: others count on it.
        let mut kept = self.holdings.in_flight();
        kept.subtract(&moved);
        if !moved.is_empty() {
            self.moves.push(Move { before, slots: moved });
        }
        self.following.plan = Some((plan, stored.version));
        (self.following.none, self.following.learnt) = (false, now);
        self.following.changed = true;
        if matches!(self.phase, Phase::Active(_)) {
            let lost = self.holdings.entitle(&kept);
            self.revoking(now, lost, crate::sharding::Cause::Moved);
        }
        if self.view.version < stored.version && !self.watch.running {
            self.next_read = self.next_read.min(now);
        }
        self.entitle(now);
    }

    /// The slots that are this member's by the plan in hand and by `plan`, and have not moved between.
    fn unmoved(&self, plan: &Plan) -> SlotSet {
        let me = self.config.member.name();
        let mut unmoved = SlotSet::none(self.config.slots);
        let Some((old, _)) = &self.following.plan else { return unmoved };
        if plan.generation() != self.generation {
            return unmoved;
        }
        let since = self.config.rules.hold(Rule::Since);
        for run in plan.runs_of(me) {
            let same = |slot: &Slot| {
                old.owner(*slot) == Some(me) && (old.since(*slot) == run.since || !since)
            };
            unmoved.extend(run.iter().filter(same));
        }
        unmoved
    }

    /// What this member may have by the plan: what it has and nobody took from it, and what all others
    /// have acknowledged.
    pub(super) fn planned(&mut self) -> SlotSet {
        let mut target = SlotSet::none(self.config.slots);
        let me = self.config.member.name();
        let rules = self.config.rules;
        let Some((plan, version)) = &self.following.plan else { return target };
        if plan.generation() != self.generation {
            return target;
        }
        let acknowledged = self.counted_others().map(Known::acknowledged).min();
        let all = acknowledged.is_none() || !rules.hold(Rule::PlanAcknowledged);
        let seen = self.view.version >= *version || !rules.hold(Rule::MembersAfterPlan);
        let mut waiting = false;
        for run in plan.runs_of(me) {
            let free = seen && (all || acknowledged.is_some_and(|up_to| up_to >= run.since));
            if free {
                target.extend(run.iter());
            } else {
                waiting = true;
                target.extend(run.iter().filter(|slot| self.holdings.has(*slot)));
            }
        }
        self.following.waiting = waiting;
        target
    }

    /// Others may have acknowledged what this member waits for.
    pub(super) fn entitle_if_waiting(&mut self, now: Instant) {
        if self.following.waiting {
            self.entitle(now);
        }
    }

    pub(super) fn planned_up_to(&self) -> u64 {
        self.following.plan.as_ref().map_or(self.published, |(_, version)| *version)
    }

    pub(super) fn members_changed(&mut self) {
        self.following.changed = true;
    }

    /// Whether something has changed that the leader plans by, since this was asked last.
    pub(in crate::sharding) const fn take_plan_change(&mut self) -> bool {
        core::mem::replace(&mut self.following.changed, false)
    }

    /// Whether it is known which plan there is, or that there is none.
    pub(in crate::sharding) const fn knows_plan(&self) -> bool {
        self.following.plan.is_some() || self.following.none
    }

    /// The plan to go on from. Of one that was deleted, which has no version, the owners are worth
    /// keeping. But members act on it, and nobody can tell whether it was the last: all slots are given
    /// anew, so that all must acknowledge that.
    pub(in crate::sharding) fn known_plan(&self) -> Option<StoredPlan> {
        let (plan, version) = self.following.plan.as_ref()?;
        let version = if self.following.none { 0 } else { *version };
        Some(StoredPlan { plan: plan.clone().into(), version })
    }

    /// The newest plan that was read.
    pub(super) fn followed_plan(&self) -> Option<&Plan> {
        self.following.plan.as_ref().map(|(plan, _)| plan)
    }

    /// Whether the members were read since.
    pub(super) fn has_seen_plan(&self) -> bool {
        self.following.plan.as_ref().is_none_or(|(_, version)| self.view.version >= *version)
    }

    /// Those that a plan may give slots: of this generation, and not about to leave.
    pub(in crate::sharding) fn plannable(&self) -> Members {
        let me = self.config.member.name();
        let rules = self.config.rules;
        let all = self.view.iter().filter(|known| {
            let record = known.record();
            let stays = matches!(record.state, State::Active | State::Joining);
            let mine = record.name() != me || self.stopping.is_none();
            known.counts(rules) && stays && mine && record.generation == self.generation
        });
        Members::new(all.map(|known| known.record().member.clone())).unwrap_or_default()
    }

    /// Whether this member may take part in the election of who plans.
    pub(in crate::sharding) const fn may_plan(&self) -> bool {
        self.is_planned() && matches!(self.phase, Phase::Active(_))
    }

    pub(in crate::sharding) const fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    // --- for explorers of all states, see `Restatement`

    /// A read of the plan is due.
    pub(in crate::sharding) fn poke_plan(&mut self, now: Now) {
        self.read_plan_soon(now.instant);
        self.advance(now);
    }

    /// The plan is read when that is asked for only, and nobody here leads.
    pub(super) fn only_poked_for_plan(&mut self, never: Instant) {
        if self.is_planned() {
            self.following.next_read = never;
            self.leasing = false;
        }
    }

    /// Of a plan, what is others' decides nothing; and of when it was learnt, only whether the read under
    /// way was sent after that.
    pub(super) fn restate_plan(&mut self, to: &mut Restatement<'_>) {
        self.following.changed = false;
        if !self.is_planned() || self.phase.life().is_none() {
            let Following { read, next_read, .. } = self.following;
            self.following = Following { read, ..Following::new(next_read) };
            return;
        }
        let read = self.calls.all().iter().find(|call| call.kind == Kind::ReadPlan);
        let learnt = self.following.learnt;
        self.following.learnt = match read.filter(|read| read.sent <= learnt) {
            _ if learnt >= to.now => to.shown,
            Some(read) => to.at_most(read.sent, self.config.renew_deadline),
            None => Instant::default(),
        };
        let Some((plan, version)) = &mut self.following.plan else { return };
        to.version(version);
        let me = self.config.member.name();
        let runs: Vec<_> = plan
            .runs()
            .map(|run| {
                let mine = run.owner == Some(me);
                let mut since = if mine { run.since } else { 0 };
                to.version(&mut since);
                (run.slots, mine.then(|| me.into()), since)
            })
            .collect();
        if let Ok(restated) = Plan::new(plan.generation(), plan.slots(), runs) {
            *plan = restated;
        }
    }

    /// What others have acknowledged counts for the slots of the plan in hand and of those to come, that
    /// is: below the version of the plan in hand, only which of its moves that includes.
    pub(super) fn acknowledgement(&self, up_to: u64) -> u64 {
        match &self.following.plan {
            Some((plan, version)) if up_to < *version => {
                let me = self.config.member.name();
                let moves = plan.runs_of(me).map(|run| run.since);
                moves.filter(|since| *since <= up_to).max().unwrap_or(0)
            }
            _ => up_to,
        }
    }

    /// How many lives this process has begun.
    pub(in crate::sharding) const fn life(&self) -> u32 {
        self.life
    }
}
