use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use super::Plan;
use crate::placement::{Member, Members};
use crate::time::Instant;

/// Who is here, who owns something and is not, and since when, as one leader has seen it: what it must
/// remember between two plans. A new leader begins with an empty one.
///
/// ```
/// use tenure::placement::Members;
/// use tenure::sharding::planned::{Plan, Roster};
/// use tenure::sharding::{Generation, Slots};
/// use tenure::time::Instant;
/// let (generation, slots) = (Generation { number: 1, fingerprint: 0 }, Slots::new(2).unwrap());
/// let plan = Plan::new(generation, slots, [(2, Some("a".into()), 7)]).unwrap();
/// let [first, second] = [1, 2].map(Instant::from_nanos);
///
/// let mut roster = Roster::default();
/// roster.observe(Some(&plan), &Members::new(["a", "b"]).unwrap(), first);
/// roster.observe(Some(&plan), &Members::new(["b"]).unwrap(), second);
/// assert_eq!(roster.here().map(|(member, since)| (member.name(), since)).collect::<Vec<_>>(), [("b", first)]);
/// assert_eq!(roster.gone().map(|(member, since)| (member.name(), since)).collect::<Vec<_>>(), [("a", second)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Roster {
    here: BTreeMap<Arc<str>, (Member, Instant)>,
    gone: BTreeMap<Arc<str>, (Member, Instant)>,
    /// When a plan moved something last that it did not have to.
    moved: Option<Instant>,
}

impl Roster {
    /// Nothing seen yet.
    pub(super) const fn new() -> Self {
        Self { here: BTreeMap::new(), gone: BTreeMap::new(), moved: None }
    }

    /// That `members` are here now, and `plan` is stored: those that may be given slots, so neither
    /// those that are leaving nor those of another configuration.
    ///
    /// Who is named by the plan and not here is gone since this call, or since an earlier one that found
    /// it so. O(n log n); allocates for who comes or goes.
    pub fn observe(&mut self, plan: Option<&Plan>, members: &Members, now: Instant) {
        let mut before = core::mem::take(&mut self.here);
        for member in members {
            let name: Arc<str> = member.name().into();
            let since = before.remove(&name).map_or(now, |(_, since)| since);
            self.here.insert(name, (member.clone(), since));
        }
        let mut gone = core::mem::take(&mut self.gone);
        for name in plan.into_iter().flat_map(Plan::members) {
            if self.here.contains_key(name) {
                continue;
            }
            let left = before.remove(name).map(|(member, _)| (member, now));
            // One that this leader has never seen has the weight 1.
            let entry = gone.remove(name).or(left);
            let entry = entry.unwrap_or_else(|| (Member::new(Arc::clone(name)), now));
            self.gone.insert(Arc::clone(name), entry);
        }
    }

    /// That a plan was stored, and moved `voluntary` slots that it did not have to
    /// ([`Outcome::voluntary`](super::Outcome::voluntary)).
    pub const fn stored(&mut self, voluntary: u32, now: Instant) {
        if voluntary > 0 {
            self.moved = Some(now);
        }
    }

    /// Those here, by name, and since when without a break.
    pub fn here(&self) -> impl Iterator<Item = (&Member, Instant)> {
        self.here.values().map(|(member, since)| (member, *since))
    }

    /// Those that own something and are not here, by name, and since when.
    pub fn gone(&self) -> impl Iterator<Item = (&Member, Instant)> {
        self.gone.values().map(|(member, since)| (member, *since))
    }

    pub(super) const fn moved(&self) -> Option<Instant> {
        self.moved
    }
}
