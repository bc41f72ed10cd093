//! `tenure man`: its manual, from what `--help` says.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::trace_file::Part;
use super::{Cli, Refusal, output};

/// Print the manual page, or write those of all commands to a directory.
///
/// `tenure man | man -l -` shows it. `tenure man --out ~/.local/share/man/man1` puts a page for each
/// command where `man tenure`, `man tenure-sweep`, … find it.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write `tenure.1`, and `tenure-run.1` and so on for the commands, to this directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) out: Option<PathBuf>,
}

/// Prints or writes it.
///
/// # Errors
/// If that cannot be done.
pub(super) fn run(args: &ManArgs) -> Result<u8, Refusal> {
    let mut command = Cli::command();
    command.build();
    let Some(directory) = &args.out else {
        output::print(String::from_utf8_lossy(&page(command)))?;
        return Ok(0);
    };
    fs::create_dir_all(directory).map_err(|error| Refusal::unwritable(directory, &error))?;
    let pages = command.get_subcommands().filter(|it| it.get_name() != "help").cloned();
    for sub in pages.collect::<Vec<_>>() {
        let name = format!("tenure-{}", sub.get_name());
        write(directory, &name, sub)?;
    }
    write(directory, "tenure", command)?;
    Ok(0)
}

fn write(directory: &Path, name: &str, command: clap::Command) -> Result<(), Refusal> {
    let (part, mut file) = Part::new(&directory.join(format!("{name}.1")))?;
    part.put(file.write_all(&page(command)).and_then(|()| file.flush()))
}

/// In roff.
fn page(command: clap::Command) -> Vec<u8> {
    let mut page = Vec::new();
    // A vector takes everything.
    let _ = Man::new(command).render(&mut page);
    page
}
