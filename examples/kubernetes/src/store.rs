//! The store that a `Sharder` asks for, made of Leases: the table of `docs/sharding.md`, "On Kubernetes".

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure::election::Failure;
use tenure::lock::Object;
use tenure::lock::lease::{Lease, Metadata};
use tenure::sharding::planned::StoredPlan;
use tenure::sharding::{
    Answer, GROUP_LABEL, MemberRecord, Op, Plan, Request, Response, StoredMember, Watched,
};
use tenure::time::Instant;

use crate::api::Fault;
use crate::leases::{Leases, Versioned, told, versioned};
use crate::watch::{Change, Watch};

/// The records, the plan and the locks of one group.
#[derive(Debug)]
pub(crate) struct Store {
    leases: Leases,
    namespace: Arc<str>,
    group: Arc<str>,
    /// Each Lease as it was read or written last: an update is made of that, so that what others have put
    /// there stays, and so that it names the UID.
    known: Mutex<BTreeMap<Arc<str>, Versioned>>,
}

impl Store {
    pub(crate) fn new(leases: Leases, namespace: Arc<str>, group: Arc<str>) -> Self {
        Self { leases, namespace, group, known: Mutex::default() }
    }

    fn selector(&self) -> String {
        format!("{GROUP_LABEL}={}", self.group)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Versioned>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner) // nothing in here panics
    }

    fn remember(&self, (lease, version): Versioned) {
        let mut known = self.known();
        let name = Arc::clone(&lease.metadata.name);
        // Answers come in any order.
        if known.get(&name).is_none_or(|(_, known)| *known < version) {
            known.insert(name, (lease, version));
        }
    }

    fn recall(&self, name: &str) -> Result<Lease, Failure> {
        // That it is not known here does not say that there is none.
        self.known().get(name).map(|(lease, _)| lease.clone()).ok_or(Failure::Other)
    }

    /// Sends the request, and brings its answer, at the latest at its deadline.
    pub(crate) async fn answer(&self, request: Request) -> Response {
        let Request { id, op, deadline } = request;
        Response { id, result: self.ask(op, deadline).await }
    }

    async fn ask(&self, op: Op, deadline: Instant) -> Result<Answer, Failure> {
        match op {
            Op::List => self.list(deadline).await,
            Op::Create(record) => {
                let lease = record.to_lease(Arc::clone(&self.namespace), Arc::clone(&self.group));
                self.written(self.leases.create(&lease.map_err(|e| odd(&e))?, deadline).await)
            }
            Op::Update(record, version) => {
                let mut lease = self.recall(&self.name(record.name()))?;
                record.put_into(&mut lease, &self.group).map_err(|error| odd(&error))?;
                self.written(self.leases.update(&lease, version, deadline).await)
            }
            Op::Delete(member, version) => {
                let lease = self.recall(&self.name(&member))?;
                let deleted = self.leases.delete(&lease, version, deadline).await;
                deleted.map(|()| Answer::Deleted).map_err(|fault| told(&fault))
            }
            Op::ReadPlan => {
                let (lease, version) = self
                    .leases
                    .get(&self.name("plan"), deadline)
                    .await
                    .map_err(|fault| told(&fault))?;
                self.remember((lease.clone(), version));
                Ok(Answer::Planned(plan(lease, version)))
            }
            Op::CreatePlan(plan) => {
                let metadata = Metadata {
                    namespace: Arc::clone(&self.namespace),
                    name: self.name("plan").into(),
                    ..Metadata::default()
                };
                let lease = Lease { metadata: metadata.into(), ..Lease::default() };
                let lease = with_plan(lease, &plan)?;
                self.written(self.leases.create(&lease, deadline).await)
            }
            Op::UpdatePlan(plan, version) => {
                let lease = with_plan(self.recall(&self.name("plan"))?, &plan)?;
                self.written(self.leases.update(&lease, version, deadline).await)
            }
            Op::Elect(lock, op) => {
                self.leases.elect(&lock.name, op, deadline).await.map(Answer::Elected)
            }
        }
    }

    fn name(&self, of: &str) -> String {
        format!("{}-{of}", self.group)
    }

    fn written(&self, outcome: Result<Versioned, Fault>) -> Result<Answer, Failure> {
        let (lease, version) = outcome.map_err(|fault| told(&fault))?;
        self.remember((lease, version));
        Ok(Answer::Written { version })
    }

    async fn list(&self, deadline: Instant) -> Result<Answer, Failure> {
        let listed = self.leases.list(&self.selector(), deadline).await;
        let (leases, version) = listed.map_err(|fault| told(&fault))?;
        let members = leases.iter().filter_map(|(lease, version)| self.member(lease, *version));
        let members = members.collect();
        // What is gone is forgotten; the plan has no label, and is not in the list.
        let plan = self.name("plan");
        let listed = |name: &str| leases.iter().any(|(lease, _)| *lease.metadata.name == *name);
        self.known().retain(|name, (_, known)| **name == *plan || *known > version || listed(name));
        for lease in leases {
            self.remember(lease);
        }
        Ok(Answer::Listed { members, version })
    }

    /// A record that cannot be read is not left out: its member may be at work. What is no record of the
    /// group, though it has the label, is.
    fn member(&self, lease: &Lease, version: u64) -> Option<StoredMember> {
        let record = MemberRecord::from_lease(lease, &self.group).or_else(|error| {
            tracing::warn!(lease = &*lease.metadata.name, %error, "not a readable record");
            error.instead().ok_or(error)
        });
        Some(StoredMember { record: record.ok()?.into(), version })
    }

    /// A watch of the records, from the version of a list that was handed in.
    pub(crate) fn watch(&self, after: u64) -> Watch {
        self.leases.watch(&self.selector(), after)
    }

    /// What a watch has shown, as the machine is told.
    pub(crate) fn watched(&self, change: Result<Change, Fault>) -> Option<Watched> {
        let read =
            |text: &[u8]| versioned(text).inspect_err(|fault| tracing::warn!(%fault, "in a watch"));
        match change {
            Ok(Change::Stored(text)) => {
                let Ok((lease, version)) = read(&text) else { return Some(Watched::Broken) };
                let member = self.member(&lease, version)?;
                self.remember((lease, version));
                Some(Watched::Stored(member))
            }
            Ok(Change::Deleted(text)) => {
                let Ok((lease, version)) = read(&text) else { return Some(Watched::Broken) };
                let name = self.member(&lease, version)?.record.name().into();
                Some(Watched::Deleted { name, version })
            }
            Ok(Change::Progress(version)) => match version.parse() {
                Ok(version) => Some(Watched::Progress { version }),
                Err(_) => Some(Watched::Broken),
            },
            Err(fault) => {
                tracing::info!(%fault, "the watch of the group has ended; a list begins another");
                Some(Watched::Broken)
            }
        }
    }
}

fn plan(lease: Lease, version: u64) -> StoredPlan {
    let read = Plan::read_from(&Object::Lease(lease));
    match read {
        Ok(Some(plan)) => StoredPlan { plan: plan.into(), version },
        Ok(None) => StoredPlan::unreadable(version),
        Err(error) => {
            tracing::warn!(%error, "the plan cannot be read; the leader makes it anew");
            StoredPlan::unreadable(version)
        }
    }
}

fn with_plan(lease: Lease, plan: &Plan) -> Result<Lease, Failure> {
    let mut object = Object::Lease(lease);
    plan.write_to(&mut object).map_err(|error| odd(&error))?;
    match object {
        Object::Lease(lease) => Ok(lease),
        Object::ConfigMap(_) | Object::Endpoints(_) => Err(Failure::Other),
    }
}

/// Nothing was sent: the machine's own record cannot be stored.
fn odd(error: &dyn std::error::Error) -> Failure {
    tracing::error!(%error, "nothing was sent");
    Failure::Other
}
