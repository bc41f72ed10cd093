use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::iter;
use core::marker::PhantomData;

use super::hash::{Draw, Mixed};
use super::{Absent, Full, HistoryFree, Key, Numbered, Numbering, NumberingError, Removal};

/// `DxHash`: any number may go, and nothing depends on the order: replicas that know which numbers are
/// in use agree, however they learnt it.
///
/// A key has a sequence of numbers, the same for ever, and is on the first of them that is in use.
///
/// The capacity is fixed: with another one, nearly all keys have other numbers. And a look-up costs as
/// many draws as the capacity is times what is in use: with a hundredth in use, 100.
///
/// | | cost, with a numbers of which n are in use |
/// | --- | --- |
/// | [`index`](Numbered::index) | a/n draws on average, at most 8 a and then a/64 loads |
/// | [`add`](Removal::add) | O(a/64) |
/// | [`remove`](Removal::remove), [`insert`](Self::insert) | O(1) |
/// | [`new`](Self::new), [`from_numbering`](Numbered::from_numbering) | O(a) |
/// | memory | a bits |
///
/// # Definition
/// The sequence of the key k is the numbers x(i) = ⌊a `D::draw(k, i)` / 2⁶⁴⌋ for i = 0, 1 and so on to
/// 8 a - 1. If none of them is in use, it goes on with x(8 a - 1) + 1, + 2 and so on, after a - 1 with
/// 0. That is rare (less than e to the power of -8 n, about 0.03 % with one in use), and what follows a
/// gap gets more then; but it is one order of all numbers, so that nothing moves that need not.
///
/// # Source
/// Dong, Wang: "`DxHash`: A Scalable Consistent Hash Based on the Pseudo-Random Sequence", 2021
/// (arXiv 2107.07930). There the capacity is a power of two; here it is any number.
///
/// ```
/// use tenure::placement::{Dx, Key, Numbered, NumberingError, Removal};
/// let mut one = Dx::new(10, 16)?;
/// let mut other = one.clone();
/// for (this, that) in [(3, 7), (7, 3)] {
///     one.remove(this).expect("it is in use");
///     other.remove(that).expect("it is in use");
/// }
/// assert_eq!(one, other);
/// let key = Key::from("tenant/42");
/// assert_eq!(one.index(key), other.index(key));
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dx<D = Mixed> {
    words: Box<[u64]>, // a bit for each number, set if it is in use; none from the capacity on
    capacity: u32,
    len: u32,
    draw: PhantomData<D>,
}

impl Dx {
    /// The greatest capacity: 16,777,216, which takes 2 MiB.
    pub const MOST: u32 = 1 << 24;

    /// The numbers `0..len` in use, and room for all below `capacity`.
    ///
    /// # Errors
    /// The capacity is less than `len` or greater than [`MOST`](Self::MOST).
    ///
    /// ```
    /// use tenure::placement::{Dx, NumberingError};
    /// assert!(Dx::new(0, 0).is_ok());
    /// assert_eq!(Dx::new(3, 2), Err(NumberingError::TooMany { end: 3, most: 2 }));
    /// ```
    pub fn new(len: u32, capacity: u32) -> Result<Self, NumberingError> {
        Self::drawn(len, capacity)
    }
}

impl<D: Draw> Dx<D> {
    /// As [`Dx::new`], with draws of another kind.
    ///
    /// # Errors
    /// As [`Dx::new`].
    ///
    /// ```
    /// use tenure::placement::Dx;
    /// use tenure::placement::hash::Mixed;
    /// assert_eq!(Dx::<Mixed>::drawn(2, 3), Dx::new(2, 3));
    /// ```
    pub fn drawn(len: u32, capacity: u32) -> Result<Self, NumberingError> {
        if capacity > Dx::MOST {
            return Err(NumberingError::TooMany { end: capacity, most: Dx::MOST });
        }
        if len > capacity {
            return Err(NumberingError::TooMany { end: len, most: capacity });
        }
        let words = vec![0; capacity.div_ceil(64) as usize].into();
        let mut dx = Self { words, capacity, len: 0, draw: PhantomData };
        for number in 0..len {
            dx.insert(number);
        }
        Ok(dx)
    }

    /// How many numbers there may be.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Brings a given number into use, and says whether it was not before: it was if it is in use
    /// already, and cannot be from the capacity on.
    ///
    /// It undoes a [`remove`](Removal::remove), which [`add`](Removal::add) does only by chance.
    ///
    /// ```
    /// use tenure::placement::{Dx, NumberingError, Removal};
    /// let mut dx = Dx::new(10, 16)?;
    /// let before = dx.clone();
    /// dx.remove(3).and_then(|()| dx.remove(7)).expect("they are in use");
    /// assert!(dx.insert(7) && dx.insert(3) && dx == before);
    /// assert!(!dx.insert(3) && !dx.insert(16));
    /// # Ok::<(), NumberingError>(())
    /// ```
    pub fn insert(&mut self, number: u32) -> bool {
        let bit = 1 << (number % 64);
        match self.words.get_mut(number as usize / 64) {
            Some(word) if number < self.capacity && *word & bit == 0 => {
                *word |= bit;
                self.len += 1;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn has(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// The number at this place of the key's sequence.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "less than the capacity")]
    fn drawn_number(&self, key: u64, place: u64) -> u32 {
        ((u128::from(D::draw(key, place)) * u128::from(self.capacity)) >> 64) as u32
    }

    /// The first number in use from `number` on, and after the end from 0 on.
    fn next_in_use(&self, number: u32) -> Option<u32> {
        let (start, low) = (number / 64, u64::MAX << (number % 64));
        // The word in which it starts comes twice: first its high bits, at last the low ones.
        let masks = iter::once(low).chain(iter::repeat(u64::MAX));
        let words = (0..).zip(&self.words).cycle().skip(start as usize);
        let mut masked = words.zip(masks).map(|((at, word), mask)| (at, word & mask));
        let (at, word): (u32, u64) =
            masked.by_ref().take(self.words.len() + 1).find(|(_, word)| *word != 0)?;
        Some(at * 64 + word.trailing_zeros())
    }
}

impl<D: Draw> Numbered for Dx<D> {
    #[inline]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn contains(&self, index: u32) -> bool {
        self.has(index)
    }

    #[inline]
    fn index(&self, key: Key) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let mut number = 0;
        for place in 0..8 * u64::from(self.capacity) {
            number = self.drawn_number(key.as_u64(), place);
            if self.has(number) {
                return Some(number);
            }
        }
        self.next_in_use(number)
    }

    /// The end is the capacity; all that is not in use counts as removed, in ascending order.
    fn numbering(&self) -> Numbering {
        let removed: Vec<u32> = (0..self.capacity).filter(|&number| !self.has(number)).collect();
        Numbering { end: self.capacity, removed }
    }

    /// The order of what is removed does not count.
    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        let mut dx = Self::drawn(numbering.end, numbering.end)?;
        for &number in &numbering.removed {
            dx.remove(number).map_err(|Absent(number)| NumberingError::Removed(number))?;
        }
        Ok(dx)
    }
}

impl<D: Draw> HistoryFree for Dx<D> {}

impl<D: Draw> Removal for Dx<D> {
    /// The least number not in use: no order of removals is kept. [`insert`](Dx::insert) brings back
    /// another one.
    fn add(&mut self) -> Result<u32, Full> {
        let full = Full(self.capacity);
        let free = (0..).zip(&self.words).find(|(_, word)| **word != u64::MAX);
        let (at, word): (u32, &u64) = free.ok_or(full)?;
        let number = at * 64 + word.trailing_ones();
        if self.insert(number) { Ok(number) } else { Err(full) }
    }

    fn remove(&mut self, index: u32) -> Result<(), Absent> {
        match self.words.get_mut(index as usize / 64) {
            Some(word) if *word >> (index % 64) & 1 == 1 => {
                *word &= !(1 << (index % 64));
                self.len -= 1;
                Ok(())
            }
            _ => Err(Absent(index)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, Dx, Key, Numbered, Removal, Vec};

    /// Never draws anything but the last number.
    #[derive(Debug, Clone)]
    enum Last {}
    impl Draw for Last {
        fn draw(_: u64, _: u64) -> u64 {
            u64::MAX
        }
    }

    /// What follows the last draw, across words and from the end to the beginning.
    #[test]
    fn without_luck_the_next_in_use_has_the_key() {
        let key = Key::from_hash(1);
        for capacity in [1, 2, 63, 64, 65, 128, 200] {
            let mut dx = Dx::<Last>::drawn(capacity, capacity).unwrap();
            assert_eq!(dx.index(key), Some(capacity - 1));
            for number in 0..capacity - 1 {
                let (mut few, only) = (dx.clone(), number);
                few.remove(capacity - 1).unwrap();
                assert_eq!(few.index(key), Some(only));
                dx.remove(number).unwrap();
            }
            dx.remove(capacity - 1).unwrap();
            assert_eq!((dx.index(key), dx.len()), (None, 0));
        }
    }

    /// Draws the seventh of ten, but, as the last of 80 draws, the number that the key says.
    #[derive(Debug, Clone)]
    enum Late {}
    impl Draw for Late {
        fn draw(key: u64, place: u64) -> u64 {
            let number = if place == 79 { key } else { 6 };
            u64::MAX / 10 * number + u64::MAX / 20
        }
    }

    /// There are eight draws for each number there may be, and the search goes on from the last of
    /// them.
    #[test]
    fn the_last_draw_counts_and_the_next_in_use_follows_it() {
        let mut dx = Dx::<Late>::drawn(0, 10).unwrap();
        assert!([1, 4, 9].into_iter().all(|number| dx.insert(number)));
        for (drawn, index) in [(0, 1), (1, 1), (2, 4), (4, 4), (5, 9), (9, 9)] {
            assert_eq!(dx.index(Key::from_hash(drawn)), Some(index), "{drawn}");
        }
    }

    #[test]
    fn the_next_in_use_goes_around() {
        for capacity in [3, 64, 70, 130] {
            let mut dx = Dx::new(0, capacity).unwrap();
            let used: Vec<u32> = (0..capacity).filter(|number| number * 7 % 11 == 1).collect();
            assert!(used.iter().all(|number| dx.insert(*number)));
            for number in 0..capacity {
                let next = (number..capacity).chain(0..number).find(|next| used.contains(next));
                assert_eq!(dx.next_in_use(number), next);
            }
        }
    }
}
