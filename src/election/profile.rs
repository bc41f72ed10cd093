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

/// A release of client-go, named as the Kubernetes release that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Release {
    /// v0.36: release reads the lock first, but decides by what it had seen before.
    V1_36,
    /// 32ce75a7 of July 2026: as 1.36, and release tries again on conflict.
    Head,
}

/// The text is none of the known profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownProfile;

impl core::fmt::Display for UnknownProfile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("unknown profile: use strict, client-go-v1.36 or client-go-head")
    }
}

impl core::error::Error for UnknownProfile {}

impl core::str::FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        match text {
            "strict" => Ok(Self::Strict),
            "client-go-v1.36" => Ok(Self::ClientGo(Release::V1_36)),
            "client-go-head" => Ok(Self::ClientGo(Release::Head)),
            _ => Err(UnknownProfile),
        }
    }
}

impl core::fmt::Display for Profile {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Strict => "strict",
            Self::ClientGo(Release::V1_36) => "client-go-v1.36",
            Self::ClientGo(Release::Head) => "client-go-head",
        })
    }
}
