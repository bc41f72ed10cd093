//! Members that come and go in any order, on any algorithm: the laws of placement hold at each step.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use arbitrary::{Result, Unstructured};
use tenure::placement::presets::kube_state_metrics;
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, Guava, Jump, JumpBack, Key, Maglev, Member, Members, Memento,
    MultiProbe, Named, Numbered, Placement, Ranking, Rationalizable, Removal, Rendezvous, Ring,
    Tail,
};

mod laws;
mod presets;

type Marks = BTreeSet<&'static str>;

/// Reads an algorithm, keys and operations from `data`, and plays them.
pub fn placement(data: &[u8]) {
    marks(data);
}

/// Inputs to start from.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::random_seeds(marks)
}

fn marks(data: &[u8]) -> Marks {
    let mut marks = Marks::new();
    // Bytes that end early end the play.
    let _ = play(&mut Unstructured::new(data), &mut marks);
    marks
}

fn play(bytes: &mut Unstructured<'_>, marks: &mut Marks) -> Result<()> {
    let algorithm = bytes.int_in_range(0..=19)?;
    let len = bytes.int_in_range(0..=6)?;
    let room = len + bytes.int_in_range(0..=6)?;
    let points = NonZeroU32::new(bytes.int_in_range(1..=9)?).expect("at least 1");
    let keys = [(); 12].map(|()| bytes.arbitrary().map(Key::from_hash).ok());
    let keys: Vec<_> = keys.into_iter().flatten().collect();
    let mut play = Play { bytes, marks, keys };
    match algorithm {
        0 => play.tail(Jump::new(len).expect("few")),
        1 => play.tail(Jump::<Guava>::rounded(len).expect("few")),
        2 => play.tail(JumpBack::new(len).expect("few")),
        3 => play.tail(Flip::new(len)),
        4 => play.tail(Binomial::new(len)),
        5 => play.removal(Anchor::new(len, room).expect("few")),
        6 => play.removal(Memento::new(JumpBack::new(len).expect("few"))),
        7 => play.removal(Memento::new(Jump::<Guava>::rounded(len).expect("few"))),
        8 => play.removal(Memento::new(Flip::new(len))),
        9 => play.removal(Memento::new(Binomial::new(len))),
        10 => play.removal(Dx::new(len, room).expect("few")),
        11 => play.leaderless(OPERATIONS, Rendezvous::new),
        12 => play.leaderless(OPERATIONS, |all| Ring::new(all, points).expect("few points")),
        13 => play.leaderless(OPERATIONS, |all| MultiProbe::new(all, points)),
        14 => play.rebuilt(),
        15 => play.tail(kube_state_metrics::shards(len).expect("few")),
        16 => play.thanos(),
        17 => play.timebertt(),
        18 => play.ketama(),
        _ => {
            play.argo_cd()?;
            play.knative()
        }
    }
}

/// Longer plays find nothing that shorter ones do not.
const OPERATIONS: usize = 30;

struct Play<'a, 'b> {
    bytes: &'a mut Unstructured<'b>,
    marks: &'a mut Marks,
    keys: Vec<Key>,
}

/// Who has which key, by name.
type Owners = Vec<Option<String>>;

impl Play<'_, '_> {
    fn owners(&self, placement: &impl Placement) -> Owners {
        let owner = |&key: &Key| {
            let owner = placement.place(key);
            assert_eq!(owner.is_none(), placement.members().is_empty());
            owner.map(|owner| {
                assert_eq!(placement.members().by_name(owner.name()), Some(owner));
                owner.name().to_owned()
            })
        };
        self.keys.iter().map(owner).collect()
    }

    /// One of ten names, some of which are parts of others, some those of zones.
    fn member(&mut self) -> Result<Member> {
        let name = ["x-1", "x-11", "x-110", "x", "1", "a", "b", "zürich", "東京", "x-1-1"];
        let member = Member::from(*self.bytes.choose(&name)?);
        let weight = NonZeroU32::new(self.bytes.int_in_range(1..=5)?).expect("at least 1");
        let zone = *self.bytes.choose(&["", "a", "b", "c"])?;
        Ok(member.with_weight(weight).in_zone(zone))
    }

    /// What every joining of numbers and members keeps.
    fn named<A: Numbered>(&self, named: &Named<A>) -> Owners {
        let owners = self.owners(named);
        let state = named.state();
        let text = serde_json::to_string(&state).expect("a state can be written");
        assert_eq!(serde_json::from_str(&text).ok(), Some(state.clone()));
        let again = Named::<A>::from_state(&state).expect("its own state");
        assert_eq!(self.owners(&again), owners, "restored, it places otherwise");
        for (number, member) in &state.members {
            assert_eq!(named.member_at(*number), Some(member));
            assert_eq!(named.index_of(member.name()), Some(*number));
        }
        assert_eq!(state.members.len(), named.members().len());
        owners
    }

    /// In place of somebody, the same keys fall to another, and no other key moves.
    fn replace<A: Numbered>(&mut self, named: &mut Named<A>, before: &Owners) -> Result<()> {
        let (old, new) = (self.member()?, self.member()?);
        let known = named.members().contains(old.name());
        let taken = named.members().contains(new.name()) && old.name() != new.name();
        let replaced = named.replace(old.name(), new.clone()).is_ok();
        assert_eq!(replaced, known && !taken);
        let after = self.named(named);
        for (before, after) in before.iter().zip(&after) {
            let renamed = before.as_deref() == Some(old.name()) && replaced;
            let right = if renamed { Some(new.name()) } else { before.as_deref() };
            assert_eq!(after.as_deref(), right);
        }
        if replaced {
            self.marks.insert("replaced");
        }
        Ok(())
    }

    fn tail<A: Tail>(&mut self, algorithm: A) -> Result<()> {
        let first = (0..algorithm.len()).map(|number| format!("first-{number}"));
        let mut named = Named::new(algorithm, first).expect("as many as numbers");
        for _ in 0..OPERATIONS {
            if self.bytes.is_empty() {
                break;
            }
            let before = self.named(&named);
            match self.bytes.int_in_range(0..=2)? {
                0 => {
                    let member = self.member()?;
                    let known = named.members().contains(member.name());
                    let pushed = named.push(member.clone()).is_ok();
                    assert_eq!(pushed, !known);
                    self.joined(&before, &self.named(&named), pushed.then_some(member.name()));
                }
                1 => {
                    let popped = named.pop();
                    assert_eq!(popped.is_none(), before.iter().all(Option::is_none));
                    self.left(&before, &self.named(&named), popped.as_ref().map(Member::name));
                }
                _ => self.replace(&mut named, &before)?,
            }
        }
        Ok(())
    }

    fn removal<A: Removal>(&mut self, algorithm: A) -> Result<()> {
        let first = (0..algorithm.len()).map(|number| format!("first-{number}"));
        let mut named = Named::new(algorithm, first).expect("as many as numbers");
        for _ in 0..OPERATIONS {
            if self.bytes.is_empty() {
                break;
            }
            let before = self.named(&named);
            match self.bytes.int_in_range(0..=3)? {
                0 => {
                    let member = self.member()?;
                    let known = named.members().contains(member.name());
                    let added = named.add(member.clone()).is_ok();
                    assert!(!(added && known), "two of one name");
                    if !added && !known {
                        self.marks.insert("full");
                    }
                    self.joined(&before, &self.named(&named), added.then_some(member.name()));
                }
                1 | 2 => {
                    let all: Vec<_> = named.members().iter().cloned().collect();
                    let member = if all.is_empty() {
                        self.member()?
                    } else {
                        self.bytes.choose(&all)?.clone()
                    };
                    let removed = named.remove(member.name()).is_ok();
                    assert_eq!(removed, !all.is_empty());
                    self.left(&before, &self.named(&named), removed.then_some(member.name()));
                }
                _ => self.replace(&mut named, &before)?,
            }
        }
        Ok(())
    }

    /// Sets with a member more, a member less, or one of another weight.
    fn leaderless<P: Rationalizable + Ranking>(
        &mut self,
        operations: usize,
        build: impl Fn(Members) -> P,
    ) -> Result<()> {
        let mut placement = build(Members::default());
        let mut before = self.owners(&placement);
        for _ in 0..operations {
            if self.bytes.is_empty() {
                break;
            }
            let member = self.member()?;
            let name = member.name();
            let members = placement.members();
            let others = members.iter().filter(|other| other.name() != name).cloned();
            let known = members.contains(name);
            let stays = !known || self.bytes.ratio(1, 3)?;
            let next = Members::new(others.chain(stays.then(|| member.clone()))).expect("distinct");
            let next = build(next);
            let after = self.owners(&next);
            let k = self.bytes.int_in_range(0..=8)?;
            match (known, stays) {
                (false, _) => {
                    self.joined(&before, &after, Some(name));
                    self.keys
                        .iter()
                        .for_each(|key| laws::one_gives_way(&placement, &next, name, *key, k));
                }
                (true, false) => {
                    self.left(&before, &after, Some(name));
                    self.keys
                        .iter()
                        .for_each(|key| laws::one_gives_way(&next, &placement, name, *key, k));
                }
                (true, true) => {
                    // Of another weight: keys move to it or from it.
                    self.marks.insert("weighed");
                    let from_or_to = |(old, new): (&Option<String>, &Option<String>)| {
                        old == new || [old, new].iter().any(|it| it.as_deref() == Some(name))
                    };
                    assert!(before.iter().zip(&after).all(from_or_to));
                }
            }
            self.keys.iter().for_each(|key| laws::ranks(&next, *key, k));
            if laws::bounded(&next, &self.keys, self.bytes.int_in_range(0..=60)?) {
                self.marks.insert("turned away");
            }
            (placement, before) = (next, after);
        }
        Ok(())
    }

    /// Made anew of each set: it need not move little, but is total and a function of the set.
    fn rebuilt(&mut self) -> Result<()> {
        let mut set = Vec::<Member>::new();
        for _ in 0..OPERATIONS / 3 {
            if self.bytes.is_empty() {
                break;
            }
            let member = self.member()?;
            if set.iter().any(|other| other.name() == member.name()) {
                set.retain(|other| other.name() != member.name());
            }
            set.push(member);
            let forward = Maglev::new(Members::new(set.iter().cloned()).expect("distinct"));
            let backward = Maglev::new(Members::new(set.iter().rev().cloned()).expect("distinct"));
            assert_eq!(self.owners(&forward), self.owners(&backward));
            self.marks.insert("rebuilt");
        }
        Ok(())
    }

    fn joined(&mut self, before: &Owners, after: &Owners, name: Option<&str>) {
        for (old, new) in before.iter().zip(after) {
            assert!(old == new || (name.is_some() && new.as_deref() == name), "{old:?} to {new:?}");
        }
        if before != after {
            self.marks.insert("joined");
        }
    }

    fn left(&mut self, before: &Owners, after: &Owners, name: Option<&str>) {
        for (old, new) in before.iter().zip(after) {
            assert!(old == new || (name.is_some() && old.as_deref() == name), "{old:?} to {new:?}");
        }
        if before != after {
            self.marks.insert("left");
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_operations() {
        let wanted = [
            "joined",
            "left",
            "replaced",
            "full",
            "weighed",
            "rebuilt",
            "turned away",
            "ketama",
            "zone used up",
            "subset",
            "argo",
        ];
        crate::tests::reach(1_000, &wanted, super::marks);
    }
}
