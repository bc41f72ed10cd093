//! A fault before it is known what there is to hit.

use proptest::prelude::*;

use crate::distribution::Distribution;
use crate::fault::Direction;
use crate::time::Span;

/// Times of faults are whole tenths of a second, for who reads them.
const TICK: u64 = 100_000_000;

/// A few numbers. Each is a fault of any scenario, so that the scenario and its faults are drawn, and made
/// smaller, independently of each other; 0 is the simplest value of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Knobs {
    /// Which kind, of 256.
    kind: u8,
    /// When, and for how long, of 1,000.
    at: u16,
    lasts: u16,
    /// Whom.
    pub(super) who: u8,
    /// How much, of 1,000.
    pub(super) amount: u16,
    /// In which way.
    pub(super) way: u8,
    /// Upon what, for one in four.
    pub(super) upon: u8,
}

pub(super) fn knobs() -> impl Strategy<Value = Knobs> {
    let thousand = 0..1_000_u16;
    (any::<u8>(), thousand.clone(), thousand.clone(), 0..8_u8, thousand, 0..8_u8, 0..24_u8)
        .prop_map(|(kind, at, lasts, who, amount, way, upon)| Knobs {
            kind,
            at,
            lasts,
            who,
            amount,
            way,
            upon,
        })
}

impl Knobs {
    /// One of these; the first is the simplest.
    pub(super) fn kind<K: Copy>(&self, kinds: &[K]) -> Option<K> {
        kinds.get(usize::from(self.kind) * kinds.len() / 256).copied()
    }

    /// When it begins, between these.
    pub(super) fn at(&self, from: Span, to: Span) -> Span {
        between(self.at, from, to)
    }

    /// How long it lasts: up to this, and at least a tick.
    pub(super) fn lasts(&self, longest: Span) -> Span {
        between(self.lasts, Span::from_nanos(TICK), longest)
    }

    /// A length up to this.
    pub(super) fn span(&self, longest: Span) -> Span {
        between(self.amount, Span::ZERO, longest)
    }

    /// How long something takes, up to this.
    pub(super) fn by(&self, longest: Span) -> Distribution {
        Distribution::uniform(Span::ZERO, self.span(longest))
    }

    /// So many of a million: from a hundredth to nearly all.
    pub(super) fn ppm(&self) -> u32 {
        10_000 + u32::from(self.amount) * 980
    }

    /// The number of a replica.
    pub(super) fn replica(&self, count: usize) -> u32 {
        u32::try_from(usize::from(self.who) % count.max(1)).unwrap_or(0)
    }

    pub(super) const fn direction(&self) -> Direction {
        match self.way % 3 {
            0 => Direction::Both,
            1 => Direction::Outgoing,
            _ => Direction::Incoming,
        }
    }

    pub(super) const fn is_odd(&self) -> bool {
        self.way % 2 == 1
    }

    /// A rate between these.
    pub(super) fn rate(&self, (slowest, fastest): (u64, u64)) -> u64 {
        rate(self.amount, (slowest, fastest))
    }
}

/// So many thousandths of the way from one to the other, in whole ticks.
fn between(part: u16, from: Span, to: Span) -> Span {
    let (from, to) = (from.as_nanos(), to.as_nanos());
    let here = from.saturating_add(to.saturating_sub(from) / 1_000 * u64::from(part));
    Span::from_nanos((here / TICK * TICK).max(from))
}

/// The same of rates.
pub(super) fn rate(part: u16, (slowest, fastest): (u64, u64)) -> u64 {
    slowest + fastest.saturating_sub(slowest) / 1_000 * u64::from(part)
}
