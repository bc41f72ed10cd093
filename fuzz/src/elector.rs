//! An elector and its driver under any schedule, with any answers and any watch.

mod driver;
pub(crate) mod input;
mod rules;
pub(crate) mod world;

use arbitrary::{Result, Unstructured};
use tenure::election::Elector;
use tenure::time::{Instant, Now, Timestamp};

use driver::Driver;
use rules::Marks;

/// Reads a configuration and a schedule from `data` and plays it.
pub fn elector(data: &[u8]) {
    let _ = play(&mut Unstructured::new(data));
}

fn play(bytes: &mut Unstructured<'_>) -> Result<Marks> {
    let now = Now {
        instant: Instant::from_nanos(bytes.arbitrary::<u64>()? >> 2), // some 146 years
        timestamp: Timestamp::GO_ZERO,
    };
    let config = input::config(bytes)?;
    let _ = config.warnings();
    let coordinated = config.coordinated;
    let Ok(elector) = Elector::new(config, bytes.arbitrary()?, now.instant) else {
        return Ok(Marks::new());
    };
    let first = elector.poll_timeout();
    assert!(first.is_some_and(|at| at <= now.instant), "the first attempt is due at once");
    let mut driver = Driver::new(elector, now, bytes)?;
    while !bytes.is_empty() {
        let step = bytes.arbitrary()?;
        if !driver.step(step) {
            break;
        }
    }
    let mut marks = driver.marks();
    if coordinated && marks.contains("led") {
        marks.insert("was given the lease");
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arbitrary::Unstructured;

    use crate::tests::random_bytes;

    /// Random bytes reach what the property is about.
    #[test]
    fn random_schedules() {
        let mut counts = BTreeMap::<&str, u32>::new();
        for seed in 0..4_000 {
            let data = random_bytes(seed);
            let marks = super::play(&mut Unstructured::new(&data)).unwrap_or_default();
            marks.into_iter().for_each(|mark| *counts.entry(mark).or_default() += 1);
        }
        let reached = [
            "led",
            "takeover",
            "watch-driven takeover",
            "secondary takeover",
            "released",
            "hands over",
            "handed over",
            "wished",
            "endangered",
            "expired",
            "preempted",
            "deleted",
            "stopped",
            "client-go lost",
            "was given the lease",
            "foreign write",
            "stale",
            "finished",
        ];
        let rare: Vec<_> =
            reached.into_iter().filter(|mark| counts.get(mark).is_none_or(|n| *n < 20)).collect();
        println!("{counts:?}");
        assert!(rare.is_empty(), "{rare:?} of {counts:?}");
    }
}
