//! The command line, and what the Pod knows of itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

/// A controller that reconciles ConfigMaps with N replicas.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Options {
    /// Whether one replica acts, or each on its share.
    #[arg(long, value_enum, default_value_t = Mode::Sharded)]
    pub mode: Mode,
    /// Mode `sharded`: whether each member computes who owns what, or an elected one plans it.
    #[arg(long, value_enum, default_value_t = Sharding::Ranked)]
    pub sharding: Sharding,
    /// Name of the lock's Lease, or of the group: the same for all replicas.
    #[arg(long, default_value = "tenure-demo")]
    pub group: String,
    /// Mode `sharded`: slots, a power of two, the same for all replicas of a generation.
    #[arg(long, default_value_t = 256)]
    pub slots: u32,
    /// Mode `sharded`: the number of the group's configuration. Take the next one when you change `--slots`
    /// or `--sharding`.
    #[arg(long, default_value_t = 1)]
    pub generation: u64,
    /// How long others wait after the last sign of a replica.
    #[arg(long, value_parser = duration, default_value = "15s")]
    pub lease_duration: Duration,
    /// How long a replica may act after the sending of its last renewal.
    #[arg(long, value_parser = duration, default_value = "10s")]
    pub renew_deadline: Duration,
    /// How often it renews.
    #[arg(long, value_parser = duration, default_value = "2s")]
    pub retry_period: Duration,
    /// Mode `sharded`: after how long the records of members that are gone are deleted.
    #[arg(long, value_parser = duration, default_value = "10m")]
    pub collect_after: Duration,
    /// Where `/livez`, `/readyz` and `/metrics` are served.
    #[arg(long, default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,
    /// How long a replica takes to leave at most; less than the Pod's `terminationGracePeriodSeconds`.
    #[arg(long, value_parser = duration, default_value = "25s")]
    pub grace: Duration,
    /// When `/livez` says that the driver's loop is stuck. It turns each second.
    #[arg(long, value_parser = duration, default_value = "20s")]
    pub stuck_after: Duration,
    /// This replica's name: no two that run may share it. Default: the host's, which in a Pod is the Pod's.
    #[arg(long = "pod-name", env = "POD_NAME", default_value_t = hostname())]
    pub name: String,
    /// Where the Leases and the ConfigMaps are. Default: the service account's, else that of the
    /// kubeconfig's context.
    #[arg(long, env = "POD_NAMESPACE", default_value = "")]
    pub namespace: String,
}

/// How replicas share the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// One acts, the others wait.
    Leader,
    /// All act, each on its own slots.
    Sharded,
}

/// Who decides who owns what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sharding {
    /// Each member computes it: rendezvous hashing.
    Ranked,
    /// A leader's plan: few ranges, hence a short `shardSelector`.
    Planned,
}

/// `15s`, `500ms` or `2m`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000)];
    let (number, millis) = units
        .into_iter()
        .find_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))
        .context("write a whole number and ms, s or m, as 15s")?;
    let number: u64 = number.parse().context("write a whole number and ms, s or m, as 15s")?;
    Ok(Duration::from_millis(number.checked_mul(millis).context("too long")?))
}

fn hostname() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.to_ascii_lowercase() // as the names of Leases are
}
