//! Anchor, Memento and Dx against their authors' and a Java engine's answers. An engine may draw the
//! next number from the one before it: then the draw's place in the chain is kept in between.

use std::cell::Cell;
use std::fmt::Debug;

use serde_json::Value;
use tenure::placement::hash::Draw;
use tenure::placement::{Anchor, Dx, Guava, Jump, Key, Memento, Numbered, Removal};

use crate::foreign::{crc32c, java_numbers, java_text, java_text_and};
use crate::{number, rows, vectors};

thread_local! {
    /// What was drawn last.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

fn next_in_chain(number: u64) -> u64 {
    LAST.set(number);
    number
}

/// Each CRC32C takes the one before it, beside the key and the seed 7; none takes the number that it
/// leaves.
#[derive(Debug, Clone, PartialEq)]
enum AnchorCpp {}

impl Draw for AnchorCpp {
    fn draw(key: u64, seed: u64) -> u64 {
        let (last, start) = (LAST.get(), 7);
        next_in_chain(match seed {
            0 => crc32c(key, start),
            _ => crc32c(key.wrapping_sub(last), start.wrapping_add(last)),
        })
    }
}

/// The key is the number in `key-0` and so on.
#[derive(Debug, Clone, PartialEq)]
enum AnchorJava {}

impl Draw for AnchorJava {
    fn draw(key: u64, seed: u64) -> u64 {
        const START: u32 = 0xdead_beef;
        next_in_chain(match u32::try_from(seed).unwrap() {
            0 => java_text_and(&format!("key-{key}"), START),
            seed => java_numbers(LAST.get(), &[seed - 1, START]),
        })
    }
}

/// The key is the hash of one of the texts, and the text is hashed again with the number.
#[derive(Debug, Clone, PartialEq)]
enum MementoJava {}

impl Draw for MementoJava {
    fn draw(key: u64, seed: u64) -> u64 {
        let texts = (0..100).map(|key| format!("key-{key}"));
        let text = texts.into_iter().find(|text| java_text(text) == key).unwrap();
        java_text_and(&text, u32::try_from(u64::MAX - seed).unwrap())
    }
}

/// `java.util.Random` with the key as its seed. Its `nextInt` takes the 31 bits that are upper here.
#[derive(Debug, Clone, PartialEq)]
enum DxJava {}

impl Draw for DxJava {
    fn draw(key: u64, seed: u64) -> u64 {
        let mut state = key ^ 0x5_deec_e66d;
        for _ in 0..=seed {
            state = state.wrapping_mul(0x5_deec_e66d).wrapping_add(11) & ((1 << 48) - 1);
        }
        state >> 17 << 33
    }
}

fn small(value: &Value) -> u32 {
    u32::try_from(number(value)).unwrap()
}

fn numbers(row: &Value, field: &str) -> Vec<u32> {
    row[field].as_array().unwrap().iter().map(small).collect()
}

/// Does what the row did, and answers as it for `keys`; so does what the numbering gives.
fn replay<A: Removal + Debug + PartialEq>(
    mut algorithm: A,
    add: impl Fn(&mut A) -> u32,
    row: &Value,
    answers: &str,
    keys: impl Iterator<Item = u64>,
    again: impl Fn(&A) -> A,
) {
    for number in numbers(row, "removed_in_order") {
        assert_eq!(algorithm.remove(number), Ok(()));
    }
    for number in numbers(row, "then_add_returned") {
        assert_eq!(add(&mut algorithm), number, "{row}");
    }
    let again = again(&algorithm);
    assert_eq!(again, algorithm);
    let answers = numbers(row, answers);
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.len(), answers.len());
    for (key, answer) in keys.into_iter().map(Key::from_hash).zip(answers) {
        assert_eq!(algorithm.index(key), Some(answer), "{key:?}: {algorithm:?}");
        assert_eq!(again.index(key), Some(answer));
    }
}

fn again<A: Numbered>(algorithm: &A) -> A {
    A::from_numbering(&algorithm.numbering()).unwrap()
}

fn add<A: Removal>(algorithm: &mut A) -> u32 {
    algorithm.add().unwrap()
}

const JAVA_ANSWERS: &str = "buckets_of_key_0_to_99";

#[test]
fn anchor_as_its_authors_do_it() {
    let file = vectors("anchor_cpp.json");
    for row in rows(&file, "rows") {
        let keys = rows(&file, "keys");
        let anchor = Anchor::<AnchorCpp>::drawn(10, 20).unwrap();
        replay(anchor, add, &row, "buckets", keys.iter().map(number), again);
    }
}

#[test]
fn anchor_as_in_java() {
    for row in rows(&vectors("anchor_java.json"), "rows") {
        let (len, capacity) = (small(&row["initial_size"]), small(&row["capacity"]));
        let anchor = Anchor::<AnchorJava>::drawn(len, capacity).unwrap();
        replay(anchor, add, &row, JAVA_ANSWERS, 0..100, again);
    }
}

#[test]
fn memento_as_in_java() {
    for row in rows(&vectors("memento_java.json"), "rows") {
        let jump = Jump::<Guava>::rounded(small(&row["initial_size"])).unwrap();
        let memento = Memento::<Jump<Guava>, MementoJava>::drawn(jump);
        let keys = (0..100).map(|key| java_text(&format!("key-{key}")));
        // A numbering does not say which rounding the base has.
        replay(memento, add, &row, JAVA_ANSWERS, keys, Clone::clone);
    }
}

/// The engine adds what was removed last; here that is not known, and has to be named.
#[test]
fn dx_as_in_java() {
    for row in rows(&vectors("dx_java.json"), "rows") {
        let (len, capacity) = (small(&row["initial_size"]), small(&row["capacity"]));
        let mut dx = Dx::<DxJava>::drawn(len, capacity).unwrap();
        let keys = (0..100).map(|key| java_text(&format!("key-{key}")));
        let added = Cell::new(numbers(&row, "then_add_returned"));
        let insert = |dx: &mut Dx<DxJava>| {
            let mut left = added.take();
            let number = left.remove(0);
            added.set(left);
            assert!(dx.insert(number));
            number
        };
        replay(dx.clone(), insert, &row, JAVA_ANSWERS, keys, again);
        assert_eq!(dx.add().is_ok(), len < capacity);
    }
}
