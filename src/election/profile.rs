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
/// ```
/// use tenure::election::Release;
/// assert!(Release::V1_14 < Release::Head);
/// assert_eq!(Release::ALL.len(), 8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Release {
    /// 1.14: the first with Leases and with release, which writes a record of nothing but the
    /// transitions. A failed update makes it forget the object. Candidates wait for their own
    /// lease duration.
    V1_14,
    /// 1.20: release writes a duration and times, too; a failed update keeps the object.
    V1_20,
    /// 1.27: candidates wait for the duration in the record.
    V1_27,
    /// 1.30: a leader renews without reading first.
    V1_30,
    /// 1.31: coordinated election; the record has a strategy and a preferred holder.
    V1_31,
    /// 1.34: release reads the lock first, but decides by what it had seen before.
    V1_34,
    /// 1.36: no try begins after the end of a cycle of renewing.
    V1_36,
    /// 32ce75a7 of July 2026: release tries again on conflict.
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
