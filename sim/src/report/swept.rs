//! Many runs drawn: the axis are their seeds.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Report;
use super::model::{Axis, Bars, Grid, Key, Paint, Row, Table, Violation};
use crate::subject::Ran;
use crate::sweep::Tally;
use crate::verdict::Verdict;

/// No more runs than this are kept, a few bytes each; of the others there are numbers.
const RUNS: usize = 4_000_000;
/// So many failing seeds are marked.
const MARKED: usize = 256;
/// And so many commands are listed.
const LISTED: usize = 20;

/// Codes of the grid.
const NOTHING: u32 = 0;
const VIOLATED: u32 = 1;
const HOLDS: u32 = 2;
const EXPECTED: u32 = 3;
const UNKNOWN: u32 = 4;

/// Collects what each run of a sweep came to, on whatever thread, in whatever order.
///
/// ```
/// use tenure_sim::{catalogue, report, sweep::sweep};
/// let pause = catalogue::find("pause").unwrap();
/// let swept = report::Swept::default();
/// let tally = sweep(&pause, 0..8, |seed, ran| swept.ran(seed, ran))?;
/// let report = swept.report(0..8, &tally, |seed| format!("tenure run pause --seed {seed}"));
/// assert!(report.html().contains("verdict"));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Default)]
pub struct Swept(Mutex<Runs>);

#[derive(Debug, Default)]
struct Runs {
    /// Of each seed what it came to.
    codes: BTreeMap<u64, u32>,
    /// Which rules found something, with which seeds.
    found: BTreeMap<String, BTreeSet<u64>>,
    /// For what is counted how many runs had so much, by powers of two.
    spread: BTreeMap<&'static str, BTreeMap<u32, u64>>,
    /// The same of the longest time without a leader, in seconds.
    vacancies: BTreeMap<u32, u64>,
    left_out: u64,
}

/// 0, 1, 2 to 3, 4 to 7, …
const fn power(count: u64) -> u32 {
    u64::BITS - count.leading_zeros()
}

fn powers(power: u32) -> String {
    match power {
        0 | 1 => power.to_string(),
        _ => format!("{} to {}", 1_u64 << (power - 1), u64::MAX >> (u64::BITS - power)),
    }
}

impl Swept {
    /// What a thread that panicked has put in is whole.
    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run is over.
    pub fn ran(&self, seed: u64, ran: &Ran) {
        let mut runs = self.runs();
        for (name, count) in &ran.marks {
            *runs.spread.entry(name).or_default().entry(power(*count)).or_default() += 1;
        }
        if let Some(longest) = ran.without_leader {
            let seconds = longest.as_nanos() / 1_000_000_000;
            *runs.vacancies.entry(power(seconds)).or_default() += 1;
        }
        if runs.codes.len() >= RUNS {
            runs.left_out += 1;
            return;
        }
        runs.codes.insert(
            seed,
            match ran.verdict {
                Verdict::Holds => HOLDS,
                Verdict::AsExpected => EXPECTED,
                Verdict::Unexpected | Verdict::Missing => VIOLATED,
                Verdict::Unknown => UNKNOWN,
            },
        );
        for find in &ran.finds {
            let rule = format!("{}/{}", find.violation.check, find.violation.rule);
            runs.found.entry(rule).or_default().insert(seed);
        }
    }

    /// What came of these seeds, with the command that shows one. Its head is empty.
    #[must_use]
    pub fn report(
        &self,
        seeds: Range<u64>,
        tally: &Tally,
        again: impl Fn(u64) -> String,
    ) -> Report {
        let runs = self.runs();
        let (from, to) = (0, seeds.end.saturating_sub(seeds.start).max(1));
        let axis = Axis::Seed(seeds.start);
        let mut report = Report { axis, from, to, ..Report::default() };
        report.grid = Some(runs.grid(&mut report, &seeds));
        for seed in tally.failed.iter().take(MARKED) {
            let first = tally.found.iter().find(|found| found.first_seed == *seed);
            let rule = first.map_or_else(
                || "failed".to_owned(),
                |found| format!("{}/{}", found.check, found.rule),
            );
            let what = first.map_or("see its command", |found| &found.first.what);
            let what = format!("seed {seed}: {what}. {}", again(*seed));
            let [rule, what] = [&rule, &what].map(|text| report.texts.put(text));
            let at = seed.saturating_sub(seeds.start);
            report.violations.push(Violation { at, to: at, rule, what, lanes: Vec::new() });
        }
        report.bars.push(verdicts(tally));
        report.bars.extend(runs.bars());
        report.tables.extend(tables(tally, &again));
        let done = runs.codes.len() as u64 + runs.left_out;
        if tally.runs.all > done {
            let earlier = tally.runs.all - done;
            let notice = "runs were done before, by the file: they are counted, not drawn";
            report.notices.push(format!("{earlier} {notice}"));
        }
        if runs.left_out > 0 {
            let notice = "runs are counted, not drawn: there are more than";
            report.notices.push(format!("{} {notice} {RUNS}", runs.left_out));
        }
        report
    }
}

impl Runs {
    fn grid(&self, report: &mut Report, seeds: &Range<u64>) -> Grid {
        let key = |name: &str, paint| Key { name: name.to_owned(), paint };
        let keys = vec![
            key("nothing", Paint::None),
            key("violated", Paint::Bad),
            key("holds", Paint::Good),
            key("violated as expected", Paint::Expected),
            key("unknown", Paint::Colour(UNKNOWN)),
        ];
        let place = |seed: u64| seed.saturating_sub(seeds.start);
        let row = |name, codes: &mut dyn Iterator<Item = (u64, u32)>| {
            let mut row = Row { name, runs: vec![(0, NOTHING)] };
            let mut next = 0;
            for (seed, code) in codes {
                if place(seed) > next {
                    row.becomes(next, NOTHING);
                }
                row.becomes(place(seed), code);
                next = place(seed) + 1;
            }
            row.becomes(next, NOTHING);
            row
        };
        let mut codes = self.codes.iter().map(|(seed, code)| (*seed, *code));
        let mut rows = vec![row(report.texts.put("verdict"), &mut codes)];
        for (rule, found) in &self.found {
            // Red where the run failed, else as it was expected.
            let code = |seed: &u64| self.codes.get(seed).map_or(VIOLATED, |code| *code);
            let mut codes = found.iter().map(|seed| (*seed, code(seed)));
            rows.push(row(report.texts.put(rule), &mut codes));
        }
        Grid { title: "Verdict and findings by seed".to_owned(), key: keys, rows }
    }

    /// How much of what runs had.
    fn bars(&self) -> impl Iterator<Item = Bars> {
        let vacancies = (!self.vacancies.is_empty())
            .then(|| spread("Runs by longest time without a leader, in seconds", &self.vacancies));
        let varied = self.spread.iter().filter(|(_, runs)| runs.len() > 1);
        let counts = varied.map(|(name, runs)| spread(&format!("Runs by {name}"), runs));
        vacancies.into_iter().chain(counts)
    }
}

/// By powers of two, from the least that occurs to the most.
fn spread(title: &str, runs: &BTreeMap<u32, u64>) -> Bars {
    let ends = runs.keys().min().zip(runs.keys().max());
    let powers_between = ends.map(|(least, most)| *least..=*most).into_iter().flatten();
    let row = |power| {
        let runs = runs.get(&power).copied().unwrap_or_default();
        (powers(power), runs, format!("{runs} runs"))
    };
    Bars { title: title.to_owned(), rows: powers_between.map(row).collect() }
}

fn verdicts(tally: &Tally) -> Bars {
    let runs = &tally.runs;
    let rows = [
        ("holds", runs.holds),
        ("violated as expected", runs.as_expected),
        ("violated", runs.violated),
        ("unknown", runs.unknown),
    ];
    let row = |(name, count): (&str, u64)| (name.to_owned(), count, format!("{count} runs"));
    Bars { title: "Verdicts".to_owned(), rows: rows.into_iter().map(row).collect() }
}

fn tables(tally: &Tally, again: impl Fn(u64) -> String) -> [Table; 3] {
    let found = tally.found.iter().map(|found| {
        let rule = format!("{}/{}", found.check, found.rule);
        let (times, runs) = (found.times.to_string(), found.runs.to_string());
        vec![rule, times, runs, found.first.what.clone(), again(found.first_seed)]
    });
    let failed = tally.failed.iter().take(LISTED).map(|seed| vec![seed.to_string(), again(*seed)]);
    let marks = tally.marks.iter();
    let marks =
        marks.map(|(name, mark)| vec![name.clone(), mark.runs.to_string(), mark.times.to_string()]);
    let table = |title: &str, head, rows| Table { title: title.to_owned(), head, rows };
    [
        table("What was found", vec!["rule", "times", "runs", "first", "again"], found.collect()),
        table("The first seeds that failed", vec!["seed", "again"], failed.collect()),
        table("What happened", vec!["what", "runs", "times"], marks.collect()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_fall_into_powers_of_two() {
        let of = |count| powers(power(count));
        assert_eq!(
            [0, 1, 2, 3, 4, 7, 8].map(of),
            ["0", "1", "2 to 3", "2 to 3", "4 to 7", "4 to 7", "8 to 15"]
        );
        assert_eq!(power(u64::MAX), 64);
        assert!(of(u64::MAX).ends_with(&u64::MAX.to_string()));
    }
}
