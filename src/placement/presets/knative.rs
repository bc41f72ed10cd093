//! Knative's `ChooseSubset`: which few of many back ends serve a revision.

use alloc::vec::Vec;
use core::{error, fmt};

use crate::placement::hash::{fnv1a_64, fnv1a_64_continue};
use crate::placement::{Member, Members};

/// How many angles there are.
const ANGLES: usize = 2048;
/// After so many angles that were taken, the next free one will do.
const TRIES: u32 = 1 << 16;

/// Those `k` of the members that Knative lets serve `target`, as in `namespace/revision`, in canonical
/// order; all of them, if there are no more than `k`.
///
/// # Definition
/// An angle is a hash, FNV-1a 64, modulo 2,048. Each member, in canonical order, stands at the angle of
/// its name and `target` strung together; if somebody stands there, the hash in lower-case hexadecimal
/// digits, without leading zeros, is added to the text and it tries again. Then `k` times: the first
/// member at or after the angle, around the circle, that has not been chosen, is. The first angle is
/// that of `target` and `start-angle-salt`; it grows each time by that of `target` and `step-angle-salt`.
///
/// Costs O(n log n), two allocations and two hashes a member at least.
///
/// Source: `hash/hash.go` of knative.dev/pkg. Deviations: there, members come in the order of the caller,
/// which decides who moves on where two meet (here it is the canonical order); and more than 2,048
/// members never come to an end.
///
/// Pitfalls: members that only share an angle depend on each other, so one that leaves may move others;
/// the step may be 0 or even, which visits a part of the circle; the shares follow the gaps between
/// angles. It knows no weights and no zones.
///
/// # Errors
/// More than 2,048 members, of which fewer than all are wanted.
///
/// ```
/// use tenure::placement::Members;
/// use tenure::placement::presets::knative::choose_subset;
/// let activators = Members::new((0..10).map(|i| format!("activator-{i}")))?;
/// let subset = choose_subset(&activators, 2, "default/rev-6")?;
/// assert!(subset.iter().map(|member| member.name()).eq(["activator-6", "activator-9"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn choose_subset<'a>(
    members: &'a Members,
    k: usize,
    target: &str,
) -> Result<Vec<&'a Member>, TooManyMembers> {
    if members.len() <= k {
        return Ok(members.iter().collect());
    }
    if members.len() > ANGLES {
        return Err(TooManyMembers(members.len()));
    }
    let salted =
        |salt: &str| angle(fnv1a_64_continue(fnv1a_64(target.as_bytes()), salt.as_bytes()));
    let circle = circle(members, target);
    let mut chosen = [false; ANGLES];
    let (mut at, step) = (salted("start-angle-salt"), salted("step-angle-salt"));
    for _ in 0..k {
        let root = circle.partition_point(|(angle, _)| *angle < at);
        let around = (root..circle.len()).chain(0..root);
        let next = around.into_iter().find(|position| chosen.get(*position) == Some(&false));
        if let Some(chosen) = next.and_then(|position| chosen.get_mut(position)) {
            *chosen = true;
        }
        at = (at + step) % ANGLES;
    }
    let subset = circle.iter().zip(chosen).filter(|(_, chosen)| *chosen);
    let mut subset: Vec<_> = subset.map(|((_, member), _)| *member).collect();
    subset.sort_unstable();
    Ok(subset)
}

/// The members by their angles.
fn circle<'a>(members: &'a Members, target: &str) -> Vec<(usize, &'a Member)> {
    let mut taken = [false; ANGLES];
    let stand = |member: &'a Member| {
        let mut hash = fnv1a_64_continue(fnv1a_64(member.name().as_bytes()), target.as_bytes());
        let is_free = |angle: &usize| taken.get(*angle) == Some(&false);
        let mut tries = 0;
        while !is_free(&angle(hash)) && tries < TRIES {
            hash = add_digits(hash);
            tries += 1;
        }
        let around = (0..ANGLES).map(|by| (angle(hash) + by) % ANGLES);
        let angle = around.into_iter().find(is_free).unwrap_or(0);
        if let Some(taken) = taken.get_mut(angle) {
            *taken = true;
        }
        (angle, member)
    };
    let mut circle: Vec<_> = members.iter().map(stand).collect();
    circle.sort_unstable();
    circle
}

#[expect(clippy::cast_possible_truncation, reason = "below 2,048")]
const fn angle(hash: u64) -> usize {
    (hash % ANGLES as u64) as usize
}

/// The hash of the same text with the hash's own digits after it.
fn add_digits(hash: u64) -> u64 {
    let digits = (16 - hash.max(1).leading_zeros() / 4) * 4;
    let shifts = (0..digits).step_by(4).rev();
    shifts.fold(hash, |text, shift| {
        let digit = (hash >> shift & 15) as u8;
        fnv1a_64_continue(text, &[if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }])
    })
}

/// More members than there are angles: 2,048.
///
/// ```
/// use tenure::placement::Members;
/// use tenure::placement::presets::knative::{TooManyMembers, choose_subset};
/// let members = Members::new((0..2049).map(|i| format!("activator-{i}")))?;
/// assert_eq!(choose_subset(&members, 2, "default/rev-6"), Err(TooManyMembers(2049)));
/// # Ok::<(), tenure::placement::MembersError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TooManyMembers(pub usize);

impl fmt::Display for TooManyMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} members: at most {ANGLES}, or want all of them", self.0)
    }
}

impl error::Error for TooManyMembers {}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use super::{ANGLES, TooManyMembers, add_digits, angle, choose_subset, circle};
    use crate::placement::Members;
    use crate::placement::hash::{fnv1a_64, fnv1a_64_continue};

    fn members(n: usize) -> Members {
        Members::new((0..n).map(|i| format!("activator-{i}"))).unwrap()
    }

    #[test]
    fn digits_are_added_as_text() {
        for text in (0..3_000).map(|i| format!("text {i}")) {
            let hash = fnv1a_64(text.as_bytes());
            assert_eq!(add_digits(hash), fnv1a_64(format!("{text}{hash:x}").as_bytes()));
        }
        // No text is known with this hash: one digit all the same.
        assert_eq!(add_digits(0), fnv1a_64_continue(0, b"0"));
    }

    /// Up to every angle taken, and each by trying as often as it takes: thousands of times at the end.
    #[test]
    fn every_angle_is_found_as_defined() {
        for n in [1, 2, 100, ANGLES] {
            let members = members(n);
            let mut taken = [None; ANGLES];
            let mut most = 0;
            for member in &members {
                let mut hash = fnv1a_64(format!("{}default/rev-0", member.name()).as_bytes());
                let mut tries = 0;
                while taken[angle(hash)].is_some() {
                    hash = add_digits(hash);
                    tries += 1;
                }
                taken[angle(hash)] = Some(member);
                most = most.max(tries);
            }
            let standing = (0..).zip(taken).filter_map(|(angle, member)| Some((angle, member?)));
            assert!(circle(&members, "default/rev-0").into_iter().eq(standing), "{n}");
            assert!(n < ANGLES || most > 1_000, "{most}");
        }
    }

    #[test]
    fn there_are_as_many_as_wanted() {
        for (n, k) in
            [(0, 0), (3, 0), (3, 2), (3, 3), (3, 4), (100, 7), (ANGLES, 5), (ANGLES + 1, 9_999)]
        {
            let members = members(n);
            let mut subset: Vec<_> = choose_subset(&members, k, "default/rev-1").unwrap();
            subset.dedup();
            assert_eq!(subset.len(), k.min(n));
            assert!(subset.is_sorted());
        }
        let many = members(ANGLES + 1);
        assert_eq!(choose_subset(&many, 1, "t"), Err(TooManyMembers(2049)));
    }
}
