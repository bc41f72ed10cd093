//! Keys, and members that come and go.

use core::num::NonZeroU32;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use tenure::placement::Member;

use crate::experiment::SHIPPED_NAMES;

/// Sets of 1 to 200 keys as clusters have them, in order and without repetition: names of real objects as
/// `Kind/namespace/name`, UIDs, `namespace/name`, and names that differ in a digit or a length only.
///
/// ```
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
/// let drawn = tenure_sim::strategy::keys().new_tree(&mut TestRunner::deterministic());
/// assert!((1..=200).contains(&drawn.unwrap().current().len()));
/// ```
pub fn keys() -> impl Strategy<Value = Vec<String>> {
    let real: Vec<&str> = SHIPPED_NAMES.lines().filter(|line| !line.is_empty()).collect();
    let key = prop_oneof![
        2 => "x-1{0,3}0{0,2}",
        3 => select(real).prop_map(str::to_owned),
        2 => "[a-z]{2,8}/[a-z]{2,9}-[0-9a-f]{8,10}-[a-z0-9]{5}",
        2 => "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    ];
    btree_set(key, 1..=200).prop_map(|keys| keys.into_iter().collect())
}

/// What becomes of the members of a group, step by step.
///
/// ```
/// use tenure_sim::strategy::{Change, Membership};
/// let start = vec!["a".into(), "b".into()];
/// let history = Membership { start, changes: vec![Change::Leave("a".into())] };
/// assert_eq!(history.steps().last(), Some(&vec!["b".into()]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Who is there at first.
    pub start: Vec<Member>,
    /// What happens then, one thing after the other.
    pub changes: Vec<Change>,
}

/// One thing that happens to a group.
///
/// ```
/// use tenure_sim::strategy::Change;
/// assert_eq!(Change::Join("c".into()).member().name(), "c");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This one is there from now on.
    Join(Member),
    /// This one is no more.
    Leave(Member),
    /// This one has another weight or zone than it had.
    Alter(Member),
}

impl Change {
    /// Whom it is about, as it is from now on.
    #[must_use]
    pub const fn member(&self) -> &Member {
        match self {
            Self::Join(member) | Self::Leave(member) | Self::Alter(member) => member,
        }
    }
}

impl Membership {
    /// The members at first, and after each change.
    #[must_use]
    pub fn steps(&self) -> Vec<Vec<Member>> {
        let mut now = self.start.clone();
        let mut steps = vec![now.clone()];
        for change in &self.changes {
            now.retain(|member| member.name() != change.member().name());
            if !matches!(change, Change::Leave(_)) {
                now.push(change.member().clone());
            }
            steps.push(now.clone());
        }
        steps
    }
}

/// Groups of up to 12 members, and up to 12 changes: members join and leave, and change weight or zone.
/// A group may become empty. Names are those of Pods, and such as differ little.
///
/// ```
/// use proptest::strategy::{Strategy, ValueTree};
/// use proptest::test_runner::TestRunner;
/// let drawn = tenure_sim::strategy::memberships().new_tree(&mut TestRunner::deterministic());
/// let history = drawn.unwrap().current();
/// assert_eq!(history.steps().len(), history.changes.len() + 1);
/// ```
pub fn memberships() -> impl Strategy<Value = Membership> {
    let name = prop_oneof![
        3 => "pod-[0-9]{1,2}",
        2 => "x-1{0,3}0{0,1}",
        2 => "controller-[0-9a-f]{8,10}-[a-z0-9]{5}",
    ];
    let known = btree_set(name, 1..=12).prop_map(|names| names.into_iter().collect::<Vec<_>>());
    let present = vec(any::<bool>(), 12);
    let changes = vec((0..12_usize, 0..4_u8, 1..=4_u32, 0..3_u8), 0..=12);
    (known, present, changes).prop_map(|(names, present, changes)| {
        let start: Vec<Member> = names
            .iter()
            .zip(&present)
            .filter(|(_, present)| **present)
            .map(|(name, _)| Member::new(name.as_str()))
            .collect();
        let mut history = Membership { start, changes: Vec::new() };
        let mut now = history.start.clone();
        for (who, what, weight, zone) in changes {
            let Some(name) = names.get(who % names.len()) else { continue };
            let weight = NonZeroU32::new(weight).unwrap_or(NonZeroU32::MIN);
            let zone = if zone == 0 { String::new() } else { format!("z{zone}") };
            let as_new = Member::new(name.as_str()).with_weight(weight).in_zone(zone);
            let known = now.iter().position(|member| member.name() == name);
            history.changes.push(match known {
                None => {
                    now.push(as_new.clone());
                    Change::Join(as_new)
                }
                Some(at) if what < 3 => Change::Leave(now.swap_remove(at)),
                Some(at) => {
                    now.swap_remove(at);
                    now.push(as_new.clone());
                    Change::Alter(as_new)
                }
            });
        }
        history
    })
}
