//! Kafka's consumer groups with the cooperative sticky assignor: a coordinator, and two rounds, so that
//! a partition is given to nobody before its owner has reported it free.
//!
//! Source: apache/kafka: `clients/…/CooperativeStickyAssignor.java`, `AbstractStickyAssignor.java`,
//! `ConsumerCoordinator.java`, KIP-429. Session timeout 45 s, heartbeats each 3 s, request timeout 30 s.
//!
//! What it shows: a consumer that hears nothing goes on for ever; the generation fences commits of
//! offsets, not side effects.
//!
//! Simplified: the broker is a process that reads and writes the store; a heartbeat is a write of the
//! member's own object, in which it reports what it owns; a member acts on a new assignment at its next
//! heartbeat, as it hears of a rebalance by that in life; the leader's part is the coordinator's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenure::election::Failure;
use tenure::sharding::SlotSet;
use tenure::time::{Instant, Now};

use super::io::{Io, Logic, On, name};
use super::stored::{Assignment, Stored};
use crate::sharding::system::{Birth, Held, Op, Reply, Shown};
use crate::time::Span;

const SESSION: Span = Span::from_secs(45);
const HEARTBEAT: Span = Span::from_secs(3);
const REQUEST: Span = Span::from_secs(30);

const ASSIGNMENT: &str = "assignment/group";
const ASSIGNMENTS: &str = "assignment/";
const MEMBERS: &str = "consumer/";

const LIST: u8 = 1;
const BEAT: u8 = 2;
const LEAVE: u8 = 3;
const EXPIRE: u8 = 4;
const PUT: u8 = 5;

/// Who may own what next: sticky, balanced to within one, without what somebody else still owns.
/// `owned` is what members report. The second says whether something was withheld.
pub(super) fn assigned(
    owned: &BTreeMap<Arc<str>, Vec<u32>>,
    slots: u32,
) -> (BTreeMap<Arc<str>, Vec<u32>>, bool) {
    let count = owned.len().max(1);
    let (least, extra) = (slots as usize / count, slots as usize % count);
    let mut target: BTreeMap<Arc<str>, Vec<u32>> = BTreeMap::new();
    let mut free: BTreeSet<u32> = (0..slots).collect();
    // Those that have most may keep one more.
    let mut order: Vec<_> = owned.iter().collect();
    order.sort_by_key(|(name, slots)| (core::cmp::Reverse(slots.len()), Arc::clone(name)));
    for (position, (name, slots)) in order.iter().enumerate() {
        let most = least + usize::from(position < extra);
        let kept = slots.iter().copied().filter(|slot| free.remove(slot));
        let mut kept: Vec<u32> = kept.collect();
        free.extend(kept.split_off(most.min(kept.len())));
        target.insert(Arc::clone(name), kept);
    }
    for (position, (name, _)) in order.iter().enumerate() {
        let most = least + usize::from(position < extra);
        let Some(slots) = target.get_mut(*name) else { continue };
        while slots.len() < most
            && let Some(slot) = free.pop_first()
        {
            slots.push(slot);
        }
    }
    let mut withheld = false;
    for (name, slots) in &mut target {
        let others = || owned.iter().filter(|(other, _)| *other != name);
        let before = slots.len();
        slots.retain(|slot| !others().any(|(_, theirs)| theirs.contains(slot)));
        withheld |= slots.len() < before;
        slots.sort_unstable();
    }
    (target, withheld)
}

/// A consumer.
pub(super) struct Member {
    name: Arc<str>,
    /// Different for each time it joins.
    id: Arc<str>,
    joins: u32,
    version: Option<u64>,
    /// What the coordinator has assigned, and up to where it acted on that.
    assignment: Arc<Assignment>,
    generation: u64,
    leaving: bool,
}

impl Member {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        let name: Arc<str> = format!("{}-{}", name(birth), birth.incarnation).into();
        io.call(birth.now, (LIST, 0), Op::List(ASSIGNMENTS.into()), REQUEST);
        io.after(birth.now, (BEAT, 0), Span::ZERO);
        let (assignment, id) = (Arc::default(), Arc::clone(&name));
        Self { name, id, joins: 0, version: None, assignment, generation: 0, leaving: false }
    }

    fn beat(&mut self, now: Now, io: &mut Io) {
        io.after(now, (BEAT, 0), HEARTBEAT);
        let mine = self.assignment.slots.get(&self.id).map_or(&[][..], Vec::as_slice);
        if self.assignment.generation > self.generation && self.version.is_some() {
            let mut revoked = io.owned.clone();
            mine.iter().filter_map(|slot| io.slot(*slot)).for_each(|slot| {
                revoked.remove(slot);
            });
            io.stop(revoked);
            if !io.is_idle() {
                return self.write(now, io);
            }
            if self.assignment.slots.contains_key(&self.id) {
                for slot in mine {
                    io.own(*slot);
                }
                self.generation = self.assignment.generation;
            }
        }
        self.write(now, io);
    }

    fn write(&self, now: Now, io: &mut Io) {
        let owned = io.owned.iter().map(super::index).collect();
        let member = Stored::Member(Arc::new((self.generation, owned)));
        let name = format!("{MEMBERS}{}", self.id).into();
        let op = match self.version {
            Some(version) => Op::Update(name, member, version),
            None => Op::Create(name, member),
        };
        io.forget(BEAT);
        io.call(now, (BEAT, 0), op, REQUEST);
    }

    /// It is no member any more: what it had is lost, and it joins under another id.
    fn lost(&mut self, now: Now, io: &mut Io) {
        io.owned = SlotSet::none(io.slots);
        self.joins += 1;
        self.id = format!("{}-{}", self.name, self.joins).into();
        (self.version, self.generation) = (None, 0);
        io.after(now, (BEAT, 0), Span::ZERO);
    }
}

impl Logic for Member {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((BEAT, _)) if !self.leaving => self.beat(now, io),
            On::Answer((BEAT, _), Ok(Reply::Stored(held))) => self.version = Some(held.version),
            On::Answer((BEAT, _), Err(Failure::NotFound)) if !self.leaving => self.lost(now, io),
            // An answer was lost: what is in the store is its own.
            On::Answer((BEAT, _), Err(Failure::Conflict | Failure::AlreadyExists)) => {
                let name = format!("{MEMBERS}{}", self.id).into();
                io.call(now, (BEAT, 0), Op::Get(name), REQUEST);
            }
            On::Answer((LIST, _), Ok(Reply::Listed { objects, .. })) => {
                for held in &objects {
                    self.learn(held);
                }
            }
            On::Answer((LIST, _), _) | On::Shown(Shown::Broken) => {
                io.call(now, (LIST, 0), Op::List(ASSIGNMENTS.into()), REQUEST);
            }
            On::Shown(Shown::Stored(held)) => self.learn(&held),
            // Revoked and reported: that is what the second round waits for.
            On::Drained(_) if !self.leaving && io.is_idle() => self.beat(now, io),
            On::Answer((LEAVE, _), _) => io.finished = true,
            On::Leave => {
                self.leaving = true;
                io.cancel((BEAT, 0));
                io.stop_all();
            }
            _ => {}
        }
        if self.leaving && io.is_idle() && !io.finished && !io.is_set((LEAVE, 0)) {
            io.after(now, (LEAVE, 0), REQUEST);
            let name = format!("{MEMBERS}{}", self.id).into();
            io.call(now, (LEAVE, 0), Op::Delete(name, None), REQUEST);
        }
    }

    fn watches(&self) -> Option<&str> {
        Some(ASSIGNMENTS)
    }
}

impl Member {
    fn learn(&mut self, held: &Held<Stored>) {
        if let Stored::Assignment(it) = &held.value
            && it.generation > self.assignment.generation
        {
            self.assignment = Arc::clone(it);
        }
    }
}

struct Known {
    generation: u64,
    owned: Vec<u32>,
    heard: Instant,
}

/// The group's coordinator.
pub(super) struct Coordinator {
    members: BTreeMap<Arc<str>, Known>,
    assignment: Arc<Assignment>,
    version: Option<u64>,
    writing: bool,
    withheld: bool,
}

impl Coordinator {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        io.after(birth.now, (EXPIRE, 0), Span::ZERO);
        Self {
            members: BTreeMap::new(),
            assignment: Arc::default(),
            version: None,
            writing: false,
            withheld: false,
        }
    }

    fn heard(&mut self, now: Now, held: &Held<Stored>, io: &mut Io) {
        let Stored::Member(report) = &held.value else { return };
        let Some(name) = held.name.strip_prefix(MEMBERS) else { return };
        let (generation, owned) = (report.0, report.1.clone());
        self.members.insert(name.into(), Known { generation, owned, heard: now.instant });
        self.balance(now, io);
    }

    fn gone(&mut self, now: Now, name: &str, io: &mut Io) {
        if let Some(name) = name.strip_prefix(MEMBERS) {
            self.members.remove(name);
            self.balance(now, io);
        }
    }

    /// Another round, if members have changed or something is withheld, once all have acted on the last.
    fn balance(&mut self, now: Now, io: &mut Io) {
        let same = self.members.keys().eq(self.assignment.slots.keys());
        let late = |(name, known): (&Arc<str>, &Known)| {
            self.assignment.slots.contains_key(name)
                && known.generation < self.assignment.generation
        };
        if self.writing || same && !self.withheld || self.members.iter().any(late) {
            return;
        }
        let owned = self.members.iter();
        let owned = owned.map(|(name, known)| (Arc::clone(name), known.owned.clone())).collect();
        let (slots, withheld) = assigned(&owned, io.slots.count());
        let generation = self.assignment.generation + 1;
        (self.assignment, self.withheld) = (Arc::new(Assignment { generation, slots }), withheld);
        self.put(now, io);
    }

    fn put(&mut self, now: Now, io: &mut Io) {
        self.writing = true;
        let assignment = Stored::Assignment(Arc::clone(&self.assignment));
        let op = match self.version {
            Some(version) => Op::Update(ASSIGNMENT.into(), assignment, version),
            None => Op::Create(ASSIGNMENT.into(), assignment),
        };
        io.call(now, (PUT, 0), op, REQUEST);
    }

    fn expire(&mut self, now: Now, io: &mut Io) {
        io.after(now, (EXPIRE, 0), Span::from_millis(500));
        let silent =
            |known: &Known| now.instant.saturating_since(known.heard) >= SESSION.as_duration();
        let gone = self.members.iter().filter(|(_, known)| silent(known));
        let gone: Vec<Arc<str>> = gone.map(|(name, _)| Arc::clone(name)).collect();
        for name in gone {
            self.members.remove(&name);
            io.call(now, (LEAVE, 0), Op::Delete(format!("{MEMBERS}{name}").into(), None), REQUEST);
            self.balance(now, io);
        }
    }
}

impl Logic for Coordinator {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((EXPIRE, _)) => {
                if self.version.is_none() && !self.writing {
                    io.call(now, (LIST, 0), Op::List(MEMBERS.into()), REQUEST);
                    self.put(now, io);
                }
                self.expire(now, io);
            }
            On::Answer((LIST, _), Ok(Reply::Listed { objects, .. })) => {
                for held in &objects {
                    self.heard(now, held, io);
                }
            }
            On::Answer((PUT, _), Ok(Reply::Stored(held))) => {
                (self.version, self.writing) = (Some(held.version), false);
                self.balance(now, io);
            }
            On::Answer((PUT, _), _) => self.writing = false,
            On::Shown(Shown::Stored(held)) => self.heard(now, &held, io),
            On::Shown(Shown::Deleted(name, _)) => self.gone(now, &name, io),
            On::Shown(Shown::Broken) => {
                io.call(now, (LIST, 0), Op::List(MEMBERS.into()), REQUEST);
            }
            _ => {}
        }
    }

    fn watches(&self) -> Option<&str> {
        Some(MEMBERS)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, BTreeMap, assigned};

    fn owned(members: &[(&str, &[u32])]) -> BTreeMap<Arc<str>, Vec<u32>> {
        members.iter().map(|(name, slots)| (Arc::from(*name), slots.to_vec())).collect()
    }

    #[test]
    fn a_joiner_waits_for_the_second_round() {
        // First round: b gets what is free, not what a still owns.
        let (first, withheld) = assigned(&owned(&[("a", &[0, 1, 2, 3]), ("b", &[])]), 4);
        assert_eq!(first, owned(&[("a", &[0, 1]), ("b", &[])]));
        assert!(withheld);
        let (second, withheld) = assigned(&first, 4);
        assert_eq!(second, owned(&[("a", &[0, 1]), ("b", &[2, 3])]));
        assert!(!withheld);
    }

    #[test]
    fn nobody_loses_more_than_it_must() {
        let before = owned(&[("a", &[0, 3]), ("b", &[1, 4])]);
        let (after, withheld) = assigned(&before, 5);
        assert_eq!(after, owned(&[("a", &[0, 2, 3]), ("b", &[1, 4])]));
        assert!(!withheld);
    }
}
