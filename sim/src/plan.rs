//! Random scenarios from a seed: what goes wrong is drawn kind by kind (each kind on or off, so that
//! rare ones get runs of their own), with an intensity from seldom to all the time. The result is an
//! explicit plan: what is kept of a failure is the plan, not the seed it came from.

mod extras;
mod grid;
mod kinds;

pub use grid::Grid;
use kinds::Kind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::RIGHT;
use crate::distribution::Distribution;
use crate::fault::{
    Code, Direction, Edit, Fault, Happening, Links, Outage, Planned, Reborn, Site, Target, Trigger,
    WakeUp,
};
use crate::rng::{Purpose, Stream};
use crate::scenario::Scenario;
use crate::time::{Shift, Span};

/// Which kinds of fault may occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mix {
    /// Those under which `Profile::Strict` promises that no two replicas have authority at once:
    /// rates of clocks differ by at most lease duration over renew deadline, clocks do not stand
    /// still, nobody edits the lock by hand.
    #[default]
    Safe,
    /// These too.
    Wild,
    /// Those of `Safe` and, under the same promise, kinds that came later: connections held up and reset,
    /// messages overtaken, bridges and rings of majorities (where there are API servers enough), wall
    /// clocks that jump there and back, reads from caches, each status of a failing store.
    Broad,
    /// All that there are: those of `Wild` and `Broad`, and processes that are slow and clocks that are
    /// slewed.
    Full,
}

/// Most faults of one plan.
const MAX_FAULTS: u64 = 60;

/// `scenario` with what its swarm draws from the seed, or its grid has at this number; as it is, if it
/// has neither.
#[must_use]
pub fn drawn(scenario: &Scenario, seed: u64) -> Scenario {
    let mut drawn = match scenario.swarm {
        Some(mix) => Scenario { swarm: None, ..self::scenario(scenario, mix, seed) },
        None => scenario.clone(),
    };
    if let Some(grid) = drawn.grid.take() {
        drawn.faults.extend(grid.plan(scenario, seed));
    }
    drawn
}

/// `base` with random clocks and a random fault plan; some with other objects for a lock, with
/// watches, with a rollout, with the options of a strict elector. Faults end at `base.heal_at`, at three fifths
/// of the horizon if it has none.
#[must_use]
pub fn scenario(base: &Scenario, mix: Mix, seed: u64) -> Scenario {
    let mut drawn = base.clone();
    let mut stream = Stream::new(seed, Purpose::Plan, 0);
    let horizon = base.horizon.as_nanos();
    let heal_at = base.heal_at.unwrap_or_else(|| Span::from_nanos(horizon / 5 * 3));
    drawn.heal_at = Some(heal_at);
    let (slowest, fastest) = safe_rates(base);
    let drifting = stream.chance(1, 2);
    for replica in &mut drawn.replicas {
        if drifting && replica.rate_ppb.is_none() {
            replica.rate_ppb = Some(stream.within(slowest, fastest));
        }
        replica.clock_offset = Span::from_nanos(stream.below(1 << 60));
        let hours = stream.log_uniform(1, 1_000_000_000);
        let wall = i64::try_from(hours * 10_000).unwrap_or(0);
        replica.wall_offset = Shift::from_nanos(if stream.chance(1, 2) { wall } else { -wall });
        if stream.chance(1, 4) {
            let start = stream.below(base.lease_duration.as_nanos().saturating_mul(2));
            replica.start = Span::from_nanos(start.min(horizon.saturating_sub(1)));
        }
    }
    drawn.release_on_stop = stream.chance(1, 2);
    drawn.faults = faults(base, mix, seed, heal_at);
    extras::add(&mut drawn, seed);
    drawn
}

/// The slowest and the fastest rate within the bound of the strict profile: their ratio is at most
/// the shortest lease duration over the longest renew deadline (a millionth less, for rounding), and
/// a right clock is between them.
///
/// ```
/// use tenure_sim::{plan::safe_rates, scenario::Scenario};
/// let (slowest, fastest) = safe_rates(&Scenario::default()); // 15 s and 10 s
/// assert_eq!((slowest, fastest), (800_000_000, 1_199_998_800));
/// ```
#[must_use]
pub fn safe_rates(scenario: &Scenario) -> (u64, u64) {
    let replicas = &scenario.replicas;
    let lease = replicas.iter().filter_map(|replica| replica.lease_duration);
    let deadline = replicas.iter().filter_map(|replica| replica.renew_deadline);
    let lease = lease.chain([scenario.lease_duration]).min().unwrap_or_default().as_nanos();
    let deadline = deadline.chain([scenario.renew_deadline]).max().unwrap_or_default().as_nanos();
    if deadline == 0 || lease <= deadline {
        return (RIGHT, RIGHT);
    }
    let (lease, deadline, right) = (u128::from(lease), u128::from(deadline), u128::from(RIGHT));
    // s + f = 2 and f / s = L / D, or thereabouts.
    let slowest = (2 * right * deadline).div_ceil(lease + deadline);
    let fastest = slowest * lease / deadline * 999_999 / 1_000_000;
    let rate = |rate: u128| u64::try_from(rate).unwrap_or(RIGHT);
    if fastest < right { (RIGHT, RIGHT) } else { (rate(slowest), rate(fastest)) }
}

/// A random plan for `scenario`, all of it before `heal_at`.
#[must_use]
pub fn faults(scenario: &Scenario, mix: Mix, seed: u64, heal_at: Span) -> Vec<Planned> {
    let mut stream = Stream::new(seed, Purpose::Plan, 1);
    let mut kinds = kinds::of(mix, scenario);
    let fallback = stream.below(kinds.len() as u64);
    let fallback = kinds.get(usize::try_from(fallback).unwrap_or(0)).copied();
    kinds.retain(|_| stream.chance(1, 2));
    kinds.extend(fallback.filter(|_| kinds.is_empty()));
    // Let the group find a leader first; then faults come a gap apart. In half of the plans each has
    // ended, and a while has passed, before the next begins.
    let settle = scenario.lease_duration.as_nanos().saturating_mul(2);
    let end = heal_at.as_nanos();
    let count = stream.log_uniform(1, MAX_FAULTS);
    let gap = (end.saturating_sub(settle) / count).max(1);
    let apart = stream.chance(1, 2);
    let longest = scenario.lease_duration.as_nanos().saturating_mul(stream.log_uniform(1, 4));
    let mut draw = Draw { scenario, stream, longest };
    let mut plan = Vec::new();
    let mut at = settle.saturating_add(draw.stream.below(gap));
    while at < end && (plan.len() as u64) < MAX_FAULTS {
        let Some(kind) = draw.one_of(&kinds) else { break };
        let planned = draw.planned(kind, Span::from_nanos(at));
        let lasts = planned.lasts.unwrap_or_default().as_nanos();
        plan.push(planned);
        at = at.saturating_add(draw.stream.within(gap / 2, gap.saturating_mul(3) / 2).max(1));
        if apart {
            at = at.saturating_add(lasts).saturating_add(settle);
        }
    }
    plan
}

struct Draw<'a> {
    scenario: &'a Scenario,
    stream: Stream,
    longest: u64,
}

impl Draw<'_> {
    fn one_of<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let index = self.stream.below(of.len() as u64);
        of.get(usize::try_from(index).ok()?).copied()
    }

    fn coin(&mut self) -> bool {
        self.stream.chance(1, 2)
    }

    /// Half of the time the leader, since that is where it hurts.
    fn target(&mut self) -> Target {
        if self.coin() {
            return Target::Leader;
        }
        let index = self.stream.below(self.scenario.replicas.len() as u64);
        Target::Replica(u32::try_from(index).unwrap_or(0))
    }

    fn span(&mut self, shortest: Span, longest: u64) -> Span {
        Span::from_nanos(self.stream.log_uniform(shortest.as_nanos(), longest))
    }

    fn lasts(&mut self) -> Span {
        self.span(Span::from_millis(50), self.longest)
    }

    fn reborn(&mut self) -> Reborn {
        if self.coin() { Reborn::New } else { Reborn::Same }
    }

    fn wake_up(&mut self) -> WakeUp {
        if self.coin() { WakeUp::TimersFirst } else { WakeUp::MessagesFirst }
    }

    fn links(&mut self) -> Links {
        let site = match self.stream.below(6) {
            0 => Site::Api(None),
            1 => Site::Resource,
            _ => Site::Of(self.target()),
        };
        let direction = match self.stream.below(3) {
            0 => Direction::Incoming,
            1 => Direction::Outgoing,
            _ => Direction::Both,
        };
        Links::of(site).direction(direction)
    }

    fn delay(&mut self) -> Distribution {
        let max = self.span(Span::from_millis(10), self.longest);
        match self.stream.below(3) {
            0 => Distribution::Constant(max),
            1 => Distribution::uniform(Span::ZERO, max),
            _ => {
                let mean = Span::from_nanos(max.as_nanos() / 4);
                Distribution::Exponential { min: Span::ZERO, mean, max }
            }
        }
    }

    fn rate(&mut self, mix: Mix) -> u64 {
        match mix {
            Mix::Safe | Mix::Broad => {
                let (slowest, fastest) = safe_rates(self.scenario);
                self.stream.within(slowest, fastest)
            }
            Mix::Wild | Mix::Full => self.stream.log_uniform(RIGHT / 4, RIGHT * 4),
        }
    }

    fn ppm(&mut self) -> u32 {
        u32::try_from(self.stream.log_uniform(10_000, 1_000_000)).unwrap_or(1_000_000)
    }

    fn planned(&mut self, kind: Kind, at: Span) -> Planned {
        if kind == Kind::PauseInCall {
            // Before it has an effect, and after it had one that nobody knows of yet. (Locks are
            // created too seldom to wait for that: most of such faults would never begin.)
            let event = self.one_of(&[
                Happening::UpdateApplied,
                Happening::WriteSent,
                Happening::GetApplied,
            ]);
            let event = event.unwrap_or(Happening::UpdateApplied);
            let trigger = Trigger { event, by: Target::Everyone, nth: 1, since: at };
            let fault = Fault::Pause { target: Target::Actor, wake_up: self.wake_up() };
            let after = self.span(Span::from_micros(100), Span::from_millis(50).as_nanos());
            return Planned::on(trigger, fault).delayed(after).lasting(self.lasts());
        }
        let fault = self.fault(kind);
        let lasts = fault.can_last().then(|| self.lasts());
        Planned { lasts, ..Planned::at(at, fault) }
    }

    fn fault(&mut self, kind: Kind) -> Fault {
        match kind {
            Kind::Partition => Fault::Partition(self.links()),
            Kind::Delay => Fault::Delay { links: self.links(), by: self.delay() },
            Kind::Loss => Fault::Loss { links: self.links(), ppm: self.ppm() },
            Kind::Duplicate => Fault::Duplicate { links: self.links(), ppm: self.ppm() },
            Kind::Pause | Kind::PauseInCall => {
                Fault::Pause { target: self.target(), wake_up: self.wake_up() }
            }
            Kind::Crash => Fault::Crash { target: self.target(), reborn: self.reborn() },
            Kind::Restart => Fault::Restart { target: self.target(), reborn: self.reborn() },
            Kind::Stop => Fault::Stop { target: self.target() },
            Kind::Drift => Fault::Drift { target: self.target(), rate_ppb: self.rate(Mix::Safe) },
            Kind::WildDrift => {
                Fault::Drift { target: self.target(), rate_ppb: self.rate(Mix::Wild) }
            }
            Kind::ClockJump => {
                let nanos = self.stream.log_uniform(1_000_000, 1_000_000_000_000_000);
                let nanos = i64::try_from(nanos).unwrap_or(0);
                let by = Shift::from_nanos(if self.coin() { nanos } else { -nanos });
                Fault::ClockJump { target: self.target(), by }
            }
            Kind::WallFreeze => Fault::WallFreeze { target: self.target() },
            Kind::Outage => {
                let how = if self.coin() { Outage::Refuse } else { Outage::Hang };
                let apis = self.scenario.network.apis.len() as u64;
                let api = u32::try_from(self.stream.below(apis)).ok();
                let all = self.coin();
                Fault::StoreOutage { api: api.filter(|_| !all), how }
            }
            Kind::Slow => Fault::StoreSlow { before: self.delay(), after: self.delay() },
            Kind::Errors => Fault::StoreErrors {
                before_ppm: self.ppm(),
                after_ppm: self.ppm(),
                code: Code::default(),
            },
            Kind::Suspend => Fault::Suspend { target: self.target(), running: self.coin() },
            Kind::Edit => Fault::Edit(match self.stream.below(4) {
                0 => Edit::ClearHolder {},
                1 => Edit::TouchLabel {},
                2 => Edit::Restore { back: u32::try_from(self.stream.within(1, 20)).unwrap_or(1) },
                _ => Edit::SetHolder { holder: "nobody".to_owned(), duration_seconds: None },
            }),
            Kind::Delete => Fault::Delete {},
            Kind::Newer(kind) => self.newer(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_is_valid_and_comes_back_from_its_text() {
        for seed in 0..300 {
            for mix in [Mix::Safe, Mix::Wild, Mix::Broad, Mix::Full] {
                let drawn = scenario(&Scenario::default(), mix, seed);
                assert_eq!(drawn.validate(), Ok(()), "{seed}");
                assert!(!drawn.faults.is_empty(), "{seed}");
                let text = serde_json::to_string(&drawn).unwrap();
                assert_eq!(serde_json::from_str::<Scenario>(&text).unwrap(), drawn, "{seed}");
            }
        }
    }

    #[test]
    fn absurd_durations_are_drawn_from_too() {
        let longest = Span::from_nanos(u64::MAX);
        for horizon in [Span::from_nanos(1), Span::from_secs(600), longest] {
            for lease_duration in [Span::ZERO, longest] {
                let base = Scenario { lease_duration, horizon, ..Scenario::default() };
                for seed in 0..20 {
                    let _ = scenario(&base, Mix::Wild, seed);
                }
            }
        }
    }

    #[test]
    fn every_kind_is_drawn_and_the_safe_mix_is_safe() {
        let mut kinds = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let all = faults(&Scenario::default(), Mix::Wild, seed, Span::from_secs(300));
            kinds.extend(all.iter().map(|planned| planned.fault.kind()));
            for planned in faults(&Scenario::default(), Mix::Safe, seed, Span::from_secs(300)) {
                match planned.fault {
                    Fault::Drift { rate_ppb, .. } => {
                        assert!((800_000_000..1_200_000_000).contains(&rate_ppb));
                    }
                    Fault::Suspend { .. } | Fault::Edit(_) | Fault::Delete {} => panic!("{seed}"),
                    _ => {}
                }
            }
        }
        assert_eq!(kinds.len(), 17, "{kinds:?}");
    }

    #[test]
    fn each_newer_kind_is_drawn_where_it_can_apply() {
        let drawn = |mix, apis| {
            let mut base = Scenario::default();
            base.network.apis.resize_with(apis, Default::default);
            let plans = (0..300).map(|seed| faults(&base, mix, seed, Span::from_secs(300)));
            let kinds = plans.flatten().map(|planned| planned.fault.kind());
            kinds.collect::<std::collections::BTreeSet<_>>()
        };
        let safe = drawn(Mix::Safe, 3);
        let newer =
            |mix, apis| drawn(mix, apis).difference(&safe).copied().collect::<Vec<_>>().join(" ");
        assert_eq!(
            newer(Mix::Broad, 3),
            "bridge hold majorities-ring reorder reset stale-reads strobe"
        );
        assert_eq!(newer(Mix::Broad, 2), "bridge hold reorder reset stale-reads strobe");
        assert_eq!(newer(Mix::Broad, 1), "hold reorder reset stale-reads strobe");
        assert_eq!(
            newer(Mix::Full, 1),
            "delete edit hold reorder reset slow smear stale-reads strobe suspend"
        );
    }

    #[test]
    fn most_faults_begin_and_change_something() {
        let (mut planned, mut fired, mut effective) = (0, 0, 0);
        for seed in 0..100 {
            let scenario = scenario(&Scenario::default(), Mix::Safe, seed);
            let mut world = crate::world::World::new(&scenario, seed).unwrap();
            world.run(&mut ());
            planned += scenario.faults.len();
            fired += world.fault_effects().iter().filter(|effect| effect.fired).count();
            effective += world.fault_effects().iter().filter(|effect| effect.had_effect).count();
        }
        assert!(fired * 100 > planned * 98, "{fired} of {planned}");
        assert!(effective * 100 > planned * 60, "{effective} of {planned}");
    }

    #[test]
    fn safe_rates_are_in_the_ratio_of_lease_and_deadline() {
        let (slowest, fastest) = safe_rates(&Scenario::default());
        assert_eq!((slowest, fastest), (800_000_000, 1_199_998_800));
        let even = Scenario { lease_duration: Span::from_secs(10), ..Scenario::default() };
        assert_eq!(safe_rates(&even), (RIGHT, RIGHT));
    }
}
