//! Whether a scenario makes sense.

use tenure::sharding::Slots;

use super::super::fault::{Fault, Planned};
use super::{Replica, Scenario, ScenarioError};
use crate::clock::RIGHT;
use crate::scenario::MAX_REPLICAS;
use crate::scenario::validate::{
    LEAST_PERIOD, LONGEST, valid_distribution, valid_name, valid_ppm, valid_rate, wrong as refuse,
};
use crate::time::Span;

/// How often a fault may come: more is a mistake, and a scenario without end.
const MOST_TIMES: u32 = 100_000;

fn wrong(what: impl Into<String>) -> Result<(), ScenarioError> {
    Err(ScenarioError(what.into()))
}

impl From<crate::scenario::ScenarioError> for ScenarioError {
    fn from(error: crate::scenario::ScenarioError) -> Self {
        Self(error.to_string())
    }
}

impl Scenario {
    /// Each replica written out, with its name.
    ///
    /// # Errors
    /// If it makes no sense.
    pub fn checked(&self) -> Result<Self, ScenarioError> {
        let count: u64 = self.replicas.iter().map(|replica| u64::from(replica.count)).sum();
        if count == 0 || count > MAX_REPLICAS as u64 {
            wrong(format!("replicas: there are {count}: let there be 1 to {MAX_REPLICAS}"))?;
        }
        valid_name("name", &self.name)?;
        let mut each: Vec<Replica> = Vec::new();
        for (index, replica) in self.replicas.iter().enumerate() {
            let count = replica.count;
            valid_name(
                format!("replicas[{index}].name"),
                replica.name.as_deref().unwrap_or_default(),
            )?;
            if count == 0 {
                wrong(format!("replicas[{index}].count is 0: leave the replica out"))?;
            }
            if let Some(name) = replica.name.as_ref().filter(|_| count > 1) {
                wrong(format!(
                    "replicas[{index}]: {count} of the name {name}: leave the name out, or list each by itself"
                ))?;
            }
            let one = Replica { count: 1, ..replica.clone() };
            each.extend((0..replica.count).map(|_| one.clone()));
        }
        for (index, replica) in each.iter_mut().enumerate() {
            replica.name.get_or_insert_with(|| format!("replica-{index}"));
        }
        let sound = Self { replicas: each, ..self.clone() };
        let changes = self.faults.iter().filter_map(|planned| planned.fault.change());
        for slots in changes.filter_map(|change| change.slots).chain([self.slots]) {
            Slots::new(slots).map_err(|error| ScenarioError(error.to_string()))?;
        }
        for (index, replica) in sound.replicas.iter().enumerate() {
            let config = sound.config(replica, "incarnation".into());
            let valid = config.and_then(|config| {
                config.validate().map_err(|error| ScenarioError(error.to_string()))
            });
            valid.or_else(|ScenarioError(error)| wrong(format!("replicas[{index}]: {error}")))?;
        }
        for (index, planned) in self.faults.iter().enumerate() {
            sound.sound(index, planned)?;
            sound.sound_change(index, planned)?;
        }
        sound.sound_times()?;
        sound.sound_chances()?;
        Ok(sound)
    }

    /// It ends, and no clock comes to its own end before.
    fn sound_times(&self) -> Result<(), ScenarioError> {
        let horizon = self.horizon;
        if horizon.is_zero() {
            return Err(refuse("horizon", horizon, "say how long to run, as \"4m\"").into());
        }
        if let Some(heal_at) = self.heal_at.filter(|heal_at| *heal_at > horizon) {
            let remedy = format!("heal at or before the horizon, {horizon}");
            return Err(refuse("heal_at", heal_at, remedy).into());
        }
        for (index, replica) in self.replicas.iter().enumerate() {
            valid_rate(format!("replicas[{index}].rate_ppb"), replica.rate_ppb)?;
            if replica.start >= horizon && !replica.spare {
                let field = format!("replicas[{index}].start");
                let remedy = format!("let it start before the run ends, {horizon}");
                return Err(refuse(field, replica.start, remedy).into());
            }
            if replica.clock_offset > LONGEST {
                let field = format!("replicas[{index}].clock_offset");
                let remedy = format!("use at most {LONGEST}");
                return Err(refuse(field, replica.clock_offset, remedy).into());
            }
        }
        let drifts = self.faults.iter().filter_map(|planned| match planned.fault {
            Fault::Drift { rate_ppb, .. } => Some(rate_ppb),
            _ => None,
        });
        let rates = self.replicas.iter().map(|replica| replica.rate_ppb);
        let fastest = drifts.chain(rates).chain([RIGHT]).max().unwrap_or(RIGHT);
        let passes = u128::from(horizon.as_nanos()) * u128::from(fastest) / u128::from(RIGHT);
        if passes > u128::from(LONGEST.as_nanos()) {
            let remedy = format!("let no clock run for longer than {LONGEST}, at its own rate");
            return Err(refuse("horizon", horizon, remedy).into());
        }
        Ok(())
    }

    /// What is drawn can be drawn, and takes some time where it must.
    fn sound_chances(&self) -> Result<(), ScenarioError> {
        for (field, distribution) in [
            ("network.request", &self.network.request),
            ("network.response", &self.network.response),
            ("store.before", &self.store.before),
            ("store.after", &self.store.after),
            ("work.every", &self.work.every),
            ("work.takes", &self.work.takes),
            ("work.drain", &self.work.drain),
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
        if self.network.apis.len() != 1 {
            let value = format!("a list of {}", self.network.apis.len());
            return Err(
                refuse("network.apis", value, "a group has one API server: list one").into()
            );
        }
        let longest = self.work.every.longest();
        if longest < LEAST_PERIOD {
            let remedy = format!("let work begin at most once in {LEAST_PERIOD}");
            return Err(refuse("work.every", longest, remedy).into());
        }
        Ok(())
    }

    /// The same of what a fault has of that.
    fn sound_amounts(index: usize, fault: &Fault) -> Result<(), ScenarioError> {
        let field = |name: &str| format!("faults[{index}].{name}");
        match fault {
            Fault::Delay { by, .. } | Fault::SlowDrain { by, .. } => {
                valid_distribution(&field("by"), by)?;
            }
            Fault::SlowCalls { by, calls, .. } => {
                valid_distribution(&field("by"), by)?;
                if calls.is_empty() {
                    let remedy = "say which: own, others, list, plan, lock";
                    return Err(refuse(field("calls"), "empty", remedy).into());
                }
            }
            Fault::Loss { ppm, .. } | Fault::Duplicate { ppm, .. } => {
                valid_ppm(&field("ppm"), *ppm)?;
            }
            Fault::Drift { rate_ppb, .. } => valid_rate(field("rate_ppb"), *rate_ppb)?,
            Fault::StoreSlow { before, after } => {
                valid_distribution(&field("before"), before)?;
                valid_distribution(&field("after"), after)?;
            }
            Fault::StoreErrors { before_ppm, after_ppm } => {
                valid_ppm(&field("before_ppm"), *before_ppm)?;
                valid_ppm(&field("after_ppm"), *after_ppm)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether those that a fault changes can run after that.
    fn sound_change(&self, index: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let Some(change) = planned.fault.change() else { return Ok(()) };
        for replica in planned.fault.who().iter().filter_map(|who| self.replicas.get(*who as usize))
        {
            let mut changed = replica.clone();
            changed.change(change);
            let valid = self.config(&changed, "incarnation".into()).and_then(|config| {
                config.validate().map_err(|error| ScenarioError(error.to_string()))
            });
            valid.or_else(|ScenarioError(error)| wrong(format!("faults[{index}]: {error}")))?;
        }
        Ok(())
    }

    /// Whether a fault of this scenario can be.
    fn sound(&self, index: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let count = self.replicas.len();
        if let Some(who) = planned.fault.who().iter().find(|who| **who as usize >= count) {
            let last = count.saturating_sub(1);
            wrong(format!("faults[{index}].who is {who}: name replicas from 0 to {last}"))?;
        }
        if planned.fault.is_about_replicas() && planned.fault.who().is_empty() {
            wrong(format!("faults[{index}].who is empty: say whom it hits, as [0]"))?;
        }
        if planned.at >= self.horizon {
            let (at, horizon) = (planned.at, self.horizon);
            wrong(format!(
                "faults[{index}].at is {at}: the run ends at {horizon}: begin before that"
            ))?;
        }
        if planned.fault.change().and_then(|change| change.weight) == Some(0) {
            wrong(format!("faults[{index}]: weight is 0: let it be at least 1"))?;
        }
        if planned.fault.change().and_then(|change| change.generation) == Some(0) {
            wrong(format!("faults[{index}]: generation is 0: generations count from 1"))?;
        }
        Self::sound_amounts(index, &planned.fault)?;
        if let Fault::Load { slots: [first, last], .. } = planned.fault
            && (first > last || last >= self.slots)
        {
            let most = self.slots.saturating_sub(1);
            wrong(format!(
                "faults[{index}].slots is [{first}, {last}]: name slots up to {most}, the first one first"
            ))?;
        }
        if planned.times > 1 && planned.every.is_none_or(|every| every == Span::ZERO) {
            wrong(format!("faults[{index}].times: say after which time: give every"))?;
        }
        if planned.times == 0 {
            wrong(format!("faults[{index}].times is 0: leave the fault out"))?;
        }
        if planned.times > MOST_TIMES {
            let times = planned.times;
            wrong(format!("faults[{index}].times is {times}: write {MOST_TIMES} at most"))?;
        }
        let lasting = planned.every.zip(planned.lasts);
        if lasting.is_some_and(|(every, lasts)| lasts >= every) {
            wrong(format!("faults[{index}].for: let it end before it comes again"))?;
        }
        if planned.lasts.is_some() && !planned.fault.can_last() {
            let kind = planned.fault.kind();
            wrong(format!("faults[{index}].for: {kind} happens at one instant: leave it out"))?;
        }
        Ok(())
    }
}
