//! The commands of `tenure`.

pub mod conform;
