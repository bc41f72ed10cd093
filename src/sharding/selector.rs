//! Kubernetes' `shardSelector`: ranges of hashes as text, and what a server made of it.
//!
//! Source: KEP-5866; `k8s.io/apiserver/pkg/sharding` and `k8s.io/apimachinery/pkg/sharding` of
//! Kubernetes 1.36.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::{fmt, str};

use super::{KeyHash, KeyRange, KeyRanges};
use crate::placement::{Key, hash};

mod parse;

pub use parse::SelectorError;

/// The field of an object whose hash decides.
///
/// ```
/// use tenure::sharding::Field;
/// assert_eq!(Field::Uid.to_string(), "object.metadata.uid");
/// assert_eq!(Field::Namespace.key("").as_u64(), 0xcbf2_9ce4_8422_2325); // outside all namespaces
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `metadata.uid`: even by itself.
    Uid,
    /// `metadata.namespace`: all objects of a namespace fall to one owner. Equal ranges serve badly, as
    /// FNV-1a hardly carries the last letters of a name into the upper bits: choose ranges by the
    /// [`Loads`](super::planned::Loads) that are there.
    Namespace,
}

impl Field {
    /// As it is called in a selector.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uid => "object.metadata.uid",
            Self::Namespace => "object.metadata.namespace",
        }
    }

    /// The key of an object with this value of the field: plain FNV-1a 64, as the server computes it.
    #[must_use]
    #[inline]
    pub const fn key(self, value: &str) -> Key {
        Key::from_hash(hash::fnv1a_64(value.as_bytes()))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The `shardSelector` for objects with `field` in `ranges`, to be sent with list and watch. None
/// without any range: who owns nothing must not list at all, for without a selector it gets
/// everything.
///
/// A server takes at most 100,000 characters, which is 1,200 ranges: with more, as of many
/// [scattered](super::Ranking::Rendezvous) slots, list without a selector and filter.
///
/// ```
/// use tenure::sharding::{Field, KeyRange, shard_selector};
/// let half = KeyRange::new(0, Some(1 << 63)).unwrap();
/// let last = KeyRange::new(0xf << 60, None).unwrap();
/// assert_eq!(
///     shard_selector(Field::Uid, &[half, last]).unwrap(),
///     "shardRange(object.metadata.uid, '0x0000000000000000', '0x8000000000000000') || \
///      shardRange(object.metadata.uid, '0xf000000000000000', '0x10000000000000000')",
/// );
/// assert_eq!(shard_selector(Field::Uid, &[]), None);
///
/// let ranges: tenure::sharding::KeyRanges = [half].into_iter().collect();
/// assert!(shard_selector(Field::Uid, &ranges).is_some()); // as `Sharder::ranges` gives them
/// ```
#[must_use]
pub fn shard_selector(field: Field, ranges: &[KeyRange]) -> Option<String> {
    Selector::new(field, ranges.iter().copied().collect()).map(|selector| selector.to_string())
}

/// A `shardSelector`: which objects a member is to see.
///
/// Two are equal if they select the same objects, whatever the order of their ranges.
///
/// ```
/// use tenure::sharding::{Selector, ShardInfo};
/// let text = "shardRange(object.metadata.namespace, '0x8000000000000000', '0x10000000000000000')";
/// let selector: Selector = text.parse()?;
/// assert_eq!(selector.to_string(), text);
/// assert!(selector.matches("default") && !selector.matches("monitoring"));
/// // An older server has not looked at it: it sends everything, and says nothing.
/// assert_eq!(selector.answered(None), ShardInfo::Ignored);
/// assert_eq!(selector.answered(Some(text)), ShardInfo::Honoured);
/// # Ok::<(), tenure::sharding::SelectorError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    field: Field,
    ranges: KeyRanges, // not empty
}

impl Selector {
    /// Objects with `field` in `ranges`; none if there is no range.
    #[must_use]
    pub fn new(field: Field, ranges: KeyRanges) -> Option<Self> {
        (!ranges.is_empty()).then_some(Self { field, ranges })
    }

    /// Which field it is about.
    #[must_use]
    pub const fn field(&self) -> Field {
        self.field
    }

    /// Where the field's hash must lie.
    #[must_use]
    pub const fn ranges(&self) -> &KeyRanges {
        &self.ranges
    }

    /// Whether an object with this value of the field is selected: what the client filters by where the
    /// server does not. O(length + log of the ranges), without allocation.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        self.ranges.contains(self.field.key(value))
    }

    /// What a list that was asked for with this selector contains, by the `metadata.shardInfo.selector`
    /// that came with it.
    ///
    /// Each page of a list says so for itself. A watch says nothing, and may reach another server than
    /// the list did, as while servers are replaced by newer ones: so put each of its events to
    /// [`matches`](Self::matches), whatever the list said.
    #[must_use]
    pub fn answered(&self, shard_info: Option<&str>) -> ShardInfo {
        match shard_info {
            None => ShardInfo::Ignored,
            Some(text) if text.parse().as_ref() == Ok(self) => ShardInfo::Honoured,
            Some(text) => ShardInfo::Different(text.into()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, range) in self.ranges.iter().enumerate() {
            let or = if at == 0 { "" } else { " || " };
            write!(f, "{or}shardRange({}, {range})", self.field)?;
        }
        Ok(())
    }
}

impl str::FromStr for Selector {
    type Err = SelectorError;

    /// Reads what the API server reads: white space, comments and parentheses anywhere, either kind of
    /// quotation marks, ranges in any order that may overlap. Two things that it reads as well, and
    /// nobody writes, are refused: escapes in a string, and a receiver before the function
    /// (`x.shardRange(…)`).
    ///
    /// # Errors
    /// Whatever the API server refuses: another function or operator, an empty range, a bound without
    /// `0x` or not of 16 small hexadecimal digits, fields mixed or unknown, no range at all, more than
    /// 100,000 characters, hundreds of parentheses in each other.
    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parse::selector(text)
    }
}

/// A group whose [hash](super::Config::hash) is not the one by which servers select: they would send
/// other objects than those of its slots ([`Sharder::selector`](super::Sharder::selector)).
///
/// ```
/// use tenure::sharding::{Config, Field, KeyHash, Sharder};
/// use tenure::time::Instant;
/// let config = Config { hash: KeyHash::Xxh3, ..Config::new("default", "controller", "pod-0", "6ba7b810") };
/// let member = Sharder::new(config, 7, Instant::default()).unwrap();
/// assert_eq!(
///     member.selector(Field::Uid, Instant::default()).unwrap_err().to_string(),
///     "hash is xxh3-64, and servers select by fnv1a-64: take that, with the next generation",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotSelectable {
    /// The group's.
    pub hash: KeyHash,
}

impl fmt::Display for NotSelectable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hash, theirs) = (self.hash, KeyHash::Fnv1a);
        write!(
            f,
            "hash is {hash}, and servers select by {theirs}: take that, with the next generation"
        )
    }
}

impl core::error::Error for NotSelectable {}

/// What a server made of a selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ShardInfo {
    /// It has applied it: the list contains these objects and no others.
    Honoured,
    /// It does not know selectors, or has them switched off: the list contains everything, and the
    /// client must filter for itself ([`Selector::matches`]). Its reading costs are those of a member
    /// that owns everything.
    Ignored,
    /// It has applied this other one, so that objects may be missing: drop the list and ask again.
    Different(Arc<str>),
}

#[cfg(test)]
mod tests;
