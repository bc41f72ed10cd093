use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::num::NonZeroU32;

use super::super::{Absent, Full, Key, Member, Numbered, Numbering, NumberingError, Placement};
use super::{Dx, Named, NamedError, NamedState, Removal, Tail};

/// The key modulo the number of numbers; at most five.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Few(u32);

/// Any number below eight may be in use; a key is on the one that its remainder counts to. What was
/// removed stands last in `removed`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gaps {
    removed: Vec<u32>,
}

impl Numbered for Few {
    fn len(&self) -> u32 {
        self.0
    }
    fn contains(&self, index: u32) -> bool {
        index < self.0
    }
    fn index(&self, key: Key) -> Option<u32> {
        u32::try_from(key.as_u64().checked_rem(self.0.into())?).ok()
    }
    fn numbering(&self) -> Numbering {
        Numbering { end: self.0, removed: vec![] }
    }
    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        match (numbering.end, numbering.removed.first()) {
            (_, Some(&index)) => Err(NumberingError::Gap(index)),
            (end @ 0..=5, None) => Ok(Self(end)),
            (end, None) => Err(NumberingError::TooMany { end, most: 5 }),
        }
    }
}

impl Tail for Few {
    fn push(&mut self) -> Result<u32, Full> {
        if self.0 == 5 {
            return Err(Full(5));
        }
        self.0 += 1;
        Ok(self.0 - 1)
    }
    fn pop(&mut self) -> Option<u32> {
        self.0 = self.0.checked_sub(1)?;
        Some(self.0)
    }
}

impl Numbered for Gaps {
    fn len(&self) -> u32 {
        8 - u32::try_from(self.removed.len()).unwrap()
    }
    fn contains(&self, index: u32) -> bool {
        index < 8 && !self.removed.contains(&index)
    }
    fn index(&self, key: Key) -> Option<u32> {
        let nth = key.as_u64().checked_rem(self.len().into())?;
        (0..8).filter(|&index| self.contains(index)).nth(usize::try_from(nth).unwrap())
    }
    fn numbering(&self) -> Numbering {
        Numbering { end: 8, removed: self.removed.clone() }
    }
    fn from_numbering(numbering: &Numbering) -> Result<Self, NumberingError> {
        if numbering.end != 8 {
            return Err(NumberingError::TooMany { end: numbering.end, most: 8 });
        }
        let mut gaps = Self { removed: vec![] };
        for &index in &numbering.removed {
            gaps.remove(index).map_err(|_| NumberingError::Removed(index))?;
        }
        Ok(gaps)
    }
}

impl Removal for Gaps {
    fn add(&mut self) -> Result<u32, Full> {
        self.removed.pop().ok_or(Full(8))
    }
    fn remove(&mut self, index: u32) -> Result<(), Absent> {
        if !self.contains(index) {
            return Err(Absent(index));
        }
        self.removed.push(index);
        Ok(())
    }
}

fn few(names: &[&str]) -> Named<Few> {
    Named::new(Few(u32::try_from(names.len()).unwrap()), names.iter().copied()).unwrap()
}

/// 0, 3, 4, 5, 7 are in use.
fn gaps() -> Named<Gaps> {
    Named::new(Gaps { removed: vec![6, 1, 2] }, ["m", "c", "x", "a", "k"]).unwrap()
}

/// The names by number, `-` for a number not in use; and all ways to ask agree.
fn names<A: Numbered>(named: &Named<A>) -> String {
    let end = named.algorithm().numbering().end;
    let name = |number| {
        assert_eq!(named.member_at(number).is_some(), named.algorithm().contains(number));
        let Some(member) = named.member_at(number) else { return "-" };
        assert_eq!(named.index_of(member.name()), Some(number));
        assert_eq!(named.members().by_name(member.name()), Some(member));
        member.name()
    };
    let by_number: Vec<_> = (0..end).map(name).collect();
    assert_eq!(named.members().len(), usize::try_from(named.algorithm().len()).unwrap());
    assert!(named.members().iter().is_sorted());
    assert_eq!((named.member_at(end), named.member_at(u32::MAX)), (None, None));
    for key in (0..40).map(Key::from_hash) {
        let number = named.algorithm().index(key);
        assert_eq!(named.place(key), number.and_then(|number| named.member_at(number)));
        assert_eq!(named.place(key).is_none(), named.members().is_empty());
    }
    by_number.join(" ")
}

#[test]
fn members_get_the_numbers_in_use() {
    assert_eq!(names(&few(&["b", "c", "a"])), "b c a");
    assert_eq!(names(&few(&[])), "");
    assert_eq!(names(&gaps()), "m - - c x a - k");
}

#[test]
fn pop_lets_the_greatest_number_go_and_push_gives_it_again() {
    let mut named = few(&["b", "c", "a"]);
    assert_eq!(named.push("aa"), Ok(3));
    assert_eq!(names(&named), "b c a aa");
    assert_eq!(named.pop().unwrap().name(), "aa");
    assert_eq!(named.pop().unwrap().name(), "a");
    assert_eq!(named.push("0"), Ok(2));
    assert_eq!(names(&named), "b c 0");
    for left in ["b c", "b", ""] {
        assert!(named.pop().is_some());
        assert_eq!(names(&named), left);
    }
    assert_eq!(named.pop(), None);
    assert_eq!(named.push("first"), Ok(0));
    assert_eq!(names(&named), "first");
}

#[test]
fn remove_finds_the_number_by_name_and_add_gives_it_again() {
    let mut named = gaps();
    assert_eq!(named.remove("x").unwrap().name(), "x");
    assert_eq!(names(&named), "m - - c - a - k");
    assert_eq!(named.add("zz"), Ok(4));
    assert_eq!(named.add("0"), Ok(2));
    assert_eq!(names(&named), "m - 0 c zz a - k");
    for name in ["m", "0", "c", "zz", "a", "k"] {
        named.remove(name).unwrap();
        names(&named);
    }
    assert_eq!(names(&named), "- - - - - - - -");
    assert_eq!(named.add("back"), Ok(7));
}

/// Also by its own name, with another weight.
#[test]
fn replace_keeps_the_number() {
    let mut named = gaps();
    assert_eq!(named.replace("c", "zz").unwrap().name(), "c");
    assert_eq!(names(&named), "m - - zz x a - k");
    let heavy = Member::from("a").with_weight(NonZeroU32::new(7).unwrap()).in_zone("z");
    assert_eq!(named.replace("a", heavy.clone()).unwrap(), "a".into());
    assert_eq!(named.member_at(5), Some(&heavy));
    assert_eq!(names(&named), "m - - zz x a - k");
    // It can go by its new name, and what came last is not what pop takes.
    let mut named = few(&["b", "c", "a"]);
    named.replace("b", "new").unwrap();
    assert_eq!(named.pop().unwrap().name(), "a");
    assert_eq!(names(&named), "new c");
}

/// All orders in which three of five that went come back, by their numbers or exchanged.
#[test]
fn insert_undoes_removals_in_any_order() {
    let whole = Named::new(Dx::new(5, 70).unwrap(), ["a", "b", "c", "d", "e"]).unwrap();
    let places = |named: &Named<Dx>| {
        let owner = |key| named.place(Key::from_hash(key)).unwrap().clone();
        (0..500).map(owner).collect::<Vec<_>>()
    };
    let gone = [(1, "b"), (3, "d"), (4, "e")];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut named = whole.clone();
        for (_, name) in gone {
            named.remove(name).unwrap();
        }
        for at in order {
            let (number, name) = gone[at];
            let before = places(&named);
            named.insert(number, name).unwrap();
            names(&named);
            let moved = before.iter().zip(places(&named)).filter(|(old, new)| *old != new);
            assert!(moved.map(|(_, new)| new).all(|new| new.name() == name));
        }
        assert_eq!((&named, places(&named)), (&whole, places(&whole)));
    }
    let mut named = whole.clone();
    named.remove("b").unwrap();
    let before = named.clone();
    for number in [0, 4, 70, 127, u32::MAX] {
        assert_eq!(named.insert(number, "b"), Err(NamedError::NotFree(number)));
    }
    assert_eq!(named.insert(1, "a"), Err(NamedError::Duplicate("a".into())));
    assert_eq!(named.insert(1, ""), Err(NamedError::EmptyName));
    assert_eq!(named, before);
    named.insert(69, "z").unwrap();
    assert_eq!((named.index_of("z"), named.add("b")), (Some(69), Ok(1)));
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut named = gaps();
    let before = named.clone();
    assert_eq!(named.add("a"), Err(NamedError::Duplicate("a".into())));
    assert_eq!(named.add(""), Err(NamedError::EmptyName));
    assert_eq!(named.remove("b"), Err(NamedError::Unknown("b".into())));
    assert_eq!(named.remove(""), Err(NamedError::Unknown("".into())));
    assert_eq!(named.replace("b", "d"), Err(NamedError::Unknown("b".into())));
    assert_eq!(named.replace("a", "c"), Err(NamedError::Duplicate("c".into())));
    assert_eq!(named.replace("a", ""), Err(NamedError::EmptyName));
    assert_eq!(named, before);
    for name in ["1", "2", "3"] {
        named.add(name).unwrap();
    }
    let before = named.clone();
    assert_eq!(named.add("4"), Err(NamedError::Full(Full(8))));
    assert_eq!(named, before);

    let mut named = few(&["a", "b", "c", "d", "e"]);
    let before = named.clone();
    assert_eq!(named.push("f"), Err(NamedError::Full(Full(5))));
    assert_eq!(named.push("e"), Err(NamedError::Duplicate("e".into())));
    assert_eq!(named.push(""), Err(NamedError::EmptyName));
    assert_eq!(named, before);
}

#[test]
fn new_wants_one_member_for_each_number() {
    let new = |names: &[&str]| Named::new(Few(2), names.iter().copied()).unwrap_err();
    assert_eq!(new(&[]), NamedError::Count { members: 0, numbers: 2 });
    assert_eq!(new(&["a", "b", "c", "d"]), NamedError::Count { members: 3, numbers: 2 });
    assert_eq!(new(&["a", "a"]), NamedError::Duplicate("a".into()));
    assert_eq!(new(&["", "a"]), NamedError::EmptyName);
    let endless = (0_u32..).map(|number| number.to_string());
    let error = Named::new(Few(2), endless).unwrap_err();
    assert_eq!(error, NamedError::Count { members: 3, numbers: 2 });
}

/// A state restores what gave it, and what comes after: the next removal and addition as well.
#[test]
fn a_state_restores() {
    let mut named = gaps();
    named.replace("k", Member::from("k").in_zone("west")).unwrap();
    for turn in 0..40_u32 {
        let mut other = Named::<Gaps>::from_state(&named.state()).unwrap();
        assert_eq!(other, named);
        let name = format!("n{turn}");
        if turn % 3 == 0 {
            assert_eq!(named.add(&*name), other.add(&*name));
        } else if let Some(member) = named.members().get(turn as usize % 4).cloned() {
            assert_eq!(named.remove(member.name()), other.remove(member.name()));
        }
        assert_eq!(other, named);
    }
    let named = few(&["c", "a"]);
    assert_eq!(Named::<Few>::from_state(&named.state()).unwrap(), named);
    let empty = NamedState::default();
    assert_eq!(Named::<Few>::from_state(&empty).unwrap(), few(&[]));
}

#[test]
fn a_forged_state_is_refused() {
    let refused = |end, removed: &[u32], members: &[(u32, &str)]| {
        let members = members.iter().map(|(number, name)| (*number, (*name).into())).collect();
        let numbering = Numbering { end, removed: removed.to_vec() };
        Named::<Gaps>::from_state(&NamedState { numbering, members }).unwrap_err()
    };
    let gone = [0, 1, 2, 3, 4];
    let name = "a".into();
    assert_eq!(refused(8, &gone, &[(5, "a"), (6, "b"), (7, "a")]), NamedError::Duplicate(name));
    assert_eq!(refused(8, &gone, &[(5, "a"), (6, "b"), (7, "")]), NamedError::EmptyName);
    assert_eq!(refused(8, &gone, &[(5, "a"), (6, "b"), (6, "c")]), NamedError::Twice(6));
    let not_in_use = |number| NamedError::NotInUse { number, name: "c".into() };
    for number in [4, 8, u32::MAX] {
        let error = refused(8, &gone, &[(5, "a"), (6, "b"), (number, "c")]);
        assert!([not_in_use(number), NamedError::Missing(7)].contains(&error), "{error:?}");
        let error = refused(8, &gone, &[(5, "a"), (6, "b"), (7, "d"), (number, "c")]);
        assert_eq!(error, not_in_use(number));
    }
    assert_eq!(refused(8, &[0, 1, 2, 3, 3], &[(5, "a"), (6, "b"), (7, "c")]), {
        NamedError::Numbering(NumberingError::Removed(3))
    });
    let few = NamedError::Count { members: 2, numbers: 3 };
    assert_eq!(refused(8, &gone, &[(5, "a"), (7, "b")]), few);
    // Nothing of that size is made.
    let error = refused(u32::MAX, &[], &[(5, "a")]);
    assert_eq!(error, NamedError::Count { members: 1, numbers: u32::MAX });
    let error = refused(0, &[0, 0], &[]);
    assert_eq!(error, NamedError::Numbering(NumberingError::TooMany { end: 0, most: 8 }));
}

#[test]
fn errors_name_field_value_and_remedy() {
    let texts = [
        (NamedError::EmptyName, "name"),
        (NamedError::Duplicate("x".into()), "\"x\""),
        (NamedError::Unknown("x".into()), "\"x\""),
        (NamedError::Count { members: 3, numbers: 4 }, "3 for 4"),
        (NamedError::Full(Full(4)), "4 numbers"),
        (NamedError::NotFree(3), "the number 3"),
        (NamedError::Numbering(NumberingError::Removed(3)), "numbering: removed 3"),
        (NamedError::NotInUse { number: 3, name: "x".into() }, "\"x\" has the number 3"),
        (NamedError::Twice(3), "the number 3"),
        (NamedError::Missing(3), "the number 3"),
    ];
    for (error, part) in texts {
        let text = error.to_string();
        assert!(text.contains(part) && text.contains(": "), "{text}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_state_is_written_and_read() {
    let mut named = gaps();
    let heavy = Member::from("k").with_weight(NonZeroU32::new(7).unwrap()).in_zone("west");
    named.replace("k", heavy).unwrap();
    let text = serde_json::to_string(&named.state()).unwrap();
    let numbering = r#"{"numbering":{"end":8,"removed":[6,1,2]},"members":["#;
    let members = r#"{"number":0,"name":"m"},{"number":3,"name":"c"},{"number":4,"name":"x"},"#;
    let last = r#"{"number":5,"name":"a"},{"number":7,"name":"k","weight":7,"zone":"west"}]}"#;
    assert_eq!(text, numbering.to_owned() + members + last);
    let state: NamedState = serde_json::from_str(&text).unwrap();
    assert_eq!(Named::<Gaps>::from_state(&state).unwrap(), named);

    for (from, to) in [("\"weight\":7", "\"weight\":0"), ("\"zone\"", "\"zones\"")] {
        let text = text.replace(from, to);
        assert!(serde_json::from_str::<NamedState>(&text).is_err(), "{text}");
    }
}
