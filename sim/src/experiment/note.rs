//! The kinds of [`What::Note`](crate::trace::What::Note) in the experiment's traces.

/// A reconcile began; `a` is the object: its line in the list of names, from 0.
pub const BEGAN: u32 = 0;
/// A reconcile ended; `a` is the object.
pub const ENDED: u32 = 1;
/// From now on the replica counts these members: bit N of `a` is `replica-N`. It takes the objects to
/// be its own that rendezvous over them gives it.
pub const COUNTS: u32 = 2;
/// The replica sent a call about membership; `a` is [`LISTS`] or [`WRITES`], `b` the call's number.
pub const CALLED: u32 = 3;

/// From now on the replica may work on the slot `a`; `b` is its token.
pub const GAINED: u32 = 4;
/// From now on the replica may not begin to work on the slot `a`.
pub const LOST: u32 = 5;

/// A list of all membership Leases.
pub const LISTS: u64 = 0;
/// A create, an update or a deletion of a membership Lease.
pub const WRITES: u64 = 1;
