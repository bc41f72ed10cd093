//! Named scenarios of sharded groups.

use super::scenario::Scenario;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each, in the order in which to read them.
        const FILES: &[(&str, &str)] = &[$((
            concat!("sharding/", $name),
            include_str!(concat!("../../scenarios/sharding/", $name, ".json")),
        )),*];
    };
}

files!(
    "calm",
    "join-one",
    "join-bulk",
    "leave",
    "crash",
    "rolling-update",
    "rolling-update-same-names",
    "flap",
    "partition-member",
    "stale-watch",
    "pause-long",
    "slow-drain",
    "weights-change",
    "configuration-change",
    "record-deleted",
    "late-answers",
    "late-renewal",
    "late-grant",
    "late-exclusion",
    "stale-excluder",
    "store-outage",
    "clock-in-bound",
    "clock-beyond",
    "forged-left",
    "swarm",
    "ring",
    "ring-swarm",
    "similar-names",
    "planned",
    "plan-there-and-back",
    "plan-unseen-member",
    "hot-slots",
    "churn",
    "planned-swarm",
    "leased",
    "leased-swarm",
    "changing-swarm",
);

/// The names of all scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The scenario of this name.
///
/// ```
/// use tenure_sim::sharding::catalogue;
/// assert!(catalogue::find("sharding/crash").is_some_and(|crash| crash.expect.is_empty()));
/// ```
#[must_use]
pub fn find(name: &str) -> Option<Scenario> {
    let (_, text) = FILES.iter().find(|(known, _)| *known == name)?;
    serde_json::from_str(text).ok() // a test reads each of them
}

/// All scenarios.
pub fn all() -> impl Iterator<Item = Scenario> {
    names().filter_map(find)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sharding::check::Checks;

    #[test]
    fn each_file_can_be_read_and_is_sound() {
        for (name, text) in FILES {
            let scenario: Scenario =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, *name);
            scenario.checked().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(scenario.description.len() > 40, "{name} says what it shows");
            for check in &scenario.expect {
                assert!(Checks::has(check), "{name}: no check {check}");
            }
        }
    }
}
