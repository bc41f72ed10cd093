//! Sharded groups, and plans of faults for them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tenure::sharding::State;

use super::MOST_FAULTS;
use super::knobs::{Knobs, knobs, rate};
use crate::clock::RIGHT;
use crate::fault::Outage;
use crate::sharding::fault::{Change, Fault, Planned};
use crate::sharding::{Mode, Replica, Scenario, Swarm, safe_rates};
use crate::time::Span;

/// Rates of clocks beyond any bound.
const WILD: (u64, u64) = (RIGHT / 4, RIGHT * 4);

/// Groups of 2 to 6 replicas with weights and zones, under up to [`MOST_FAULTS`] faults, which end at 10
/// lease durations of 16; each has its seed in `seed`. `swarm` says what may go wrong, as in
/// [`Swarm`]; where it is `Changing`, replicas change the number of slots.
///
/// ```
/// use tenure_sim::sharding::{Mode, Swarm};
/// use tenure_sim::strategy::{Failed, Property, groups};
/// let few = Property { cases: 2, seed: Some(1), ..Property::default() };
/// assert_eq!(few.holds(groups(Mode::Ranked, Swarm::Safe))?.runs.all, 2);
/// # Ok::<(), Failed>(())
/// ```
pub fn groups(mode: Mode, swarm: Swarm) -> impl Strategy<Value = Scenario> {
    let durations =
        prop_oneof![Just((15, 10_000, 2_000)), Just((6, 5_500, 1_000)), Just((3, 2_500, 400))];
    let options = (0..4_u32, 0..1_000_000_u64);
    (durations, vec(replica(), 2..=6), options, vec(knobs(), 0..=MOST_FAULTS)).prop_map(
        move |((lease, deadline, retry), replicas, (slots, seed), faults)| {
            let mut scenario = Scenario {
                name: "sharding/property".to_owned(),
                slots: 8 << slots,
                lease_duration: Span::from_secs(lease),
                renew_deadline: Span::from_millis(deadline),
                retry_period: Span::from_millis(retry),
                request_timeout: Span::from_millis(deadline / 2),
                heal_at: Some(Span::from_secs(lease * 10)),
                horizon: Span::from_secs(lease * 16),
                seed: Some(seed),
                ..Scenario::new(mode)
            };
            let rates = rates(&scenario, swarm);
            scenario.replicas = replicas.into_iter().map(|replica| replica.made(rates)).collect();
            scenario.faults = planned(&faults, &scenario, swarm);
            scenario
        },
    )
}

/// Plans of up to [`MOST_FAULTS`] faults that are valid for `scenario`: from its beginning until
/// everything heals, or until the end. Those that it has are not among them.
///
/// ```
/// use proptest::prelude::*;
/// use tenure_sim::sharding::{Mode, Scenario, Swarm};
/// use tenure_sim::strategy::{Failed, Property, group_plans};
/// let mine = Scenario { slots: 16, ..Scenario::new(Mode::Ranked) };
/// let plans = group_plans(&mine, Swarm::Safe);
/// let property = Property { cases: 2, seed: Some(1), ..Property::default() };
/// property.holds(plans.prop_map(move |faults| Scenario { faults, ..mine.clone() }))?;
/// # Ok::<(), Failed>(())
/// ```
pub fn group_plans(
    scenario: &Scenario,
    swarm: Swarm,
) -> impl Strategy<Value = Vec<Planned>> + use<> {
    let scenario = scenario.checked().unwrap_or_else(|_| scenario.clone());
    let scenario = Scenario { faults: Vec::new(), ..scenario };
    vec(knobs(), 0..=MOST_FAULTS).prop_map(move |faults| planned(&faults, &scenario, swarm))
}

/// A replica before its clock's bounds are known.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    rate: Option<u16>,
    offset: u32,
    start: u64,
    weight: u32,
    zone: u8,
    lists: bool,
}

fn replica() -> impl Strategy<Value = Drawn> {
    let rate = option::of(0..1_000_u16);
    let start = prop_oneof![2 => Just(0), 1 => 0..20_u64];
    (rate, any::<u32>(), start, 1..=4_u32, 0..3_u8, any::<bool>()).prop_map(
        |(rate, offset, start, weight, zone, lists)| Drawn {
            rate,
            offset,
            start,
            weight,
            zone,
            lists,
        },
    )
}

impl Drawn {
    fn made(self, rates: (u64, u64)) -> Replica {
        Replica {
            rate_ppb: self.rate.map_or(RIGHT, |part| rate(part, rates)),
            clock_offset: Span::from_secs(self.offset.into()),
            start: Span::from_secs(self.start),
            weight: self.weight,
            zone: if self.zone == 0 { String::new() } else { format!("z{}", self.zone) },
            watch: !self.lists,
            ..Replica::default()
        }
    }
}

fn rates(scenario: &Scenario, swarm: Swarm) -> (u64, u64) {
    if swarm == Swarm::Wild { WILD } else { safe_rates(scenario) }
}

/// A kind of fault, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crash,
    Pause,
    Partition,
    Leave,
    Reweigh,
    Delay,
    Loss,
    Duplicate,
    WatchStall,
    WatchBreak,
    SlowDrain,
    Drift,
    Outage,
    SlowStore,
    Errors,
    Delete,
    Forge,
    Configuration,
}

const SAFE: [Kind; 15] = [
    Kind::Crash,
    Kind::Pause,
    Kind::Partition,
    Kind::Leave,
    Kind::Reweigh,
    Kind::Delay,
    Kind::Loss,
    Kind::Duplicate,
    Kind::WatchStall,
    Kind::WatchBreak,
    Kind::SlowDrain,
    Kind::Drift,
    Kind::Outage,
    Kind::SlowStore,
    Kind::Errors,
];

fn planned(faults: &[Knobs], scenario: &Scenario, swarm: Swarm) -> Vec<Planned> {
    let more: &[Kind] = match swarm {
        Swarm::Safe => &[],
        Swarm::Wild => &[Kind::Delete, Kind::Forge],
        Swarm::Changing => &[Kind::Configuration],
    };
    let kinds = [&SAFE, more].concat();
    let end = scenario.heal_at.unwrap_or(scenario.horizon).min(scenario.horizon);
    let longest = Span::from_nanos(scenario.lease_duration.as_nanos().saturating_mul(2));
    let each = faults.iter().filter_map(|knobs| {
        let fault = fault(knobs.kind(&kinds)?, knobs, scenario, swarm);
        let lasts = fault.can_last().then(|| knobs.lasts(longest));
        Some(Planned { lasts, ..Planned::at(knobs.at(Span::ZERO, end), fault) })
    });
    each.collect()
}

fn fault(kind: Kind, knobs: &Knobs, scenario: &Scenario, swarm: Swarm) -> Fault {
    let longest = scenario.lease_duration;
    let who = vec![knobs.replica(scenario.replicas.len())];
    let direction = knobs.direction();
    let back = (knobs.upon < 20).then(|| knobs.lasts(longest));
    let with = Change::default();
    match kind {
        Kind::Crash => Fault::Crash { who, back, with },
        Kind::Pause => Fault::Pause { who },
        Kind::Partition => Fault::Partition { who, direction },
        Kind::Leave => Fault::Leave { who, back, with },
        Kind::Reweigh => {
            let with = Change { weight: Some(1 + u32::from(knobs.way)), ..with };
            Fault::Reconfigure { who, with }
        }
        Kind::Delay => Fault::Delay { who, direction, by: knobs.by(longest) },
        Kind::Loss => Fault::Loss { who, direction, ppm: knobs.ppm() },
        Kind::Duplicate => Fault::Duplicate { who, ppm: knobs.ppm() },
        Kind::WatchStall => Fault::WatchStall { who },
        Kind::WatchBreak => Fault::WatchBreak { who },
        Kind::SlowDrain => Fault::SlowDrain { who, by: knobs.by(longest) },
        Kind::Drift => Fault::Drift { who, rate_ppb: knobs.rate(rates(scenario, swarm)) },
        Kind::Outage => {
            Fault::StoreOutage { how: if knobs.is_odd() { Outage::Hang } else { Outage::Refuse } }
        }
        Kind::SlowStore => Fault::StoreSlow { before: knobs.by(longest), after: knobs.by(longest) },
        Kind::Errors => {
            let after_ppm = if knobs.is_odd() { knobs.ppm() } else { 0 };
            Fault::StoreErrors { before_ppm: knobs.ppm(), after_ppm }
        }
        Kind::Delete => Fault::Delete { who },
        Kind::Forge => {
            let state = if knobs.is_odd() { State::Excluded } else { State::Left };
            Fault::Edit { who, state }
        }
        Kind::Configuration => {
            let generation = 2 + u64::from(knobs.way % 4);
            let (generation, slots) = (Some(generation), Some(8 << generation));
            Fault::Reconfigure { who, with: Change { generation, slots, ..with } }
        }
    }
}
