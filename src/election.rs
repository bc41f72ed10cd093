//! Leader election: the [`Elector`] and what goes in and out of it.
//!
//! Replicas compete for a [lock](crate::lock): an object in a store with compare-and-swap, whose
//! record says who holds it and for how long. The holder renews it; the others watch it, each by its
//! own monotonic clock, and one of them takes it once it has not changed for as long as it says.
//!
//! Two [profiles](Profile):
//!
//! | | [`Profile::Strict`], the default | [`Profile::ClientGo`] |
//! | --- | --- | --- |
//! | authority ends | a renew deadline after the last success was *sent* | a retry period and a renew deadline after it was *answered*, and later |
//! | reading another holder | stops at once | goes on until the deadline |
//! | a missing lock | a placeholder, a wait, then compare-and-swap | is created, and held |
//! | records are compared | by version | as text, at whole seconds |
//! | release | after the work has stopped, if the record names this replica | before the work is told to stop, whoever it names |
//! | recorded duration | rounded up | cut |
//! | identity | with an incarnation | as given |
//! | ends | when stopped; rejoins after a loss | once, with client-go's `Run` |
//!
//! Sources: client-go's `tools/leaderelection`, at v0.23.17, v0.36.2 and 32ce75a7; that the profile
//! does what those do is shown by replaying recordings of them (`tests/parity/`). For the releases
//! between, see [`Release`]. The strict rules, and why they suffice, are in `docs/election.md`.

mod client_go;
mod config;
pub mod coordinated;
mod elector;
mod electors;
mod event;
mod health;
mod margin;
mod object;
mod outbox;
mod profile;
mod request;
mod rules;
mod strict;
mod warning;

#[doc(hidden)]
pub use client_go::{ClientGoState, Raw};
pub use config::{Config, ConfigError, Missing};
pub use elector::Elector;
#[doc(hidden)]
pub use elector::Restatement;
pub use electors::{ElectorId, Electors};
pub use event::{Cause, Event, Token};
pub use health::Unhealthy;
pub use margin::{Answers, Conditions, Margin, Ratio, Remedy, Term};
pub use profile::{Profile, Release, UnknownProfile};
pub use request::{Failure, Op, Request, RequestId, Response, Stored, Watched};
#[cfg_attr(not(feature = "mutants"), doc(hidden))]
pub use rules::{Rule, Rules};
pub use warning::Warning;
