//! The objects that are stored, sent and answered in a world, by number.

use std::collections::BTreeMap;

use tenure::election::Profile;
use tenure::lock::lease::{Lease, LeaseSpec, Metadata};
use tenure::lock::{Object, Record};
use tenure::time::Timestamp;

use super::fingerprint::{Digest, digest};

/// What the two objects are called that may carry a lock.
pub(super) const PLACES: [&str; 2] = ["lock", "lock-2"];

/// The number of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct ObjectId(pub(super) u16);

/// All objects that were ever seen, each once.
#[derive(Debug, Default)]
pub(super) struct Objects {
    numbers: BTreeMap<Digest, ObjectId>,
    known: Vec<Known>,
    /// Records are cleaned of what grows for ever and decides nothing.
    settles: bool,
}

#[derive(Debug)]
struct Known {
    object: Object,
    record: Record,
    settled: Option<ObjectId>,
}

impl Objects {
    /// `settles`: worlds that differ in times and transitions only are to be equal.
    pub(super) fn new(profile: Profile, settles: bool) -> Self {
        Self { settles: settles && profile == Profile::Strict, ..Self::default() }
    }

    pub(super) fn number(&mut self, object: Object) -> ObjectId {
        let key = digest(&object, [0, 1, 2]);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = u16::try_from(self.known.len()).unwrap_or(u16::MAX);
        assert!(number < u16::MAX, "a world has fewer objects than 65535");
        let record = object.record().unwrap_or_default();
        self.known.push(Known { object, record, settled: None });
        self.numbers.insert(key, ObjectId(number));
        ObjectId(number)
    }

    pub(super) fn get(&self, number: ObjectId) -> &Object {
        &self.known[usize::from(number.0)].object
    }

    pub(super) fn record(&self, number: ObjectId) -> &Record {
        &self.known[usize::from(number.0)].record
    }

    /// The lock, or an object of it, that nobody holds.
    pub(super) fn free(&mut self, place: usize) -> ObjectId {
        let spec = LeaseSpec::from_record(&Record::default());
        let metadata = Metadata { name: PLACES[place].into(), ..Metadata::default() };
        let free = self.number(Object::Lease(Lease { spec, metadata: metadata.into() }));
        self.settled(free)
    }

    /// The object, its holder cleared by somebody with an editor.
    pub(super) fn cleared(&mut self, number: ObjectId) -> ObjectId {
        let mut object = self.get(number).clone();
        if let Object::Lease(lease) = &mut object {
            lease.spec.holder_identity = None;
        }
        self.number(object)
    }

    /// What the store is taken to have once the object was written: the same, but for what decides
    /// nothing.
    pub(super) fn settled(&mut self, number: ObjectId) -> ObjectId {
        if !self.settles {
            return number;
        }
        let known = &self.known[usize::from(number.0)];
        if let Some(settled) = known.settled {
            return settled;
        }
        let mut record = known.record.clone();
        settle(&mut record);
        let mut object = known.object.clone();
        if let Object::Lease(lease) = &mut object {
            lease.spec = LeaseSpec::from_record(&record);
        }
        let settled = self.number(object);
        self.known[usize::from(number.0)].settled = Some(settled);
        settled
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Takes from a record what a strict elector only copies or counts on: the times, of which a write
/// shows others, and the transitions.
pub(super) fn settle(record: &mut Record) {
    record.leader_transitions = 5;
    record.acquire_time = Timestamp::from_unix(SETTLED, 0);
    record.renew_time = record.acquire_time;
}

/// The times in a settled record, in seconds.
const SETTLED: i64 = 1_000;
/// What a strict elector's wall clock shows to one whose records are settled: another time.
pub(super) const UNSETTLED: i64 = 2_000;
