//! Sharded groups simulated: many replicas work at once, slots move between them, and everything goes
//! wrong that can. A [`World`] runs a [`Scenario`] with any [`System`] in its replicas: production's
//! machine is [`Tenure`], others are there to be compared with.
//!
//! ```
//! use tenure_sim::sharding::{Mode, Scenario, check::Checks, tenure_world};
//! let scenario = Scenario::new(Mode::Ranked);
//! let mut checks = Checks::new(&scenario);
//! let outcome = tenure_world(&scenario, 42, &[])?.run(&mut checks);
//! assert_eq!(outcome.violations, []);
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`fault`] | what goes wrong |
//! | [`catalogue`] | named scenarios |
//! | [`trace`] | what happened, entry by entry |
//! | [`check`] | properties over the entries |
//! | [`marks`] | what a run went through |
//! | [`meter`] | figures over the entries |
//! | [`peers`] | what others do |
//! | [`compare`] | all of them under the same faults |
//!
//! A scenario says what replicas, store and work are like:
//!
//! ```
//! use tenure_sim::distribution::Distribution;
//! use tenure_sim::sharding::{
//!     Behaviour, Hash, Mode, Replica, Scenario, Summary, Tenure, Value as _, Work, World,
//!     check::Checks, record_of, tenure_world,
//! };
//! use tenure_sim::time::Span;
//!
//! let slow = Distribution::Constant(Span::from_millis(50));
//! let xxh3 = Replica { hash: Hash::Xxh3, ..Replica::default() };
//! let scenario = Scenario {
//!     replicas: vec![
//!         Replica { count: 2, ..xxh3.clone() },
//!         Replica { name: Some("large".to_owned()), weight: 2, ..xxh3 },
//!     ],
//!     store: Behaviour { before: slow, ..Behaviour::default() },
//!     work: Work { takes: slow, ..Work::default() },
//!     ..Scenario::new(Mode::Planned)
//! };
//! let mut world: World<Tenure> = tenure_world(&scenario, 1, &[])?;
//! let outcome = world.run_while(&mut Checks::new(&scenario), |_| false);
//! assert_eq!(outcome.violations, []);
//! let record = world.store().get(&record_of("large")).unwrap();
//! let Summary { state, weight, .. } = record.value.summary();
//! assert_eq!((state.as_str(), weight), ("Active", Some(2)));
//! # Ok::<(), tenure_sim::sharding::ScenarioError>(())
//! ```

pub mod catalogue;
pub mod check;
pub mod compare;
pub mod fault;
pub mod marks;
pub mod meter;
pub mod peers;
mod scenario;
mod store;
mod swarm;

mod system;
mod tenure;
pub mod trace;
mod verdict;
mod world;

pub use scenario::{
    Budget, Hash, Mode, Policy, Replica, Scenario, ScenarioError, Store as Behaviour, Swarm, Work,
};
pub use store::Store;
#[cfg(feature = "proptest")]
pub(crate) use swarm::safe_rates;
pub use system::{Birth, Call, Claim, Held, Input, Op, Reply, Shown, Summary, System, Value};
pub use tenure::{Stored, Tenure, tenure_world};
pub use verdict::judge;
pub use world::{Outcome, Statistics, World, record_of};
