//! Mode `planned`: an elected leader stores who owns what.
//!
//! | | |
//! | --- | --- |
//! | [`Plan`] | what is stored: for each slot its owner, and since which version |
//! | [`Policy`] | what the leader aims at: shares, ranges, zones, pins, a budget of moves, who is waited for |
//! | [`Roster`] | what it remembers between two plans: who is here and who is gone, since when |
//! | [`next`] | from these the next plan |
//! | [`Cuts`] | unequal ranges for keys that are not spread evenly |

mod leader;
mod plan;
mod planner;
mod policy;
mod roster;
mod skew;

pub(super) use leader::Leader;
pub use plan::{
    ANNOTATION, ANNOTATIONS_LIMIT, MAX_TEXT, Move, NoPlan, Plan, PlanError, Run, StoredPlan,
    TooLarge,
};
pub use planner::{Input, Outcome, Unmet, next};
pub use policy::{Budget, Layout, Pin, Policy, PolicyError};
pub use roster::Roster;
pub use skew::{Cuts, Loads};
