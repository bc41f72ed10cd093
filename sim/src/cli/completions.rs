//! `tenure completions`: what a shell needs to complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Refusal, output};

/// Print a shell's script that completes the options of `tenure`.
///
/// bash: `tenure completions bash > ~/.local/share/bash-completion/completions/tenure`. zsh: to a file
/// `_tenure` in a directory of $fpath. fish: to `~/.config/fish/completions/tenure.fish`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// For which shell.
    #[arg(value_name = "SHELL")]
    pub(super) shell: Shell,
}

/// Prints it.
///
/// # Errors
/// If it cannot be printed.
pub(super) fn run(args: &CompletionsArgs) -> Result<u8, Refusal> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tenure", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(0)
}
