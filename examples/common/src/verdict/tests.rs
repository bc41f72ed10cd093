use super::{Rule, Verdict, judge};
use crate::evidence::{Act, Evidence, Write};

const MS: u64 = 1_000_000;

/// Ten terms of a second, each of another process than the one before: nothing is wrong with them.
fn good() -> Evidence {
    let mut evidence = Evidence::default();
    for term in 0..10_u64 {
        let who = format!("{}_{term}", if term % 2 == 0 { "a" } else { "b" });
        let revision = 10 + 10 * term;
        evidence.history.push(Write { revision, object: "lock".into(), holder: who.clone() });
        let revision = revision + 1;
        let holder = format!("{who}.1");
        evidence.history.push(Write { revision, object: format!("member-{who}"), holder });
        for act in 0..10 {
            let at = (1000 * term + 90 * act) * MS;
            for (thing, token) in [("leader", revision - 1), ("slot-3", revision)] {
                let (who, thing) = (who.clone(), thing.to_string());
                evidence.acts.push(Act { at, until: at + MS, who, thing, token });
            }
        }
    }
    evidence
}

fn judged(change: impl FnOnce(&mut Evidence)) -> Verdict {
    let mut evidence = good();
    change(&mut evidence);
    judge(&evidence)
}

/// `rule` is broken, and no other.
fn breaks(rule: Rule, change: impl FnOnce(&mut Evidence)) {
    let verdict = judged(change);
    let others: Vec<_> = verdict.violations.iter().filter(|v| v.rule != rule).collect();
    assert!(verdict.broken(rule) > 0 && others.is_empty(), "{verdict}");
    assert_eq!(verdict.status(), 1);
}

#[test]
fn a_good_run_is_good() {
    let verdict = judged(|_| {});
    assert_eq!((verdict.status(), verdict.acts), (0, 200), "{verdict}");
    assert_eq!(
        verdict.to_string(),
        "200 acts; leader: 9 hand-overs; slot: 9 hand-overs\nno two at once"
    );
}

#[test]
fn few_hand_overs_say_nothing() {
    assert_eq!(judge(&Evidence::default()).status(), 3);
    for (terms, status) in [(1, 3), (5, 3), (6, 0)] {
        let verdict = judged(|evidence| evidence.acts.retain(|act| act.at < 1000 * terms * MS));
        assert_eq!(verdict.status(), status, "{terms} terms: {verdict}");
    }
    // Those of one kind do not make up for those of another.
    let verdict = judged(|evidence| {
        evidence.acts.retain(|act| act.thing == "leader" || act.at < 5000 * MS);
    });
    assert_eq!(verdict.status(), 3);
}

#[test]
fn what_is_wrong_counts_in_short_runs_too() {
    let verdict = judged(|evidence| {
        evidence.acts.truncate(40);
        evidence.acts.iter_mut().for_each(|act| act.at %= 1000 * MS);
        evidence.acts.iter_mut().for_each(|act| act.until = act.at + 1);
    });
    assert_eq!(verdict.status(), 1);
    assert!(verdict.broken(Rule::TwoOwners) == 2, "{verdict}");
}

/// One act more of a leader that was replaced: at the very time of its successor's first.
#[test]
fn one_late_act_is_found() {
    breaks(Rule::TwoOwners, |evidence| {
        let last = evidence.acts.iter().rposition(|act| act.who == "a_0").unwrap();
        let late = Act { at: 1000 * MS, until: 1001 * MS, ..evidence.acts[last].clone() };
        evidence.acts.push(late);
    });
}

#[test]
fn an_act_at_the_end_of_the_right_is_beyond_it() {
    breaks(Rule::BeyondRight, |evidence| evidence.acts[7].until = evidence.acts[7].at);
}

#[test]
fn tokens_grow() {
    breaks(Rule::TokenBack, |evidence| {
        // Two terms swap their tokens, and their writes.
        for write in &mut evidence.history {
            if let "a_2" | "b_3" = &*write.holder {
                write.holder = if write.holder == "a_2" { "b_3".into() } else { "a_2".into() };
            }
        }
        for act in evidence.acts.iter_mut().filter(|act| act.thing == "leader") {
            act.token = match &*act.who {
                "a_2" => 40,
                "b_3" => 30,
                _ => act.token,
            };
        }
    });
}

#[test]
fn a_token_is_a_write_of_its_owner() {
    breaks(Rule::NoSuchWrite, |evidence| {
        evidence.history.retain(|write| write.revision != 50);
    });
    // Of another process, be it one whose name begins alike.
    for holder in ["b_3", "a_21", "-"] {
        breaks(Rule::NoSuchWrite, |evidence| evidence.history[4].holder = holder.into());
    }
}

#[test]
fn the_history_is_in_order() {
    breaks(Rule::HistoryBack, |evidence| evidence.history.swap(4, 7));
}

#[test]
fn lines_are_read_as_they_are_written() {
    let act: Act = "5 7 a_0 slot-3 11".parse().unwrap();
    let whole = Act { at: 5, until: 7, who: "a_0".into(), thing: "slot-3".into(), token: 11 };
    assert_eq!((act.name(), &act), ("a", &whole));
    for line in ["", "5 7 a_0 slot-3", "5 7 a_0 slot-3 x", "5 7 a_0 slot-3 11 12", "-5 7 a_0 b 1"] {
        let damage = line.parse::<Act>().unwrap_err();
        assert_eq!(damage.to_string(), "not of the form `at until who thing token`");
    }
    assert_eq!("3 lock -".parse::<Write>().unwrap().holder, "-");
    assert!("3 lock".parse::<Write>().is_err());
}
