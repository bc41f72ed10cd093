//! Explores what the production electors can do together: every order of timers, requests, answers,
//! losses, late writes, stops, crashes, pauses, deletions and edits, each state once.
#![expect(
    clippy::indexing_slicing,
    reason = "replicas, electors and objects are numbers that this module gave"
)]

mod canonical;
mod electors;
mod fingerprint;
pub mod laws;
mod live;
#[cfg(test)]
mod lockstep;
mod objects;
mod rows;
mod rules;
mod search;
mod step;
mod symmetry;
mod table;
mod tell;
mod world;

pub use rows::{Judgement, Row, rows};
pub use rules::{Faults, Network, NoRules, REPLICAS, Rules, Sought};
pub use search::{Outcome, Progress, Violation, explore};
pub use tell::{NoStory, Story};
