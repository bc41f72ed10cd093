//! Whether a scenario makes sense.

use tenure::sharding::Slots;

use super::super::fault::Planned;
use super::{Replica, Scenario, ScenarioError};
use crate::distribution::Distribution;
use crate::scenario::MAX_REPLICAS;
use crate::time::Span;

/// How often a fault may come: more is a mistake, and a scenario without end.
const MOST_TIMES: u32 = 100_000;

fn wrong(what: impl Into<String>) -> Result<(), ScenarioError> {
    Err(ScenarioError(what.into()))
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
        let mut each: Vec<Replica> = Vec::new();
        for (index, replica) in self.replicas.iter().enumerate() {
            let count = replica.count;
            if let Some(name) = replica.name.as_ref().filter(|_| count > 1) {
                wrong(format!(
                    "replicas.{index}: {count} of the name {name}: leave the name out, or list each by itself"
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
            if replica.rate_ppb == 0 {
                wrong(format!("replicas.{index}.rate_ppb is 0: let its clock run"))?;
            }
            let config = sound.config(replica, "incarnation".into());
            let valid = config.and_then(|config| {
                config.validate().map_err(|error| ScenarioError(error.to_string()))
            });
            valid.or_else(|ScenarioError(error)| wrong(format!("replicas.{index}: {error}")))?;
        }
        for (index, planned) in self.faults.iter().enumerate() {
            sound.sound(index, planned)?;
            sound.sound_change(index, planned)?;
        }
        let latencies = [self.network.request, self.network.response, self.store.before];
        let work = [self.store.after, self.work.every, self.work.takes, self.work.drain];
        if let Some(why) = latencies.iter().chain(&work).find_map(Distribution::wrong) {
            wrong(format!("network, store or work: {why}"))?;
        }
        if self.work.every.is_zero() {
            wrong("work.every is 0: work would begin without end: let it be greater")?;
        }
        Ok(sound)
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
            valid.or_else(|ScenarioError(error)| wrong(format!("faults.{index}: {error}")))?;
        }
        Ok(())
    }

    /// Whether a fault of this scenario can be.
    fn sound(&self, index: usize, planned: &Planned) -> Result<(), ScenarioError> {
        let count = self.replicas.len();
        if let Some(who) = planned.fault.who().iter().find(|who| **who as usize >= count) {
            let last = count.saturating_sub(1);
            wrong(format!("faults.{index}: there is no replica {who}: name one from 0 to {last}"))?;
        }
        if planned.at >= self.horizon {
            let (at, horizon) = (planned.at, self.horizon);
            wrong(format!(
                "faults.{index}.at is {at}: the run ends at {horizon}: begin before that"
            ))?;
        }
        if planned.fault.change().and_then(|change| change.weight) == Some(0) {
            wrong(format!("faults.{index}: weight is 0: let it be at least 1"))?;
        }
        if planned.fault.change().and_then(|change| change.generation) == Some(0) {
            wrong(format!("faults.{index}: generation is 0: generations count from 1"))?;
        }
        if matches!(planned.fault, super::super::fault::Fault::Drift { rate_ppb: 0, .. }) {
            wrong(format!("faults.{index}: rate_ppb is 0: let the clock run"))?;
        }
        if let super::super::fault::Fault::Load { slots: [first, last], .. } = planned.fault
            && (first > last || last >= self.slots)
        {
            let most = self.slots.saturating_sub(1);
            wrong(format!(
                "faults.{index}.slots are {first} to {last}: name slots up to {most}, the first one first"
            ))?;
        }
        if planned.times > 1 && planned.every.is_none_or(|every| every == Span::ZERO) {
            wrong(format!("faults.{index}.times: say after which time: give every"))?;
        }
        if planned.times > MOST_TIMES {
            let times = planned.times;
            wrong(format!("faults.{index}.times is {times}: write {MOST_TIMES} at most"))?;
        }
        let lasting = planned.every.zip(planned.lasts);
        if lasting.is_some_and(|(every, lasts)| lasts >= every) {
            wrong(format!("faults.{index}.for: let it end before it comes again"))?;
        }
        if planned.lasts.is_some() && !planned.fault.can_last() {
            let kind = planned.fault.kind();
            wrong(format!("faults.{index}.for: {kind} happens at one instant: leave it out"))?;
        }
        Ok(())
    }
}
