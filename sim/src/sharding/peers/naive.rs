//! Every replica does everything: what happens without an election or shards.

use tenure::sharding::SlotSet;
use tenure::time::Now;

use super::io::{Io, Logic, On};

/// Does everything until it leaves.
pub(super) struct Naive {
    leaving: bool,
}

impl Naive {
    pub(super) fn new(io: &mut Io) -> Self {
        io.owned = SlotSet::all(io.slots);
        Self { leaving: false }
    }
}

impl Logic for Naive {
    fn on(&mut self, _: Now, what: On, io: &mut Io) {
        if matches!(what, On::Leave) {
            self.leaving = true;
            io.stop_all();
        }
        io.finished = self.leaving && io.is_idle();
    }
}
