//! The ring of kubernetes-controller-sharding: which shard a Kubernetes object belongs to.
//!
//! Source: timebertt/kubernetes-controller-sharding, `pkg/sharding/consistenthash/ring.go` at f1d25b34.
//! Versions before that put a `-` between name and number.
//!
//! Pitfall: the labels `shard-1` + `11` and `shard-11` + `1` are one, so of 20 members called `shard-0`
//! to `shard-19` 90 of the 2,000 tokens fall together (the random ends of Pods' names prevent it). Such a
//! token goes to the member that the sharder listed last, which is not the same each time; here it goes
//! to the smaller name.

use alloc::format;
use alloc::vec::Vec;

use super::Unmixed;
use crate::placement::hash::xxh64;
use crate::placement::{Key, Members, Ring, RingError};

/// How many tokens a shard has unless the sharder is told otherwise.
///
/// ```
/// assert_eq!(tenure::placement::presets::timebertt::TOKENS, 100);
/// ```
pub const TOKENS: u32 = 100;

/// The sharder's ring: each member, a shard, has [`TOKENS`] points, the [`xxh64`] of its name followed
/// by 0, 1, 2 and so on in decimal. Weights are ignored.
///
/// # Errors
/// There would be more than 2²⁶ points.
///
/// ```
/// use tenure::placement::presets::timebertt;
/// use tenure::placement::{Members, Placement};
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let ring = timebertt::ring(Members::new(["controller-7d9f5b6c8-aaaaa", "controller-7d9f5b6c8-bbbbb"])?)?;
/// let key = timebertt::key("webhosting.timebertt.dev", "Website", "project-foo", "homepage-3");
/// let shard = ring.place(key).map(|member| member.name());
/// assert_eq!(shard, Some("controller-7d9f5b6c8-aaaaa"));
/// # Ok(())
/// # }
/// ```
pub fn ring(members: Members) -> Result<Ring<Unmixed, false>, RingError> {
    Ring::drawn(members, |member| {
        let token = |i| xxh64(format!("{}{i}", member.name()).as_bytes());
        (0..TOKENS).map(token).collect::<Vec<_>>()
    })
}

/// The key of an object. For one that a controller owns, `group`, `kind` and `name` are the owner's, so
/// that both come to one shard.
#[must_use]
pub fn key(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
    Key::from_hash(xxh64(format!("{group}/{kind}/{namespace}/{name}").as_bytes()))
}
