//! The controller against an API server in memory.

mod check;
mod leader;
mod server;
mod sharded;
mod world;
