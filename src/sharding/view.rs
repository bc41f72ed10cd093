use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::rules::{Rule, Rules};
use super::{MemberRecord, State, StoredMember};
use crate::placement::{Member, Members};
use crate::time::Instant;

/// What a member knows of all members' records, itself included, and when it learnt it.
///
/// Whose record it is that comes is found by the hash that each name carries: in a group of hundreds
/// each of its members is shown each renewal, and texts would have to be fetched to be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct View {
    /// Everything that was written up to this version has been seen.
    pub(super) version: u64,
    /// Ascending by name.
    known: Vec<Known>,
    /// Of each name's hash the upper half, ascending, and its place among the known.
    places: Vec<(u32, u32)>,
    /// How many records say Joining: mostly none.
    joining: usize,
    /// How many cannot be read.
    unread: usize,
    /// Somebody began or ceased to count since the last [`take_change`](View::take_change).
    changed: bool,
    /// Or does something else.
    restated: bool,
}

/// Places follow from the records.
impl Hash for View {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.version.hash(state);
        state.write_usize(self.known.len());
        for known in &self.known {
            known.record().name().hash(state);
            known.hash(state);
        }
        (self.joining, self.changed, self.restated).hash(state);
    }
}

/// A record as it was seen last. In one cache line: there is one for each of the others, and all that is
/// shown changes one.
#[repr(align(64))]
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
    /// It cannot be read: up to which version everything had been seen when it still could, or was not
    /// there. Nothing after that is acknowledged, as it may have joined since.
    unread: Option<u64>,
}

impl Known {
    /// Seen for the first time.
    const fn new(stored: StoredMember, unread: Option<u64>, now: Instant) -> Self {
        let met = stored.version;
        Self { stored, since: now, gone: false, met, excluded_at: None, unread }
    }

    pub(super) fn record(&self) -> &MemberRecord {
        &self.stored.record
    }

    /// Mostly the two share their name, and nothing is compared.
    fn is_of(&self, member: &Member) -> bool {
        self.record().member == *member || self.record().name() == member.name()
    }

    pub(super) fn counts(&self, rules: Rules) -> bool {
        let state = self.record().state;
        state.counts() && (state != State::Draining || rules.hold(Rule::CountDraining))
    }

    /// Whether it may have slots. One that could never be read has none yet: it needs the acknowledgement
    /// of this member.
    fn ranks(&self, rules: Rules) -> bool {
        (self.counts(rules) || !rules.hold(Rule::GoneHaveNone))
            && self.record().state != State::Unreadable
    }

    /// All that decides what it may have.
    fn counted(&self, rules: Rules) -> (&Member, bool) {
        (&self.record().member, self.ranks(rules))
    }

    /// What to believe of `stored`, which cannot be read, after this: its member has what it had, since
    /// weight and zone are fixed for a life.
    fn obscured(&self, stored: StoredMember) -> StoredMember {
        let old = self.record();
        if !old.state.counts() {
            return stored;
        }
        let record = MemberRecord {
            member: old.member.clone(),
            state: old.state,
            lease_duration: old.lease_duration.max(stored.record.lease_duration),
            ..MemberRecord::clone(&stored.record)
        };
        StoredMember { record: record.into(), ..stored }
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
    /// O(log members) comparisons of names.
    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.known.get(self.seek(name).ok()?)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Known> {
        let at = self.seek(name).ok()?;
        self.known.get_mut(at)
    }

    /// Where the record of this name is, or would be.
    fn seek(&self, name: &str) -> Result<usize, usize> {
        self.known.binary_search_by(|known| known.record().name().cmp(name))
    }

    /// The known record of the same member. Hashes lie evenly, so it is looked for where it would be if
    /// they did so exactly: O(√members) on average, mostly in one cache line, one comparison of names.
    fn place(&self, of: &Member) -> Option<usize> {
        let (hash, count) = (upper(of), self.places.len() as u64);
        let hash_at = |at: usize| self.places.get(at).map(|(hash, _)| *hash);
        let mut at = usize::try_from((u64::from(hash) * count) >> 32).unwrap_or(0);
        while at > 0 && hash_at(at - 1) >= Some(hash) {
            at -= 1;
        }
        while hash_at(at).is_some_and(|other| other < hash) {
            at += 1;
        }
        let alike = self.places.get(at..)?.iter().take_while(|(other, _)| *other == hash);
        let mut alike = alike.map(|(_, at)| *at as usize);
        alike.find(|at| self.known.get(*at).is_some_and(|known| known.is_of(of)))
    }

    /// After members came or went.
    fn place_all(&mut self) {
        let hashes = self.known.iter().map(|known| upper(&known.record().member));
        self.places.clear();
        self.places.extend(hashes.zip(0..));
        self.places.sort_unstable();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.known.iter()
    }

    /// Names are not to be changed.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Known> {
        self.known.iter_mut()
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
        let counted = self.iter().filter(|known| known.ranks(rules));
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
        let at = self.place(&stored.record.member);
        let known = at.and_then(|at| self.known.get(at));
        let fixed = rules.hold(Rule::StopToChange);
        let stored = match known.filter(|known| fixed && known.record().differs(&stored.record)) {
            Some(known) => StoredMember { record: known.fixed(&stored.record), ..stored },
            None => stored,
        };
        self.put(at, stored, now, rules);
    }

    /// A record was read, or written by this member. An older version than the one in hand says
    /// nothing. Whether it was new.
    pub(super) fn store(&mut self, stored: StoredMember, now: Instant, rules: Rules) -> bool {
        self.put(self.place(&stored.record.member), stored, now, rules)
    }

    /// The same of a member whose place is known.
    fn put(&mut self, at: Option<usize>, stored: StoredMember, now: Instant, rules: Rules) -> bool {
        let joins = |record: &MemberRecord| usize::from(record.state == State::Joining);
        let unread = (stored.record.state == State::Unreadable).then_some(self.version);
        let Some(known) = at.and_then(|at| self.known.get_mut(at)) else {
            self.joining += joins(&stored.record);
            self.unread += usize::from(unread.is_some());
            self.add(stored, unread, now);
            return true;
        };
        let old = known.stored.version > stored.version && rules.hold(Rule::ViewsForward);
        let deaf = known.record().state == State::Excluded && !rules.hold(Rule::NewerCounts);
        if old || deaf || known.stored.version == stored.version && !known.gone {
            return false;
        }
        let unread = unread.map(|now| known.unread.unwrap_or(now));
        let stored = if unread.is_some() { known.obscured(stored) } else { stored };
        let same = known.record().incarnation == stored.record.incarnation;
        let met = if same { known.met } else { stored.version };
        let new = Known { stored, since: now, gone: false, met, excluded_at: None, unread };
        self.changed |= known.counted(rules) != new.counted(rules);
        self.restated |= known.record().state != new.record().state;
        self.joining = self.joining + joins(new.record()) - usize::from(known.joins());
        self.unread =
            self.unread + usize::from(unread.is_some()) - usize::from(known.unread.is_some());
        *known = new;
        true
    }

    fn add(&mut self, stored: StoredMember, unread: Option<u64>, now: Instant) {
        let (Ok(at) | Err(at)) = self.seek(stored.record.name());
        self.known.insert(at, Known::new(stored, unread, now));
        self.place_all();
        (self.changed, self.restated) = (true, true);
    }

    /// Many at once, in any order: whoever can create records can create very many, and one by one each
    /// would cost as much as all that are known.
    fn add_all(&mut self, mut new: Vec<StoredMember>, now: Instant, rules: Rules) {
        new.sort_by(|one, other| one.record.name().cmp(other.record.name()));
        if new.is_empty() {
            return;
        }
        let mut again = Vec::new();
        for stored in new {
            let last = self.known.last().map(|known| known.record().name());
            if last == Some(stored.record.name()) {
                again.push(stored);
                continue;
            }
            let unread = (stored.record.state == State::Unreadable).then_some(self.version);
            self.joining += usize::from(stored.record.state == State::Joining);
            self.unread += usize::from(unread.is_some());
            self.known.push(Known::new(stored, unread, now));
        }
        self.known.sort_by(|one, other| one.record().name().cmp(other.record().name()));
        self.place_all();
        (self.changed, self.restated) = (true, true);
        // A list that names somebody twice.
        for stored in again {
            self.see(stored, now, rules);
        }
    }

    /// Those that join; at no cost if there is none.
    pub(super) fn joiners(&self) -> impl Iterator<Item = &Known> {
        let any = (self.joining > 0).then(|| self.iter().filter(|known| known.joins()));
        any.into_iter().flatten()
    }

    /// Up to which version everything has been seen and understood.
    pub(super) fn understood(&self) -> u64 {
        if self.unread == 0 {
            return self.version;
        }
        self.iter().filter_map(|known| known.unread).fold(self.version, u64::min)
    }

    /// There is no record of this name at `version`.
    pub(super) fn absent(&mut self, name: &str, version: u64, now: Instant, rules: Rules) {
        if self.vanishes(name, version, now, rules) {
            self.drop(name);
        }
    }

    /// The same, and whether it is to be forgotten.
    fn vanishes(&mut self, name: &str, version: u64, now: Instant, rules: Rules) -> bool {
        let Some(known) = self.get_mut(name) else { return false };
        if known.stored.version > version || known.gone {
            return false;
        }
        let waits = known.record().state.counts() && rules.hold(Rule::AbsenceWaits);
        if waits {
            known.gone = true;
            known.since = now;
            known.excluded_at = None;
        }
        !waits
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
        let names = self.iter().map(|known| known.record().name());
        let absent: Vec<Arc<str>> =
            names.filter(|name| !listed.contains(name)).map(Into::into).collect();
        let mut new = Vec::new();
        for stored in members {
            match self.place(&stored.record.member) {
                Some(_) => self.see(stored, now, rules),
                None => new.push(stored),
            }
        }
        self.add_all(new, now, rules);
        let mut names = absent;
        names.retain(|name| self.vanishes(name, version, now, rules));
        self.drop_all(&names.iter().map(|name| &**name).collect());
        self.version = version;
    }

    /// Without rule [`ExclusionAnswer`](Rule::ExclusionAnswer): as if the store had said so.
    pub(super) fn mark_excluded(&mut self, name: &str) {
        if let Ok(at) = self.seek(name)
            && let Some(known) = self.known.get_mut(at)
        {
            self.joining -= usize::from(known.joins());
            let record = MemberRecord { state: State::Excluded, ..known.record().clone() };
            known.stored.record = record.into();
            self.changed = true;
        }
    }

    pub(super) fn drop(&mut self, name: &str) {
        self.drop_all(&BTreeSet::from([name]));
    }

    fn drop_all(&mut self, names: &BTreeSet<&str>) {
        let Self { known, joining, unread, changed, .. } = self;
        let before = known.len();
        known.retain(|known| {
            let stays = !names.contains(known.record().name());
            if !stays {
                *joining -= usize::from(known.joins());
                *unread -= usize::from(known.unread.is_some());
                *changed |= known.record().state.counts();
            }
            stays
        });
        if known.len() < before {
            self.place_all();
        }
    }
}

const fn upper(of: &Member) -> u32 {
    (of.name_hash() >> 32) as u32
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use core::time::Duration;

    use super::super::{Generation, Incarnation};
    use super::*;

    fn stored(state: State, life: u32, version: u64) -> StoredMember {
        let record = MemberRecord {
            state,
            incarnation: Incarnation { process: "6ba7b810".into(), life },
            generation: Generation { number: 1, fingerprint: 7 },
            ..MemberRecord::unreadable("a", Duration::from_secs(15))
        };
        StoredMember { record: record.into(), version }
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    /// Its lease duration runs from when it was first found gone; a record that is back is not gone.
    #[test]
    fn absence_begins_once_and_ends() {
        let mut view = View::default();
        view.store(stored(State::Active, 1, 9), at(1), Rules::default());
        view.absent("a", 8, at(2), Rules::default()); // from before it was written
        assert!(!view.get("a").unwrap().gone);
        view.absent("a", 10, at(3), Rules::default());
        view.absent("a", 11, at(4), Rules::default());
        let known = view.get("a").unwrap();
        assert!(known.gone && known.since == at(3));
        assert!(view.store(stored(State::Active, 1, 9), at(5), Rules::default()));
        assert!(!view.get("a").unwrap().gone);
        view.absent("a", 12, at(6), Rules::default());
        view.drop("a");
        assert!(view.get("a").is_none());
    }

    #[test]
    fn an_incarnation_is_met_once() {
        let mut view = View::default();
        view.store(stored(State::Joining, 1, 9), at(1), Rules::default());
        assert!(view.take_restatement());
        view.store(stored(State::Joining, 1, 10), at(2), Rules::default());
        assert!(!view.take_restatement());
        assert_eq!((view.get("a").unwrap().met, view.joiners().count()), (9, 1));
        view.store(stored(State::Active, 1, 11), at(3), Rules::default());
        assert!(view.take_restatement());
        assert_eq!((view.get("a").unwrap().met, view.joiners().count()), (9, 0));
        view.store(stored(State::Joining, 2, 12), at(4), Rules::default());
        assert_eq!((view.get("a").unwrap().met, view.joiners().count()), (12, 1));
    }

    /// What was seen before it could not be read counts until it can.
    #[test]
    fn what_cannot_be_read_is_not_understood() {
        let mut view = View::default();
        view.list(vec![stored(State::Active, 1, 9)], 9, at(1), Rules::default());
        assert_eq!(view.understood(), 9);
        for version in [12, 15] {
            view.list(
                vec![stored(State::Unreadable, 0, version)],
                version,
                at(2),
                Rules::default(),
            );
            assert_eq!((view.version, view.understood()), (version, 9));
            // It has what it had.
            assert_eq!(view.get("a").unwrap().record().state, State::Active);
            assert_eq!(view.counted(Rules::default()).len(), 1);
        }
        view.list(vec![stored(State::Excluded, 0, 16)], 16, at(3), Rules::default());
        assert_eq!((view.understood(), view.counted(Rules::default()).len()), (16, 0));
        view.list(vec![stored(State::Unreadable, 0, 20)], 20, at(4), Rules::default());
        // Now it may be anybody.
        assert_eq!((view.understood(), view.counted(Rules::default()).len()), (16, 0));
        assert!(view.get("a").unwrap().counts(Rules::default()));
        view.drop("a");
        assert_eq!(view.understood(), 20);
    }
}
