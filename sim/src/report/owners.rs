//! Who has which slot when.

use super::model::{Grid, Key, Paint, Row, Text, Texts};
use super::sketch::micros;
use crate::sharding::Scenario;
use crate::sharding::check::group;
use crate::sharding::trace::{Entry, What};
use crate::time::SimTime;

/// No more rows than this: each is as many slots as it takes.
const ROWS: u32 = 512;
/// Nobody, and two at once; a replica is its number and two.
const NOBODY: u32 = 0;
const TWO: u32 = 1;

/// The slots of a group while it runs.
#[derive(Debug, Clone)]
pub(super) struct Owners {
    group: group::Group,
    rows: Vec<Row>,
    /// By replica.
    counts: Vec<u32>,
    /// Something changed since this was looked at last.
    stale: bool,
}

impl Owners {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let group = group::Group::new(scenario);
        let rows = vec![Row::default(); group.slots.count().min(ROWS) as usize];
        let counts = vec![0; group.replicas.len()];
        Self { group, rows, counts, stale: true }
    }

    pub(super) const fn slots(&self) -> u32 {
        self.group.slots.count()
    }

    /// The times until `now` at which a claim ends by the clock.
    pub(super) fn ends(&self, now: SimTime) -> Vec<SimTime> {
        let within = |at: &SimTime| *at > self.group.now && *at <= now;
        let claiming = self.group.replicas.iter().filter(|it| it.alive && !it.claims.is_empty());
        let ends = claiming.flat_map(|it| it.until.into_iter().chain(it.ends.values().copied()));
        let mut ends: Vec<SimTime> = ends.filter(within).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// Time has come to this.
    pub(super) fn pass(&mut self, at: SimTime) {
        self.group.now = at;
        self.stale = true;
    }

    /// Something happened.
    pub(super) fn apply(&mut self, entry: &Entry) {
        let held = |group: &group::Group, replica: &u32| group.holds(*replica);
        let before = entry.what.replica().map(|it| held(&self.group, &it));
        self.group.apply(entry);
        self.stale |= match &entry.what {
            What::Gained { .. } | What::Lost { .. } | What::Ends { .. } | What::Ended { .. } => {
                true
            }
            What::Until { replica, .. } => before != Some(held(&self.group, replica)),
            _ => false,
        };
    }

    /// Of each replica how many slots it has, if that may have changed.
    pub(super) fn look(&mut self) -> Option<&[u32]> {
        if !core::mem::take(&mut self.stale) {
            return None;
        }
        let mut owners = vec![NOBODY; self.slots() as usize];
        self.counts.fill(0);
        for (replica, it) in self.group.holders() {
            let mut count = 0;
            for slot in &it.claims {
                if !it.ends.is_empty() && !self.group.has(replica, slot) {
                    continue;
                }
                count += 1;
                if let Some(owner) = owners.get_mut(slot.index() as usize) {
                    *owner = if *owner == NOBODY { replica + 2 } else { TWO };
                }
            }
            if let Some(known) = self.counts.get_mut(replica as usize) {
                *known = count;
            }
        }
        let at = micros(self.group.now);
        let (rows, slots) = (self.rows.len(), owners.len());
        for (place, row) in self.rows.iter_mut().enumerate() {
            let slots = owners.get(place * slots / rows..(place + 1) * slots / rows);
            row.becomes(at, most(slots.unwrap_or_default()));
        }
        Some(&self.counts)
    }

    pub(super) fn grid(self, texts: &mut Texts, names: impl Fn(u32) -> String) -> Grid {
        let key = |name: String, paint| Key { name, paint };
        let mut keys =
            vec![key("nobody".to_owned(), Paint::None), key("two owners".to_owned(), Paint::Bad)];
        let replicas = 0..u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        keys.extend(replicas.map(|replica| key(names(replica), Paint::Colour(replica))));
        let (rows, slots) = (self.rows.len(), self.slots() as usize);
        let mut grid = Grid { title: format!("{slots} slots"), key: keys, rows: self.rows };
        for (place, row) in grid.rows.iter_mut().enumerate() {
            row.name = named(texts, place * slots / rows, (place + 1) * slots / rows - 1);
        }
        grid
    }
}

fn named(texts: &mut Texts, first: usize, last: usize) -> Text {
    texts.put(&if first == last {
        format!("slot {first}")
    } else {
        format!("slots {first} to {last}")
    })
}

/// What stands for these: two owners if any has them, else what most have.
fn most(owners: &[u32]) -> u32 {
    if owners.contains(&TWO) {
        return TWO;
    }
    let mut sorted = owners.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|one, other| one == other);
    // Of equal runs the first, so that what is drawn does not flicker.
    let most = runs.rev().max_by_key(|run| run.len());
    most.and_then(|run| run.first()).copied().unwrap_or(NOBODY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_most_of_it_is_and_two_owners_win() {
        assert_eq!(most(&[]), NOBODY);
        assert_eq!(most(&[3, 2, 3, NOBODY]), 3);
        assert_eq!(most(&[3, 3, 2, 2]), 2);
        assert_eq!(most(&[3, 3, 3, TWO]), TWO);
    }
}
