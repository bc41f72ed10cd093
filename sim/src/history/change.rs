//! What all recordings come to: one thing after the other that happened to a lock.

use core::fmt;
use std::sync::Arc;

use tenure::lock::{Kind, Version};

use super::object::Stored;
use super::time::Window;

/// The name of a lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockName {
    /// The recording that it is in, counted from 0, where recordings cannot be of one cluster.
    pub world: u32,
    /// What carries it.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl fmt::Display for LockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// Something that happened to a lock, or was asked for in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Which lock.
    pub lock: LockName,
    /// The line of the recording.
    pub line: u64,
    /// When it took effect, if the recording says so by a clock other than those of the holders.
    pub window: Option<Window>,
    /// Who did it, if the recording says so.
    pub by: Option<Arc<str>>,
    /// The version that was written over, if the recording says so.
    pub over: Option<Version>,
    /// How long the server took, in nanoseconds, or the writer waited.
    pub took: Option<i128>,
    /// How fast the clock of whoever did this may run: local nanoseconds in 10⁹ real ones.
    pub rate_ppb: u64,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// The object was stored.
    Stored(Stored),
    /// The recording shows how the object stands, perhaps after changes that it does not show.
    Shown(Stored),
    /// The object was deleted.
    Deleted,
    /// A write was refused because the object had changed.
    Conflict,
    /// A write failed for another reason.
    Failed,
    /// Something was written, and the recording does not say what.
    Untold,
}
