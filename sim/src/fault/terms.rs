//! The terms in which faults say what they do: which messages, in which order, how, by which hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Site;

/// Which messages a network fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Both ways.
    #[default]
    Both,
    /// Those that leave `sites`: a replica's requests.
    Outgoing,
    /// Those that come to `sites`: a replica's answers.
    Incoming,
}

/// The links that a network fault hits: those between `sites` and `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// One side.
    pub sites: Vec<Site>,
    /// The other side; everything that is not in `sites` if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<Site>,
    /// Which way.
    #[serde(default)]
    pub direction: Direction,
}

impl Links {
    /// All links of `site`, both ways.
    #[must_use]
    pub fn of(site: Site) -> Self {
        Self { sites: vec![site], from: Vec::new(), direction: Direction::Both }
    }

    /// The same, one way.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }
}

/// In which order a process handles what it missed while it was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WakeUp {
    /// Timers that are due, then messages.
    #[default]
    TimersFirst,
    /// Messages, then timers that are due.
    MessagesFirst,
}

/// Under which name a process comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reborn {
    /// A new incarnation, drawn anew.
    #[default]
    New,
    /// The incarnation of its last life.
    Same,
}

/// How a store that is out answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// An error at once.
    #[default]
    Refuse,
    /// Never.
    Hang,
}

/// With which HTTP status a store that fails by chance answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Code {
    /// 409: a write is in conflict though nobody wrote, as when something between client and store
    /// sends it twice. Reads go through.
    Conflict,
    /// 429: the store is too busy. It never took effect.
    TooManyRequests,
    /// 500, or any other error of the server.
    #[default]
    Internal,
    /// 504, or rather silence: no answer comes before the caller gives up.
    Timeout,
}

impl Code {
    const ALL: [(u16, Self); 4] = [
        (409, Self::Conflict),
        (429, Self::TooManyRequests),
        (500, Self::Internal),
        (504, Self::Timeout),
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let numbers = Self::ALL.map(|(number, _)| number);
        json_schema!({ "description": "An HTTP status; 504 is no answer at all.", "enum": numbers })
    }
}

impl From<Code> for u16 {
    fn from(code: Code) -> Self {
        Code::ALL.into_iter().find(|(_, known)| *known == code).map_or(500, |(number, _)| number)
    }
}

impl TryFrom<u16> for Code {
    type Error = String;

    fn try_from(number: u16) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == number);
        found.map(|(_, code)| code).ok_or_else(|| {
            format!("{number} is no status that the store gives: use 409, 429, 500 or 504")
        })
    }
}

/// What somebody does to the lock by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Edit {
    /// Sets the holder, and nothing else unless given.
    SetHolder {
        /// Whom.
        holder: String,
        /// And the duration.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_seconds: Option<i32>,
    },
    /// Empties the holder.
    ClearHolder {},
    /// Writes text into the annotation of a `ConfigMap` or Endpoints that no client can read as a
    /// record. A Lease has no such place: nothing happens to it.
    Garble {},
    /// Sets a label: the version changes, the record does not.
    TouchLabel {},
    /// Writes the record back that stood this many record changes ago, as from a backup.
    Restore {
        /// How many.
        back: u32,
    },
}
