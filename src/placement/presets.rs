//! Placements as deployed systems compute them, to the bit: to join them, to check them, or to move
//! away from them. New work is better served by the algorithms themselves: the hashes and labels here
//! are what others chose, pitfalls included.

pub mod kube_state_metrics;
