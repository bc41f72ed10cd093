//! Simulator of tenure.

pub mod cli;
pub mod conform;
