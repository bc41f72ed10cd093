//! Somebody's own rule under the same faults and checks as this library's. One that is wrong, and caught,
//! is `examples/own_rule.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::time::Duration;

use tenure::election::{Config, Failure};
use tenure::lock::{Identity, Record, Version};
use tenure::time::{Instant, Now, Timestamp};
use tenure_sim::check::{Check, Checks, Violation};
use tenure_sim::outcome::Outcome;
use tenure_sim::rule::{Call, Input, Newcomer, Rule, Ruled, Seen};
use tenure_sim::scenario::{Lock, Scenario};
use tenure_sim::shrink::shrink;
use tenure_sim::sweep::sweep;
use tenure_sim::trace::{End, Entry, Verb, What};
use tenure_sim::world::World;
use tenure_sim::{catalogue, marks::Marks};

const SECOND: Duration = Duration::from_secs(1);

/// A right rule, as short as it can be: a record is over when it has stood for the lease duration on the
/// own monotonic clock, and authority ends the renew deadline after a renewal was sent.
#[derive(Debug)]
struct Local {
    me: Identity,
    lease: Duration,
    deadline: Duration,
    retry: Duration,
    call: Option<Call>,
    sent: Instant,
    next: Instant,
    writes: bool,
    seen: Option<(Seen, Instant)>,
    until: Option<Instant>,
    stopping: bool,
}

impl Local {
    fn new(newcomer: &Newcomer<'_>) -> Self {
        let (call, seen, until) = (None, None, None);
        let (sent, next) = (Instant::from_nanos(0), Instant::from_nanos(0));
        let me = newcomer.holder.clone();
        let Config { lease_duration: lease, renew_deadline: deadline, retry_period: retry, .. } =
            *newcomer.config;
        Self {
            me,
            lease,
            deadline,
            retry,
            call,
            sent,
            next,
            writes: false,
            seen,
            until,
            stopping: false,
        }
    }

    fn ask(&mut self, now: Now, call: Call) {
        self.writes = call != Call::Read;
        self.sent = now.instant;
        self.next = now.instant + self.retry;
        self.call = Some(call);
    }

    fn record(&self, now: Now, old: Option<&Record>) -> Record {
        let same = old.is_some_and(|old| old.holder == self.me);
        Record {
            holder: self.me.clone(),
            renew_time: Some(now.timestamp),
            acquire_time: old
                .and_then(|old| old.acquire_time)
                .filter(|_| same)
                .or(Some(now.timestamp)),
            lease_duration_seconds: i64::try_from(self.lease.as_secs()).unwrap(),
            leader_transitions: old.map_or(0, |old| old.leader_transitions + i64::from(!same)),
            ..Record::default()
        }
    }

    fn look(&mut self, now: Now, seen: Seen) {
        let same = self.seen.as_ref().is_some_and(|(known, _)| known.version == seen.version);
        if !same {
            self.seen = Some((seen, now.instant));
        }
        let Some((Seen { record, version }, since)) = self.seen.clone() else { return };
        let length = u32::try_from(record.lease_duration_seconds).unwrap();
        let free = record.holder.is_empty() || record.holder == self.me;
        if free || now.instant.saturating_since(since) > SECOND * length {
            let mine = self.record(now, Some(&record));
            self.ask(now, Call::Update(mine, version));
        }
    }
}

impl Rule for Local {
    fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Stop => {
                self.stopping = true;
                let held = self.seen.clone().filter(|_| self.until.is_some());
                if let Some((Seen { record, version }, _)) = held {
                    let freed = Record { holder: Identity::default(), ..record };
                    self.ask(now, Call::Update(freed, version));
                }
            }
            _ if self.stopping => {}
            Input::Timeout => self.ask(now, Call::Read),
            Input::Answer(Ok(seen)) if self.writes => {
                // With a wall clock that stands still a renewal may change nothing, and nobody sees it.
                let shows = self.seen.as_ref().is_none_or(|it| it.0.version != seen.version);
                if shows {
                    self.until = Some(self.sent + self.deadline);
                }
                self.seen = Some((seen, now.instant));
            }
            Input::Answer(Ok(seen)) => self.look(now, seen),
            Input::Answer(Err(Failure::NotFound)) if !self.writes => {
                let mine = self.record(now, None);
                self.ask(now, Call::Create(mine));
            }
            Input::Answer(Err(_)) | Input::Watched(_) => {}
        }
    }

    fn poll_call(&mut self) -> Option<Call> {
        self.call.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.next)
    }

    fn leading_until(&self) -> Option<Instant> {
        self.until
    }
}

fn run(scenario: &Scenario, seed: u64, checks: &mut impl Check) -> Outcome {
    World::with_rules(scenario, seed, Local::new).unwrap().run(checks)
}

/// Looks at all entries.
struct Look<F>(F);

impl<F: FnMut(&Entry)> Check for Look<F> {
    fn name(&self) -> &'static str {
        "look"
    }

    fn observe(&mut self, entry: &Entry, _: &mut Vec<Violation>) {
        self.0(entry);
    }
}

#[test]
fn a_right_rule_holds_under_random_faults_and_goes_through_them() {
    let random = catalogue::find("random").unwrap();
    let (mut takeovers, mut late) = (0, 0);
    for seed in 0..40 {
        let drawn = tenure_sim::plan::drawn(&random, seed);
        let settings = drawn.all_settings();
        let mut locks = settings.iter().filter_map(|(_, it)| it.lock).chain([drawn.lock]);
        if locks.any(|lock| lock != Lock::Lease) {
            assert!(World::with_rules(&drawn, seed, Local::new).is_err());
            continue;
        }
        let mut checks = (Checks::for_scenario(&drawn), Marks::default());
        let outcome = run(&drawn, seed, &mut checks);
        let two = outcome.violations.iter().find(|it| it.check == "one-leader");
        assert!(two.is_none_or(|it| it.rule == "belief"), "seed {seed}: {two:?}");
        takeovers += outcome.statistics.takeovers;
        late += outcome.statistics.late_answers + outcome.statistics.given_up;
        // It is as much one run for each seed as any.
        assert_eq!(outcome.digest, run(&drawn, seed, &mut ()).digest);
    }
    assert!(takeovers > 60 && late > 10, "{takeovers} {late}");
}

#[test]
fn a_rule_that_is_told_to_stop_makes_one_more_call_and_ends() {
    let scenario = catalogue::find("graceful-release").unwrap();
    let (mut released, mut finished, mut led) = (0, 0, None);
    run(
        &scenario,
        1,
        &mut Look(|entry: &Entry| match &entry.what {
            What::StartedLeading { replica, token } if led.is_none() => {
                assert!(token.is_some(), "the version of the write that began the term");
                led = Some(*replica);
            }
            What::Sent { replica, verb: Verb::Update, record: Some(record), .. } => {
                released += u32::from(record.holder.is_empty() && led == Some(*replica));
            }
            What::Ended { replica, end: End::Finished } => {
                finished += u32::from(led == Some(*replica));
            }
            _ => {}
        }),
    );
    assert_eq!((released, finished > 0), (finished, true));
}

#[test]
fn a_lock_that_own_rules_cannot_read_is_refused() {
    let maps: Scenario = serde_json::from_str(r#"{"lock": "config-map"}"#).unwrap();
    let error = World::with_rules(&maps, 1, Local::new).unwrap_err();
    assert!(error.to_string().contains("lock is ConfigMap"), "{error}");
    let one = r#"{"replicas": [{}, {"lock": "config-map+lease"}]}"#;
    assert!(World::with_rules(&serde_json::from_str(one).unwrap(), 1, Local::new).is_err());
}

/// What is written over is what was read, with its version; nothing else of the rule is looked at.
#[test]
fn versions_are_named_as_they_were_read() {
    let seen = Seen { record: Record::default(), version: Version::ordered(7) };
    let mut rule = Local::new(&Newcomer {
        replica: 0,
        life: 0,
        holder: "a".into(),
        config: &Config::new(tenure::lock::LockRef::lease("x", "y"), "a", "1"),
        seed: 0,
    });
    let now = Now { instant: Instant::from_nanos(5), timestamp: Timestamp::from_unix_nanos(0) };
    rule.handle(now, Input::Answer(Ok(seen)));
    assert!(
        matches!(rule.poll_call(), Some(Call::Update(_, version)) if version == Version::ordered(7))
    );
}

/// Its timer stays where it was.
#[derive(Debug)]
struct Forgetful(u64);

impl From<&Newcomer<'_>> for Forgetful {
    fn from(newcomer: &Newcomer<'_>) -> Self {
        Self(u64::from(newcomer.replica) * 100_000_000)
    }
}

impl Rule for Forgetful {
    fn handle(&mut self, _: Now, _: Input) {}

    fn poll_call(&mut self) -> Option<Call> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(Instant::from_nanos(self.0))
    }

    fn leading_until(&self) -> Option<Instant> {
        None
    }
}

#[test]
fn a_rule_that_leaves_its_timer_in_the_past_is_no_world_without_end() {
    let short = r#"{"horizon": "30s"}"#;
    let scenario: Scenario = serde_json::from_str(short).unwrap();
    let tally = sweep(&Ruled::<Forgetful>::new(scenario), 0..2, |_, _| {}).unwrap();
    assert_eq!(tally.runs.all, 2);
}

/// It panics at its third call.
#[derive(Debug)]
struct Fragile(u32);

impl From<&Newcomer<'_>> for Fragile {
    fn from(_: &Newcomer<'_>) -> Self {
        Self(0)
    }
}

impl Rule for Fragile {
    fn handle(&mut self, _: Now, _: Input) {
        self.0 += 1;
        assert!(self.0 < 3, "the third");
    }

    fn poll_call(&mut self) -> Option<Call> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(Instant::from_nanos(u64::from(self.0) * 1_000_000_000))
    }

    fn leading_until(&self) -> Option<Instant> {
        None
    }
}

#[test]
fn a_rule_that_panics_is_found_and_made_small() {
    let random = Ruled::<Fragile>::new(catalogue::find("random").unwrap());
    let tally = sweep(&random, 0..3, |_, _| {}).unwrap();
    assert_eq!((tally.runs.violated, &*tally.found[0].check), (3, "panic"));
    let find = tenure_sim::sweep::run(&random, 1).unwrap().finds.remove(0);
    let small = shrink(&random, 1, &find, 300, &mut |_| {}).unwrap().unwrap();
    assert_eq!((small.faults, &*small.find.violation.check), (0, "panic"));
    assert!(small.find.violation.what.contains("the third"));
}
