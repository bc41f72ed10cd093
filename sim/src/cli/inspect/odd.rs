//! What is odd in a record.

use serde_json::Value;
use tenure::lock::{Record, UNKNOWN_HOLDER};

use super::told::{UNCLAIMED, field, words};
use crate::history::{Moment, Plain};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;
/// A clock that is ahead by less is no news.
const AHEAD: i128 = SECOND;
/// Whoever dies with such a lease keeps the lock for long.
const LONG_SECONDS: i64 = 3600;

/// What is odd if a time in a record is so many nanoseconds ahead.
pub(super) fn ahead(nanos: i128) -> Option<String> {
    (nanos > AHEAD).then(|| {
        format!(
            "it was renewed {} in the future: the holder's clock and this one differ",
            words(nanos)
        )
    })
}

/// Whether candidates see no end of the record, or none in sight.
fn duration(record: &Record) -> Option<String> {
    let seconds = record.lease_duration_seconds;
    if seconds <= 0 {
        return Some(format!("leaseDurationSeconds is {seconds}: anybody takes the lock at once"));
    }
    (seconds > LONG_SECONDS).then(|| {
        let length = words(i128::from(seconds) * SECOND);
        format!("it lasts {length}: so long nobody takes it after its holder died")
    })
}

/// What is odd in `record`, which `object` carries.
pub(super) fn of(object: &Value, record: &Record, now: Moment) -> Vec<String> {
    let mut odd = Vec::new();
    let holder = record.holder.as_str();
    let renewed = record.renew_time.map(Moment::of);
    let acquired = record.acquire_time.map(Moment::of);
    if !holder.is_empty() {
        odd.extend(duration(record));
        if renewed.is_none() {
            odd.push("it has a holder and no renewTime: no elector writes that".to_owned());
        }
        if holder == UNKNOWN_HOLDER {
            odd.push("the two objects of its lock name different holders".to_owned());
        } else if holder.trim() != holder || holder.chars().any(char::is_control) {
            odd.push(format!(
                "the holder's name has white space or control characters: {}",
                Plain(holder)
            ));
        }
    }
    odd.extend(renewed.and_then(|renewed| ahead(renewed.since(now))));
    if let (Some(acquired), Some(renewed)) = (acquired, renewed)
        && acquired > renewed
    {
        let length = words(acquired.since(renewed));
        odd.push(format!(
            "acquireTime is {length} after renewTime: a clock was set, or somebody edited it"
        ));
    }
    let made = Moment::parse(field(object, "/metadata/creationTimestamp"));
    if let (Some(acquired), Some(made)) = (acquired, made)
        && !holder.is_empty()
        && holder != UNCLAIMED
        && made.since(acquired) > 2 * AHEAD
    {
        let length = words(made.since(acquired));
        let what = format!(
            "it was acquired {length} before it was made: it was deleted and its holder made it anew, or \
             clocks differ"
        );
        odd.push(what);
    }
    if record.leader_transitions < 0 {
        odd.push(format!("leaseTransitions is {}: it counts from 0", record.leader_transitions));
    }
    if !record.preferred_holder.is_empty() && record.strategy.is_none() {
        odd.push(
            "it has a preferredHolder and no strategy: the API server refuses that".to_owned(),
        );
    }
    odd
}
