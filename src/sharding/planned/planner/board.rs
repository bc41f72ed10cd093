//! What a plan is made on: seats for members, a table of slots, and what each slot weighs.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::super::plan::NOBODY;
use super::super::{Layout, Plan, Policy};
use super::{Input, Outcome, Unmet, due, is_free};
use crate::placement::Member;
use crate::time::Instant;

/// A measured load counts so many times, and the slot itself once: slots without any load spread, too.
const SCALE: u64 = 1 << 10;

/// A member that has slots, or may be given some. The seats are in the order of names.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) name: Arc<str>,
    zone: Option<Arc<str>>,
    /// Its own weight, before zones.
    given: u64,
    /// Its share of the sum of all seats' weights is its share of the load.
    pub(super) weight: u64,
    /// Whether it is here; otherwise it keeps what it has, and is given nothing.
    pub(super) live: bool,
    pub(super) load: u64,
    /// The least load that it should have.
    pub(super) least: u64,
    /// The most.
    pub(super) most: u64,
}

impl Seat {
    fn new(member: &Member, live: bool) -> Self {
        let weight = member.weight().get().into();
        let zone = member.zone().map(Arc::from);
        Self {
            name: member.name().into(),
            zone,
            given: weight,
            weight,
            live,
            load: 0,
            least: 0,
            most: 0,
        }
    }

    /// By how much a load is more or less than it should be.
    pub(super) const fn fault(&self, load: u64) -> u64 {
        load.saturating_sub(self.most) + self.least.saturating_sub(load)
    }

    pub(super) const fn room(&self) -> u64 {
        self.most.saturating_sub(self.load)
    }

    /// The order of loads, `more` added to each, by weight.
    pub(super) fn compare(&self, other: &Self, more: u64) -> Ordering {
        let scaled = |of: &Self, to: &Self| u128::from(of.load + more) * u128::from(to.weight);
        scaled(self, other).cmp(&scaled(other, self))
    }
}

#[derive(Debug)]
pub(super) struct Board {
    pub(super) seats: Vec<Seat>,
    /// The seat of each slot's owner.
    pub(super) owners: Vec<u16>,
    /// Before anything moved; nobody's, if that owner has no seat.
    pub(super) origins: Vec<u16>,
    /// Slots that are pinned or held.
    pub(super) fixed: Vec<bool>,
    /// The load of all slots before this one, and of all.
    pub(super) sums: Vec<u64>,
    /// Whether each slot is a load of 1.
    pub(super) unit: bool,
    /// How many slots may yet move that do not have to.
    pub(super) budget: u32,
    /// Whether more would have moved.
    pub(super) starved: bool,
    until: Instant,
}

impl Board {
    /// The seats, and who has what.
    pub(super) fn set_up(
        policy: &Policy,
        input: &Input<'_>,
        previous: Option<&Plan>,
        outcome: &mut Outcome,
    ) -> Self {
        let seats = seat(policy, input, previous, outcome);
        let slots = input.slots.count() as usize;
        let unit = input.loads.iter().take(slots).all(|load| *load == 0);
        let loads = input.loads.iter().copied().chain(core::iter::repeat(0)).take(slots);
        let loads = loads.map(|load| if unit { 1 } else { u64::from(load) * SCALE + 1 });
        let sum = |sum: &mut u64, load: u64| {
            *sum += load;
            Some(*sum)
        };
        let sums = core::iter::once(0).chain(loads.scan(0, sum)).collect();

        let until = policy.budget.zip(input.roster.moved());
        let until = until.map(|(budget, moved)| moved + budget.every);
        let until = until.filter(|until| *until > input.now);
        let budget = policy.budget.map_or(u32::MAX, |budget| budget.moves.get());
        let every = policy.budget.map_or(core::time::Duration::ZERO, |budget| budget.every);
        let mut board = Self {
            seats,
            owners: vec![NOBODY; slots],
            origins: Vec::new(),
            fixed: vec![false; slots],
            sums,
            unit,
            budget: if until.is_some() { 0 } else { budget },
            starved: false,
            until: until.unwrap_or_else(|| input.now + every),
        };
        if let Some(previous) = previous {
            let seats = previous.members().iter().map(|name| board.seat(name));
            let seats: Vec<Option<(u16, bool)>> = seats.collect();
            for (run, member) in previous.runs().zip(previous.owners()) {
                let seat = seats.get(usize::from(member)).copied().flatten();
                let Some((seat, live)) = seat else { continue };
                for slot in run.iter() {
                    board.give(slot.at(), seat);
                    if let Some(fixed) = board.fixed.get_mut(slot.at()) {
                        *fixed = !live;
                    }
                }
            }
        }
        board.origins.clone_from(&board.owners);
        board
    }

    /// The seat of the member called `name`, and whether it is here.
    fn seat(&self, name: &str) -> Option<(u16, bool)> {
        let at = self.seats.binary_search_by(|seat| (*seat.name).cmp(name)).ok()?;
        Some((u16::try_from(at).ok()?, self.seats.get(at)?.live))
    }

    pub(super) fn at(&self, seat: u16) -> Option<&Seat> {
        self.seats.get(usize::from(seat))
    }

    pub(super) fn is_live(&self, seat: u16) -> bool {
        self.at(seat).is_some_and(|seat| seat.live)
    }

    /// The seats of those that are here.
    pub(super) fn live(&self) -> impl Iterator<Item = (u16, &Seat)> + Clone {
        (0..NOBODY).zip(&self.seats).filter(|(_, seat)| seat.live)
    }

    /// What a slot weighs.
    pub(super) fn load(&self, slot: usize) -> u64 {
        self.load_of(slot, slot + 1)
    }

    /// What slots weigh, from `start` up to `end`.
    pub(super) fn load_of(&self, start: usize, end: usize) -> u64 {
        let sum = |at: usize| self.sums.get(at).copied().unwrap_or(0);
        sum(end).saturating_sub(sum(start))
    }

    pub(super) fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// What a slot weighs in the mean, at least 1.
    pub(super) fn mean(&self) -> u64 {
        (self.total() / (self.owners.len() as u64).max(1)).max(1)
    }

    /// Makes `seat` the owner of `slot`.
    pub(super) fn give(&mut self, slot: usize, seat: u16) {
        let load = self.load(slot);
        let Some(owner) = self.owners.get_mut(slot) else { return };
        let from = core::mem::replace(owner, seat);
        if let Some(from) = self.seats.get_mut(usize::from(from)) {
            from.load -= load;
        }
        if let Some(to) = self.seats.get_mut(usize::from(seat)) {
            to.load += load;
        }
    }

    /// Takes so many moves from the budget, if there are so many.
    pub(super) const fn spend(&mut self, moves: u32) -> bool {
        if self.budget < moves {
            self.starved = true;
            return false;
        }
        if self.budget != u32::MAX {
            self.budget -= moves;
        }
        true
    }

    /// Gives what is pinned to those that are here.
    pub(super) fn pin(&mut self, policy: &Policy) {
        for pin in &policy.pins {
            let Some((seat, true)) = self.seat(&pin.member) else { continue };
            for slot in pin.slots.clone().map(|slot| slot as usize) {
                let Some(owner) = self.owners.get(slot).copied() else { break };
                if owner != seat && (is_free(owner) || self.spend(1)) {
                    self.give(slot, seat);
                }
                // Where the budget did not suffice nobody else is to be given it meanwhile.
                if let Some(fixed) = self.fixed.get_mut(slot) {
                    *fixed = true;
                }
            }
        }
    }

    /// Computes what each should have.
    pub(super) fn bound(&mut self, policy: &Policy) {
        let mut zones = BTreeMap::new();
        for seat in &self.seats {
            let zone = if policy.zones { seat.zone.clone() } else { None };
            *zones.entry(zone).or_insert(0_u64) += seat.given;
        }
        let slack = policy.slack_per_mille.min(Policy::MAX_SLACK);
        let (total, mean) = (u128::from(self.total()), self.mean());
        for seat in &mut self.seats {
            let zone = if policy.zones { seat.zone.clone() } else { None };
            let in_zone = zones.get(&zone).copied().unwrap_or(1).max(1);
            if policy.zones {
                let weight = (u128::from(seat.given) << 32) / u128::from(in_zone);
                seat.weight = u64::try_from(weight).unwrap_or(1).max(1);
            }
            // At most 2⁵⁹, 2³², 2²⁰; and 2¹⁶, 2⁴⁸, 2¹⁰.
            let share = total * u128::from(seat.given);
            let whole = 1000 * u128::from(in_zone) * zones.len() as u128;
            let least = share * u128::from(1000_u32.saturating_sub(slack)) / whole;
            let most = (share * u128::from(1000 + slack)).div_ceil(whole);
            let one = if self.unit { 0 } else { mean };
            seat.least = u64::try_from(least).unwrap_or(0).saturating_sub(one);
            seat.most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(one);
        }
    }

    /// How many ranges the slots of each seat form.
    fn ranges(&self) -> Vec<u32> {
        let mut ranges = vec![0; self.seats.len()];
        let mut last = NOBODY;
        for owner in &self.owners {
            if *owner != last
                && let Some(ranges) = ranges.get_mut(usize::from(*owner))
            {
                *ranges += 1;
            }
            last = *owner;
        }
        ranges
    }

    /// What is not as it should be.
    pub(super) fn complain(&self, policy: &Policy, input: &Input<'_>, outcome: &mut Outcome) {
        for pin in &policy.pins {
            if !self.seat(&pin.member).is_some_and(|(_, live)| live) {
                let (first, last) = (*pin.slots.start(), *pin.slots.end());
                outcome.unmet.push(Unmet::Pin { first, last, member: Arc::clone(&pin.member) });
            }
        }
        if self.starved {
            outcome.unmet.push(Unmet::Budget { until: self.until });
            due(&mut outcome.next_due, self.until);
        }
        let mut measured = vec![0_u64; self.seats.len()];
        for (owner, load) in self.owners.iter().zip(input.loads) {
            if let Some(measured) = measured.get_mut(usize::from(*owner)) {
                *measured += u64::from(*load);
            }
        }
        let scale = if self.unit { 1 } else { SCALE };
        let ranges = self.ranges();
        for (((_, seat), measured), ranges) in
            (0..NOBODY).zip(&self.seats).zip(measured).zip(ranges)
        {
            let member = || Arc::clone(&seat.name);
            if seat.live && seat.fault(seat.load) > 0 {
                let load = if self.unit { seat.load } else { measured };
                let (least, most) = (seat.least / scale, seat.most.div_ceil(scale));
                outcome.unmet.push(Unmet::Share { member: member(), load, least, most });
            }
            if let Layout::Contiguous { ranges: wanted } = policy.layout
                && seat.live
                && ranges > u32::from(wanted.get())
            {
                outcome.unmet.push(Unmet::Ranges { member: member(), ranges });
            }
        }
    }
}

/// Those that take part, in the order of names.
fn seat(
    policy: &Policy,
    input: &Input<'_>,
    previous: Option<&Plan>,
    outcome: &mut Outcome,
) -> Vec<Seat> {
    let owns = |member: &Member| {
        previous.is_some_and(|plan| {
            plan.members().binary_search_by(|name| (**name).cmp(member.name())).is_ok()
        })
    };
    let settled = |(member, since): &(&Member, Instant)| {
        *since + policy.hysteresis <= input.now || owns(member)
    };
    let anybody = input.roster.here().any(|of| settled(&of));
    let mut seats = Vec::new();
    for (member, since) in input.roster.here() {
        if !anybody || settled(&(member, since)) {
            seats.push(Seat::new(member, true));
        } else {
            let until = since + policy.hysteresis;
            outcome.unmet.push(Unmet::Unsettled { member: member.name().into(), until });
            due(&mut outcome.next_due, until);
        }
    }
    for (member, since) in input.roster.gone() {
        let until = since + policy.hold;
        if until > input.now && owns(member) {
            seats.push(Seat::new(member, false));
            outcome.unmet.push(Unmet::Held { member: member.name().into(), until });
            due(&mut outcome.next_due, until);
        }
    }
    seats.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    seats.truncate(NOBODY.into());
    seats
}
