use alloc::string::ToString;
use alloc::sync::Arc;
use core::num::NonZeroU32;
use core::time::Duration;
use core::{error, fmt};

use super::planned::Policy;
use super::rules::Rules;
use super::{Generation, Incarnation, MemberRecord, RecordError, Slot, Slots, State};
use crate::election;
use crate::placement::hash::{fnv1a_64, xxh3_64};
use crate::placement::{Key, Member};
use crate::time::saturating_nanos;

/// How a member takes part in its group.
///
/// ```
/// use core::time::Duration;
/// use tenure::sharding::{Config, Mode, Ranking};
/// let config = Config::new("default", "controller", "controller-0", "6ba7b810");
/// assert_eq!(config.mode, Mode::Ranked(Ranking::Rendezvous));
/// assert_eq!(config.slots.count(), 1024);
/// assert_eq!(config.lease_duration, Duration::from_secs(15));
/// config.validate()?;
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Config {
    /// The namespace of all that is stored.
    pub namespace: Arc<str>,
    /// The group's name.
    pub group: Arc<str>,
    /// This member: name, weight and zone. No two running replicas of a group may share a name.
    pub member: Member,
    /// Unique to this life of the process, from the system's randomness; without `.`.
    pub incarnation: Arc<str>,
    /// L: how long others wait after the last sign of this member before they exclude it. At least a
    /// second, and whole seconds after rounding up. Default 15 s.
    pub lease_duration: Duration,
    /// D: how long authority lasts after the sending of the last renewal and of the last read that
    /// succeeded. Less than L: two members are safe from each other as long as the faster clock gains
    /// no more than the ratio of L to D on the other. Default 10 s.
    pub renew_deadline: Duration,
    /// R: how often it renews and reads. Default 2 s.
    pub retry_period: Duration,
    /// When a call is given up. Default 5 s.
    pub request_timeout: Duration,
    /// After how long an unfinished drain is reported. Default 30 s.
    pub drain_deadline: Duration,
    /// Counts the configurations of the group (slots, hash, mode): take the next number with each change
    /// of one of these. Default 1.
    pub generation: u64,
    /// Into how many slots the hash space is cut. Default 1,024.
    pub slots: Slots,
    /// How a thing's text becomes a key. Default FNV-1a, which Kubernetes' `shardSelector` ranges over.
    pub hash: KeyHash,
    /// Who decides who owns what.
    pub mode: Mode,
    /// Whether records may be deleted by hand: then a joiner also waits its own L for what it cannot
    /// see, so that nobody's `lease_duration` may be greater than that. Default false.
    pub distrust_deletion: bool,
    /// How long after their last sign the records of members that have left or were excluded are
    /// deleted. Default ten minutes.
    pub collect_after: Duration,
    #[doc(hidden)]
    pub rules: Rules,
}

/// How a thing's text becomes its key.
///
/// ```
/// use tenure::sharding::KeyHash;
/// let uid = b"6f1b0d4e-8a2c-4a53-9d6c-0c5e4d3b2a19";
/// assert_ne!(KeyHash::Fnv1a.key(uid), KeyHash::Xxh3.key(uid));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum KeyHash {
    /// FNV-1a 64, as Kubernetes' `shardSelector` has it. Good for UIDs; names that differ in their last
    /// letters only fall into neighbouring slots.
    #[default]
    Fnv1a,
    /// XXH3-64: even for any text.
    Xxh3,
}

impl KeyHash {
    /// The key of `text`.
    #[must_use]
    #[inline]
    pub fn key(self, text: &[u8]) -> Key {
        match self {
            Self::Fnv1a => Key::from_hash(fnv1a_64(text)),
            Self::Xxh3 => Key::from_hash(xxh3_64(text)),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fnv1a => "fnv1a-64",
            Self::Xxh3 => "xxh3-64",
        }
    }
}

/// Who decides who owns what.
///
/// ```
/// use tenure::sharding::{Config, Mode, Sharder, Slots};
/// use tenure::time::Instant;
/// let few = Config {
///     mode: Mode::Leased,
///     slots: Slots::new(16)?,
///     ..Config::new("default", "controller", "controller-0", "6ba7b810")
/// };
/// let sharder = Sharder::new(few, 1, Instant::default()).unwrap();
/// assert!(sharder.until().is_none()); // it has not joined
/// # Ok::<(), tenure::sharding::SlotsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Nobody: each member computes it from the members it knows. The default.
    Ranked(Ranking),
    /// An elected leader, by a plan that it stores. Its lock is the Lease `<group>-leader`, the plan
    /// belongs into `<group>-plan`: no member may be called `leader` or `plan`.
    Planned(Policy),
    /// A lease for each slot: the slot belongs to whoever holds it. Costs a write for each slot in each
    /// retry period, and as many reads of each member that has no watch: for few slots. The lease of the
    /// slot i is called `<group>-slot-<i>`, so no member may be called `slot-<i>`.
    Leased,
}

/// How members are ranked for a slot. Only rankings that keep a slot from having two owners while
/// members know different things ([`Rationalizable`](crate::placement::Rationalizable)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ranking {
    /// [`Rendezvous`](crate::placement::Rendezvous) by weights: even, and scattered over many ranges.
    #[default]
    Rendezvous,
    /// A [`Ring`](crate::placement::Ring) in the order of the hash space, with this many points for each
    /// unit of weight: about as many ranges for each member, and shares the more uneven the fewer.
    Ring(NonZeroU32),
}

impl Config {
    /// The defaults, for this member of this group.
    #[must_use]
    pub fn new(
        namespace: impl Into<Arc<str>>,
        group: impl Into<Arc<str>>,
        member: impl Into<Member>,
        incarnation: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            namespace: namespace.into(),
            group: group.into(),
            member: member.into(),
            incarnation: incarnation.into(),
            lease_duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
            request_timeout: Duration::from_secs(5),
            drain_deadline: Duration::from_secs(30),
            generation: 1,
            slots: const {
                match Slots::new(1024) {
                    Ok(slots) => slots,
                    Err(_) => unreachable!(),
                }
            },
            hash: KeyHash::default(),
            mode: Mode::Ranked(Ranking::default()),
            distrust_deletion: false,
            collect_after: Duration::from_secs(600),
            rules: Rules::default(),
        }
    }

    /// Whether this can work.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn validate(&self) -> Result<(), ConfigError> {
        use ConfigError as E;
        let empty = [
            ("namespace", self.namespace.is_empty()),
            ("group", self.group.is_empty()),
            ("member", self.member.name().is_empty()),
            ("incarnation", self.incarnation.is_empty()),
        ];
        if let Some((field, _)) = empty.into_iter().find(|(_, empty)| *empty) {
            return Err(E::Empty { field });
        }
        if self.incarnation.contains('.') {
            return Err(E::Incarnation);
        }
        let (l, d, r) = (self.lease_duration, self.renew_deadline, self.retry_period);
        let long = [l, d, r, self.request_timeout, self.drain_deadline, self.collect_after];
        if let Some(long) = long.into_iter().find(|long| long.as_nanos() > u128::from(u64::MAX)) {
            return Err(E::TooLong { duration: long });
        }
        if l < Duration::from_secs(1) || l.subsec_nanos() != 0 {
            return Err(E::Lease { lease_duration: l });
        }
        if d >= l {
            return Err(E::Deadline { lease_duration: l, renew_deadline: d });
        }
        if r.is_zero() || r >= d {
            return Err(E::Retry { renew_deadline: d, retry_period: r });
        }
        if self.request_timeout.is_zero() {
            return Err(E::RequestTimeout);
        }
        if self.generation == 0 {
            return Err(E::Generation);
        }
        self.validate_names()?;
        match &self.mode {
            Mode::Ranked(_) => Ok(()),
            Mode::Planned(policy) => policy.validate(self.slots).map_err(E::Policy),
            Mode::Leased => super::leased::election(self, Slot::new(0)).validate().map_err(E::Lock),
        }
    }

    /// Whether a running member may go on with `next`: whatever others know it by stays.
    pub(super) fn allows(&self, next: &Self) -> Result<(), ConfigError> {
        let same = [
            ("namespace", self.namespace == next.namespace),
            ("group", self.group == next.group),
            ("member", self.member.name() == next.member.name()),
            ("incarnation", self.incarnation == next.incarnation),
        ];
        let other = same.into_iter().find(|(_, same)| !same);
        other.map_or(Ok(()), |(field, _)| Err(ConfigError::Fixed { field }))
    }

    /// Whether the record can be stored as a Lease that nothing else is called as.
    fn validate_names(&self) -> Result<(), ConfigError> {
        let process = self.incarnation.clone();
        let record = MemberRecord {
            member: self.member.clone(),
            state: State::Joining,
            incarnation: Incarnation { process, life: u32::MAX },
            acted_on: None,
            generation: self.generation(),
            lease_duration: self.lease_duration,
            joined: None,
            renewed: None,
        };
        let lease = record.to_lease(self.namespace.clone(), self.group.clone());
        let lease = lease.map_err(ConfigError::Record)?;
        let number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let of = match (&self.mode, self.member.name()) {
            (Mode::Planned(_), "leader") => "the lock of the leader",
            (Mode::Planned(_), "plan") => "the plan",
            (Mode::Leased, name) if name.strip_prefix("slot-").is_some_and(number) => {
                "the lease of a slot"
            }
            _ => return Ok(()),
        };
        let member = self.member.name().into();
        Err(ConfigError::Name { member, object: lease.metadata.name.clone(), of })
    }

    /// The number of this configuration and a hash of what all members of the group must agree on:
    /// slots, hash and mode.
    #[must_use]
    pub fn generation(&self) -> Generation {
        let mode = match &self.mode {
            Mode::Ranked(Ranking::Rendezvous) => "ranked/rendezvous".to_string(),
            Mode::Ranked(Ranking::Ring(points)) => alloc::format!("ranked/ring/{points}"),
            Mode::Planned(_) => "planned".to_string(),
            Mode::Leased => "leased".to_string(),
        };
        let text = alloc::format!("{}/{}/{mode}", self.slots.count(), self.hash.name());
        Generation { number: self.generation, fingerprint: xxh3_64(text.as_bytes()) }
    }

    /// By how much the faster of two clocks may outrun the other, in millionths: L / D.
    ///
    /// ```
    /// use core::time::Duration;
    /// use tenure::sharding::Config;
    /// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
    /// let seconds = Duration::from_secs;
    /// let config = Config { lease_duration: seconds(15), renew_deadline: seconds(10), ..config };
    /// assert_eq!(config.greatest_clock_ratio_ppm(), 1_500_000);
    /// ```
    #[must_use]
    pub fn greatest_clock_ratio_ppm(&self) -> u64 {
        let lease = u128::from(saturating_nanos(self.lease_duration)) * 1_000_000;
        let deadline = u128::from(saturating_nanos(self.renew_deadline)).max(1);
        u64::try_from(lease / deadline).unwrap_or(u64::MAX)
    }
}

/// A configuration that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigError {
    /// A text is empty.
    Empty {
        /// Which.
        field: &'static str,
    },
    /// The incarnation contains `.`.
    Incarnation,
    /// A duration is longer than the clock.
    TooLong {
        /// The duration.
        duration: Duration,
    },
    /// The lease duration is below a second, or no whole number of seconds.
    Lease {
        /// The lease duration.
        lease_duration: Duration,
    },
    /// The renew deadline is not less than the lease duration.
    Deadline {
        /// The lease duration.
        lease_duration: Duration,
        /// The renew deadline.
        renew_deadline: Duration,
    },
    /// The retry period is zero, or not less than the renew deadline.
    Retry {
        /// The renew deadline.
        renew_deadline: Duration,
        /// The retry period.
        retry_period: Duration,
    },
    /// The request time-out is zero.
    RequestTimeout,
    /// The generation is zero.
    Generation,
    /// Another mode than `ranked` needs ordered versions ([`Unordered`](super::Unordered)).
    Unordered,
    /// A running member was given the namespace, the group, the name or the incarnation of another one.
    Fixed {
        /// Which of these.
        field: &'static str,
    },
    /// A member that is leaving was given another configuration.
    Leaving,
    /// The member's record cannot be stored: the name of the group or of the member, the zone or the
    /// incarnation is none that a Lease can have.
    Record(RecordError),
    /// The member's record would have the name of something else of the group.
    Name {
        /// The member.
        member: Arc<str>,
        /// What both would be called.
        object: Arc<str>,
        /// What else is called so.
        of: &'static str,
    },
    /// The policy of the planned mode cannot be followed.
    Policy(super::planned::PolicyError),
    /// A slot cannot be locked with it (mode `leased`).
    Lock(election::ConfigError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { field } => write!(f, "{field} is empty: give it a name"),
            Self::Incarnation => f.write_str(
                "incarnation contains '.', which separates it from the number of the life: leave it out",
            ),
            Self::TooLong { duration } => write!(
                f,
                "{duration:?} is too long: a duration must be at most {:?}",
                Duration::from_nanos(u64::MAX)
            ),
            Self::Lease { lease_duration } => write!(
                f,
                "lease_duration is {lease_duration:?}: it must be a whole number of seconds, at least 1"
            ),
            Self::Deadline { lease_duration, renew_deadline } => write!(
                f,
                "renew_deadline must be less than lease_duration, or two members own a slot as soon as \
                 their clocks differ: renew_deadline is {renew_deadline:?}, lease_duration is \
                 {lease_duration:?}"
            ),
            Self::Retry { renew_deadline, retry_period } => write!(
                f,
                "retry_period must be greater than zero and less than renew_deadline: retry_period is \
                 {retry_period:?}, renew_deadline is {renew_deadline:?}"
            ),
            Self::RequestTimeout => f.write_str("request_timeout is 0: it must be greater"),
            Self::Generation => f.write_str("generation is 0: generations count from 1"),
            Self::Unordered => f.write_str(
                "mode: without ordered versions only Ranked works: take that, or keep a counter for the \
                 whole group in the store",
            ),
            Self::Fixed { field } => write!(
                f,
                "{field} is not that of the running member: leave it as it is, or let this member leave \
                 and start another one"
            ),
            Self::Leaving => f.write_str(
                "the member is leaving and takes no other configuration: start another one with it",
            ),
            Self::Record(error) => error.fmt(f),
            Self::Name { member, object, of } => write!(
                f,
                "member is {member:?}: its record would be called {object}, which in this mode is {of}: \
                 give it another name"
            ),
            Self::Policy(error) => write!(f, "mode: {error}"),
            Self::Lock(error) => write!(f, "mode leased: {error}"),
        }
    }
}

impl error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, Mode};
    use crate::sharding::planned::Policy;

    /// Their records would be the locks.
    #[test]
    fn members_are_not_called_as_locks_are() {
        let planned = || Mode::Planned(Policy::default());
        for (name, mode, good) in [
            ("leader", planned(), false),
            ("leader-0", planned(), true),
            ("slot-0", planned(), true),
            ("slot-0", Mode::Leased, false),
            ("slot-1024", Mode::Leased, false),
            ("slot-0a", Mode::Leased, true),
            ("leader", Mode::Leased, true),
            ("leader", Mode::Ranked(super::Ranking::default()), true),
        ] {
            let config = Config { mode, ..Config::new("default", "group", name, "6ba7b810") };
            let refused = matches!(config.validate(), Err(ConfigError::Name { .. }));
            assert_eq!((config.validate().is_ok(), refused), (good, !good), "{name}");
        }
    }
}
