//! What the examples on real stores share.
//!
//! | | |
//! | --- | --- |
//! | [`clock`], [`lead`] | to be copied: the clock, and a driver of an `Elector` for any store |
//! | [`work`] | work that asks before each act, and leaves evidence of it |
//! | [`evidence`], [`verdict`] | reads that evidence and the store's history, and judges them |
//! | [`process`], [`port`], [`trial`] | starts workers and a store, pauses, kills and ends them |
//!
//! The judge knows nothing of the drivers but what they wrote down: in one place, so that every store is
//! judged alike. It is no part of `tenure check`, which reads what Kubernetes records of locks; what work
//! was done beside them, only the workers can tell.

pub mod clock;
pub mod evidence;
pub mod lead;
pub mod port;
pub mod process;
pub mod trial;
pub mod verdict;
pub mod work;
