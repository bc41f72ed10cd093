//! `MultiLock`: one lock of two objects, while a group migrates from one kind to another.
//!
//! Only the primary's compare-and-swap protects: the secondary is read again just before it is
//! written over.

use alloc::boxed::Box;

use super::resource::{At, Fetched, Lock, Outcome, Progress};
use super::state::Raw;
use crate::election::{Config, Failure, object};
use crate::lock::{Kind, Record, UNKNOWN_HOLDER};

/// What follows when one of the two objects is answered for.
pub(super) fn answered(lock: &mut Lock<'_>, at: At, record: &Record, outcome: Outcome) -> Progress {
    let next = match (at, outcome) {
        // MultiLock.Get
        (At::Get, Outcome::Read(primary)) => At::SecondaryGet(Box::new(primary)),
        (At::SecondaryGet(primary), Outcome::Read(secondary)) => {
            return Progress::Done(Outcome::Read(both(lock.config, *primary, secondary)));
        }
        // Held by one that knows the primary only. Mine without a secondary is "not found": it goes
        // on to Create, which makes the secondary and renews nothing.
        (At::SecondaryGet(primary), Outcome::Failed(Failure::NotFound))
            if primary.record.holder != *lock.identity =>
        {
            return Progress::Done(Outcome::Read(*primary));
        }
        // MultiLock.Create, and Update if there is no secondary
        (At::Create, Outcome::Written | Outcome::Failed(Failure::AlreadyExists))
        | (At::SecondaryReget, Outcome::Failed(Failure::NotFound)) => At::SecondaryCreate,
        // MultiLock.Update
        (At::Update, Outcome::Written) => At::SecondaryReget,
        (At::SecondaryReget, _) => At::SecondaryUpdate,
        (_, outcome) => return Progress::Done(outcome),
    };
    lock.ask(next, record)
}

/// The primary's record. Where the two name different holders it is nobody's that is known, for as
/// long as the primary says.
fn both(config: &Config, mut primary: Fetched, secondary: Fetched) -> Fetched {
    if primary.record.holder != secondary.record.holder {
        primary.record.holder = UNKNOWN_HOLDER.into();
        primary.raw = Some(match config.lock.kind {
            Kind::Lease => Raw::Record(primary.record.clone().truncate_to_seconds()),
            Kind::ConfigMap | Kind::Endpoints => {
                Raw::Text(object::text(config, &primary.record).into())
            }
        });
    }
    let raw = Raw::Both(Box::new((primary.raw, secondary.raw)));
    Fetched { record: primary.record, raw: Some(raw) }
}
