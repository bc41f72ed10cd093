//! The commands of `tenure`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod conform;
mod describe;
mod experiment;
mod nearest;
mod output;
mod progress;
mod refusal;
pub mod run;
pub mod scenarios;
pub mod sweep;
mod trace_file;

pub use refusal::Refusal;

/// What every `--help` ends with.
const EXIT_STATUS: &str = "\
Exit status:
  0  all properties hold, or exactly those are violated that are expected to be
  1  a property does not hold, or an expected violation did not happen
  2  the command line or an input is wrong
  3  unknown: nothing happened that could have gone wrong";

/// Leader election and sharding as Kubernetes does them, simulated and checked: clocks drift,
/// messages get lost, processes pause and crash, and one seed makes it all happen again.
///
/// Without a command: `tenure run experiment`, three replicas of one controller in three modes.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, after_help = EXIT_STATUS, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Scenarios(scenarios::ScenariosArgs),
    Sweep(sweep::SweepArgs),
    Conform(conform::ConformArgs),
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::parse() {
        Cli { command: None } => Cli::parse_from(["tenure", "run"]),
        cli => cli,
    };
    let Some(command) = cli.command else { return ExitCode::from(2) }; // not reached
    let status = match command {
        Command::Run(args) => run::run(&args),
        Command::Scenarios(args) => scenarios::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Conform(args) => Ok(conform::run(&args)),
    };
    status.unwrap_or_else(|refusal: Refusal| refusal.print()).into()
}
