//! Leases as `tenure` has them: each request of a machine as a call, each body by the crate's own writer
//! and reader, which keep what others have put there and write times with six digits.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tenure::election::{Failure, Op, Stored};
use tenure::lock::lease::Lease;
use tenure::lock::{Object, Version, wire};
use tenure::time::Instant;

use crate::api::{Api, Call, Fault, path};
use crate::watch::{Target, Watch};

const RESOURCE: &str = "leases";

/// The Leases of one namespace.
#[derive(Debug, Clone)]
pub struct Leases {
    api: Api,
    root: Arc<str>,
}

/// A Lease and its version. Kubernetes' versions of one resource are ordered (KEP-5504), so they are
/// numbers here.
pub type Versioned = (Lease, u64);

#[derive(Deserialize)]
struct List<'a> {
    metadata: ListMeta,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMeta {
    resource_version: String,
}

impl Leases {
    /// Those of a namespace.
    #[must_use]
    pub fn new(api: Api, namespace: &str) -> Self {
        let root = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/{RESOURCE}").into();
        Self { api, root }
    }

    /// A watch of those with this label, from the version of a list on.
    pub(crate) fn watch(&self, labels: &str, after: u64) -> Watch {
        let query = vec![("labelSelector", labels.to_owned())];
        let target = Target { resource: RESOURCE, root: self.root.to_string(), query };
        Watch::new(self.api.clone(), target, after.to_string())
    }

    /// It as it is now.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn get(&self, name: &str, deadline: Instant) -> Result<Versioned, Fault> {
        let call = Call::read("get", RESOURCE, format!("{}/{name}", self.root));
        versioned(&self.api.call(&call, deadline).await?)
    }

    /// A new one.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn create(&self, lease: &Lease, deadline: Instant) -> Result<Versioned, Fault> {
        let body = wire::lease_to_api_json(lease, None).into();
        let path = self.root.to_string();
        let call = Call { body, ..Call::read("create", RESOURCE, path) };
        versioned(&self.api.call(&call, deadline).await?)
    }

    /// Over this version, and no other.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn update(
        &self,
        lease: &Lease,
        version: u64,
        deadline: Instant,
    ) -> Result<Versioned, Fault> {
        let metadata = &lease.metadata;
        // A PUT of a Lease that is gone creates it, whatever version it names, unless it names the UID as
        // well: a replica would revive the lock, or the record, that somebody has deleted.
        if metadata.uid.is_empty() {
            return Err(Fault::Unknown(format!("{} was never read: not sent", metadata.name)));
        }
        let body = wire::lease_to_api_json(lease, Some(&version.to_string())).into();
        let path = format!("{}/{}", self.root, metadata.name);
        let call = Call { body, ..Call::read("update", RESOURCE, path) };
        versioned(&self.api.call(&call, deadline).await?)
    }

    /// This very one, if nobody has written it since.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn delete(
        &self,
        lease: &Lease,
        version: u64,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let metadata = &lease.metadata;
        let preconditions = json!({"uid": &*metadata.uid, "resourceVersion": version.to_string()});
        let options =
            json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions});
        let path = format!("{}/{}", self.root, metadata.name);
        let body = options.to_string().into();
        let call = Call { body, ..Call::read("delete", RESOURCE, path) };
        self.api.call(&call, deadline).await.map(|_| ())
    }

    /// All with this label, and the version of the whole. Without `limit` and `resourceVersion`: one
    /// consistent read of what is in the store now, which no cache and no second page can answer.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn list(
        &self,
        labels: &str,
        deadline: Instant,
    ) -> Result<(Vec<Versioned>, u64), Fault> {
        let path = path(&self.root, &[("labelSelector", labels)]);
        let body = self.api.call(&Call::read("list", RESOURCE, path), deadline).await?;
        let list: List<'_> = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
        let version = list.metadata.resource_version.parse().map_err(|error| unreadable(&error))?;
        let items = list.items.into_iter().map(|item| versioned(item.get().as_bytes()));
        Ok((items.collect::<Result<_, _>>()?, version))
    }

    /// What an elector asks, of whichever Lease carries its lock.
    ///
    /// # Errors
    /// See [`Fault`].
    pub async fn elect(&self, name: &str, op: Op, deadline: Instant) -> Result<Stored, Failure> {
        let outcome = match op {
            Op::Get => self.get(name, deadline).await,
            Op::Create(Object::Lease(lease)) => self.create(&lease, deadline).await,
            Op::Update(Object::Lease(lease), version) => match version.as_ordered() {
                Some(version) => self.update(&lease, version, deadline).await,
                None => Err(Fault::Unknown("a version that is no number".into())), // none is made here
            },
            Op::Create(_) | Op::Update(..) => Err(Fault::Unknown("the lock is no Lease".into())),
        };
        let stored = |(lease, version)| Stored {
            object: Object::Lease(lease),
            version: Version::ordered(version),
        };
        outcome.map(stored).map_err(|fault| told(&fault))
    }
}

/// A Lease as it stands in an answer, a list or a watch.
pub(crate) fn versioned(text: &[u8]) -> Result<Versioned, Fault> {
    let (lease, version) = wire::lease_from_json(text).map_err(|error| unreadable(&error))?;
    let version =
        version.ok_or_else(|| Fault::Unknown("an answer has no resourceVersion".into()))?;
    Ok((lease, version.parse().map_err(|error| unreadable(&error))?))
}

/// Why a call brought nothing, once for people and once for the machine.
pub(crate) fn told(fault: &Fault) -> Failure {
    let failure = fault.failure();
    if failure == Failure::Other {
        tracing::warn!(%fault, "a call on Leases failed");
    }
    failure
}

/// An answer that came and means nothing to us: what was asked may have been done.
fn unreadable(error: &dyn std::error::Error) -> Fault {
    tracing::error!(%error, "an answer of the API server cannot be read");
    Fault::Unknown(format!("the answer cannot be read: {error}"))
}
