//! Replays traces that were recorded from the real client-go through [`tenure::election::Elector`]
//! and says where the two part.
//!
//! A trace is the record of one run: the calls that each elector made, the answers it got, the
//! callbacks it gave, and what it knew after each attempt. [`replay`] gives a fresh elector the same
//! answers at the same times and compares all it does. Before that it checks the trace against
//! itself: events against attempts, and answers against a store that executes the calls in the
//! recorded order. So a trace in which one value was changed is refused, also where no elector
//! could tell.
//!
//! Exact and not exact: a renewing elector's own timer must fall on the recorded nanosecond. A
//! candidate's delay is drawn at random, so both draws must lie in `[R, 2.2 R)` and the elector is
//! then driven at the recorded time.

mod answer;
mod compare;
mod driver;
mod format;
mod life;
mod locks;
mod micro;
mod store;
mod structure;
mod timeline;

use std::fmt;
use std::ops::AddAssign;

use serde::Serialize;
use tenure::election::Release;

/// The versions of client-go whose traces can be replayed.
const RELEASES: [(&str, Release); 3] =
    [("v0.23.17", Release::V1_20), ("v0.36.2", Release::V1_36), ("HEAD", Release::Head)];
const TRACE: &str = "client-go-leaderelection-trace/1";
const MICRO: &str = "client-go-tryacquire-micro/1";
const LOCKS: &str = "client-go-locks-micro/1";

/// How much was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Attempts to acquire, renew or release.
    pub attempts: u64,
    /// Calls to the store.
    pub calls: u64,
    /// Callbacks, and returns of `Run`.
    pub callbacks: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.calls += other.calls;
        self.callbacks += other.callbacks;
    }
}

/// Where in a file something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the event with this sequence number.
    Seq(u64),
    /// Nothing is recorded there; it would stand after the event with this sequence number.
    AfterSeq(u64),
    /// In this case of a micro file, at the call with this index (one past the last: after all).
    Case {
        /// The case's name.
        name: String,
        /// Which of its calls.
        call: usize,
    },
    /// In this step of a case of locks, at the call with this index (one past the last: after all).
    Step {
        /// The case's name and its kind of lock.
        case: String,
        /// Which of its steps.
        step: u32,
        /// Which of the step's calls.
        call: u32,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seq(seq) => write!(f, "seq {seq}"),
            Self::AfterSeq(seq) => write!(f, "after seq {seq}"),
            Self::Case { name, call } => write!(f, "case {name:?}, call {call}"),
            Self::Step { case, step, call } => {
                write!(f, "case {case:?}, step {step}, call {call}")
            }
        }
    }
}

/// The first place where the trace and the elector, or the trace and itself, disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Where.
    pub place: Place,
    /// Which elector and which of its incarnations, as `id/incarnation`.
    pub elector: String,
    /// When, in the trace's own time.
    pub time_ns: i64,
    /// What the trace says, or what the rest of the trace demands.
    pub expected: String,
    /// What the elector did, or what stands in the trace.
    pub got: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if !self.elector.is_empty() {
            write!(f, ", elector {}", self.elector)?;
        }
        write!(f, ", at {} ns: expected {} / got {}", self.time_ns, self.expected, self.got)
    }
}

/// Why a file cannot be replayed. The text ends with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputError {
    /// The line of the file, where known.
    pub line: Option<usize>,
    /// What is wrong, and the remedy.
    pub message: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for InputError {}

/// Why a trace did not replay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The file is not a trace that can be replayed.
    Input(InputError),
    /// It is one, and the elector did something else.
    Divergence(Box<Divergence>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => error.fmt(f),
            Self::Divergence(divergence) => divergence.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<InputError> for Refusal {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<Divergence> for Refusal {
    fn from(divergence: Divergence) -> Self {
        Self::Divergence(Box::new(divergence))
    }
}

/// Replays the trace, the micro file or the file of locks in `text`.
///
/// A recording of one attempt, whose read fails, and the same with another answer in it:
///
/// ```
/// use tenure_sim::conform::{Counts, Divergence, InputError, Place, Refusal, replay};
///
/// let recorded = |answer: &str| {
///     let nobody = r#"{"holder": "", "lease_duration_seconds": 0, "acquire_time_ns": null,
///         "renew_time_ns": null, "leader_transitions": 0}"#;
///     let raw = r#""observed_time_ns": null, "observed_raw_record": null, "reported_leader": """#;
///     format!(
///         r#"{{"format": "client-go-tryacquire-micro/1", "client_go": "HEAD", "cases": [{{
///         "name": "a read that fails", "op": "try", "identity": "me", "lease_duration_ns": 15000000000,
///         "renew_deadline_ns": 10000000000, "now_ns": 9, "observed_record": {nobody}, {raw},
///         "held_object": null, "held_object_after": null, "new_leader_callbacks": [],
///         "script": [{{"verb": "get", "result": "error"}}], "script_steps_unused": 0,
///         "calls": [{{"verb": "get", "t_ns": 9, "end_ns": 9, "sent": true, "result": "{answer}"}}],
///         "returned": false, "state_after": {{"observed_record": {nobody}, {raw}, "is_leader": false}}
///         }}]}}"#
///     )
/// };
/// assert_eq!(replay(&recorded("error")), Ok(Counts { attempts: 1, calls: 1, callbacks: 0 }));
///
/// let Err(Refusal::Divergence(found)) = replay(&recorded("notfound")) else { panic!() };
/// let Divergence { place, expected, got, .. } = *found;
/// assert_eq!(place, Place::Case { name: "a read that fails".to_owned(), call: 0 });
/// assert_eq!((&*expected, &*got), ("error at 9 ns", "notfound at 9 ns"));
///
/// let Err(Refusal::Input(InputError { line, message })) = replay("{}") else { panic!() };
/// assert_eq!(line, Some(1));
/// assert!(message.contains("missing field `format`"));
/// ```
///
/// # Errors
///
/// [`Refusal::Input`] if this is no such file, of a client-go that is not known here, or has no
/// calls; [`Refusal::Divergence`] at the first difference.
pub fn replay(text: &str) -> Result<Counts, Refusal> {
    let header: format::Header = parse(text)?;
    let release = release(&header.client_go)?;
    let message = match header.format.as_str() {
        TRACE => match life::replay(&parse(text)?, release)? {
            Counts { calls: 0, .. } => {
                "no calls to compare: give a recording that has some".to_owned()
            }
            counts => return Ok(counts),
        },
        MICRO => match micro::replay(&parse(text)?, release)? {
            Counts { calls: 0, .. } => "no cases to compare: give a file that has some".to_owned(),
            counts => return Ok(counts),
        },
        LOCKS => match locks::replay(&parse(text)?, release)? {
            Counts { calls: 0, .. } => "no cases to compare: give a file that has some".to_owned(),
            counts => return Ok(counts),
        },
        other => format!(
            "format {other:?} is not known: give a file of format {TRACE}, {MICRO} or {LOCKS}"
        ),
    };
    Err(Refusal::Input(InputError { line: None, message }))
}

fn release(version: &str) -> Result<Release, InputError> {
    let known = RELEASES.iter().find(|(name, _)| *name == version).map(|(_, release)| *release);
    known.ok_or_else(|| {
        let names = RELEASES.map(|(name, _)| name).join(", ");
        let message = format!("client_go {version:?} cannot be replayed: give traces of {names}");
        InputError { line: None, message }
    })
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, InputError> {
    serde_json::from_str(text).map_err(|error| InputError {
        line: Some(error.line()).filter(|line| *line > 0),
        message: format!("not a trace: {error}; give a file as it was recorded"),
    })
}

impl Divergence {
    fn nowhere(expected: &str, got: &str) -> Self {
        Self {
            place: Place::AfterSeq(0),
            elector: String::new(),
            time_ns: 0,
            expected: expected.to_owned(),
            got: got.to_owned(),
        }
    }
}
