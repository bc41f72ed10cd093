//! Random faults from a seed: kind by kind on or off, seldom or often, so that rare ones get runs of
//! their own.

use core::num::NonZeroU32;

use super::fault::{Change, Fault, Planned};
use super::scenario::{Hash, Mode, Scenario, Swarm};
use crate::clock::RIGHT;
use crate::distribution::Distribution;
use crate::fault::{Direction, Outage};
use crate::rng::{Purpose, Stream};
use crate::time::Span;
use tenure::sharding::State;

/// A kind of fault that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Partition,
    Delay,
    Loss,
    Duplicate,
    WatchStall,
    WatchBreak,
    Pause,
    Crash,
    Leave,
    Start,
    Reconfigure,
    Generation,
    SlowDrain,
    Drift,
    Outage,
    StoreSlow,
    StoreErrors,
    // From here on: wild only.
    WildDrift,
    Forge,
    // Changing only.
    Configuration,
}

const SAFE: [Kind; 17] = [
    Kind::Partition,
    Kind::Delay,
    Kind::Loss,
    Kind::Duplicate,
    Kind::WatchStall,
    Kind::WatchBreak,
    Kind::Pause,
    Kind::Crash,
    Kind::Leave,
    Kind::Start,
    Kind::Reconfigure,
    Kind::Generation,
    Kind::SlowDrain,
    Kind::Drift,
    Kind::Outage,
    Kind::StoreSlow,
    Kind::StoreErrors,
];
const WILD: [Kind; 2] = [Kind::WildDrift, Kind::Forge];
/// Always on where it can be.
const CHANGING: [Kind; 1] = [Kind::Configuration];

/// Of a ring, for each unit of weight.
const POINTS: NonZeroU32 = NonZeroU32::new(4).unwrap();

/// Most faults of one plan.
const MOST: u64 = 60;

/// `scenario` with the faults that its swarm draws from the seed; as it is, if it has none.
pub(super) fn drawn(scenario: &Scenario, seed: u64) -> Scenario {
    let Some(swarm) = scenario.swarm else { return scenario.clone() };
    let mut drawn = Scenario { swarm: None, ..scenario.clone() };
    let mut stream = Stream::new(seed, Purpose::Plan, 7);
    group(&mut drawn, &mut stream);
    let horizon = drawn.horizon.as_nanos();
    let heal_at = drawn.heal_at.unwrap_or_else(|| Span::from_nanos(horizon / 5 * 3));
    drawn.heal_at = Some(heal_at);
    let wild: &[Kind] = if swarm == Swarm::Wild { &WILD } else { &[] };
    let mut kinds: Vec<Kind> = SAFE.iter().chain(wild).copied().collect();
    kinds.retain(|_| stream.chance(2, 5));
    if swarm == Swarm::Changing {
        kinds.extend(CHANGING);
    }
    if kinds.is_empty() {
        kinds.push(Kind::Crash);
    }
    let count = stream.log_uniform(2, MOST);
    let longest = drawn.lease_duration.as_nanos().saturating_mul(stream.log_uniform(1, 4));
    let rates = safe_rates(&drawn);
    let mut draw = Draw { replicas: drawn.replicas.len() as u64, stream, longest, rates };
    for _ in 0..count {
        let nth = usize::try_from(draw.stream.below(kinds.len() as u64)).unwrap_or(0);
        let kind = kinds.get(nth).copied().unwrap_or(Kind::Crash);
        let at = Span::from_nanos(draw.stream.below(heal_at.as_nanos()));
        let fault = draw.fault(kind);
        let lasts = fault.can_last().then(|| draw.span());
        drawn.faults.push(Planned { lasts, ..Planned::at(at, fault) });
    }
    drawn
}

/// Clocks, durations, latencies and work by chance.
fn group(drawn: &mut Scenario, stream: &mut Stream) {
    let millis = |min: u64, max: u64| {
        Distribution::uniform(Span::from_millis(min), Span::from_millis(min.max(max)))
    };
    // Short leases make for many lives; deadlines near the lease leave no room for wrong rules.
    if stream.chance(2, 3) {
        let lease = stream.within(2, 15);
        let lease_nanos = lease * 1_000_000_000;
        let deadline = lease_nanos / 100 * stream.within(55, 99);
        drawn.lease_duration = Span::from_secs(lease);
        drawn.renew_deadline = Span::from_nanos(deadline);
        drawn.retry_period = Span::from_nanos(deadline / stream.within(3, 8));
        drawn.request_timeout = Span::from_nanos(lease_nanos / 4 * stream.within(1, 8));
    }
    drawn.slots = 1 << stream.within(2, 7);
    if stream.chance(1, 2) {
        drawn.collect_after = Span::from_nanos(drawn.lease_duration.as_nanos() * 2);
    }
    // Slower messages than that, and nobody could join before its authority ends: those are faults.
    let retry = drawn.retry_period.as_nanos() / 1_000_000;
    let slow = stream.log_uniform(20, (retry / 3).clamp(21, 1_000));
    if stream.chance(1, 2) {
        (drawn.network.request, drawn.network.response) = (millis(1, slow), millis(1, slow));
    }
    if stream.chance(1, 2) {
        drawn.work.takes = millis(1, stream.log_uniform(100, 8_000));
    }
    if stream.chance(1, 3) {
        drawn.work.drain = millis(0, stream.log_uniform(100, 4_000));
    }
    let (slowest, fastest) = safe_rates(drawn);
    let drifting = stream.chance(1, 2);
    let listing = stream.below(3);
    for replica in &mut drawn.replicas {
        replica.clock_offset = Span::from_nanos(stream.below(1 << 50));
        if drifting {
            replica.rate_ppb = stream.within(slowest, fastest);
        }
        replica.watch = match listing {
            0 => true,
            1 => false,
            _ => stream.chance(1, 2),
        };
        if stream.chance(1, 3) {
            replica.start = Span::from_nanos(stream.below(drawn.lease_duration.as_nanos() * 3));
        }
        replica.weight = u32::try_from(stream.log_uniform(1, 8)).unwrap_or(1);
    }
}

/// The slowest and the fastest rate such that the fastest gains at most the lease duration over the
/// renew deadline on the slowest, a millionth less.
pub(crate) fn safe_rates(scenario: &Scenario) -> (u64, u64) {
    let (lease, deadline) = scenario.extremes();
    let (lease, deadline) = (u128::from(lease.as_nanos()), u128::from(deadline.as_nanos()));
    let right = u128::from(RIGHT);
    let slowest = (2 * right * deadline).div_ceil((lease + deadline).max(1));
    let fastest = slowest * lease / deadline.max(1) * 999_999 / 1_000_000;
    if fastest < right || slowest > right {
        return (RIGHT, RIGHT);
    }
    let rate = |rate: u128| u64::try_from(rate).unwrap_or(RIGHT);
    (rate(slowest), rate(fastest))
}

struct Draw {
    replicas: u64,
    stream: Stream,
    longest: u64,
    rates: (u64, u64),
}

impl Draw {
    fn span(&mut self) -> Span {
        Span::from_nanos(self.stream.log_uniform(50_000_000, self.longest))
    }

    /// Some replicas, mostly one.
    fn who(&mut self) -> Vec<u32> {
        let count = if self.stream.chance(1, 4) { self.stream.within(1, self.replicas) } else { 1 };
        let first = self.stream.below(self.replicas);
        let who = (first..first + count).map(|nth| u32::try_from(nth % self.replicas).unwrap_or(0));
        who.collect()
    }

    fn direction(&mut self) -> Direction {
        match self.stream.below(3) {
            0 => Direction::Both,
            1 => Direction::Outgoing,
            _ => Direction::Incoming,
        }
    }

    fn by(&mut self) -> Distribution {
        let longest = self.span();
        Distribution::uniform(Span::ZERO, longest)
    }

    fn back(&mut self) -> Option<Span> {
        self.stream.chance(5, 6).then(|| self.span())
    }

    fn fault(&mut self, kind: Kind) -> Fault {
        let who = self.who();
        match kind {
            Kind::Partition => Fault::Partition { who, direction: self.direction() },
            Kind::Delay => Fault::Delay { who, direction: self.direction(), by: self.by() },
            Kind::Loss => {
                let ppm = u32::try_from(self.stream.below(900_000)).unwrap_or(0);
                Fault::Loss { who, direction: self.direction(), ppm }
            }
            Kind::Duplicate => {
                let ppm = u32::try_from(self.stream.below(900_000)).unwrap_or(0);
                Fault::Duplicate { who, ppm }
            }
            Kind::WatchStall => Fault::WatchStall { who },
            Kind::WatchBreak => Fault::WatchBreak { who },
            Kind::Pause => Fault::Pause { who },
            Kind::Crash => Fault::Crash { who, back: self.back(), with: Change::default() },
            Kind::Leave => Fault::Leave { who, back: self.back(), with: Change::default() },
            Kind::Start => Fault::Start { who },
            Kind::Reconfigure => {
                let weight = u32::try_from(self.stream.log_uniform(1, 8)).ok();
                Fault::Reconfigure { who, with: Change { weight, ..Change::default() } }
            }
            Kind::Generation => {
                let generation = self.stream.within(1, 4);
                let slots = Some(1 << (generation + 2));
                let generation = Some(generation);
                Fault::Reconfigure { who, with: Change { generation, slots, ..Change::default() } }
            }
            Kind::SlowDrain => Fault::SlowDrain { who, by: self.by() },
            Kind::Drift => {
                let rate_ppb = self.stream.within(self.rates.0, self.rates.1);
                Fault::Drift { who, rate_ppb }
            }
            Kind::Outage => {
                let how = if self.stream.chance(1, 2) { Outage::Refuse } else { Outage::Hang };
                Fault::StoreOutage { how }
            }
            Kind::StoreSlow => Fault::StoreSlow { before: self.by(), after: self.by() },
            Kind::StoreErrors => {
                let mut ppm = || u32::try_from(self.stream.below(800_000)).unwrap_or(0);
                Fault::StoreErrors { before_ppm: ppm(), after_ppm: ppm() }
            }
            Kind::WildDrift => {
                let rate_ppb = self.stream.within(RIGHT / 4, RIGHT * 4);
                Fault::Drift { who, rate_ppb }
            }
            Kind::Configuration => {
                let with = configuration(self.stream.within(2, 6));
                match self.stream.below(3) {
                    0 => Fault::Crash { who, back: self.back(), with },
                    1 => Fault::Leave { who, back: self.back(), with },
                    _ => Fault::Reconfigure { who, with },
                }
            }
            Kind::Forge => {
                let state = if self.stream.chance(1, 2) { State::Left } else { State::Excluded };
                if self.stream.chance(1, 3) {
                    Fault::Delete { who }
                } else {
                    Fault::Edit { who, state }
                }
            }
        }
    }
}

/// The configuration of this number: another in all that is the group's.
fn configuration(generation: u64) -> Change {
    let (mode, slots) = match generation % 5 {
        0 => (Mode::Planned, 64),
        1 => (Mode::Ranked, 16),
        2 => (Mode::Ring(POINTS), 32),
        3 => (Mode::Leased, 8),
        _ => (Mode::Planned, 16),
    };
    let hash = if generation.is_multiple_of(2) { Hash::Xxh3 } else { Hash::Fnv1a };
    Change {
        generation: Some(generation),
        slots: Some(slots),
        mode: Some(mode),
        hash: Some(hash),
        ..Change::default()
    }
}
