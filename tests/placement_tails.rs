//! What holds of every algorithm whose numbers come and go at the end only, exhaustively over lengths.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use tenure::placement::hash::{Draw, Mixed, mix};
use tenure::placement::{
    Binomial, Flip, Full, Guava, Jump, JumpBack, Key, Numbered, Numbering, NumberingError, Tail,
};

fn end(end: u32) -> Numbering {
    Numbering { end, removed: Vec::new() }
}

/// Keys in sequence, as they come from counters, and hashes.
fn keys(count: u64) -> impl Iterator<Item = Key> {
    (0..count).map(|i| Key::from_hash(if i % 2 == 0 { i } else { mix(i) }))
}

/// The laws, from 0 to 70 numbers and at the edges above.
fn laws<A: Tail + PartialEq + std::fmt::Debug>(most: u32, make: impl Fn(u32) -> A) {
    let mut algorithm = make(0);
    assert!(algorithm.is_empty());
    assert_eq!((algorithm.pop(), algorithm.index(Key::from_hash(7))), (None, None));
    let mut before: Vec<_> = keys(4_000).map(|key| algorithm.index(key)).collect();
    for len in 0..70 {
        assert_eq!(algorithm, make(len));
        assert_eq!(algorithm.push(), Ok(len));
        assert_eq!((algorithm.len(), algorithm.contains(len)), (len + 1, true));
        assert!(!algorithm.contains(len + 1));
        for (key, before) in keys(4_000).zip(&mut before) {
            let index = algorithm.index(key);
            assert!(index == *before || index == Some(len), "{key:?} at {}: {index:?}", len + 1);
            *before = index;
        }
        assert_eq!(A::from_numbering(&algorithm.numbering()).unwrap().numbering(), end(len + 1));
    }
    assert_eq!(algorithm.pop(), Some(69));
    assert_eq!(algorithm, make(69));

    let powers = (1..31).flat_map(|power| [(1 << power) - 1, 1 << power, (1 << power) + 1]);
    for len in powers.chain([most - 1]) {
        let (less, more) = (make(len), make(len + 1));
        for key in keys(200) {
            let (before, after) = (less.index(key).unwrap(), more.index(key).unwrap());
            assert!(before < len && (after == before || after == len), "{key:?} at {len}");
        }
    }
    let mut full = make(most);
    assert_eq!((full.push(), full.len()), (Err(Full(most)), most));
    assert_eq!(A::from_numbering(&end(most)), Ok(full));
    let gap = Numbering { end: 3, removed: vec![1] };
    assert_eq!(A::from_numbering(&gap), Err(NumberingError::Gap(1)));
    if let Some(end) = most.checked_add(1) {
        let error = NumberingError::TooMany { end, most };
        assert_eq!(A::from_numbering(&self::end(end)), Err(error));
    }
}

#[test]
fn jump() {
    laws(Jump::MOST, |len| Jump::new(len).unwrap());
    laws(Jump::MOST, |len| Jump::<Guava>::rounded(len).unwrap());
}

#[test]
fn jump_back() {
    laws(JumpBack::MOST, |len| JumpBack::new(len).unwrap());
}

#[test]
fn flip() {
    laws(Flip::<Mixed>::MOST, Flip::new);
}

#[test]
fn binomial() {
    laws(Binomial::<Mixed>::MOST, Binomial::new);
    laws(u32::MAX, Binomial::<Mixed, 5>::drawn);
}

/// Of hashes, and of keys in sequence, each number gets the same, or a rarer chance than one in 10⁹:
/// the chi-square statistic of n numbers is below n + 6.5 sqrt(2 n) here.
fn balanced(algorithm: &impl Numbered) {
    const EACH: u32 = 400;
    let len = algorithm.len();
    for key in [mix, |i| i] {
        let mut counts = vec![0_u32; len as usize];
        for i in 0..u64::from(EACH * len) {
            counts[algorithm.index(Key::from_hash(key(i))).unwrap() as usize] += 1;
        }
        let squares: u64 = counts.iter().map(|count| u64::from(count.abs_diff(EACH)).pow(2)).sum();
        let most = u64::from(len) + 65 * u64::from((2 * len).isqrt() + 1) / 10;
        assert!(squares / u64::from(EACH) < most, "{len}: {}", squares / u64::from(EACH));
    }
}

#[test]
fn just_above_a_power_of_two_all_get_the_same() {
    for len in [2, 3, 5, 7, 8, 9, 17, 33, 65, 127, 257] {
        balanced(&Jump::new(len).unwrap());
        balanced(&JumpBack::new(len).unwrap());
        balanced(&Flip::new(len));
        balanced(&Binomial::new(len));
    }
}

/// How many keys of a million the newest of 65 numbers has: fair are 15,385, the deviation is 124.
fn newest_of_65(algorithm: &impl Numbered) -> usize {
    keys(1_000_000).filter(|key| algorithm.index(*key) == Some(64)).count()
}

#[test]
fn few_attempts_leave_the_newest_short() {
    assert!(newest_of_65(&Binomial::new(65)).abs_diff(15_385) < 600);
    // Each attempt decides one half of those that are open: 1 / 32 is missing after five.
    assert!(newest_of_65(&Binomial::<Mixed, 5>::drawn(65)).abs_diff(14_904) < 450);
    assert!(newest_of_65(&Binomial::<Mixed, 1>::drawn(65)).abs_diff(7_692) < 450);
}

/// Draws of which none is ever below the length: a loop without bound would not come back.
enum Stuck {}

impl Draw for Stuck {
    fn draw(_: u64, _: u64) -> u64 {
        u64::MAX
    }
}

#[test]
fn draws_in_vain_come_to_an_end() {
    let key = Key::from_hash(1);
    for len in [3, 5, 9, 1 << 20 | 1, u32::MAX] {
        assert!(Flip::<Stuck>::drawn(len).index(key).unwrap() < len);
        assert!(Binomial::<Stuck>::drawn(len).index(key).unwrap() < len);
    }
    assert_eq!(Flip::<Stuck>::index_to(key, 0), 0);
    assert!(Flip::<Stuck>::index_to(key, u64::MAX - 1) < u64::MAX);
}

/// The first place is all ones, and so are all further draws but the last of 64.
enum AtLast {}

impl Draw for AtLast {
    fn draw(_: u64, seed: u64) -> u64 {
        match seed >> 32 {
            0 if seed > 0 => 0,
            64 => 8,
            _ => u64::MAX,
        }
    }
}

#[test]
fn the_last_draw_of_flip_counts() {
    let index = |last| Flip::<AtLast>::index_to(Key::from_hash(1), last);
    assert_eq!([index(8), index(9), index(7)], [8, 8, 7]);
}

/// The widest range, and that each wider one moves keys to its new part only.
#[test]
fn flip_reaches_all_64_bits() {
    for key in keys(2_000) {
        let mut before = 0;
        for last in (0..64).flat_map(|power| [1 << power, (1 << power) + 1]).chain([u64::MAX]) {
            let least_new = before.max(1);
            let index = Flip::<Mixed>::index_to(key, last);
            assert!(index <= last && (index == before || index >= least_new));
            before = index;
        }
    }
    let above_32 = keys(1_000).filter(|key| Flip::<Mixed>::index_to(*key, u64::MAX) >> 63 == 1);
    assert!(above_32.count().abs_diff(500) < 100);
}
