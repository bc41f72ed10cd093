//! Kubernetes' audit logs: `audit.k8s.io/v1` events, one a line, as the API server writes them.
//!
//! What matters is an event of the stage `ResponseComplete` of a write that succeeded, at the level
//! `RequestResponse`: its response object is what was stored. At the level `Request` the request is
//! taken for it, and no version is known. At the level `Metadata` nothing is.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use tenure::lock::{Kind, wire};

use super::change::{Change, LockName, What};
use super::object::{Body, Stored, Text, version};
use super::time::{Moment, Window};

/// Finds the few lines that matter before anything is parsed.
#[derive(Debug)]
pub(super) struct Sieve {
    leases: memchr::memmem::Finder<'static>,
    annotation: memchr::memmem::Finder<'static>,
    config_maps: memchr::memmem::Finder<'static>,
    endpoints: memchr::memmem::Finder<'static>,
    verb: memchr::memmem::Finder<'static>,
}

/// These change nothing.
const READS: [&[u8]; 3] = [b"\"get\"", b"\"list\"", b"\"watch\""];

impl Sieve {
    pub(super) fn new() -> Self {
        let finder = |needle: &'static str| memchr::memmem::Finder::new(needle);
        Self {
            leases: finder("\"leases\""),
            annotation: finder(wire::ANNOTATION),
            config_maps: finder("\"configmaps\""),
            endpoints: finder("\"endpoints\""),
            verb: finder("\"verb\""),
        }
    }

    /// Whether the line may be about a write to a lock. Reads are told by their verb: all that is called
    /// so in the line must be one, since the members may be in any order.
    pub(super) fn may_matter(&self, line: &[u8]) -> bool {
        let mut verbs = self.verb.find_iter(line).map(|at| {
            let rest = line.get(at + b"\"verb\"".len()..).unwrap_or_default();
            let value = rest.trim_ascii_start().strip_prefix(b":").unwrap_or_default();
            value.trim_ascii_start()
        });
        let first = verbs.next().unwrap_or_default();
        let read = |verb: &[u8]| READS.iter().any(|read| verb.starts_with(read));
        if read(first) && verbs.all(read) {
            return false;
        }
        self.leases.find(line).is_some()
            || self.annotation.find(line).is_some()
            || (first.starts_with(b"\"delete\"") || !first.starts_with(b"\""))
                && (self.config_maps.find(line).is_some() || self.endpoints.find(line).is_some())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    items: Option<Vec<Self>>,
    #[serde(borrow, default)]
    stage: Option<Text<'a>>,
    #[serde(borrow, default)]
    verb: Option<Text<'a>>,
    #[serde(borrow, default)]
    user: Option<User<'a>>,
    #[serde(borrow, default, rename = "sourceIPs")]
    source_ips: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow, default)]
    object_ref: Option<ObjectRef<'a>>,
    #[serde(default)]
    response_status: Option<Status>,
    #[serde(borrow, default)]
    request_object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_received_timestamp: Option<Text<'a>>,
    #[serde(borrow, default)]
    stage_timestamp: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct User<'a> {
    #[serde(borrow, default)]
    username: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectRef<'a> {
    #[serde(borrow, default)]
    resource: Option<Text<'a>>,
    #[serde(borrow, default)]
    namespace: Option<Text<'a>>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    api_group: Option<Text<'a>>,
    #[serde(borrow, default)]
    resource_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    subresource: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    code: Option<i64>,
}

fn is(text: Option<&Text<'_>>, expected: &str) -> bool {
    text.is_some_and(|text| text.0 == expected)
}

impl Event<'_> {
    /// What the event says of a lock, or each of a list.
    pub(super) fn changes(&self, line: u64, each: &mut dyn FnMut(Change)) -> Result<(), String> {
        if is(self.kind.as_ref(), "EventList") {
            return self.items.iter().flatten().try_for_each(|event| event.changes(line, each));
        }
        self.change(line).map(|change| change.into_iter().for_each(each))
    }

    fn change(&self, line: u64) -> Result<Option<Change>, String> {
        // An event without a stage is taken for the end of its request.
        if self.stage.as_ref().is_some_and(|stage| stage.0 != "ResponseComplete") {
            return Ok(None);
        }
        let (Some(object), Some(verb)) = (&self.object_ref, &self.verb) else { return Ok(None) };
        let (Some(kind), None) = (object.kind(), &object.subresource) else { return Ok(None) };
        let code = self.response_status.as_ref().and_then(|status| status.code).unwrap_or(200);
        let what = match &*verb.0 {
            "create" | "update" | "patch" | "delete" if code == 409 => What::Conflict,
            "create" | "update" | "patch" | "delete" if !(200..300).contains(&code) => What::Failed,
            "delete" => What::Deleted,
            "create" | "update" | "patch" => match self.stored(kind)? {
                Some(what) => what,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        // What failed or is not told may not have been a lock: only Leases always are.
        let untold = matches!(what, What::Untold | What::Conflict | What::Failed);
        if untold && kind != Kind::Lease {
            return Ok(None);
        }
        let Some(lock) = self.lock(kind) else { return Ok(None) };
        let window = self.window();
        let over = object.resource_version.as_ref().map(|text| version(&text.0));
        Ok(Some(Change {
            lock,
            line,
            took: window.map(|window| window.to.since(window.from)),
            window,
            by: Some(self.by()),
            over: over.filter(|_| verb.0 != "create" && verb.0 != "delete"),
            rate_ppb: 1_000_000_000,
            what,
        }))
    }

    fn stored(&self, kind: Kind) -> Result<Option<What>, String> {
        let response = self.response_object.map(body).transpose()?;
        if let Some(response) = response.filter(|body| body.metadata.is_some()) {
            return Ok(response.stored(kind)?.map(What::Stored));
        }
        // A patch is not what was stored.
        let whole = self.verb.as_ref().is_some_and(|verb| verb.0 != "patch");
        let Some(request) = self.request_object.filter(|_| whole) else {
            return Ok(Some(What::Untold));
        };
        let stored = body(request)?.stored(kind)?;
        // What is asked for has the version that it replaces.
        Ok(stored.map(|stored| What::Stored(Stored { version: None, ..stored })))
    }

    /// A create may leave the name to the body.
    fn lock(&self, kind: Kind) -> Option<LockName> {
        let object = self.object_ref.as_ref()?;
        let namespace = object.namespace.as_ref().map(Text::shared).unwrap_or_default();
        let named = object.name.as_ref().filter(|name| !name.0.is_empty()).map(Text::shared);
        let in_body = || {
            let body = body(self.response_object?).ok()?;
            body.metadata?.name.as_ref().map(Text::shared)
        };
        Some(LockName { world: 0, kind, namespace, name: named.or_else(in_body)? })
    }

    fn window(&self) -> Option<Window> {
        let to = Moment::parse(&self.stage_timestamp.as_ref()?.0)?;
        let from = self.request_received_timestamp.as_ref();
        let from = from.and_then(|text| Moment::parse(&text.0)).unwrap_or(to);
        Some(Window { from: from.min(to), to })
    }

    /// Program, user and addresses.
    fn by(&self) -> Arc<str> {
        let agent = self.user_agent.as_ref().map_or("", |text| &text.0);
        let user = self.user.as_ref().and_then(|user| user.username.as_ref());
        let mut by = format!("{agent} ({}", user.map_or("", |text| &text.0));
        for address in self.source_ips.iter().flatten() {
            by.push_str(", ");
            by.push_str(&address.0);
        }
        by.push(')');
        by.into()
    }
}

fn body(text: &RawValue) -> Result<Body<'_>, String> {
    serde_json::from_str(text.get()).map_err(|error| error.to_string())
}

impl ObjectRef<'_> {
    fn kind(&self) -> Option<Kind> {
        let group = self.api_group.as_ref().map_or("", |group| &group.0);
        match (group, &*self.resource.as_ref()?.0) {
            ("coordination.k8s.io", "leases") => Some(Kind::Lease),
            ("", "configmaps") => Some(Kind::ConfigMap),
            ("", "endpoints") => Some(Kind::Endpoints),
            _ => None,
        }
    }
}
