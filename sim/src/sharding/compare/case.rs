//! What happens to a group that is compared.

use super::SETTLED;
use crate::distribution::Distribution;
use crate::rng::{Purpose, Stream};
use crate::sharding::fault::{Change, Fault, Planned};
use crate::sharding::scenario::{Mode, Replica, Scenario, Work};
use crate::time::{Shift, Span};

/// What a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// How many replicas, at least 2.
    pub replicas: u32,
    /// How many slots: a power of two.
    pub slots: u32,
    /// What its replicas are called.
    pub names: Names,
}

/// Names of Pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Names {
    /// `operator-0`, `operator-1` and so on, for ever.
    #[value(name = "statefulset")]
    StatefulSet,
    /// `operator-7c9d5f6b8d-` and five letters, different for each Pod.
    Deployment,
}

impl Group {
    /// The names of `count` Pods.
    #[must_use]
    pub fn names(&self, count: u32, seed: u64) -> Vec<String> {
        // The letters of Kubernetes' `rand.String`.
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut stream = Stream::new(seed, Purpose::Experiment, 12);
        let mut letter = || {
            let nth = usize::try_from(stream.below(LETTERS.len() as u64)).unwrap_or(0);
            LETTERS.get(nth).map_or('b', |letter| char::from(*letter))
        };
        let name = |index: u32| match self.names {
            Names::StatefulSet => format!("operator-{index}"),
            Names::Deployment => {
                let suffix: String = (0..5).map(|_| letter()).collect();
                format!("operator-7c9d5f6b8d-{suffix}")
            }
        };
        (0..count).map(name).collect()
    }
}

/// Which column of unowned time a case counts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody meant it.
    Planned,
    /// A process died.
    Crash,
    /// A process was cut off, or stood still.
    Partition,
    /// Nothing has to move.
    Other,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Nothing.
    Calm,
    /// One more replica starts.
    Join,
    /// The last replica leaves for good.
    Leave,
    /// All are replaced, one after the other.
    RollingUpdate,
    /// The same, and the new ones have another configuration.
    ConfigurationChange,
    /// The first replica dies for good.
    Crash,
    /// The first replica dies and is back after 20 s.
    CrashAndBack,
    /// The first replica does not reach the store for a minute.
    Partition,
    /// The first replica stands still for a minute.
    Pause,
    /// The store does not answer for half a minute.
    StoreHangs,
    /// The first replica's wall clock is 35 s behind.
    WallClock,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Calm,
        Self::Join,
        Self::Leave,
        Self::RollingUpdate,
        Self::ConfigurationChange,
        Self::Crash,
        Self::CrashAndBack,
        Self::Partition,
        Self::Pause,
        Self::StoreHangs,
        Self::WallClock,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::RollingUpdate => "rolling-update",
            Self::ConfigurationChange => "configuration-change",
            Self::Crash => "crash",
            Self::CrashAndBack => "crash-and-back",
            Self::Partition => "partition",
            Self::Pause => "pause",
            Self::StoreHangs => "store-hangs",
            Self::WallClock => "wall-clock",
        }
    }

    /// To which column it counts.
    #[must_use]
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Join | Self::Leave | Self::RollingUpdate | Self::ConfigurationChange => {
                Kind::Planned
            }
            Self::Crash | Self::CrashAndBack => Kind::Crash,
            Self::Partition | Self::Pause => Kind::Partition,
            Self::Calm | Self::StoreHangs | Self::WallClock => Kind::Other,
        }
    }

    /// The scenario. The first fault comes within 20 s after the group has settled: when, the seed says.
    #[must_use]
    pub fn scenario(self, group: &Group, seed: u64) -> Scenario {
        let millis =
            |min, max| Distribution::uniform(Span::from_millis(min), Span::from_millis(max));
        let jitter = Stream::new(seed, Purpose::Experiment, 13).below(20_000_000_000);
        let at = SETTLED + Span::from_nanos(jitter);
        let names = group.names(group.replicas * 2 + 1, seed);
        let mut scenario = Scenario {
            name: format!("compare/{}", self.name()),
            slots: group.slots,
            work: Work { every: millis(100, 500), takes: millis(10, 2_000), ..Work::default() },
            horizon: Span::from_secs(600),
            ..Scenario::new(Mode::Ranked)
        };
        let replica = |(index, name): (u64, &String)| Replica {
            name: Some(name.clone()),
            start: Span::from_millis(index * 200),
            ..Replica::default()
        };
        let count = group.replicas as usize;
        scenario.replicas = (0..).zip(&names).take(count).map(replica).collect();
        // Who came first: it leads, if anybody does, and has most where the first takes all.
        let first = vec![0];
        let last = group.replicas - 1;
        let whole = Change::default();
        let fault = |fault| vec![Planned::at(at, fault)];
        scenario.faults = match self {
            Self::Calm => Vec::new(),
            Self::Join => {
                let name = names.get(count).cloned();
                let start = at;
                scenario.replicas.push(Replica { name, start, ..Replica::default() });
                Vec::new()
            }
            Self::Leave => fault(Fault::Leave { who: vec![last], back: None, with: whole }),
            Self::RollingUpdate => rolled(&mut scenario, group, &names, at, &whole),
            Self::ConfigurationChange => {
                let with = Change { generation: Some(2), ..whole };
                rolled(&mut scenario, group, &names, at, &with)
            }
            Self::Crash => fault(Fault::Crash { who: first, back: None, with: whole }),
            Self::CrashAndBack => {
                let back = Some(Span::from_secs(20));
                fault(Fault::Crash { who: first, back, with: whole })
            }
            Self::Partition => {
                let direction = crate::fault::Direction::Both;
                let cut = Fault::Partition { who: first, direction };
                vec![Planned::at(at, cut).lasting(Span::from_secs(60))]
            }
            Self::Pause => {
                vec![Planned::at(at, Fault::Pause { who: first }).lasting(Span::from_secs(60))]
            }
            Self::StoreHangs => {
                let hangs = Fault::StoreOutage { how: crate::fault::Outage::Hang };
                vec![Planned::at(at, hangs).lasting(Span::from_secs(30))]
            }
            Self::WallClock => {
                for replica in scenario.replicas.iter_mut().take(1) {
                    replica.wall_offset = Shift::from_secs(-35);
                }
                Vec::new()
            }
        };
        scenario
    }
}

/// All are replaced: a `StatefulSet`'s from the last to the first under their own names, a
/// `Deployment`'s with one more at a time.
fn rolled(
    scenario: &mut Scenario,
    group: &Group,
    names: &[String],
    at: Span,
    with: &Change,
) -> Vec<Planned> {
    const STEP: u64 = 40_000_000_000;
    let mut faults = Vec::new();
    for (step, old) in (0..group.replicas).enumerate() {
        let at = at + Span::from_nanos(STEP * step as u64);
        if group.names == Names::StatefulSet {
            let (who, back) = (vec![group.replicas - 1 - old], Some(Span::from_secs(5)));
            faults.push(Planned::at(at, Fault::Leave { who, back, with: with.clone() }));
            continue;
        }
        let mut new = Replica {
            name: names.get((group.replicas + old) as usize).cloned(),
            spare: true,
            ..Replica::default()
        };
        new.change(with);
        scenario.replicas.push(new);
        faults.push(Planned::at(at, Fault::Start { who: vec![group.replicas + old] }));
        let gone = Fault::Leave { who: vec![old], back: None, with: Change::default() };
        faults.push(Planned::at(at + Span::from_secs(20), gone));
    }
    // The last has time to be noticed.
    let end = at + Span::from_nanos(STEP * u64::from(group.replicas)) + Span::from_secs(240);
    scenario.horizon = scenario.horizon.max(end);
    faults
}
