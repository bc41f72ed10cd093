//! Placements as deployed systems compute them, to the bit: to join them, to check them, or to move
//! away from them. New work is better served by the algorithms themselves: the hashes and labels here
//! are what others chose, pitfalls included.

use super::hash::Draw;

pub mod argo_cd;
pub mod ketama;
pub mod knative;
pub mod kube_state_metrics;
pub mod thanos;
pub mod timebertt;

/// A key lies where its hash says: deployed systems choose a good hash and use it as it is.
///
/// ```
/// use tenure::placement::hash::Draw;
/// use tenure::placement::presets::Unmixed;
/// assert_eq!(Unmixed::draw(7, 0), 7);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unmixed {}

impl Draw for Unmixed {
    #[inline]
    fn draw(key: u64, _: u64) -> u64 {
        key
    }
}
