//! Writing records and Leases: `encoding/json`'s `Marshal` for their Go types.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{Display, Write};

use super::time::{self, Layout};
use super::{API_VERSION, KIND};
use crate::lock::Record;
use crate::lock::lease::{Lease, LeaseSpec, Metadata};
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
    let mut out = String::new();
    let mut object = Object::open(&mut out);
    if type_meta {
        object.text("kind", KIND);
        object.text("apiVersion", API_VERSION);
    }
    metadata(object.object("metadata"), &lease.metadata, resource_version);
    spec(object.object("spec"), &lease.spec);
    object.close();
    out
}

fn metadata(mut object: Object<'_>, metadata: &Metadata, resource_version: Option<&str>) {
    let fields = [
        ("name", &*metadata.name),
        ("namespace", &*metadata.namespace),
        ("uid", &*metadata.uid),
        ("resourceVersion", resource_version.unwrap_or("")),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        object.text(name, value);
    }
    object.entries("labels", &metadata.labels);
    object.entries("annotations", &metadata.annotations);
    object.close();
}

fn spec(mut object: Object<'_>, spec: &LeaseSpec) {
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
struct Object<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, empty: true }
    }

    fn close(self) {
        self.out.push('}');
    }

    fn key(&mut self, key: &str) {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        quote(self.out, key);
        self.out.push(':');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        quote(self.out, value);
    }

    fn number(&mut self, key: &str, value: impl Display) {
        self.key(key);
        let _ = write!(self.out, "{value}"); // writing to a String cannot fail
    }

    /// Go's zero time is written as null.
    fn time(&mut self, key: &str, value: Option<Timestamp>, layout: Layout) {
        self.key(key);
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
    fn entries(&mut self, key: &str, entries: &BTreeMap<Arc<str>, Arc<str>>) {
        if entries.is_empty() {
            return;
        }
        let mut object = self.object(key);
        for (key, value) in entries {
            object.text(key, value);
        }
        object.close();
    }

    fn object(&mut self, key: &str) -> Object<'_> {
        self.key(key);
        Object::open(self.out)
    }
}

/// Writes a string as Go does, which also escapes what could end a script in HTML or JavaScript.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}
