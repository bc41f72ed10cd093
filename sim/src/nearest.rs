//! What somebody may have meant.

use strsim::levenshtein;

/// The names that are nearest to `name`, three at most: those that need the fewest changes of a
/// letter, if they are few, and those that contain it.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let enough = name.chars().count() / 3 + 1;
    let far = |other: &str| {
        let contains = name.len() > 2 && (other.contains(name) || name.contains(other));
        if contains { 0 } else { levenshtein(name, other) }
    };
    let mut near: Vec<_> = names.map(|other| (far(other), other)).collect();
    near.retain(|(far, _)| *far <= enough);
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_seen() {
        let names = ["leader-crash", "leader-cut", "pause", "calm"];
        assert_eq!(nearest("leader-crahs", names.into_iter())[0], "leader-crash");
        assert_eq!(nearest("leader", names.into_iter()), ["leader-crash", "leader-cut"]);
        assert_eq!(nearest("puase", names.into_iter()), ["pause"]);
        assert!(nearest("something else", names.into_iter()).is_empty());
    }
}
