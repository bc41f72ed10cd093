//! Randomness of an elector: SplitMix64, so that the same seed waits the same everywhere.

use core::time::Duration;

use crate::time::saturating_nanos;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Jitter(u64);

impl Jitter {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A candidate's wait between two tries: uniform in [R, 2.2 R), drawn anew each time.
    ///
    /// `wait.JitterUntil` with client-go's `JitterFactor` of 1.2.
    pub(super) fn candidate_wait(&mut self, retry_period: Duration) -> Duration {
        let span = saturating_nanos(jittered(retry_period));
        let extra = (u128::from(self.next()) * u128::from(span)) >> 64;
        retry_period.saturating_add(Duration::from_nanos(u64::try_from(extra).unwrap_or(u64::MAX)))
    }
}

/// 1.2 R, cut to whole nanoseconds: the longest jitter, and the least renew deadline.
pub(super) fn jittered(retry_period: Duration) -> Duration {
    let nanos = u128::from(saturating_nanos(retry_period)) * 6 / 5;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fill_their_range() {
        let period = Duration::from_secs(2);
        let mut jitter = Jitter::new(7);
        let waits: alloc::vec::Vec<_> =
            (0..10_000).map(|_| jitter.candidate_wait(period)).collect();
        assert!(waits.iter().all(|wait| (period..period * 11 / 5).contains(wait)));
        assert!(*waits.iter().min().unwrap() < period * 101 / 100);
        assert!(*waits.iter().max().unwrap() > period * 218 / 100);
    }

    #[test]
    fn is_splitmix64() {
        // First output for seed 1234567, as published with the reference implementation.
        assert_eq!(Jitter::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
