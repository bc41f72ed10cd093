//! Which kinds of fault a mix has. Plans are kept as seeds, too: the lists that an older mix draws from
//! stay as they are.

use super::{Draw, Mix};
use crate::fault::{Code, Fault};
use crate::scenario::Scenario;
use crate::time::{Shift, Span};

/// A kind of fault that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Partition,
    Delay,
    Loss,
    Duplicate,
    Pause,
    PauseInCall,
    Crash,
    Restart,
    Stop,
    Drift,
    ClockJump,
    WallFreeze,
    Outage,
    Slow,
    Errors,
    // From here on: Mix::Wild only.
    Suspend,
    Edit,
    Delete,
    WildDrift,
    // Those that plans of `Mix::Safe` and `Mix::Wild` were drawn without.
    Newer(Newer),
}

/// A kind that came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newer {
    Hold,
    Reset,
    Reorder,
    Bridge,
    MajoritiesRing,
    Strobe,
    StaleReads,
    Status,
    // From here on: Mix::Full only.
    Slow,
    Smear,
}

const SAFE: [Kind; 15] = [
    Kind::Partition,
    Kind::Delay,
    Kind::Loss,
    Kind::Duplicate,
    Kind::Pause,
    Kind::PauseInCall,
    Kind::Crash,
    Kind::Restart,
    Kind::Stop,
    Kind::Drift,
    Kind::ClockJump,
    Kind::WallFreeze,
    Kind::Outage,
    Kind::Slow,
    Kind::Errors,
];

const WILD: [Kind; 4] = [Kind::Suspend, Kind::Edit, Kind::Delete, Kind::WildDrift];

const BROAD: [Newer; 8] = [
    Newer::Hold,
    Newer::Reset,
    Newer::Reorder,
    Newer::Bridge,
    Newer::MajoritiesRing,
    Newer::Strobe,
    Newer::StaleReads,
    Newer::Status,
];

const FULL: [Newer; 2] = [Newer::Slow, Newer::Smear];

/// The kinds that can apply to a scenario.
pub(super) fn of(mix: Mix, scenario: &Scenario) -> Vec<Kind> {
    let wild: &[Kind] = if matches!(mix, Mix::Wild | Mix::Full) { &WILD } else { &[] };
    let broad: &[Newer] = if matches!(mix, Mix::Broad | Mix::Full) { &BROAD } else { &[] };
    let full: &[Newer] = if mix == Mix::Full { &FULL } else { &[] };
    let apis = scenario.network.apis.len();
    let applies = |newer: &&Newer| match newer {
        Newer::Bridge => apis >= 2,
        Newer::MajoritiesRing => apis >= 3,
        _ => true,
    };
    let newer = broad.iter().chain(full).filter(applies).copied().map(Kind::Newer);
    SAFE.iter().chain(wild).copied().chain(newer).collect()
}

impl Draw<'_> {
    pub(super) fn newer(&mut self, kind: Newer) -> Fault {
        match kind {
            Newer::Hold => Fault::Hold(self.links()),
            Newer::Reset => Fault::Reset(self.links()),
            Newer::Reorder => {
                Fault::Reorder { links: self.links(), ppm: self.ppm(), by: self.delay() }
            }
            Newer::Bridge => Fault::Bridge {},
            Newer::MajoritiesRing => Fault::MajoritiesRing {},
            Newer::Strobe => {
                let (target, by) = (self.target(), self.shift(3_600_000_000_000));
                let every = self.span(Span::from_millis(10), 10_000_000_000);
                Fault::Strobe { target, by, every }
            }
            Newer::StaleReads => {
                let longest = self.longest;
                let behind = self.coin().then(|| self.span(Span::from_millis(10), longest));
                let apis = self.scenario.network.apis.len() as u64;
                let api = u32::try_from(self.stream.below(apis)).ok();
                let all = self.coin();
                Fault::StaleReads { api: api.filter(|_| !all), behind }
            }
            Newer::Status => {
                let all = [Code::Conflict, Code::TooManyRequests, Code::Timeout];
                let code = self.one_of(&all).unwrap_or_default();
                let after_ppm = if code == Code::TooManyRequests { 0 } else { self.ppm() };
                Fault::StoreErrors { before_ppm: self.ppm(), after_ppm, code }
            }
            Newer::Slow => Fault::Slow { target: self.target(), by: self.delay() },
            // It lasts for 50 ms at least.
            Newer::Smear => Fault::Smear { target: self.target(), by: self.shift(20_000_000) },
        }
    }

    fn shift(&mut self, most: u64) -> Shift {
        let nanos = i64::try_from(self.stream.log_uniform(1_000_000, most)).unwrap_or(0);
        Shift::from_nanos(if self.coin() { nanos } else { -nanos })
    }
}
