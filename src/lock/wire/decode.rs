//! Reading records and Leases.
//!
//! First the whole text is checked by grammar; then its fields are read, in the order of the text, so
//! that the last of equal keys wins, and each is checked by its [`Shape`](super::shape::Shape). Null
//! empties what is a pointer or a map in Go and leaves all else as it is.

use alloc::string::String;
use alloc::sync::Arc;

use super::error::WireError;
use super::rest::{Rest, carry};
use super::shape::{
    CONFIG_MAP, ENDPOINTS, Fields, Keys, LEASE, LEASE_SPEC, Member, OBJECT_META, TYPE_META,
    members, object_or_null,
};
use super::time::Layout;
use super::value::{Document, Kind, Value};
use super::{Versioned, api_version};
use crate::lock::annotated::Annotated;
use crate::lock::lease::{Entries, Lease, LeaseSpec, Metadata};
use crate::lock::{self, Object, Record};
use crate::time::Timestamp;

/// `known` are the fields of Go's struct: [`RECORD`](super::shape::RECORD) or the first five of it.
pub(super) fn record(text: &[u8], known: Fields) -> Result<Record, WireError> {
    let document = Document::parse(text)?;
    let value = document.value();
    object_or_null(value)?;
    let mut record = Record::default();
    let seconds = |member: &Member<'_>| {
        let time = member.time(Layout::Seconds)?;
        Ok(time.filter(|time| *time != Timestamp::GO_ZERO))
    };
    for member in members(value, Keys::Folded, known) {
        let value = member.value;
        if !matches!(member.name(), "acquireTime" | "renewTime") {
            member.check(Keys::Folded)?;
        }
        match member.name() {
            "acquireTime" => record.acquire_time = seconds(&member)?,
            "renewTime" => record.renew_time = seconds(&member)?,
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
pub(super) fn lease_of_api(text: &[u8]) -> Result<Versioned<Lease>, WireError> {
    let document = Document::parse(text)?;
    let value = document.value();
    check_type(lock::Kind::Lease, value)?;
    lease(value, Keys::Exact)
}

/// By `encoding/json`.
pub(super) fn lease_of_std(text: &[u8]) -> Result<Versioned<Lease>, WireError> {
    lease(Document::parse(text)?.value(), Keys::Folded)
}

/// Any kind, by the API codec.
pub(super) fn object_of_api(kind: lock::Kind, text: &[u8]) -> Result<Versioned<Object>, WireError> {
    let document = Document::parse(text)?;
    let value = document.value();
    check_type(kind, value)?;
    let annotated = |fields| {
        let (metadata, version) = object(value, Keys::Exact, fields, &mut LeaseSpec::default())?;
        Ok((Annotated { metadata: metadata.into() }, version))
    };
    Ok(match kind {
        lock::Kind::Lease => {
            let (lease, version) = lease(value, Keys::Exact)?;
            (Object::Lease(lease), version)
        }
        lock::Kind::ConfigMap => {
            let (object, version) = annotated(CONFIG_MAP)?;
            (Object::ConfigMap(object), version)
        }
        lock::Kind::Endpoints => {
            let (object, version) = annotated(ENDPOINTS)?;
            (Object::Endpoints(object), version)
        }
    })
}

/// What an object is is read by `encoding/json` (`SimpleMetaFactory`), whatever the case of keys.
fn check_type(kind: lock::Kind, value: Value<'_>) -> Result<(), WireError> {
    object_or_null(value)?;
    let (mut found_kind, mut found_version) = (String::new(), String::new());
    for member in members(value, Keys::Folded, TYPE_META) {
        member.check(Keys::Folded)?;
        if let (Some(text), name @ ("kind" | "apiVersion")) = (member.value.text(), member.name()) {
            *(if name == "kind" { &mut found_kind } else { &mut found_version }) = text.into();
        }
    }
    for (field, found, expected) in
        [("kind", found_kind, kind.name()), ("apiVersion", found_version, api_version(kind))]
    {
        if found != expected {
            return Err(WireError::Object { field, found, expected });
        }
    }
    Ok(())
}

fn lease(value: Value<'_>, keys: Keys) -> Result<Versioned<Lease>, WireError> {
    let mut spec = LeaseSpec::default();
    let (metadata, version) = object(value, keys, LEASE, &mut spec)?;
    Ok((Lease { metadata: metadata.into(), spec }, version))
}

/// The metadata, and the spec if `fields` has one.
fn object(
    value: Value<'_>,
    keys: Keys,
    fields: Fields,
    spec: &mut LeaseSpec,
) -> Result<Versioned<Metadata>, WireError> {
    object_or_null(value)?;
    let (mut metadata, mut version) = (Metadata::default(), None);
    let (mut outer, mut inner) = (Rest::new(fields), Rest::new(OBJECT_META));
    for member in members(value, keys, fields) {
        match member.name() {
            name @ "metadata" => {
                read_metadata(&mut metadata, &mut version, &mut inner, member.value, keys)
                    .map_err(|error| error.within(name))?;
            }
            name @ "spec" => {
                read_spec(spec, member.value, keys).map_err(|error| error.within(name))?;
            }
            _ => {
                member.check(keys)?;
                outer.keep(member);
            }
        }
    }
    metadata.rest = carry(outer, inner);
    Ok((metadata, version))
}

fn read_metadata<'a>(
    metadata: &mut Metadata,
    version: &mut Option<Arc<str>>,
    rest: &mut Rest<'a>,
    value: Value<'a>,
    keys: Keys,
) -> Result<(), WireError> {
    object_or_null(value)?;
    for member in members(value, keys, OBJECT_META) {
        member.check(keys)?;
        let value = member.value;
        match member.name() {
            "labels" => read_entries(&mut metadata.labels, value),
            "annotations" => read_entries(&mut metadata.annotations, value),
            name @ ("name" | "namespace" | "uid" | "resourceVersion") => {
                if value.kind() == Kind::Null {
                    continue;
                }
                let text = read_text(value);
                match name {
                    "name" => metadata.name = text,
                    "namespace" => metadata.namespace = text,
                    "uid" => metadata.uid = text,
                    _ => *version = Some(text).filter(|text| !text.is_empty()),
                }
            }
            _ => rest.keep(member),
        }
    }
    Ok(())
}

/// A second map is added to the first; null takes it away.
fn read_entries(entries: &mut Entries, value: Value<'_>) {
    if value.kind() == Kind::Null {
        *entries = Entries::default();
        return;
    }
    entries.extend(value.members().map(|(key, value)| (read_text(key), read_text(value))));
}

fn read_spec(spec: &mut LeaseSpec, value: Value<'_>, keys: Keys) -> Result<(), WireError> {
    object_or_null(value)?;
    let small = |value: Value<'_>| value.int().and_then(|number| i32::try_from(number).ok());
    for member in members(value, keys, LEASE_SPEC) {
        let value = member.value;
        if !matches!(member.name(), "acquireTime" | "renewTime") {
            member.check(keys)?;
        }
        match member.name() {
            "holderIdentity" => spec.holder_identity = value.text().map(Into::into),
            "leaseDurationSeconds" => spec.lease_duration_seconds = small(value),
            "acquireTime" => spec.acquire_time = member.time(Layout::Micros)?,
            "renewTime" => spec.renew_time = member.time(Layout::Micros)?,
            "leaseTransitions" => spec.lease_transitions = small(value),
            "strategy" => spec.strategy = value.text().map(Into::into),
            "preferredHolder" => spec.preferred_holder = value.text().map(Into::into),
            _ => {}
        }
    }
    Ok(())
}

/// The characters of a string; empty for null.
fn read_text(value: Value<'_>) -> Arc<str> {
    value.text().unwrap_or_default().into()
}
