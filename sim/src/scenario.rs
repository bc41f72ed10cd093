//! What is simulated: a [`Scenario`] is data, in Rust or as JSON. Everything has a default, the calm
//! day of three replicas at Kubernetes' usual durations.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure::election::{Missing, Profile};

use crate::distribution::Distribution;
use crate::fault::{Fault, Planned, Site, Target};
use crate::time::{Shift, Span};

/// The most replicas that a scenario may have.
pub const MAX_REPLICAS: usize = 10_000;

/// A run but for its seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// A short name, as `leader-crash`.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub description: String,
    /// The rules that replicas follow if they do not say otherwise.
    #[serde(with = "crate::wire::text")]
    pub profile: Profile,
    /// The replicas.
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
    /// What goes wrong.
    pub faults: Vec<Planned>,
    /// When everything heals; after it no fault may begin. Never if absent.
    pub heal_at: Option<Span>,
    /// When the run ends.
    pub horizon: Span,
    /// Which checks are expected to find something: by profile (`client-go-v1.36`), by family
    /// (`client-go`) or for all (`*`); the most specific counts. None are if nothing is said.
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
            faults: Vec::new(),
            heal_at: None,
            horizon: Span::from_secs(600),
            expect: BTreeMap::new(),
        }
    }
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replica {
    /// Its name; `replica-N` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Holds the lock under its bare name in all its lives, with no incarnation, as a program does
    /// that uses its host name. Two replicas of one bare name are one to the election. ClientGo
    /// only: a strict elector always adds its incarnation.
    pub bare_identity: bool,
    /// The rules it follows; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::wire::optional_text")]
    pub profile: Option<Profile>,
    /// Its own lease duration; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration: Option<Span>,
    /// Its own renew deadline; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_deadline: Option<Span>,
    /// Its own retry period; the scenario's if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_period: Option<Span>,
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

/// The network between replicas, API servers and the guarded resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        }
    }
}

/// One API server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Where it is.
    pub zone: String,
}

/// How the store behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The lock as it stands at the beginning.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initial {
    /// Who holds it.
    pub holder: String,
    /// For how long.
    pub lease_duration_seconds: i32,
    /// How often it changed hands.
    #[serde(default)]
    pub transitions: i32,
}

/// What a leader does: a loop that writes to the guarded resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Time between two writes; no writes if zero.
    pub period: Span,
    /// How long the work takes to end after it was told to.
    pub stop_takes: Span,
    /// What it asks before each write; by default what its profile's users do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
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
            fenced: true,
            accept_unfenced: false,
        }
    }
}

/// What the work asks before each write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing: it goes on until it has ended, `stop_takes` after it was told to (the default under
    /// ClientGo, whose users trust the callback).
    Belief,
    /// `Elector::is_leading` (the default under Strict).
    Authority,
}

/// Why a scenario makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// Which field, as a path.
    pub field: String,
    /// What it says.
    pub value: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {}", self.field, self.value, self.remedy)
    }
}

impl core::error::Error for ScenarioError {}

fn wrong(
    field: impl Into<String>,
    value: impl fmt::Display,
    remedy: impl Into<String>,
) -> ScenarioError {
    ScenarioError { field: field.into(), value: value.to_string(), remedy: remedy.into() }
}

impl Scenario {
    /// The same with `count` replicas that differ in nothing.
    #[must_use]
    pub fn with_replicas(mut self, count: usize) -> Self {
        self.replicas = vec![Replica::default(); count];
        self
    }

    /// The rules that a replica follows; the scenario's own if there is no such replica.
    #[must_use]
    pub fn profile_of(&self, replica: u32) -> Profile {
        let replica = self.replicas.get(replica as usize);
        replica.and_then(|replica| replica.profile).unwrap_or(self.profile)
    }

    /// The checks that are expected to find something under the scenario's profile.
    #[must_use]
    pub fn expected(&self) -> &[String] {
        let exact = self.profile.to_string();
        let family = if exact.starts_with("client-go") { "client-go" } else { exact.as_str() };
        let keys = [exact.as_str(), family, "*"];
        keys.iter().find_map(|key| self.expect.get(*key)).map_or(&[], Vec::as_slice)
    }

    /// Whether it makes sense; what the electors ask of their durations is not looked at here.
    ///
    /// # Errors
    /// The first field that does not, and what to do about it.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        if self.replicas.is_empty() || self.replicas.len() > MAX_REPLICAS {
            let remedy = format!("list 1 to {MAX_REPLICAS} replicas");
            return Err(wrong("replicas", format!("a list of {}", self.replicas.len()), remedy));
        }
        if self.horizon.is_zero() {
            return Err(wrong("horizon", self.horizon, "say how long to run, as \"10m\""));
        }
        if let Some(heal_at) = self.heal_at.filter(|heal_at| *heal_at > self.horizon) {
            let remedy = format!("heal at or before the horizon, {}", self.horizon);
            return Err(wrong("heal_at", heal_at, remedy));
        }
        self.validate_replicas()?;
        self.validate_network()?;
        for (number, planned) in self.faults.iter().enumerate() {
            self.validate_fault(number, planned)?;
        }
        Ok(())
    }

    fn validate_replicas(&self) -> Result<(), ScenarioError> {
        for (number, replica) in self.replicas.iter().enumerate() {
            if let Some(api) = replica.api.filter(|api| !self.has_api(*api)) {
                let remedy = format!("name one of the {} API servers", self.network.apis.len());
                return Err(wrong(format!("replicas[{number}].api"), api, remedy));
            }
            if replica.identity.as_deref() == Some("") {
                let remedy = "give it a name or leave it out";
                return Err(wrong(format!("replicas[{number}].identity"), "\"\"", remedy));
            }
            if let Some(rate) = replica.rate_ppb {
                valid_rate(format!("replicas[{number}].rate_ppb"), rate)?;
            }
        }
        Ok(())
    }

    fn validate_network(&self) -> Result<(), ScenarioError> {
        if self.network.apis.is_empty() || self.network.apis.len() > 100 {
            let value = format!("a list of {}", self.network.apis.len());
            return Err(wrong("network.apis", value, "list 1 to 100 API servers"));
        }
        for (field, distribution) in [
            ("network.request", &self.network.request),
            ("network.response", &self.network.response),
            ("store.before", &self.store.before),
            ("store.after", &self.store.after),
        ] {
            valid_distribution(field, distribution)?;
        }
        for (field, ppm) in [
            ("network.loss_ppm", self.network.loss_ppm),
            ("network.duplicate_ppm", self.network.duplicate_ppm),
            ("store.error_ppm", self.store.error_ppm),
        ] {
            valid_ppm(field, ppm)?;
        }
        Ok(())
    }

    fn validate_fault(&self, number: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].{name}");
        match (&planned.at, &planned.on) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                let remedy = "say when by `at`, or upon what by `on`";
                return Err(wrong(field("at"), "absent", remedy));
            }
            (Some(at), Some(_)) => {
                return Err(wrong(field("at"), at, "give either `at` or `on`, not both"));
            }
        }
        if let (Some(at), Some(heal_at)) = (planned.at, self.heal_at)
            && at >= heal_at
        {
            let remedy = format!("let faults begin before heal_at, {heal_at}");
            return Err(wrong(field("at"), at, remedy));
        }
        if let Some(trigger) = &planned.on {
            if trigger.nth == 0 {
                return Err(wrong(field("on.nth"), 0, "count from 1"));
            }
            if trigger.by == Target::Actor {
                let remedy = "name a replica, leader, follower or everyone";
                return Err(wrong(field("on.by"), "actor", remedy));
            }
            self.valid_target(field("on.by"), trigger.by, true)?;
        }
        if let Some(span) = planned.lasts.filter(|_| !planned.fault.can_last()) {
            let remedy = format!("leave it out: a {} does not last", planned.fault.kind());
            return Err(wrong(field("for"), span, remedy));
        }
        let triggered = planned.on.is_some();
        if let Some(target) = planned.fault.target() {
            self.valid_target(field("fault.target"), target, triggered)?;
        }
        if let Some(links) = planned.fault.links() {
            for site in links.sites.iter().chain(&links.from) {
                self.valid_site(field("fault.sites"), site, triggered)?;
            }
            if links.sites.is_empty() {
                return Err(wrong(field("fault.sites"), "empty", "name at least one site"));
            }
        }
        self.valid_amounts(number, &planned.fault)
    }

    fn valid_amounts(&self, number: usize, fault: &Fault) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{number}].fault.{name}");
        match fault {
            Fault::Delay { by, .. } => valid_distribution(&field("by"), by),
            Fault::Loss { ppm, .. } | Fault::Duplicate { ppm, .. } => {
                valid_ppm(&field("ppm"), *ppm)
            }
            Fault::Drift { rate_ppb, .. } => valid_rate(field("rate_ppb"), *rate_ppb),
            Fault::StoreSlow { before, after } => {
                valid_distribution(&field("before"), before)?;
                valid_distribution(&field("after"), after)
            }
            Fault::StoreErrors { before_ppm, after_ppm } => {
                valid_ppm(&field("before_ppm"), *before_ppm)?;
                valid_ppm(&field("after_ppm"), *after_ppm)
            }
            Fault::StoreOutage { api: Some(api), .. } if !self.has_api(*api) => {
                let remedy = format!("name one of the {} API servers", self.network.apis.len());
                Err(wrong(field("api"), api, remedy))
            }
            _ => Ok(()),
        }
    }

    fn has_api(&self, api: u32) -> bool {
        (api as usize) < self.network.apis.len()
    }

    fn valid_target(
        &self,
        field: String,
        target: Target,
        triggered: bool,
    ) -> Result<(), ScenarioError> {
        match target {
            Target::Replica(index) if index as usize >= self.replicas.len() => {
                let last = self.replicas.len().saturating_sub(1);
                Err(wrong(field, index, format!("name a replica from 0 to {last}")))
            }
            Target::Actor if !triggered => {
                let remedy = "only a fault with `on` has an actor; name a replica or a role";
                Err(wrong(field, "actor", remedy))
            }
            _ => Ok(()),
        }
    }

    fn valid_site(&self, field: String, site: &Site, triggered: bool) -> Result<(), ScenarioError> {
        match site {
            Site::Of(target) => self.valid_target(field, *target, triggered),
            Site::Api(Some(api)) if !self.has_api(*api) => {
                let remedy = format!("name one of the {} API servers", self.network.apis.len());
                Err(wrong(field, site, remedy))
            }
            Site::Zone(zone) => {
                let replicas = self.replicas.iter().map(|replica| &replica.zone);
                let apis = self.network.apis.iter().map(|api| &api.zone);
                let mut zones = replicas.chain(apis).chain([&self.network.resource_zone]);
                if zones.any(|known| known == zone) {
                    return Ok(());
                }
                Err(wrong(field, site, "name a zone that some site is in"))
            }
            Site::Api(_) | Site::Resource => Ok(()),
        }
    }
}

fn valid_ppm(field: &str, ppm: u32) -> Result<(), ScenarioError> {
    if ppm > 1_000_000 {
        return Err(wrong(field, ppm, "at most 1000000 of a million can"));
    }
    Ok(())
}

fn valid_rate(field: String, rate_ppb: u64) -> Result<(), ScenarioError> {
    if !(1_000_000..=1_000_000_000_000).contains(&rate_ppb) {
        let remedy = "1000000000 is right; use 1000000 (a thousandth) to 1000000000000 (a \
                      thousandfold), and `suspend` for a clock that stands still";
        return Err(wrong(field, rate_ppb, remedy));
    }
    Ok(())
}

fn valid_distribution(field: &str, distribution: &Distribution) -> Result<(), ScenarioError> {
    match distribution.wrong() {
        Some(remedy) => Err(wrong(field, format!("{distribution:?}"), remedy)),
        None => Ok(()),
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

    #[test]
    fn nonsense_is_refused_by_field_value_and_remedy() {
        for (text, error) in [
            (r#"{"replicas": []}"#, "replicas is a list of 0: list 1 to 10000 replicas"),
            (r#"{"heal_at": "11m"}"#, "heal_at is 11m: heal at or before the horizon, 10m"),
            (
                r#"{"faults": [{"fault": {"delete": {}}}]}"#,
                "faults[0].at is absent: say when by `at`, or upon what by `on`",
            ),
            (
                r#"{"faults": [{"at": "1s", "for": "1s", "fault": {"delete": {}}}]}"#,
                "faults[0].for is 1s: leave it out: a delete does not last",
            ),
            (
                r#"{"faults": [{"at": "1s", "fault": {"pause": {"target": 3}}}]}"#,
                "faults[0].fault.target is 3: name a replica from 0 to 2",
            ),
            (
                r#"{"faults": [{"at": "1s", "fault": {"partition": {"sites": ["zone:b"]}}}]}"#,
                "faults[0].fault.sites is zone:b: name a zone that some site is in",
            ),
            (
                r#"{"network": {"loss_ppm": 1000001}}"#,
                "network.loss_ppm is 1000001: at most 1000000 of a million can",
            ),
        ] {
            let scenario: Scenario = serde_json::from_str(text).unwrap();
            assert_eq!(scenario.validate().unwrap_err().to_string(), error);
        }
    }
}
