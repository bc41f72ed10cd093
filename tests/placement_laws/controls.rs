//! Placements that break a law: who does not catch them proves nothing.

use std::cell::Cell;

use tenure::placement::{
    Bounded, Key, Member, Members, Placement, Ranking, Rationalizable, Rendezvous, hash,
};

use super::table::{Algorithm, Balance, Build};

const fn control(name: &'static str, place: Build<dyn Placement>) -> Algorithm {
    Algorithm {
        name,
        place,
        rank: None,
        rationalizable: None,
        weighted: None,
        least_disruption: false,
        balance: Balance::Chance,
        raw: false,
    }
}

/// Those that are total, all the same.
pub(crate) const CONTROLS: &[Algorithm] = &[MODULO, UNMIXED];

/// The hash modulo the number of members.
struct Modulo(Members);

impl Placement for Modulo {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        let index = hash::mix(key.as_u64()).checked_rem(self.0.len() as u64)?;
        self.0.get(usize::try_from(index).ok()?)
    }
}

pub(crate) const MODULO: Algorithm = control("Modulo", |members| Box::new(Modulo(members.clone())));

/// Rendezvous as it is often written, the hash of key and name strung together, and that hash
/// FNV-1a. Its last bytes hardly reach the top, so it spreads badly.
struct Unmixed(Members);

impl Placement for Unmixed {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        let key = key.as_u64().to_be_bytes();
        let score = |member: &&Member| hash::fnv1a_64(&[&key, member.name().as_bytes()].concat());
        self.0.iter().max_by_key(score)
    }
}

pub(crate) const UNMIXED: Algorithm =
    control("Unmixed", |members| Box::new(Unmixed(members.clone())));

/// Bounded loads, of the keys that a test asks for, as if it were a placement.
struct Capped(Bounded, Members);

impl Placement for Capped {
    fn members(&self) -> &Members {
        &self.1
    }

    fn place(&self, key: Key) -> Option<&Member> {
        self.0.owner(key)
    }
}

pub(crate) const CAPPED: Algorithm = control("Bounded", |members| {
    let bounded = Bounded::new(&Rendezvous::new(members.clone()), super::slots(), 10);
    Box::new(Capped(bounded, members.clone()))
});

/// Some owners are none of the members.
struct Stranger(Members, Member);

impl Placement for Stranger {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, key: Key) -> Option<&Member> {
        if key.as_u64() == 7 { Some(&self.1) } else { self.0.get(0) }
    }
}

pub(crate) const STRANGER: Algorithm =
    control("Stranger", |members| Box::new(Stranger(members.clone(), "stranger".into())));

/// Asked again, it says something else.
struct Forgetful(Members, Cell<usize>);

impl Placement for Forgetful {
    fn members(&self) -> &Members {
        &self.0
    }

    fn place(&self, _: Key) -> Option<&Member> {
        self.1.set(self.1.get() + 1);
        self.0.get(self.1.get().checked_rem(self.0.len())?)
    }
}

pub(crate) const FORGETFUL: Algorithm =
    control("Forgetful", |members| Box::new(Forgetful(members.clone(), Cell::new(0))));

/// The second best is the best once more.
struct Twice(Rendezvous);

impl Placement for Twice {
    fn members(&self) -> &Members {
        self.0.members()
    }

    fn place(&self, key: Key) -> Option<&Member> {
        self.0.place(key)
    }
}

impl Ranking for Twice {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        self.0.best_into(key, k, best);
        if let [first, second, ..] = best.as_mut_slice() {
            *second = first;
        }
    }
}

pub(crate) const TWICE: Algorithm = Algorithm {
    rank: Some(|members| Box::new(Twice(Rendezvous::new(members.clone())))),
    ..control("Twice", |members| Box::new(Twice(Rendezvous::new(members.clone()))))
};

/// Its ranking begins with the owner, and goes on in the order of names: in a smaller set, another
/// order.
struct Reranked(Rendezvous);

impl Placement for Reranked {
    fn members(&self) -> &Members {
        self.0.members()
    }

    fn place(&self, key: Key) -> Option<&Member> {
        self.0.place(key)
    }
}

impl Ranking for Reranked {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        let owner = self.0.place(key);
        let others = self.0.members().iter().filter(|member| Some(*member) != owner);
        best.clear();
        best.extend(owner.into_iter().chain(others).take(k));
    }
}

impl Rationalizable for Reranked {}

pub(crate) const RERANKED: Algorithm = Algorithm {
    rank: Some(|members| Box::new(Reranked(Rendezvous::new(members.clone())))),
    rationalizable: Some(|members| Box::new(Reranked(Rendezvous::new(members.clone())))),
    ..control("Reranked", |members| Box::new(Reranked(Rendezvous::new(members.clone()))))
};
