//! The verdict for people.

use core::fmt::Write as _;

use super::{Answer, found};
use crate::history::{
    Format, History, KEPT, Length, Lengths, Moment, Plain, Recording, Stretch, Term,
};

/// So many terms are shown: the last ones.
const SHOWN_TERMS: usize = 20;

impl Answer<'_> {
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (file, read) in &self.recordings {
            recording(&mut text, file, read);
        }
        let mut quiet = 0_u64;
        for (format, history) in self.histories.locks() {
            if self.tells(history) {
                lock(&mut text, format, history);
            } else {
                quiet += 1;
            }
        }
        let locks = self.histories.locks().count();
        let _ = writeln!(text);
        if quiet > 0 {
            let locks = counted(quiet, "lock", "locks");
            let _ = writeln!(text, "{locks} with one holder and nothing odd: see --all");
        }
        let verdict = match self.exit_status() {
            0 => "no invariant broke",
            1 => "an invariant broke",
            _ => "unknown: nothing could be judged",
        };
        let (judged, violations) = (self.judged(), self.violations());
        let _ = writeln!(
            text,
            "{verdict}: {}, {} judged, {}",
            counted(locks as u64, "lock", "locks"),
            counted(judged, "step", "steps"),
            counted(violations, "violation", "violations"),
        );
        text
    }
}

fn recording(text: &mut String, file: &str, recording: &Recording) {
    let format = match recording.format {
        Some(Format::Audit) => "audit log",
        Some(Format::Watch) => "watch",
        Some(Format::Trace) => "trace",
        None => "empty",
    };
    let _ = writeln!(
        text,
        "{}: {format}, {}, {} bytes",
        Plain(file),
        counted(recording.lines, "line", "lines"),
        recording.bytes
    );
    if recording.damaged > 0 {
        let _ = writeln!(
            text,
            "  passed over {}:",
            counted(recording.damaged, "damaged line", "damaged lines")
        );
        for (line, why) in &recording.first_damaged {
            let _ = writeln!(text, "    line {line}: {}", Plain(why));
        }
    }
    let Some(checked) = &recording.checked else { return };
    if checked.violations > 0 {
        let found = counted(checked.violations, "violation", "violations");
        let _ = writeln!(text, "  VIOLATION: the checks of `tenure run` found {found}:");
    }
    for violation in &checked.first {
        let _ = writeln!(text, "    {}/{}: {}", violation.check, violation.rule, violation.what);
    }
    if let Some(line) = checked.stopped_at {
        let _ = writeln!(
            text,
            "  the checks of `tenure run` saw it up to line {line}, where an entry is not in its place"
        );
    }
}

fn lock(text: &mut String, format: Format, history: &History) {
    let name = history.lock.to_string();
    let _ = writeln!(text, "\n{}, by its {}", Plain(&name), format.as_str());
    counts(text, history);
    terms(text, history);
    stretch(text, "longest gap", "between two writes of", history.terms.longest_gap.as_ref());
    stretch(text, "longest vacancy", "after", history.terms.longest_vacancy.as_ref());
    lengths(text, "intervals", &history.intervals);
    lengths(text, "latency", &history.latencies);
    for (rule, count) in found(history) {
        let weight = if rule.is_violation() { "VIOLATION" } else { "told" };
        let _ = writeln!(text, "  {weight} {rule}: {count}");
        for finding in history.findings.kept().filter(|finding| finding.rule == rule) {
            let at = finding.at.map_or(String::new(), |at| format!(", {at}"));
            let _ = writeln!(text, "    line {}{at}: {}", finding.line, finding.what);
        }
        if count > KEPT as u64 {
            let _ = writeln!(text, "    and {} more", count - KEPT as u64);
        }
    }
}

fn counts(text: &mut String, history: &History) {
    let counts = history.counts;
    let all = [
        (counts.versions, "version", "versions"),
        (counts.renewals, "renewal", "renewals"),
        (counts.takeovers, "takeover", "takeovers"),
        (counts.acquisitions, "taken when free", "taken when free"),
        (counts.releases, "release", "releases"),
        (counts.deletions, "deletion", "deletions"),
        (counts.conflicts, "conflict", "conflicts"),
        (counts.failures, "failed write", "failed writes"),
        (counts.repeated, "version shown again", "versions shown again"),
    ];
    let told = all.into_iter().filter(|(count, _, _)| *count > 0);
    let told = told.map(|(count, one, more)| counted(count, one, more)).collect::<Vec<_>>();
    if !told.is_empty() {
        let _ = writeln!(text, "  {}", told.join(", "));
    }
    if counts.untold > 0 {
        let writes = counted(counts.untold, "write", "writes");
        let _ = writeln!(
            text,
            "  cannot be judged: {writes} without content (level Metadata, or a patch at level Request)"
        );
    }
    if counts.untimed > 0 {
        let changes = counted(counts.untimed, "change", "changes");
        let _ = writeln!(
            text,
            "  cannot be judged: whether {changes} of hands came too early, without a clock but the holders'"
        );
    }
}

fn terms(text: &mut String, history: &History) {
    let terms: Vec<_> = history.terms.kept().rev().take(SHOWN_TERMS).collect();
    let width = terms.iter().map(|term| Plain(term.holder.as_str()).to_string().chars().count());
    let width = width.max().unwrap_or(0).max("holder".len());
    if terms.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:>11}  {:<width$}  {:<24}  {:<24}  {:>8}  end",
        "transitions", "holder", "from", "last write", "writes"
    );
    if history.terms.count > terms.len() as u64 {
        let _ = writeln!(text, "  {} terms before", history.terms.count - terms.len() as u64);
    }
    for term in terms.into_iter().rev() {
        let holder = Plain(term.holder.as_str()).to_string();
        let (from, last) = (told(term.from), told(term.last));
        let _ = writeln!(
            text,
            "  {:>11}  {holder:<width$}  {from:<24}  {last:<24}  {:>8}  {}",
            term.transitions,
            term.writes,
            end(term)
        );
    }
}

fn end(term: &Term) -> String {
    match term.end {
        Some((Some(at), end)) => format!("{} {at}", end.as_str()),
        Some((None, end)) => end.as_str().to_owned(),
        None => "(of the recording)".to_owned(),
    }
}

fn told(moment: Option<Moment>) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| moment.to_string())
}

fn stretch(text: &mut String, label: &str, whose: &str, stretch: Option<&Stretch>) {
    if let Some(Stretch { length, from, holder }) = stretch {
        let (length, holder) = (Length(*length), Plain(holder.as_str()));
        let _ = writeln!(text, "  {label:<16} {length} from {from}, {whose} {holder}");
    }
}

fn lengths(text: &mut String, label: &str, lengths: &Lengths) {
    let Some(longest) = lengths.longest() else { return };
    let told = |nanos: u64| Length(i128::from(nanos));
    let at = |percent| told(lengths.percentile(percent).unwrap_or(0));
    let _ = writeln!(
        text,
        "  {label:<16} median {}, 90 % {}, 99 % {}, longest {} of {}",
        at(50),
        at(90),
        at(99),
        told(longest),
        lengths.count(),
    );
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
