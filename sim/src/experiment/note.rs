//! The kinds of [`What::Note`](crate::trace::What::Note) in the experiment's traces.
//!
//! ```
//! use std::collections::BTreeMap;
//! use tenure::election::Profile;
//! use tenure_sim::experiment::{Experiment, Mode, Workload, note};
//! use tenure_sim::trace::{Recorder, What};
//!
//! let experiment = Experiment::new(Workload::new("a\nb\nc")?, Profile::Strict, 1);
//! let told = |mode| {
//!     let mut recorder = Recorder::default();
//!     let run = experiment.run(mode, &mut recorder)?;
//!     let mut told = BTreeMap::new();
//!     for entry in &recorder.entries {
//!         let What::Note { kind, a, .. } = entry.what else { continue };
//!         let what = match (kind, a) {
//!             (note::BEGAN, _) => "began",
//!             (note::ENDED, _) => "ended",
//!             (note::CALLED, note::LISTS) => "lists",
//!             (note::CALLED, note::WRITES) => "writes",
//!             (note::COUNTS, _) => "counts others",
//!             (note::GAINED | note::LOST, _) => "moved",
//!             _ => "unknown",
//!         };
//!         *told.entry(what).or_insert(0) += 1;
//!     }
//!     Ok::<_, Box<dyn std::error::Error>>((run.measured, told))
//! };
//! let (measured, told_of) = told(Mode::Naive)?;
//! assert_eq!(told_of["began"], measured.reconciles);
//! assert_eq!(told_of["ended"], told_of["began"]); // no crash cut one short
//! assert_eq!(told_of["lists"], measured.membership_lists);
//! assert_eq!(told_of["writes"], measured.membership_writes);
//! assert!(told_of["counts others"] > 3 && !told_of.contains_key("moved"));
//! // Who keeps to the protocol counts nobody: it owns slots, or does not.
//! let (_, told_of) = told(Mode::Ranked)?;
//! assert!(told_of["moved"] > 256 && !told_of.contains_key("counts others"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
