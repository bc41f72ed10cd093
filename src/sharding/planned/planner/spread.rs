//! Slots anywhere: what has no owner goes to whoever has least, and then single slots move from those
//! that have too much, and to those that have too little, while that helps.

use alloc::collections::{BTreeSet, BinaryHeap};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};

use super::board::Board;
use super::is_free;

/// With how many others an exchange is tried before it is given up.
const TRIES: usize = 8;

pub(super) fn assign(board: &mut Board) {
    place(board);
    if board.live().any(|(_, seat)| seat.fault(seat.load) > 0) {
        let mut hands = Hands::new(board);
        while sweep(board, &mut hands) {}
    }
}

/// The load that a seat would have, by its weight. Of equals the first seat is least.
#[derive(Debug, PartialEq, Eq)]
struct Offer {
    load: u64,
    weight: u64,
    seat: u16,
}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        let scaled = |of: &Self, to: &Self| u128::from(of.load) * u128::from(to.weight);
        scaled(self, other).cmp(&scaled(other, self)).then(self.seat.cmp(&other.seat))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Gives away what has no owner, the heaviest first. With slots alone nobody gets more than it should
/// while another has room: the divisors of D'Hondt, which also give everybody the least it should have
/// before anybody gets more.
fn place(board: &mut Board) {
    let free = board.owners.iter().enumerate().filter(|(_, owner)| is_free(**owner));
    let mut free: Vec<usize> = free.map(|(slot, _)| slot).collect();
    if !board.unit {
        free.sort_by_key(|slot| (Reverse(board.load(*slot)), *slot));
    }
    let mean = board.mean();
    let offer = |board: &Board, seat: u16| {
        let of = board.at(seat)?;
        Some(Reverse(Offer { load: of.load + mean, weight: of.weight, seat }))
    };
    let seats: Vec<u16> = board.live().map(|(seat, _)| seat).collect();
    let mut offers: BinaryHeap<_> = seats.iter().filter_map(|seat| offer(board, *seat)).collect();
    let mut full = false;
    for slot in free {
        let seat = loop {
            let Some(Reverse(best)) = offers.pop() else {
                // More than all have room for, since held ones have less than they should.
                full = true;
                offers = seats.iter().filter_map(|seat| offer(board, *seat)).collect();
                continue;
            };
            let room = board.at(best.seat).is_some_and(|seat| seat.room() > 0);
            if full || !board.unit || room {
                break best.seat;
            }
        };
        board.give(slot, seat);
        offers.extend(offer(board, seat));
    }
}

/// The slots of each seat that may move, by load: in order only where something was taken.
struct Hands(Vec<Hand>);

enum Hand {
    Loose(Vec<usize>),
    Sorted(BTreeSet<(u64, usize)>),
}

impl Hands {
    fn new(board: &Board) -> Self {
        let mut hands: Vec<Vec<usize>> = vec![Vec::new(); board.seats.len()];
        for ((slot, owner), fixed) in board.owners.iter().enumerate().zip(&board.fixed) {
            if !fixed && let Some(hand) = hands.get_mut(usize::from(*owner)) {
                hand.push(slot);
            }
        }
        Self(hands.into_iter().map(Hand::Loose).collect())
    }

    fn sorted(&mut self, board: &Board, seat: u16) -> Option<&mut BTreeSet<(u64, usize)>> {
        let hand = self.0.get_mut(usize::from(seat))?;
        if let Hand::Loose(slots) = hand {
            *hand = Hand::Sorted(slots.iter().map(|slot| (board.load(*slot), *slot)).collect());
        }
        match hand {
            Hand::Sorted(slots) => Some(slots),
            Hand::Loose(_) => None,
        }
    }

    fn pass(&mut self, board: &mut Board, (load, slot): (u64, usize), from: u16, to: u16) {
        board.give(slot, to);
        if let Some(hand) = self.sorted(board, from) {
            hand.remove(&(load, slot));
        }
        match self.0.get_mut(usize::from(to)) {
            Some(Hand::Loose(slots)) => slots.push(slot),
            Some(Hand::Sorted(slots)) => _ = slots.insert((load, slot)),
            None => {}
        }
    }
}

/// Goes once over all that have too much or too little; whether anything moved. Each move makes the sum of
/// all faults smaller, so there is an end, and where one sweep moves nothing the next one moves nothing.
fn sweep(board: &mut Board, hands: &mut Hands) -> bool {
    let mut moved = false;
    let mut order: Vec<u16> = board.live().map(|(seat, _)| seat).collect();
    sort(board, &mut order);
    for over in order.clone().into_iter().rev() {
        while board.at(over).is_some_and(|seat| seat.load > seat.most) {
            if !exchange(board, hands, &mut order, over, true) {
                break;
            }
            moved = true;
        }
    }
    sort(board, &mut order);
    for under in order.clone() {
        while board.at(under).is_some_and(|seat| seat.load < seat.least) {
            if !exchange(board, hands, &mut order, under, false) {
                break;
            }
            moved = true;
        }
    }
    moved
}

/// The seats by load and weight, the least first.
fn sort(board: &Board, order: &mut [u16]) {
    order.sort_by(|one, other| match (board.at(*one), board.at(*other)) {
        (Some(a), Some(b)) => a.compare(b, 0).then(one.cmp(other)),
        _ => one.cmp(other),
    });
}

/// Moves a slot away from `seat`, or to it: the best there is, with one of the most different.
fn exchange(
    board: &mut Board,
    hands: &mut Hands,
    order: &mut [u16],
    seat: u16,
    away: bool,
) -> bool {
    let other = |nth: usize| {
        if away { order.get(nth) } else { order.get(order.len().checked_sub(nth + 1)?) }
    };
    let others: Vec<u16> =
        (0..).map_while(other).copied().filter(|other| *other != seat).take(TRIES).collect();
    for other in others {
        let (from, to) = if away { (seat, other) } else { (other, seat) };
        let Some(best) = best(board, hands, from, to) else { continue };
        if !board.spend(1) {
            return false;
        }
        hands.pass(board, best, from, to);
        // Only two have changed places, each by a little.
        for of in [from, to] {
            settle(board, order, of);
        }
        return true;
    }
    false
}

/// Brings `seat` back to its place in the order.
fn settle(board: &Board, order: &mut [u16], seat: u16) {
    let Some(mut at) = order.iter().position(|of| *of == seat) else { return };
    let less = |one: Option<&u16>, other: Option<&u16>| {
        let (Some(one), Some(other)) = (one, other) else { return false };
        let (Some(a), Some(b)) = (board.at(*one), board.at(*other)) else { return false };
        a.compare(b, 0).then(one.cmp(other)).is_lt()
    };
    while at > 0 && less(order.get(at), order.get(at - 1)) {
        order.swap(at, at - 1);
        at -= 1;
    }
    while less(order.get(at + 1), order.get(at)) {
        order.swap(at, at + 1);
        at += 1;
    }
}

/// The slot of `from` which, given to `to`, makes the faults of the two least, if it makes them less.
///
/// The sum of faults is convex in the load of the slot, and bends only where one of the two comes to a
/// bound: what is next to a bend is best.
fn best(board: &Board, hands: &mut Hands, from: u16, to: u16) -> Option<(u64, usize)> {
    let (giver, taker) = (board.at(from)?, board.at(to)?);
    let fault = |load: u64| giver.fault(giver.load - load) + taker.fault(taker.load + load);
    let bends = [
        giver.load.saturating_sub(giver.most),
        giver.load.saturating_sub(giver.least),
        taker.least.saturating_sub(taker.load),
        taker.most.saturating_sub(taker.load),
    ];
    let hand = hands.sorted(board, from)?;
    let below = bends.iter().filter_map(|bend| hand.range(..=(*bend, usize::MAX)).next_back());
    let above = bends.iter().filter_map(|bend| hand.range((*bend, 0)..).next());
    let best = below.chain(above).min_by_key(|(load, slot)| (fault(*load), *load, *slot))?;
    (fault(best.0) < fault(0)).then_some(*best)
}
