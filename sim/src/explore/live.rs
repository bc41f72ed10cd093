//! Electors as they are in production: with clocks that go on, versions that grow, and all that they
//! know. To replay what was found, and to check that what [`Table`](super::table::Table) makes of
//! them is the same.

use tenure::election::{Elector, RequestId};

use super::electors::{
    Clock, Door, Electors, Facts, Reaction, drive, elector, facts, wants_answer,
};
use super::objects::Objects;
use super::rules::Rules;
use crate::time::Span;

/// Electors, each with a clock of its own.
#[derive(Debug)]
pub(super) struct Live {
    rules: Rules,
    objects: Objects,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Process {
    elector: Elector,
    clock: Clock,
    rate: u8,
    outstanding: Option<RequestId>,
}

impl Live {
    pub(super) fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), objects: Objects::new(rules.profile, false) }
    }
}

impl Electors for Live {
    type Seat = Option<Box<Process>>;

    fn objects(&mut self) -> &mut Objects {
        &mut self.objects
    }

    fn objects_ref(&self) -> &Objects {
        &self.objects
    }

    fn begin(&mut self, replica: u8, life: u8, clock: Clock) -> Self::Seat {
        let rate = self.rules.rates[usize::from(replica)];
        let elector = elector(&self.rules, replica, life, clock);
        Some(Box::new(Process { elector, clock, rate, outstanding: None }))
    }

    fn call(&mut self, seat: &mut Self::Seat, door: Door) -> Reaction {
        let Some(process) = seat else { return Reaction::NONE };
        if door == Door::Tick {
            let by = self.rules.tick.as_nanos() * u64::from(process.rate);
            process.clock = process.clock.advanced(Span::from_nanos(by));
            return Reaction::NONE;
        }
        let now = process.clock.now(&self.rules);
        let due = process.elector.poll_timeout().is_some_and(|due| due <= now.instant);
        let id = process.outstanding;
        let (reaction, request) =
            drive(&mut process.elector, &mut self.objects, door, (now, due), id);
        // Whether an old request is still wanted, an elector says to explorers only.
        let wants = wants_answer(&mut process.elector.clone(), process.clock);
        process.outstanding = request.or_else(|| id.filter(|_| wants));
        reaction
    }

    fn facts(&self, seat: &Self::Seat) -> Facts {
        let of = |process: &Process| {
            facts(&process.elector, process.clock, process.outstanding.is_some())
        };
        seat.as_deref().map_or_else(Facts::default, of)
    }

    fn clock(&self, seat: &Self::Seat) -> Clock {
        seat.as_ref().map_or(Clock::START, |process| process.clock)
    }
}
