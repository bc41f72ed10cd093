//! Leader election: the [`Elector`] and what goes in and out of it.

mod client_go;
mod config;
mod elector;
mod event;
mod health;
mod jitter;
mod outbox;
mod profile;
mod request;
mod strict;
mod warning;

pub use config::{Config, ConfigError, Missing};
#[doc(hidden)]
pub use elector::ClientGoState;
pub use elector::Elector;
pub use event::{Cause, Event, Token};
pub use health::Unhealthy;
pub use profile::{Profile, Release, UnknownProfile};
pub use request::{Failure, Op, Request, RequestId, Response, Stored};
pub use warning::{Margin, Warning};
