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
//! Not followed: Go fills what it can before it returns an error, here an error brings no value;
//! Go's API client also reads YAML and protocol buffers.
//!
//! There is no JSON library below this: `serde_json` nests 128 deep, takes UTF-8 only and matches
//! keys exactly, and the scanner needs less code than bending it would.
//!
//! With the feature `serde`, records and Leases also implement serde's traits, for drivers whose store speaks another format
//! or whose client has a JSON library of its own: the same fields and times, under that library's
//! grammar.

mod decode;
mod encode;
mod error;
#[cfg(feature = "serde")]
mod serde;
mod shape;
mod syntax;
mod time;
mod value;

use alloc::string::String;
use alloc::sync::Arc;

pub use error::WireError;

use super::Record;
use super::lease::Lease;

/// The annotation of a `ConfigMap` or Endpoints object that holds the record
/// (client-go, `resourcelock.LeaderElectionRecordAnnotationKey`).
///
/// ```
/// use tenure::lock::wire::ANNOTATION;
/// assert_eq!(ANNOTATION, "control-plane.alpha.kubernetes.io/leader");
/// ```
pub const ANNOTATION: &str = "control-plane.alpha.kubernetes.io/leader";

const KIND: &str = "Lease";
const API_VERSION: &str = "coordination.k8s.io/v1";

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
/// Of the metadata only what [`Metadata`](super::lease::Metadata) has is written. A store takes what
/// is missing from an update's body for removed: finalizers and owner references, if there are any.
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
/// and version may be missing or say what they like.
///
/// Of the metadata only what [`Metadata`](super::lease::Metadata) has is kept.
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
pub fn lease_from_json(text: &[u8]) -> Result<(Lease, Option<Arc<str>>), WireError> {
    decode::lease_of_std(text)
}

/// Reads a Lease and its resource version as Kubernetes' API codec does (apimachinery,
/// `serializer/json`, `Decode` with no defaults, which reads by `sigs.k8s.io/json`): the kind must
/// be `Lease`, the version `coordination.k8s.io/v1`, and keys match exactly.
///
/// Of the metadata only what [`Metadata`](super::lease::Metadata) has is kept.
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
pub fn lease_from_api_json(text: &[u8]) -> Result<(Lease, Option<Arc<str>>), WireError> {
    decode::lease_of_api(text)
}
