use alloc::vec::Vec;
use core::iter;
use core::marker::PhantomData;
use core::num::NonZeroU32;

use super::hash::{Draw, Mixed};
use super::points::Points;
use super::{Key, Member, Members, Placement, Ranking, Rationalizable};

/// Multi-probe consistent hashing: a ring with one point a member, on which a key probes several places
/// and belongs to the member that is nearest to any of them, going up.
///
/// A member lies at [`mix`](super::hash::mix)`(name_hash)`; key `k` probes, for i from 0, the places
/// `D::draw(k, 1)` + i `D::draw(k, 2)`, modulo 2⁶⁴. The distance of a member is the least way up to it
/// from any of the probes; the least distance owns the key, and of equal ones the smaller name. The
/// ranking is the order of distances.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | O(n log n) |
/// | [`place`](Placement::place) | O(probes) expected, about two cache lines a probe |
/// | [`best`](Ranking::best) | O(k probes) expected |
/// | memory | 11 to 12 bytes a member; 14 to 16 for more than 65,531 |
///
/// With 21 probes the most loaded of many members has about 1.05 times its share, of a hundred 1.1
/// times, which takes a [`Ring`](super::Ring) hundreds of points a member; look-ups pay for it. Members
/// with little are as frequent as with one probe. Weights are ignored.
///
/// Source: Appleton and O'Reilly, "Multi-probe consistent hashing", 2015 (arXiv:1505.00062), and Dryski's
/// Go package mpchash. There a member that lies exactly at a probe counts as farthest; here as nearest.
///
/// ```
/// use tenure::placement::{Key, Members, MembersError, MultiProbe, Placement, Ranking};
/// let three = MultiProbe::new(Members::new(["op-0", "op-1", "op-2"])?, MultiProbe::PROBES);
/// let key = Key::from_bytes(b"Lease/default/demo");
/// let [owner, second, third] = three.rank(key)[..] else { unreachable!() };
///
/// // Who comes after the owner takes over when the owner leaves.
/// let two = Members::new([second.clone(), third.clone()])?;
/// let two = MultiProbe::new(two, MultiProbe::PROBES);
/// assert_eq!((three.place(key), two.place(key)), (Some(owner), Some(second)));
/// # Ok::<(), MembersError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MultiProbe<D = Mixed> {
    members: Members,
    points: Points,
    probes: NonZeroU32,
    draw: PhantomData<D>,
}

impl MultiProbe {
    /// 21: a most loaded member of 1.05 times its share, as in the paper.
    pub const PROBES: NonZeroU32 = NonZeroU32::MIN.saturating_add(20);

    /// Multi-probe hashing over `members`, each look-up with so many `probes`.
    #[must_use]
    pub fn new(members: Members, probes: NonZeroU32) -> Self {
        Self::drawn(members, probes, |member| Mixed::draw(member.name_hash(), 0))
    }
}

impl<D: Draw> MultiProbe<D> {
    /// The same with other numbers: probes by `D`, and each member where `point` says, which may depend
    /// on that member alone.
    ///
    /// ```
    /// use tenure::placement::hash::{Mixed, mix};
    /// use tenure::placement::{Key, Members, MembersError, MultiProbe, Placement};
    /// let members = Members::new(["a", "b", "c"])?;
    /// let probes = MultiProbe::PROBES;
    /// let one = MultiProbe::<Mixed>::drawn(members.clone(), probes, |member| mix(member.name_hash()));
    /// assert_eq!(one, MultiProbe::new(members, probes));
    /// # Ok::<(), MembersError>(())
    /// ```
    #[must_use]
    pub fn drawn(members: Members, probes: NonZeroU32, point: impl Fn(&Member) -> u64) -> Self {
        let points = members.iter().zip(0..).map(|(member, position)| (point(member), position));
        let points = Points::new(points.collect());
        Self { members, points, probes, draw: PhantomData }
    }

    #[inline]
    fn probes(&self, key: Key) -> impl Iterator<Item = u64> {
        let (first, step) = (D::draw(key.as_u64(), 1), D::draw(key.as_u64(), 2));
        let mut next = first.wrapping_sub(step);
        iter::repeat_with(move || {
            next = next.wrapping_add(step);
            next
        })
        .take(self.probes.get() as usize)
    }

    /// Distance and position of the owner.
    #[inline]
    fn nearest(&self, key: Key) -> Option<(u64, usize)> {
        let next = |probe| {
            let (point, owner) = self.points.next(probe)?;
            Some((point.wrapping_sub(probe), owner))
        };
        self.probes(key).filter_map(next).min()
    }

    /// The same of the member that comes next after `last` in the ranking.
    fn after(&self, key: Key, last: (u64, usize)) -> Option<(u64, usize)> {
        let mut best = None;
        for probe in self.probes(key) {
            let points = self.points.clockwise(probe.wrapping_add(last.0));
            let distances = points.map(|(point, owner)| (point.wrapping_sub(probe), owner));
            // Farther than a whole turn they would be near again.
            let mut beyond = distances.take_while(|(distance, _)| *distance >= last.0);
            let Some(next) = beyond.find(|next| *next > last) else { continue };
            if best.is_some_and(|best| best <= next) {
                continue;
            }
            // A member that lies beyond another probe is nearer to that one, and found from there.
            let point = probe.wrapping_add(next.0);
            if self.probes(key).all(|other| point.wrapping_sub(other) >= next.0) {
                best = Some(next);
            }
        }
        best
    }
}

impl<D: Draw> Placement for MultiProbe<D> {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        let (_, owner) = self.nearest(key)?;
        self.members.get(owner)
    }
}

impl<D: Draw> Ranking for MultiProbe<D> {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        best.clear();
        let mut next = self.nearest(key);
        while best.len() < k.min(self.members.len()) {
            let Some(last) = next else { return };
            best.extend(self.members.get(last.1));
            if best.len() < k {
                next = self.after(key, last);
            }
        }
    }
}

/// For each key, the members in ascending order of distance, then of name: a distance depends on the
/// key and on that member.
impl<D: Draw> Rationalizable for MultiProbe<D> {}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use super::{Draw, Key, Member, Members, MultiProbe, Placement, Ranking};

    /// Probes at the key, 1,000 above it, and so on.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Steps {}

    impl Draw for Steps {
        fn draw(key: u64, seed: u64) -> u64 {
            if seed == 1 { key } else { 1000 }
        }
    }

    fn steps(points: &'static [u64], probes: u32) -> MultiProbe<Steps> {
        let names = (b'a'..).take(points.len()).map(|name| format!("{}", char::from(name)));
        let point = |member: &Member| points[usize::from(member.name().as_bytes()[0] - b'a')];
        MultiProbe::drawn(Members::new(names).unwrap(), NonZeroU32::new(probes).unwrap(), point)
    }

    fn rank<D: Draw>(placement: &MultiProbe<D>, key: u64) -> Vec<&str> {
        placement.rank(Key::from_hash(key)).iter().map(|member| member.name()).collect()
    }

    #[test]
    fn the_nearest_to_any_probe_wins_and_ties_go_to_the_smaller_name() {
        // From 0 and 1,000: a at 30, b at 20, c at 0, d at 30, e at 999 and below none.
        let points = &[1030, 1020, 1000, 30, 999];
        assert_eq!(rank(&steps(points, 2), 0), ["c", "b", "a", "d", "e"]);
        assert_eq!(rank(&steps(points, 1), 0), ["d", "e", "c", "b", "a"]);
        // As far from different probes: the first probe finds b.
        assert_eq!(rank(&steps(&[1030, 30], 2), 0), ["a", "b"]);
        // Two members at one place.
        assert_eq!(rank(&steps(&[7, 7, 6], 3), 0), ["c", "a", "b"]);
        // Over the top.
        assert_eq!(rank(&steps(&[10, u64::MAX], 2), u64::MAX - 1), ["b", "a"]);
        assert_eq!(rank(&steps(&[u64::MAX, 10], 1), u64::MAX), ["a", "b"]);
    }

    /// By the definition: all distances, sorted.
    #[test]
    fn the_ranking_is_the_order_of_least_distances() {
        for (count, probes) in [(1, 1), (2, 21), (9, 3), (40, 21), (300, 5)] {
            let members = Members::new((0..count).map(|number| format!("m{number}"))).unwrap();
            let placement = MultiProbe::new(members.clone(), NonZeroU32::new(probes).unwrap());
            for key in (0..50).map(Key::from_hash) {
                let distance = |name_hash| {
                    let point = crate::placement::hash::mix(name_hash);
                    placement.probes(key).map(|probe| point.wrapping_sub(probe)).min()
                };
                let mut expected: Vec<_> = members.iter().collect();
                expected.sort_by_key(|member| (distance(member.name_hash()), *member));
                assert_eq!(placement.rank(key), expected);
                assert_eq!(placement.place(key), expected.first().copied());
                assert_eq!(placement.best(key, 3), expected[..expected.len().min(3)]);
            }
        }
        let none = MultiProbe::new(Members::default(), MultiProbe::PROBES);
        assert_eq!(
            (none.place(Key::from_hash(1)), none.rank(Key::from_hash(1))),
            (None, Vec::new())
        );
    }

    #[test]
    fn sets_never_disagree_on_members_of_both() {
        let names = ["a", "b", "c", "d", "e"];
        let placement = |set: u32| {
            let chosen = names.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            let members = Members::new(chosen.map(|(_, name)| *name)).unwrap();
            MultiProbe::new(members, NonZeroU32::new(2).unwrap())
        };
        let placements: Vec<_> = (1..32).map(placement).collect();
        for key in (0..2_000).map(Key::from_hash) {
            for one in &placements {
                for other in &placements {
                    let (x, y) = (one.place(key).unwrap(), other.place(key).unwrap());
                    let both =
                        one.members().contains(y.name()) && other.members().contains(x.name());
                    assert!(!both || x == y);
                }
            }
        }
    }

    /// The paper's claim: with k probes, 1 + 1/(k - 1) times its share is all that a member can have,
    /// as long as there are many members. Their keys are counted, so noise comes on top: 5 standard
    /// deviations.
    #[test]
    fn twenty_one_probes_balance() {
        let members = Members::new((0..1000).map(|number| format!("m{number}"))).unwrap();
        let placement = MultiProbe::new(members.clone(), MultiProbe::PROBES);
        let mut loads = [0_u32; 1000];
        for key in (0..1_000_000).map(Key::from_hash) {
            loads[members.position(placement.place(key).unwrap().name()).unwrap()] += 1;
        }
        let most = loads.iter().max().unwrap();
        assert!(*most <= 1050 + 160, "{most} of 1,000");
    }
}
