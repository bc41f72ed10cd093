//! Writing records and Leases: `encoding/json`'s `Marshal` for their Go types.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{Display, Write};

use super::api_version;
use super::rest::Rest;
use super::shape::{CONFIG_MAP, ENDPOINTS, Fields, LEASE, Member};
use super::time::{self, Layout};
use super::value::{Document, push_bytes};
use crate::lock::annotated::Annotated;
use crate::lock::lease::{Lease, LeaseSpec, Metadata};
use crate::lock::{Kind, Record};
use crate::time::Timestamp;

pub(super) fn record(record: &Record, all_fields: bool) -> String {
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    object.text("holderIdentity", record.holder.as_str());
    object.number("leaseDurationSeconds", record.lease_duration_seconds);
    object.time("acquireTime", record.acquire_time, Layout::Seconds);
    object.time("renewTime", record.renew_time, Layout::Seconds);
    object.number("leaderTransitions", record.leader_transitions);
    if all_fields {
        object.text("strategy", record.strategy.as_deref().unwrap_or(""));
        object.text("preferredHolder", record.preferred_holder.as_str());
    }
    object.close();
    out
}

pub(super) fn lease(lease: &Lease, resource_version: Option<&str>, type_meta: bool) -> String {
    let kind = type_meta.then_some(Kind::Lease);
    object(kind, &lease.metadata, resource_version, LEASE, Some(&lease.spec))
}

/// A `ConfigMap` or Endpoints.
pub(super) fn annotated(
    kind: Kind,
    annotated: &Annotated,
    resource_version: Option<&str>,
) -> String {
    let fields = if kind == Kind::ConfigMap { CONFIG_MAP } else { ENDPOINTS };
    object(Some(kind), &annotated.metadata, resource_version, fields, None)
}

fn object(
    kind: Option<Kind>,
    metadata: &Metadata,
    resource_version: Option<&str>,
    fields: Fields,
    spec: Option<&LeaseSpec>,
) -> String {
    let mut out = String::with_capacity(512);
    let mut object = Object::open(&mut out);
    if let Some(kind) = kind {
        object.text("kind", kind.name());
        object.text("apiVersion", api_version(kind));
    }
    let carried = metadata.rest.as_deref().and_then(|rest| Document::parse(rest).ok());
    let (outer, inner) = Rest::take_apart(carried.as_ref(), fields);
    write_metadata(object.object("metadata"), metadata, resource_version, inner);
    if let Some(spec) = spec {
        write_spec(object.object("spec"), spec);
    }
    outer.write(&mut object);
    object.close();
    out
}

fn write_metadata(
    mut object: Object<'_>,
    metadata: &Metadata,
    resource_version: Option<&str>,
    mut rest: Rest<'_>,
) {
    let fields = [
        ("name", &*metadata.name),
        ("namespace", &*metadata.namespace),
        ("uid", &*metadata.uid),
        ("resourceVersion", resource_version.unwrap_or("")),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        rest.write_before(name, &mut object);
        object.text(name, value);
    }
    for (name, entries) in [("labels", &metadata.labels), ("annotations", &metadata.annotations)] {
        rest.write_before(name, &mut object);
        object.entries(name, entries);
    }
    rest.write(&mut object);
    object.close();
}

fn write_spec(mut object: Object<'_>, spec: &LeaseSpec) {
    if let Some(holder) = &spec.holder_identity {
        object.text("holderIdentity", holder.as_str());
    }
    if let Some(seconds) = spec.lease_duration_seconds {
        object.number("leaseDurationSeconds", seconds);
    }
    if spec.acquire_time.is_some() {
        object.time("acquireTime", spec.acquire_time, Layout::Micros);
    }
    if spec.renew_time.is_some() {
        object.time("renewTime", spec.renew_time, Layout::Micros);
    }
    if let Some(transitions) = spec.lease_transitions {
        object.number("leaseTransitions", transitions);
    }
    if let Some(strategy) = &spec.strategy {
        object.text("strategy", strategy);
    }
    if let Some(holder) = &spec.preferred_holder {
        object.text("preferredHolder", holder.as_str());
    }
    object.close();
}

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    pub(super) fn close(self) {
        self.out.push('}');
    }

    fn comma(&mut self) {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
    }

    /// A key that needs no escapes: the name of a field.
    fn name(&mut self, name: &'static str) {
        self.comma();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    /// A member as it was read; its key by the name of its field, if it has one.
    pub(super) fn member(&mut self, member: &Member<'_>) {
        if let Some((_, (name, _))) = member.field {
            self.name(name);
        } else {
            self.comma();
            push_bytes(self.out, member.key.bytes());
            self.out.push(':');
        }
        push_bytes(self.out, member.value.bytes());
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        quote(self.out, value);
    }

    fn number(&mut self, name: &'static str, value: impl Display) {
        self.name(name);
        let _ = write!(self.out, "{value}"); // writing to a String cannot fail
    }

    /// Go's zero time is written as null.
    fn time(&mut self, name: &'static str, value: Option<Timestamp>, layout: Layout) {
        self.name(name);
        match value.filter(|time| *time != Timestamp::GO_ZERO) {
            None => self.out.push_str("null"),
            Some(value) => {
                self.out.push('"');
                time::write(self.out, value, layout);
                self.out.push('"');
            }
        }
    }

    /// A map, in the order of its keys; not written if empty.
    fn entries(&mut self, name: &'static str, entries: &BTreeMap<Arc<str>, Arc<str>>) {
        if entries.is_empty() {
            return;
        }
        let mut object = self.object(name);
        for (key, value) in entries {
            object.comma();
            quote(object.out, key);
            object.out.push(':');
            quote(object.out, value);
        }
        object.close();
    }

    pub(super) fn object(&mut self, name: &'static str) -> Object<'_> {
        self.name(name);
        Object::open(self.out)
    }
}

/// Writes a string as Go does, which also escapes what could end a script in HTML or JavaScript.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(may_need_escape) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = tail.chars();
        match letters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(letter @ ('\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}')) => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            Some(letter) => out.push(letter),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Whether a letter that is escaped starts with this byte; others of the first one of U+2028 do, too.
const fn may_need_escape(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2) || byte < b' '
}
