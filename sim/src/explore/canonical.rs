//! What makes states equal from which the same will follow.

use super::electors::{Ask, Copied};
use super::fingerprint::Folding;
use super::objects::ObjectId;
use super::symmetry::Order;
use super::table::{Seat, Table};
use super::world::{Flight, Replica, World};

/// What a version is called that will never be seen again.
const DEAD: u16 = 1;

impl World<Seat> {
    /// Gives versions names that depend on what can still come of them only. (Of strict electors;
    /// what client-go's know is not renamed.)
    ///
    /// - An update over another version than the store's will fail whatever it would write.
    /// - A version that is neither the store's nor in the answer on its way will not be seen again.
    /// - Whether a token is greater than the last can be doubtful only of an answer on its way.
    pub(super) fn rename_versions(&mut self) {
        let current = self.store.map_or(0, |stored| stored.version);
        let mut known = [0u16; 5];
        let mut count = 0;
        let mut know = |version: u16| {
            if version > 0 && !known[..count].contains(&version) {
                known[count] = version;
                count += 1;
            }
        };
        know(current);
        let mut doubtful = false;
        for replica in self.replicas() {
            if let Flight::Answered(_, Ok(copied)) = replica.flight {
                know(copied.version);
                doubtful |= copied.version <= self.last_token;
            }
        }
        if !doubtful {
            self.last_token = 0;
        }
        know(self.last_token);
        let known = &mut known[..count];
        known.sort_unstable();
        let known = &*known;
        let rank = |version: u16| {
            let at = known.iter().position(|known| *known == version);
            at.and_then(|at| u16::try_from(at).ok()).map_or(0, |at| at + DEAD + 1)
        };
        for replica in self.replicas_mut() {
            let mut answer = 0;
            match &mut replica.flight {
                Flight::Sent(Ask::Update(over)) if over.version != current => {
                    *over = Copied { object: ObjectId::default(), version: 0 };
                }
                Flight::Sent(Ask::Update(over)) => over.version = rank(over.version),
                Flight::Answered(_, Ok(copied)) => {
                    answer = copied.version;
                    copied.version = rank(answer);
                }
                _ => {}
            }
            for name in replica.seat.names.iter_mut().filter(|name| **name != 0) {
                let alive = [current, answer].contains(name);
                *name = if alive { rank(*name) } else { DEAD };
            }
            // Answers come in the order of requests, so what is dead is older than what is not.
            let names = replica.seat.names.iter().take_while(|name| **name != 0);
            assert!(names.is_sorted(), "an elector has seen versions in another order");
        }
        for orphan in self.orphans.iter_mut().flatten() {
            if let Ask::Update(over) = &mut orphan.ask {
                over.version = rank(over.version);
            }
        }
        if let Some(stored) = &mut self.store {
            stored.version = rank(current);
        }
        self.last_token = rank(self.last_token);
        self.last_version = DEAD + u16::try_from(known.len()).unwrap_or(0);
    }

    /// The same for all states from which the same will follow, up to the replicas' names.
    pub(super) fn fingerprint(&self, table: &Table) -> u64 {
        let orders = table.symmetry().orders().iter().enumerate();
        orders.map(|(at, order)| self.fingerprint_as(table, at, *order)).min().unwrap_or(0)
    }

    fn fingerprint_as(&self, table: &Table, at: usize, order: Order) -> u64 {
        let mut folding = Folding::new();
        for place in &order.replicas[..self.replicas().len()] {
            let replica = &self.replicas()[usize::from(*place)];
            let (high, low) = table.elector_digest(replica.seat.number, at);
            folding.word(high);
            folding.word(low);
            folding.word(
                replica.seat.names.iter().fold(0, |word, name| word << 16 | u64::from(*name)),
            );
            let Replica { life, believes, working, paused, stopped, .. } = *replica;
            let flags = [believes, working, paused, stopped];
            let flags =
                flags.iter().fold(u64::from(life), |word, flag| word << 1 | u64::from(*flag));
            folding.word(flags);
            match replica.flight {
                Flight::None => folding.word(1),
                Flight::Sent(ask) => fold_ask(&mut folding, table, at, ask),
                Flight::Answered(executed, Ok(copied)) => {
                    fold_copied(&mut folding, table, at, 8 + executed as u64, copied);
                }
                Flight::Answered(executed, Err(failure)) => {
                    folding.word(16 + 8 * executed as u64 + failure as u64);
                }
            }
        }
        match self.store {
            None => folding.word(3),
            Some(copied) => fold_copied(&mut folding, table, at, 4, copied),
        }
        for orphan in self.orphans.iter().flatten() {
            let writer = order.names[usize::from(orphan.writer.replica)];
            folding.word(u64::from(writer) << 8 | u64::from(orphan.writer.life));
            fold_ask(&mut folding, table, at, orphan.ask);
        }
        let faults = self.faults;
        let faults = [faults.stops, faults.crashes, faults.deletions, faults.pauses, faults.edits];
        folding.word(faults.iter().fold(1, |word, times| word << 8 | u64::from(*times)));
        folding.word(u64::from(self.last_token));
        folding.end()
    }
}

fn fold_ask(folding: &mut Folding, table: &Table, at: usize, ask: Ask) {
    match ask {
        Ask::Get => folding.word(5),
        Ask::Create(object) => fold_copied(folding, table, at, 6, Copied { object, version: 0 }),
        Ask::Update(copied) => fold_copied(folding, table, at, 7, copied),
    }
}

fn fold_copied(folding: &mut Folding, table: &Table, at: usize, kind: u64, copied: Copied) {
    let (high, low) = table.object_digest(copied.object, at);
    folding.word(high);
    folding.word(low);
    folding.word(kind << 32 | u64::from(copied.version));
}
