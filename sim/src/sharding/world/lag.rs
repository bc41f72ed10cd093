//! Faults that slow down calls of some kinds.

use super::super::fault::Calls;
use super::super::system::Op;
use crate::distribution::Distribution;
use crate::fault::Direction;
use crate::rng::{Draw, mix};
use crate::time::Span;

/// Those that go on.
#[derive(Debug, Default)]
pub(super) struct Lags(Vec<Lag>);

#[derive(Debug)]
pub(super) struct Lag {
    /// Which fault.
    pub(super) of: u32,
    pub(super) who: Vec<u32>,
    pub(super) calls: Vec<Calls>,
    pub(super) direction: Direction,
    pub(super) by: Distribution,
}

impl Lags {
    pub(super) fn begin(&mut self, lag: Lag) {
        self.0.push(lag);
    }

    pub(super) fn end(&mut self, fault: u32) {
        self.0.retain(|lag| lag.of != fault);
    }

    /// How much longer a call takes to arrive.
    pub(super) fn call(&self, replica: u32, about: Option<Calls>, luck: u64) -> Span {
        self.sum(replica, about, Direction::Incoming, mix(luck, Draw::SlowCall))
    }

    /// How much longer its answer takes.
    pub(super) fn answer(&self, replica: u32, about: Option<Calls>, luck: u64) -> Span {
        self.sum(replica, about, Direction::Outgoing, mix(luck, Draw::SlowAnswer))
    }

    fn sum(&self, replica: u32, about: Option<Calls>, not: Direction, bits: u64) -> Span {
        let hits = |lag: &&Lag| {
            lag.direction != not
                && lag.who.contains(&replica)
                && about.is_some_and(|about| lag.calls.contains(&about))
        };
        self.0.iter().filter(hits).fold(Span::ZERO, |sum, lag| sum + lag.by.draw(bits))
    }
}

/// What a call is about, for a replica whose record is called `own`.
pub(super) fn about<V>(op: &Op<V>, own: &str) -> Calls {
    let name = match op {
        Op::List(_) => return Calls::List,
        Op::Get(name) | Op::Create(name, _) | Op::Update(name, ..) | Op::Delete(name, _) => name,
    };
    if **name == *own {
        Calls::Own
    } else if **name == *"plan" {
        Calls::Plan
    } else if name.starts_with("lock/") {
        Calls::Lock
    } else {
        Calls::Others
    }
}
