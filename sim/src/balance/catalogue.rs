//! Every algorithm by the name that the command line knows. A new one is one row of [`ALL`], in
//! `catalogue/rows.rs`.
//!
//! Which may a group choose whose members come and go in any order, have weights, and want a second
//! best for each key?
//!
//! ```
//! use tenure_sim::balance::catalogue::{ALL, Algorithm, Hashing, Leaves, Origin, Parameter, find};
//! use tenure_sim::balance::input::KeyHash;
//!
//! let fits = |it: &&Algorithm| it.weights && it.ranking && it.leaves == Leaves::Any;
//! let fit: Vec<_> = ALL.iter().filter(fits).filter(|it| it.origin == Origin::Published).collect();
//! assert!(fit.iter().any(|it| it.name == "rendezvous"));
//! assert!(fit.iter().all(|it| matches!(it.hashing, Hashing::Chosen(_)))); // any hash will do
//!
//! let ring = find("ring").unwrap();
//! let Some(Parameter { name, default, least, most }) = ring.parameter else { panic!() };
//! assert_eq!(name, "POINTS");
//! assert!((least..=most).contains(&default));
//! // What some system has deployed comes with the hash that it has.
//! let ketama = find("ketama").unwrap();
//! assert_eq!((ketama.origin, ketama.hashing), (Origin::Preset, Hashing::Own(KeyHash::Md5)));
//! ```

use core::fmt;
use core::str::FromStr;

use tenure::placement::Member;

use super::Unfit;
use super::input::KeyHash;
use super::placer::{Best, Built, Change, Item, Owners, Placer, Setup};

mod rows;

/// Who may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Any member, in any order: what is left decides.
    Any,
    /// Any member: the numbers of those that are left decide.
    Numbers,
    /// Any member: with the numbers of those that are left, the order of removals decides.
    History,
    /// Only the last of the list.
    Last,
}

/// Where an algorithm comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A paper or the like: it is built here as published.
    Published,
    /// Some system that runs: it is built here as that system has it, pitfalls included.
    Preset,
}

/// Which hash of a key an algorithm places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hashing {
    /// Whichever is chosen, else this one.
    Chosen(KeyHash),
    /// This one, as deployed; none may be chosen.
    Own(KeyHash),
}

/// What may stand after an algorithm's name and a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// What it is called.
    pub name: &'static str,
    /// If it is not given; 0 lets the algorithm choose.
    pub default: u32,
    /// The least that is allowed.
    pub least: u32,
    /// The most that is allowed.
    pub most: u32,
}

/// One row: what an algorithm is called, can do, and how it is built.
#[derive(Debug)]
pub struct Algorithm {
    /// On the command line.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What may follow the name.
    pub parameter: Option<Parameter>,
    /// Whether weights count.
    pub weights: bool,
    /// Whether it knows the second best.
    pub ranking: bool,
    /// Who may leave.
    pub leaves: Leaves,
    /// What it places.
    pub hashing: Hashing,
    /// Whether it needs all keys at once: the owner of one depends on the others.
    pub whole: bool,
    /// Where it comes from.
    pub origin: Origin,
    build: fn(&Setup) -> Built,
    /// Heap and structure for so many keys, without the members themselves.
    bytes: fn(&Setup, usize) -> usize,
}

/// All algorithms, in the order in which they are listed.
pub const ALL: &[Algorithm] = rows::ALL;

/// The row of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Algorithm> {
    ALL.iter().find(|algorithm| algorithm.name == name)
}

/// An algorithm as it was asked for: `ring`, or with a parameter `ring:1000`.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// The row.
    pub algorithm: &'static Algorithm,
    /// What stood after the colon.
    pub parameter: Option<u32>,
}

impl Choice {
    /// The row as it is.
    #[must_use]
    pub const fn of(algorithm: &'static Algorithm) -> Self {
        Self { algorithm, parameter: None }
    }

    /// The hash that it places, if `asked` is what the caller wants.
    ///
    /// # Errors
    /// One is asked for, and the algorithm has its own.
    pub fn hash(&self, asked: Option<KeyHash>) -> Result<KeyHash, Unfit> {
        let own = match self.algorithm.hashing {
            Hashing::Chosen(default) => return Ok(asked.unwrap_or(default)),
            Hashing::Own(own) => own,
        };
        asked.map_or(Ok(own), |asked| {
            let what = format!("--hash {asked}: {self} has its own, {own}: leave --hash out");
            Err(Unfit::new(what))
        })
    }

    fn parameter(&self) -> u32 {
        let default = self.algorithm.parameter.map_or(0, |parameter| parameter.default);
        self.parameter.unwrap_or(default)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name)?;
        self.parameter.map_or(Ok(()), |parameter| write!(f, ":{parameter}"))
    }
}

impl FromStr for Choice {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let (name, given) =
            text.split_once(':').map_or((text, None), |(name, given)| (name, Some(given)));
        let Some(algorithm) = find(name) else {
            return Err(Unfit::new(format_args!("{name:?}: there is no such algorithm")));
        };
        let Some(given) = given else { return Ok(Self::of(algorithm)) };
        let Some(Parameter { name: what, least, most, .. }) = algorithm.parameter else {
            let wrong = format_args!("{text}: {name} takes nothing after a colon: write {name}");
            return Err(Unfit::new(wrong));
        };
        match given.parse() {
            Ok(number) if (least..=most).contains(&number) => {
                Ok(Self { algorithm, parameter: Some(number) })
            }
            _ => {
                let remedy = format_args!("write a number from {least} to {most}");
                Err(Unfit::new(format_args!("{text}: {what} {given:?}: {remedy}")))
            }
        }
    }
}

/// An algorithm with its members.
///
/// ```
/// use tenure_sim::balance::catalogue::{Choice, Instance};
/// use tenure_sim::balance::input::{KeyHash, Keys, numbered};
/// use tenure_sim::balance::placer::{Best, Change, Item, Owners};
///
/// let (choice, three): (Choice, _) = ("rendezvous".parse()?, numbered("worker", 3));
/// let before = Instance::new(choice, three)?;
/// let keys = Keys::drawn(100, 1);
/// let items: Vec<Item<'_>> = keys.items(KeyHash::Xxh3)?;
/// let mut owners = Owners::new();
/// before.place_each(&items, &mut owners);
///
/// // Who owns a key leaves: the second best takes over, and nothing else moves.
/// let mut best = Vec::new();
/// assert!(before.best_into(items[0], Best { count: 2, across_zones: false }, &mut best));
/// let [first, second] = best[..] else { panic!() };
/// let after = before.changed(&Change::Leave(first.name().to_owned()))?;
/// let mut later = Owners::new();
/// after.place_each(&items, &mut later);
/// assert_eq!((owners[0], later[0]), (Some(first), Some(second)));
/// let kept = owners.iter().zip(&later).filter(|(owner, _)| **owner != Some(first));
/// assert!(kept.clone().count() > 50 && kept.clone().all(|(owner, later)| owner == later));
/// # Ok::<(), tenure_sim::balance::Unfit>(())
/// ```
pub struct Instance {
    /// Which algorithm.
    pub choice: Choice,
    setup: Setup,
    placer: Box<dyn Placer>,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").field("choice", &self.choice).finish_non_exhaustive()
    }
}

impl Instance {
    /// Builds it over `members`, in this order.
    ///
    /// # Errors
    /// The members are not a set, or the algorithm cannot have them.
    pub fn new(choice: Choice, members: Vec<Member>) -> Result<Self, Unfit> {
        let weighted = members.iter().find(|member| member.weight().get() != 1);
        if let (Some(member), false) = (weighted, choice.algorithm.weights) {
            return Err(Unfit::new(format_args!(
                "--algorithm {choice}: weights do not count here, and {:?} has weight {}: leave weights out, or \
                 choose an algorithm that knows them",
                member.name(),
                member.weight()
            )));
        }
        let setup = Setup { members, parameter: choice.parameter() };
        let named = |why: Unfit| Unfit::new(format_args!("--algorithm {choice}: {why}"));
        let placer = (choice.algorithm.build)(&setup).map_err(named)?;
        Ok(Self { choice, setup, placer })
    }

    /// Who is there, in the order given.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.setup.members
    }

    /// Heap and structure in bytes, without the members themselves: computed from what the algorithm's
    /// documentation says. The number of keys counts for those alone that assign all at once.
    #[must_use]
    pub fn bytes(&self, keys: usize) -> usize {
        (self.choice.algorithm.bytes)(&self.setup, keys)
    }

    /// Puts the owner of each item at the end of `owners`. If the algorithm is
    /// [`whole`](Algorithm::whole), the items must be all that there are.
    pub fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        self.placer.place_each(items, owners);
    }

    /// Puts the best members in place of what `best` held; `false` if the algorithm knows no second
    /// best.
    pub fn best_into<'a>(
        &'a self,
        item: Item<'_>,
        which: Best,
        best: &mut Vec<&'a Member>,
    ) -> bool {
        self.placer.best_into(item, which, best)
    }

    /// The same after a change.
    ///
    /// # Errors
    /// Who is to go is not there, or may not go; who comes is there already; there is no room.
    pub fn changed(&self, change: &Change) -> Result<Self, Unfit> {
        let mut members = self.setup.members.clone();
        let position = |name: &str| {
            let found = self.setup.members.iter().position(|member| member.name() == name);
            found.ok_or_else(|| {
                Unfit::new(format_args!("{name:?} is not a member: name one that is"))
            })
        };
        match change {
            Change::Join(member) => members.push(member.clone()),
            Change::Replace(name, member) => {
                let position = position(name)?;
                members.splice(position..=position, [member.clone()]);
            }
            Change::Leave(name) => {
                let position = position(name)?;
                if self.choice.algorithm.leaves == Leaves::Last && position + 1 != members.len() {
                    let last = members.last().map_or("", Member::name);
                    return Err(Unfit::new(format_args!(
                        "{name:?} cannot leave: of {} only the last may, now {last:?}: choose an \
                         algorithm that allows any removal",
                        self.choice
                    )));
                }
                members.remove(position);
            }
        }
        match self.placer.changed(change) {
            None => Self::new(self.choice, members),
            Some(placer) => {
                let setup = Setup { members, parameter: self.setup.parameter };
                let choice = self.choice;
                let named = |why: Unfit| Unfit::new(format_args!("--algorithm {choice}: {why}"));
                Ok(Self { choice, setup, placer: placer.map_err(named)? })
            }
        }
    }
}
