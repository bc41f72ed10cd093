//! Which scenario is meant: by name or from a file, of an election or of a sharded group.

use core::fmt::Write as _;
use std::path::{Path, PathBuf};

use tenure::election::{Profile, UnknownProfile};

use super::Refusal;
use super::file::File;
use crate::check::Checks;
use crate::left_out::Rule;
use crate::nearest::nearest;
use crate::scenario::Scenario;
use crate::{catalogue, sharding};

/// A scenario of either world, and what to change in it.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// A scenario that `tenure scenarios` lists.
    #[arg(value_name = "NAME", conflicts_with = "scenario")]
    pub(super) name: Option<String>,
    /// The scenario in this file instead: JSON, or TOML if its name ends in .toml, as docs/simulation.md
    /// and `tenure schema` say.
    #[arg(long, value_name = "FILE")]
    pub(super) scenario: Option<PathBuf>,
    /// The rules that the replicas of an election follow: strict, client-go-head, or client-go-v1.36
    /// and other releases; by default what the scenario says.
    #[arg(long)]
    pub(super) profile: Option<Profile>,
    /// A rule of the election or the sharding protocol to be left out.
    #[arg(long, value_name = "RULE", help = without())]
    pub(super) without: Vec<String>,
}

fn without() -> String {
    format!(
        "Leave out this rule, to see which checks find it; may be repeated. Of elections: {}. Of sharded \
         groups: {}",
        of_elections().join(", "),
        of_groups().join(", "),
    )
}

/// A seed, for clap.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("write a number from 0 to {}", u64::MAX))
}

/// A scenario of one of the worlds.
#[derive(Debug)]
pub(super) enum Any {
    Election(Box<Scenario>),
    Sharded(Box<sharding::Scenario>),
}

impl Any {
    /// Whether there is such a check, or rule of one.
    pub(super) fn knows(&self, check: &str) -> Result<(), Refusal> {
        let (known, names): (bool, Vec<&str>) = match self {
            Self::Election(_) => (Checks::has(check), Checks::NAMES.to_vec()),
            Self::Sharded(_) => {
                use sharding::check::Checks;
                (Checks::has(check), Checks::RULES.iter().map(|(name, _)| *name).collect())
            }
        };
        if known {
            return Ok(());
        }
        let near = did_you_mean(check, &names);
        let names = names.join(", ");
        Err(Refusal::new(format_args!(
            "--check: {check:?} is no check, and no rule of one: {near}use {names}"
        )))
    }

    /// The seeds of a sweep that names none.
    pub(super) fn seeds(&self) -> u64 {
        match self {
            Self::Election(scenario) => scenario.seeds().unwrap_or(1_000),
            Self::Sharded(_) => 1_000,
        }
    }

    /// With which seed the scenario shows what it is kept for.
    pub(super) fn seed(&self) -> Option<u64> {
        match self {
            Self::Election(scenario) => scenario.seed,
            Self::Sharded(scenario) => scenario.seed,
        }
    }
}

impl Which {
    /// The scenario; the one called `default` if nothing is said.
    pub(super) fn any(&self, default: &str) -> Result<Any, Refusal> {
        let any = match &self.scenario {
            Some(path) => read(path)?,
            None => named(self.name.as_deref().unwrap_or(default))?,
        };
        match any {
            Any::Election(mut scenario) => {
                for name in &self.without {
                    let rule = Rule::named(name);
                    scenario.without.push(rule.ok_or_else(|| unknown(name, &of_elections()))?);
                }
                scenario.profile = self.profile.unwrap_or(scenario.profile);
                Ok(Any::Election(scenario))
            }
            Any::Sharded(mut scenario) => {
                if self.profile.is_some() {
                    return Err(Refusal::new("--profile: a sharded group has none: leave it out"));
                }
                for name in &self.without {
                    let rule = sharding_rule(name);
                    scenario.without.push(rule.ok_or_else(|| unknown(name, &of_groups()))?);
                }
                Ok(Any::Sharded(scenario))
            }
        }
    }

    /// The command that runs it again with a seed.
    pub(super) fn again(&self, any: &Any, seed: u64) -> String {
        format!("{} --seed {seed}", self.command(any))
    }

    /// The command that runs it again, but for the seed.
    pub(super) fn command(&self, any: &Any) -> String {
        let name = match any {
            Any::Election(scenario) => &scenario.name,
            Any::Sharded(scenario) => &scenario.name,
        };
        let mut again = match &self.scenario {
            Some(path) => format!("tenure run --scenario {}", quoted(path)),
            None => format!("tenure run {name}"),
        };
        if let Any::Election(scenario) = any {
            let _ = write!(again, " --profile {}", scenario.profile);
        }
        for rule in &self.without {
            let _ = write!(again, " --without {rule}");
        }
        again
    }

    /// What is wrong with the scenario, and where it stands.
    pub(super) fn refuse(&self, error: impl core::fmt::Display) -> Refusal {
        match &self.scenario {
            Some(path) => File::read(path).map_or_else(|unread| unread, |file| file.refuse(error)),
            None => Refusal::new(error),
        }
    }
}

/// A file's name as a shell takes it for one word.
pub(super) fn quoted(path: &Path) -> String {
    let name = path.display().to_string();
    let plain = |letter: char| letter.is_alphanumeric() || "/._-+,:@%=".contains(letter);
    if name.chars().all(plain) { name } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

fn named(name: &str) -> Result<Any, Refusal> {
    let election = || catalogue::find(name).map(|found| Any::Election(Box::new(found)));
    let sharded = || sharding::catalogue::find(name).map(|found| Any::Sharded(Box::new(found)));
    election().or_else(sharded).ok_or_else(|| {
        let names = catalogue::names().chain(["experiment"]).chain(sharding::catalogue::names());
        let remedy = match nearest(name, names).as_slice() {
            [] => "`tenure scenarios` lists them".to_owned(),
            near => format!("did you mean {}? `tenure scenarios` lists all", near.join(" or ")),
        };
        Refusal::new(format_args!("{name:?} is no scenario: {remedy}"))
    })
}

/// A file is about a sharded group if it says who decides, by `mode`.
fn read(path: &Path) -> Result<Any, Refusal> {
    let file = File::read(path)?;
    let about = file.value();
    let has = |field: &str| about.get(field).is_some();
    if about.is_array() {
        return Err(Refusal::file(path, "is a list: write a scenario, as {\"horizon\": \"10m\"}"));
    }
    if !has("mode") && ["slots", "drain_deadline", "bounded", "collect_after"].into_iter().any(has)
    {
        let what =
            "has fields of a sharded group but no mode: give it one, as \"mode\": \"ranked\"";
        return Err(Refusal::file(path, what));
    }
    if has("mode") {
        let scenario: sharding::Scenario = file.parsed()?;
        sharded_expectable(&scenario).map_err(|what| file.refuse(what))?;
        return Ok(Any::Sharded(Box::new(scenario)));
    }
    let scenario: Scenario = file.parsed()?;
    expectable(&scenario).map_err(|what| file.refuse(what))?;
    Ok(Any::Election(Box::new(scenario)))
}

/// What no check and no profile is called would be expected in vain.
fn expectable(scenario: &Scenario) -> Result<(), String> {
    for (profile, checks) in &scenario.expect {
        if !matches!(profile.as_str(), "*" | "client-go") && profile.parse::<Profile>().is_err() {
            let known = UnknownProfile.to_string();
            let known = known.trim_start_matches("unknown profile: use ");
            let names = known.split([',', ' ']).filter(|name| !matches!(*name, "" | "or"));
            let names: Vec<_> = names.chain(["client-go"]).collect();
            let near = did_you_mean(profile, &names);
            return Err(format!(
                "expect.{profile}: {profile:?} is no profile: {near}use *, client-go, {known}"
            ));
        }
        if let Some(check) = checks.iter().find(|check| !Checks::has(check)) {
            let of = check.split('/').next().unwrap_or_default();
            let rules = Checks::NAMES.iter().zip(Checks::RULES).find(|(name, _)| **name == of);
            return Err(match rules {
                None => {
                    let near = did_you_mean(check, &Checks::NAMES);
                    let names = Checks::NAMES.join(", ");
                    format!("expect.{profile}: {check:?} is no check: {near}use {names}")
                }
                Some((_, rules)) => {
                    let rule = check.split('/').nth(1).unwrap_or_default();
                    let near = did_you_mean(rule, rules);
                    let rules = rules.join(", ");
                    format!("expect.{profile}: {check:?} is no rule of {of}: {near}use {rules}")
                }
            });
        }
    }
    Ok(())
}

fn did_you_mean(name: &str, names: &[&str]) -> String {
    let near = nearest(name, names.iter().copied());
    near.first().map_or_else(String::new, |near| format!("did you mean {near}? Or "))
}

fn sharded_expectable(scenario: &sharding::Scenario) -> Result<(), String> {
    use sharding::check::Checks;
    let Some(check) = scenario.expect.iter().find(|check| !Checks::has(check)) else {
        return Ok(());
    };
    let names = Checks::RULES.map(|(name, _)| name);
    let near = nearest(check, names.into_iter());
    let near = if near.is_empty() { names.join(", ") } else { near.join(" or ") };
    Err(format!("expect: {check:?} is no check, and no rule of one: use {near}"))
}

/// The names of the rules of elections.
fn of_elections() -> Vec<&'static str> {
    Rule::all().map(Rule::name).collect()
}

/// And of sharded groups.
fn of_groups() -> Vec<&'static str> {
    tenure::sharding::Rule::ALL.map(tenure::sharding::Rule::name).to_vec()
}

fn sharding_rule(name: &str) -> Option<tenure::sharding::Rule> {
    tenure::sharding::Rule::ALL.into_iter().find(|rule| rule.name() == name)
}

fn unknown(name: &str, known: &[&'static str]) -> Refusal {
    if Rule::named(name).is_some() || sharding_rule(name).is_some() {
        let (its, this, other) = if sharding_rule(name).is_some() {
            ("sharded groups", "an election", "sharding/swarm")
        } else {
            ("elections", "a sharded group", "random")
        };
        return Refusal::new(format_args!(
            "--without: {name:?} is a rule of {its}, and this is {this}: use one of {}, or another \
             scenario, as {other}",
            known.join(", ")
        ));
    }
    let near = match nearest(name, known.iter().copied()).as_slice() {
        [] => format!("use {}", known.join(", ")),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    Refusal::new(format_args!("--without: {name:?} is no rule of this scenario: {near}"))
}
