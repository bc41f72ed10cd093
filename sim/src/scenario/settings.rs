//! What a replica runs with: the objects of its lock, and what a rollout may change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::election::Profile;
use tenure::lock::Kind;

use super::{Replica, Scenario};
use crate::time::Span;

/// Which objects carry the lock. All have one name; objects of different kinds are different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub enum Lock {
    /// A Lease.
    #[default]
    #[serde(rename = "lease")]
    Lease,
    /// A `ConfigMap`.
    #[serde(rename = "config-map")]
    ConfigMap,
    /// Endpoints.
    #[serde(rename = "endpoints")]
    Endpoints,
    /// A `ConfigMap` and a Lease: client-go's `configmapsleases`.
    #[serde(rename = "config-map+lease")]
    ConfigMapAndLease,
    /// Endpoints and a Lease: client-go's `endpointsleases`.
    #[serde(rename = "endpoints+lease")]
    EndpointsAndLease,
}

impl Lock {
    /// The object, or the first of two.
    #[must_use]
    pub(crate) const fn primary(self) -> Kind {
        match self {
            Self::Lease => Kind::Lease,
            Self::ConfigMap | Self::ConfigMapAndLease => Kind::ConfigMap,
            Self::Endpoints | Self::EndpointsAndLease => Kind::Endpoints,
        }
    }

    /// The second object, if there are two.
    #[must_use]
    pub(crate) const fn secondary(self) -> Option<Kind> {
        match self {
            Self::Lease | Self::ConfigMap | Self::Endpoints => None,
            Self::ConfigMapAndLease | Self::EndpointsAndLease => Some(Kind::Lease),
        }
    }

    /// One or two.
    pub(crate) fn objects(self) -> impl Iterator<Item = Kind> {
        [Some(self.primary()), self.secondary()].into_iter().flatten()
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(crate) fn is_lease(&self) -> bool {
        *self == Self::Lease
    }
}

/// Other settings for replicas, one after the other: a rolling update. At its turn a replica that
/// runs is asked to stop, and starts again as soon as it has; one that is down has the new settings
/// when it starts.
///
/// As JSON: `{"at": "2m", "gap": "30s", "set": {"lock": "config-map+lease"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// When the first replica is restarted.
    pub at: Span,
    /// How long after each the next one is.
    #[serde(default, skip_serializing_if = "no_time")]
    pub gap: Span,
    /// Which replicas, in this order; all of them if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<u32>,
    /// What they run with from then on.
    pub set: Change,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn no_time(span: &Span) -> bool {
    span.is_zero()
}

impl Rollout {
    /// The replicas in their order, and when each is restarted.
    pub fn steps<'a>(&'a self, scenario: &Scenario) -> impl Iterator<Item = (Span, u32)> + 'a {
        let all = if self.replicas.is_empty() { scenario.replicas.len() } else { 0 };
        let all = 0..u32::try_from(all).unwrap_or(u32::MAX);
        let each = self.replicas.iter().copied().chain(all);
        (0..).zip(each).map(|(place, replica)| {
            let later = self.gap.as_nanos().saturating_mul(place);
            (Span::from_nanos(self.at.as_nanos().saturating_add(later)), replica)
        })
    }
}

/// What a [`Rollout`] changes of a [`Replica`]; what is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// See [`Replica::profile`].
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::wire::optional_text")]
    #[schemars(with = "Option<String>")]
    pub profile: Option<Profile>,
    /// See [`Replica::lock`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// See [`Replica::lease_duration`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_duration: Option<Span>,
    /// See [`Replica::renew_deadline`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_deadline: Option<Span>,
    /// See [`Replica::retry_period`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_period: Option<Span>,
    /// See [`Replica::request_timeout`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<Span>,
    /// See [`Replica::release_on_stop`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_on_stop: Option<bool>,
    /// See [`Replica::warn_before`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn_before: Option<Span>,
    /// See [`Replica::lock_delay`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_delay: Option<Span>,
    /// See [`Replica::preferred`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred: Option<bool>,
    /// See [`Replica::watch`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watch: Option<bool>,
}

impl Replica {
    /// Changes what `change` names.
    pub(crate) fn apply(&mut self, change: &Change) {
        fn set<T: Copy>(to: &mut Option<T>, from: Option<T>) {
            *to = from.or(*to);
        }
        set(&mut self.profile, change.profile);
        set(&mut self.lock, change.lock);
        set(&mut self.lease_duration, change.lease_duration);
        set(&mut self.renew_deadline, change.renew_deadline);
        set(&mut self.retry_period, change.retry_period);
        set(&mut self.request_timeout, change.request_timeout);
        set(&mut self.release_on_stop, change.release_on_stop);
        set(&mut self.warn_before, change.warn_before);
        set(&mut self.lock_delay, change.lock_delay);
        self.preferred = change.preferred.unwrap_or(self.preferred);
        self.watch = change.watch.unwrap_or(self.watch);
    }
}

impl Scenario {
    /// What each replica runs with at one time or another: the settings at the beginning, then those
    /// after each rollout that concerns it.
    #[must_use]
    pub fn all_settings(&self) -> Vec<(u32, Replica)> {
        let mut all = Vec::with_capacity(self.replicas.len());
        for (index, replica) in (0..).zip(&self.replicas) {
            let mut settings = replica.clone();
            all.push((index, settings.clone()));
            for rollout in &self.rollouts {
                if rollout.replicas.is_empty() || rollout.replicas.contains(&index) {
                    settings.apply(&rollout.set);
                    all.push((index, settings.clone()));
                }
            }
        }
        all
    }

    /// Whether the lock is ever carried by another object than one.
    #[must_use]
    pub(crate) fn has_several_objects(&self) -> bool {
        let all = self.all_settings();
        let mut objects = all.iter().flat_map(|(_, it)| it.lock.unwrap_or(self.lock).objects());
        let first = objects.next();
        objects.any(|object| Some(object) != first)
    }
}
