//! The hash space as a line of pieces, each of one owner.

use alloc::vec;
use alloc::vec::Vec;

use super::super::plan::NOBODY;
use super::board::Board;

/// Slots side by side with one owner, that may all move or may not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) owner: u16,
    pub(super) fixed: bool,
}

/// A place where a member that is here can give slots to another without another range for either.
#[derive(Debug, Clone, Copy)]
pub(super) struct Border {
    pub(super) giver: u16,
    pub(super) taker: u16,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the taker is behind the giver's piece, and not before it.
    pub(super) behind: bool,
}

impl Border {
    /// What to give that is `amount` at most, but a slot at least.
    pub(super) fn cut(&self, board: &Board, amount: u64) -> (usize, usize) {
        if self.behind {
            let start = search(self.start, self.end - 1, |at| board.load_of(at, self.end) > amount);
            (start, self.end)
        } else {
            let more = |at| board.load_of(self.start, at + 1) <= amount;
            (self.start, search(self.start + 1, self.end, more))
        }
    }
}

/// The first of `start` to `end` for which `go_on` does not hold, or `end`; it holds for none behind
/// that.
pub(super) fn search(mut start: usize, mut end: usize, go_on: impl Fn(usize) -> bool) -> usize {
    while start < end {
        let middle = start.midpoint(end);
        if go_on(middle) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
}

impl Line {
    pub(super) fn new(board: &Board) -> Self {
        let mut line = Self { pieces: Vec::new() };
        for ((slot, owner), fixed) in board.owners.iter().enumerate().zip(&board.fixed) {
            line.push(Piece { start: slot, end: slot + 1, owner: *owner, fixed: *fixed });
        }
        line
    }

    /// Adds a piece at the end.
    fn push(&mut self, piece: Piece) {
        match self.pieces.last_mut() {
            Some(last) if (last.owner, last.fixed) == (piece.owner, piece.fixed) => {
                last.end = piece.end;
            }
            _ => self.pieces.push(piece),
        }
    }

    /// Gives `to` the slots from `start` up to `end`, all within a piece that is not fixed.
    pub(super) fn give(&mut self, board: &mut Board, start: usize, end: usize, to: u16) {
        for slot in start..end {
            board.give(slot, to);
        }
        for piece in core::mem::take(&mut self.pieces) {
            let (first, last) = (start.max(piece.start), end.min(piece.end));
            if first >= last {
                self.push(piece);
                continue;
            }
            if piece.start < first {
                self.push(Piece { end: first, ..piece });
            }
            self.push(Piece { start: first, end: last, owner: to, fixed: false });
            if last < piece.end {
                self.push(Piece { start: last, ..piece });
            }
        }
    }

    /// The pieces with the owners before and behind them.
    pub(super) fn neighbours(&self) -> impl Iterator<Item = (u16, Piece, u16)> {
        let owner = |at: Option<usize>| {
            at.and_then(|at| self.pieces.get(at)).map_or(NOBODY, |piece| piece.owner)
        };
        let pieces = self.pieces.iter().copied().enumerate();
        pieces.map(move |(at, piece)| (owner(at.checked_sub(1)), piece, owner(Some(at + 1))))
    }

    /// How many ranges each seat has.
    pub(super) fn ranges(&self, board: &Board) -> Vec<u32> {
        let mut ranges = vec![0; board.seats.len()];
        for (before, piece, _) in self.neighbours() {
            if piece.owner != before
                && let Some(ranges) = ranges.get_mut(usize::from(piece.owner))
            {
                *ranges += 1;
            }
        }
        ranges
    }

    /// All borders, in the order of the line.
    pub(super) fn borders(&self, board: &Board) -> Vec<Border> {
        let mut borders = Vec::new();
        for (before, piece, behind) in self.neighbours() {
            let Piece { start, end, owner: giver, fixed } = piece;
            if fixed || !board.is_live(giver) {
                continue;
            }
            for (taker, behind) in [(before, false), (behind, true)] {
                if taker != giver && board.is_live(taker) {
                    borders.push(Border { giver, taker, start, end, behind });
                }
            }
        }
        borders
    }
}
