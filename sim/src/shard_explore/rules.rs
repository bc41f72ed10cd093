//! What may happen in a world.

use core::fmt;
use core::str::FromStr;

use tenure::sharding::Rule;

/// The most members of a world.
const MEMBERS: usize = 3;

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
    /// Reads of the plan.
    Plans,
    /// Deletions of old records.
    Deletions,
}

impl Slow {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            '0' => Self::None,
            '1' => Self::All,
            'r' => Self::Reads,
            'w' => Self::Writes,
            'x' => Self::Exclusions,
            'p' => Self::Plans,
            'd' => Self::Deletions,
            _ => return None,
        })
    }

    /// Whether requests of a kind are: 0 writes, 1 reads, 2 reads of the plan, 8 and on exclusions, 16
    /// and on deletions.
    ///
    /// A table and not a match: of that, inlined into a loop, rustc 1.95 made a table of jumps without
    /// the first arm (opt-level 1, `CARGO_INCREMENTAL=0`).
    pub(super) fn is(self, kind: u8) -> bool {
        const KINDS: [u32; 7] = [0, u32::MAX, 1 << 1, 1 << 0, 0xff00, 1 << 2, 0xff_0000];
        KINDS.get(self as usize).is_some_and(|kinds| kinds >> kind & 1 == 1)
    }
}

/// What may happen. Durations are in ticks.
///
/// As text, a word for each field that is not as in [`Rules::default`]: numbers, `slow=w0` with a letter
/// for each member (`0` none, `1` all, `r` reads, `w` writes, `x` exclusions, `p` reads of the plan, `d`
/// deletions), and words alone for what is either so or not.
///
/// ```
/// use tenure_sim::shard_explore::{NoRules, Rules, Slow};
/// let rules: Rules = "rates=1:2 lease=4 slow=w0 late-writes without=join-wait".parse().unwrap();
/// assert_eq!((rules.lease, rules.slow), (4, vec![Slow::Writes, Slow::None]));
/// let wrong: NoRules = "slots=3".parse::<Rules>().unwrap_err();
/// assert_eq!(wrong.to_string(), "slots=3: write 1, 2, 4 or 8");
/// ```
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
    /// In mode `planned`, how often a plan is stored, besides the one of the settled members; the mode
    /// is `ranked` if there is none. Who leads is not part of the world: a plan is stored over the last
    /// one, at any time, and may give any slot to anybody.
    pub plans: Option<u8>,
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
            deadline: 2,
            timeout: 2,
            slots: 2,
            plans: None,
            joins: 1,
            settled: 0,
            slow: vec![Slow::None; MEMBERS],
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
        let count = rules.rates.len();
        if rules.slow.len() < count {
            let few = "slow: write a letter for each member, as slow=wr0";
            return Err(NoRules(few.to_owned()));
        }
        if rules.changes > 0 && rules.deadline >= rules.lease {
            let refused = "changes: a configuration is taken only if deadline is less than lease";
            return Err(NoRules(refused.to_owned()));
        }
        if usize::from(rules.settled) > count {
            return Err(NoRules("settled: there are not so many members".to_owned()));
        }
        rules.slow.truncate(count);
        Ok(rules)
    }
}

impl Rules {
    /// Sets one field from its text, or says what to write.
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = |least| {
            let number = value.parse::<u8>().ok().filter(|number| (least..=20).contains(number));
            number.ok_or_else(|| format!("write a number from {least} to 20"))
        };
        match key {
            "rates" => self.rates = rates(value)?,
            "lease" => self.lease = number(1)?,
            "deadline" => self.deadline = number(1)?,
            "timeout" => self.timeout = number(1)?,
            "slots" => {
                let slots = value.parse().ok().filter(|slots| [1, 2, 4, 8].contains(slots));
                self.slots = slots.ok_or("write 1, 2, 4 or 8")?;
            }
            "plans" => self.plans = Some(number(0)?),
            "joins" => self.joins = number(1)?,
            "settled" => self.settled = number(0)?,
            "slow" => {
                let letters = value.chars().map(Slow::of).collect::<Option<Vec<_>>>();
                self.slow = letters.ok_or("write 0, 1, r, w, x, p or d for each member")?;
            }
            "late-writes" if value.is_empty() => self.late_writes = true,
            "late-drivers" if value.is_empty() => self.late_drivers = true,
            "watch" => self.watch = number(0)?,
            "fresh" if value.is_empty() => self.fresh = true,
            "distrust" if value.is_empty() => self.distrust = true,
            "collect" => self.collect = Some(number(1)?),
            "newer" => self.newer = Some(number(0)?),
            "crashes" => self.crashes = number(0)?,
            "leaves" => self.leaves = number(0)?,
            "changes" => self.changes = number(0)?,
            "deletions" => self.deletions = number(0)?,
            "without" => {
                let rule = Rule::ALL.into_iter().find(|rule| rule.name() == value);
                self.without = Some(rule.ok_or("write the name of a rule, as join-wait")?);
            }
            _ => {
                return Err(
                    "use rates, lease, deadline, timeout, slots, plans, joins, settled, slow, \
                            late-writes, late-drivers, watch, fresh, distrust, collect, newer, \
                            crashes, leaves, changes, deletions or without"
                        .to_owned(),
                );
            }
        }
        Ok(())
    }
}

fn rates(text: &str) -> Result<Vec<u8>, String> {
    let rates: Option<Vec<u8>> = text
        .split(':')
        .map(|rate| rate.parse().ok().filter(|rate| (1..10).contains(rate)))
        .collect();
    rates.filter(|rates| (1..=MEMBERS).contains(&rates.len())).ok_or_else(|| {
        "write one to three numbers from 1 to 9, one for each member, as 1:2".to_owned()
    })
}
