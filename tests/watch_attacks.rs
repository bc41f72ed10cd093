//! Ways to starve an elector, or to make it ask without end: stores that keep less than they are
//! given, watches that show less than all, writes that take effect and are answered as failed.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Missing, Op, Request, Response, Stored, Watched};
use tenure::lock::{
    Identity, Kind, LockRef, Object, Record, Version,
    lease::{Lease, LeaseSpec},
};
use tenure::time::{Instant, Now, Timestamp};

fn config() -> Config {
    Config { missing: Missing::NewGroup, ..Config::new(LockRef::lease("ns", "lock"), "me", "1") }
}

fn now(millis: u64) -> Now {
    let instant = Instant::default() + Duration::from_millis(millis);
    Now { instant, timestamp: Timestamp::from_unix_nanos(i128::from(instant.as_nanos())) }
}

/// What is odd about a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    #[default]
    Faithful,
    Nameless,
    /// It keeps no annotations, and gives each write a version.
    RecordsOnly,
    /// Writes take effect, and are answered as failed.
    Fails,
}

/// Objects by kind and name; a write that changes nothing is taken for none.
#[derive(Default)]
struct Store {
    objects: BTreeMap<(Kind, Arc<str>), Stored>,
    version: u64,
    way: Way,
    /// Which kind no watch shows.
    unwatched: Option<Kind>,
    /// What the watch has to show.
    written: Vec<Stored>,
    asked: usize,
}

impl Store {
    fn write(&mut self, kind: Kind, name: Arc<str>, mut object: Object) -> Stored {
        let metadata = Arc::make_mut(object.metadata_mut());
        if self.way == Way::Nameless {
            (metadata.name, metadata.namespace) = ("".into(), "".into());
        }
        if self.way == Way::RecordsOnly {
            metadata.annotations.clear();
        }
        let same = self.objects.get(&(kind, name.clone())).filter(|it| it.object == object);
        if let Some(same) = same.filter(|_| self.way != Way::RecordsOnly) {
            return same.clone();
        }
        self.insert(kind, name, object)
    }

    fn insert(&mut self, kind: Kind, name: Arc<str>, object: Object) -> Stored {
        self.version += 1;
        let stored = Stored { object, version: Version::ordered(self.version) };
        self.objects.insert((kind, name), stored.clone());
        if self.unwatched != Some(kind) {
            self.written.push(stored.clone());
        }
        stored
    }

    fn answer(&mut self, request: &Request) -> Result<Stored, Failure> {
        self.asked += 1;
        let (kind, name) = (request.lock.kind, request.lock.name.clone());
        let stored = self.objects.get(&(kind, name.clone()));
        let object = match (&request.op, stored) {
            (Op::Get, stored) => return stored.cloned().ok_or(Failure::NotFound),
            (Op::Create(_), Some(_)) => return Err(Failure::AlreadyExists),
            (Op::Update(_, over), stored) if stored.is_none_or(|it| it.version != *over) => {
                return Err(Failure::Conflict);
            }
            (Op::Create(object) | Op::Update(object, _), _) => object.clone(),
        };
        let stored = self.write(kind, name, object);
        if self.way == Way::Fails { Err(Failure::Other) } else { Ok(stored) }
    }

    /// Puts in a Lease of somebody else, or of nobody.
    fn put(&mut self, holder: &str) {
        let holder = Identity::from(holder);
        let record = Record { holder, lease_duration_seconds: 15, ..Record::default() };
        let mut lease = Lease { spec: LeaseSpec::from_record(&record), ..Lease::default() };
        Arc::make_mut(&mut lease.metadata).name = "lock".into();
        self.write(Kind::Lease, "lock".into(), Object::Lease(lease));
    }

    /// Lets somebody write the Lease without changing the record.
    fn touch(&mut self) {
        let lease = self.objects.get(&(Kind::Lease, "lock".into())).unwrap().object.clone();
        self.insert(Kind::Lease, "lock".into(), lease);
    }
}

/// Answers at once whatever is asked, and shows what is written if there is a watch.
fn settle(elector: &mut Elector, store: &mut Store, at: Now, watch: bool) {
    let before = store.asked;
    loop {
        while let Some(request) = elector.poll_request() {
            let result = store.answer(&request);
            elector.handle_response(at, Response { id: request.id, result });
            assert!(store.asked - before < 20, "a busy loop");
        }
        let written = std::mem::take(&mut store.written);
        if !watch || written.is_empty() {
            return;
        }
        for stored in written {
            elector.handle_watch(at, Watched::Stored(stored));
        }
    }
}

/// Every tenth of a second, until `end` milliseconds.
fn run(elector: &mut Elector, store: &mut Store, begin: u64, end: u64, watch: bool) {
    for at in (begin..=end).step_by(100).map(now) {
        elector.handle_timeout(at);
        settle(elector, store, at, watch);
    }
}

/// The watch of a backend without names cannot say which of two objects it shows. A leader that read
/// the lock whenever it is shown its own renewal would renew at the speed of the network.
#[test]
fn own_renewals_shown_without_a_name_make_no_busy_loop() {
    let config = Config { secondary: Some(LockRef::lease("ns", "lock-2")), ..config() };
    let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
    let mut store = Store { way: Way::Nameless, ..Store::default() };
    run(&mut elector, &mut store, 0, 20_000, true);
    assert!(elector.is_leading(now(20_000).instant));
    // Two reads and two writes at first, then two writes for each retry period.
    assert_eq!(store.asked, 2 + 2 + 2 * 10);
}

/// A watch of one object of two says nothing of the other, which must be read as without a watch.
#[test]
fn what_is_not_watched_is_read() {
    let lease = LockRef::lease("ns", "lock");
    let secondary = Some(LockRef { kind: Kind::ConfigMap, ..lease });
    let config = Config { secondary, missing: Missing::Wait, ..config() };
    let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
    let mut store = Store { unwatched: Some(Kind::ConfigMap), ..Store::default() };
    store.put("");
    // The Lease is free, and somebody touches it each second.
    for second in 0..25 {
        store.touch();
        run(&mut elector, &mut store, second * 1_000, second * 1_000 + 900, true);
    }
    assert!(elector.is_leading(now(24_900).instant));
}

/// A wall clock that stands at Go's zero time, which is stored as none.
#[test]
fn a_wall_clock_at_zero_renews() {
    for kind in [Kind::Lease, Kind::ConfigMap, Kind::Endpoints] {
        let config = Config { lock: LockRef { kind, ..LockRef::lease("ns", "lock") }, ..config() };
        let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
        let mut store = Store::default();
        for at in (0..=20_000).step_by(100) {
            let at = Now { timestamp: Timestamp::GO_ZERO, ..now(at) };
            elector.handle_timeout(at);
            settle(&mut elector, &mut store, at, false);
        }
        assert!(elector.is_leading(now(20_000).instant), "{kind}");
        assert_eq!(store.asked, 2 + 10, "{kind}");
    }
}

/// In a store that keeps records only, a wish is nowhere to be seen. Repeated, it would restart
/// everybody's wait for ever, and nobody would follow a dead leader.
#[test]
fn a_wish_that_is_not_kept_delays_a_takeover_only_once() {
    for watch in [false, true] {
        let config = Config { preferred: true, ..config() };
        let mut elector = Elector::new(config, 1, now(0).instant).unwrap();
        let mut store = Store { way: Way::RecordsOnly, ..Store::default() };
        store.put("dead");
        run(&mut elector, &mut store, 0, 26_000, watch);
        assert!(elector.is_leading(now(26_000).instant));
    }
}

/// Each takeover takes effect, is answered as failed and shown by the watch, as this replica's: that
/// must be no reason to write again at once.
#[test]
fn failed_takeovers_that_a_watch_shows_make_no_busy_loop() {
    let mut elector = Elector::new(config(), 1, now(0).instant).unwrap();
    let mut store = Store { way: Way::Fails, ..Store::default() };
    store.put("");
    run(&mut elector, &mut store, 0, 20_000, true);
    // A read and a write for each candidate's wait.
    assert!(store.asked <= 2 * 11, "{}", store.asked);
    store.way = Way::Faithful;
    run(&mut elector, &mut store, 20_000, 25_000, true);
    assert!(elector.is_leading(now(25_000).instant));
}
