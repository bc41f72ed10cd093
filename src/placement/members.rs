use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use core::{error, fmt, slice};

use super::hash;

/// What keys are placed on: a member's name, with its hash, its weight and its zone. Cheap to clone.
///
/// A name is text and nothing else: `x-1` and `x-11` have nothing to do with each other. It is hashed
/// once, here; its length goes into the hash before it. Members are ordered by the bytes of their
/// names.
///
/// ```
/// use core::num::NonZeroU32;
/// use tenure::placement::Member;
/// let member = Member::from("controller-0");
/// assert_eq!((member.name(), member.weight().get(), member.zone()), ("controller-0", 1, None));
/// assert!(Member::from("x-10") < Member::from("x-9"));
///
/// let member = member.with_weight(const { NonZeroU32::new(3).unwrap() }).in_zone("eu-west-1a");
/// assert_eq!((member.weight().get(), member.zone()), (3, Some("eu-west-1a")));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    name: Arc<str>, // first: the order of members is the order of names
    hash: u64,
    weight: NonZeroU32,
    zone: Option<Arc<str>>,
}

impl Member {
    /// A member called `name`, which [`Members::new`] refuses if it is empty, of weight 1 and in no
    /// zone.
    ///
    /// Costs a multiplication a byte, and a copy unless `name` is shared already.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self { hash: hash::prefixed(&name), name, weight: NonZeroU32::MIN, zone: None }
    }

    /// The same with another weight: how much it can bear, in units that all members share. Only their
    /// ratio counts, and only for algorithms that are [`Weighted`](super::Weighted). None is 0: a member
    /// that is to get no keys is none (planted bug H6 of `docs/simulation.md`).
    ///
    /// ```compile_fail,E0308
    /// use tenure::placement::Member;
    /// let idle = Member::new("pod-0").with_weight(0);
    /// ```
    #[must_use]
    pub fn with_weight(self, weight: NonZeroU32) -> Self {
        Self { weight, ..self }
    }

    /// The same in another zone: members that fail together, as those in one rack do. None if `zone` is
    /// empty.
    #[must_use]
    pub fn in_zone(self, zone: impl Into<Arc<str>>) -> Self {
        let zone = zone.into();
        Self { zone: (!zone.is_empty()).then_some(zone), ..self }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much it can bear beside others; 1 unless it was [given](Self::with_weight).
    #[must_use]
    pub const fn weight(&self) -> NonZeroU32 {
        self.weight
    }

    /// Where it is, if that was [given](Self::in_zone).
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The name's hash, well mixed: [`mix`](hash::mix) of the [`fnv1a_64`](hash::fnv1a_64) of the
    /// name's length in bytes, as eight bytes little-endian, and the name.
    #[must_use]
    pub const fn name_hash(&self) -> u64 {
        self.hash
    }
}

impl From<&str> for Member {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for Member {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<Arc<str>> for Member {
    fn from(name: Arc<str>) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Member {
    /// The name, as text in quotes, and what was given beside it: the hash says nothing more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.name, f)?;
        if self.weight != NonZeroU32::MIN {
            write!(f, " weight {}", self.weight)?;
        }
        self.zone.as_ref().map_or(Ok(()), |zone| write!(f, " in {zone:?}"))
    }
}

/// A set of members in canonical order. Cheap to clone: clones share one list.
///
/// Replicas that know the same members, with their weights and zones, hold equal values, whatever the
/// order in which they learnt them; so they place every key alike. It never changes: members that come
/// or go make a new set.
///
/// ```
/// use tenure::placement::{Members, MembersError};
/// let members = Members::new(["b", "c", "a"])?;
/// assert_eq!(members, Members::new(["a", "b", "c"])?);
/// assert_eq!(members.iter().map(|member| member.name()).collect::<Vec<_>>(), ["a", "b", "c"]);
///
/// // One leaves, one joins.
/// let others = members.iter().filter(|member| member.name() != "b").cloned();
/// let members = Members::new(others.chain(["d".into()]))?;
/// assert!(members.contains("d") && !members.contains("b"));
/// # Ok::<(), MembersError>(())
/// ```
///
/// There is no way to one that is in another order, so that nothing can depend on the order in which
/// members were heard of (planted bugs H3 and H9 of `docs/simulation.md`):
///
/// ```compile_fail,E0423
/// use tenure::placement::{Member, Members};
/// let as_they_came = Members([Member::new("b"), Member::new("a")].into());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Members(Arc<[Member]>); // ascending by name, without duplicates or empty names

impl Members {
    /// The set of `members`, given in any order. Of none, the empty set, on which nothing is placed.
    ///
    /// O(n log n), and one allocation beside those of new names.
    ///
    /// # Errors
    /// A name is empty, or two members have the same one.
    ///
    /// ```
    /// use tenure::placement::{Members, MembersError};
    /// assert_eq!(Members::new(["a", ""]), Err(MembersError::EmptyName));
    /// assert_eq!(Members::new(["b", "a", "b"]), Err(MembersError::Duplicate("b".into())));
    /// assert!(Members::new(Vec::<String>::new())?.is_empty());
    /// # Ok::<(), MembersError>(())
    /// ```
    pub fn new<M: Into<Member>>(
        members: impl IntoIterator<Item = M>,
    ) -> Result<Self, MembersError> {
        let mut members: Vec<Member> = members.into_iter().map(Into::into).collect();
        members.sort_unstable();
        if members.first().is_some_and(|first| first.name.is_empty()) {
            return Err(MembersError::EmptyName);
        }
        let mut neighbours = members.iter().zip(members.iter().skip(1));
        if let Some((one, _)) = neighbours.find(|(one, next)| one.name == next.name) {
            return Err(MembersError::Duplicate(Arc::clone(&one.name)));
        }
        Ok(Self(members.into()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members in canonical order: by the bytes of their names.
    pub fn iter(&self) -> slice::Iter<'_, Member> {
        self.0.iter()
    }

    /// The member at a position of the canonical order.
    #[must_use]
    #[inline]
    pub fn get(&self, position: usize) -> Option<&Member> {
        self.0.get(position)
    }

    /// The member called `name`, if there is one. O(log n).
    ///
    /// ```
    /// use tenure::placement::{Member, Members};
    /// let members = Members::new([Member::new("a").in_zone("east"), Member::new("b")])?;
    /// assert_eq!(members.by_name("a").map(Member::zone), Some(Some("east")));
    /// assert_eq!(members.by_name("A"), None);
    /// # Ok::<(), tenure::placement::MembersError>(())
    /// ```
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Member> {
        self.get(self.position(name)?)
    }

    /// At which position of the canonical order the member called `name` is. O(log n).
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|member| member.name().cmp(name)).ok()
    }

    /// Whether there is a member called `name`. O(log n).
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.by_name(name).is_some()
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a Member;
    type IntoIter = slice::Iter<'a, Member>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for Members {
    /// The empty set.
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

/// Why [`Members::new`] refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MembersError {
    /// A member has an empty name.
    EmptyName,
    /// More than one member has this name; of several such names, the first in canonical order.
    Duplicate(Arc<str>),
}

impl fmt::Display for MembersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("a member has an empty name"),
            Self::Duplicate(name) => write!(f, "more than one member is called {name:?}"),
        }
    }
}

impl error::Error for MembersError {}
