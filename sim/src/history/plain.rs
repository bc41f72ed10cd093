//! Names out of recordings, for a terminal.

use core::fmt::{self, Write as _};

/// A name that anybody may have written: control characters are escaped, and what is long is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<'a>(pub(crate) &'a str);

/// So many letters are shown.
const SHOWN: usize = 200;

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.chars().enumerate() {
            if place == SHOWN {
                return f.write_char('…');
            }
            if steers(letter) {
                write!(f, "{}", letter.escape_unicode())?;
            } else {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Whether a letter steers a terminal, or does nothing there, rather than being shown on it.
pub(crate) fn steers(letter: char) -> bool {
    // Directions of writing are told by no control bit; they can turn a line round as well.
    let turns = matches!(letter, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // To some terminals these end a line.
    let ends = matches!(letter, '\u{2028}' | '\u{2029}');
    // Not shown at all, so that two names look like one.
    let hides = matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
    letter.is_control() || turns || ends || hides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_to_the_terminal() {
        assert_eq!(Plain("a\u{1b}[2J\u{202e}ü").to_string(), "a\\u{1b}[2J\\u{202e}ü");
        // All that Unicode calls `Bidi_Control`, and its ends of lines.
        let turns = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        for letter in turns.chars().chain([
            '\u{85}',
            '\u{2028}',
            '\u{2029}',
            '\u{200b}',
            '\u{feff}',
            '\u{e0041}',
        ]) {
            assert!(steers(letter), "{letter:?}");
        }
        assert_eq!(Plain(&"x".repeat(300)).to_string(), "x".repeat(200) + "…");
    }
}
