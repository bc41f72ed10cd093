//! Mode `planned`: an elected leader stores who owns what.

mod plan;
mod planner;
mod policy;
mod roster;

pub use plan::{
    ANNOTATION, ANNOTATIONS_LIMIT, MAX_TEXT, Move, NoPlan, Plan, PlanError, Run, StoredPlan,
    TooLarge,
};
pub use planner::{Input, Outcome, Unmet, next};
pub use policy::{Budget, Layout, Pin, Policy, PolicyError};
pub use roster::Roster;
