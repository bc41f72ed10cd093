//! What somebody may have meant.

/// The names that are nearest to `name`, three at most: those that need the fewest changes of a
/// letter, if they are few, and those that contain it.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let enough = name.chars().count() / 3 + 1;
    let far = |other: &str| {
        let contains = name.len() > 2 && (other.contains(name) || name.contains(other));
        if contains { 0 } else { distance(name, other) }
    };
    let mut near: Vec<_> = names.map(|other| (far(other), other)).collect();
    near.retain(|(far, _)| *far <= enough);
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

/// How many letters must be changed, added or left out (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, a) in (1..).zip(one.chars()) {
        let mut left = above;
        let mut diagonal = above - 1;
        for (b, cell) in other.chars().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(a != b)).min(*cell + 1).min(left + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = above;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_as_defined() {
        for (one, other, far) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), far, "{one} {other}");
            assert_eq!(distance(other, one), far, "{other} {one}");
        }
    }

    #[test]
    fn slips_are_seen() {
        let names = ["leader-crash", "leader-cut", "pause", "calm"];
        assert_eq!(nearest("leader-crahs", names.into_iter())[0], "leader-crash");
        assert_eq!(nearest("leader", names.into_iter()), ["leader-crash", "leader-cut"]);
        assert_eq!(nearest("puase", names.into_iter()), ["pause"]);
        assert!(nearest("something else", names.into_iter()).is_empty());
    }
}
