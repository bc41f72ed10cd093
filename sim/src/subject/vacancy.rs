//! How long an election is without a leader.

use std::collections::BTreeSet;

use crate::check::{Check, Violation};
use crate::time::{SimTime, Span};
use crate::trace::{Entry, What};

/// Measures the longest time that nobody believes to lead, after somebody first did. It finds nothing.
#[derive(Debug, Default)]
pub(super) struct Vacancy {
    leading: BTreeSet<u32>,
    since: Option<SimTime>,
    longest: Span,
}

impl Vacancy {
    pub(super) const fn longest(&self) -> Span {
        self.longest
    }

    fn over(&mut self, at: SimTime) {
        if let Some(since) = self.since.take() {
            self.longest = self.longest.max(at.saturating_since(since));
        }
    }
}

impl Check for Vacancy {
    fn name(&self) -> &'static str {
        "vacancy"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        match &entry.what {
            What::StartedLeading { replica, .. } => {
                self.leading.insert(*replica);
                self.over(entry.at);
            }
            What::StoppedLeading { replica, .. } | What::Ended { replica, .. }
                if self.leading.remove(replica) && self.leading.is_empty() =>
            {
                self.since = Some(entry.at);
            }
            _ => {}
        }
    }

    fn finish(&mut self, at: SimTime, _: &mut Vec<Violation>) {
        self.over(at);
    }
}

#[cfg(test)]
mod tests {
    use crate::catalogue;
    use crate::subject::Subject as _;
    use crate::time::Span;

    /// A leader is gone from its crash on until another one leads, at most the lease duration and a try later.
    #[test]
    fn a_crash_leaves_nobody_for_a_lease() {
        let scenario = catalogue::find("leader-crash").unwrap();
        let longest = scenario.run(1).unwrap().without_leader.unwrap();
        assert!(longest > Span::from_secs(10) && longest < Span::from_secs(24), "{longest}");
        let calm = catalogue::find("calm").unwrap();
        assert_eq!(calm.run(1).unwrap().without_leader, Some(Span::ZERO));
    }
}
