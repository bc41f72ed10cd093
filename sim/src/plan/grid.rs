//! Every fault, or every pair of faults, at every time of a grid: the seed is the number of one of them.
//! What is exhausted so can be said in a sentence that everybody understands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::safe_rates;
use crate::fault::{Code, Direction, Fault, Links, Outage, Planned, Reborn, Site, Target, WakeUp};
use crate::scenario::Scenario;
use crate::time::Span;

/// Which faults, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// How many faults at once: 1 or 2.
    pub faults: u8,
    /// The first time.
    pub from: Span,
    /// No fault begins at or after this.
    pub to: Span,
    /// How far the times are apart.
    pub step: Span,
    /// How long faults last: each of these.
    pub lasts: Vec<Span>,
}

impl Grid {
    /// How many faults the grid has for this scenario, each by itself.
    #[must_use]
    pub fn singles(&self, scenario: &Scenario) -> u64 {
        let lasts = self.lasts.len() as u64;
        (kinds(scenario).len() as u64).saturating_mul(lasts).saturating_mul(self.times())
    }

    /// How many runs it takes to see all; seeds from 0 up to this are different ones.
    ///
    /// ```
    /// use tenure_sim::{plan::Grid, scenario::Scenario, time::Span};
    /// let (from, to, step) = (Span::from_secs(60), Span::from_secs(90), Span::from_secs(10));
    /// let grid = Grid { faults: 2, from, to, step, lasts: vec![step] };
    /// let scenario = Scenario { grid: Some(grid.clone()), ..Scenario::default() };
    /// let (singles, pairs) = (grid.singles(&scenario), scenario.seeds().unwrap());
    /// assert_eq!((singles % 3, pairs), (0, singles * (singles - 1) / 2), "at each of three times");
    /// ```
    #[must_use]
    pub fn count(&self, scenario: &Scenario) -> u64 {
        let singles = self.singles(scenario);
        match self.faults {
            1 => singles,
            _ => singles.saturating_mul(singles.saturating_sub(1)) / 2,
        }
    }

    fn times(&self) -> u64 {
        let span = self.to.as_nanos().saturating_sub(self.from.as_nanos());
        span.div_ceil(self.step.as_nanos().max(1))
    }

    /// The faults of this number; numbers past the last begin again.
    pub(super) fn plan(&self, scenario: &Scenario, number: u64) -> Vec<Planned> {
        let count = self.count(scenario);
        if count == 0 {
            return Vec::new();
        }
        let number = number % count;
        if self.faults == 1 {
            return self.single(scenario, number).into_iter().collect();
        }
        // Pairs in the order of their later one: (0, 1), (0, 2), (1, 2), (0, 3), …
        let later = (number.saturating_mul(8) + 1).isqrt().div_ceil(2);
        let before = |later: u64| later * (later - 1) / 2;
        let later = if before(later) > number { later - 1 } else { later };
        let pair = [number - before(later), later];
        pair.into_iter().filter_map(|number| self.single(scenario, number)).collect()
    }

    fn single(&self, scenario: &Scenario, number: u64) -> Option<Planned> {
        let kinds = kinds(scenario);
        let (rest, kind) = (number / kinds.len() as u64, number % kinds.len() as u64);
        let (time, lasts) = (rest / self.lasts.len() as u64, rest % self.lasts.len() as u64);
        let at = self.from.as_nanos() + time * self.step.as_nanos();
        let fault = kinds.into_iter().nth(usize::try_from(kind).ok()?)?;
        let lasts = *self.lasts.get(usize::try_from(lasts).ok()?)?;
        Some(Planned::at(Span::from_nanos(at), fault).lasting(lasts))
    }
}

/// One of each kind that matters to an election, for the leader and for a follower.
fn kinds(scenario: &Scenario) -> Vec<Fault> {
    let mut kinds = Vec::new();
    let (slow, fast) = safe_rates(scenario);
    for target in [Target::Leader, Target::Follower] {
        for direction in [Direction::Both, Direction::Incoming, Direction::Outgoing] {
            kinds.push(Fault::Partition(Links::of(Site::Of(target)).direction(direction)));
        }
        for wake_up in [WakeUp::TimersFirst, WakeUp::MessagesFirst] {
            kinds.push(Fault::Pause { target, wake_up });
        }
        kinds.push(Fault::Crash { target, reborn: Reborn::New });
        kinds.push(Fault::Stop { target });
        let rate_ppb = if target == Target::Leader { slow } else { fast };
        kinds.push(Fault::Drift { target, rate_ppb });
    }
    for how in [Outage::Refuse, Outage::Hang] {
        kinds.push(Fault::StoreOutage { api: None, how });
    }
    let code = Code::default();
    kinds.push(Fault::StoreErrors { before_ppm: 0, after_ppm: 1_000_000, code });
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_another_plan_and_none_is_left_out() {
        let grid = |faults| Grid {
            faults,
            from: Span::from_secs(30),
            to: Span::from_secs(33),
            step: Span::from_secs(2),
            lasts: vec![Span::from_secs(1), Span::from_secs(20)],
        };
        let scenario = Scenario::default();
        let singles = grid(1).count(&scenario);
        assert_eq!(singles, 19 * 2 * 2);
        let pairs = grid(2).count(&scenario);
        let mut seen = Vec::new();
        for number in 0..pairs {
            let plan = grid(2).plan(&scenario, number);
            assert_eq!(plan.len(), 2);
            assert_ne!(plan[0], plan[1]);
            assert!(plan.iter().all(|it| it.at < Some(Span::from_secs(33))));
            seen.push(serde_json::to_string(&plan).unwrap());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len() as u64, pairs);
        assert_eq!(grid(2).plan(&scenario, pairs), grid(2).plan(&scenario, 0));
    }
}
