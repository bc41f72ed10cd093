//! The least that plays an election: a heap of events, replicas that get and update one record, drawn
//! latencies, and a monitor that counts leaders.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;
const LEASE: u64 = 15 * SECOND;
const DEADLINE: u64 = 10 * SECOND;
const RETRY: u64 = 2 * SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Timer,
    /// To the store: an update over this version, or a get.
    Request {
        over: Option<u64>,
    },
    /// From the store: whether an update was taken, and the version now.
    Answer {
        updated: bool,
        version: u64,
    },
}

struct Replica {
    random: ChaCha8Rng,
    leads: bool,
    sent: u64,
    renewed: u64,
    seen: u64,
    seen_at: u64,
}

impl Replica {
    /// A number from `least` up to `below`.
    fn within(&mut self, least: u64, below: u64) -> u64 {
        least + ((u128::from(self.random.next_u64()) * u128::from(below - least)) >> 64) as u64
    }
}

struct Loop {
    queue: BinaryHeap<Reverse<(u64, u64, usize, Event)>>,
    number: u64,
    now: u64,
    version: u64,
    leaders: usize,
}

impl Loop {
    fn at(&mut self, time: u64, replica: usize, event: Event) {
        self.number += 1;
        self.queue.push(Reverse((time, self.number, replica, event)));
    }

    fn handle(&mut self, index: usize, replica: &mut Replica, event: Event) {
        match event {
            Event::Timer => {
                let expired = self.now - replica.seen_at > LEASE;
                if replica.leads && self.now - replica.renewed > DEADLINE {
                    replica.leads = false;
                    self.leaders -= 1;
                }
                let over = (replica.leads || expired).then_some(replica.seen);
                replica.sent = self.now;
                let latency = replica.within(MILLI, 21 * MILLI);
                self.at(self.now + latency, index, Event::Request { over });
            }
            Event::Request { over } => {
                let updated = over == Some(self.version);
                self.version += u64::from(updated);
                let latency = replica.within(MILLI, 21 * MILLI);
                let answer = Event::Answer { updated, version: self.version };
                self.at(self.now + latency, index, answer);
            }
            Event::Answer { updated, version } => {
                if replica.seen != version {
                    (replica.seen, replica.seen_at) = (version, self.now);
                }
                if updated {
                    replica.renewed = replica.sent;
                    self.leaders += usize::from(!replica.leads);
                    replica.leads = true;
                    assert!(self.leaders <= 1, "two leaders");
                }
                let wait =
                    if replica.leads { RETRY } else { replica.within(RETRY, RETRY * 11 / 5) };
                self.at(self.now + wait, index, Event::Timer);
            }
        }
    }
}

/// Runs for so many nanoseconds and gives the number of events.
pub(crate) fn run(replicas: usize, horizon: u64, seed: u64) -> u64 {
    let mut world = Loop { queue: BinaryHeap::new(), number: 0, now: 0, version: 1, leaders: 0 };
    let mut all: Vec<_> = (0..replicas as u64)
        .map(|stream| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream);
            Replica { random, leads: false, sent: 0, renewed: 0, seen: 0, seen_at: 0 }
        })
        .collect();
    for index in 0..replicas {
        world.at(0, index, Event::Timer);
    }
    let mut events = 0;
    while let Some(Reverse((time, _, index, event))) = world.queue.pop() {
        if time > horizon {
            break;
        }
        world.now = time;
        if let Some(replica) = all.get_mut(index) {
            world.handle(index, replica, event);
        }
        events += 1;
    }
    assert_eq!(world.leaders, 1);
    events
}
