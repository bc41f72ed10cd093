//! Replicas that differ in their names only may change places.

use super::rules::{REPLICAS, Rules};

/// An order of the replicas under which the rules stay the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// The replica that comes first, second, third.
    pub(super) replicas: [u8; REPLICAS],
    /// The place of each replica: whose name it takes.
    pub(super) names: [u8; REPLICAS],
}

/// All such orders, the given one first.
#[derive(Debug, Clone)]
pub(super) struct Symmetry(Vec<Order>);

const ORDERS: [[u8; REPLICAS]; 6] =
    [[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2, 0], [2, 0, 1]];

impl Symmetry {
    pub(super) fn of(rules: &Rules) -> Self {
        let count = rules.rates.len();
        // What a replica has besides its name; there is nothing at places that are not taken.
        let kind = |replica: u8| {
            let rate = rules.rates.get(usize::from(replica));
            let place = if usize::from(replica) < count { 0 } else { replica };
            let own = (rules.faulty == Some(replica), rules.preferred == Some(replica));
            (rate, rules.lock(replica), own, place)
        };
        let same = |order: &[u8; REPLICAS]| {
            let replaced = (0u8..).zip(order).all(|(at, replica)| kind(at) == kind(*replica));
            // With one name for all, names cannot tell who is who.
            replaced && (!rules.one_name || *order == ORDERS[0])
        };
        let orders = ORDERS.into_iter().filter(same);
        Self(orders.map(|replicas| Order { replicas, names: inverse(replicas) }).collect())
    }

    pub(super) fn orders(&self) -> &[Order] {
        &self.0
    }
}

fn inverse(order: [u8; REPLICAS]) -> [u8; REPLICAS] {
    let mut names = [0; REPLICAS];
    for (place, replica) in (0u8..).zip(order) {
        names[usize::from(replica)] = place;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(rules: &str) -> usize {
        Symmetry::of(&rules.parse().unwrap()).orders().len()
    }

    #[test]
    fn only_equals_change_places() {
        assert_eq!(orders("rates=1:1"), 2);
        assert_eq!(orders("rates=1:2"), 1);
        assert_eq!(orders("rates=1:1:1"), 6);
        assert_eq!(orders("rates=1:2:1"), 2);
        assert_eq!(orders("rates=1:1:1 faulty=a"), 2);
        assert_eq!(orders("rates=1:1 profile=client-go-v1.36 names=one"), 1);
    }
}
