//! A report in the making: what has begun, and is not over.

use std::collections::BTreeMap;

use super::model::{Call, Came, Fault, Kind, Lane, Mark, Report, Sign, Span, Violation};
use crate::check;
use crate::clock::RIGHT;
use crate::explain::percent;
use crate::time::SimTime;

/// No more calls than this are drawn: a file of some 40 bytes each, which a browser draws after two to four seconds.
pub(super) const CALLS: usize = 1_000_000;
/// Faults at one time have rows of their own, up to so many.
const FAULT_ROWS: u32 = 4;

/// In microseconds.
pub(super) const fn micros(at: SimTime) -> u64 {
    at.as_nanos() / 1_000
}

/// A fault that goes on: how it will be drawn, and the lanes that it hits.
#[derive(Debug, Clone)]
struct Open {
    fault: Fault,
    lanes: Vec<u32>,
}

/// Lanes are filled entry by entry, in order of time.
#[derive(Debug, Clone, Default)]
pub(super) struct Sketch {
    pub(super) report: Report,
    /// Until when there was something.
    pub(super) now: u64,
    spans: BTreeMap<(u32, Kind), Span>,
    faults: BTreeMap<u32, Open>,
    /// When each row of faults is free again.
    rows: Vec<u64>,
    /// How many calls are drawn, and how many of each kind were left out.
    calls: usize,
    limit: usize,
    thinned: [u64; 4],
    /// Those that are left out: all before this.
    least: Option<Came>,
}

impl Sketch {
    pub(super) fn new(lanes: impl Iterator<Item = String>) -> Self {
        let mut sketch = Self { limit: CALLS, ..Self::default() };
        for (colour, name) in (0..).zip(lanes) {
            let name = sketch.report.texts.put(&name);
            let colour = Some(colour);
            sketch.report.lanes.push(Lane { name, colour, ..Lane::default() });
        }
        sketch
    }

    #[cfg(test)]
    pub(super) fn at_most(mut self, calls: usize) -> Self {
        self.limit = calls;
        self
    }

    fn lane(&mut self, lane: u32) -> Option<&mut Lane> {
        self.report.lanes.get_mut(lane as usize)
    }

    /// Something begins that goes on; what went on of this kind is over.
    pub(super) fn begin(&mut self, lane: u32, kind: Kind, at: u64, text: &str, value: u32) {
        self.end(lane, kind, at);
        let text = self.report.texts.put(text);
        self.spans.insert((lane, kind), Span { kind, from: at, to: at, text, value });
    }

    /// It is over, if it went on.
    pub(super) fn end(&mut self, lane: u32, kind: Kind, at: u64) {
        if let Some(mut span) = self.spans.remove(&(lane, kind)) {
            span.to = at;
            // What does not last cannot be seen.
            if at > span.from
                && let Some(lane) = self.lane(lane)
            {
                lane.spans.push(span);
            }
        }
    }

    pub(super) fn is_open(&self, lane: u32, kind: Kind) -> bool {
        self.spans.contains_key(&(lane, kind))
    }

    /// Whether it goes on, and is called this.
    pub(super) fn goes_on(&self, lane: u32, kind: Kind, text: &str) -> bool {
        let open = self.spans.get(&(lane, kind));
        open.is_some_and(|span| self.report.texts.get(span.text) == text)
    }

    /// A clock has this rate from now on.
    pub(super) fn clock(&mut self, lane: u32, rate_ppb: u64, at: u64) {
        self.end(lane, Kind::Clock, at);
        if rate_ppb != RIGHT {
            let text = format!("clock at {}", percent(rate_ppb));
            self.begin(
                lane,
                Kind::Clock,
                at,
                &text,
                u32::try_from(rate_ppb / 1_000_000).unwrap_or(u32::MAX),
            );
        }
    }

    pub(super) fn mark(&mut self, lane: u32, sign: Sign, at: u64, text: &str) {
        let text = self.report.texts.put(text);
        if let Some(lane) = self.lane(lane) {
            lane.marks.push(Mark { sign, at, text });
        }
    }

    /// A call that is over. Of too many the least telling are left out: reads first, what failed last.
    pub(super) fn call(&mut self, lane: u32, call: Call) {
        if self.least.is_some_and(|least| call.came <= least) {
            if let Some(count) = self.thinned.get_mut(call.came as usize) {
                *count += 1;
            }
            return;
        }
        if let Some(lane) = self.lane(lane) {
            lane.calls.push(call);
            self.calls += 1;
        }
        while self.calls > self.limit && self.least != Some(Came::Failed) {
            self.thin();
        }
    }

    fn thin(&mut self) {
        let least = match self.least {
            None => Came::Read,
            Some(Came::Read) => Came::Work,
            Some(Came::Work) => Came::Written,
            Some(_) => Came::Failed,
        };
        self.least = Some(least);
        for lane in &mut self.report.lanes {
            let before = lane.calls.len();
            lane.calls.retain(|call| call.came > least);
            let gone = before - lane.calls.len();
            self.calls -= gone;
            if let Some(count) = self.thinned.get_mut(least as usize) {
                *count += gone as u64;
            }
        }
    }

    /// A fault begins, and hits these lanes.
    pub(super) fn fault(&mut self, id: u32, network: bool, text: &str, lanes: &[u32], at: u64) {
        self.fault_over(id, at);
        let text = self.report.texts.put(text);
        // Another may end where this begins.
        let free = self.rows.iter().position(|free| *free <= at).unwrap_or(self.rows.len());
        let row = u32::try_from(free).unwrap_or(u32::MAX).min(FAULT_ROWS - 1);
        self.take_row(row, u64::MAX);
        let fault = Fault { network, from: at, to: at, text, row };
        self.faults.insert(id, Open { fault, lanes: lanes.to_vec() });
    }

    fn take_row(&mut self, row: u32, until: u64) {
        let row = row as usize;
        self.rows.resize(self.rows.len().max(row + 1), 0);
        if let Some(free) = self.rows.get_mut(row) {
            *free = until;
        }
    }

    pub(super) fn fault_over(&mut self, id: u32, at: u64) {
        let Some(Open { mut fault, lanes }) = self.faults.remove(&id) else { return };
        fault.to = at;
        self.take_row(fault.row, at);
        if fault.network {
            let Fault { from, to, text, .. } = fault;
            for lane in lanes {
                if let Some(lane) = self.lane(lane) {
                    lane.spans.push(Span { kind: Kind::Hit, from, to, text, value: 0 });
                }
            }
        }
        self.report.faults.push(fault);
    }

    /// All that a lane was in the midst of is over.
    pub(super) fn end_all(&mut self, lane: u32, at: u64) {
        let of_lane = (lane, Kind::Up)..=(lane, Kind::Holds);
        let open: Vec<_> = self.spans.range(of_lane).map(|(key, _)| *key).collect();
        for (lane, kind) in open {
            self.end(lane, kind, at);
        }
    }

    /// All is over, and this was found. `lane` is that of a replica.
    pub(super) fn finish(
        mut self,
        violations: &[check::Violation],
        lane: impl Fn(u32) -> u32,
    ) -> Report {
        let end = self.now;
        let faults: Vec<u32> = self.faults.keys().copied().collect();
        for fault in faults {
            self.fault_over(fault, end);
        }
        let lanes = u32::try_from(self.report.lanes.len()).unwrap_or(u32::MAX);
        for lane in 0..lanes {
            self.end_all(lane, end);
        }
        for found in violations {
            self.violation(found, &lane);
        }
        let mut report = self.report;
        report.to = end.max(1);
        report.faults.sort_by_key(|fault| (fault.from, fault.row));
        report.violations.sort_by_key(|violation| violation.at);
        for lane in &mut report.lanes {
            lane.spans.sort_by_key(|span| (span.kind, span.from));
            lane.calls.sort_by_key(|call| call.from);
        }
        let kinds = ["reads", "pieces of work", "writes", "calls that failed"];
        for (count, kind) in self.thinned.into_iter().zip(kinds) {
            if count > 0 {
                let limit = self.limit;
                report.notices.push(format!(
                    "{count} {kind} are not drawn: there are more than {limit} calls"
                ));
            }
        }
        report
    }

    fn violation(&mut self, found: &check::Violation, lane: impl Fn(u32) -> u32) {
        let at = micros(found.at);
        let lanes: Vec<u32> = found.replicas.iter().map(|it| lane(*it)).collect();
        // Two leaders are two until one of them stops.
        let leads = |lane: &u32| {
            let lane = self.report.lanes.get(*lane as usize)?;
            let mut leads = lane.spans.iter().filter(|span| span.kind == Kind::Leads);
            leads.find(|span| span.from <= at && at < span.to).map(|span| span.to)
        };
        let ends: Option<Vec<u64>> = lanes.iter().map(leads).collect();
        let two = found.check == "one-leader" && lanes.len() > 1;
        let to = ends.filter(|_| two).and_then(|ends| ends.into_iter().min()).unwrap_or(at);
        let rule = self.report.texts.put(&format!("{}/{}", found.check, found.rule));
        let what = self.report.texts.put(&found.what);
        self.report.violations.push(Violation { at, to, rule, what, lanes });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of too many calls those that tell least go first, and the report says how many are gone.
    #[test]
    fn too_many_calls_are_thinned_and_it_is_told() {
        let draw = |limit: usize| {
            let mut sketch = Sketch::new(["a".to_owned()].into_iter()).at_most(limit);
            let text = sketch.report.texts.put("");
            let kinds = [Came::Read, Came::Written, Came::Failed].into_iter().cycle();
            for (from, came) in (0..12).zip(kinds) {
                let (what, became) = (text, text);
                let call = Call { came, from, effect: None, to: from, what, became, number: None };
                sketch.call(0, call);
            }
            let report = sketch.finish(&[], |lane| lane);
            let came: Vec<Came> = report.lanes[0].calls.iter().map(|call| call.came).collect();
            (came, report.notices)
        };
        let (came, notices) = draw(12);
        assert_eq!((came.len(), notices.len()), (12, 0));
        let (came, notices) = draw(8);
        assert!(came.len() == 8 && !came.contains(&Came::Read));
        assert_eq!(notices, ["4 reads are not drawn: there are more than 8 calls"]);
        let (came, notices) = draw(7);
        assert_eq!(came, [Came::Failed; 4]);
        assert_eq!(notices.len(), 2);
        assert_eq!(draw(3).0, []);
    }

    #[test]
    fn faults_at_one_time_have_rows_of_their_own() {
        let mut sketch = Sketch::default();
        sketch.fault(0, false, "a", &[], 0);
        sketch.fault(1, false, "b", &[], 5);
        sketch.fault_over(0, 10);
        sketch.fault(2, false, "c", &[], 10);
        sketch.now = 20;
        let report = sketch.finish(&[], |lane| lane);
        let rows: Vec<_> = report.faults.iter().map(|it| (it.from, it.to, it.row)).collect();
        assert_eq!(rows, [(0, 10, 0), (5, 20, 1), (10, 20, 0)]);
    }
}
