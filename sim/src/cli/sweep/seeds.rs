//! Which seeds, as they are written on the command line.

use core::fmt;
use core::str::FromStr;

/// A range of seeds, as `0..1000`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Seeds {
    pub(in crate::cli) from: u64,
    pub(in crate::cli) to: u64,
}

/// The text is no range of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct NoSeeds;

impl fmt::Display for NoSeeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write two numbers, the first less than the second, as 0..1000")
    }
}

impl core::error::Error for NoSeeds {}

impl FromStr for Seeds {
    type Err = NoSeeds;

    fn from_str(text: &str) -> Result<Self, NoSeeds> {
        let (from, to) = text.split_once("..").ok_or(NoSeeds)?;
        let (from, to) = (from.parse().map_err(|_| NoSeeds)?, to.parse().map_err(|_| NoSeeds)?);
        if from < to { Ok(Self { from, to }) } else { Err(NoSeeds) }
    }
}

/// One share of several, as `0/8` to `7/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) index: u64,
    pub(super) of: u64,
}

/// The text is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPart;

impl fmt::Display for NoPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write which part, counted from 0, and of how many, as 0/8 to 7/8")
    }
}

impl core::error::Error for NoPart {}

impl FromStr for Part {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        let (index, of) = text.split_once('/').ok_or(NoPart)?;
        let (index, of) = (index.parse().map_err(|_| NoPart)?, of.parse().map_err(|_| NoPart)?);
        if index < of { Ok(Self { index, of }) } else { Err(NoPart) }
    }
}
