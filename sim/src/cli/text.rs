//! Files that are read as a whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// What is longer was named by mistake, or has no end.
const LONGEST: u64 = 256 << 20;

/// The text of a file.
///
/// # Errors
/// It cannot be read, is no UTF-8, or has more than 256 megabytes.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        let what = "longer than 256 megabytes";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(text)
}
