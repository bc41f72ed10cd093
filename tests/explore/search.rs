//! Breadth-first over all states, so that the first violation found is a shortest one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use super::world::{Step, World};

#[derive(Debug)]
pub(crate) struct Found {
    /// Distinct states.
    pub(crate) states: usize,
    /// Steps to the farthest.
    pub(crate) depth: usize,
    /// No state is left that was not explored.
    pub(crate) exhausted: bool,
    /// What does not hold, and the steps that lead there.
    pub(crate) violation: Option<(String, Vec<Step>)>,
}

/// Explores until nothing is left or `states` are known.
pub(crate) fn explore(start: &World, states: usize) -> Found {
    let mut seen = BTreeSet::from([digest(start)]);
    let mut trail: Vec<(u32, Step)> = vec![(0, Step::Tick)];
    let mut layer = vec![(0u32, start.clone())];
    let mut steps = Vec::new();
    let mut at = 0;
    loop {
        let mut next_layer = Vec::new();
        for (from, world) in std::mem::take(&mut layer) {
            world.steps(&mut steps);
            for &step in &steps {
                let mut next = world.clone();
                let result = next.step(step);
                if let Err(law) = result {
                    let mut path = path(&trail, from);
                    path.push(step);
                    let violation = Some((law, path));
                    return Found {
                        states: seen.len(),
                        depth: at + 1,
                        exhausted: false,
                        violation,
                    };
                }
                if seen.insert(digest(&next)) {
                    next_layer.push((u32::try_from(trail.len()).unwrap(), next));
                    trail.push((from, step));
                }
            }
        }
        if next_layer.is_empty() || seen.len() >= states {
            let exhausted = next_layer.is_empty();
            return Found { states: seen.len(), depth: at, exhausted, violation: None };
        }
        layer = next_layer;
        at += 1;
    }
}

fn path(trail: &[(u32, Step)], mut at: u32) -> Vec<Step> {
    let mut steps = Vec::new();
    while at != 0 {
        let (from, step) = trail[at as usize];
        steps.push(step);
        at = from;
    }
    steps.reverse();
    steps
}

/// The steps as text, with what follows from each.
pub(crate) fn tell(start: &World, steps: &[Step]) -> String {
    let mut world = start.clone().noted();
    let mut text = String::new();
    for (number, &step) in steps.iter().enumerate() {
        let _ = world.step(step);
        writeln!(text, "  {:>2}. {}", number + 1, world.note()).unwrap();
    }
    text
}

/// 128 bits: among 10⁸ states the chance that any two are taken for one is below 10⁻²².
fn digest(world: &World) -> u128 {
    let mut hasher = Folding(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
    world.hash(&mut hasher);
    (u128::from(hasher.0) << 64) | u128::from(hasher.1)
}

/// Two lanes of multiply and fold; the standard hasher gives 64 bits only.
struct Folding(u64, u64);

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).unwrap();
    low ^ u64::try_from(product >> 64).unwrap()
}

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word) ^ ((chunk.len() as u64) << 56));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = fold(self.0 ^ word, 0x9e37_79b9_7f4a_7c15).wrapping_add(0xa409_3822_299f_31d0);
        self.1 = fold(self.1.rotate_left(23) ^ word, 0xd6e8_feb8_6659_fd93)
            .wrapping_add(0x082e_fa98_ec4e_6c89);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}
