//! Whether rollouts, and what replicas run with, make sense.

use super::{ScenarioError, wrong};
use crate::fault::Fault;
use crate::scenario::Scenario;
use crate::time::Span;

impl Scenario {
    /// Each rollout names replicas that there are, once each, changes something, and begins when the
    /// one before it has come to its last replica.
    pub(super) fn validate_rollouts(&self) -> Result<(), ScenarioError> {
        let mut reached = Span::ZERO;
        for (number, rollout) in self.rollouts.iter().enumerate() {
            let field = |name: &str| format!("rollouts[{number}].{name}");
            if rollout.set == super::super::Change::default() {
                let remedy = "say what changes, as {\"lock\": \"config-map+lease\"}";
                return Err(wrong(field("set"), "empty", remedy));
            }
            for (place, replica) in rollout.replicas.iter().enumerate() {
                let last = self.replicas.len().saturating_sub(1);
                if *replica as usize > last {
                    let remedy = format!("name a replica from 0 to {last}");
                    return Err(wrong(field("replicas"), replica, remedy));
                }
                if rollout.replicas.iter().take(place).any(|other| other == replica) {
                    return Err(wrong(field("replicas"), replica, "name each replica once"));
                }
            }
            if rollout.at < reached {
                let remedy = format!(
                    "let it begin when the one before has come to its last replica, at {reached} or later"
                );
                return Err(wrong(field("at"), rollout.at, remedy));
            }
            reached = rollout.steps(self).last().map_or(rollout.at, |(at, _)| at);
            let end = self.heal_at.unwrap_or(self.horizon);
            if reached > end {
                let what = if self.heal_at.is_some() { "heal_at" } else { "the horizon" };
                let remedy = format!(
                    "it comes to its last replica at {reached}: let that be before {what}, {end}"
                );
                return Err(wrong(field("at"), rollout.at, remedy));
            }
        }
        Ok(())
    }

    /// Spans that replicas may be given, now or by a rollout, and that must not be zero.
    pub(super) fn validate_options(&self) -> Result<(), ScenarioError> {
        if self.network.rewatch.is_zero() {
            let remedy = "give it some time, as \"5s\"";
            return Err(wrong("network.rewatch", self.network.rewatch, remedy));
        }
        let replicas = self.replicas.iter().enumerate().map(|(number, it)| {
            let spans = [it.lease_duration, it.renew_deadline, it.retry_period, it.request_timeout];
            (format!("replicas[{number}]"), spans)
        });
        let rollouts = self.rollouts.iter().enumerate().map(|(number, it)| {
            let set = &it.set;
            let spans =
                [set.lease_duration, set.renew_deadline, set.retry_period, set.request_timeout];
            (format!("rollouts[{number}].set"), spans)
        });
        for (of, spans) in replicas.chain(rollouts).filter(|_| self.election) {
            let names = ["lease_duration", "renew_deadline", "retry_period", "request_timeout"];
            for (name, span) in names.iter().zip(spans) {
                if span.is_some_and(Span::is_zero) {
                    let remedy = "give it some time, as \"2s\"";
                    return Err(wrong(format!("{of}.{name}"), Span::ZERO, remedy));
                }
            }
        }
        Ok(())
    }

    /// Faults about watches and hand-overs concern replicas that can have them.
    pub(super) fn validate_hand_over(
        &self,
        field: String,
        fault: &Fault,
    ) -> Result<(), ScenarioError> {
        match fault {
            Fault::HandOver { to, .. } if *to as usize >= self.replicas.len() => {
                let last = self.replicas.len().saturating_sub(1);
                Err(wrong(field, to, format!("name a replica from 0 to {last}")))
            }
            _ => Ok(()),
        }
    }
}
