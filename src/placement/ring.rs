use alloc::vec::Vec;
use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::{error, fmt, ptr};

use super::hash::{Draw, Mixed};
use super::points::Points;
use super::zones::Rounds;
use super::{Key, Member, Members, Placement, Ranking, Rationalizable, Weighted};

/// Consistent hashing on a ring: each member has many points on the circle of 64-bit numbers, and a key
/// belongs to the member whose point comes first, going up from the key's place.
///
/// A member of weight w has the points [`Mixed::draw`]`(name_hash, i)` for i from 0 to w times
/// `points`, less one. A key lies at `D::draw(key, 0)`, which is [`mix`](super::hash::mix)`(key)` unless
/// another `D` is chosen. Its owner is that of the first point at or above this place, or else of the
/// first point of all; of several members with one point, about one in 2⁶⁴ pairs, the smaller name.
/// The ranking goes on upwards to the next members that are different from all before. So a member's
/// points depend on nothing but the member, and neither does the order of input on anything.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | O(p log p) for p points in all; names are hashed already |
/// | [`place`](Placement::place) | O(1) expected, about three cache lines; allocates nothing |
/// | [`best`](Ranking::best) | O(k²) expected for a part of the members; all of n take O(n² log n), 1 ms for 1,000 |
/// | [`best_across_zones`](Ranking::best_across_zones) | that of the best m, as far as zones must be sought, and O(m k): of 10,000 members 3 take 1 µs with three equal zones, 70 µs with one of them and two of 50 members |
/// | memory | 11 to 12 bytes a point; 14 to 16 for more than 65,531 points; and 4 a member at most |
///
/// `WEIGHTED` says whether weights count, as they do for [`new`](Self::new); the points of
/// [`drawn`](Ring::drawn) are what the caller says.
///
/// Balance comes from the number of points: a member's share deviates by about 1/√points, 10 % with
/// 100, and the most loaded of 100 members has about 1.2 times its share. For even shares take
/// [`Rendezvous`](super::Rendezvous), or put [`Bounded`](super::Bounded) on top.
///
/// Source: Karger, Lehman, Leighton, Levine, Lewin, Panigrahy, "Consistent Hashing and Random Trees",
/// STOC 1997. Unlike there and in most libraries points are told apart by the length of the name (the
/// label `s1` + `11` equals `s11` + `1`), and ties by the name and not by who came last.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::{Key, Members, Placement, Ranking, Ring};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let points = const { NonZeroU32::new(100).unwrap() };
/// let ring = Ring::new(Members::new(["op-0", "op-1", "op-2"])?, points)?;
/// let key = Key::from_bytes(b"Lease/default/demo");
/// let [owner, second, third] = ring.rank(key)[..] else { unreachable!() };
///
/// // Who comes after the owner takes over when the owner leaves.
/// let two = Ring::new(Members::new([second.clone(), third.clone()])?, points)?;
/// assert_eq!((ring.place(key), two.place(key)), (Some(owner), Some(second)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ring<D = Mixed, const WEIGHTED: bool = true> {
    members: Members,
    points: Points,
    rounds: Rounds,
    draw: PhantomData<D>,
}

impl Ring {
    /// A ring with `points` for each unit of a member's weight. 100 is common; memory and balance grow
    /// with it.
    ///
    /// # Errors
    /// There would be more than 2²⁶ points in all.
    ///
    /// ```
    /// use core::num::NonZeroU32;
    /// use tenure::placement::{Member, Members, Ring, RingError};
    /// let heavy = Member::new("heavy").with_weight(NonZeroU32::MAX);
    /// let members = Members::new([heavy, "light".into()]).unwrap();
    /// let error = Ring::new(members, NonZeroU32::MIN).unwrap_err();
    /// assert_eq!(error, RingError::TooManyPoints(1 << 32));
    /// ```
    pub fn new(members: Members, points: NonZeroU32) -> Result<Self, RingError> {
        let of = |member: &Member| u64::from(member.weight().get()) * u64::from(points.get());
        let total = members.iter().map(of).fold(0, u64::saturating_add);
        if total > RingError::MOST_POINTS {
            return Err(RingError::TooManyPoints(total));
        }
        let owned = members.iter().zip(0..).flat_map(|(member, position)| {
            (0..of(member)).map(move |i| (Mixed::draw(member.name_hash(), i), position))
        });
        let points = Points::new(owned.collect());
        Ok(Self { rounds: Rounds::of(&members), members, points, draw: PhantomData })
    }
}

impl<D: Draw> Ring<D, false> {
    /// A ring whose members lie where `points` says, and whose keys lie at `D::draw(key, 0)`. Weights
    /// say nothing here, unless `points` looks at them; so it is not [`Weighted`].
    ///
    /// A member's points may depend on that member alone: what a caller brings to them from elsewhere
    /// breaks the law of [`Rationalizable`]. A member without points owns nothing, and comes after all
    /// others in the ranking.
    ///
    /// # Errors
    /// There are members but no point, or more than 2²⁶ points.
    ///
    /// ```
    /// use tenure::placement::hash::{Draw, xxh64};
    /// use tenure::placement::{Key, Member, Members, Placement, Ring, RingError};
    ///
    /// /// Keys lie where their hash says.
    /// #[derive(Debug)]
    /// enum Unmixed {}
    /// impl Draw for Unmixed {
    ///     fn draw(key: u64, _: u64) -> u64 {
    ///         key
    ///     }
    /// }
    /// let of = |member: &Member| [xxh64(member.name().as_bytes())];
    /// let ring = Ring::<Unmixed, false>::drawn(Members::new(["a", "b"]).unwrap(), of)?;
    /// for name in ["a", "b"] {
    ///     let at = Key::from_hash(xxh64(name.as_bytes()));
    ///     assert_eq!(ring.place(at).map(|owner| owner.name()), Some(name));
    /// }
    /// # Ok::<(), RingError>(())
    /// ```
    pub fn drawn<P: IntoIterator<Item = u64>>(
        members: Members,
        points: impl Fn(&Member) -> P,
    ) -> Result<Self, RingError> {
        let owned = members.iter().zip(0..).flat_map(|(member, position)| {
            points(member).into_iter().map(move |point| (point, position))
        });
        let owned = owned.take(Points::MOST + 1).collect();
        Self::owned(members, owned)
    }

    /// A ring of points and the positions of their owners. It is the caller's promise that it is
    /// [`Rationalizable`], or that nobody takes it for that.
    pub(super) fn owned(members: Members, points: Vec<(u64, u32)>) -> Result<Self, RingError> {
        if points.len() > Points::MOST {
            return Err(RingError::TooManyPoints(points.len() as u64));
        }
        if points.is_empty() && !members.is_empty() {
            return Err(RingError::NoPoints);
        }
        let (rounds, points) = (Rounds::of(&members), Points::new(points));
        Ok(Self { members, points, rounds, draw: PhantomData })
    }
}

impl<D, const WEIGHTED: bool> Ring<D, WEIGHTED> {
    /// The positions of the owners of all points, from the first at or after `at` once round.
    #[cfg(feature = "presets")]
    pub(super) fn owners(&self, at: u64) -> impl Iterator<Item = usize> {
        self.points.clockwise(at).map(|(_, owner)| owner)
    }
}

impl<D: Draw, const WEIGHTED: bool> Ring<D, WEIGHTED> {
    /// Whether the member at `position` has `key`.
    pub(crate) fn has(&self, position: usize, key: Key) -> bool {
        self.points.owner(D::draw(key.as_u64(), 0)) == Some(position)
    }
}

impl<D: Draw, const WEIGHTED: bool> Placement for Ring<D, WEIGHTED> {
    fn members(&self) -> &Members {
        &self.members
    }

    #[inline]
    fn place(&self, key: Key) -> Option<&Member> {
        self.members.get(self.points.owner(D::draw(key.as_u64(), 0))?)
    }
}

impl<D: Draw, const WEIGHTED: bool> Ranking for Ring<D, WEIGHTED> {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        best.clear();
        let points = self.points.clockwise(D::draw(key.as_u64(), 0));
        let with_points = points.filter_map(|(_, owner)| self.members.get(owner));
        for member in with_points.chain(&self.members) {
            if best.len() >= k.min(self.members.len()) {
                return;
            }
            if !best.iter().any(|known| ptr::eq(*known, member)) {
                best.push(member);
            }
        }
    }

    fn best_across_zones_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        self.rounds.best_into(self, key, k, best);
    }
}

/// For each key, the members in the order in which their first points come upwards from the key's
/// place, and then of their names: where a member's points lie depends on the member alone.
impl<D: Draw, const WEIGHTED: bool> Rationalizable for Ring<D, WEIGHTED> {}

/// Twice the points are twice the share.
impl Weighted for Ring {}

/// Why a [`Ring`] was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RingError {
    /// This many points there would be, or more.
    TooManyPoints(u64),
    /// There are members, but no points.
    NoPoints,
}

impl RingError {
    /// The most points that a ring may have: 2²⁶, a gigabyte.
    pub const MOST_POINTS: u64 = Points::MOST as u64;
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = Self::MOST_POINTS;
        match self {
            Self::TooManyPoints(points) => {
                write!(
                    f,
                    "{points} points: at most {most} are possible, by fewer for each member, or smaller weights"
                )
            }
            Self::NoPoints => f.write_str("no points: give each member one at least"),
        }
    }
}

impl error::Error for RingError {}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use core::num::NonZeroU32;

    use super::{Draw, Key, Member, Members, Placement, Ranking, Ring, RingError};
    use crate::placement::hash::{Mixed, mix};

    /// Keys lie where their hash says.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Unmixed {}

    impl Draw for Unmixed {
        fn draw(key: u64, _: u64) -> u64 {
            key
        }
    }

    fn members(names: &[&str]) -> Members {
        Members::new(names.iter().copied()).unwrap()
    }

    fn unmixed(
        names: &[&str],
        points: impl IntoIterator<Item = (u64, u32)>,
    ) -> Ring<Unmixed, false> {
        Ring::owned(members(names), points.into_iter().collect()).unwrap()
    }

    fn rank<D: Draw, const WEIGHTED: bool>(ring: &Ring<D, WEIGHTED>, key: u64) -> Vec<&str> {
        ring.rank(Key::from_hash(key)).iter().map(|member| member.name()).collect()
    }

    #[test]
    fn ties_go_to_the_smaller_name_whatever_the_order_of_input() {
        let points = [(5, 2), (5, 0), (5, 1), (9, 0)];
        let ring = unmixed(&["a", "b", "c"], points);
        assert_eq!(ring, unmixed(&["c", "b", "a"], points.into_iter().rev()));
        for key in [0, 5, 10, u64::MAX] {
            assert_eq!(rank(&ring, key), ["a", "b", "c"]);
        }
        // The owner of a tie leaves: the next name has it.
        assert_eq!(rank(&unmixed(&["b", "c"], [(5, 1), (5, 0)]), 0), ["b", "c"]);
    }

    #[test]
    fn a_point_has_what_lies_at_it_and_the_top_goes_round() {
        let ring = unmixed(&["a", "b", "c"], [(3, 0), (7, 1), (u64::MAX, 2)]);
        for (key, expected) in [
            (0, ["a", "b", "c"]),
            (3, ["a", "b", "c"]),
            (4, ["b", "c", "a"]),
            (8, ["c", "a", "b"]),
            (u64::MAX, ["c", "a", "b"]),
        ] {
            assert_eq!(rank(&ring, key), expected, "{key}");
            assert_eq!(ring.place(Key::from_hash(key)).unwrap().name(), expected[0], "{key}");
        }
        let ring = unmixed(&["a", "b"], [(3, 0), (u64::MAX - 1, 1)]);
        assert_eq!(rank(&ring, u64::MAX), ["a", "b"]);
    }

    #[test]
    fn the_best_are_the_first_of_the_ranking_and_those_without_points_come_last() {
        let ring = unmixed(&["a", "b", "c", "d"], [(1, 3), (2, 3), (3, 1), (4, 3)]);
        let whole = rank(&ring, 2);
        assert_eq!(whole, ["d", "b", "a", "c"]);
        for k in 0..=6 {
            let best = ring.best(Key::from_hash(2), k);
            assert!(best.iter().map(|member| member.name()).eq(whole.iter().copied().take(k)));
        }
    }

    #[test]
    fn points_are_as_many_as_the_weight_says() {
        let weights = [1, 2, 3, 10];
        let heavy = weights.map(|weight| {
            Member::new(format!("w{weight}")).with_weight(NonZeroU32::new(weight).unwrap())
        });
        let members = Members::new(heavy).unwrap();
        let points = NonZeroU32::new(1000).unwrap();
        let ring = Ring::new(members.clone(), points).unwrap();
        let mut counts = [0; 4];
        for (_, owner) in ring.points.clockwise(0) {
            counts[owner] += 1;
        }
        assert_eq!(counts, [1000, 10_000, 2000, 3000], "points times weight, in order of names");

        // Shares: one point's arc has the standard deviation of its mean, so a share of n points has
        // 1/√n of its own at most; five of these are allowed, beside the noise of the keys.
        let mut keys = [0_u32; 4];
        for key in 0..160_000 {
            let owner = ring.place(Key::from_hash(key)).unwrap();
            keys[members.iter().position(|member| member == owner).unwrap()] += 1;
        }
        for (member, keys) in members.iter().zip(keys) {
            let weight = f64::from(member.weight().get());
            let off = f64::from(keys) / (weight * 10_000.0) - 1.0;
            assert!(off.abs() < 5.0 / (weight * 1000.0).sqrt(), "{member}: {keys} keys");
        }
    }

    /// On all pairs of sets over five members, with as few as two points each: if both sets have both
    /// owners, these are the same.
    #[test]
    fn rings_of_different_sets_never_disagree_on_members_of_both() {
        let names = ["a", "b", "c", "d", "e"];
        let ring = |set: u32| {
            let chosen = names.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1);
            let members = Members::new(chosen.map(|(_, name)| *name)).unwrap();
            Ring::new(members, NonZeroU32::new(2).unwrap()).unwrap()
        };
        let rings: Vec<_> = (1..32).map(ring).collect();
        for key in (0..2_000).map(Key::from_hash) {
            for one in &rings {
                for other in &rings {
                    let (x, y) = (one.place(key).unwrap(), other.place(key).unwrap());
                    let both =
                        one.members().contains(y.name()) && other.members().contains(x.name());
                    assert!(!both || x == y);
                }
            }
        }
    }

    /// `s1` + `11` is not `s11` + `1`: all points of a thousand members differ.
    #[test]
    fn labels_do_not_run_into_each_other() {
        let names = (0..1000).map(|number| format!("s{number}"));
        let ring = Ring::new(Members::new(names).unwrap(), NonZeroU32::new(100).unwrap()).unwrap();
        let mut points: Vec<_> = ring.points.clockwise(0).map(|(point, _)| point).collect();
        points.dedup();
        assert_eq!(points.len(), 100_000);
    }

    #[test]
    fn points_and_places_are_as_written_in_the_documentation() {
        let ring = Ring::new(members(&["a"]), NonZeroU32::new(3).unwrap()).unwrap();
        let hash = Member::new("a").name_hash();
        let mut points = [0, 1, 2].map(|i| Mixed::draw(hash, i));
        points.sort_unstable();
        assert!(ring.points.clockwise(0).map(|(point, _)| point).eq(points));
        let of = |member: &Member| [mix(7) + u64::from(member.name() == "b")];
        let ring = Ring::<Mixed, false>::drawn(members(&["b", "a"]), of).unwrap();
        assert_eq!(rank(&ring, 7), ["a", "b"]);
    }

    #[test]
    fn what_cannot_be_a_ring_is_refused_by_name() {
        let none = Ring::new(Members::default(), NonZeroU32::MAX).unwrap();
        assert_eq!((none.place(Key::from("k")), none.rank(Key::from("k"))), (None, Vec::new()));
        let error = Ring::<Mixed, false>::drawn(members(&["a"]), |_| None).unwrap_err();
        assert_eq!(
            (error, &*error.to_string()),
            (RingError::NoPoints, "no points: give each member one at least")
        );
        let endless = Ring::<Mixed, false>::drawn(members(&["a"]), |_| 0..);
        assert_eq!(endless, Err(RingError::TooManyPoints(RingError::MOST_POINTS + 1)));
        let heavy = |name| Member::new(name).with_weight(NonZeroU32::MAX);
        let heavy = Members::new([heavy("a"), heavy("b")]).unwrap();
        assert_eq!(Ring::new(heavy, NonZeroU32::MAX), Err(RingError::TooManyPoints(u64::MAX)));
    }
}
