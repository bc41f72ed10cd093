//! A watch of the store: it shows anybody what is, at any time, and sometimes what is no longer so.

use super::electors::{Copied, Door, Electors};
use super::laws::Law;
use super::step::Step;
use super::world::{Stage, World};

impl<E: Electors> Stage<E> {
    /// What a watch may show.
    pub(super) fn shows(&self, world: &World<E::Seat>, out: &mut Vec<Step>) {
        for (i, replica) in (0u8..).zip(world.replicas()) {
            if replica.paused || self.facts(replica).finished {
                continue;
            }
            let shows = [
                (Step::Show(i), world.store[0]),
                (Step::ShowSecond(i), world.store[1]),
                (Step::ShowOld(i), world.old[0]),
                (Step::ShowOldSecond(i), world.old[1]),
            ];
            out.extend(shows.iter().filter(|(_, shown)| shown.is_some()).map(|(step, _)| step));
            if world.faults.late_shows > 0 {
                out.push(Step::ShowDeleted(i));
            }
        }
    }

    /// A watch shows a replica an object, or that it was deleted.
    pub(super) fn show(
        &mut self,
        world: &mut World<E::Seat>,
        i: u8,
        shown: Option<Copied>,
    ) -> Result<(), Law> {
        self.call(world, i, shown.map_or(Door::ShowDeleted, Door::Show))
    }

    pub(super) fn show_late(
        &mut self,
        world: &mut World<E::Seat>,
        i: u8,
        shown: Option<Copied>,
    ) -> Result<(), Law> {
        world.faults.late_shows -= 1;
        self.show(world, i, shown)
    }
}
