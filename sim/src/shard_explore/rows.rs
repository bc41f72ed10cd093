//! The known worlds, and what is to be found in them.

use super::laws::{AUTHORITY, GENERATION, Law, STALE, TOKEN, WORK};
use super::rules::Rules;
use super::search::Outcome;
use crate::explore::Judgement;

/// A known world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name; that of a rule if it is the world without that rule.
    pub name: &'static str,
    /// What may happen in it, as text.
    pub text: &'static str,
    /// What is to be found.
    pub expected: Option<Law>,
    /// States, at most; enough to exhaust it unless `capped`.
    pub states: usize,
    /// It is larger than that.
    pub capped: bool,
    /// Steps to the violation in the model of the protocol, whose steps are coarser.
    pub model: u8,
}

impl Row {
    /// What may happen.
    ///
    /// # Panics
    /// Never, for a row of [`rows`]: their texts are right.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.text.parse().expect("the texts of known worlds are right")
    }

    /// What to make of `outcome`, if so many states were allowed.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome, states: usize) -> Judgement {
        let law = outcome.violation.as_ref().map(|found| found.law);
        let enough = outcome.exhausted || self.capped && states >= self.states;
        match (self.expected, law) {
            (expected, found) if expected == found && found.is_some() => Judgement::Expected,
            (None, None) if enough => Judgement::Expected,
            (_, None) if !outcome.exhausted => Judgement::Shallow,
            _ => Judgement::Unexpected,
        }
    }
}

const fn safe(name: &'static str, states: usize, text: &'static str) -> Row {
    Row { name, text, expected: None, states, capped: false, model: 0 }
}

const fn capped(name: &'static str, states: usize, text: &'static str) -> Row {
    Row { name, text, expected: None, states, capped: true, model: 0 }
}

const fn broken(name: &'static str, law: Law, model: u8, text: &'static str) -> Row {
    Row { name, text, expected: Some(law), states: 2_000_000, capped: false, model }
}

/// The worlds in which nothing is to be found.
const SAFE: &[Row] = &[
    safe("two-prompt", 1_000_000, "joins=2"),
    safe("two-prompt-3-2", 1_000_000, "lease=3 settled=1"),
    safe("two-prompt-rates-1:2", 1_000_000, "lease=4 rates=1:2 settled=2"),
    safe("two-prompt-rates-2:3", 2_000_000, "lease=6 deadline=4 timeout=4 rates=2:3 settled=2"),
    safe("two-prompt-4-slots", 1_000_000, "slots=4 settled=2"),
    safe("two-late-drivers", 1_000_000, "settled=2 slow=w0 late-drivers"),
    safe("two-slow-writes", 6_000_000, "settled=2 slow=ww"),
    safe("two-slow-reads", 3_000_000, "settled=2 slow=r0"),
    safe("two-one-slow", 4_000_000, "lease=2 deadline=1 timeout=1 settled=1 slow=01"),
    capped("two-slow", 2_000_000, "lease=1 deadline=1 timeout=1 settled=1 slow=11"),
    capped("two-slow-2-2", 2_000_000, "settled=2 slow=11"),
    safe("two-crash", 2_000_000, "settled=2 joins=2 crashes=1 late-writes"),
    capped("two-leave-collect", 4_000_000, "settled=2 joins=2 leaves=1 collect=1 crashes=1"),
    safe("two-change", 2_000_000, "lease=2 deadline=1 timeout=1 settled=2 joins=2 changes=2"),
    capped("two-deletion-distrust", 2_000_000, "settled=2 joins=2 deletions=1 distrust"),
    safe("two-late-exclusions", 2_000_000, "settled=2 joins=2 slow=x0 late-writes"),
    capped("two-late-deletions", 2_000_000, "settled=2 joins=2 crashes=1 collect=1 slow=d0"),
    safe(
        "two-change-while-joining",
        2_000_000,
        "lease=2 deadline=1 timeout=1 settled=1 joins=2 changes=1 slow=0w",
    ),
    safe("two-joins-slowly", 2_000_000, "settled=1 slow=0w"),
    safe("two-generations", 1_000_000, "settled=1 joins=2 newer=1"),
    safe("two-watch", 1_000_000, "lease=1 deadline=1 timeout=1 settled=2 watch=1"),
    capped("two-watch-fresh", 2_000_000, "settled=1 watch=1 fresh"),
    capped("three-prompt", 2_000_000, "rates=1:1:1 slots=4 lease=1 deadline=1 timeout=1"),
    capped(
        "three-settled",
        8_000_000,
        "rates=1:1:1 slots=4 settled=3 lease=1 deadline=1 timeout=1",
    ),
    safe("planned-1-1", 1_000_000, "plans=2 slots=1 settled=2 lease=1 deadline=1 timeout=1"),
    safe("planned-from-nothing", 2_500_000, "plans=2 slots=1 joins=2 lease=1 deadline=1 timeout=1"),
    safe(
        "planned-slow-plans",
        4_500_000,
        "plans=2 slots=1 settled=2 slow=p0 lease=1 deadline=1 timeout=1",
    ),
    safe("planned-generations", 3_500_000, "plans=1 slots=1 settled=1 joins=2 newer=1"),
    safe(
        "planned-crash",
        5_000_000,
        "plans=1 slots=1 settled=2 joins=2 crashes=1 late-writes lease=1 deadline=1 timeout=1",
    ),
    safe(
        "planned-watch",
        3_500_000,
        "plans=1 slots=1 settled=2 watch=1 lease=1 deadline=1 timeout=1",
    ),
    safe("three-one-slot", 2_000_000, "rates=1:1:1 slots=1 settled=2 lease=1 deadline=1 timeout=1"),
    safe("planned-2-2", 3_500_000, "plans=1 slots=1 settled=2"),
    capped("planned-2-2-twice", 1_500_000, "plans=2 slots=1 settled=2"),
    // Second defences: without these rules nothing goes wrong, see the documentation.
    capped("own-missing", 1_000_000, "settled=2 deletions=1 distrust without=own-missing"),
    safe(
        "joiner-lapses",
        1_000_000,
        "lease=1 deadline=1 timeout=1 settled=1 joins=2 slow=0w without=joiner-lapses",
    ),
];

/// The worlds in which something is to be found: beyond the bound of the clocks, and without a rule.
const BROKEN: &[Row] = &[
    broken("beyond-the-bound", AUTHORITY, 5, "lease=4 deadline=3 rates=1:2 settled=2"),
    broken("deadline-beyond-lease", AUTHORITY, 6, "deadline=3 settled=2"),
    broken("join-wait", AUTHORITY, 4, "settled=1 without=join-wait"),
    broken("drain-before-ack", WORK, 8, "settled=1 without=drain-before-ack"),
    broken("count-draining", WORK, 4, "settled=2 leaves=1 without=count-draining"),
    broken("wait-lease", AUTHORITY, 12, "settled=1 without=wait-lease"),
    broken("send-time", AUTHORITY, 13, "settled=2 slow=w0 without=send-time"),
    broken("late-answer", TOKEN, 11, "settled=2 slow=w0 late-drivers without=late-answer"),
    broken("clock", AUTHORITY, 0, "settled=2 late-drivers without=clock"),
    broken(
        "exclusion-version",
        AUTHORITY,
        11,
        "settled=2 joins=2 slow=0x without=exclusion-version",
    ),
    broken("exclusion-answer", WORK, 11, "settled=2 slow=0x without=exclusion-answer"),
    broken("exclusion-newer", AUTHORITY, 17, "settled=2 joins=3 slow=0x without=exclusion-newer"),
    broken(
        "conflict-is-no-exclusion",
        AUTHORITY,
        11,
        "settled=2 joins=3 slow=0x without=conflict-is-no-exclusion",
    ),
    broken("newer-counts", AUTHORITY, 13, "settled=2 joins=2 without=newer-counts"),
    broken("activation-read", WORK, 11, "settled=1 joins=2 slow=0r without=activation-read"),
    broken(
        "views-forward",
        AUTHORITY,
        13,
        "lease=1 deadline=1 timeout=1 settled=2 watch=1 slow=r0 without=views-forward",
    ),
    broken(
        "absence-waits",
        AUTHORITY,
        5,
        "settled=2 joins=2 deletions=1 distrust without=absence-waits",
    ),
    broken(
        "stop-to-change",
        AUTHORITY,
        4,
        "deadline=1 timeout=1 settled=2 changes=1 joins=2 without=stop-to-change",
    ),
    broken("lost-renewal", AUTHORITY, 10, "settled=2 slow=w0 without=lost-renewal"),
    broken("token-after-read", TOKEN, 16, "settled=1 slow=0w without=token-after-read"),
    broken("since", AUTHORITY, 7, "plans=2 slots=1 settled=2 without=since"),
    broken(
        "members-after-plan",
        AUTHORITY,
        12,
        "plans=1 slots=1 settled=2 without=members-after-plan",
    ),
    broken(
        "plan-acknowledged",
        AUTHORITY,
        0,
        "plans=1 slots=1 settled=2 without=plan-acknowledged",
    ),
    broken(
        "planned-drain-before-ack",
        WORK,
        0,
        "plans=1 slots=1 settled=2 without=drain-before-ack",
    ),
    broken(
        "planned-count-draining",
        WORK,
        0,
        "plans=1 slots=1 settled=2 leaves=1 without=count-draining",
    ),
    broken("planned-wait-lease", AUTHORITY, 0, "plans=2 slots=1 settled=1 without=wait-lease"),
    broken(
        "planned-send-time",
        WORK,
        0,
        "plans=1 slots=1 settled=2 slow=w0 late-drivers without=send-time",
    ),
    broken(
        "planned-late-answer",
        TOKEN,
        0,
        "plans=1 slots=1 settled=2 slow=w0 late-drivers without=late-answer",
    ),
    broken(
        "planned-exclusion-version",
        AUTHORITY,
        0,
        "plans=1 slots=1 settled=2 joins=2 slow=0x without=exclusion-version",
    ),
    broken(
        "planned-exclusion-answer",
        AUTHORITY,
        0,
        "plans=1 slots=1 settled=2 joins=2 slow=0x without=exclusion-answer",
    ),
    broken("planned-clock", AUTHORITY, 0, "plans=1 slots=1 settled=2 late-drivers without=clock"),
    broken("planned-newer-counts", AUTHORITY, 0, "plans=1 slots=1 settled=2 without=newer-counts"),
    broken("echo", STALE, 0, "settled=1 watch=1 fresh without=echo"),
    broken("one-generation", GENERATION, 0, "settled=1 newer=1 joins=2 without=one-generation"),
];

/// All known worlds: first those in which nothing is to be found.
///
/// ```
/// use std::collections::BTreeSet;
/// use tenure_sim::explore::Judgement;
/// use tenure_sim::shard_explore::laws::{self, Law};
/// use tenure_sim::shard_explore::{Row, explore, rows};
///
/// let rows: Vec<Row> = rows();
/// let found: BTreeSet<Law> = rows.iter().filter_map(|row| row.expected).collect();
/// let laws = [laws::AUTHORITY, laws::WORK, laws::GENERATION, laws::STALE, laws::TOKEN];
/// assert_eq!(found, laws.into());
/// // Who joins waits before it acts. Without that rule two come to own a slot, within a few steps.
/// let row = rows.iter().find(|row| row.name == "join-wait").unwrap();
/// let outcome = explore(&row.rules(), 10_000, &mut |_, _| {});
/// assert_eq!(row.judge(&outcome, 10_000), Judgement::Expected);
/// ```
#[must_use]
pub fn rows() -> Vec<Row> {
    SAFE.iter().chain(BROKEN).cloned().collect()
}
