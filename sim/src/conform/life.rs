//! Replays scenario files: each incarnation of each elector, call by call.

use std::fmt::Write as _;
use std::time::Duration;

use tenure::election::{Config, Elector, Failure, Profile, Release, Stored};
use tenure::lock::LockRef;

use super::compare::{self, NAMESPACE};
use super::driver::{Callback, Driver};
use super::format::{Event, ObservedRecord, Outcome, State, Trace};
use super::structure::{self, Call, End, Life, Try, at};
use super::timeline::{Step, steps};
use super::{Counts, Divergence, Place, Refusal, answer, store};

pub(super) fn replay(trace: &Trace, release: Release) -> Result<Counts, Refusal> {
    let lives = structure::lives(trace)?;
    let mut first = store::check(trace).err();
    let lock = lock_name(trace);
    let mut counts = Counts::default();
    for life in &lives {
        match Run::new(life, release, lock).replay() {
            Ok(compared) => counts += compared,
            Err(divergence) => {
                // At one place, the elector's own word says more than the store's.
                let earlier = first.as_ref().is_none_or(|first| divergence.place <= first.place);
                first = if earlier { Some(divergence) } else { first };
            }
        }
    }
    if let Some(divergence) = first {
        return Err(divergence.into());
    }
    structure::check_starts(&lives)?;
    structure::check_order(&trace.events)?;
    Ok(counts)
}

/// The lock's name: what the store's objects are called.
fn lock_name(trace: &Trace) -> &str {
    let responses = trace.events.iter().filter_map(|event| event.response.as_ref());
    responses.map(|object| object.name.as_str()).find(|name| !name.is_empty()).unwrap_or("lock")
}

/// An incarnation under replay.
struct Run<'t> {
    life: &'t Life<'t>,
    driver: Driver,
    identity: &'t str,
    release: Release,
    retry_period_ns: i128,
    /// When the last attempt ended; none before the first.
    last_end: Option<i64>,
    /// The attempt that ended last and whose state is still to be compared.
    ended: Option<&'t Try<'t>>,
    /// The last state that the trace tells.
    known: State,
    counts: Counts,
}

type Checked = Result<(), Divergence>;

impl<'t> Run<'t> {
    fn new(life: &'t Life<'t>, release: Release, lock: &str) -> Self {
        let spec = life.spec;
        let config = Config {
            lease_duration: Duration::from_nanos(spec.lease_duration_ns),
            renew_deadline: Duration::from_nanos(spec.renew_deadline_ns),
            retry_period: Duration::from_nanos(spec.retry_period_ns),
            request_timeout: spec
                .request_timeout_ns
                .filter(|nanos| *nanos > 0)
                .map(Duration::from_nanos),
            release_on_stop: spec.release_on_cancel,
            profile: Profile::ClientGo(release),
            ..Config::new(LockRef::lease(NAMESPACE, lock), spec.identity.as_str(), "")
        };
        let start = compare::instant(life.start.t_ns);
        Self {
            life,
            driver: Driver::new(Elector::unchecked(config, life.start.seq, start), life.start.seq),
            identity: &spec.identity,
            release,
            retry_period_ns: spec.retry_period_ns.into(),
            last_end: None,
            ended: None,
            known: blank(),
            counts: Counts::default(),
        }
    }

    fn replay(mut self) -> Result<Counts, Divergence> {
        let Err(divergence) = self.follow() else {
            self.compare_callbacks(None)?;
            return Ok(self.counts);
        };
        // What was reported before it may differ earlier, or explain it.
        self.compare_callbacks(Some(divergence.time_ns))?;
        let explained = self.compare_callbacks(Some(divergence.time_ns.saturating_add(1)));
        Err(match explained {
            Err(other) if other.place < divergence.place => other,
            _ => divergence,
        })
    }

    fn follow(&mut self) -> Checked {
        for step in steps(self.life) {
            match step {
                Step::Begin(number, index, call) => self.begin(number, index, call)?,
                Step::Answer(number, last, call) => self.answer(number, last, call)?,
                Step::Stop(event) => {
                    self.pass(event.t_ns)?;
                    // What came due at this very time and is not recorded, was not begun.
                    self.driver.asked.clear();
                    self.driver.stop(event.t_ns);
                    self.driver.after = event.seq;
                }
            }
        }
        self.end()
    }

    fn begin(&mut self, number: usize, index: usize, call: Call<'t>) -> Checked {
        let event = call.event;
        let Some(tried) = self.life.attempts.get(number) else { return Ok(()) };
        self.advance(event.t_ns)?;
        if self.driver.asked.is_empty() {
            self.prompt(tried, index, event)?;
        }
        let what = format!("{} at {} ns", call.verb.text(), event.t_ns);
        let Some(asked) = self.driver.take() else {
            let got = match (self.driver.finished_ns, self.driver.timer()) {
                (Some(finished), _) => format!("no call: Run returned at {finished} ns"),
                (None, Some(timer)) => format!("no call before {timer} ns"),
                (None, None) => "no call".to_owned(),
            };
            return Err(at(event, what, got));
        };
        if index == 0 {
            self.counts.attempts += 1;
            self.compare_state()?;
        }
        self.counts.calls += 1;
        self.driver.after = event.seq;
        let verb = compare::verb(&asked.request.op);
        if verb != call.verb || asked.t_ns != event.t_ns {
            return Err(at(event, what, format!("{} at {} ns", verb.text(), asked.t_ns)));
        }
        match compare::body_difference(event.request.as_ref(), &asked.request.op) {
            Some((expected, got)) => Err(at(event, expected, got)),
            None => Ok(()),
        }
    }

    /// Makes the elector do what the trace says it does now.
    fn prompt(&mut self, tried: &Try<'_>, index: usize, event: &Event) -> Checked {
        let now = event.t_ns;
        let timer = self.driver.timer();
        if self.driver.is_waiting_to_acquire() {
            let own = timer.unwrap_or(i64::MAX);
            let wait = self.wait();
            if !wait.allows(now) || !wait.allows(own) {
                let got = format!("an attempt at {now} ns, the elector's own at {own} ns");
                return Err(at(event, wait.to_string(), got));
            }
            if own <= now {
                self.driver.timeout(now);
            } else {
                self.driver.poke(now);
            }
            return Ok(());
        }
        if timer != Some(now) {
            return Ok(());
        }
        // At the end of its cycle the elector leaves; client-go's ticker may win that race. Then the
        // attempt's context ends at once.
        if index == 0 && !tried.is_release {
            let mut late = self.driver.clone();
            late.poke(now);
            let deadline = late.asked.front().and_then(|asked| asked.request.deadline);
            if deadline.is_some_and(|deadline| compare::trace_time(deadline) <= now) {
                self.driver = late;
                return Ok(());
            }
        }
        self.driver.timeout(now);
        Ok(())
    }

    fn answer(&mut self, number: usize, last: bool, call: Call<'t>) -> Checked {
        let event = call.event;
        let end_ns = event.end_ns.unwrap_or(event.t_ns);
        self.advance(end_ns)?;
        let result = result(call).map_err(|(expected, got)| at(event, expected, got))?;
        let Some((_, deadline)) = self.driver.outstanding else {
            return Err(at(event, format!("a wait until {end_ns} ns"), "the call given up"));
        };
        let cancelled = self.life.cancels.iter().any(|cancel| cancel.t_ns == end_ns);
        let by_deadline = deadline.is_some_and(|deadline| deadline.max(event.t_ns) == end_ns);
        if answer::is_given_up(event, call.outcome) && !by_deadline && !cancelled {
            let expected = format!("an error at its deadline, {deadline:?} ns, or an answer");
            return Err(at(event, expected, format!("error at {end_ns} ns")));
        }
        self.driver.after = event.seq;
        let had_stopped = self.life.cancels.iter().any(|cancel| cancel.t_ns <= end_ns);
        self.driver.answer(end_ns, result);
        if !last {
            return Ok(());
        }
        self.last_end = Some(end_ns);
        self.ended = self.life.attempts.get(number);
        // A release that begins at once has its own result.
        let returned = self.driver.elector().client_go_state().and_then(|state| state.returned);
        let recorded = self.ended.and_then(|tried| tried.attempt.returned);
        let complete = self.ended.is_some_and(|tried| tried.attempt.complete);
        if complete && !had_stopped && recorded != returned {
            return Err(at(event, format!("returned {recorded:?}"), format!("{returned:?}")));
        }
        Ok(())
    }

    /// Lets time pass up to `t_ns`: no attempt and no call may be due before it.
    fn pass(&mut self, t_ns: i64) -> Checked {
        self.advance(t_ns)?;
        if self.driver.is_waiting_to_acquire() && self.wait().is_over(t_ns) {
            return Err(self.missing(t_ns, self.wait().to_string(), "no attempt in the trace"));
        }
        match self.driver.asked.front() {
            Some(asked) if asked.t_ns < t_ns => {
                let verb = compare::verb(&asked.request.op).text();
                Err(self.missing(asked.t_ns, "no call".into(), &format!("{verb} by the elector")))
            }
            _ => Ok(()),
        }
    }

    fn advance(&mut self, t_ns: i64) -> Checked {
        self.driver.advance(t_ns).map_err(|stuck| {
            self.missing(stuck, "time to go on".into(), "the elector's timer stands still")
        })
    }

    fn end(&mut self) -> Checked {
        let t_ns = self.life.end_ns();
        self.pass(t_ns)?;
        let End::Returned(event) = self.life.end else {
            return match self.driver.finished_ns {
                Some(finished) if finished < t_ns => {
                    Err(self.missing(finished, "no run_returned".into(), "Run returned"))
                }
                _ => Ok(()),
            };
        };
        // All timers that fall on this time, and what follows from them.
        self.advance(t_ns.saturating_add(1))?;
        self.counts.callbacks += 1;
        match (self.driver.finished_ns, self.driver.asked.front()) {
            (Some(finished), None) if finished == t_ns => self.compare_state(),
            (_, Some(asked)) => {
                let verb = compare::verb(&asked.request.op).text();
                Err(at(event, "run_returned", format!("{verb} by the elector")))
            }
            (Some(finished), None) => {
                Err(at(event, "run_returned", format!("it at {finished} ns")))
            }
            (None, None) => {
                let got = format!("the elector running, its timer {:?} ns", self.driver.timer());
                Err(at(event, "run_returned", got))
            }
        }
    }

    /// The state after the attempt that ended last.
    fn compare_state(&mut self) -> Checked {
        let Some(tried) = self.ended.take() else { return Ok(()) };
        if let Some(state) = &tried.attempt.state_after {
            self.known = state.clone();
        }
        let Some(state) = self.driver.elector().client_go_state() else { return Ok(()) };
        let difference = compare::state_difference(&self.known, state, self.identity, self.release);
        let t_ns = tried.attempt.end_ns.unwrap_or(tried.attempt.t_ns);
        let leads = self.driver.is_leading(t_ns);
        let difference = difference.or_else(|| {
            let got = format!("is_leading {leads}");
            (leads != self.known.is_leader).then(|| ("is_leader of the state".into(), got))
        });
        match (difference, tried.calls.last()) {
            (Some((expected, got)), Some(call)) => {
                let number = tried.attempt.number;
                Err(at(call.event, format!("attempt {number} with {expected}"), got))
            }
            _ => Ok(()),
        }
    }

    /// Callbacks are goroutines: at one time their order says nothing, but they come after what
    /// caused them.
    fn compare_callbacks(&mut self, until: Option<i64>) -> Checked {
        let counts = |t_ns: i64| until.is_none_or(|until| t_ns < until);
        let mut given: Vec<&Callback> = Vec::new();
        given.extend(self.driver.callbacks.iter().filter(|given| counts(given.t_ns)));
        let mut extra = Vec::new();
        for (event, kind) in &self.life.callbacks {
            if !counts(event.t_ns) {
                continue;
            }
            self.counts.callbacks += 1;
            let same = |given: &&Callback| given.t_ns == event.t_ns && given.kind == *kind;
            match given.iter().position(same) {
                Some(place) if given.remove(place).after < event.seq => {}
                Some(_) => return Err(at(event, "what caused it before it", "it after")),
                None => extra.push((*event, kind)),
            }
        }
        // A callback may be lost with its process.
        let returned = matches!(self.life.end, End::Returned(_));
        let end_ns = if returned { i64::MAX } else { self.life.end_ns() };
        let lacking = given.iter().find(|given| given.t_ns < end_ns);
        let shown = |given: &Callback| format!("{:?} at {} ns", given.kind, given.t_ns);
        match (extra.first(), lacking) {
            (None, None) => Ok(()),
            (Some((event, kind)), lacking) => {
                let mut got = lacking.map_or_else(|| "no such callback".into(), |it| shown(it));
                let same = self.life.callbacks.iter().find(|(other, same)| {
                    other.t_ns == event.t_ns && same == *kind && other.seq != event.seq
                });
                if let Some((same, _)) = same {
                    let _ = write!(got, " (seq {} says the same)", same.seq);
                }
                Err(at(event, format!("{kind:?} at {} ns", event.t_ns), got))
            }
            (None, Some(given)) => {
                let mut divergence = self.missing(given.t_ns, "none".into(), &shown(given));
                divergence.place = Place::AfterSeq(given.after);
                Err(divergence)
            }
        }
    }

    fn wait(&self) -> Wait {
        let start = self.last_end.unwrap_or(self.life.start.t_ns);
        let period = if self.last_end.is_some() { self.retry_period_ns } else { 0 };
        Wait { start_ns: start.into(), period }
    }

    /// A divergence at something that is not recorded.
    fn missing(&self, t_ns: i64, expected: String, got: &str) -> Divergence {
        let start = self.life.start;
        Divergence {
            place: Place::AfterSeq(self.driver.after),
            time_ns: t_ns,
            ..at(start, expected, got)
        }
    }
}

/// A candidate's wait for its next attempt: `JitterUntil` with factor 1.2.
struct Wait {
    start_ns: i128,
    /// 0 for the first attempt, which comes at once.
    period: i128,
}

impl Wait {
    fn allows(&self, t_ns: i64) -> bool {
        let random = i128::from(t_ns) - self.start_ns - self.period;
        random == 0 || random > 0 && 10 * random < 12 * self.period
    }

    /// Whether an attempt is overdue at this time.
    fn is_over(&self, t_ns: i64) -> bool {
        10 * (i128::from(t_ns) - self.start_ns) > 22 * self.period
    }
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.period == 0 {
            return write!(f, "the first attempt at {} ns", self.start_ns);
        }
        let (from, to) = (self.start_ns + self.period, self.start_ns + 22 * self.period / 10);
        write!(f, "an attempt from {from} ns until before {to} ns")
    }
}

/// What the elector is told of a call's end.
fn result(call: Call<'_>) -> Result<Result<Stored, Failure>, (String, String)> {
    Ok(match (call.outcome, &call.event.response) {
        (Outcome::Ok, Some(response)) => {
            Ok(compare::stored(response).map_err(|got| ("a Lease".to_owned(), got))?)
        }
        (Outcome::Conflict, _) => Err(Failure::Conflict),
        (Outcome::NotFound, _) => Err(Failure::NotFound),
        (Outcome::Exists, _) => Err(Failure::AlreadyExists),
        _ => Err(Failure::Other),
    })
}

/// What an elector knows before its first attempt.
fn blank() -> State {
    let observed_record = ObservedRecord {
        holder: String::new(),
        lease_duration_seconds: 0,
        acquire_time_ns: None,
        renew_time_ns: None,
        leader_transitions: 0,
    };
    State {
        observed_record,
        observed_time_ns: None,
        observed_raw_record: None,
        reported_leader: String::new(),
        is_leader: false,
    }
}
