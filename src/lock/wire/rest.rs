//! What an object holds besides what is modelled here, carried from the text that was read to the
//! text that is written over it.
//!
//! In [`Metadata::rest`](crate::lock::lease::Metadata::rest) it is the object itself, as JSON, less
//! all that is modelled: `{"metadata":{"finalizers":["a"]},"data":{"b":"c"}}`. Values are the bytes
//! that were read. So are keys that Go does not know; fields that it knows have their own names.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::encode::Object;
use super::shape::{Fields, Keys, Member, OBJECT_META, members};
use super::value::Document;

/// Fields of an object or its metadata that are modelled.
const MODELLED: [&str; 10] = [
    "kind",
    "apiVersion",
    "metadata",
    "spec",
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "labels",
    "annotations",
];

/// Members of one object that are not modelled, in the order in which Go writes them: known fields
/// by their place, then the others as they came.
pub(super) struct Rest<'a> {
    fields: Fields,
    members: Vec<Member<'a>>,
    /// How many of them are written.
    written: usize,
}

impl<'a> Rest<'a> {
    pub(super) const fn new(fields: Fields) -> Self {
        Self { fields, members: Vec::new(), written: 0 }
    }

    /// The members of what stands in an object's metadata, and of the object `metadata` in it. None
    /// if it is not of the form that this module writes: then it is none of its business.
    pub(super) fn take_apart(carried: Option<&'a Document<'_>>, fields: Fields) -> (Self, Self) {
        let (mut outer, mut inner) = (Self::new(fields), Self::new(OBJECT_META));
        let Some(document) = carried else { return (outer, inner) };
        for member in members(document.value(), Keys::Exact, fields) {
            if member.name() == "metadata" {
                members(member.value, Keys::Exact, OBJECT_META).for_each(|it| inner.keep(it));
            } else {
                outer.keep(member);
            }
        }
        outer.sort();
        inner.sort();
        (outer, inner)
    }

    /// Takes a member, unless it is modelled.
    ///
    /// Nor is one kept that only `encoding/json` would take for a field, by its case: Go's API codec
    /// ignores it, and it must not turn into that field for another reader.
    pub(super) fn keep(&mut self, member: Member<'a>) {
        let out = match member.field {
            Some((_, (name, _))) => MODELLED.contains(name),
            None => Keys::Folded.find(member.key, self.fields).is_some(),
        };
        if out {
            return;
        }
        self.members.push(member);
    }

    /// Now that all are here, puts them in order.
    fn sort(&mut self) {
        self.members.sort_by_key(|member| member.field.map_or(usize::MAX, |(place, _)| place));
    }

    /// Writes the members that Go writes before the field `name`.
    pub(super) fn write_before(&mut self, name: &str, object: &mut Object<'_>) {
        if self.written == self.members.len() {
            return;
        }
        let end = self.fields.iter().position(|(other, _)| *other == name).unwrap_or(usize::MAX);
        while let Some(member) = self.members.get(self.written)
            && member.field.is_some_and(|(place, _)| place < end)
        {
            object.member(member);
            self.written += 1;
        }
    }

    /// Writes all that are still to be written.
    pub(super) fn write(self, object: &mut Object<'_>) {
        self.members.iter().skip(self.written).for_each(|member| object.member(member));
    }
}

/// What [`Rest::take_apart`] takes apart; none if there is nothing.
pub(super) fn carry(mut outer: Rest<'_>, mut inner: Rest<'_>) -> Option<Arc<[u8]>> {
    if outer.members.is_empty() && inner.members.is_empty() {
        return None;
    }
    outer.sort();
    inner.sort();
    let mut text = String::new();
    let mut object = Object::open(&mut text);
    if !inner.members.is_empty() {
        let mut metadata = object.object("metadata");
        inner.write(&mut metadata);
        metadata.close();
    }
    outer.write(&mut object);
    object.close();
    Some(text.into_bytes().into())
}
