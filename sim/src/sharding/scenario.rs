//! What is simulated: a sharded group as data.

mod checked;
mod mode;
mod policy;

use core::fmt;
use core::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::sharding::{Config, Rule, Slots};

pub use self::mode::{Hash, Mode};
pub use self::policy::{Budget, Policy};
use super::fault::{Change, Planned};
use crate::clock::RIGHT;
use crate::distribution::Distribution;
use crate::scenario::Network;
use crate::time::{Shift, Span};

/// Fewer than one there cannot be.
const ONE: Slots = match Slots::new(1) {
    Ok(one) => one,
    Err(_) => unreachable!(),
};

/// A run but for its seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A short name, as `sharding/crash`.
    #[serde(default = "default::name")]
    pub name: String,
    /// What it shows, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Who decides who owns what: the field by which a file is known to be about sharding.
    pub mode: Mode,
    /// By what a leader plans.
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
    /// Into how many slots the hash space is cut.
    #[serde(default = "default::slots")]
    pub slots: u32,
    /// The replicas.
    #[serde(default = "default::replicas")]
    pub replicas: Vec<Replica>,
    /// See [`Config`].
    #[serde(default = "default::lease_duration")]
    pub lease_duration: Span,
    /// See [`Config`].
    #[serde(default = "default::renew_deadline")]
    pub renew_deadline: Span,
    /// See [`Config`].
    #[serde(default = "default::retry_period")]
    pub retry_period: Span,
    /// See [`Config`].
    #[serde(default = "default::request_timeout")]
    pub request_timeout: Span,
    /// See [`Config`].
    #[serde(default = "default::drain_deadline")]
    pub drain_deadline: Span,
    /// See [`Config`].
    #[serde(default = "default::collect_after")]
    pub collect_after: Span,
    /// See [`Config`].
    #[serde(default)]
    pub distrust_deletion: bool,
    /// The network between replicas and store; `rewatch` is how long it takes to notice that a watch is
    /// cut off.
    #[serde(default)]
    pub network: Network,
    /// The store.
    #[serde(default)]
    pub store: Store,
    /// What replicas do with what they own.
    #[serde(default)]
    pub work: Work,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Planned>,
    /// More faults, drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swarm: Option<Swarm>,
    /// When everything heals: faults end, none begins, nothing gets lost by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heal_at: Option<Span>,
    /// When the run ends.
    #[serde(default = "default::horizon")]
    pub horizon: Span,
    /// With which seed it shows what it is kept for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Rules of the protocol that are left out, to see which checks find it.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::wire::rules")]
    #[schemars(with = "Vec<String>")]
    pub without: Vec<Rule>,
    /// Whether slots must find owners within the bounds of [`coverage`](super::check::coverage): true
    /// where nothing goes wrong that the bounds do not know.
    #[serde(default)]
    pub bounded: bool,
    /// The checks (`one-owner`), or rules of checks (`one-owner/authority`), that are expected to find
    /// something.
    #[serde(default)]
    pub expect: Vec<String>,
}

mod default {
    use super::{Replica, Span};

    pub(super) fn name() -> String {
        "group".to_owned()
    }

    pub(super) const fn slots() -> u32 {
        64
    }

    pub(super) fn replicas() -> Vec<Replica> {
        vec![Replica::default(); 3]
    }

    pub(super) const fn lease_duration() -> Span {
        Span::from_secs(15)
    }

    pub(super) const fn renew_deadline() -> Span {
        Span::from_secs(10)
    }

    pub(super) const fn retry_period() -> Span {
        Span::from_secs(2)
    }

    pub(super) const fn request_timeout() -> Span {
        Span::from_secs(5)
    }

    pub(super) const fn drain_deadline() -> Span {
        Span::from_secs(30)
    }

    pub(super) const fn collect_after() -> Span {
        Span::from_secs(600)
    }

    pub(super) const fn horizon() -> Span {
        Span::from_secs(240)
    }
}

/// One replica, or several alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Replica {
    /// How many like this.
    pub count: u32,
    /// Its name; `replica-N` if absent. Replicas that never live at once may share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How much it can bear.
    pub weight: u32,
    /// Where it is.
    pub zone: String,
    /// When it starts.
    pub start: Span,
    /// Starts only by a fault of kind `start`.
    pub spare: bool,
    /// Whether it watches; else it lists.
    pub watch: bool,
    /// Its lease duration; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration: Option<Span>,
    /// Its renew deadline; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_deadline: Option<Span>,
    /// What its monotonic clock shows at the beginning of the run.
    pub clock_offset: Span,
    /// Local nanoseconds in 10⁹ real ones.
    pub rate_ppb: u64,
    /// By how much its wall clock is off.
    pub wall_offset: Shift,
    /// The number of its configuration.
    pub generation: u64,
    /// Its number of slots; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
    /// Its mode; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Its hash of keys.
    #[serde(skip_serializing_if = "Hash::is_default")]
    pub hash: Hash,
}

impl Default for Replica {
    fn default() -> Self {
        Self {
            count: 1,
            name: None,
            weight: 1,
            zone: String::new(),
            start: Span::ZERO,
            spare: false,
            watch: true,
            lease_duration: None,
            renew_deadline: None,
            clock_offset: Span::ZERO,
            rate_ppb: RIGHT,
            wall_offset: Shift::default(),
            generation: 1,
            slots: None,
            mode: None,
            hash: Hash::default(),
        }
    }
}

impl Replica {
    /// With what `change` gives it.
    pub(super) fn change(&mut self, change: &Change) {
        let Change { weight, zone, generation, slots, mode, hash } = change;
        self.weight = weight.unwrap_or(self.weight);
        self.generation = generation.unwrap_or(self.generation);
        self.slots = slots.or(self.slots);
        self.mode = mode.or(self.mode);
        self.hash = hash.unwrap_or(self.hash);
        if let Some(zone) = zone {
            self.zone.clone_from(zone);
        }
    }
}

/// How the store behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Time between a request's arrival and its effect.
    pub before: Distribution,
    /// Time between a request's effect and its answer.
    pub after: Distribution,
    /// How many of a million requests are refused without effect.
    pub error_ppm: u32,
    /// How many writes a watch may be behind before it is broken off.
    pub watch_buffer: u32,
}

impl Default for Store {
    fn default() -> Self {
        let (before, after) = (Distribution::default(), Distribution::default());
        Self { before, after, error_ppm: 0, watch_buffer: 10_000 }
    }
}

/// What a replica does with its slots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// How long until a replica begins its next piece of work, on a slot of its own by chance.
    pub every: Distribution,
    /// How long a piece takes.
    pub takes: Distribution,
    /// How long it takes to clean up after revoked slots, when work on them has ended.
    pub drain: Distribution,
}

impl Default for Work {
    fn default() -> Self {
        let millis =
            |min, max| Distribution::uniform(Span::from_millis(min), Span::from_millis(max));
        Self { every: millis(50, 150), takes: millis(10, 400), drain: Distribution::default() }
    }
}

/// Random faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Swarm {
    /// Those under which two owners are promised never to be.
    #[default]
    Safe,
    /// Also clocks beyond the bound, and records forged by hand.
    Wild,
    /// As safe, and replicas change slots, hash and mode.
    Changing,
}

/// What is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError(String);

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ScenarioError {}

impl Scenario {
    /// Nothing goes wrong; 3 replicas, 64 slots.
    ///
    /// ```
    /// use tenure_sim::sharding::{Mode, Scenario};
    /// let calm = Scenario::new(Mode::Ranked);
    /// assert_eq!(calm.checked().map(|calm| calm.replicas.len()), Ok(3));
    /// ```
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            name: default::name(),
            description: String::new(),
            mode,
            policy: Policy::default(),
            slots: default::slots(),
            replicas: default::replicas(),
            lease_duration: default::lease_duration(),
            renew_deadline: default::renew_deadline(),
            retry_period: default::retry_period(),
            request_timeout: default::request_timeout(),
            drain_deadline: default::drain_deadline(),
            collect_after: default::collect_after(),
            distrust_deletion: false,
            network: Network::default(),
            store: Store::default(),
            work: Work::default(),
            faults: Vec::new(),
            swarm: None,
            heal_at: None,
            horizon: default::horizon(),
            seed: None,
            without: Vec::new(),
            bounded: false,
            expect: Vec::new(),
        }
    }

    /// The same with each replica and each fault written out, as a run with this seed has them; as it is,
    /// if it makes no sense.
    #[must_use]
    pub(crate) fn written_out(&self, seed: u64) -> Self {
        self.checked().map_or_else(|_| self.clone(), |sound| super::swarm::drawn(&sound, seed))
    }

    /// The most slots that any configuration of the group has.
    #[must_use]
    pub(crate) fn finest(&self) -> Slots {
        let changes = self.faults.iter().filter_map(|planned| planned.fault.change());
        let counts = changes.filter_map(|change| change.slots);
        let counts = counts.chain(self.replicas.iter().filter_map(|replica| replica.slots));
        let counts = counts.chain([self.slots]).filter_map(|count| Slots::new(count).ok());
        counts.max_by_key(|slots| slots.count()).unwrap_or(ONE)
    }

    /// All modes that any configuration of the group has.
    pub(super) fn modes(&self) -> impl Iterator<Item = Mode> + '_ {
        let changes = self.faults.iter().filter_map(|planned| planned.fault.change());
        let modes = changes.filter_map(|change| change.mode);
        modes.chain(self.replicas.iter().filter_map(|replica| replica.mode)).chain([self.mode])
    }

    /// Whether members are always ranked, in one way.
    pub(super) fn is_ranked(&self) -> bool {
        self.mode.is_ranked() && self.modes().all(|mode| mode == self.mode)
    }

    /// The shortest lease duration and the longest renew deadline of any replica.
    #[must_use]
    pub(super) fn extremes(&self) -> (Span, Span) {
        let leases = self.replicas.iter().filter_map(|replica| replica.lease_duration);
        let deadlines = self.replicas.iter().filter_map(|replica| replica.renew_deadline);
        let lease = leases.chain([self.lease_duration]).min().unwrap_or_default();
        (lease, deadlines.chain([self.renew_deadline]).max().unwrap_or_default())
    }

    /// The configuration of a replica's machine.
    ///
    /// # Errors
    /// If its number of slots cannot be.
    pub fn config(
        &self,
        replica: &Replica,
        incarnation: std::sync::Arc<str>,
    ) -> Result<Config, ScenarioError> {
        let slots = replica.slots.unwrap_or(self.slots);
        let slots = Slots::new(slots).map_err(|error| ScenarioError(error.to_string()))?;
        let Some(weight) = NonZeroU32::new(replica.weight) else {
            return Err(ScenarioError("weight is 0: let it be at least 1".into()));
        };
        let name = replica.name.as_deref().unwrap_or("replica");
        let member = tenure::placement::Member::new(name).with_weight(weight);
        let member = member.in_zone(replica.zone.as_str());
        Ok(Config {
            lease_duration: replica.lease_duration.unwrap_or(self.lease_duration).as_duration(),
            renew_deadline: replica.renew_deadline.unwrap_or(self.renew_deadline).as_duration(),
            retry_period: self.retry_period.as_duration(),
            request_timeout: self.request_timeout.as_duration(),
            drain_deadline: self.drain_deadline.as_duration(),
            collect_after: self.collect_after.as_duration(),
            distrust_deletion: self.distrust_deletion,
            generation: replica.generation,
            slots,
            mode: replica.mode.unwrap_or(self.mode).machine(&self.policy),
            hash: replica.hash.machine(),
            ..Config::new("default", "group", member, incarnation)
        })
    }
}
