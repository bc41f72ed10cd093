//! Answers on standard output.

use core::fmt::{self, Write as _};
use std::io::{self, Write as _};

use super::Refusal;
use crate::history::steers;

/// Prints the answer, harmless to terminals. A reader that has seen enough, such as `head`, is no error.
pub(super) fn print(text: impl fmt::Display) -> Result<(), Refusal> {
    let mut out = io::stdout().lock();
    let text = harmless(text.to_string());
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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

/// The same with control characters escaped, as JSON and TOML read them: names come out of files, and must
/// not write to the terminal. Ends of lines and tabs are ours.
pub(super) fn harmless(text: String) -> String {
    let harms = |letter: char| steers(letter) && !matches!(letter, '\n' | '\t');
    if !text.contains(harms) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if harms(letter) {
            let _ = write!(plain, "\\u{:04x}", u32::from(letter));
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_all_else_stays() {
        let plain = "a table\n\twith ü, … and 名\n";
        assert_eq!(harmless(plain.to_owned()), plain);
        let steering = "\u{1b}[2J\u{9b}2J\u{7f}\r\u{202e}".to_owned();
        assert_eq!(harmless(steering), r"\u001b[2J\u009b2J\u007f\u000d\u202e");
        let json = serde_json::json!({ "a": "\u{9b}\u{1b}\n" });
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&harmless(json.to_string())).unwrap(),
            json
        );
    }
}
