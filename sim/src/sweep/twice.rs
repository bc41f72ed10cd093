//! The same seed gives the same run: seen to by running some twice.

use crate::check::Violation;
use crate::subject::{Find, Ran, Subject};
use crate::time::SimTime;
use crate::verdict::Verdict;

/// The check that a run fails which is another one when it is run again.
pub const DETERMINISM: &str = "determinism";

/// Runs it again: nothing if that was the same; else the run as one that failed, with the first entry that
/// differs.
///
/// # Errors
/// If the scenario makes no sense.
pub(super) fn again<S: Subject>(
    subject: &S,
    seed: u64,
    ran: &Ran,
) -> Result<Option<Ran>, S::Error> {
    let second = super::run(subject, seed)?;
    if (second.digest, &second.marks) == (ran.digest, &ran.marks) {
        return Ok(None);
    }
    let (one, other) = (subject.lines(seed)?, subject.lines(seed)?);
    let differs = one.iter().zip(&other).position(|(one, other)| one != other);
    let at = differs.unwrap_or_else(|| one.len().min(other.len()));
    let of = |lines: &[String]| lines.get(at).map_or("the end", String::as_str).to_owned();
    let what = if one == other {
        format!(
            "run again it has the digest {} in place of {}, though two more runs do not differ",
            second.digest, ran.digest
        )
    } else {
        format!("run again it differs first at entry {at}: {} in place of {}", of(&other), of(&one))
    };
    let violation = Violation {
        check: DETERMINISM.to_owned(),
        rule: DETERMINISM.to_owned(),
        at: SimTime::ZERO,
        seq: at as u64,
        replicas: Vec::new(),
        what,
    };
    let mut failed = ran.clone();
    failed.finds.push(Find { violation, shown_by: DETERMINISM.to_owned() });
    failed.verdict = Verdict::Unexpected;
    Ok(Some(failed))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::outcome::Digest;
    use crate::{catalogue, sharding};

    /// Another one each time.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    struct Fickle;

    static RUNS: AtomicU64 = AtomicU64::new(0);

    impl Subject for Fickle {
        type Error = String;

        fn name(&self) -> &'static str {
            "fickle"
        }

        fn drawn(&self, _: u64) -> Self {
            self.clone()
        }

        fn run_while(&self, _: u64, _: &mut dyn FnMut(&Find) -> bool) -> Result<Ran, String> {
            let digest = Digest(RUNS.fetch_add(1, Ordering::Relaxed).into());
            let (end, finds, marks) = (SimTime::ZERO, Vec::new(), Vec::new());
            let verdict = Verdict::Holds;
            Ok(Ran { digest, end, finds, verdict, marks, without_leader: None })
        }

        fn lines(&self, _: u64) -> Result<Vec<String>, String> {
            let run = RUNS.fetch_add(1, Ordering::Relaxed);
            Ok(vec!["the same".to_owned(), format!("run {run}")])
        }

        fn explain(&self, _: u64, _: &Violation) -> Result<String, String> {
            Ok(String::new())
        }
    }

    #[test]
    fn what_differs_is_told() {
        let first = Fickle.run(7).unwrap();
        let failed = again(&Fickle, 7, &first).unwrap().unwrap();
        let what = &failed.finds[0].violation.what;
        assert!(what.contains("differs first at entry 1: run 3 in place of run 2"), "{what}");
        assert_eq!(failed.verdict, Verdict::Unexpected);
    }

    #[test]
    fn runs_of_both_worlds_are_the_same_again() {
        let random = catalogue::find("random").unwrap();
        let swarm = sharding::catalogue::find("sharding/swarm").unwrap();
        for seed in 0..3 {
            assert_eq!(again(&random, seed, &random.run(seed).unwrap()).unwrap(), None);
            assert_eq!(again(&swarm, seed, &swarm.run(seed).unwrap()).unwrap(), None);
        }
    }
}
