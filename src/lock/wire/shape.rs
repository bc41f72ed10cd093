//! The Go types behind the texts, as far as they decide what Go accepts.
//!
//! Go refuses a text in which any field that it knows holds a value of a wrong type, also fields
//! that are of no interest here, as an owner reference. So all of them are listed. Null is good
//! for every type.

use alloc::format;
use alloc::string::String;

use super::error::{WireError, excerpt};
use super::time::{self, Layout};
use super::value::{Kind, Value};
use crate::time::Timestamp;

/// How the keys of an object are matched with the names of fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Exactly (`sigs.k8s.io/json`).
    Exact,
    /// Whatever their case, by Unicode's simple folding (`encoding/json`).
    Folded,
}

impl Keys {
    /// The field that `key` means, and where it stands among `fields`.
    pub(super) fn find(self, key: Value<'_>, fields: Fields) -> Option<(usize, &'static Field)> {
        let key = key.text()?;
        let mut fields = fields.iter().enumerate();
        // The names of a type's fields differ in more than case, so an exact one is the one.
        fields.clone().find(|(_, (name, _))| *key == **name).or_else(|| {
            let folds = |name: &str| key.chars().map(fold).eq(name.chars().map(fold));
            fields.find(|(_, (name, _))| self == Self::Folded && folds(name))
        })
    }
}

/// Folds the case of the letters that can be in a field's name, all of them ASCII. Two letters
/// outside ASCII fold to such: the long s and the Kelvin sign.
const fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        _ => letter.to_ascii_lowercase(),
    }
}

/// A field of a struct: its name and its type.
pub(super) type Field = (&'static str, Shape);

/// All of them, in the order in which Go writes them.
pub(super) type Fields = &'static [Field];

/// A Go type.
pub(super) enum Shape {
    Text,
    Int32,
    Int64,
    Bool,
    Time(Layout),
    /// `[]byte`: base64, or an array of numbers.
    Bytes,
    /// `map[string]string`, `map[string][]byte`
    Map(&'static Self),
    List(&'static Self),
    Struct(Fields),
    /// `FieldsV1`: any JSON.
    Any,
}

const BASE64: &str = "base64 with its padding, or null";

impl Shape {
    /// Whether Go reads `value` into this type.
    pub(super) fn check(&self, value: Value<'_>, keys: Keys) -> Result<(), WireError> {
        let wrong = |expected| {
            let found = excerpt(value.bytes());
            Err(WireError::Type { field: String::new(), found, expected })
        };
        match (self, value.kind()) {
            (Self::Any, _)
            | (_, Kind::Null)
            | (Self::Text, Kind::Text)
            | (Self::Bool, Kind::Bool) => Ok(()),
            (Self::Int32, _) => match value.int().map(i32::try_from) {
                Some(Ok(_)) => Ok(()),
                _ => wrong("a whole number of 32 bits, without fraction or exponent"),
            },
            (Self::Int64, _) => match value.int() {
                Some(_) => Ok(()),
                None => wrong("a whole number of 64 bits, without fraction or exponent"),
            },
            (Self::Time(layout), Kind::Text) => read_time(value, *layout).map(drop),
            (Self::Bytes, Kind::Text) => match value.text() {
                Some(text) if is_base64(text.as_bytes()) => Ok(()),
                _ => wrong(BASE64),
            },
            (Self::Bytes, Kind::Array) => {
                let is_byte = |item: Value<'_>| item.int().is_some_and(|n| u8::try_from(n).is_ok());
                let good = |item: Value<'_>| item.kind() == Kind::Null || is_byte(item);
                if value.items().all(good) { Ok(()) } else { wrong(BASE64) }
            }
            (Self::Map(shape), Kind::Object) => value.members().try_for_each(|(key, value)| {
                shape.check(value, keys).map_err(|error| error.within(&entry(key)))
            }),
            (Self::List(shape), Kind::Array) => {
                value.items().enumerate().try_for_each(|(index, value)| {
                    shape.check(value, keys).map_err(|error| error.within(&format!("[{index}]")))
                })
            }
            (Self::Struct(fields), Kind::Object) => {
                members(value, keys, fields).try_for_each(|member| member.check(keys))
            }
            (Self::Text | Self::Time(_), _) => wrong("a string or null"),
            (Self::Bool, _) => wrong("true, false or null"),
            (Self::List(_), _) => wrong("an array or null"),
            (Self::Bytes, _) => wrong(BASE64),
            (Self::Map(_) | Self::Struct(_), _) => wrong("an object or null"),
        }
    }
}

/// A string that Go reads as a time.
pub(super) fn read_time(value: Value<'_>, layout: Layout) -> Result<Timestamp, WireError> {
    let text = value.text().unwrap_or_default();
    time::parse(&text, layout).map_err(|problem| WireError::Time {
        field: String::new(),
        found: excerpt(text.as_bytes()),
        problem,
        example: layout.example(),
    })
}

/// The name of an entry of a map, as a part of a field's path.
pub(super) fn entry(key: Value<'_>) -> String {
    format!("[{:?}]", excerpt(key.text().unwrap_or_default().as_bytes()))
}

/// Whether Go's `base64.StdEncoding` decodes `text`: it skips ends of lines, wants the padding, and
/// does not mind bits behind the last byte.
fn is_base64(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| !b"\r\n".contains(byte));
    let (mut count, mut padding) = (0_usize, 0_usize);
    for byte in digits {
        count += 1;
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
    }
    count % 4 == 0 && padding <= 2
}

/// A member of an object.
pub(super) struct Member<'a> {
    /// As it stands in the text.
    pub(super) key: Value<'a>,
    /// The field that it means, and its place among them; none if Go knows no such field.
    pub(super) field: Option<(usize, &'static Field)>,
    pub(super) value: Value<'a>,
}

impl Member<'_> {
    /// The name of the field; empty if Go does not know it.
    pub(super) fn name(&self) -> &'static str {
        self.field.map_or("", |(_, (name, _))| name)
    }

    /// The time in it; none if it is null.
    pub(super) fn time(&self, layout: Layout) -> Result<Option<Timestamp>, WireError> {
        if self.value.kind() != Kind::Text {
            return self.check(Keys::Exact).map(|()| None);
        }
        read_time(self.value, layout).map(Some).map_err(|error| error.within(self.name()))
    }

    /// Whether Go reads it.
    pub(super) fn check(&self, keys: Keys) -> Result<(), WireError> {
        let Some((_, (name, shape))) = self.field else { return Ok(()) };
        shape.check(self.value, keys).map_err(|error| error.within(name))
    }
}

/// The members of an object of these fields, in the order of the text.
pub(super) fn members(
    value: Value<'_>,
    keys: Keys,
    fields: Fields,
) -> impl Iterator<Item = Member<'_>> {
    value.members().map(move |(key, value)| Member { key, field: keys.find(key, fields), value })
}

/// Whether `value` can be an object at all.
pub(super) fn object_or_null(value: Value<'_>) -> Result<(), WireError> {
    match value.kind() {
        Kind::Null | Kind::Object => Ok(()),
        _ => Shape::Struct(&[]).check(value, Keys::Exact),
    }
}

/// client-go `resourcelock.LeaderElectionRecord`
pub(super) const RECORD: Fields = &[
    ("holderIdentity", Shape::Text),
    ("leaseDurationSeconds", Shape::Int64),
    ("acquireTime", Shape::Time(Layout::Seconds)),
    ("renewTime", Shape::Time(Layout::Seconds)),
    ("leaderTransitions", Shape::Int64),
    ("strategy", Shape::Text),
    ("preferredHolder", Shape::Text),
];

/// The same up to client-go 0.30.
pub(super) const RECORD_FIVE_FIELDS: Fields = RECORD.split_at(5).0;

/// apimachinery `metav1.TypeMeta`
pub(super) const TYPE_META: Fields = &[("kind", Shape::Text), ("apiVersion", Shape::Text)];

/// api `coordination/v1.Lease`
pub(super) const LEASE: Fields = &[
    ("kind", Shape::Text),
    ("apiVersion", Shape::Text),
    ("metadata", Shape::Struct(OBJECT_META)),
    ("spec", Shape::Struct(LEASE_SPEC)),
];

/// api `coordination/v1.LeaseSpec`
pub(super) const LEASE_SPEC: Fields = &[
    ("holderIdentity", Shape::Text),
    ("leaseDurationSeconds", Shape::Int32),
    ("acquireTime", Shape::Time(Layout::Micros)),
    ("renewTime", Shape::Time(Layout::Micros)),
    ("leaseTransitions", Shape::Int32),
    ("strategy", Shape::Text),
    ("preferredHolder", Shape::Text),
];

/// apimachinery `metav1.ObjectMeta`
pub(super) const OBJECT_META: Fields = &[
    ("name", Shape::Text),
    ("generateName", Shape::Text),
    ("namespace", Shape::Text),
    ("selfLink", Shape::Text),
    ("uid", Shape::Text),
    ("resourceVersion", Shape::Text),
    ("generation", Shape::Int64),
    ("creationTimestamp", Shape::Time(Layout::Seconds)),
    ("deletionTimestamp", Shape::Time(Layout::Seconds)),
    ("deletionGracePeriodSeconds", Shape::Int64),
    ("labels", Shape::Map(&Shape::Text)),
    ("annotations", Shape::Map(&Shape::Text)),
    ("ownerReferences", Shape::List(&Shape::Struct(OWNER_REFERENCE))),
    ("finalizers", Shape::List(&Shape::Text)),
    ("managedFields", Shape::List(&Shape::Struct(MANAGED_FIELDS_ENTRY))),
];

const OWNER_REFERENCE: Fields = &[
    ("apiVersion", Shape::Text),
    ("kind", Shape::Text),
    ("name", Shape::Text),
    ("uid", Shape::Text),
    ("controller", Shape::Bool),
    ("blockOwnerDeletion", Shape::Bool),
];

const MANAGED_FIELDS_ENTRY: Fields = &[
    ("manager", Shape::Text),
    ("operation", Shape::Text),
    ("apiVersion", Shape::Text),
    ("time", Shape::Time(Layout::Seconds)),
    ("fieldsType", Shape::Text),
    ("fieldsV1", Shape::Any),
    ("subresource", Shape::Text),
];

/// api `core/v1.ConfigMap`
pub(super) const CONFIG_MAP: Fields = &[
    ("kind", Shape::Text),
    ("apiVersion", Shape::Text),
    ("metadata", Shape::Struct(OBJECT_META)),
    ("immutable", Shape::Bool),
    ("data", Shape::Map(&Shape::Text)),
    ("binaryData", Shape::Map(&Shape::Bytes)),
];

/// api `core/v1.Endpoints`
pub(super) const ENDPOINTS: Fields = &[
    ("kind", Shape::Text),
    ("apiVersion", Shape::Text),
    ("metadata", Shape::Struct(OBJECT_META)),
    ("subsets", Shape::List(&Shape::Struct(ENDPOINT_SUBSET))),
];

const ENDPOINT_SUBSET: Fields = &[
    ("addresses", Shape::List(&Shape::Struct(ENDPOINT_ADDRESS))),
    ("notReadyAddresses", Shape::List(&Shape::Struct(ENDPOINT_ADDRESS))),
    ("ports", Shape::List(&Shape::Struct(ENDPOINT_PORT))),
];

const ENDPOINT_ADDRESS: Fields = &[
    ("ip", Shape::Text),
    ("hostname", Shape::Text),
    ("nodeName", Shape::Text),
    ("targetRef", Shape::Struct(OBJECT_REFERENCE)),
];

const ENDPOINT_PORT: Fields = &[
    ("name", Shape::Text),
    ("port", Shape::Int32),
    ("protocol", Shape::Text),
    ("appProtocol", Shape::Text),
];

const OBJECT_REFERENCE: Fields = &[
    ("kind", Shape::Text),
    ("namespace", Shape::Text),
    ("name", Shape::Text),
    ("uid", Shape::Text),
    ("apiVersion", Shape::Text),
    ("resourceVersion", Shape::Text),
    ("fieldPath", Shape::Text),
];
