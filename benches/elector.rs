//! What a renewal costs the leader, without its network: `cargo bench --bench elector`.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use core::hint::black_box;
use core::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tenure::election::{Config, Elector, Missing, Op, Profile, Release, Response, Stored};
use tenure::lock::{LockRef, Version};
use tenure::time::{Instant, Now, Timestamp};

fn at(nanos: u64) -> Now {
    let instant = Instant::from_nanos(nanos);
    Now {
        instant,
        timestamp: Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + i128::from(nanos)),
    }
}

/// A driver with a store that takes every write.
struct Driver {
    elector: Elector,
    version: u64,
    now: u64,
}

impl Driver {
    /// A leader that has just renewed.
    fn leading(profile: Profile) -> Self {
        let config = Config {
            missing: Missing::NewGroup,
            profile,
            ..Config::new(LockRef::lease("default", "controller"), "pod-0", "6ba7b810")
        };
        let elector = Elector::new(config, 1, Instant::default()).unwrap();
        let mut driver = Self { elector, version: 0, now: 0 };
        driver.elector.handle_timeout(at(0));
        let get = driver.elector.poll_request().unwrap();
        let missing = Response { id: get.id, result: Err(tenure::election::Failure::NotFound) };
        driver.elector.handle_response(at(1), missing);
        driver.answer();
        // client-go renews at once when it has acquired.
        while let Some(response) = driver.respond() {
            driver.hand_in(response);
        }
        driver.renew();
        assert!(driver.elector.is_leading(at(driver.now).instant));
        driver
    }

    /// Waits until the next renewal is due.
    fn wait(&mut self) {
        self.now = self.elector.poll_timeout().unwrap().as_nanos();
        self.elector.handle_timeout(at(self.now));
    }

    /// What the store says to the request that is to be sent.
    fn respond(&mut self) -> Option<Response> {
        let request = self.elector.poll_request()?;
        let (Op::Create(object) | Op::Update(object, _)) = request.op else { return None };
        self.version += 1;
        let stored = Stored { object, version: Version::ordered(self.version) };
        Some(Response { id: request.id, result: Ok(stored) })
    }

    fn answer(&mut self) {
        let response = self.respond().unwrap();
        self.hand_in(response);
    }

    /// The answer and what is to be done after it; that there is no request to be sent is for
    /// [`respond`](Self::respond) to find out.
    fn hand_in(&mut self, response: Response) {
        self.elector.handle_response(at(self.now), response);
        while let Some(event) = self.elector.poll_event() {
            black_box(event);
        }
        black_box(self.elector.poll_timeout());
    }

    /// A renewal, of which only the answer is timed, less what it takes to look at the clock.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn timed_renewal(&mut self) -> Duration {
        self.wait();
        let response = self.respond().unwrap();
        let begin = std::time::Instant::now();
        let look = std::time::Instant::now();
        self.hand_in(response);
        black_box(self.elector.poll_request());
        let end = std::time::Instant::now();
        (end - look).saturating_sub(look - begin)
    }

    fn renew(&mut self) {
        self.wait();
        self.answer();
    }
}

fn renewals(c: &mut Criterion) {
    for profile in [Profile::Strict, Profile::ClientGo(Release::V1_36)] {
        let mut driver = Driver::leading(profile);
        c.bench_function(&format!("answer to a renewal, {profile} (goal: 100 ns)"), |b| {
            b.iter_custom(|times| (0..times).map(|_| driver.timed_renewal()).sum());
        });
        c.bench_function(&format!("whole renewal, {profile}"), |b| b.iter(|| driver.renew()));
    }
}

criterion_group!(benches, renewals);
criterion_main!(benches);
