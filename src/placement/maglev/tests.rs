use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{
    Key, MOST, Maglev, MaglevError, Member, Members, NonZeroU32, Placement, Rebuilt, Table, Walk,
    is_prime, next_prime, own_order,
};

fn members(weights: impl IntoIterator<Item = u32>) -> Members {
    let member = |(i, weight)| {
        Member::from(format!("m-{i:05}")).with_weight(NonZeroU32::new(weight).unwrap())
    };
    Members::new((0..).zip(weights).map(member)).unwrap()
}

fn shares(maglev: &Maglev) -> Vec<usize> {
    let count = |one| maglev.slots().filter(|member| *member == one).count();
    maglev.members().iter().map(count).collect()
}

#[test]
fn primes() {
    let primes: Vec<_> = (0..60).filter(|number| is_prime(*number)).collect();
    assert_eq!(primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59]);
    assert_eq!([next_prime(100), next_prime(100_000), next_prime(65_536)], [101, 100_003, 65_537]);
    // Squares of primes, the last number, and the greatest prime.
    assert!(![169, 65_521 * 65_521, u32::MAX, MOST - 2].into_iter().any(is_prime));
    assert!(is_prime(MOST) && !(MOST + 1..=u32::MAX).any(is_prime));
    assert_eq!(next_prime(u32::MAX), MOST);
}

/// The definition read aloud: whose turn it is takes the first free slot of its order.
fn plainly(members: &Members, size: u32, turns: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut table: Vec<Option<usize>> = alloc::vec![None; size as usize];
    for position in turns {
        let Walk { at, skip } = own_order(members.get(position).unwrap(), size);
        let slots =
            (0..u64::from(size)).map(|j| (u64::from(at) + j * u64::from(skip)) % u64::from(size));
        let mut slots = slots.map(|slot| usize::try_from(slot).unwrap());
        let Some(slot) = slots.find(|slot| table[*slot].is_none()) else { break };
        table[slot] = Some(position);
    }
    table.into_iter().map(Option::unwrap).collect()
}

#[test]
fn the_table_is_as_defined() {
    let equal = members([3; 7]);
    let turns = (0..211).map(|turn| turn % 7);
    let table = plainly(&equal, 211, turns);
    let maglev = Maglev::with_size(equal.clone(), 211).unwrap();
    let owners = table.iter().map(|position| equal.get(*position).unwrap());
    assert!(maglev.slots().eq(owners));
    // A key's slot is the same part of the table as the key, mixed, of all keys.
    for key in (0..1_000).map(Key::from_hash) {
        let slot = (u128::from(super::mix(key.as_u64())) * 211) >> 64;
        let slot = usize::try_from(slot).unwrap();
        assert_eq!(maglev.place(key), equal.get(table[slot]));
    }

    // Weights 1, 2, 4: turns at 1; 1/2, 3/2; 1/4, 3/4, 5/4, 7/4; and so on.
    let unequal = members([1, 2, 4]);
    let turns = [2, 1, 2, 0, 2, 1, 2].into_iter().cycle().take(211);
    let table = plainly(&unequal, 211, turns);
    let maglev = Maglev::with_size(unequal.clone(), 211).unwrap();
    assert!(maglev.slots().eq(table.iter().map(|position| unequal.get(*position).unwrap())));
}

#[test]
fn shares_are_even_or_as_the_weights() {
    for n in [1, 2, 3, 10, 100] {
        let shares = shares(&Maglev::new(members((0..n).map(|_| 5))));
        assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
    }
    let weights = [1, 2, 3, 10, 100, 7];
    for size in [1_009, 65_537] {
        let shares = shares(&Maglev::with_size(members(weights), size).unwrap());
        for (share, weight) in shares.iter().zip(weights) {
            // Within a slot of the exact share, of which 123 are the whole.
            let (share, exact) = (share * 123, size as usize * weight as usize);
            assert!(share.abs_diff(exact) <= 123, "{shares:?}");
        }
    }
}

#[test]
fn extremes_neither_panic_nor_loop() {
    assert_eq!(shares(&Maglev::with_size(members([1, u32::MAX]), 101).unwrap()), [0, 101]);
    let full = Maglev::with_size(members([1; 101]), 101).unwrap();
    assert_eq!(shares(&full), [1; 101]);
    for size in [2, 3] {
        assert_eq!(
            Maglev::with_size(members([1, 1]), size).unwrap().slots().count(),
            size as usize
        );
    }
    let none = Maglev::with_size(Members::default(), 7).unwrap();
    assert_eq!((none.place(Key::from_hash(1)), none.slots().count()), (None, 0));
    assert_eq!(Maglev::default().place(Key::from_hash(1)), None);
}

/// The 65,536th member does not fit into 16 bits beside the others.
#[test]
fn many_members_have_wide_slots() {
    for n in [65_535, 65_536] {
        let maglev = Maglev::with_size(members((0..n).map(|_| 1)), 65_537).unwrap();
        assert_eq!(matches!(maglev.table, Table::Wide(_)), n == 65_536);
        let mut owners: Vec<_> = maglev.slots().collect();
        owners.sort_unstable();
        owners.dedup();
        assert_eq!(owners.len(), n);
    }
}

#[test]
fn what_is_no_table_is_refused() {
    let two = || members([1, 1]);
    for size in [0, 1, 4, 100, 65_536] {
        let next = next_prime(size);
        let error = Maglev::with_size(two(), size).unwrap_err();
        assert_eq!(error, MaglevError::NotPrime { size, next });
        assert!(error.to_string().contains(&format!("size {size}: not a prime number; {next}")));
    }
    let error = Maglev::with_size(members([1; 4]), 3).unwrap_err();
    assert_eq!(error, MaglevError::TooSmall { size: 3, members: 4 });
    for (offset, skip) in [(7, 1), (0, 0), (0, 7)] {
        let error = Maglev::with_offsets(two(), 7, |_| (offset, skip)).unwrap_err();
        assert_eq!(error, MaglevError::Order { offset, skip, size: 7 });
    }
    assert!(Maglev::with_offsets(two(), 7, |_| (6, 6)).is_ok());
    // Who would answer otherwise the second time is asked once.
    let asked = core::cell::Cell::new(0);
    let once = Maglev::with_offsets(two(), 7, |_| {
        asked.set(asked.get() + 1);
        if asked.get() <= 2 { (0, 1) } else { (100, 100) }
    });
    assert_eq!((once.is_ok(), asked.get()), (true, 2));
}

/// Keys that move though their member stays, over those that must, as one of n leaves. In the
/// documentation stands what this measures.
#[test]
fn a_leave_moves_what_the_documentation_says() {
    for (n, size, least, most) in [
        (10, 1_009, 1.0, 1.5),
        (10, 65_537, 1.0, 1.1),
        (100, 65_537, 1.4, 1.7),
        (100, 10_007, 2.4, 3.0),
        (1_000, 100_003, 6.0, 7.2),
    ] {
        let before = Maglev::with_size(members((0..n).map(|_| 1)), size).unwrap();
        let others = before.members().iter().filter(|member| member.name() != "m-00003");
        let after = before.rebuilt(Members::new(others.cloned()).unwrap());
        assert_eq!(after.size(), size);
        let moved = before.slots().zip(after.slots()).filter(|(old, new)| old != new).count();
        let must = before.slots().filter(|member| member.name() == "m-00003").count();
        let ratio =
            f64::from(u32::try_from(moved).unwrap()) / f64::from(u32::try_from(must).unwrap());
        assert!((least..most).contains(&ratio), "{n} {size}: {ratio}");
    }
    // Room for each, just so: the same size. No room: another.
    let small = Maglev::with_size(members([1, 1]), 3).unwrap();
    assert_eq!(small.rebuilt(members([1; 3])).size(), 3);
    assert_eq!(small.rebuilt(members([1; 4])).size(), Maglev::new(members([1; 4])).size());
}
