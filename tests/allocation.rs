//! A renewal costs no allocation: neither the answer handed in nor the request and events fetched.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use tenure::election::{
    Config, Elector, Electors, Failure, Missing, Op, Profile, Release, Response, Stored,
};
use tenure::lock::{LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

fn now(nanos: u64) -> Now {
    Now { instant: Instant::from_nanos(nanos), timestamp: Timestamp::from_unix_nanos(nanos.into()) }
}

/// Lets the elector ask for its next write, at the time when it is due, and answers it 5 ms later.
fn write(elector: &mut Elector) {
    let mut at = 0;
    let request = loop {
        if let Some(request) = elector.poll_request() {
            break request;
        }
        at = elector.poll_timeout().unwrap().as_nanos();
        elector.handle_timeout(now(at));
    };
    let (Op::Create(object) | Op::Update(object, _)) = request.op else { panic!("{request:?}") };
    let stored = Stored { object, version: Version::ordered(request.id.as_u64()) };
    elector.handle_response(now(at + 5_000_000), Response { id: request.id, result: Ok(stored) });
}

fn renewals_do_not_allocate(profile: Profile) {
    let config = Config {
        profile,
        missing: Missing::NewGroup,
        ..Config::new(LockRef::lease("default", "lock"), "me", "1")
    };
    let mut elector = Elector::new(config, 1, Instant::default()).unwrap();
    elector.handle_timeout(now(0));
    let get = elector.poll_request().unwrap();
    elector.handle_response(now(0), Response { id: get.id, result: Err(Failure::NotFound) });
    write(&mut elector);
    while elector.poll_event().is_some() {}
    write(&mut elector);

    let began = elector.poll_timeout().unwrap();
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            write(&mut elector);
            assert!(elector.poll_event().is_none() && elector.poll_request().is_none());
        }
    });
    let took = elector.poll_timeout().unwrap().saturating_since(began);
    assert!(took >= Duration::from_secs(200), "these were renewals, 2 s apart: {took:?}");
    assert_eq!(counted.count_total, 0, "{profile}");
}

#[test]
fn a_strict_renewal_does_not_allocate() {
    renewals_do_not_allocate(Profile::Strict);
}

#[test]
fn a_client_go_renewal_does_not_allocate() {
    renewals_do_not_allocate(Profile::ClientGo(Release::Head));
}

#[test]
fn renewals_of_many_do_not_allocate() {
    let mut electors = Electors::new();
    for n in 0..100 {
        let config = Config {
            missing: Missing::NewGroup,
            ..Config::new(LockRef::lease("default", format!("lock-{n}")), "me", "1")
        };
        let begin = Instant::from_nanos(n * 20_000_000);
        electors.insert(Elector::new(config, n, begin).unwrap());
    }
    let mut renewals = 0;
    let mut turn = || {
        let at = electors.poll_timeout().unwrap().as_nanos();
        electors.handle_timeout(now(at));
        while let Some((id, request)) = electors.poll_request() {
            let result = match request.op {
                Op::Get => Err(Failure::NotFound),
                Op::Create(object) | Op::Update(object, _) => {
                    renewals += 1;
                    Ok(Stored { object, version: Version::ordered(request.id.as_u64()) })
                }
            };
            electors.handle_response(now(at), id, Response { id: request.id, result });
        }
        while electors.poll_event().is_some() {}
        assert_eq!(electors.poll_finished(), None);
    };
    (0..500).for_each(|_| turn());
    let counted = allocation_counter::measure(|| (0..1_000).for_each(|_| turn()));
    assert_eq!(counted.count_total, 0);
    assert!(renewals >= 1_500, "these were renewals: {renewals}");
}
