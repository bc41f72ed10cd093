//! client-go's package `resourcelock`: what the calls of a lock are as requests for single objects,
//! and which objects it holds between them.
//!
//! The loops above know records only: they call `Get`, `Create` and `Update` of a [`Lock`] and are
//! told the [`Outcome`] when all its requests are answered. [`One`] is the lock of one object
//! (`LeaseLock`, `ConfigMapLock`, `EndpointsLock`); what makes two of them a `MultiLock` is in
//! `multi.rs`.

use alloc::boxed::Box;

use super::multi;
use super::state::{ClientGoState, Raw};
use crate::election::outbox::Part;
use crate::election::{Config, Failure, Op, Release, Stored, object};
use crate::lock::{Identity, Object, Record, Version};

/// The request of a lock's call that is outstanding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum At {
    /// `Get`, of the lock's only object or of `MultiLock.Primary`.
    Get,
    /// `Create`, of the same.
    Create,
    /// `Update`, of the same.
    Update,
    /// `MultiLock.Get`: the primary gave this, the secondary is asked.
    SecondaryGet(Box<Fetched>),
    /// `MultiLock.Create` or `Update`: the secondary is created.
    SecondaryCreate,
    /// `MultiLock.Update`: the primary is written; is there a secondary?
    SecondaryReget,
    /// `MultiLock.Update`: the secondary is written over.
    SecondaryUpdate,
}

/// The methods of `resourcelock.Interface`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Create,
    Update,
}

impl At {
    const fn what(&self) -> (Part, Method) {
        match self {
            Self::Get => (Part::Primary, Method::Get),
            Self::Create => (Part::Primary, Method::Create),
            Self::Update => (Part::Primary, Method::Update),
            Self::SecondaryGet(_) | Self::SecondaryReget => (Part::Secondary, Method::Get),
            Self::SecondaryCreate => (Part::Secondary, Method::Create),
            Self::SecondaryUpdate => (Part::Secondary, Method::Update),
        }
    }
}

/// What `Get` gives: the record, and the bytes by which it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Fetched {
    pub(super) record: Record,
    pub(super) raw: Option<Raw>,
}

/// What a call of the lock came to.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "moved at once to who wants it; a box would allocate"
)]
pub(super) enum Outcome {
    Read(Fetched),
    Written,
    Failed(Failure),
}

/// How far a call of the lock is.
#[derive(Debug)]
pub(super) enum Progress {
    Ask(Part, Op, At),
    Done(Outcome),
}

/// The lock: one object, or two.
pub(super) struct Lock<'a> {
    pub(super) config: &'a Config,
    pub(super) identity: &'a Identity,
    pub(super) release: Release,
    pub(super) state: &'a mut ClientGoState,
}

impl Lock<'_> {
    /// Begins a call, or goes on with it, by asking for one object. `record` is what the call writes.
    pub(super) fn ask(&mut self, at: At, record: &Record) -> Progress {
        let (part, method) = at.what();
        match self.part(part).request(method, record) {
            Some(op) => Progress::Ask(part, op, at),
            None => Progress::Done(Outcome::Failed(Failure::Other)),
        }
    }

    /// One object is answered for.
    pub(super) fn answered(
        &mut self,
        at: At,
        record: &Record,
        result: Result<Stored, Failure>,
    ) -> Progress {
        let (part, method) = at.what();
        let outcome = self.part(part).answered(method, result);
        if self.config.secondary.is_some() {
            multi::answered(self, at, record, outcome)
        } else {
            Progress::Done(outcome)
        }
    }

    const fn part(&mut self, part: Part) -> One<'_> {
        let cache = match part {
            Part::Primary => &mut self.state.held,
            Part::Secondary => &mut self.state.held_secondary,
        };
        One { config: self.config, release: self.release, part, cache }
    }
}

/// A lock of one object, and the copy of it that client-go keeps.
struct One<'a> {
    config: &'a Config,
    release: Release,
    part: Part,
    cache: &'a mut Option<Stored>,
}

impl One<'_> {
    /// None if the call fails unsent: `Update` before any `Get` or `Create` ("not initialized").
    fn request(&mut self, method: Method, record: &Record) -> Option<Op> {
        Some(match method {
            Method::Get => Op::Get,
            Method::Create => Op::Create(object::with(self.config, self.part, record)),
            Method::Update => {
                let held = self.cache.as_mut()?;
                // In place: should the call fail, what was to be written stays.
                object::put(self.config, record, &mut held.object);
                Op::Update(held.object.clone(), held.version.clone())
            }
        })
    }

    fn answered(&mut self, method: Method, result: Result<Stored, Failure>) -> Outcome {
        let stored = match result {
            Ok(stored) => stored,
            Err(failure) => {
                if self.forgets(method) {
                    // Go's clients return a blank object beside an error, and it is kept. Written
                    // over, it has no name: the client refuses that.
                    let kind = self.part.of(self.config).kind;
                    let object = object::empty(kind);
                    *self.cache = Some(Stored { object, version: Version::opaque("") });
                }
                return Outcome::Failed(failure);
            }
        };
        let outcome = match method {
            Method::Get => self.read(&stored.object),
            Method::Create | Method::Update => Outcome::Written,
        };
        *self.cache = Some(stored);
        outcome
    }

    /// Whether a failure of this method costs client-go its copy of the object.
    fn forgets(&self, method: Method) -> bool {
        match method {
            Method::Get => self.release < Release::V1_27,
            Method::Create => true,
            Method::Update => self.release < Release::V1_20,
        }
    }

    /// Fault: compared as text with whole seconds, so that renewals within one second, or by a holder
    /// whose wall clock stands still, are not seen.
    fn read(&self, object: &Object) -> Outcome {
        let Ok(record) = object::read(self.release, object) else {
            return Outcome::Failed(Failure::Other);
        };
        let raw = match object {
            Object::Lease(_) => Some(Raw::Record(record.clone().truncate_to_seconds())),
            Object::ConfigMap(object) | Object::Endpoints(object) => {
                object.annotation().cloned().map(Raw::Text)
            }
        };
        Outcome::Read(Fetched { record, raw })
    }
}
