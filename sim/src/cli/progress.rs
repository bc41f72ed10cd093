//! A progress bar for what takes its time: on standard error, if that is a terminal, from the second
//! second on.

use core::fmt;
use core::time::Duration;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar; it says nothing if there is no terminal or it does not take long.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    since: Instant,
    shown: AtomicBool,
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
        Self { bar, since: now(), shown: AtomicBool::new(!io::stderr().is_terminal()) }
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
        if !self.shown.load(Ordering::Relaxed) && now() - self.since > Duration::from_secs(1) {
            self.shown.store(true, Ordering::Relaxed);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
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
