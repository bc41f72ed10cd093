//! The controller against an API server in memory.

mod calls;
mod check;
mod control;
mod endpoints;
mod leader;
mod manifests;
mod process;
mod server;
mod sharded;
mod world;
