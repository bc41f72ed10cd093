//! A controller with N active replicas, on `tenure` and `kube`.
//!
//! | file | its one concern |
//! | --- | --- |
//! | [`options`] | the command line |
//! | [`controller`] | one replica, put together |
//! | [`leader`], [`sharded`] | the loops that drive an `Elector`, and a `Sharder` |
//! | `store`, [`leases`] | what the machines ask, as calls on Leases |
//! | [`authority`] | may I act? |
//! | [`objects`] | which ConfigMaps there are for this replica |
//! | [`work`], [`reconcile`], [`in_flight`] | the queue, one act, and what has begun |
//! | [`api`], `watch` | one call, and a watch |
//! | [`clock`], [`stop`], [`health`], [`metrics`], [`serve`] | the process around it |

pub mod api;
pub mod authority;
pub mod clock;
pub mod controller;
pub mod health;
pub mod in_flight;
pub mod leader;
pub mod leases;
pub mod metrics;
pub mod objects;
pub mod options;
pub mod reconcile;
pub mod serve;
pub mod sharded;
pub mod stop;
mod store;
mod watch;
pub mod work;

use std::time::Duration;

use http::header::USER_AGENT;
use kube::{Client, Config};

pub use options::Options;

/// A client whose calls the machines can rely on.
///
/// # Errors
/// The configuration has a certificate or a token that cannot be read.
pub fn connect(mut config: Config, name: &str) -> anyhow::Result<Client> {
    // kube sends a call up to 16 times if the answer is 429, 503 or 504. A machine decides by itself when
    // to ask again, and whether a write whose answer was 504 may be sent a second time.
    config.default_retry = false;
    // Calls have deadlines of their own, and watches last.
    config.read_timeout = None;
    config.connect_timeout = Some(Duration::from_secs(5));
    config.headers.push((USER_AGENT, format!("tenure-kubernetes/{name}").parse()?)); // for audit logs
    Ok(config.try_into()?)
}
