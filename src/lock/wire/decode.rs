//! Reading records and Leases.
//!
//! First the whole text is checked, by grammar and by [`Shape`]; then its fields are read, in the
//! order of the text, so that the last of equal keys wins. Null empties what is a pointer or a map
//! in Go and leaves all else as it is.

use alloc::string::String;
use alloc::sync::Arc;

use super::error::WireError;
use super::shape::{Fields, Keys, LEASE, LEASE_SPEC, OBJECT_META, Shape, TYPE_META, fields};
use super::time::{self, Layout};
use super::value::{Kind, Value};
use super::{API_VERSION, KIND};
use crate::lock::Record;
use crate::lock::lease::{Entries, Lease, LeaseSpec, Metadata};
use crate::time::Timestamp;

/// `known` are the fields of Go's struct: [`RECORD`](super::shape::RECORD) or the first five of it.
pub(super) fn record(text: &[u8], known: Fields) -> Result<Record, WireError> {
    let value = Value::parse(text)?;
    Shape::Struct(known).check(value, Keys::Folded)?;
    let mut record = Record::default();
    let seconds =
        |value| read_time(value, Layout::Seconds).filter(|time| *time != Timestamp::GO_ZERO);
    for (name, value) in fields(value, Keys::Folded, known) {
        match name {
            "acquireTime" => record.acquire_time = seconds(value),
            "renewTime" => record.renew_time = seconds(value),
            _ if value.kind() == Kind::Null => {}
            "holderIdentity" => record.holder = read_text(value).into(),
            "leaseDurationSeconds" => record.lease_duration_seconds = value.int().unwrap_or(0),
            "leaderTransitions" => record.leader_transitions = value.int().unwrap_or(0),
            "strategy" => {
                record.strategy = Some(read_text(value)).filter(|text| !text.is_empty());
            }
            "preferredHolder" => record.preferred_holder = read_text(value).into(),
            _ => {}
        }
    }
    Ok(record)
}

/// By the API codec: `serializer/json`, `Decode` without defaults.
pub(super) fn lease_of_api(text: &[u8]) -> Result<(Lease, Option<Arc<str>>), WireError> {
    let value = Value::parse(text)?;
    // What it is is read by encoding/json (SimpleMetaFactory), whatever the case of keys.
    Shape::Struct(TYPE_META).check(value, Keys::Folded)?;
    let (mut kind, mut version) = (String::new(), String::new());
    for (name, value) in fields(value, Keys::Folded, TYPE_META) {
        if let Some(text) = value.text() {
            *(if name == "kind" { &mut kind } else { &mut version }) = text;
        }
    }
    if kind != KIND {
        return Err(WireError::Object { field: "kind", found: kind, expected: KIND });
    }
    if version != API_VERSION {
        let expected = API_VERSION;
        return Err(WireError::Object { field: "apiVersion", found: version, expected });
    }
    lease(value, Keys::Exact)
}

/// By `encoding/json`.
pub(super) fn lease_of_std(text: &[u8]) -> Result<(Lease, Option<Arc<str>>), WireError> {
    lease(Value::parse(text)?, Keys::Folded)
}

fn lease(value: Value<'_>, keys: Keys) -> Result<(Lease, Option<Arc<str>>), WireError> {
    Shape::Struct(LEASE).check(value, keys)?;
    let mut lease = Lease::default();
    let mut version = None;
    for (name, value) in fields(value, keys, LEASE) {
        match name {
            "metadata" => {
                read_metadata(Arc::make_mut(&mut lease.metadata), &mut version, value, keys);
            }
            "spec" => read_spec(&mut lease.spec, value, keys),
            _ => {} // kind and apiVersion
        }
    }
    Ok((lease, version))
}

fn read_metadata(
    metadata: &mut Metadata,
    version: &mut Option<Arc<str>>,
    value: Value<'_>,
    keys: Keys,
) {
    for (name, value) in fields(value, keys, OBJECT_META) {
        match name {
            "labels" => read_entries(&mut metadata.labels, value),
            "annotations" => read_entries(&mut metadata.annotations, value),
            _ if value.kind() == Kind::Null => {}
            "name" => metadata.name = read_text(value),
            "namespace" => metadata.namespace = read_text(value),
            "uid" => metadata.uid = read_text(value),
            "resourceVersion" => *version = Some(read_text(value)).filter(|text| !text.is_empty()),
            _ => {}
        }
    }
}

/// A second map is added to the first; null takes it away.
fn read_entries(entries: &mut Entries, value: Value<'_>) {
    if value.kind() == Kind::Null {
        *entries = Entries::default();
        return;
    }
    entries.extend(value.members().map(|(key, value)| (key.into(), read_text(value))));
}

fn read_spec(spec: &mut LeaseSpec, value: Value<'_>, keys: Keys) {
    let small = |value: Value<'_>| value.int().and_then(|number| i32::try_from(number).ok());
    for (name, value) in fields(value, keys, LEASE_SPEC) {
        match name {
            "holderIdentity" => spec.holder_identity = value.text().map(Into::into),
            "leaseDurationSeconds" => spec.lease_duration_seconds = small(value),
            "acquireTime" => spec.acquire_time = read_time(value, Layout::Micros),
            "renewTime" => spec.renew_time = read_time(value, Layout::Micros),
            "leaseTransitions" => spec.lease_transitions = small(value),
            "strategy" => spec.strategy = value.text().map(Into::into),
            "preferredHolder" => spec.preferred_holder = value.text().map(Into::into),
            _ => {}
        }
    }
}

/// The characters of a string; empty for null.
fn read_text(value: Value<'_>) -> Arc<str> {
    value.text().unwrap_or_default().into()
}

fn read_time(value: Value<'_>, layout: Layout) -> Option<Timestamp> {
    time::parse(&value.text()?, layout).ok()
}
