//! Explores what the production members of a sharded group can do together: every order of renewals,
//! reads, answers, losses, late writes, exclusions, drains, crashes, leaves, watches and deletions.
#![expect(
    clippy::indexing_slicing,
    reason = "members, shapes and slots are numbers that this module gave"
)]

mod doors;
mod facts;
pub mod laws;
mod live;
mod rows;
mod rules;
mod search;
mod settle;
mod shadow;
mod step;
mod store;
mod table;
mod tell;
mod world;

pub use live::{lockstep, rest};
pub use rows::{Row, rows};
pub use rules::{NoRules, Rules, Slow};
pub use search::{Outcome, Violation, explore};
