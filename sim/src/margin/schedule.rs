//! The adversary: a scenario of two replicas in which the leader, replica 0, goes on for as long as it
//! may, and the candidate, replica 1, comes as early as it may.

use core::time::Duration;

use tenure::election::{Config, Profile, Ratio};

use super::{Case, Schedule};
use crate::clock::RIGHT;
use crate::distribution::Distribution;
use crate::fault::{Direction, Fault, Happening, Links, Planned, Site, Target, Trigger};
use crate::rng::{Purpose, Stream};
use crate::scenario::{Network, Replica, Scenario, Work};
use crate::time::Span;

/// How long messages that are to be hit may take to be sent: faults begin with what they wait for, and
/// end after this.
const MOMENT: Span = Span::from_millis(50);
/// How many times the candidate may poll within a lease.
const POLLS: u64 = 500;
/// Of a time-out: what just arrives before it. In thousandths.
const JUST_IN_TIME: u32 = 997;

/// The scenario of a case, at a ratio of clock rates.
pub(super) fn scenario(case: &Case, ratio: Ratio, seed: u64) -> Scenario {
    let config = &case.config;
    let mut chance = Stream::new(seed, Purpose::Experiment, 0);
    // A second of the wall clock counts as one of the leader's.
    let leader = match case.schedule {
        Schedule::WithinSecond => RIGHT,
        _ => chance.within(RIGHT / 10 * 8, RIGHT / 10 * 12),
    };
    let candidate = u128::from(leader) * u128::from(ratio.fastest()) / u128::from(ratio.slowest());
    let stage = Stage { case, rate: leader, faults: Vec::new() };
    let lease = Span::from(config.lease_duration);
    let short = Span::from_nanos(lease.as_nanos() / POLLS);
    let (since, faults) = stage.set();
    let latency = Distribution::uniform(Span::from_micros(50), Span::from_micros(200));
    // The candidate watches from the beginning of what counts: of the second, or the first write.
    let start = match case.schedule {
        Schedule::WithinSecond => less(since, Span::from_secs(1)),
        _ => since + Span::from_millis(5),
    };
    let replicas = vec![
        Replica { rate_ppb: Some(leader), ..Replica::default() },
        Replica {
            rate_ppb: Some(u64::try_from(candidate).unwrap_or(u64::MAX)),
            retry_period: Some(short),
            start,
            clock_offset: Span::from_nanos(chance.below(1 << 40)),
            ..Replica::default()
        },
    ];
    Scenario {
        name: format!("margin-{}", case.name.replace(['/', ' '], "-")),
        description: format!("{}: {}", config.profile, case.schedule),
        profile: config.profile,
        replicas,
        lease_duration: lease,
        renew_deadline: config.renew_deadline.into(),
        retry_period: config.retry_period.into(),
        request_timeout: config.request_timeout.map(Span::from),
        release_on_stop: config.release_on_stop,
        missing: config.missing,
        rejoin_after: None,
        network: Network { request: latency, response: latency, ..Network::default() },
        work: Work { period: Span::ZERO, ..Work::default() },
        faults,
        horizon: horizon(config, leader, since),
        ..Scenario::default()
    }
}

/// When both have had their turn.
fn horizon(config: &Config, rate: u64, since: Span) -> Span {
    let timeout = config.request_timeout.unwrap_or_default();
    // Earlier attempts to acquire, each with its wait.
    let before = (timeout + config.retry_period * 3) * 2;
    let longest = before + timeout * 3 + config.renew_deadline * 2 + config.retry_period;
    since + real(longest.max(config.lease_duration * 2), rate)
}

/// How long the leader's clock takes to show `local`.
fn real(local: Duration, rate: u64) -> Span {
    let nanos = local.as_nanos() * u128::from(RIGHT) / u128::from(rate);
    Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

fn just_in_time(timeout: Duration) -> Duration {
    timeout * JUST_IN_TIME / 1_000
}

struct Stage<'a> {
    case: &'a Case,
    /// The leader's clock's.
    rate: u64,
    faults: Vec<Planned>,
}

impl Stage<'_> {
    /// From when on it counts, and what goes wrong.
    fn set(mut self) -> (Span, Vec<Planned>) {
        let config = &self.case.config;
        let timeout = config.request_timeout.unwrap_or(config.renew_deadline);
        let answer = self.case.conditions.answer;
        let since = match self.case.schedule {
            Schedule::Acquisition | Schedule::RepeatedAcquisition => Span::ZERO,
            Schedule::Renewal | Schedule::RepeatedRenewal => {
                real(config.retry_period * 2, self.rate)
            }
            // The renewal just after this is the last of its second.
            Schedule::WithinSecond => {
                let period = Span::from(config.retry_period).as_nanos();
                Span::from_nanos(3_000_000_000 - period * 3 / 2)
            }
        };
        match self.case.schedule {
            Schedule::Renewal => {
                // Without an answer that is asked for, as late as can be: a strict one does not care.
                let answer = answer.unwrap_or_else(|| just_in_time(timeout));
                self.late(Self::upon(Happening::WriteSent, 1, since), answer);
                self.cut_after_renewal(answer, since);
            }
            Schedule::RepeatedRenewal => {
                let rest = self.case.margin().answer.unwrap_or(timeout).saturating_sub(timeout);
                let each = just_in_time((rest / 2).min(timeout));
                self.lost(Self::upon(Happening::WriteSent, 1, since));
                self.late(Self::upon(Happening::GetSent, 1, since), each);
                self.late(Self::upon(Happening::WriteSent, 2, since), each);
                self.cut(Self::upon(Happening::WriteSent, 2, since));
            }
            Schedule::Acquisition => {
                let answer = answer.unwrap_or_else(|| just_in_time(timeout));
                self.late(Self::upon(Happening::WriteSent, 1, since), answer);
                self.cut(Self::upon(Happening::WriteSent, 1, since));
            }
            Schedule::RepeatedAcquisition => {
                // The first write is not acknowledged. The second attempt reads that it took effect, so
                // that the third begins as a leader's; what the second writes does not arrive.
                self.lost(Self::upon(Happening::WriteSent, 1, since));
                let on = Self::upon(Happening::GetSent, 2, since);
                self.cut_between(on, Span::ZERO, Some(MOMENT));
                self.lost(Self::upon(Happening::WriteSent, 3, since));
                self.late(Self::upon(Happening::GetSent, 3, since), just_in_time(timeout));
                self.late(Self::upon(Happening::WriteSent, 4, since), just_in_time(timeout));
                self.cut(Self::upon(Happening::WriteSent, 4, since));
            }
            Schedule::WithinSecond => {
                let on = Self::upon(Happening::WriteSent, 1, since);
                self.cut_between(on, Span::from_millis(1), None);
            }
        }
        (since, self.faults)
    }

    fn upon(event: Happening, nth: u32, since: Span) -> Trigger {
        Trigger { event, by: Target::Replica(0), nth, since }
    }

    /// The leader's links with the store, one way.
    fn links(direction: Direction) -> Links {
        Links::of(Site::Of(Target::Replica(0))).direction(direction)
    }

    /// The answer to this request comes as late as that.
    fn late(&mut self, on: Trigger, by: Duration) {
        let by = Distribution::Constant(real(by, self.rate));
        let fault = Fault::Delay { links: Self::links(Direction::Incoming), by };
        self.faults.push(Planned::on(on, fault).lasting(MOMENT));
    }

    /// It does not come.
    fn lost(&mut self, on: Trigger) {
        let fault = Fault::Partition(Self::links(Direction::Incoming));
        self.faults.push(Planned::on(on, fault).lasting(MOMENT));
    }

    /// From a moment after that on no request arrives.
    fn cut(&mut self, on: Trigger) {
        self.cut_between(on, MOMENT, None);
    }

    fn cut_between(&mut self, on: Trigger, after: Span, until: Option<Span>) {
        let cut = Fault::Partition(Self::links(Direction::Outgoing));
        let lasts = until.map(|until| less(until, after));
        self.faults.push(Planned { lasts, ..Planned::on(on, cut).delayed(after) });
    }

    /// Likewise; but a release reads, is answered in the last moment, and does not write.
    fn cut_after_renewal(&mut self, answer: Duration, since: Span) {
        let config = &self.case.config;
        let on = Self::upon(Happening::WriteSent, 1, since);
        if config.profile == Profile::Strict || !config.release_on_stop {
            self.cut(on);
            return;
        }
        let timeout = config.request_timeout.unwrap_or(config.renew_deadline);
        let release = real(answer + config.retry_period + config.renew_deadline, self.rate);
        let before = less(release, Span::from_nanos(MOMENT.as_nanos() / 5));
        let by = Distribution::Constant(real(just_in_time(timeout), self.rate));
        let slow = Fault::Delay { links: Self::links(Direction::Incoming), by };
        self.faults.push(Planned::on(on.clone(), slow).delayed(before).lasting(MOMENT));
        self.cut_between(on.clone(), MOMENT, Some(before));
        self.cut_between(on, before + MOMENT, None);
    }
}

fn less(span: Span, by: Span) -> Span {
    Span::from_nanos(span.as_nanos().saturating_sub(by.as_nanos()))
}
