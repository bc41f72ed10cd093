//! By what a leader plans.

use core::num::{NonZeroU8, NonZeroU32};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::sharding::planned;

use crate::time::Span;

/// See [`planned::Policy`], whose fields are called so.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// In how many ranges a member's slots lie; anyhow if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<NonZeroU8>,
    /// By how many thousandths a member may be above or below its share.
    pub slack_per_mille: u32,
    /// How much may move at a time that does not have to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// How long a member must have been here before it is given anything.
    pub hysteresis: Span,
    /// How long a member that is gone keeps its slots.
    pub hold: Span,
}

/// See [`planned::Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// How many slots in one plan.
    pub moves: NonZeroU32,
    /// How long after one such plan the next.
    pub every: Span,
}

impl Policy {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn machine(&self) -> planned::Policy {
        let layout = self.ranges.map(|ranges| planned::Layout::Contiguous { ranges });
        let budget = self
            .budget
            .map(|Budget { moves, every }| planned::Budget { moves, every: every.as_duration() });
        planned::Policy {
            layout: layout.unwrap_or_default(),
            slack_per_mille: self.slack_per_mille,
            budget,
            hysteresis: self.hysteresis.as_duration(),
            hold: self.hold.as_duration(),
            ..planned::Policy::default()
        }
    }
}
