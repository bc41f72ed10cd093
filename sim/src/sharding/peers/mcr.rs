//! multicluster-runtime's sharded coordinator: each replica keeps a peer's lease and ranks the peers for
//! each cluster; whoever comes first takes the cluster's fence lease and starts.
//!
//! Source: kubernetes-sigs/multicluster-runtime at d7413ad and, for the release of the peer's lease, at
//! 2b3b43c: `pkg/manager/coordinator/sharded/{coordinator,leaseguard}.go`, `sharder/hrw.go`,
//! `peers/registry.go`. Peers: 30 s, renewed each 10 s; fences: 20 s, renewed each 10 s; a decision each
//! 5 s. A lease has run out when the local *wall clock* says so.
//!
//! What it shows: the score is FNV-1a times the weight, whose top bits do not depend on the last byte
//! of a name, so pods called `x-0`, `x-1` … are unevenly loaded; a failed call gives a cluster up at
//! once, and one that hangs keeps it; a fence is released while work is in flight; no token. A slot
//! stands for a cluster, called `cluster-N`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tenure::election::Failure;
use tenure::placement::hash::fnv1a_64;
use tenure::time::Now;

use super::io::{Io, Logic, On, QUIET, name, wall};
use super::stored::{Lease, Stored};
use crate::sharding::system::{Birth, Op, Reply};
use crate::time::Span;

const PEER: Span = Span::from_secs(30);
const PEER_RENEW: Span = Span::from_secs(10);
const FENCE: Span = Span::from_secs(20);
const FENCE_RENEW: Span = Span::from_secs(10);
const PROBE: Span = Span::from_secs(5);

// Timers and calls: of the peer's lease, then of fences.
const PEERS: u8 = 1;
const READ: u8 = 2;
const WRITE: u8 = 3;
const LIST: u8 = 4;
const DECIDE: u8 = 5;
const GOODBYE: u8 = 6;
const ACQUIRE_READ: u8 = 11;
const ACQUIRE_WRITE: u8 = 12;
const RENEW: u8 = 13;
const RENEW_READ: u8 = 14;
const RENEW_WRITE: u8 = 15;
const RELEASE_READ: u8 = 16;
const RELEASE_WRITE: u8 = 17;

/// Who should own `cluster`, by position: the highest score, of equals the last.
pub(super) fn owner(cluster: &str, peers: &[(&str, u64)]) -> Option<usize> {
    let mut best: Option<(u64, usize)> = None;
    for (position, (peer, weight)) in peers.iter().enumerate() {
        let score = fnv1a_64(format!("{cluster}|{peer}").as_bytes()).wrapping_mul(*weight);
        if best.is_none_or(|(most, _)| score >= most) {
            best = Some((score, position));
        }
    }
    best.map(|(_, position)| position)
}

pub(super) fn cluster(slot: u32) -> String {
    format!("cluster-{slot}")
}

pub(super) fn owners(members: &[&str], slots: u32) -> Vec<usize> {
    let peers: Vec<(&str, u64)> = members.iter().map(|member| (*member, 1)).collect();
    (0..slots).map(|slot| owner(&cluster(slot), &peers).unwrap_or(0)).collect()
}

/// A replica.
pub(super) struct Multicluster {
    id: Arc<str>,
    weight: u64,
    peers: BTreeMap<Arc<str>, u64>,
    held: BTreeSet<u32>,
    /// To be acquired, one after the other.
    wanted: VecDeque<u32>,
    acquiring: bool,
    /// Releases under way.
    releasing: u32,
    leaving: bool,
    said: bool,
}

impl Multicluster {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        let (id, weight) = (name(birth), u64::from(birth.replica.weight));
        let it = Self {
            peers: BTreeMap::from([(Arc::clone(&id), weight)]),
            id,
            weight,
            held: BTreeSet::new(),
            wanted: VecDeque::new(),
            acquiring: false,
            releasing: 0,
            leaving: false,
            said: false,
        };
        io.after(birth.now, (PEERS, 0), Span::ZERO);
        io.after(birth.now, (DECIDE, 0), Span::ZERO);
        it
    }

    fn lease(&self, now: Now, duration: Span, counter: u64) -> Stored {
        let holder = Arc::clone(&self.id);
        Stored::Lease(Lease { holder, renewed: wall(now), duration, counter })
    }

    fn peer(&self) -> Arc<str> {
        format!("peer/{}", self.id).into()
    }

    /// Who should own what, by what is known now.
    fn decide(&mut self, now: Now, io: &mut Io) {
        io.after(now, (DECIDE, 0), PROBE);
        self.wanted.clear();
        let peers = self.peers.clone();
        let peers: Vec<(&str, u64)> =
            peers.iter().map(|(name, weight)| (&**name, *weight)).collect();
        for slot in 0..io.slots.count() {
            let first = owner(&cluster(slot), &peers).and_then(|first| peers.get(first));
            let should = first.is_some_and(|(name, _)| *name == &*self.id);
            match (should, self.held.contains(&slot)) {
                (true, false) => self.wanted.push_back(slot),
                (false, true) => self.release(now, slot, io),
                _ => {}
            }
        }
        self.acquire(now, io);
    }

    /// The next fence: the decision loop waits for each answer.
    fn acquire(&mut self, now: Now, io: &mut Io) {
        if self.acquiring || self.leaving {
            return;
        }
        let Some(slot) = self.wanted.pop_front() else { return };
        self.acquiring = true;
        io.call(now, (ACQUIRE_READ, slot), Op::Get(fence(slot)), QUIET);
    }

    /// Its context is cancelled, and the fence released at the same time.
    fn release(&mut self, now: Now, slot: u32, io: &mut Io) {
        self.held.remove(&slot);
        io.disown(slot);
        io.cancel((RENEW, slot));
        self.releasing += 1;
        io.call(now, (RELEASE_READ, slot), Op::Get(fence(slot)), QUIET);
    }

    fn leave(&mut self, now: Now, io: &mut Io) {
        self.leaving = true;
        self.wanted.clear();
        io.cancel((DECIDE, 0));
        io.cancel((PEERS, 0));
        // What the context ends.
        for kind in [READ, WRITE, LIST] {
            io.forget(kind);
        }
        io.stop_all();
        for slot in self.held.clone() {
            self.release(now, slot, io);
        }
        io.call(now, (GOODBYE, 0), Op::Get(self.peer()), Span::from_secs(5));
    }

    fn own_lease(
        &mut self,
        now: Now,
        kind: u8,
        result: Result<Reply<Stored>, Failure>,
        io: &mut Io,
    ) {
        match (kind, result) {
            (READ, Ok(Reply::Stored(held))) => {
                let lease = self.lease(now, PEER, self.weight);
                io.call(now, (WRITE, 0), Op::Update(self.peer(), lease, held.version), QUIET);
            }
            (READ, Err(Failure::NotFound)) => {
                let lease = self.lease(now, PEER, self.weight);
                io.call(now, (WRITE, 0), Op::Create(self.peer(), lease), QUIET);
            }
            (READ | WRITE, _) => io.call(now, (LIST, 0), Op::List("peer/".into()), QUIET),
            (LIST, Ok(Reply::Listed { objects, .. })) => {
                let live = objects.into_iter().filter_map(|held| match held.value {
                    Stored::Lease(lease) => Some(lease),
                    _ => None,
                });
                let now = wall(now);
                let live = live.filter(|it| !it.holder.is_empty() && !it.is_expired(now));
                self.peers = live.map(|lease| (lease.holder, lease.counter)).collect();
                self.peers.insert(Arc::clone(&self.id), self.weight);
            }
            (GOODBYE, Ok(Reply::Stored(held))) if !self.said => {
                self.said = true;
                let lease = Stored::Lease(Lease::default());
                let op = Op::Update(self.peer(), lease, held.version);
                io.call(now, (GOODBYE, 0), op, Span::from_secs(5));
            }
            (GOODBYE, _) => self.said = true,
            _ => {}
        }
    }

    /// What came of taking a fence.
    fn acquired(
        &mut self,
        now: Now,
        tag: (u8, u32),
        result: Result<Reply<Stored>, Failure>,
        io: &mut Io,
    ) {
        let (kind, slot) = tag;
        let lease = self.lease(now, FENCE, 0);
        match (kind, result) {
            (ACQUIRE_READ, Err(Failure::NotFound)) => {
                return io.call(now, (ACQUIRE_WRITE, slot), Op::Create(fence(slot), lease), QUIET);
            }
            (ACQUIRE_READ, Ok(Reply::Stored(held))) if self.may(now, &held.value, true) => {
                let op = Op::Update(fence(slot), lease, held.version);
                return io.call(now, (ACQUIRE_WRITE, slot), op, QUIET);
            }
            (ACQUIRE_WRITE, Ok(_)) => {
                self.held.insert(slot);
                if self.leaving {
                    self.release(now, slot, io);
                } else {
                    io.own(slot);
                    io.after(now, (RENEW, slot), FENCE_RENEW);
                }
            }
            _ => {}
        }
        self.acquiring = false;
        self.acquire(now, io);
    }

    /// Whether the fence is its own, or free, or run out by the wall clock.
    fn may(&self, now: Now, fence: &Stored, free: bool) -> bool {
        let Stored::Lease(lease) = fence else { return false };
        let vacant = free && lease.holder.is_empty();
        vacant || lease.holder == self.id || lease.is_expired(wall(now))
    }

    fn fenced(
        &mut self,
        now: Now,
        tag: (u8, u32),
        result: Result<Reply<Stored>, Failure>,
        io: &mut Io,
    ) {
        let (kind, slot) = tag;
        match (kind, result) {
            (RENEW_READ | RENEW_WRITE, _) if !self.held.contains(&slot) => {}
            (RENEW_READ, Ok(Reply::Stored(held))) if self.may(now, &held.value, false) => {
                let op = Op::Update(fence(slot), self.lease(now, FENCE, 0), held.version);
                io.call(now, (RENEW_WRITE, slot), op, QUIET);
            }
            (RENEW_WRITE, Ok(_)) => io.after(now, (RENEW, slot), FENCE_RENEW),
            // One failed call, and it is lost.
            (RENEW_READ | RENEW_WRITE, _) => self.release(now, slot, io),
            (RELEASE_READ, Ok(Reply::Stored(held))) if matches!(&held.value, Stored::Lease(lease) if lease.holder == self.id) =>
            {
                let Stored::Lease(lease) = held.value else { return };
                let lease = Stored::Lease(Lease { holder: "".into(), ..lease });
                let op = Op::Update(fence(slot), lease, held.version);
                io.call(now, (RELEASE_WRITE, slot), op, QUIET);
            }
            (RELEASE_READ | RELEASE_WRITE, _) => self.releasing = self.releasing.saturating_sub(1),
            _ => {}
        }
    }
}

fn fence(slot: u32) -> Arc<str> {
    format!("fence/{slot}").into()
}

impl Logic for Multicluster {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((PEERS, _)) => {
                io.after(now, (PEERS, 0), PEER_RENEW);
                io.call(now, (READ, 0), Op::Get(self.peer()), QUIET);
            }
            On::Timer((DECIDE, _)) => self.decide(now, io),
            On::Timer((RENEW, slot)) => {
                io.call(now, (RENEW_READ, slot), Op::Get(fence(slot)), QUIET);
            }
            On::Answer((kind @ (READ | WRITE | LIST | GOODBYE), _), result) => {
                self.own_lease(now, kind, result, io);
            }
            On::Answer(tag @ (ACQUIRE_READ | ACQUIRE_WRITE, _), result) => {
                self.acquired(now, tag, result, io);
            }
            On::Answer(tag, result) => self.fenced(now, tag, result, io),
            On::Leave => self.leave(now, io),
            _ => {}
        }
        io.finished = self.leaving && io.is_idle() && self.said && self.releasing == 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{owner, owners};

    /// How many of 20,000 clusters each of these has.
    fn loads(names: &[String]) -> Vec<usize> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut loads = vec![0; names.len()];
        for owner in owners(&names, 20_000) {
            loads[owner] += 1;
        }
        loads
    }

    #[test]
    fn pods_of_a_stateful_set_are_unevenly_loaded() {
        let names = |count: u32| -> Vec<String> { (0..count).map(|i| format!("x-{i}")).collect() };
        let worst = |count| loads(&names(count)).into_iter().max().unwrap() * count as usize;
        // The last byte of a name is multiplied once: it moves the score by less than 2⁴⁴.
        assert_eq!(worst(3) / 2_000, 15, "50 % of three pods");
        assert_eq!((worst(5) + 100) / 2_000, 25, "max/mean 2.50 of five");
        // Other names spread well.
        let other: Vec<String> =
            ["gkvwm", "7xq2b", "zz9rt", "p4hdl", "c8sfn"].map(Into::into).into();
        assert!(loads(&other).into_iter().max().unwrap() < 5_000);
    }

    #[test]
    fn weights_have_no_effect() {
        let peers = [("alpha-7xq2b", 1), ("bravo-gkvwm", 3), ("carol-zz9rt", 5)];
        let mut loads = [0; 3];
        for cluster in 0..20_000 {
            loads[owner(&format!("cluster-{cluster}"), &peers).unwrap()] += 1;
        }
        // In proportion it would be 2,222, 6,667 and 11,111.
        assert!(loads.iter().all(|load| (6_000..7_400).contains(load)), "{loads:?}");
    }

    #[test]
    fn of_equal_scores_the_last_wins() {
        assert_eq!(owner("a", &[("x", 0), ("y", 0)]), Some(1));
        assert_eq!(owner("a", &[]), None);
    }
}
