//! The worlds to explore, and what is to be found in each.

use tenure::election::{Profile, Release};

use super::laws::{self, Law};
use super::offered::OFFERED;
use super::rules::Rules;
use super::search::Outcome;

/// A world, and what is to be found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub shows: &'static str,
    /// What may happen in it.
    pub rules: Rules,
    /// The law that is violated, if one is.
    pub expected: Option<Law>,
    /// Steps to which it is explored at least, if it is not exhausted: as many as the longest
    /// counterexample has that there is to find in a world of this kind.
    pub least: usize,
    /// Steps of the shortest counterexample in an independent model of the protocol, whose steps are
    /// finer; 0 if it has none or knows no such world.
    pub model: u16,
    /// How many states to explore if nobody says.
    pub states: usize,
}

/// Whether an exploration found what was to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It did.
    Expected,
    /// It found something else, or nothing where there is something.
    Unexpected,
    /// It found nothing, and did not look far enough for that to mean anything.
    Shallow,
}

impl Row {
    /// What to make of an exploration of this world.
    #[must_use]
    pub fn judge(&self, outcome: &Outcome) -> Judgement {
        let found = outcome.violation.as_ref().map(|violation| violation.law);
        let far = outcome.exhausted || outcome.steps >= self.least;
        match (self.expected, found) {
            (expected, found) if found.is_some() && found == expected => Judgement::Expected,
            (None, None) if far => Judgement::Expected,
            (_, None) if !far => Judgement::Shallow,
            _ => Judgement::Unexpected,
        }
    }
}

/// The longest counterexample of the strict profile below has 15 steps.
const STRICT_DEPTH: usize = 16;
/// The longest of client-go has 25.
const CLIENT_GO_DEPTH: usize = 26;

/// Lease, deadline, rates: the safe ones, on the edge or beyond it, and next to them ones outside;
/// and the steps of the model.
const STRICT: [(u8, u8, &str, u16); 8] = [
    (2, 2, "1:1", 0),
    (3, 2, "1:1", 0),
    (3, 3, "1:1", 0),
    (2, 3, "1:1", 27),
    (4, 2, "1:2", 0),
    (2, 2, "1:2", 24),
    (6, 4, "2:3", 0),
    (3, 4, "2:3", 24),
];
/// What may happen besides delay and loss.
const COLUMNS: [(&str, &str, &str); 4] = [
    ("delay", "", "any delay, any loss"),
    (
        "stop",
        "late-writes=yes release=yes faults=stop:1,pause:1",
        "and late writes, a stop with release, a pause",
    ),
    (
        "crash",
        "late-writes=yes release=yes faults=crash:1",
        "and late writes, a crash and a restart",
    ),
    ("delete", "release=yes faults=delete:2", "and two deletions"),
];
/// Three replicas, one of them with a bad network.
const THREE: [(u8, u8, &str, u16); 4] =
    [(2, 2, "1:1:1", 0), (4, 2, "1:2:1", 0), (2, 3, "1:1:1", 51), (2, 2, "1:2:1", 46)];

/// Others of the strict profile: name, rules, what is violated, what it shows.
const OUTSIDE: [(&str, &str, Option<Law>, &str); 3] = [
    (
        "strict-all-faults",
        "late-writes=yes release=yes faults=stop:1,crash:1,delete:1",
        None,
        "a stop, a crash and a deletion in one world, with late writes",
    ),
    (
        "strict-new-group",
        "lease=3s missing=new-group faults=delete:1",
        Some(laws::AUTHORITY),
        "who asserts a new group must be right: the lock was deleted under a leader",
    ),
    (
        "strict-edit",
        "lease=3s faults=edit:1",
        Some(laws::AUTHORITY),
        "a holder cleared by hand cannot be told from a release",
    ),
];

/// client-go's: name, rules, what is violated, the model's steps, what it shows.
const CLIENT_GO: [(&str, &str, Option<Law>, u16, &str); 25] = [
    (
        "v0",
        "lease=4s deadline=3s retry=2s network=lossy",
        Some(laws::BELIEF),
        23,
        "a partition: the deadline runs from the cycle's start, not from the last success",
    ),
    (
        "v1-renewal",
        "lease=3s deadline=2s retry=1s network=slow-renewals",
        Some(laws::BELIEF),
        0,
        "a renewal is answered late, and counts from the answer",
    ),
    (
        "v1-acquisition",
        "lease=3s deadline=2s retry=1s network=slow",
        Some(laws::BELIEF),
        24,
        "an acquisition is answered late, and counts from the answer",
    ),
    (
        "v2",
        "lease=3s deadline=2s retry=1s network=lossy release=yes sought=foreign-release",
        Some(laws::CLEARS),
        0,
        "a release reads the lock, and clears another's record",
    ),
    (
        "v2-three",
        "lease=2s deadline=1s retry=1s network=lossy release=yes rates=1:1:1 faulty=a sought=bystanders",
        Some(laws::BELIEF),
        60,
        "a third takes the lock that was cleared under the second",
    ),
    (
        "v2-prime",
        "lease=3s deadline=2s retry=1s network=prompt release=yes faults=stop:1",
        Some(laws::BELIEF),
        31,
        "the lock is released before the work is told to stop",
    ),
    (
        "v3",
        "lease=1500ms deadline=1s retry=500ms tick=500ms network=lossy",
        Some(laws::BELIEF),
        18,
        "1.5 s are recorded as 1 s",
    ),
    (
        "v3-zero",
        "lease=900ms deadline=500ms retry=250ms tick=250ms network=prompt",
        Some(laws::BELIEF),
        0,
        "0.9 s are recorded as 0 s",
    ),
    (
        "v4",
        "lease=3s deadline=2s retry=1s network=prompt faults=delete:1",
        Some(laws::BELIEF),
        16,
        "the lock is deleted, and another creates it at once",
    ),
    (
        "v5",
        "lease=3s deadline=2s retry=1s network=prompt faults=pause:1",
        Some(laws::BELIEF),
        31,
        "who wakes from a pause begins a new cycle with a whole deadline",
    ),
    (
        "v6",
        "lease=2s deadline=1s retry=750ms tick=250ms network=lossy",
        Some(laws::BELIEF),
        27,
        "renewals within one second look alike",
    ),
    (
        "v6-request-delay",
        "lease=3s deadline=2s retry=1s network=slow-requests",
        Some(laws::BELIEF),
        0,
        "the first renewal looks like the acquisition, and arrives late",
    ),
    (
        "v6-frozen",
        "lease=3s deadline=2s retry=1s network=prompt wall=frozen",
        Some(laws::BELIEF),
        0,
        "all renewals look alike: the holder's wall clock stands still",
    ),
    (
        "v7",
        "lease=3s deadline=2s retry=1s network=prompt faults=delete:1 sought=knowing-leader",
        Some(laws::KNOWS),
        0,
        "the loser has read another's record and goes on",
    ),
    (
        "one-name",
        "lease=3s deadline=2s retry=1s network=prompt names=one",
        Some(laws::BELIEF),
        0,
        "two processes with one identity",
    ),
    (
        "edit",
        "lease=3s deadline=2s retry=1s network=prompt faults=edit:1",
        Some(laws::BELIEF),
        0,
        "somebody clears the holder: the old leader is not stopped",
    ),
    (
        "multi-second",
        "lease=3s deadline=2s retry=1s network=prompt locks=both:second",
        Some(laws::BELIEF),
        0,
        "a MultiLock next to its second lock: only the first one's compare-and-swap protects",
    ),
    (
        "multi-skipped",
        "lease=3s deadline=2s retry=1s network=prompt locks=first:second",
        Some(laws::BELIEF),
        0,
        "a migration without the step between: they share no object",
    ),
    ("calm", "lease=3s deadline=2s retry=1s network=prompt", None, 0, "nothing goes wrong"),
    (
        "safe-partition",
        "lease=3s deadline=2s retry=1s network=lossy",
        None,
        0,
        "lost requests and answers alone: the lease is no shorter than deadline and retry",
    ),
    (
        "safe-late-reads",
        "lease=3s deadline=2s retry=1s network=slow-reads",
        None,
        0,
        "reads that take any time, both ways",
    ),
    (
        "safe-restart",
        "lease=3s deadline=2s retry=1s network=prompt faults=crash:1",
        None,
        0,
        "a crash, and a restart under the same name",
    ),
    (
        "safe-multi-first",
        "lease=3s deadline=2s retry=1s network=prompt locks=first:both",
        None,
        0,
        "a MultiLock next to its first lock",
    ),
    (
        "safe-multi",
        "lease=3s deadline=2s retry=1s network=prompt locks=both:both",
        None,
        0,
        "two with a MultiLock",
    ),
    (
        "safe-three",
        "lease=3s deadline=2s retry=1s network=lossy rates=1:1:1 faulty=a",
        None,
        0,
        "three replicas, one of which loses messages",
    ),
];

/// All of them: strict, then client-go's, named `client-go-…`.
///
/// ```
/// use std::collections::BTreeSet;
/// use tenure_sim::explore::laws::{self, Law};
/// use tenure_sim::explore::{Judgement, Row, explore, rows};
/// let rows: Vec<Row> = rows();
/// assert!(rows.iter().any(|row| row.name == "strict-2-2-1:1-delay" && row.expected.is_none()));
/// let found: BTreeSet<Law> = rows.iter().filter_map(|row| row.expected).collect();
/// let laws = [laws::AUTHORITY, laws::BELIEF, laws::CLEARS, laws::KNOWS, laws::TOKEN];
/// assert_eq!(found, laws.into());
/// let edited = rows.iter().find(|row| row.name == "strict-edit").unwrap();
/// let judged = |states| edited.judge(&explore(&edited.rules, states, &mut |_| {}));
/// assert_eq!((judged(edited.states), judged(9)), (Judgement::Expected, Judgement::Shallow));
/// ```
#[must_use]
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (lease, deadline, rates, model) in STRICT {
        for (column, more, shows) in COLUMNS {
            let name = format!("strict-{lease}-{deadline}-{rates}-{column}");
            rows.push(strict(name, (lease, deadline, rates, model), more, shows));
        }
    }
    for (lease, deadline, rates, model) in THREE {
        let name = format!("strict-{lease}-{deadline}-{rates}");
        let shows = "three replicas, one of them with any delay and loss";
        rows.push(strict(name, (lease, deadline, rates, model), "faulty=a", shows));
    }
    for (name, text, expected, shows) in OUTSIDE {
        let (rules, least) = (rules(Profile::Strict, text), STRICT_DEPTH);
        let (name, model, states) = (name.to_owned(), 0, STATES);
        rows.push(Row { name, shows, rules, expected, least, model, states });
    }
    for (name, text, beyond, least, shows) in OFFERED {
        rows.push(offered(name, 2, text, (None, least), shows));
        if beyond.is_some() {
            rows.push(offered(name, 3, text, (beyond, least), shows));
        }
    }
    for (name, text, expected, model, shows) in CLIENT_GO {
        let rules = rules(Profile::ClientGo(Release::V1_36), text);
        let (name, least, states) =
            (format!("client-go-{name}"), CLIENT_GO_DEPTH, CLIENT_GO_STATES);
        rows.push(Row { name, shows, rules, expected, least, model, states });
    }
    rows
}

/// Strict worlds end before that.
const STATES: usize = 40_000_000;
/// Those of two objects, watches and handing over are larger.
const OFFERED_STATES: usize = 2_500_000;
/// client-go's do not end: their time is not counted from now.
const CLIENT_GO_STATES: usize = 800_000;

fn offered(
    name: &str,
    deadline: u8,
    text: &str,
    (expected, least): (Option<Law>, usize),
    shows: &'static str,
) -> Row {
    let rules = rules(Profile::Strict, &format!("lease=2s deadline={deadline}s {text}"));
    let name = format!("strict-2-{deadline}-{name}");
    Row { name, shows, rules, expected, least, model: 0, states: OFFERED_STATES }
}

/// Safe if and only if lease over deadline is at least the ratio of the rates.
fn strict(name: String, of: (u8, u8, &str, u16), more: &str, shows: &'static str) -> Row {
    let (lease, deadline, rates, model) = of;
    let text = format!("lease={lease}s deadline={deadline}s rates={rates} {more}");
    let rules = rules(Profile::Strict, &text);
    let slow = rules.rates.iter().min().copied().unwrap_or(1);
    let fast = rules.rates.iter().max().copied().unwrap_or(1);
    let expected = (lease * slow < deadline * fast).then_some(laws::AUTHORITY);
    Row { name, shows, rules, expected, least: STRICT_DEPTH, model, states: STATES }
}

fn rules(profile: Profile, text: &str) -> Rules {
    format!("profile={profile} {text}").parse().expect("the rows above are rules")
}
