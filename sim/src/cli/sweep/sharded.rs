//! `tenure sweep sharding/…`: many runs of a sharded group.

use core::fmt::Write as _;

use serde_json::json;
use tenure::election::Profile;

use super::SweepArgs;
use crate::cli::progress::Progress;
use crate::cli::{Refusal, output, sharding};
use crate::sharding::Scenario;
use crate::sharding::sweep::{Runs, Tally, sweep};

pub(super) fn run(scenario: &Scenario, args: &SweepArgs) -> Result<u8, Refusal> {
    if args.profile != Profile::Strict {
        return Err(Refusal::new("--profile: a sharded group has none: leave it out"));
    }
    let without = sharding::rules(&args.without)?;
    let (from, to) = (args.seeds.from, args.seeds.to);
    let progress = Progress::new(to - from, "runs");
    let tally =
        super::pool(args)?.install(|| sweep(scenario, &without, from..to, || progress.advance(1)));
    drop(progress);
    let tally = tally.map_err(Refusal::new)?;
    let status = match (tally.runs.violated, tally.runs.passed) {
        (1.., _) => 1,
        (0, 0) => 3,
        _ => 0,
    };
    let again = |seed: u64| {
        let mut again = format!("tenure run {}", scenario.name);
        for rule in &args.without {
            let _ = write!(again, " --without {rule}");
        }
        format!("{again} --seed {seed}")
    };
    if args.json {
        let found = tally.found.iter().map(|((check, rule), found)| {
            json!({
                "check": check,
                "rule": rule,
                "times": found.times,
                "runs": found.runs,
                "first_seed": found.first_seed,
                "first": found.first,
                "again": again(found.first_seed),
            })
        });
        output::print_json(&json!({
            "scenario": scenario.name,
            "without": args.without,
            "seeds": { "from": from, "to": to },
            "runs": tally.runs,
            "found": found.collect::<Vec<_>>(),
            "digest": tally.digest().to_string(),
            "exit_status": status,
        }))?;
    } else {
        output::print(text(scenario, args, &tally, again))?;
    }
    Ok(status)
}

fn text(
    scenario: &Scenario,
    args: &SweepArgs,
    tally: &Tally,
    again: impl Fn(u64) -> String,
) -> String {
    let Runs { all, passed, unknown, violated, crash, pause, conflict, loss, watch, fault } =
        tally.runs;
    let (from, last) = (args.seeds.from, args.seeds.to - 1);
    let mut text = format!("{}: {all} runs, seeds {from} to {last}\n", scenario.name);
    let _ = writeln!(text, "  {passed} passed, {violated} violated, {unknown} unknown\n");
    text.push_str("runs with\n");
    for (what, runs) in [
        ("a crash", crash),
        ("a pause", pause),
        ("a conflict", conflict),
        ("a lost message", loss),
        ("a watch", watch),
        ("a fault", fault),
    ] {
        let _ = writeln!(text, "  {what:<28}{runs:>9}");
    }
    text.push_str("\nwhat was found\n");
    if tally.found.is_empty() {
        text.push_str("  no violation\n");
    }
    for ((check, rule), found) in &tally.found {
        let _ = writeln!(text, "  {check}, {rule}: {} times in {} runs", found.times, found.runs);
        let _ = writeln!(text, "    first: {}", found.first.what);
        let _ = writeln!(text, "    again: {}", again(found.first_seed));
    }
    let _ = writeln!(text, "\ndigest {}", tally.digest());
    text
}
