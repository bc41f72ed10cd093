//! Whether a scenario makes sense.

mod faults;
mod rollouts;

use core::fmt;

use super::{MAX_REPLICAS, Scenario};
use crate::clock::RIGHT;
use crate::distribution::Distribution;
use crate::fault::Fault;
use crate::time::Span;

/// The most links that a network may have, but for a factor.
const MAX_PAIRS: usize = 100_000;

/// The most that a clock may show at the beginning, and that it may go on from there: far from its
/// end, which comes after 213,503 days.
pub(crate) const LONGEST: Span = Span::from_secs(50_000 * 86_400);

/// The most faults of a grid, so that its pairs can be counted.
const MAX_SINGLES: u64 = 1_000_000_000;

/// Shorter ones would make a run that does nothing but write.
pub(crate) const LEAST_PERIOD: Span = Span::from_micros(100);

const NAMES: [&str; 3] = ["lease_duration", "renew_deadline", "retry_period"];

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

pub(crate) fn wrong(
    field: impl Into<String>,
    value: impl fmt::Display,
    remedy: impl Into<String>,
) -> ScenarioError {
    ScenarioError { field: field.into(), value: value.to_string(), remedy: remedy.into() }
}

impl Scenario {
    /// Whether it makes sense; what the electors ask of their durations is not looked at here.
    ///
    /// # Errors
    /// The first field that does not, and what to do about it.
    pub fn validate(&self) -> Result<(), ScenarioError> {
        valid_name("name", &self.name)?;
        if self.replicas.is_empty() || self.replicas.len() > MAX_REPLICAS {
            let remedy = format!("list 1 to {MAX_REPLICAS} replicas");
            // Of more than that no more than one is read.
            let value = if self.replicas.is_empty() { "empty" } else { "too long" };
            return Err(wrong("replicas", value, remedy));
        }
        if self.horizon.is_zero() {
            return Err(wrong("horizon", self.horizon, "say how long to run, as \"10m\""));
        }
        let period = self.work.period;
        if !period.is_zero() && period < LEAST_PERIOD {
            let remedy = format!("write at most once in {LEAST_PERIOD}, or never with 0s");
            return Err(wrong("work.period", period, remedy));
        }
        if let Some(heal_at) = self.heal_at.filter(|heal_at| *heal_at > self.horizon) {
            let remedy = format!("heal at or before the horizon, {}", self.horizon);
            return Err(wrong("heal_at", heal_at, remedy));
        }
        self.validate_grid()?;
        self.validate_replicas()?;
        self.validate_durations()?;
        self.validate_options()?;
        self.validate_rollouts()?;
        self.validate_clocks()?;
        self.validate_network()?;
        self.validate_initial()?;
        for (number, planned) in self.faults.iter().enumerate() {
            self.validate_fault(number, planned)?;
        }
        self.validate_meddling()
    }

    fn validate_grid(&self) -> Result<(), ScenarioError> {
        let Some(grid) = &self.grid else { return Ok(()) };
        if self.swarm.is_some() {
            return Err(wrong("grid", "there beside swarm", "leave one of them out"));
        }
        if !(1..=2).contains(&grid.faults) {
            return Err(wrong("grid.faults", grid.faults, "let there be 1, or 2 at once"));
        }
        if grid.step < LEAST_PERIOD {
            return Err(wrong("grid.step", grid.step, format!("use at least {LEAST_PERIOD}")));
        }
        if grid.from >= grid.to {
            return Err(wrong("grid.to", grid.to, format!("end after from, {}", grid.from)));
        }
        if grid.to > self.horizon {
            return Err(wrong("grid.to", grid.to, format!("end by the horizon, {}", self.horizon)));
        }
        if grid.lasts.is_empty() {
            return Err(wrong("grid.lasts", "empty", "say how long faults last, as [\"20s\"]"));
        }
        let singles = grid.singles(self);
        if singles > MAX_SINGLES {
            let remedy = format!("there are {singles} faults: let there be at most {MAX_SINGLES}");
            return Err(wrong("grid.step", grid.step, remedy));
        }
        Ok(())
    }

    fn validate_replicas(&self) -> Result<(), ScenarioError> {
        for (number, replica) in self.replicas.iter().enumerate() {
            if let Some(api) = replica.api.filter(|api| !self.has_api(*api)) {
                let remedy = format!("name one of the {} API servers", self.network.apis.len());
                return Err(wrong(format!("replicas[{number}].api"), api, remedy));
            }
            let identity = replica.identity.as_deref().unwrap_or_default();
            valid_name(format!("replicas[{number}].identity"), identity)?;
            if replica.identity.as_deref() == Some("") {
                let remedy = "give it a name or leave it out";
                return Err(wrong(format!("replicas[{number}].identity"), "\"\"", remedy));
            }
            if let Some(rate) = replica.rate_ppb {
                valid_rate(format!("replicas[{number}].rate_ppb"), rate)?;
            }
            if replica.start >= self.horizon {
                let remedy = format!("let it start before the run ends, {}", self.horizon);
                return Err(wrong(format!("replicas[{number}].start"), replica.start, remedy));
            }
        }
        Ok(())
    }

    /// Of electors: without them nobody reads these. Not even `unchecked` durations may be zero: that
    /// would be a world in which everything happens at one instant, without end.
    fn validate_durations(&self) -> Result<(), ScenarioError> {
        let own = [self.lease_duration, self.renew_deadline, self.retry_period];
        let zero = NAMES.iter().zip(own).find(|(_, span)| span.is_zero());
        match zero.filter(|_| self.election) {
            Some((name, span)) => Err(wrong(*name, span, "give it some time, as \"2s\"")),
            None => Ok(()),
        }
    }

    /// A clock that comes to its end stands still there while all that is due seems past.
    fn validate_clocks(&self) -> Result<(), ScenarioError> {
        let drifts = self.faults.iter().filter_map(|planned| match planned.fault {
            Fault::Drift { rate_ppb, .. } => Some(rate_ppb),
            _ => None,
        });
        let rates = self.replicas.iter().filter_map(|replica| replica.rate_ppb);
        let fastest = drifts.chain(rates).chain([RIGHT]).max().unwrap_or(RIGHT);
        let passes = u128::from(self.horizon.as_nanos()) * u128::from(fastest) / u128::from(RIGHT);
        if passes > u128::from(LONGEST.as_nanos()) {
            let remedy = format!("let no clock run for longer than {LONGEST}, at its own rate");
            return Err(wrong("horizon", self.horizon, remedy));
        }
        for (number, replica) in self.replicas.iter().enumerate() {
            if replica.clock_offset > LONGEST {
                let (field, remedy) = (format!("replicas[{number}].clock_offset"), "use at most");
                return Err(wrong(field, replica.clock_offset, format!("{remedy} {LONGEST}")));
            }
        }
        Ok(())
    }

    /// A store that refuses a record has not got it from elsewhere.
    fn validate_initial(&self) -> Result<(), ScenarioError> {
        let Some(initial) = self.store.initial.as_ref().filter(|_| self.store.validate) else {
            return Ok(());
        };
        for (name, value, least) in [
            ("lease_duration_seconds", initial.lease_duration_seconds, 1),
            ("transitions", initial.transitions, 0),
        ] {
            if value < least {
                let remedy = format!(
                    "an API server takes nothing below {least}: use more, or \"validate\": false"
                );
                return Err(wrong(format!("store.initial.{name}"), value, remedy));
            }
        }
        Ok(())
    }

    fn validate_network(&self) -> Result<(), ScenarioError> {
        if self.network.apis.is_empty() || self.network.apis.len() > 100 {
            let value = format!("a list of {}", self.network.apis.len());
            return Err(wrong("network.apis", value, "list 1 to 100 API servers"));
        }
        if self.network.apis.len() * self.replicas.len() > MAX_PAIRS {
            let value = format!("a list of {}", self.network.apis.len());
            let remedy =
                format!("let there be at most {MAX_PAIRS} pairs of replica and API server");
            return Err(wrong("network.apis", value, remedy));
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

    fn has_api(&self, api: u32) -> bool {
        (api as usize) < self.network.apis.len()
    }
}

/// It is shown to people, line by line.
pub(crate) fn valid_name(field: impl Into<String>, name: &str) -> Result<(), ScenarioError> {
    if name.contains(char::is_control) {
        let remedy = "write it without ends of lines and other control characters";
        return Err(wrong(field, format!("{name:?}"), remedy));
    }
    Ok(())
}

pub(crate) fn valid_ppm(field: &str, ppm: u32) -> Result<(), ScenarioError> {
    if ppm > 1_000_000 {
        return Err(wrong(field, ppm, "at most 1000000 of a million can"));
    }
    Ok(())
}

pub(crate) fn valid_rate(field: String, rate_ppb: u64) -> Result<(), ScenarioError> {
    if !(1_000_000..=1_000_000_000_000).contains(&rate_ppb) {
        let remedy = "1000000000 is right; use 1000000 (a thousandth) to 1000000000000 (a \
                      thousandfold), and `suspend` for a clock that stands still";
        return Err(wrong(field, rate_ppb, remedy));
    }
    Ok(())
}

pub(crate) fn valid_distribution(
    field: &str,
    distribution: &Distribution,
) -> Result<(), ScenarioError> {
    match distribution.wrong() {
        Some(remedy) => {
            let value = serde_json::to_string(distribution).unwrap_or_default();
            Err(wrong(field, value, remedy))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
