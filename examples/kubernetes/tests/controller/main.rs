//! The controller against an API server in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "what is not there fails the test, and metrics count in whole numbers"
)]

mod calls;
mod check;
mod control;
mod endpoints;
mod fence;
mod leader;
mod manifests;
mod process;
mod server;
mod sharded;
mod world;
