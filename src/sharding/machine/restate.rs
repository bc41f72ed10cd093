//! For explorers of all states: members that will do the same, made equal.

use alloc::borrow::ToOwned;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::calls::{Kind, Write};
use super::{Machine, Phase};
use crate::sharding::owners::Owners;
use crate::sharding::rules::Rule;
use crate::sharding::view::{Known, View};
use crate::sharding::{MemberRecord, RequestId, State};
use crate::time::{Instant, saturating_nanos};

/// How a member is restated: its clock is to show `shown` instead of `now`, the store's versions get
/// other names in the same order, and what decides nothing is forgotten.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "functions")]
pub struct Restatement<'a> {
    /// What the clock shows.
    pub now: Instant,
    /// What it is to show.
    pub shown: Instant,
    /// When everything is due that is tried again by itself: renewals and reads then come by
    /// [`poke`](crate::sharding::Sharder::poke) only.
    pub never: Instant,
    /// Whether there are watches.
    pub watched: bool,
    /// Another name for a version of the store; never called with 0.
    pub rename: &'a mut dyn FnMut(u64) -> u64,
    /// A number for a member's name, below 8.
    pub number: &'a dyn Fn(&str) -> u64,
}

/// What explorers want to know of a member.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// The requests that are not answered yet, by numbers: 0 the own record, 1 the list, 2 the
    /// plan, 8 and on another's exclusion, 16 and on a deletion.
    pub outstanding: Vec<(u64, RequestId)>,
    /// Older lists say nothing.
    pub view: u64,
    /// The version of the joining write that others have to acknowledge.
    pub joined: Option<u64>,
}

impl Restatement<'_> {
    fn shift(&self, at: Instant) -> Instant {
        if at == Instant::END {
            return at;
        }
        let nanos = self.shown.as_nanos() + at.as_nanos();
        Instant::from_nanos(nanos.saturating_sub(self.now.as_nanos()))
    }

    /// What is past is as good as due now.
    fn due(&self, at: Instant) -> Instant {
        self.shift(at.max(self.now))
    }

    /// What is longer ago than this is as good as just as long ago.
    pub(super) fn at_most(&self, at: Instant, ago: Duration) -> Instant {
        let ago = saturating_nanos(ago);
        self.shift(at.max(Instant::from_nanos(self.now.as_nanos().saturating_sub(ago))))
    }

    pub(super) fn version(&mut self, version: &mut u64) {
        if *version != 0 {
            *version = (self.rename)(*version);
        }
    }

    fn record(&mut self, record: &mut Arc<MemberRecord>) {
        let mut own = MemberRecord::clone(record);
        if let Some(acted_on) = &mut own.acted_on {
            self.version(acted_on);
        }
        (own.joined, own.renewed) = (None, None);
        *record = Arc::new(own);
    }
}

impl Machine {
    pub(in crate::sharding) fn restate(&mut self, to: &mut Restatement<'_>) -> Restated {
        self.forget(to);
        self.forget_versions();
        self.only_poked(to.never);
        self.restate_times(to);
        self.restate_life(to);
        self.restate_plan(to);
        self.restate_view(to);
        let outstanding = self.restate_calls(to);
        let joined = match self.phase {
            Phase::Joining(life) => Some(life.joined),
            _ => None,
        };
        Restated { outstanding, view: self.view.version, joined }
    }

    /// What decides nothing.
    fn forget(&mut self, to: &Restatement<'_>) {
        self.jitter = crate::jitter::Jitter::new(0);
        self.stamped = None;
        self.out.restate();
        self.holdings.forget_tokens();
        if self.phase == Phase::Left {
            (self.view, self.life, self.read) = (View::default(), 0, None);
            self.unsure = None;
            self.watchdog = Instant::END;
        }
        if !to.watched || self.phase.life().is_none() {
            self.watch.echo = None;
        }
        if !self.is_planned() && !self.is_leased() {
            self.view.forget_restated();
        }
        if !self.config.distrust_deletion {
            self.met = None;
        }
        if !matches!(self.phase, Phase::Active(_)) {
            self.owners = Owners::new(super::ranking(&self.config.mode), self.config.slots);
        }
    }

    /// What others acknowledged counts for a joiner, and only whether it was that joiner. Up to which
    /// version the store knows what this member acknowledged decides only who is awaited.
    fn forget_versions(&mut self) {
        let joined = match self.phase {
            Phase::Joining(life) => life.joined,
            _ => 0,
        };
        let (me, rules) = (self.config.member.name().to_owned(), self.config.rules);
        let joins = |known: &&Known| known.joins() && known.record().name() != me;
        let awaited: Vec<u64> = self.view.iter().filter(joins).map(|known| known.met).collect();
        let planned = self.is_planned();
        let awaits = |version: u64| {
            let met = awaited.iter().copied().filter(|met| *met <= version);
            if planned { version } else { met.max().unwrap_or(0) }
        };
        if planned && self.acted_on() > self.published {
            self.published = 0; // as good as anything below
        } else if self.acted_on() >= self.published {
            self.published = awaits(self.published);
        }
        let write = |kind: &Kind| matches!(kind, Kind::Write(Write::Join, _));
        let writes_join = self.calls.all().iter().any(|call| write(&call.kind));
        let acknowledged: Vec<u64> = self
            .view
            .iter()
            .map(|known| match known.acknowledged() {
                _ if *known.record().name() == *me => 0,
                // Which version that will have had, its answer says.
                up_to if writes_join => up_to,
                up_to if planned => self.acknowledgement(up_to),
                up_to if up_to >= joined => joined,
                _ => 0,
            })
            .collect();
        for (known, acknowledged) in self.view.all_mut().zip(acknowledged) {
            let mut record = known.record().clone();
            record.acted_on = Some(acknowledged);
            known.stored.record = record.into();
        }
        let forward = rules.hold(Rule::ViewsForward);
        for call in self.calls.all_mut() {
            match &mut call.kind {
                Kind::Write(write, record) => {
                    let mut own = MemberRecord::clone(record);
                    own.acted_on = own.acted_on.map(|_| 0);
                    *record = own.into();
                    if let Write::Renew { acted_on, over } = write {
                        (*acted_on, *over) = (awaits(*acted_on), 0);
                    }
                }
                Kind::Exclude(name, over) | Kind::Collect(name, over) => {
                    let known = self.view.get(name);
                    if forward && known.is_none_or(|known| known.stored.version != *over) {
                        *over = 0;
                    }
                }
                Kind::List | Kind::ReadPlan => {}
            }
        }
    }

    /// Renewals and reads come when they are asked for only, and nobody here leads.
    pub(in crate::sharding) fn only_poked(&mut self, never: Instant) {
        (self.next_write, self.next_read, self.next_join) = (never, never, never);
        self.only_poked_for_plan(never);
    }

    fn restate_times(&mut self, to: &Restatement<'_>) {
        let (lease, deadline) = (self.config.lease_duration, self.config.renew_deadline);
        self.written = self.written.map(|at| to.at_most(at, deadline));
        self.read = self.read.map(|at| to.at_most(at, deadline));
        self.restate_plan_read(|at| to.at_most(at, deadline));
        self.met = self.met.map(|at| to.at_most(at, lease));
        let listing = self.calls.all().iter().find(|call| call.kind == Kind::List);
        let listing = listing.map(|call| call.sent);
        self.unsure = self.unsure.map(|since| match listing {
            // The answer under way clears it.
            Some(sent) if since <= sent => to.at_most(sent, deadline),
            _ => to.shown,
        });
        if self.acts_until != Instant::END {
            let over = self.acts_until <= to.now;
            self.acts_until = if over { Instant::default() } else { to.shift(self.acts_until) };
        }
        self.no_hurry_before = to.due(self.no_hurry_before);
        self.overdue = self.overdue.map(|_| Instant::END);
        // Looking when there is nothing to be seen does nothing. (Whether there is something to be
        // collected may change: others may have to do it until they cease to count.)
        let next = self.next_watch(to.now);
        let collect = self.config.collect_after;
        let old = |known: &Known| !known.record().state.counts() && known.since + collect <= to.now;
        if next > to.now && next != Instant::END && !self.view.iter().any(old) {
            self.watchdog = self.watchdog.max(next);
        }
        self.watchdog = to.due(self.watchdog);
        self.wake = self.wake.map(|at| to.due(at));
        let over = |sent: Instant| sent + deadline <= to.now;
        self.watch.echo.take_if(|(_, sent)| over(*sent));
        if let Some((_, sent)) = &mut self.watch.echo {
            *sent = to.at_most(*sent, deadline);
        }
    }

    fn restate_life(&mut self, to: &mut Restatement<'_>) {
        let joining = matches!(self.phase, Phase::Joining(_));
        if let Some(life) = self.phase.life_mut() {
            if !joining {
                (life.joined, life.seen) = (0, 0);
            } else if life.seen >= life.joined {
                life.seen = life.joined;
            } else {
                life.seen = 0;
            }
            to.version(&mut life.joined);
            to.version(&mut life.version);
            to.version(&mut life.seen);
        }
        if let Some((version, _)) = &mut self.watch.echo {
            to.version(version);
        }
        to.version(&mut self.published);
        for moved in &mut self.moves {
            to.version(&mut moved.before);
        }
    }

    fn restate_view(&mut self, to: &mut Restatement<'_>) {
        to.version(&mut self.view.version);
        let own = self.config.member.name().to_owned();
        let (process, calls) = (self.config.incarnation.clone(), &self.calls);
        let (collect, planned) = (self.config.collect_after, self.is_planned());
        for known in self.view.all_mut() {
            let name = known.record().name();
            let mine = *name == *own && known.record().incarnation.process == process;
            let excluding = calls
                .all()
                .iter()
                .any(|call| matches!(&call.kind, Kind::Exclude(other, _) if **other == *name));
            if known.excluded_at.is_some_and(|at| at <= to.now) && !excluding {
                known.excluded_at = None;
            }
            known.excluded_at = known.excluded_at.map(|at| to.due(at));
            known.since = if mine {
                to.shown
            } else if known.record().state.counts() {
                to.at_most(known.since, known.record().lease_duration)
            } else if to.shown + collect >= to.never {
                to.shown
            } else {
                to.at_most(known.since, collect)
            };
            restate_known(known, to, planned);
        }
    }

    fn restate_calls(&mut self, to: &mut Restatement<'_>) -> Vec<(u64, RequestId)> {
        let deadline = self.config.renew_deadline;
        let calls = self.calls.all_mut();
        let mut outstanding = Vec::new();
        for call in calls.iter_mut() {
            let counts = matches!(call.kind, Kind::Write(..) | Kind::List | Kind::ReadPlan);
            call.sent = if counts { to.at_most(call.sent, deadline) } else { to.shown };
            call.deadline = to.due(call.deadline);
            let number = match &mut call.kind {
                Kind::Write(write, record) => {
                    to.record(record);
                    if let Write::Renew { acted_on, over } = write {
                        to.version(acted_on);
                        to.version(over);
                    }
                    0
                }
                Kind::List => 1,
                Kind::ReadPlan => 2,
                Kind::Exclude(name, over) => {
                    to.version(over);
                    8 + (to.number)(name)
                }
                Kind::Collect(name, version) => {
                    to.version(version);
                    16 + (to.number)(name)
                }
            };
            call.id = RequestId(number);
            outstanding.push((number, call.id));
        }
        calls.sort_unstable_by_key(|call| call.id);
        outstanding.sort_unstable();
        outstanding
    }
}

fn restate_known(known: &mut Known, to: &mut Restatement<'_>, planned: bool) {
    to.version(&mut known.stored.version);
    to.record(&mut known.stored.record);
    if known.record().state == State::Joining && !planned {
        to.version(&mut known.met);
    } else {
        // Nobody waits for it to be acknowledged any more.
        known.met = 0;
    }
}
