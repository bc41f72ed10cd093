//! What a sharder asks, as calls of etcd; and how a member's record is stored.

use std::sync::Arc;
use std::time::Duration;

use tenure::election::Failure;
use tenure::lock::wire;
use tenure::sharding::planned::StoredPlan;
use tenure::sharding::{Answer, Config, MemberRecord, Op, StoredMember};

use crate::elect;
use crate::store::{Entry, Store};

/// The records of a group, each a key under one prefix, and its plan elsewhere.
#[derive(Clone)]
pub(crate) struct Members {
    pub(crate) store: Store,
    /// Ends with `/`, or the members of the group `a-b` would be among those of `a`.
    pub(crate) prefix: String,
    plan: String,
    namespace: Arc<str>,
    group: Arc<str>,
    lease_duration: Duration,
}

impl Members {
    pub(crate) fn new(store: Store, config: &Config) -> Self {
        Self {
            prefix: store.key("members", &config.namespace, &format!("{}/", config.group)),
            plan: store.key("plans", &config.namespace, &config.group),
            store,
            namespace: Arc::clone(&config.namespace),
            group: Arc::clone(&config.group),
            lease_duration: config.lease_duration,
        }
    }

    /// | `Op` | of etcd | fails with |
    /// | --- | --- | --- |
    /// | `List` | range over the prefix, its version the header's revision | |
    /// | `Create`, `CreatePlan` | transaction: if `create_revision` is 0, put | `AlreadyExists` |
    /// | `Update`, `UpdatePlan` | transaction: if `mod_revision` is the version, put | `Conflict`, `NotFound` |
    /// | `Delete` | transaction: if `mod_revision` is the version, delete | `Conflict`, `NotFound` |
    /// | `ReadPlan` | range | `NotFound` |
    /// | `Elect` | see [`elect`] | |
    pub(crate) async fn call(&self, op: Op) -> Result<Answer, Failure> {
        let store = &self.store;
        let written = |version| Answer::Written { version };
        match op {
            Op::List => {
                let (entries, version) = store.list(&self.prefix).await?;
                let members = entries.iter().map(|entry| self.read(entry)).collect();
                Ok(Answer::Listed { members, version })
            }
            Op::Create(record) => {
                let key = self.key(record.name());
                store.create(&key, self.text(&record)?).await.map(written)
            }
            Op::Update(record, over) => {
                let key = self.key(record.name());
                store.update(&key, self.text(&record)?, over).await.map(written)
            }
            Op::Delete(name, version) => {
                store.delete(&self.key(&name), version).await.map(|()| Answer::Deleted)
            }
            Op::ReadPlan => {
                let entry = store.get(&self.plan).await?;
                let version = entry.version;
                let plan = str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok());
                Ok(Answer::Planned(plan.map_or_else(
                    || StoredPlan::unreadable(version),
                    |plan| StoredPlan { plan: Arc::new(plan), version },
                )))
            }
            Op::CreatePlan(plan) => store.create(&self.plan, plan.to_text()).await.map(written),
            Op::UpdatePlan(plan, over) => {
                store.update(&self.plan, plan.to_text(), over).await.map(written)
            }
            Op::Elect(lock, op) => elect::call(store, &lock, op).await.map(Answer::Elected),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// As the Lease that it would be in Kubernetes, so that `tenure inspect` reads it.
    fn text(&self, record: &MemberRecord) -> Result<String, Failure> {
        let lease = record.to_lease(Arc::clone(&self.namespace), Arc::clone(&self.group));
        let lease = lease.map_err(|error| {
            eprintln!("the record of {} cannot be stored: {error}", record.name());
            Failure::Other
        })?;
        Ok(wire::lease_to_api_json(&lease, None))
    }

    /// Whose record it is, the key says. One that cannot be read is never left out, since its member may
    /// be at work.
    pub(crate) fn read(&self, entry: &Entry) -> StoredMember {
        let name = &*entry.name;
        let unreadable = |why: String| {
            eprintln!("the record of {name} cannot be read: {why}");
            MemberRecord::unreadable(name, self.lease_duration)
        };
        let record = match wire::lease_from_api_json(&entry.value) {
            Ok((lease, _)) => match MemberRecord::from_lease(&lease, &self.group) {
                Ok(record) if record.name() == name => record,
                Ok(record) => unreadable(format!("it is that of {}", record.name())),
                Err(error) => match error.instead().filter(|instead| instead.name() == name) {
                    Some(instead) => {
                        eprintln!("the record of {name} cannot be read: {error}");
                        instead
                    }
                    None => unreadable(error.to_string()),
                },
            },
            Err(error) => unreadable(error.to_string()),
        };
        StoredMember { record: Arc::new(record), version: entry.version }
    }
}
