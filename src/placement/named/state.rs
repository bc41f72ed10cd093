use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{error, fmt};

use super::super::{Full, Member, MembersError, Numbering, NumberingError};

/// The state of a [`Named`](super::Named).
///
/// With the feature `serde` it can be written and read, each member as an object with the fields
/// `number` and `name`, and `weight` and `zone` where they were given. Whatever was read,
/// [`Named::from_state`](super::Named::from_state) checks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct NamedState {
    /// The state of the algorithm.
    pub numbering: Numbering,
    /// Each number in use with its member; ascending, as [`Named::state`](super::Named::state) gives it.
    #[cfg_attr(feature = "serde", serde(with = "entries"))]
    pub members: Vec<(u32, Member)>,
}

#[cfg(feature = "serde")]
mod entries {
    use alloc::borrow::ToOwned;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Member;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        number: u32,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weight: Option<NonZeroU32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    }

    pub(super) fn serialize<S: Serializer>(
        members: &[(u32, Member)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(members.iter().map(|(number, member)| Entry {
            number: *number,
            name: member.name().to_owned(),
            weight: Some(member.weight()).filter(|weight| *weight != NonZeroU32::MIN),
            zone: member.zone().map(ToOwned::to_owned),
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(u32, Member)>, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let member = |entry: Entry| {
            let weight = entry.weight.unwrap_or(NonZeroU32::MIN);
            let member = Member::new(entry.name).with_weight(weight);
            (entry.number, member.in_zone(entry.zone.unwrap_or_default()))
        };
        Ok(entries.into_iter().map(member).collect())
    }
}

/// Why a [`Named`](super::Named) refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NamedError {
    /// A member has an empty name.
    EmptyName,
    /// More than one member has this name.
    Duplicate(Arc<str>),
    /// No member has this name.
    Unknown(Arc<str>),
    /// There are not as many members as numbers in use.
    Count {
        /// How many members were given; one more than needed, if there were too many.
        members: usize,
        /// How many numbers are in use.
        numbers: u32,
    },
    /// The algorithm cannot have more members.
    Full(Full),
    /// The number at which a member was to be taken in is in use, or not below the capacity.
    NotFree(u32),
    /// The state has a numbering that the algorithm does not have.
    Numbering(NumberingError),
    /// The state gives a member a number that is not in use.
    NotInUse {
        /// What is not in use.
        number: u32,
        /// Whose number it is said to be.
        name: Arc<str>,
    },
    /// The state gives this number to two members.
    Twice(u32),
    /// The state gives this number, which is in use, to nobody.
    Missing(u32),
}

impl From<MembersError> for NamedError {
    fn from(error: MembersError) -> Self {
        match error {
            MembersError::EmptyName => Self::EmptyName,
            MembersError::Duplicate(name) => Self::Duplicate(name),
        }
    }
}

impl From<Full> for NamedError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<NumberingError> for NamedError {
    fn from(error: NumberingError) -> Self {
        Self::Numbering(error)
    }
}

impl fmt::Display for NamedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("a member has an empty name: name it"),
            Self::Duplicate(name) => {
                write!(f, "more than one member is called {name:?}: rename one, or leave it out")
            }
            Self::Unknown(name) => write!(f, "no member is called {name:?}: see members()"),
            Self::Count { members, numbers } => {
                write!(f, "members: {members} for {numbers} numbers: give one for each number")
            }
            Self::Full(full) => full.fmt(f),
            Self::NotFree(number) => write!(
                f,
                "the number {number} is in use, or not below the capacity: choose one of \
                 state().numbering.removed"
            ),
            Self::Numbering(error) => write!(f, "numbering: {error}"),
            Self::NotInUse { number, name } => write!(
                f,
                "members: {name:?} has the number {number}, which is not in use: leave it out, or \
                 take {number} out of numbering.removed"
            ),
            Self::Twice(number) => {
                write!(f, "members: the number {number} is there twice: it belongs to one")
            }
            Self::Missing(number) => write!(
                f,
                "members: nobody has the number {number}, which is in use: name its member, or put \
                 {number} into numbering.removed"
            ),
        }
    }
}

impl error::Error for NamedError {}
