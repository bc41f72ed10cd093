//! What a member stores.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::placement::Member;
use crate::time::Timestamp;

/// What a member's record says of it.
///
/// ```
/// use tenure::sharding::State;
/// assert!(State::Draining.counts() && !State::Left.counts());
/// assert_eq!("Excluded".parse(), Ok(State::Excluded));
/// assert_eq!(State::Joining.to_string(), "Joining");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It wants slots, and waits until all others know of it.
    Joining,
    /// It takes part.
    Active,
    /// It finishes its work in order to leave.
    Draining,
    /// It has left, without any work.
    Left,
    /// Another has found that it gave no sign for its lease duration.
    Excluded,
    /// Never written: the record cannot be read, and its member may be at work.
    Unreadable,
}

impl State {
    /// All that are written.
    pub const ALL: [Self; 5] =
        [Self::Joining, Self::Active, Self::Draining, Self::Left, Self::Excluded];

    /// Whether a member with this record may have slots.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Joining | Self::Active | Self::Draining | Self::Unreadable)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Joining => "Joining",
            Self::Active => "Active",
            Self::Draining => "Draining",
            Self::Left => "Left",
            Self::Excluded => "Excluded",
            Self::Unreadable => "Unreadable",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::str::FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// A text that names no [`State`].
///
/// ```
/// use tenure::sharding::{State, UnknownState};
/// assert_eq!("Asleep".parse::<State>(), Err(UnknownState));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownState;

impl fmt::Display for UnknownState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a state: expected Joining, Active, Draining, Left or Excluded")
    }
}

impl core::error::Error for UnknownState {}

/// One life of a member, from a joining write until it leaves, lapses or is excluded: the process that
/// lives it, and how many it had before.
///
/// ```
/// use tenure::sharding::Incarnation;
/// let first = Incarnation { process: "6ba7b810".into(), life: 1 };
/// assert_eq!(first.to_string(), "6ba7b810.1");
/// assert_eq!("6ba7b810.1".parse(), Ok(first));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation {
    /// A text that no other process ever has.
    pub process: Arc<str>,
    /// Counts the lives of that process.
    pub life: u32,
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process, self.life)
    }
}

impl core::str::FromStr for Incarnation {
    type Err = NoIncarnation;

    fn from_str(text: &str) -> Result<Self, NoIncarnation> {
        let (process, life) = text.rsplit_once('.').ok_or(NoIncarnation)?;
        if process.is_empty() {
            return Err(NoIncarnation);
        }
        Ok(Self { process: process.into(), life: life.parse().map_err(|_| NoIncarnation)? })
    }
}

/// A text that is no [`Incarnation`].
///
/// ```
/// use tenure::sharding::{Incarnation, NoIncarnation};
/// assert_eq!("6ba7b810".parse::<Incarnation>(), Err(NoIncarnation));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoIncarnation;

impl fmt::Display for NoIncarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an incarnation: expected a process and a number, as in 6ba7b810.1")
    }
}

impl core::error::Error for NoIncarnation {}

/// Which configuration a member runs. No two members act under different ones.
///
/// ```
/// use tenure::sharding::Generation;
/// let generation = Generation { number: 3, fingerprint: 0x1a };
/// assert_eq!(generation.to_string(), "3-000000000000001a");
/// assert_eq!("3-000000000000001a".parse(), Ok(generation));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// Counts the configurations of a group; whoever changes one takes the next number.
    pub number: u64,
    /// A hash of all that members must agree on.
    pub fingerprint: u64,
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.number, self.fingerprint)
    }
}

impl core::str::FromStr for Generation {
    type Err = NoGeneration;

    fn from_str(text: &str) -> Result<Self, NoGeneration> {
        let (number, fingerprint) = text.split_once('-').ok_or(NoGeneration)?;
        if fingerprint.len() != 16 {
            return Err(NoGeneration);
        }
        Ok(Self {
            number: number.parse().map_err(|_| NoGeneration)?,
            fingerprint: u64::from_str_radix(fingerprint, 16).map_err(|_| NoGeneration)?,
        })
    }
}

/// A text that is no [`Generation`].
///
/// ```
/// use tenure::sharding::{Generation, NoGeneration};
/// assert_eq!("3".parse::<Generation>(), Err(NoGeneration));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoGeneration;

impl fmt::Display for NoGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a generation: expected a number and 16 hexadecimal digits, as in 3-000000000000001a")
    }
}

impl core::error::Error for NoGeneration {}

/// What a member stores: one record each.
///
/// ```
/// use core::time::Duration;
/// use tenure::sharding::{Generation, Incarnation, MemberRecord, State};
/// let record = MemberRecord {
///     member: "controller-0".into(),
///     state: State::Joining,
///     incarnation: Incarnation { process: "6ba7b810".into(), life: 1 },
///     acted_on: None,
///     generation: Generation { number: 1, fingerprint: 0x1a },
///     lease_duration: Duration::from_secs(15),
///     joined: None,
///     renewed: None,
/// };
/// assert_eq!(record.acknowledged(7), 7); // the joining write, stored with version 7
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberRecord {
    /// Name, weight and zone.
    pub member: Member,
    /// What it does.
    pub state: State,
    /// In which life. Weight, zone and generation are fixed for it.
    pub incarnation: Incarnation,
    /// The largest version such that the member has seen everything up to it, and has finished its work
    /// on everything that moved away by it. None in a joining write, which acknowledges itself.
    pub acted_on: Option<u64>,
    /// The configuration it runs.
    pub generation: Generation,
    /// How long others must wait after the last sign of it before they exclude it.
    pub lease_duration: Duration,
    /// When it joined, by its wall clock; decides nothing.
    pub joined: Option<Timestamp>,
    /// When it renewed last, by its wall clock; decides nothing.
    pub renewed: Option<Timestamp>,
}

impl MemberRecord {
    /// What to hand in for a record of this name that is there and cannot be read: somebody has changed
    /// it by hand, or a later release has written it.
    ///
    /// Its member may be at work, so nobody takes anything over from it before it is excluded, which
    /// happens when the record has stayed as it is for the longest of `lease_duration`, the one that was
    /// read of it before, and the reader's own. Until then nobody joins, and those at work go on.
    ///
    /// ```
    /// use core::time::Duration;
    /// use tenure::sharding::{MemberRecord, State};
    /// let record = MemberRecord::unreadable("controller-0", Duration::from_secs(15));
    /// assert_eq!((record.name(), record.state), ("controller-0", State::Unreadable));
    /// assert_eq!(record.acknowledged(7), 0); // it acknowledges nothing
    /// ```
    #[must_use]
    pub fn unreadable(name: impl Into<Member>, lease_duration: Duration) -> Self {
        Self {
            member: name.into(),
            state: State::Unreadable,
            // The incarnation of no process, since it has a point; the generation of no configuration.
            incarnation: Incarnation { process: "unreadable.".into(), life: 0 },
            acted_on: Some(0),
            generation: Generation { number: 0, fingerprint: 0 },
            lease_duration,
            joined: None,
            renewed: None,
        }
    }

    /// The member's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.member.name()
    }

    /// Whether `later`, of the same incarnation, says otherwise what is fixed for that.
    pub(super) fn differs(&self, later: &Self) -> bool {
        let fixed = |record: &Self| (record.generation, record.lease_duration);
        self.incarnation == later.incarnation
            && (fixed(self) != fixed(later) || self.member != later.member)
    }

    /// Up to which version it has acknowledged what it saw, if this is stored with `version`.
    #[must_use]
    pub fn acknowledged(&self, version: u64) -> u64 {
        self.acted_on.unwrap_or(version)
    }
}

/// A record in the store, and the version of its last write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredMember {
    /// What is stored. Shared: views of the same write cost nothing.
    pub record: Arc<MemberRecord>,
    /// The store's version of the write. Greater for each later write of any member of the group.
    pub version: u64,
}
