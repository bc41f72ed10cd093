//! What may happen in a world.

use core::fmt;
use core::str::FromStr;

use tenure::election::{Missing, Profile};

use super::faults::Faults;
use crate::time::Span;

/// The most replicas that a world can have.
pub(super) const REPLICAS: usize = 3;

/// What may happen in a world: the replicas' configuration, what their clocks and the network do, and
/// how often which fault.
///
/// As text: words `key=value`, in any order; what is left out is as in [`Rules::default`].
///
/// ```
/// use tenure_sim::explore::{NoRules, Rules};
/// let rules: Rules = "lease=4s deadline=2s rates=1:2 faults=crash:1".parse().unwrap();
/// assert_eq!(rules.rates, [1, 2]);
/// assert_eq!(rules.to_string().parse(), Ok(rules));
/// let wrong: NoRules = "rates=1".parse::<Rules>().unwrap_err();
/// assert_eq!(
///     wrong.to_string(),
///     "rates=1: write two or three numbers from 1 to 9, one for each replica, as 1:2",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Rules {
    /// Which machine is explored.
    pub profile: Profile,
    /// The lease duration.
    pub lease: Span,
    /// The renew deadline.
    pub deadline: Span,
    /// The retry period. With a nanosecond a strict elector may try at each tick and between them.
    pub retry: Span,
    /// The request time-out, if there is one.
    pub timeout: Option<Span>,
    /// How long a tick lasts on a clock of rate 1.
    pub tick: Span,
    /// How many ticks a replica's clock goes at each tick; one for each replica.
    pub rates: Vec<u8>,
    /// How requests and answers travel.
    pub network: Network,
    /// The replica of which this holds; the others' requests are prompt. Of all if absent.
    pub faulty: Option<u8>,
    /// A write that was given up may still be applied, of three at most at a time.
    pub late_writes: bool,
    /// Who is stopped releases the lock.
    pub release: bool,
    /// What a strict elector does when there is no lock.
    pub missing: Missing,
    /// There is a lock at the beginning that nobody holds, else there is none.
    pub free: bool,
    /// The replicas' wall clocks stand still.
    pub frozen: bool,
    /// All replicas have the same name.
    pub one_name: bool,
    /// Which of the two objects carry the lock of each replica. There is one if nothing is said.
    pub locks: Vec<Lock>,
    /// Everybody may be shown what the store has, by a watch, at any time.
    pub watch: bool,
    /// The replica that should lead whenever it can.
    pub preferred: Option<u8>,
    /// How often which fault may happen.
    pub faults: Faults,
    /// What counts as a violation.
    pub sought: Sought,
}

impl Default for Rules {
    /// Two strict replicas with a lease and a deadline of two ticks, and requests that take any time.
    fn default() -> Self {
        Self {
            profile: Profile::Strict,
            lease: Span::from_secs(2),
            deadline: Span::from_secs(2),
            retry: Span::from_nanos(1),
            timeout: None,
            tick: Span::from_secs(1),
            rates: vec![1, 1],
            network: Network::Slow,
            faulty: None,
            late_writes: false,
            release: false,
            missing: Missing::Wait,
            free: true,
            frozen: false,
            one_name: false,
            locks: Vec::new(),
            watch: false,
            preferred: None,
            faults: Faults::default(),
            sought: Sought::TwoLeaders,
        }
    }
}

/// The objects of one replica's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// The first of two, or the only one.
    First,
    /// Both: it migrates from the first to the second.
    Both,
    /// The second of two.
    Second,
}

/// How requests and answers travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Requests are executed and answered before the next tick.
    Prompt,
    /// Or the request or the answer is lost.
    Lossy,
    /// Requests take any time to the store, answers none.
    SlowRequests,
    /// A leader's requests and answers take any time, all else none.
    SlowRenewals,
    /// Reads and their answers take any time, writes none.
    SlowReads,
    /// Requests and answers take any time, for ever included.
    Slow,
}

/// What counts as a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// Two lead.
    TwoLeaders,
    /// A release clears another's record.
    ForeignRelease,
    /// Two lead of whom neither is about to release the lock.
    Bystanders,
    /// One has seen another holder and still believes to lead.
    KnowingLeader,
}

const NETWORKS: [(&str, Network); 6] = [
    ("prompt", Network::Prompt),
    ("lossy", Network::Lossy),
    ("slow-requests", Network::SlowRequests),
    ("slow-renewals", Network::SlowRenewals),
    ("slow-reads", Network::SlowReads),
    ("slow", Network::Slow),
];
const SOUGHT: [(&str, Sought); 4] = [
    ("two-leaders", Sought::TwoLeaders),
    ("foreign-release", Sought::ForeignRelease),
    ("bystanders", Sought::Bystanders),
    ("knowing-leader", Sought::KnowingLeader),
];
const LOCKS: [(&str, Lock); 3] =
    [("first", Lock::First), ("both", Lock::Both), ("second", Lock::Second)];
const BOOLEANS: [(&str, bool); 2] = [("yes", true), ("no", false)];
const START: [(&str, bool); 2] = [("free", true), ("missing", false)];
const WALL: [(&str, bool); 2] = [("frozen", true), ("runs", false)];
const NAMES: [(&str, bool); 2] = [("one", true), ("own", false)];
const MISSING: [(&str, Missing); 2] = [("wait", Missing::Wait), ("new-group", Missing::NewGroup)];

fn word<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}

fn pick<T: Copy>(table: &[(&'static str, T)], text: &str) -> Result<T, String> {
    let words = || table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let found = table.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| format!("use one of {}", words()))
}

/// The name of a network, as in the text of [`Rules`].
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&NETWORKS, *self))
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile, lease, deadline, retry, tick, network, .. } = self;
        let rates = self.rates.iter().map(u8::to_string).collect::<Vec<_>>().join(":");
        write!(f, "profile={profile} lease={lease} deadline={deadline} retry={retry} ")?;
        match self.timeout {
            Some(timeout) => write!(f, "timeout={timeout} ")?,
            None => f.write_str("timeout=none ")?,
        }
        write!(f, "tick={tick} rates={rates} network={network} faulty=")?;
        match self.faulty {
            Some(replica) => write!(f, "{}", name(replica))?,
            None => f.write_str("all")?,
        }
        write!(f, " late-writes={}", word(&BOOLEANS, self.late_writes))?;
        write!(f, " release={}", word(&BOOLEANS, self.release))?;
        write!(f, " missing={}", word(&MISSING, self.missing))?;
        write!(f, " start={}", word(&START, self.free))?;
        write!(f, " wall={}", word(&WALL, self.frozen))?;
        write!(f, " names={}", word(&NAMES, self.one_name))?;
        let locks = self.locks.iter().map(|lock| word(&LOCKS, *lock)).collect::<Vec<_>>();
        let locks = if locks.is_empty() { "one".to_owned() } else { locks.join(":") };
        write!(f, " locks={locks} watch={}", word(&BOOLEANS, self.watch))?;
        write!(f, " preferred={}", self.preferred.map_or("none", name))?;
        write!(f, " faults={} sought={}", self.faults, word(&SOUGHT, self.sought))
    }
}

/// The text says no rules: which word, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRules(String);

impl fmt::Display for NoRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for NoRules {}

impl FromStr for Rules {
    type Err = NoRules;

    fn from_str(text: &str) -> Result<Self, NoRules> {
        let mut rules = Self::default();
        for word in text.split_whitespace() {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            rules.set(key, value).map_err(|remedy| NoRules(format!("{word}: {remedy}")))?;
        }
        rules.check()
    }
}

impl Rules {
    /// Sets one field from its text, or says what to write.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let span = || {
            let fits = |span: &Span| !span.is_zero() && *span <= Span::from_secs(100_000);
            let span = value.parse().ok().filter(fits);
            span.ok_or("write a duration from 1ns to 100000s, as 2s or 500ms")
        };
        match key {
            "profile" => self.profile = value.parse().map_err(|error| format!("{error}"))?,
            "lease" => self.lease = span()?,
            "deadline" => self.deadline = span()?,
            "retry" => self.retry = span()?,
            "timeout" if value == "none" => self.timeout = None,
            "timeout" => self.timeout = Some(span()?),
            "tick" => self.tick = span()?,
            "rates" => self.rates = rates(value)?,
            "network" => self.network = pick(&NETWORKS, value)?,
            "faulty" => self.faulty = faulty(value)?,
            "late-writes" => self.late_writes = pick(&BOOLEANS, value)?,
            "release" => self.release = pick(&BOOLEANS, value)?,
            "missing" => self.missing = pick(&MISSING, value)?,
            "start" => self.free = pick(&START, value)?,
            "wall" => self.frozen = pick(&WALL, value)?,
            "names" => self.one_name = pick(&NAMES, value)?,
            "locks" if value == "one" => self.locks = Vec::new(),
            "locks" => self.locks = locks(value)?,
            "watch" => self.watch = pick(&BOOLEANS, value)?,
            "preferred" if value == "none" => self.preferred = None,
            "preferred" => self.preferred = Some(replica(value).ok_or("use a, b, c or none")?),
            "faults" => self.faults = Faults::parse(value)?,
            "sought" => self.sought = pick(&SOUGHT, value)?,
            _ => {
                return Err("use profile, lease, deadline, retry, timeout, tick, rates, network, \
                            faulty, late-writes, release, missing, start, wall, names, locks, watch, \
                            preferred, faults or sought"
                    .to_owned());
            }
        }
        Ok(())
    }

    /// What single fields do not show.
    fn check(self) -> Result<Self, NoRules> {
        let refuse = |text: &str| Err(NoRules(text.to_owned()));
        if self.faulty.is_some_and(|replica| usize::from(replica) >= self.rates.len()) {
            return refuse("faulty=c: there are two replicas: use a, b or all");
        }
        if self.preferred.is_some_and(|replica| usize::from(replica) >= self.rates.len()) {
            return refuse("preferred=c: there are two replicas: use a, b or none");
        }
        if !self.locks.is_empty() && self.locks.len() != self.rates.len() {
            return refuse("locks: write as many as rates, one for each replica, as first:both");
        }
        let offered = self.watch
            || self.preferred.is_some()
            || self.faults.hand_overs > 0
            || self.faults.late_shows > 0;
        if offered && self.profile != Profile::Strict {
            return refuse(
                "watch, preferred, hand-over and late-show are of the strict elector: \
                 leave them out, or use profile=strict",
            );
        }
        if self.faults.late_shows > 0 && !self.watch {
            return refuse("faults=late-show: nothing is shown without a watch: add watch=yes");
        }
        if self.one_name && self.profile == Profile::Strict {
            return refuse(
                "names=one: a strict elector's name is its own: use a client-go profile",
            );
        }
        if self.sought != Sought::TwoLeaders && self.profile == Profile::Strict {
            return refuse("sought: with profile=strict everything is sought: leave it out");
        }
        Ok(self)
    }

    /// The request and its answer of this replica are handled before the next tick.
    pub(super) fn is_prompt(&self, replica: usize) -> bool {
        self.faulty.is_some_and(|faulty| usize::from(faulty) != replica)
    }

    /// The objects of a replica's lock.
    pub(super) fn lock(&self, replica: u8) -> Lock {
        self.locks.get(usize::from(replica)).copied().unwrap_or(Lock::First)
    }

    /// There are two objects.
    pub(super) fn has_two_objects(&self) -> bool {
        self.locks.iter().any(|lock| *lock != Lock::First)
    }

    /// The name of a replica's life, as it stands in a record.
    pub(super) fn holder(&self, replica: u8, life: u8) -> String {
        match self.profile {
            Profile::Strict => format!("{}_{life}", name(replica)),
            Profile::ClientGo(_) => name(if self.one_name { 0 } else { replica }).to_owned(),
        }
    }
}

/// The name of a replica.
pub(super) fn name(replica: u8) -> &'static str {
    ["a", "b", "c"].get(usize::from(replica)).copied().unwrap_or("?")
}

/// Of a name of a replica.
pub(super) fn replica(name: &str) -> Option<u8> {
    (0..3).find(|replica| self::name(*replica) == name)
}

fn rates(text: &str) -> Result<Vec<u8>, String> {
    let rates: Option<Vec<u8>> = text
        .split(':')
        .map(|rate| rate.parse().ok().filter(|rate| (1..10).contains(rate)))
        .collect();
    rates.filter(|rates| (2..=REPLICAS).contains(&rates.len())).ok_or_else(|| {
        "write two or three numbers from 1 to 9, one for each replica, as 1:2".to_owned()
    })
}

fn faulty(text: &str) -> Result<Option<u8>, String> {
    match replica(text) {
        None if text != "all" => Err("use a, b, c or all".to_owned()),
        found => Ok(found),
    }
}

fn locks(text: &str) -> Result<Vec<Lock>, String> {
    text.split(':').map(|lock| pick(&LOCKS, lock)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_comes_back_from_text_and_is_refused_where_it_means_nothing() {
        let text = "locks=both:second watch=yes preferred=b faults=hand-over:2,late-show:1";
        let rules: Rules = text.parse().unwrap();
        assert_eq!(rules.locks, [Lock::Both, Lock::Second]);
        assert_eq!(rules.to_string().parse(), Ok(rules));
        for (text, part) in [
            ("locks=first", "locks: write as many as rates"),
            ("locks=first:third", "use one of first, both, second"),
            ("preferred=c", "preferred=c: there are two replicas"),
            ("preferred=d", "use a, b, c or none"),
            ("faults=late-show", "add watch=yes"),
            ("faults=hand-over:1 profile=client-go-v1.36", "use profile=strict"),
            ("watch=yes profile=client-go-v1.36", "use profile=strict"),
        ] {
            let refusal = text.parse::<Rules>().unwrap_err().to_string();
            assert!(refusal.contains(part), "{text}: {refusal}");
        }
    }
}
