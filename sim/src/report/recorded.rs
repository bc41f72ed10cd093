//! Recorded history drawn.

use super::Report;
use super::model::{Axis, Kind, Lane, Mark, Sign, Span, Table, Violation};
use super::sketch::micros;
use crate::check;
use crate::history::{History, Moment, Plain, Rule, Term};

/// Draws the histories of locks: for each a lane of its own, with what was found, and one for each holder.
/// The axis is one of wall clocks, or of simulated time; what has times of the other kind is left out, and
/// the report says so. `checked` is what the checks of runs found in traces. Its head is empty.
///
/// ```
/// use tenure_sim::{history, report};
/// let mut histories = history::Histories::new(history::Settings::default());
/// let text = br#"{"type":"ADDED","object":{"kind":"Lease","metadata":{"name":"a","resourceVersion":"7"},"spec":{"holderIdentity":"x","renewTime":"2026-01-01T00:00:00.000000Z"}}}"#;
/// histories.read(&text[..], &mut |_| {}).unwrap();
/// let locks: Vec<_> = histories.locks().map(|(_, history)| history).collect();
/// let report = report::recorded(&locks, &[]);
/// assert!(report.svg().contains("Lease"));
/// ```
#[must_use]
pub fn recorded(histories: &[&History], checked: &[&check::Violation]) -> Report {
    let mut report = Report::default();
    let moments = || histories.iter().copied().flat_map(moments_of);
    let wall = moments().any(Moment::is_wall);
    let times = || moments().filter(|moment| moment.is_wall() == wall);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        report.notices.push("Nothing has a time: nothing is drawn.".to_owned());
        report.to = 1;
        return report;
    };
    report.axis = if wall {
        Axis::Wall(i64::try_from(first.timestamp().unix_nanos() / 1_000).unwrap_or(0))
    } else {
        Axis::Time
    };
    let origin = if wall { first } else { Moment::simulated(0) };
    let scale = Scale { wall, origin };
    report.from = scale.place(first).unwrap_or(0);
    report.to = scale.place(last).unwrap_or(0).max(report.from + 1);
    let mut left_out = 0_u32;
    for history in histories {
        if moments_of(history).any(|moment| moment.is_wall() == wall) {
            scale.lock(&mut report, history);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let what = "have times of another kind, or none, and are not drawn: give them alone";
        report.notices.push(format!("{left_out} locks {what}"));
    }
    for found in checked.iter().filter(|_| !wall) {
        let at = micros(found.at);
        let rule = report.texts.put(&format!("{}/{}", found.check, found.rule));
        let what = report.texts.put(&found.what);
        report.violations.push(Violation { at, to: at, rule, what, lanes: Vec::new() });
    }
    report.violations.sort_by_key(|violation| violation.at);
    report.list_terms("Who held which lock when", "holder");
    report
}

/// All times that a history has.
fn moments_of(history: &History) -> impl Iterator<Item = Moment> {
    let of_term = |term: &Term| {
        let end = term.end.and_then(|(at, _)| at);
        [term.from, term.last, end].into_iter().flatten()
    };
    let found = history.findings.kept().filter_map(|finding| finding.at);
    history.terms.kept().flat_map(of_term).chain(found)
}

/// Where a time lies on the axis.
#[derive(Debug, Clone, Copy)]
struct Scale {
    wall: bool,
    origin: Moment,
}

impl Scale {
    fn place(self, moment: Moment) -> Option<u64> {
        let nanos = (moment.is_wall() == self.wall).then(|| moment.since(self.origin))?;
        u64::try_from(nanos / 1_000).ok()
    }

    /// Adds the lanes of a lock.
    fn lock(self, report: &mut Report, history: &History) {
        let name = Plain(&history.lock.to_string()).to_string();
        let group = Some(report.texts.put(&name));
        let own = u32::try_from(report.lanes.len()).unwrap_or(u32::MAX);
        report.lanes.push(Lane { name: report.texts.put("the lock"), group, ..Lane::default() });
        let mut holders: Vec<&str> = Vec::new();
        for term in history.terms.kept() {
            let holder = term.holder.as_str();
            let place = holders.iter().position(|known| *known == holder).unwrap_or_else(|| {
                holders.push(holder);
                let name = report.texts.put(&Plain(holder).to_string());
                let colour = u32::try_from(holders.len() - 1).ok();
                report.lanes.push(Lane { name, colour, ..Lane::default() });
                holders.len() - 1
            });
            let lane = own + 1 + u32::try_from(place).unwrap_or(u32::MAX);
            self.term(report, own, lane, term);
        }
        let shown = history.terms.kept().count() as u64;
        if history.terms.count > shown {
            let before = history.terms.count - shown;
            report
                .notices
                .push(format!("{name}: {before} terms before the last {shown} are not drawn"));
        }
        self.findings(report, own, history);
    }

    /// A term: what the lock says, and how long the holder is seen to hold it.
    fn term(self, report: &mut Report, own: u32, lane: u32, term: &Term) {
        let Some(from) = term.from.and_then(|from| self.place(from)) else { return };
        let last = term.last.and_then(|last| self.place(last)).unwrap_or(from);
        let end = term.end.and_then(|(at, _)| at).and_then(|end| self.place(end));
        let how = term.end.map_or("", |(_, end)| end.as_str());
        let writes = if term.writes == 1 { "write" } else { "writes" };
        let told = format!("transition {}, {} {writes}", term.transitions, term.writes);
        let told = if how.is_empty() { told } else { format!("{told}, {how}") };
        let text = report.texts.put(&told);
        let name = report.texts.put(&Plain(term.holder.as_str()).to_string());
        let lasts = u64::try_from(term.lasts / 1_000).unwrap_or(0);
        let to = end.unwrap_or(report.to).max(from);
        let mut push = |lane: u32, kind, to: u64, text, value| {
            if let Some(lane) = report.lanes.get_mut(lane as usize) {
                lane.spans.push(Span { kind, from, to: to.max(from), text, value });
            }
        };
        push(own, Kind::Holds, to, name, lane + 1);
        // Nobody can know from outside until when it acted: its right ends at the latest with the record's.
        push(lane, Kind::Leads, to.min(last.saturating_add(lasts)), text, 1_000);
        push(lane, Kind::Acts, last, text, 0);
    }

    fn findings(self, report: &mut Report, own: u32, history: &History) {
        let name = history.lock.to_string();
        let head = vec!["rule", "when", "line", "what"];
        let title = format!("Found in {}", Plain(&name));
        let mut table = Table { title, head, rows: Vec::new() };
        for finding in history.findings.kept() {
            let when = finding.at.map_or_else(String::new, |at| at.to_string());
            let (rule, what) = (finding.rule.as_str(), &finding.what);
            let line = finding.line.to_string();
            table.rows.push(vec![rule.to_owned(), when, line.clone(), what.clone()]);
            let Some(at) = finding.at.and_then(|at| self.place(at)) else { continue };
            let text = report.texts.put(&format!("{rule}, line {line}: {what}"));
            if finding.rule.is_violation() {
                let [rule, what] = [rule, what].map(|it| report.texts.put(it));
                report.violations.push(Violation { at, to: at, rule, what, lanes: vec![own] });
            } else if let Some(lane) = report.lanes.get_mut(own as usize) {
                let sign = if finding.rule == Rule::Deleted { Sign::ByHand } else { Sign::Warns };
                lane.marks.push(Mark { sign, at, text });
            }
        }
        if !table.rows.is_empty() {
            report.tables.push(table);
        }
    }
}
