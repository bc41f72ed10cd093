use tenure::placement::hash::xxh64;

use super::{Lease, Span, State, owners, ring, state};

fn names(count: u32) -> Vec<String> {
    (0..count).map(|i| format!("op-{i}")).collect()
}

#[test]
fn a_pod_of_twenty_loses_nine_tenths_of_its_tokens() {
    assert_eq!(xxh64(b"op-110"), xxh64(format!("{}{}", "op-1", 10).as_bytes()));
    let names = names(20);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ring = ring(&names);
    assert_eq!(ring.len(), 2_000 - 90);
    let tokens = ring.values().filter(|position| **position == 1).count();
    assert_eq!(tokens, 10, "op-1 keeps ten of a hundred");
    let keys = 40_000;
    let load = owners(&names, keys).into_iter().filter(|owner| *owner == 1).count();
    let permille = load * 20 * 1_000 / keys as usize;
    assert!((70..130).contains(&permille), "{permille} of 1,000 of the mean");
}

#[test]
fn two_evaluations_of_one_membership_differ() {
    let names = names(20);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut other = names.clone();
    other.reverse();
    let (one, two) = (owners(&names, 20_000), owners(&other, 20_000));
    let differ = one.iter().zip(&two).filter(|(a, b)| names[**a] != other[**b]).count();
    // 90 of 1,910 tokens at most, as the orders have it.
    assert!((200..1_200).contains(&differ), "{differ} of 20,000 keys");
    // With a separator, or other names, they do not.
    let apart: Vec<String> = names.iter().map(|name| format!("{name}-")).collect();
    let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
    assert_eq!(ring(&apart).len(), 2_000);
}

#[test]
fn states_are_by_a_wall_clock() {
    let second = 1_000_000_000;
    let lease = |holder: &str| Lease {
        holder: holder.into(),
        renewed: 100 * second,
        duration: Span::from_secs(15),
        counter: 0,
    };
    let at = |seconds: i128| state("a", &lease("a"), seconds * second);
    assert_eq!((at(114), at(115), at(129)), (State::Ready, State::Expired, State::Expired));
    assert_eq!(at(130), State::Uncertain);
    // Released, or taken by the sharder.
    assert_eq!(state("a", &lease(""), 100 * second), State::Dead);
    assert_eq!(state("a", &lease("shardlease-controller"), 100 * second), State::Dead);
}
