use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use super::hash::{Draw, Mixed};
use super::{Absent, Full, Key, Numbered, Numbering, NumberingError, Removal, Tail};

/// `MementoHash`: any number may go from an algorithm that only shrinks at its end, and nothing but
/// what went is remembered.
///
/// As long as nothing is removed but the end, it is the `base`: at its speed, with its placement, and
/// as large as it can be. A key that the base places on a removed number is drawn anew among those that
/// were in use when that number went, and so on. From a draw to a number in use the way leads over
/// others that are removed, about s/n of them: 9 where a tenth is left, 98 where a hundredth is, 950
/// where a thousandth is (measured over 10,000 numbers). So make a new one of fewer in time.
///
/// **It has a history**: replicas that removed the same numbers in different orders disagree. One
/// decides the order, and the others follow it or get its [`numbering`](Numbered::numbering).
///
/// | | cost, with s numbers in the base, of which n are in use and r removed |
/// | --- | --- |
/// | [`index`](Numbered::index) | the base's and a branch; with removals, ln(s/n) draws and s/n look-ups in a table of r on average, whatever their order; r for each draw at worst |
/// | [`add`](Removal::add), [`remove`](Removal::remove) | O(1), amortised; at the end, the base's |
/// | [`from_numbering`](Numbered::from_numbering) | O(r) |
/// | memory | the base; none while nothing is removed, then 12 to 24 bytes for each of the most that were removed since |
///
/// # Definition
/// If b is the last number of the base and nothing is removed, a removal of b takes it from the base.
/// Any other removal of b is noted, with the number c of those that are left after it. An addition
/// undoes the last removal that is noted, and extends the base if none is.
///
/// The key k is on x, its index in the base. While x is removed, c being noted for it: draw
/// y = `D::draw(k, 2⁶⁴ - 1 - x) % c`; while c or more is noted for y, take that number for y; then y is
/// the new x. (Seeds count down from the top, for what the base draws from the same key has small ones.)
///
/// # Source
/// Coluzzi, Brocco, Antonucci, Leidi: "`MementoHash`: A Stateful, Minimal Memory, Best Performing
/// Consistent Hash Algorithm", 2023 (arXiv 2306.09783). There each removal notes the one before it as
/// well; here they stand in their order, which says that and c.
///
/// ```
/// use tenure::placement::{JumpBack, Key, Memento, Numbered, NumberingError, Removal};
/// let base = JumpBack::new(10)?;
/// let mut memento = Memento::new(base.clone());
/// memento.remove(3).expect("it is in use");
/// for key in (0..1_000).map(Key::from_hash) {
///     let (before, after) = (base.index(key), memento.index(key));
///     assert!(after != Some(3) && (after == before || before == Some(3)));
/// }
/// let state = memento.numbering();
/// assert_eq!((state.end, &state.removed[..]), (10, &[3][..]));
/// assert_eq!(memento.add(), Ok(3));
/// assert_eq!(memento.add(), Ok(10));
/// # Ok::<(), NumberingError>(())
/// ```
///
/// The base must be a [`Tail`], so there is none over an [`Anchor`](super::Anchor):
///
/// ```compile_fail,E0277
/// use tenure::placement::{Anchor, Jump, Memento};
/// Memento::new(Jump::new(3).unwrap());
/// Memento::new(Anchor::new(3, 3).unwrap());
/// ```
#[derive(Debug, Clone)]
pub struct Memento<B, D = Mixed> {
    base: B,
    removed: Vec<u32>, // first to last
    /// Where in `removed` a number is: linear probing, at most half full. Since what was put in last
    /// is taken out first, nothing was ever put beyond a slot that becomes empty.
    slots: Box<[u32]>,
    draw: PhantomData<D>,
}

/// A slot in which nothing is.
const EMPTY: u32 = u32::MAX;

impl<B: Tail> Memento<B> {
    /// The numbers of `base`, none removed.
    pub fn new(base: B) -> Self {
        Self::drawn(base)
    }
}

impl<B: Tail, D: Draw> Memento<B, D> {
    /// As [`Memento::new`], with draws of another kind for keys on removed numbers. What the base draws
    /// is its own.
    pub fn drawn(base: B) -> Self {
        Self { base, removed: Vec::new(), slots: Box::default(), draw: PhantomData }
    }

    /// What places keys as if nothing were removed.
    pub const fn base(&self) -> &B {
        &self.base
    }

    /// How many numbers were left after the removal of `number`; `None` if it is not removed.
    fn left_after(&self, number: u32) -> Option<u32> {
        for slot in self.probes(number) {
            let at = *self.slots.get(slot)?;
            // None is removed at the place EMPTY.
            if *self.removed.get(at as usize)? == number {
                return self.base.len().checked_sub(1)?.checked_sub(at);
            }
        }
        None
    }

    /// The slots in which `number` may be, in this order.
    fn probes(&self, number: u32) -> impl Iterator<Item = usize> + use<B, D> {
        let size = self.slots.len();
        let spread = u64::from(number.wrapping_mul(0x9e37_79b1)); // 2³² over the golden ratio
        let first = ((spread * size as u64) >> 32) as usize;
        (first..size).chain(0..first)
    }

    /// Notes `number`, which is the one at the place `at` of the removed.
    fn note(&mut self, number: u32, at: u32) {
        let free = |slot: &usize| self.slots.get(*slot) == Some(&EMPTY);
        let slot = self.probes(number).find(free);
        if let Some(slot) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = at;
        }
    }

    /// Notes `number` as the last removed, in twice as many slots as there are removed or more.
    fn push_removed(&mut self, number: u32) {
        self.removed.push(number);
        let least = self.removed.len().saturating_mul(2);
        if least <= self.slots.len() {
            self.note(number, u32::try_from(self.removed.len() - 1).unwrap_or(EMPTY));
            return;
        }
        self.slots = vec![EMPTY; least.next_power_of_two()].into();
        for (at, number) in (0..).zip(self.removed.clone()) {
            self.note(number, at);
        }
    }

    fn pop_removed(&mut self) -> Option<u32> {
        let number = self.removed.pop()?;
        let at = u32::try_from(self.removed.len()).unwrap_or(EMPTY);
        let noted = |slot: &usize| self.slots.get(*slot) == Some(&at);
        let slot = self.probes(number).find(noted);
        if let Some(slot) = slot.and_then(|slot| self.slots.get_mut(slot)) {
            *slot = EMPTY;
        }
        if self.removed.is_empty() {
            (self.removed, self.slots) = Default::default();
        }
        Some(number)
    }

    /// The index while some are removed; `None` if all are.
    #[inline(never)] // what follows must not slow those down of whom nothing is removed
    fn drawn_anew(&self, key: Key) -> Option<u32> {
        let mut number = self.base.index(key)?;
        let mut left = self.left_after(number);
        while let Some(bound) = left {
            let seed = u64::MAX - u64::from(number);
            number =
                u32::try_from(D::draw(key.as_u64(), seed).checked_rem(u64::from(bound))?).ok()?;
            left = self.left_after(number);
            // From below the bound one comes to numbers from it on, each noted for one removal only: so
            // to none twice. And the bound falls from turn to turn. Whatever is drawn, this ends.
            while let Some(next) = left.filter(|left| bound <= *left) {
                number = next;
                left = self.left_after(number);
            }
        }
        Some(number)
    }
}

impl<B: Tail, D: Draw> Numbered for Memento<B, D> {
    #[inline]
    fn len(&self) -> u32 {
        let removed = u32::try_from(self.removed.len()).unwrap_or(u32::MAX);
        self.base.len().saturating_sub(removed)
    }

    fn contains(&self, index: u32) -> bool {
        self.base.contains(index) && self.left_after(index).is_none()
    }

    #[inline]
    fn index(&self, key: Key) -> Option<u32> {
        if self.removed.is_empty() { self.base.index(key) } else { self.drawn_anew(key) }
    }

    /// The end is the base's.
    fn numbering(&self) -> Numbering {
        Numbering { end: self.base.len(), removed: self.removed.clone() }
    }

    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        let base = B::from_numbering(&Numbering { end: numbering.end, removed: Vec::new() })?;
        let mut memento = Self::drawn(base);
        for &number in &numbering.removed {
            if !memento.contains(number) {
                return Err(NumberingError::Removed(number));
            }
            if memento.removed.is_empty() && number + 1 == numbering.end {
                return Err(NumberingError::Gap(number)); // the base would have shrunk
            }
            memento.push_removed(number);
        }
        Ok(memento)
    }
}

impl<B: Tail, D: Draw> Removal for Memento<B, D> {
    /// What was removed last and not added since; else the next of the base, as after a removal at its
    /// end.
    fn add(&mut self) -> Result<u32, Full> {
        self.pop_removed().map_or_else(|| self.base.push(), Ok)
    }

    fn remove(&mut self, index: u32) -> Result<(), Absent> {
        if !self.contains(index) {
            return Err(Absent(index));
        }
        if self.removed.is_empty() && index + 1 == self.base.len() {
            self.base.pop();
        } else {
            self.push_removed(index);
        }
        Ok(())
    }
}

/// The slots follow from the rest, but for their number.
impl<B: PartialEq, D> PartialEq for Memento<B, D> {
    fn eq(&self, other: &Self) -> bool {
        self.base == other.base && self.removed == other.removed
    }
}

impl<B: Eq, D> Eq for Memento<B, D> {}

impl<B: Hash, D> Hash for Memento<B, D> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base.hash(state);
        self.removed.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::{Full, Key, Memento, Numbered, Numbering, NumberingError, Removal, Tail, Vec, vec};

    /// Places nothing: what is removed is all that counts here.
    #[derive(Debug, Clone, PartialEq)]
    struct Base(u32);

    impl Numbered for Base {
        fn len(&self) -> u32 {
            self.0
        }
        fn contains(&self, index: u32) -> bool {
            index < self.0
        }
        fn index(&self, _: Key) -> Option<u32> {
            self.0.checked_sub(1)
        }
        fn numbering(&self) -> Numbering {
            Numbering { end: self.0, removed: vec![] }
        }
        fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
            Ok(Self(numbering.end))
        }
    }

    impl Tail for Base {
        fn push(&mut self) -> Result<u32, Full> {
            self.0 += 1;
            Ok(self.0 - 1)
        }
        fn pop(&mut self) -> Option<u32> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
    }

    /// Thousands of removals and additions in turns: each number removed is found with what was left,
    /// no other is, and the slots are at most half and, while they grow, at least a quarter full.
    #[test]
    fn the_slots_hold_what_is_removed() {
        let mut memento = Memento::new(Base(5_000));
        let mut removed = Vec::new();
        let mut next = 1_u32;
        let mut most = 0;
        for turn in 0..6_000_u32 {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (next >> 8) % 4_999;
            if turn % 5 == 4 {
                assert_eq!(memento.add().ok(), removed.pop());
            } else if memento.remove(number).is_ok() {
                removed.push(number);
            } else {
                assert!(removed.contains(&number));
            }
            most = most.max(removed.len());
            let used = memento.slots.iter().filter(|slot| **slot != super::EMPTY).count();
            assert_eq!(used, removed.len());
            assert!(used * 2 <= memento.slots.len() && memento.slots.len() < most * 4);
        }
        assert!(most > 1_500);
        for (at, number) in (0..).zip(&removed) {
            assert_eq!(memento.left_after(*number), Some(4_999 - at));
        }
        for number in 0..5_010 {
            assert_eq!(memento.left_after(number).is_some(), removed.contains(&number));
        }
        while let Some(last) = removed.pop() {
            assert_eq!(memento.add(), Ok(last));
        }
        assert_eq!((memento.slots.len(), memento.removed.capacity()), (0, 0));
        assert_eq!(memento.add(), Ok(5_000));
    }
}
