//! Whether looking members up is the same as having them: beside each one that is restated after each
//! call goes one that is not, with a clock that goes on and the store's own versions.

use tenure::sharding::{RequestId, Sharder};
use tenure::time::Instant;

use super::doors::{Ask, Door, Reaction};
use super::facts::plain;
use super::laws::{Law, RESTATED};
use super::table::{Seat, Table, at};

const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// An untouched member.
#[derive(Debug)]
pub(super) struct Shadow {
    sharder: Sharder,
    member: u8,
    ids: Vec<(u8, RequestId)>,
    ticks: u64,
    calls: usize,
}

impl Shadow {
    pub(super) fn new(table: &Table, member: u8, process: u8, ticks: u64) -> Self {
        let mut sharder = table.process(member, process, ticks);
        sharder.only_poked(NEVER);
        Self { sharder, member, ids: Vec::new(), ticks, calls: 0 }
    }

    pub(super) const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// How often something happened.
    pub(super) const fn calls(&self) -> usize {
        self.calls
    }

    /// The same happens to it; `reaction` and `seat` are what came of that to the other.
    ///
    /// # Errors
    /// It did something else.
    pub(super) fn call(
        &mut self,
        table: &mut Table,
        door: &Door,
        reaction: &Reaction,
        seat: &Seat,
    ) -> Result<(), Law> {
        if *door == Door::Tick {
            self.ticks += u64::from(table.rules.rates[usize::from(self.member)]);
        }
        self.calls += 1;
        let now = at(self.ticks);
        table.drive(&mut self.sharder, self.member, &self.ids, now, door);
        let (mut mine, asked) = table.react(&mut self.sharder, now.instant);
        self.sharder.only_poked(NEVER);
        let facts = table.facts(seat);
        // What was asked and is given up is known by the other's facts.
        self.ids.retain(|(number, _)| !asked.iter().any(|(new, _)| new == number));
        self.ids.extend(asked);
        self.ids.retain(|(number, _)| facts.asked.contains(number));
        let mut other = reaction.clone();
        forget_left(table, &mut mine);
        forget_left(table, &mut other);
        let same = mine == other
            && plain(&self.sharder, now.instant) == facts.plain
            && self.ids.len() == facts.asked.len();
        same.then_some(()).ok_or(RESTATED)
    }
}

/// That decides nothing.
fn forget_left(table: &Table, reaction: &mut Reaction) {
    for (_, ask) in &mut reaction.asks {
        if let Ask::Create(rec) | Ask::Update(rec, _) = ask
            && !table.shape(*rec).state.counts()
        {
            rec.acted_on = None;
        }
    }
}
