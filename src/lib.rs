//! Who may act: leader election on lock records exactly as Kubernetes does it, without I/O.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::float_arithmetic, clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

extern crate alloc;

pub mod election;
pub mod lock;
pub mod placement;
pub mod time;
