//! A group of members with a store in memory that answers at once: what they do when nothing fails, and
//! in what order.

mod group;
mod leased;
mod leased_faults;
mod life;
mod planned;
