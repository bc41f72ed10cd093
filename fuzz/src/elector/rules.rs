//! What must hold of one elector, as far as its driver can see.

use core::time::Duration;
use std::collections::BTreeSet;

use tenure::election::{
    Cause, Config, Elector, Event, Missing, Op, Profile, Request, RequestId, Stored,
};
use tenure::lock::{Identity, Object, Record, UNKNOWN_HOLDER, Version};
use tenure::time::Instant;

use super::world::{UNCLAIMED, preferred};

/// What happened in a run, to show that the property is not vacuous.
pub(super) type Marks = BTreeSet<&'static str>;

/// Something that the elector was told of an object.
#[derive(Debug)]
struct Told {
    /// `None` if a watch showed it: which object that is, is for the elector to find out.
    part: Option<usize>,
    stored: Stored,
    at: Instant,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub(super) struct Rules {
    config: Config,
    me: Identity,
    pub(super) strict: bool,
    told: Vec<Told>,
    last_id: Option<RequestId>,
    /// When the last write of each object that succeeded was sent.
    granted: [Option<Instant>; 2],
    /// Between the events.
    leads: bool,
    /// From `StartedLeading` until the driver has said that the work has stopped.
    works: bool,
    /// Since the last success.
    warned: bool,
    pub(super) stop_called: bool,
    stopped_events: u32,
    pub(super) finished: bool,
    /// What the term that is being begun will show.
    taking: Marks,
    pub(super) marks: Marks,
}

impl Rules {
    pub(super) fn new(elector: &Elector) -> Self {
        let config = elector.config().clone();
        Self {
            strict: config.profile == Profile::Strict,
            config,
            me: elector.identity().clone(),
            told: Vec::new(),
            last_id: None,
            granted: [None; 2],
            leads: false,
            works: false,
            warned: false,
            stop_called: false,
            stopped_events: 0,
            finished: false,
            taking: Marks::new(),
            marks: Marks::new(),
        }
    }

    /// A watch shows something.
    pub(super) fn shown(&mut self, stored: &Stored, at: Instant) {
        self.told.push(Told { part: None, stored: stored.clone(), at });
    }

    /// The outstanding request is answered in time.
    pub(super) fn answered(
        &mut self,
        (request, sent): &(Request, Instant),
        part: usize,
        stored: &Stored,
        at: Instant,
    ) {
        self.told.push(Told { part: Some(part), stored: stored.clone(), at });
        if let Op::Update(object, _) | Op::Create(object) = &request.op {
            self.granted[part] = Some(*sent);
            self.warned = false;
            if self.own(object).holder.is_empty() && *object == stored.object {
                let handed = !preferred(object).is_empty();
                self.marks.insert(if handed { "handed over" } else { "released" });
            }
        }
    }

    /// The work asks for its authority, too: it may stop before the event.
    pub(super) fn work_stopped(&mut self, leading: bool) {
        self.works &= leading;
    }

    pub(super) fn event(&mut self, event: &Event, elector: &Elector, now: Instant) {
        match event {
            Event::StartedLeading { token } => {
                assert!(!self.leads, "started twice");
                assert!(!self.strict || !self.works, "started beside old work");
                assert!(!self.strict || *token == elector.fencing_token() || token.is_none());
                assert!(self.strict || self.stopped_events == 0, "started after the end");
                self.leads = true;
                self.works = true;
                self.warned = false;
                self.marks.insert("led");
                self.marks.append(&mut self.taking);
            }
            Event::StoppedLeading { cause } => {
                self.stopped_events += 1;
                if self.strict {
                    assert!(self.leads, "stopped without having started");
                } else {
                    assert_eq!(self.stopped_events, 1, "stopped twice");
                    assert!(elector.is_finished(), "stopped before the end");
                }
                if self.leads {
                    self.marks.insert(self.ending(*cause));
                }
                self.leads = false;
            }
            Event::NewLeader { .. } => {}
            Event::ForeignWrite { .. } => {
                assert!(self.strict, "client-go does not look");
                self.marks.insert("foreign write");
            }
            Event::Endangered { until } => {
                assert!(self.strict && self.leads, "in danger without leading");
                assert!(!self.warned, "warned twice");
                let before = self.config.warn_before.expect("a warning that nobody asked for");
                assert!(now < *until && until.saturating_since(now) <= before, "warned early");
                self.warned = true;
                self.marks.insert("endangered");
            }
        }
    }

    fn ending(&self, cause: Cause) -> &'static str {
        match cause {
            Cause::Stopped => "stopped",
            Cause::HandedOver => "hands over",
            _ if !self.strict => "client-go lost",
            Cause::Expired => "expired",
            Cause::Preempted => "preempted",
            Cause::Deleted => "deleted",
        }
    }

    pub(super) fn request(&mut self, request: &Request, part: usize, now: Instant) {
        assert!(self.last_id.is_none_or(|last| last < request.id), "ids must rise");
        self.last_id = Some(request.id);
        if self.strict {
            assert!(request.deadline.is_some_and(|deadline| deadline > now), "not worth sending");
        }
        match &request.op {
            Op::Get if part == 0 => self.taking.clear(),
            Op::Create(object) if self.strict => {
                let by = self.own(object).holder;
                let founds = self.config.missing == Missing::NewGroup && !self.works;
                assert!(by.as_str() == UNCLAIMED || founds && by == self.me, "created: {object:?}");
            }
            Op::Get | Op::Create(_) => {}
            Op::Update(object, version) => self.update(object, version, part, now),
        }
    }

    fn update(&mut self, object: &Object, version: &Version, part: usize, now: Instant) {
        let known: Vec<&Told> = self
            .told
            .iter()
            .filter(|told| told.of(part) && told.stored.version == *version)
            .collect();
        // Up to 1.26 client-go writes over an object that it has lost.
        let nothing = !self.strict && *version == Version::opaque("");
        assert!(!known.is_empty() || nothing, "over a version that it was never told: {version:?}");
        let Some(first) = known.first() else { return };
        if known.iter().any(|told| told.stored.object != first.stored.object) {
            return; // the store lied: two objects of one version
        }
        let (before, record) = (read(&first.stored.object), self.own(object));
        if record.holder == self.me && before.holder != self.me {
            let unclaimed = before.holder.as_str() == UNCLAIMED;
            if !before.holder.is_empty() && !unclaimed {
                self.taking.insert("takeover");
                self.taking.extend((part > 0).then_some("secondary takeover"));
                let shown = known.iter().all(|told| told.part.is_none());
                self.taking.extend(shown.then_some("watch-driven takeover"));
            }
            let hold = self.hold(&first.stored.object, &before);
            let waited = now.saturating_since(first.at);
            assert!(!self.strict || waited >= hold, "taken after {waited:?}, not {hold:?}");
            assert!(!self.strict || !self.works, "taken beside old work");
        }
        if self.strict && record.holder.is_empty() {
            assert!(!self.works, "released under work");
            assert_eq!(before.holder, self.me, "released what is not its own");
        } else if self.strict && record.holder != self.me {
            assert!(self.config.preferred, "wrote another's record");
            assert_eq!(record, before, "changed another's record");
            assert_eq!(preferred(object), self.me.as_str(), "wished for somebody else");
            assert_eq!(preferred(&first.stored.object), "", "wished over a wish");
            self.marks.insert("wished");
        }
    }

    /// What it writes itself. client-go also writes years of five digits, which nobody can read.
    fn own(&self, object: &Object) -> Record {
        let record = object.record();
        assert!(!self.strict || record.is_ok(), "wrote what cannot be read: {object:?}");
        record.unwrap_or_else(|_| read(object))
    }

    /// How long a strict candidate must have seen it unchanged before it takes it.
    fn hold(&self, object: &Object, record: &Record) -> Duration {
        let own = self.config.lease_duration.as_millis().div_ceil(1_000);
        let seconds = u64::try_from(record.lease_duration_seconds).ok().filter(|it| *it > 0);
        let lasts = seconds.unwrap_or(u64::try_from(own).expect("checked"));
        let lasts = Duration::from_secs(lasts);
        match record.holder.as_str() {
            "" if ["", self.me.as_str()].contains(&preferred(object)) => Duration::ZERO,
            "" | UNCLAIMED => lasts,
            _ => lasts + self.config.lock_delay,
        }
    }

    /// After everything was fetched.
    pub(super) fn settled(&mut self, elector: &Elector, now: Instant, awaits: bool) {
        let leading = elector.leading_until();
        assert_eq!(elector.is_leading(now), leading.is_some_and(|until| now < until));
        let _ = elector.check_health(now, Duration::ZERO);
        if self.strict {
            assert!(self.leads || leading.is_none(), "authority that no event announced");
            assert!(self.leads || elector.fencing_token().is_none());
            let objects = 1 + usize::from(self.config.secondary.is_some());
            for granted in &self.granted[..objects] {
                let bound = granted.map(|sent| sent + self.config.renew_deadline);
                assert!(leading.is_none() || leading <= bound, "more than was granted");
            }
            let due = elector.poll_timeout();
            let noticed = |until| due.is_some_and(|due| due <= until);
            assert!(leading.is_none_or(noticed), "nobody would notice the end");
        }
        let drains = self.strict && self.stop_called;
        let waits = elector.poll_timeout().is_some() || awaits;
        assert!(waits || drains || elector.is_finished(), "asleep for ever");
        self.finish(elector);
    }

    fn finish(&mut self, elector: &Elector) {
        if !elector.is_finished() {
            assert!(!self.finished, "an end that is none");
            return;
        }
        assert!(!self.leads, "ended without a word");
        assert!(self.strict || self.stopped_events == 1, "no word of the end");
        assert!(!self.strict || self.stop_called, "a strict elector ends when it is asked to");
        assert_eq!(elector.poll_timeout(), None, "something is due after the end");
        self.finished = true;
        self.marks.insert("finished");
    }
}

impl Told {
    fn of(&self, part: usize) -> bool {
        self.part.is_none_or(|own| own == part)
    }
}

/// The record as a strict elector reads it.
fn read(object: &Object) -> Record {
    let unknown = || Record { holder: UNKNOWN_HOLDER.into(), ..Record::default() };
    object.record().unwrap_or_else(|_| unknown())
}
