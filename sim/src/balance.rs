//! Placements measured: how evenly they spread keys, what a change of members moves, what they cost.
//!
//! [`catalogue`] knows every algorithm by name and builds it over a list of members; [`measure`] counts
//! and, given a clock, times; [`report`] prints a table or JSON; [`plot`] draws.
//!
//! ```
//! use tenure::placement::Member;
//! use tenure_sim::balance::catalogue::{Choice, Instance};
//! use tenure_sim::balance::input::Keys;
//! use tenure_sim::balance::measure::measure;
//!
//! let choice: Choice = "rendezvous".parse()?;
//! let members = vec![Member::from("a"), Member::from("b"), Member::from("c")];
//! let instance = Instance::new(choice, members)?;
//! let figures = measure(&instance, &Keys::shipped(), 42)?;
//! assert!(figures.peak_to_mean < 1.1);
//! assert_eq!(figures.leave.unwrap().misplaced, 0);
//! # Ok::<(), tenure_sim::balance::Unfit>(())
//! ```

use core::fmt;

pub mod catalogue;
pub mod input;
pub mod measure;
pub mod placer;
pub mod plot;
pub mod report;

/// Something that does not go together, such as weights and an algorithm that knows none; what, and
/// what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit(String);

impl Unfit {
    /// With this text.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Unfit {}
