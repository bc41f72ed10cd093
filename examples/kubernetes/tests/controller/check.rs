//! The judge of a run: it knows who acted on what and when, and nothing of who should have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tenure_kubernetes::work::Act;

/// What a run has shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// At any time one owner of each object, in the order of their tokens.
    OneOwner {
        /// How often an object went from one owner to another.
        hand_overs: usize,
    },
    /// Two acts at once, or an earlier owner after a later one.
    TwoOwners(Vec<String>),
    /// Too few hand-overs to say anything.
    Unknown(usize),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOwner { hand_overs } => write!(f, "one owner, {hand_overs} hand-overs"),
            Self::TwoOwners(found) => write!(f, "two owners: {}", found.join("; ")),
            Self::Unknown(hand_overs) => write!(f, "only {hand_overs} hand-overs"),
        }
    }
}

/// Judges the acts of all replicas of one machine, whose clock is one.
pub(crate) fn check(acts: &[Act]) -> Verdict {
    let mut objects: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in acts {
        objects.entry(&act.uid).or_default().push(act);
    }
    let (mut found, mut hand_overs) = (Vec::new(), 0);
    for (uid, mut acts) in objects {
        acts.sort_by_key(|act| (act.begun, act.ended));
        let mut owners: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for act in &acts {
            owners.entry(act.token).or_default().insert(&act.owner);
        }
        let shared = owners.iter().filter(|(_, owners)| owners.len() > 1);
        found.extend(shared.map(|(token, owners)| format!("{uid}: {owners:?} by token {token}")));
        let mut last: Option<&Act> = None; // the one that ended last
        for act in acts {
            if let Some(last) = last {
                let other = last.owner != act.owner;
                hand_overs += usize::from(other);
                if other && act.begun < last.ended {
                    found.push(format!("{uid}: {} began while {} acted", act.owner, last.owner));
                }
                if act.token < last.token {
                    found.push(format!(
                        "{uid}: {} after {} of a later right",
                        act.owner, last.owner
                    ));
                }
            }
            if last.is_none_or(|last| last.ended < act.ended) {
                last = Some(act);
            }
        }
    }
    match (found.is_empty(), hand_overs) {
        (false, _) => Verdict::TwoOwners(found),
        (true, 0..5) => Verdict::Unknown(hand_overs),
        (true, _) => Verdict::OneOwner { hand_overs },
    }
}

#[cfg(test)]
mod tests {
    use tenure::time::Instant;
    use tenure_kubernetes::reconcile::Outcome;

    use super::*;

    fn act(owner: &str, token: u64, begun: u64, ended: u64) -> Act {
        let [begun, ended] = [begun, ended].map(Instant::from_nanos);
        let (uid, owner) = ("a".into(), owner.into());
        Act { uid, owner, token, begun, ended, outcome: Outcome::Written }
    }

    fn turns(owners: [&str; 2]) -> Vec<Act> {
        let turn = |(n, owner): (u64, _)| act(owner, n, 10 * n, 10 * n + 5);
        (0..8).zip(owners.into_iter().cycle()).map(turn).collect()
    }

    fn with(act: Act) -> Verdict {
        check(&[turns(["x", "y"]), vec![act]].concat())
    }

    #[test]
    fn it_finds_what_there_is() {
        assert_eq!(check(&turns(["x", "y"])), Verdict::OneOwner { hand_overs: 7 });
        assert_eq!(check(&turns(["x", "x"])), Verdict::Unknown(0));
        assert_eq!(with(act("y", 8, 74, 80)), Verdict::OneOwner { hand_overs: 7 }); // beside its own
        let two = |what: &str| Verdict::TwoOwners(vec![format!("a: {what}")]);
        assert_eq!(with(act("x", 8, 74, 80)), two("x began while y acted"));
        assert_eq!(with(act("x", 6, 80, 85)), two("x after y of a later right"));
        assert_eq!(with(act("x", 7, 80, 85)), two("{\"x\", \"y\"} by token 7"));
    }
}
