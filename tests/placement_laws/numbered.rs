//! The laws of algorithms that know members by number.

use std::marker::PhantomData;

use proptest::prelude::*;
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, HistoryFree, Jump, JumpBack, Key, Memento, Numbered, Numbering,
    NumberingError, Removal, Tail,
};

use super::keys;
use super::laws::{Verdict, check};

/// A row of the table: how to make one of so many numbers, and what it can do.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether the order of removals counts.
    pub(crate) history: bool,
    restore: fn(&Numbering) -> Result<Box<dyn Numbered>, NumberingError>,
}

pub(crate) enum Kind {
    Tail(fn(u32) -> Box<dyn Tail>),
    Removal(fn(u32) -> Box<dyn Removal>),
}

fn restore<A: Numbered + 'static>(
    numbering: &Numbering,
) -> Result<Box<dyn Numbered>, NumberingError> {
    Ok(Box::new(A::from_numbering(numbering)?))
}

pub(crate) const NUMBERED: &[Row] = &[
    Row {
        name: "Jump",
        kind: Kind::Tail(|n| Box::new(Jump::new(n).unwrap())),
        history: false,
        restore: restore::<Jump>,
    },
    Row {
        name: "JumpBack",
        kind: Kind::Tail(|n| Box::new(JumpBack::new(n).unwrap())),
        history: false,
        restore: restore::<JumpBack>,
    },
    Row {
        name: "Flip",
        kind: Kind::Tail(|n| Box::new(Flip::new(n))),
        history: false,
        restore: restore::<Flip>,
    },
    Row {
        name: "Binomial",
        kind: Kind::Tail(|n| Box::new(Binomial::new(n))),
        history: false,
        restore: restore::<Binomial>,
    },
    Row {
        name: "Anchor",
        kind: Kind::Removal(|n| Box::new(Anchor::new(n, n + 20).unwrap())),
        history: true,
        restore: restore::<Anchor>,
    },
    Row {
        name: "Memento",
        kind: Kind::Removal(|n| Box::new(Memento::new(JumpBack::new(n).unwrap()))),
        history: true,
        restore: restore::<Memento<JumpBack>>,
    },
    Row {
        name: "Dx",
        kind: Kind::Removal(|n| Box::new(Dx::new(n, n + 20).unwrap())),
        history: false,
        restore: restore::<Dx>,
    },
];

/// Where each key is; all of them in use, or none if no number is.
fn places(
    row: &Row,
    algorithm: &(impl Numbered + ?Sized),
    keys: &[Key],
) -> Result<Vec<Option<u32>>, String> {
    let places: Vec<_> = keys.iter().map(|&key| algorithm.index(key)).collect();
    let fine = |index: &Option<u32>| match index {
        Some(index) => algorithm.contains(*index),
        None => algorithm.is_empty(),
    };
    check(places.iter().all(fine), || format!("{places:?} of {}", algorithm.len()))?;
    // What it says of itself is enough to make another that answers alike.
    let restored = (row.restore)(&algorithm.numbering()).map_err(|error| error.to_string())?;
    check(restored.len() == algorithm.len(), || "restored with another length".into())?;
    let again: Vec<_> = keys.iter().map(|&key| restored.index(key)).collect();
    check(again == places, || format!("restored: {again:?}, not {places:?}"))?;
    Ok(places)
}

/// Between `before` and `after`, keys moved only to `index` (a join) or only from it (a leave).
fn moved(before: &[Option<u32>], after: &[Option<u32>], index: u32, joined: bool) -> Verdict {
    before.iter().zip(after).try_for_each(|(old, new)| {
        let allowed = if joined { *new == Some(index) } else { *old == Some(index) };
        check(old == new || allowed, || format!("{old:?} to {new:?} at {index}"))
    })
}

fn tail(row: &Row, build: fn(u32) -> Box<dyn Tail>, n: u32, keys: &[Key]) -> Verdict {
    let mut algorithm = build(n);
    check(algorithm.len() == n, || "length".into())?;
    let before = places(row, &*algorithm, keys)?;
    let index = algorithm.push().map_err(|full| full.to_string())?;
    check(index == n && algorithm.len() == n + 1, || format!("pushed {index}"))?;
    let after = places(row, &*algorithm, keys)?;
    moved(&before, &after, index, true)?;
    check(algorithm.pop() == Some(index), || "popped another".into())?;
    check(places(row, &*algorithm, keys)? == before, || "not restored".into())?;
    let popped = algorithm.pop();
    check(popped == n.checked_sub(1), || format!("popped {popped:?}"))?;
    let after = places(row, &*algorithm, keys)?;
    popped.map_or(Ok(()), |last| moved(&before, &after, last, false))
}

/// A history: `None` adds, `Some(at)` removes one of those in use. Every step disrupts least, and all of
/// it taken back restores the beginning, in the reverse order.
fn history(
    row: &Row,
    build: fn(u32) -> Box<dyn Removal>,
    n: u32,
    steps: &[Option<u32>],
    keys: &[Key],
) -> Verdict {
    let mut algorithm = build(n);
    let mut trail = vec![(places(row, &*algorithm, keys)?, None)];
    for step in steps {
        let used: Vec<_> = (0..algorithm.numbering().end.max(n) + 20)
            .filter(|index| algorithm.contains(*index))
            .collect();
        check(used.len() == algorithm.len() as usize, || format!("{used:?} in use"))?;
        let (before, _) = trail.last().ok_or("no trail")?;
        let at = step.and_then(|at| at.checked_rem(algorithm.len()));
        let index = if let Some(at) = at {
            let index = used[at as usize];
            algorithm.remove(index).map_err(|absent| absent.to_string())?;
            check(algorithm.remove(index).is_err(), || format!("{index} removed twice"))?;
            index
        } else if let Ok(index) = algorithm.add() {
            check(!used.contains(&index), || format!("{index} added twice"))?;
            index
        } else {
            continue;
        };
        let after = places(row, &*algorithm, keys)?;
        moved(before, &after, index, at.is_none())?;
        trail.push((after, at.map(|_| index)));
    }
    // Add after remove restores: as many as were removed at the end.
    while let Some((_, Some(index))) = trail.pop() {
        let added = algorithm.add().map_err(|full| full.to_string())?;
        // Dx has no memory: it takes the lowest.
        if added != index {
            check(!row.history, || format!("added {added}, not {index}"))?;
            break;
        }
        let (before, _) = trail.last().ok_or("no trail")?;
        check(places(row, &*algorithm, keys)? == *before, || format!("{index} restores not"))?;
    }
    Ok(())
}

fn each(verdict: impl Fn(&Row) -> Verdict) -> Result<(), TestCaseError> {
    NUMBERED.iter().try_for_each(|row| {
        verdict(row).map_err(|why| TestCaseError::fail(format!("{}: {why}", row.name)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_comes_and_goes(n in prop_oneof![0..70_u32, 0..5_000_u32], keys in keys()) {
        each(|row| match row.kind {
            Kind::Tail(build) => tail(row, build, n, &keys),
            Kind::Removal(_) => Ok(()),
        })?;
    }

    #[test]
    fn any_may_go(
        n in 0..40_u32,
        steps in prop::collection::vec(prop::option::weighted(0.7, any::<u32>()), 0..30),
        keys in keys(),
    ) {
        each(|row| match row.kind {
            Kind::Tail(_) => Ok(()),
            Kind::Removal(build) => history(row, build, n, &steps, &keys),
        })?;
    }
}

/// All histories of up to four steps from three numbers.
#[test]
fn all_short_histories() {
    let keys: Vec<_> = (0..100).map(Key::from_hash).collect();
    let choices = [None, Some(0), Some(1), Some(2), Some(3)];
    for code in 0..choices.len().pow(4) {
        let steps: Vec<_> =
            (0..4).map(|at| choices[code / choices.len().pow(at) % choices.len()]).collect();
        for row in NUMBERED {
            if let Kind::Removal(build) = row.kind {
                history(row, build, 3, &steps, &keys)
                    .unwrap_or_else(|why| panic!("{}: {steps:?}: {why}", row.name));
            }
        }
    }
}

/// Whether it has the marker: an inherent constant goes before a trait's, where its bound holds.
struct Marked<A>(PhantomData<A>);
trait Unmarked {
    const FREE: bool = false;
}
impl<A> Unmarked for Marked<A> {}
impl<A: HistoryFree> Marked<A> {
    const FREE: bool = true;
}

#[test]
fn the_marker_says_what_the_table_says() {
    let marked = [
        ("Jump", Marked::<Jump>::FREE),
        ("JumpBack", Marked::<JumpBack>::FREE),
        ("Flip", Marked::<Flip>::FREE),
        ("Binomial", Marked::<Binomial>::FREE),
        ("Anchor", Marked::<Anchor>::FREE),
        ("Memento", Marked::<Memento<JumpBack>>::FREE),
        ("Dx", Marked::<Dx>::FREE),
    ];
    assert!(NUMBERED.iter().map(|row| (row.name, !row.history)).eq(marked));
}

/// Two replicas that saw the same two numbers go, in different orders.
#[test]
fn the_order_of_removals_counts_where_it_is_said_to() {
    let keys: Vec<_> = (0..10_000).map(Key::from_hash).collect();
    for row in NUMBERED {
        let Kind::Removal(build) = row.kind else { continue };
        let places = |order: [u32; 2]| {
            let mut algorithm = build(6);
            for index in order {
                algorithm.remove(index).unwrap();
            }
            keys.iter().map(|key| algorithm.index(*key)).collect::<Vec<_>>()
        };
        assert_eq!(places([1, 3]) != places([3, 1]), row.history, "{}", row.name);
    }
}
