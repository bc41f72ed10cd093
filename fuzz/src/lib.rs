//! What must hold for any bytes whatever: one property a function, which panics if it does not.
#![forbid(unsafe_code)]

pub mod elector;
pub mod wire;

#[cfg(test)]
mod tests {
    /// `SplitMix64`, as in the core.
    pub(crate) fn random_bytes(seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let words = next() % 256;
        (0..words).flat_map(|_| next().to_le_bytes()).collect()
    }
}
