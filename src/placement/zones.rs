//! The best members for a key, spread over zones: what every [`Ranking`] can do.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter;

use super::{Key, Member, Members, Ranking};

/// See [`Ranking::best_across_zones_into`].
pub(super) fn best_into<'a, R: Ranking + ?Sized>(
    ranking: &'a R,
    key: Key,
    k: usize,
    best: &mut Vec<&'a Member>,
) {
    best.clear();
    if k > 0 {
        ranking.best_into(key, ranking.members().len(), best);
        spread(best, k, |_| true);
    }
}

/// How many zones have one member or more, how many two or more, and so on: what tells when the
/// beginning of a ranking is enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Rounds(Box<[u32]>);

impl Rounds {
    /// O(n log n).
    pub(super) fn of(members: &Members) -> Self {
        let mut zones: Vec<_> = members.iter().filter_map(Member::zone).collect();
        zones.sort_unstable();
        let same = zones.chunk_by(|one, next| one == next).map(<[&str]>::len);
        let lone = iter::repeat_n(1, members.len() - zones.len());
        let mut rounds = Vec::new();
        for size in same.chain(lone) {
            if rounds.len() < size {
                rounds.resize(size, 0);
            }
            rounds.iter_mut().take(size).for_each(|zones| *zones += 1);
        }
        Self(rounds.into())
    }

    /// The same as [`best_into`], from the best 2 k, then 4 k and so on, until no other member can be
    /// chosen.
    ///
    /// *When that is.* A member beyond the beginning comes after all of it in the ranking. So it is not
    /// chosen in the last round, which is cut off when there are `k`; and in a round before only if one
    /// of its zone is not found, so if fewer are chosen than there are zones with members left.
    pub(super) fn best_into<'a>(
        &self,
        ranking: &'a impl Ranking,
        key: Key,
        k: usize,
        best: &mut Vec<&'a Member>,
    ) {
        let members = ranking.members().len();
        let mut beginning = k;
        loop {
            beginning = beginning.saturating_mul(2).min(members);
            ranking.best_into(key, beginning, best);
            let mut zones = self.0.iter().map(|zones| *zones as usize);
            if spread(best, k, |chosen| beginning >= members || zones.next() == Some(chosen)) {
                return;
            }
        }
    }
}

/// Moves those to the front that are chosen, round by round, and drops what is beyond `k`. What is not
/// chosen yet stays in the order of the ranking.
///
/// Of each round but the last, `whole` is asked whether it may have chosen so many; if not, this ends
/// with `false`.
fn spread(members: &mut Vec<&Member>, k: usize, mut whole: impl FnMut(usize) -> bool) -> bool {
    let mut chosen = 0;
    while chosen < k.min(members.len()) {
        // One of each zone: the first that is left.
        let began = chosen;
        for next in began..members.len() {
            let (Some(round), Some(rest)) =
                (members.get(began..chosen), members.get(chosen..=next))
            else {
                return false;
            };
            let Some(zone) = rest.last().map(|member| member.zone()) else { return false };
            if zone.is_some() && round.iter().any(|member| member.zone() == zone) {
                continue;
            }
            if let Some(passed_over) = members.get_mut(chosen..=next) {
                passed_over.rotate_right(1);
            }
            chosen += 1;
            if chosen >= k {
                break;
            }
        }
        if chosen < k && !whole(chosen - began) {
            return false;
        }
    }
    members.truncate(k);
    true
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::vec::Vec;
    use core::cell::Cell;
    use core::num::NonZeroU32;

    use super::Rounds;
    use crate::placement::{Key, Member, Members, Placement, Ranking, Rendezvous, Ring};

    /// So many members of zone a, b, c, …; and so many of none.
    fn members(zones: &[usize], without: usize) -> Members {
        let named = ('a'..).zip(zones).flat_map(|(zone, count)| {
            (0..*count).map(move |i| Member::from(format!("{zone}-{i}")).in_zone(format!("{zone}")))
        });
        Members::new(named.chain((0..without).map(|i| Member::from(format!("none-{i}"))))).unwrap()
    }

    fn cases() -> impl Iterator<Item = Rendezvous> {
        let cases: [(&[usize], usize); 8] = [
            (&[], 0),
            (&[], 4),
            (&[5], 0),
            (&[1, 1, 1], 0),
            (&[3, 3, 3], 0),
            (&[6, 2, 1], 0),
            (&[4, 1, 3], 2),
            (&[1, 9], 3),
        ];
        cases.into_iter().map(|(zones, without)| Rendezvous::new(members(zones, without)))
    }

    fn keys() -> impl Iterator<Item = Key> {
        (0..200).map(Key::from_hash)
    }

    /// What names a zone: a member without is one by itself.
    fn zone(member: &Member) -> &str {
        member.zone().unwrap_or_else(|| member.name())
    }

    /// The definition read aloud, with counts and without rounds.
    fn greedy(ranking: &Rendezvous, key: Key, k: usize) -> Vec<&Member> {
        let mut left = ranking.rank(key);
        let mut used = BTreeMap::new();
        let mut best = Vec::new();
        while best.len() < k && !left.is_empty() {
            let times = |member: &&Member| used.get(zone(member)).copied().unwrap_or(0_u32);
            let least = left.iter().map(times).min().unwrap();
            let position = left.iter().position(|member| times(member) == least).unwrap();
            let member = left.remove(position);
            *used.entry(zone(member)).or_insert(0) += 1;
            best.push(member);
        }
        best
    }

    #[test]
    fn it_is_as_defined_and_grows_at_its_end() {
        for ranking in cases() {
            let n = ranking.members().len();
            for key in keys() {
                let all = greedy(&ranking, key, n);
                assert_eq!(all.len(), n);
                for k in (0..=n + 1).chain([usize::MAX]) {
                    assert_eq!(ranking.best_across_zones(key, k), all[..k.min(n)], "{key:?} {k}");
                }
                assert_eq!(all.first().copied(), ranking.place(key));
            }
        }
    }

    /// Twelve zones of 1 to 34 members and some of none, and the cases above, on rings of few points and
    /// of many: what the beginning of a ranking says is what all of it says.
    #[test]
    fn a_ring_stops_early_with_the_same_answer() {
        let sizes: Vec<_> = (1..=12).map(|zone| 3 * zone - 2).collect();
        let all = cases().map(|case| case.members().clone()).chain([members(&sizes, 5)]);
        for members in all {
            for points in [1, 40] {
                let points = NonZeroU32::new(points).unwrap();
                let ring = Ring::new(members.clone(), points).unwrap();
                let mut whole = Vec::new();
                for key in keys() {
                    for k in (0..15).chain([members.len(), members.len() + 1, usize::MAX]) {
                        super::best_into(&ring, key, k, &mut whole);
                        assert_eq!(ring.best_across_zones(key, k), whole, "{key:?} {k}");
                    }
                }
            }
        }
    }

    /// Says how much of the ranking was asked for at most.
    struct Asked<R>(R, Cell<usize>);

    impl<R: Placement> Placement for Asked<R> {
        fn members(&self) -> &Members {
            self.0.members()
        }
        fn place(&self, key: Key) -> Option<&Member> {
            self.0.place(key)
        }
    }

    impl<R: Ranking> Ranking for Asked<R> {
        fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
            self.1.set(self.1.get().max(k));
            self.0.best_into(key, k, best);
        }
    }

    /// In three zones of 300 members, and in one of 900 with two of 30.
    #[test]
    fn no_more_of_the_ranking_is_asked_for_than_zones_need() {
        for (sizes, most) in [(&[300, 300, 300], 8), (&[900, 30, 30], 70)] {
            let asked = Asked(Rendezvous::new(members(sizes, 0)), Cell::new(0));
            let rounds = Rounds::of(asked.members());
            let mut best = Vec::new();
            let mut sum = 0;
            for (key, k) in keys().zip([1, 2, 3, 4, 5, 7].into_iter().cycle()) {
                asked.1.set(0);
                rounds.best_into(&asked, key, k, &mut best);
                assert_eq!(best, asked.0.best_across_zones(key, k));
                sum += asked.1.get();
            }
            let mean = sum / keys().count();
            assert!(mean <= most, "{mean} of {sizes:?}");
        }
    }

    #[test]
    fn rounds_count_the_zones_with_so_many_members() {
        let rounds = |sizes: &[usize], without| Rounds::of(&members(sizes, without)).0;
        assert_eq!(*rounds(&[6, 2, 1], 2), [5, 2, 1, 1, 1, 1]);
        assert_eq!(*rounds(&[], 3), [3]);
        assert_eq!(*rounds(&[3, 3], 0), [2, 2, 2]);
        assert!(rounds(&[], 0).is_empty());
    }

    /// A zone is used at most once more than any other that has members left.
    #[test]
    fn no_zone_twice_before_every_zone_once() {
        for ranking in cases() {
            for key in keys() {
                for k in 0..=ranking.members().len() {
                    let best = ranking.best_across_zones(key, k);
                    let uses = |of: &str| best.iter().filter(|member| zone(member) == of).count();
                    let left = ranking.members().iter().filter(|member| !best.contains(member));
                    for member in left {
                        let most = best.iter().map(|member| uses(zone(member))).max().unwrap_or(0);
                        assert!(
                            uses(zone(member)) + 1 >= most,
                            "{key:?} {best:?} without {member:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn without_zones_it_is_the_ranking() {
        for ranking in [Rendezvous::new(members(&[], 7)), Rendezvous::new(members(&[7], 0))] {
            for key in keys() {
                assert_eq!(ranking.best_across_zones(key, 7), ranking.rank(key));
            }
        }
    }

    /// Of the k chosen at most one gives way to a member that joins, whether its zone is new or not.
    #[test]
    fn a_join_puts_out_one_at_most() {
        for joins in ["a", "b", "z"] {
            let others = members(&[3, 2, 4], 2);
            let joiner = Member::from("joiner").in_zone(joins);
            let all = Members::new(others.iter().cloned().chain([joiner.clone()])).unwrap();
            let (before, after) = (Rendezvous::new(others), Rendezvous::new(all));
            let mut put_out = 0;
            for (key, k) in keys().flat_map(|key| (0..12).map(move |k| (key, k))) {
                let (old, new) =
                    (before.best_across_zones(key, k), after.best_across_zones(key, k));
                let gone = old.iter().filter(|member| !new.contains(member)).count();
                let came: Vec<_> = new.iter().filter(|member| !old.contains(member)).collect();
                assert!(gone <= 1 && came.iter().all(|member| ***member == joiner), "{key:?} {k}");
                put_out += gone;
            }
            assert!(put_out > 100, "{put_out}");
        }
    }
}
