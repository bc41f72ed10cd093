//! Hash functions that only the vectors need.

use xxhash_rust::xxh32::xxh32;

/// The Java engines' hash of a text: XXH32 with seed 0, as a long.
pub(crate) fn java_text(text: &str) -> u64 {
    u64::from(xxh32(text.as_bytes(), 0))
}

/// Of a long and 32-bit numbers after it, all big-endian.
pub(crate) fn java_numbers(first: u64, rest: &[u32]) -> u64 {
    let mut bytes = first.to_be_bytes().to_vec();
    bytes.extend(rest.iter().flat_map(|number| number.to_be_bytes()));
    u64::from(xxh32(&bytes, 0))
}

/// As the vectors of Binomial and Flip give it for their keys.
#[test]
fn xxh32_is_the_one_of_the_vectors() {
    for file in ["binomial_java.json", "flip_java.json"] {
        for row in crate::rows(&crate::vectors(file), "rows") {
            assert_eq!(java_text(row["key"].as_str().unwrap()), crate::number(&row["xxh32"]));
        }
    }
    assert_ne!(java_numbers(1, &[2]), java_numbers(1, &[2, 0]));
}
