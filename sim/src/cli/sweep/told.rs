//! What a sweep says.

use core::fmt::Write as _;
use core::ops::Range;

use serde_json::json;

use crate::report::{Head, Report, Swept, Tone};
use crate::subject::Subject;
use crate::sweep::{DETERMINISM, Mark, PANIC, Runs, Tally};

/// No more seeds than this are told.
const SEEDS: usize = 10;

/// A sweep that is over.
#[derive(Debug)]
pub(in crate::cli) struct Done {
    pub(in crate::cli) asked: Range<u64>,
    /// What of this was not run.
    pub(in crate::cli) missing: Vec<Range<u64>>,
    pub(in crate::cli) tally: Tally,
    /// The command that runs a seed, but for the seed.
    pub(in crate::cli) again: String,
}

/// What is said of it.
#[derive(Debug)]
pub(in crate::cli) struct Told {
    name: String,
    done: Done,
    /// What was found first.
    explained: Option<String>,
    pub(in crate::cli) exit_status: u8,
}

impl Told {
    /// What there is to say; with what was found first `explained`.
    pub(in crate::cli) fn new<S: Subject>(
        subject: &S,
        done: Done,
        explained: bool,
    ) -> Result<Self, S::Error> {
        let tally = &done.tally;
        // Of a run that failed, if one did: what is expected needs no telling then.
        let first = tally.found.iter().min_by_key(|found| {
            (!tally.failed.contains(&found.first_seed), found.first_seed, found.first.seq)
        });
        let by_itself = |check: &str| [PANIC, DETERMINISM].contains(&check);
        let first = first.filter(|first| explained && !by_itself(&first.check));
        let explained =
            first.map(|first| subject.explain(first.first_seed, &first.first)).transpose()?;
        let exit_status = match (tally.runs.violated, tally.runs.holds + tally.runs.as_expected) {
            (1.., _) => 1,
            (0, 0) => 3,
            _ => 0,
        };
        Ok(Self { name: subject.name().to_owned(), done, explained, exit_status })
    }

    fn again(&self, seed: u64) -> String {
        format!("{} --seed {seed}", self.done.again)
    }

    pub(in crate::cli) fn json(&self) -> serde_json::Value {
        let Done { asked, missing, tally, .. } = &self.done;
        let found = tally.found.iter().map(|found| {
            let again = self.again(found.first_seed);
            let mut found = serde_json::to_value(found).unwrap_or_default();
            if let Some(fields) = found.as_object_mut() {
                fields.insert("again".to_owned(), json!(again));
            }
            found
        });
        let seeds = |it: &Range<u64>| json!({ "from": it.start, "to": it.end });
        json!({
            "scenario": self.name,
            "seeds": seeds(asked),
            "missing": missing.iter().map(seeds).collect::<Vec<_>>(),
            "runs": tally.runs,
            "marks": tally.marks,
            "found": found.collect::<Vec<_>>(),
            "failed": tally.failed,
            "digest": tally.digest.to_string(),
            "exit_status": self.exit_status,
        })
    }

    /// What `swept` has collected, under what is said.
    pub(super) fn report(&self, swept: &Swept) -> Report {
        let Done { asked, tally, .. } = &self.done;
        let Runs { all, holds, as_expected, violated, unknown } = tally.runs;
        let first = tally.failed.first().copied();
        let first = first.or_else(|| Some(tally.found.first()?.first_seed));
        let head = Head {
            title: format!("{}, seeds {} to {}", self.name, asked.start, asked.end - 1),
            about: vec![format!("{all} runs, digest {}", tally.digest)],
            tone: match self.exit_status {
                0 => Tone::Good,
                1 => Tone::Bad,
                _ => Tone::Unknown,
            },
            verdict: format!(
                "{holds} hold, {as_expected} violated as expected, {violated} violated, {unknown} unknown"
            ),
            again: first.map(|seed| self.again(seed)),
            explained: self.explained.iter().cloned().collect(),
        };
        swept.report(asked.clone(), tally, |seed| self.again(seed)).headed(head)
    }

    /// All of it in one line.
    pub(in crate::cli) fn line(&self) -> String {
        let Runs { all, holds, as_expected, violated, unknown } = self.done.tally.runs;
        let mut line = format!(
            "{:<40} {all:>7} runs: {holds:>7} hold, {as_expected:>7} as expected, {violated:>5} violated, \
             {unknown:>7} unknown\n",
            self.name
        );
        if let Some(seed) = self.done.tally.failed.first() {
            let _ = writeln!(line, "    {}", self.again(*seed));
        }
        line
    }

    pub(in crate::cli) fn text(&self) -> String {
        let Done { asked, missing, tally, .. } = &self.done;
        let Runs { all, holds, as_expected, violated, unknown } = tally.runs;
        let seeds = |it: &Range<u64>| format!("{} to {}", it.start, it.end - 1);
        let mut text = format!("{}: {all} runs, seeds {}\n", self.name, seeds(asked));
        if !missing.is_empty() {
            let more = missing.len().saturating_sub(SEEDS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let missing = missing.iter().take(SEEDS).map(seeds).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "  not done: seeds {missing}{more}");
        }
        let expected = match as_expected {
            0 => String::new(),
            _ => format!("{as_expected} violated as expected, "),
        };
        let _ =
            writeln!(text, "  {holds} hold, {expected}{violated} violated, {unknown} unknown\n");
        let _ = writeln!(text, "{:<30}{:>9}{:>15}", "what happened", "runs", "times");
        for (name, Mark { runs, times }) in &tally.marks {
            let _ = writeln!(text, "  {name:<28}{runs:>9}{times:>15}");
        }
        if let Some(first) = tally.failed.first() {
            let seeds = tally.failed.iter().take(SEEDS).map(ToString::to_string);
            let seeds = seeds.collect::<Vec<_>>().join(", ");
            let more = violated.saturating_sub(SEEDS as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(
                text,
                "\nwhat failed\n  seeds {seeds}{more}\n    again: {}",
                self.again(*first)
            );
            if tally.found.is_empty() {
                text.push_str("  nothing was found, but the scenario expects something\n");
            }
        }
        text.push_str("\nwhat was found\n");
        if tally.found.is_empty() {
            text.push_str("  no violation\n");
        }
        for found in &tally.found {
            let (check, rule) = (&found.check, &found.rule);
            let _ =
                writeln!(text, "  {check}, {rule}: {} times in {} runs", found.times, found.runs);
            let _ = writeln!(text, "    first: {}", found.first.what);
            let _ = writeln!(text, "    again: {}", self.again(found.first_seed));
        }
        if let Some(explained) = &self.explained {
            let _ = write!(text, "\nthe first of all, explained\n{explained}");
        }
        let _ = writeln!(text, "\ndigest {}", tally.digest);
        text
    }
}
