//! What the bytes say: a configuration, and steps of one byte and what these need.

use core::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use tenure::election::{Config, Missing, Profile, Release};
use tenure::lock::lease::Entries;
use tenure::lock::{Kind, LockRef};

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// To the instant of `poll_timeout`, and `handle_timeout` there.
    Due,
    Wait(Span),
    /// `handle_timeout` now, due or not.
    Timeout,
    /// The store does what it is asked, and its answer arrives at once.
    Serve,
    /// The store does what it is asked; the answer will arrive later or never.
    ServeLate,
    /// The answer number so-and-so arrives, for the first time or again.
    Arrive(u8),
    /// An answer to a request that was never made.
    Foresee(Answer),
    /// Something else than the truth arrives for the outstanding request.
    Invent(Answer),
    /// Somebody writes an object of the lock, or deletes it.
    Write(Place, Option<Content>),
    /// Another candidate, or a coordinator, does something sensible.
    Rival(Place, Deed),
    /// A watch shows an object as it is.
    Watch(Place),
    /// A watch shows what was written so many writes ago.
    WatchOld(u8),
    WatchDeleted,
    /// A watch shows what never was.
    WatchInvented(Place, Content, Numbering),
    HandOver(Name),
    Poke,
    Stop,
    WorkStopped,
    /// The wall clock is set.
    SetClock(i64, u32),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Span {
    Nanos(u8),
    /// A part of the retry period, in 256ths.
    Retry(u8),
    /// A part of twice the lease duration, in 256ths.
    Lease(u8),
    Days(u8),
}

/// Which object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Second,
    /// All objects of the lock, one after the other.
    Each,
    /// One that has nothing to do with the lock.
    Elsewhere,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Take,
    Renew,
    Free,
    /// Frees it for somebody.
    FreeFor(bool),
    /// Says that it should have the lock.
    Wish,
    /// Names this replica the holder, as a coordinator does.
    Give,
    /// Asks the holder to let the lease run out.
    EndTerm,
    /// Adds a label.
    Touch,
}

#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Found(Place, Content, Numbering),
    /// Success, with the version that was to be overwritten.
    Unchanged,
    NotFound,
    AlreadyExists,
    Conflict,
    Other,
}

#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) holder: Name,
    pub(crate) seconds: Option<i32>,
    pub(crate) acquire_time: Option<(i64, u32)>,
    pub(crate) renew_time: Option<(i64, u32)>,
    pub(crate) transitions: Option<i32>,
    /// The annotation that says who should have the lock.
    pub(crate) preferred: Name,
    /// Stands in the annotation in place of a record, if the object has one.
    pub(crate) garbage: Option<String>,
    /// The object has no record at all.
    pub(crate) bare: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Name {
    Absent,
    Nobody,
    Me,
    Another,
    Unclaimed,
    Any(String),
}

#[derive(Debug, Clone)]
pub(crate) enum Numbering {
    /// The version that the store would give.
    Next,
    /// The one that it gave last.
    Last,
    Ordered(u64),
    Opaque(String),
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=63 => Self::Due,
            64..=135 => Self::Serve,
            136..=151 => Self::Wait(bytes.arbitrary()?),
            152..=155 => Self::Timeout,
            156..=165 => Self::ServeLate,
            166..=175 => Self::Arrive(bytes.arbitrary()?),
            176..=177 => Self::Foresee(bytes.arbitrary()?),
            178..=183 => Self::Invent(bytes.arbitrary()?),
            184..=186 => {
                let place = bytes.arbitrary()?;
                let deletes = bytes.arbitrary::<u8>()? < 96;
                Self::Write(place, if deletes { None } else { Some(bytes.arbitrary()?) })
            }
            187..=202 => Self::Rival(bytes.arbitrary()?, bytes.arbitrary()?),
            203..=222 => Self::Watch(bytes.arbitrary()?),
            223..=226 => Self::WatchOld(bytes.arbitrary()?),
            227..=228 => Self::WatchDeleted,
            229..=230 => {
                Self::WatchInvented(bytes.arbitrary()?, bytes.arbitrary()?, bytes.arbitrary()?)
            }
            231..=234 => Self::HandOver(bytes.arbitrary()?),
            235..=238 => Self::Poke,
            239 => Self::Stop,
            240..=252 => Self::WorkStopped,
            253..=255 => {
                let (seconds, nanos) = time(bytes)?;
                Self::SetClock(seconds, nanos)
            }
        })
    }
}

impl<'a> Arbitrary<'a> for Span {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let (which, much) = bytes.arbitrary::<(u8, u8)>()?;
        Ok(match which {
            0..=63 => Self::Nanos(much),
            64..=155 => Self::Retry(much),
            156..=251 => Self::Lease(much),
            252..=255 => Self::Days(much),
        })
    }
}

impl<'a> Arbitrary<'a> for Place {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=127 => Self::Each,
            128..=191 => Self::First,
            192..=247 => Self::Second,
            248..=255 => Self::Elsewhere,
        })
    }
}

impl<'a> Arbitrary<'a> for Deed {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=95 => Self::Take,
            96..=143 => Self::Renew,
            144..=167 => Self::Free,
            168..=183 => Self::FreeFor(bytes.arbitrary()?),
            184..=207 => Self::Wish,
            208..=231 => Self::Give,
            232..=243 => Self::EndTerm,
            244..=255 => Self::Touch,
        })
    }
}

impl<'a> Arbitrary<'a> for Answer {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=63 => Self::Found(bytes.arbitrary()?, bytes.arbitrary()?, bytes.arbitrary()?),
            64..=79 => Self::Unchanged,
            80..=119 => Self::NotFound,
            120..=151 => Self::AlreadyExists,
            152..=199 => Self::Conflict,
            200..=255 => Self::Other,
        })
    }
}

impl<'a> Arbitrary<'a> for Content {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let what = bytes.arbitrary::<u8>()?;
        Ok(Self {
            holder: bytes.arbitrary()?,
            seconds: number(bytes)?,
            acquire_time: if what & 1 > 0 { Some(time(bytes)?) } else { None },
            renew_time: if what & 2 > 0 { Some(time(bytes)?) } else { None },
            transitions: if what & 4 > 0 { number(bytes)? } else { None },
            preferred: if what & 0b1_1000 == 0 { bytes.arbitrary()? } else { Name::Absent },
            garbage: if what & 0b110_0000 == 0 { Some(bytes.arbitrary()?) } else { None },
            bare: what & 0b1100_0000 == 0b1100_0000,
        })
    }
}

impl<'a> Arbitrary<'a> for Name {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=95 => Self::Another,
            96..=159 => Self::Me,
            160..=191 => Self::Nobody,
            192..=215 => Self::Unclaimed,
            216..=231 => Self::Absent,
            232..=255 => Self::Any(bytes.arbitrary()?),
        })
    }
}

impl<'a> Arbitrary<'a> for Numbering {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match bytes.arbitrary::<u8>()? {
            0..=127 => Self::Next,
            128..=191 => Self::Last,
            192..=223 => Self::Ordered(bytes.arbitrary()?),
            224..=255 => Self::Opaque(bytes.arbitrary()?),
        })
    }
}

fn number(bytes: &mut Unstructured<'_>) -> Result<Option<i32>> {
    Ok(match bytes.arbitrary::<u8>()? {
        number @ 0..=127 => Some(i32::from(number) - 1),
        128..=191 => Some(15),
        192..=223 => None,
        224..=255 => Some(bytes.arbitrary()?),
    })
}

fn time(bytes: &mut Unstructured<'_>) -> Result<(i64, u32)> {
    match bytes.arbitrary::<u8>()? {
        seconds @ 0..=191 => Ok((seconds.into(), 0)),
        192..=255 => bytes.arbitrary(),
    }
}

/// One configuration of any kind, allowed or not.
pub(crate) fn config(bytes: &mut Unstructured<'_>) -> Result<Config> {
    let part = |whole: Duration, of_256: u8| whole * u32::from(of_256) / 256;
    let lease = Duration::from_millis(1_000 + u64::from(bytes.arbitrary::<u16>()?));
    let renew_deadline = part(lease, bytes.arbitrary()?);
    let retry_period = part(renew_deadline, bytes.arbitrary()?);
    let request_timeout = bytes.arbitrary::<Option<u8>>()?.map(|of| part(lease, of));
    let flags = bytes.arbitrary::<u16>()?;
    let flag = |bit: u32| flags & (1 << bit) > 0;
    let which = usize::from(bytes.arbitrary::<u8>()?);
    let release = Release::ALL.get(which).copied();
    let profile = release.map_or(Profile::Strict, Profile::ClientGo);
    let profile =
        if which >= 128 { Profile::ClientGo(*bytes.choose(&Release::ALL)?) } else { profile };
    let kinds = [Kind::Lease, Kind::ConfigMap, Kind::Endpoints];
    let lock = LockRef { kind: *bytes.choose(&kinds)?, ..LockRef::lease("default", "lock") };
    let secondary = if flag(0) {
        let mut secondary = LockRef { kind: *bytes.choose(&kinds)?, ..lock.clone() };
        if flag(1) {
            secondary.name = "lock-2".into();
        }
        if flag(2) {
            secondary.namespace = "elsewhere".into();
        }
        Some(secondary)
    } else {
        None
    };
    let mut labels = Entries::new();
    if flag(3) {
        labels.insert("app".into(), "fuzz".into());
    }
    let client_go = profile != Profile::Strict;
    let some = |what: bool, much: u8| what.then(|| part(renew_deadline, much));
    Ok(Config {
        lease_duration: lease,
        renew_deadline,
        retry_period,
        request_timeout,
        secondary,
        release_on_stop: flag(4),
        missing: if flag(5) { Missing::NewGroup } else { Missing::Wait },
        coordinated: flag(6) && (client_go || flag(7) && flag(8)),
        warn_before: some(flag(9), bytes.arbitrary()?),
        lock_delay: some(flag(10), bytes.arbitrary()?).unwrap_or_default(),
        preferred: flag(11) && flag(12),
        labels,
        profile,
        ..Config::new(lock, "me", "1")
    })
}
