use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{error, fmt};

use crate::sharding::{Generation, Slot, SlotSet, Slots};

mod base64;
mod carried;
mod text;

pub use carried::{ANNOTATION, ANNOTATIONS_LIMIT, TooLarge};
pub use text::{MAX_TEXT, NoPlan};

/// Who is to own what, as the leader stores it: for each slot its owner, and the version of the plan
/// that last moved it.
///
/// A `since` of 0 is the version of the very object that carries the plan, which nobody knows before it
/// is written; [`resolve`](Self::resolve) puts it in. Whoever acts on a slot does so only when all others
/// have acknowledged that version.
///
/// | | cost |
/// | --- | --- |
/// | [`owner`](Self::owner), [`since`](Self::since) | O(log runs), no allocation |
/// | [`slots_of`](Self::slots_of), [`moves`](Self::moves), [`resolve`](Self::resolve) | O(runs) |
/// | memory | 16 bytes a run, and the names |
///
/// ```
/// use tenure::sharding::planned::{Plan, PlanError};
/// use tenure::sharding::{Generation, Slots};
/// let generation = Generation { number: 1, fingerprint: 7 };
/// let eight = Slots::new(8).unwrap();
/// // Five slots for a, that it has had since version 40, and three that this plan gives to b.
/// let plan = Plan::new(generation, eight, [(5, Some("a".into()), 40), (3, Some("b".into()), 0)])?;
/// let five = eight.get(5).unwrap();
/// assert_eq!((plan.owner(five), plan.since(five)), (Some("b"), 0));
///
/// // It was stored with version 52.
/// let plan = plan.resolve(52);
/// assert_eq!((plan.owner(five), plan.since(five)), (Some("b"), 52));
/// assert_eq!(plan.slots_of("a").len(), 5);
/// assert_eq!(plan.to_text().parse(), Ok(plan));
/// # Ok::<(), PlanError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Plan {
    generation: Generation,
    slots: Slots,
    members: Box<[Arc<str>]>, // ascending; each owns something
    parts: Box<[Part]>,       // ascending, from slot 0; neighbours differ
}

/// A run, up to the next one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Part {
    first: u32,
    member: u16, // among the members; or NOBODY
    since: u64,
}

/// In place of a member's position: there is none.
pub(super) const NOBODY: u16 = u16::MAX;

/// Slots side by side with one owner and one `since`.
///
/// ```
/// use tenure::sharding::planned::{Plan, Run};
/// use tenure::sharding::{Generation, Slots};
/// let slots = Slots::new(4).unwrap();
/// let runs = [(1, None, 0), (3, Some("a".into()), 9)];
/// let plan = Plan::new(Generation { number: 1, fingerprint: 0 }, slots, runs).unwrap();
/// let last = Run { first: slots.get(1).unwrap(), slots: 3, owner: Some("a"), since: 9 };
/// assert_eq!(plan.runs().last(), Some(last));
/// assert!(plan.runs_of("a").eq([last]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run<'a> {
    /// The first of them.
    pub first: Slot,
    /// How many.
    pub slots: u32,
    /// Whose they are; nobody's if there was nobody when they were planned.
    pub owner: Option<&'a str>,
    /// The version of the plan that last moved them; 0 if that is this very plan.
    pub since: u64,
}

impl Run<'_> {
    /// Its slots, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Slot> + Clone + use<> {
        let first = self.first.index();
        (first..first + self.slots).map(Slot::new)
    }
}

/// Slots side by side that have another owner than before.
///
/// ```
/// use tenure::sharding::planned::Plan;
/// use tenure::sharding::{Generation, Slots};
/// let plan = |runs: [(u32, Option<_>, u64); 2]| {
///     Plan::new(Generation { number: 1, fingerprint: 0 }, Slots::new(4).unwrap(), runs).unwrap()
/// };
/// let (a, b) = (Some("a".into()), Some("b".into()));
/// let before = plan([(2, a.clone(), 3), (2, b.clone(), 3)]);
/// let after = plan([(1, a, 3), (3, b, 5)]);
/// let moves = after.moves(Some(&before));
/// assert_eq!(moves[0].to_string(), "slot 1: a -> b");
/// assert_eq!(moves.len(), 1); // that b was given 2 and 3 anew is no move
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Move {
    /// The first of them.
    pub first: Slot,
    /// How many.
    pub slots: u32,
    /// Who had them.
    pub from: Option<Arc<str>>,
    /// Who has them.
    pub to: Option<Arc<str>>,
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.index();
        match self.slots {
            1 => write!(f, "slot {first}: ")?,
            many => write!(f, "slots {first} to {}: ", first + many - 1)?,
        }
        let name = |name: &Option<Arc<str>>| name.clone().unwrap_or_else(|| "nobody".into());
        write!(f, "{} -> {}", name(&self.from), name(&self.to))
    }
}

/// A plan in the store, and the version of its write.
///
/// ```
/// use tenure::sharding::planned::{Plan, StoredPlan};
/// use tenure::sharding::{Generation, Slots};
/// let (generation, slots) = (Generation { number: 1, fingerprint: 0 }, Slots::new(2).unwrap());
/// let plan = Plan::new(generation, slots, [(2, Some("a".into()), 0)]).unwrap();
/// let stored = StoredPlan { plan: plan.into(), version: 9 };
/// assert_eq!(stored.resolved().since(slots.get(1).unwrap()), 9);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredPlan {
    /// What is stored.
    pub plan: Arc<Plan>,
    /// The store's version of the write, greater than 0; of the same order as the versions of members'
    /// records.
    pub version: u64,
}

impl StoredPlan {
    /// What to hand in for a plan that is there and cannot be read ([`NoPlan`]): somebody has changed it
    /// by hand, or a later release has written it. Nobody owns anything by it, so that all stop, and the
    /// next plan, made from nothing, replaces it.
    ///
    /// ```
    /// use tenure::sharding::planned::StoredPlan;
    /// let stored = StoredPlan::unreadable(9);
    /// assert_eq!((stored.version, stored.plan.members().len()), (9, 0));
    /// ```
    #[must_use]
    pub fn unreadable(version: u64) -> Self {
        let one = const {
            match Slots::new(1) {
                Ok(slots) => slots,
                Err(_) => unreachable!(),
            }
        };
        let generation = Generation { number: 0, fingerprint: 0 };
        let plan = Plan::of_table(generation, one, &[], core::iter::once((NOBODY, 0)));
        Self { plan: plan.into(), version }
    }

    /// The plan with all versions written out.
    #[must_use]
    pub fn resolved(&self) -> Plan {
        self.plan.resolve(self.version)
    }
}

impl Plan {
    /// The plan with these runs, from the first slot to the last: how many slots, whose, and since
    /// which version. Neighbours that are alike become one run.
    ///
    /// # Errors
    /// The runs are not as many slots as there are, one is empty, an owner's name is, or there are more
    /// than 65,535 owners.
    pub fn new(
        generation: Generation,
        slots: Slots,
        runs: impl IntoIterator<Item = (u32, Option<Arc<str>>, u64)>,
    ) -> Result<Self, PlanError> {
        let mut given = Vec::new();
        let mut total = 0_u64;
        for (count, owner, since) in runs {
            if count == 0 {
                return Err(PlanError::EmptyRun { run: given.len() });
            }
            if owner.as_ref().is_some_and(|name| name.is_empty()) {
                return Err(PlanError::EmptyName { run: given.len() });
            }
            total += u64::from(count);
            if total > u64::from(slots.count()) {
                break;
            }
            given.push((count, owner, since));
        }
        if total != u64::from(slots.count()) {
            return Err(PlanError::Slots { given: total, slots: slots.count() });
        }
        let mut members: Vec<Arc<str>> =
            given.iter().filter_map(|(_, owner, _)| owner.clone()).collect();
        members.sort_unstable();
        members.dedup();
        if members.len() > NOBODY.into() {
            return Err(PlanError::Members { count: members.len() });
        }
        let parts = given.iter().map(|(count, owner, since)| {
            let at = owner.as_ref().and_then(|owner| members.binary_search(owner).ok());
            (*count, at.and_then(|at| u16::try_from(at).ok()).unwrap_or(NOBODY), *since)
        });
        let parts = join(parts);
        Ok(Self { generation, slots, members: members.into(), parts })
    }

    /// The plan of a table with a place for each slot: its owner's place among `names`, which are
    /// ascending, and its `since`.
    pub(super) fn of_table(
        generation: Generation,
        slots: Slots,
        names: &[Arc<str>],
        table: impl Iterator<Item = (u16, u64)> + Clone,
    ) -> Self {
        let mut used = alloc::vec![false; names.len()];
        for (owner, _) in table.clone() {
            if let Some(used) = used.get_mut(usize::from(owner)) {
                *used = true;
            }
        }
        let mut members = Vec::new();
        let mut place = alloc::vec![NOBODY; names.len()];
        for ((name, used), place) in names.iter().zip(used).zip(&mut place) {
            if used {
                *place = u16::try_from(members.len()).unwrap_or(NOBODY);
                members.push(Arc::clone(name));
            }
        }
        let place = |owner| place.get(usize::from(owner)).copied().unwrap_or(NOBODY);
        let parts = join(table.map(|(owner, since)| (1, place(owner), since)));
        Self { generation, slots, members: members.into(), parts }
    }

    /// The configuration of the members it is for.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Into how many slots it cuts the space.
    #[must_use]
    pub const fn slots(&self) -> Slots {
        self.slots
    }

    /// The names of those that own something, in the order of their bytes.
    #[must_use]
    pub fn members(&self) -> &[Arc<str>] {
        &self.members
    }

    /// Whose `slot` is.
    #[must_use]
    pub fn owner(&self, slot: Slot) -> Option<&str> {
        self.name(self.part(slot)?.member)
    }

    /// The version of the plan that last moved `slot`; 0 if that is this very plan.
    #[must_use]
    pub fn since(&self, slot: Slot) -> u64 {
        self.part(slot).map_or(0, |part| part.since)
    }

    /// All slots, in the order of the hash space.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> + Clone {
        let ends = self.parts.iter().skip(1).map(|part| part.first).chain([self.slots.count()]);
        self.parts.iter().zip(ends).map(|(part, end)| Run {
            first: Slot::new(part.first),
            slots: end - part.first,
            owner: self.name(part.member),
            since: part.since,
        })
    }

    /// The slots of the member called `name`, in order.
    pub fn runs_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Run<'a>> + Clone {
        self.runs().filter(move |run| run.owner == Some(name))
    }

    /// The slots of the member called `name`, as a set.
    #[must_use]
    pub fn slots_of(&self, name: &str) -> SlotSet {
        let mut set = SlotSet::none(self.slots);
        set.extend(self.runs_of(name).flat_map(|run| run.iter()));
        set
    }

    /// The same, once it is stored with `version`: each `since` of 0 becomes `version`.
    #[must_use]
    pub fn resolve(&self, version: u64) -> Self {
        let since = |since| if since == 0 { version } else { since };
        let ends = self.runs().map(|run| run.slots);
        let parts = self.parts.iter().zip(ends);
        // Runs that differ in this only become one.
        let parts = join(parts.map(|(part, slots)| (slots, part.member, since(part.since))));
        Self { parts, members: self.members.clone(), ..*self }
    }

    /// What has another owner than in the plan `before`, or than nobody; all that anybody owns, if
    /// that has another number of slots.
    #[must_use]
    pub fn moves(&self, before: Option<&Self>) -> Vec<Move> {
        let mut moves: Vec<Move> = Vec::new();
        let before = before.filter(|before| before.slots == self.slots);
        let mut old = before.into_iter().flat_map(Self::runs).peekable();
        for run in self.runs() {
            let end = run.first.index() + run.slots;
            let mut first = run.first.index();
            while first < end {
                while old.next_if(|old| old.first.index() + old.slots <= first).is_some() {}
                let (from, until) = old
                    .peek()
                    .map_or((None, end), |old| (old.owner, old.first.index() + old.slots));
                let until = until.min(end);
                if from != run.owner {
                    push(&mut moves, Slot::new(first), until - first, from, run.owner);
                }
                first = until;
            }
        }
        moves
    }

    /// The owner of each run, by its place among the members.
    pub(super) fn owners(&self) -> impl Iterator<Item = u16> {
        self.parts.iter().map(|part| part.member)
    }

    fn name(&self, member: u16) -> Option<&str> {
        self.members.get(usize::from(member)).map(|name| &**name)
    }

    fn part(&self, slot: Slot) -> Option<&Part> {
        if slot.index() >= self.slots.count() {
            return None;
        }
        let after = self.parts.partition_point(|part| part.first <= slot.index());
        self.parts.get(after.checked_sub(1)?)
    }
}

/// Parts of runs, of which none is like the one before.
fn join(runs: impl Iterator<Item = (u32, u16, u64)>) -> Box<[Part]> {
    let mut parts: Vec<Part> = Vec::new();
    let mut first = 0;
    for (slots, member, since) in runs {
        if parts.last().is_none_or(|last| (last.member, last.since) != (member, since)) {
            parts.push(Part { first, member, since });
        }
        first += slots;
    }
    parts.into()
}

/// Adds a move, or lets the last one grow.
fn push(moves: &mut Vec<Move>, first: Slot, slots: u32, from: Option<&str>, to: Option<&str>) {
    if let Some(last) = moves.last_mut()
        && last.first.index() + last.slots == first.index()
        && (last.from.as_deref(), last.to.as_deref()) == (from, to)
    {
        last.slots += slots;
    } else {
        moves.push(Move { first, slots, from: from.map(Arc::from), to: to.map(Arc::from) });
    }
}

impl fmt::Debug for Plan {
    /// The runs, and not how they are kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan {} ", self.generation)?;
        let runs = self.runs().map(|run| (run.first.index(), run.slots, run.owner, run.since));
        f.debug_list().entries(runs).finish()
    }
}

/// Runs that make no plan.
///
/// ```
/// use tenure::sharding::planned::Plan;
/// use tenure::sharding::{Generation, Slots};
/// let runs = [(3, Some("a".into()), 0)];
/// let short = Plan::new(Generation { number: 1, fingerprint: 0 }, Slots::new(4).unwrap(), runs);
/// assert_eq!(short.unwrap_err().to_string(), "the runs are 3 slots, and there are 4: give an owner, or none, for each");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlanError {
    /// The runs do not make as many slots as there are.
    Slots {
        /// How many they make; or more than there are, where that was seen.
        given: u64,
        /// How many there are.
        slots: u32,
    },
    /// A run has no slots.
    EmptyRun {
        /// Which, from 0.
        run: usize,
    },
    /// An owner's name is empty.
    EmptyName {
        /// In which run, from 0.
        run: usize,
    },
    /// There are more owners than a plan can name.
    Members {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slots { given, slots } => write!(
                f,
                "the runs are {given} slots, and there are {slots}: give an owner, or none, for each"
            ),
            Self::EmptyRun { run } => write!(f, "run {run} has no slots: leave it out"),
            Self::EmptyName { run } => {
                write!(f, "the owner of run {run} has an empty name: give it one, or no owner")
            }
            Self::Members { count } => {
                write!(f, "{count} members own something: a plan has room for {NOBODY}")
            }
        }
    }
}

impl error::Error for PlanError {}

#[cfg(test)]
mod tests;
