//! Slots in few ranges.
//!
//! Nobody is given another range unless it has room for one; else slots move over borders between ranges,
//! if need be through the hands of others: who has too much pushes the excess along the shortest way to
//! somebody with room, each on the way giving as much as it takes. The line of ranges connects all, so
//! where nothing is pinned or held the shares come out.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use super::board::Board;
use super::is_free;
use super::line::{Border, Line, Piece, search};

/// How many ways are tried before a seat is left as it is.
const TRIES: usize = 8;
/// How many times as many pieces as there may be ranges are mended one by one.
const MENDED: usize = 4;

pub(super) fn assign(board: &mut Board, ranges: u32) {
    let mut line = Line::new(board);
    let owned =
        line.pieces.iter().filter(|piece| !piece.fixed && board.is_live(piece.owner)).count();
    let allowed = board.live().count().saturating_mul(ranges as usize);
    if owned == 0 || owned > allowed.saturating_mul(MENDED) {
        lay_out(board);
        line = Line::new(board);
    }
    merge(board, &mut line, ranges);
    adopt(board, &mut line, ranges);
    // Each makes the ranges too many fewer, or leaves them and makes the faults less: there is an end,
    // from which nothing moves.
    while fill(board, &mut line, ranges)
        || flow(board, &mut line, ranges)
        || merge(board, &mut line, ranges)
    {}
}

/// Deals the line out from scratch: one range for each, in the order of names.
fn lay_out(board: &mut Board) {
    let mut held = vec![0_u64; board.seats.len()];
    let mut free = 0;
    for ((slot, owner), fixed) in board.owners.iter().enumerate().zip(&board.fixed) {
        let load = board.load(slot);
        match held.get_mut(usize::from(*owner)) {
            Some(held) if *fixed => *held += load,
            _ => free += load,
        }
    }
    let weights: u128 = board.seats.iter().map(|seat| u128::from(seat.weight)).sum();
    let needs: Vec<(u16, u128)> = board
        .live()
        .map(|(at, seat)| {
            let held = held.get(usize::from(at)).copied().unwrap_or(0);
            let share = u128::from(board.total()) * u128::from(seat.weight);
            (at, share.saturating_sub(u128::from(held) * weights))
        })
        .collect();
    let sum: u128 = needs.iter().map(|(_, need)| need).sum();
    // So that the product with a load has room.
    let shift = (u128::BITS - sum.leading_zeros()).saturating_sub(64);
    let sum = (sum >> shift).max(1);
    let (mut needs, mut until) = (needs.into_iter(), 0);
    let (mut seat, mut end, mut done) = (None, 0, 0);
    for slot in 0..board.owners.len() {
        if board.fixed.get(slot).copied().unwrap_or(true) {
            continue;
        }
        let load = board.load(slot);
        while done + load / 2 >= end {
            let Some((next, need)) = needs.next() else { break };
            until += need;
            seat = Some(next);
            end = u64::try_from(u128::from(free) * (until >> shift).min(sum) / sum).unwrap_or(free);
        }
        done += load;
        let (Some(seat), Some(owner)) = (seat, board.owners.get(slot).copied()) else { continue };
        if owner != seat && (is_free(owner) || board.spend(1)) {
            board.give(slot, seat);
        }
    }
}

/// Whoever has too many ranges gives its smallest ones to their neighbours.
fn merge(board: &mut Board, line: &mut Line, most: u32) -> bool {
    let mut moved = false;
    loop {
        let ranges = line.ranges(board);
        let whole = |(before, piece, behind): &(u16, Piece, u16)| {
            let own = ranges.get(usize::from(piece.owner)).copied().unwrap_or(0);
            let apart = *before != piece.owner && *behind != piece.owner;
            let taken = board.is_live(*before) || board.is_live(*behind);
            !piece.fixed && own > most && board.is_live(piece.owner) && apart && taken
        };
        let lightest = line
            .neighbours()
            .filter(whole)
            .min_by_key(|(_, piece, _)| (board.load_of(piece.start, piece.end), piece.start));
        let Some((before, piece, behind)) = lightest else { return moved };
        let Some(to) = lighter(board, before, behind) else { return moved };
        let (start, end) = afford(board, piece.start, piece.end, to == behind);
        if !spend(board, start, end) {
            return moved;
        }
        line.give(board, start, end, to);
        moved = true;
    }
}

/// Gives away what has no owner: to those that have too little, if they may have another range, else to
/// the neighbours.
fn adopt(board: &mut Board, line: &mut Line, most: u32) {
    loop {
        let free = line.neighbours().filter(|(_, piece, _)| is_free(piece.owner));
        let heaviest = free.max_by_key(|(_, piece, _)| {
            (board.load_of(piece.start, piece.end), usize::MAX - piece.start)
        });
        let Some((before, Piece { start, end, .. }, behind)) = heaviest else { return };
        let ranges = line.ranges(board);
        let may = |seat: u16| ranges.get(usize::from(seat)).is_some_and(|ranges| *ranges < most);
        let needy = least(board, |seat| {
            let needs = board.at(seat).is_some_and(|seat| seat.load < seat.least);
            needs && (may(seat) || seat == before || seat == behind)
        });
        let of = |seat: u16| board.at(seat).filter(|seat| seat.live);
        let (start, end, to) = if let Some(seat) = needy {
            let room = of(seat).map_or(0, super::board::Seat::room);
            let all = Border { giver: seat, taker: seat, start, end, behind: seat == behind };
            let (start, end) = all.cut(board, room);
            (start, end, seat)
        } else if let (Some(one), Some(other)) = (of(before), of(behind)) {
            // As much for each that they are even.
            let even = search(start, end, |at| {
                let one_has = u128::from(one.load + board.load_of(start, at + 1));
                let other_has = u128::from(other.load + board.load_of(at + 1, end));
                one_has * u128::from(other.weight) <= other_has * u128::from(one.weight)
            });
            if even > start { (start, even, before) } else { (start, end, behind) }
        } else {
            let near = lighter(board, before, behind);
            let Some(seat) = near.or_else(|| least(board, may)).or_else(|| least(board, |_| true))
            else {
                return;
            };
            (start, end, seat)
        };
        line.give(board, start, end, to);
    }
}

/// Gives those that have too little another range, from those that have most; whether anything moved.
fn fill(board: &mut Board, line: &mut Line, most: u32) -> bool {
    let needy: Vec<u16> =
        board.live().filter(|(_, seat)| seat.load < seat.least).map(|(at, _)| at).collect();
    let mut moved = false;
    for to in needy {
        let mut ranges = line.ranges(board).get(usize::from(to)).copied().unwrap_or(most);
        while ranges < most {
            let Some(taker) = board.at(to).filter(|seat| seat.load < seat.least) else { break };
            let middle = taker.least.midpoint(taker.most);
            let part = (middle - taker.load).div_ceil(u64::from(most - ranges));
            let donors = board.live().filter(|(at, seat)| *at != to && seat.load > seat.least);
            let donor = donors.max_by(|(a, one), (b, other)| one.compare(other, 0).then(b.cmp(a)));
            let Some((donor, spare)) = donor.map(|(at, seat)| (at, seat.load - seat.least)) else {
                break;
            };
            if !sever(board, line, donor, to, part.min(spare)) {
                break;
            }
            moved = true;
            ranges += 1;
        }
    }
    moved
}

/// Gives `to` the end of a range of `from`, the largest, if that makes the faults of both less.
fn sever(board: &mut Board, line: &mut Line, from: u16, to: u16, amount: u64) -> bool {
    let ends = line.neighbours().filter(|(before, piece, behind)| {
        piece.owner == from && !piece.fixed && (*before != from || *behind != from)
    });
    let largest = ends.max_by_key(|(_, piece, _)| {
        (board.load_of(piece.start, piece.end), usize::MAX - piece.start)
    });
    let Some((_, Piece { start, end, .. }, behind)) = largest else { return false };
    let border = Border { giver: from, taker: to, start, end, behind: behind != from };
    let (start, end) = border.cut(board, amount);
    let (start, end) = afford(board, start, end, border.behind);
    if !mends(board, &[border], &[((start, end), to)]) || !spend(board, start, end) {
        return false;
    }
    line.give(board, start, end, to);
    true
}

/// Goes once over all that have too much or too little, and shifts borders; whether anything moved.
fn flow(board: &mut Board, line: &mut Line, most: u32) -> bool {
    let mut moved = false;
    let seats: Vec<u16> = board.live().map(|(seat, _)| seat).collect();
    for away in [true, false] {
        for seat in &seats {
            let wrong = |board: &Board| {
                board
                    .at(*seat)
                    .is_some_and(|of| if away { of.load > of.most } else { of.load < of.least })
            };
            while wrong(board)
                && (push(board, line, *seat, away) || away && shed(board, line, *seat, most))
            {
                moved = true;
            }
        }
    }
    moved
}

/// Gives what is too much to one that no border leads to, since it has nothing.
fn shed(board: &mut Board, line: &mut Line, from: u16, most: u32) -> bool {
    let ranges = line.ranges(board);
    let to = least(board, |seat| {
        let may = ranges.get(usize::from(seat)).is_some_and(|ranges| *ranges < most);
        may && seat != from && board.at(seat).is_some_and(|seat| seat.room() > 0)
    });
    let Some((to, giver, taker)) = to.and_then(|to| Some((to, board.at(from)?, board.at(to)?)))
    else {
        return false;
    };
    let amount = giver.load.saturating_sub(giver.most).min(taker.room());
    sever(board, line, from, to, amount)
}

/// Shifts load away from `seat`, or to it, along the shortest way to one that can take or give it.
fn push(board: &mut Board, line: &mut Line, seat: u16, away: bool) -> bool {
    let mut borders = line.borders(board);
    let near = |border: &Border| if away { border.giver } else { border.taker };
    let far = |border: &Border| if away { border.taker } else { border.giver };
    borders.sort_by_key(near); // stable: in the order of the line
    let mut seen = BTreeSet::from([seat]);
    let mut level: Vec<(u16, Vec<Border>)> = vec![(seat, Vec::new())];
    let mut tries = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for (at, way) in level {
            let first = borders.partition_point(|border| near(border) < at);
            for border in borders.iter().skip(first).take_while(|border| near(border) == at) {
                if seen.insert(far(border)) {
                    let mut way = way.clone();
                    way.push(*border);
                    next.push((far(border), way));
                }
            }
        }
        let mut ends: Vec<_> = next.iter().filter(|(end, _)| can_end(board, *end, away)).collect();
        ends.sort_by(|(a, _), (b, _)| match (board.at(*a), board.at(*b)) {
            (Some(one), Some(other)) if away => one.compare(other, 0).then(a.cmp(b)),
            (Some(one), Some(other)) => other.compare(one, 0).then(a.cmp(b)),
            _ => a.cmp(b),
        });
        for (_, way) in ends {
            tries += 1;
            let mut way = way.clone();
            if !away {
                way.reverse();
            }
            if shift(board, line, &way) {
                return true;
            }
            if tries == TRIES || board.budget == 0 {
                return false;
            }
        }
        level = next;
    }
    false
}

/// Whether a way may end at `seat`.
fn can_end(board: &Board, seat: u16, away: bool) -> bool {
    board.at(seat).is_some_and(|of| if away { of.load < of.most } else { of.load > of.least })
}

/// Gives from each to the next along `way`, as much as makes the faults at its ends less.
fn shift(board: &mut Board, line: &mut Line, way: &[Border]) -> bool {
    let (Some(first), Some(last)) = (way.first(), way.last()) else { return false };
    let (Some(from), Some(to)) = (board.at(first.giver), board.at(last.taker)) else {
        return false;
    };
    let over = if from.load > from.most { from.load - from.most } else { from.load - from.least };
    let under = if to.load < to.least { to.least - to.load } else { to.room() };
    // Whoever has too little takes no more than it needs from one that has not too much.
    let wanted = if from.load > from.most { over.min(to.room()) } else { over.min(under) };
    let narrowest = way.iter().map(|border| board.load_of(border.start, border.end)).min();
    let mut amount = wanted.min(narrowest.unwrap_or(0));
    let mut way = way;
    if board.unit {
        let steps = way.len() as u64;
        let affordable = u64::from(board.budget) / steps;
        if affordable < amount {
            board.starved = true;
        }
        if affordable == 0 {
            // The first steps only: what is too much comes nearer to the room, over borders that stay. (By
            // the last ones a range on the way may vanish, and the way with it.)
            way = way.get(..board.budget as usize).unwrap_or_default();
            amount = amount.min(1);
        } else {
            amount = amount.min(affordable);
        }
    }
    let cuts: Vec<_> = way.iter().map(|border| (border.cut(board, amount), border.taker)).collect();
    if amount == 0 || cuts.is_empty() || (!board.unit && !mends(board, way, &cuts)) {
        return false;
    }
    let slots: usize = cuts.iter().map(|((start, end), _)| end - start).sum();
    if !board.spend(u32::try_from(slots).unwrap_or(u32::MAX)) {
        return false;
    }
    for ((start, end), to) in cuts {
        line.give(board, start, end, to);
    }
    true
}

/// Whether the faults of all on the way become less.
fn mends(board: &Board, way: &[Border], cuts: &[((usize, usize), u16)]) -> bool {
    let load = |cut: Option<&((usize, usize), u16)>| {
        cut.map_or(0, |((start, end), _)| board.load_of(*start, *end))
    };
    let seats = way.iter().map(|border| border.giver).chain(way.last().map(|border| border.taker));
    let (mut before, mut after) = (0_u128, 0_u128);
    for (at, seat) in seats.enumerate() {
        let Some(seat) = board.at(seat) else { return false };
        let taken = load(at.checked_sub(1).and_then(|at| cuts.get(at)));
        before += u128::from(seat.fault(seat.load));
        after += u128::from(seat.fault((seat.load + taken).saturating_sub(load(cuts.get(at)))));
    }
    after < before
}

/// The one of two neighbours that has less by its weight, of those that are here.
fn lighter(board: &Board, before: u16, behind: u16) -> Option<u16> {
    least(board, |seat| seat == before || seat == behind)
}

/// Whoever has least by its weight, of those here for which `may` holds.
fn least(board: &Board, may: impl Fn(u16) -> bool) -> Option<u16> {
    let seats = board.live().filter(|(at, _)| may(*at));
    let order = |(a, one): &(u16, &super::board::Seat), (b, other): &(u16, &super::board::Seat)| {
        one.compare(other, 0).then(a.cmp(b))
    };
    seats.min_by(order).map(|(at, _)| at)
}

/// As many of the slots as the budget allows for, at least one: the last ones, or the first ones.
fn afford(board: &mut Board, start: usize, end: usize, last: bool) -> (usize, usize) {
    let slots = (board.budget as usize).max(1);
    if slots >= end - start {
        return (start, end);
    }
    board.starved = true;
    if last { (end - slots, end) } else { (start, start + slots) }
}

/// Takes what moves from the budget; what had no owner costs nothing.
fn spend(board: &mut Board, start: usize, end: usize) -> bool {
    let slots = board.origins.iter().skip(start).take(end - start);
    let owned = slots.filter(|origin| !is_free(**origin)).count();
    board.spend(u32::try_from(owned).unwrap_or(u32::MAX))
}
