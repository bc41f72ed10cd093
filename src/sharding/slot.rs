use core::{error, fmt};

use crate::placement::Key;

/// A fixed, equal slice of the 64-bit hash space of keys: what members own and hand over.
///
/// ```
/// use tenure::placement::Key;
/// use tenure::sharding::{Slot, Slots};
/// let slots = Slots::new(16)?;
/// assert_eq!(slots.of(Key::from_hash(0x3fff_ffff_ffff_ffff)).index(), 3);
/// assert_eq!(slots.get(3), Some(slots.of(Key::from_hash(0x3000_0000_0000_0000))));
/// assert_eq!(slots.get(16), None);
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    pub(super) const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its place among the slots, from 0.
    #[must_use]
    #[inline]
    pub const fn index(self) -> u32 {
        self.0
    }

    /// As an index into a table.
    #[inline]
    pub(super) const fn at(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many slots the hash space has: a power of two, the same for all members of a group and for
/// the life of its configuration.
///
/// More slots than members by a factor of a hundred keep shares even; fewer keep the number of
/// [ranges](super::KeyRange) small.
///
/// ```
/// use tenure::sharding::Slots;
/// assert_eq!(Slots::new(1024)?.count(), 1024);
/// assert!(Slots::new(1000).unwrap_err().to_string().contains("1000"));
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slots {
    bits: u8,
}

impl Slots {
    /// The most slots there may be.
    pub const MAX: u32 = 1 << 16;

    /// `count` slots.
    ///
    /// # Errors
    /// `count` is no power of two, or greater than [`MAX`](Self::MAX).
    pub const fn new(count: u32) -> Result<Self, SlotsError> {
        if !count.is_power_of_two() || count > Self::MAX {
            return Err(SlotsError { count });
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 16")]
        Ok(Self { bits: count.trailing_zeros() as u8 })
    }

    /// How many there are.
    #[must_use]
    #[inline]
    pub const fn count(self) -> u32 {
        1 << self.bits
    }

    /// The logarithm of their number to the base 2: how many upper bits of a hash name the slot.
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u32 {
        self.bits as u32
    }

    /// The slot in which `key` lies: the upper bits of its hash.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits are left")]
    pub const fn of(self, key: Key) -> Slot {
        // Two shifts, since one by 64 is none.
        Slot((key.as_u64() >> 1 >> (63 - self.bits)) as u32)
    }

    /// The slot with this index, if there are so many.
    #[must_use]
    pub const fn get(self, index: u32) -> Option<Slot> {
        if index < self.count() { Some(Slot(index)) } else { None }
    }

    /// All of them, in the order of the hash space.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Slot> + DoubleEndedIterator + Clone {
        (0..self.count()).map(Slot)
    }

    /// The least hash that lies in `slot`.
    #[must_use]
    pub const fn start(self, slot: Slot) -> u64 {
        ((slot.0 as u64) << (63 - self.bits)) << 1
    }
}

/// A number of slots that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlotsError {
    count: u32,
}

impl fmt::Display for SlotsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slots is {}: it must be a power of two from 1 to {}", self.count, Slots::MAX)
    }
}

impl error::Error for SlotsError {}

#[cfg(test)]
mod tests {
    use super::{Key, Slots};

    #[test]
    fn slots_cut_the_space_into_equal_parts() {
        for bits in 0..=16 {
            let slots = Slots::new(1 << bits).unwrap();
            assert_eq!((slots.count(), slots.bits()), (1 << bits, bits));
            let mut before = None;
            for slot in slots.iter() {
                let start = slots.start(slot);
                assert_eq!(slots.of(Key::from_hash(start)), slot);
                assert_eq!(before, start.checked_sub(1).map(|last| slots.of(Key::from_hash(last))));
                before = Some(slot);
            }
            assert_eq!(Some(slots.of(Key::from_hash(u64::MAX))), before);
        }
        for count in [0, 3, 1000, 1 << 17, u32::MAX] {
            assert!(Slots::new(count).is_err(), "{count}");
        }
    }
}
