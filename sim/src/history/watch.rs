//! What `kubectl get … -w -o json` prints: objects one behind the other, with
//! `--output-watch-events` in events; and watch events as an API server sends them, with the time at
//! which they were `received` if somebody wrote that down.

use serde::Deserialize;
use tenure::lock::Kind;

use super::change::{Change, LockName, What};
use super::object::{Body, Metadata, Spec, Text};
use super::time::{Moment, Window};

/// A watch event, or an object by itself, or a list of some.
#[derive(Debug, Deserialize)]
pub(super) struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    event: Option<Text<'a>>,
    #[serde(borrow, default)]
    received: Option<Text<'a>>,
    #[serde(borrow, default)]
    object: Option<Body<'a>>,
    // The object's own members, where it stands by itself.
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    spec: Option<Spec<'a>>,
    #[serde(borrow, default)]
    items: Option<Vec<Body<'a>>>,
}

impl Item<'_> {
    /// What it says of each lock in it.
    pub(super) fn changes(self, line: u64, each: &mut dyn FnMut(Change)) -> Result<(), String> {
        let received = self.received.as_ref().and_then(|text| Moment::parse(&text.0));
        let window = received.map(Window::at);
        let event = self.event.as_ref().map_or("", |event| &event.0);
        if let Some(object) = &self.object {
            return one(object, event, window, line, each);
        }
        if let Some(items) = &self.items {
            return items.iter().try_for_each(|item| one(item, "LISTED", window, line, each));
        }
        let Self { kind, metadata, spec, .. } = self;
        one(&Body { kind, metadata, spec }, "", window, line, each)
    }
}

/// What one object says, shown by this event.
fn one(
    object: &Body<'_>,
    event: &str,
    window: Option<Window>,
    line: u64,
    each: &mut dyn FnMut(Change),
) -> Result<(), String> {
    let kind = match object.kind.as_ref().map(|kind| &*kind.0) {
        // In a list of Leases as the server sends it the items have no kind.
        Some("Lease") | None => Kind::Lease,
        Some("ConfigMap") => Kind::ConfigMap,
        Some("Endpoints") => Kind::Endpoints,
        Some(_) => return Ok(()),
    };
    let Some(metadata) = &object.metadata else { return Ok(()) };
    let Some(name) = &metadata.name else { return Ok(()) };
    let namespace = metadata.namespace.as_ref().map(Text::shared).unwrap_or_default();
    let lock = LockName { world: 0, kind, namespace, name: name.shared() };
    let what = match (event, object.stored(kind)?) {
        ("BOOKMARK" | "ERROR", _) => return Ok(()),
        ("DELETED", _) => What::Deleted,
        ("ADDED" | "LISTED", Some(stored)) => What::Shown(stored),
        (_, Some(stored)) => What::Stored(stored),
        (_, None) => return Ok(()),
    };
    let (by, over, took) = (None, None, None);
    each(Change { lock, line, window, by, over, took, rate_ppb: 1_000_000_000, what });
    Ok(())
}
