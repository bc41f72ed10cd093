//! What is asked of a placement.

use tenure::placement::{Key, Member, Members, Placement};

use super::{Change, Membership, Misplaced};

/// The laws, by the names that a [`Property`](super::Property) knows.
pub(super) const LAWS: [&str; 3] = ["owner", "same", "movement"];

/// The first law that `make` breaks, if any of `asked` is broken.
pub(super) fn broken<P: Placement>(
    history: &Membership,
    keys: &[String],
    asked: impl Fn(&str) -> bool,
    make: impl Fn(Members) -> P,
) -> Option<Misplaced> {
    let mut before: Option<Vec<Option<Member>>> = None;
    let changes = [None].into_iter().chain(history.changes.iter().map(Some));
    for (members, change) in history.steps().into_iter().zip(changes) {
        let told = |law: &'static str, what: String, key: &String| Misplaced {
            law,
            what,
            key: key.clone(),
            members: members.clone(),
            change: change.cloned(),
        };
        // Members are told in any order; names differ, since changes are by name.
        let [forwards, backwards] = [
            Members::new(members.iter().cloned()).unwrap_or_default(),
            Members::new(members.iter().rev().cloned()).unwrap_or_default(),
        ];
        let (one, other) = (make(forwards.clone()), make(backwards));
        let mut owners = Vec::with_capacity(keys.len());
        for (nth, key) in keys.iter().enumerate() {
            let place = |placement: &P| placement.place(Key::from(key.as_str())).cloned();
            let owner = place(&one);
            let name = owner.as_ref().map_or("nobody", Member::name);
            let known =
                owner.as_ref().map_or(forwards.is_empty(), |it| forwards.contains(it.name()));
            if asked("owner") && !known {
                return Some(told("owner", format!("{name} owns it, and is no member"), key));
            }
            let again = place(&other);
            if asked("same") && again != owner {
                let again = again.as_ref().map_or("nobody", Member::name);
                let what = format!("{name} owns it, and {again} when it is placed again");
                return Some(told("same", what, key));
            }
            let was = before.as_ref().and_then(|before| before.get(nth)).and_then(Option::as_ref);
            let was = was.map(Member::name);
            if asked("movement")
                && let (Some(change), Some(was), Some(is)) = (change, was, owner.as_ref())
                && was != is.name()
                && !allowed(change, was, is.name())
            {
                return Some(told("movement", format!("it moved from {was} to {name}"), key));
            }
            owners.push(owner);
        }
        before = Some(owners);
    }
    None
}

/// Whether a key may move between these: to who came, from who went, to or from who changed.
fn allowed(change: &Change, from: &str, to: &str) -> bool {
    match change {
        Change::Join(member) => to == member.name(),
        Change::Leave(member) => from == member.name(),
        Change::Alter(member) => from == member.name() || to == member.name(),
    }
}
