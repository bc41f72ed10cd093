//! Two rules: a right one, as short as it can be, and one with a mistake.

use core::time::Duration;

use tenure::election::Failure;
use tenure::lock::{Identity, Record};
use tenure::time::{Instant, Now, Timestamp};
use tenure_sim::rule::{Call, Input, Newcomer, Rule, Seen};

/// A record is over when it has stood for its duration on the own monotonic clock, and authority ends the
/// renew deadline after a renewal was sent.
#[derive(Debug)]
pub(crate) struct Local {
    me: Identity,
    lease: Duration,
    deadline: Duration,
    retry: Duration,
    call: Option<Call>,
    writes: bool,
    sent: Instant,
    seen: Option<(Seen, Instant)>,
    until: Option<Instant>,
}

impl From<&Newcomer<'_>> for Local {
    fn from(newcomer: &Newcomer<'_>) -> Self {
        Self {
            me: newcomer.holder.clone(),
            lease: newcomer.config.lease_duration,
            deadline: newcomer.config.renew_deadline,
            retry: newcomer.config.retry_period,
            call: None,
            writes: false,
            sent: Instant::from_nanos(0),
            seen: None,
            until: None,
        }
    }
}

impl Local {
    fn ask(&mut self, now: Now, call: Call) {
        (self.writes, self.sent, self.call) = (call != Call::Read, now.instant, Some(call));
    }

    fn record(&self, now: Now, old: Option<&Record>) -> Record {
        let same = old.filter(|old| old.holder == self.me);
        Record {
            holder: self.me.clone(),
            renew_time: Some(now.timestamp),
            acquire_time: same.map_or(Some(now.timestamp), |old| old.acquire_time),
            lease_duration_seconds: i64::try_from(self.lease.as_millis().div_ceil(1_000)).unwrap(),
            leader_transitions: old.map_or(0, |old| old.leader_transitions)
                + i64::from(old.is_some() && same.is_none()),
            ..Record::default()
        }
    }

    fn look(&mut self, now: Now, seen: Seen) {
        if self.seen.as_ref().is_none_or(|(known, _)| known.version != seen.version) {
            self.seen = Some((seen, now.instant));
        }
        let Some((Seen { record, version }, since)) = self.seen.clone() else { return };
        let lasts = Duration::from_secs(record.lease_duration_seconds.unsigned_abs());
        let free = record.holder.is_empty() || record.holder == self.me;
        if free || now.instant.saturating_since(since) > lasts {
            let mine = self.record(now, Some(&record));
            self.ask(now, Call::Update(mine, version));
        }
    }
}

impl Rule for Local {
    fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Timeout => self.ask(now, Call::Read),
            Input::Answer(Ok(seen)) if self.writes => {
                // A renewal by a wall clock that stands still changes nothing, and nobody sees it.
                if self.seen.as_ref().is_none_or(|it| it.0.version != seen.version) {
                    self.until = Some(self.sent + self.deadline);
                }
                self.seen = Some((seen, now.instant));
            }
            Input::Answer(Ok(seen)) => self.look(now, seen),
            Input::Answer(Err(Failure::NotFound)) if !self.writes => {
                let mine = self.record(now, None);
                self.ask(now, Call::Create(mine));
            }
            Input::Answer(Err(_)) | Input::Watched(_) | Input::Stop => {}
        }
    }

    fn poll_call(&mut self) -> Option<Call> {
        self.call.take()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.sent + self.retry)
    }

    fn leading_until(&self) -> Option<Instant> {
        self.until
    }
}

/// The same but for one thing: when the lease is over it asks the wall clock of whoever wrote it.
#[derive(Debug)]
pub(crate) struct RemoteClock(Local);

impl From<&Newcomer<'_>> for RemoteClock {
    fn from(newcomer: &Newcomer<'_>) -> Self {
        Self(newcomer.into())
    }
}

impl Rule for RemoteClock {
    fn handle(&mut self, now: Now, input: Input) {
        let rule = &mut self.0;
        if let Input::Answer(Ok(Seen { record, version })) = &input
            && !rule.writes
        {
            let renewed = record.renew_time.map_or(0, Timestamp::unix_nanos);
            let lasts = i128::from(record.lease_duration_seconds) * 1_000_000_000;
            if now.timestamp.unix_nanos() - renewed > lasts {
                let mine = rule.record(now, Some(record));
                rule.ask(now, Call::Update(mine, version.clone()));
                return;
            }
        }
        rule.handle(now, input);
    }

    fn poll_call(&mut self) -> Option<Call> {
        self.0.poll_call()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn leading_until(&self) -> Option<Instant> {
        self.0.leading_until()
    }
}
