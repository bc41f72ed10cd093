//! The judge: did two act on one thing at one time, and was each entitled to it?

use std::collections::BTreeMap;
use std::fmt;

use crate::evidence::{Act, Evidence, Write};

/// With fewer changes of hands than these nothing was tried that could have failed.
pub const FEWEST_HAND_OVERS: usize = 5;

/// What is told of each rule; all violations are counted.
const TOLD: usize = 5;

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Two processes act on one thing, each before the other one's last act.
    TwoOwners,
    /// An act after the right to it had ended.
    BeyondRight,
    /// A later owner has a smaller token, or that of another.
    TokenBack,
    /// A token that is no write of its owner's.
    NoSuchWrite,
    /// The store's versions are not in order.
    HistoryBack,
}

/// A rule that was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// How, in words.
    pub what: String,
}

/// What the evidence comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How many acts there were.
    pub acts: usize,
    /// How often things of a kind (`leader`, `slot`) went from one process to another.
    pub hand_overs: BTreeMap<String, usize>,
    /// What was wrong.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// 0: all is well; 1: a rule was broken; 3: unknown, since too little happened.
    #[must_use]
    pub fn status(&self) -> u8 {
        let few = self.hand_overs.is_empty()
            || self.hand_overs.values().any(|count| *count < FEWEST_HAND_OVERS);
        match (self.violations.is_empty(), few) {
            (false, _) => 1,
            (true, true) => 3,
            (true, false) => 0,
        }
    }

    /// How often `rule` was broken.
    #[must_use]
    pub fn broken(&self, rule: Rule) -> usize {
        self.violations.iter().filter(|violation| violation.rule == rule).count()
    }

    fn add(&mut self, rule: Rule, what: String) {
        self.violations.push(Violation { rule, what });
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} acts", self.acts)?;
        for (kind, count) in &self.hand_overs {
            write!(f, "; {kind}: {count} hand-overs")?;
        }
        writeln!(f)?;
        let mut told = BTreeMap::new();
        for Violation { rule, what } in &self.violations {
            let count = told.entry(*rule).or_insert(0_usize);
            *count += 1;
            if *count <= TOLD {
                writeln!(f, "VIOLATION {rule:?}: {what}")?;
            }
        }
        for (rule, count) in told.iter().filter(|(_, count)| **count > TOLD) {
            writeln!(f, "{rule:?}: {} more", count - TOLD)?;
        }
        match self.status() {
            0 => write!(f, "no two at once"),
            1 => write!(f, "{} violations", self.violations.len()),
            _ => write!(
                f,
                "unknown: each kind must change hands at least {FEWEST_HAND_OVERS} times: let it run \
                 longer, and pause, kill and end more workers"
            ),
        }
    }
}

/// All acts of one process on one thing with one token.
struct Term<'a> {
    who: &'a str,
    token: u64,
    first: u64,
    last: u64,
}

/// Judges a run. What is wrong is found by what was written down alone, whatever rule was left out.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict { acts: evidence.acts.len(), ..Verdict::default() };
    let mut things: BTreeMap<&str, Vec<&Act>> = BTreeMap::new();
    for act in &evidence.acts {
        things.entry(&act.thing).or_default().push(act);
        if act.at >= act.until {
            let late = millis(act.at - act.until);
            let what = format!("{} on {}, {late} after its right had ended", act.who, act.thing);
            verdict.add(Rule::BeyondRight, what);
        }
    }
    let writes = writes(&evidence.history, &mut verdict);
    for (thing, acts) in things {
        let terms = terms(&acts);
        let kind = thing.split('-').next().unwrap_or(thing).to_string();
        let changes = terms.windows(2).filter(|pair| matches!(pair, [a, b] if a.who != b.who));
        *verdict.hand_overs.entry(kind).or_default() += changes.count();
        judge_terms(thing, &terms, &mut verdict);
        for term in &terms {
            judge_token(thing, term, &writes, &mut verdict);
        }
    }
    verdict
}

/// In the order of their first acts.
fn terms<'a>(acts: &[&'a Act]) -> Vec<Term<'a>> {
    let mut terms: BTreeMap<(&str, u64), Term<'a>> = BTreeMap::new();
    for act in acts {
        let new = || Term { who: &act.who, token: act.token, first: act.at, last: act.at };
        let term = terms.entry((&act.who, act.token)).or_insert_with(new);
        (term.first, term.last) = (term.first.min(act.at), term.last.max(act.at));
    }
    let mut terms: Vec<_> = terms.into_values().collect();
    terms.sort_by_key(|term| term.first);
    terms
}

fn judge_terms(thing: &str, terms: &[Term<'_>], verdict: &mut Verdict) {
    for (number, later) in terms.iter().enumerate() {
        for earlier in terms.iter().take(number) {
            let (a, b) = (earlier.who, later.who);
            if a != b && later.first <= earlier.last {
                let both = millis(earlier.last.min(later.last) - later.first);
                let what = format!("{a} and {b} both act on {thing}, for {both} at least");
                verdict.add(Rule::TwoOwners, what);
            }
            if later.token <= earlier.token {
                let (old, new) = (earlier.token, later.token);
                let what = format!("{thing}: {b} has token {new}, {a} before had {old}");
                verdict.add(Rule::TokenBack, what);
            }
        }
    }
}

/// The store's writes by revision, and whether they are in order.
fn writes<'a>(history: &'a [Write], verdict: &mut Verdict) -> BTreeMap<u64, &'a Write> {
    for pair in history.windows(2) {
        if let [earlier, later] = pair
            && later.revision <= earlier.revision
        {
            let what = format!("{} comes after {}", later.revision, earlier.revision);
            verdict.add(Rule::HistoryBack, what);
        }
    }
    history.iter().map(|write| (write.revision, write)).collect()
}

/// The token of a right is the version of a write of its owner's, which names it: a leader's of the
/// lock, a slot's of the own record.
fn judge_token(
    thing: &str,
    Term { who, token, .. }: &Term<'_>,
    writes: &BTreeMap<u64, &Write>,
    verdict: &mut Verdict,
) {
    let what = match writes.get(token) {
        Some(write) if is_of(&write.holder, who) => return,
        Some(Write { object, holder, .. }) => {
            format!("{thing}: {who} has token {token}, a write of {object} that names {holder}")
        }
        None => format!("{thing}: {who} has token {token}, which is no write"),
    };
    verdict.add(Rule::NoSuchWrite, what);
}

/// Whether a record's holder is this process; a member's has the number of its life behind.
fn is_of(holder: &str, who: &str) -> bool {
    let rest = holder.strip_prefix(who);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn millis(nanos: u64) -> String {
    format!("{} ms", nanos / 1_000_000)
}

#[cfg(test)]
mod tests;
