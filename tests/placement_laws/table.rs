//! The rows of the table of laws.

use std::num::NonZeroU32;

#[cfg(feature = "presets")]
use tenure::placement::presets::{thanos, timebertt};
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, Guava, Jump, JumpBack, Maglev, Members, Memento, MultiProbe, Named,
    Numbered, Placement, Ranking, Rationalizable, Rendezvous, Ring, Weighted,
};

pub(crate) type Build<P> = fn(&Members) -> Box<P>;

/// A row of the table of laws.
pub(crate) struct Algorithm {
    pub(crate) name: &'static str,
    pub(crate) place: Build<dyn Placement>,
    /// If it ranks.
    pub(crate) rank: Option<Build<dyn Ranking>>,
    /// If it promises to be rationalizable.
    pub(crate) rationalizable: Option<Build<dyn Rationalizable>>,
    /// If weights count.
    pub(crate) weighted: Option<Build<dyn Weighted>>,
    /// Whether, made anew of one member more or less, it moves only what it must. The numbered ones
    /// do not if the canonical order numbers them; what they promise instead is in `numbered.rs`.
    pub(crate) least_disruption: bool,
    pub(crate) balance: Balance,
    /// It takes the key's number as it is, as those do with which it agrees: it must be well mixed.
    pub(crate) raw: bool,
}

/// How evenly keys spread.
#[derive(Clone, Copy)]
pub(crate) enum Balance {
    /// As if each were given to a member drawn at random.
    Chance,
    /// Beyond chance, shares have this coefficient of variation.
    Uneven(f64),
}

fn points(points: u32) -> NonZeroU32 {
    NonZeroU32::new(points).unwrap()
}

/// The members in canonical order, numbered by `algorithm` of as many.
fn named<A: Numbered + 'static>(
    members: &Members,
    algorithm: impl FnOnce(u32) -> A,
) -> Box<dyn Placement> {
    let algorithm = algorithm(u32::try_from(members.len()).unwrap());
    Box::new(Named::new(algorithm, members.iter().cloned()).unwrap())
}

const fn numbered(name: &'static str, place: Build<dyn Placement>) -> Algorithm {
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

fn ring(members: &Members) -> Ring {
    Ring::new(members.clone(), points(100)).unwrap()
}

fn multi_probe(members: &Members) -> MultiProbe {
    MultiProbe::new(members.clone(), points(21))
}

pub(crate) const ALGORITHMS: &[Algorithm] = &[
    Algorithm {
        name: "Rendezvous",
        place: |members| Box::new(Rendezvous::new(members.clone())),
        rank: Some(|members| Box::new(Rendezvous::new(members.clone()))),
        rationalizable: Some(|members| Box::new(Rendezvous::new(members.clone()))),
        weighted: Some(|members| Box::new(Rendezvous::new(members.clone()))),
        least_disruption: true,
        balance: Balance::Chance,
        raw: false,
    },
    Algorithm {
        name: "Ring",
        place: |members| Box::new(ring(members)),
        rank: Some(|members| Box::new(ring(members))),
        rationalizable: Some(|members| Box::new(ring(members))),
        weighted: Some(|members| Box::new(ring(members))),
        least_disruption: true,
        // Arcs between points are about exponential: 1 / sqrt(points).
        balance: Balance::Uneven(0.1),
        raw: false,
    },
    Algorithm {
        name: "MultiProbe",
        place: |members| Box::new(multi_probe(members)),
        rank: Some(|members| Box::new(multi_probe(members))),
        rationalizable: Some(|members| Box::new(multi_probe(members))),
        weighted: None,
        least_disruption: true,
        balance: Balance::Uneven(0.16),
        raw: false,
    },
    Algorithm {
        name: "Maglev",
        place: |members| Box::new(Maglev::new(members.clone())),
        rank: None,
        rationalizable: None,
        weighted: Some(|members| Box::new(Maglev::new(members.clone()))),
        least_disruption: false,
        // One turn more or less of a hundred.
        balance: Balance::Uneven(0.01),
        raw: false,
    },
    Algorithm {
        raw: true,
        ..numbered("Jump, paper", |members| named(members, |n| Jump::new(n).unwrap()))
    },
    Algorithm {
        raw: true,
        ..numbered("Jump, Guava", |members| named(members, |n| Jump::<Guava>::rounded(n).unwrap()))
    },
    numbered("JumpBack", |members| named(members, |n| JumpBack::new(n).unwrap())),
    numbered("Flip", |members| named(members, Flip::new)),
    numbered("Binomial", |members| named(members, Binomial::new)),
    numbered("Anchor", |members| named(members, |n| Anchor::new(n, 2 * n).unwrap())),
    numbered("Memento", |members| named(members, |n| Memento::new(JumpBack::new(n).unwrap()))),
    numbered("Dx", |members| named(members, |n| Dx::new(n, 2 * n).unwrap())),
    #[cfg(feature = "presets")]
    Algorithm {
        name: "Thanos",
        place: |members| Box::new(thanos::ring(members.clone()).unwrap()),
        rank: Some(|members| Box::new(thanos::ring(members.clone()).unwrap())),
        rationalizable: Some(|members| Box::new(thanos::ring(members.clone()).unwrap())),
        weighted: None,
        least_disruption: true,
        balance: Balance::Uneven(0.032),
        raw: true,
    },
    #[cfg(feature = "presets")]
    Algorithm {
        name: "timebertt",
        place: |members| Box::new(timebertt::ring(members.clone()).unwrap()),
        rank: Some(|members| Box::new(timebertt::ring(members.clone()).unwrap())),
        rationalizable: Some(|members| Box::new(timebertt::ring(members.clone()).unwrap())),
        weighted: None,
        least_disruption: true,
        balance: Balance::Uneven(0.1),
        raw: true,
    },
];
