use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::hint::select_unpredictable;
use core::num::NonZeroU32;

use super::hash::{fold, mix};
use super::log::minus_log2;
use super::{Key, Member, Members, Placement, Ranking, Rationalizable, Weighted};

/// Rendezvous hashing, or highest random weight: of all members, the one that scores highest with the
/// key owns it.
///
/// The score is s = [`fold`]`(`[`mix`]`(key), member.name_hash())`. It depends on the key and on that
/// member alone, so a member that joins takes only what it wins, from all others alike, and one that
/// leaves gives up only what it had. Equal scores, about one in 2⁶⁴ pairs, go to the smaller name.
///
/// # Weights
/// With [weights](Member::weight) w the order is that of [`minus_log2`]`(s)` / w, the smallest first; of
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
        let (mut best, mut at) = (Lead::new(Bid::new(fold(key, hash), weight)), 0);
        for (position, (&hash, &weight)) in
            self.hashes.iter().zip(&self.weights).enumerate().skip(1)
        {
            if let Some(bid) = best.beaten_by(fold(key, hash), weight) {
                (best, at) = (Lead::new(bid), position);
            }
        }
        Some(at)
    }

    /// [`best_into`](Ranking::best_into) in any order. `worst` is what is kept of the worst member of
    /// those found, and `better` says whether the member at a position comes before it: after an equal
    /// one it does not, since its name is greater.
    fn keep_best<'a, W>(
        &'a self,
        k: usize,
        best: &mut Vec<&'a Member>,
        order: impl Fn(&Member, &Member) -> Ordering,
        worst: impl Fn(&Member) -> W,
        better: impl Fn(usize, &W) -> bool,
    ) {
        best.clear();
        best.extend(self.members.iter().take(k));
        if k < self.members.len() {
            // A heap with the worst on top.
            (0..best.len() / 2).rev().for_each(|root| sift_down(best, root, &order));
            let Some(mut limit) = best.first().map(|top| worst(top)) else { return };
            for position in k..self.members.len() {
                if !better(position, &limit) {
                    continue;
                }
                if let (Some(top), Some(member)) = (best.first_mut(), self.members.get(position)) {
                    *top = member;
                }
                sift_down(best, 0, &order);
                let Some(top) = best.first() else { return };
                limit = worst(top);
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

/// What a member offers for a key: the smaller log / weight, the better; of equals, the higher score.
#[derive(Debug, Clone, Copy)]
struct Bid {
    log: u64,
    weight: NonZeroU32,
    score: u64,
}

impl Bid {
    fn new(score: u64, weight: NonZeroU32) -> Self {
        Self { log: minus_log2(score), weight, score }
    }

    fn of(key: u64, member: &Member) -> Self {
        Self::new(fold(key, member.name_hash()), member.weight())
    }

    /// Less is better.
    fn order(&self, other: &Self) -> Ordering {
        let own = u128::from(self.log) * u128::from(other.weight.get());
        let others = u128::from(other.log) * u128::from(self.weight.get());
        own.cmp(&others).then(other.score.cmp(&self.score))
    }
}

/// The bid to beat.
#[derive(Debug, Clone, Copy)]
struct Lead {
    bid: Bid,
    /// Its log / weight, rounded up: who beats it has no more for one unit of weight.
    limit: u64,
}

impl Lead {
    fn new(bid: Bid) -> Self {
        Self { bid, limit: bid.log.div_ceil(u64::from(bid.weight.get())) }
    }

    /// The bid of `score` and `weight`, if it is better than this one.
    #[inline]
    fn beaten_by(&self, score: u64, weight: NonZeroU32) -> Option<Bid> {
        // −log₂(u) is at least (1 − u) log₂ e, and 5/4 (1 − u) is less. Three are more than what the
        // logarithm may lack. Most members need none.
        let least = (!score >> 7) + (!score >> 9);
        if u128::from(least) > u128::from(self.limit) * u128::from(weight.get()) + 3 {
            return None;
        }
        Some(Bid::new(score, weight)).filter(|bid| bid.order(&self.bid).is_lt())
    }
}

impl Placement for Rendezvous {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        // Keys made of any number, such as 0, 1, 2, are mixed before they meet a member.
        let key = mix(key.as_u64());
        let position =
            if self.weights.is_empty() { self.highest(key) } else { self.heaviest(key)? };
        self.members.get(position)
    }
}

impl Ranking for Rendezvous {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        let key = mix(key.as_u64());
        if self.weights.is_empty() {
            let score = |member: &Member| fold(key, member.name_hash());
            let order = |a: &Member, b: &Member| score(b).cmp(&score(a)).then_with(|| a.cmp(b));
            let better = |position: usize, worst: &u64| {
                self.hashes.get(position).is_some_and(|hash| fold(key, *hash) > *worst)
            };
            self.keep_best(k, best, order, score, better);
        } else {
            let bid = |member: &Member| Bid::of(key, member);
            let order = |a: &Member, b: &Member| bid(a).order(&bid(b)).then_with(|| a.cmp(b));
            let better = |position: usize, worst: &Lead| {
                let (hash, weight) = (self.hashes.get(position), self.weights.get(position));
                let beats = |(hash, weight): (&u64, &NonZeroU32)| {
                    worst.beaten_by(fold(key, *hash), *weight).is_some()
                };
                hash.zip(weight).is_some_and(beats)
            };
            self.keep_best(k, best, order, |member| Lead::new(bid(member)), better);
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

    use super::{Key, Member, Members, NonZeroU32, Placement, Ranking, Rendezvous, fold, mix};

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
        for n in 1..12 {
            let members = members((0..n).map(|_| 1));
            let all: Vec<_> = members.iter().map(Member::name).collect();
            for rendezvous in [Rendezvous::new(members.clone()), by_weight(&members)] {
                assert_eq!(rendezvous.place(key).unwrap().name(), all[0]);
                for k in 0..=all.len() {
                    assert_eq!(names(&rendezvous.best(key, k)), all[..k]);
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
                let mixed = mix(key.as_u64());
                sorted.sort_by(|a, b| super::Bid::of(mixed, a).order(&super::Bid::of(mixed, b)));
                assert_eq!(rank, sorted);
                for k in [0, 1, 2, 3, 5, 30, 59, 199] {
                    assert_eq!(rendezvous.best(key, k), rank[..k.min(rank.len())]);
                }
            }
        }
    }
}
