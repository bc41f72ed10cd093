//! What the tools of this crate work on: a scenario of either world that can be drawn from a seed, run
//! and judged. [`sweep`](crate::sweep) runs many, [`shrink`](crate::shrink) makes one small.

mod election;
mod finds;
mod sharded;
mod vacancy;

use core::fmt::{self, Debug};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::check::Violation;
use crate::outcome::Digest;
use crate::time::{SimTime, Span};
use crate::verdict::Verdict;

pub(crate) use election::ran;

/// A scenario as data, and the world that runs it.
///
/// ```
/// use tenure_sim::catalogue;
/// use tenure_sim::subject::{Find, Ran, Subject};
/// let mut pause = catalogue::find("pause").unwrap();
/// let ran: Ran = pause.run(7)?;
/// assert!(ran.verdict.is_as_it_should_be() && ran.finds.is_empty());
/// assert!(ran.mark("pauses") == 1 && ran.mark("takeovers") > 0);
///
/// // client-go's rules let two lead here: the same by the same way with another seed.
/// pause.profile = "client-go-head".parse().unwrap();
/// let first = |ran: Ran| -> Find { ran.finds.into_iter().next().unwrap() };
/// let (one, other) = (first(pause.run(7)?), first(pause.run(8)?));
/// assert!(one != other && one.is_like(&other));
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
pub trait Subject: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// Why a scenario makes no sense.
    type Error: fmt::Display + Debug + Send;

    /// Its name.
    fn name(&self) -> &str;

    /// With which seed it shows what it is kept for, if it says so.
    fn seed(&self) -> Option<u64> {
        None
    }

    /// The same with everything written out that is drawn from the seed: it runs as this one does.
    #[must_use]
    fn drawn(&self, seed: u64) -> Self;

    /// Runs to the end, or until `go_on` says no to what was found.
    ///
    /// # Errors
    /// If it makes no sense.
    fn run_while(
        &self,
        seed: u64,
        go_on: &mut dyn FnMut(&Find) -> bool,
    ) -> Result<Ran, Self::Error>;

    /// All that happens with this seed, entry by entry, as a trace has it.
    ///
    /// # Errors
    /// If it makes no sense.
    fn lines(&self, seed: u64) -> Result<Vec<String>, Self::Error>;

    /// What was found with this seed, for people.
    ///
    /// # Errors
    /// If it makes no sense.
    fn explain(&self, seed: u64, violation: &Violation) -> Result<String, Self::Error>;

    /// Runs to the end.
    ///
    /// # Errors
    /// If it makes no sense.
    fn run(&self, seed: u64) -> Result<Ran, Self::Error> {
        self.run_while(seed, &mut |_| true)
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// What is wrong.
    pub violation: Violation,
    /// What happened when it showed: the kind of the entry, as `Applied`, or `End`.
    pub shown_by: String,
}

impl Find {
    /// Whether both are the same wrong by the same way: check and rule, what showed it, and how many
    /// replicas it takes.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let key = |find: &Self| {
            let mut replicas = find.violation.replicas.clone();
            replicas.sort_unstable();
            replicas.dedup();
            (replicas.len(), find.shown_by.clone())
        };
        let of = |find: &Self| (find.violation.check.clone(), find.violation.rule.clone());
        of(self) == of(other) && key(self) == key(other)
    }
}

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Over everything that happened.
    pub digest: Digest,
    /// When it ended.
    pub end: SimTime,
    /// What did not hold, in order.
    pub finds: Vec<Find>,
    /// What to make of it.
    pub verdict: Verdict,
    /// How often what is worth counting happened, by its name: `takeovers`, `conflicts`, … The names
    /// and their order are the same in all runs of a world.
    pub marks: Vec<(&'static str, u64)>,
    /// Of an election the longest time that nobody believed to lead, after somebody first did.
    pub without_leader: Option<Span>,
}

impl Ran {
    /// How often this happened.
    #[must_use]
    pub fn mark(&self, name: &str) -> u64 {
        self.marks.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count)
    }
}

/// The kind of an entry: the first word that [`Debug`] has for it.
fn kind(what: &impl Debug) -> String {
    let text = format!("{what:?}");
    let end = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

/// An entry as a line of a trace.
pub(crate) fn line(entry: &impl Serialize) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}
