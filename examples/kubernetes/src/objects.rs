//! Which ConfigMaps there are for this replica: a list and a watch, by `shardSelector` where the server
//! knows it (KEP-5866) and filtered here where it does not.

use std::time::Duration;

use axum::body::Bytes;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Deserialize;
use tenure::sharding::{Selector, ShardInfo};
use tokio::sync::{mpsc, watch};

use crate::api::{Api, Call, Fault, path};
use crate::clock;
use crate::watch::{Change, Target, Watch};

/// ConfigMaps with this label are worked on, and no others.
pub const LABEL: &str = "tenure.dev/demo=true";

const RESOURCE: &str = "configmaps";
/// How many a page of a list has.
const PAGE: &str = "500";
/// What answers a page of a list at the latest.
const LISTED: Duration = Duration::from_secs(30);
/// Between a list or watch that failed and the next list.
const PAUSE: Duration = Duration::from_secs(1);

/// What to list and watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// This replica may not act. It must not list either: without a selector everything would come.
    Nothing,
    /// All.
    Everything,
    /// What lies on its slots.
    Selected(Selector),
}

/// What there is to work on.
#[derive(Debug)]
pub enum Seen {
    /// Nothing but these.
    Listed(Vec<ConfigMap>),
    /// This one is new, or was written.
    Stored(Box<ConfigMap>),
    /// The one with this UID is gone.
    Deleted(String),
}

/// Where the ConfigMaps are.
#[derive(Debug)]
pub struct Objects {
    api: Api,
    root: String,
}

#[derive(Deserialize)]
struct List {
    metadata: ListMeta,
    items: Vec<ConfigMap>,
}

/// `metav1.ListMeta`; kube's has no `shardInfo` yet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    resource_version: String,
    #[serde(rename = "continue", default)]
    more: String,
    #[serde(default)]
    shard_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    selector: String,
}

/// A list that cannot be used with this selector.
enum Unusable {
    /// The server will not have it, or has applied another.
    Selector(String),
    Fault(Fault),
}

impl From<Fault> for Unusable {
    fn from(fault: Fault) -> Self {
        match fault {
            // 400: the server knows the parameter, and does not take it. 414 and 431 come from something
            // in between that takes no long requests. All would say the same again.
            Fault::Refused { code: 400 | 414 | 431, ref message, .. } => {
                Self::Selector(message.clone())
            }
            fault => Self::Fault(fault),
        }
    }
}

impl Objects {
    /// Those of a namespace.
    #[must_use]
    pub fn new(api: Api, namespace: &str) -> Self {
        Self { api, root: format!("/api/v1/namespaces/{namespace}/{RESOURCE}") }
    }

    /// Tells `seen` what there is in the scope, again whenever the scope is set. Ends when nobody sets it
    /// or nobody looks any more.
    pub async fn follow(&self, mut scope: watch::Receiver<Scope>, seen: mpsc::Sender<Seen>) {
        loop {
            let now = scope.borrow_and_update().clone();
            let selector = match &now {
                Scope::Nothing => {
                    let nothing = seen.send(Seen::Listed(Vec::new())).await;
                    if nothing.is_err() || scope.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                Scope::Everything => None,
                Scope::Selected(selector) => Some(selector),
            };
            tokio::select! {
                // Another selector is another list and another watch: the running one does not repeat what
                // came before it.
                changed = scope.changed() => if changed.is_err() { return },
                fault = self.list_and_watch(selector, &seen) => {
                    tracing::info!(%fault, "the objects are listed anew");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if seen.is_closed() {
                return;
            }
        }
    }

    async fn list_and_watch(
        &self,
        selector: Option<&Selector>,
        seen: &mpsc::Sender<Seen>,
    ) -> Fault {
        match self.attempt(selector, selector, seen).await {
            Unusable::Fault(fault) => fault,
            Unusable::Selector(why) => {
                tracing::warn!(why, "without shardSelector: this replica reads everything");
                match self.attempt(None, selector, seen).await {
                    Unusable::Fault(fault) => fault,
                    Unusable::Selector(why) => Fault::Unknown(why),
                }
            }
        }
    }

    /// Lists and watches with the selector `asked`, and lets through what `wanted` matches, whatever the
    /// server makes of it.
    async fn attempt(
        &self,
        asked: Option<&Selector>,
        wanted: Option<&Selector>,
        seen: &mpsc::Sender<Seen>,
    ) -> Unusable {
        let text = asked.map(ToString::to_string);
        let mut query = vec![("labelSelector", LABEL)];
        query.extend(text.as_deref().map(|text| ("shardSelector", text)));
        let (items, version) = match self.list(&query, asked).await {
            Ok(listed) => listed,
            Err(unusable) => return unusable,
        };
        let mine = |object: &ConfigMap| wanted.is_none_or(|wanted| wanted.matches(uid(object)));
        let items = items.into_iter().filter(mine).collect();
        let ended = || Unusable::Fault(Fault::Unknown("nobody looks any more".into()));
        if seen.send(Seen::Listed(items)).await.is_err() {
            return ended();
        }
        let query = query.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        let target = Target { resource: RESOURCE, root: self.root.clone(), query };
        let mut watch = Watch::new(self.api.clone(), target, version);
        loop {
            let change = match watch.next().await {
                Ok(change) => change,
                Err(fault) => return fault.into(),
            };
            let (text, gone) = match change {
                Change::Stored(text) => (text, false),
                Change::Deleted(text) => (text, true),
                Change::Progress(_) => continue,
            };
            let object = match read(&text) {
                Ok(object) => object,
                Err(fault) => return fault.into(),
            };
            // Also after a list that was honoured: a watch says nothing of its selector, and may reach
            // another server than the list did.
            if !mine(&object) {
                continue;
            }
            let told = if gone { Seen::Deleted(uid(&object).into()) } else { Seen::Stored(object) };
            if seen.send(told).await.is_err() {
                return ended();
            }
        }
    }

    async fn list(
        &self,
        query: &[(&'static str, &str)],
        asked: Option<&Selector>,
    ) -> Result<(Vec<ConfigMap>, String), Unusable> {
        let (mut all, mut more, mut first) = (Vec::new(), String::new(), None);
        loop {
            let mut query = query.to_vec();
            query.push(("limit", PAGE));
            if !more.is_empty() {
                query.push(("continue", &more));
            }
            let call = Call::read("list", RESOURCE, path(&self.root, &query));
            let body = self.api.call(&call, clock::instant() + LISTED).await?;
            let page: List = serde_json::from_slice(&body)
                .map_err(|error| Fault::Unknown(format!("the list cannot be read: {error}")))?;
            // Each page says for itself what it is; the only evidence that the server has looked at the
            // selector, since one that does not know a parameter ignores it.
            let info = page.metadata.shard_info.as_ref().map(|info| info.selector.as_str());
            if let Some(ShardInfo::Different(other)) = asked.map(|asked| asked.answered(info)) {
                return Err(Unusable::Selector(format!("the server has selected {other}")));
            }
            all.extend(page.items);
            more = page.metadata.more;
            // All pages are of one version. Should a server think otherwise, nothing is missed after the
            // first.
            let version = first.get_or_insert(page.metadata.resource_version);
            if more.is_empty() {
                return Ok((all, version.clone()));
            }
        }
    }
}

fn read(text: &Bytes) -> Result<Box<ConfigMap>, Fault> {
    let garbled = |error| Fault::Unknown(format!("a ConfigMap cannot be read: {error}"));
    serde_json::from_slice(text).map_err(garbled)
}

/// What an object's slot is made of.
pub(crate) fn uid(object: &ConfigMap) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}
