//! What was measured, for people.

use core::fmt::Write as _;

use super::catalogue::{ALL, Hashing, Leaves};
use super::measure::{Figures, Moved, real};

/// The table, with the heading above and what its columns mean below.
#[must_use]
pub fn table(heading: &str, figures: &[Figures]) -> String {
    let timed = figures.iter().any(|row| row.timing.is_some());
    let mut rows = vec![head(timed)];
    rows.extend(figures.iter().map(|row| cells(row, timed)));
    let mut text = format!("{heading}\n\n{}", aligned(&rows));
    text.push_str(MEANING);
    if timed {
        text.push_str(MEANING_OF_TIMES);
    }
    text
}

const MEANING: &str = "
peak/mean  the fullest member's keys by what is due to it
cov        coefficient of variation of the members' keys by what is due to them
ideal      the same if chance alone threw the keys: sqrt((members - 1) / keys)
p          how likely chance is at least as uneven: near 0, the keys are spread unevenly, near 1,
           more evenly than by chance
join, leave, replace
           keys moved by the least that had to: the newcomer's, the leaver's, of both the more; where
           only the last may leave, the last left
misplaced  of all keys, those that moved at a join or leave although their member stayed
bytes      without the members
";
const MEANING_OF_TIMES: &str = "\
build      from the list of members; with look-up the only columns that differ from run to run
look-up    of random UIDs one after the other, hashed already, but for algorithms that take the text;
           bounded ones assign all keys at once
";

fn head(timed: bool) -> Vec<String> {
    let mut head = vec!["algorithm", "peak/mean", "cov", "ideal", "p"];
    head.extend(["join", "leave", "replace", "misplaced", "bytes"]);
    if timed {
        head.extend(["build", "look-up"]);
    }
    head.into_iter().map(str::to_owned).collect()
}

fn cells(row: &Figures, timed: bool) -> Vec<String> {
    let none = || "-".to_owned();
    let ratio = |moved: Option<&Moved>| {
        moved.and_then(Moved::ratio).map_or_else(none, |ratio| format!("{ratio:.3}"))
    };
    let mut cells = vec![
        row.algorithm.clone(),
        format!("{:.3}", row.peak_to_mean),
        format!("{:.4}", row.variation),
        format!("{:.4}", row.ideal),
        row.p_value.map_or_else(none, probability),
        ratio(Some(&row.join)),
        ratio(row.leave.as_ref()),
        ratio(Some(&row.replace)),
        misplaced(row),
        row.bytes.to_string(),
    ];
    if timed {
        let took = row.timing.map(|timing| [timing.build_nanos, timing.look_up_nanos]);
        cells.extend(took.into_iter().flatten().map(nanos));
    }
    cells
}

fn misplaced(row: &Figures) -> String {
    let leave = row.leave.unwrap_or_default();
    let (misplaced, keys) = (row.join.misplaced + leave.misplaced, row.join.keys + leave.keys);
    match misplaced {
        0 => "0".to_owned(),
        some => format!("{:.1} %", 100.0 * real(some) / real(keys.max(1))),
    }
}

fn probability(p: f64) -> String {
    match p {
        p if p >= 0.001 => format!("{p:.3}"),
        p if p < 1e-99 => "<1e-99".to_owned(),
        p => format!("{p:.0e}"),
    }
}

fn nanos(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.1} ms", n / 1e6),
    }
}

/// Columns as wide as they must be: the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

/// All algorithms with what they can do.
#[must_use]
pub fn list() -> String {
    let head = ["algorithm", "weights", "best k", "leaves", "hash", "what it is"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in ALL {
        let yes = |yes: bool| if yes { "yes" } else { "-" }.to_owned();
        let name = row.parameter.map_or_else(
            || row.name.to_owned(),
            |parameter| format!("{}[:{}]", row.name, parameter.name),
        );
        let leaves = match row.leaves {
            Leaves::Any => "any",
            Leaves::Numbers => "any, by number",
            Leaves::History => "any, in order",
            Leaves::Last => "the last",
        };
        let hash = match row.hashing {
            Hashing::Chosen(hash) => hash.to_string(),
            Hashing::Own(hash) => format!("its own, {hash}"),
        };
        let cells = [name, yes(row.weights), yes(row.ranking), leaves.to_owned(), hash];
        rows.push(cells.into_iter().chain([row.about.to_owned()]).collect());
    }
    let mut text = left(&rows);
    text.push_str("\nor all, or presets; several with commas between them\n");
    text
}

/// As [`aligned`], all to the left.
fn left(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
