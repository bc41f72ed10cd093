//! One lock's history, step by step, in memory that does not grow.
//!
//! A *step* is from one stored object to the next. It is judged by the rules of client-go
//! (`leaderelection.go`, `tryAcquireOrRenew`, `release`): who finds a record of another waits its
//! duration after it last changed, raises `leaseTransitions` by one when it takes the lock, and nobody
//! clears a record but its holder.

use std::sync::Arc;

use tenure::lock::{Identity, Kind, Record, Version};

use super::change::{Change, LockName, What};
use super::finding::{Finding, Findings, Rule};
use super::lengths::Lengths;
use super::object::Stored;
use super::plain::Plain;
use super::term::{End, Terms};
use super::time::{Length, Moment, SECOND, Window};

/// The holder of a lock that was created because it was missing; nobody in particular.
const UNCLAIMED: &str = "tenure.dev/unclaimed";
/// Clocks that differ by less over a renewal are no news.
const JUMP: i128 = SECOND;

/// How many of what there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Versions of the object.
    pub versions: u64,
    /// Renewals: versions with the holder of the one before.
    pub renewals: u64,
    /// Holders that took the lock from another whose duration was over.
    pub takeovers: u64,
    /// Holders that took a lock that was free.
    pub acquisitions: u64,
    /// Records that were cleared.
    pub releases: u64,
    /// Deletions.
    pub deletions: u64,
    /// Writes that were refused because the object had changed.
    pub conflicts: u64,
    /// Writes that failed otherwise.
    pub failures: u64,
    /// Versions that were shown again.
    pub repeated: u64,
    /// Writes of which the recording does not say what was written.
    pub untold: u64,
    /// Steps that were judged.
    pub judged: u64,
    /// Steps from one holder to another without a clock to judge whether it was too early.
    pub untimed: u64,
}

/// The last version that is known.
#[derive(Debug, Clone)]
struct Standing {
    record: Option<Record>,
    uid: Option<Arc<str>>,
    version: Option<Version>,
    window: Option<Window>,
    /// Who wrote it, and wrote its holder's name before.
    by: Option<Arc<str>>,
}

/// All that is known of one lock. Memory: a few kilobytes, however long the history.
#[derive(Debug, Clone)]
pub struct History {
    /// Which lock.
    pub lock: LockName,
    /// How many of what.
    pub counts: Counts,
    /// Between two writes of one holder.
    pub intervals: Lengths,
    /// How long the server took for writes that were stored; in a watch how long after `renewTime` the
    /// object was received.
    pub latencies: Lengths,
    /// Who held it when.
    pub terms: Terms,
    /// What is suspicious.
    pub findings: Findings,
    now: Option<Standing>,
    /// The object is gone; `now` is what it said last.
    deleted: bool,
    /// What was written last is not known: the next step is not judged.
    missed: bool,
    slack: i128,
}

impl History {
    pub(super) fn new(lock: LockName, slack: i128) -> Self {
        Self {
            lock,
            counts: Counts::default(),
            intervals: Lengths::default(),
            latencies: Lengths::default(),
            terms: Terms::default(),
            findings: Findings::default(),
            now: None,
            deleted: false,
            missed: false,
            slack,
        }
    }

    /// The record as it stands at the end, if there is one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.now.as_ref().filter(|_| !self.deleted)?.record.as_ref()
    }

    pub(super) fn observe(&mut self, change: Change) {
        match &change.what {
            What::Conflict => self.counts.conflicts += 1,
            What::Failed => self.counts.failures += 1,
            What::Untold => {
                self.counts.untold += 1;
                self.missed = true;
            }
            What::Deleted => self.delete(&change),
            What::Stored(stored) => {
                let stored = stored.clone();
                self.store(&change, stored, false);
            }
            What::Shown(stored) => {
                let stored = stored.clone();
                self.store(&change, stored, true);
            }
        }
    }

    fn tell(&mut self, rule: Rule, change: &Change, what: String) {
        let at = moment(change);
        self.findings.add(Finding { rule, line: change.line, at, what });
    }

    fn delete(&mut self, change: &Change) {
        self.counts.deletions += 1;
        let holder = self.record().map_or("", |record| record.holder.as_str());
        let by = change.by.as_ref().map_or(String::new(), |by| format!(" by {}", Plain(by)));
        let what = format!("the lock of {} was deleted{by}", name(holder));
        self.tell(Rule::Deleted, change, what);
        self.terms.end(moment(change), End::Deleted);
        self.deleted = true;
    }

    fn store(&mut self, change: &Change, stored: Stored, shown: bool) {
        if self.is_old(change, &stored, shown) {
            return;
        }
        self.counts.versions += 1;
        let latency = change.took.or_else(|| {
            let renewed = stored.record.as_ref()?.renew_time?;
            // Simulated time has another origin than wall clocks.
            let seen = change.window.filter(|_| change.by.is_none() && !shown)?;
            Some(seen.to.since(Moment::of(renewed)))
        });
        if let Some(latency) = latency {
            self.latencies.add(latency);
        }
        if stored.record.is_none() {
            let what = "the annotation is no record: electors cannot read who holds the lock";
            self.tell(Rule::Unreadable, change, what.to_owned());
        }
        self.find_gap(change, &stored, shown);
        let before = self.now.take();
        let missed = std::mem::take(&mut self.missed);
        let deleted = std::mem::take(&mut self.deleted);
        let mut now = Standing {
            record: stored.record,
            uid: stored.uid,
            version: stored.version,
            window: change.window,
            by: change.by.clone(),
        };
        if let Some(before) = &before
            && let (Some(old), Some(new)) = (&before.record, &now.record)
        {
            let step = Step { before, old, new, change };
            if !missed {
                self.counts.judged += 1;
                if deleted { self.recreated(&step) } else { self.step(&step) }
            } else if !deleted && old.holder == new.holder {
                self.counts.renewals += 1;
            }
            if new.holder.is_empty() {
                // A release does not change who wrote the holder's name.
                now.by.clone_from(&before.by);
            }
        }
        if let Some(record) = &now.record {
            self.terms.see(record, moment(change), deleted);
        }
        self.now = Some(now);
    }

    /// Whether this version was seen already, or one after it.
    fn is_old(&mut self, change: &Change, stored: &Stored, shown: bool) -> bool {
        let Some(now) = &self.now else { return false };
        let same = match (&now.uid, &stored.uid) {
            (Some(now), Some(uid)) => now == uid,
            _ => true,
        };
        let order = |version: &Option<Version>| version.as_ref().and_then(Version::as_ordered);
        let older = order(&now.version).zip(order(&stored.version)).map(|(now, new)| new.cmp(&now));
        let repeated = same && stored.version.is_some() && now.version == stored.version;
        if repeated {
            self.counts.repeated += 1;
            return true;
        }
        // Of two objects the one with the greater version is the later one.
        if older.is_some_and(core::cmp::Ordering::is_lt) {
            if shown {
                self.counts.repeated += 1;
            } else {
                let what = "older than a version before it: not judged".to_owned();
                self.tell(Rule::OutOfOrder, change, what);
            }
            return true;
        }
        false
    }

    /// Whether something happened that the recording does not show.
    fn find_gap(&mut self, change: &Change, stored: &Stored, shown: bool) {
        let Some(now) = &self.now else { return };
        let another = matches!((&now.uid, &stored.uid), (Some(now), Some(uid)) if now != uid);
        if another && !self.deleted {
            self.counts.deletions += 1;
            let what = "the lock is another object than before: it was deleted in between".to_owned();
            // A watch shows the last state of what was deleted; a log without the deletion has a hole.
            self.missed |= change.by.is_some() || shown;
            self.terms.end(None, End::Deleted);
            self.deleted = true;
            self.tell(Rule::Deleted, change, what);
            return;
        }
        let Some(now) = &self.now else { return };
        let over = matches!((&now.version, &change.over), (Some(now), Some(over)) if now != over);
        if !self.deleted && (over || shown) {
            self.missed = true;
            let what = "what was written before this is not in the recording: the step is not judged";
            self.tell(Rule::Missing, change, what.to_owned());
        }
    }

    /// The lock stands again after it was deleted.
    fn recreated(&mut self, step: &Step<'_>) {
        let (old, new) = (&step.old.holder, &step.new.holder);
        if new.is_empty() || new == old || new.as_str() == UNCLAIMED {
            return;
        }
        self.counts.acquisitions += 1;
        if old.is_empty() || old.as_str() == UNCLAIMED {
            return;
        }
        let Some((stood, lasts)) = step.early(self.slack) else {
            self.counts.untimed += u64::from(step.stood().is_none());
            return;
        };
        let what = format!(
            "{} created the lock in its name {stood} at most after the last write of {}, whose lock was \
             deleted and lasts {lasts}",
            name(new.as_str()),
            name(old.as_str()),
        );
        self.tell(Rule::TakenAfterDeletion, step.change, what);
    }

    fn step(&mut self, step: &Step<'_>) {
        match (step.old.holder.is_empty(), step.new.holder.is_empty()) {
            (true, true) => {}
            (false, true) => self.released(step),
            (true, false) => self.counts.acquisitions += 1,
            _ if step.old.holder == step.new.holder => self.renewed(step),
            _ => self.taken(step),
        }
        self.transitions(step);
    }

    fn taken(&mut self, step: &Step<'_>) {
        self.counts.takeovers += 1;
        let (old, new) = (name(step.old.holder.as_str()), name(step.new.holder.as_str()));
        if let Some((stood, lasts)) = step.early(self.slack) {
            let what =
                format!("{new} took the lock of {old} {stood} at most after its last write; it lasts {lasts}");
            return self.tell(Rule::EarlyTakeover, step.change, what);
        }
        if step.stood().is_some() {
            return;
        }
        self.counts.untimed += 1;
        let times = step.new.renew_time.zip(step.old.renew_time);
        let passed = times.map(|(new, old)| Moment::of(new).since(Moment::of(old)));
        let lasts = step.lasts();
        if let Some(passed) = passed.filter(|passed| *passed < lasts) {
            let what = format!(
                "{new} took the lock of {old} {} after it by the times in the records, which are of two \
                 clocks; it lasts {}",
                Length(passed),
                Length(lasts),
            );
            self.tell(Rule::EarlyByRecords, step.change, what);
        }
    }

    fn released(&mut self, step: &Step<'_>) {
        self.counts.releases += 1;
        let (Some(holder), Some(by)) = (&step.before.by, &step.change.by) else { return };
        if holder == by {
            return;
        }
        let old = name(step.old.holder.as_str());
        let Some(stood) = step.stood() else { return };
        let what = format!(
            "{} cleared the record of {old}, which {} wrote, {} after its last write; it lasts {}",
            Plain(by),
            Plain(holder),
            Length(stood),
            Length(step.lasts()),
        );
        let live = step.early(self.slack).is_some();
        let rule = if live { Rule::ReleasedByAnother } else { Rule::ClearedByAnother };
        self.tell(rule, step.change, what);
    }

    fn renewed(&mut self, step: &Step<'_>) {
        self.counts.renewals += 1;
        let old = name(step.old.holder.as_str());
        if let (Some(before), Some(by)) = (&step.before.by, &step.change.by)
            && before != by
        {
            let what = format!("{} renewed as {old}, as {} did before", Plain(by), Plain(before));
            self.tell(Rule::AnotherWriter, step.change, what);
        }
        let records = step.new.renew_time.zip(step.old.renew_time);
        let ran = records.map(|(new, old)| Moment::of(new).since(Moment::of(old)));
        let windows = step.change.window.zip(step.before.window);
        if let Some(passed) = windows.map(|(now, before)| now.to.since(before.to)).or(ran) {
            self.intervals.add(passed);
        }
        let lasts = step.lasts();
        if let Some((now, before)) = windows
            && lasts > 0
            && now.from.since(before.to) > lasts.saturating_add(self.slack)
        {
            let passed = Length(now.to.since(before.to));
            let what = format!("{old} renewed {passed} after its last write; it lasts {}", Length(lasts));
            self.tell(Rule::LateRenewal, step.change, what);
        }
        let Some(ran) = ran else { return };
        let off = windows.map_or(0, |(now, before)| {
            let (least, most) = (now.from.since(before.to), now.to.since(before.from));
            (ran - most).max(least - ran)
        });
        if ran < 0 || off > JUMP.saturating_add(self.slack) {
            let passed = windows.map_or(String::new(), |(now, before)| {
                format!(" in {}", Length(now.to.since(before.to)))
            });
            let what = format!("renewTime of {old} went {}{passed}", Length(ran));
            self.tell(Rule::ClockJump, step.change, what);
        }
    }

    fn transitions(&mut self, step: &Step<'_>) {
        let (was, is) = (step.old.leader_transitions, step.new.leader_transitions);
        let hands = !step.new.holder.is_empty() && step.new.holder != step.old.holder;
        let coordinated = step.old.strategy.is_some() || step.new.strategy.is_some();
        let expected = was.saturating_add(i64::from(hands));
        if is == expected {
            return;
        }
        let (old, new) = (name(step.old.holder.as_str()), name(step.new.holder.as_str()));
        let from = if hands { format!("from {old} to {new}") } else { format!("under {old}") };
        let what = format!("leaseTransitions went from {was} to {is} {from}");
        let rule = match is.cmp(&was) {
            core::cmp::Ordering::Less => Rule::TransitionsFell,
            core::cmp::Ordering::Equal if coordinated => return,
            core::cmp::Ordering::Equal => Rule::TransitionsKept,
            core::cmp::Ordering::Greater => Rule::TransitionsJumped,
        };
        self.tell(rule, step.change, what);
    }

    /// Whether the lock is of a kind that can be seen in full: a deletion alone is no lock's if it may be
    /// of any object of its kind.
    pub(super) fn concerns(change: &Change) -> bool {
        change.lock.kind == Kind::Lease
            || matches!(change.what, What::Stored(_) | What::Shown(_))
    }
}

/// From one version to the next.
struct Step<'a> {
    before: &'a Standing,
    old: &'a Record,
    new: &'a Record,
    change: &'a Change,
}

impl Step<'_> {
    /// How long the old record lasts, in nanoseconds.
    fn lasts(&self) -> i128 {
        i128::from(self.old.lease_duration_seconds.max(0)) * SECOND
    }

    /// How long the old version can have stood at most.
    fn stood(&self) -> Option<i128> {
        let (now, before) = (self.change.window?, self.before.window?);
        Some(now.to.since(before.from))
    }

    /// How long it stood and how long it lasts, if that was too early even if all was as late as it can
    /// have been, and the clock of whoever waited as fast.
    fn early(&self, slack: i128) -> Option<(Length, Length)> {
        let stood = self.stood()?;
        let lasts = self.lasts();
        let owed = lasts * SECOND / i128::from(self.change.rate_ppb.max(1));
        (stood.saturating_add(slack) < owed).then_some((Length(stood), Length(lasts)))
    }
}

/// When, by the best clock there is: the recording's, else that of the holder.
fn moment(change: &Change) -> Option<Moment> {
    let recorded = change.window.map(|window| window.to);
    recorded.or_else(|| match &change.what {
        What::Stored(stored) | What::Shown(stored) => {
            stored.record.as_ref()?.renew_time.map(Moment::of)
        }
        _ => None,
    })
}

/// A holder's name for people.
const fn name(holder: &str) -> Plain<'_> {
    Plain(if holder.is_empty() { "nobody" } else { holder })
}

/// Whether this is somebody, not a placeholder.
pub(super) fn is_somebody(holder: &Identity) -> bool {
    !holder.is_empty() && holder.as_str() != UNCLAIMED
}
