//! A formula over a `StatefulSet`: each replica knows its ordinal and how many there are, and computes.
//!
//! * kube-state-metrics with automated sharding: `jump(fnv1a64(uid), total)`; `total` is what a watch of
//!   the own `StatefulSet` shows. Source: `internal/store/builder.go`, `pkg/sharding/listwatch.go`.
//! * Argo CD with `consistent-hashing`: a ring with bounded loads, where the number is an environment
//!   variable, so that a change restarts all Pods, the highest ordinal first. Source: argoproj/argo-cd
//!   at 37ee009, `controller/sharding/{sharding,consistent}`.
//!
//! What it shows: nobody takes over from a Pod that is down; while replicas see different numbers, keys
//! have two owners or none.
//!
//! Simplified: the number is one object, which a process outside of the group writes as the scenario
//! plans. A restart takes 5 s and the next begins 10 s after. A slot stands for an object, or a cluster
//! with one application, with a random UID.

use core::num::NonZeroU32;
use std::sync::Arc;

use tenure::placement::Numbered as _;
use tenure::placement::presets::{argo_cd, kube_state_metrics};
use tenure::sharding::SlotSet;
use tenure::time::Now;

use super::io::{Io, Logic, On, QUIET, name};
use super::stored::Stored;
use super::{CENTRAL, uid};
use crate::sharding::fault::Fault;
use crate::sharding::system::{Birth, Held, Op, Reply, Shown};
use crate::time::Span;

/// The object that says how many replicas there should be.
pub(super) const SCALE: &str = "scale/set";
const SCALES: &str = "scale/";
const ROLL: Span = Span::from_secs(10);
const RESTART: Span = Span::from_secs(5);
/// Who starts later than this is added afterwards.
const FIRST: Span = Span::from_secs(30);

const LIST: u8 = 1;
const STOP: u8 = 2;
const START: u8 = 3;
const CHANGE: u8 = 4;
const WRITE: u8 = 5;

/// The ordinal at the end of a Pod's name.
pub(super) fn ordinal(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

/// Of each slot the ordinal, by Argo CD's `consistent-hashing`.
pub(super) fn argo(replicas: usize, slots: u32) -> Vec<u32> {
    let ids: Vec<String> = (0..slots).map(uid).collect();
    let clusters = ids.iter().map(|id| (id.as_str(), 1));
    let replicas = u32::try_from(replicas).ok().and_then(NonZeroU32::new);
    let assigned = argo_cd::bounded(clusters, replicas.unwrap_or(NonZeroU32::MIN));
    let mut shards = vec![0; ids.len()];
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_unstable_by_key(|position| ids.get(*position));
    for (position, (_, shard)) in order.into_iter().zip(assigned.unwrap_or_default()) {
        if let Some(place) = shards.get_mut(position) {
            *place = shard;
        }
    }
    shards
}

/// Of each slot the ordinal, by kube-state-metrics.
pub(super) fn jump(replicas: usize, slots: u32) -> Vec<u32> {
    let total = u32::try_from(replicas).unwrap_or(1).max(1);
    let Ok(jump) = kube_state_metrics::shards(total) else { return Vec::new() };
    let shard = |slot| jump.index(kube_state_metrics::key(&uid(slot))).unwrap_or(0);
    (0..slots).map(shard).collect()
}

/// Ordinals as positions in a list of names.
pub(super) fn by_name(members: &[&str], ordinals: &[u32]) -> Vec<usize> {
    let position =
        |of: &u32| members.iter().position(|member| ordinal(member) == Some(*of)).unwrap_or(0);
    ordinals.iter().map(position).collect()
}

/// A replica.
pub(super) struct Ordinal {
    number: u32,
    formula: fn(usize, u32) -> Vec<u32>,
    restarts: bool,
    total: Option<u32>,
    leaving: bool,
}

impl Ordinal {
    fn new(birth: &Birth<'_>, io: &mut Io, formula: fn(usize, u32) -> Vec<u32>) -> Self {
        io.call(birth.now, (LIST, 0), Op::List(SCALES.into()), QUIET);
        let ordinal = ordinal(&name(birth)).unwrap_or(birth.index);
        Self { number: ordinal, formula, restarts: false, total: None, leaving: false }
    }

    /// kube-state-metrics.
    pub(super) fn watching(birth: &Birth<'_>, io: &mut Io) -> Self {
        Self::new(birth, io, jump)
    }

    /// Argo CD, static.
    pub(super) fn restarting(birth: &Birth<'_>, io: &mut Io) -> Self {
        Self { restarts: true, ..Self::new(birth, io, argo) }
    }

    fn learn(&mut self, now: Now, held: &Held<Stored>, io: &mut Io) {
        let Stored::Scale(total) = held.value else { return };
        let before = self.total.replace(total);
        if self.leaving || before == Some(total) {
            return;
        }
        match before {
            Some(before) if self.restarts => {
                let above = before.max(total).saturating_sub(self.number + 1);
                let wait = Span::from_nanos(ROLL.as_nanos() * u64::from(above));
                io.after(now, (STOP, 0), wait);
            }
            _ => self.compute(io),
        }
    }

    fn compute(&self, io: &mut Io) {
        let total = self.total.unwrap_or(0);
        let shards = (self.formula)(total as usize, io.slots.count());
        let own = (0..).zip(&shards).filter(|(_, shard)| **shard == self.number);
        io.owned = SlotSet::none(io.slots);
        if self.number < total {
            own.for_each(|(slot, _)| io.own(slot));
        }
    }
}

impl Logic for Ordinal {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Answer((LIST, _), Ok(Reply::Listed { objects, .. })) if !objects.is_empty() => {
                for held in &objects {
                    self.learn(now, held, io);
                }
            }
            On::Answer((LIST, _), Err(_)) | On::Shown(Shown::Broken) => {
                io.call(now, (LIST, 0), Op::List(SCALES.into()), QUIET);
            }
            On::Shown(Shown::Stored(held)) => self.learn(now, &held, io),
            On::Timer((STOP, _)) if !self.leaving => {
                io.stop_all();
                io.after(now, (START, 0), RESTART);
            }
            On::Timer((START, _)) if !self.leaving => self.compute(io),
            On::Leave => {
                self.leaving = true;
                io.stop_all();
            }
            _ => {}
        }
        io.finished = self.leaving && io.is_idle();
    }

    fn watches(&self) -> Option<&str> {
        Some(SCALES)
    }
}

/// Whoever changes the number of replicas, as the scenario plans.
pub(super) struct Deployer {
    total: u32,
    changes: Vec<i32>,
    version: Option<u64>,
}

impl Deployer {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        let replicas = || {
            let all = birth.scenario.replicas.iter();
            all.filter(|it| it.name.as_deref() != Some(CENTRAL) && !it.spare)
        };
        let first = replicas().filter(|it| it.start < FIRST).count();
        let mut plan: Vec<(Span, i32)> =
            replicas().filter(|it| it.start >= FIRST).map(|it| (it.start, 1)).collect();
        for planned in &birth.scenario.faults {
            let each = i32::try_from(planned.fault.who().len()).unwrap_or(0);
            match &planned.fault {
                Fault::Start { .. } => plan.push((planned.at, each)),
                Fault::Leave { back: None, .. } => plan.push((planned.at, -each)),
                _ => {}
            }
        }
        for (number, (at, _)) in (0..).zip(&plan) {
            io.after(birth.now, (CHANGE, number), *at);
        }
        let total = u32::try_from(first).unwrap_or(0);
        let it = Self { total, changes: plan.iter().map(|(_, by)| *by).collect(), version: None };
        it.write(birth.now, io);
        it
    }

    fn write(&self, now: Now, io: &mut Io) {
        let (name, scale): (Arc<str>, _) = (SCALE.into(), Stored::Scale(self.total));
        let op = match self.version {
            Some(version) => Op::Update(name, scale, version),
            None => Op::Create(name, scale),
        };
        io.call(now, (WRITE, 0), op, QUIET);
    }
}

impl Logic for Deployer {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        match what {
            On::Timer((CHANGE, number)) => {
                let by = self.changes.get(number as usize).copied().unwrap_or(0);
                self.total = self.total.saturating_add_signed(by);
                self.write(now, io);
            }
            On::Answer((WRITE, _), Ok(Reply::Stored(held))) => self.version = Some(held.version),
            On::Answer((WRITE, _), Err(_)) => self.write(now, io),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{argo, by_name, jump, ordinal};

    fn moved(one: &[u32], other: &[u32]) -> usize {
        one.iter().zip(other).filter(|(a, b)| a != b).count()
    }

    #[test]
    fn one_more_replica_moves_its_share() {
        // Of 1,000: ideal 167.
        assert!((130..=205).contains(&moved(&jump(5, 1_000), &jump(6, 1_000))));
        assert!((110..=260).contains(&moved(&argo(5, 1_000), &argo(6, 1_000))));
    }

    #[test]
    fn loads_are_bounded_but_not_those_of_a_shard_that_lost_its_points() {
        let mut loads = [0; 20];
        for shard in argo(20, 2_000) {
            loads[shard as usize] += 1;
        }
        assert!(loads.iter().all(|load| *load <= 126), "1.25 times the mean: {loads:?}");
        // `1` + `10` is `11` + `0`: shard 1 keeps 100 of 1,000 points.
        assert!((9..=27).contains(&loads[1]), "0.18 of the mean of 100: {loads:?}");
    }

    #[test]
    fn ordinals_are_at_the_end_of_names() {
        assert_eq!(
            (ordinal("op-12"), ordinal("op-7c9d-x2k4q"), ordinal("op")),
            (Some(12), None, None)
        );
        assert_eq!(by_name(&["op-1", "op-0"], &[0, 1, 1]), [1, 0, 0]);
    }
}
