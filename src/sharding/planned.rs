//! Mode `planned`: an elected leader stores who owns what.

mod plan;
mod policy;
mod skew;

pub use plan::{Plan, Run, StoredPlan};
pub use policy::{Policy, PolicyError};
pub use skew::{Cuts, Loads};
