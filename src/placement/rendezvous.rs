use alloc::vec::Vec;
use core::cmp::Reverse;

use super::hash::{fold, mix};
use super::{Key, Member, Members, Placement, Ranking, Rationalizable, Weighted};

/// Rendezvous hashing, or highest random weight: of all members, the one whose score with the key is
/// greatest owns it.
///
/// The score is [`fold`]`(`[`mix`]`(key), member.name_hash())`. It depends on the key and on that member
/// alone, so a member that joins takes only what it wins, from all others alike, and one that leaves
/// gives up only what it had. Equal scores, about one in 2⁶⁴ pairs, go to the smaller name.
///
/// | | cost |
/// | --- | --- |
/// | [`new`](Self::new) | nothing but the [`Members`], which it shares |
/// | [`place`](Placement::place) | O(n), a multiplication a member; hashes no name and allocates nothing |
/// | [`best`](Ranking::best) | O(n + k log k), one allocation |
///
/// Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM
/// Transactions on Networking 6 (1), 1998.
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
}

impl Rendezvous {
    /// Rendezvous hashing over `members`.
    #[must_use]
    pub const fn new(members: Members) -> Self {
        Self { members }
    }

    /// Each member with its score, in canonical order.
    fn scores(&self, key: Key) -> impl Iterator<Item = (u64, &Member)> {
        // Keys made of any number, such as 0, 1, 2, are mixed before they meet a member.
        let key = mix(key.as_u64());
        self.members.iter().map(move |member| (fold(key, member.name_hash()), member))
    }
}

impl Placement for Rendezvous {
    fn members(&self) -> &Members {
        &self.members
    }

    fn place(&self, key: Key) -> Option<&Member> {
        // Only a greater score replaces the best: of equals the first stays, whose name is smaller.
        let best = self.scores(key).reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, member)| member)
    }
}

impl Ranking for Rendezvous {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        let mixed = mix(key.as_u64());
        let order = |member: &&'a Member| (Reverse(fold(mixed, member.name_hash())), *member);
        best.clear();
        best.extend(&self.members);
        if k < best.len() {
            best.select_nth_unstable_by(k, |a, b| order(a).cmp(&order(b)));
            best.truncate(k);
        }
        best.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
    }
}

/// For each key, the members in descending order of score, then ascending order of name: a score has
/// two arguments, the key and the member, and no third.
impl Rationalizable for Rendezvous {}

impl Weighted for Rendezvous {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Key, Members, Placement, Ranking, Rendezvous, mix};

    /// The key which [`mix`] makes 0, so that every score is 0. (The steps of `mix` undone.)
    fn key_of_ties() -> Key {
        Key::from_hash(0_u64.wrapping_sub(0x9e37_79b9_7f4a_7c15))
    }

    #[test]
    fn ties_go_to_the_smaller_name() {
        let key = key_of_ties();
        assert_eq!(mix(key.as_u64()), 0);
        let names = ["a", "b", "c", "d"];
        let rendezvous = Rendezvous::new(Members::new(["c", "a", "d", "b"]).unwrap());
        assert_eq!(rendezvous.place(key).unwrap().name(), "a");
        for k in 0..=4 {
            let best: Vec<_> = rendezvous.best(key, k).iter().map(|member| member.name()).collect();
            assert_eq!(best, names[..k]);
        }
    }
}
