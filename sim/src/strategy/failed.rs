//! What failed, for people.

use core::fmt;

use tenure::placement::Member;

use super::Change;
use crate::subject::Find;

/// Why a property does not hold. [`Debug`](fmt::Debug) prints what [`Display`](fmt::Display) does, since
/// that is what a test shows that unwraps it, or returns it.
///
/// ```
/// use tenure_sim::strategy::Failed;
/// let failed = Failed::Unknown { cases: 64 };
/// assert_eq!(format!("{failed}"), format!("{failed:?}"));
/// assert!(failed.to_string().starts_with("nothing happened that could have gone wrong in 64 cases"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failed {
    /// A check found something.
    Violated(Box<Violated>),
    /// A placement broke a law.
    Misplaced(Box<Misplaced>),
    /// A scenario makes no sense, or a plan cannot be read.
    Senseless(String),
    /// In no case did anything happen that could have gone wrong: a property that nothing was asked of
    /// does not hold.
    Unknown {
        /// How many there were.
        cases: u64,
    },
}

/// What a check found, in the smallest case that shows it.
///
/// ```
/// use proptest::prelude::*;
/// use tenure_sim::scenario::Scenario;
/// use tenure_sim::strategy::{Failed, Property};
/// // client-go's rules, and a leader that stands still: docs/simulation.md tells why.
/// let pause = tenure_sim::catalogue::find("pause").unwrap();
/// let pause = Scenario { profile: "client-go-head".parse().unwrap(), ..pause };
/// let Err(Failed::Violated(found)) = Property::default().holds(Just(pause)) else { panic!() };
/// assert!(found.find.violation.is_of("one-leader"));
/// assert!(found.plan.contains("[faults.fault.pause]") && found.faults == 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violated {
    /// What, and by what it showed.
    pub find: Find,
    /// The smallest scenario that shows it, as TOML, with its seed; as JSON, if TOML cannot say it.
    pub plan: String,
    /// What led to it, for people.
    pub explained: String,
    /// How many faults the plan has.
    pub faults: usize,
    /// In which case it showed, from 1.
    pub case: u64,
    /// How many runs it took to make that one small.
    pub runs: u64,
}

/// A law that a placement broke, in the smallest case.
///
/// ```
/// use tenure::placement::{Key, Member, Members, Placement};
/// use tenure_sim::strategy::{Failed, Property};
///
/// /// What one writes first.
/// struct Modulo(Members);
/// impl Placement for Modulo {
///     fn members(&self) -> &Members {
///         &self.0
///     }
///     fn place(&self, key: Key) -> Option<&Member> {
///         self.0.get((key.as_u64() % self.0.len().max(1) as u64) as usize)
///     }
/// }
///
/// let Err(Failed::Misplaced(found)) = Property::default().places(Modulo) else { panic!() };
/// assert_eq!(found.law, "movement");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    /// Which: `owner`, `same` or `movement`.
    pub law: &'static str,
    /// What became of the key.
    pub what: String,
    /// Which key.
    pub key: String,
    /// The members, after the change.
    pub members: Vec<Member>,
    /// What happened before, if anything.
    pub change: Option<Change>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated(found) => found.fmt(f),
            Self::Misplaced(found) => found.fmt(f),
            Self::Senseless(why) => f.write_str(why),
            Self::Unknown { cases } => write!(
                f,
                "nothing happened that could have gone wrong in {cases} cases: the lock never changed \
                 hands; draw longer runs, or more faults"
            ),
        }
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl core::error::Error for Failed {}

impl fmt::Display for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { find, plan, explained, faults, case, runs } = self;
        let (check, rule) = (&find.violation.check, &find.violation.rule);
        let few = if *faults == 1 { "1 fault".to_owned() } else { format!("{faults} faults") };
        writeln!(f, "{check}/{rule} is violated, in case {case}; {few} after {runs} more runs\n")?;
        writeln!(f, "{}\n\nThe plan:\n\n{}", explained.trim_end(), plan.trim_end())?;
        f.write_str(
            "\nTo run it again save the plan as plan.toml. A test: \
             `Property::default().replay::<S>(include_str!(\"plan.toml\"))`, where S is what was drawn; \
             and unless that is a rule of your own: `tenure run --scenario plan.toml`.",
        )
    }
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, what, key, members, change } = self;
        write!(f, "the law `{law}` is broken for the key {key:?}: {what}; among {members:?}")?;
        match change {
            Some(change) => write!(f, ", after {change:?}"),
            None => Ok(()),
        }
    }
}
