//! Hash functions that only the vectors need.

use xxhash_rust::xxh32::xxh32;

/// The Java engines' hash of a text: XXH32 with seed 0, as a long.
pub(crate) fn java_text(text: &str) -> u64 {
    u64::from(xxh32(text.as_bytes(), 0))
}

/// Of a text and a number, which the engines leave out if it is 0.
pub(crate) fn java_text_and(text: &str, number: u32) -> u64 {
    let bytes = number.to_be_bytes();
    let number = if number == 0 { &[][..] } else { &bytes };
    u64::from(xxh32(&[text.as_bytes(), number].concat(), 0))
}

/// Of a long and 32-bit numbers after it, all big-endian.
pub(crate) fn java_numbers(first: u64, rest: &[u32]) -> u64 {
    let mut bytes = first.to_be_bytes().to_vec();
    bytes.extend(rest.iter().flat_map(|number| number.to_be_bytes()));
    u64::from(xxh32(&bytes, 0))
}

/// CRC32C of a long, as SSE4.2's `crc32q` continues it from the seed's lower half: neither that nor
/// the result is inverted.
pub(crate) fn crc32c(key: u64, seed: u64) -> u64 {
    let step = |crc: u64, byte: u8| {
        (0..8).fold(crc ^ u64::from(byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
    };
    key.to_le_bytes().into_iter().fold(seed & 0xffff_ffff, step)
}

/// RFC 3720, appendix B.4: of 32 bytes of zeros, and of 0 to 31.
#[test]
fn crc32c_is_the_published_one() {
    let crc = |bytes: [u8; 32]| {
        let longs = bytes.as_chunks::<8>().0.iter().map(|long| u64::from_le_bytes(*long));
        longs.fold(0xffff_ffff, |crc, long| crc32c(long, crc)) ^ 0xffff_ffff
    };
    assert_eq!(crc([0; 32]), 0x8a91_36aa);
    assert_eq!(crc(std::array::from_fn(|at| u8::try_from(at).unwrap())), 0x46dd_794e);
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
