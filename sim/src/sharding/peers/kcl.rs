//! Kinesis Client Library 2: a table of leases with counters; each worker scans it, takes what has not
//! changed, and steals from whoever has most.
//!
//! Source: awslabs/amazon-kinesis-client at 024eb86: `leases/dynamodb/DynamoDBLeaseTaker.java`,
//! `DynamoDBLeaseRenewer.java`, `DynamoDBLeaseCoordinator.java`. Failover time 10 s; ε 25 ms; renewals
//! each failover/3 − ε; a scan each 2 (failover + ε); one lease stolen at a time; leases that have not
//! changed for three failover times are taken regardless of the share.
//!
//! What it shows: whoever is stolen from works on until its next renewal fails; whoever leaves lets its
//! leases run out; a join takes one lease in 20 s. Checkpoints are refused to those who lost a lease:
//! side effects are not.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenure::election::Failure;
use tenure::time::{Instant, Now};

use super::io::{Io, Logic, On, name};
use super::numbered;
use super::stored::{Lease, Stored};
use crate::sharding::system::{Birth, Held, Op, Reply};
use crate::time::Span;

const FAILOVER: Span = Span::from_secs(10);
const RENEW: Span = Span::from_nanos(10_000_000_000 / 3 - 25_000_000);
const SCAN: Span = Span::from_millis(20_050);
/// `veryOldLeaseDurationNanosMultiplier`.
const VERY_OLD: u32 = 3;
/// `maxLeasesToStealAtOneTime`.
const STEAL: usize = 1;
/// How long a call of the table may take.
const CALL: Span = Span::from_secs(10);

const SCANNED: u8 = 1;
const CREATED: u8 = 2;
const TAKEN: u8 = 3;
const RENEWED: u8 = 4;

#[derive(Debug, Clone)]
struct Seen {
    lease: Lease,
    version: u64,
    /// When a scan saw its counter change; none if it was nobody's when it was seen first.
    changed: Option<Instant>,
}

impl Seen {
    fn age(&self, now: Instant) -> core::time::Duration {
        self.changed.map_or(core::time::Duration::MAX, |at| now.saturating_since(at))
    }
}

/// A worker.
pub(super) struct Kcl {
    id: Arc<str>,
    table: BTreeMap<u32, Seen>,
    /// Version, and when it was renewed.
    held: BTreeMap<u32, (u64, u64, Instant)>,
    leaving: bool,
}

fn lease_name(slot: u32) -> Arc<str> {
    format!("lease/{slot}").into()
}

impl Kcl {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        io.after(birth.now, (SCANNED, 0), Span::ZERO);
        io.after(birth.now, (RENEWED, 0), RENEW);
        let (table, held) = (BTreeMap::new(), BTreeMap::new());
        Self { id: name(birth), table, held, leaving: false }
    }

    fn scanned(&mut self, now: Now, objects: Vec<Held<Stored>>, io: &mut Io) {
        if objects.is_empty() {
            // Whoever comes first makes the leases.
            for slot in 0..io.slots.count() {
                let lease = Stored::Lease(Lease::default());
                io.call(now, (CREATED, slot), Op::Create(lease_name(slot), lease), CALL);
            }
            io.after(now, (SCANNED, 0), Span::from_secs(1));
            return;
        }
        for Held { name, value, version } in objects {
            let (Stored::Lease(lease), Some(slot)) = (value, numbered(&name)) else { continue };
            let changed = match self.table.get(&slot) {
                Some(seen) if seen.lease.counter == lease.counter => seen.changed,
                None if lease.holder.is_empty() => None,
                _ => Some(now.instant),
            };
            self.table.insert(slot, Seen { lease, version, changed });
        }
        for slot in self.chosen(now.instant, io) {
            let Some(seen) = self.table.get(&slot) else { continue };
            let counter = seen.lease.counter + 1;
            let lease = Lease { holder: Arc::clone(&self.id), counter, ..Lease::default() };
            let op = Op::Update(lease_name(slot), Stored::Lease(lease), seen.version);
            io.call(now, (TAKEN, slot), op, CALL);
        }
    }

    /// Which leases to take (`computeLeasesToTake`).
    fn chosen(&self, now: Instant, io: &mut Io) -> Vec<u32> {
        let expired =
            |seen: &Seen| seen.lease.holder.is_empty() || seen.age(now) >= FAILOVER.as_duration();
        let mut counts: BTreeMap<Arc<str>, usize> = BTreeMap::from([(Arc::clone(&self.id), 0)]);
        for seen in self.table.values().filter(|seen| !expired(seen)) {
            *counts.entry(Arc::clone(&seen.lease.holder)).or_default() += 1;
        }
        let mine = counts.get(&self.id).copied().unwrap_or(0);
        let target = target(self.table.len(), counts.len());
        let mut free: Vec<u32> =
            self.table.iter().filter(|(_, seen)| expired(seen)).map(|(slot, _)| *slot).collect();
        let very_old = FAILOVER.as_duration() * VERY_OLD;
        let old = |slot: &u32| {
            let seen = self.table.get(slot);
            seen.is_some_and(|it| !it.lease.holder.is_empty() && it.age(now) >= very_old)
        };
        let oldest: Vec<u32> = free.iter().copied().filter(old).collect();
        if !oldest.is_empty() {
            return oldest;
        }
        let needed = target.saturating_sub(mine);
        if free.is_empty() {
            return self.stolen(needed, target, &counts, io);
        }
        shuffle(&mut free, io);
        free.truncate(needed);
        free
    }

    /// One lease of whoever has most, if that is more than its share.
    fn stolen(
        &self,
        needed: usize,
        target: usize,
        counts: &BTreeMap<Arc<str>, usize>,
        io: &mut Io,
    ) -> Vec<u32> {
        let most = counts.iter().max_by_key(|(_, count)| **count);
        let Some((worker, &load)) = most.filter(|_| needed > 0) else { return Vec::new() };
        let mut count = needed.min(load.saturating_sub(target));
        if needed > 1 && load == target {
            count = 1;
        }
        let theirs = self.table.iter().filter(|(_, seen)| seen.lease.holder == *worker);
        let mut theirs: Vec<u32> = theirs.map(|(slot, _)| *slot).collect();
        shuffle(&mut theirs, io);
        theirs.truncate(count.min(STEAL));
        theirs
    }

    fn renew(&mut self, now: Now, io: &mut Io) {
        io.after(now, (RENEWED, 0), RENEW);
        for (slot, (version, counter, renewed)) in self.held.clone() {
            if now.instant.saturating_since(renewed) >= FAILOVER.as_duration() {
                self.lose(slot, io);
                continue;
            }
            let lease =
                Lease { holder: Arc::clone(&self.id), counter: counter + 1, ..Lease::default() };
            let op = Op::Update(lease_name(slot), Stored::Lease(lease), version);
            io.call(now, (RENEWED, slot + 1), op, CALL);
        }
    }

    fn lose(&mut self, slot: u32, io: &mut Io) {
        self.held.remove(&slot);
        io.disown(slot);
    }

    fn has(&mut self, now: Now, slot: u32, held: &Held<Stored>, io: &mut Io) {
        let Stored::Lease(lease) = &held.value else { return };
        self.held.insert(slot, (held.version, lease.counter, now.instant));
        if !self.leaving {
            io.own(slot);
        }
    }
}

/// How many leases a worker should have.
pub(super) fn target(leases: usize, workers: usize) -> usize {
    if workers >= leases { 1 } else { leases.div_ceil(workers.max(1)) }
}

fn shuffle(slots: &mut [u32], io: &mut Io) {
    for last in (1..slots.len()).rev() {
        let other = usize::try_from(io.stream.below(last as u64 + 1)).unwrap_or(0);
        slots.swap(last, other);
    }
}

impl Logic for Kcl {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((SCANNED, _)) => {
                io.after(now, (SCANNED, 0), SCAN);
                io.call(now, (SCANNED, 0), Op::List("lease/".into()), CALL);
            }
            On::Timer((RENEWED, _)) => self.renew(now, io),
            On::Answer((SCANNED, _), Ok(Reply::Listed { objects, .. })) if !self.leaving => {
                self.scanned(now, objects, io);
            }
            On::Answer((TAKEN, slot), Ok(Reply::Stored(held))) => self.has(now, slot, &held, io),
            On::Answer((RENEWED, slot), Ok(Reply::Stored(held))) => {
                self.has(now, slot.saturating_sub(1), &held, io);
            }
            // The counter is another: somebody has taken it.
            On::Answer((RENEWED, slot), Err(Failure::Conflict)) => {
                self.lose(slot.saturating_sub(1), io);
            }
            On::Leave => {
                self.leaving = true;
                io.silence();
                io.stop_all();
            }
            _ => {}
        }
        io.finished = self.leaving && io.is_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_share_is_rounded_up_and_at_least_one() {
        assert_eq!([target(10, 3), target(9, 3), target(3, 3), target(2, 5)], [4, 3, 1, 1]);
        assert_eq!(target(7, 0), 7);
    }
}
