//! What a [`World`](super::World) runs in each replica: Tenure's machine, or what others do.

use core::fmt::Debug;
use core::hash::Hash;
use std::borrow::Cow;
use std::sync::Arc;

use tenure::election::Failure;
use tenure::sharding::{Config, Permit, Slot, SlotSet, State};
use tenure::time::{Instant, Now};

use super::scenario::{Replica, Scenario};

/// One replica's logic, without I/O: it is told what happens and asked what to do.
///
/// After each input the world asks for [`stop`](Self::poll_stop)s, then for
/// [`call`](Self::poll_call)s, then for the next [timeout](Self::poll_timeout), then what it
/// [claims](Self::claim).
///
/// ```
/// use std::borrow::Cow;
/// use std::collections::VecDeque;
/// use tenure::election::Token;
/// use tenure::sharding::{Permit, Slot, SlotSet, Slots, State};
/// use tenure::time::{Instant, Now};
/// use tenure_sim::sharding::fault::{Change, Fault, Planned};
/// use tenure_sim::sharding::{
///     Birth, Call, Claim, Held, Input, Mode, Op, Reply, Scenario, Shown, Summary, System, Value, World,
///     check::Checks,
/// };
/// use tenure_sim::time::Span;
///
/// const NEVER: Instant = Instant::from_nanos(u64::MAX);
///
/// /// What the object of a slot says: nothing. Who made it has the slot.
/// #[derive(Debug, Clone, PartialEq, Eq, Hash)]
/// struct Taken;
///
/// impl Value for Taken {
///     fn summary(&self) -> Summary {
///         Summary::default()
///     }
///     fn forged(&self, _: State) -> Option<Self> {
///         None
///     }
/// }
///
/// /// First come, first served: makes the object of each slot that has none, and deletes them when it leaves.
/// #[derive(Hash)]
/// struct First {
///     mine: SlotSet,
///     stops: VecDeque<SlotSet>,
///     calls: VecDeque<Call<Taken>>,
///     asked: u64,
///     /// How many objects it has still to delete, once it leaves.
///     left: Option<usize>,
/// }
///
/// impl First {
///     fn new(birth: &Birth<'_>) -> Self {
///         let mine = SlotSet::none(Slots::new(birth.scenario.slots).unwrap());
///         let (stops, calls) = (VecDeque::new(), VecDeque::new());
///         let mut first = Self { mine, stops, calls, asked: 0, left: None };
///         first.ask(Op::List("slot/".into()));
///         first
///     }
///
///     fn ask(&mut self, op: Op<Taken>) {
///         self.asked += 1;
///         self.calls.push_back(Call { id: self.asked, op });
///     }
/// }
///
/// impl System for First {
///     type Value = Taken;
///
///     fn handle(&mut self, _: Now, input: Input<Taken>) {
///         let slots = self.mine.slots();
///         match input {
///             Input::Answer { result: Ok(Reply::Listed { objects, .. }), .. } => {
///                 let names = slots.iter().map(|slot| format!("slot/{}", slot.index()));
///                 for name in names.filter(|name| objects.iter().all(|held| *held.name != **name)) {
///                     self.ask(Op::Create(name.into(), Taken));
///                 }
///             }
///             Input::Answer { result: Ok(Reply::Stored(Held { name, .. })), .. } => {
///                 let slot = name.strip_prefix("slot/").and_then(|index| slots.get(index.parse().ok()?));
///                 self.mine.extend(slot);
///             }
///             Input::Watched(Shown::Deleted(name, _)) if self.left.is_none() => {
///                 self.ask(Op::Create(name, Taken));
///             }
///             Input::Leave => {
///                 self.left = Some(self.mine.len());
///                 self.stops.push_back(std::mem::replace(&mut self.mine, SlotSet::none(slots)));
///             }
///             Input::Drained(slots) => {
///                 for slot in &slots {
///                     let name = format!("slot/{}", slot.index());
///                     self.ask(Op::Delete(name.into(), None));
///                 }
///             }
///             Input::Answer { result: Ok(Reply::Deleted), .. } => {
///                 self.left = self.left.map(|left| left - 1);
///             }
///             _ => {}
///         }
///     }
///     fn poll_stop(&mut self) -> Option<SlotSet> {
///         self.stops.pop_front()
///     }
///     fn poll_call(&mut self) -> Option<Call<Taken>> {
///         self.calls.pop_front()
///     }
///     fn poll_timeout(&self) -> Option<Instant> {
///         None
///     }
///     fn claim(&self, _: Instant) -> Claim<'_> {
///         let slots = Some(Cow::Borrowed(&self.mine));
///         Claim { slots, until: Some(NEVER), each: false, membership: 0 }
///     }
///     fn permit(&self, slot: Slot, _: Instant) -> Option<Permit> {
///         let permit = Permit { slot, token: Token::from_u64(0), until: NEVER };
///         self.mine.contains(slot).then_some(permit)
///     }
///     fn is_finished(&self) -> bool {
///         self.left == Some(0)
///     }
///     fn watches(&self) -> Option<&str> {
///         Some("slot/")
///     }
/// }
///
/// let mut scenario = Scenario::new(Mode::Ranked);
/// scenario.replicas[0].start = Span::from_secs(1); // the others come too late
/// let leave = Fault::Leave { who: vec![1], back: None, with: Change::default() };
/// scenario.faults = vec![Planned::at(Span::from_secs(60), leave)];
/// let mut world = World::new(&scenario, 1, First::new)?;
/// let outcome = world.run(&mut Checks::new(&scenario));
/// assert!(outcome.violations.iter().all(|it| !it.is_of("one-owner") && !it.is_of("hand-over")));
/// assert!(outcome.violations.iter().any(|it| it.is_of("tokens/grow")), "its tokens are all the same");
/// let owned = (0..3).filter_map(|replica| world.system(replica)).map(|first| first.mine.len());
/// assert_eq!(owned.sum::<usize>(), 64);
/// # Ok::<(), tenure_sim::sharding::ScenarioError>(())
/// ```
pub trait System: Hash {
    /// What it keeps in the store.
    type Value: Value;

    /// Something happened.
    fn handle(&mut self, now: Now, input: Input<Self::Value>);

    /// Slots on which no more work may begin. The world answers with [`Input::Drained`] when the work
    /// on them has ended.
    fn poll_stop(&mut self) -> Option<SlotSet>;

    /// The next call of the store.
    fn poll_call(&mut self) -> Option<Call<Self::Value>>;

    /// When it wants [`Input::Timeout`], by its own clock.
    fn poll_timeout(&self) -> Option<Instant>;

    /// What it takes to be its own at `now`.
    fn claim(&self, now: Instant) -> Claim<'_>;

    /// If it counts them: how often what it claims may have changed, other than by time. Spares a look
    /// at all slots.
    fn changes(&self) -> Option<u64> {
        None
    }

    /// The right to begin work on a slot at `now`.
    fn permit(&self, slot: Slot, now: Instant) -> Option<Permit>;

    /// Where slots have ends of [their own](Claim::each): when the right to work on this one ends, be it
    /// claimed or one that was given up and is cleaned up. None if there is no such right.
    fn until(&self, slot: Slot) -> Option<Instant> {
        let _ = slot;
        None
    }

    /// Whether it has left, so that its process may exit.
    fn is_finished(&self) -> bool;

    /// Of which objects it wants a watch, by the beginning of their names: from the first list on that
    /// it is answered, and again after each list that follows a broken one.
    fn watches(&self) -> Option<&str>;
}

/// What a replica takes to be its own.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// Which slots.
    pub slots: Option<Cow<'a, SlotSet>>,
    /// Until when, by its own clock: at and after this it may not begin anything, whatever it was told.
    /// Never, if it knows no end.
    pub until: Option<Instant>,
    /// Slots have ends of their own, see [`System::until`], and `until` is the first of these.
    pub each: bool,
    /// Counts the times that it had to give up everything: work that was begun goes on only in the same.
    pub membership: u64,
}

/// Something that happens to a replica.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input<V> {
    /// The time has come.
    Timeout,
    /// The store answered a call.
    Answer {
        /// The call's number.
        id: u64,
        /// What came of it.
        result: Result<Reply<V>, Failure>,
    },
    /// Its watch showed something.
    Watched(Shown<V>),
    /// The work on these slots has ended.
    Drained(SlotSet),
    /// It is to leave.
    Leave,
    /// It gets another weight, zone or configuration. Its incarnation is the machine's own.
    Reconfigure(Box<Config>),
    /// What is measured on each slot has changed.
    Measured(Arc<[u32]>),
}

/// A call of the store, and a number for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call<V> {
    /// Different for each call of a life.
    pub id: u64,
    /// What to do.
    pub op: Op<V>,
}

/// What to do with the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op<V> {
    /// Read all objects whose names begin so, at one version.
    List(Arc<str>),
    /// Read one.
    Get(Arc<str>),
    /// Store it if there is none of its name.
    Create(Arc<str>, V),
    /// Store it over the one with this version.
    Update(Arc<str>, V, u64),
    /// Delete it; with a version, only that.
    Delete(Arc<str>, Option<u64>),
}

impl<V> Op<V> {
    /// Whether it changes nothing.
    #[must_use]
    pub(super) const fn is_read(&self) -> bool {
        matches!(self, Self::List(_) | Self::Get(_))
    }
}

/// A call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reply<V> {
    /// To [`Op::List`].
    Listed {
        /// Names, values, versions.
        objects: Vec<Held<V>>,
        /// At which version of the store.
        version: u64,
    },
    /// To all but [`Op::List`] and [`Op::Delete`]: as it is in the store now.
    Stored(Held<V>),
    /// To [`Op::Delete`].
    Deleted,
}

/// An object in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held<V> {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub value: V,
    /// The version of its last write.
    pub version: u64,
}

/// What a watch shows, in the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shown<V> {
    /// Everything after this version will come.
    Started(u64),
    /// Written.
    Stored(Held<V>),
    /// Deleted, with this version.
    Deleted(Arc<str>, u64),
    /// The watch has ended, or something was left out.
    Broken,
}

/// What systems keep in the store. Cheap to clone.
pub trait Value: Clone + Debug + PartialEq + Eq + Hash {
    /// What checks may know of it.
    fn summary(&self) -> Summary;

    /// The same with another state, as somebody writes it by hand; none if it has no state.
    #[must_use]
    fn forged(&self, state: State) -> Option<Self>;

    /// It is stored with this version: what an object carries of its own.
    fn stored(&mut self, created: bool, version: u64) {
        let _ = (created, version);
    }
}

/// What a stored value says, for traces and checks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub struct Summary {
    /// `Joining`, `Active`, `Draining`, `Left`, `Excluded`; empty if it is no member's record.
    pub state: String,
    /// Which life of which process.
    pub incarnation: String,
    /// Up to which version its member has acknowledged.
    pub acted_on: Option<u64>,
    /// Which configuration.
    pub generation: Option<String>,
    /// What its member can bear.
    pub weight: Option<u32>,
    /// How long others wait after it.
    pub lease: Option<crate::time::Span>,
}

/// Who is born, and with what.
#[derive(Debug)]
pub struct Birth<'a> {
    /// What is simulated.
    pub scenario: &'a Scenario,
    /// The replica's index.
    pub index: u32,
    /// The number of its life, from 0.
    pub life: u32,
    /// What it runs with in this life.
    pub replica: &'a Replica,
    /// A text that no other life has.
    pub incarnation: Arc<str>,
    /// For its chance.
    pub seed: u64,
    /// What its clocks show.
    pub now: Now,
}
