//! Which seeds: shares of them for several machines, and what of them is left to do.

use core::ops::Range;

/// Share `index` of `all` in `shares` of them, as even as can be, one after the other.
///
/// ```
/// use tenure_sim::sweep::seeds::share;
/// assert_eq!([0, 1, 2].map(|index| share(0..10, index, 3)), [0..3, 3..6, 6..10]);
/// ```
#[must_use]
pub fn share(all: Range<u64>, index: u64, shares: u64) -> Range<u64> {
    let seeds = u128::from(all.end.saturating_sub(all.start));
    let bound = |index: u64| {
        let before = seeds * u128::from(index.min(shares)) / u128::from(shares.max(1));
        // No more than all.
        all.start + u64::try_from(before).unwrap_or_default()
    };
    bound(index)..bound(index.saturating_add(1))
}

/// In order, and what lies side by side as one.
pub(crate) fn joined(mut seeds: Vec<Range<u64>>) -> Vec<Range<u64>> {
    seeds.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in seeds {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// What of `all` is left, in parts of at most `size`, one after the other: there may be more of them than
/// memory has room for.
pub fn left(all: Range<u64>, done: &[Range<u64>], size: u64) -> impl Iterator<Item = Range<u64>> {
    let mut from = all.start;
    let stops = done.iter().map(|range| (range.start, range.end)).chain([(all.end, u64::MAX)]);
    let gaps = stops.map(move |(start, stop)| {
        let gap = from..start.min(all.end);
        from = from.max(stop);
        gap
    });
    gaps.flat_map(move |gap| {
        let mut from = gap.start;
        core::iter::from_fn(move || {
            let part = from;
            // Parts begin at multiples, so that they are the same whatever was done before.
            from = (part / size + 1).saturating_mul(size).min(gap.end);
            (part < gap.end).then_some(part..from)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_was_not_done() {
        let cut = |all: Range<u64>, done: &[(u64, u64)]| {
            let done: Vec<_> = done.iter().map(|(from, to)| *from..*to).collect();
            left(all, &done, 4).collect::<Vec<_>>()
        };
        assert_eq!(cut(1..10, &[]), [1..4, 4..8, 8..10]);
        assert_eq!(cut(1..10, &[(0, 2), (5, 6)]), [2..4, 4..5, 6..8, 8..10]);
        assert_eq!(cut(1..10, &[(0, 20)]), []);
        assert_eq!(cut(u64::MAX - 2..u64::MAX, &[]).len(), 1);
        let most = left(0..u64::MAX, &[0..4, 8..12], 4).take(3).collect::<Vec<_>>();
        assert_eq!(most, [4..8, 12..16, 16..20]);
    }

    #[test]
    fn shares_are_all_seeds_once() {
        for all in [0..1, 5..6, 3..1000, 0..u64::MAX, u64::MAX - 3..u64::MAX] {
            for shares in [1, 2, 3, 7, 1000, u64::MAX] {
                let mut end = all.start;
                for index in (0..shares).take(1000).chain((shares > 1000).then_some(shares - 1)) {
                    let share = share(all.clone(), index, shares);
                    assert!(
                        share.start >= end && share.end >= share.start,
                        "{all:?} {index}/{shares}"
                    );
                    end = share.end;
                }
                assert_eq!(end, all.end, "{shares}");
            }
        }
    }
}
