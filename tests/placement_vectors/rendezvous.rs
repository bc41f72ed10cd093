//! Rendezvous hashing, and what chooses by it. Others score in other ways: those scores stand here, as
//! a [`Ranking`] of their own, so that what every ranking inherits is tested on somebody else's order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tenure::placement::log::minus_log2;
#[cfg(feature = "presets")]
use tenure::placement::presets::knative::choose_subset;
use tenure::placement::{Key, Member, Members, Placement, Ranking, hash};

use crate::{number, rows, vectors};

/// Ranks by a score of key and member, the greatest first; of equals the smaller name, or the greater.
struct Scored<'a> {
    members: Members,
    score: &'a dyn Fn(Key, &Member) -> u64,
    greater_name_first: bool,
}

impl Placement for Scored<'_> {
    fn members(&self) -> &Members {
        &self.members
    }

    fn place(&self, key: Key) -> Option<&Member> {
        self.rank(key).first().copied()
    }
}

impl Ranking for Scored<'_> {
    fn best_into<'a>(&'a self, key: Key, k: usize, best: &mut Vec<&'a Member>) {
        best.clear();
        best.extend(&self.members);
        // A stable sort: what was first of equals stays first.
        if self.greater_name_first {
            best.reverse();
        }
        best.sort_by_key(|member| Reverse((self.score)(key, member)));
        best.truncate(k);
    }
}

fn names(file: &serde_json::Value, field: &str) -> Vec<String> {
    rows(file, field).iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// As go-rendezvous scores: a `xorshift*` of the two hashes, exclusive-or.
fn xorshift_multiply(mut x: u64) -> u64 {
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    x.wrapping_mul(2_685_821_657_736_338_717)
}

#[test]
fn rendezvous_go() {
    let file = vectors("rendezvous_go.json");
    let score = |key: Key, member: &Member| {
        xorshift_multiply(key.as_u64() ^ hash::xxh64(member.name().as_bytes()))
    };
    let members = Members::new(names(&file, "nodes")).unwrap();
    let ranking = Scored { members, score: &score, greater_name_first: false };
    for row in rows(&file, "rows") {
        let key = hash::xxh64(row["key"].as_str().unwrap().as_bytes());
        assert_eq!(key, number(&row["key_xxh64"]));
        let owner = ranking.place(Key::from_hash(key)).unwrap();
        assert_eq!(owner.name(), row["node"], "{row}");
    }
}

/// Clandestined scores by the text of both, so a key's text is looked up by its [`Key`].
fn clandestined<T>(text: &str, members: Members, ask: impl FnOnce(&Scored<'_>, Key) -> T) -> T {
    let score = |_, member: &Member| {
        let joined = format!("{}-{text}", member.name());
        u64::from(murmur3::murmur3_32(&mut joined.as_bytes(), 0).unwrap())
    };
    ask(&Scored { members, score: &score, greater_name_first: true }, Key::from(text))
}

#[test]
fn rendezvous_clandestined() {
    let file = vectors("rendezvous_clandestined.json");
    let members = Members::new(names(&file, "nodes")).unwrap();
    for row in rows(&file, "rows") {
        let owner = clandestined(row["key"].as_str().unwrap(), members.clone(), |ranking, key| {
            ranking.place(key).unwrap().name().to_owned()
        });
        assert_eq!(owner, row["node"].as_str().unwrap(), "{row}");
    }
}

/// Two zones of the three, by the key's letters, and the best of each: the best of each zone is what
/// the three best across zones are.
#[test]
fn rendezvous_clandestined_across_zones() {
    let file = vectors("rendezvous_clandestined.json");
    let cluster = file["zoned_cluster"].as_object().unwrap();
    let members = cluster
        .iter()
        .map(|(id, node)| Member::from(id.as_str()).in_zone(node["zone"].as_str().unwrap()));
    let members = Members::new(members).unwrap();
    let zones: BTreeSet<_> = members.iter().filter_map(Member::zone).collect();
    let zones: Vec<_> = zones.into_iter().collect();
    for row in rows(&file, "zoned_rows") {
        let text = row["key"].as_str().unwrap();
        let first = text.bytes().map(usize::from).sum::<usize>();
        let nodes = clandestined(text, members.clone(), |ranking, key| {
            let best = ranking.best_across_zones(key, zones.len());
            let in_zone = |zone| best.iter().find(|member| member.zone() == Some(zone)).unwrap();
            let turns = (0..2).map(|turn| zones[(first + turn) % zones.len()]);
            turns.map(|zone| in_zone(zone).name().to_owned()).collect::<Vec<_>>()
        });
        assert_eq!(nodes, names(&row, "nodes"), "{text}");
    }
}

/// For orientation: the order by a float logarithm and by ours, of the same hashes. They could differ
/// where two quotients are nearer than 2⁻⁵² of each other.
#[test]
#[expect(
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "it is a float that was recorded"
)]
fn weighted_rendezvous_by_definition() {
    let file = vectors("weighted_rendezvous_definition.json");
    let nodes: Vec<(String, u64)> = rows(&file, "nodes")
        .iter()
        .map(|node| {
            // Halves and quarters are integers in units of 1/1024.
            let weight = node[1].as_f64().unwrap() * 1024.0;
            assert!(weight.fract() == 0.0 && weight > 0.0, "{weight}");
            let weight = (1..1 << 30).find(|units: &u32| f64::from(*units) == weight).unwrap();
            (node[0].as_str().unwrap().to_owned(), weight.into())
        })
        .collect();
    let mut near = f64::INFINITY;
    for row in rows(&file, "rows") {
        let key = hash::xxh64(row["key"].as_str().unwrap().as_bytes());
        let finish = |x: u64| hash::mix(x.wrapping_sub(0x9e37_79b9_7f4a_7c15)); // its end only
        let mut order: Vec<_> = nodes
            .iter()
            .map(|(name, weight)| {
                (minus_log2(finish(key ^ hash::xxh64(name.as_bytes()))), *weight, name.as_str())
            })
            .collect();
        order.sort_by_key(|(log, weight, _)| {
            // log / weight with 64 more bits: finer than any float.
            (u128::from(*log) << 64) / u128::from(*weight)
        });
        let sorted: Vec<_> = order.iter().map(|(.., name)| *name).collect();
        assert_eq!(sorted, names(&row, "order"), "{}", row["key"]);
        let score = |(log, weight, _): &(u64, u64, &str)| {
            // −w / ln u = w / (−log₂ u · ln 2).
            (*weight as f64 / 1024.0) / (*log as f64 / 2_f64.powi(57) * std::f64::consts::LN_2)
        };
        let top = row["top_score"].as_f64().unwrap();
        assert!((score(&order[0]) / top - 1.0).abs() < 1e-12, "{row}");
        for pair in order.windows(2) {
            near = near.min(score(&pair[0]) / score(&pair[1]) - 1.0);
        }
    }
    println!("the nearest two scores differ by {near:e} of themselves");
}

#[cfg(feature = "presets")]
#[test]
fn knative_choosesubset() {
    let file = vectors("knative_choosesubset.json");
    let from = names(&file, "from");
    assert!(from.is_sorted(), "the order of the caller is the canonical one");
    let members = Members::new(from).unwrap();
    for row in rows(&file, "rows") {
        let k = usize::try_from(number(&row["n"])).unwrap();
        let subset = choose_subset(&members, k, row["target"].as_str().unwrap()).unwrap();
        let mut expected = names(&row, "subset");
        expected.sort_unstable();
        assert!(subset.iter().map(|member| member.name()).eq(expected), "{row}");
    }
}
