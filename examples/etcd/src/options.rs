//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tenure::sharding::planned::Policy;
use tenure::sharding::{self, Mode, Ranking, Slots};
use tenure::{election, lock::LockRef};

/// A replica on etcd: one of the group leads, and all share its slots.
#[derive(Parser)]
pub(crate) struct Options {
    /// An etcd; several for the members of a cluster.
    #[arg(long, global = true, default_value = "http://127.0.0.1:2379")]
    pub(crate) endpoint: Vec<String>,
    /// What all keys begin with.
    #[arg(long, global = true, default_value = "tenure/")]
    pub(crate) prefix: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Work, until SIGTERM.
    Work(Work),
    /// Print all that was ever written, as evidence.
    History,
}

#[derive(Args)]
pub(crate) struct Work {
    /// The name of this replica; no two running ones may share it.
    #[arg(long)]
    pub(crate) name: String,
    /// The group that it belongs to.
    #[arg(long, default_value = "controller")]
    pub(crate) group: String,
    /// Where to write down each act.
    #[arg(long)]
    pub(crate) acts: PathBuf,
    /// Who decides who owns which slot.
    #[arg(long, value_enum, default_value = "ranked")]
    pub(crate) mode: SharingMode,
    /// How many slots there are: a power of two.
    #[arg(long, default_value_t = 16)]
    pub(crate) slots: u32,
    /// How long others wait for a replica that gives no sign.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    pub(crate) lease: Duration,
    /// How long rights last after the last renewal that succeeded was sent.
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration)]
    pub(crate) renew: Duration,
    /// How long to wait between two renewals.
    #[arg(long, default_value = "2s", value_parser = humantime::parse_duration)]
    pub(crate) retry: Duration,
    /// Which rule not to follow, to see that it is noticed.
    #[arg(long, value_enum, hide = true)]
    pub(crate) leave_out: Option<Rule>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SharingMode {
    /// Nobody: each computes it from who is there.
    Ranked,
    /// An elected leader, by a plan.
    Planned,
    /// A lease for each slot.
    Leased,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// Work asks before each act.
    Ask,
}

/// Where locks and records are; etcd has no namespaces of its own.
const NAMESPACE: &str = "default";

impl Work {
    /// Half of the deadline: there is time for a second try when an answer is lost.
    fn request_timeout(&self) -> Duration {
        self.renew / 2
    }

    pub(crate) fn election(&self, incarnation: &str) -> election::Config {
        election::Config {
            lease_duration: self.lease,
            renew_deadline: self.renew,
            retry_period: self.retry,
            request_timeout: Some(self.request_timeout()),
            ..election::Config::new(
                LockRef::lease(NAMESPACE, &*self.group),
                &*self.name,
                incarnation,
            )
        }
    }

    pub(crate) fn sharding(&self, incarnation: &str) -> Result<sharding::Config, String> {
        Ok(sharding::Config {
            lease_duration: self.lease,
            renew_deadline: self.renew,
            retry_period: self.retry,
            request_timeout: self.request_timeout(),
            slots: Slots::new(self.slots).map_err(|error| format!("--slots: {error}"))?,
            mode: match self.mode {
                SharingMode::Ranked => Mode::Ranked(Ranking::default()),
                SharingMode::Planned => Mode::Planned(Policy::default()),
                SharingMode::Leased => Mode::Leased,
            },
            ..sharding::Config::new(NAMESPACE, &*self.group, &*self.name, incarnation)
        })
    }
}
