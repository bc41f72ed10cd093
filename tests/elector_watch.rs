//! What a watch saves: a hundred candidates, with and without, count their reads and take over.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Op, Response, Stored, Watched};
use tenure::lock::{LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

const LEASE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(2);
/// From a write to its delivery by the watch.
const LATENCY: Duration = Duration::from_millis(50);

/// Electors on a store that answers at once; the clocks of all agree.
struct Group {
    electors: Vec<Elector>,
    stored: Option<Stored>,
    /// Deliveries of the watch, by when they come; `None` without a watch.
    deliveries: Option<BTreeMap<(Instant, usize), Stored>>,
    now: Instant,
    reads: usize,
    writes: usize,
    conflicts: usize,
}

impl Group {
    fn new(candidates: u64, watch: bool) -> Self {
        let elector = |i| {
            let config = Config::new(LockRef::lease("ns", "lock"), format!("pod-{i}"), "1");
            Elector::new(config, i, Instant::default()).unwrap()
        };
        Self {
            electors: (0..=candidates).map(elector).collect(),
            stored: None,
            deliveries: watch.then(BTreeMap::new),
            now: Instant::default(),
            reads: 0,
            writes: 0,
            conflicts: 0,
        }
    }

    fn leader(&self) -> Option<usize> {
        self.electors.iter().position(|elector| elector.is_leading(self.now))
    }

    fn store(&mut self, op: Op) -> Result<Stored, Failure> {
        let version = self.stored.as_ref().map(|stored| stored.version.clone());
        let next = version.as_ref().and_then(Version::as_ordered).unwrap_or(0) + 1;
        let object = match (op, version) {
            (Op::Get, _) => {
                self.reads += 1;
                return self.stored.clone().ok_or(Failure::NotFound);
            }
            (Op::Create(_), Some(_)) => return Err(Failure::AlreadyExists),
            (Op::Update(_, over), version) if Some(&over) != version.as_ref() => {
                self.conflicts += 1;
                return Err(Failure::Conflict);
            }
            (Op::Create(object) | Op::Update(object, _), _) => object,
        };
        self.writes += 1;
        let stored = Stored { object, version: Version::ordered(next) };
        self.stored = Some(stored.clone());
        if let Some(deliveries) = &mut self.deliveries {
            for i in 0..self.electors.len() {
                deliveries.insert((self.now + LATENCY, i), stored.clone());
            }
        }
        Ok(stored)
    }

    fn call(&mut self, i: usize, door: impl FnOnce(&mut Elector, Now)) {
        let nanos = self.now.as_nanos().into();
        let now = Now { instant: self.now, timestamp: Timestamp::from_unix_nanos(nanos) };
        door(&mut self.electors[i], now);
        while let Some(request) = self.electors[i].poll_request() {
            let response = Response { id: request.id, result: self.store(request.op) };
            self.electors[i].handle_response(now, response);
        }
        while self.electors[i].poll_event().is_some() {}
    }

    /// Lets time go by until `end`, or until somebody else leads than `not`.
    fn run(&mut self, end: Instant, not: Option<usize>) {
        while self.now < end && (not.is_none() || self.leader().is_none_or(|i| not == Some(i))) {
            let timers = self.electors.iter().map(|elector| elector.poll_timeout().unwrap());
            let (timer, i) = timers.zip(0..).min().unwrap();
            let delivery = self
                .deliveries
                .as_mut()
                .and_then(BTreeMap::first_entry)
                .filter(|it| it.key().0 <= timer);
            if let Some(delivery) = delivery {
                let ((at, i), stored) = delivery.remove_entry();
                self.now = at;
                self.call(i, |elector, now| elector.handle_watch(now, Watched::Stored(stored)));
            } else {
                self.now = timer;
                self.call(i, Elector::handle_timeout);
            }
        }
    }
}

/// Reads in a minute, how long after the last renewal the takeover came, conflicts at it.
fn measure(watch: bool) -> (usize, Duration, usize) {
    let mut group = Group::new(100, watch);
    group.run(Instant::default() + Duration::from_secs(60), None);
    let leader = group.leader().unwrap();
    (group.reads, group.conflicts) = (0, 0);
    let start = group.now;
    group.run(start + Duration::from_secs(60), None);
    assert_eq!(group.leader(), Some(leader));
    let reads = group.reads;
    // It stops: nobody hears of it but by the silence.
    let written = group.writes;
    while group.writes == written {
        group.run(group.now + Duration::from_nanos(1), None);
    }
    let last = group.now;
    let dead = group.electors.swap_remove(leader);
    drop(dead);
    if let Some(deliveries) = &mut group.deliveries {
        deliveries.retain(|(_, i), _| *i < 100);
    }
    group.conflicts = 0;
    group.run(last + Duration::from_secs(60), Some(usize::MAX));
    let took = group.now.saturating_since(last);
    group.run(group.now + LATENCY / 2, None);
    (reads, took, group.conflicts)
}

#[test]
fn a_watch_saves_reads_and_time() {
    let (polled, slow, _) = measure(false);
    let (watched, fast, conflicts) = measure(true);
    println!("a minute's reads of 100 candidates: {polled}, with a watch {watched}");
    println!(
        "takeover after the last renewal: {slow:?}, with a watch {fast:?} ({conflicts} conflicts)"
    );
    assert!((1_700..2_100).contains(&polled), "{polled}");
    assert_eq!(watched, 0);
    assert!(slow > LEASE && slow < LEASE + RETRY * 44 / 10, "{slow:?}");
    assert_eq!(fast, LEASE + LATENCY);
    // The price: all go for it at once, and all but one in vain.
    assert_eq!(conflicts, 99);
}

/// A watch that went quiet costs no more than polling: as many reads, and a takeover no later.
#[test]
fn a_dead_watch_costs_nothing() {
    let mut group = Group::new(100, true);
    group.run(Instant::default() + Duration::from_secs(60), None);
    let leader = group.leader().unwrap();
    group.deliveries = None;
    group.reads = 0;
    let start = group.now;
    group.run(start + Duration::from_secs(60), None);
    assert!((1_500..2_100).contains(&group.reads), "{}", group.reads);
    assert_eq!((group.leader(), group.conflicts > 100), (Some(leader), false));
    let last = group.now;
    group.electors.swap_remove(leader);
    group.run(last + Duration::from_secs(60), Some(usize::MAX));
    assert!(group.now.saturating_since(last) < LEASE + RETRY * 44 / 10);
}
