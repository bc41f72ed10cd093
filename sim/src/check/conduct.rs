//! A strict elector does what it should with what it knows, also where it does no harm that it does not:
//! others see to it as well.
//!
//! - rule `knew-better`: a leader that has read, or was shown by a watch, that the lock is gone or names
//!   another went on.
//! - rule `needless`: a leader's authority ran out though nothing kept the leader from renewing: since its
//!   last success no call has failed, none was under way, and its process and clock ran.
//! - rule `revived`: authority came back, or began, without `StartedLeading`.
//! - rule `alike`: a candidate's waits between its attempts are all of one length, so that candidates
//!   which try at one time go on doing so.

use std::collections::VecDeque;

use tenure::election::{Cause, Failure, Profile};
use tenure::lock::Identity;

use super::replicas::{Names, Table};
use super::{Check, Violation};
use crate::scenario::Scenario;
use crate::time::{SimTime, Span};
use crate::trace::{Entry, Reply, Verb, What};

/// So many waits in a row are looked at.
const WAITS: u32 = 12;

/// How many of the last versions are remembered: many more than a watch is late by.
const REMEMBERED: usize = 64;

/// A strict elector does what it should with what it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conduct {
    names: Names,
    replicas: Table<Replica>,
    retry_periods: Vec<Span>,
    /// The holders of the last versions.
    versions: VecDeque<(u64, Identity)>,
    /// Who has learnt what should end it, and when.
    learnt: Vec<(u32, SimTime)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Replica {
    strict: bool,
    identity: Identity,
    believes: bool,
    until: Option<SimTime>,
    /// The call under way.
    call: Option<(u64, Verb)>,
    /// Something went wrong since its last success.
    hindered: bool,
    /// The latest version that it knows.
    known: u64,
    /// When its last attempt was answered, as a candidate's.
    answered: Option<SimTime>,
    waits: Waits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Waits {
    count: u32,
    shortest: Span,
    longest: Span,
}

impl Waits {
    fn add(&mut self, wait: Span) {
        let first = self.count == 0;
        self.count += 1;
        self.shortest = if first { wait } else { self.shortest.min(wait) };
        self.longest = self.longest.max(wait);
    }
}

impl Replica {
    /// It was told of the lock in time. Whether that should end a leader.
    fn hears(&mut self, reply: &Reply, verb: Verb) -> bool {
        let another = match reply {
            Reply::Is(snapshot) => {
                self.known = self.known.max(snapshot.version);
                let mine = snapshot.record.holder == self.identity;
                self.hindered &= !(mine && verb == Verb::Update);
                !mine
            }
            Reply::Gone => false,
            Reply::Failed(failure) => {
                self.hindered = true;
                *failure == Failure::NotFound
            }
        };
        another && verb == Verb::Get && self.believes && self.strict
    }
}

type Wrong = (&'static str, u32, String);

impl Conduct {
    /// For runs of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Self {
        let period = |own: Option<Span>| own.unwrap_or(scenario.retry_period);
        Self {
            names: Names::new(scenario),
            replicas: Table::new(scenario),
            retry_periods: scenario.replicas.iter().map(|it| period(it.retry_period)).collect(),
            versions: VecDeque::with_capacity(REMEMBERED),
            learnt: Vec::new(),
        }
    }

    /// Who has learnt what should end it before now, and goes on.
    fn goes_on(&mut self, at: SimTime) -> Option<Wrong> {
        let place = self.learnt.iter().position(|(_, since)| *since < at)?;
        let (replica, since) = self.learnt.swap_remove(place);
        self.replicas.of(replica).believes.then(|| {
            let name = self.names.of(replica);
            let what =
                format!("{name} knew from {since} on that it did not hold the lock, and led on");
            ("knew-better", replica, what)
        })
    }

    fn answered(&mut self, at: SimTime, replica: u32, request: u64, reply: &Reply) {
        let it = self.replicas.of(replica);
        let Some((_, verb)) = it.call.take_if(|(id, _)| *id == request) else { return };
        it.answered = Some(at).filter(|_| !it.believes);
        if it.hears(reply, verb) {
            self.learnt.push((replica, at));
        }
    }

    fn watched(&mut self, at: SimTime, replica: u32, version: u64) {
        let holder = self.versions.iter().find(|(known, _)| *known == version);
        let it = self.replicas.of(replica);
        it.waits = Waits::default();
        let another = holder.is_some_and(|(_, holder)| *holder != it.identity);
        if another && version > it.known && it.believes && it.strict {
            self.learnt.push((replica, at));
        }
        it.known = it.known.max(version);
    }

    fn sent(&mut self, at: SimTime, replica: u32, request: u64, verb: Verb) -> Option<Wrong> {
        let period = self.retry_periods.get(replica as usize).copied().unwrap_or_default();
        let it = self.replicas.of(replica);
        it.call = Some((request, verb));
        let since = it.answered.take()?;
        if it.believes || verb != Verb::Get || since == at {
            return None;
        }
        it.waits.add(at.saturating_since(since));
        if it.waits.count < WAITS {
            return None;
        }
        let Waits { shortest, longest, .. } = std::mem::take(&mut it.waits);
        let spread = longest.as_nanos() - shortest.as_nanos();
        let alike = it.strict && spread < period.as_nanos() / 100;
        alike.then(|| {
            let name = self.names.of(replica);
            let what = format!(
                "{name} waited {WAITS} times for {shortest} to {longest}: its waits are not drawn"
            );
            ("alike", replica, what)
        })
    }

    fn authority(&mut self, at: SimTime, replica: u32, until: Option<SimTime>) -> Option<Wrong> {
        let it = self.replicas.of(replica);
        let before = std::mem::replace(&mut it.until, until);
        let until = until.filter(|until| *until > at)?;
        let over = before.is_some_and(|before| before <= at);
        (it.strict && (over || !it.believes)).then(|| {
            let name = self.names.of(replica);
            let what =
                format!("{name} has authority until {until} again, and was not told that it leads");
            ("revived", replica, what)
        })
    }

    fn stopped(&mut self, replica: u32, cause: Cause) -> Option<Wrong> {
        let it = self.replicas.of(replica);
        let led = std::mem::replace(&mut it.believes, false);
        let needless =
            it.strict && led && cause == Cause::Expired && !it.hindered && it.call.is_none();
        needless.then(|| {
            let name = self.names.of(replica);
            let what =
                format!("the authority of {name} ran out, and nothing kept it from renewing it");
            ("needless", replica, what)
        })
    }

    fn wrong(&mut self, at: SimTime, what: &What) -> Option<Wrong> {
        match *what {
            What::Started { replica, ref identity, profile, .. } => {
                *self.replicas.of(replica) = Replica {
                    strict: profile == Profile::Strict,
                    identity: identity.clone(),
                    ..Replica::default()
                };
            }
            What::Ended { replica, .. } => *self.replicas.of(replica) = Replica::default(),
            What::Paused { replica } | What::Clock { replica, .. } => {
                let it = self.replicas.of(replica);
                (it.hindered, it.waits, it.answered) = (true, Waits::default(), None);
            }
            What::Sent { replica, request, verb, .. } => {
                return self.sent(at, replica, request, verb);
            }
            What::Applied { reply: Reply::Is(ref snapshot), verb, .. } if verb != Verb::Get => {
                if self.versions.len() == REMEMBERED {
                    self.versions.pop_front();
                }
                self.versions.push_back((snapshot.version, snapshot.record.holder.clone()));
            }
            What::Answered { replica, request, ref reply, late: false } => {
                self.answered(at, replica, request, reply);
            }
            What::GivenUp { replica, .. } => {
                let it = self.replicas.of(replica);
                (it.hindered, it.call) = (true, None);
            }
            What::Watched { replica, version: Some(version), .. } => {
                self.watched(at, replica, version);
            }
            What::StartedLeading { replica, .. } => {
                let it = self.replicas.of(replica);
                (it.believes, it.until, it.hindered) = (true, None, false);
            }
            What::StoppedLeading { replica, cause, .. } => return self.stopped(replica, cause),
            What::Authority { replica, until } => return self.authority(at, replica, until),
            _ => {}
        }
        None
    }
}

impl Check for Conduct {
    fn name(&self) -> &'static str {
        "conduct"
    }

    fn observe(&mut self, entry: &Entry, found: &mut Vec<Violation>) {
        if !self.learnt.is_empty()
            && let Some(late) = self.goes_on(entry.at)
        {
            tell(entry, late, found);
        }
        if let Some(wrong) = self.wrong(entry.at, &entry.what) {
            tell(entry, wrong, found);
        }
    }
}

#[cold]
fn tell(entry: &Entry, (rule, replica, what): Wrong, found: &mut Vec<Violation>) {
    found.push(Violation {
        check: "conduct".to_owned(),
        rule: rule.to_owned(),
        at: entry.at,
        seq: entry.seq,
        replicas: vec![replica],
        what,
    });
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, found, lock};
    use super::*;

    fn check(story: &Story) -> Vec<String> {
        found(&story.check(&mut Conduct::new(&Scenario::default())))
    }

    /// `r0` leads until 10 s.
    fn leader() -> Story {
        let story = Story::new().started(0, "strict").leads_with(0, 1);
        story.authority(0, Some("10s"))
    }

    #[test]
    fn a_leader_that_knows_better_stops() {
        for (holder, wrong) in [("r0", false), ("r1", true), ("", true)] {
            let story = leader().at("2s").sent(0, 1, Verb::Get, None).at("3s");
            let story = story.answered(0, 1, Reply::Is(lock(2, holder, 0, 0, 1)), false);
            let stops = story.clone().preempted(0).authority(0, None).at("4s").horizon();
            assert_eq!(check(&stops), [""; 0], "{holder}");
            let all: &[&str] = if wrong { &["conduct/knew-better at 4.000s of [0]"] } else { &[] };
            assert_eq!(check(&story.at("4s").horizon()), all, "{holder}");
        }
        let story = leader().at("2s").sent(0, 1, Verb::Get, None).at("3s");
        let story = story.answered(0, 1, Reply::Failed(Failure::NotFound), false);
        assert_eq!(check(&story.at("4s").horizon()), ["conduct/knew-better at 4.000s of [0]"]);
    }

    #[test]
    fn so_does_one_that_is_shown_it_unless_that_is_old() {
        let (mine, other) = (lock(2, "r0", 0, 0, 1), lock(3, "r1", 0, 0, 2));
        let taken = leader().at("2s").applied(1, 0, Verb::Update, Some(&mine), &other);
        let shown = taken.clone().watched(0, 3).at("4s").horizon();
        assert_eq!(check(&shown), ["conduct/knew-better at 4.000s of [0]"]);
        let back = lock(4, "r0", 0, 0, 3);
        let known = taken.sent(0, 1, Verb::Get, None).answered(0, 1, Reply::Is(back), false);
        assert_eq!(check(&known.watched(0, 3).at("4s").horizon()), [""; 0]);
    }

    #[test]
    fn authority_runs_out_for_a_reason() {
        let out = |story: Story| check(&story.at("10s").stops_leading(0).authority(0, None));
        let needless = ["conduct/needless at 10.000s of [0]"];
        assert_eq!(out(leader()), needless);
        let sent = leader().at("2s").sent(0, 1, Verb::Update, Some(1)).at("3s");
        assert_eq!(out(sent.clone()), [""; 0]);
        assert_eq!(out(sent.clone().given_up(0, 1)), [""; 0]);
        let conflict = sent.clone().answered(0, 1, Reply::Failed(Failure::Conflict), false);
        assert_eq!(out(conflict), [""; 0]);
        assert_eq!(out(sent.answered(0, 1, Reply::Is(lock(2, "r0", 0, 2, 1)), false)), needless);
        assert_eq!(out(leader().paused(0).resumed(0)), [""; 0]);
    }

    #[test]
    fn what_has_ended_comes_back_only_with_a_beginning() {
        let late = leader().at("11s").authority(0, Some("12s"));
        assert_eq!(check(&late), ["conduct/revived at 11.000s of [0]"]);
        assert_eq!(check(&leader().at("9s").authority(0, Some("12s"))), [""; 0]);
        let anew = leader().at("11s").stops_leading(0).authority(0, None).leads(0);
        // That it ran out is for another rule.
        let anew = anew.authority(0, Some("20s"));
        assert_eq!(check(&anew), ["conduct/needless at 11.000s of [0]"]);
    }

    #[test]
    fn waits_differ() {
        let waits = |wait: &dyn Fn(u32) -> u32| {
            let mut story = Story::new().started(0, "strict");
            let mut at = 0;
            for request in 0..20 {
                story = story.sent(0, request.into(), Verb::Get, None);
                at += 10;
                let reply = Reply::Is(lock(2, "r1", 0, 0, 1));
                story = story.at(&format!("{at}ms")).answered(0, request.into(), reply, false);
                at += wait(request);
                story = story.at(&format!("{at}ms"));
            }
            check(&story)
        };
        assert_eq!(waits(&|_| 2_000), ["conduct/alike at 24.120s of [0]"]);
        assert_eq!(waits(&|request| 2_000 + request % 2 * 100), [""; 0]);
    }
}
