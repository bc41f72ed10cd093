use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::rules::{Rule, Rules};
use super::{MemberRecord, State, StoredMember};
use crate::placement::{Member, Members};
use crate::time::Instant;

/// What a member knows of all members' records, itself included, and when it learnt it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct View {
    /// Everything that was written up to this version has been seen.
    pub(super) version: u64,
    known: BTreeMap<Arc<str>, Known>,
    /// How many records say Joining: mostly none.
    joining: usize,
    /// Somebody began or ceased to count since the last [`take_change`](View::take_change).
    changed: bool,
    /// Or does something else.
    restated: bool,
}

/// A record as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Known {
    pub(super) stored: StoredMember,
    /// When this version was seen first, or found gone.
    pub(super) since: Instant,
    /// It vanished without having said that its member has left.
    pub(super) gone: bool,
    /// The version at which this incarnation was seen first: not below that of its joining write.
    pub(super) met: u64,
    /// An exclusion is under way, or failed: when the next may be sent.
    pub(super) excluded_at: Option<Instant>,
}

impl Known {
    pub(super) fn record(&self) -> &MemberRecord {
        &self.stored.record
    }

    pub(super) fn counts(&self, rules: Rules) -> bool {
        let state = self.record().state;
        state.counts() && (state != State::Draining || rules.hold(Rule::CountDraining))
    }

    /// All that decides what it may have.
    fn counted(&self, rules: Rules) -> (&Member, bool) {
        (&self.record().member, self.counts(rules))
    }

    /// What a later version says, but for what is fixed for an incarnation: if that has changed, it was
    /// changed by hand, and not everybody sees it at once.
    fn fixed(&self, later: &MemberRecord) -> Arc<MemberRecord> {
        let known = self.record();
        Arc::new(MemberRecord {
            member: known.member.clone(),
            generation: known.generation,
            lease_duration: known.lease_duration,
            ..later.clone()
        })
    }

    /// When others have waited long enough for a sign of it.
    pub(super) fn overdue(&self, rules: Rules) -> Instant {
        let wait = rules.hold(Rule::WaitLease);
        let due = if wait { self.since + self.record().lease_duration } else { self.since };
        self.excluded_at.map_or(due, |at| due.max(at))
    }

    /// Whether it has joined and not been acknowledged by all.
    pub(super) fn joins(&self) -> bool {
        self.record().state == State::Joining
    }

    /// Up to which version its member has acknowledged what it saw.
    pub(super) fn acknowledged(&self) -> u64 {
        self.record().acknowledged(self.stored.version)
    }
}

impl View {
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Known> {
        self.known.get_mut(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.known.values_mut()
    }

    /// All but the member called `me`.
    pub(super) fn others<'a>(&'a self, me: &'a str) -> impl Iterator<Item = &'a Known> {
        self.iter().filter(move |known| known.record().name() != me)
    }

    /// Whether who counts has changed since this was asked last.
    pub(super) fn take_change(&mut self) -> bool {
        core::mem::take(&mut self.restated);
        core::mem::take(&mut self.changed)
    }

    /// As [`take_change`](Self::take_change), or does something else.
    pub(super) fn take_restatement(&mut self) -> bool {
        core::mem::take(&mut self.restated) | core::mem::take(&mut self.changed)
    }

    /// For explorers: who does something else decides nothing in mode `ranked`.
    pub(super) const fn forget_restated(&mut self) {
        self.restated = false;
    }

    /// The members that count, as the ranking wants them.
    pub(super) fn counted(&self, rules: Rules) -> Members {
        let counted = self.iter().filter(|known| known.counts(rules));
        Members::new(counted.map(|known| known.record().member.clone())).unwrap_or_default()
    }

    /// The members that act, `me` included, which may not have said so yet.
    pub(super) fn acting(&self, me: &Member) -> Members {
        let others = self.others(me.name()).map(Known::record);
        let others = others.filter(|record| record.state == State::Active);
        let all = others.map(|record| record.member.clone()).chain([me.clone()]);
        Members::new(all).unwrap_or_default()
    }

    /// A record was read or shown.
    pub(super) fn see(&mut self, stored: StoredMember, now: Instant, rules: Rules) {
        let known = self.known.get(stored.record.name());
        let fixed = rules.hold(Rule::StopToChange);
        let stored = match known.filter(|known| fixed && known.record().differs(&stored.record)) {
            Some(known) => StoredMember { record: known.fixed(&stored.record), ..stored },
            None => stored,
        };
        self.store(stored, now, rules);
    }

    /// A record was read, or written by this member. An older version than the one in hand says
    /// nothing. Whether it was new.
    pub(super) fn store(&mut self, stored: StoredMember, now: Instant, rules: Rules) -> bool {
        let joins = stored.record.state == State::Joining;
        let Some(known) = self.known.get_mut(stored.record.name()) else {
            self.joining += usize::from(joins);
            let name = stored.record.name().into();
            let met = stored.version;
            let new = Known { stored, since: now, gone: false, met, excluded_at: None };
            self.known.insert(name, new);
            (self.changed, self.restated) = (true, true);
            return true;
        };
        let old = known.stored.version > stored.version && rules.hold(Rule::ViewsForward);
        let deaf = known.record().state == State::Excluded && !rules.hold(Rule::NewerCounts);
        if old || deaf || known.stored.version == stored.version && !known.gone {
            return false;
        }
        let same = known.record().incarnation == stored.record.incarnation;
        let met = if same { known.met } else { stored.version };
        let new = Known { stored, since: now, gone: false, met, excluded_at: None };
        self.changed |= known.counted(rules) != new.counted(rules);
        self.restated |= known.record().state != new.record().state;
        self.joining = self.joining + usize::from(joins) - usize::from(known.joins());
        *known = new;
        true
    }

    /// Those that join, all but the member called `me`; at no cost if there is none.
    pub(super) fn joiners<'a>(&'a self, me: &'a str) -> impl Iterator<Item = &'a Known> {
        let any = (self.joining > 0).then(|| self.others(me).filter(|known| known.joins()));
        any.into_iter().flatten()
    }

    /// There is no record of this name at `version`.
    pub(super) fn absent(&mut self, name: &str, version: u64, now: Instant, rules: Rules) {
        let Some(known) = self.known.get_mut(name) else { return };
        if known.stored.version > version || known.gone {
            return;
        }
        if known.record().state.counts() && rules.hold(Rule::AbsenceWaits) {
            known.gone = true;
            known.since = now;
            known.excluded_at = None;
        } else {
            self.drop(name);
        }
    }

    /// The records of the whole group at `version`.
    pub(super) fn list(
        &mut self,
        members: Vec<StoredMember>,
        version: u64,
        now: Instant,
        rules: Rules,
    ) {
        let listed: BTreeSet<&str> = members.iter().map(|stored| stored.record.name()).collect();
        let missing = |name: &&Arc<str>| !listed.contains(name.as_ref());
        let absent: Vec<_> = self.known.keys().filter(missing).cloned().collect();
        for stored in members {
            self.see(stored, now, rules);
        }
        for name in absent {
            self.absent(&name, version, now, rules);
        }
        self.version = version;
    }

    /// Without rule [`ExclusionAnswer`](Rule::ExclusionAnswer): as if the store had said so.
    pub(super) fn mark_excluded(&mut self, name: &str) {
        if let Some(known) = self.known.get_mut(name) {
            self.joining -= usize::from(known.joins());
            let record = MemberRecord { state: State::Excluded, ..known.record().clone() };
            known.stored.record = record.into();
            self.changed = true;
        }
    }

    pub(super) fn drop(&mut self, name: &str) {
        if let Some(known) = self.known.remove(name) {
            self.joining -= usize::from(known.joins());
            self.changed |= known.record().state.counts();
        }
    }
}
