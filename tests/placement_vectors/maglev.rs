//! Maglev's table as others fill it, by our own filling; and our own look-up on top of it.

use serde_json::Value;
use tenure::placement::{Key, Maglev, Member, Members, Placement, Rebuilt, hash};

use crate::{number, rows, vectors};

const SECRET: [u64; 2] = [0xdead_beef_cafe_babe, 0];

/// As go-maglev: the two halves of a `SipHash` of the name.
fn go_maglev(members: Members, size: u32) -> Maglev {
    let offset_and_skip = |member: &Member| {
        let hash = hash::siphash_2_4(SECRET, member.name().as_bytes());
        let (high, low, size) = (hash >> 32, hash & 0xffff_ffff, u64::from(size));
        (u32::try_from(high % size).unwrap(), u32::try_from(low % (size - 1) + 1).unwrap())
    };
    Maglev::with_offsets(members, size, offset_and_skip).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The members of the first slots, which are given as positions in `names`.
fn assert_begins(maglev: &Maglev, names: &[&str], table: &Value) {
    let table = table.as_array().unwrap();
    assert!(!table.is_empty());
    assert!(table.len() <= maglev.size() as usize);
    for (slot, (member, position)) in maglev.slots().zip(table).enumerate() {
        let position = usize::try_from(number(position)).unwrap();
        assert_eq!(Some(&member.name()), names.get(position), "slot {slot}");
    }
}

#[test]
fn name_hashes() {
    for row in rows(&vectors("maglev_go.json"), "name_hashes") {
        let name = row["name"].as_str().unwrap();
        assert_eq!(hash::siphash_2_4(SECRET, name.as_bytes()), number(&row["siphash"]), "{name}");
    }
}

#[test]
fn tables() {
    for row in rows(&vectors("maglev_go.json"), "tables") {
        let size = u32::try_from(number(&row["m"])).unwrap();
        let names = texts(&row["names"]);
        assert!(names.is_sorted(), "turns are in canonical order");
        let all = go_maglev(Members::new(names.iter().copied()).unwrap(), size);
        assert_begins(&all, &names, &row["table_prefix"]);
        for (member, slots) in
            all.members().iter().zip(row["slots_per_backend"].as_array().unwrap())
        {
            let own = all.slots().filter(|owner| *owner == member).count();
            assert_eq!(own as u64, number(slots), "{member}");
        }
        let Some(without) = row.get("table_prefix_without_3") else { continue };
        let others = names.iter().filter(|name| **name != names[3]).copied();
        let others = go_maglev(Members::new(others).unwrap(), size);
        assert_begins(&others, &names, without);
        let stayed = all.slots().zip(others.slots()).filter(|(old, _)| old.name() != names[3]);
        let moved = stayed.filter(|(old, new)| old != new).count();
        let field = "slots_that_moved_although_their_backend_lived";
        assert_eq!(moved as u64, number(&row[field]), "of {size}");

        // A key is in the slot that is the same part of the table as it is of all, mixed.
        for key in (0..1_000).map(Key::from_hash) {
            let slot = (u128::from(hash::mix(key.as_u64())) * u128::from(size)) >> 64;
            assert_eq!(all.place(key), all.slots().nth(usize::try_from(slot).unwrap()));
        }
    }
}

/// Table 1 of the paper.
#[test]
fn the_example_of_the_paper() {
    let file = vectors("maglev_go.json");
    let example = &file["paper_example"];
    let size = u32::try_from(number(&example["m"])).unwrap();
    let names = ["B0", "B1", "B2"];
    let given = |member: &Member| {
        let position = names.iter().position(|name| *name == member.name()).unwrap();
        let pair = &example["offset_skip"][position];
        (u32::try_from(number(&pair[0])).unwrap(), u32::try_from(number(&pair[1])).unwrap())
    };
    let table = |names: &[&str]| {
        Maglev::with_offsets(Members::new(names.iter().copied()).unwrap(), size, given).unwrap()
    };
    assert_begins(&table(&names), &names, &example["table"]);
    assert_begins(&table(&["B0", "B2"]), &names, &example["table_after_removing_backend_1"]);
    // Alone, each takes its slots in the order of its permutation: so that is what was walked.
    for (position, permutation) in rows(example, "permutations").iter().enumerate() {
        let (offset, skip) = given(&Member::from(names[position]));
        let walked = (0..size).map(|turn| u64::from((offset + turn * skip) % size));
        assert!(walked.eq(permutation.as_array().unwrap().iter().map(number)));
    }
    assert_eq!(table(&names).rebuilt(Members::default()).slots().count(), 0);
}
