//! What is simulated: a [`Scenario`] is data, in Rust or as JSON. Everything has a default, the calm
//! day of three replicas at Kubernetes' usual durations.
//!
//! ```
//! use tenure_sim::check::Checks;
//! use tenure_sim::scenario::{
//!     Api, Change, Gate, Initial, Lock, Network, Replica, Rollout, Scenario, Store, Work,
//! };
//! use tenure_sim::{time::Span, world::World};
//!
//! // Two zones with an API server each. Somebody who is gone left a ConfigMap; in two steps of a rollout
//! // the replicas come to use a Lease besides.
//! let zone = |zone: &str| zone.to_owned();
//! let (holder, lease_duration_seconds) = ("gone".to_owned(), 15);
//! let initial = Initial { holder, lease_duration_seconds, transitions: 4, rest: None };
//! let both = Change { lock: Some(Lock::ConfigMapAndLease), ..Change::default() };
//! let (at, gap) = (Span::from_secs(120), Span::from_secs(30));
//! let scenario = Scenario {
//!     lock: Lock::ConfigMap,
//!     replicas: ["a", "b"].map(|it| Replica { zone: zone(it), ..Replica::default() }).into(),
//!     network: Network {
//!         apis: ["a", "b"].map(|it| Api { zone: zone(it) }).into(),
//!         fail_over: true,
//!         ..Network::default()
//!     },
//!     store: Store { initial: Some(initial), ..Store::default() },
//!     work: Work { gate: Some(Gate::Authority), ..Work::default() },
//!     rollouts: vec![Rollout { at, gap, replicas: Vec::new(), set: both }],
//!     ..Scenario::default()
//! };
//! let locks: Vec<_> = scenario.all_settings().iter().map(|(index, it)| (*index, it.lock)).collect();
//! let both = Some(Lock::ConfigMapAndLease);
//! assert_eq!(locks, [(0, None), (0, both), (1, None), (1, both)]);
//!
//! let outcome = World::new(&scenario, 1)?.run(&mut Checks::for_scenario(&scenario));
//! assert_eq!(outcome.violations, []);
//! assert_eq!(outcome.statistics.rolled_out, 2);
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod settings;
pub(crate) mod validate;

use core::num::NonZeroU32;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tenure::election::{Missing, Profile};

use crate::distribution::Distribution;
use crate::fault::Planned;
use crate::left_out::Rule;
use crate::plan::{Grid, Mix};
use crate::time::{Shift, Span};

pub use settings::{Change, Lock, Rollout};
pub use validate::ScenarioError;

/// The most replicas that a scenario may have.
pub(crate) const MAX_REPLICAS: usize = 10_000;

/// A run but for its seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// A short name, as `leader-crash`.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// The rules that replicas follow if they do not say otherwise.
    #[serde(with = "crate::wire::text")]
    #[schemars(with = "String")]
    pub profile: Profile,
    /// The objects that carry the lock, for replicas that do not say otherwise.
    pub lock: Lock,
    /// The replicas.
    #[serde(deserialize_with = "each")]
    pub replicas: Vec<Replica>,
    /// Whether replicas run an election. Without it their programs run from the start.
    pub election: bool,
    /// See [`tenure::election::Config`].
    pub lease_duration: Span,
    /// See [`tenure::election::Config`].
    pub renew_deadline: Span,
    /// See [`tenure::election::Config`].
    pub retry_period: Span,
    /// See [`tenure::election::Config`].
    pub request_timeout: Option<Span>,
    /// See [`tenure::election::Config`].
    pub release_on_stop: bool,
    /// See [`tenure::election::Config`]: `wait` or `new-group`.
    #[serde(with = "crate::wire::missing")]
    #[schemars(with = "crate::wire::MissingName")]
    pub missing: Missing,
    /// Take durations that an elector refuses, to see what happens then.
    pub unchecked: bool,
    /// How long after a replica's elector finished by itself (client-go's `Run` is single-shot) its
    /// process starts anew; it stays out if absent.
    pub rejoin_after: Option<Span>,
    /// The network.
    pub network: Network,
    /// The store.
    pub store: Store,
    /// What a leader does.
    pub work: Work,
    /// Planned changes of what replicas run with, each ended before the next begins.
    pub rollouts: Vec<Rollout>,
    /// What goes wrong.
    pub faults: Vec<Planned>,
    /// Clocks, options and faults are drawn from the seed: see [`plan`](crate::plan).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swarm: Option<Mix>,
    /// Every fault, or pair of faults, at every time of a grid; the seed is its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// When everything heals: faults end and none may begin, and nothing gets lost, doubled or
    /// refused by chance any more. Never if absent.
    pub heal_at: Option<Span>,
    /// When the run ends.
    pub horizon: Span,
    /// With which seed it shows what it is kept for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Rules that are left out, to see which checks find it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Rule>,
    /// Which checks (`one-leader`), or rules of checks (`one-leader/belief`), are expected to find
    /// something: by profile (`client-go-v1.36`), by family (`client-go`) or for all (`*`); the most
    /// specific counts. None are if nothing is said. One that ends in `?` finds something with some seeds
    /// only.
    pub expect: BTreeMap<String, Vec<String>>,
}

impl Default for Scenario {
    /// Three replicas, 15 s / 10 s / 2 s, latencies of 1 ms to 21 ms each way, ten minutes, nothing
    /// goes wrong.
    fn default() -> Self {
        Self {
            name: "calm".to_owned(),
            description: "Nothing goes wrong.".to_owned(),
            profile: Profile::Strict,
            lock: Lock::Lease,
            replicas: vec![Replica::default(); 3],
            election: true,
            lease_duration: Span::from_secs(15),
            renew_deadline: Span::from_secs(10),
            retry_period: Span::from_secs(2),
            request_timeout: Some(Span::from_secs(5)),
            release_on_stop: false,
            missing: Missing::Wait,
            unchecked: false,
            rejoin_after: Some(Span::from_secs(2)),
            network: Network::default(),
            store: Store::default(),
            work: Work::default(),
            rollouts: Vec::new(),
            faults: Vec::new(),
            swarm: None,
            grid: None,
            heal_at: None,
            horizon: Span::from_secs(600),
            seed: None,
            without: Vec::new(),
            expect: BTreeMap::new(),
        }
    }
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Replica {
    /// So many like this; 1 if absent. Whoever reads a scenario writes each out, without this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<NonZeroU32>,
    /// Its name; `replica-N` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Holds the lock under its bare name in all its lives, with no incarnation, as a program does
    /// that uses its host name. Two replicas of one bare name are one to the election. ClientGo
    /// only: a strict elector always adds its incarnation.
    pub bare_identity: bool,
    /// The rules it follows; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::wire::optional_text")]
    #[schemars(with = "Option<String>")]
    pub profile: Option<Profile>,
    /// The objects that carry its lock; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Its own lease duration; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration: Option<Span>,
    /// Its own renew deadline; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_deadline: Option<Span>,
    /// Its own retry period; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_period: Option<Span>,
    /// Its own request time-out; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<Span>,
    /// Whether it releases when stopped; as the scenario says if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_on_stop: Option<bool>,
    /// See [`tenure::election::Config`]; never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_before: Option<Span>,
    /// See [`tenure::election::Config`]; none if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_delay: Option<Span>,
    /// See [`tenure::election::Config`].
    #[serde(skip_serializing_if = "is_false")]
    pub preferred: bool,
    /// Whether it watches the objects of its lock, besides reading them.
    #[serde(skip_serializing_if = "is_false")]
    pub watch: bool,
    /// Where it is.
    pub zone: String,
    /// Its API server; `N mod number of API servers` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<u32>,
    /// When it starts.
    pub start: Span,
    /// What its monotonic clock shows at the beginning of the run.
    pub clock_offset: Span,
    /// Local nanoseconds in 10⁹ real ones; 10⁹ if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_ppb: Option<u64>,
    /// By how much its wall clock is off.
    pub wall_offset: Shift,
}

/// Each replica by itself.
fn each<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Replica>, D::Error> {
    let written = Vec::<Replica>::deserialize(deserializer)?;
    let each = written.into_iter().flat_map(|mut replica| {
        let count = replica.count.take().map_or(1, NonZeroU32::get);
        std::iter::repeat_n(replica, count as usize)
    });
    // One too many is told as too many; the rest would only take space.
    Ok(each.take(MAX_REPLICAS + 1).collect())
}

/// The network between replicas, API servers and the guarded resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// How long a message takes from a replica.
    pub request: Distribution,
    /// How long a message takes to a replica.
    pub response: Distribution,
    /// How many messages of a million get lost.
    pub loss_ppm: u32,
    /// How many messages of a million arrive twice.
    pub duplicate_ppm: u32,
    /// The API servers: front ends of the one store.
    pub apis: Vec<Api>,
    /// Whether a replica goes to the next API server when a call failed or was given up.
    pub fail_over: bool,
    /// Where the guarded resource is.
    pub resource_zone: String,
    /// How long it takes a replica to notice that its watch is broken, and to watch anew.
    pub rewatch: Span,
}

impl Default for Network {
    fn default() -> Self {
        let latency = Distribution::uniform(Span::from_millis(1), Span::from_millis(21));
        Self {
            request: latency,
            response: latency,
            loss_ppm: 0,
            duplicate_ppm: 0,
            apis: vec![Api::default()],
            fail_over: false,
            resource_zone: String::new(),
            rewatch: Span::from_secs(5),
        }
    }
}

/// One API server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Where it is.
    pub zone: String,
}

/// How the store behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Whether it refuses what a Kubernetes API server refuses: durations below a second, negative
    /// transitions, bad names.
    pub validate: bool,
    /// Whether a write that changes nothing keeps the version, as in Kubernetes.
    pub keep_version: bool,
    /// Time between a request's arrival and its effect.
    pub before: Distribution,
    /// Time between a request's effect and its answer.
    pub after: Distribution,
    /// How many of a million requests are refused without effect.
    pub error_ppm: u32,
    /// The lock as it stands at the beginning: the object of the scenario's `lock`, or its first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<Initial>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            validate: true,
            keep_version: true,
            before: Distribution::default(),
            after: Distribution::default(),
            error_ppm: 0,
            initial: None,
        }
    }
}

/// A lock that is there before the run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Initial {
    /// Who holds it.
    pub holder: String,
    /// For how long.
    pub lease_duration_seconds: i32,
    /// How often it changed hands.
    #[serde(default)]
    pub transitions: i32,
    /// What else the object holds: data of a `ConfigMap`, subsets of Endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What a leader does: a loop that writes to the guarded resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Time between two writes; no writes if zero.
    pub period: Span,
    /// How long the work takes to end after it was told to.
    pub stop_takes: Span,
    /// What it asks before each write; by default what its profile's users do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// Whether it asks and acts before the elector has handled what is due, as a thread of its own may.
    #[serde(skip_serializing_if = "is_false")]
    pub ahead: bool,
    /// Whether writes carry the fencing token.
    pub fenced: bool,
    /// Whether the resource takes writes without a token.
    pub accept_unfenced: bool,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            period: Span::from_secs(1),
            stop_takes: Span::ZERO,
            gate: None,
            ahead: false,
            fenced: true,
            accept_unfenced: false,
        }
    }
}

/// What the work asks before each write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing: it goes on until it has ended, `stop_takes` after it was told to (the default under
    /// ClientGo, whose users trust the callback).
    Belief,
    /// `Elector::is_leading` (the default under Strict).
    Authority,
}

impl Scenario {
    /// The same with `count` replicas that differ in nothing.
    #[must_use]
    pub fn with_replicas(mut self, count: usize) -> Self {
        self.replicas = vec![Replica::default(); count];
        self
    }

    /// How many seeds there are that differ, if what they say is all of a grid.
    #[must_use]
    pub fn seeds(&self) -> Option<u64> {
        self.grid.as_ref().map(|grid| grid.count(self))
    }

    /// The checks, or rules of checks, that are expected to find something under the scenario's
    /// profile.
    #[must_use]
    pub fn expected(&self) -> &[String] {
        let exact = self.profile.to_string();
        let family = if exact.starts_with("client-go") { "client-go" } else { exact.as_str() };
        let keys = [exact.as_str(), family, "*"];
        keys.iter().find_map(|key| self.expect.get(*key)).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_is_the_calm_day_and_comes_back_whole() {
        let calm: Scenario = serde_json::from_str("{}").unwrap();
        assert_eq!(calm, Scenario::default());
        assert_eq!(calm.validate(), Ok(()));
        let text = serde_json::to_string(&calm).unwrap();
        assert_eq!(serde_json::from_str::<Scenario>(&text).unwrap(), calm);
    }

    #[test]
    fn many_alike_are_written_as_one() {
        let read = |text: &str| serde_json::from_str::<Scenario>(text);
        let many = read(r#"{"replicas": [{"start": "1s"}, {"count": 2, "zone": "b"}]}"#).unwrap();
        let zones: Vec<_> = many.replicas.iter().map(|replica| replica.zone.as_str()).collect();
        assert_eq!(zones, ["", "b", "b"]);
        let text = serde_json::to_string(&many).unwrap();
        assert_eq!(read(&text).unwrap(), many);
        let most = read(r#"{"replicas": [{"count": 4000000000}]}"#).unwrap();
        assert_eq!(most.validate().unwrap_err().field, "replicas");
        assert!(read(r#"{"replicas": [{"count": 0}]}"#).is_err());
    }

    #[test]
    fn the_most_specific_expectation_counts() {
        let mut scenario = Scenario::default();
        for (key, check) in [("*", "a"), ("client-go", "b"), ("client-go-head", "c")] {
            scenario.expect.insert(key.into(), vec![check.into()]);
        }
        for (profile, check) in [("strict", "a"), ("client-go-v1.36", "b"), ("client-go-head", "c")]
        {
            scenario.profile = profile.parse().unwrap();
            assert_eq!(scenario.expected(), [check]);
        }
    }
}
