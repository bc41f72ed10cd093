//! What others do, as [`System`]s of a simulated group: for comparison under the same
//! faults with the same seeds. Each is the published algorithm with its published constants, and says where
//! from.
//!
//! What all have in common here, and what that leaves out:
//!
//! * a slot is the unit that a peer assigns: an object, a cluster, a partition, a lease;
//! * a call that is never answered fails after 45 s, as client-go's connections do (30 s without a sign
//!   and 15 s for a ping), unless the peer has a limit of its own;
//! * nobody limits its own calls (client-go's 5 to 20 a second are left out, in the peers' favour);
//! * a part that is outside of the replicas (a sharder, a coordinator, who scales) is one process that
//!   no fault hits, in the peers' favour; its calls count.
//!
//! ```
//! use tenure_sim::sharding::peers::{Peer, peer_world};
//! use tenure_sim::sharding::{Mode, Scenario};
//! let outcome = peer_world(Peer::Naive, &Scenario::new(Mode::Ranked), 42)?.run(&mut ());
//! assert_eq!(outcome.statistics.writes, 0, "nobody asks anybody");
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```

mod argo;
mod elector;
mod io;
mod kafka;
mod kcl;
mod knative;
mod mcr;
mod naive;
mod ordinal;
mod stored;
mod timebertt;

use tenure::sharding::Slot;

use super::scenario::{Mode, Replica, Scenario, ScenarioError};
use super::system::{Birth, System};
use super::world::World;
use crate::rng::Draw;
use io::{Io, Logic, Shell};

/// The name of the process outside of the replicas.
const CENTRAL: &str = "central";

/// Somebody else's way to shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// Every replica does everything.
    Naive,
    /// Sharder, leases, labels and a ring: timebertt/kubernetes-controller-sharding.
    Timebertt,
    /// A lease for each bucket: knative.dev/pkg.
    Knative,
    /// Rendezvous over leases of peers, and a lease for each cluster: multicluster-runtime.
    Multicluster,
    /// Heartbeats in a `ConfigMap`: Argo CD's dynamic distribution.
    ArgoDynamic,
    /// A ring with bounded loads over a fixed number of replicas: Argo CD's consistent hashing.
    ArgoStatic,
    /// Jump hash over a `StatefulSet`'s ordinals: kube-state-metrics.
    StateMetrics,
    /// Leases that are stolen: Kinesis Client Library 2.
    Kcl,
    /// A coordinator and two rounds: Kafka's cooperative rebalancing.
    Kafka,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Naive,
        Self::Timebertt,
        Self::Knative,
        Self::Multicluster,
        Self::ArgoDynamic,
        Self::ArgoStatic,
        Self::StateMetrics,
        Self::Kcl,
        Self::Kafka,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Naive => "naive",
            Self::Timebertt => "timebertt",
            Self::Knative => "knative",
            Self::Multicluster => "multicluster-runtime",
            Self::ArgoDynamic => "argo-dynamic",
            Self::ArgoStatic => "argo-static",
            Self::StateMetrics => "kube-state-metrics",
            Self::Kcl => "kcl2",
            Self::Kafka => "kafka-cooperative",
        }
    }

    /// Whether it has a part outside of the replicas.
    #[must_use]
    const fn is_central(self) -> bool {
        matches!(
            self,
            Self::Timebertt
                | Self::Kafka
                | Self::ArgoStatic
                | Self::ArgoDynamic
                | Self::StateMetrics
        )
    }

    /// Who owns each of `slots` slots if these are the members, by position: as the peer computes it from
    /// members in this order. None if that depends on who comes first.
    #[must_use]
    pub fn owners(self, members: &[&str], slots: u32) -> Option<Vec<usize>> {
        Some(match self {
            Self::Naive | Self::Knative | Self::Kcl | Self::ArgoDynamic | Self::Kafka => {
                return None;
            }
            Self::Timebertt => timebertt::owners(members, slots),
            Self::Multicluster => mcr::owners(members, slots),
            Self::ArgoStatic => ordinal::by_name(members, &ordinal::argo(members.len(), slots)),
            Self::StateMetrics => ordinal::by_name(members, &ordinal::jump(members.len(), slots)),
        })
    }

    fn logic(self, birth: &Birth<'_>, io: &mut Io) -> Box<dyn Logic> {
        let central = birth.replica.name.as_deref() == Some(CENTRAL);
        match self {
            Self::Timebertt if central => Box::new(timebertt::Sharder::new(birth, io)),
            Self::Kafka if central => Box::new(kafka::Coordinator::new(birth, io)),
            Self::ArgoDynamic | Self::ArgoStatic | Self::StateMetrics if central => {
                Box::new(ordinal::Deployer::new(birth, io))
            }
            Self::Naive => Box::new(naive::Naive::new(io)),
            Self::Timebertt => Box::new(timebertt::Shard::new(birth, io)),
            Self::Knative => Box::new(knative::Knative::new(birth, io)),
            Self::Multicluster => Box::new(mcr::Multicluster::new(birth, io)),
            Self::ArgoDynamic => Box::new(argo::Dynamic::new(birth, io)),
            Self::ArgoStatic => Box::new(ordinal::Ordinal::restarting(birth, io)),
            Self::StateMetrics => Box::new(ordinal::Ordinal::watching(birth, io)),
            Self::Kcl => Box::new(kcl::Kcl::new(birth, io)),
            Self::Kafka => Box::new(kafka::Member::new(birth, io)),
        }
    }
}

/// A world whose replicas run what `peer` runs. If that has a part outside of them, this is one more
/// replica, after the scenario's.
///
/// # Errors
/// If the scenario makes no sense.
pub fn peer_world(
    peer: Peer,
    scenario: &Scenario,
    seed: u64,
) -> Result<World<impl System + use<>>, ScenarioError> {
    let mut scenario = scenario.checked()?;
    if peer.is_central() {
        scenario.replicas.push(Replica { name: Some(CENTRAL.to_owned()), ..Replica::default() });
    }
    // What Tenure would do decides nothing here.
    scenario.mode = Mode::Ranked;
    World::new(&scenario, seed, move |birth| Shell::new(birth, |birth, io| peer.logic(birth, io)))
}

/// What is called slot `slot`, as a UID: 16 random bytes in hexadecimal digits.
fn uid(slot: u32) -> String {
    let (high, low) = (u64::from(slot) << 1, u64::from(slot) << 1 | 1);
    let (high, low) = (crate::rng::mix(high, Draw::Before), crate::rng::mix(low, Draw::After));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xfff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

/// What is called slot `slot`, as an object.
fn object(slot: u32) -> String {
    format!("default/object-{slot}")
}

/// The number of the slot at the end of a name, as `object/17`.
fn numbered(name: &str) -> Option<u32> {
    name.rsplit_once('/')?.1.parse().ok()
}

fn index(slot: Slot) -> u32 {
    slot.index()
}
