//! Progress of what takes its time, on standard error: a bar from the second second on if that is a
//! terminal, else a line now and then.

use core::fmt;
use core::time::Duration;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Where there is no terminal, a line this often.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// The bar; it says nothing if it does not take long.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    things: &'static str,
    since: Instant,
    terminal: bool,
    shown: AtomicBool,
    /// Lines that were written where there is no terminal.
    lines: AtomicU64,
    events: AtomicU64,
    found: AtomicU64,
}

impl Progress {
    /// A bar of `length` of these things.
    pub(super) fn new(length: u64, things: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        let template =
            format!("{{bar:20}} {{pos}} of {{len}} {things}{{msg}}, {{per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self {
            bar,
            things,
            since: now(),
            terminal: io::stderr().is_terminal(),
            shown: AtomicBool::new(false),
            lines: AtomicU64::new(0),
            events: AtomicU64::new(0),
            found: AtomicU64::new(0),
        }
    }

    /// A run is done: so many events, and whether it found something.
    pub(super) fn ran(&self, events: u64, found: bool) {
        let events = self.events.fetch_add(events, Ordering::Relaxed) + events;
        let found = u64::from(found);
        let found = self.found.fetch_add(found, Ordering::Relaxed) + found;
        let millis = u64::try_from((now() - self.since).as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = events / millis;
        self.bar.set_message(format!(" ({rate} thousand events a second, {found} found)"));
        self.advance(1);
    }

    /// So much more is done.
    pub(super) fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.show();
    }

    /// What is under way.
    pub(super) fn note(&self, what: impl fmt::Display) {
        self.bar.set_message(format!(" ({what})"));
        self.show();
    }

    /// Prints while the bar is out of the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    fn show(&self) {
        if !self.terminal {
            return self.line();
        }
        if !self.shown.load(Ordering::Relaxed) && now() - self.since > Duration::from_secs(1) {
            self.shown.store(true, Ordering::Relaxed);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Progress {
    /// Says how far it is, if the last line was long ago.
    fn line(&self) {
        let passed = now() - self.since;
        let due = passed.as_secs() / LINE_EVERY.as_secs();
        if due > self.lines.fetch_max(due, Ordering::Relaxed) {
            let (done, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let (things, message) = (self.things, self.bar.message());
            // Whoever closed stderr does not want to know.
            let _ =
                writeln!(io::stderr(), "{done} of {of} {things}{message}, {} s", passed.as_secs());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a person has waited decides nothing else")]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn how_many_of_how_many_are_done_and_what_is_under_way() {
        let screen = Screen::default();
        let progress = Progress::new(97, "worlds");
        progress.bar.set_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        progress.advance(12);
        progress.note("calm: 16384 states");
        progress.bar.force_draw();
        let drawn = screen.0.lock().unwrap();
        assert!(drawn.contains("12 of 97 worlds (calm: 16384 states), "), "{drawn}");
    }
}
