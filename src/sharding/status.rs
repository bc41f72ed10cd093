//! What a member does now, and what it waits for.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::Incarnation;
use crate::placement::Members;
use crate::time::Instant;

/// What a member does, why it stands by, and how fresh its knowledge is
/// ([`Sharder::status`](super::Sharder::status)): for a log line, a metric, a readiness probe.
///
/// ```
/// use tenure::sharding::{Config, Presence, Sharder, Wait};
/// use tenure::time::{Instant, Now, Timestamp};
/// let now = Now { instant: Instant::default(), timestamp: Timestamp::GO_ZERO };
/// let config = Config::new("default", "controller", "pod-0", "6ba7b810");
/// let mut member = Sharder::new(config, 7, now.instant)?;
/// member.handle_timeout(now);
/// let status = member.status(now.instant);
/// assert_eq!(status.presence, Presence::StandingBy(Wait::Read)); // it has asked who is there
/// assert_eq!(
///     status.to_string(),
///     "stands by: it waits for a read of all members; 0 members count, as seen at version 0; \
///      nothing read, nothing written",
/// );
/// # Ok::<(), tenure::sharding::ConfigError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Status {
    /// What it does.
    pub presence: Presence,
    /// The members that count, as far as it has seen; itself among them if it does.
    pub members: Members,
    /// Up to which version of the store it has seen everything.
    pub version: u64,
    /// How long ago the last read that succeeded was sent, or what is as good as one.
    pub read: Option<Duration>,
    /// How long ago, in this life, the last write of its own record that succeeded was sent.
    pub written: Option<Duration>,
    /// When its authority ends, as [`Sharder::until`](super::Sharder::until) says.
    pub until: Option<Instant>,
}

/// Whether a member takes part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It takes part: what it [owns](super::Sharder::owned) may be nothing all the same.
    Active,
    /// It gives everything away, to leave or to change its configuration.
    Stopping,
    /// It has joined, and takes part as soon as what it waits for has come.
    Joining(Wait),
    /// It has not joined, or not again.
    StandingBy(Wait),
    /// It has left.
    Left,
}

/// What a member waits for that does not take part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wait {
    /// Nothing but its turn to write, or an answer.
    Turn,
    /// A read of all members: none has succeeded for the renew deadline, or none since a write failed.
    Read,
    /// Work from before to be reported as [drained](super::Sharder::drained), or its leases to be given
    /// back.
    Work,
    /// These members to acknowledge that it has joined.
    Acknowledgement(Vec<Arc<str>>),
    /// These members to leave: they run another configuration ([`Config::generation`]).
    ///
    /// [`Config::generation`]: super::Config::generation()
    Configuration(Vec<Arc<str>>),
    /// Another process of its name to leave, or to be excluded.
    Namesake(Incarnation),
    /// That nobody can be at work whose record was deleted before it could see it
    /// ([`Config::distrust_deletion`](super::Config::distrust_deletion)), until then.
    Distrust(Instant),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.members.len();
        let members = if count == 1 { "member counts" } else { "members count" };
        write!(f, "{}; {count} {members}, as seen at version {}; ", self.presence, self.version)?;
        age(f, "read", self.read)?;
        f.write_str(", ")?;
        age(f, "written", self.written)
    }
}

fn age(f: &mut fmt::Formatter<'_>, what: &str, age: Option<Duration>) -> fmt::Result {
    match age {
        Some(age) => write!(f, "{what} {}.{} s ago", age.as_secs(), age.subsec_millis() / 100),
        None => write!(f, "nothing {what}"),
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => f.write_str("takes part"),
            Self::Stopping => f.write_str("gives everything away"),
            Self::Joining(wait) => write!(f, "joins: it waits for {wait}"),
            Self::StandingBy(wait) => write!(f, "stands by: it waits for {wait}"),
            Self::Left => f.write_str("has left"),
        }
    }
}

impl fmt::Display for Wait {
    /// As it goes on after "waits for".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn => f.write_str("its turn to write, or an answer"),
            Self::Read => f.write_str("a read of all members"),
            Self::Work => f.write_str("work from before to end"),
            Self::Acknowledgement(members) => {
                write!(f, "{} to acknowledge that it has joined", Names(members))
            }
            Self::Configuration(members) => {
                write!(f, "{} to leave, of another configuration", Names(members))
            }
            Self::Namesake(incarnation) => {
                write!(f, "another process of its name to end: {incarnation}")
            }
            Self::Distrust(_) => f.write_str("members whose records it may have missed"),
        }
    }
}

/// Names, as in a sentence; of many the first.
pub(super) struct Names<'a>(pub(super) &'a [Arc<str>]);

/// How many are named.
const NAMED: usize = 5;

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().take(NAMED).enumerate() {
            let and = match at {
                0 => "",
                _ if at + 1 == self.0.len() => " and ",
                _ => ", ",
            };
            write!(f, "{and}{name}")?;
        }
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
