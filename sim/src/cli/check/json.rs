//! The verdict for programs.

use serde_json::{Value, json};

use super::{Answer, found};
use crate::history::{Format, History, Lengths, Moment, Recording, Stretch, Term};

fn moment(moment: Option<Moment>) -> Value {
    moment.map_or(Value::Null, |moment| format!("{moment:#}").into())
}

/// JSON has no greater numbers that all read alike.
fn nanos(nanos: i128) -> Value {
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }).into()
}

fn lengths(lengths: &Lengths) -> Value {
    json!({
        "count": lengths.count(),
        "p50": lengths.percentile(50),
        "p90": lengths.percentile(90),
        "p99": lengths.percentile(99),
        "max": lengths.longest(),
    })
}

fn stretch(stretch: Option<&Stretch>) -> Value {
    stretch.map_or(Value::Null, |stretch| {
        json!({
            "nanos": nanos(stretch.length),
            "from": moment(Some(stretch.from)),
            "holder": stretch.holder.as_str(),
        })
    })
}

fn term(term: &Term) -> Value {
    let (until, end) = term.end.map_or((None, None), |(at, end)| (at, Some(end.as_str())));
    json!({
        "holder": term.holder.as_str(),
        "transitions": term.transitions,
        "from": moment(term.from),
        "last_write": moment(term.last),
        "writes": term.writes,
        "lasts_nanos": nanos(term.lasts),
        "end": end,
        "until": moment(until),
    })
}

fn recording(file: &str, recording: &Recording) -> Value {
    let damaged = recording.first_damaged.iter();
    let first = damaged.map(|(line, why)| json!({ "line": line, "why": why }));
    json!({
        "file": file,
        "format": recording.format.map(Format::as_str),
        "lines": recording.lines,
        "bytes": recording.bytes,
        "damaged": recording.damaged,
        "first_damaged": first.collect::<Vec<_>>(),
        "checked": recording.checked.as_ref().map(|checked| json!({
            "violations": checked.violations,
            "first": checked.first,
            "stopped_at": checked.stopped_at,
        })),
    })
}

fn lock(format: Format, history: &History) -> Value {
    let findings = history.findings.kept().map(|finding| {
        json!({
            "rule": finding.rule.as_str(),
            "violation": finding.rule.is_violation(),
            "line": finding.line,
            "at": moment(finding.at),
            "what": finding.what,
        })
    });
    let found = found(history).map(|(rule, count)| (rule.as_str().to_owned(), json!(count)));
    let counts = history.counts;
    json!({
        "format": format.as_str(),
        "kind": history.lock.kind.to_string(),
        "namespace": &*history.lock.namespace,
        "name": &*history.lock.name,
        "holder": history.record().map(|record| record.holder.as_str().to_owned()),
        "versions": counts.versions,
        "renewals": counts.renewals,
        "takeovers": counts.takeovers,
        "acquisitions": counts.acquisitions,
        "releases": counts.releases,
        "deletions": counts.deletions,
        "conflicts": counts.conflicts,
        "failures": counts.failures,
        "repeated": counts.repeated,
        "untold": counts.untold,
        "judged": counts.judged,
        "untimed": counts.untimed,
        "violations": history.findings.violations(),
        "found": found.collect::<serde_json::Map<_, _>>(),
        "findings": findings.collect::<Vec<_>>(),
        "terms": history.terms.count,
        "last_terms": history.terms.kept().map(term).collect::<Vec<_>>(),
        "longest_gap": stretch(history.terms.longest_gap.as_ref()),
        "longest_vacancy": stretch(history.terms.longest_vacancy.as_ref()),
        "interval_nanos": lengths(&history.intervals),
        "latency_nanos": lengths(&history.latencies),
    })
}

impl Answer<'_> {
    pub(super) fn json(&self) -> Value {
        let recordings = self.recordings.iter().map(|(file, read)| recording(file, read));
        json!({
            "recordings": recordings.collect::<Vec<_>>(),
            "locks": self.histories.locks().map(|(format, history)| lock(format, history)).collect::<Vec<_>>(),
            "violations": self.violations(),
            "judged": self.judged(),
            "exit_status": self.exit_status(),
        })
    }
}
