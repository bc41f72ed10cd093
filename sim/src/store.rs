//! The store: Kubernetes' API server over etcd, as far as locks need it.
//!
//! One counter gives every write in the store its version, so versions are ordered, also across
//! deletions. Each call takes effect at one instant (the store is linearizable); what may go wrong
//! before and after is the world's business.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tenure::election::{Failure, Stored};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{Identity, Object, Record, Version};
use tenure::time::Timestamp;

use crate::fault::Edit;
use crate::scenario;
use crate::trace::Snapshot;

/// How many records of each object are kept for [`Edit::Restore`].
const HISTORY: usize = 64;

/// A call to the store. Objects live in one namespace and are known by their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Read one object as it is now.
    Get {
        /// Its name.
        name: Arc<str>,
    },
    /// Read all objects that have a label (all objects if `None`), in the order of their names.
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
    /// Remove an object.
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Store {
    objects: BTreeMap<Arc<str>, Held>,
    version: u64,
    uids: u64,
    validate: bool,
    keep_version: bool,
    /// By object; `None` if nobody will ask.
    history: Option<BTreeMap<Arc<str>, VecDeque<Record>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    stored: Stored,
    snapshot: Arc<Snapshot>,
}

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(rules: &scenario::Store) -> Self {
        Self {
            objects: BTreeMap::new(),
            version: 0,
            uids: 0,
            validate: rules.validate,
            keep_version: rules.keep_version,
            history: None,
        }
    }

    /// From now on remembers what records were, for [`Edit::Restore`].
    pub(crate) fn remember(&mut self) {
        self.history = Some(BTreeMap::new());
    }

    /// The version of the last write.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The record of an object as it is now.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> Option<&Arc<Snapshot>> {
        self.objects.get(name).map(|held| &held.snapshot)
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
            Call::Delete { name, version } => self.delete(name, *version).map(|()| Answer::Deleted),
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub fn get(&self, name: &str) -> Result<&Stored, Failure> {
        self.objects.get(name).map(|held| &held.stored).ok_or(Failure::NotFound)
    }

    /// Reads all objects with a label, in the order of their names, and the store's version.
    #[must_use]
    pub fn list(&self, label: Option<&(Arc<str>, Arc<str>)>) -> (Vec<Stored>, u64) {
        let has = |held: &&Held| {
            let labels = &held.stored.object.metadata().labels;
            label.is_none_or(|(key, value)| labels.get(key) == Some(value))
        };
        (self.objects.values().filter(has).map(|held| held.stored.clone()).collect(), self.version)
    }

    /// Makes an object.
    ///
    /// # Errors
    /// [`Failure::AlreadyExists`]; [`Failure::Other`] for what is invalid.
    pub fn create(&mut self, object: &Object) -> Result<&Stored, Failure> {
        let Object::Lease(mut lease) = object.clone() else { return Err(Failure::Other) };
        self.validated(&lease)?;
        if self.objects.contains_key(&lease.metadata.name) {
            return Err(Failure::AlreadyExists);
        }
        self.uids += 1;
        Arc::make_mut(&mut lease.metadata).uid = self.uids.to_string().into();
        self.put(lease, self.uids);
        self.get(object_name(object))
    }

    /// Writes over an object.
    ///
    /// # Errors
    /// [`Failure::Conflict`] if the version or the uid is another, or there is no object of that uid
    /// (any more); [`Failure::NotFound`] if there is none and the object has no uid;
    /// [`Failure::Other`] for what is invalid.
    pub fn update(&mut self, object: &Object, version: u64) -> Result<&Stored, Failure> {
        let Object::Lease(lease) = object else { return Err(Failure::Other) };
        let metadata = &lease.metadata;
        let Some(held) = self.objects.get(&metadata.name) else {
            let missing =
                if metadata.uid.is_empty() { Failure::NotFound } else { Failure::Conflict };
            return Err(missing);
        };
        let Object::Lease(present) = &held.stored.object else { return Err(Failure::Other) };
        let other_uid = !metadata.uid.is_empty() && metadata.uid != present.metadata.uid;
        if other_uid || held.snapshot.version != version {
            return Err(Failure::Conflict);
        }
        self.validated(lease)?;
        let uid = held.snapshot.uid;
        let mut lease = lease.clone();
        if lease.metadata.uid != present.metadata.uid {
            Arc::make_mut(&mut lease.metadata).uid = present.metadata.uid.clone();
        }
        self.write(lease, uid);
        self.get(object_name(object))
    }

    /// Removes an object.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Conflict`] if it has another version.
    pub fn delete(&mut self, name: &str, version: Option<u64>) -> Result<(), Failure> {
        let held = self.objects.get(name).ok_or(Failure::NotFound)?;
        if version.is_some_and(|version| version != held.snapshot.version) {
            return Err(Failure::Conflict);
        }
        self.objects.remove(name);
        self.version += 1; // as in etcd
        Ok(())
    }

    /// Somebody edits an object by hand. False if there is none, or nothing to restore.
    pub fn edit(&mut self, name: &str, edit: &Edit) -> bool {
        let Some(held) = self.objects.get(name) else { return false };
        let Object::Lease(mut lease) = held.stored.object.clone() else { return false };
        match edit {
            Edit::SetHolder { holder, duration_seconds } => {
                lease.spec.holder_identity = Some(Identity::from(holder.as_str()));
                lease.spec.lease_duration_seconds =
                    duration_seconds.or(lease.spec.lease_duration_seconds);
            }
            Edit::ClearHolder {} => lease.spec.holder_identity = Some(Identity::default()),
            Edit::TouchLabel {} => {
                let value = self.version.to_string().into();
                Arc::make_mut(&mut lease.metadata).labels.insert("touched".into(), value);
            }
            Edit::Restore { back } => {
                let history = self.history.as_ref().and_then(|history| history.get(name));
                let record = history.and_then(|history| history.iter().nth_back(*back as usize));
                let Some(record) = record else { return false };
                lease.spec = LeaseSpec::from_record(record);
            }
        }
        let uid = held.snapshot.uid;
        self.write(lease, uid);
        true
    }

    /// Puts a lock there before the run begins.
    pub(crate) fn seed(&mut self, name: &str, namespace: &str, initial: &scenario::Initial) {
        let mut lease = Lease::default();
        let metadata = Arc::make_mut(&mut lease.metadata);
        metadata.name = name.into();
        metadata.namespace = namespace.into();
        lease.spec.holder_identity = Some(Identity::from(initial.holder.as_str()));
        lease.spec.lease_duration_seconds = Some(initial.lease_duration_seconds);
        lease.spec.lease_transitions = Some(initial.transitions);
        self.uids += 1;
        Arc::make_mut(&mut lease.metadata).uid = self.uids.to_string().into();
        self.put(lease, self.uids);
    }

    /// What a Kubernetes API server refuses.
    fn validated(&self, lease: &Lease) -> Result<(), Failure> {
        let spec = &lease.spec;
        let short = spec.lease_duration_seconds.is_some_and(|seconds| seconds <= 0);
        let negative = spec.lease_transitions.is_some_and(|transitions| transitions < 0);
        let empty = lease.metadata.name.is_empty();
        let strays = spec.strategy.is_none() && spec.preferred_holder.is_some();
        if empty || (self.validate && (short || negative || strays)) {
            return Err(Failure::Other);
        }
        Ok(())
    }

    /// Stores what may be what is there already.
    fn write(&mut self, mut lease: Lease, uid: u64) {
        cut(&mut lease.spec);
        let held = self.objects.get(&lease.metadata.name);
        let same = |held: &Held| matches!(&held.stored.object, Object::Lease(old) if *old == lease);
        if !(self.keep_version && held.is_some_and(same)) {
            self.put(lease, uid);
        }
    }

    /// Stores under a new version.
    fn put(&mut self, mut lease: Lease, uid: u64) {
        cut(&mut lease.spec);
        self.version += 1;
        let record = lease.spec.to_record();
        let name = lease.metadata.name.clone();
        if let Some(history) = &mut self.history {
            let history = history.entry(name.clone()).or_default();
            if history.back() != Some(&record) {
                if history.len() == HISTORY {
                    history.pop_front();
                }
                history.push_back(record.clone());
            }
        }
        let snapshot = Arc::new(Snapshot { version: self.version, uid, record });
        let stored =
            Stored { object: Object::Lease(lease), version: Version::ordered(self.version) };
        self.objects.insert(name, Held { stored, snapshot });
    }
}

/// The name by which an object is known.
fn object_name(object: &Object) -> &str {
    &object.metadata().name
}

/// Times are kept in whole microseconds.
fn cut(spec: &mut LeaseSpec) {
    spec.acquire_time = spec.acquire_time.map(Timestamp::truncate_to_micros);
    spec.renew_time = spec.renew_time.map(Timestamp::truncate_to_micros);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str) -> Object {
        let mut lease = Lease::default();
        Arc::make_mut(&mut lease.metadata).name = "lock".into();
        lease.spec.holder_identity = Some(holder.into());
        lease.spec.lease_duration_seconds = Some(15);
        Object::Lease(lease)
    }

    fn with(change: impl FnOnce(&mut Lease)) -> Object {
        let Object::Lease(mut lease) = lease("a") else { panic!() };
        change(&mut lease);
        Object::Lease(lease)
    }

    fn store() -> Store {
        Store::new(&scenario::Store::default())
    }

    #[test]
    fn calls_have_the_semantics_of_the_api_server() {
        let mut store = store();
        let number = |stored: Result<&Stored, Failure>| {
            stored.map(|stored| stored.version.as_ordered().unwrap())
        };
        assert_eq!(number(store.get("lock")), Err(Failure::NotFound));
        assert_eq!(number(store.update(&lease("a"), 1)), Err(Failure::NotFound));
        assert_eq!(number(store.create(&lease("a"))), Ok(1));
        assert_eq!(number(store.create(&lease("b"))), Err(Failure::AlreadyExists));
        assert_eq!(number(store.update(&lease("b"), 7)), Err(Failure::Conflict));
        assert_eq!(number(store.update(&lease("b"), 1)), Ok(2));
        assert_eq!(number(store.update(&lease("c"), 1)), Err(Failure::Conflict));
        assert_eq!(number(store.update(&lease("b"), 2)), Ok(2), "a write that changes nothing");
        let old = store.get("lock").unwrap().object.clone();
        assert_eq!(store.delete("lock", Some(1)), Err(Failure::Conflict));
        assert_eq!(store.delete("lock", Some(2)), Ok(()));
        assert_eq!(store.delete("lock", None), Err(Failure::NotFound));
        assert_eq!(number(store.update(&old, 2)), Err(Failure::Conflict), "gone, by its uid");
        assert_eq!(number(store.create(&lease("c"))), Ok(4), "deleting is a write too");
        assert_eq!(number(store.update(&old, 4)), Err(Failure::Conflict), "another uid");
    }

    #[test]
    fn what_is_invalid_is_refused_unless_told_otherwise() {
        let invalid = [
            with(|lease| lease.spec.lease_duration_seconds = Some(0)),
            with(|lease| lease.spec.lease_transitions = Some(-1)),
            with(|lease| lease.spec.preferred_holder = Some("b".into())),
        ];
        let lenient = scenario::Store { validate: false, ..scenario::Store::default() };
        for object in &invalid {
            assert_eq!(store().create(object), Err(Failure::Other));
            assert!(Store::new(&lenient).create(object).is_ok());
            let mut store = store();
            store.create(&lease("a")).unwrap();
            assert_eq!(store.update(object, 1), Err(Failure::Other));
        }
        let nameless = with(|lease| Arc::make_mut(&mut lease.metadata).name = "".into());
        assert_eq!(Store::new(&lenient).create(&nameless), Err(Failure::Other));
    }

    #[test]
    fn times_are_cut_to_microseconds() {
        let time = Timestamp::from_unix(5, 123_456_789);
        let object = with(|lease| lease.spec.renew_time = time);
        let mut store = store();
        let stored = store.create(&object).unwrap();
        assert_eq!(
            stored.object.record().unwrap().renew_time,
            Timestamp::from_unix(5, 123_456_000)
        );
        // So a renewal within the same microsecond changes nothing.
        let again = with(|lease| lease.spec.renew_time = Timestamp::from_unix(5, 123_456_001));
        assert_eq!(store.update(&again, 1).unwrap().version, Version::ordered(1));
    }

    #[test]
    fn a_list_is_of_a_label_in_order_with_the_version_of_the_store() {
        let mut store = store();
        for (name, group) in [("b", "x"), ("a", "x"), ("c", "y")] {
            let object = with(|lease| {
                let metadata = Arc::make_mut(&mut lease.metadata);
                metadata.name = name.into();
                metadata.labels = [("group".into(), group.into())].into();
            });
            store.create(&object).unwrap();
        }
        let (objects, version) = store.list(Some(&("group".into(), "x".into())));
        let names: Vec<_> = objects.iter().map(|stored| object_name(&stored.object)).collect();
        assert_eq!((names.as_slice(), version), (["a", "b"].as_slice(), 3));
        assert_eq!(store.list(None).0.len(), 3);
    }

    #[test]
    fn people_can_edit() {
        let mut store = store();
        store.remember();
        assert!(!store.edit("lock", &Edit::ClearHolder {}));
        store.create(&lease("a")).unwrap();
        let record = |store: &Store| store.snapshot("lock").unwrap().record.clone();
        let first = record(&store);
        assert!(store.edit("lock", &Edit::TouchLabel {}));
        assert_eq!((store.version(), &record(&store)), (2, &first));
        let edit = Edit::SetHolder { holder: "nobody".into(), duration_seconds: Some(3600) };
        assert!(store.edit("lock", &edit));
        assert_eq!(record(&store).holder.as_str(), "nobody");
        assert_eq!(record(&store).lease_duration_seconds, 3600);
        assert!(store.edit("lock", &Edit::ClearHolder {}));
        assert!(record(&store).holder.is_empty());
        assert!(store.edit("lock", &Edit::Restore { back: 2 }));
        assert_eq!(record(&store), first);
        assert!(!store.edit("lock", &Edit::Restore { back: 9 }));
    }
}
