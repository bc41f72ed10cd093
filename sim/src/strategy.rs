//! Property tests of one's own election rules, sharded groups and placements, by
//! [proptest](https://docs.rs/proptest): strategies for scenarios, fault plans, key sets and memberships,
//! and a [`Property`] that runs them, and makes what fails small. With the cargo feature `proptest`.
//!
//! | strategy | of |
//! | --- | --- |
//! | [`elections`] | elections: durations, replicas, clocks, a plan of faults |
//! | [`fault_plans`] | plans of faults for a scenario of one's own |
//! | [`groups`] | sharded groups likewise |
//! | [`group_plans`] | plans of faults for a group of one's own |
//! | [`keys`] | keys as clusters have them: names, UIDs, names that are nearly alike |
//! | [`memberships`] | members that join, leave, and change weight or zone |
//!
//! | entry | asks |
//! | --- | --- |
//! | [`Property::holds`] | no check finds anything, whatever the case: of a [`Ruled`](crate::rule::Ruled), of scenarios of either world |
//! | [`Property::places`] | a placement keeps its laws |
//! | [`Property::replay`] | the plan of an earlier failure, kept as a test |
//!
//! A plan is a list of faults, and each fault a few numbers, so that proptest leaves faults out and makes
//! the rest simpler; then [`shrink`](crate::shrink::shrink) leaves out all else that does not matter. What
//! fails prints a plan of a fault or two as TOML, what the check saw, and how to run it again.
//!
//! ```
//! use tenure_sim::plan::Mix;
//! use tenure_sim::strategy::{Failed, Property, elections};
//!
//! let few = Property { cases: 4, seed: Some(1), ..Property::default() };
//! let tally = few.holds(elections(Mix::Safe))?; // of this library's own elector
//! assert_eq!(tally.runs.all, 4);
//! # Ok::<(), Failed>(())
//! ```

mod election;
mod failed;
mod group;
mod knobs;
mod laws;
mod placed;
mod property;

pub use election::{MOST_FAULTS, elections, fault_plans};
pub use failed::{Failed, Misplaced, Violated};
pub use group::{group_plans, groups};
pub use placed::{Change, Membership, keys, memberships};
pub use property::Property;
