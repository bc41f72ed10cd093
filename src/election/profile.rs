//! Which rules an elector follows.

/// Which rules an [`Elector`](super::Elector) follows.
///
/// ```
/// use tenure::election::{Profile, Release};
/// assert_eq!(Profile::default(), Profile::Strict);
/// assert_eq!("client-go-v1.36".parse(), Ok(Profile::ClientGo(Release::V1_36)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// What a correct lease does. Two replicas never have authority at one instant while the rates
    /// of their monotonic clocks differ by at most `lease_duration / renew_deadline`, whatever the
    /// network and the scheduler do.
    #[default]
    Strict,
    /// What client-go of that release does, request by request, faults included: the yardstick, and
    /// for candidates that must not differ from the ones already running.
    ClientGo(Release),
}

/// A release of client-go whose elector differs from the one before, named as the Kubernetes release
/// that it belongs to. Each one stands for all releases up to the next: 1.20 for 1.20 to 1.26.
///
/// | | what changed, as far as it shows in requests, answers and events |
/// | --- | --- |
/// | [`V1_14`](Self::V1_14) | as of 1.19 |
/// | [`V1_20`](Self::V1_20) | release writes a duration and times; a failed update keeps the object |
/// | [`V1_27`](Self::V1_27) | candidates wait for the duration in the record; a failed read keeps the object |
/// | [`V1_30`](Self::V1_30) | a leader writes without reading first; release has a time-out |
/// | [`V1_31`](Self::V1_31) | strategy and preferred holder; coordinated election |
/// | [`V1_34`](Self::V1_34) | release reads first; tries while renewing are counted from the cycle's start |
/// | [`V1_36`](Self::V1_36) | no try at the very end of a cycle |
/// | [`Head`](Self::Head) | release tries again upon a conflict |
///
/// What no request, answer or event can show is not told apart: Kubernetes events ("stopped leading"
/// after each end of renewing since 1.27), metrics, locks around fields, which kinds of lock the
/// constructor still made (all kinds work under any release here, and so do labels, which client-go
/// has since 1.34), and that up to 1.27 it took an empty identity (refused here: it means nobody).
///
/// Where releases within one row differ: up to 1.16 records were compared by value, at a Lease's
/// microseconds, not as text (`MultiLock` came with the text, in 1.17); up to 1.17 a try had no
/// context and went on behind the back of the elector that had given it up. The failed read was mended
/// towards the end of the row of 1.20, the counting of tries in that of 1.31.
///
/// ```
/// use tenure::election::Release;
/// assert!(Release::V1_14 < Release::Head);
/// assert_eq!(Release::ALL.len(), 8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Release {
    /// 1.14 to 1.19: the first with Leases and with release, which writes a record of nothing but the
    /// transitions (a duration of 0, which the API refuses in a Lease). A failed call makes it forget
    /// the object, so that a release after it is not even sent. Candidates wait for their own lease
    /// duration, whatever the record says.
    V1_14,
    /// 1.20 to 1.26: release writes a duration of 1 s and times, too; a failed update keeps the object
    /// with what was to be written in it.
    V1_20,
    /// 1.27 to 1.29: candidates wait for the duration in the record, and a failed read keeps the
    /// object.
    V1_27,
    /// 1.30: a leader whose record is valid writes at once, over the version that it knows, and reads
    /// only when that fails. A release is given up after a renew deadline; before, only a
    /// [`request_timeout`](super::Config::request_timeout) ended it.
    V1_30,
    /// 1.31 to 1.33: coordinated election. The record has a strategy and a preferred holder, which
    /// earlier releases neither read nor write nor compare: they drop them with each write.
    V1_31,
    /// 1.34 and 1.35: release reads the lock first, but decides by what it had seen before, so that it
    /// may clear its successor's record. While renewing, tries are due at whole retry periods after the
    /// cycle's first; before, after the first one's *end*, and a try that outlasted the next was not
    /// made up for.
    V1_34,
    /// 1.36: no try begins when a cycle of renewing has ended. Before, one whose turn came at that very
    /// instant could, and failed unsent; here the end goes first under each release.
    V1_36,
    /// 32ce75a7 of July 2026: release tries again upon a conflict, until it wins or a renew deadline
    /// has gone by.
    Head,
}

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Self; 8] = [
        Self::V1_14,
        Self::V1_20,
        Self::V1_27,
        Self::V1_30,
        Self::V1_31,
        Self::V1_34,
        Self::V1_36,
        Self::Head,
    ];

    /// The name of the profile that follows it.
    const fn profile_name(self) -> &'static str {
        match self {
            Self::V1_14 => "client-go-v1.14",
            Self::V1_20 => "client-go-v1.20",
            Self::V1_27 => "client-go-v1.27",
            Self::V1_30 => "client-go-v1.30",
            Self::V1_31 => "client-go-v1.31",
            Self::V1_34 => "client-go-v1.34",
            Self::V1_36 => "client-go-v1.36",
            Self::Head => "client-go-head",
        }
    }
}

/// The text is none of the known profiles.
///
/// ```
/// use tenure::election::{Profile, UnknownProfile};
/// assert_eq!("client-go".parse::<Profile>(), Err(UnknownProfile));
/// assert!(UnknownProfile.to_string().starts_with("unknown profile: use strict, client-go-v1.14, "));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownProfile;

impl core::fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("unknown profile: use strict")?;
        for (i, release) in Release::ALL.into_iter().enumerate() {
            let last = i + 1 == Release::ALL.len();
            write!(f, "{}{}", if last { " or " } else { ", " }, release.profile_name())?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownProfile {}

impl core::str::FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        if text == "strict" {
            return Ok(Self::Strict);
        }
        let mut releases = Release::ALL.into_iter();
        let release = releases.find(|release| release.profile_name() == text);
        release.map(Self::ClientGo).ok_or(UnknownProfile)
    }
}

impl core::fmt::Display for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Strict => "strict",
            Self::ClientGo(release) => release.profile_name(),
        })
    }
}
