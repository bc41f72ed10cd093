//! Whom and what faults hit, and how that is written.

use core::fmt;
use core::str::FromStr;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::nearest::nearest;

/// Whom a fault hits; roles are resolved when it fires. Text: a number, `leader`, `follower`,
/// `actor` or `everyone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The replica with this index.
    Replica(u32),
    /// Whoever believes to lead; the latest to begin, if several do.
    Leader,
    /// The first running replica that does not believe to lead.
    Follower,
    /// Whoever pulled the [`Trigger`](super::Trigger).
    Actor,
    /// Every replica.
    Everyone,
}

impl Target {
    /// The roles, by their names.
    const ROLES: [&str; 4] = ["leader", "follower", "actor", "everyone"];

    pub(super) const fn everyone() -> Self {
        Self::Everyone
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(super) const fn is_everyone(&self) -> bool {
        matches!(self, Self::Everyone)
    }
}

/// Where a network fault is. Text: as [`Target`], or `api` (all API servers), `api-0` (one),
/// `resource`, `zone:NAME` (all in a zone).
///
/// ```
/// use tenure_sim::fault::{Site, Target, UnknownPlace};
/// assert_eq!("zone:a".parse(), Ok(Site::Zone("a".to_owned())));
/// assert_eq!("follower".parse(), Ok(Site::Of(Target::Follower)));
/// assert_eq!(Site::Api(Some(0)).to_string(), "api-0");
/// let unknown: UnknownPlace = "leadr".parse::<Site>().unwrap_err();
/// assert!(unknown.to_string().contains("did you mean leader?"), "{unknown}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Site {
    /// Replicas.
    Of(Target),
    /// An API server, or all of them.
    Api(Option<u32>),
    /// The guarded resource.
    Resource,
    /// All sites in a zone.
    Zone(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replica(index) => write!(f, "{index}"),
            Self::Leader => f.write_str("leader"),
            Self::Follower => f.write_str("follower"),
            Self::Actor => f.write_str("actor"),
            Self::Everyone => f.write_str("everyone"),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(target) => target.fmt(f),
            Self::Api(None) => f.write_str("api"),
            Self::Api(Some(index)) => write!(f, "api-{index}"),
            Self::Resource => f.write_str("resource"),
            Self::Zone(zone) => write!(f, "zone:{zone}"),
        }
    }
}

/// The text names no target or no site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPlace {
    text: String,
    wanted: &'static str,
}

impl fmt::Display for UnknownPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites = ["api", "resource"].into_iter().filter(|it| self.wanted.contains(it));
        let near = nearest(&self.text, Target::ROLES.into_iter().chain(sites));
        let near =
            near.first().map_or_else(String::new, |near| format!("did you mean {near}? Or "));
        write!(f, "{:?} is unknown: {near}use {}", self.text, self.wanted)
    }
}

impl core::error::Error for UnknownPlace {}

impl FromStr for Target {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        let wanted = "the number of a replica (from 0), leader, follower, actor or everyone";
        match text {
            "leader" => Ok(Self::Leader),
            "follower" => Ok(Self::Follower),
            "actor" => Ok(Self::Actor),
            "everyone" => Ok(Self::Everyone),
            number => number
                .parse()
                .map(Self::Replica)
                .map_err(|_| UnknownPlace { text: text.to_owned(), wanted }),
        }
    }
}

impl FromStr for Site {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        let wanted = "the number of a replica (from 0), leader, follower, actor, everyone, api, \
                      api-0, resource or zone:NAME";
        let unknown = || UnknownPlace { text: text.to_owned(), wanted };
        if let Some(zone) = text.strip_prefix("zone:") {
            return Ok(Self::Zone(zone.to_owned()));
        }
        if let Some(number) = text.strip_prefix("api-") {
            return number.parse().map(|index| Self::Api(Some(index))).map_err(|_| unknown());
        }
        match text {
            "api" => Ok(Self::Api(None)),
            "resource" => Ok(Self::Resource),
            _ => text.parse().map(Self::Of).map_err(|_| unknown()),
        }
    }
}

/// Serialized as a number where it is one, else as text; read from either.
macro_rules! place {
    ($type:ty, $number:pat => $index:expr, $from:expr, $expecting:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $number => serializer.serialize_u32(*$index),
                    other => serializer.collect_str(other),
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Place;
                impl Visitor<'_> for Place {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_u64<E: de::Error>(self, index: u64) -> Result<$type, E> {
                        u32::try_from(index).map($from).map_err(E::custom)
                    }

                    fn visit_i64<E: de::Error>(self, index: i64) -> Result<$type, E> {
                        u32::try_from(index).map($from).map_err(E::custom)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Place)
            }
        }
    };
}

impl JsonSchema for Target {
    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The number of a replica, or a role; roles are resolved when the fault fires.",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "enum": Self::ROLES }],
        })
    }
}

impl JsonSchema for Site {
    fn schema_name() -> Cow<'static, str> {
        "Site".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A target, or another site: all API servers, one, the guarded resource, a zone.",
            "anyOf": [
                generator.subschema_for::<Target>(),
                { "enum": ["api", "resource"] },
                { "type": "string", "pattern": "^(api-[0-9]+|zone:.*)$" },
            ],
        })
    }
}

place!(Target, Self::Replica(index) => index, Target::Replica, "the number of a replica or a role");
place!(Site, Self::Of(Target::Replica(index)) => index, |index| Site::Of(Target::Replica(index)),
    "the number of a replica or the name of a site");
