//! What deployed systems do otherwise than by a key's hash and a set of members.

use core::num::NonZeroU32;

use tenure::placement::presets::{Unmixed, argo_cd, knative, thanos};
use tenure::placement::{Member, Members, Placement as _, Ring, RingError};

use super::{Best, Built, Item, Owners, Placer, Setup, position};
use crate::balance::Unfit;

/// Argo CD's `legacy`: of the text.
pub(in crate::balance) fn argo_cd_legacy(setup: &Setup) -> Built {
    position(setup, |len| {
        let replicas = NonZeroU32::new(len);
        let find = move |item: &Item<'_>| Some(argo_cd::legacy(item.text, replicas?));
        Ok::<_, Unfit>(find)
    })
}

/// All ids, each with its shard, ascending by id.
type AssignAll = for<'k> fn(&[Item<'k>], NonZeroU32) -> Vec<(&'k str, u32)>;

/// Shards by number, for all ids at once.
struct Shards {
    members: Vec<Member>,
    assign: AssignAll,
}

impl Placer for Shards {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        let replicas = u32::try_from(self.members.len()).ok().and_then(NonZeroU32::new);
        let assigned = replicas.map_or_else(Vec::new, |replicas| (self.assign)(items, replicas));
        let owner = |item: &Item<'_>| {
            let place = assigned.binary_search_by(|(id, _)| (*id).cmp(item.text)).ok()?;
            let (_, shard) = assigned.get(place)?;
            self.members.get(*shard as usize)
        };
        owners.extend(items.iter().map(owner));
    }
}

/// Argo CD's `round-robin`.
pub(in crate::balance) fn argo_cd_round_robin(setup: &Setup) -> Built {
    setup.set()?;
    let assign: AssignAll =
        |items, replicas| argo_cd::round_robin(items.iter().map(|item| item.text), replicas);
    Ok(Box::new(Shards { members: setup.members.clone(), assign }))
}

/// Argo CD's `consistent-hashing`, each cluster with a load of 1.
pub(in crate::balance) fn argo_cd_consistent(setup: &Setup) -> Built {
    setup.set()?;
    if let Some(replicas) = NonZeroU32::new(setup.len()?) {
        argo_cd::ring(replicas).map_err(Unfit::new)?;
    }
    let assign: AssignAll = |items, replicas| {
        let clusters = items.iter().map(|item| (item.text, 1));
        // The constructor has tried so many replicas.
        argo_cd::bounded(clusters, replicas).unwrap_or_default()
    };
    Ok(Box::new(Shards { members: setup.members.clone(), assign }))
}

/// Knative's `ChooseSubset`.
struct Subset(Members);

impl Placer for Subset {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        let one = |item: &Item<'_>| knative::choose_subset(&self.0, 1, item.text).ok()?.pop();
        owners.extend(items.iter().map(one));
    }

    fn best_into<'a>(&'a self, item: Item<'_>, which: Best, best: &mut Vec<&'a Member>) -> bool {
        best.clear();
        best.extend(knative::choose_subset(&self.0, which.count, item.text).into_iter().flatten());
        true
    }
}

/// Knative's `ChooseSubset`: the text is the target.
pub(in crate::balance) fn knative(setup: &Setup) -> Built {
    let members = setup.set()?;
    knative::choose_subset(&members, 1, "").map_err(Unfit::new)?;
    Ok(Box::new(Subset(members)))
}

/// Thanos' ring, which spreads replicas over zones itself.
struct Thanos(Ring<Unmixed, false>);

impl Placer for Thanos {
    fn place_each<'a>(&'a self, items: &[Item<'_>], owners: &mut Owners<'a>) {
        owners.extend(items.iter().map(|item| self.0.place(item.key)));
    }

    fn best_into<'a>(&'a self, item: Item<'_>, which: Best, best: &mut Vec<&'a Member>) -> bool {
        *best = thanos::replicas(&self.0, item.key, which.count);
        true
    }
}

/// Thanos receive's `ketama`.
pub(in crate::balance) fn thanos(setup: &Setup) -> Built {
    let ring = thanos::ring(setup.set()?).map_err(|why: RingError| Unfit::new(why))?;
    Ok(Box::new(Thanos(ring)))
}
