//! The object that carries the lock, as an elector writes it: the machines know records only.

use super::Config;
use crate::lock::lease::{Lease, LeaseSpec, Metadata};
use crate::lock::{Kind, Object, Record};

/// The configured lock as a new object, with nothing in it.
pub(super) fn blank(config: &Config) -> Object {
    let metadata = Metadata {
        namespace: config.lock.namespace.clone(),
        name: config.lock.name.clone(),
        ..Metadata::default()
    };
    match config.lock.kind {
        Kind::Lease => Object::Lease(Lease { metadata: metadata.into(), ..Lease::default() }),
    }
}

/// Puts `record` and the configured labels into `object`; what else it has stays.
pub(super) fn put(config: &Config, record: &Record, object: &mut Object) {
    match object {
        Object::Lease(lease) => {
            lease.spec = LeaseSpec::from_record(record);
            lease.merge_labels(&config.labels);
        }
    }
}

/// A new object with `record` in it.
pub(super) fn with(config: &Config, record: &Record) -> Object {
    let mut object = blank(config);
    put(config, record, &mut object);
    object
}
