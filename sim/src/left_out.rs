//! Rules of an election that a scenario may leave out, each by its name: those of the elector, and those
//! that its driver and the store keep. Without one there is a bug that elections are known to have; the
//! checks do not know which.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenure::election::{self, Rules};

/// A rule that a [`Scenario`](crate::scenario::Scenario) may leave out.
///
/// ```
/// use tenure_sim::catalogue;
/// use tenure_sim::left_out::{Duty, Rule};
/// use tenure_sim::subject::Subject;
///
/// let mut cut = catalogue::find("leader-cut").unwrap();
/// cut.without.extend(Rule::named("deadline"));
/// let found = cut.run(1)?.finds;
/// assert_eq!(found[0].violation.check, "one-leader");
///
/// // An elector can do all right, and have a driver that names no version when it writes.
/// let mut slow = catalogue::find("slow-clock").unwrap();
/// assert!(slow.run(1)?.finds.is_empty());
/// slow.without.push(Rule::World(Duty::CompareVersions));
/// assert!(!slow.run(1)?.finds.is_empty());
/// assert_eq!(slow.without[0].name(), "compare-versions");
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The elector's.
    Elector(election::Rule),
    /// What it is told by.
    World(Duty),
}

/// What drivers and stores owe an elector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Duty {
    /// An update names the version that it writes over, and the store compares it.
    CompareVersions,
    /// To create what is there fails.
    CreateOnly,
    /// A read gives what is stored now.
    CurrentReads,
}

impl Duty {
    const NAMES: [(Self, &'static str); 3] = [
        (Self::CompareVersions, "compare-versions"),
        (Self::CreateOnly, "create-only"),
        (Self::CurrentReads, "current-reads"),
    ];
}

impl Rule {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let duties = Duty::NAMES.into_iter().map(|(duty, _)| Self::World(duty));
        election::Rule::all().map(Self::Elector).chain(duties)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elector(rule) => rule.name(),
            Self::World(duty) => {
                let mut names = Duty::NAMES.into_iter();
                names.find(|(known, _)| *known == duty).map_or("", |(_, name)| name)
            }
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|rule| rule.name() == name)
    }
}

/// The elector's rules, but for those.
pub(crate) fn of_electors(without: &[Rule]) -> Rules {
    without.iter().fold(Rules::default(), |rules, rule| match rule {
        Rule::Elector(rule) => rules.without(*rule),
        Rule::World(_) => rules,
    })
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::all().map(Self::name).collect();
        json_schema!({ "description": "A rule of an election, by name.", "enum": names })
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        Self::named(&name).ok_or_else(|| {
            let all: Vec<_> = Self::all().map(Self::name).collect();
            let all = all.join(", ");
            D::Error::custom(format_args!("{name:?} is no rule of an election: use {all}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_known_by_its_name_alone() {
        for rule in Rule::all() {
            let text = serde_json::to_string(&rule).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule, "{text}");
        }
        let wrong = serde_json::from_str::<Rule>("\"clocks\"").unwrap_err().to_string();
        assert!(wrong.contains("clocks") && wrong.contains("current-reads"), "{wrong}");
    }
}
