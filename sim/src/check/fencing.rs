//! The guarded resource never takes an older token after a newer one, and tokens grow.
//!
//! - rule `accepted-older`: it took a write whose token is smaller than one that it had seen for the
//!   same key. Writes without a token are the scenario's own risk and are left out.
//! - rule `token-order`: a term began with a token that is not greater than that of a term that had
//!   ended before. (Of two leaders at one time the resource decides, whoever began first.)

use std::collections::BTreeMap;

use super::replicas::{Names, Table};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::trace::{Entry, What};

/// The guarded resource never takes an older token after a newer one, and tokens grow.
///
/// ```
/// use tenure_sim::{catalogue, check::fencing::Fencing, world::World};
/// // Two lead, since somebody cleared the holder: what the first of them writes is refused.
/// let scenario = catalogue::find("holder-cleared").unwrap();
/// let mut fencing = Fencing::new(&scenario);
/// assert_eq!(World::new(&scenario, 1)?.run(&mut fencing).violations, []);
/// assert!(fencing.refused() > 0);
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fencing {
    names: Names,
    /// The token of each replica's term, while it believes to lead.
    terms: Table<Option<u64>>,
    /// The greatest token of a term that has ended.
    ended: Option<u64>,
    /// The greatest token seen for the first key, which most runs use alone.
    first: Option<u64>,
    others: BTreeMap<u32, u64>,
    refused: u64,
}

impl Fencing {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            names: Names::new(scenario),
            terms: Table::new(scenario),
            ended: None,
            first: None,
            others: BTreeMap::new(),
            refused: 0,
        }
    }

    /// How many writes the resource refused: what fencing was there for.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    fn end(&mut self, replica: u32) {
        self.ended = self.ended.max(self.terms.of(replica).take());
    }

    fn violation(entry: &Entry, rule: &str, replica: u32, what: String) -> Violation {
        let (check, rule) = ("fencing".to_owned(), rule.to_owned());
        Violation { check, rule, at: entry.at, seq: entry.seq, replicas: vec![replica], what }
    }
}

impl Check for Fencing {
    fn name(&self) -> &'static str {
        "fencing"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        match entry.what {
            What::GuardedWrite { replica, key, token, accepted, sent, .. } => {
                self.refused += u64::from(!accepted);
                let Some(token) = token else { return };
                let greatest = match key {
                    0 => self.first.get_or_insert(token),
                    key => self.others.entry(key).or_insert(token),
                };
                if accepted && token < *greatest {
                    let what = format!(
                        "fencing: the resource took a write of {} sent at {sent} with token {token} \
                         at {}, after it had seen token {greatest}",
                        self.names.of(replica),
                        entry.at,
                    );
                    found.push(Self::violation(entry, "accepted-older", replica, what));
                }
                *greatest = token.max(*greatest);
            }
            What::StartedLeading { replica, token } => {
                self.end(replica);
                *self.terms.of(replica) = token;
                if let (Some(token), Some(ended)) = (token, self.ended)
                    && token <= ended
                {
                    let what = format!(
                        "tokens: {} began a term with token {token} at {}, after a term with token \
                         {ended} had ended",
                        self.names.of(replica),
                        entry.at,
                    );
                    found.push(Self::violation(entry, "token-order", replica, what));
                }
            }
            What::StoppedLeading { replica, .. } | What::Ended { replica, .. } => self.end(replica),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, found};
    use super::*;

    #[test]
    fn an_old_token_may_come_but_not_in() {
        let mut check = Fencing::new(&Scenario::default());
        let story = Story::new()
            .guarded(0, 5, "0s", true)
            .guarded(1, 9, "0s", true)
            .guarded(0, 5, "0s", false);
        assert_eq!(found(&story.check(&mut check)), [""; 0]);
        assert_eq!(check.refused(), 1);
        let story = Story::new().guarded(1, 9, "0s", true).guarded(0, 5, "0s", true);
        let violations = story.check(&mut Fencing::new(&Scenario::default()));
        assert_eq!(found(&violations), ["fencing/accepted-older at 0.000s of [0]"]);
    }

    #[test]
    fn tokens_of_successive_terms_grow() {
        let story = |second| {
            let story = Story::new().leads_with(0, 5).stops_leading(0).leads_with(1, second);
            found(&story.check(&mut Fencing::new(&Scenario::default())))
        };
        assert_eq!(story(6), [""; 0]);
        assert_eq!(story(5), ["fencing/token-order at 0.000s of [1]"]);
        // Two at a time are the business of another check.
        let both = Story::new().leads_with(0, 5).leads_with(1, 4);
        assert_eq!(found(&both.check(&mut Fencing::new(&Scenario::default()))), [""; 0]);
    }
}
