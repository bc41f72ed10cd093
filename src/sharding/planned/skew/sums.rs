use alloc::vec;
use alloc::vec::Vec;

/// The loads of cells in a row, added up. A cut is the number of cells before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sums(Vec<u128>); // of no cells, of the first, of the first two, and so on

impl Default for Sums {
    /// Of no cells.
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Sums {
    /// Another cell, behind the others. (It would take more keys than memory holds to overflow.)
    pub(super) fn push(&mut self, load: u128) {
        self.0.push(self.total() + load);
    }

    fn cells(&self) -> usize {
        self.0.len() - 1
    }

    fn at(&self, cut: usize) -> u128 {
        self.0.get(cut).copied().unwrap_or_else(|| self.total())
    }

    pub(super) fn total(&self) -> u128 {
        self.0.last().copied().unwrap_or(0)
    }

    pub(super) fn hottest(&self) -> u128 {
        let loads = self.0.iter().zip(self.0.iter().skip(1)).map(|(before, after)| after - before);
        loads.max().unwrap_or(0)
    }

    /// The load between cuts, and before the first and behind the last.
    pub(super) fn parts(&self, cuts: &[usize]) -> Vec<u128> {
        let ends = cuts.iter().map(|cut| self.at(*cut)).chain([self.total()]);
        let mut start = 0;
        ends.map(|end| end - core::mem::replace(&mut start, end)).collect()
    }

    /// The load that lies in parts of different numbers.
    pub(super) fn moved(&self, from: &[usize], to: &[usize]) -> u128 {
        let ends = |cuts: &[usize]| cuts.iter().copied().chain([self.cells()]).collect::<Vec<_>>();
        let (mut starts, mut kept) = ((0, 0), 0_u128);
        for (a, b) in ends(from).into_iter().zip(ends(to)) {
            let (start, end) = (starts.0.max(starts.1), a.min(b));
            kept += self.at(end).saturating_sub(self.at(start));
            starts = (a, b);
        }
        self.total() - kept
    }

    /// How far a part that begins at `from` reaches with at most `cap`.
    fn reach(&self, from: usize, cap: u128) -> usize {
        let most = self.at(from).saturating_add(cap);
        self.0.partition_point(|sum| *sum <= most) - 1
    }

    /// The least `cap` for which so many parts hold everything, none of them more than that.
    ///
    /// Parts filled one after the other to above total / n cannot be n: so total / n + the hottest cell
    /// is always enough, and the search is among as many numbers as the hottest has.
    pub(super) fn least(&self, parts: u16) -> u128 {
        let mean = self.total().div_ceil(u128::from(parts));
        let hottest = self.hottest();
        let (mut low, mut high) = (mean.max(hottest), mean.saturating_add(hottest));
        while low < high {
            let middle = low + (high - low) / 2;
            let end = (0..parts).fold(0, |from, _| self.reach(from, middle));
            if end == self.cells() { high = middle } else { low = middle + 1 }
        }
        low
    }

    /// Cuts into so many parts of at most `cap`, which is possible, each where `prefer` likes it: it is
    /// told how many parts are left, and where they begin.
    fn cuts(
        &self,
        parts: u16,
        cap: u128,
        mut prefer: impl FnMut(u16, usize) -> usize,
    ) -> Vec<usize> {
        // What is behind a cut must fit into the parts behind it.
        let mut lowest = Vec::with_capacity(parts.into());
        let mut end = self.cells();
        for _ in 1..parts {
            let least = self.at(end).saturating_sub(cap);
            end = self.0.partition_point(|sum| *sum < least);
            lowest.push(end);
        }
        let mut from = 0;
        let left = (2..=parts).rev();
        let cut = left.zip(lowest.into_iter().rev()).map(|(left, lowest)| {
            from = prefer(left, from).max(lowest).max(from).min(self.reach(from, cap));
            from
        });
        cut.collect()
    }

    /// Into parts as even as may be: each takes its share of what is left.
    pub(super) fn evenly(&self, parts: u16, cap: u128) -> Vec<usize> {
        self.cuts(parts, cap, |left, from| {
            let before = self.at(from);
            self.nearest(before + (self.total() - before) / u128::from(left))
        })
    }

    /// Each cut at or next to where it was, the first first.
    pub(super) fn staying(&self, parts: u16, cap: u128, old: &[usize]) -> Vec<usize> {
        let mut old = old.iter();
        self.cuts(parts, cap, |_, from| old.next().copied().unwrap_or(from))
    }

    /// The same, the last first.
    pub(super) fn staying_mirrored(&self, parts: u16, cap: u128, old: &[usize]) -> Vec<usize> {
        let total = self.total();
        let mirrored = Self(self.0.iter().rev().map(|sum| total - sum).collect());
        let turned = |cuts: &[usize]| {
            cuts.iter().rev().map(|cut| self.cells().saturating_sub(*cut)).collect::<Vec<_>>()
        };
        turned(&mirrored.staying(parts, cap, &turned(old)))
    }

    /// The cut before which there is most nearly `target`; of two as near, the one behind.
    fn nearest(&self, target: u128) -> usize {
        let above = self.0.partition_point(|sum| *sum < target).min(self.cells());
        let below = above.saturating_sub(1);
        let distance = |cut| self.at(cut).abs_diff(target);
        if distance(below) < distance(above) { below } else { above }
    }
}
