//! What happened in a sharded group, entry by entry.
//!
//! ```
//! use tenure_sim::sharding::trace::{Entry, Recorder, Set, What, Writer};
//! use tenure_sim::sharding::{Mode, Replica, Scenario, tenure_world};
//! use tenure_sim::time::Span;
//!
//! let mut scenario = Scenario::new(Mode::Ranked);
//! let late = Replica { start: Span::from_secs(60), ..Replica::default() };
//! scenario.replicas = vec![Replica::default(), late];
//! let mut both = (Recorder::default(), Writer::new(Vec::new(), &scenario, 1));
//! tenure_world(&scenario, 1, &[])?.run(&mut both);
//! let (Recorder { entries }, writer) = both;
//!
//! // A line for the scenario, and one for each entry. A set of slots is written as its runs.
//! let text = String::from_utf8(writer.finish().unwrap()).unwrap();
//! assert_eq!(text.lines().count(), 1 + entries.len());
//! let all = |entry: &&Entry| match &entry.what {
//!     What::Gained { slots: Set(slots), .. } => slots.len() == 64,
//!     _ => false,
//! };
//! let first = entries.iter().find(all).expect("who comes first has everything");
//! assert!(text.lines().nth(1 + first.seq as usize).unwrap().contains("[64,[0,63]]"));
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```

use core::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::sync::Arc;

use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use tenure::sharding::SlotSet;

use super::check::Check;
use super::scenario::Scenario;
use super::system::Summary;
use crate::check::Violation;
use crate::time::SimTime;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its number, from 0.
    pub seq: u64,
    /// When, in real time.
    pub at: SimTime,
    /// The entry that it came of: of what a replica learnt the write, of a write what moved it, of what it
    /// does by itself the last that it did; absent if nothing in the run led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// Of what it came does not count: that says how things hang together, not what happened.
impl Hash for Entry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.seq, self.at, &self.what).hash(state);
    }
}

/// A set of slots. In a trace: how many slots there are, and `[first, last]` of each run of slots side
/// by side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Set(pub Arc<SlotSet>);

impl Serialize for Set {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for slot in &*self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == slot.index() => *last = slot.index(),
                _ => runs.push((slot.index(), slot.index())),
            }
        }
        let mut seq = serializer.serialize_seq(Some(runs.len() + 1))?;
        seq.serialize_element(&self.0.slots().count())?;
        runs.iter().try_for_each(|run| seq.serialize_element(run))?;
        seq.end()
    }
}

/// What happened. `replica` is an index, `life` counts that replica's processes from 0.
#[expect(clippy::large_enum_variant, reason = "entries are handed on, few are kept")]
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// A process started.
    Started {
        /// Whose.
        replica: u32,
        /// Which life.
        life: u32,
        /// Its member's name.
        name: Arc<str>,
        /// What it can bear.
        weight: u32,
        /// The rate of its clock.
        rate_ppb: u64,
    },
    /// A process is no more: it may do nothing, whatever it claimed.
    Ended {
        /// Whose.
        replica: u32,
        /// Not by itself.
        crashed: bool,
    },
    /// A process stands still.
    Paused {
        /// Whose.
        replica: u32,
    },
    /// It goes on.
    Resumed {
        /// Whose.
        replica: u32,
    },
    /// A process was told to leave.
    Leaving {
        /// Whose.
        replica: u32,
    },
    /// A clock runs at another rate.
    Clock {
        /// Whose.
        replica: u32,
        /// Local nanoseconds in 10⁹ real ones.
        rate_ppb: u64,
    },
    /// A machine wants to be called at a time that has passed, again and again.
    Spins {
        /// Whose.
        replica: u32,
    },
    /// What a replica claims holds until this time, if it still claims it then.
    Until {
        /// Whose.
        replica: u32,
        /// Until when; forever if absent. A time that has passed: nothing holds.
        until: Option<SimTime>,
        /// The latest time of which it knows how the store was.
        learnt: SimTime,
        /// When its last write took effect of which it knows that it did.
        renewed: SimTime,
    },
    /// A replica claims these slots from now on.
    Gained {
        /// Who.
        replica: u32,
        /// Which.
        slots: Set,
    },
    /// A replica claims these no more.
    Lost {
        /// Who.
        replica: u32,
        /// Which.
        slots: Set,
    },
    /// Work began. It ends at `until`, unless its replica's claim was extended by then.
    Began {
        /// Whose.
        replica: u32,
        /// Which life's.
        life: u32,
        /// Which; a number of its own.
        work: u64,
        /// On what.
        slot: u32,
        /// Of how many.
        of: u32,
        /// What orders the owners of the slot.
        token: u64,
        /// The end of its permit.
        until: SimTime,
    },
    /// Cleaning up after revoked slots began.
    Cleaning {
        /// Whose.
        replica: u32,
        /// Which work; a number of its own.
        work: u64,
        /// On what.
        slots: Set,
    },
    /// Work, or cleaning up, is over.
    Done {
        /// Whose.
        replica: u32,
        /// Which.
        work: u64,
        /// Its right ended before it did.
        cut: bool,
    },
    /// A guarded write arrived.
    Wrote {
        /// Whose.
        replica: u32,
        /// On what.
        slot: u32,
        /// Of how many.
        of: u32,
        /// With which token.
        token: u64,
        /// Whether it was taken.
        accepted: bool,
    },
    /// The store took a write.
    Committed {
        /// Who wrote; somebody outside of the group if absent.
        by: Option<u32>,
        /// When the call was sent.
        sent: SimTime,
        /// Of which object.
        name: Arc<str>,
        /// With which version.
        version: u64,
        /// Which version it replaced.
        before: Option<u64>,
        /// What it says now; absent if it was deleted.
        now: Option<Summary>,
        /// What it said before.
        was: Option<Summary>,
    },
    /// A planned fault began.
    Fault {
        /// Which, by its place in the plan.
        fault: u32,
        /// Its kind.
        kind: &'static str,
        /// Whom it hits.
        who: Vec<u32>,
    },
    /// It ended.
    FaultEnded {
        /// Which.
        fault: u32,
    },
    /// All faults have ended.
    Healed,
    /// The run is over.
    Horizon,
    /// So much is measured on each of these slots from now on.
    Measured {
        /// The first and the last of them, of the scenario's number.
        slots: [u32; 2],
        /// How much.
        load: u32,
    },
    /// Where slots have ends of their own: what a replica claims of these holds until this time, if it
    /// still claims it then. [`Until`](Self::Until) is the last of these ends then.
    Ends {
        /// Whose.
        replica: u32,
        /// Which.
        slots: Set,
        /// Until when.
        until: SimTime,
    },
}

impl What {
    /// The replica that this is about, if it is one.
    #[must_use]
    pub const fn replica(&self) -> Option<u32> {
        match self {
            Self::Started { replica, .. }
            | Self::Ended { replica, .. }
            | Self::Paused { replica }
            | Self::Resumed { replica }
            | Self::Leaving { replica }
            | Self::Clock { replica, .. }
            | Self::Spins { replica }
            | Self::Until { replica, .. }
            | Self::Ends { replica, .. }
            | Self::Gained { replica, .. }
            | Self::Lost { replica, .. }
            | Self::Began { replica, .. }
            | Self::Cleaning { replica, .. }
            | Self::Done { replica, .. }
            | Self::Wrote { replica, .. } => Some(*replica),
            Self::Committed { by, .. } => *by,
            Self::Fault { .. }
            | Self::FaultEnded { .. }
            | Self::Healed
            | Self::Horizon
            | Self::Measured { .. } => None,
        }
    }

    /// The replica whose machine does or meets this, other than by work.
    pub(super) const fn process(&self) -> Option<u32> {
        match self {
            Self::Began { .. }
            | Self::Done { .. }
            | Self::Wrote { .. }
            | Self::Committed { .. } => None,
            _ => self.replica(),
        }
    }

    /// Whether what follows in the same step comes of this, not of what this came of.
    pub(super) const fn leads_on(&self) -> bool {
        matches!(
            self,
            Self::Started { .. }
                | Self::Resumed { .. }
                | Self::Leaving { .. }
                | Self::Began { .. }
                | Self::Cleaning { .. }
                | Self::Done { .. }
                | Self::Wrote { .. }
                | Self::Committed { .. }
                | Self::Fault { .. }
                | Self::FaultEnded { .. }
                | Self::Measured { .. }
                | Self::Healed
        )
    }
}

/// Keeps all entries.
#[derive(Debug, Clone, Default)]
pub struct Recorder {
    /// In order.
    pub entries: Vec<Entry>,
}

impl Check for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.entries.push(entry.clone());
    }
}

/// Writes entries as JSON lines, after one line with the scenario and the seed.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    result: io::Result<()>,
}

impl<W: Write> Writer<W> {
    /// Begins with the header.
    pub fn new(mut to: W, scenario: &Scenario, seed: u64) -> Self {
        let header = serde_json::json!({ "sharding": scenario, "seed": seed });
        let result = writeln!(to, "{header}");
        Self { to, result }
    }

    /// What it was writing to.
    ///
    /// # Errors
    /// The first that occurred.
    pub fn finish(mut self) -> io::Result<W> {
        self.result?;
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Check for Writer<W> {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        if self.result.is_ok() {
            self.result = serde_json::to_writer(&mut self.to, entry)
                .map_err(io::Error::from)
                .and_then(|()| self.to.write_all(b"\n"));
        }
    }
}
