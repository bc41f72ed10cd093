//! The commands of `tenure`.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod assign;
mod balance;
mod check;
mod compare;
mod completions;
mod conform;
mod describe;
mod experiment;
mod explore;
mod export;
mod file;
mod inspect;
mod man;
mod margin;
mod merge;
mod mutants;
mod output;
mod progress;
mod ranges;
mod refusal;
mod run;
mod scenarios;
mod schema;
mod sharding;
mod shrink;
mod sweep;
mod text;
mod trace_file;
mod which;

use refusal::Refusal;

/// What every `--help` ends with.
const EXIT_STATUS: &str = "\
Exit status:
  0  all properties hold, or exactly those are violated that are expected to be
  1  a property does not hold, or an expected violation did not happen
  2  the command line or an input is wrong
  3  unknown: nothing happened that could have gone wrong (`tenure sweep --help` on what it counts)";

/// Leader election and sharding as Kubernetes does them, simulated and checked: clocks drift,
/// messages get lost, processes pause and crash, and one seed makes it all happen again.
///
/// Without a command: `tenure run experiment`, three replicas of one controller in four modes.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, after_help = EXIT_STATUS, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, once")]
enum Command {
    Run(run::RunArgs),
    Scenarios(scenarios::ScenariosArgs),
    Schema(schema::SchemaArgs),
    Sweep(sweep::SweepArgs),
    Merge(merge::MergeArgs),
    Shrink(shrink::ShrinkArgs),
    Mutants(mutants::MutantsArgs),
    Conform(conform::ConformArgs),
    Margin(margin::MarginArgs),
    Explore(explore::ExploreArgs),
    Balance(balance::BalanceArgs),
    Assign(assign::AssignArgs),
    Ranges(ranges::RangesArgs),
    Compare(compare::CompareArgs),
    Check(check::CheckArgs),
    Inspect(inspect::InspectArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// The command that is meant; without any it is `run`.
fn parse(args: Vec<OsString>) -> Result<Command, clap::Error> {
    match Cli::try_parse_from(args)?.command {
        Some(command) => Ok(command),
        None => parse(["tenure", "run"].map(OsString::from).to_vec()),
    }
}

/// Prints what was asked for, such as `--help`, or in one line what is wrong.
fn answer(error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        let printed = output::print(error.render());
        return printed.map_or_else(|refusal| refusal.print(), |()| 0);
    }
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines.take_while(|line| !line.starts_with("For more information"));
    let told = told.collect::<Vec<_>>().join(" ");
    let told = told.strip_prefix("error: ").unwrap_or(&told);
    Refusal::new(format_args!("{told}: see `tenure --help`")).print()
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let command = match parse(std::env::args_os().collect()) {
        Ok(command) => command,
        Err(error) => return answer(&error).into(),
    };
    let status = match command {
        Command::Run(args) => run::run(&args),
        Command::Scenarios(args) => scenarios::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Shrink(args) => shrink::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Conform(args) => Ok(conform::run(&args)),
        Command::Margin(args) => margin::run(&args),
        Command::Explore(args) => explore::run(&args),
        Command::Balance(args) => balance::run(&args),
        Command::Assign(args) => assign::run(&args),
        Command::Ranges(args) => ranges::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    };
    status.unwrap_or_else(|refusal: Refusal| refusal.print()).into()
}
