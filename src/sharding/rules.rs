//! The rules of the protocol by name, so that each can be left out to show that checks notice.

/// A rule that [`Config`](super::Config) may leave out (feature `mutants`, for tests only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A joiner waits until all others have acknowledged it.
    JoinWait,
    /// Nothing is acknowledged before work on what moved has ended.
    DrainBeforeAck,
    /// A draining member counts.
    CountDraining,
    /// Exclusion comes the lease duration after the last sign, not before.
    WaitLease,
    /// Authority counts from the sending of a request, not from its answer.
    SendTime,
    /// An answer that comes after the end of authority extends nothing.
    LateAnswer,
    /// A token comes from a renewal sent after the read that gave the slot.
    TokenAfterRead,
    /// An exclusion replaces only the version that was observed.
    ExclusionVersion,
    /// An exclusion counts when it was answered, not when it was sent.
    ExclusionAnswer,
    /// An exclusion's answer leaves a newer version of the record alone.
    ExclusionNewer,
    /// A conflict is no exclusion.
    ConflictIsNoExclusion,
    /// A newer version of an excluded name counts.
    NewerCounts,
    /// A joiner lapses as anybody does.
    JoinerLapses,
    /// A joiner acts only by a read that is not older than its joining write.
    ActivationRead,
    /// Views do not go back.
    ViewsForward,
    /// A record that vanished counts for its lease duration.
    AbsenceWaits,
    /// Who misses its own record lapses.
    OwnMissing,
    /// Weight, zone and configuration change only without work.
    StopToChange,
    /// A renewal whose answer was lost gives no right.
    LostRenewal,
    /// A watch is fresh only when it has shown the own renewal.
    Echo,
    /// No two members act under different configurations.
    OneGeneration,
    /// Permits are asked for by the clock, not by the last event.
    Clock,
    /// In a plan, a slot that came back has still moved.
    Since,
    /// A member acts by a plan only if it has read the members after the plan.
    MembersAfterPlan,
    /// A member acts by a plan only if all others have acknowledged the move.
    PlanAcknowledged,
    /// Who has left, or was excluded, has no slots.
    GoneHaveNone,
    /// All members hash alike.
    OneHash,
    /// A slot moves only to who came, or from who went.
    LeastMoves,
    /// A name and a number that are hashed together are kept apart.
    LabelsApart,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::JoinWait,
        Self::DrainBeforeAck,
        Self::CountDraining,
        Self::WaitLease,
        Self::SendTime,
        Self::LateAnswer,
        Self::TokenAfterRead,
        Self::ExclusionVersion,
        Self::ExclusionAnswer,
        Self::ExclusionNewer,
        Self::ConflictIsNoExclusion,
        Self::NewerCounts,
        Self::JoinerLapses,
        Self::ActivationRead,
        Self::ViewsForward,
        Self::AbsenceWaits,
        Self::OwnMissing,
        Self::StopToChange,
        Self::LostRenewal,
        Self::Echo,
        Self::OneGeneration,
        Self::Clock,
        Self::Since,
        Self::MembersAfterPlan,
        Self::PlanAcknowledged,
        Self::GoneHaveNone,
        Self::OneHash,
        Self::LeastMoves,
        Self::LabelsApart,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JoinWait => "join-wait",
            Self::DrainBeforeAck => "drain-before-ack",
            Self::CountDraining => "count-draining",
            Self::WaitLease => "wait-lease",
            Self::SendTime => "send-time",
            Self::LateAnswer => "late-answer",
            Self::TokenAfterRead => "token-after-read",
            Self::ExclusionVersion => "exclusion-version",
            Self::ExclusionAnswer => "exclusion-answer",
            Self::ExclusionNewer => "exclusion-newer",
            Self::ConflictIsNoExclusion => "conflict-is-no-exclusion",
            Self::NewerCounts => "newer-counts",
            Self::JoinerLapses => "joiner-lapses",
            Self::ActivationRead => "activation-read",
            Self::ViewsForward => "views-forward",
            Self::AbsenceWaits => "absence-waits",
            Self::OwnMissing => "own-missing",
            Self::StopToChange => "stop-to-change",
            Self::LostRenewal => "lost-renewal",
            Self::Echo => "echo",
            Self::OneGeneration => "one-generation",
            Self::Clock => "clock",
            Self::Since => "since",
            Self::MembersAfterPlan => "members-after-plan",
            Self::PlanAcknowledged => "plan-acknowledged",
            Self::GoneHaveNone => "gone-have-none",
            Self::OneHash => "one-hash",
            Self::LeastMoves => "least-moves",
            Self::LabelsApart => "labels-apart",
        }
    }
}

/// Which rules hold: all, but for those that a test left out.
///
/// ```
/// use tenure::sharding::{Rule, Rules};
/// assert_eq!(Rule::JoinWait.name(), "join-wait");
/// assert!(Rules::default().hold(Rule::JoinWait));
/// # #[cfg(feature = "mutants")]
/// assert!(!Rules::default().without(Rule::JoinWait).hold(Rule::JoinWait));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rules {
    #[cfg(feature = "mutants")]
    off: u32,
}

impl Rules {
    /// All but `rule`.
    #[cfg(feature = "mutants")]
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self { off: self.off | 1 << rule as u32 }
    }

    /// Whether `rule` holds. Always, without the feature.
    #[must_use]
    #[inline]
    pub const fn hold(self, rule: Rule) -> bool {
        #[cfg(feature = "mutants")]
        return self.off >> rule as u32 & 1 == 0;
        #[cfg(not(feature = "mutants"))]
        {
            let _ = (self, rule);
            true
        }
    }
}
