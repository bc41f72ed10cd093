//! A group of members with a store in memory that answers at once: what they do when nothing fails, and
//! in what order.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::struct_excessive_bools,
    reason = "tests; seats are numbers that the group gave"
)]

mod edits;
mod faults;
mod group;
mod leased;
mod leased_drain;
mod leased_faults;
mod life;
mod planned;
mod told;
mod unordered;
mod unreadable;
