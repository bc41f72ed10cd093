//! Where those concerned stood when a violation showed, and what each knew: the values of its terms.

use core::fmt::Write as _;

use super::lanes::short;
use super::{percent, wrapped};
use crate::check::Violation;
use crate::check::replicas::Names;
use crate::clock::RIGHT;
use crate::scenario::Scenario;
use crate::sharding::{Scenario as Group, trace as sharded};
use crate::time::SimTime;
use crate::trace::{Entry, Reply, Verb, What};

/// A replica that takes part in an election, as the trace shows it.
#[derive(Debug, Default)]
struct Stand {
    alive: bool,
    paused: Option<SimTime>,
    rate: Option<u64>,
    believes: Option<(SimTime, Option<u64>)>,
    /// Until when it may act.
    until: Option<SimTime>,
    /// The call under way, and when it was sent.
    sent: Option<(u64, SimTime)>,
    wrote: Option<Wrote>,
    /// What it read or was shown last: a version, whose lock it was then, when that was.
    saw: Option<(u64, String, SimTime)>,
}

/// Its last write that took effect.
#[derive(Debug)]
struct Wrote {
    request: Option<u64>,
    version: u64,
    sent: SimTime,
    applied: SimTime,
    answered: Option<(SimTime, bool)>,
}

/// A line for each replica concerned.
pub(super) fn election(scenario: &Scenario, entries: &[Entry], violation: &Violation) -> String {
    let names = Names::new(scenario);
    let mut text = String::new();
    for replica in once_each(violation) {
        let mut stand = Stand::default();
        let before = entries.iter().take_while(|entry| entry.seq <= violation.seq);
        before.filter(|it| it.what.replica() == Some(replica)).for_each(|it| stand.take_in(it));
        let told = stand.told(violation.at);
        text.push_str(&wrapped(&told, &format!("  {}: ", names.of(replica))));
    }
    text
}

/// The replicas concerned; one that is at odds with itself stands there twice.
fn once_each(violation: &Violation) -> Vec<u32> {
    let mut replicas = Vec::new();
    for replica in &violation.replicas {
        if !replicas.contains(replica) {
            replicas.push(*replica);
        }
    }
    replicas
}

impl Stand {
    fn take_in(&mut self, entry: &Entry) {
        let at = entry.at;
        match &entry.what {
            What::Started { rate_ppb, .. } => {
                *self = Self { alive: true, rate: Some(*rate_ppb), ..Self::default() };
            }
            What::Ended { .. } => *self = Self { rate: self.rate, ..Self::default() },
            What::Paused { .. } => self.paused = Some(at),
            What::Resumed { .. } => self.paused = None,
            What::Clock { rate_ppb, .. } => self.rate = Some(*rate_ppb),
            What::StartedLeading { token, .. } => self.believes = Some((at, *token)),
            What::StoppedLeading { .. } => self.believes = None,
            What::Authority { until, .. } => self.until = *until,
            What::Sent { request, .. } => self.sent = Some((*request, at)),
            What::Applied { verb, reply: Reply::Is(now), request, .. } => {
                let holder = now.record.holder.to_string();
                if *verb == Verb::Get {
                    self.saw = Some((now.version, holder, at));
                } else {
                    let sent = self.sent.filter(|sent| Some(sent.0) == *request);
                    let sent = sent.map_or(at, |(_, sent)| sent);
                    let (request, version) = (*request, now.version);
                    self.wrote =
                        Some(Wrote { request, version, sent, applied: at, answered: None });
                }
            }
            What::Answered { request, late, .. } => {
                let wrote = self.wrote.as_mut().filter(|wrote| wrote.request == Some(*request));
                if let Some(wrote) = wrote {
                    wrote.answered = Some((at, *late));
                }
            }
            _ => {}
        }
    }

    fn told(&self, now: SimTime) -> String {
        let mut text = match (self.alive, &self.paused) {
            (false, _) => "is down".to_owned(),
            (true, Some(since)) => format!("stands still since {}", short(*since)),
            (true, None) => "runs".to_owned(),
        };
        match self.believes {
            Some((since, token)) => {
                let token = token.map_or_else(String::new, |token| format!(" (token {token})"));
                let _ = write!(text, ", believes to lead since {}{token}", short(since));
            }
            None => text.push_str(", does not believe to lead"),
        }
        match self.until {
            Some(until) if endless(until) => text.push_str(", may act without end"),
            Some(until) if until > now => {
                let _ = write!(text, ", may act until {}", short(until));
            }
            Some(until) => {
                let _ = write!(text, ", might act until {}", short(until));
            }
            None => text.push_str(", may not act"),
        }
        if let Some(Wrote { version, sent, applied, answered, .. }) = &self.wrote {
            let _ = write!(text, "; last wrote v{version}, sent {}", short(*sent));
            let _ = write!(text, ", in the store {}", short(*applied));
            let _ = match answered {
                Some((at, true)) => write!(text, ", answered {}, too late", short(*at)),
                Some((at, false)) => write!(text, ", answered {}", short(*at)),
                None => write!(text, ", not answered"),
            };
        }
        if let Some((version, holder, at)) = &self.saw {
            let whose = if holder.is_empty() { "nobody's" } else { holder };
            let _ = write!(text, "; last read v{version} ({whose}) as of {}", short(*at));
        }
        clock(&mut text, self.rate);
        text
    }
}

/// Whether that is for ever, seen through a clock that runs wrong.
const fn endless(until: SimTime) -> bool {
    until.as_nanos() > u64::MAX / 2
}

fn clock(text: &mut String, rate: Option<u64>) {
    if let Some(rate) = rate.filter(|rate| *rate != RIGHT) {
        let _ = write!(text, "; clock at {}", percent(rate));
    }
}

/// A member of a sharded group, as the trace shows it.
#[derive(Debug, Default)]
struct Member {
    alive: bool,
    paused: Option<SimTime>,
    rate: Option<u64>,
    /// The slot in question is claimed since then.
    claims: Option<SimTime>,
    token: Option<u64>,
    /// Until when claims hold, as of when it knows the store, when its last renewal took effect.
    until: Option<(Option<SimTime>, SimTime, SimTime)>,
    /// What its record says: state, version, when that was written.
    record: Option<(String, u64, SimTime)>,
}

/// A line for each replica concerned.
pub(super) fn sharded(
    scenario: &Group,
    entries: &[sharded::Entry],
    violation: &Violation,
) -> String {
    let slot = super::sharded::slot_of(&violation.what);
    let mut text = String::new();
    for replica in once_each(violation) {
        let name = super::sharded::name(scenario, replica);
        let mut member = Member::default();
        for entry in entries.iter().take_while(|entry| entry.seq <= violation.seq) {
            member.take_in(entry, replica, &name, slot);
        }
        let told = member.told(violation.at, slot);
        text.push_str(&wrapped(&told, &format!("  {name}: ")));
    }
    text
}

impl Member {
    fn take_in(&mut self, entry: &sharded::Entry, mine: u32, name: &str, slot: Option<u32>) {
        use sharded::What;
        let at = entry.at;
        if let What::Committed { name: object, version, now, .. } = &entry.what {
            if object.strip_prefix("member/") == Some(name) {
                self.record = now.as_ref().map(|now| (now.state.clone(), *version, at));
            }
            return;
        }
        if entry.what.replica() != Some(mine) {
            return;
        }
        let about = |slots: &sharded::Set| slots.0.iter().any(|it| slot == Some(it.index()));
        match &entry.what {
            What::Started { rate_ppb, .. } => {
                let record = self.record.take();
                *self = Self { alive: true, rate: Some(*rate_ppb), record, ..Self::default() };
            }
            What::Ended { .. } => {
                let record = self.record.take();
                *self = Self { rate: self.rate, record, ..Self::default() };
            }
            What::Paused { .. } => self.paused = Some(at),
            What::Resumed { .. } => self.paused = None,
            What::Clock { rate_ppb, .. } => self.rate = Some(*rate_ppb),
            What::Gained { slots, .. } if about(slots) => self.claims = Some(at),
            What::Lost { slots, .. } if about(slots) => self.claims = None,
            What::Until { until, learnt, renewed, .. } => {
                self.until = Some((*until, *learnt, *renewed));
            }
            What::Ends { slots, until, .. } if slot.is_some() && about(slots) => {
                let (_, learnt, renewed) = self.until.unwrap_or_default();
                self.until = Some((Some(*until), learnt, renewed));
            }
            What::Began { slot: on, token, .. } if slot == Some(*on) => self.token = Some(*token),
            _ => {}
        }
    }

    fn told(&self, now: SimTime, slot: Option<u32>) -> String {
        let mut text = match (self.alive, &self.paused) {
            (false, _) => "is down".to_owned(),
            (true, Some(since)) => format!("stands still since {}", short(*since)),
            (true, None) => "runs".to_owned(),
        };
        if let Some(slot) = slot {
            let _ = match self.claims {
                Some(since) => write!(text, ", claims slot {slot} since {}", short(since)),
                None => write!(text, ", does not claim slot {slot}"),
            };
        }
        if let Some(token) = self.token {
            let _ = write!(text, " (worked with token {token})");
        }
        if let Some((until, learnt, renewed)) = self.until {
            let _ = match until {
                None => write!(text, ", may act without end"),
                Some(until) if endless(until) => write!(text, ", may act without end"),
                Some(until) if until > now => write!(text, ", may act until {}", short(until)),
                Some(until) => write!(text, ", might act until {}", short(until)),
            };
            let _ = write!(text, "; knows the store as of {}", short(learnt));
            let _ = write!(text, ", last renewal known of {}", short(renewed));
        }
        if let Some((state, version, at)) = &self.record {
            let _ = write!(text, "; its record: {state}, v{version} of {}", short(*at));
        }
        clock(&mut text, self.rate);
        text
    }
}
