//! What checks need to know of replicas: their names, and one value for each.

use std::borrow::Cow;
use std::sync::Arc;

use tenure::lock::Kind;

use crate::scenario::Scenario;
use crate::time::{SimTime, Span};

/// What replicas are called in verdicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names(Arc<[String]>);

impl Names {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let of = |index: usize| scenario.replicas.get(index).and_then(|r| r.identity.as_deref());
        let shared = |name: &str| {
            let same = scenario.replicas.iter().filter(|r| r.identity.as_deref() == Some(name));
            same.count() > 1
        };
        let names = (0..scenario.replicas.len()).map(|index| match of(index) {
            Some(name) if shared(name) => format!("{name} (replica-{index})"),
            Some(name) => name.to_owned(),
            None => format!("replica-{index}"),
        });
        Self(names.collect())
    }

    pub(crate) fn of(&self, replica: u32) -> Cow<'_, str> {
        match self.0.get(replica as usize) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(format!("replica-{replica}")),
        }
    }
}

/// One value for each replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table<T>(Vec<T>);

impl<T: Default> Table<T> {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self(scenario.replicas.iter().map(|_| T::default()).collect())
    }

    /// The value of `replica`. A trace that names more replicas than its scenario has does no harm.
    #[expect(clippy::indexing_slicing, reason = "grown to fit just before")]
    pub(super) fn of(&mut self, replica: u32) -> &mut T {
        let index = replica as usize;
        if index >= self.0.len() {
            self.0.resize_with(index + 1, T::default);
        }
        &mut self.0[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

/// One value for each object that may carry the lock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Objects<T> {
    lease: T,
    config_map: T,
    endpoints: T,
}

impl<T> Objects<T> {
    pub(super) const fn of(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Lease => &mut self.lease,
            Kind::ConfigMap => &mut self.config_map,
            Kind::Endpoints => &mut self.endpoints,
        }
    }

    pub(super) const fn all(&self) -> [&T; 3] {
        [&self.lease, &self.config_map, &self.endpoints]
    }
}

/// A length of time as seconds, in the form of the times beside which it stands.
pub(crate) const fn seconds(span: Span) -> SimTime {
    SimTime::from_nanos(span.as_nanos())
}

/// The right rate of a clock: local nanoseconds in 10⁹ real ones.
pub(super) const RIGHT_RATE: u64 = 1_000_000_000;

/// The shortest real time in which a clock of this rate can show that `span` has gone by. A clock
/// shows whole nanoseconds, so a span between two of its readings can be one short.
pub(super) fn real_time(span: Span, rate_ppb: u64) -> Span {
    let nanos = u128::from(span.as_nanos()) * u128::from(RIGHT_RATE) / u128::from(rate_ppb.max(1));
    Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
