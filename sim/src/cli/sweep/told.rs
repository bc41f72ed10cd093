//! What a sweep says.

use core::fmt::Write as _;

use serde_json::json;

use crate::report::{Head, Tone};
use crate::sweep::{Mark, Runs, Tally};

/// No more seeds than this are told.
const SEEDS: usize = 10;

/// A sweep that is over.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) from: u64,
    /// One behind the last seed that was run, unless later ones were done before.
    pub(super) to: u64,
    pub(super) asked_to: u64,
    pub(super) tally: Tally,
    /// The command that shows it, for each of `tally.found`.
    pub(super) again: Vec<String>,
    /// The command that shows the first run that failed: one in which something was found that should not,
    /// or not all that is expected.
    pub(super) failed: Option<String>,
    /// What was found first.
    pub(super) explained: Option<String>,
    pub(super) exit_status: u8,
}

impl Told {
    pub(super) fn json(&self) -> serde_json::Value {
        let found = self.tally.found.iter().zip(&self.again).map(|(found, again)| {
            let mut found = serde_json::to_value(found).unwrap_or_default();
            if let Some(fields) = found.as_object_mut() {
                fields.insert("again".to_owned(), json!(again));
            }
            found
        });
        json!({
            "scenario": self.name,
            "seeds": { "from": self.from, "to": self.to },
            "runs": self.tally.runs,
            "marks": self.tally.marks,
            "found": found.collect::<Vec<_>>(),
            "failed": self.tally.failed,
            "digest": self.tally.digest.to_string(),
            "exit_status": self.exit_status,
        })
    }

    /// What stands above a report.
    pub(super) fn head(&self) -> Head {
        let Runs { all, holds, as_expected, violated, unknown } = self.tally.runs;
        Head {
            title: format!("{}, seeds {} to {}", self.name, self.from, self.to - 1),
            about: vec![format!("{all} runs, digest {}", self.tally.digest)],
            tone: match self.exit_status {
                0 => Tone::Good,
                1 => Tone::Bad,
                _ => Tone::Unknown,
            },
            verdict: format!(
                "{holds} hold, {as_expected} violated as expected, {violated} violated, {unknown} unknown"
            ),
            again: self.failed.as_ref().or_else(|| self.again.first()).cloned(),
            explained: self.explained.iter().cloned().collect(),
        }
    }

    /// All of it in one line.
    pub(super) fn line(&self) -> String {
        let Runs { all, holds, as_expected, violated, unknown } = self.tally.runs;
        let mut line = format!(
            "{:<40} {all:>7} runs: {holds:>7} hold, {as_expected:>7} as expected, {violated:>5} violated, \
             {unknown:>7} unknown\n",
            self.name
        );
        if let Some(again) = &self.failed {
            let _ = writeln!(line, "    {again}");
        }
        line
    }

    pub(super) fn text(&self) -> String {
        let Runs { all, holds, as_expected, violated, unknown } = self.tally.runs;
        let mut text =
            format!("{}: {all} runs, seeds {} to {}\n", self.name, self.from, self.to - 1);
        if self.to < self.asked_to {
            let _ = writeln!(text, "  stopped before seed {} of {}", self.to, self.asked_to);
        }
        let expected = match as_expected {
            0 => String::new(),
            _ => format!("{as_expected} violated as expected, "),
        };
        let _ =
            writeln!(text, "  {holds} hold, {expected}{violated} violated, {unknown} unknown\n");
        let _ = writeln!(text, "{:<30}{:>9}{:>15}", "what happened", "runs", "times");
        for (name, Mark { runs, times }) in &self.tally.marks {
            let _ = writeln!(text, "  {name:<28}{runs:>9}{times:>15}");
        }
        if let Some(again) = &self.failed {
            let seeds = self.tally.failed.iter().take(SEEDS).map(ToString::to_string);
            let seeds = seeds.collect::<Vec<_>>().join(", ");
            let more = violated.saturating_sub(SEEDS as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(text, "\nwhat failed\n  seeds {seeds}{more}\n    again: {again}");
            if self.tally.found.is_empty() {
                text.push_str("  nothing was found, but the scenario expects something\n");
            }
        }
        text.push_str("\nwhat was found\n");
        if self.tally.found.is_empty() {
            text.push_str("  no violation\n");
        }
        for (found, again) in self.tally.found.iter().zip(&self.again) {
            let (check, rule) = (&found.check, &found.rule);
            let _ =
                writeln!(text, "  {check}, {rule}: {} times in {} runs", found.times, found.runs);
            let _ = writeln!(text, "    first: {}", found.first.what);
            let _ = writeln!(text, "    again: {again}");
        }
        if let Some(explained) = &self.explained {
            let _ = write!(text, "\nthe first of all, explained\n{explained}");
        }
        let _ = writeln!(text, "\ndigest {}", self.tally.digest);
        text
    }
}
