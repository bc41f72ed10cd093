//! Traces of the simulator: what was asked of the store, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::lock::Version;

use super::change::{Change, LockName, What};
use super::object::Stored;
use super::time::{Moment, Window};
use crate::check::{Check as _, Checks, Violation};
use crate::time::SimTime;
use crate::trace::{self, Actor, Entry, FORMAT, Header, Reply, Snapshot, Verb};

/// Reads one trace, in memory for its replicas.
#[derive(Debug)]
pub(super) struct Trace {
    world: u32,
    namespace: Arc<str>,
    replicas: BTreeMap<u32, Replica>,
    checks: Checks,
    checked: Checked,
    /// Number and least time of the next entry.
    next: (u64, SimTime),
}

#[derive(Debug, Default)]
struct Replica {
    /// How many lives it has had.
    lives: u32,
    /// The fastest that its clock has run.
    rate_ppb: u64,
    /// Its last request, and when that was sent.
    sent: Option<(u64, SimTime)>,
}

/// Real nanoseconds in 10⁹.
const RIGHT_RATE: u64 = 1_000_000_000;

/// What the checks of the simulator say.
///
/// ```
/// use tenure_sim::history::{Checked, Histories, Settings};
/// use tenure_sim::trace::{Header, Writer};
/// use tenure_sim::{catalogue, world::World};
///
/// let mut pause = catalogue::find("pause").unwrap();
/// pause.profile = "client-go-head".parse()?;
/// let mut writer = Writer::new(Vec::new(), &Header::new(&pause, 1));
/// World::new(&pause, 1)?.run(&mut writer);
/// let trace = String::from_utf8(writer.finish()?)?;
///
/// let checked = |trace: &str| {
///     let recording = Histories::new(Settings::default()).read(trace.as_bytes(), &mut |_| {});
///     recording.unwrap().checked.unwrap()
/// };
/// let Checked { violations, first, stopped_at } = checked(&trace);
/// assert!(violations > 0 && stopped_at.is_none());
/// assert_eq!(first[0].check, "one-leader");
/// // Of a trace with a hole in it they say nothing from there on.
/// let second = trace.lines().nth(1).unwrap();
/// let holed = trace.replacen(&format!("{second}\n"), "", 1);
/// assert_eq!(checked(&holed), Checked { stopped_at: Some(2), ..Checked::default() });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// How many violations they found.
    pub violations: u64,
    /// The first of them.
    pub first: Vec<Violation>,
    /// The line from which on they could not go on: an entry is missing, or is not what a run writes.
    pub stopped_at: Option<u64>,
}

/// So many violations are kept.
const KEPT_VIOLATIONS: usize = 20;

impl Trace {
    /// Begins with its header.
    pub(super) fn new(world: u32, header: &[u8]) -> Result<Self, String> {
        let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
        if header.format != FORMAT {
            return Err(format!("format is {}: this version reads {FORMAT}", header.format));
        }
        let namespace = format!("seed-{}", header.seed).into();
        let rates = (0..).zip(&header.scenario.replicas).map(|(number, replica)| {
            let rate_ppb = replica.rate_ppb.unwrap_or(RIGHT_RATE).max(RIGHT_RATE);
            (number, Replica { lives: 0, rate_ppb, sent: None })
        });
        Ok(Self {
            world,
            namespace,
            replicas: rates.collect(),
            checks: Checks::for_scenario(&header.scenario),
            checked: Checked::default(),
            next: (0, SimTime::ZERO),
        })
    }

    /// Lets the checks see the entry, if all before it were there. They know their replicas by number.
    fn check(&mut self, entry: &Entry, line: u64) {
        let (seq, at) = self.next;
        let known = |replica| self.replicas.contains_key(&replica);
        let whole = entry.seq == seq && entry.at >= at && entry.what.replica().is_none_or(known);
        if !whole || !self.is_next_life(entry) {
            self.checked.stopped_at.get_or_insert(line);
        }
        if self.checked.stopped_at.is_some() {
            return;
        }
        self.next = (seq + 1, entry.at);
        let mut found = Vec::new();
        self.checks.observe(entry, &mut found);
        if entry.what == trace::What::Horizon {
            self.checks.finish(entry.at, &mut found);
        }
        self.keep(found);
    }

    /// A replica's lives have numbers without a gap: the checks keep something of each.
    fn is_next_life(&mut self, entry: &Entry) -> bool {
        let trace::What::Started { replica, life, .. } = entry.what else { return true };
        let Some(known) = self.replicas.get_mut(&replica) else { return false };
        let next = known.lives == life;
        known.lives = known.lives.saturating_add(1);
        next
    }

    fn keep(&mut self, found: Vec<Violation>) {
        self.checked.violations += found.len() as u64;
        let room = KEPT_VIOLATIONS.saturating_sub(self.checked.first.len());
        self.checked.first.extend(found.into_iter().take(room));
    }

    /// What the checks found.
    pub(super) fn checked(self) -> Checked {
        self.checked
    }

    /// What the line says of the lock.
    pub(super) fn change(&mut self, text: &[u8], line: u64) -> Result<Option<Change>, String> {
        let entry: Entry = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        self.check(&entry, line);
        match entry.what {
            trace::What::Started { replica, rate_ppb, .. }
            | trace::What::Clock { replica, rate_ppb } => {
                let Some(known) = self.replicas.get_mut(&replica) else { return Ok(None) };
                known.rate_ppb = known.rate_ppb.max(rate_ppb).max(RIGHT_RATE);
                Ok(None)
            }
            trace::What::Sent { replica, request, verb, .. } if verb != Verb::Get => {
                if let Some(known) = self.replicas.get_mut(&replica) {
                    known.sent = Some((request, entry.at));
                }
                Ok(None)
            }
            trace::What::Applied { verb: Verb::Get, .. } => Ok(None),
            trace::What::Applied { by, request, before, reply, object, .. } => {
                let what = match reply {
                    Reply::Is(snapshot) => What::Stored(stored(&snapshot)),
                    Reply::Gone => What::Deleted,
                    Reply::Failed(tenure::election::Failure::Conflict) => What::Conflict,
                    Reply::Failed(_) => What::Failed,
                };
                let name = Arc::from("lock");
                let namespace = Arc::clone(&self.namespace);
                let (by, replica) = match by {
                    Actor::Replica { replica, life } => {
                        (format!("replica {replica}, life {life}"), self.replicas.get(&replica))
                    }
                    Actor::Outsider => ("an outsider".to_owned(), None),
                };
                let sent = replica.and_then(|replica| replica.sent);
                let sent = sent.filter(|(id, _)| Some(*id) == request).map(|(_, at)| at);
                let over = before.filter(|_| matches!(what, What::Stored(_)));
                Ok(Some(Change {
                    lock: LockName { world: self.world, kind: object, namespace, name },
                    line,
                    window: Some(Window::at(Moment::simulated(entry.at.as_nanos()))),
                    by: Some(by.into()),
                    over: over.map(|before| Version::ordered(before.version)),
                    took: sent.map(|sent| entry.at.saturating_since(sent).as_nanos().into()),
                    rate_ppb: replica.map_or(RIGHT_RATE, |replica| replica.rate_ppb),
                    what,
                }))
            }
            _ => Ok(None),
        }
    }
}

fn stored(snapshot: &Snapshot) -> Stored {
    Stored {
        record: (!snapshot.unreadable).then(|| snapshot.record.clone()),
        uid: Some(snapshot.uid.to_string().into()),
        version: Some(Version::ordered(snapshot.version)),
    }
}
