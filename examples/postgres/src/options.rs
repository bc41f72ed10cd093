//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tenure::election::Config;
use tenure::lock::LockRef;

/// A replica on Postgres: one of the group leads.
#[derive(Parser)]
pub(crate) struct Options {
    /// Where the database is, in libpq's words or as a URL. With several hosts only one that can be
    /// written is right, so `target_session_attrs=read-write` is added.
    #[arg(long, global = true, default_value = "host=127.0.0.1 user=postgres dbname=postgres")]
    pub(crate) database: tokio_postgres::Config,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the table; does nothing if it is there.
    Init,
    /// Work, until SIGTERM.
    Work(Work),
}

#[derive(Args)]
pub(crate) struct Work {
    /// The name of this replica.
    #[arg(long)]
    pub(crate) name: String,
    /// The group that it belongs to.
    #[arg(long, default_value = "controller")]
    pub(crate) group: String,
    /// Where to write down each act.
    #[arg(long)]
    pub(crate) acts: PathBuf,
    /// How long others wait for a leader that gives no sign.
    #[arg(long, default_value = "15s", value_parser = humantime::parse_duration)]
    pub(crate) lease: Duration,
    /// How long a leader acts after the last renewal that succeeded was sent.
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
pub(crate) enum Rule {
    /// Work asks before each act.
    Ask,
}

impl Work {
    pub(crate) fn election(&self, incarnation: &str) -> Config {
        Config {
            lease_duration: self.lease,
            renew_deadline: self.renew,
            retry_period: self.retry,
            // There is time for a second try when an answer is lost.
            request_timeout: Some(self.renew / 2),
            ..Config::new(LockRef::lease("default", &*self.group), &*self.name, incarnation)
        }
    }
}
