//! A deterministic simulator for `tenure`: one seed and one [`Scenario`](scenario::Scenario) in, one
//! run out, the same on every machine. Clocks drift, messages are delayed and lost, processes pause
//! and crash, the store fails; what happened is a stream of [`Entry`](trace::Entry)s that
//! [`Check`](check::Check)s read.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`scenario`] | what is simulated: replicas, durations, network, store, work, faults |
//! | [`fault`] | faults as data: what goes wrong, when, for how long |
//! | [`plan`] | random fault plans from a seed |
//! | [`world`] | the engine: [`World`](world::World) runs a scenario |
//! | [`trace`] | what happened, entry by entry; recorders, JSON lines |
//! | [`check`] | properties over the entries |
//! | [`catalogue`] | named scenarios |
//! | [`verdict`] | what to make of a run: [`judge`](verdict::judge) |
//! | [`explain`] | a violation for people |
//! | [`outcome`] | what a run amounted to: digest, violations, statistics |
//! | [`marks`] | what a run went through |
//! | [`subject`] | a scenario of either world, as the tools see it |
//! | [`sweep`] | many runs |
//! | [`mutants`] | what notices that a rule is left out |
//! | [`shrink`] | the smallest plan that shows the same |
//! | [`margin`] | the bound of a configuration, confirmed from both sides |
//! | [`experiment`] | three replicas of a controller in four modes |
//! | [`coordination`] | coordinated election: a coordinator, and what skewed clocks do to it |
//! | [`explore`] | all that can happen in a small world |
//! | [`shard_explore`] | all that can happen in a small sharded group |
//! | [`sharding`] | sharded groups: their world, faults, checks and scenarios |
//! | [`conform`] | recordings of the real client-go, replayed |
//! | [`history`] | recorded history of locks: audit logs, watches, traces, judged |
//! | [`balance`] | placements measured: balance, movement, cost |
//! | [`cli`] | the command `tenure` |
//! | [`report`] | a run, a history or a sweep as one HTML file, or as SVG |
//! | [`program`] | what a replica does beside the election; by default [`GuardedWork`](program::GuardedWork) |
//! | [`rule`] | somebody's own rule of election, simulated |
//! | `strategy` | property tests of such rules, groups and placements (feature `proptest`) |
//! | [`time`] | [`SimTime`](time::SimTime), [`Span`](time::Span), [`Shift`](time::Shift) |
//! | [`conform`] | replays recordings of the real client-go |
//! | [`cli`] | the commands of `tenure` |
//! | [`clock`], [`queue`], [`rng`], [`store`], [`guarded`] | the machines of which a world is made |

pub mod balance;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod clock;
pub mod conform;
pub mod coordination;
pub mod digest;
pub mod distribution;
pub mod experiment;
pub mod explain;
pub mod explore;
pub mod fault;
pub mod guarded;
pub mod history;
pub mod left_out;
mod log;
pub mod margin;
pub mod marks;
pub mod mutants;
mod nearest;
mod net;
pub mod outcome;
mod outside;
pub mod plan;
pub mod program;
pub mod queue;
mod replica;
pub mod report;
pub mod rng;
pub mod rule;
pub mod scenario;
pub mod shard_explore;
pub mod sharding;
pub mod shrink;
pub mod store;
#[cfg(feature = "proptest")]
pub mod strategy;
pub mod subject;
pub mod sweep;
pub mod time;
pub mod trace;
pub mod verdict;
mod wire;
pub mod world;

/// The examples of the documents, as tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/placement.md")]
#[doc = include_str!("../../docs/sharding.md")]
struct Documents;
