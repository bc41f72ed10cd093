//! Randomness of the machines: SplitMix64, so that the same seed waits the same everywhere.

use core::time::Duration;

use crate::time::saturating_nanos;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) const fn new(seed: u64) -> Self {
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
    pub(crate) fn candidate_wait(&mut self, retry_period: Duration) -> Duration {
        let span = saturating_nanos(jittered(retry_period));
        let extra = (u128::from(self.next()) * u128::from(span)) >> 64;
        retry_period.saturating_add(Duration::from_nanos(u64::try_from(extra).unwrap_or(u64::MAX)))
    }

    /// A member's wait between two renewals or reads: uniform in [0.9 R, R], so that those of many
    /// members drift apart.
    pub(crate) fn member_wait(&mut self, retry_period: Duration) -> Duration {
        let span = saturating_nanos(retry_period) / 10;
        let less = (u128::from(self.next()) * u128::from(span)) >> 64;
        retry_period.saturating_sub(Duration::from_nanos(u64::try_from(less).unwrap_or(span)))
    }
}

/// 1.2 R, cut to whole nanoseconds: the longest jitter, and the least renew deadline.
pub(crate) fn jittered(retry_period: Duration) -> Duration {
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
    fn waits_of_members_are_a_tenth_apart() {
        let (mut jitter, period) = (Jitter::new(7), Duration::from_secs(2));
        let waits: alloc::vec::Vec<_> = (0..10_000).map(|_| jitter.member_wait(period)).collect();
        assert!(waits.iter().all(|wait| (period * 9 / 10..=period).contains(wait)));
        assert!(*waits.iter().min().unwrap() < period * 901 / 1_000);
        assert!(*waits.iter().max().unwrap() > period * 999 / 1_000);
    }

    #[test]
    fn is_splitmix64() {
        // First output for seed 1234567, as published with the reference implementation.
        assert_eq!(Jitter::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }
}
