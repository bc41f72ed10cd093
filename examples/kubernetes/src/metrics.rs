//! What Prometheus sees.

use std::fmt;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use tenure::time::Instant;

use crate::authority::Standing;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    verb: &'static str,
    resource: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
}

/// All metrics of one replica.
pub struct Metrics {
    registry: Registry,
    leading: Gauge,
    slots: Gauge,
    authority: Gauge<f64, std::sync::atomic::AtomicU64>,
    objects: Gauge,
    requests: Family<CallLabels, Counter>,
    renewals: Histogram,
    reconciles: Family<ResultLabels, Counter>,
    events: Family<EventLabels, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// None counted yet.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tenure");
        let (leading, slots, objects) = (Gauge::default(), Gauge::default(), Gauge::default());
        let authority = Gauge::default();
        let (requests, reconciles, events) =
            <(Family<_, _>, Family<_, _>, Family<_, _>)>::default();
        // 1 ms to 16 s: from a healthy server to longer than any renew deadline in use.
        let renewals = Histogram::new(exponential_buckets(0.001, 2.0, 15));
        registry.register("leading", "1 if this replica may act on everything", leading.clone());
        registry.register("slots_owned", "Slots on which this replica may act", slots.clone());
        registry.register_with_unit(
            "authority",
            "How long this replica may act if no renewal succeeds; 0 if it may not",
            Unit::Seconds,
            authority.clone(),
        );
        registry.register("objects", "Objects that this replica knows", objects.clone());
        registry.register(
            "requests",
            "Calls of the API server; code is none where no answer came",
            requests.clone(),
        );
        registry.register_with_unit(
            "lease_renew_latency",
            "Time from the sending of a write of a Lease to its answer",
            Unit::Seconds,
            renewals.clone(),
        );
        registry.register("reconciles", "Reconciles by what came of them", reconciles.clone());
        registry.register("events", "What the machine has told", events.clone());
        Self {
            registry,
            leading,
            slots,
            authority,
            objects,
            requests,
            renewals,
            reconciles,
            events,
        }
    }

    pub(crate) fn called(
        &self,
        verb: &'static str,
        resource: &'static str,
        code: Option<u16>,
        took: Duration,
    ) {
        let code = code.map_or_else(|| "none".into(), |code| code.to_string());
        if verb == "update" && resource == "leases" && code == "200" {
            self.renewals.observe(took.as_secs_f64());
        }
        self.requests.get_or_create(&CallLabels { verb, resource, code }).inc();
    }

    pub(crate) fn reconciled(&self, result: &'static str) {
        self.reconciles.get_or_create(&ResultLabels { result }).inc();
    }

    pub(crate) fn happened(&self, event: &'static str) {
        self.events.get_or_create(&EventLabels { event }).inc();
    }

    pub(crate) fn knows(&self, objects: usize) {
        self.objects.set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    /// The text of `GET /metrics`. Gauges tell what holds at `now`, not what held when somebody last
    /// looked: a replica whose loop is stuck shows that its authority has ended.
    #[must_use]
    pub fn text(&self, standing: Standing, now: Instant) -> String {
        self.leading.set(standing.leading.into());
        self.slots.set(standing.slots.into());
        let left = standing.until.map_or(Duration::ZERO, |until| until.saturating_since(now));
        self.authority.set(left.as_secs_f64());
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "metrics cannot be written"); // a String takes everything
        }
        text
    }
}
