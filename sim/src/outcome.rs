//! What a run amounted to.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::check::Violation;
use crate::digest::Digester;
use crate::time::SimTime;

/// A digest over every entry of a run, and at its end over the states of electors, clocks, store and
/// resource and the [`Statistics`]. Two runs that differ have different ones; what a program keeps to
/// itself (it makes no entry of it, and sends nothing) is not looked at.
///
/// ```
/// use tenure_sim::outcome::{Digest, NoDigest};
/// let digest = Digest(0xca1f);
/// assert_eq!(digest.to_string(), "0000000000000000000000000000ca1f");
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// assert_eq!("ca1f".parse::<Digest>(), Err(NoDigest));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub u128);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoDigest;

impl fmt::Display for NoDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a digest has 32 hexadecimal digits")
    }
}

impl core::error::Error for NoDigest {}

impl core::str::FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        if text.len() != 32 {
            return Err(NoDigest);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| NoDigest)
    }
}

/// What a run amounted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Over everything that happened.
    #[serde(with = "crate::wire::text")]
    pub digest: Digest,
    /// When it ended.
    pub end: SimTime,
    /// What did not hold, in order.
    pub violations: Vec<Violation>,
    /// How much happened.
    pub statistics: Statistics,
}

/// How much happened. A run in which nothing happened that could have gone wrong has not passed: see
/// [`is_vacuous`](Self::is_vacuous).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Entries taken from the event queue.
    pub events: u64,
    /// Of these, timers that had been set anew in the meantime.
    pub stale: u64,
    /// Entries of the trace.
    pub entries: u64,
    /// Requests that electors sent.
    pub requests: u64,
    /// Changes of holder from one replica to another (or the first), by updates or creates.
    pub takeovers: u64,
    /// Requests that failed on their version (`Conflict`, `AlreadyExists`).
    pub conflicts: u64,
    /// Answers that came after the call was given up.
    pub late_answers: u64,
    /// Calls given up.
    pub given_up: u64,
    /// Messages lost or cut off.
    pub lost: u64,
    /// Beginnings of belief.
    pub started_leading: u64,
    /// Ends of belief.
    pub stopped_leading: u64,
    /// Processes started, the first lives included.
    pub starts: u64,
    /// Processes killed.
    pub crashes: u64,
    /// Processes paused.
    pub pauses: u64,
    /// Guarded writes taken.
    pub accepted: u64,
    /// Guarded writes refused.
    pub refused: u64,
    /// Faults that fired.
    pub faults: u64,
    /// Of these, faults that changed something: dropped or delayed a message, hit a live process,
    /// changed the record.
    pub effective_faults: u64,
    /// Of the requests, reads.
    #[serde(default)]
    pub reads: u64,
    /// What watches showed to electors.
    #[serde(default)]
    pub watched: u64,
    /// Replicas that a rollout gave other settings.
    #[serde(default)]
    pub rolled_out: u64,
    /// Warnings of leaders that their authority is near its end.
    #[serde(default)]
    pub endangered: u64,
    /// Ends of belief because the lock is given to another.
    #[serde(default)]
    pub handed_over: u64,
}

impl Statistics {
    /// Whether nothing happened that could have gone wrong: nobody took the lock over, no fault had
    /// an effect, no conflict, no late answer. Of a run that was drawn to be `counted` among many more
    /// is asked: that the lock was taken over, and a fault had an effect.
    #[must_use]
    pub const fn is_vacuous(&self, counted: bool) -> bool {
        let (takeover, effect) = (self.takeovers > 1, self.effective_faults > 0);
        if counted {
            return !(takeover && effect);
        }
        !(takeover || effect || self.conflicts > 0 || self.late_answers > 0)
    }

    /// Each number that says how well a run went through what may happen, by its name.
    #[must_use]
    pub const fn marks(&self) -> [(&'static str, u64); 21] {
        [
            ("events", self.events),
            ("entries", self.entries),
            ("requests", self.requests),
            ("reads", self.reads),
            ("takeovers", self.takeovers.saturating_sub(1)),
            ("conflicts", self.conflicts),
            ("late answers", self.late_answers),
            ("calls given up", self.given_up),
            ("messages lost", self.lost),
            ("beginnings of belief", self.started_leading),
            ("ends of belief", self.stopped_leading),
            ("starts", self.starts),
            ("crashes", self.crashes),
            ("pauses", self.pauses),
            ("guarded writes", self.accepted),
            ("guarded writes refused", self.refused),
            ("faults", self.faults),
            ("faults with an effect", self.effective_faults),
            ("shown by a watch", self.watched),
            ("rollouts", self.rolled_out),
            ("warnings of the end", self.endangered),
        ]
    }

    /// Takes into a digest what the entries do not say anyway, and only that: numbers that were not
    /// counted when the first digests were written down stay out.
    pub(crate) fn digest(&self, digester: &mut Digester) {
        for number in [
            0, // how the queue is kept is the engine's own business, and may become cheaper
            0,
            self.entries,
            self.requests,
            self.takeovers,
            self.conflicts,
            self.late_answers,
            self.given_up,
            self.lost,
            self.started_leading,
            self.stopped_leading,
            self.starts,
            self.crashes,
            self.pauses,
            self.accepted,
            self.refused,
            self.faults,
            self.effective_faults,
        ] {
            digester.word(number);
        }
    }

    /// The sums of both.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.events, other.events),
            (&mut self.stale, other.stale),
            (&mut self.entries, other.entries),
            (&mut self.requests, other.requests),
            (&mut self.takeovers, other.takeovers),
            (&mut self.conflicts, other.conflicts),
            (&mut self.late_answers, other.late_answers),
            (&mut self.given_up, other.given_up),
            (&mut self.lost, other.lost),
            (&mut self.started_leading, other.started_leading),
            (&mut self.stopped_leading, other.stopped_leading),
            (&mut self.starts, other.starts),
            (&mut self.crashes, other.crashes),
            (&mut self.pauses, other.pauses),
            (&mut self.accepted, other.accepted),
            (&mut self.refused, other.refused),
            (&mut self.faults, other.faults),
            (&mut self.effective_faults, other.effective_faults),
            (&mut self.reads, other.reads),
            (&mut self.watched, other.watched),
            (&mut self.rolled_out, other.rolled_out),
            (&mut self.endangered, other.endangered),
            (&mut self.handed_over, other.handed_over),
        ] {
            *mine += theirs;
        }
    }
}
