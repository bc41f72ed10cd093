//! The store: Kubernetes' API server over etcd, as far as locks need it.
//!
//! One counter gives every write in the store its version, so versions are ordered, also across
//! deletions and kinds. Each call takes effect at one instant (the store is linearizable); what may
//! go wrong before and after is the world's business.

use core::hash::{Hash, Hasher};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::{Failure, Stored};
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Identity, Kind, Object, Record, Version, wire};
use tenure::time::Timestamp;

use crate::fault::Edit;
use crate::scenario;
use crate::trace::Snapshot;

/// How many records of each object are kept for [`Edit::Restore`].
const HISTORY: usize = 64;

/// What [`Edit::Garble`] writes: no client reads a record in it.
const GARBAGE: &str = "{\"holderIdentity\":";

/// A call to the store. Objects live in one namespace and are known by kind and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Read one Lease as it is now.
    Get {
        /// Its name.
        name: Arc<str>,
    },
    /// Read all Leases that have a label (all Leases if `None`), in the order of their names.
    List {
        /// The label's key and value.
        label: Option<(Arc<str>, Arc<str>)>,
    },
    /// Make an object.
    Create(Object),
    /// Write over the object with this version. An object with a uid is written only over itself.
    Update {
        /// The whole new object.
        object: Object,
        /// The version to write over.
        version: u64,
    },
    /// Remove a Lease.
    Delete {
        /// Its name.
        name: Arc<str>,
        /// Only at this version.
        version: Option<u64>,
    },
}

/// What a successful call gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The object as it is now.
    Stored(Stored),
    /// The objects, and the version of the whole store that they stood at.
    List(Vec<Stored>, u64),
    /// It is gone.
    Deleted,
}

/// The store.
///
/// ```
/// use tenure::election::Failure;
/// use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
/// use tenure::lock::{Kind, Object};
/// use tenure_sim::fault::Edit;
/// use tenure_sim::scenario;
/// use tenure_sim::store::Store;
///
/// let mut store = Store::new(&scenario::Store::default());
/// let metadata = Metadata { name: "lock".into(), ..Metadata::default() };
/// let spec = LeaseSpec { holder_identity: Some("a".into()), ..LeaseSpec::default() };
/// let made = store.create(&Object::Lease(Lease { metadata: metadata.into(), spec })).unwrap().clone();
/// let first = store.snapshot("lock").unwrap().clone();
/// assert_eq!((first.version, first.record.holder.as_str()), (1, "a"));
///
/// // Somebody takes it by hand: who writes over the version that it read is refused.
/// let holder = "b".to_owned();
/// assert!(store.edit(Kind::Lease, "lock", &Edit::SetHolder { holder, duration_seconds: None }));
/// assert_eq!(store.update(&made.object, first.version), Err(Failure::Conflict));
/// assert_eq!(store.snapshot_of(Kind::Lease, "lock").unwrap().record.holder.as_str(), "b");
/// assert_eq!(store.get_of(Kind::ConfigMap, "lock"), Err(Failure::NotFound), "of each kind its own");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    leases: Shelf,
    config_maps: Shelf,
    endpoints: Shelf,
    version: u64,
    uids: u64,
    validate: bool,
    keep_version: bool,
}

/// The objects of one kind, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Shelf {
    objects: BTreeMap<Arc<str>, Held>,
    /// What their records were; `None` if nobody will ask.
    history: Option<BTreeMap<Arc<str>, VecDeque<Record>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    stored: Stored,
    snapshot: Arc<Snapshot>,
}

/// A store that only has Leases hashes as it did when there was nothing else, so that digests of such
/// runs stay comparable.
impl Hash for Store {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.leases.objects.hash(state);
        (self.version, self.uids, self.validate, self.keep_version).hash(state);
        self.leases.history.hash(state);
        for shelf in [&self.config_maps, &self.endpoints] {
            if !shelf.objects.is_empty() {
                shelf.hash(state);
            }
        }
    }
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(rules: &scenario::Store) -> Self {
        Self {
            leases: Shelf::default(),
            config_maps: Shelf::default(),
            endpoints: Shelf::default(),
            version: 0,
            uids: 0,
            validate: rules.validate,
            keep_version: rules.keep_version,
        }
    }

    /// From now on remembers what records were, for [`Edit::Restore`].
    pub(crate) fn remember(&mut self) {
        for shelf in [&mut self.leases, &mut self.config_maps, &mut self.endpoints] {
            shelf.history = Some(BTreeMap::new());
        }
    }

    const fn shelf(&self, kind: Kind) -> &Shelf {
        match kind {
            Kind::Lease => &self.leases,
            Kind::ConfigMap => &self.config_maps,
            Kind::Endpoints => &self.endpoints,
        }
    }

    const fn shelf_mut(&mut self, kind: Kind) -> &mut Shelf {
        match kind {
            Kind::Lease => &mut self.leases,
            Kind::ConfigMap => &mut self.config_maps,
            Kind::Endpoints => &mut self.endpoints,
        }
    }

    /// The version of the last write.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The record of a Lease as it is now.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Option<&Arc<Snapshot>> {
        self.snapshot_of(Kind::Lease, name)
    }

    /// The record of an object as it is now.
    #[must_use]
    pub fn snapshot_of(&self, kind: Kind, name: &str) -> Option<&Arc<Snapshot>> {
        self.shelf(kind).objects.get(name).map(|held| &held.snapshot)
    }

    /// Any call.
    ///
    /// # Errors
    /// As the single calls.
    pub fn call(&mut self, call: &Call) -> Result<Answer, Failure> {
        match call {
            Call::Get { name } => self.get(name).cloned().map(Answer::Stored),
            Call::List { label } => {
                let (objects, version) = self.list(label.as_ref());
                Ok(Answer::List(objects, version))
            }
            Call::Create(object) => self.create(object).cloned().map(Answer::Stored),
            Call::Update { object, version } => {
                self.update(object, *version).cloned().map(Answer::Stored)
            }
            Call::Delete { name, version } => {
                self.delete(Kind::Lease, name, *version).map(|()| Answer::Deleted)
            }
        }
    }

    /// Reads a Lease.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub fn get(&self, name: &str) -> Result<&Stored, Failure> {
        self.get_of(Kind::Lease, name)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub fn get_of(&self, kind: Kind, name: &str) -> Result<&Stored, Failure> {
        self.shelf(kind).objects.get(name).map(|held| &held.stored).ok_or(Failure::NotFound)
    }

    /// Reads all Leases with a label, in the order of their names, and the store's version.
    #[must_use]
    pub fn list(&self, label: Option<&(Arc<str>, Arc<str>)>) -> (Vec<Stored>, u64) {
        let has = |held: &&Held| {
            let labels = &held.stored.object.metadata().labels;
            label.is_none_or(|(key, value)| labels.get(key) == Some(value))
        };
        let leases = self.leases.objects.values();
        (leases.filter(has).map(|held| held.stored.clone()).collect(), self.version)
    }

    /// Makes an object.
    ///
    /// # Errors
    /// [`Failure::AlreadyExists`]; [`Failure::Other`] for what is invalid.
    pub fn create(&mut self, object: &Object) -> Result<&Stored, Failure> {
        self.validated(object)?;
        let (kind, name) = (object.kind(), object_name(object));
        if self.shelf(kind).objects.contains_key(name) {
            return Err(Failure::AlreadyExists);
        }
        self.uids += 1;
        let mut anew = object.clone();
        Arc::make_mut(anew.metadata_mut()).uid = self.uids.to_string().into();
        self.put(anew, self.uids);
        self.get_of(kind, name)
    }

    /// Writes over an object.
    ///
    /// # Errors
    /// [`Failure::Conflict`] if the version or the uid is another, or there is no object of that uid
    /// (any more) and it is no `ConfigMap`; [`Failure::NotFound`] if there is none and the object has
    /// no uid, or is a `ConfigMap`; [`Failure::Other`] for what is invalid.
    pub fn update(&mut self, object: &Object, version: u64) -> Result<&Stored, Failure> {
        let (kind, metadata) = (object.kind(), object.metadata());
        let Some(held) = self.shelf(kind).objects.get(&metadata.name) else {
            // Of kinds that an update may create, the uid in the body is a precondition.
            let by_uid = kind != Kind::ConfigMap && !metadata.uid.is_empty();
            return Err(if by_uid { Failure::Conflict } else { Failure::NotFound });
        };
        let present = held.stored.object.metadata();
        let other_uid = !metadata.uid.is_empty() && metadata.uid != present.uid;
        if other_uid || held.snapshot.version != version {
            return Err(Failure::Conflict);
        }
        self.validated(object)?;
        let uid = held.snapshot.uid;
        let mut anew = object.clone();
        if metadata.uid != present.uid {
            Arc::make_mut(anew.metadata_mut()).uid = present.uid.clone();
        }
        self.write(anew, uid);
        self.get_of(kind, object_name(object))
    }

    /// Removes an object.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] if it has another version.
    pub fn delete(&mut self, kind: Kind, name: &str, version: Option<u64>) -> Result<(), Failure> {
        let objects = &mut self.shelf_mut(kind).objects;
        let held = objects.get(name).ok_or(Failure::NotFound)?;
        if version.is_some_and(|version| version != held.snapshot.version) {
            return Err(Failure::Conflict);
        }
        objects.remove(name);
        self.version += 1; // as in etcd
        Ok(())
    }

    /// Somebody edits an object by hand. False if there is none, nothing to restore, or nothing in it
    /// that could be garbled.
    pub fn edit(&mut self, kind: Kind, name: &str, edit: &Edit) -> bool {
        let Some(held) = self.shelf(kind).objects.get(name) else { return false };
        let (mut object, uid) = (held.stored.object.clone(), held.snapshot.uid);
        let mut record = held.snapshot.record.clone();
        match edit {
            Edit::SetHolder { holder, duration_seconds } => {
                record.holder = Identity::from(holder.as_str());
                if let Some(seconds) = duration_seconds {
                    record.lease_duration_seconds = i64::from(*seconds);
                }
                hold(&mut object, &record);
            }
            Edit::ClearHolder {} => {
                record.holder = Identity::default();
                hold(&mut object, &record);
            }
            Edit::TouchLabel {} => {
                let value = self.version.to_string().into();
                Arc::make_mut(object.metadata_mut()).labels.insert("touched".into(), value);
            }
            Edit::Garble {} => match &mut object {
                Object::Lease(_) => return false,
                Object::ConfigMap(it) | Object::Endpoints(it) => it.annotate(GARBAGE),
            },
            Edit::Restore { back } => {
                let history = self.shelf(kind).history.as_ref().and_then(|all| all.get(name));
                let record = history.and_then(|history| history.iter().nth_back(*back as usize));
                let Some(record) = record else { return false };
                restore(&mut object, record);
            }
        }
        self.write(object, uid);
        true
    }

    /// Puts a lock there before the run begins.
    pub(crate) fn seed(
        &mut self,
        kind: Kind,
        name: &str,
        namespace: &str,
        initial: &scenario::Initial,
    ) {
        self.uids += 1;
        let metadata = Arc::new(Metadata {
            name: name.into(),
            namespace: namespace.into(),
            uid: self.uids.to_string().into(),
            rest: initial.rest.as_ref().map(|rest| rest.as_bytes().into()),
            ..Metadata::default()
        });
        let mut object = match kind {
            Kind::Lease => Object::Lease(Lease { metadata, ..Lease::default() }),
            Kind::ConfigMap => Object::ConfigMap(Annotated { metadata }),
            Kind::Endpoints => Object::Endpoints(Annotated { metadata }),
        };
        let record = Record {
            holder: Identity::from(initial.holder.as_str()),
            lease_duration_seconds: initial.lease_duration_seconds.into(),
            leader_transitions: initial.transitions.into(),
            ..Record::default()
        };
        match &mut object {
            Object::Lease(lease) => {
                lease.spec.holder_identity = Some(record.holder);
                lease.spec.lease_duration_seconds = Some(initial.lease_duration_seconds);
                lease.spec.lease_transitions = Some(initial.transitions);
            }
            Object::ConfigMap(it) | Object::Endpoints(it) => {
                it.annotate(wire::record_to_json(&record));
            }
        }
        self.put(object, self.uids);
    }

    /// What a Kubernetes API server refuses.
    fn validated(&self, object: &Object) -> Result<(), Failure> {
        if object_name(object).is_empty() {
            return Err(Failure::Other);
        }
        let Object::Lease(Lease { spec, .. }) = object else { return Ok(()) };
        let short = spec.lease_duration_seconds.is_some_and(|seconds| seconds <= 0);
        let negative = spec.lease_transitions.is_some_and(|transitions| transitions < 0);
        let strays = spec.strategy.is_none() && spec.preferred_holder.is_some();
        if self.validate && (short || negative || strays) {
            return Err(Failure::Other);
        }
        Ok(())
    }

    /// Stores what may be what is there already.
    fn write(&mut self, mut object: Object, uid: u64) {
        cut(&mut object);
        let held = self.shelf(object.kind()).objects.get(object_name(&object));
        if !(self.keep_version && held.is_some_and(|held| held.stored.object == object)) {
            self.put(object, uid);
        }
    }

    /// Stores under a new version.
    fn put(&mut self, mut object: Object, uid: u64) {
        cut(&mut object);
        self.version += 1;
        let version = self.version;
        let (record, unreadable) = match object.record() {
            Ok(record) => (record, false),
            Err(_) => (Record::default(), true),
        };
        let name = object.metadata().name.clone();
        let among = self.shelf_mut(object.kind());
        if let Some(history) = among.history.as_mut().filter(|_| !unreadable) {
            let history = history.entry(name.clone()).or_default();
            if history.back() != Some(&record) {
                if history.len() == HISTORY {
                    history.pop_front();
                }
                history.push_back(record.clone());
            }
        }
        let snapshot = Arc::new(Snapshot { version, uid, record, unreadable });
        let stored = Stored { object, version: Version::ordered(version) };
        among.objects.insert(name, Held { stored, snapshot });
    }
}

/// The name by which an object is known.
fn object_name(object: &Object) -> &str {
    &object.metadata().name
}

/// A person changes holder and duration, and nothing else that a Lease says or leaves out.
fn hold(object: &mut Object, record: &Record) {
    match object {
        Object::Lease(lease) => {
            lease.spec.holder_identity = Some(record.holder.clone());
            lease.spec.lease_duration_seconds = i32::try_from(record.lease_duration_seconds)
                .ok()
                .filter(|seconds| *seconds != 0 || lease.spec.lease_duration_seconds.is_some());
        }
        Object::ConfigMap(it) | Object::Endpoints(it) => it.annotate(wire::record_to_json(record)),
    }
}

/// A record is there again.
fn restore(object: &mut Object, record: &Record) {
    match object {
        Object::Lease(lease) => lease.spec = LeaseSpec::from_record(record),
        Object::ConfigMap(it) | Object::Endpoints(it) => it.annotate(wire::record_to_json(record)),
    }
}

/// A Lease's times are kept in whole microseconds; an annotation is text.
fn cut(object: &mut Object) {
    if let Object::Lease(Lease { spec, .. }) = object {
        spec.acquire_time = spec.acquire_time.map(Timestamp::truncate_to_micros);
        spec.renew_time = spec.renew_time.map(Timestamp::truncate_to_micros);
    }
}

#[cfg(test)]
mod tests;
