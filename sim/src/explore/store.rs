//! What the store does with a request.

use tenure::election::Failure;

use super::electors::{Ask, Call, Copied, Electors};
use super::laws::{self, Law};
use super::objects::ObjectId;
use super::world::{Executed, Flight, Orphan, Stage, World, Writer};

impl<E: Electors> Stage<E> {
    /// The replica wants no answer any more.
    pub(super) fn give_up(&self, world: &mut World<E::Seat>, i: u8) {
        let replica = world.replica(i);
        let writer = Writer { replica: i, life: replica.life };
        if let (Flight::Sent(call), true) =
            (core::mem::take(&mut replica.flight), self.rules.late_writes)
            && let Some(place) = world.orphans.iter_mut().find(|place| place.is_none())
        {
            *place = Some(Orphan { writer, call });
        }
    }

    pub(super) fn apply_flight(&mut self, world: &mut World<E::Seat>, i: u8) -> Result<(), Law> {
        let replica = world.replica(i);
        let writer = Writer { replica: i, life: replica.life };
        if let Flight::Sent(call) = replica.flight {
            let result = self.apply(world, writer, call)?;
            let executed = if call.ask == Ask::Get { Executed::Read } else { Executed::Write };
            world.replica(i).flight = Flight::Answered(executed, result);
        }
        Ok(())
    }

    pub(super) fn apply(
        &mut self,
        world: &mut World<E::Seat>,
        writer: Writer,
        Call { place, ask }: Call,
    ) -> Result<Result<Copied, Failure>, Law> {
        let object = match (ask, world.store[usize::from(place)]) {
            (Ask::Get, stored) => return Ok(stored.ok_or(Failure::NotFound)),
            (Ask::Create(_), Some(_)) => return Ok(Err(Failure::AlreadyExists)),
            (Ask::Update(_), None) => return Ok(Err(Failure::NotFound)),
            (Ask::Update(over), Some(stored)) if over.version != stored.version => {
                return Ok(Err(Failure::Conflict));
            }
            (Ask::Create(object) | Ask::Update(Copied { object, .. }), _) => object,
        };
        laws::write(self, world, writer, (place, object))?;
        Ok(Ok(self.write(world, place, object)))
    }

    pub(super) fn write(
        &mut self,
        world: &mut World<E::Seat>,
        place: u8,
        object: ObjectId,
    ) -> Copied {
        world.last_version += 1;
        let object = self.electors.objects().settled(object);
        let stored = Copied { object, version: world.last_version };
        let place = usize::from(place);
        world.old[place] = world.store[place].replace(stored);
        stored
    }
}

/// Writes that can take no effect any more are dropped, and what no watch will show.
pub(super) fn drop_what_is_over<S>(world: &mut World<S>) {
    if world.faults.late_shows == 0 {
        world.old = [None; 2];
    }
    for place in &mut world.orphans {
        let may = place.is_none_or(|orphan| {
            let stored = world.store[usize::from(orphan.call.place)];
            match orphan.call.ask {
                Ask::Get => false,
                Ask::Create(_) => stored.is_none() || world.faults.deletions > 0,
                Ask::Update(over) => stored.is_some_and(|stored| stored.version == over.version),
            }
        });
        if !may {
            *place = None;
        }
    }
}
