use alloc::boxed::Box;
use core::marker::PhantomData;

use super::hash::{Draw, Mixed};
use super::{Absent, Full, Key, Numbered, Numbering, NumberingError, Removal};

/// `AnchorHash`: any number may go, and a look-up stays fast as long as most of the capacity is in
/// use.
///
/// Keys are first spread over the whole capacity; one that falls on a number not in use is drawn anew
/// among those that were in use when that number went, and so on. So removals need no table to be
/// built again, and nothing moves that need not.
///
/// **It has a history**: replicas that removed the same numbers in different orders disagree. One
/// decides the order, and the others follow it or get its [`numbering`](Numbered::numbering). And the
/// capacity is fixed: with another one, nearly all keys have other numbers.
///
/// | | cost, with a numbers of which n are in use |
/// | --- | --- |
/// | [`index`](Numbered::index) | 1 + ln(a/n) draws on average, no division for the first of them; and successors, see below |
/// | [`add`](Removal::add), [`remove`](Removal::remove) | O(1) |
/// | [`new`](Self::new), [`from_numbering`](Numbered::from_numbering) | O(a) |
/// | memory | 12 a bytes |
///
/// # Definition
/// The numbers stand in a row of a places, 0 to a - 1, each in its own place; those in use are the
/// first n of the row. A removal of x brings the last of them, y, into x's place and x into y's, and
/// notes y as x's successor (x may be its own). An addition undoes the last removal.
///
/// The key k is drawn as x = `D::draw(k, 0) % a`. While x is not in use: let p be its place, the
/// number of those that were in use when it had gone. Draw y = `D::draw(k, x + 1) % p`; while y's place
/// is p or beyond, take y's successor for y; then y is the new x.
///
/// # Pitfall: unfortunate removals
/// From a draw to a number in use the way may lead over successors. Where those removed were chosen at
/// random they are about ln²(a/n) / 2: 11 beside 6 draws with a hundredth in use. But where each that is
/// removed had just taken the place of the one before, as where 0 goes and then the others from the end
/// on, all are in one chain, and about a/n of them are met: 93 with a hundredth in use; at worst the
/// whole chain.
///
/// # Source
/// Mendelson, Vargaftik, Barabash, Lorenz, Keslassy, Orda: "`AnchorHash`: A Scalable Consistent Hash",
/// IEEE/ACM Transactions on Networking 29 (2), 2021. There the row is W and the places L, and what the
/// paper's A and its stack of removed numbers say follows from those two: the row is kept as a
/// permutation.
///
/// ```
/// use tenure::placement::{Anchor, Key, Numbered, NumberingError, Removal};
/// let mut anchor = Anchor::new(10, 12)?;
/// let keys = || (0..1_000).map(Key::from_hash);
/// let before: Vec<_> = keys().map(|key| anchor.index(key)).collect();
/// anchor.remove(3).expect("it is in use");
/// for (key, before) in keys().zip(&before) {
///     let after = anchor.index(key);
///     assert!(after != Some(3) && (after == *before || *before == Some(3)));
/// }
/// assert_eq!(anchor.add(), Ok(3));
/// assert_eq!(anchor.add(), Ok(10)); // the next that was never in use
/// # Ok::<(), NumberingError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Anchor<D = Mixed> {
    seats: Box<[Seat]>, // by number
    row: Box<[u32]>,    // the inverse of the places
    len: u32,
    capacity: Divisor,
    draw: PhantomData<D>,
}

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Seat {
    place: u32,
    /// Itself, as long as it is in use.
    successor: u32,
}

impl Anchor {
    /// The greatest capacity: 16,777,216, which takes 192 MiB.
    pub const MOST: u32 = 1 << 24;

    /// The numbers `0..len` in use, and room for all below `capacity`.
    ///
    /// A capacity of 1.1 times what is to be in use as a rule costs a tenth of a further draw; each
    /// doubling 0.7 draws.
    ///
    /// # Errors
    /// The capacity is less than `len` or greater than [`MOST`](Self::MOST).
    ///
    /// ```
    /// use tenure::placement::{Anchor, NumberingError};
    /// assert!(Anchor::new(0, 0).is_ok());
    /// assert_eq!(Anchor::new(3, 2), Err(NumberingError::TooMany { end: 3, most: 2 }));
    /// ```
    pub fn new(len: u32, capacity: u32) -> Result<Self, NumberingError> {
        Self::drawn(len, capacity)
    }
}

impl<D: Draw> Anchor<D> {
    /// As [`Anchor::new`], with draws of another kind.
    ///
    /// # Errors
    /// As [`Anchor::new`].
    ///
    /// ```
    /// use tenure::placement::hash::Mixed;
    /// use tenure::placement::Anchor;
    /// assert_eq!(Anchor::<Mixed>::drawn(2, 3), Anchor::new(2, 3));
    /// ```
    pub fn drawn(len: u32, capacity: u32) -> Result<Self, NumberingError> {
        if capacity > Anchor::MOST {
            return Err(NumberingError::TooMany { end: capacity, most: Anchor::MOST });
        }
        if len > capacity {
            return Err(NumberingError::TooMany { end: len, most: capacity });
        }
        Ok(Self {
            seats: (0..capacity).map(|number| Seat { place: number, successor: number }).collect(),
            row: (0..capacity).collect(),
            len,
            capacity: Divisor::new(capacity),
            draw: PhantomData,
        })
    }

    /// How many numbers there may be.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity.divisor
    }

    #[inline]
    fn seat(&self, number: u32) -> Option<Seat> {
        self.seats.get(number as usize).copied()
    }

    fn put(&mut self, number: u32, place: u32, successor: u32) {
        let seat = self.seats.get_mut(number as usize);
        if let (Some(seat), Some(row)) = (seat, self.row.get_mut(place as usize)) {
            *seat = Seat { place, successor };
            *row = number;
        }
    }

    /// The index of a key that fell on `number`, which is not in use and has the place `bound`.
    fn drawn_anew(&self, key: u64, mut number: u32, mut bound: u32) -> Option<u32> {
        // The bound falls from turn to turn, and within a turn the place of the successor does:
        // whatever is drawn, this ends.
        loop {
            let draw = D::draw(key, u64::from(number) + 1);
            number = u32::try_from(draw % u64::from(bound)).ok()?;
            let mut seat = self.seat(number)?;
            while seat.place >= bound {
                number = seat.successor;
                seat = self.seat(number)?;
            }
            if seat.place < self.len {
                return Some(number);
            }
            bound = seat.place;
        }
    }
}

impl<D: Draw> Numbered for Anchor<D> {
    #[inline]
    fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    fn contains(&self, index: u32) -> bool {
        self.seat(index).is_some_and(|seat| seat.place < self.len)
    }

    #[inline]
    fn index(&self, key: Key) -> Option<u32> {
        let number = self.capacity.remainder(D::draw(key.as_u64(), 0));
        let place = self.seat(number)?.place;
        if place < self.len {
            Some(number)
        } else if self.len == 0 {
            None
        } else {
            self.drawn_anew(key.as_u64(), number, place)
        }
    }

    /// The end is the capacity, and what was never in use counts as removed, from the end on.
    fn numbering(&self) -> Numbering {
        let removed = self.row.iter().skip(self.len as usize).rev().copied().collect();
        Numbering { end: self.capacity(), removed }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        let mut anchor = Self::drawn(numbering.end, numbering.end)?;
        for &number in &numbering.removed {
            anchor.remove(number).map_err(|Absent(number)| NumberingError::Removed(number))?;
        }
        Ok(anchor)
    }
}

impl<D: Draw> Removal for Anchor<D> {
    /// What was removed last and not added since; else the least that was never in use.
    fn add(&mut self) -> Result<u32, Full> {
        let last = self.len;
        let full = Full(self.capacity());
        let number = *self.row.get(last as usize).ok_or(full)?;
        let successor = self.seat(number).ok_or(full)?.successor;
        let place = self.seat(successor).ok_or(full)?.place;
        self.put(successor, last, successor);
        self.put(number, place, number);
        self.len += 1;
        Ok(number)
    }

    fn remove(&mut self, index: u32) -> Result<(), Absent> {
        let seat = self.seat(index).filter(|seat| seat.place < self.len).ok_or(Absent(index))?;
        let last = self.len - 1;
        let successor = *self.row.get(last as usize).ok_or(Absent(index))?;
        self.put(successor, seat.place, successor);
        self.put(index, last, successor);
        self.len = last;
        Ok(())
    }
}

/// Divides by one number often: two multiplications instead of a division (Barrett 1986).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Divisor {
    divisor: u32,
    reciprocal: u64, // 2⁶⁴ / divisor, rounded down, but 2⁶⁴ - 1 for 1
}

impl Divisor {
    fn new(divisor: u32) -> Self {
        let reciprocal = (1_u128 << 64).checked_div(u128::from(divisor)).unwrap_or(0);
        Self { divisor, reciprocal: u64::try_from(reciprocal).unwrap_or(u64::MAX) }
    }

    /// `value % divisor`; of the divisor 0, anything.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a high half, and less than the divisor")]
    const fn remainder(self, value: u64) -> u32 {
        // The quotient is the true one or one less, since the reciprocal is less than one too small.
        let quotient = ((value as u128 * self.reciprocal as u128) >> 64) as u64;
        let rest = value.wrapping_sub(quotient.wrapping_mul(self.divisor as u64));
        let divisor = self.divisor as u64;
        (if divisor <= rest { rest - divisor } else { rest }) as u32
    }
}
