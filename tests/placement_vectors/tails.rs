//! Algorithms whose numbers come and go at the end only, and kube-state-metrics, which is one.

use serde_json::Value;
use tenure::placement::hash::Draw;
use tenure::placement::{Binomial, Flip, Guava, Jump, JumpBack, Key, Numbered};

use crate::foreign::{java_numbers, java_text};
use crate::{number, rows, vectors};

fn small(value: &Value) -> u32 {
    u32::try_from(number(value)).unwrap()
}

/// The columns called after a length, such as `n17`.
fn lengths<'a>(row: &'a Value, prefix: &str) -> Vec<(u64, &'a Value)> {
    let columns = row.as_object().unwrap().iter();
    let lengths = columns.filter_map(|(name, value)| {
        let digits = name.strip_prefix(prefix)?;
        Some((digits.parse().ok()?, value))
    });
    let lengths: Vec<_> = lengths.collect();
    assert!(!lengths.is_empty(), "{row}");
    lengths
}

/// An index of each row and length, against that of the algorithm made with the length.
fn all_rows<A: Numbered>(file: &str, key: impl Fn(&Value) -> Key, algorithm: impl Fn(u32) -> A) {
    for row in rows(&vectors(file), "rows") {
        for (len, index) in lengths(&row, "n") {
            let algorithm = algorithm(u32::try_from(len).unwrap());
            assert_eq!(algorithm.index(key(&row)), Some(small(index)), "{row} at {len}");
        }
    }
}

fn given(row: &Value) -> Key {
    Key::from_hash(number(&row["key"]))
}

fn hashed_as_in_java(row: &Value) -> Key {
    Key::from_hash(java_text(row["key"].as_str().unwrap()))
}

#[test]
fn jump() {
    for row in rows(&vectors("jump_u64.json"), "rows") {
        let len = small(&row["n"]);
        let paper = Jump::new(len).unwrap().index(given(&row));
        let guava = Jump::<Guava>::rounded(len).unwrap().index(given(&row));
        assert_eq!([paper, guava], [Some(small(&row["bucket"])); 2], "{row}");
    }
}

#[test]
fn jump_where_the_roundings_differ() {
    for row in rows(&vectors("jump_edge_paper_vs_guava.json"), "rows") {
        let len = small(&row["n"]);
        let paper = Jump::new(len).unwrap().index(given(&row));
        let guava = Jump::<Guava>::rounded(len).unwrap().index(given(&row));
        assert_eq!(paper, Some(small(&row["bucket_paper_formula"])), "{row}");
        assert_eq!(guava, Some(small(&row["bucket_guava_formula"])), "{row}");
    }
}

#[test]
fn jump_back() {
    all_rows("jumpback_hash4j.json", given, |len| JumpBack::new(len).unwrap());
}

/// The draws of the crate fliphash.
enum OfFlipHash {}

impl Draw for OfFlipHash {
    fn draw(key: u64, seed: u64) -> u64 {
        let (level, attempt) = (seed & u64::from(u32::MAX), seed >> 32);
        let hash = key.wrapping_mul(2 * level + 1);
        let hash = (hash ^ (hash >> 27)).wrapping_mul(0x3c79_ac49_2ba7_b653);
        let hash = hash.wrapping_mul(2 * attempt + 1);
        let hash = (hash ^ (hash >> 33)).wrapping_mul(0x1c69_b3f7_4ac4_ae35);
        hash ^ (hash >> 27)
    }
}

#[test]
fn flip() {
    for row in rows(&vectors("fliphash_rs.json"), "rows") {
        for (len, index) in lengths(&row, "n") {
            let ours = Flip::<OfFlipHash>::index_to(given(&row), len - 1);
            assert_eq!(ours, number(index), "{row} at {len}");
        }
    }
}

/// Those of the engine in Java: the key is a hash already, the level is a number after it, counted
/// from the highest bit of 64, or, before an attempt, of 32.
enum OfFlipInJava {}

impl Draw for OfFlipInJava {
    fn draw(key: u64, seed: u64) -> u64 {
        let (level, attempt) = (u32::try_from(seed & u64::from(u32::MAX)).unwrap(), seed >> 32);
        match u32::try_from(attempt).unwrap() {
            0 if level == 0 => key, // for a lone bit, below which nothing is drawn, as well
            0 => java_numbers(key, &[63 - level]),
            attempt => java_numbers(key, &[31 - level, attempt]),
        }
    }
}

#[test]
fn flip_in_java() {
    all_rows("flip_java.json", hashed_as_in_java, Flip::<OfFlipInJava>::drawn);
}

/// Those of the engine in Java, found from the vectors: a step of jump's generator, squared, times the
/// seed; of that the upper half. The key is a hash already.
enum OfBinomialInJava {}

impl Draw for OfBinomialInJava {
    fn draw(key: u64, seed: u64) -> u64 {
        if seed == 0 {
            return key;
        }
        let next = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next.wrapping_mul(next).wrapping_mul(seed) >> 32
    }
}

#[test]
fn binomial_in_java() {
    let algorithm = Binomial::<OfBinomialInJava, 5>::drawn;
    all_rows("binomial_java.json", hashed_as_in_java, algorithm);
}

#[cfg(feature = "presets")]
#[test]
fn kube_state_metrics() {
    use tenure::placement::presets::kube_state_metrics::{key, shards};
    for row in rows(&vectors("kube_state_metrics.json"), "rows") {
        let key = key(row["uid"].as_str().unwrap());
        assert_eq!(key.as_u64(), number(&row["fnv1a64"]));
        for (total, shard) in lengths(&row, "shard_of_") {
            let shards = shards(u32::try_from(total).unwrap()).unwrap();
            assert_eq!(shards.index(key), Some(small(shard)), "{row} of {total}");
        }
    }
}
