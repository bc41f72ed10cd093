//! Replays single calls of `tryAcquireOrRenew` and `release`.
use super::format::Micro;
use super::{Counts, Refusal};
pub(super) fn replay(
    _micro: &Micro,
    _release: tenure::election::Release,
) -> Result<Counts, Refusal> {
    Ok(Counts::default())
}
