//! Modes, rankings, hashes and sets as text: for logs, flags and files.

use core::num::NonZeroU32;
use core::{error, fmt, str};

use super::{KeyHash, KeyRanges, Mode, Ranking, SlotSet};

/// How many runs or ranges are written out.
const SHOWN: usize = 4;

impl fmt::Display for SlotSet {
    /// Runs of slots, as `0-3, 7`: of many the first four, and how many slots there are beyond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut slots = self.iter().map(super::Slot::index).peekable();
        let mut told = 0;
        for shown in 0..SHOWN {
            let Some(first) = slots.next() else { break };
            let mut last = first;
            while slots.next_if_eq(&(last + 1)).is_some() {
                last += 1;
            }
            told += last - first + 1;
            let comma = if shown == 0 { "" } else { ", " };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        match self.len() - told as usize {
            0 if told == 0 => f.write_str("none"),
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for KeyRanges {
    /// Each range from its first hash to that behind it: of many the first four, and how many ranges
    /// there are beyond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.iter().take(SHOWN).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            let end = u128::from(range.start()) + range.width();
            write!(f, "{comma}0x{:016x}-0x{end:016x}", range.start())?;
        }
        match self.len().saturating_sub(SHOWN) {
            0 if self.is_empty() => f.write_str("none"),
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Display for Mode {
    /// As in the hash of a [configuration](super::Config::generation()): `ranked/rendezvous`,
    /// `ranked/ring/100`, `planned`, `leased`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ranked(ranking) => write!(f, "ranked/{ranking}"),
            Self::Planned(_) => f.write_str("planned"),
            Self::Leased => f.write_str("leased"),
        }
    }
}

impl fmt::Display for Ranking {
    /// `rendezvous`, or `ring/` and the number of points.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rendezvous => f.write_str("rendezvous"),
            Self::Ring(points) => write!(f, "ring/{points}"),
        }
    }
}

impl str::FromStr for Ranking {
    type Err = UnknownRanking;

    fn from_str(text: &str) -> Result<Self, UnknownRanking> {
        if text == "rendezvous" {
            return Ok(Self::Rendezvous);
        }
        let points = text.strip_prefix("ring/").ok_or(UnknownRanking)?;
        points.parse::<NonZeroU32>().map(Self::Ring).map_err(|_| UnknownRanking)
    }
}

/// A text that names no [`Ranking`].
///
/// ```
/// use tenure::sharding::{Mode, Ranking, UnknownRanking};
/// let ring: Ranking = "ring/4".parse()?;
/// assert_eq!(Mode::Ranked(ring).to_string(), "ranked/ring/4");
/// assert_eq!("ring/0".parse::<Ranking>(), Err(UnknownRanking));
/// assert_eq!(UnknownRanking.to_string(), "not a ranking: expected rendezvous, or ring/ and a number from 1");
/// # Ok::<(), UnknownRanking>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownRanking;

impl fmt::Display for UnknownRanking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a ranking: expected rendezvous, or ring/ and a number from 1")
    }
}

impl error::Error for UnknownRanking {}

impl fmt::Display for KeyHash {
    /// Its [name](Self::name).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl str::FromStr for KeyHash {
    type Err = UnknownHash;

    fn from_str(text: &str) -> Result<Self, UnknownHash> {
        let all = [Self::Fnv1a, Self::Xxh3];
        all.into_iter().find(|hash| hash.name() == text).ok_or(UnknownHash)
    }
}

/// A text that names no [`KeyHash`].
///
/// ```
/// use tenure::sharding::{KeyHash, UnknownHash};
/// assert_eq!("xxh3-64".parse(), Ok(KeyHash::Xxh3));
/// assert_eq!("md5".parse::<KeyHash>(), Err(UnknownHash));
/// assert_eq!(UnknownHash.to_string(), "not a hash: expected fnv1a-64 or xxh3-64");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownHash;

impl fmt::Display for UnknownHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a hash: expected fnv1a-64 or xxh3-64")
    }
}

impl error::Error for UnknownHash {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::{KeyHash, KeyRanges, Ranking, SlotSet};
    use crate::sharding::{KeyRange, Slots};

    #[test]
    fn sets_show_a_few_runs() {
        let slots = Slots::new(64).unwrap();
        let set = |of: &[u32]| SlotSet::of(slots, of.iter().filter_map(|at| slots.get(*at)));
        for (of, text) in [
            (&[][..], "none"),
            (&[3], "3"),
            (&[0, 1, 2, 7], "0-2, 7"),
            (&[0, 2, 4, 62, 63], "0, 2, 4, 62-63"),
            (&[0, 2, 4, 6, 8, 9], "0, 2, 4, 6 and 2 more"),
        ] {
            assert_eq!(set(of).to_string(), text);
        }
        assert_eq!(SlotSet::all(slots).to_string(), "0-63");
    }

    #[test]
    fn ranges_show_a_few() {
        let one = |start| KeyRange::new(start, Some(start + 1));
        assert_eq!(KeyRanges::default().to_string(), "none");
        let all: KeyRanges = [KeyRange::ALL].into_iter().collect();
        assert_eq!(all.to_string(), "0x0000000000000000-0x10000000000000000");
        let six: KeyRanges = (0..6).filter_map(|n| one(n * 2)).collect();
        assert!(six.to_string().ends_with("0x0000000000000006-0x0000000000000007 and 2 more"));
    }

    #[test]
    fn names_are_read_back() {
        for hash in [KeyHash::Fnv1a, KeyHash::Xxh3] {
            assert_eq!(hash.to_string().parse(), Ok(hash));
        }
        for ranking in [Ranking::Rendezvous, Ranking::Ring(100.try_into().unwrap())] {
            assert_eq!(ranking.to_string().parse(), Ok(ranking));
        }
        for wrong in ["", "Rendezvous", "ring", "ring/", "ring/0", "ring/-1", "ring/4294967296"] {
            assert!(wrong.parse::<Ranking>().is_err(), "{wrong}");
        }
    }
}
