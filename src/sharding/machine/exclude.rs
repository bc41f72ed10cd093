//! Those that give no sign, and what they leave behind.

use alloc::sync::Arc;
use core::time::Duration;

use super::calls::Kind;
use super::{Machine, Phase};
use crate::election::Failure;
use crate::sharding::rules::Rule;
use crate::sharding::view::Known;
use crate::sharding::{Event, MemberRecord, Op, State, StoredMember};
use crate::time::{Instant, Now};

impl Machine {
    /// Excludes who has given no sign for its lease duration, and deletes old records.
    pub(super) fn guard(&mut self, now: Now) {
        if self.phase == Phase::Left || self.watchdog > now.instant {
            return;
        }
        let rules = self.config.rules;
        let suspects: alloc::vec::Vec<Known> = self
            .view
            .iter()
            .filter(|known| self.is_guarded(known) && known.counts(rules))
            .filter(|known| self.to_exclude_at(known, now.instant) <= now.instant)
            .cloned()
            .collect();
        for suspect in suspects {
            if suspect.gone {
                // Nobody can be asked to confirm that; it has had its time.
                self.view.drop(suspect.record().name());
            } else {
                self.exclude(now.instant, &suspect);
            }
        }
        self.collect(now.instant);
        self.watchdog = Instant::END;
        self.seen(now.instant, self.view.version);
    }

    /// When to do something about `known`, if there is no sign of it.
    fn to_exclude_at(&self, known: &Known, now: Instant) -> Instant {
        let due = known.overdue(self.config.rules);
        // Few are overdue, and only for those it is worth asking who is to act.
        if due > now || known.gone { due } else { due + self.patience(now) }
    }

    /// Members that watch all miss a sign at the same instant, and one exclusion is enough, which all of
    /// them will see: that of the first by name among those that give signs. The others wait for it, the
    /// second an eighth of the retry period, and so on up to half of it.
    fn patience(&self, now: Instant) -> Duration {
        if !self.watch.running {
            return Duration::ZERO;
        }
        let (me, rules) = (self.config.member.name(), self.config.rules);
        let first = |known: &&Known| known.record().name() < me && known.overdue(rules) > now;
        let before = self.counted_others().filter(first).take(4);
        before.map(|_| self.config.retry_period / 8).sum()
    }

    /// Everybody but oneself, in whichever life.
    fn is_guarded(&self, known: &Known) -> bool {
        known.record().name() != self.config.member.name() || !self.is_of_this_process(known)
    }

    fn exclude(&mut self, now: Instant, suspect: &Known) {
        let name: Arc<str> = suspect.record().name().into();
        let over = suspect.stored.version;
        let record = MemberRecord { state: State::Excluded, ..suspect.record().clone() };
        let record = Arc::new(record);
        let deadline = now + self.config.request_timeout;
        if let Some(known) = self.view.get_mut(&name) {
            known.excluded_at = Some(deadline);
        }
        let over_any = !self.config.rules.hold(Rule::ExclusionVersion);
        let guard = if over_any { u64::MAX } else { over };
        let op = Op::Update(record, guard);
        self.calls.send(&mut self.out, (now, deadline), Kind::Exclude(name.clone(), over), op);
        if !self.config.rules.hold(Rule::ExclusionAnswer) {
            self.view.mark_excluded(&name);
        }
    }

    /// One that cannot be read is not to be excluded before the own lease duration, whatever it says.
    pub(super) fn wait_for_unreadable(&self, stored: &mut StoredMember) {
        if stored.record.state == State::Unreadable {
            let record = Arc::make_mut(&mut stored.record);
            record.lease_duration = record.lease_duration.max(self.config.lease_duration);
        }
    }

    /// The exclusion is in the store, with this version.
    pub(super) fn excluded(&mut self, now: Instant, name: &Arc<str>, over: u64, version: u64) {
        let Some(known) = self.view.get(name) else { return };
        if known.stored.version == version {
            self.out.event(Event::Excluded { member: name.clone() });
            return; // a watch was faster than the answer
        }
        if known.stored.version != over && self.config.rules.hold(Rule::ExclusionNewer) {
            return; // it has joined anew in between
        }
        let record = MemberRecord { state: State::Excluded, ..known.record().clone() };
        let version = version.max(known.stored.version.saturating_add(1));
        let stored = StoredMember { record: record.into(), version };
        self.view.store(stored, now, self.config.rules);
        self.out.event(Event::Excluded { member: name.clone() });
        self.seen(now, self.view.version);
    }

    pub(super) fn not_excluded(&mut self, now: Instant, name: &Arc<str>, over: u64, why: Failure) {
        if why == Failure::Conflict && !self.config.rules.hold(Rule::ConflictIsNoExclusion) {
            self.excluded(now, name, over, over + 1);
            return;
        }
        // Whatever it was: what counts is what is there now. A watch shows what was in the way.
        if why != Failure::Conflict || !self.watch.running {
            self.next_read = self.next_read.min(now);
        }
        let again = now + self.config.retry_period;
        if let Some(known) = self.view.get_mut(name) {
            known.excluded_at = known.excluded_at.map(|_| again);
        }
        self.watchdog = self.watchdog.min(again);
    }

    /// Deletes the records of those that went long ago; one member does that for all.
    fn collect(&mut self, now: Instant) {
        if !self.is_collector() {
            return;
        }
        let old: alloc::vec::Vec<_> = self
            .view
            .others(self.config.member.name())
            .filter(|known| !known.record().state.counts())
            .filter(|known| known.since + self.config.collect_after <= now)
            .map(|known| (Arc::<str>::from(known.record().name()), known.stored.version))
            .filter(|(name, _)| !self.calls.collecting(name))
            .collect();
        let deadline = now + self.config.request_timeout;
        for (name, version) in old {
            let op = Op::Delete(name.clone(), version);
            self.calls.send(&mut self.out, (now, deadline), Kind::Collect(name, version), op);
        }
    }

    fn is_collector(&self) -> bool {
        let me = self.config.member.name();
        matches!(self.phase, Phase::Active(_))
            && self.counted_others().all(|known| known.record().name() > me)
    }

    /// When somebody may have to be excluded, or something collected, if nothing more is seen.
    pub(super) fn next_watch(&self, now: Instant) -> Instant {
        let rules = self.config.rules;
        let due = |known: &Known| {
            if known.counts(rules) {
                self.to_exclude_at(known, now)
            } else {
                // Somebody else may be the collector, or the deletion fail: ask again later.
                let due = known.since + self.config.collect_after;
                let again = self.config.collect_after.max(self.config.retry_period);
                if due > now { due } else { now + again }
            }
        };
        let guarded = self.view.iter().filter(|known| self.is_guarded(known));
        guarded.map(due).min().unwrap_or(Instant::END)
    }
}
