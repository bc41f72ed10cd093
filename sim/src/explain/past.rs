//! What led to a violation: from the entries at which it showed, back by what each came of.
//!
//! The engine says of each entry what set it off. What an entry knew is added here: a write names the
//! version that it goes over, and a read the one that it saw, so each hangs on that version's write, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Violation;
use crate::sharding::trace as sharded;
use crate::trace::{Entry, Reply, Verb, What};

/// The entries that led to a violation, itself included.
///
/// ```
/// use tenure_sim::{catalogue, check::Checks, explain::Past, trace::Recorder, world::World};
///
/// let mut scenario = catalogue::find("pause").unwrap();
/// scenario.profile = "client-go-head".parse().unwrap();
/// let mut checks = (Checks::for_scenario(&scenario), Recorder::default());
/// let outcome = World::new(&scenario, 1)?.run(&mut checks);
/// let (entries, first) = (&checks.1.entries, &outcome.violations[0]);
/// let past = Past::of(entries, first);
/// assert!(past.holds(first.seq) && past.len() < entries.len());
/// // What led to something is in the past with it.
/// let of_past = entries.iter().filter(|entry| past.holds(entry.seq));
/// assert!(of_past.filter_map(|entry| entry.cause).all(|cause| past.holds(cause)));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past(BTreeSet<u64>);

impl Past {
    /// What led to a violation of an election.
    #[must_use]
    pub fn of(entries: &[Entry], violation: &Violation) -> Self {
        let mut writers = BTreeMap::new();
        let knew = |entry: &Entry| {
            let (version, wrote) = versions(&entry.what);
            let knew = version.and_then(|version| writers.get(&version).copied());
            if let Some(wrote) = wrote {
                writers.insert(wrote, entry.seq);
            }
            (entry.seq, [entry.cause, knew])
        };
        let causes = entries.iter().map(knew).collect();
        let concerned = |replica| violation.replicas.contains(&replica);
        let mut last = BTreeMap::new();
        for entry in entries.iter().take_while(|entry| entry.seq <= violation.seq) {
            let Some(replica) = entry.what.replica().filter(|replica| concerned(*replica)) else {
                continue;
            };
            if let Some(aspect) = aspect(&entry.what) {
                last.insert((replica, aspect), entry.seq);
            }
        }
        Self::back(causes, last.into_values().chain([violation.seq]))
    }

    /// What led to a violation in a sharded group.
    #[must_use]
    pub fn of_sharded(entries: &[sharded::Entry], violation: &Violation) -> Self {
        let mut writers = BTreeMap::new();
        let knew = |entry: &sharded::Entry| {
            let mut knew = None;
            if let sharded::What::Committed { version, before, .. } = &entry.what {
                knew = before.and_then(|before| writers.get(&before).copied());
                writers.insert(*version, entry.seq);
            }
            (entry.seq, [entry.cause, knew])
        };
        let causes = entries.iter().map(knew).collect();
        let slot = super::sharded::slot_of(&violation.what);
        let mut last = BTreeMap::new();
        for entry in entries.iter().take_while(|entry| entry.seq <= violation.seq) {
            let concerned = |replica: &u32| violation.replicas.contains(replica);
            let Some(replica) = entry.what.replica().filter(concerned) else { continue };
            if let Some(aspect) = sharded_aspect(&entry.what, slot) {
                last.insert((replica, aspect), entry.seq);
            }
        }
        Self::back(causes, last.into_values().chain([violation.seq]))
    }

    /// All that leads to `roots`, of what is known of the run. Nothing comes of what is later.
    fn back(causes: Vec<(u64, [Option<u64>; 2])>, roots: impl Iterator<Item = u64>) -> Self {
        let known: Vec<u64> = causes.iter().map(|(seq, _)| *seq).collect();
        let is_known = |seq: &u64| known.binary_search(seq).is_ok();
        let mut past: BTreeSet<u64> = roots.filter(is_known).collect();
        for (seq, causes) in causes.into_iter().rev() {
            if past.contains(&seq) {
                past.extend(causes.into_iter().flatten().filter(is_known));
            }
        }
        Self(past)
    }

    /// Whether the entry with this number led to it.
    #[must_use]
    pub fn holds(&self, seq: u64) -> bool {
        self.0.contains(&seq)
    }

    /// How many entries did.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none did: the violation is of another run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The version that an entry knew of, and the one that it made.
fn versions(what: &What) -> (Option<u64>, Option<u64>) {
    match what {
        What::Applied { verb: Verb::Get, reply, .. } => {
            (reply.snapshot().map(|read| read.version), None)
        }
        What::Applied { before, reply, .. } => {
            let before = before.as_ref().map(|before| before.version);
            let wrote = match reply {
                Reply::Is(now) if before != Some(now.version) => Some(now.version),
                _ => None,
            };
            (before, wrote)
        }
        What::Watched { version, .. } => (*version, None),
        _ => (None, None),
    }
}

/// Where a replica stands is said by the last entry of each of these.
const fn aspect(what: &What) -> Option<u8> {
    Some(match what {
        What::StartedLeading { .. } | What::StoppedLeading { led: true, .. } => 0,
        What::Authority { .. } => 1,
        What::Started { .. } | What::Ended { .. } => 2,
        What::Paused { .. } | What::Resumed { .. } => 3,
        What::Answered { .. } | What::Watched { .. } => 4,
        _ => return None,
    })
}

/// The same in a sharded group.
fn sharded_aspect(what: &sharded::What, slot: Option<u32>) -> Option<u8> {
    use sharded::What;
    let about =
        |slots: &sharded::Set| slot.is_none_or(|slot| slots.0.iter().any(|it| it.index() == slot));
    Some(match what {
        What::Gained { slots, .. } if about(slots) => 0,
        What::Lost { slots, .. } if about(slots) => 0,
        What::Until { .. } => 1,
        What::Ends { slots, .. } if about(slots) => 6,
        What::Started { .. } | What::Ended { .. } => 2,
        What::Paused { .. } | What::Resumed { .. } => 3,
        What::Committed { .. } => 4,
        What::Began { slot: on, .. } if slot == Some(*on) => 5,
        _ => return None,
    })
}
