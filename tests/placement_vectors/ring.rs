//! Rings and presets made of them.

use serde_json::Value;
use tenure::placement::hash::{Draw, siphash_2_4};
use tenure::placement::{Key, Member, Members, MultiProbe, Placement};

use crate::{rows, vectors};

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The keys are called `key-` and a number, which is all that gets through a [`Key`].
enum GoMpchash {}

impl Draw for GoMpchash {
    fn draw(key: u64, seed: u64) -> u64 {
        siphash_2_4([seed, 0], format!("key-{key}").as_bytes())
    }
}

#[test]
fn multi_probe_is_go_mpchash() {
    let file = vectors("multiprobe_go.json");
    let (first, last) = text(&file["nodes"]).split_once(" .. ").unwrap();
    let number = |name: &str| name.strip_prefix("shard-").unwrap().parse::<u32>().unwrap();
    let names = (number(first)..=number(last)).map(|number| format!("shard-{number}"));
    let members = Members::new(names).unwrap();
    let point = |member: &Member| siphash_2_4([0, 0], member.name().as_bytes());
    let placement = MultiProbe::<GoMpchash>::drawn(members, MultiProbe::PROBES, point);
    for row in rows(&file, "rows") {
        let key = text(&row["key"]).strip_prefix("key-").unwrap().parse().unwrap();
        let owner = placement.place(Key::from_hash(key)).unwrap();
        assert_eq!(owner.name(), text(&row["node"]), "{row}");
    }
}

#[cfg(feature = "presets")]
mod presets {
    use std::collections::BTreeMap;
    use std::num::NonZeroU32;

    use serde_json::Value;
    use tenure::placement::presets::{argo_cd, ketama, thanos, timebertt};
    use tenure::placement::{Key, Member, Members, Placement, Ranking};

    use super::text;
    use crate::{number, rows, vectors};

    fn names(list: &Value) -> Vec<&str> {
        list.as_array().unwrap().iter().map(text).collect()
    }

    fn owner(placement: &impl Placement, key: Key) -> &str {
        placement.place(key).unwrap().name()
    }

    fn best(placement: &impl Ranking, key: Key, k: usize) -> Vec<&str> {
        placement.best(key, k).iter().map(|member| member.name()).collect()
    }

    fn weighted(name: &str, weight: &Value) -> Member {
        let weight = u32::try_from(number(weight)).unwrap();
        Member::from(name).with_weight(NonZeroU32::new(weight).unwrap())
    }

    #[test]
    fn timebertt_is_the_sharders_ring() {
        let file = vectors("timebertt_ring.json");
        assert_eq!(number(&file["tokens_per_node"]), u64::from(timebertt::TOKENS));
        let names = names(&file["nodes"]);
        let all = timebertt::ring(Members::new(names.clone()).unwrap()).unwrap();
        let others = names.into_iter().filter(|name| !name.ends_with("-ccccc"));
        let others = timebertt::ring(Members::new(others).unwrap()).unwrap();
        for row in rows(&file, "rows") {
            let parts: Vec<_> = text(&row["key"]).split('/').collect();
            let [group, kind, namespace, name] = parts[..] else { panic!("{row}") };
            let key = timebertt::key(group, kind, namespace, name);
            assert_eq!(key.as_u64(), number(&row["key_xxh64"]));
            assert_eq!(owner(&all, key), text(&row["shard"]), "{row}");
            assert_eq!(owner(&others, key), text(&row["shard_without_ccccc"]), "{row}");
        }
    }

    #[test]
    fn thanos_is_its_hashring_with_and_without_zones() {
        let file = vectors("thanos_ketama.json");
        let endpoints = names(&file["endpoints"]);
        let one_zone = thanos::ring(Members::new(endpoints.clone()).unwrap()).unwrap();
        let zoned = endpoints.iter().zip(names(&file["az"]));
        let zoned = zoned.map(|(name, zone)| Member::from(*name).in_zone(zone));
        let zoned = thanos::ring(Members::new(zoned).unwrap()).unwrap();
        for row in rows(&file, "rows") {
            let key = Key::from_hash(number(&row["hash"]));
            for (ring, field) in [(&one_zone, "replicas_no_az"), (&zoned, "replicas_az")] {
                let expected = names(&row[field]);
                let replicas = thanos::replicas(ring, key, expected.len());
                let replicas: Vec<_> = replicas.iter().map(|member| member.name()).collect();
                assert_eq!(replicas, expected, "{row}");
                assert_eq!(owner(ring, key), expected[0]);
            }
            assert_eq!(best(&one_zone, key, 3), names(&row["replicas_no_az"])[..3]);
        }
    }

    #[test]
    fn ketama_is_go_ketama() {
        let file = vectors("ketama_go.json");
        let members = rows(&file, "nodes");
        let members = members.iter().map(|node| weighted(text(&node["Label"]), &node["Weight"]));
        let ring = ketama::Ketama::go(Members::new(members).unwrap()).unwrap();
        for row in rows(&file, "rows") {
            let key = ketama::key(text(&row["key"]));
            assert_eq!(owner(&ring, key), text(&row["node"]), "{row}");
            // The older search, which errs at the ends of the ring, answers alike on these keys.
            assert_eq!(owner(&ring, key), text(&row["node_legacy_search"]), "{row}");
            assert_eq!(best(&ring, key, 3), names(&row["top3"]), "{row}");
        }
    }

    #[test]
    fn ketama_is_libmemcached() {
        let file = vectors("ketama_libmemcached.json");
        let names = names(&file["nodes"]);
        let weights = rows(&file, "weights_in_weighted_mode");
        let members = names.iter().zip(&weights).map(|(name, weight)| weighted(name, weight));
        let ring = ketama::Ketama::weighted(Members::new(members).unwrap()).unwrap();
        for row in rows(&file, "rows_ketama_weighted") {
            assert_eq!(owner(&ring, ketama::key(text(&row["key"]))), text(&row["node"]), "{row}");
        }
        let ring = ketama::Ketama::unweighted(Members::new(names).unwrap()).unwrap();
        for row in rows(&file, "rows_ketama_unweighted") {
            let key = ketama::one_at_a_time(text(&row["key"]));
            assert_eq!(owner(&ring, key), text(&row["node"]), "{row}");
        }
    }

    #[test]
    fn argo_cd_is_its_controllers_sharding() {
        let file = vectors("argocd.json");
        let ids = names(&file["ids_in_order"]);
        let mut rings = BTreeMap::new();
        for row in rows(&file, "rows") {
            let (id, number) = (text(&row["id"]), number(&row["replicas"]));
            let replicas = NonZeroU32::new(u32::try_from(number).unwrap()).unwrap();
            let (ring, bounded, by_rank) = rings.entry(number).or_insert_with(|| {
                let bounded = argo_cd::bounded(ids.iter().rev().map(|id| (*id, 1)), replicas);
                let by_rank = argo_cd::round_robin(ids.iter().rev().copied(), replicas);
                let by_id = |shards: Vec<_>| shards.into_iter().collect::<BTreeMap<_, _>>();
                (argo_cd::ring(replicas).unwrap(), by_id(bounded.unwrap()), by_id(by_rank))
            });
            let legacy = u64::from(argo_cd::legacy(id, replicas));
            assert_eq!(legacy, crate::number(&row["legacy_fnv32a_mod"]), "{row}");
            assert_eq!(owner(ring, argo_cd::key(id)), text(&row["plain_ring"]), "{row}");
            assert_eq!(bounded[id].to_string(), text(&row["bounded"]), "{row}");
            // No rows: by its definition.
            let rank = ids.iter().filter(|other| **other < id).count() as u64;
            assert_eq!(u64::from(by_rank[id]), rank % number, "{row}");
        }
    }
}
