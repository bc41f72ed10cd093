//! `ConfigMap` and Endpoints objects, which carry the record as text in an annotation.
//!
//! Follows client-go's `resourcelock/configmaplock.go` and `endpointslock.go`, last present in its
//! release 0.27. To both of them the object is its annotations: what else is in it stays untouched.

use alloc::sync::Arc;

use super::Record;
use super::lease::Metadata;
use super::wire::{self, ANNOTATION, WireError};

/// An object whose annotation [`ANNOTATION`] holds the record: a `ConfigMap`, or Endpoints.
///
/// ```
/// use tenure::lock::{Record, annotated::Annotated, wire};
/// let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
/// let mut object = Annotated::default();
/// assert_eq!(object.record(), Ok(Record::default())); // no annotation: nobody holds it
/// object.annotate(wire::record_to_json(&record));
/// assert_eq!(object.record(), Ok(record));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Annotated {
    /// Name, labels, annotations and the like. Shared.
    pub metadata: Arc<Metadata>,
}

impl Annotated {
    /// The text of the annotation; `None` if there is none.
    #[must_use]
    pub fn annotation(&self) -> Option<&Arc<str>> {
        self.metadata.annotations.get(ANNOTATION)
    }

    /// Sets the text of the annotation; others stay.
    pub fn annotate(&mut self, text: impl Into<Arc<str>>) {
        Arc::make_mut(&mut self.metadata).annotations.insert(ANNOTATION.into(), text.into());
    }

    /// The record in the annotation; nobody's if there is no annotation.
    ///
    /// # Errors
    /// The annotation holds what Go does not read as a record.
    pub fn record(&self) -> Result<Record, WireError> {
        match self.annotation() {
            Some(text) => wire::record_from_json(text.as_bytes()),
            None => Ok(Record::default()),
        }
    }
}
