//! Traces of the simulator: what was asked of the store, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::lock::Version;

use super::change::{Change, LockName, What};
use super::object::Stored;
use super::time::{Moment, Window};
use crate::time::SimTime;
use crate::trace::{self, Actor, Entry, FORMAT, Header, Reply, Snapshot, Verb};

/// Reads one trace, in memory for its replicas.
#[derive(Debug)]
pub(super) struct Trace {
    world: u32,
    namespace: Arc<str>,
    replicas: BTreeMap<u32, Replica>,
}

#[derive(Debug, Default)]
struct Replica {
    /// The fastest that its clock has run.
    rate_ppb: u64,
    /// Its last request, and when that was sent.
    sent: Option<(u64, SimTime)>,
}

/// Real nanoseconds in 10⁹.
const RIGHT_RATE: u64 = 1_000_000_000;

/// Entries that matter, by what they are.
const MARKS: [&[u8]; 4] = [b"{\"applied\"", b"{\"sent\"", b"{\"started\"", b"{\"clock\""];

/// Whether a line may hold an entry that matters.
pub(super) fn may_matter(line: &[u8]) -> bool {
    MARKS.iter().any(|mark| memchr::memmem::find(line, mark).is_some())
}

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
            (number, Replica { rate_ppb, sent: None })
        });
        Ok(Self { world, namespace, replicas: rates.collect() })
    }

    /// What the line says of the lock.
    pub(super) fn change(&mut self, text: &[u8], line: u64) -> Result<Option<Change>, String> {
        let entry: Entry = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        match entry.what {
            trace::What::Started { replica, rate_ppb, .. }
            | trace::What::Clock { replica, rate_ppb } => {
                let known = self.replicas.entry(replica).or_default();
                known.rate_ppb = known.rate_ppb.max(rate_ppb).max(RIGHT_RATE);
                Ok(None)
            }
            trace::What::Sent { replica, request, verb, .. } if verb != Verb::Get => {
                self.replicas.entry(replica).or_default().sent = Some((request, entry.at));
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
