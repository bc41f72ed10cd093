//! `tenure scenarios`: what there is to run.

use core::fmt::Write as _;

use serde_json::json;
use tenure::election::{Profile, Release};

use super::{Refusal, output};
use crate::catalogue;
use crate::scenario::Scenario;
use crate::sharding;

/// List the scenarios: what each shows, and which checks find something under which profile.
#[derive(Debug, clap::Args)]
pub(super) struct ScenariosArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// The rules by which each scenario may be run.
fn profiles() -> impl Iterator<Item = Profile> {
    [Profile::Strict].into_iter().chain(Release::ALL.map(Profile::ClientGo))
}

/// Prints the list.
///
/// # Errors
/// Standard output does not work.
pub(super) fn run(args: &ScenariosArgs) -> Result<u8, Refusal> {
    if args.json {
        output::print_json(&json())?;
    } else {
        output::print(text())?;
    }
    Ok(0)
}

/// The checks, or rules, that are expected to find something under a profile.
fn expected(scenario: &Scenario, profile: Profile) -> Vec<String> {
    Scenario { profile, ..scenario.clone() }.expected().to_vec()
}

fn json() -> serde_json::Value {
    let scenarios = catalogue::all().map(|scenario| {
        let expect =
            profiles().map(|profile| (profile.to_string(), json!(expected(&scenario, profile))));
        json!({
            "name": scenario.name,
            "description": scenario.description,
            "expect": expect.collect::<serde_json::Map<_, _>>(),
        })
    });
    let sharding = sharding::catalogue::all().map(|scenario| {
        json!({
            "name": scenario.name,
            "description": scenario.description,
            "expect": scenario.expect,
        })
    });
    json!({
        "scenarios": scenarios.collect::<Vec<_>>(),
        "sharding": sharding.collect::<Vec<_>>(),
    })
}

fn text() -> String {
    let mut text = String::from(
        "What is expected: the checks, or rules of checks, that find something; - is none. `tenure run NAME` runs one.\n\n",
    );
    for scenario in catalogue::all() {
        let _ = writeln!(text, "{}", scenario.name);
        wrapped(&mut text, &scenario.description);
        for (whose, checks) in by_profile(&scenario) {
            let checks = if checks.is_empty() { "-".to_owned() } else { checks.join(", ") };
            let _ = writeln!(text, "    expected under {whose}: {checks}");
        }
        text.push('\n');
    }
    for scenario in sharding::catalogue::all() {
        let _ = writeln!(text, "{}", scenario.name);
        wrapped(&mut text, &scenario.description);
        let checks = &scenario.expect;
        let checks = if checks.is_empty() { "-".to_owned() } else { checks.join(", ") };
        let _ = writeln!(text, "    expected: {checks}\n");
    }
    text.push_str(
        "experiment\n    Three replicas of one controller and 2,291 objects: without election, with a \
         leader, and\n    sharded; cut off, crashed and paused in turn.\n",
    );
    text
}

/// What is expected, under strict and under client-go; by release where not all are the same.
fn by_profile(scenario: &Scenario) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let of = |release| expected(scenario, Profile::ClientGo(release));
    let mut rest = Release::ALL.as_slice();
    while let Some((&first, _)) = rest.split_first() {
        let count = rest.iter().take_while(|release| of(**release) == of(first)).count();
        let (same, others) = rest.split_at(count);
        rest = others;
        let name = match same {
            [one] => Profile::ClientGo(*one).to_string(),
            _ if count == Release::ALL.len() => "client-go".to_owned(),
            [one, .., last] => {
                format!("{} to {}", Profile::ClientGo(*one), Profile::ClientGo(*last))
            }
            [] => break,
        };
        groups.push((name, of(first)));
    }
    groups.insert(0, ("strict".to_owned(), expected(scenario, Profile::Strict)));
    groups
}

/// Adds lines of at most 96 letters, four of them blank at the beginning.
fn wrapped(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split_whitespace() {
        let letters = word.chars().count();
        if width == 0 || width + 1 + letters > 92 {
            text.push_str(if width == 0 { "    " } else { "\n    " });
            width = letters;
        } else {
            text.push(' ');
            width += 1 + letters;
        }
        text.push_str(word);
    }
    text.push('\n');
}
