//! Algorithms over named members: rendezvous hashing, rings, multi-probe and Maglev.
//!
//! Peers get plain numbers for members, which is as cheap as their types allow; ours have names.

mod rendezvous;
mod ring;
mod table;

pub use rendezvous::{rendezvous, rendezvous_best, rendezvous_weighted};
pub use ring::{ketama, multi_probe, ring, ring_best};
pub use table::maglev;

use crate::Witness;

/// The sum over some members.
#[inline]
fn all<W: Witness>(found: impl IntoIterator<Item = W>) -> u64 {
    found.into_iter().fold(0, |sum, one| sum.wrapping_add(one.bits()))
}

/// Members for crates that borrow them. They stay for as long as the process runs.
fn lent(count: u32) -> &'static [u32] {
    Vec::leak((0..count).collect())
}
