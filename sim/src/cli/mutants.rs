//! `tenure mutants`: is it noticed when a rule is left out?

use core::fmt::Write as _;

use serde_json::json;
use tenure::sharding::Rule;

use super::progress::Progress;
use super::sweep::Seeds;
use super::{Refusal, output};
use crate::mutants::{Detection, Row, detect};
use crate::sharding::{Scenario, catalogue};

/// Leave out each rule of the sharding protocol in turn, and print what notices it: in how many random runs,
/// and which scenario shows it at once.
///
/// Exits with 1 if more than five rules survive unnoticed.
#[derive(Debug, clap::Args)]
pub struct MutantsArgs {
    /// The seeds of the random runs.
    #[arg(long, value_name = "A..B", default_value = "0..100")]
    pub seeds: Seeds,
    /// How many threads; one for each processor if absent. What comes out does not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// The random runs.
const SWARMS: [&str; 3] = ["sharding/swarm", "sharding/planned-swarm", "sharding/leased-swarm"];

/// No more than these may go unnoticed.
const SURVIVORS: usize = 5;

/// Prints the table.
///
/// # Errors
/// Threads or standard output do not work.
pub fn run(args: &MutantsArgs) -> Result<u8, Refusal> {
    let jobs = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| Refusal::new(format_args!("--jobs: {error}: use fewer")))?;
    let swarms: Vec<Scenario> = SWARMS.iter().filter_map(|name| catalogue::find(name)).collect();
    let progress = Progress::new(Rule::ALL.len() as u64, "rules");
    let mut rows = Vec::new();
    for rule in Rule::ALL {
        progress.note(rule.name());
        let seeds = args.seeds.from..args.seeds.to;
        let row = pool.install(|| detect(rule, &swarms, seeds));
        rows.push(row.map_err(Refusal::new)?);
        progress.advance(1);
    }
    drop(progress);
    let survivors = rows.iter().filter(|row| row.survives()).count();
    let status = u8::from(survivors > SURVIVORS);
    if args.json {
        output::print_json(&json!({
            "seeds": { "from": args.seeds.from, "to": args.seeds.to },
            "rules": rows,
            "survivors": survivors,
            "exit_status": status,
        }))?;
    } else {
        output::print(text(&rows, survivors))?;
    }
    Ok(status)
}

fn text(rows: &[Row], survivors: usize) -> String {
    let mut text = format!("{:<24}", "without");
    for name in SWARMS {
        let _ = write!(text, "{:<18}", name.trim_start_matches("sharding/"));
    }
    text.push_str("shown by\n");
    for row in rows {
        let _ = write!(text, "{:<24}", row.rule);
        for Detection { runs, hits, seeds_for_95, .. } in &row.swarms {
            let seeds = seeds_for_95.map_or_else(String::new, |seeds| format!(" ({seeds})"));
            let _ = write!(text, "{:<18}", format!("{hits} of {runs}{seeds}"));
        }
        match &row.shown_by {
            Some(Detection { scenario, first_seed, property, .. }) => {
                let seed = first_seed.map_or_else(String::new, |seed| seed.to_string());
                let property = property.as_deref().unwrap_or("what is expected is missing");
                let _ = writeln!(text, "{scenario}, seed {seed}: {property}");
            }
            None if row.survives() => text.push_str("nothing\n"),
            None => text.push_str("-\n"),
        }
    }
    let _ = writeln!(
        text,
        "\nIn brackets: with so many seeds it is found with a probability of 95 %. {survivors} rules are \
         noticed by nothing."
    );
    text
}
