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

/// How the keys of an object are matched with the names of fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Exactly (`sigs.k8s.io/json`).
    Exact,
    /// Whatever their case, by Unicode's simple folding (`encoding/json`).
    Folded,
}

impl Keys {
    /// The field that `key` means.
    fn find(self, key: &str, fields: Fields) -> Option<&'static (&'static str, Shape)> {
        fields.iter().find(|(name, _)| match self {
            Self::Exact => key == *name,
            Self::Folded => key.chars().map(fold).eq(name.chars().map(fold)),
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

/// Names and types of a struct's fields.
pub(super) type Fields = &'static [(&'static str, Shape)];

/// A Go type.
pub(super) enum Shape {
    Text,
    Int32,
    Int64,
    Bool,
    Time(Layout),
    /// `map[string]string`
    Entries,
    List(&'static Self),
    Struct(Fields),
    /// `FieldsV1`: any JSON.
    Any,
}

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
            (Self::Time(layout), Kind::Text) => check_time(value, *layout),
            (Self::Entries, Kind::Object) => value.members().try_for_each(|(key, value)| {
                Self::Text
                    .check(value, keys)
                    .map_err(|error| error.within(&format!("[{:?}]", excerpt(key.as_bytes()))))
            }),
            (Self::List(shape), Kind::Array) => {
                value.items().enumerate().try_for_each(|(index, value)| {
                    shape.check(value, keys).map_err(|error| error.within(&format!("[{index}]")))
                })
            }
            (Self::Struct(fields), Kind::Object) => {
                value.members().try_for_each(|(key, value)| match keys.find(&key, fields) {
                    Some((name, shape)) => {
                        shape.check(value, keys).map_err(|error| error.within(name))
                    }
                    None => Ok(()),
                })
            }
            (Self::Text | Self::Time(_), _) => wrong("a string or null"),
            (Self::Bool, _) => wrong("true, false or null"),
            (Self::List(_), _) => wrong("an array or null"),
            (Self::Entries | Self::Struct(_), _) => wrong("an object or null"),
        }
    }
}

fn check_time(value: Value<'_>, layout: Layout) -> Result<(), WireError> {
    let text = value.text().unwrap_or_default();
    match time::parse(&text, layout) {
        Ok(_) => Ok(()),
        Err(problem) => Err(WireError::Time {
            field: String::new(),
            found: excerpt(text.as_bytes()),
            problem,
            example: layout.example(),
        }),
    }
}

/// The members of an object that mean one of `fields`, in the order of the text.
pub(super) fn fields(
    value: Value<'_>,
    keys: Keys,
    fields: Fields,
) -> impl Iterator<Item = (&'static str, Value<'_>)> {
    value.members().filter_map(move |(key, value)| Some((keys.find(&key, fields)?.0, value)))
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
    ("labels", Shape::Entries),
    ("annotations", Shape::Entries),
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
