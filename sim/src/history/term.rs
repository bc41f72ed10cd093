//! Who held a lock when.

use std::collections::VecDeque;

use tenure::lock::{Identity, Record};

use super::judge::is_somebody;
use super::time::{Moment, SECOND};

/// How many terms are kept: the last ones.
pub const KEPT_TERMS: usize = 100;

/// Of a longer name about so many bytes are kept: a lock with a hundred holders' names of megabytes is one
/// lock, and costs no more than others. Names of pods have 253 letters at most.
const KEPT_NAME: usize = 1 << 10;

/// How a term ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its record was cleared.
    Released,
    /// Another took the lock.
    Taken,
    /// The lock was deleted.
    Deleted,
}

impl End {
    /// As it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Taken => "taken over",
            Self::Deleted => "deleted",
        }
    }
}

/// The time from a holder's first write to the end of its term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Who; of a name of more than a kilobyte the beginning and `…`, once the term is over.
    pub holder: Identity,
    /// `leaseTransitions`.
    pub transitions: i64,
    /// Its first write.
    pub from: Option<Moment>,
    /// Its last write.
    pub last: Option<Moment>,
    /// How often it wrote.
    pub writes: u64,
    /// How long its record lasts, in nanoseconds.
    pub lasts: i128,
    /// How it ended and when, unless it was under way at the end of the recording.
    pub end: Option<(Option<Moment>, End)>,
}

/// A stretch of time, and who had the lock then or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// How long, in nanoseconds.
    pub length: i128,
    /// From when on.
    pub from: Moment,
    /// Whose, cut as in [`Term`].
    pub holder: Identity,
}

/// The terms of a lock: the last [`KEPT_TERMS`], and sums over all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    kept: VecDeque<Term>,
    /// How many there were.
    pub count: u64,
    /// The longest between two writes of a holder.
    pub longest_gap: Option<Stretch>,
    /// The longest without a holder: from when the last one's duration was over, or it released the lock
    /// or lost it, to the first write of the next.
    pub longest_vacancy: Option<Stretch>,
}

impl Terms {
    /// The last of them, oldest first.
    #[must_use]
    pub fn kept(&self) -> impl DoubleEndedIterator<Item = &Term> {
        self.kept.iter()
    }

    pub(super) fn end(&mut self, at: Option<Moment>, how: End) {
        if let Some(term) = self.kept.back_mut().filter(|term| term.end.is_none()) {
            term.end = Some((at, how));
            term.holder = cut(&term.holder);
        }
    }

    /// A version of the lock.
    pub(super) fn see(&mut self, record: &Record, at: Option<Moment>, recreated: bool) {
        let current = self.kept.back_mut().filter(|term| term.end.is_none() && !recreated);
        if let Some(term) = current {
            if term.holder == record.holder {
                if let Some((last, at)) = term.last.zip(at) {
                    longest(&mut self.longest_gap, last, at, &term.holder);
                }
                term.last = at;
                term.writes += 1;
                term.lasts = lasts(record);
                return;
            }
            let how = if record.holder.is_empty() { End::Released } else { End::Taken };
            self.end(at, how);
        }
        if !is_somebody(&record.holder) {
            return;
        }
        self.find_vacancy(at);
        self.count += 1;
        if self.kept.len() == KEPT_TERMS {
            self.kept.pop_front();
        }
        self.kept.push_back(Term {
            holder: record.holder.clone(),
            transitions: record.leader_transitions,
            from: at,
            last: at,
            writes: 1,
            lasts: lasts(record),
            end: None,
        });
    }

    fn find_vacancy(&mut self, at: Option<Moment>) {
        let Some(last) = self.kept.back() else { return };
        let over = last.last.map(|last_write| last_write.plus(last.lasts));
        let ended = last.end.and_then(|(ended, _)| ended);
        let from = match (over, ended) {
            (Some(over), Some(ended)) => Some(over.min(ended)),
            (over, ended) => over.or(ended),
        };
        if let Some((from, at)) = from.zip(at) {
            longest(&mut self.longest_vacancy, from, at, &last.holder);
        }
    }
}

fn lasts(record: &Record) -> i128 {
    i128::from(record.lease_duration_seconds.max(0)) * SECOND
}

fn longest(stretch: &mut Option<Stretch>, from: Moment, to: Moment, holder: &Identity) {
    let length = to.since(from);
    if length > stretch.as_ref().map_or(0, |stretch| stretch.length) {
        *stretch = Some(Stretch { length, from, holder: cut(holder) });
    }
}

fn cut(holder: &Identity) -> Identity {
    let name = holder.as_str();
    if name.len() <= KEPT_NAME {
        return holder.clone();
    }
    let kept = name.char_indices().take_while(|(at, _)| *at < KEPT_NAME).map(|(_, letter)| letter);
    kept.chain(['…']).collect::<String>().into()
}
