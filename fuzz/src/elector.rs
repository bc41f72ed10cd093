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
    marks(data);
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

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::random_seeds(marks)
}

fn marks(data: &[u8]) -> Marks {
    play(&mut Unstructured::new(data)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    /// Random bytes reach what the property is about.
    #[test]
    fn random_schedules() {
        let wanted = [
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
        crate::tests::reach(3_000, &wanted, super::marks);
    }
}
