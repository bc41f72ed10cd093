//! Faults as data: what goes wrong, when (or upon what), for how long.
//!
//! As JSON a planned fault reads
//! `{"at": "60s", "for": "20s", "fault": {"pause": {"target": "leader"}}}`, and one that waits for
//! something to happen
//! `{"on": {"event": "update-applied", "by": "leader", "nth": 3}, "after": "40ms", "for": "23s",
//! "fault": {"pause": {"target": "actor"}}}`.
//!
//! Faults overlap freely: each heals on its own, and what two of them broke stays broken until
//! both have ended.
//!
//! In Rust a plan is built from [`Planned::at`] and [`Planned::on`]:
//!
//! ```
//! use tenure_sim::check::Checks;
//! use tenure_sim::fault::{
//!     Code, Direction, Edit, Fault, Happening, Links, Outage, Planned, Reborn, Site, Target, Trigger,
//!     WakeUp,
//! };
//! use tenure_sim::time::Span;
//! use tenure_sim::{scenario::Scenario, world::World};
//!
//! let (event, since) = (Happening::UpdateApplied, Span::from_secs(30));
//! let third_renewal = Trigger { event, by: Target::Leader, nth: 3, since };
//! let answers = Links::of(Site::Of(Target::Leader)).direction(Direction::Incoming);
//! let (before_ppm, after_ppm, code) = (0, 500_000, Code::Internal);
//! let faults = vec![
//!     Planned::on(third_renewal, Fault::Pause { target: Target::Actor, wake_up: WakeUp::MessagesFirst })
//!         .delayed(Span::from_millis(25))
//!         .lasting(Span::from_secs(23)),
//!     Planned::at(Span::from_secs(100), Fault::Partition(answers)).lasting(Span::from_secs(30)),
//!     Planned::at(Span::from_secs(160), Fault::Crash { target: Target::Leader, reborn: Reborn::New })
//!         .lasting(Span::from_secs(5)),
//!     Planned::at(Span::from_secs(220), Fault::StoreOutage { api: None, how: Outage::Hang })
//!         .lasting(Span::from_secs(10)),
//!     Planned::at(Span::from_secs(280), Fault::StoreErrors { before_ppm, after_ppm, code })
//!         .lasting(Span::from_secs(20)),
//!     Planned::at(Span::from_secs(340), Fault::Edit(Edit::TouchLabel {})),
//! ];
//! let lasting = faults.iter().filter(|planned| planned.fault.can_last());
//! assert!(lasting.eq(&faults[..5]), "somebody edits at one instant");
//!
//! let scenario = Scenario { faults, ..Scenario::default() };
//! let mut world = World::new(&scenario, 1)?;
//! assert_eq!(world.run(&mut Checks::for_scenario(&scenario)).violations, []);
//! assert!(world.fault_effects().iter().all(|effect| effect.fired && effect.had_effect));
//! # Ok::<(), tenure_sim::scenario::ScenarioError>(())
//! ```

mod place;
mod terms;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenure::lock::Kind;

pub use place::{Site, Target, UnknownPlace};
pub use terms::{Code, Direction, Edit, Links, Outage, Reborn, WakeUp};

use crate::distribution::Distribution;
use crate::time::{Shift, Span};

/// One fault of a plan. Exactly one of `at` and `on` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// When, after the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// Upon what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Trigger>,
    /// How long after what it waits for.
    #[serde(default, skip_serializing_if = "no_time")]
    pub after: Span,
    /// For how long; without it until another fault or the healing ends it.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
    /// Which object an edit or a deletion is about, where there are several; the scenario's `lock`
    /// or its first object if absent.
    #[serde(default, with = "crate::wire::optional_kind", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::wire::KindName>")]
    pub object: Option<Kind>,
    /// What goes wrong.
    pub fault: Fault,
}

impl Planned {
    /// `fault` at a time.
    #[must_use]
    pub const fn at(at: Span, fault: Fault) -> Self {
        Self { at: Some(at), on: None, after: Span::ZERO, lasts: None, object: None, fault }
    }

    /// `fault` when something has happened.
    #[must_use]
    pub const fn on(trigger: Trigger, fault: Fault) -> Self {
        let on = Some(trigger);
        Self { at: None, on, after: Span::ZERO, lasts: None, object: None, fault }
    }

    /// The same, for this long.
    #[must_use]
    pub fn lasting(mut self, span: Span) -> Self {
        self.lasts = Some(span);
        self
    }

    /// The same, this long after what it waits for.
    #[must_use]
    pub fn delayed(mut self, span: Span) -> Self {
        self.after = span;
        self
    }
}

/// What a fault waits for: the `nth` time that `event` happens to `by`. It fires once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What must happen.
    pub event: Happening,
    /// To whom.
    #[serde(default = "Target::everyone", skip_serializing_if = "Target::is_everyone")]
    pub by: Target,
    /// Which time, from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub nth: u32,
    /// Count only what happens after this time.
    #[serde(default, skip_serializing_if = "no_time")]
    pub since: Span,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn no_time(span: &Span) -> bool {
    span.is_zero()
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_one(nth: &u32) -> bool {
    *nth == 1
}

/// Something that a [`Trigger`] can wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// A replica sent a read.
    GetSent,
    /// A replica sent a write (create or update).
    WriteSent,
    /// The store answered a replica's read.
    GetApplied,
    /// The store made a lock for a replica.
    CreateApplied,
    /// The store took a replica's update.
    UpdateApplied,
    /// The store refused a replica's write because of its version.
    Conflict,
    /// An answer arrived in time.
    Answered,
    /// A driver gave a call up.
    GivenUp,
    /// A replica began to believe that it leads.
    StartedLeading,
    /// A replica ceased to believe that it leads.
    StoppedLeading,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Messages are dropped.
    Partition(Links),
    /// Messages take longer, by a draw each.
    Delay {
        /// Which.
        links: Links,
        /// By how much.
        by: Distribution,
    },
    /// Messages get lost by chance.
    Loss {
        /// Which.
        links: Links,
        /// How many of a million.
        ppm: u32,
    },
    /// Messages arrive twice by chance.
    Duplicate {
        /// Which.
        links: Links,
        /// How many of a million.
        ppm: u32,
    },
    /// Messages are held up, and go on in their order when nothing holds them any more.
    Hold(Links),
    /// Connections are reset: calls under way fail at once, and so does each message; whoever sent it,
    /// or waits for it, is told by an error. What was on its way to the store may still take effect.
    Reset(Links),
    /// Messages are overtaken by chance: some take longer, by a draw each.
    Reorder {
        /// Which.
        links: Links,
        /// How many of a million.
        ppm: u32,
        /// By how much.
        by: Distribution,
    },
    /// The first half of the replicas reaches the first half of the API servers only, the second half
    /// the second; the one in the middle, if their number is odd, is reached by all.
    Bridge {},
    /// Each replica reaches a majority of the API servers only, each another one: replica N those from
    /// the N-th on, in a ring.
    MajoritiesRing {},
    /// All network faults of now end.
    Heal {},
    /// A process stands still; its clocks run on.
    Pause {
        /// Whose.
        target: Target,
        /// What it does first when it goes on.
        #[serde(default)]
        wake_up: WakeUp,
    },
    /// A paused process goes on, whatever paused it.
    Resume {
        /// Whose.
        target: Target,
    },
    /// A process takes time for whatever it does: it handles one thing at a time, each after a draw.
    Slow {
        /// Whose.
        target: Target,
        /// How long each thing waits for its turn.
        by: Distribution,
    },
    /// A process dies; with `for` it starts again after that, unless another crash or stop still
    /// keeps it down.
    Crash {
        /// Whose.
        target: Target,
        /// As whom it comes back, with `for`.
        #[serde(default)]
        reborn: Reborn,
    },
    /// A process that is down starts, whatever keeps it down; one that is up dies and starts.
    Restart {
        /// Whose.
        target: Target,
        /// As whom.
        #[serde(default)]
        reborn: Reborn,
    },
    /// A process shuts down gracefully (`Elector::stop`) and exits when the elector has finished;
    /// with `for` it starts again that long after the stop was asked for.
    Stop {
        /// Whose.
        target: Target,
    },
    /// Somebody asks a leader to hand the lock over (`Elector::hand_over`).
    HandOver {
        /// Whom.
        target: Target,
        /// To which replica.
        to: u32,
    },
    /// A replica's watch goes quiet and nothing says so: it shows nothing more, not even that it is
    /// broken. When this ends the replica watches anew.
    WatchStall {
        /// Whose.
        target: Target,
    },
    /// A monotonic clock runs at another rate.
    Drift {
        /// Whose.
        target: Target,
        /// Local nanoseconds in 10⁹ real ones; 820000000 is 18 % slow.
        rate_ppb: u64,
    },
    /// A wall clock is set.
    ClockJump {
        /// Whose.
        target: Target,
        /// By how much.
        by: Shift,
    },
    /// A wall clock stands still while the monotonic one runs.
    WallFreeze {
        /// Whose.
        target: Target,
    },
    /// A wall clock jumps there and back, again and again.
    Strobe {
        /// Whose.
        target: Target,
        /// By how much: it is off by this, then right, and so on.
        by: Shift,
        /// How long it stays each time.
        every: Span,
    },
    /// Both clocks are slewed, as by `adjtime` or for a leap second: they run faster or slower until they
    /// have gained so much, over the time that `for` says.
    Smear {
        /// Whose.
        target: Target,
        /// How much they gain.
        by: Shift,
    },
    /// A monotonic clock stands still, as `CLOCK_MONOTONIC` does while a machine is suspended, while
    /// the wall clock goes on; the process stands still too.
    Suspend {
        /// Whose.
        target: Target,
        /// The process runs on: only the clock is broken.
        #[serde(default)]
        running: bool,
    },
    /// API servers fail.
    StoreOutage {
        /// Which; all if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<u32>,
        /// How.
        #[serde(default)]
        how: Outage,
    },
    /// The store is slow.
    StoreSlow {
        /// By how much before a request takes effect.
        #[serde(default)]
        before: Distribution,
        /// By how much after it took effect.
        #[serde(default)]
        after: Distribution,
    },
    /// The store answers with errors by chance.
    StoreErrors {
        /// How many of a million requests are refused (429, 500) without effect.
        #[serde(default)]
        before_ppm: u32,
        /// How many of a million take effect and are answered with an error.
        #[serde(default)]
        after_ppm: u32,
        /// With which status: 409, 429, 500, or 504 for no answer at all.
        #[serde(default, skip_serializing_if = "Code::is_default")]
        code: Code,
    },
    /// API servers answer electors' reads from a cache that lags behind. Writes are as ever.
    StaleReads {
        /// Which; all if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        api: Option<u32>,
        /// How far; as the objects were when this began if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Span>,
    },
    /// Somebody edits the lock.
    Edit(Edit),
    /// Somebody deletes the lock.
    Delete {},
}

impl Fault {
    /// Whether it ends by itself or by `for`, so that `for` means something.
    #[must_use]
    pub const fn can_last(&self) -> bool {
        !matches!(
            self,
            Self::Heal {}
                | Self::Resume { .. }
                | Self::Restart { .. }
                | Self::HandOver { .. }
                | Self::ClockJump { .. }
                | Self::Edit(_)
                | Self::Delete {}
        )
    }

    /// The name of its kind, as in a scenario.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Partition(_) => "partition",
            Self::Delay { .. } => "delay",
            Self::Loss { .. } => "loss",
            Self::Duplicate { .. } => "duplicate",
            Self::Hold(_) => "hold",
            Self::Reset(_) => "reset",
            Self::Reorder { .. } => "reorder",
            Self::Bridge {} => "bridge",
            Self::MajoritiesRing {} => "majorities-ring",
            Self::Heal {} => "heal",
            Self::Pause { .. } => "pause",
            Self::Resume { .. } => "resume",
            Self::Slow { .. } => "slow",
            Self::Crash { .. } => "crash",
            Self::Restart { .. } => "restart",
            Self::Stop { .. } => "stop",
            Self::HandOver { .. } => "hand-over",
            Self::WatchStall { .. } => "watch-stall",
            Self::Drift { .. } => "drift",
            Self::ClockJump { .. } => "clock-jump",
            Self::WallFreeze { .. } => "wall-freeze",
            Self::Strobe { .. } => "strobe",
            Self::Smear { .. } => "smear",
            Self::Suspend { .. } => "suspend",
            Self::StoreOutage { .. } => "store-outage",
            Self::StoreSlow { .. } => "store-slow",
            Self::StoreErrors { .. } => "store-errors",
            Self::StaleReads { .. } => "stale-reads",
            Self::Edit(_) => "edit",
            Self::Delete {} => "delete",
        }
    }

    /// The replicas that it names, if it is about replicas' processes or clocks.
    #[must_use]
    pub const fn target(&self) -> Option<Target> {
        match self {
            Self::Pause { target, .. }
            | Self::Resume { target }
            | Self::Slow { target, .. }
            | Self::Crash { target, .. }
            | Self::Restart { target, .. }
            | Self::Stop { target }
            | Self::HandOver { target, .. }
            | Self::WatchStall { target }
            | Self::Drift { target, .. }
            | Self::ClockJump { target, .. }
            | Self::WallFreeze { target }
            | Self::Strobe { target, .. }
            | Self::Smear { target, .. }
            | Self::Suspend { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// Whether it is about the network, so that [`Heal`](Self::Heal) ends it.
    #[must_use]
    pub(crate) const fn is_of_network(&self) -> bool {
        self.links().is_some() || matches!(self, Self::Bridge {} | Self::MajoritiesRing {})
    }

    /// The links that it names, if it names any.
    #[must_use]
    pub(crate) const fn links(&self) -> Option<&Links> {
        match self {
            Self::Partition(links)
            | Self::Hold(links)
            | Self::Reset(links)
            | Self::Reorder { links, .. }
            | Self::Delay { links, .. }
            | Self::Loss { links, .. }
            | Self::Duplicate { links, .. } => Some(links),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_and_written() {
        let plan = r#"[{"at":"1m","for":"20s","fault":{"pause":{"target":"leader","wake_up":"messages-first"}}},{"on":{"event":"update-applied","by":1,"nth":3},"after":"40ms","fault":{"partition":{"sites":[0,"zone:a","api-1"],"direction":"incoming"}}},{"at":"1s","fault":{"edit":{"touch-label":{}}}},{"at":"1s","fault":{"heal":{}}}]"#;
        let read: Vec<Planned> = serde_json::from_str(plan).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), plan);
        assert_eq!(read[1].fault.links().unwrap().sites[1], Site::Zone("a".into()));
    }

    #[test]
    fn what_is_unknown_is_refused_with_a_remedy() {
        for (plan, error) in [
            (r#"{"at":"1s","fault":{"pause":{"target":"boss"}}}"#, "use the number of a replica"),
            (r#"{"at":"soon","fault":{"heal":{}}}"#, "write a number and a unit"),
            (r#"{"at":"1s","fault":{"pause":{"target":0,"long":1}}}"#, "unknown field `long`"),
            (r#"{"at":"1s","until":"2s","fault":{"heal":{}}}"#, "unknown field `until`"),
            (r#"{"at":"1s","fault":{"explode":{}}}"#, "unknown variant `explode`"),
        ] {
            let text = serde_json::from_str::<Planned>(plan).unwrap_err().to_string();
            assert!(text.contains(error), "{text}");
        }
    }
}
