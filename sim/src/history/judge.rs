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
use super::step::{Step, name};
use super::term::{End, Terms};
use super::time::{Moment, Window};

/// The holder of a lock that was created because it was missing; nobody in particular.
pub(super) const UNCLAIMED: &str = "tenure.dev/unclaimed";

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
pub(super) struct Standing {
    pub(super) record: Option<Record>,
    uid: Option<Arc<str>>,
    version: Option<Version>,
    pub(super) window: Option<Window>,
    /// Who wrote it, and wrote its holder's name before.
    pub(super) by: Option<Arc<str>>,
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
    /// The last that named somebody, if the lock was deleted then and has named nobody since.
    bereft: Option<Standing>,
    /// What was written last is not known: the next step is not judged.
    missed: bool,
    pub(super) slack: i128,
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
            bereft: None,
            missed: false,
            slack,
        }
    }

    /// The record as it stands at the end, if there is one.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.now.as_ref().filter(|_| !self.deleted)?.record.as_ref()
    }

    pub(super) fn observe(&mut self, change: &Change) {
        match &change.what {
            What::Conflict => self.counts.conflicts += 1,
            What::Failed => self.counts.failures += 1,
            What::Untold => {
                self.counts.untold += 1;
                self.missed = true;
            }
            What::Deleted => self.delete(change),
            What::Stored(stored) => {
                let stored = stored.clone();
                self.store(change, stored, false);
            }
            What::Shown(stored) => {
                let stored = stored.clone();
                self.store(change, stored, true);
            }
        }
    }

    pub(super) fn tell(&mut self, rule: Rule, change: &Change, what: String) {
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
        let bereft = self.bereft.take();
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
                if deleted {
                    self.recreated(&step);
                } else {
                    self.step(&step);
                }
                self.bereft = self.bereaved(&step, bereft, deleted);
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
        let number = |version: &Option<Version>| version.as_ref().and_then(Version::as_ordered);
        let numbers = number(&now.version).zip(number(&stored.version));
        let repeated = same && stored.version.is_some() && now.version == stored.version;
        if repeated {
            self.counts.repeated += 1;
            return true;
        }
        // Of two objects the one with the greater version is the later one.
        if numbers.is_some_and(|(now, new)| new < now) {
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
            let what =
                "the lock is another object than before: it was deleted in between".to_owned();
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
            let what =
                "what was written before this is not in the recording: the step is not judged";
            self.tell(Rule::Missing, change, what.to_owned());
        }
    }

    /// Whether the lock is of a kind that can be seen in full: a deletion alone is no lock's if it may be
    /// of any object of its kind.
    pub(super) fn concerns(change: &Change) -> bool {
        change.lock.kind == Kind::Lease || matches!(change.what, What::Stored(_) | What::Shown(_))
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

/// Whether this is somebody, not a placeholder.
pub(super) fn is_somebody(holder: &Identity) -> bool {
    !holder.is_empty() && holder.as_str() != UNCLAIMED
}
