//! client-go's leader election, as far as peers use it for leases of their own: Source:
//! `tools/leaderelection/leaderelection.go` of client-go (`acquire`, `renew`, `tryAcquireOrRenew`,
//! `release`). A candidate polls: retry period times 1 to 2.2 (`JitterFactor` 1.2) between two tries. A
//! lease has run out a lease duration after this candidate *saw* it change, by its own monotonic clock.

use std::sync::Arc;

use tenure::election::Failure;
use tenure::time::{Instant, Now};

use super::io::{Io, Tag, wall};
use super::stored::{Lease, Stored};
use crate::sharding::system::{Held, Op, Reply};
use crate::time::Span;

/// What calls and timers of an elector are tagged with.
pub(super) const GET: u8 = 101;
pub(super) const PUT: u8 = 102;
pub(super) const RETRY: u8 = 103;
const RELEASE: u8 = 104;

/// Lease duration, renew deadline, retry period.
pub(super) type Times = (Span, Span, Span);

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Nothing,
    Leader,
    /// It has not renewed for the renew deadline, or somebody else holds it.
    Lost,
    /// The lease is free, or could not be freed.
    Released,
}

/// One elector.
#[derive(Debug)]
pub(super) struct Elector {
    lease: Arc<str>,
    id: Arc<str>,
    times: Times,
    number: u32,
    /// The version seen last, and since when.
    seen: Option<(u64, Instant)>,
    /// When it was renewed last.
    renewed: Option<Instant>,
    releasing: bool,
}

impl Elector {
    /// Tries at once.
    pub(super) fn new(
        lease: Arc<str>,
        id: Arc<str>,
        times: Times,
        number: u32,
        now: Now,
        io: &mut Io,
    ) -> Self {
        let it = Self { lease, id, times, number, seen: None, renewed: None, releasing: false };
        it.attempt(now, io);
        it
    }

    pub(super) const fn leads(&self) -> bool {
        self.renewed.is_some()
    }

    pub(super) const fn is_releasing(&self) -> bool {
        self.releasing
    }

    const fn tag(&self, kind: u8) -> Tag {
        (kind, self.number)
    }

    fn attempt(&self, now: Now, io: &mut Io) {
        match (self.renewed, self.seen) {
            // A leader's lease that has not run out is renewed without looking at it.
            (Some(_), Some((version, _))) => self.put(now, Some(version), io),
            _ => io.call(now, self.tag(GET), Op::Get(Arc::clone(&self.lease)), self.limit(now)),
        }
    }

    /// A leader's calls end with its renew deadline.
    fn limit(&self, now: Now) -> Span {
        let (_, deadline, _) = self.times;
        let Some(renewed) = self.renewed else { return deadline };
        let gone = now.instant.saturating_since(renewed).as_nanos();
        let gone = u64::try_from(gone).unwrap_or(u64::MAX);
        Span::from_nanos(deadline.as_nanos().saturating_sub(gone).max(1))
    }

    fn put(&self, now: Now, version: Option<u64>, io: &mut Io) {
        let lease = Lease {
            holder: Arc::clone(&self.id),
            renewed: wall(now),
            duration: self.times.0,
            counter: 0,
        };
        let (name, lease) = (Arc::clone(&self.lease), Stored::Lease(lease));
        let op = match version {
            Some(version) => Op::Update(name, lease, version),
            None => Op::Create(name, lease),
        };
        io.call(now, self.tag(PUT), op, self.limit(now));
    }

    /// Gives the lease back, before anything else: `renew` releases before `OnStoppedLeading` is called.
    pub(super) fn release(&mut self, now: Now, io: &mut Io) -> Became {
        io.cancel(self.tag(RETRY));
        self.releasing = true;
        let Some((version, _)) = self.seen.filter(|_| self.leads()) else {
            return Became::Released;
        };
        let lease = Lease { renewed: wall(now), duration: Span::from_secs(1), ..Lease::default() };
        let op = Op::Update(Arc::clone(&self.lease), Stored::Lease(lease), version);
        io.call(now, self.tag(RELEASE), op, self.limit(now));
        Became::Nothing
    }

    fn again(&self, now: Now, io: &mut Io) {
        let retry = self.times.2.as_nanos();
        let jitter = if self.leads() { 0 } else { io.stream.below(retry / 10 * 12) };
        io.after(now, self.tag(RETRY), Span::from_nanos(retry + jitter));
    }

    /// The renew deadline has passed since the last renewal.
    fn is_late(&self, now: Now) -> bool {
        let gone = self.renewed.map(|renewed| now.instant.saturating_since(renewed));
        gone.is_some_and(|gone| gone >= self.times.1.as_duration())
    }

    pub(super) fn timer(&mut self, now: Now, io: &mut Io) -> Became {
        if self.is_late(now) {
            return self.lose(now, io);
        }
        self.attempt(now, io);
        Became::Nothing
    }

    /// It starts anew, as whoever runs it does.
    fn lose(&mut self, now: Now, io: &mut Io) -> Became {
        (self.renewed, self.seen) = (None, None);
        self.again(now, io);
        Became::Lost
    }

    pub(super) fn answer(
        &mut self,
        now: Now,
        kind: u8,
        result: Result<Reply<Stored>, Failure>,
        io: &mut Io,
    ) -> Became {
        if self.releasing {
            let over = kind == RELEASE;
            return if over { Became::Released } else { Became::Nothing };
        }
        match result {
            Ok(Reply::Stored(held)) if kind == PUT => {
                let first = !self.leads();
                self.seen = Some((held.version, now.instant));
                self.renewed = Some(now.instant);
                self.again(now, io);
                return if first { Became::Leader } else { Became::Nothing };
            }
            Ok(Reply::Stored(held)) => return self.found(now, &held, io),
            Err(Failure::NotFound) if kind == GET => {
                self.put(now, None, io);
                return Became::Nothing;
            }
            // Next time it looks at the lease again.
            Err(_) if kind == PUT && !self.is_late(now) => self.seen = None,
            _ => {}
        }
        if self.is_late(now) {
            return self.lose(now, io);
        }
        self.again(now, io);
        Became::Nothing
    }

    /// So the lease is now.
    fn found(&mut self, now: Now, held: &Held<Stored>, io: &mut Io) -> Became {
        let Stored::Lease(lease) = &held.value else { return Became::Nothing };
        if self.seen.is_none_or(|(version, _)| version != held.version) {
            self.seen = Some((held.version, now.instant));
        }
        let own = lease.holder == self.id;
        let since = self.seen.map_or(now.instant, |(_, since)| since);
        let over = now.instant.saturating_since(since) > lease.duration.as_duration();
        if own || lease.holder.is_empty() || over {
            self.put(now, Some(held.version), io);
            return Became::Nothing;
        }
        if self.leads() {
            return self.lose(now, io);
        }
        self.again(now, io);
        Became::Nothing
    }
}
