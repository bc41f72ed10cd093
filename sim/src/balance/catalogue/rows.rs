//! The table itself.

use core::convert::Infallible;
use core::num::NonZeroU32;

use tenure::placement::presets::ketama::Ketama;
use tenure::placement::presets::{argo_cd, kube_state_metrics, timebertt};
use tenure::placement::{
    Anchor, Binomial, Dx, Flip, Guava, Jump, JumpBack, Maglev, Member, Memento, MultiProbe,
    Rendezvous, Ring,
};

use super::{Algorithm, Hashing, Leaves, Origin, Parameter};
use crate::balance::Unfit;
use crate::balance::input::KeyHash;
use crate::balance::placer::{self, Setup, presets};

/// What most rows have in common.
const ROW: Algorithm = Algorithm {
    name: "",
    about: "",
    parameter: None,
    weights: false,
    ranking: false,
    leaves: Leaves::Any,
    hashing: Hashing::Chosen(KeyHash::Xxh3),
    whole: false,
    origin: Origin::Published,
    build: placer::modulo,
    bytes: |_, _| 0,
};

/// Those that know members by number and let only the last go.
const NUMBERS: Algorithm = Algorithm { leaves: Leaves::Last, ..ROW };

/// Those that know members by number, let any of them go, and depend on the order.
const HISTORY: Algorithm = Algorithm { leaves: Leaves::History, ..ROW };

/// Bounded loads.
const BOUNDED: Algorithm = Algorithm {
    parameter: Some(Parameter { name: "PERCENT", default: 25, least: 0, most: 1_000_000 }),
    weights: true,
    whole: true,
    ..ROW
};

/// What deployed systems do.
const PRESET: Algorithm = Algorithm { origin: Origin::Preset, ..ROW };

pub(super) const ALL: &[Algorithm] = &[
    Algorithm {
        name: "rendezvous",
        about: "the member with the greatest score for the key",
        weights: true,
        ranking: true,
        build: |setup| placer::ranking(setup, |set| Ok::<_, Infallible>(Rendezvous::new(set))),
        bytes: |setup, _| rendezvous_bytes(setup),
        ..ROW
    },
    Algorithm {
        name: "ring",
        about: "the first of many points of each member on a circle",
        parameter: Some(Parameter {
            name: "POINTS",
            default: POINTS.get(),
            least: 1,
            most: 100_000,
        }),
        weights: true,
        ranking: true,
        build: |setup| placer::ranking(setup, |set| Ring::new(set, positive(setup.parameter))),
        bytes: |setup, _| ring_bytes(setup.weight() * setup.parameter as usize),
        ..ROW
    },
    Algorithm {
        name: "multi-probe",
        about: "one point of each member on a circle, of which a key looks near several places",
        parameter: Some(Parameter { name: "PROBES", default: 21, least: 1, most: 10_000 }),
        ranking: true,
        build: |setup| {
            let probes = positive(setup.parameter);
            placer::ranking(setup, |set| Ok::<_, Infallible>(MultiProbe::new(set, probes)))
        },
        bytes: |setup, _| size_of::<MultiProbe>() + placer::circle(setup.members.len()),
        ..ROW
    },
    Algorithm {
        name: "maglev",
        about: "a table of SIZE slots, by default 100 to 200 for each member",
        parameter: Some(Parameter { name: "SIZE", default: 0, least: 1, most: 1 << 27 }),
        weights: true,
        build: |setup| match setup.parameter {
            0 => placer::placing(setup, |set| Ok::<_, Infallible>(Maglev::new(set))),
            size => placer::placing(setup, |set| Maglev::with_size(set, size)),
        },
        bytes: |setup, _| {
            let members = setup.members.len();
            let number = if members <= 65_535 { size_of::<u16>() } else { size_of::<u32>() };
            let slots = match setup.parameter {
                0 => 100 * members.next_power_of_two(),
                size => size as usize,
            };
            size_of::<Maglev>() + slots * number
        },
        ..ROW
    },
    Algorithm {
        name: "jump",
        about: "jump hash as the paper rounds",
        build: |setup| placer::numbers(setup, Jump::new),
        bytes: |_, _| size_of::<Jump>(),
        ..NUMBERS
    },
    Algorithm {
        name: "jump-guava",
        about: "jump hash as Guava rounds",
        build: |setup| placer::numbers(setup, Jump::<Guava>::rounded),
        bytes: |_, _| size_of::<Jump>(),
        ..NUMBERS
    },
    Algorithm {
        name: "jump-back",
        about: "the same law in constant time, with the numbers of SplitMix64",
        build: |setup| placer::numbers(setup, JumpBack::new),
        bytes: |_, _| size_of::<JumpBack>(),
        ..NUMBERS
    },
    Algorithm {
        name: "flip",
        about: "the same law in constant time, by flipping bits",
        build: |setup| placer::numbers(setup, |len| Ok::<_, Infallible>(Flip::new(len))),
        bytes: |_, _| size_of::<Flip>(),
        ..NUMBERS
    },
    Algorithm {
        name: "binomial",
        about: "the same law in constant time, on a binomial tree",
        build: |setup| placer::numbers(setup, |len| Ok::<_, Infallible>(Binomial::new(len))),
        bytes: |_, _| size_of::<Binomial>(),
        ..NUMBERS
    },
    Algorithm {
        name: "anchor",
        about: "AnchorHash: any may leave, and CAPACITY may come; by default a tenth more than now",
        parameter: Some(CAPACITY),
        build: |setup| {
            placer::history(setup, |len| {
                Anchor::new(len, room(len, a_tenth_more(setup))?).map_err(Unfit::new)
            })
        },
        bytes: |setup, _| size_of::<Anchor>() + 12 * a_tenth_more(setup) as usize,
        ..HISTORY
    },
    Algorithm {
        name: "memento",
        about: "MementoHash over jump-back: any may leave, any number may come",
        build: |setup| placer::history(setup, |len| JumpBack::new(len).map(Memento::<_>::new)),
        bytes: |_, _| size_of::<Memento<JumpBack>>(),
        ..HISTORY
    },
    Algorithm {
        name: "memento-jump",
        about: "the same over jump, as published",
        build: |setup| placer::history(setup, |len| Jump::new(len).map(Memento::<_>::new)),
        bytes: |_, _| size_of::<Memento<Jump>>(),
        ..HISTORY
    },
    Algorithm {
        name: "dx",
        about: "DxHash: tries numbers below CAPACITY, by default two to four times those in use",
        parameter: Some(CAPACITY),
        build: |setup| {
            placer::history(setup, |len| Dx::new(len, room(len, twice(setup))?).map_err(Unfit::new))
        },
        bytes: |setup, _| size_of::<Dx>() + twice(setup) as usize / 8,
        leaves: Leaves::Numbers,
        ..ROW
    },
    Algorithm {
        name: "bounded-ring",
        about: "ring, but nobody gets more than PERCENT above what is due",
        build: |setup| placer::bounded(setup, |members| Ring::new(members, POINTS)),
        bytes: |setup, keys| {
            ring_bytes(setup.weight() * POINTS.get() as usize) + placer::loads(setup, keys)
        },
        ..BOUNDED
    },
    Algorithm {
        name: "bounded-rendezvous",
        about: "rendezvous, but nobody gets more than PERCENT above what is due",
        build: |setup| placer::bounded(setup, |set| Ok::<_, Infallible>(Rendezvous::new(set))),
        bytes: |setup, keys| rendezvous_bytes(setup) + placer::loads(setup, keys),
        ..BOUNDED
    },
    Algorithm {
        name: "modulo",
        about: "the hash modulo the number of members: the baseline that moves nearly everything",
        build: placer::modulo,
        bytes: |_, _| size_of::<u32>(),
        ..NUMBERS
    },
    Algorithm {
        name: "kube-state-metrics",
        about: "shards by object UID: jump hash of FNV-1a",
        leaves: Leaves::Last,
        hashing: Hashing::Own(KeyHash::Fnv1a),
        build: |setup| placer::numbers(setup, kube_state_metrics::shards),
        bytes: |_, _| size_of::<Jump>(),
        ..PRESET
    },
    Algorithm {
        name: "argo-cd-legacy",
        about: "the controller's shards by cluster id: a remainder",
        leaves: Leaves::Last,
        hashing: Hashing::Own(KeyHash::Text("fnv1a-32")),
        build: presets::argo_cd_legacy,
        bytes: |_, _| size_of::<NonZeroU32>(),
        ..PRESET
    },
    Algorithm {
        name: "argo-cd-round-robin",
        about: "the same by the rank of the cluster's id among all",
        leaves: Leaves::Last,
        hashing: Hashing::Own(KeyHash::Text("the rank of the text")),
        whole: true,
        build: presets::argo_cd_round_robin,
        bytes: |_, keys| size_of::<(&str, u32)>() * keys,
        ..PRESET
    },
    Algorithm {
        name: "argo-cd-consistent",
        about: "the same on a ring of 1,000 points with bounded loads, each cluster of load 1",
        leaves: Leaves::Last,
        hashing: Hashing::Own(KeyHash::Blake2b),
        whole: true,
        build: presets::argo_cd_consistent,
        bytes: |setup, keys| {
            let points = setup.members.len() * argo_cd::POINTS as usize;
            ring_bytes(points) + size_of::<(&str, u32)>() * keys
        },
        ..PRESET
    },
    Algorithm {
        name: "knative",
        about: "ChooseSubset of one for the key as target; the best are a set, not ranked",
        ranking: true,
        hashing: Hashing::Own(KeyHash::Text("fnv1a and salts")),
        build: presets::knative,
        ..PRESET
    },
    Algorithm {
        name: "timebertt",
        about: "controller-sharding's ring of 100 points, by group/kind/namespace/name",
        ranking: true,
        hashing: Hashing::Own(KeyHash::Xxh64),
        build: |setup| placer::ranking(setup, timebertt::ring),
        bytes: |setup, _| ring_bytes(100 * setup.members.len()),
        ..PRESET
    },
    Algorithm {
        name: "thanos",
        about: "receive's ring of 1,000 points, its replicas across zones; a hash of your choice",
        ranking: true,
        hashing: Hashing::Chosen(KeyHash::Xxh64),
        build: presets::thanos,
        bytes: |setup, _| ring_bytes(1000 * setup.members.len()),
        ..PRESET
    },
    Algorithm {
        name: "ketama",
        about: "go-ketama: a ring of about 160 points, by weight",
        weights: true,
        ranking: true,
        hashing: Hashing::Own(KeyHash::Md5),
        build: |setup| placer::ranking(setup, Ketama::go),
        bytes: |setup, _| ring_bytes(160 * setup.members.len()),
        ..PRESET
    },
    Algorithm {
        name: "libmemcached",
        about: "its ketama without weights: a ring of 100 points",
        ranking: true,
        hashing: Hashing::Own(KeyHash::OneAtATime),
        build: |setup| placer::ranking(setup, Ketama::unweighted),
        bytes: |setup, _| ring_bytes(100 * setup.members.len()),
        ..PRESET
    },
    Algorithm {
        name: "libmemcached-weighted",
        about: "its ketama with weights: a ring of about 160 points",
        weights: true,
        ranking: true,
        hashing: Hashing::Own(KeyHash::Md5),
        build: |setup| placer::ranking(setup, Ketama::weighted),
        bytes: |setup, _| ring_bytes(160 * setup.members.len()),
        ..PRESET
    },
];

/// Of a ring, where no other number is asked for.
const POINTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

const CAPACITY: Parameter =
    Parameter { name: "CAPACITY", default: 0, least: 1, most: Anchor::MOST };
const _: () = assert!(Anchor::MOST == Dx::MOST, "CAPACITY is of both");

/// A parameter of which the least is 1.
fn positive(parameter: u32) -> NonZeroU32 {
    NonZeroU32::new(parameter).unwrap_or(NonZeroU32::MIN)
}

/// A capacity: what is asked for, or some more than there are members.
fn a_tenth_more(setup: &Setup) -> u32 {
    let len = u32::try_from(setup.members.len()).unwrap_or(u32::MAX);
    if setup.parameter == 0 { len.saturating_add(len / 10 + 1) } else { setup.parameter }
}

/// A capacity: what is asked for, or the power of two that is twice the members or more.
fn twice(setup: &Setup) -> u32 {
    let len = u32::try_from(setup.members.len()).unwrap_or(u32::MAX);
    let capacity = len.saturating_mul(2).checked_next_power_of_two().unwrap_or(u32::MAX);
    if setup.parameter == 0 { capacity } else { setup.parameter }
}

/// This capacity, if so many members have room in it.
fn room(len: u32, capacity: u32) -> Result<u32, Unfit> {
    if capacity < len {
        return Err(Unfit::new(format_args!(
            "CAPACITY {capacity}: too little for {len} members: write {len} or more"
        )));
    }
    Ok(capacity)
}

fn rendezvous_bytes(setup: &Setup) -> usize {
    let weights = || setup.members.iter().map(Member::weight);
    let equal = weights().max() == weights().min();
    size_of::<Rendezvous>() + setup.members.len() * if equal { 8 } else { 12 }
}

fn ring_bytes(points: usize) -> usize {
    size_of::<Ring>() + placer::circle(points)
}
