//! Named scenarios: each shows something, and says which checks find something under which profile.
//!
//! ```
//! use tenure_sim::catalogue;
//! let pause = catalogue::find("pause").unwrap();
//! assert!(pause.expected().is_empty()); // under strict
//! ```

use crate::scenario::Scenario;

/// Name and text of each, in the order in which to read them: first what a lease survives, then how
/// client-go comes to two leaders, then what no lease can prevent.
const FILES: [(&str, &str); 83] = [
    ("calm", include_str!("../scenarios/calm.json")),
    ("calm-day", include_str!("../scenarios/calm-day.json")),
    ("leader-crash", include_str!("../scenarios/leader-crash.json")),
    ("graceful-release", include_str!("../scenarios/graceful-release.json")),
    ("release-during-renewal", include_str!("../scenarios/release-during-renewal.json")),
    ("leader-cut", include_str!("../scenarios/leader-cut.json")),
    ("answers-lost", include_str!("../scenarios/answers-lost.json")),
    ("requests-lost", include_str!("../scenarios/requests-lost.json")),
    ("dead-connection", include_str!("../scenarios/dead-connection.json")),
    ("majorities-ring", include_str!("../scenarios/majorities-ring.json")),
    ("bridge-stale", include_str!("../scenarios/bridge-stale.json")),
    ("swizzle-clog", include_str!("../scenarios/swizzle-clog.json")),
    ("zone-outage", include_str!("../scenarios/zone-outage.json")),
    ("store-outage", include_str!("../scenarios/store-outage.json")),
    ("slow-store", include_str!("../scenarios/slow-store.json")),
    ("error-storm", include_str!("../scenarios/error-storm.json")),
    ("rolling-restart-of-servers", include_str!("../scenarios/rolling-restart-of-servers.json")),
    ("failover-bound", include_str!("../scenarios/failover-bound.json")),
    ("thundering-herd", include_str!("../scenarios/thundering-herd.json")),
    ("slow-clock", include_str!("../scenarios/slow-clock.json")),
    ("slow-clock-beyond", include_str!("../scenarios/slow-clock-beyond.json")),
    ("ntp-steps", include_str!("../scenarios/ntp-steps.json")),
    ("clock-strobe", include_str!("../scenarios/clock-strobe.json")),
    ("rejoin", include_str!("../scenarios/rejoin.json")),
    ("rolling-update", include_str!("../scenarios/rolling-update.json")),
    ("watch", include_str!("../scenarios/watch.json")),
    ("watch-quiet", include_str!("../scenarios/watch-quiet.json")),
    ("hand-over", include_str!("../scenarios/hand-over.json")),
    ("preferred", include_str!("../scenarios/preferred.json")),
    ("preferred-absent", include_str!("../scenarios/preferred-absent.json")),
    ("lock-delay", include_str!("../scenarios/lock-delay.json")),
    ("danger-zone", include_str!("../scenarios/danger-zone.json")),
    ("tokens-after-deletion", include_str!("../scenarios/tokens-after-deletion.json")),
    ("deleted-while-healthy", include_str!("../scenarios/deleted-while-healthy.json")),
    ("edited-by-hand", include_str!("../scenarios/edited-by-hand.json")),
    ("deleted-by-hand", include_str!("../scenarios/deleted-by-hand.json")),
    ("taken-by-hand", include_str!("../scenarios/taken-by-hand.json")),
    ("migrate-config-map", include_str!("../scenarios/migrate-config-map.json")),
    ("migrate-endpoints", include_str!("../scenarios/migrate-endpoints.json")),
    ("upgrade-to-strict", include_str!("../scenarios/upgrade-to-strict.json")),
    ("long-haul", include_str!("../scenarios/long-haul.json")),
    ("rollout-durations", include_str!("../scenarios/rollout-durations.json")),
    ("late-answer", include_str!("../scenarios/late-answer.json")),
    ("late-answer-slow-clock", include_str!("../scenarios/late-answer-slow-clock.json")),
    ("answer-first", include_str!("../scenarios/answer-first.json")),
    ("answer-to-another", include_str!("../scenarios/answer-to-another.json")),
    ("late-acquisition", include_str!("../scenarios/late-acquisition.json")),
    ("deadline-near-lease", include_str!("../scenarios/deadline-near-lease.json")),
    ("release-before-stop", include_str!("../scenarios/release-before-stop.json")),
    ("release-in-partition", include_str!("../scenarios/release-in-partition.json")),
    ("release-when-lapsed", include_str!("../scenarios/release-when-lapsed.json")),
    ("release-of-anothers-lease", include_str!("../scenarios/release-of-anothers-lease.json")),
    ("release-conflict", include_str!("../scenarios/release-conflict.json")),
    ("mixed-durations", include_str!("../scenarios/mixed-durations.json")),
    ("upgrade-releases", include_str!("../scenarios/upgrade-releases.json")),
    ("mixed-fleet", include_str!("../scenarios/mixed-fleet.json")),
    ("mixed-fleet-client-go-leads", include_str!("../scenarios/mixed-fleet-client-go-leads.json")),
    ("mixed-fleet-deleted", include_str!("../scenarios/mixed-fleet-deleted.json")),
    ("garbage-annotation", include_str!("../scenarios/garbage-annotation.json")),
    ("migrate-overwritten", include_str!("../scenarios/migrate-overwritten.json")),
    ("migrate-beaten", include_str!("../scenarios/migrate-beaten.json")),
    ("duration-cut", include_str!("../scenarios/duration-cut.json")),
    ("sub-second-retry", include_str!("../scenarios/sub-second-retry.json")),
    ("frozen-wall-clock", include_str!("../scenarios/frozen-wall-clock.json")),
    ("pause", include_str!("../scenarios/pause.json")),
    ("gc-pause", include_str!("../scenarios/gc-pause.json")),
    ("pause-before-answer", include_str!("../scenarios/pause-before-answer.json")),
    ("pause-storm", include_str!("../scenarios/pause-storm.json")),
    ("work-never-stops", include_str!("../scenarios/work-never-stops.json")),
    ("work-ahead", include_str!("../scenarios/work-ahead.json")),
    ("same-identity", include_str!("../scenarios/same-identity.json")),
    ("alike-names", include_str!("../scenarios/alike-names.json")),
    ("outside-delete", include_str!("../scenarios/outside-delete.json")),
    ("new-group-deleted", include_str!("../scenarios/new-group-deleted.json")),
    ("migrate-at-once", include_str!("../scenarios/migrate-at-once.json")),
    ("holder-cleared", include_str!("../scenarios/holder-cleared.json")),
    ("suspend", include_str!("../scenarios/suspend.json")),
    ("random", include_str!("../scenarios/random.json")),
    ("random-broad", include_str!("../scenarios/random-broad.json")),
    ("wild", include_str!("../scenarios/wild.json")),
    ("wild-full", include_str!("../scenarios/wild-full.json")),
    ("singles", include_str!("../scenarios/singles.json")),
    ("pairs", include_str!("../scenarios/pairs.json")),
];

/// The names of all scenarios.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The scenario of this name.
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
    use crate::check::Checks;

    #[test]
    fn each_file_can_be_read_and_is_sound() {
        for (name, text) in FILES {
            let scenario: Scenario =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, name);
            assert_eq!(scenario.validate(), Ok(()), "{name}");
            assert!(scenario.description.len() > 40, "{name} says what it shows");
            for check in scenario.expect.values().flatten() {
                assert!(Checks::has(check), "{name}: no check {check}");
            }
        }
        assert_eq!(all().count(), FILES.len());
    }
}
