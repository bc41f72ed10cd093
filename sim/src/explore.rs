//! Explores what the production electors can do together: every order of timers, requests, answers,
//! losses, late writes, stops, crashes, pauses, deletions and edits, each state once.
//!
//! [`Rules`] say what may happen, [`explore`](fn@explore) looks at all of it and returns an
//! [`Outcome`]; a [`Story`] is a shortest way to a violation, as text that can be played again.
//! [`rows`](fn@rows) are the known worlds with what is to be found in them. `docs/simulation.md` says
//! what is and what is not covered.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `rules`, `faults`; `rows`, `offered` | what may happen; the known worlds |
//! | `world`, `store`, `watch`, `step`, `laws` | a state, what may come next, what must hold |
//! | `electors` | what a world may do with an elector |
//! | `table`, `objects` | electors and objects by number: asked once, then looked up |
//! | `live`, `lockstep` | electors as in production; random walks with both |
//! | `canonical`, `symmetry`, `fingerprint` | which states are the same |
//! | `search`, `tell` | breadth first; what was found as a script |
//!
//! # Why not a checker off the shelf
//! The same worlds as a model for stateright 0.31, breadth first on one thread, with the same
//! fingerprints: the same 33,591 and 1,574,682 states in two exhausted ones (the second of them had more
//! then than it has now), and the same 15 and 16 steps to the violation in two others. On the larger of the first, side by side on a busy machine,
//! the search here made 87,000 states a second in 110 MB, stateright 53,000 in 161 MB: it keeps
//! nothing that is not needed, and the table of electors needs no lock. What is costly and what makes
//! worlds finite, the merging of equal futures, would be ours in either case; the search is a page.
//!
//! # Example
//! A lock that migrates from one object to another, and a replica that may crash:
//!
//! ```
//! use tenure_sim::explore::{Faults, Lock, Network, Progress, Rules, Sought, explore};
//!
//! let rules = Rules {
//!     network: Network::Prompt,
//!     locks: vec![Lock::Both, Lock::Second],
//!     faults: Faults { crashes: 1, ..Faults::default() },
//!     sought: Sought::TwoLeaders,
//!     ..Rules::default()
//! };
//! let mut told = 0;
//! let outcome = explore(&rules, 100_000, &mut |progress: Progress| told = progress.states);
//! assert!(outcome.exhausted && outcome.violation.is_none());
//! assert!(0 < told && told <= outcome.states);
//! ```
#![expect(
    clippy::indexing_slicing,
    reason = "replicas, electors and objects are numbers that this module gave"
)]

mod canonical;
mod electors;
mod faults;
pub(crate) mod fingerprint;
pub mod laws;
mod live;
#[cfg(test)]
mod lockstep;
mod objects;
mod offered;
mod rows;
mod rules;
mod search;
mod step;
mod store;
mod symmetry;
mod table;
mod tell;
mod watch;
mod world;

pub use faults::Faults;
pub use rows::{Judgement, Row, rows};
pub use rules::{Lock, Network, NoRules, Rules, Sought};
pub use search::{Outcome, Progress, Violation, explore};
pub use tell::{NoStory, Story};
