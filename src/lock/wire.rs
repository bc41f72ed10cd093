//! Records and Leases as text, byte for byte as Go writes them, and read by Go's rules.
//!
//! Candidates of different programs meet in one lock, so what one writes every other must read,
//! and some compare bytes: client-go takes a record for renewed when its text has changed.
//!
//! | text | written by | read by |
//! | --- | --- | --- |
//! | the record, in the annotation [`ANNOTATION`] of a `ConfigMap` or Endpoints | [`record_to_json`], [`record_to_json_five_fields`] | [`record_from_json`], [`record_from_json_five_fields`] |
//! | a Lease, by Go's `encoding/json` | [`lease_to_json`] | [`lease_from_json`] |
//! | a Lease, by the API's codec, as it goes over the wire | [`lease_to_api_json`] | [`lease_from_api_json`] |
//! | an object of any kind, by the API's codec | [`object_to_api_json`] | [`object_from_api_json`] |
//! | a record or a Lease that Go refuses | | [`record_from_lenient_json`], [`lease_from_lenient_json`] |
//!
//! ```
//! use tenure::lock::{Record, wire};
//! let record = Record { holder: "a".into(), lease_duration_seconds: 15, ..Record::default() };
//! let text = wire::record_to_json(&record);
//! assert_eq!(
//!     text,
//!     r#"{"holderIdentity":"a","leaseDurationSeconds":15,"acquireTime":null,"renewTime":null,"leaderTransitions":0,"strategy":"","preferredHolder":""}"#,
//! );
//! assert_eq!(wire::record_from_json(text.as_bytes()), Ok(record));
//! ```
//!
//! # What Go accepts
//!
//! Go 1.27 with client-go and apimachinery 0.36 is followed in all that decides between yes and
//! no, and in the value read:
//! - Nothing is read from a text with a mistake in its grammar anywhere. Objects and arrays nest
//!   10,000 deep at most. Bytes that are not UTF-8, and halves of surrogate pairs, become U+FFFD.
//! - Fields that Go does not know are ignored, whatever they hold. A field that it knows must hold
//!   its type, also one that is not kept here (`metadata.ownerReferences[0].controller`).
//! - Of equal keys the last wins; maps are merged. Null means empty for times, maps, their values and
//!   the fields of a Lease's spec, and "as it was" for all else.
//! - `encoding/json` matches keys whatever their case (`ſ` and the Kelvin sign fold to s and k);
//!   the API's codec does so for `kind` and `apiVersion` only.
//! - Whole numbers have neither fraction nor exponent: 15.0 is refused.
//! - Times are RFC 3339, in the record with any fraction, in a Lease with six digits of it, plus
//!   what Go's `time.Parse` lets pass: an hour of one digit, a comma for the point, offsets up to
//!   24:60. A second 60, lower case `t` and `z` and years of more than four digits are refused.
//!
//! # What is carried along
//!
//! A store takes what is missing from an update's body for removed. So whatever an object holds
//! besides the fields modelled here comes back, value for value the bytes that were read, when it is
//! written: owner references, finalizers, a `ConfigMap`'s data, and what no Go type knows. It
//! travels in [`Metadata::rest`](super::lease::Metadata::rest). Two things do not: unknown members of
//! a Lease's spec, which every holder writes whole, and, by the API's codec, members whose names
//! are those of fields but for their case.
//!
//! Not followed: Go fills what it can before it returns an error, here an error brings no value;
//! Go's API client also reads YAML and protocol buffers.
//!
//! There is no JSON library below this: `serde_json` nests 128 deep, takes UTF-8 only and matches
//! keys exactly, and the scanner needs less code than bending it would.
//!
//! None of this needs a feature. With the feature `serde`, records and Leases also implement serde's
//! traits, for drivers whose store speaks another format or whose client has a JSON library of its
//! own: the same fields and times, under that library's grammar, with nothing carried along.

mod decode;
mod encode;
mod error;
mod lenient;
mod rest;
#[cfg(feature = "serde")]
mod serde;
mod shape;
mod syntax;
mod time;
mod value;

use alloc::string::String;
use alloc::sync::Arc;

pub use error::WireError;
pub use lenient::{Forgiven, Lenient};

use super::lease::Lease;
use super::{Kind, Object, Record};

/// The annotation of a `ConfigMap` or Endpoints object that holds the record
/// (client-go, `resourcelock.LeaderElectionRecordAnnotationKey`).
///
/// ```
/// use tenure::lock::wire::ANNOTATION;
/// assert_eq!(ANNOTATION, "control-plane.alpha.kubernetes.io/leader");
/// ```
pub const ANNOTATION: &str = "control-plane.alpha.kubernetes.io/leader";

/// An object as it was read, and its resource version if it has one.
///
/// ```
/// use tenure::lock::{lease::Lease, wire};
/// let read: Result<wire::Versioned<Lease>, _> = wire::lease_from_json(b"{}");
/// assert_eq!(read, Ok((Lease::default(), None)));
/// ```
pub type Versioned<T> = (T, Option<Arc<str>>);

const fn api_version(kind: Kind) -> &'static str {
    match kind {
        Kind::Lease => "coordination.k8s.io/v1",
        Kind::ConfigMap | Kind::Endpoints => "v1",
    }
}

/// The record as client-go 0.31 and later write it: seven fields, all present
/// (`json.Marshal` of `resourcelock.LeaderElectionRecord`).
///
/// Times are cut to whole seconds; none and [`GO_ZERO`](crate::time::Timestamp::GO_ZERO) are null.
/// A year outside 0 to 9999 is written as Go writes it, and cannot be read again by anybody.
///
/// ```
/// use tenure::lock::{Record, wire};
/// let record = Record { holder: "<a>".into(), ..Record::default() };
/// assert!(wire::record_to_json(&record).starts_with(r#"{"holderIdentity":"\u003ca\u003e","#));
/// ```
#[must_use]
pub fn record_to_json(record: &Record) -> String {
    encode::record(record, true)
}

/// The record as client-go up to 0.30 writes it: without strategy and preferred holder. Else as
/// [`record_to_json`].
///
/// ```
/// use tenure::lock::{Record, wire};
/// let text = wire::record_to_json_five_fields(&Record::default());
/// assert!(text.ends_with(r#""renewTime":null,"leaderTransitions":0}"#));
/// ```
#[must_use]
pub fn record_to_json_five_fields(record: &Record) -> String {
    encode::record(record, false)
}

/// Reads a record (`json.Unmarshal` into `resourcelock.LeaderElectionRecord`).
///
/// Takes what [`record_to_json`] and [`record_to_json_five_fields`] write, and all else that Go
/// takes (see the [module](self)). What is missing is zero.
///
/// # Errors
/// [`WireError`], if Go returns an error: the text is not JSON, or a field holds a value of a
/// wrong type, a number out of range, or no time.
///
/// ```
/// use tenure::lock::wire::record_from_json;
/// let record = record_from_json(br#"{"HolderIdentity": "a", "renewTime": "2024-02-29T23:59:59Z"}"#)?;
/// assert_eq!(record.holder.as_str(), "a");
/// assert_eq!(record.renew_time.map(|time| time.unix_seconds()), Some(1_709_251_199));
/// assert!(record_from_json(b"").is_err());
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
pub fn record_from_json(text: &[u8]) -> Result<Record, WireError> {
    decode::record(text, shape::RECORD)
}

/// Reads a record as client-go up to 0.30 does, to which strategy and preferred holder are unknown
/// fields: they are skipped, whatever they hold. Else as [`record_from_json`].
///
/// # Errors
/// As [`record_from_json`].
///
/// ```
/// use tenure::lock::wire;
/// let text = br#"{"holderIdentity":"a","strategy":5}"#;
/// assert_eq!(wire::record_from_json_five_fields(text).unwrap().holder.as_str(), "a");
/// assert!(wire::record_from_json(text).is_err());
/// ```
pub fn record_from_json_five_fields(text: &[u8]) -> Result<Record, WireError> {
    decode::record(text, shape::RECORD_FIVE_FIELDS)
}

/// A Lease as Go's `encoding/json` writes it when its kind is not set
/// (`json.Marshal` of `coordination/v1.Lease`).
///
/// Absent fields of the spec are not written; a present time that is zero is null. Times have
/// microseconds, what is finer is cut off. `resource_version` is the store's version of the object
/// that an update replaces.
///
/// What the Lease was read with and is not modelled here stands in it as it was, where Go would
/// write it.
///
/// ```
/// use tenure::lock::{lease::{Lease, LeaseSpec}, wire};
/// let spec = LeaseSpec { holder_identity: Some("a".into()), ..LeaseSpec::default() };
/// let lease = Lease { spec, ..Lease::default() };
/// assert_eq!(
///     wire::lease_to_json(&lease, Some("7")),
///     r#"{"metadata":{"resourceVersion":"7"},"spec":{"holderIdentity":"a"}}"#,
/// );
/// ```
#[must_use]
pub fn lease_to_json(lease: &Lease, resource_version: Option<&str>) -> String {
    encode::lease(lease, resource_version, false)
}

/// A Lease as Kubernetes' clients and servers send it: with kind and version, and a line feed at
/// the end (apimachinery, `serializer/json`, `Encode`). Else as [`lease_to_json`].
///
/// ```
/// use tenure::lock::{lease::Lease, wire};
/// assert_eq!(
///     wire::lease_to_api_json(&Lease::default(), None),
///     "{\"kind\":\"Lease\",\"apiVersion\":\"coordination.k8s.io/v1\",\"metadata\":{},\"spec\":{}}\n",
/// );
/// ```
#[must_use]
pub fn lease_to_api_json(lease: &Lease, resource_version: Option<&str>) -> String {
    let mut text = encode::lease(lease, resource_version, true);
    text.push('\n');
    text
}

/// Reads a Lease and its resource version (`json.Unmarshal` into `coordination/v1.Lease`). Kind
/// and version may be missing or say what they like; in the items of a `LeaseList` they are missing, so
/// this reads those.
///
/// # Errors
/// [`WireError`], if Go returns an error.
///
/// ```
/// use tenure::lock::wire::lease_from_json;
/// let text = br#"{"metadata":{"resourceVersion":"7"},"spec":{"HOLDERIDENTITY":"a"}}"#;
/// let (lease, version) = lease_from_json(text)?;
/// assert_eq!(lease.spec.holder_identity, Some("a".into()));
/// assert_eq!(version.as_deref(), Some("7"));
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
pub fn lease_from_json(text: &[u8]) -> Result<Versioned<Lease>, WireError> {
    decode::lease_of_std(text)
}

/// Reads a Lease and its resource version as Kubernetes' API codec does (apimachinery,
/// `serializer/json`, `Decode` with no defaults, which reads by `sigs.k8s.io/json`): the kind must
/// be `Lease`, the version `coordination.k8s.io/v1`, and keys match exactly.
///
/// # Errors
/// [`WireError`], if Go returns an error, or the object is of another kind or version.
///
/// ```
/// use tenure::lock::wire::lease_from_api_json;
/// let text = br#"{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","spec":{"HolderIdentity":"a"}}"#;
/// let (lease, version) = lease_from_api_json(text)?;
/// assert_eq!(lease.spec.holder_identity, None);
/// assert_eq!(version, None);
/// let error = lease_from_api_json(b"{}").unwrap_err();
/// assert_eq!(error.to_string(), r#"kind is missing: it should be "Lease""#);
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
pub fn lease_from_api_json(text: &[u8]) -> Result<Versioned<Lease>, WireError> {
    decode::lease_of_api(text)
}

/// An object of any kind as Kubernetes' clients and servers send it: with kind and version, and a
/// line feed at the end (apimachinery, `serializer/json`, `Encode`).
///
/// What the object was read with and is not modelled here (a `ConfigMap`'s data, owner references)
/// stands in it as it was, where Go would write it; see [`Metadata::rest`](super::lease::Metadata::rest).
/// So an object that Go wrote and nobody changed is the same bytes again.
///
/// ```
/// use tenure::lock::{Kind, Object, wire};
/// let text = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"finalizers\":[\"b\"]},\"data\":{\"c\":\"d\"}}\n";
/// let (mut object, _) = wire::object_from_api_json(Kind::ConfigMap, text.as_bytes())?;
/// assert_eq!(wire::object_to_api_json(&object, None), text);
/// let Object::ConfigMap(config_map) = &mut object else { unreachable!() };
/// config_map.annotate("{}");
/// assert_eq!(
///     wire::object_to_api_json(&object, None),
///     text.replace(r#","finalizers""#, r#","annotations":{"control-plane.alpha.kubernetes.io/leader":"{}"},"finalizers""#),
/// );
/// # Ok::<(), wire::WireError>(())
/// ```
#[must_use]
pub fn object_to_api_json(object: &Object, resource_version: Option<&str>) -> String {
    let mut text = match object {
        Object::Lease(lease) => encode::lease(lease, resource_version, true),
        Object::ConfigMap(annotated) | Object::Endpoints(annotated) => {
            encode::annotated(object.kind(), annotated, resource_version)
        }
    };
    text.push('\n');
    text
}

/// Reads an object of this kind and its resource version, as [`lease_from_api_json`] reads a Lease:
/// its `kind` and `apiVersion` must say so, and keys match exactly.
///
/// The record in an annotation is not looked at: [`Object::record`] reads it.
///
/// # Errors
/// [`WireError`], if Go returns an error, or the object is of another kind or version.
///
/// ```
/// use tenure::lock::{Kind, Record, wire};
/// let text = br#"{"kind":"Endpoints","apiVersion":"v1","metadata":{"resourceVersion":"7"},"subsets":[{"ports":[{"port":80}]}]}"#;
/// let (object, version) = wire::object_from_api_json(Kind::Endpoints, text)?;
/// assert_eq!(version.as_deref(), Some("7"));
/// assert_eq!(object.record(), Ok(Record::default())); // nobody holds it
/// let error = wire::object_from_api_json(Kind::ConfigMap, text).unwrap_err();
/// assert_eq!(error.to_string(), r#"kind is "Endpoints": it should be "ConfigMap""#);
/// # Ok::<(), wire::WireError>(())
/// ```
pub fn object_from_api_json(kind: Kind, text: &[u8]) -> Result<Versioned<Object>, WireError> {
    decode::object_of_api(kind, text)
}

/// Reads a record, also one that Go refuses, if it has one clear meaning; and says what was
/// forgiven: nothing, if and only if [`record_from_json`] reads the text.
///
/// Forgiven are, in each field that Go knows:
/// - numbers that are whole but not written so, as 15.0 and 1.5e1, and such in a string (as the
///   Python client writes a record's duration);
/// - times with a small `t` or `z`, with a space for the `T`, with an offset without colon or
///   minutes, and without dashes and colons (`20220804T135255.122Z`, as an old Java client);
/// - in a Lease, a time's fraction of any length but six digits, none included; digits after the
///   sixth are cut off (JavaScript writes three digits, `chrono` nine, Python six or none);
/// - a byte order mark before the text.
///
/// An elector reads a `ConfigMap`'s annotation strictly. To let it read such a record,
/// [annotate](super::annotated::Annotated::annotate) the object that was read with the record as
/// [`record_to_json`] writes it, before it is handed in.
///
/// What strict readers take needs no forgiving: fields that are null, missing or there twice,
/// other case of keys, white space around the text, an offset for the `Z`.
///
/// Not forgiven, since it means nothing or several things: a number with a fraction or out of range,
/// a number for a time (seconds or milliseconds?) or for a string (as which bytes?), a time without
/// offset, an empty text.
///
/// # Errors
/// [`WireError`], as of the strict reader.
///
/// ```
/// use tenure::lock::wire::record_from_lenient_json;
/// let text = br#"{"holderIdentity":"a","leaseDurationSeconds":"17","renewTime":"2020-08-17 10:20:30.5+00:00"}"#;
/// let lenient = record_from_lenient_json(text)?;
/// assert_eq!(lenient.value.lease_duration_seconds, 17);
/// assert_eq!(lenient.forgiven.len(), 2);
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
pub fn record_from_lenient_json(text: &[u8]) -> Result<Lenient<Record>, WireError> {
    lenient::read(text, shape::RECORD, record_from_json)
}

/// Reads a Lease and its resource version, also one that Go refuses, if it has one clear meaning; as
/// [`record_from_lenient_json`] does. Nothing is forgiven if and only if [`lease_from_json`] reads
/// the text.
///
/// # Errors
/// [`WireError`], as of the strict reader.
///
/// ```
/// use tenure::lock::wire::lease_from_lenient_json;
/// let text = br#"{"metadata":{"resourceVersion":"7"},"spec":{"renewTime":"2024-02-29T23:59:59.5Z"}}"#;
/// let lenient = lease_from_lenient_json(text)?;
/// let (lease, version) = lenient.value;
/// assert_eq!(lease.spec.renew_time.map(|time| time.unix_seconds()), Some(1_709_251_199));
/// assert_eq!(version.as_deref(), Some("7"));
/// assert_eq!(
///     lenient.forgiven[0].to_string(),
///     r#"spec.renewTime is "2024-02-29T23:59:59.5Z", not a time (the fraction has not six digits): write it like "2024-02-29T23:59:59.000000Z"; read as "2024-02-29T23:59:59.500000Z""#,
/// );
/// # Ok::<(), tenure::lock::wire::WireError>(())
/// ```
pub fn lease_from_lenient_json(text: &[u8]) -> Result<Lenient<Versioned<Lease>>, WireError> {
    lenient::read(text, shape::LEASE, lease_from_json)
}
