//! Lines in lanes, whatever they tell of.

use crate::check::Violation;
use crate::time::SimTime;

/// No line is longer than this.
pub const WIDTH: usize = 120;
/// Columns for the mark and the time.
const MARGIN: usize = 16;
/// The most lanes; the replicas concerned come first.
const MOST: usize = 5;

/// One line: something that happened to a replica, or (`None`) outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) seq: u64,
    pub(crate) at: SimTime,
    pub(crate) replica: Option<u32>,
    pub(crate) way: Way,
    text: String,
    quiet: Option<Routine>,
    times: u32,
    until: SimTime,
    /// The last version of these, if it is another than the first.
    last: Option<u64>,
}

/// Something that happens all the time: may be drawn together with others of the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Routine {
    /// What is the same of those that are drawn together.
    pub(crate) kind: (&'static str, u8),
    /// Whether it is told when the last of them was.
    pub(crate) lasts: bool,
    /// What was read or written, and what is told after it.
    pub(crate) version: Option<u64>,
    pub(crate) rest: String,
}

/// Between whom it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A replica's own business, or nobody's.
    Own,
    /// From a replica to the store.
    ToStore,
    /// From the store to a replica.
    FromStore,
}

/// Whose line it is, what it says, and whether it is routine.
pub(crate) type Told = (Option<u32>, String, Option<Routine>);

impl Line {
    /// The lines of what is told. Routine between two events that are none is drawn together, but for
    /// the one with which the violation showed.
    pub(crate) fn all(
        told: impl Iterator<Item = (u64, SimTime, Way, Told)>,
        shows: Option<u64>,
    ) -> Vec<Self> {
        let mut lines: Vec<Self> = Vec::new();
        let mut routine_from = 0;
        for (seq, at, way, (replica, text, quiet)) in told {
            let kind = |quiet: &Option<Routine>| quiet.as_ref().map(|it| it.kind);
            let same =
                |line: &&mut Self| line.replica == replica && kind(&line.quiet) == kind(&quiet);
            if quiet.is_none() || Some(seq) == shows {
                routine_from = lines.len() + 1;
            } else if let Some(line) = lines.iter_mut().skip(routine_from).find(same) {
                line.times += 1;
                line.until = at;
                line.last = quiet.and_then(|quiet| quiet.version);
                continue;
            }
            let (times, until, last) = (1, at, None);
            lines.push(Self { seq, at, replica, way, text, quiet, times, until, last });
        }
        lines
    }

    pub(crate) fn text(&self) -> String {
        let Self { text, quiet, times, .. } = self;
        let Some(quiet) = quiet else { return text.clone() };
        let versions = match (quiet.version, self.last) {
            (Some(first), Some(last)) if first != last => format!(" v{first}-v{last}"),
            (Some(first), _) => format!(" v{first}"),
            (None, _) => String::new(),
        };
        let told = format!("{text}{versions}{}", quiet.rest);
        match *times {
            1 => told,
            times if quiet.lasts => {
                let gap = self.until.saturating_since(self.at).as_nanos() / u64::from(times - 1);
                let each = short(SimTime::from_nanos(gap));
                format!("{told} x {times} to {}, each {each}", short(self.until))
            }
            times => format!("{told} x {times}"),
        }
    }
}

/// A time to the millisecond.
pub(crate) fn short(at: SimTime) -> String {
    SimTime::from_nanos(at.as_nanos() / 1_000_000 * 1_000_000).to_string()
}

/// The columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lanes {
    /// Each replica, and its name.
    replicas: Vec<(u32, String)>,
    width: usize,
}

impl Lanes {
    /// A lane for each replica concerned, then for those that occur in `lines`.
    pub(crate) fn of(name: impl Fn(u32) -> String, lines: &[&Line], violation: &Violation) -> Self {
        let mut replicas = Vec::new();
        let occur = lines.iter().rev().filter_map(|line| line.replica);
        for replica in violation.replicas.iter().copied().chain(occur) {
            if replicas.len() < MOST && !replicas.contains(&replica) {
                replicas.push(replica);
            }
        }
        replicas.sort_unstable();
        let width = (WIDTH - MARGIN) / replicas.len().max(1);
        Self { replicas: replicas.into_iter().map(|it| (it, name(it))).collect(), width }
    }

    pub(crate) fn title(&self) -> String {
        let mut title = " ".repeat(MARGIN);
        for (_, name) in &self.replicas {
            title.push_str(&self.cell(name));
        }
        format!("{}\n", title.trim_end())
    }

    /// Nothing for a replica without a lane.
    pub(crate) fn line(&self, line: &Line, here: bool) -> String {
        let mark = if here { ">>" } else { "" };
        let mut text = format!("{mark:<2}{:>12}  ", short(line.at));
        match line.replica {
            None => {
                let room = WIDTH - MARGIN - 4;
                text.push_str("-- ");
                text.extend(line.text().chars().take(room));
            }
            Some(replica) => {
                let Some(column) = self.replicas.iter().position(|(it, _)| *it == replica) else {
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
