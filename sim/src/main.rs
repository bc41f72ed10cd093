//! The command `tenure`.

use std::process::ExitCode;

use clap::Parser;
use tenure_sim::cli::conform;

#[derive(Debug, Parser)]
#[command(name = "tenure", version)]
enum Command {
    Conform(conform::ConformArgs),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Conform(args) => conform::run(&args).into(),
    }
}
