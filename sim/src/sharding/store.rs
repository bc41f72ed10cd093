//! The store of a sharded group: objects by name, one counter of versions for all (as etcd has it), a
//! log for watches. What may go wrong before and after a call takes effect is the world's business.

use core::hash::{Hash, Hasher};
use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::election::Failure;

use super::system::{Held, Op, Reply, Value};

/// The store.
#[derive(Debug, Clone)]
pub struct Store<V> {
    objects: BTreeMap<Arc<str>, Held<V>>,
    version: u64,
    /// What was written, in order, as far as a watch may still ask for it; and how much was before.
    log: Vec<Write<V>>,
    forgotten: usize,
}

/// One write.
#[derive(Debug, Clone)]
pub(super) struct Write<V> {
    pub(super) name: Arc<str>,
    pub(super) version: u64,
    /// What was written; none if it was deleted.
    pub(super) value: Option<V>,
    /// The version it replaced.
    pub(super) before: Option<u64>,
    /// Whose the replaced one was. Read by nobody but traces.
    pub(super) replaced: Option<V>,
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), version: 0, log: Vec::new(), forgotten: 0 }
    }
}

impl<V: Hash> Hash for Store<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.objects.hash(state);
        self.version.hash(state);
    }
}

impl<V: Value> Store<V> {
    /// The object of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Held<V>> {
        self.objects.get(name)
    }

    /// The version of the last write.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many writes there were.
    pub(super) const fn written(&self) -> usize {
        self.forgotten + self.log.len()
    }

    /// How many of them are still known.
    pub(super) const fn kept(&self) -> usize {
        self.log.len()
    }

    /// The write of this number, from 0, unless it was forgotten.
    pub(super) fn write(&self, number: usize) -> Option<&Write<V>> {
        self.log.get(number.checked_sub(self.forgotten)?)
    }

    /// The number of the first write after this version. Where the log begins later, no less than any that
    /// was forgotten.
    pub(super) fn first_after(&self, version: u64) -> usize {
        self.forgotten + self.log.partition_point(|write| write.version <= version)
    }

    /// Nobody will ask for writes before this number.
    pub(super) fn forget(&mut self, before: usize) {
        let many = before.saturating_sub(self.forgotten).min(self.log.len());
        self.log.drain(..many);
        self.forgotten += many;
    }

    /// A call takes effect.
    ///
    /// # Errors
    /// As Kubernetes answers: 404, 409.
    pub(super) fn apply(&mut self, op: Op<V>) -> Result<Reply<V>, Failure> {
        match op {
            Op::List(prefix) => {
                let from = self.objects.range(Arc::clone(&prefix)..);
                let objects = from.take_while(|(name, _)| name.starts_with(&*prefix));
                let objects = objects.map(|(_, held)| held.clone()).collect();
                Ok(Reply::Listed { objects, version: self.version })
            }
            Op::Get(name) => self.get(&name).cloned().map(Reply::Stored).ok_or(Failure::NotFound),
            Op::Create(name, value) => match self.get(&name) {
                Some(_) => Err(Failure::AlreadyExists),
                None => Ok(self.put(name, value)),
            },
            Op::Update(name, value, version) => match self.get(&name) {
                None => Err(Failure::NotFound),
                // No version is that large: it stands for any, as a machine without a rule may ask.
                Some(held) if held.version != version && version != u64::MAX => {
                    Err(Failure::Conflict)
                }
                Some(_) => Ok(self.put(name, value)),
            },
            Op::Delete(name, version) => match self.get(&name) {
                None => Err(Failure::NotFound),
                Some(held) if version.is_some_and(|version| version != held.version) => {
                    Err(Failure::Conflict)
                }
                Some(_) => {
                    self.version += 1;
                    let old = self.objects.remove(&name);
                    self.record(name, None, old);
                    Ok(Reply::Deleted)
                }
            },
        }
    }

    fn put(&mut self, name: Arc<str>, mut value: V) -> Reply<V> {
        self.version += 1;
        value.stored(!self.objects.contains_key(&name), self.version);
        let held = Held { name: Arc::clone(&name), value, version: self.version };
        let old = self.objects.insert(Arc::clone(&name), held.clone());
        self.record(name, Some(held.value.clone()), old);
        Reply::Stored(held)
    }

    fn record(&mut self, name: Arc<str>, value: Option<V>, old: Option<Held<V>>) {
        let before = old.as_ref().map(|old| old.version);
        let replaced = old.map(|old| old.value);
        self.log.push(Write { name, version: self.version, value, before, replaced });
    }
}
