//! What is the group's: who decides, and by which hash.

use core::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::sharding::{KeyHash, Mode as Machine, Ranking};

use super::Policy;

/// Who decides who owns what: see [`Machine`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Each for itself, by weighted rendezvous.
    Ranked,
    /// Each for itself, by a ring with this many points for each unit of weight.
    Ring(NonZeroU32),
    /// A leader, by a plan.
    Planned,
    /// Whoever holds the slot's lease.
    Leased,
}

impl Mode {
    /// Whether it ranks members.
    #[must_use]
    pub(crate) const fn is_ranked(self) -> bool {
        matches!(self, Self::Ranked | Self::Ring(_))
    }

    pub(super) fn machine(self, policy: &Policy) -> Machine {
        match self {
            Self::Ranked => Machine::Ranked(Ranking::Rendezvous),
            Self::Ring(points) => Machine::Ranked(Ranking::Ring(points)),
            Self::Planned => Machine::Planned(policy.machine()),
            Self::Leased => Machine::Leased,
        }
    }
}

/// The hash of keys: see [`KeyHash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// FNV-1a 64.
    #[default]
    Fnv1a,
    /// XXH3-64.
    Xxh3,
}

impl Hash {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) const fn machine(self) -> KeyHash {
        match self {
            Self::Fnv1a => KeyHash::Fnv1a,
            Self::Xxh3 => KeyHash::Xxh3,
        }
    }
}
