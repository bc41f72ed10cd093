//! serde's traits for records and Leases: the same fields and times as the functions of this module
//! write, in whatever format the serializer has.

use ::serde::de::{Error, Unexpected};
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use alloc::string::String;
use alloc::sync::Arc;

use super::api_version;
use super::time::{self, Layout};
use crate::lock::lease::{Entries, Lease, LeaseSpec, Metadata};
use crate::lock::{Identity, Kind, Record};
use crate::time::Timestamp;

impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Identity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// A time of the record: whole seconds. Go's zero time is null.
struct Seconds(Option<Timestamp>);

/// A time of a Lease: six digits of fraction. Go's zero time is null.
struct Micros(Timestamp);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0.unwrap_or(Timestamp::GO_ZERO), Layout::Seconds, serializer)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = read(deserializer, Layout::Seconds)?;
        Ok(Self(Some(time).filter(|time| *time != Timestamp::GO_ZERO)))
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0, Layout::Micros, serializer)
    }
}

impl<'de> Deserialize<'de> for Micros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer, Layout::Micros).map(Self)
    }
}

fn write<S: Serializer>(time: Timestamp, layout: Layout, serializer: S) -> Result<S::Ok, S::Error> {
    if time == Timestamp::GO_ZERO {
        return serializer.serialize_none();
    }
    let mut text = String::new();
    time::write(&mut text, time, layout);
    serializer.serialize_str(&text)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D, layout: Layout) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    time::parse(&text, layout)
        .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &layout.example()))
}

/// The record's fields. Reading, null is the same as nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordForm {
    holder_identity: Option<Identity>,
    lease_duration_seconds: Option<i64>,
    acquire_time: Option<Seconds>,
    renew_time: Option<Seconds>,
    leader_transitions: Option<i64>,
    strategy: Option<Arc<str>>,
    preferred_holder: Option<Identity>,
}

/// As [`record_to_json`](super::record_to_json) writes it, but for the escapes, which are the
/// serializer's.
///
/// ```
/// use tenure::lock::{Record, wire};
/// let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
/// let text = serde_json::to_string(&record).unwrap();
/// assert_eq!(text, wire::record_to_json(&record));
/// assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
/// ```
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = RecordForm {
            holder_identity: Some(self.holder.clone()),
            lease_duration_seconds: Some(self.lease_duration_seconds),
            acquire_time: Some(Seconds(self.acquire_time)),
            renew_time: Some(Seconds(self.renew_time)),
            leader_transitions: Some(self.leader_transitions),
            strategy: Some(self.strategy.clone().unwrap_or_default()),
            preferred_holder: Some(self.preferred_holder.clone()),
        };
        form.serialize(serializer)
    }
}

/// As [`record_from_json`](super::record_from_json) reads it, but keys match exactly, none may stand
/// twice, and what the format's own grammar allows is the deserializer's.
impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = RecordForm::deserialize(deserializer)?;
        Ok(Self {
            holder: form.holder_identity.unwrap_or_default(),
            lease_duration_seconds: form.lease_duration_seconds.unwrap_or_default(),
            acquire_time: form.acquire_time.and_then(|time| time.0),
            renew_time: form.renew_time.and_then(|time| time.0),
            leader_transitions: form.leader_transitions.unwrap_or_default(),
            strategy: form.strategy.filter(|strategy| !strategy.is_empty()),
            preferred_holder: form.preferred_holder.unwrap_or_default(),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeaseForm {
    kind: Option<String>,
    api_version: Option<String>,
    metadata: Option<MetadataForm>,
    spec: Option<SpecForm>,
}

#[derive(Serialize, Deserialize, Default)]
struct MetadataForm {
    #[serde(skip_serializing_if = "empty")]
    name: Option<Arc<str>>,
    #[serde(skip_serializing_if = "empty")]
    namespace: Option<Arc<str>>,
    #[serde(skip_serializing_if = "empty")]
    uid: Option<Arc<str>>,
    #[serde(skip_serializing_if = "no_entries")]
    labels: Option<Entries>,
    #[serde(skip_serializing_if = "no_entries")]
    annotations: Option<Entries>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct SpecForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    holder_identity: Option<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_duration_seconds: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acquire_time: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_time: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_transitions: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_holder: Option<Identity>,
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn empty(text: &Option<Arc<str>>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn no_entries(entries: &Option<Entries>) -> bool {
    entries.as_ref().is_none_or(alloc::collections::BTreeMap::is_empty)
}

/// As [`lease_to_api_json`](super::lease_to_api_json) writes it, without the version.
///
/// ```
/// use tenure::lock::{Record, lease::{Lease, LeaseSpec}};
/// let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
/// let lease = Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() };
/// let value = serde_json::to_value(&lease).unwrap();
/// assert_eq!(value["spec"]["leaseDurationSeconds"], 15);
/// assert_eq!(serde_json::from_value::<Lease>(value).unwrap().spec.to_record(), record);
/// ```
impl Serialize for Lease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { metadata, spec } = self.clone();
        let metadata = Arc::unwrap_or_clone(metadata);
        let form = LeaseForm {
            kind: Some(Kind::Lease.name().into()),
            api_version: Some(api_version(Kind::Lease).into()),
            metadata: Some(MetadataForm {
                name: Some(metadata.name),
                namespace: Some(metadata.namespace),
                uid: Some(metadata.uid),
                labels: Some(metadata.labels),
                annotations: Some(metadata.annotations),
            }),
            spec: Some(SpecForm {
                holder_identity: spec.holder_identity,
                lease_duration_seconds: spec.lease_duration_seconds,
                acquire_time: spec.acquire_time.map(Micros),
                renew_time: spec.renew_time.map(Micros),
                lease_transitions: spec.lease_transitions,
                strategy: spec.strategy,
                preferred_holder: spec.preferred_holder,
            }),
        };
        form.serialize(serializer)
    }
}

/// As [`lease_from_json`](super::lease_from_json) reads it, but keys match exactly, none may stand
/// twice, and no label or annotation may be null. What else the object holds, its version included,
/// is not read, whatever its type.
impl<'de> Deserialize<'de> for Lease {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = LeaseForm::deserialize(deserializer)?;
        let (metadata, spec) = (form.metadata.unwrap_or_default(), form.spec.unwrap_or_default());
        Ok(Self {
            metadata: Arc::new(Metadata {
                namespace: metadata.namespace.unwrap_or_default(),
                name: metadata.name.unwrap_or_default(),
                uid: metadata.uid.unwrap_or_default(),
                labels: metadata.labels.unwrap_or_default(),
                annotations: metadata.annotations.unwrap_or_default(),
                rest: None,
            }),
            spec: LeaseSpec {
                holder_identity: spec.holder_identity,
                lease_duration_seconds: spec.lease_duration_seconds,
                acquire_time: spec.acquire_time.map(|time| time.0),
                renew_time: spec.renew_time.map(|time| time.0),
                lease_transitions: spec.lease_transitions,
                strategy: spec.strategy,
                preferred_holder: spec.preferred_holder,
            },
        })
    }
}
