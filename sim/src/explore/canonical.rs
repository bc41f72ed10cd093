//! What makes states equal from which the same will follow.

use super::electors::{Ask, Call, Copied};
use super::fingerprint::Folding;
use super::objects::ObjectId;
use super::symmetry::Order;
use super::table::{Seat, Table};
use super::world::{Flight, Replica, World};

impl World<Seat> {
    /// Gives versions names that depend on what can still come of them only. (Of strict electors;
    /// what client-go's know is not renamed.)
    ///
    /// - An update over another version than the store's will fail whatever it would write.
    /// - A version that is neither the store's, nor what a watch may still show, nor in the answer on
    ///   its way will not be seen again; of it counts only between which others it was.
    /// - Whether a token is greater than the last can be doubtful only of an answer on its way.
    pub(super) fn rename_versions(&mut self) {
        let version = |stored: Option<Copied>| stored.map_or(0, |stored| stored.version);
        let (current, old) = (self.store.map(version), self.old.map(version));
        let mut known = [0u16; 8];
        let mut count = 0;
        let mut know = |version: u16| {
            if version > 0 && !known[..count].contains(&version) {
                known[count] = version;
                count += 1;
            }
        };
        current.into_iter().chain(old).for_each(&mut know);
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
        // Even ones, and between them room for those that will not be seen again.
        let even = |at: usize| u16::try_from(2 * at + 2).unwrap_or(0);
        let rank = |version: u16| known.binary_search(&version).map_or(0, even);
        for replica in self.replicas_mut() {
            let mut seen = [current[0], current[1], old[0], old[1], 0];
            match &mut replica.flight {
                Flight::Sent(Call { place, ask: Ask::Update(over) }) => {
                    *over = if over.version == current[usize::from(*place)] {
                        Copied { version: rank(over.version), ..*over }
                    } else {
                        Copied { object: ObjectId::default(), version: 0 }
                    };
                }
                Flight::Answered(_, Ok(copied)) => {
                    seen[4] = copied.version;
                    copied.version = rank(copied.version);
                }
                _ => {}
            }
            for name in replica.seat.names.iter_mut().filter(|name| **name != 0) {
                let below = seen.iter().filter(|seen| *seen < name).max();
                let below = below.map_or(0, |version| rank(*version));
                *name = if seen.contains(name) { rank(*name) } else { below + 1 };
            }
        }
        for orphan in self.orphans.iter_mut().flatten() {
            if let Ask::Update(over) = &mut orphan.call.ask {
                over.version = rank(over.version);
            }
        }
        for stored in self.store.iter_mut().chain(&mut self.old).flatten() {
            stored.version = rank(stored.version);
        }
        self.last_token = rank(self.last_token);
        self.last_version = even(known.len()) - 1;
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
                Flight::Sent(call) => fold_call(&mut folding, table, at, call),
                Flight::Answered(executed, Ok(copied)) => {
                    fold_copied(&mut folding, table, at, 8 + executed as u64, copied);
                }
                Flight::Answered(executed, Err(failure)) => {
                    folding.word(16 + 8 * executed as u64 + failure as u64);
                }
            }
        }
        for stored in self.store.iter().chain(&self.old) {
            match stored {
                None => folding.word(3),
                Some(copied) => fold_copied(&mut folding, table, at, 4, *copied),
            }
        }
        for orphan in self.orphans.iter().flatten() {
            let writer = order.names[usize::from(orphan.writer.replica)];
            folding.word(u64::from(writer) << 8 | u64::from(orphan.writer.life));
            fold_call(&mut folding, table, at, orphan.call);
        }
        let faults = self.faults;
        folding.word(faults.counts().fold(1, |word, times| word << 8 | u64::from(times)));
        folding.word(u64::from(self.last_token));
        folding.end()
    }
}

fn fold_call(folding: &mut Folding, table: &Table, at: usize, call: Call) {
    folding.word(call.place.into());
    match call.ask {
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
