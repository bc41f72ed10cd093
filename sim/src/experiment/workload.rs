//! What is worked on: objects by name, and who is to work on each while these members live.

use core::fmt;
use std::collections::BTreeMap;

use tenure::placement::{Key, Member, Members, Placement, Rendezvous};
use tenure::sharding::{Slot, Slots};

use crate::distribution::scale;
use crate::time::Span;

/// The names that the crate ships: 2,291 objects of public projects.
pub(crate) const SHIPPED: &str = include_str!("../../data/kubernetes-objects.txt");

/// What some editors put before a text: nothing that anybody sees.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// As much of a name as a message needs.
fn beginning(name: &str) -> String {
    let mut told: String = name.chars().take(80).collect();
    if told.len() < name.len() {
        told.push('…');
    }
    told
}

/// Objects to be reconciled, by name. An object is known by its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    keys: Vec<Key>,
    /// Each object with its phase in a period of 2⁶⁴, ascending by phase.
    order: Vec<(u64, u32)>,
}

/// Why a list of names is refused; the line counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    /// Which line; none if it is about the whole list.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.problem, self.remedy)
    }
}

impl core::error::Error for BadName {}

impl Workload {
    /// The names that the crate ships.
    ///
    /// # Errors
    /// None with these names; as [`Workload::new`].
    pub fn shipped() -> Result<Self, BadName> {
        Self::new(SHIPPED)
    }

    /// One name a line.
    ///
    /// # Errors
    /// There is no name, a line is empty, a name has a control character in it, or stands there twice.
    pub fn new(text: &str) -> Result<Self, BadName> {
        let mut lines = BTreeMap::new();
        let mut keys = Vec::new();
        for (number, name) in (1..).zip(text.lines()) {
            let wrong = |problem, remedy| BadName { line: Some(number), problem, remedy };
            if name.trim().is_empty() {
                return Err(wrong("the name is empty".to_owned(), "write one name a line"));
            }
            if let Some(odd) = name.chars().find(|odd| odd.is_control() || *odd == BYTE_ORDER_MARK)
            {
                let problem = format!("the name has {odd:?} in it");
                return Err(wrong(problem, "write names as plain text, in UTF-8, one a line"));
            }
            if let Some(first) = lines.insert(name, number) {
                let problem = format!("{:?} stands in line {first} already", beginning(name));
                return Err(wrong(problem, "name each object once"));
            }
            keys.push(Key::from_bytes(name.as_bytes()));
        }
        if keys.is_empty() {
            let (problem, remedy) = ("there is no name".to_owned(), "write one name a line");
            return Err(BadName { line: None, problem, remedy });
        }
        if u32::try_from(keys.len()).is_err() {
            let (problem, remedy) = ("there are 2^32 names or more".to_owned(), "name fewer");
            return Err(BadName { line: None, problem, remedy });
        }
        let mut order: Vec<_> =
            (0..).zip(&keys).map(|(object, key)| (key.as_u64(), object)).collect();
        order.sort_unstable();
        Ok(Self { keys, order })
    }

    /// How many objects there are; never none.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// In which slot each object lies.
    pub(super) fn slots(&self, slots: Slots) -> Vec<Slot> {
        self.keys.iter().map(|key| slots.of(*key)).collect()
    }

    /// The object that is due at this place of the order within each period, and when in a period of
    /// this length: objects are spread over it by the hash of their names.
    pub(super) fn due(&self, place: usize, period: Span) -> Option<(Span, u32)> {
        let (phase, object) = *self.order.get(place)?;
        Some((Span::from_nanos(scale(phase, period.as_nanos())), object))
    }

    /// The first place of the order that is due at or after this time of a period.
    pub(super) fn place_at(&self, time: Span, period: Span) -> usize {
        let nanos = |phase| scale(phase, period.as_nanos());
        self.order.partition_point(|(phase, _)| nanos(*phase) < time.as_nanos())
    }

    /// Who owns each object by rendezvous over the members of the set whose bit is set in `live`: its
    /// place in `members`. Nobody owns anything if no bit is set.
    pub(super) fn owners(&self, members: &[Member], live: u64) -> Vec<Option<u32>> {
        let numbered = (0_u32..).zip(members);
        let chosen: BTreeMap<_, _> = numbered
            .filter(|(index, _)| live >> index & 1 == 1)
            .map(|(index, member)| (member.name(), (index, member)))
            .collect();
        let members = Members::new(chosen.values().map(|(_, member)| (*member).clone()));
        // Names are not empty, and a map has each once.
        let placement = Rendezvous::new(members.unwrap_or_default());
        let index = |owner: &Member| chosen.get(owner.name()).map(|(index, _)| *index);
        self.keys.iter().map(|key| placement.place(*key).and_then(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_names_are_fine() {
        assert_eq!(Workload::shipped().unwrap().len(), 2_291);
    }

    #[test]
    fn bad_names_are_told_by_line() {
        for (text, error) in [
            ("", "there is no name: write one name a line"),
            ("a\n\nb\n", "line 2: the name is empty: write one name a line"),
            (
                "\u{feff}a\n",
                "line 1: the name has '\\u{feff}' in it: write names as plain text, in UTF-8, one a line",
            ),
            (
                "a\nb\0\n",
                "line 2: the name has '\\0' in it: write names as plain text, in UTF-8, one a line",
            ),
            ("a\nb\r\na\n", "line 3: \"a\" stands in line 1 already: name each object once"),
        ] {
            assert_eq!(Workload::new(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn each_object_is_due_once_a_period() {
        let workload = Workload::new("a\nb\nc\n").unwrap();
        let period = Span::from_secs(60);
        let due: Vec<_> = (0..3).map(|place| workload.due(place, period).unwrap()).collect();
        assert!(due.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        assert!(due.iter().all(|(phase, _)| *phase < period));
        assert_eq!(workload.due(3, period), None);
        assert_eq!(workload.place_at(due[1].0, period), 1);
        assert_eq!(workload.place_at(due[1].0 + Span::from_nanos(1), period), 2);
    }

    #[test]
    fn only_live_members_own() {
        let workload = Workload::shipped().unwrap();
        let members: Vec<Member> = ["a", "b", "c"].map(Member::from).to_vec();
        assert!(workload.owners(&members, 0).iter().all(Option::is_none));
        assert!(workload.owners(&members, 0b100).iter().all(|owner| *owner == Some(2)));
        let two = workload.owners(&members, 0b101);
        let three = workload.owners(&members, 0b111);
        let moved = two.iter().zip(&three).filter(|(two, three)| two != three);
        assert!(moved.clone().count() > 700 && moved.clone().all(|(_, three)| *three == Some(1)));
    }
}
