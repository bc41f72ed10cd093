//! What a report says, whatever it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use tenure::time::Timestamp;

use crate::history::Moment;
use crate::time::SimTime;

/// So many colours differ.
pub(super) const COLOURS: usize = 7;
/// So many terms are listed: the last ones.
const LISTED: usize = 200;

/// Whether what is told is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Not so.
    Bad,
    /// Nobody can say.
    #[default]
    Unknown,
}

/// What stands above the picture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Head {
    /// What it is of, in few words: the scenario.
    pub title: String,
    /// What else there is to know, a line each.
    pub about: Vec<String>,
    /// What to make of it.
    pub tone: Tone,
    /// The same in words.
    pub verdict: String,
    /// The command that shows it again, if there is one.
    pub again: Option<String>,
    /// What was found, explained; plain text.
    pub explained: Vec<String>,
}

/// Something drawn that can be looked at: as HTML by [`html`](Self::html), as a still picture by
/// [`svg`](Self::svg). The same report gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// What stands above the picture.
    pub(super) head: Head,
    pub(super) axis: Axis,
    /// Where the axis begins and ends.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) texts: Texts,
    pub(super) lanes: Vec<Lane>,
    pub(super) faults: Vec<Fault>,
    pub(super) violations: Vec<Violation>,
    pub(super) grid: Option<Grid>,
    pub(super) bars: Vec<Bars>,
    pub(super) tables: Vec<Table>,
    /// What the picture leaves out.
    pub(super) notices: Vec<String>,
}

/// What lies along the axis. Times are whole microseconds; a browser's numbers hold them exactly for 285
/// years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Axis {
    /// Microseconds since the beginning.
    #[default]
    Time,
    /// Microseconds since this one, which counts from 1970.
    Wall(i64),
    /// Seeds since this one: as a text, since a browser's numbers do not hold all of them.
    Seed(#[serde(serialize_with = "as_text")] u64),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_text<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(number)
}

/// A replica, a lock, a holder.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Lane {
    pub(super) name: Text,
    /// What stands above it and those after it, if that is not what stands above the one before.
    pub(super) group: Option<Text>,
    /// What colour stands for it; none for what others are the colour of.
    pub(super) colour: Option<u32>,
    pub(super) spans: Vec<Span>,
    pub(super) marks: Vec<Mark>,
    pub(super) calls: Vec<Call>,
}

/// What goes on in a lane for some time. Of one kind there is one at a time, but of [`Hit`](Kind::Hit).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It is there: a thin bar.
    Up,
    /// It leads, or has slots: a thick bar.
    Leads,
    /// It may act: a stripe under the bar.
    Acts,
    /// It stands still: hatched.
    Paused,
    /// Its clock runs wrong: a dotted line.
    Clock,
    /// The network fails it: a band behind the lane.
    Hit,
    /// The lock says that this lane holds it: a bar in that one's colour.
    Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) kind: Kind,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) text: Text,
    /// How thick, in thousandths; of `Holds` the lane that it holds and one, or 0.
    pub(super) value: u32,
}

/// What happens at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// A process starts.
    Starts,
    /// It ends by itself.
    Exits,
    /// It is killed.
    Crashes,
    /// It is asked for something.
    Told,
    /// It warns, or notes something odd.
    Warns,
    /// Somebody from outside changed something.
    ByHand,
    /// A write was refused where it would have done harm.
    Refused,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sign: Sign,
    pub(super) at: u64,
    pub(super) text: Text,
}

/// How a call ended, and how much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Came {
    /// A read that succeeded.
    Read,
    /// Work, or a write to what is guarded.
    Work,
    /// A write that succeeded.
    Written,
    /// It was refused, lost or answered too late.
    Failed,
}

/// From when something is asked until it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) came: Came,
    pub(super) from: u64,
    /// When it took effect, if it did.
    pub(super) effect: Option<u64>,
    pub(super) to: u64,
    /// What was asked.
    pub(super) what: Text,
    /// What came of it.
    pub(super) became: Text,
    /// The version read or written, the slot worked on.
    pub(super) number: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Whether it is the network that fails.
    pub(super) network: bool,
    pub(super) from: u64,
    /// The same for what has no length.
    pub(super) to: u64,
    pub(super) text: Text,
    /// Faults of one row do not overlap, but in the last one.
    pub(super) row: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Violation {
    pub(super) at: u64,
    /// Until when it is seen to last; `at` if it is not.
    pub(super) to: u64,
    /// Check and rule.
    pub(super) rule: Text,
    pub(super) what: Text,
    /// The lanes concerned.
    pub(super) lanes: Vec<u32>,
}

/// Rows of what changes along the axis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Grid {
    pub(super) title: String,
    /// What the codes mean.
    pub(super) key: Vec<Key>,
    pub(super) rows: Vec<Row>,
}

/// How to draw a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) paint: Paint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Paint {
    /// Nothing.
    None,
    /// What must not be.
    Bad,
    Good,
    /// Bad, and expected.
    Expected,
    /// Of a lane with this colour.
    Colour(u32),
}

/// Each code holds from its place on to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Row {
    pub(super) name: Text,
    pub(super) runs: Vec<(u64, u32)>,
}

impl Row {
    /// From here on it is this.
    pub(super) fn becomes(&mut self, at: u64, code: u32) {
        if self.runs.last().is_some_and(|last| last.0 == at) {
            self.runs.pop();
        }
        if self.runs.last().is_none_or(|last| last.1 != code) {
            self.runs.push((at, code));
        }
    }
}

impl Report {
    /// The same with this above it.
    ///
    /// ```
    /// use tenure_sim::report::{Head, Report};
    /// let head = Head { title: "pause".to_owned(), ..Head::default() };
    /// assert!(Report::default().headed(head).svg().contains("pause"));
    /// ```
    #[must_use]
    pub fn headed(mut self, head: Head) -> Self {
        self.head = head;
        self
    }

    /// Of many lanes those that lead have the first colours, so that few are the same.
    pub(super) fn colour_leaders(&mut self) {
        let lanes = self.lanes.iter_mut().filter(|lane| lane.colour.is_some());
        let mut lanes: Vec<&mut Lane> = lanes.collect();
        if lanes.len() > COLOURS {
            lanes.sort_by_key(|lane| lane.spans.iter().all(|span| span.kind != Kind::Leads));
            for (colour, lane) in (0..).zip(lanes) {
                lane.colour = Some(colour);
            }
        }
    }

    /// Lists the last of the terms, or shares: who has them (`verb`) from when to when.
    pub(super) fn list_terms(&mut self, title: &str, verb: &'static str) {
        let mut terms: Vec<_> = Vec::new();
        for lane in &self.lanes {
            let leads = lane.spans.iter().filter(|span| span.kind == Kind::Leads);
            terms.extend(leads.map(|span| (span.from, span.to, lane.name, span.text)));
        }
        terms.sort_unstable_by_key(|term| (term.0, term.1, term.2.0));
        let before = terms.len().saturating_sub(LISTED);
        let told = match before {
            0 => title.to_owned(),
            _ => format!("{title} ({before} before these)"),
        };
        let head = vec![verb, "from", "until", "what"];
        let mut table = Table { title: told, head, rows: Vec::new() };
        for (from, to, name, text) in terms.into_iter().skip(before) {
            let [name, text] = [name, text].map(|it| self.texts.get(it).to_owned());
            table.rows.push(vec![name, self.told(from), self.told(to), text]);
        }
        self.tables.push(table);
    }

    /// A place on the axis in words.
    pub(super) fn told(&self, at: u64) -> String {
        match self.axis {
            Axis::Time => SimTime::from_nanos(at.saturating_mul(1_000)).to_string(),
            Axis::Wall(origin) => {
                let nanos = (i128::from(origin) + i128::from(at)) * 1_000;
                Moment::of(Timestamp::from_unix_nanos(nanos)).to_string()
            }
            Axis::Seed(first) => first.saturating_add(at).to_string(),
        }
    }
}

/// Bars of one measure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Bars {
    pub(super) title: String,
    /// What it is, how long, and how that is told.
    pub(super) rows: Vec<(String, u64, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A text by its place in [`Texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Text(pub(super) u32);

/// Each text once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Texts {
    all: Vec<Arc<str>>,
    known: BTreeMap<Arc<str>, Text>,
}

impl Texts {
    /// Its place.
    pub(super) fn put(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let (shared, place) = (Arc::from(text), u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(Arc::clone(&shared));
        self.known.insert(shared, Text(place));
        Text(place)
    }

    /// The text at this place.
    pub(super) fn get(&self, text: Text) -> &str {
        self.all.get(text.0 as usize).map_or("", |text| text)
    }
}

impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(to)
    }
}

/// What there may be many of is a list of numbers.
macro_rules! as_list {
    ($type:ty, $it:ident => $list:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let $it = self;
                $list.serialize(to)
            }
        }
    };
}

as_list!(Span, it => (it.kind as u8, it.from, it.to - it.from, it.text, it.value));
as_list!(Mark, it => (it.sign as u8, it.at, it.text));
as_list!(Fault, it => (it.network, it.from, it.to - it.from, it.text, it.row));
as_list!(Call, it => (
    it.came as u8,
    it.from,
    it.effect.map(|at| at.saturating_sub(it.from)),
    it.to - it.from,
    it.what,
    it.became,
    it.number,
));
