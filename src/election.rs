//! Leader election: the [`Elector`] and what goes in and out of it.

mod config;
mod elector;
mod event;
mod profile;
mod request;

pub use elector::{ClientGoState, Elector};
pub use config::{Config, ConfigError, Missing, Warning};
pub use event::{Cause, Event, Token};
pub use profile::{Profile, Release, UnknownProfile};
pub use request::{Failure, Op, Request, RequestId, Response, Stored};
