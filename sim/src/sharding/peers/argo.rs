//! Argo CD's dynamic cluster distribution (alpha): each replica claims a shard number in one `ConfigMap`
//! by heartbeats.
//!
//! Source: argoproj/argo-cd at 37ee009, `controller/sharding/sharding.go`
//! (`GetOrUpdateShardFromConfigMap`, `getOrUpdateShardNumberForController`), key
//! `shardControllerMapping`. A heartbeat each 10 s in the handler of the readiness probe; an entry is
//! free after three of them, by the local wall clock; four tries on a conflict; clusters are dealt out by
//! the default `legacy`: FNV-1a 32 of the id modulo the Deployment's replicas.
//!
//! What it shows: a Pod that cannot write heartbeats works on for ever; all write one object; a smaller
//! number of replicas resets all entries. A slot stands for a cluster with a random UID.

use core::num::NonZeroU32;
use std::sync::Arc;

use tenure::election::Failure;
use tenure::placement::presets::argo_cd;
use tenure::sharding::SlotSet;
use tenure::time::Now;

use super::io::{Io, Logic, On, QUIET, name, wall};
use super::ordinal::SCALE;
use super::stored::{Lease, Stored};
use super::uid;
use crate::sharding::system::{Birth, Op, Reply};
use crate::time::Span;

const HEARTBEAT: Span = Span::from_secs(10);
const TRIES: u32 = 4;
const MAP: &str = "configmap/argocd-app-controller-shard-cm";

const BEAT: u8 = 1;
const READ_SCALE: u8 = 2;
const READ: u8 = 3;
const WRITE: u8 = 4;

/// Which entry is `id`'s, or may be: its own, or the first that is empty or has run out.
pub(super) fn claimed(entries: &[Lease], id: &str, wall: i128) -> Option<usize> {
    let own = entries.iter().position(|entry| &*entry.holder == id);
    let free = |entry: &Lease| entry.holder.is_empty() || entry.is_expired(wall);
    own.or_else(|| entries.iter().position(free))
}

/// A replica.
pub(super) struct Dynamic {
    id: Arc<str>,
    replicas: u32,
    /// The number that it claimed, of how many.
    shard: Option<(u32, u32)>,
    wanted: usize,
    tries: u32,
    leaving: bool,
}

impl Dynamic {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        io.after(birth.now, (BEAT, 0), Span::ZERO);
        let id = name(birth);
        Self { id, replicas: 0, shard: None, wanted: 0, tries: 0, leaving: false }
    }

    fn entry(&self, now: Now) -> Lease {
        let holder = Arc::clone(&self.id);
        let duration = Span::from_nanos(HEARTBEAT.as_nanos() * 3);
        Lease { holder, renewed: wall(now), duration, counter: 0 }
    }

    fn claim(&mut self, now: Now, map: Option<(&[Lease], u64)>, io: &mut Io) {
        let count = self.replicas as usize;
        let mut entries = map.map_or(&[][..], |(entries, _)| entries).to_vec();
        if entries.len() > count {
            entries.clear();
        }
        entries.resize(count, Lease::default());
        let Some(position) = claimed(&entries, &self.id, wall(now)) else {
            return self.take(None, io);
        };
        if let Some(entry) = entries.get_mut(position) {
            *entry = self.entry(now);
        }
        self.wanted = position;
        let value = Stored::Heartbeats(Arc::new(entries));
        let op = match map {
            Some((_, version)) => Op::Update(MAP.into(), value, version),
            None => Op::Create(MAP.into(), value),
        };
        io.call(now, (WRITE, 0), op, QUIET);
    }

    fn take(&mut self, shard: Option<(u32, u32)>, io: &mut Io) {
        if self.shard == shard || self.leaving {
            return;
        }
        self.shard = shard;
        io.owned = SlotSet::none(io.slots);
        let Some((shard, count)) = shard else { return };
        let Some(count) = NonZeroU32::new(count) else { return };
        for slot in 0..io.slots.count() {
            if argo_cd::legacy(&uid(slot), count) == shard {
                io.own(slot);
            }
        }
    }
}

impl Logic for Dynamic {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((BEAT, _)) if !self.leaving => {
                io.after(now, (BEAT, 0), HEARTBEAT);
                self.tries = 0;
                io.call(now, (READ_SCALE, 0), Op::Get(SCALE.into()), QUIET);
            }
            On::Answer((READ_SCALE, _), Ok(Reply::Stored(held))) => {
                if let Stored::Scale(replicas) = held.value {
                    self.replicas = replicas;
                    io.call(now, (READ, 0), Op::Get(MAP.into()), QUIET);
                }
            }
            On::Answer((READ, _), Ok(Reply::Stored(held))) => {
                if let Stored::Heartbeats(entries) = &held.value {
                    self.claim(now, Some((entries, held.version)), io);
                }
            }
            On::Answer((READ, _), Err(Failure::NotFound)) => self.claim(now, None, io),
            On::Answer((WRITE, _), Ok(_)) => {
                let shard = u32::try_from(self.wanted).ok();
                self.take(shard.map(|shard| (shard, self.replicas)), io);
            }
            On::Answer((WRITE, _), Err(Failure::Conflict | Failure::AlreadyExists)) => {
                self.tries += 1;
                if self.tries < TRIES {
                    io.call(now, (READ, 0), Op::Get(MAP.into()), QUIET);
                }
            }
            On::Leave => {
                self.leaving = true;
                io.stop_all();
            }
            _ => {}
        }
        io.finished = self.leaving && io.is_idle();
    }
}

#[cfg(test)]
mod tests {
    use super::{Lease, Span, claimed};

    #[test]
    fn the_own_entry_or_the_first_that_is_free() {
        let entry = |holder: &str, renewed| Lease {
            holder: holder.into(),
            renewed,
            duration: Span::from_secs(30),
            counter: 0,
        };
        let (old, new) = (0, 25_000_000_000);
        let entries = [entry("a", new), entry("b", old), entry("", 0), entry("c", new)];
        assert_eq!(claimed(&entries, "c", 30_000_000_001), Some(3));
        // Three heartbeats: b's has run out, and only then.
        assert_eq!(claimed(&entries, "d", 30_000_000_000), Some(2));
        assert_eq!(claimed(&entries, "d", 30_000_000_001), Some(1));
        assert_eq!(claimed(&entries[..1], "d", 30_000_000_001), None, "one Pod too many");
    }
}
