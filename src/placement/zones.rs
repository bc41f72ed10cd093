//! The best members for a key, spread over zones: what every [`Ranking`] can do.

use alloc::vec::Vec;

use super::{Key, Member, Ranking};

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
        spread(best, k);
    }
}

/// Moves those to the front that are chosen, round by round, and drops what is beyond `k`. What is not
/// chosen yet stays in the order of the ranking.
fn spread(members: &mut Vec<&Member>, k: usize) {
    let mut chosen = 0;
    while chosen < k.min(members.len()) {
        // One of each zone: the first that is left.
        let began = chosen;
        for next in began..members.len() {
            let (Some(round), Some(rest)) =
                (members.get(began..chosen), members.get(chosen..=next))
            else {
                return;
            };
            let Some(zone) = rest.last().map(|member| member.zone()) else { return };
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
    }
    members.truncate(k);
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::vec::Vec;

    use crate::placement::{Key, Member, Members, Placement, Ranking, Rendezvous};

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
