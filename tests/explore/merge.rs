//! What makes states equal from which the same will follow.

use tenure::election::{Op, Profile, Restatement};
use tenure::lock::Version;

use super::world::{Call, Flight, SHOWN, World, instant};

impl World {
    /// Writes that can take no effect any more are dropped, and all but three; a strict elector's
    /// time is counted from now, versions by their order.
    pub(crate) fn merge(&mut self) {
        self.orphans.retain(|(_, call)| {
            let stored = self.store[call.place].as_ref();
            match &call.op {
                Op::Get => false,
                Op::Create(_) => stored.is_none() || self.faults.deletions > 0,
                Op::Update(_, over) => stored.is_some_and(|stored| stored.version == *over),
            }
        });
        self.orphans.truncate(3);
        if self.faults.late_shows == 0 {
            self.old = [None, None];
        }
        if self.rules.profile == Profile::Strict {
            self.rename_versions();
        }
    }

    fn rename_versions(&mut self) {
        let mut known = vec![self.last_token];
        self.each_version(&mut |version| {
            known.push(version.as_ordered().unwrap());
            version.clone()
        });
        known.push(0);
        known.sort_unstable();
        known.dedup();
        let rank = |version: u64| u64::try_from(known.binary_search(&version).unwrap()).unwrap();
        self.next_version = u64::try_from(known.len()).unwrap();
        if known.last() != Some(&(self.next_version - 1)) {
            self.last_token = rank(self.last_token);
            self.each_version(&mut |version| Version::ordered(rank(version.as_ordered().unwrap())));
        }
    }

    fn each_version(&mut self, rename: &mut dyn FnMut(&Version) -> Version) {
        for replica in &mut self.replicas {
            let shown = instant(SHOWN);
            replica.elector.restate(Restatement { now: instant(replica.clock), shown, rename });
            replica.clock = SHOWN;
            match &mut replica.flight {
                Some(Flight::Sent(Call { op: Op::Update(_, version), .. })) => {
                    *version = rename(version);
                }
                Some(Flight::Answered(Ok(stored))) => stored.version = rename(&stored.version),
                _ => {}
            }
        }
        for (_, call) in &mut self.orphans {
            if let Op::Update(_, version) = &mut call.op {
                *version = rename(version);
            }
        }
        for stored in self.store.iter_mut().chain(&mut self.old).flatten() {
            stored.version = rename(&stored.version);
        }
    }
}
