//! kube-state-metrics with `--total-shards`: the FNV-1a hash of an object's UID, by jump hash.
//!
//! Source: `pkg/sharding/listwatch.go` (`keep`), which takes jump hash from go-jump: the paper's
//! [rounding](crate::placement::Paper).
//!
//! ```
//! use tenure::placement::presets::kube_state_metrics;
//! use tenure::placement::{Numbered, NumberingError};
//! let shards = kube_state_metrics::shards(4)?;
//! let key = kube_state_metrics::key("0479af10-aa16-445b-902d-dae75b278e8e");
//! assert_eq!(shards.index(key), Some(1));
//! # Ok::<(), NumberingError>(())
//! ```

use crate::placement::{Jump, Key, NumberingError, hash};

/// The key of the object with this `uid`, as in `metadata.uid`. 36 multiplications.
///
/// Objects without one, whose UID is empty, are all of one shard.
#[must_use]
pub const fn key(uid: &str) -> Key {
    Key::from_hash(hash::fnv1a_64(uid.as_bytes()))
}

/// The shards `0..total`, where `total` is what `--total-shards` says.
///
/// kube-state-metrics takes 0 for 1; here it is no shard.
///
/// # Errors
/// `total` is more than [`Jump::MOST`].
pub const fn shards(total: u32) -> Result<Jump, NumberingError> {
    Jump::new(total)
}
