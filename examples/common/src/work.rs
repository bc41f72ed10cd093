//! Work that asks before each act, and writes each act down.
//!
//! An act takes no time here, so that all work has ended as soon as the next question is answered with no.
//! An act that takes time must be over when the permit's time is; what a pause makes of it in between, only
//! a resource that checks the token can refuse.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process;
use std::sync::Mutex;
use std::time::Duration;

use tenure::election::{Elector, Token};
use tenure::time::Instant;

use crate::clock;
use crate::lead::lock;

/// How long there is between two acts.
const PAUSE: Duration = Duration::from_millis(100);

/// How many acts there are to one question if the rule to ask before each is left out: a job of four
/// seconds that asks when it begins.
const JOB: u32 = 40;

/// The right to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Right {
    /// Orders those who had it.
    pub token: Token,
    /// When it ends, if nothing happens.
    pub until: Instant,
}

/// Whether the leader may act, asked at one reading of the clock.
#[must_use]
pub fn leader_right(elector: &Mutex<Elector>, now: Instant) -> Option<Right> {
    let elector = lock(elector);
    if !elector.is_leading(now) {
        return None;
    }
    Some(Right { token: elector.fencing_token()?, until: elector.leading_until()? })
}

/// Where acts are written down: a line for each, see [`Act`](crate::evidence::Act).
#[derive(Debug)]
pub struct Log {
    file: Mutex<File>,
    who: String,
}

impl Log {
    /// Appends to `path`, as this process: `who` is its name and its incarnation.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, who: &str) -> Result<Self, String> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| {
            format!("{}: {error}: name a file that can be written, by --acts", path.display())
        })?;
        Ok(Self { file: Mutex::new(file), who: who.to_string() })
    }

    /// Writes a line at once, whole: a process that is killed leaves no part of it behind.
    fn act(&self, at: Instant, thing: &str, right: Right) -> io::Result<()> {
        let (at, until) = (at.as_nanos(), right.until.as_nanos());
        let line = format!("{at} {until} {} {thing} {}\n", self.who, right.token.as_u64());
        lock(&self.file).write_all(line.as_bytes())
    }
}

/// Acts on `thing` for as long as `ask` says that it may at the time of the act.
///
/// `ask_each` is false to show what happens if the rule is left out.
pub async fn work(log: &Log, thing: &str, ask: impl Fn(Instant) -> Option<Right>, ask_each: bool) {
    loop {
        let mut at = clock::instant();
        let Some(right) = ask(at) else { return };
        for _ in 0..if ask_each { 1 } else { JOB } {
            if let Err(error) = log.act(at, thing, right) {
                // Without evidence there is nothing to be shown.
                eprintln!("cannot write down what was done: {error}");
                process::exit(2);
            }
            tokio::time::sleep(PAUSE).await;
            at = clock::instant();
        }
    }
}
