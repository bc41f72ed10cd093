//! Entries as lines in lanes.

use std::collections::BTreeMap;

use tenure::election::Failure;
use tenure::lock::{Identity, Kind};

use crate::check::Violation;
use crate::check::replicas::{Names, seconds};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{Actor, Entry, Reply, Snapshot, Verb, What};

/// No line is longer than this.
pub const WIDTH: usize = 120;
/// Columns for the mark and the time.
const MARGIN: usize = 16;
/// The most lanes; the replicas concerned come first.
const MOST: usize = 5;
/// Answers that took longer are worth a line.
const SLOW: Span = Span::from_secs(1);

/// One line: something that happened to a replica, or (`None`) outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) seq: u64,
    at: SimTime,
    replica: Option<u32>,
    text: String,
    /// Routine: may be drawn together with others of the same kind and object.
    quiet: Option<Routine>,
    times: u32,
    until: SimTime,
    /// The last version of these, if it is another than the first.
    last: Option<u64>,
}

/// Something that happens all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Routine {
    what: Quiet,
    object: Kind,
    /// What was read or written, and what is told after it.
    version: Option<u64>,
    rest: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quiet {
    Renewal,
    Read,
    Write,
}

/// Whose line it is, what it says, and whether it is routine.
type Told = (Option<u32>, String, Option<Routine>);

/// What is known on the way through the entries.
struct Telling<'a> {
    names: Names,
    holders: BTreeMap<Identity, u32>,
    /// When each replica's last request was sent, and what it was.
    sent: BTreeMap<u32, (u64, SimTime, Verb)>,
    violation: &'a Violation,
    /// Not all is about one object.
    several: bool,
}

impl Line {
    /// The lines of a run. Routine between two events that are none is drawn together.
    pub(super) fn of(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> Vec<Self> {
        let mut telling = Telling {
            names: Names::new(scenario),
            holders: BTreeMap::new(),
            sent: BTreeMap::new(),
            violation,
            several: scenario.has_several_objects(),
        };
        let mut lines: Vec<Self> = Vec::new();
        let mut routine_from = 0;
        for entry in entries {
            let Some((replica, text, quiet)) = telling.tell(entry) else { continue };
            let exact = entry.seq == violation.seq;
            let kind = |quiet: &Option<Routine>| quiet.as_ref().map(|it| (it.what, it.object));
            let same =
                |line: &&mut Self| line.replica == replica && kind(&line.quiet) == kind(&quiet);
            if quiet.is_none() || exact {
                routine_from = lines.len() + 1;
            } else if let Some(line) = lines.iter_mut().skip(routine_from).find(same) {
                line.times += 1;
                line.until = entry.at;
                line.last = quiet.and_then(|quiet| quiet.version);
                continue;
            }
            let (seq, at) = (entry.seq, entry.at);
            lines.push(Self { seq, at, replica, text, quiet, times: 1, until: at, last: None });
        }
        lines
    }

    fn text(&self) -> String {
        let Self { text, quiet, times, .. } = self;
        let Some(quiet) = quiet else { return text.clone() };
        let versions = match (quiet.version, self.last) {
            (Some(first), Some(last)) if first != last => format!(" v{first}-v{last}"),
            (Some(first), _) => format!(" v{first}"),
            (None, _) => String::new(),
        };
        let told = format!("{text}{versions}{}", quiet.rest);
        match quiet.what {
            _ if *times == 1 => told,
            Quiet::Read => format!("{told} x {times}"),
            _ => format!("{told} x {times} to {}", short(self.until)),
        }
    }
}

impl Telling<'_> {
    /// Whose line it is, what it says, and whether it is routine. `None`: not worth a line.
    fn tell(&mut self, entry: &Entry) -> Option<Told> {
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
                mine(*replica, format!("clock at {} %", rate_ppb / 10_000_000))
            }
            What::Sent { replica, request, verb, .. } => {
                self.sent.insert(*replica, (*request, entry.at, *verb));
                None
            }
            What::Applied {
                by: Actor::Replica { replica, .. },
                verb,
                before,
                reply,
                object,
                ..
            } => {
                let (text, quiet) =
                    self.applied(*replica, *verb, *object, before.as_deref(), reply);
                Some((Some(*replica), self.about(*object, text), quiet))
            }
            What::Applied { by: Actor::Outsider, reply, object, .. } => {
                outside(self.by_hand(*object, reply))
            }
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
            What::Fault { replicas, kind, .. } => outside(super::describe(kind, replicas)),
            What::FaultEnded { fault } => outside(format!("fault {fault} is over")),
            What::Healed => outside("everything heals".to_owned()),
            What::Horizon => outside("the run is over".to_owned()),
            _ => None,
        }
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
        let about = matches!(self.violation.check.as_str(), "acting" | "fencing");
        if !about && accepted {
            return None;
        }
        let token = token.map_or_else(String::new, |token| format!(" (token {token})"));
        let text = match accepted {
            _ if entry.seq == self.violation.seq => format!("acted at {}{token}", short(sent)),
            true => format!("acts{token}"),
            false => format!("acts{token}: refused"),
        };
        let what = Quiet::Write;
        let quiet = Routine { what, object: Kind::Lease, version: None, rest: String::new() };
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
        let quiet = |what, rest| Routine { what, object, version: Some(version), rest };
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

/// A time to the millisecond.
pub(super) fn short(at: SimTime) -> String {
    SimTime::from_nanos(at.as_nanos() / 1_000_000 * 1_000_000).to_string()
}

/// The columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lanes {
    replicas: Vec<u32>,
    names: Names,
    width: usize,
}

impl Lanes {
    /// A lane for each replica concerned, then for those that occur in `lines`.
    pub(super) fn of(scenario: &Scenario, lines: &[&Line], violation: &Violation) -> Self {
        let mut replicas = Vec::new();
        let occur = lines.iter().rev().filter_map(|line| line.replica);
        for replica in violation.replicas.iter().copied().chain(occur) {
            if replicas.len() < MOST && !replicas.contains(&replica) {
                replicas.push(replica);
            }
        }
        replicas.sort_unstable();
        let width = (WIDTH - MARGIN) / replicas.len().max(1);
        Self { replicas, names: Names::new(scenario), width }
    }

    pub(super) fn title(&self) -> String {
        let mut title = " ".repeat(MARGIN);
        for replica in &self.replicas {
            title.push_str(&self.cell(&self.names.of(*replica)));
        }
        format!("{}\n", title.trim_end())
    }

    /// Nothing for a replica without a lane.
    pub(super) fn line(&self, line: &Line, here: bool) -> String {
        let mark = if here { ">>" } else { "" };
        let mut text = format!("{mark:<2}{:>12}  ", short(line.at));
        match line.replica {
            None => {
                let room = WIDTH - MARGIN - 4;
                text.push_str("-- ");
                text.extend(line.text().chars().take(room));
            }
            Some(replica) => {
                let Some(column) = self.replicas.iter().position(|it| *it == replica) else {
                    return String::new();
                };
                text.push_str(&" ".repeat(column * self.width));
                text.push_str(&self.cell(&line.text()));
            }
        }
        format!("{}\n", text.trim_end())
    }

    /// Text cut or filled to the width of a lane.
    fn cell(&self, text: &str) -> String {
        let room = self.width.saturating_sub(1);
        let mut cell: String = text.chars().take(room).collect();
        if text.chars().count() > room {
            cell.pop();
            cell.push('~');
        }
        format!("{cell:<width$}", width = self.width)
    }
}
