//! Prints one Markdown table: ours beside each peer, the ratio, and whether it reaches its goal.
//!
//! `ratios [--quick] [ALGORITHM]`: the whole takes minutes; `--quick` some seconds, and says nothing
//! about speed. With an argument, only algorithms whose names begin so.

use std::env;
use std::io::{self, Write};

use tenure_peers::measure::{Times, alternate};
use tenure_peers::{GROUPS, Group, Subject, goals, keys, uid};

/// What to measure.
struct Plan {
    members: &'static [u32],
    rounds: u32,
    keys: u64,
    only: String,
}

/// What is told after the table.
#[derive(Default)]
struct Report {
    quick: bool,
    growth: Vec<(&'static str, u32, f64)>,
    without: Vec<String>,
    missed: Vec<String>,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.into_iter().find(|argument| !argument.starts_with("--"));
    let only = only.unwrap_or_default();
    let plan = if quick {
        Plan { members: &[3, 10], rounds: 2, keys: 1 << 10, only }
    } else {
        Plan { members: &[3, 10, 100, 1_000, 10_000, 100_000], rounds: 20, keys: 1 << 16, only }
    };
    println!(
        "| algorithm | members | ours, ns (least) | peer | terms | peer, ns | ours/peer | goal | met |"
    );
    println!("| --- | ---: | ---: | --- | --- | ---: | ---: | ---: | --- |");
    let mut report = Report { quick, ..Report::default() };
    for group in GROUPS {
        for &members in plan.members {
            report.group(group, members, &plan)?;
        }
    }
    report.group(uid::uid, 5, &plan)?;
    report.print();
    Ok(())
}

impl Report {
    /// Measures a group and prints its rows.
    fn group(&mut self, group: fn(u32) -> Group, members: u32, plan: &Plan) -> io::Result<()> {
        // Asked of a small one, before a big one is built.
        if !group(1).algorithm.starts_with(&plan.only) {
            return Ok(());
        }
        let group = group(members);
        let keys = keys(plan.keys);
        group.check(&keys[..keys.len().min(if members <= 10 { 20_000 } else { 100 })]);
        let subjects: Vec<&Subject> = group.subjects().collect();
        let times = alternate(&subjects, &keys, plan.rounds);
        let ours = times[0];
        for (peer, theirs) in group.peers.iter().zip(&times[1..]) {
            self.ratio(&group, peer, ours, *theirs);
        }
        if let Some(most) = goals::nanos(group.algorithm, members) {
            let met = ours.least <= most;
            self.line(&group, ours, "| | | |", &format!("≤ {most} ns"), met);
        } else if group.peers.is_empty() {
            self.line(&group, ours, "no crate | | |", "", true);
        }
        self.growth.push((group.algorithm, members, ours.median));
        let at = |name: &&str| format!("{name}: {} of {members}", group.algorithm);
        self.without.extend(group.without.iter().map(at));
        self.without.dedup();
        io::stdout().flush()
    }

    fn ratio(&mut self, group: &Group, peer: &Subject, ours: Times, theirs: Times) {
        let most = goals::ratio(group.algorithm, group.members, peer.name);
        let ratio = ours.median / theirs.median;
        let theirs = digits(theirs.median);
        let middle = format!("{} | {} | {theirs} | {ratio:.2}", peer.name, peer.terms.name());
        self.line(group, ours, &middle, &format!("≤ {most:.2}"), ratio <= most);
    }

    fn line(&mut self, group: &Group, ours: Times, middle: &str, goal: &str, met: bool) {
        let Group { algorithm, members, .. } = group;
        let least = digits(ours.least);
        let met = match (self.quick, met) {
            (true, _) => "unknown",
            (_, true) => "yes",
            (_, false) => "**no**",
        };
        let line = format!(
            "| {algorithm} | {members} | {} ({least}) | {middle} | {goal} | {met} |",
            digits(ours.median)
        );
        println!("{line}");
        if met == "**no**" {
            self.missed.push(line);
        }
    }

    fn print(&self) {
        if self.quick {
            return;
        }
        println!("\nGrowth: the look-up at 100,000 members, of that at 10.\n");
        for &(algorithm, _, few) in self.growth.iter().filter(|(_, members, _)| *members == 10) {
            let many = |&&(name, members, _): &&(_, _, _)| name == algorithm && members == 100_000;
            if let Some((_, _, many)) = self.growth.iter().find(many) {
                println!("- {algorithm}: {:.2}", many / few);
            }
        }
        println!("\nNot measured:\n");
        self.without.iter().for_each(|left_out| println!("- {left_out}"));
        println!("\nGoals missed: {}.", self.missed.len());
        self.missed.iter().for_each(|line| println!("{line}"));
    }
}

/// Three digits, or all before the point.
fn digits(number: f64) -> String {
    let places = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.places$}")
}
