//! What members offer for a key, and the best few of many offers.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::num::NonZeroU32;

use crate::placement::Member;
use crate::placement::log::minus_log2;

/// What a member offers for a key. The order is total but for equal offers, which the names decide.
pub(super) trait Offer: Copy {
    /// What is kept of an offer in order to refuse worse ones fast.
    type Limit: Copy;

    fn new(score: u64, weight: NonZeroU32) -> Self;

    /// Less is better.
    fn order(&self, other: &Self) -> Ordering;

    fn limit(&self) -> Self::Limit;

    /// The offer of this score and weight, if it is better than the one whose limit this is.
    fn above(limit: &Self::Limit, score: u64, weight: NonZeroU32) -> Option<Self>;
}

/// Where weights are equal: the higher score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score(u64);

impl Offer for Score {
    type Limit = u64;

    #[inline]
    fn new(score: u64, _: NonZeroU32) -> Self {
        Self(score)
    }

    #[inline]
    fn order(&self, other: &Self) -> Ordering {
        other.0.cmp(&self.0)
    }

    #[inline]
    fn limit(&self) -> u64 {
        self.0
    }

    #[inline]
    fn above(limit: &u64, score: u64, _: NonZeroU32) -> Option<Self> {
        (score > *limit).then_some(Self(score))
    }
}

/// Where they are not: the smaller log / weight; of equals, the higher score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bid {
    log: u64,
    weight: NonZeroU32,
    score: u64,
}

impl Bid {
    /// Each log times the other's weight: as the quotients, and exact.
    fn products(&self, other: &Self) -> (u128, u128) {
        let times = |log: u64, weight: NonZeroU32| u128::from(log) * u128::from(weight.get());
        (times(self.log, other.weight), times(other.log, self.weight))
    }

    /// Whether this is the better one, without a branch.
    #[expect(clippy::needless_bitwise_bool, reason = "which comes out is anyone's guess")]
    #[inline]
    pub(super) fn beats(&self, other: &Self) -> bool {
        let (own, others) = self.products(other);
        (own < others) | ((own == others) & (self.score > other.score))
    }
}

impl Offer for Bid {
    /// The offer, and its log / weight rounded up: who beats it has no more for one unit of weight.
    type Limit = (Self, u64);

    #[inline]
    fn new(score: u64, weight: NonZeroU32) -> Self {
        Self { log: minus_log2(score), weight, score }
    }

    fn order(&self, other: &Self) -> Ordering {
        let (own, others) = self.products(other);
        own.cmp(&others).then(other.score.cmp(&self.score))
    }

    fn limit(&self) -> (Self, u64) {
        (*self, self.log.div_ceil(u64::from(self.weight.get())))
    }

    #[inline]
    fn above((best, limit): &(Self, u64), score: u64, weight: NonZeroU32) -> Option<Self> {
        // Of many members most need no logarithm.
        if u128::from(at_least(score)) > u128::from(*limit) * u128::from(weight.get()) {
            return None;
        }
        Some(Self::new(score, weight)).filter(|bid| bid.beats(best))
    }
}

/// No more than `minus_log2(score)`, and mostly not much less.
///
/// −log₂(u) is at least (1 − u) log₂ e. That exceeds 5/4 (1 − u), which this is, by more than the
/// logarithm may lack, except for the 2¹¹ greatest scores; the test has those.
#[inline]
const fn at_least(score: u64) -> u64 {
    (!score >> 7) + (!score >> 9)
}

/// So many a [`List`] holds.
pub(super) const FEW: usize = 16;

/// The offers of the best members so far, best first: those that the caller's vector holds.
pub(super) struct List<O: Offer> {
    offers: [Option<O>; FEW],
    /// What the worst offers, once there are as many as wanted.
    limit: Option<O::Limit>,
    most: usize,
}

impl<O: Offer> List<O> {
    /// Of at most `most` members, and at most [`FEW`].
    pub(super) const fn new(most: usize) -> Self {
        Self { offers: [None; FEW], limit: None, most }
    }

    /// Takes a member in at its place in `best`, if it is among the best; behind an equal offer.
    #[inline]
    pub(super) fn offer<'a>(
        &mut self,
        score: u64,
        weight: NonZeroU32,
        member: &'a Member,
        best: &mut Vec<&'a Member>,
    ) {
        let offer = match &self.limit {
            None => Some(O::new(score, weight)),
            Some(limit) => O::above(limit, score, weight),
        };
        let Some(offer) = offer else { return };
        best.truncate(self.most.saturating_sub(1));
        let held = best.len();
        let behind = |other: &&Option<O>| other.is_some_and(|other| offer.order(&other).is_lt());
        let offers = self.offers.get(..held).unwrap_or_default();
        let place = held - offers.iter().rev().take_while(behind).count();
        if let Some(moved) = self.offers.get_mut(place..=held) {
            moved.rotate_right(1);
            if let Some(first) = moved.first_mut() {
                *first = Some(offer);
            }
        }
        best.insert(place, member);
        if best.len() == self.most {
            let last = self.offers.get(held).copied().flatten();
            self.limit = last.map(|last| last.limit());
        }
    }
}

#[cfg(test)]
mod tests {
    use core::cmp::Ordering;
    use core::num::NonZeroU32;

    use super::{Bid, Offer, Score, at_least, minus_log2};
    use crate::placement::hash::mix;

    fn weight(weight: u32) -> NonZeroU32 {
        NonZeroU32::new(weight).unwrap()
    }

    /// The greatest scores share logarithms, and 0 is 0 whatever the weight.
    #[test]
    fn of_equal_quotients_the_higher_score_is_better() {
        assert_eq!([minus_log2(u64::MAX), minus_log2(u64::MAX - 1)], [0, 0]);
        for weights in [[1, 1], [1, 7], [7, 1], [u32::MAX, 2]] {
            let [high, low] =
                [(u64::MAX, weights[0]), (u64::MAX - 1, weights[1])].map(|(s, w)| (s, weight(w)));
            let [better, worse] = [high, low].map(|(score, weight)| Bid::new(score, weight));
            assert_eq!(better.products(&worse), (0, 0));
            assert_eq!(
                [better.order(&worse), worse.order(&better)],
                [Ordering::Less, Ordering::Greater]
            );
            assert_eq!([better.beats(&worse), worse.beats(&better)], [true, false]);
            assert!(Bid::above(&worse.limit(), high.0, high.1).is_some());
            assert!(Bid::above(&better.limit(), low.0, low.1).is_none());
        }
        let tied = [1, 7].map(|w| Bid::new(u64::MAX, weight(w)));
        assert_eq!(tied[0].order(&tied[1]), Ordering::Equal);
        assert!(!tied[0].beats(&tied[1]) && !tied[1].beats(&tied[0]));
        assert!(
            Score::above(&5, 5, weight(1)).is_none() && Score::above(&5, 6, weight(1)).is_some()
        );
    }

    #[test]
    fn the_bound_is_one() {
        let greatest = (0..1 << 12).map(|below| u64::MAX - below);
        let others = (0..10_000).map(|i| mix(i) >> (i % 64));
        for score in greatest.chain(others).chain([0, 1]) {
            let (bound, log) = (at_least(score), minus_log2(score));
            assert!(bound <= log, "{score}: {bound} {log}");
            assert!(score < 1 << 63 || bound >= log / 2, "{score}: {bound} {log}");
        }
    }

    /// Where logarithms are small, weights decide, and a quotient that is rounded down would refuse who
    /// is better.
    #[test]
    fn nobody_is_refused_who_beats_the_best() {
        let scores = || (0..40).map(|i| u64::MAX - 61 * i);
        let weights = [1, 2, 3, 20, 1_000, u32::MAX].map(weight);
        let offers = || scores().flat_map(|score| weights.map(|weight| (score, weight)));
        let mut close = 0;
        for (best, best_weight) in offers() {
            let best = Bid::new(best, best_weight);
            let limit = best.limit();
            for (score, weight) in offers() {
                let better = Bid::new(score, weight).beats(&best);
                assert_eq!(Bid::above(&limit, score, weight).is_some(), better, "{best:?} {score}");
                let rounded_down = best.log / u64::from(best.weight.get());
                close +=
                    u32::from(better && at_least(score) > rounded_down * u64::from(weight.get()));
            }
        }
        assert!(close > 1_000, "{close}");
    }
}
