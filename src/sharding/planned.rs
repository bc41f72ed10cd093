//! Mode `planned`: an elected leader stores who owns what.

mod plan;
mod policy;

pub use plan::{Plan, Run, StoredPlan};
pub use policy::{Policy, PolicyError};
