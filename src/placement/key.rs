use super::hash;

/// What is placed: a stable 64-bit hash of something. Two things with one hash are one key.
///
/// ```
/// use tenure::placement::{Key, hash};
/// let uid = b"6f1b0d4e-8a2c-4a53-9d6c-0c5e4d3b2a19";
/// let key = Key::from_bytes(uid);
/// assert_eq!(key.as_u64(), hash::xxh3_64(uid));
/// // The hash that Kubernetes' `shardSelector` ranges over.
/// let key = Key::from_hash(hash::fnv1a_64(uid));
/// assert_eq!(key.as_u64(), hash::fnv1a_64(uid));
/// // Names that somebody might choose in order to burden one member: a hash with a secret.
/// let key = Key::from_hash(hash::siphash_2_4([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908], uid));
/// # let _ = key;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    /// The key of a text or other bytes: their [`xxh3_64`](hash::xxh3_64).
    ///
    /// A key of several parts needs a separator that none of them contains, as `/` in
    /// `namespace/name`. O(length); about 10 ns for a UID of 36 characters.
    #[must_use]
    #[inline]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(hash::xxh3_64(bytes))
    }

    /// The key of which `hash` is the hash already: a number of the caller's own, taken as it is.
    ///
    /// It need not be well mixed. Sequential numbers are fine: each algorithm mixes keys itself as far
    /// as it depends on it.
    #[must_use]
    #[inline]
    pub const fn from_hash(hash: u64) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl From<&str> for Key {
    /// [`Key::from_bytes`] of the text.
    #[inline]
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}
