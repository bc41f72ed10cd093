//! Work asks the clock, and so may end before the driver has handled the end of its right: what it says
//! then must count, in mode `leased` too, where each slot's right ends by itself.

use std::collections::BTreeMap;

use tenure::election::{self, Failure, Stored};
use tenure::lock::Version;
use tenure::sharding::{
    Answer, Config, Mode, Op, Request, Response, Sharder, Slot, SlotSet, Slots, StoredMember,
};
use tenure::time::{Instant, Now, Timestamp};

fn at(millis: u64) -> Now {
    let instant = Instant::from_nanos(millis * 1_000_000);
    Now { instant, timestamp: Timestamp::from_unix_nanos(i128::from(millis) * 1_000_000) }
}

/// One member's record, and the locks of its slots.
#[derive(Default)]
struct Store {
    version: u64,
    member: Option<StoredMember>,
    locks: BTreeMap<String, Stored>,
}

impl Store {
    fn call(&mut self, request: Request, locks_answer: bool) -> Result<Answer, Failure> {
        self.version += 1;
        let version = self.version;
        match request.op {
            Op::List => {
                Ok(Answer::Listed { members: self.member.iter().cloned().collect(), version })
            }
            Op::Create(record) | Op::Update(record, _) => {
                self.member = Some(StoredMember { record, version });
                Ok(Answer::Written { version })
            }
            Op::Elect(..) if !locks_answer => Err(Failure::Other),
            Op::Elect(lock, election::Op::Get) => {
                let stored = self.locks.get(&*lock.name).cloned();
                stored.map(Answer::Elected).ok_or(Failure::NotFound)
            }
            Op::Elect(lock, election::Op::Create(object) | election::Op::Update(object, _)) => {
                let stored = Stored { object, version: Version::ordered(version) };
                self.locks.insert(lock.name.to_string(), stored.clone());
                Ok(Answer::Elected(stored))
            }
            _ => Err(Failure::Other),
        }
    }
}

#[test]
fn work_that_ends_with_its_lease_is_drained() {
    let config = Config {
        mode: Mode::Leased,
        slots: Slots::new(2).unwrap(),
        ..Config::new("default", "group", "a", "1")
    };
    let slots = config.slots;
    let mut member = Sharder::new(config, 1, at(0).instant).unwrap();
    let mut store = Store::default();
    for millis in 0..120_000 {
        // The records can be written meanwhile, so each lease ends for itself.
        let locks_answer = !(30_000..50_000).contains(&millis);
        let over =
            |slot: &Slot| member.work_until(*slot).is_some_and(|end| end <= at(millis).instant);
        let over = SlotSet::of(slots, slots.iter().filter(over));
        if !over.is_empty() {
            member.drained(at(millis), &over);
        }
        if member.poll_timeout().is_some_and(|due| due <= at(millis).instant) {
            member.handle_timeout(at(millis));
        }
        while member.poll_event().is_some() {}
        while let Some(request) = member.poll_request() {
            let id = request.id;
            let result = store.call(request, locks_answer);
            member.handle_response(at(millis), Response { id, result });
            while member.poll_event().is_some() {}
        }
        let owned = member.owned(at(millis).instant).map_or(0, |owned| owned.len());
        match millis {
            29_999 | 119_999 => assert_eq!(owned, 2, "at {millis} ms"),
            49_999 => assert_eq!(owned, 0, "the leases have ended"),
            _ => {}
        }
    }
}
