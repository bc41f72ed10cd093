use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hint::select_unpredictable;
use core::num::NonZeroU32;

use super::hash::{fold, mix};
use super::{Key, Member, Members, Placement, Ranking, Rationalizable, Weighted};
use offer::{Bid, FEW, List, Offer, Score};

mod offer;

/// Rendezvous hashing, or highest random weight: of all members, the one that scores highest with the
/// key owns it.
///
/// The score is s = [`fold`]`(`[`mix`]`(key), member.name_hash())`. It depends on the key and on that
/// member alone, so a member that joins takes only what it wins, from all others alike, and one that
/// leaves gives up only what it had. Equal scores, about one in 2⁶⁴ pairs, go to the smaller name.
///
/// # Weights
/// With [weights](Member::weight) w the order is that of [`minus_log2`](super::log::minus_log2)`(s)` / w, the smallest first; of
/// equals, that with the greater s is first, then the smaller name. The quotients are compared exactly,
/// by their products over cross, and nothing is a float. A member's share of the keys is its share of
/// all weights, as −ln(u) / w of a uniform u is exponential with the rate w. If all weights are equal
/// this is the order of the scores, and no logarithm is computed. A weight that changes moves keys to or
/// from that member only.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | O(n), hashes no name; 8 bytes a member, 12 if weights differ |
/// | [`place`](Placement::place) | O(n), a multiplication a member; if weights differ two, and about 1 + ln n logarithms |
/// | [`best_into`](Ranking::best_into) | O(n + k log n log k) for few of many, O(n log n) for all |
///
/// No look-up allocates, [`best_into`](Ranking::best_into) beyond the room for k.
///
/// Nothing sublinear keeps this order: each of the n scores may be the highest, whatever the others are,
/// so each has to be looked at.
///
/// Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM
/// Transactions on Networking 6 (1), 1998. Weights: Schindelhauer and Schomaker, "Weighted Distributed
/// Hash Tables", SPAA 2005, the logarithmic method.
///
/// ```
/// use tenure::placement::{Key, Members, MembersError, Placement, Ranking, Rendezvous};
/// let three = Rendezvous::new(Members::new(["op-0", "op-1", "op-2"])?);
/// let key = Key::from_bytes(b"Lease/default/demo");
/// let [owner, second, third] = three.rank(key)[..] else { unreachable!() };
/// assert_eq!(three.place(key), Some(owner));
///
/// // Who comes after the owner takes over when the owner leaves.
/// let two = Rendezvous::new(Members::new([second.clone(), third.clone()])?);
/// assert_eq!(two.place(key), Some(second));
/// # Ok::<(), MembersError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Rendezvous {
    members: Members,
    /// The hashes of their names, side by side.
    hashes: Box<[u64]>,
    /// Their weights; empty if all are equal.
    weights: Box<[NonZeroU32]>,
}

impl Rendezvous {
    /// Rendezvous hashing over `members`.
    #[must_use]
    pub fn new(members: Members) -> Self {
        let hashes = members.iter().map(Member::name_hash).collect();
        let first = members.get(0).map(Member::weight);
        let equal = members.iter().all(|member| Some(member.weight()) == first);
        let weights =
            if equal { Box::default() } else { members.iter().map(Member::weight).collect() };
        Self { members, hashes, weights }
    }

    #[inline]
    fn position(&self, key: u64) -> Option<usize> {
        if self.weights.is_empty() { Some(self.highest(key)) } else { self.heaviest(key) }
    }

    /// Whether the member at `position` has `key`. Most that do not are found not to by the first few
    /// others.
    pub(crate) fn has(&self, position: usize, key: Key) -> bool {
        let key = mix(key.as_u64());
        let Some(own) = self.hashes.get(position).map(|hash| fold(key, *hash)) else {
            return false;
        };
        let beaten = if let Some(weight) = self.weights.get(position) {
            let limit = Bid::new(own, *weight).limit();
            let mut others = self.hashes.iter().zip(&self.weights);
            others.any(|(hash, weight)| Bid::above(&limit, fold(key, *hash), *weight).is_some())
        } else {
            // Eight at a time: one guess of the processor for all of them.
            let higher = |any, hash: &u64| any | (fold(key, *hash) > own);
            self.hashes.chunks(8).any(|few| few.iter().fold(false, higher))
        };
        !beaten && self.position(key) == Some(position) // of equals the first
    }

    /// The position of the member with the highest score; of equals the first, whose name is smallest.
    #[inline]
    fn highest(&self, key: u64) -> usize {
        // Two maxima that run side by side: neither waits for the other, and nothing is guessed.
        let (mut even, mut odd) = ((0, 0), (0, 1));
        let pairs = self.hashes.chunks_exact(2);
        let last = pairs.remainder().first();
        let mut position = 0;
        for pair in pairs {
            let [one, two] = pair else { continue };
            even = higher(even, (fold(key, *one), position));
            odd = higher(odd, (fold(key, *two), position + 1));
            position += 2;
        }
        if let Some(last) = last {
            even = higher(even, (fold(key, *last), position));
        }
        let later = odd.0 > even.0 || (odd.0 == even.0 && odd.1 < even.1);
        select_unpredictable(later, odd.1, even.1)
    }

    /// The position of the member that is first by weight, and then by score and name.
    fn heaviest(&self, key: u64) -> Option<usize> {
        let (&hash, &weight) = (self.hashes.first()?, self.weights.first()?);
        let (mut best, mut at) = (Bid::new(fold(key, hash), weight), 0);
        let others = self.hashes.iter().zip(&self.weights).enumerate().skip(1);
        if self.hashes.len() <= FEW {
            // Wrong guesses of the processor would cost more than these logarithms do.
            for (position, (&hash, &weight)) in others {
                let bid = Bid::new(fold(key, hash), weight);
                let better = bid.beats(&best);
                best = select_unpredictable(better, bid, best);
                at = select_unpredictable(better, position, at);
            }
        } else {
            let mut limit = best.limit();
            for (position, (&hash, &weight)) in others {
                if let Some(bid) = Bid::above(&limit, fold(key, hash), weight) {
                    (best, at) = (bid, position);
                    limit = best.limit();
                }
            }
        }
        Some(at)
    }

    /// [`best_into`](Ranking::best_into), in one pass. Members come in canonical order, so that one that
    /// comes later is behind those with an equal offer.
    fn keep_best<'a, O: Offer>(&'a self, key: u64, k: usize, best: &mut Vec<&'a Member>) {
        best.clear();
        let mut members = self.members.iter().enumerate();
        let score = |position: usize| {
            let weight = self.weights.get(position).copied().unwrap_or(NonZeroU32::MIN);
            self.hashes.get(position).map_or((0, weight), |hash| (fold(key, *hash), weight))
        };
        let k = k.min(self.members.len());
        if k == 0 {
            return;
        }
        if k <= FEW {
            let mut list = List::<O>::new(k);
            for (position, member) in members {
                let (score, weight) = score(position);
                list.offer(score, weight, member, best);
            }
            return;
        }
        best.extend(members.by_ref().take(k).map(|(_, member)| member));
        let offer = |member: &Member| O::new(fold(key, member.name_hash()), member.weight());
        let order = |a: &Member, b: &Member| offer(a).order(&offer(b)).then_with(|| a.cmp(b));
        if k < self.members.len() {
            // A heap with the worst on top.
            (0..best.len() / 2).rev().for_each(|root| sift_down(best, root, &order));
            let Some(mut limit) = best.first().map(|top| offer(top).limit()) else { return };
            for (position, member) in members {
                let (score, weight) = score(position);
                if O::above(&limit, score, weight).is_some()
                    && let Some(top) = best.first_mut()
                {
                    *top = member;
                    sift_down(best, 0, &order);
                    limit = best.first().map_or(limit, |top| offer(top).limit());
                }
            }
        }
        best.sort_unstable_by(|a, b| order(a, b));
    }
}

/// Lets the member at `root` sink until none below it comes later in the `order`.
fn sift_down(heap: &mut [&Member], mut root: usize, order: &impl Fn(&Member, &Member) -> Ordering) {
    while let Some(left) = heap.get(2 * root + 1) {
        let mut child = 2 * root + 1;
        let mut last = *left;
        if let Some(right) = heap.get(child + 1)
            && order(right, last).is_gt()
        {
            (child, last) = (child + 1, right);
        }
        if heap.get(root).is_some_and(|top| order(last, top).is_le()) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

/// The greater of two scores with their positions; the first, if they are equal.
#[inline]
fn higher(first: (u64, usize), second: (u64, usize)) -> (u64, usize) {
    let greater = second.0 > first.0;
    (
        select_unpredictable(greater, second.0, first.0),
        select_unpredictable(greater, second.1, first.1),
    )
}

impl Placement for Rendezvous {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        // Keys made of any number, such as 0, 1, 2, are mixed before they meet a member.
        self.members.get(self.position(mix(key.as_u64()))?)
    }
}

impl Ranking for Rendezvous {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        let key = mix(key.as_u64());
        if self.weights.is_empty() {
            self.keep_best::<Score>(key, k, best);
        } else {
            self.keep_best::<Bid>(key, k, best);
        }
    }
}

/// For each key, the members by log / weight, then descending by score, then by name: what a member
/// bids has two arguments, the key and the member, and no third. Whether the others' weights are equal
/// decides how the order is computed, not what it is.
impl Rationalizable for Rendezvous {}

impl Weighted for Rendezvous {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use alloc::{boxed::Box, format};

    use super::{
        Bid, Key, Member, Members, NonZeroU32, Offer, Placement, Ranking, Rendezvous, fold, mix,
    };

    /// The key which [`mix`] makes 0, so that every score is 0. (The steps of `mix` undone.)
    fn key_of_ties() -> Key {
        Key::from_hash(0_u64.wrapping_sub(0x9e37_79b9_7f4a_7c15))
    }

    fn members(weights: impl IntoIterator<Item = u32>) -> Members {
        let member = |(i, weight)| {
            Member::from(format!("m-{i:03}")).with_weight(NonZeroU32::new(weight).unwrap())
        };
        Members::new((0..).zip(weights).map(member)).unwrap()
    }

    fn names<'a>(best: &[&'a Member]) -> Vec<&'a str> {
        best.iter().map(|member| member.name()).collect()
    }

    /// The same, made to compare logarithms although all weights are equal.
    fn by_weight(members: &Members) -> Rendezvous {
        let weights: Box<[_]> = members.iter().map(Member::weight).collect();
        Rendezvous { weights, ..Rendezvous::new(members.clone()) }
    }

    #[test]
    fn ties_go_to_the_smaller_name() {
        let key = key_of_ties();
        assert_eq!(mix(key.as_u64()), 0);
        for n in 1..20 {
            let members = members((0..n).map(|_| 1));
            let all: Vec<_> = members.iter().map(Member::name).collect();
            for rendezvous in [Rendezvous::new(members.clone()), by_weight(&members)] {
                assert_eq!(rendezvous.place(key).unwrap().name(), all[0]);
                for k in 0..=all.len() {
                    assert_eq!(names(&rendezvous.best(key, k)), all[..k], "{k} of {n}");
                }
            }
        }
        // The score 0 has one logarithm, so the order is that of the weights.
        let rendezvous = Rendezvous::new(members([1, 7, 3, 7]));
        assert_eq!(names(&rendezvous.rank(key)), ["m-001", "m-003", "m-002", "m-000"]);
    }

    /// Equal scores on both sides of the two maxima: positions 0 to 6, all pairs.
    #[test]
    fn of_equal_scores_the_first_is_highest() {
        for n in 1..8_u64 {
            for (one, two) in (0..n).flat_map(|one| (0..n).map(move |two| (one, two))) {
                let hash = |i| if i == one || i == two { u64::MAX } else { mix(i) >> 1 };
                let hashes = (0..n).map(hash).collect();
                let rendezvous = Rendezvous { hashes, ..Rendezvous::default() };
                let key = 1 << 32;
                let scores: Vec<_> = rendezvous.hashes.iter().map(|h| fold(key, *h)).collect();
                let highest = scores.iter().max().unwrap();
                let first = scores.iter().position(|score| score == highest).unwrap();
                assert_eq!(rendezvous.highest(key), first, "{n} {one} {two}");
            }
        }
    }

    /// With equal weights, whatever they are, the order is the plain one.
    #[test]
    fn equal_weights_are_none() {
        for weight in [1, 2, 1_000_003, u32::MAX] {
            let plain = members((0..40).map(|_| 1));
            let weighted = members((0..40).map(|_| weight));
            assert!(Rendezvous::new(weighted.clone()).weights.is_empty());
            let (plain, weighted) = (Rendezvous::new(plain), by_weight(&weighted));
            for key in (0..2_000).map(Key::from_hash) {
                assert_eq!(names(&plain.rank(key)), names(&weighted.rank(key)), "{key:?}");
                assert_eq!(
                    plain.place(key).map(Member::name),
                    weighted.place(key).map(Member::name)
                );
            }
        }
    }

    /// The bound that spares logarithms spares none that count: the same owner as by comparing all.
    #[test]
    fn the_owner_is_the_first_of_the_ranking() {
        let sets = [
            members([1, 2]),
            members([1, u32::MAX]),
            members([u32::MAX, 1, u32::MAX - 1, 2, 3]),
            members((1..60).map(|i| 1 << (i % 32))),
            members((1..200).map(|i| i * i)),
        ];
        for members in sets {
            let rendezvous = Rendezvous::new(members);
            for key in (0..3_000).map(Key::from_hash) {
                let rank = rendezvous.rank(key);
                assert_eq!(rendezvous.place(key), rank.first().copied());
                let mut sorted = rank.clone();
                let score = |member: &Member| fold(mix(key.as_u64()), member.name_hash());
                let bid = |member: &Member| Bid::new(score(member), member.weight());
                sorted.sort_by(|a, b| bid(a).order(&bid(b)));
                assert_eq!(rank, sorted);
                for k in [0, 1, 2, 3, 5, 16, 17, 30, 59, 199] {
                    assert_eq!(rendezvous.best(key, k), rank[..k.min(rank.len())]);
                }
            }
        }
    }
}
