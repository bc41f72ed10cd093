//! What may happen in a world.

use tenure::sharding::Rule;

/// The most members of a world.
pub const MEMBERS: usize = 3;

/// Which requests of a member take any time, and may be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    /// None.
    None,
    /// All.
    All,
    /// Reads.
    Reads,
    /// Writes of its own record.
    Writes,
    /// Exclusions of others.
    Exclusions,
}

impl Slow {
    /// Whether requests of a kind are: 0 writes, 1 reads, 8 and on exclusions, 16 and on deletions.
    pub(super) const fn is(self, kind: u8) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Reads => kind == 1,
            Self::Writes => kind == 0,
            Self::Exclusions => kind >= 8 && kind < 16,
        }
    }
}

/// What may happen. Durations are in ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Rules {
    /// How many ticks a member's clock goes at each tick; one for each member.
    pub rates: Vec<u8>,
    /// The lease duration.
    pub lease: u8,
    /// The renew deadline.
    pub deadline: u8,
    /// The request time-out.
    pub timeout: u8,
    /// A power of two, at most 8.
    pub slots: u32,
    /// How often each member may join; then it is gone for good.
    pub joins: u8,
    /// The first so many members have joined already.
    pub settled: u8,
    /// Which of each member's requests take any time; the others take none.
    pub slow: Vec<Slow>,
    /// A write that was given up may still be applied.
    pub late_writes: bool,
    /// Drivers may be late in telling their members that authority has ended.
    pub late_drivers: bool,
    /// How many of the members, from the first on, may watch.
    pub watch: u8,
    /// It is a violation, too, to act without having seen what was stored the renew deadline ago.
    pub fresh: bool,
    /// Members distrust deletions.
    pub distrust: bool,
    /// After how many ticks old records are deleted, if they are.
    pub collect: Option<u8>,
    /// The members from this number on run another configuration.
    pub newer: Option<u8>,
    /// How often may happen: a crash, with a new process afterwards.
    pub crashes: u8,
    /// A member is asked to leave.
    pub leaves: u8,
    /// A member is to have another weight.
    pub changes: u8,
    /// A record is deleted from outside.
    pub deletions: u8,
    /// The rule left out.
    pub without: Option<Rule>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rates: vec![1, 1],
            lease: 2,
            deadline: 1,
            timeout: 1,
            slots: 2,
            joins: 1,
            settled: 0,
            slow: vec![Slow::All; 3],
            late_writes: false,
            late_drivers: false,
            watch: 0,
            fresh: false,
            distrust: false,
            collect: None,
            newer: None,
            crashes: 0,
            leaves: 0,
            changes: 0,
            deletions: 0,
            without: None,
        }
    }
}
