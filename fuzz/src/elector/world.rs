//! The store, and what others do there.

use core::time::Duration;
use std::sync::Arc;

use tenure::election::{Config, Failure, Op, Stored};
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, Kind, LockRef, Object, Record, Version, wire};
use tenure::time::Timestamp;

use super::input::{Content, Deed, Name, Numbering, Place};

pub(crate) const UNCLAIMED: &str = "tenure.dev/unclaimed";
pub(crate) const PREFERRED: &str = "tenure.dev/preferred-holder";
pub(crate) const ANOTHER: &str = "another_1";

/// What another candidate is.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) locks: Vec<LockRef>,
    me: Identity,
    lease_duration: Duration,
    /// Versions are numbers.
    ordered: bool,
    /// A write that changes nothing makes no version, as in Kubernetes.
    quiet: bool,
    stored: Vec<Option<Stored>>,
    /// All that ever was, oldest first.
    pub(crate) history: Vec<Stored>,
    writes: u64,
}

impl World {
    pub(crate) fn new(config: &Config, me: &Identity, ordered: bool, quiet: bool) -> Self {
        let locks: Vec<_> =
            core::iter::once(&config.lock).chain(&config.secondary).cloned().collect();
        Self {
            stored: vec![None; locks.len()],
            locks,
            me: me.clone(),
            lease_duration: config.lease_duration,
            ordered,
            quiet,
            history: Vec::new(),
            writes: 0,
        }
    }

    /// Which object of the lock this is.
    pub(crate) fn part(&self, lock: &LockRef) -> usize {
        self.locks.iter().position(|own| own == lock).expect("a request for some other object")
    }

    pub(crate) fn parts(&self, place: Place) -> core::ops::Range<usize> {
        match place {
            Place::First => 0..1,
            Place::Second => self.locks.len() - 1..self.locks.len(),
            Place::Each => 0..self.locks.len(),
            Place::Elsewhere => 0..0,
        }
    }

    pub(crate) fn stored(&self, part: usize) -> Option<&Stored> {
        self.stored[part].as_ref()
    }

    /// Does what it is asked.
    pub(crate) fn serve(&mut self, part: usize, op: &Op) -> Result<Stored, Failure> {
        match (op, &self.stored[part]) {
            (Op::Get, stored) => stored.clone().ok_or(Failure::NotFound),
            (Op::Create(object), None) => Ok(self.write(part, object.clone())),
            (Op::Create(_), Some(_)) => Err(Failure::AlreadyExists),
            (Op::Update(object, version), Some(stored)) if stored.version == *version => {
                Ok(self.write(part, object.clone()))
            }
            (Op::Update(..), Some(_)) => Err(Failure::Conflict),
            (Op::Update(..), None) => Err(Failure::NotFound),
        }
    }

    pub(crate) fn write(&mut self, part: usize, object: Object) -> Stored {
        if let Some(same) = self.stored(part).filter(|it| self.quiet && it.object == object) {
            return same.clone();
        }
        self.writes += 1;
        let stored = Stored { object, version: self.version(self.writes) };
        self.stored[part] = Some(stored.clone());
        self.history.push(stored.clone());
        stored
    }

    pub(crate) fn delete(&mut self, part: usize) {
        self.stored[part] = None;
    }

    fn version(&self, number: u64) -> Version {
        if self.ordered {
            Version::ordered(number)
        } else {
            Version::opaque(format!("v{number}").as_str())
        }
    }

    pub(crate) fn numbered(&self, numbering: &Numbering) -> Version {
        match numbering {
            Numbering::Next => self.version(self.writes + 1),
            Numbering::Last => self.version(self.writes),
            Numbering::Ordered(number) => Version::ordered(*number),
            Numbering::Opaque(text) => Version::opaque(text.as_str()),
        }
    }

    fn name(&self, name: &Name) -> Option<Identity> {
        match name {
            Name::Absent => None,
            Name::Nobody => Some(Identity::default()),
            Name::Me => Some(self.me.clone()),
            Name::Another => Some(ANOTHER.into()),
            Name::Unclaimed => Some(UNCLAIMED.into()),
            Name::Any(text) => Some(text.as_str().into()),
        }
    }

    pub(crate) fn identity(&self, name: &Name) -> Identity {
        self.name(name).unwrap_or_default()
    }

    /// An object of that place with nothing in it; of nowhere, a Lease of another name.
    fn blank(&self, place: Place) -> Object {
        let other = LockRef::lease("default", "something-else");
        let lock = self.parts(place).next_back().map_or(&other, |part| &self.locks[part]);
        let metadata = Arc::new(Metadata {
            namespace: lock.namespace.clone(),
            name: lock.name.clone(),
            ..Metadata::default()
        });
        match lock.kind {
            Kind::Lease => Object::Lease(Lease { metadata, spec: LeaseSpec::default() }),
            Kind::ConfigMap => Object::ConfigMap(Annotated { metadata }),
            Kind::Endpoints => Object::Endpoints(Annotated { metadata }),
        }
    }

    pub(crate) fn object(&self, place: Place, content: &Content) -> Object {
        let mut object = self.blank(place);
        let preferred = self.identity(&content.preferred);
        prefer(&mut object, preferred.as_str());
        let spec = LeaseSpec {
            holder_identity: self.name(&content.holder),
            lease_duration_seconds: content.seconds,
            acquire_time: content.acquire_time.map(timestamp),
            renew_time: content.renew_time.map(timestamp),
            lease_transitions: content.transitions,
            ..LeaseSpec::default()
        };
        match (&mut object, &content.garbage) {
            _ if content.bare => {}
            (Object::Lease(lease), _) => lease.spec = spec,
            (Object::ConfigMap(annotated) | Object::Endpoints(annotated), Some(text)) => {
                annotated.annotate(text.as_str());
            }
            (object, None) => put(object, &spec.to_record()),
        }
        object
    }

    /// What another candidate, or a coordinator, does to an object.
    pub(crate) fn rival(&mut self, part: usize, deed: Deed, time: Timestamp) {
        let place = if part == 0 { Place::First } else { Place::Second };
        let before = self.stored(part).map(|stored| stored.object.clone());
        let mut object = before.unwrap_or_else(|| self.blank(place));
        let mut record = object.record().unwrap_or_default();
        let seconds = i64::try_from(self.lease_duration.as_secs()).unwrap_or(15) + 1;
        record.renew_time = Some(time);
        match deed {
            Deed::Take => {
                record.holder = ANOTHER.into();
                record.lease_duration_seconds = seconds;
                record.leader_transitions = record.leader_transitions.saturating_add(1);
                prefer(&mut object, "");
            }
            Deed::Renew => {}
            Deed::Free | Deed::FreeFor(_) => {
                record = Record { lease_duration_seconds: 1, ..Record::default() };
                if let Deed::FreeFor(me) = deed {
                    prefer(&mut object, if me { self.me.as_str() } else { ANOTHER });
                }
            }
            Deed::Wish => prefer(&mut object, ANOTHER),
            Deed::Give => {
                record.holder = self.me.clone();
                record.lease_duration_seconds = seconds;
                record.preferred_holder = Identity::default();
                record.strategy = Some("OldestEmulationVersion".into());
            }
            Deed::EndTerm => record.preferred_holder = ANOTHER.into(),
            Deed::Touch => {
                let labels = &mut Arc::make_mut(object.metadata_mut()).labels;
                labels.insert("touched".into(), self.writes.to_string().into());
            }
        }
        if !matches!(deed, Deed::Wish | Deed::Touch) {
            put(&mut object, &record);
        }
        self.write(part, object);
    }
}

fn put(object: &mut Object, record: &Record) {
    match object {
        Object::Lease(lease) => lease.spec = LeaseSpec::from_record(record),
        Object::ConfigMap(object) | Object::Endpoints(object) => {
            object.annotate(wire::record_to_json(record));
        }
    }
}

pub(crate) fn preferred(object: &Object) -> &str {
    object.metadata().annotations.get(PREFERRED).map_or("", AsRef::as_ref)
}

fn prefer(object: &mut Object, name: &str) {
    if preferred(object) == name {
        return;
    }
    let annotations = &mut Arc::make_mut(object.metadata_mut()).annotations;
    if name.is_empty() {
        annotations.remove(PREFERRED);
    } else {
        annotations.insert(PREFERRED.into(), name.into());
    }
}

/// Any time that a timestamp can have.
pub(crate) fn timestamp((seconds, nanos): (i64, u32)) -> Timestamp {
    Timestamp::from_unix(seconds, nanos % 1_000_000_000).unwrap_or(Timestamp::GO_ZERO)
}
