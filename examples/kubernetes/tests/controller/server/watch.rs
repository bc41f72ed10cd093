//! A watch: what has changed, line by line, with bookmarks, until it is cut or has expired.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::channel::{Channel, Sender};
use serde_json::{Value, json};
use tenure::sharding::Selector;

use super::http::{labelled, sharded, value};
use super::store::{Change, Refusal, refusal, text};
use super::{Server, status};

/// How often a bookmark comes. (Of the real one about once a minute.)
const BOOKMARK: Duration = Duration::from_millis(200);

struct Watch {
    server: Server,
    resource: &'static str,
    of: String,
    labels: Option<String>,
    selector: Option<Selector>,
    at: u64,
    cut: u64,
    out: Sender<Bytes, Infallible>,
}

pub(super) fn begin(
    server: &Server,
    resource: &'static str,
    of: String,
    query: &Vec<(String, String)>,
) -> Result<Body, Refusal> {
    let state = server.state();
    let selector = sharded(state.support, query)?;
    let at = value(query, "resourceVersion").and_then(|version| version.parse().ok());
    let at = at.ok_or_else(|| refusal(400, "BadRequest", "resourceVersion: Invalid value"))?;
    if at < state.store.compacted && state.gone_by_status {
        return Err(refusal(410, "Expired", "too old resource version"));
    }
    let (out, body) = Channel::new(64);
    let labels = value(query, "labelSelector").map(str::to_owned);
    let cut = state.watches_cut;
    drop(state);
    let server = server.clone();
    let watch = Watch { server, resource, of, labels, selector, at, cut, out };
    tokio::spawn(watch.run());
    Ok(Body::new(body))
}

impl Watch {
    async fn run(mut self) {
        let mut changed = self.server.changed.subscribe();
        if self.at < self.server.state().store.compacted {
            let gone = status(410, "Expired", "too old resource version");
            let _ = self.send("ERROR", &gone).await;
            return;
        }
        loop {
            self.server.reached(&self.of).await;
            let (fresh, version) = {
                let state = self.server.state();
                if state.watches_cut != self.cut {
                    return;
                }
                let from = state.store.history.partition_point(|change| change.version <= self.at);
                (state.store.history[from..].to_vec(), state.store.version)
            };
            for change in fresh {
                let Some((kind, object)) = self.shown(&change) else { continue };
                if self.send(kind, &object).await.is_err() {
                    return;
                }
            }
            self.at = version;
            if tokio::time::timeout(BOOKMARK, changed.changed()).await.is_err() {
                let kind = if self.resource == "leases" { "Lease" } else { "ConfigMap" };
                let metadata =
                    json!({"resourceVersion": self.at.to_string(), "creationTimestamp": null});
                let bookmark = json!({"kind": kind, "apiVersion": "v1", "metadata": metadata});
                if self.send("BOOKMARK", &bookmark).await.is_err() {
                    return;
                }
            }
        }
    }

    /// What a change is to somebody who sees only what the selectors let through.
    fn shown(&self, change: &Change) -> Option<(&'static str, Value)> {
        let sees = |object: &&Value| {
            labelled(object, self.labels.as_deref())
                && self.selector.as_ref().is_none_or(|s| s.matches(text(object, "/metadata/uid")))
        };
        if change.key.0 != self.resource {
            return None;
        }
        let (before, after) =
            (change.before.as_ref().filter(sees), change.after.as_ref().filter(sees));
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(("ADDED", after.clone())),
            (Some(_), Some(after)) => Some(("MODIFIED", after.clone())),
            (Some(before), None) => {
                let mut object = before.clone();
                object["metadata"]["resourceVersion"] = change.version.to_string().into();
                Some(("DELETED", object))
            }
        }
    }

    async fn send(&mut self, kind: &str, object: &Value) -> Result<(), ()> {
        let mut line = json!({"type": kind, "object": object}).to_string();
        line.push('\n');
        // In two pieces, as a network cuts them.
        let (head, tail) = line.split_at(line.len() / 2);
        for piece in [head, tail] {
            self.out.send_data(Bytes::copy_from_slice(piece.as_bytes())).await.map_err(|_| ())?;
        }
        Ok(())
    }
}
