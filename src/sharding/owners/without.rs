//! Who owns a slot where a rule is left out, for tests of checks. With all rules, this is not asked.

use alloc::format;

use crate::placement::Members;
use crate::placement::hash::{Draw, Mixed, xxh3_64};
use crate::sharding::Slot;
use crate::sharding::rules::{Rule, Rules};

/// Whether the member at `position` owns `slot`, if that is not for the ranking to say.
pub(super) fn has(rules: Rules, members: &Members, position: usize, slot: Slot) -> Option<bool> {
    let index = slot.index();
    if !rules.hold(Rule::LeastMoves) {
        return Some(index as usize % members.len() == position);
    }
    let own = members.iter().nth(position)?.name_hash();
    let score = |name: &str, hash: u64| {
        if !rules.hold(Rule::LabelsApart) {
            return Some(xxh3_64(format!("{name}{index}").as_bytes()));
        }
        let seed = own.rotate_left(32);
        (!rules.hold(Rule::OneHash)).then(|| Mixed::draw(hash ^ seed, index.into()))
    };
    let mut best = None;
    for (place, member) in members.iter().enumerate() {
        best = best.max(Some((score(member.name(), member.name_hash())?, place)));
    }
    best.map(|(_, place)| place == position)
}
