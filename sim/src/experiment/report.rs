//! The experiment's result, for people and for programs.

use core::fmt;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::verdict::{findings, millis};
use super::{Experiment, Finding, HORIZON, Holds, Measured, Mode, RATES, Run, faults};
use crate::distribution::Distribution;
use crate::fault::{Direction, Fault, Planned};
use crate::outcome::Digest;
use crate::time::Span;

/// What came of the experiment. As text it is the answer for people; see [`Report::json`] as well.
#[derive(Debug, Clone)]
pub struct Report {
    experiment: Experiment,
    /// One run a mode, in the order of [`Mode::ALL`].
    pub runs: Vec<Run>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(experiment: &Experiment, runs: Vec<Run>) -> Self {
        let findings = findings(experiment, &runs);
        Self { experiment: experiment.clone(), runs, findings }
    }

    /// 0: all that was promised holds; 1: something does not; 3: a fault had no effect, so that
    /// nothing was shown.
    pub(crate) fn exit_status(&self) -> u8 {
        let any = |verdict| self.findings.iter().any(|finding| finding.verdict == verdict);
        match (any(Holds::Failed), any(Holds::Unknown)) {
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => 0,
        }
    }

    /// The same as one JSON object.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        let Experiment { workload, pace, profile, seed } = &self.experiment;
        json!({
            "experiment": {
                "seed": seed,
                "profile": profile.to_string(),
                "objects": workload.len(),
                "resync": pace.resync,
                "reconcile": pace.reconcile,
                "workers": pace.workers,
                "rates_ppb": RATES,
                "horizon": HORIZON,
                "faults": faults(),
            },
            "modes": self.runs.iter().map(mode).collect::<Vec<_>>(),
            "findings": self.findings,
            "digest": self.digest().to_string(),
            "exit_status": self.exit_status(),
        })
    }

    /// Over all modes: the sum of their runs' digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let digests = self.runs.iter().map(|run| run.outcome.digest.0);
        Digest(digests.fold(0, u128::wrapping_add))
    }

    fn measured(&self) -> impl Iterator<Item = &Measured> {
        self.runs.iter().map(|run| &run.measured)
    }

    fn introduction(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Experiment { workload, pace, profile, seed } = &self.experiment;
        let scenario = self.experiment.scenario(Mode::Leader);
        let (shortest, longest) = match pace.reconcile {
            Distribution::Uniform { min, max } => (min, max),
            other => (other.longest(), other.longest()),
        };
        writeln!(
            f,
            "Three replicas of one controller and {} objects. Each object is due once in {}, and when a \
             replica\ngets it; a reconcile takes {shortest} to {longest}, and a replica does {} at once. \
             Simulated: {HORIZON} in each of\nfour modes, with seed {seed} and the same faults:",
            workload.len(),
            pace.resync,
            pace.workers,
        )?;
        let plan = faults();
        for turn in plan.chunks(RATES.len()) {
            let times = turn.iter().filter_map(|planned| planned.at).map(clock);
            let times = times.collect::<Vec<_>>().join(", ");
            if let Some(planned) = turn.first() {
                writeln!(f, "  at {times:<19} replica 0, 1, 2 {}", said(planned))?;
            }
        }
        let always = "always";
        writeln!(
            f,
            "  {always:<22} the clock of replica 1 is 10 % fast, that of replica 2 10 % slow"
        )?;
        let (lease, retry) = (scenario.lease_duration, scenario.retry_period);
        writeln!(
            f,
            "The election is {profile}: lease duration {lease}, renew deadline {}, retry period {retry}; \
             the shards have the same.\nBoth kinds of sharding renew one Lease a replica and list all \
             every {retry}. Naively, a replica counts those that\nchanged within {lease}, and takes for \
             its own what rendezvous over them gives it. Ranked, it keeps to the\nprotocol of \
             tenure::sharding.",
            scenario.renew_deadline,
        )
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        row(f, "", Mode::ALL.map(Mode::title).into_iter())?;
        for (title, cell) in ROWS {
            row(f, title, self.measured().map(cell))?;
        }
        Ok(())
    }

    fn verdicts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut about = None;
        for Finding { mode, property, verdict, what } in &self.findings {
            if about != Some(*mode) {
                about = Some(*mode);
                writeln!(f, "{}", mode.map_or("placement", Mode::title))?;
            }
            let verdict = match verdict {
                Holds::Holds => "holds",
                Holds::Failed => "VIOLATED",
                Holds::NotPromised => "violated, as expected",
                Holds::Unknown => "UNKNOWN",
            };
            writeln!(f, "  {verdict:<23}{property}: {what}")?;
        }
        Ok(())
    }

    fn conclusion(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [alone, leader, naive, ranked] = &self.runs[..] else { return Ok(()) };
        let [alone, leader, naive, ranked] =
            [alone, leader, naive, ranked].map(|run| &run.measured);
        writeln!(
            f,
            "Without election each object is reconciled {} times as often as with a leader. With a \
             leader one replica\nat a time does the work of all, and nothing has an owner until it is \
             replaced.",
            decimal(alone.reconciles.into(), leader.reconciles.into(), 1),
        )?;
        if leader.exclusive && leader.doubled_objects > 0 {
            writeln!(
                f,
                "Even so two replicas worked on {} objects at once: on what a leader had begun before it \
                 stood still.\nThat is what fencing tokens are for.",
                leader.doubled_objects,
            )?;
        }
        writeln!(
            f,
            "Sharding divides the work: the busiest replica has {} times the mean, not {}. But replicas \
             that trust what\nthey see had {}.",
            busiest(ranked),
            busiest(leader),
            match naive.more_millis {
                0 => "no object in common in this run".to_owned(),
                more => format!(
                    "objects in common for {} object-seconds, and worked on {} objects at the same time",
                    seconds(more),
                    naive.doubled_objects,
                ),
            },
        )?;
        if !ranked.exclusive {
            return Ok(());
        }
        writeln!(
            f,
            "With a protocol they had none, and objects were without owner for {} % of the time (with a \
             leader {} %).",
            percent(ranked, ranked.none_millis),
            percent(leader, leader.none_millis),
        )?;
        if ranked.doubled_objects > 0 {
            let doubled = ranked.doubled_objects;
            writeln!(
                f,
                "Here, too, what stood still in the middle of its work ({doubled}) needs a token."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.introduction(f)?;
        writeln!(f)?;
        self.table(f)?;
        writeln!(f)?;
        self.verdicts(f)?;
        writeln!(f)?;
        self.conclusion(f)?;
        writeln!(f, "\ndigest {}", self.digest())
    }
}

type Cell = fn(&Measured) -> String;

/// The table: what each row is called, and how a cell of it comes about.
const ROWS: [(&str, Cell); 15] = [
    ("reconciles of an object, mean", |m| decimal(m.reconciles.into(), m.objects.into(), 1)),
    ("  fewest to most", |m| format!("{} to {}", m.least, m.most)),
    ("objects that two worked on at once", |m| m.doubled_objects.to_string()),
    ("  for how long, object-seconds", |m| seconds(m.doubled_millis)),
    ("two owners, object-seconds", |m| seconds(m.more_millis)),
    ("  share of all object-time, %", |m| percent(m, m.more_millis)),
    ("no owner, object-seconds", |m| seconds(m.none_millis)),
    ("  share of all object-time, %", |m| percent(m, m.none_millis)),
    ("busiest replica of a minute to mean", busiest),
    ("requests a second: election, members", |m| per_second(m.requests(), m)),
    ("  reconciles", |m| per_second(m.reconciles, m)),
    ("one owner each, after the start", |m| recovered(m, "start")),
    ("  after a cut, longest", |m| recovered(m, "partition")),
    ("  after a crash, longest", |m| recovered(m, "crash")),
    ("  after a pause, longest", |m| recovered(m, "pause")),
];

fn row<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    cells: impl Iterator<Item = T>,
) -> fmt::Result {
    write!(f, "{title:<38}")?;
    for cell in cells {
        write!(f, "{cell:>17}")?;
    }
    writeln!(f)
}

fn percent(measured: &Measured, part: u64) -> String {
    let all = measured.none_millis + measured.one_millis + measured.more_millis;
    decimal(100 * u128::from(part), all.into(), 3)
}

fn per_second(count: u64, measured: &Measured) -> String {
    decimal(1_000 * u128::from(count), millis(measured.lasted).into(), 2)
}

fn recovered(measured: &Measured, kind: &str) -> String {
    measured
        .longest(kind)
        .map_or_else(|| "never".to_owned(), |span| format!("{} s", seconds(millis(span))))
}

/// What the busiest replica of each minute did, over the mean of all replicas.
fn busiest(measured: &Measured) -> String {
    let replicas = measured.by_replica.len() as u128;
    decimal(u128::from(measured.busiest) * replicas, measured.reconciles.into(), 2)
}

/// Thousandths as a number with one digit after the point.
pub(super) fn seconds(millis: u64) -> String {
    decimal(millis.into(), 1_000, 1)
}

/// A quotient with so many digits after the point, rounded half up.
pub(super) fn decimal(numerator: u128, denominator: u128, digits: u32) -> String {
    let scale = 10_u128.pow(digits);
    let Some(scaled) = (2 * numerator * scale + denominator).checked_div(2 * denominator) else {
        return "-".to_owned();
    };
    let width = digits as usize;
    format!("{}.{:0width$}", scaled / scale, scaled % scale)
}

/// Minutes and seconds.
fn clock(at: Span) -> String {
    let seconds = at.as_nanos() / 1_000_000_000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn said(planned: &Planned) -> String {
    let lasts = planned.lasts.unwrap_or_default();
    match &planned.fault {
        Fault::Partition(links) if links.direction == Direction::Incoming => {
            format!("gets no answers for {lasts}, but what it sends arrives")
        }
        Fault::Partition(_) => format!("is cut off from the API server for {lasts}"),
        Fault::Crash { .. } => format!("crashes and is back after {lasts}"),
        Fault::Pause { .. } => format!("stands still for {lasts}"),
        other => format!("has a {} for {lasts}", other.kind()),
    }
}

fn mode(run: &Run) -> serde_json::Value {
    let m = &run.measured;
    let moments = m.moments.iter().map(|moment| {
        json!({
            "at_nanos": moment.at,
            "kind": moment.kind,
            "recovered_nanos": moment.recovered.map(Span::as_nanos),
        })
    });
    json!({
        "mode": m.mode,
        "digest": run.outcome.digest.to_string(),
        "reconciles": {
            "all": m.reconciles, "fewest": m.least, "most": m.most, "by_replica": m.by_replica,
            "by_busiest_of_each_minute": m.busiest,
        },
        "worked_on_at_once": { "objects": m.doubled_objects, "object_millis": m.doubled_millis },
        "object_millis": { "no_owner": m.none_millis, "one_owner": m.one_millis, "two_owners": m.more_millis },
        "requests": {
            "election": m.election_requests,
            "membership_writes": m.membership_writes,
            "membership_lists": m.membership_lists,
        },
        "moments": moments.collect::<Vec<_>>(),
        "faults": run.effects.iter().map(|effect| {
            json!({ "fired": effect.fired, "had_effect": effect.had_effect })
        }).collect::<Vec<_>>(),
        "statistics": run.outcome.statistics,
        "violations": run.outcome.violations,
    })
}

impl Serialize for Mode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded() {
        for (numerator, denominator, digits, text) in [
            (1, 3, 3, "0.333"),
            (2, 3, 3, "0.667"),
            (1, 2, 1, "0.5"),
            (5, 100, 1, "0.1"),
            (1, 0, 2, "-"),
        ] {
            assert_eq!(decimal(numerator, denominator, digits), text);
        }
    }
}
