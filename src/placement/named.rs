use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::hash::Draw;
use super::{Dx, Key, Member, Members, Numbered, Placement, Removal, Tail};

mod state;
pub use state::{NamedError, NamedState};

/// Joins the numbers of a [`Numbered`] algorithm to members, so that keys are placed on members.
///
/// Which member has which number is state, as much as the members are: replicas that know the same
/// members by different numbers disagree about nearly every key. So one of them numbers, and the
/// others get its [`state`](Self::state). A member keeps its number until it leaves.
///
/// What can come and go is what the algorithm can do: with a [`Tail`], [`push`](Self::push) and
/// [`pop`](Self::pop) at the end; with a [`Removal`], [`add`](Self::add) and [`remove`](Self::remove)
/// of any; with [`Dx`], [`insert`](Self::insert) at any number that is free.
/// [`replace`](Self::replace) gives a member's number, and so all its keys, to another.
///
/// | | cost, beside the algorithm's own |
/// | --- | --- |
/// | [`place`](Placement::place) | two loads; no name is compared, nothing is allocated |
/// | [`index_of`](Self::index_of) | O(log n) comparisons of names |
/// | all that change it, and [`new`](Self::new) | O(n log n), since members are kept in canonical order |
/// | memory | the [`Members`], and 4 bytes for each of them and for each number up to the greatest |
///
/// What the algorithm cannot do does not compile: [`Jump`](super::Jump) lets nobody go but the last
/// (planted bug H10 of `docs/simulation.md`), and [`Anchor`](super::Anchor) has no last.
///
/// ```compile_fail,E0599
/// use tenure::placement::{Jump, Named};
/// let mut named = Named::new(Jump::new(2).unwrap(), ["a", "b"]).unwrap();
/// named.remove("a").unwrap();
/// ```
/// ```compile_fail,E0599
/// use tenure::placement::{Anchor, Named};
/// let mut named = Named::new(Anchor::new(2, 3).unwrap(), ["a", "b"]).unwrap();
/// named.push("c").unwrap();
/// ```
///
/// Weights and zones of members are kept, and count for nothing here.
///
/// ```
/// use tenure::placement::{Anchor, Key, Named, Placement};
/// let mut named = Named::new(Anchor::new(3, 8)?, ["db-a", "db-b", "db-c"])?;
/// let key = Key::from("tenant/42");
/// let owner = named.place(key).unwrap().clone();
/// assert_eq!(named.index_of(owner.name()), named.algorithm().index(key));
///
/// // Another machine for the same data: the number stays, and with it the keys.
/// named.replace(owner.name(), "db-x")?;
/// assert_eq!(named.place(key).unwrap().name(), "db-x");
///
/// // Any may leave; what was placed on others stays there.
/// named.remove("db-x")?;
/// assert_ne!(named.place(key).unwrap().name(), "db-x");
///
/// // Another replica places alike if, and only if, it has the state.
/// let other = Named::<Anchor>::from_state(&named.state())?;
/// assert_eq!(other, named);
/// # use tenure::placement::Numbered;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Named<A> {
    algorithm: A,
    members: Members,
    /// The number of the member at each position of `members`.
    numbers: Vec<u32>,
    /// The position of the member of each number up to the greatest; [`NOBODY`] of one not in use.
    positions: Box<[u32]>,
}

/// A position that no member has.
const NOBODY: u32 = u32::MAX;

impl<A: Numbered> Named<A> {
    /// Gives the numbers that `algorithm` has in use, in ascending order, to `members` in the order in
    /// which they come.
    ///
    /// # Errors
    /// There are more or fewer members than numbers in use, or [`Members::new`] would refuse them.
    ///
    /// ```
    /// use tenure::placement::{Anchor, Member, Named, NamedError};
    /// let named = Named::new(Anchor::new(2, 2)?, ["b", "a"])?;
    /// assert_eq!((named.index_of("b"), named.index_of("a")), (Some(0), Some(1)));
    /// let refused = Named::new(Anchor::new(2, 2)?, ["b"]);
    /// assert_eq!(refused, Err(NamedError::Count { members: 1, numbers: 2 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new<M: Into<Member>>(
        algorithm: A,
        members: impl IntoIterator<Item = M>,
    ) -> Result<Self, NamedError> {
        let numbers = algorithm.len();
        // One more than there may be, for the iterator may have no end.
        let members: Vec<Member> = members
            .into_iter()
            .map(Into::into)
            .take((numbers as usize).saturating_add(1))
            .collect();
        if members.len() != numbers as usize {
            return Err(NamedError::Count { members: members.len(), numbers });
        }
        let end = algorithm.numbering().end;
        let in_use = (0..end).filter(|&number| algorithm.contains(number));
        let pairs = in_use.zip(members).collect();
        Self::joined(algorithm, pairs)
    }

    /// All that it depends on: to be kept, or sent to other replicas.
    ///
    /// ```
    /// use tenure::placement::{Anchor, Named};
    /// let named = Named::new(Anchor::new(2, 3)?, ["b", "a"])?;
    /// let state = named.state();
    /// assert_eq!((state.numbering.end, &state.numbering.removed[..]), (3, &[2][..]));
    /// assert_eq!(state.members, [(0, "b".into()), (1, "a".into())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn state(&self) -> NamedState {
        let mut members: Vec<_> =
            self.numbers.iter().copied().zip(self.members.iter().cloned()).collect();
        members.sort_unstable_by_key(|(number, _)| *number);
        NamedState { numbering: self.algorithm.numbering(), members }
    }

    /// What gave this `state`, or a replica of it: it places every key alike, and numbers members that
    /// come alike.
    ///
    /// The state does not say which algorithm gave it: the type does. Nothing larger than the state
    /// itself is allocated before it is known to be whole.
    ///
    /// # Errors
    /// It cannot be the state of anything: the numbering is none that the algorithm has, a number in
    /// use has no member or two, a number not in use has one, or [`Members::new`] would refuse the
    /// members.
    ///
    /// ```
    /// use tenure::placement::{Anchor, Named, NamedError, NamedState, Numbering};
    /// let numbering = Numbering { end: 2, removed: vec![1] };
    /// let state = |number, name: &str| NamedState {
    ///     numbering: numbering.clone(),
    ///     members: vec![(number, name.into())],
    /// };
    /// assert!(Named::<Anchor>::from_state(&state(0, "a")).is_ok());
    /// let refused = Named::<Anchor>::from_state(&state(1, "a"));
    /// assert_eq!(refused, Err(NamedError::NotInUse { number: 1, name: "a".into() }));
    /// ```
    pub fn from_state(state: &NamedState) -> Result<Self, NamedError> {
        let NamedState { numbering, members } = state;
        let removed = u32::try_from(numbering.removed.len()).unwrap_or(u32::MAX);
        let numbers = numbering.end.saturating_sub(removed);
        if members.len() < numbers as usize {
            return Err(NamedError::Count { members: members.len(), numbers });
        }
        let algorithm = A::from_numbering(numbering)?;
        let mut pairs = members.clone();
        pairs.sort_by_key(|(number, _)| *number);
        let mut in_use = (0..numbering.end).filter(|&number| algorithm.contains(number));
        let mut before = None;
        for (number, member) in &pairs {
            if before == Some(*number) {
                return Err(NamedError::Twice(*number));
            }
            before = Some(*number);
            if !algorithm.contains(*number) {
                let name = Arc::from(member.name());
                return Err(NamedError::NotInUse { number: *number, name });
            }
            match in_use.next() {
                Some(expected) if expected != *number => {
                    return Err(NamedError::Missing(expected));
                }
                _ => {}
            }
        }
        if let Some(expected) = in_use.next() {
            return Err(NamedError::Missing(expected));
        }
        Self::joined(algorithm, pairs)
    }

    /// Gives the number of the member called `name` to another, or to the same with another weight or
    /// zone; returns the former. All its keys, and no others, move.
    ///
    /// # Errors
    /// Nobody is called `name`, or the other's name is empty or another member's. Then nothing changed.
    ///
    /// ```
    /// use tenure::placement::{Anchor, Named, NamedError};
    /// let mut named = Named::new(Anchor::new(2, 2)?, ["a", "b"])?;
    /// assert_eq!(named.replace("a", "c")?.name(), "a");
    /// assert_eq!((named.index_of("a"), named.index_of("c")), (None, Some(0)));
    /// assert_eq!(named.replace("a", "d"), Err(NamedError::Unknown("a".into())));
    /// assert_eq!(named.replace("b", "c"), Err(NamedError::Duplicate("c".into())));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&mut self, name: &str, by: impl Into<Member>) -> Result<Member, NamedError> {
        let by = by.into();
        let (number, former) = self.known(name)?;
        let members = self.without(name).map(|(_, member)| member.clone()).chain([by.clone()]);
        let members = Members::new(members)?;
        self.forget(name);
        self.link(members, number, &by);
        Ok(former)
    }

    /// What numbers the members and places keys on numbers.
    pub const fn algorithm(&self) -> &A {
        &self.algorithm
    }

    /// The member that has the number `index`, if it is in use.
    ///
    /// ```
    /// use tenure::placement::{Dx, Named};
    /// let mut named = Named::new(Dx::new(2, 4)?, ["a", "b"])?;
    /// assert_eq!(named.member_at(1).map(|member| member.name()), Some("b"));
    /// named.remove("b")?;
    /// assert_eq!(named.member_at(1), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn member_at(&self, index: u32) -> Option<&Member> {
        let position = self.positions.get(index as usize)?;
        self.members.get(*position as usize)
    }

    /// The number of the member called `name`, if there is one.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<u32> {
        self.numbers.get(self.members.position(name)?).copied()
    }

    fn joined(algorithm: A, mut pairs: Vec<(u32, Member)>) -> Result<Self, NamedError> {
        let members = Members::new(pairs.iter().map(|(_, member)| member.clone()))?;
        pairs.sort_unstable_by(|(_, one), (_, other)| one.cmp(other));
        let numbers: Vec<u32> = pairs.into_iter().map(|(number, _)| number).collect();
        Ok(Self { algorithm, members, positions: positions(&numbers), numbers })
    }

    fn known(&self, name: &str) -> Result<(u32, Member), NamedError> {
        let known = self.index_of(name).zip(self.members.by_name(name).cloned());
        known.ok_or_else(|| NamedError::Unknown(name.into()))
    }

    /// All but the member called `name`.
    fn without(&self, name: &str) -> impl Iterator<Item = (u32, &Member)> {
        let pairs = self.numbers.iter().copied().zip(&self.members);
        pairs.filter(move |(_, member)| member.name() != name)
    }

    /// Takes the number from the member called `name`; the members are still the old ones.
    fn forget(&mut self, name: &str) {
        self.numbers = self.without(name).map(|(number, _)| number).collect();
    }

    /// Takes in `members`, of which `member`, who has the `number`, had none until now.
    fn link(&mut self, members: Members, number: u32, member: &Member) {
        let position = members.position(member.name()).unwrap_or(usize::MAX);
        self.numbers.insert(position.min(self.numbers.len()), number);
        self.members = members;
        self.positions = positions(&self.numbers);
    }

    /// Takes in `member`, which gets the number that `number` brings into use.
    fn join(
        &mut self,
        member: &Member,
        number: impl FnOnce(&mut A) -> Result<u32, NamedError>,
    ) -> Result<u32, NamedError> {
        let members = Members::new(self.members.iter().cloned().chain([member.clone()]))?;
        let number = number(&mut self.algorithm)?;
        self.link(members, number, member);
        Ok(number)
    }

    /// Lets the member called `name` go, whose number is not in use any more.
    fn leave(&mut self, name: &str, members: Members) {
        self.forget(name);
        self.members = members;
        self.positions = positions(&self.numbers);
    }
}

impl<A: Tail> Named<A> {
    /// Takes in a member, and says its number: the next one.
    ///
    /// # Errors
    /// Its name is empty or another member's, or the algorithm cannot have more. Then nothing changed.
    pub fn push(&mut self, member: impl Into<Member>) -> Result<u32, NamedError> {
        self.join(&member.into(), |algorithm| Ok(algorithm.push()?))
    }

    /// Lets the member with the greatest number go: not the one that joined last, if it was
    /// [replaced](Self::replace) since. `None` if there is none.
    pub fn pop(&mut self) -> Option<Member> {
        let last = self.member_at(self.algorithm.len().checked_sub(1)?)?.clone();
        let members = self.without(last.name()).map(|(_, member)| member.clone());
        let members = Members::new(members).ok()?;
        self.algorithm.pop()?;
        self.leave(last.name(), members);
        Some(last)
    }
}

impl<A: Removal> Named<A> {
    /// Takes in a member, and says its number: the one that the algorithm [adds](Removal::add).
    ///
    /// # Errors
    /// Its name is empty or another member's, or the algorithm cannot have more. Then nothing changed.
    pub fn add(&mut self, member: impl Into<Member>) -> Result<u32, NamedError> {
        self.join(&member.into(), |algorithm| Ok(algorithm.add()?))
    }

    /// Lets the member called `name` go, whatever its number.
    ///
    /// # Errors
    /// Nobody is called so. Then nothing changed.
    pub fn remove(&mut self, name: &str) -> Result<Member, NamedError> {
        let (number, former) = self.known(name)?;
        let members = Members::new(self.without(name).map(|(_, member)| member.clone()))?;
        self.algorithm.remove(number).map_err(|_| NamedError::Unknown(name.into()))?;
        self.leave(name, members);
        Ok(former)
    }
}

impl<D: Draw> Named<Dx<D>> {
    /// Takes in a member by a given number, which is free: undoes a [`remove`](Self::remove), in whatever
    /// order.
    ///
    /// A member that comes back by the number that it had has its former keys again, and no others move.
    /// [`add`](Self::add) gives the least free number instead.
    ///
    /// # Errors
    /// The number is in use, or not below the capacity; the member's name is empty or another member's.
    /// Then nothing changed.
    ///
    /// ```
    /// use tenure::placement::{Dx, Named, NamedError};
    /// let mut named = Named::new(Dx::new(3, 8)?, ["a", "b", "c"])?;
    /// let before = named.clone();
    /// named.remove("a")?;
    /// named.remove("c")?;
    /// named.insert(2, "c")?; // add would have given it the number of a
    /// named.insert(0, "a")?;
    /// assert_eq!(named, before);
    /// assert_eq!(named.insert(2, "d"), Err(NamedError::NotFree(2)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(&mut self, number: u32, member: impl Into<Member>) -> Result<(), NamedError> {
        let taken = NamedError::NotFree(number);
        let insert = |dx: &mut Dx<D>| if dx.insert(number) { Ok(number) } else { Err(taken) };
        self.join(&member.into(), insert).map(drop)
    }
}

impl<A: Numbered> Placement for Named<A> {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        self.member_at(self.algorithm.index(key)?)
    }
}

/// The inverse of `numbers`, which are all different.
fn positions(numbers: &[u32]) -> Box<[u32]> {
    let end = numbers.iter().max().map_or(0, |last| *last as usize + 1);
    let mut positions = vec![NOBODY; end];
    for (position, number) in (0..).zip(numbers) {
        if let Some(at) = positions.get_mut(*number as usize) {
            *at = position;
        }
    }
    positions.into()
}

#[cfg(test)]
mod tests;
