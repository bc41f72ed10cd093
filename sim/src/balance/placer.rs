//! Algorithms behind one face: what the catalogue's constructors return.

use core::fmt::Display;

use tenure::placement::{
    Bounded, Key, Member, Members, Named, Numbered, Placement, Ranking, Removal,
};

use super::Unfit;

pub(super) mod presets;

/// One key: its text, and the hash of it that was chosen.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// As it was read.
    pub text: &'a str,
    /// What algorithms without a hash of their own place.
    pub key: Key,
}

/// Who owns what, or `None` where there is no member at all.
pub type Owners<'a> = Vec<Option<&'a Member>>;

/// What an algorithm is built from.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// In the order that was given: numbered algorithms count in it.
    pub(super) members: Vec<Member>,
    /// What stands after the colon, or its default; 0 if the algorithm takes none.
    pub(super) parameter: u32,
}

impl Setup {
    pub(super) fn set(&self) -> Result<Members, Unfit> {
        Members::new(self.members.iter().cloned()).map_err(Unfit::new)
    }

    /// Of all members together.
    #[must_use]
    pub(super) fn weight(&self) -> usize {
        self.members.iter().map(|member| member.weight().get() as usize).sum()
    }

    pub(super) fn len(&self) -> Result<u32, Unfit> {
        u32::try_from(self.members.len())
            .map_err(|_| Unfit::new("2^32 members or more: name fewer"))
    }
}

/// A change of the members.
#[derive(Debug, Clone)]
pub enum Change {
    /// Somebody new comes.
    Join(Member),
    /// The one of this name goes.
    Leave(String),
    /// Somebody new takes the place of the one of this name.
    Replace(String, Member),
}

/// Which of the best are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Best {
    /// How many.
    pub count: usize,
    /// Whether they are to be in as many zones as possible.
    pub across_zones: bool,
}

/// An algorithm with its members.
pub(super) trait Placer: Send + Sync {
    /// Puts the owner of each item at the end of `owners`. Where
    /// [`whole`](super::catalogue::Algorithm::whole) is said of the algorithm, the items must be all
    /// that there are.
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>);

    /// Puts the best members in place of what `best` held; `false` if the algorithm has no second
    /// best.
    fn best_into<'a>(&'a self, _: Item<'_>, _: Best, _: &mut Vec<&'a Member>) -> bool {
        false
    }

    /// After a change, if that depends on more than who is there; `None` if the algorithm built over
    /// the changed list is the same.
    fn changed(&self, _: &Change) -> Option<Built> {
        None
    }
}

/// What a constructor of the catalogue returns.
pub(super) type Built = Result<Box<dyn Placer>, Unfit>;

type FindBest<P> = for<'a> fn(&'a P, Key, usize, &mut Vec<&'a Member>);

/// An algorithm over a set of members.
struct Set<P> {
    placement: P,
    /// As they rank, and across zones.
    best: Option<[FindBest<P>; 2]>,
}

impl<P: Placement + Send + Sync> Placer for Set<P> {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        owners.extend(items.iter().map(|item| self.placement.place(item.key)));
    }

    fn best_into<'a>(&'a self, item: Item<'_>, which: Best, best: &mut Vec<&'a Member>) -> bool {
        let Some([ranked, across_zones]) = self.best else { return false };
        let find = if which.across_zones { across_zones } else { ranked };
        find(&self.placement, item.key, which.count, best);
        true
    }
}

/// A row's constructor for a placement that knows the best only.
pub(super) fn placing<P, E>(setup: &Setup, make: impl FnOnce(Members) -> Result<P, E>) -> Built
where
    P: Placement + Send + Sync + 'static,
    E: Display,
{
    let placement = make(setup.set()?).map_err(Unfit::new)?;
    Ok(Box::new(Set { placement, best: None }))
}

/// A row's constructor for a placement that knows the second best as well.
pub(super) fn ranking<P, E>(setup: &Setup, make: impl FnOnce(Members) -> Result<P, E>) -> Built
where
    P: Ranking + Send + Sync + 'static,
    E: Display,
{
    let placement = make(setup.set()?).map_err(Unfit::new)?;
    Ok(Box::new(Set { placement, best: Some([P::best_into, P::best_across_zones_into]) }))
}

/// An algorithm that is a function of a key's text or hash to a position in the list.
struct Position<F> {
    members: Vec<Member>,
    find: F,
}

impl<F: Fn(&Item<'_>) -> Option<u32> + Send + Sync> Placer for Position<F> {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        let member = |index: u32| self.members.get(index as usize);
        owners.extend(items.iter().map(|item| (self.find)(item).and_then(member)));
    }
}

/// A row's constructor for numbers of which only the last may leave: `make` is told how many there
/// are, and what it returns finds a key's number.
pub(super) fn position<F, E>(setup: &Setup, make: impl FnOnce(u32) -> Result<F, E>) -> Built
where
    F: Fn(&Item<'_>) -> Option<u32> + Send + Sync + 'static,
    E: Display,
{
    // Lists with an empty name or a name twice are no members here either.
    setup.set()?;
    let find = make(setup.len()?).map_err(Unfit::new)?;
    Ok(Box::new(Position { members: setup.members.clone(), find }))
}

/// A row's constructor for an algorithm that knows members by number.
pub(super) fn numbers<A, E>(setup: &Setup, make: impl FnOnce(u32) -> Result<A, E>) -> Built
where
    A: Numbered + Send + Sync + 'static,
    E: Display,
{
    position(setup, |len| {
        let algorithm = make(len)?;
        Ok::<_, E>(move |item: &Item<'_>| algorithm.index(item.key))
    })
}

/// An algorithm that knows members by number and lets any of them go.
struct History<A>(Named<A>);

impl<A: Removal + Clone + Send + Sync + 'static> Placer for History<A> {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        owners.extend(items.iter().map(|item| self.0.place(item.key)));
    }

    fn changed(&self, change: &Change) -> Option<Built> {
        let mut named = self.0.clone();
        let done = match change {
            Change::Join(member) => named.add(member.clone()).map(drop),
            Change::Leave(name) => named.remove(name).map(drop),
            Change::Replace(name, member) => named.replace(name, member.clone()).map(drop),
        };
        Some(done.map_err(Unfit::new).map(|()| -> Box<dyn Placer> { Box::new(Self(named)) }))
    }
}

/// A row's constructor for an algorithm that knows members by number and lets any of them go.
pub(super) fn history<A, E>(setup: &Setup, make: impl FnOnce(u32) -> Result<A, E>) -> Built
where
    A: Removal + Clone + Send + Sync + 'static,
    E: Display,
{
    let algorithm = make(setup.len()?).map_err(Unfit::new)?;
    let named = Named::new(algorithm, setup.members.iter().cloned()).map_err(Unfit::new)?;
    Ok(Box::new(History(named)))
}

/// Loads that are bounded, over a ranking: all keys are assigned at once.
struct Loads<P> {
    ranking: P,
    extra_percent: u32,
}

impl<P: Ranking + Send + Sync> Placer for Loads<P> {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        let keys = items.iter().map(|item| item.key);
        let bounded = Bounded::new(&self.ranking, keys, self.extra_percent);
        let members = self.ranking.members();
        // The members of `bounded` are these, in another place.
        let owner = |item: &Item<'_>| members.by_name(bounded.owner(item.key)?.name());
        owners.extend(items.iter().map(owner));
    }
}

/// A row's constructor for bounded loads: the parameter says how many percent more than its share a
/// member takes.
pub(super) fn bounded<P, E>(setup: &Setup, make: impl FnOnce(Members) -> Result<P, E>) -> Built
where
    P: Ranking + Send + Sync + 'static,
    E: Display,
{
    let ranking = make(setup.set()?).map_err(Unfit::new)?;
    Ok(Box::new(Loads { ranking, extra_percent: setup.parameter }))
}

/// Bytes of so many points on a circle: for each its place and its owner, and an index.
pub(super) fn circle(points: usize) -> usize {
    let number = if points <= 65_531 { size_of::<u16>() } else { size_of::<u32>() };
    let index = (points.next_power_of_two() / 2).max(2);
    (points + 4) * size_of::<u64>() + (points + 1 + index) * number
}

/// Bytes of bounded loads: 12 for each key and 16 for each member.
pub(super) fn loads(setup: &Setup, keys: usize) -> usize {
    size_of::<Bounded>() + 12 * keys + 16 * setup.members.len()
}

/// The baseline: the remainder of the hash. Nearly all keys move with each change.
pub(super) fn modulo(setup: &Setup) -> Built {
    position(setup, |len| {
        let find = move |item: &Item<'_>| {
            let index = item.key.as_u64().checked_rem(u64::from(len))?;
            u32::try_from(index).ok()
        };
        Ok::<_, Unfit>(find)
    })
}
