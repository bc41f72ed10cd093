//! Elections, and plans of faults for them.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::knobs::{Knobs, knobs, rate};
use crate::clock::RIGHT;
use crate::fault::{
    Code, Edit, Fault, Happening, Links, Outage, Planned, Reborn, Site, Target, Trigger, WakeUp,
};
use crate::plan::{Mix, safe_rates};
use crate::scenario::{Api, Replica, Scenario};
use crate::time::{Shift, Span};

/// The most faults of a plan that is drawn here.
///
/// ```
/// assert_eq!(tenure_sim::strategy::MOST_FAULTS, 8);
/// ```
pub const MOST_FAULTS: usize = 8;

/// Rates of clocks beyond any bound.
const WILD: (u64, u64) = (RIGHT / 4, RIGHT * 4);

/// Elections of 2 to 5 replicas under up to [`MOST_FAULTS`] faults, which end at 14 lease durations of 24;
/// each has its seed in `seed`. Clocks keep within the bound of lease duration over renew deadline where
/// `mix` is safe or broad, and are at any rate where it is not.
///
/// ```
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
/// use tenure_sim::{plan::Mix, strategy::elections};
/// let drawn = elections(Mix::Full).new_tree(&mut TestRunner::deterministic()).unwrap().current();
/// assert_eq!(drawn.validate(), Ok(()));
/// ```
pub fn elections(mix: Mix) -> impl Strategy<Value = Scenario> {
    let replicas = vec(replica(), 2..=5);
    let options = (any::<bool>(), any::<bool>(), 1..=3_usize, 0..1_000_000_u64);
    (durations(), replicas, options, vec(knobs(), 0..=MOST_FAULTS)).prop_map(
        move |(durations, replicas, (release_on_stop, fail_over, apis, seed), faults)| {
            let (lease, deadline, retry, timeout) = durations;
            let times = |count: u64| Span::from_nanos(lease.as_nanos() * count);
            let mut scenario = Scenario {
                name: "property".to_owned(),
                description: String::new(),
                lease_duration: lease,
                renew_deadline: deadline,
                retry_period: retry,
                request_timeout: Some(timeout),
                release_on_stop,
                heal_at: Some(times(14)),
                horizon: times(24),
                seed: Some(seed),
                ..Scenario::default()
            };
            scenario.network.apis = vec![Api::default(); apis];
            scenario.network.fail_over = fail_over && apis > 1;
            let rates = rates(&scenario, mix);
            let made = replicas.into_iter().map(|replica| replica.made(rates));
            scenario.replicas = made.collect();
            scenario.faults = planned(&faults, &scenario, mix);
            scenario
        },
    )
}

/// Plans of up to [`MOST_FAULTS`] faults that are valid for `scenario`: at a time or upon an event, from
/// two lease durations on until everything heals, or until the end. Those that it has are not among them.
///
/// ```
/// use proptest::prelude::*;
/// use tenure_sim::{plan::Mix, scenario::Scenario, strategy::{Failed, Property, fault_plans}};
/// let mine = Scenario::default().with_replicas(2);
/// let plans = fault_plans(&mine, Mix::Safe);
/// let property = Property { cases: 2, seed: Some(1), ..Property::default() };
/// property.holds(plans.prop_map(move |faults| Scenario { faults, ..mine.clone() }))?;
/// # Ok::<(), Failed>(())
/// ```
pub fn fault_plans(scenario: &Scenario, mix: Mix) -> impl Strategy<Value = Vec<Planned>> + use<> {
    let scenario = Scenario { faults: Vec::new(), ..scenario.clone() };
    vec(knobs(), 0..=MOST_FAULTS).prop_map(move |faults| planned(&faults, &scenario, mix))
}

/// Lease duration, renew deadline, retry period and request time-out: Kubernetes', and closer ones.
fn durations() -> impl Strategy<Value = (Span, Span, Span, Span)> {
    let millis = |(lease, deadline, retry, timeout)| {
        let span = Span::from_millis;
        (span(lease), span(deadline), span(retry), span(timeout))
    };
    prop_oneof![
        Just(millis((15_000, 10_000, 2_000, 5_000))),
        Just(millis((15_000, 14_000, 2_000, 2_000))),
        Just(millis((6_000, 5_800, 1_000, 2_000))),
        Just(millis((2_000, 1_500, 250, 500))),
        Just(millis((60_000, 15_000, 5_000, 7_000))),
    ]
}

/// A replica before its clock's bounds are known.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    rate: Option<u16>,
    wall: i64,
    offset: u32,
    start: u64,
    watch: bool,
}

fn replica() -> impl Strategy<Value = Drawn> {
    // Half of the wall clocks are right; a few are centuries off.
    let centuries = -9_000_000_000..9_000_000_000_i64;
    let wall = prop_oneof![4 => Just(0), 3 => -100_000..100_000_i64, 1 => centuries];
    let rate = option::of(0..1_000_u16);
    let start = prop_oneof![2 => Just(0), 1 => 0..2_000_u64];
    (rate, wall, any::<u32>(), start, any::<bool>())
        .prop_map(|(rate, wall, offset, start, watch)| Drawn { rate, wall, offset, start, watch })
}

impl Drawn {
    fn made(self, rates: (u64, u64)) -> Replica {
        Replica {
            rate_ppb: self.rate.map(|part| rate(part, rates)),
            wall_offset: Shift::from_secs(self.wall),
            clock_offset: Span::from_secs(self.offset.into()),
            start: Span::from_millis(self.start),
            watch: self.watch,
            ..Replica::default()
        }
    }
}

fn rates(scenario: &Scenario, mix: Mix) -> (u64, u64) {
    match mix {
        Mix::Safe | Mix::Broad => safe_rates(scenario),
        Mix::Wild | Mix::Full => WILD,
    }
}

/// A kind of fault, the simplest first: towards these a plan shrinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Crash,
    Pause,
    Partition,
    Stop,
    Restart,
    ClockJump,
    Delay,
    Loss,
    Duplicate,
    WatchStall,
    Drift,
    WallFreeze,
    Outage,
    SlowStore,
    Errors,
    Hold,
    Reset,
    Reorder,
    Strobe,
    StaleReads,
    Bridge,
    Ring,
    Suspend,
    Edit,
    Delete,
    Slow,
    Smear,
}

const SAFE: [Kind; 15] = [
    Kind::Crash,
    Kind::Pause,
    Kind::Partition,
    Kind::Stop,
    Kind::Restart,
    Kind::ClockJump,
    Kind::Delay,
    Kind::Loss,
    Kind::Duplicate,
    Kind::WatchStall,
    Kind::Drift,
    Kind::WallFreeze,
    Kind::Outage,
    Kind::SlowStore,
    Kind::Errors,
];
const BROAD: [Kind; 5] = [Kind::Hold, Kind::Reset, Kind::Reorder, Kind::Strobe, Kind::StaleReads];
const WILD_ONLY: [Kind; 3] = [Kind::Suspend, Kind::Edit, Kind::Delete];
const FULL: [Kind; 2] = [Kind::Slow, Kind::Smear];

/// Those of a mix that can apply, as in [`Mix`].
fn kinds(scenario: &Scenario, mix: Mix) -> Vec<Kind> {
    let mut kinds = SAFE.to_vec();
    if matches!(mix, Mix::Broad | Mix::Full) {
        kinds.extend(BROAD);
        let apis = scenario.network.apis.len();
        kinds.extend((apis >= 2).then_some(Kind::Bridge));
        kinds.extend((apis >= 3).then_some(Kind::Ring));
    }
    if matches!(mix, Mix::Wild | Mix::Full) {
        kinds.extend(WILD_ONLY);
    }
    if mix == Mix::Full {
        kinds.extend(FULL);
    }
    kinds
}

fn planned(faults: &[Knobs], scenario: &Scenario, mix: Mix) -> Vec<Planned> {
    let kinds = kinds(scenario, mix);
    let end = scenario.heal_at.unwrap_or(scenario.horizon).min(scenario.horizon);
    let settle = scenario.lease_duration.as_nanos().saturating_mul(2);
    let from = Span::from_nanos(settle.min(end.as_nanos() / 2));
    let each = (0..).zip(faults).filter_map(|(nth, knobs)| {
        let kind = knobs.kind(&kinds)?;
        let mut at = knobs.at(from, end);
        if matches!(kind, Kind::Edit | Kind::Delete) {
            // No two hands meddle at one time.
            at = Span::from_nanos((at.as_nanos() + nth).min(end.as_nanos() - 1 - nth));
        }
        let fault = fault(kind, knobs, scenario, mix);
        let longest = Span::from_nanos(scenario.lease_duration.as_nanos().saturating_mul(3));
        let lasts = fault.can_last().then(|| knobs.lasts(longest));
        Some(Planned { lasts, ..timed(fault, at, knobs) })
    });
    each.collect()
}

/// At its time; one in four upon something that happens after that.
fn timed(fault: Fault, at: Span, knobs: &Knobs) -> Planned {
    let events = [
        Happening::UpdateApplied,
        Happening::WriteSent,
        Happening::GetApplied,
        Happening::Answered,
        Happening::StartedLeading,
        Happening::Conflict,
    ];
    // The smallest numbers are the simplest: no trigger.
    let nth = usize::from(knobs.upon).checked_sub(18);
    let Some(event) = nth.and_then(|nth| events.get(nth)) else {
        return Planned::at(at, fault);
    };
    let by = Target::Everyone;
    let trigger = Trigger { event: *event, by, nth: 1, since: at };
    let after = Span::from_millis(u64::from(knobs.way) * 5);
    Planned::on(trigger, fault).delayed(after)
}

fn target(knobs: &Knobs, scenario: &Scenario) -> Target {
    // Half of the time the leader, since that is where it hurts.
    if knobs.who < 4 {
        Target::Leader
    } else {
        Target::Replica(knobs.replica(scenario.replicas.len()))
    }
}

fn links(knobs: &Knobs, scenario: &Scenario) -> Links {
    let site = match knobs.way {
        6 => Site::Api(None),
        7 => Site::Resource,
        _ => Site::Of(target(knobs, scenario)),
    };
    Links::of(site).direction(knobs.direction())
}

/// To and fro, up to this.
fn shift(knobs: &Knobs, most: Span) -> Shift {
    let nanos = i64::try_from(knobs.span(most).as_nanos()).unwrap_or(0);
    Shift::from_nanos(if knobs.is_odd() { -nanos } else { nanos })
}

fn fault(kind: Kind, knobs: &Knobs, scenario: &Scenario, mix: Mix) -> Fault {
    let longest = scenario.lease_duration;
    let (target, links) = (target(knobs, scenario), links(knobs, scenario));
    let reborn = if knobs.is_odd() { Reborn::Same } else { Reborn::New };
    let wake_up = if knobs.is_odd() { WakeUp::MessagesFirst } else { WakeUp::TimersFirst };
    let api = knobs.is_odd().then(|| knobs.replica(scenario.network.apis.len()));
    match kind {
        Kind::Crash => Fault::Crash { target, reborn },
        Kind::Pause => Fault::Pause { target, wake_up },
        Kind::Partition => Fault::Partition(links),
        Kind::Stop => Fault::Stop { target },
        Kind::Restart => Fault::Restart { target, reborn },
        Kind::ClockJump => {
            Fault::ClockJump { target, by: shift(knobs, Span::from_secs(1_000_000)) }
        }
        Kind::Delay => Fault::Delay { links, by: knobs.by(longest) },
        Kind::Loss => Fault::Loss { links, ppm: knobs.ppm() },
        Kind::Duplicate => Fault::Duplicate { links, ppm: knobs.ppm() },
        Kind::WatchStall => Fault::WatchStall { target },
        Kind::Drift => Fault::Drift { target, rate_ppb: knobs.rate(rates(scenario, mix)) },
        Kind::WallFreeze => Fault::WallFreeze { target },
        Kind::Outage => {
            let how = if knobs.amount > 500 { Outage::Hang } else { Outage::Refuse };
            Fault::StoreOutage { api, how }
        }
        Kind::SlowStore => {
            let (before, after) = (knobs.by(longest), knobs.by(longest));
            Fault::StoreSlow { before, after }
        }
        Kind::Errors => {
            let after_ppm = if knobs.is_odd() { knobs.ppm() } else { 0 };
            let code = match (mix, knobs.way / 2) {
                (Mix::Broad | Mix::Full, 2) => Code::Conflict,
                (Mix::Broad | Mix::Full, 3) => Code::Timeout,
                _ => Code::Internal,
            };
            Fault::StoreErrors { before_ppm: knobs.ppm(), after_ppm, code }
        }
        Kind::Hold => Fault::Hold(links),
        Kind::Reset => Fault::Reset(links),
        Kind::Reorder => Fault::Reorder { links, ppm: knobs.ppm(), by: knobs.by(longest) },
        Kind::Strobe => {
            let by = shift(knobs, Span::from_secs(3_600));
            Fault::Strobe { target, by, every: knobs.span(longest).max(Span::from_millis(10)) }
        }
        Kind::StaleReads => Fault::StaleReads { api, behind: Some(knobs.span(longest)) },
        Kind::Bridge => Fault::Bridge {},
        Kind::Ring => Fault::MajoritiesRing {},
        Kind::Suspend => Fault::Suspend { target, running: knobs.is_odd() },
        Kind::Edit => Fault::Edit(match knobs.way % 4 {
            0 => Edit::TouchLabel {},
            1 => Edit::ClearHolder {},
            2 => Edit::Restore { back: 1 + u32::from(knobs.amount / 50) },
            _ => Edit::SetHolder { holder: "nobody".to_owned(), duration_seconds: None },
        }),
        Kind::Delete => Fault::Delete {},
        Kind::Slow => Fault::Slow { target, by: knobs.by(Span::from_secs(1)) },
        // It lasts for a tenth of a second at least, and at most half of that may be gained.
        Kind::Smear => {
            let nanos = i64::from(knobs.amount) * 50_000;
            Fault::Smear {
                target,
                by: Shift::from_nanos(if knobs.is_odd() { -nanos } else { nanos }),
            }
        }
    }
}
