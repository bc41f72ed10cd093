//! Answers on standard output.

use core::fmt;
use std::io::{self, Write as _};

use super::Refusal;

/// Prints the answer. A reader that has seen enough, such as `head`, is no error.
pub(super) fn print(text: impl fmt::Display) -> Result<(), Refusal> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.to_string().as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Refusal::new(format_args!("standard output: cannot be written ({error})")))
        }
        _ => Ok(()),
    }
}

/// Prints the answer as one JSON object on one line.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Refusal> {
    print(format_args!("{value}\n"))
}
