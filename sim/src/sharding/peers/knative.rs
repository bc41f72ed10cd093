//! Knative's standard buckets: each key belongs to one of B buckets by its name, each bucket to whoever
//! holds its lease. Nobody gives a bucket away, so the first replica keeps all that it got.
//!
//! Source: knative/pkg at 521cb33: `leaderelection/context.go`, `config.go`, `hash/hash.go`,
//! `reconciler/leader.go`. Lease duration 60 s, renew deadline 40 s, retry period 10 s, at most 10
//! buckets (here 10; the default is 1, which is plain leader election).
//!
//! What it shows: `release` runs before `Demote`, and `Demote` waits for nothing, so the next owner may
//! begin while work is in flight; the names of leases contain B, so old and new pods hold different locks
//! while B changes. A replica of generation 2 has 5 buckets here.

use std::sync::Arc;

use tenure::placement::Members;
use tenure::placement::presets::knative::choose_subset;
use tenure::time::Now;

use super::elector::{Became, Elector, RETRY, Times};
use super::io::{Io, Logic, On, name};
use super::object;
use crate::sharding::system::Birth;
use crate::time::Span;

const TIMES: Times = (Span::from_secs(60), Span::from_secs(40), Span::from_secs(10));
/// `MaxBuckets`.
const BUCKETS: u32 = 10;

/// The names of `count` buckets, in order.
pub(super) fn buckets(count: u32) -> Vec<Arc<str>> {
    (0..count).map(|i| format!("controller.reconciler.{i:02}-of-{count:02}").into()).collect()
}

/// The bucket of each slot.
pub(super) fn bucket_of(buckets: &[Arc<str>], slots: u32) -> Vec<usize> {
    let members = Members::new(buckets.iter().map(|name| &**name)).unwrap_or_default();
    let bucket = |slot| {
        let chosen = choose_subset(&members, 1, &object(slot)).unwrap_or_default();
        let name = chosen.first().map_or("", |member| member.name());
        buckets.iter().position(|bucket| &**bucket == name).unwrap_or(0)
    };
    (0..slots).map(bucket).collect()
}

/// A replica.
pub(super) struct Knative {
    electors: Vec<Elector>,
    of: Vec<usize>,
    releasing: usize,
    leaving: bool,
}

impl Knative {
    pub(super) fn new(birth: &Birth<'_>, io: &mut Io) -> Self {
        let count = if birth.replica.generation > 1 { BUCKETS / 2 } else { BUCKETS };
        let buckets = buckets(count);
        let of = bucket_of(&buckets, io.slots.count());
        let id = name(birth);
        let elector = |(number, bucket): (u32, &Arc<str>), io: &mut Io| {
            let lease = format!("lease/{bucket}").into();
            Elector::new(lease, Arc::clone(&id), TIMES, number, birth.now, io)
        };
        let electors = (0..).zip(&buckets).map(|bucket| elector(bucket, io)).collect();
        Self { electors, of, releasing: 0, leaving: false }
    }

    fn became(&mut self, bucket: u32, became: Became, io: &mut Io) {
        let slots = (0..).zip(&self.of).filter(|(_, of)| **of == bucket as usize);
        match became {
            Became::Leader => slots.for_each(|(slot, _)| io.own(slot)),
            Became::Lost => slots.for_each(|(slot, _)| io.disown(slot)),
            Became::Released => self.releasing = self.releasing.saturating_sub(1),
            Became::Nothing => {}
        }
        io.finished = self.leaving && io.is_idle() && self.releasing == 0;
    }

    /// The context ends: workers take nothing more, electors release, and neither waits for the other.
    fn leave(&mut self, now: Now, io: &mut Io) {
        self.leaving = true;
        self.releasing = self.electors.len();
        io.stop_all();
        for bucket in 0..self.electors.len() {
            let Some(elector) = self.electors.get_mut(bucket) else { continue };
            let became = elector.release(now, io);
            self.became(u32::try_from(bucket).unwrap_or(0), became, io);
        }
    }
}

impl Logic for Knative {
    fn on(&mut self, now: Now, what: On, io: &mut Io) {
        let (bucket, became) = match what {
            On::Timer((RETRY, bucket)) => {
                let Some(elector) = self.electors.get_mut(bucket as usize) else { return };
                (bucket, elector.timer(now, io))
            }
            On::Answer((kind, bucket), result) => {
                let Some(elector) = self.electors.get_mut(bucket as usize) else { return };
                (bucket, elector.answer(now, kind, result, io))
            }
            On::Leave => return self.leave(now, io),
            On::Drained(_) => (0, Became::Nothing),
            _ => return,
        };
        self.became(bucket, became, io);
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, bucket_of, buckets};

    #[test]
    fn names_of_buckets_contain_their_number() {
        assert_eq!(&*buckets(10)[3], "controller.reconciler.03-of-10");
        // So no lease of the old is one of the new: nobody waits for anybody.
        let new = buckets(5);
        assert!(buckets(10).iter().all(|bucket| !new.contains(bucket)));
    }

    #[test]
    fn buckets_are_balanced_and_a_change_of_their_number_moves_most_keys() {
        let (ten, nine) = (bucket_of(&buckets(BUCKETS), 10_000), bucket_of(&buckets(9), 10_000));
        let mut loads = [0; 10];
        for bucket in &ten {
            loads[*bucket] += 1;
        }
        let most = loads.into_iter().max().unwrap();
        assert!((1_000..=1_120).contains(&most), "busiest to mean 1.04 to 1.09: {most}");
        let moved = ten.iter().zip(&nine).filter(|(a, b)| a != b).count();
        assert!((6_700..=9_100).contains(&moved), "67 to 91 %: {moved}");
    }
}
