//! `tenure margin --confirm`: the simulator on both sides of the bound.

use core::fmt::Write as _;

use serde_json::json;

use super::{MarginArgs, Refusal, output, ratio};
use crate::cli::progress::Progress;
use crate::margin::{Case, Confirmation};
use crate::time::Span;

pub(super) fn run(args: &MarginArgs) -> Result<u8, Refusal> {
    let cases = Case::all();
    let count = u64::try_from(cases.len()).unwrap_or(u64::MAX);
    let progress = Progress::new(count.saturating_mul(args.seeds), "runs");
    let mut confirmed = Vec::new();
    for case in cases {
        let outside = (args.seeds / 10).max(1);
        let confirmation = case.confirm(0..args.seeds, 0..outside, || progress.advance(1));
        confirmed.push((case, confirmation.map_err(Refusal::new)?));
    }
    drop(progress);
    let status = u8::from(!confirmed.iter().all(|(_, confirmation)| confirmation.confirms()));
    if args.json {
        output::print_json(&json(&confirmed, status))?;
    } else {
        output::print(text(&confirmed))?;
    }
    Ok(status)
}

fn answer(case: &Case) -> String {
    match case.conditions.answer {
        None => "any".to_owned(),
        Some(answer) => Span::from(answer).to_string(),
    }
}

fn text(confirmed: &[(Case, Confirmation)]) -> String {
    let mut text = String::from(
        "Directed runs a hundredth of the ratio of clock rates inside the bound, and a hundredth \
         outside.\n\n",
    );
    let _ = writeln!(
        text,
        "{:<16}{:<17}{:<27}{:>7}{:>7}  {:<26}outside, first seed",
        "profile", "configuration", "bound by", "answer", "ratio", "inside, two leaders"
    );
    for (case, found) in confirmed {
        let inside = match found.first_violated {
            None => format!("never in {} seeds", found.inside),
            Some(seed) => format!("{} of {}: seed {seed}", found.violated, found.inside),
        };
        let outside = found.found.map_or_else(
            || format!("NONE of {} seeds", found.outside),
            |seed| format!("two leaders with seed {seed}"),
        );
        let ratio =
            case.margin().max_ratio().map_or_else(|| "none".to_owned(), |ratio| ratio.to_string());
        let _ = writeln!(
            text,
            "{:<16}{:<17}{:<27}{:>7}{ratio:>7}  {inside:<26}{outside}",
            case.config.profile.to_string(),
            case.name,
            case.schedule.to_string(),
            answer(case),
        );
        if found.incomplete > 0 {
            let _ = writeln!(text, "    {} runs showed nothing", found.incomplete);
        }
    }
    let confirms = confirmed.iter().filter(|(_, found)| found.confirms()).count();
    let _ = writeln!(text, "\n{confirms} of {} bounds hold and are tight", confirmed.len());
    text
}

fn json(confirmed: &[(Case, Confirmation)], status: u8) -> serde_json::Value {
    let cases = confirmed.iter().map(|(case, found)| {
        json!({
            "profile": case.config.profile.to_string(),
            "configuration": case.name,
            "bound_by": case.schedule.to_string(),
            "answer": case.conditions.answer.map(Span::from),
            "max_ratio": ratio(case.margin().max_ratio()),
            "inside": { "seeds": found.inside, "violated": found.violated,
                "first_violated": found.first_violated },
            "outside": { "seeds": found.outside, "first_violated": found.found },
            "incomplete": found.incomplete,
            "confirms": found.confirms(),
        })
    });
    json!({ "cases": cases.collect::<Vec<_>>(), "exit_status": status })
}
