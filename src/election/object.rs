//! The objects that carry the lock, as an elector writes them: the machines know records only.

use super::outbox::Part;
use super::{Config, Profile, Release};
use crate::lock::annotated::Annotated;
use crate::lock::lease::{Lease, LeaseSpec, Metadata};
use crate::lock::wire::WireError;
use crate::lock::{Identity, Kind, Object, Record, wire};

/// A new object of the configured lock, with nothing in it.
pub(super) fn blank(config: &Config, part: Part) -> Object {
    let lock = part.of(config);
    let metadata = Metadata {
        namespace: lock.namespace.clone(),
        name: lock.name.clone(),
        ..Metadata::default()
    };
    let mut object = empty(lock.kind);
    *object.metadata_mut() = metadata.into();
    object
}

/// An object without even a name.
pub(super) fn empty(kind: Kind) -> Object {
    match kind {
        Kind::Lease => Object::Lease(Lease::default()),
        Kind::ConfigMap => Object::ConfigMap(Annotated::default()),
        Kind::Endpoints => Object::Endpoints(Annotated::default()),
    }
}

/// Puts `record` into `object`, and the configured labels if it is a Lease, as client-go does; what
/// else it has stays.
pub(super) fn put(config: &Config, record: &Record, object: &mut Object) {
    match object {
        Object::Lease(lease) => {
            lease.spec = LeaseSpec::from_record(record);
            Metadata::merge_labels(&mut lease.metadata, &config.labels);
        }
        Object::ConfigMap(object) | Object::Endpoints(object) => {
            object.annotate(text(config, record));
        }
    }
}

/// A new object with `record` in it.
pub(super) fn with(config: &Config, part: Part, record: &Record) -> Object {
    let mut object = blank(config, part);
    put(config, record, &mut object);
    object
}

/// The record as the annotation's text.
pub(super) fn text(config: &Config, record: &Record) -> alloc::string::String {
    match config.profile {
        Profile::ClientGo(release) if release < Release::V1_31 => {
            wire::record_to_json_five_fields(record)
        }
        Profile::ClientGo(_) | Profile::Strict => wire::record_to_json(record),
    }
}

/// The record that `release` of client-go finds in the object: strategy and preferred holder are
/// unknown before 1.31, whatever they hold.
pub(super) fn read(release: Release, object: &Object) -> Result<Record, WireError> {
    if release >= Release::V1_31 {
        return object.record();
    }
    match object {
        Object::Lease(lease) => Ok(Record {
            strategy: None,
            preferred_holder: Identity::default(),
            ..lease.spec.to_record()
        }),
        Object::ConfigMap(object) | Object::Endpoints(object) => match object.annotation() {
            Some(text) => wire::record_from_json_five_fields(text.as_bytes()),
            None => Ok(Record::default()),
        },
    }
}
