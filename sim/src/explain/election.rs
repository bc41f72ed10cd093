//! What happened in an election, entry by entry, in words.

use std::collections::BTreeMap;

use tenure::election::Failure;
use tenure::lock::{Identity, Kind};

use super::lanes::{Routine, Told, short};
use crate::check::Violation;
use crate::check::replicas::{Names, seconds};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{Actor, Entry, Reply, Snapshot, Verb, What};

/// Answers that took longer are worth a line.
const SLOW: Span = Span::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quiet {
    Renewal,
    Read,
    Write,
}

fn routine(what: Quiet, object: Kind, version: Option<u64>, rest: String) -> Routine {
    let kind = match what {
        Quiet::Renewal => "renewal",
        Quiet::Read => "read",
        Quiet::Write => "write",
    };
    Routine { kind: (kind, object as u8), lasts: what != Quiet::Read, version, rest }
}

/// What is known on the way through the entries.
pub(super) struct Telling<'a> {
    names: Names,
    holders: BTreeMap<Identity, u32>,
    /// When each replica's last request was sent, and what it was.
    sent: BTreeMap<u32, (u64, SimTime, Verb)>,
    /// The kinds of those that began.
    faults: BTreeMap<u32, &'static str>,
    violation: Option<&'a Violation>,
    /// Not all is about one object.
    several: bool,
}

impl<'a> Telling<'a> {
    /// At the beginning.
    pub(super) fn new(scenario: &Scenario, violation: Option<&'a Violation>) -> Self {
        Self {
            names: Names::new(scenario),
            holders: BTreeMap::new(),
            sent: BTreeMap::new(),
            faults: BTreeMap::new(),
            violation,
            several: scenario.has_several_objects(),
        }
    }

    /// Whose line it is, what it says, and whether it is routine. `None`: not worth a line.
    pub(super) fn tell(&mut self, entry: &Entry) -> Option<Told> {
        let mine = |replica: u32, text: String| Some((Some(replica), text, None));
        let outside = |text: String| Some((None, text, None));
        match &entry.what {
            What::Started { replica, life, identity, .. } => {
                self.holders.insert(identity.clone(), *replica);
                let text =
                    if *life == 0 { "starts".to_owned() } else { format!("starts, life {life}") };
                mine(*replica, text)
            }
            What::Ended { replica, end } => mine(*replica, format!("{end:?}").to_lowercase()),
            What::Paused { replica } => mine(*replica, "stands still".to_owned()),
            What::Resumed { replica } => mine(*replica, "goes on".to_owned()),
            What::Stopping { replica } => mine(*replica, "is told to stop".to_owned()),
            What::Clock { replica, rate_ppb } => {
                mine(*replica, format!("clock at {}", super::percent(*rate_ppb)))
            }
            What::Sent { replica, request, verb, .. } => {
                self.sent.insert(*replica, (*request, entry.at, *verb));
                None
            }
            What::Applied { .. } => self.of_store(&entry.what),
            What::Answered { replica, request, late, .. } => {
                self.answered(entry.at, *replica, *request, *late)
            }
            What::GivenUp { replica, .. } => {
                let sent = self.sent.get(replica);
                let what = sent.map_or("write", |(_, _, verb)| read_or_write(*verb));
                mine(*replica, format!("gives a {what} up"))
            }
            What::StartedLeading { replica, token } => {
                let token = token.map_or_else(String::new, |token| format!(" (token {token})"));
                mine(*replica, format!("STARTS TO LEAD{token}"))
            }
            What::StoppedLeading { replica, cause, led: true } => {
                mine(*replica, format!("STOPS LEADING ({})", format!("{cause:?}").to_lowercase()))
            }
            What::ForeignWrite { replica, version } => {
                mine(*replica, format!("notes foreign version {version}"))
            }
            What::Endangered { replica, until } => {
                mine(*replica, format!("in danger: leads until {}", short(*until)))
            }
            What::RolledOut { replica, rollout } => {
                mine(*replica, format!("is rolled out (rollout {rollout})"))
            }
            What::GuardedWrite { replica, token, sent, accepted, .. } => {
                self.guarded(entry, *replica, *token, *sent, *accepted)
            }
            What::Fault { fault, replicas, kind } => {
                self.faults.insert(*fault, kind.kind());
                outside(super::describe(kind, replicas, &self.names))
            }
            What::FaultEnded { fault } => {
                let kind = self.faults.get(fault).copied().unwrap_or("a fault");
                outside(format!("{kind} is over"))
            }
            What::Healed => outside("everything heals".to_owned()),
            What::Horizon => outside("the run is over".to_owned()),
            _ => None,
        }
    }

    /// What the store did.
    fn of_store(&self, what: &What) -> Option<Told> {
        let What::Applied { by, verb, before, reply, object, .. } = what else { return None };
        let Actor::Replica { replica, .. } = by else {
            return Some((None, self.by_hand(*object, reply), None));
        };
        let (text, quiet) = self.applied(*replica, *verb, *object, before.as_deref(), reply);
        Some((Some(*replica), self.about(*object, text), quiet))
    }

    fn by_hand(&self, object: Kind, reply: &Reply) -> String {
        match reply {
            Reply::Is(after) if after.unreadable => {
                format!("by hand: version {} is no record", after.version)
            }
            Reply::Is(after) if self.several => {
                let (version, holder) = (after.version, self.holder(after));
                format!("by hand: {object} has version {version}, {holder} holds")
            }
            Reply::Gone if self.several => format!("by hand: {object} is gone"),
            Reply::Is(after) => {
                format!("by hand: version {}, {} holds", after.version, self.holder(after))
            }
            Reply::Gone => "by hand: the lock is gone".to_owned(),
            Reply::Failed(_) => "by hand: there is no lock".to_owned(),
        }
    }

    /// An answer that was late, or took long.
    fn answered(&self, now: SimTime, replica: u32, request: u64, late: bool) -> Option<Told> {
        let (_, at, verb) = *self.sent.get(&replica).filter(|sent| sent.0 == request)?;
        let took = now.saturating_since(at);
        let what = read_or_write(verb);
        (late || took > SLOW).then(|| {
            let ignored = if late { ": ignored" } else { "" };
            let text = format!("{what} answered after {}{ignored}", seconds(took));
            (Some(replica), text, None)
        })
    }

    /// What happened to an object, with its kind where there are several.
    fn about(&self, object: Kind, text: String) -> String {
        if self.several { format!("{object}: {text}") } else { text }
    }

    /// Writes to the guarded resource matter where the check is about them.
    fn guarded(
        &self,
        entry: &Entry,
        replica: u32,
        token: Option<u64>,
        sent: SimTime,
        accepted: bool,
    ) -> Option<Told> {
        let check = self.violation.map(|violation| violation.check.as_str());
        let about = matches!(check, Some("acting" | "fencing"));
        if !about && accepted {
            return None;
        }
        let token = token.map_or_else(String::new, |token| format!(" (token {token})"));
        let text = match accepted {
            _ if self.violation.is_some_and(|it| it.seq == entry.seq) => {
                format!("acted at {}{token}", short(sent))
            }
            true => format!("acts{token}"),
            false => format!("acts{token}: refused"),
        };
        let what = Quiet::Write;
        let quiet = routine(what, Kind::Lease, None, String::new());
        Some((Some(replica), text, Some(quiet)))
    }

    fn applied(
        &self,
        replica: u32,
        verb: Verb,
        object: Kind,
        before: Option<&Snapshot>,
        reply: &Reply,
    ) -> (String, Option<Routine>) {
        let after = match reply {
            Reply::Is(after) => after,
            Reply::Gone => return ("deletes the lock".to_owned(), None),
            Reply::Failed(failure) if verb == Verb::Get => {
                let missing = *failure == Failure::NotFound;
                let text = if missing { "finds no lock" } else { "read fails" };
                return (text.to_owned(), None);
            }
            Reply::Failed(failure) => {
                let text = format!("write refused ({})", format!("{failure:?}").to_lowercase());
                return (text, None);
            }
        };
        let (version, holder) = (after.version, self.holder(after));
        let quiet = |what, rest| routine(what, object, Some(version), rest);
        if after.unreadable {
            return ("reads".to_owned(), Some(quiet(Quiet::Read, ": no record".to_owned())));
        }
        if verb == Verb::Get {
            return ("reads".to_owned(), Some(quiet(Quiet::Read, format!(": {holder}"))));
        }
        let Some(before) = before else {
            return (format!("creates v{version}: {holder}"), None);
        };
        let old = &before.record.holder;
        if before.unreadable {
            return (format!("replaces what is no record: v{version}"), None);
        }
        if after.record.holder == *old {
            return ("renews".to_owned(), Some(quiet(Quiet::Renewal, String::new())));
        }
        let whose = match self.holders.get(old) {
            Some(owner) if *owner == replica => "its own".to_owned(),
            _ => format!("{}'s", self.holder(before)),
        };
        let text = if after.record.holder.is_empty() {
            format!("CLEARS {whose} lock: v{version}")
        } else if old.is_empty() {
            format!("takes the free lock: v{version}")
        } else {
            format!("takes {whose} lock: v{version}")
        };
        (text, None)
    }

    /// Who holds the lock.
    fn holder(&self, lock: &Snapshot) -> String {
        let holder = &lock.record.holder;
        match self.holders.get(holder) {
            Some(replica) => self.names.of(*replica).into_owned(),
            None if holder.is_empty() => "nobody".to_owned(),
            None => holder.to_string(),
        }
    }
}

const fn read_or_write(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "read",
        _ => "write",
    }
}
