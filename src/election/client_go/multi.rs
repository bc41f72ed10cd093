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
    match (at, outcome) {
        // MultiLock.Get
        (At::Get, Outcome::Read(primary)) => lock.ask(At::SecondaryGet(Box::new(primary)), record),
        (At::SecondaryGet(primary), Outcome::Read(secondary)) => {
            Progress::Done(Outcome::Read(both(lock.config, *primary, secondary)))
        }
        // Held by one that knows the primary only. Mine without a secondary is "not found": it goes
        // on to Create, which makes the secondary and renews nothing.
        (At::SecondaryGet(primary), Outcome::Failed(Failure::NotFound))
            if primary.record.holder != *lock.identity =>
        {
            Progress::Done(Outcome::Read(*primary))
        }
        // MultiLock.Create
        (At::Create, Outcome::Written | Outcome::Failed(Failure::AlreadyExists)) => {
            lock.ask(At::SecondaryCreate, record)
        }
        // MultiLock.Update
        (At::Update, Outcome::Written) => lock.ask(At::SecondaryReget, record),
        (At::SecondaryReget, Outcome::Failed(Failure::NotFound)) => {
            lock.ask(At::SecondaryCreate, record)
        }
        (At::SecondaryReget, _) => lock.ask(At::SecondaryUpdate, record),
        (_, outcome) => Progress::Done(outcome),
    }
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
