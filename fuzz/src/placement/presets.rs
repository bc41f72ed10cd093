//! Placements as deployed systems compute them, on members that come and go.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use arbitrary::Result;
use tenure::placement::presets::ketama::Ketama;
use tenure::placement::presets::{argo_cd, knative, thanos, timebertt};
use tenure::placement::{Key, Member, Members, Placement, RingError};

use super::{Play, laws};

impl Play<'_, '_> {
    /// A thousand points for each member take their time.
    pub(super) fn thanos(&mut self) -> Result<()> {
        let ring = |members| thanos::ring(members).expect("few points");
        self.leaderless(5, ring)?;
        let members = self.members(5)?;
        let count = self.bytes.int_in_range(0..=6)?;
        let ring = ring(members.clone());
        for &key in &self.keys {
            let replicas = thanos::replicas(&ring, key, count);
            let distinct: BTreeSet<_> = replicas.iter().collect();
            assert!(distinct.len() == replicas.len() && replicas.len() <= count);
            assert!(thanos::replicas(&ring, key, count + 1).starts_with(&replicas));
            // Members in no zone are in one together.
            let used =
                |of: &Member| replicas.iter().filter(|member| member.zone() == of.zone()).count();
            let least = members.iter().map(used).min().unwrap_or(0);
            assert!(members.iter().all(|member| used(member) <= least + 1));
            if replicas.len() < count {
                let mut left = members.iter().filter(|member| !replicas.contains(member));
                assert!(left.all(|member| used(member) > least), "{replicas:?} of {members:?}");
                self.marks.insert("zone used up");
            }
        }
        Ok(())
    }

    pub(super) fn timebertt(&mut self) -> Result<()> {
        self.leaderless(10, |members| timebertt::ring(members).expect("few points"))
    }

    /// The points of one depend on all others, so only that everybody is ranked is certain.
    pub(super) fn ketama(&mut self) -> Result<()> {
        let variants = [Ketama::go, Ketama::weighted, Ketama::unweighted];
        let variant: fn(Members) -> std::result::Result<Ketama, RingError> =
            *self.bytes.choose(&variants.map(|variant| variant as _))?;
        for _ in 0..3 {
            let ketama = variant(self.members(5)?).expect("few points");
            let (k, extra) = (self.bytes.int_in_range(0..=6)?, self.bytes.int_in_range(0..=60)?);
            // They lie on 32 bits, and so do keys.
            self.keys.iter().for_each(|key| {
                let low = Key::from_hash(key.as_u64() & u64::from(u32::MAX));
                assert_eq!(ketama.place(*key), ketama.place(low));
                laws::ranks(&ketama, *key, k);
            });
            laws::bounded(&ketama, &self.keys, extra);
        }
        self.marks.insert("ketama");
        Ok(())
    }

    pub(super) fn knative(&mut self) -> Result<()> {
        for _ in 0..10 {
            let (members, k) = (self.members(10)?, self.bytes.int_in_range(0..=10)?);
            let target = *self.bytes.choose(&["default/rev-1", "", "x/東京"])?;
            let subset = |k| knative::choose_subset(&members, k, target).expect("few members");
            let (chosen, fewer) = (subset(k), subset(k / 2));
            assert_eq!(chosen.len(), k.min(members.len()));
            assert!(chosen.is_sorted_by(|one, next| one < next));
            assert!(fewer.iter().all(|member| chosen.contains(member)));
            self.marks.insert("subset");
        }
        Ok(())
    }

    pub(super) fn argo_cd(&mut self) -> Result<()> {
        let replicas = NonZeroU32::new(self.bytes.int_in_range(1..=4)?).expect("at least 1");
        let loads = [0, 1, 2, 9, u64::MAX];
        let load = |_| self.bytes.choose(&loads).copied();
        let clusters: Vec<u64> = (0..20).map(load).collect::<Result<_>>()?;
        let ids: Vec<_> = (0..20).map(|i| format!("cluster-{i:02}")).collect();
        let clusters: Vec<_> = ids.iter().map(String::as_str).zip(clusters).collect();
        let shards = argo_cd::bounded(clusters.iter().rev().copied(), replicas).expect("few");
        assert!(shards.iter().map(|(id, _)| id).eq(clusters.iter().map(|(id, _)| id)));
        let mut used = vec![0_u128; replicas.get() as usize];
        for ((_, shard), (id, load)) in shards.iter().zip(&clusters) {
            assert!(argo_cd::legacy(id, replicas) < replicas.get());
            let mean = ((used.iter().sum::<u128>() + 1) / u128::from(replicas.get())).max(1);
            let used = &mut used[*shard as usize];
            assert!(*used * 4 < mean * 5);
            *used += u128::from(*load);
        }
        self.marks.insert("argo");
        Ok(())
    }

    /// Up to `most` different ones.
    fn members(&mut self, most: usize) -> Result<Members> {
        let mut members = Vec::<Member>::new();
        for _ in 0..self.bytes.int_in_range(0..=most)? {
            let member = self.member()?;
            members.retain(|other| other.name() != member.name());
            members.push(member);
        }
        Ok(Members::new(members).expect("distinct"))
    }
}
