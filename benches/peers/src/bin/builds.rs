//! Prints one Markdown table: what it takes to build ours and each peer, names aside, and what it
//! weighs then; and refuses if a look-up of ours allocates.
//!
//! `builds [--quick] [ALGORITHM]`, as `ratios`. A program of its own, since it counts allocations.

use std::env;
use std::hint::black_box;

use allocation_counter::measure;
use tenure_peers::measure::{nanos, summary, time};
use tenure_peers::{GROUPS, Group, Subject, goals, keys};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.into_iter().find(|argument| !argument.starts_with("--"));
    let only = only.unwrap_or_default();
    let (members, rounds): (&[u32], _) = if quick { (&[10], 1) } else { (&[10, 1_000], 20) };
    println!("| algorithm | members | who | µs | heap bytes | ours/peer | goal | met |");
    println!("| --- | ---: | --- | ---: | ---: | ---: | --- | --- |");
    for group in GROUPS.iter().filter(|group| group(1).algorithm.starts_with(&only)) {
        for &members in members {
            rows(&group(members), rounds, quick);
        }
    }
}

/// Builds all of a group in turn, and prints a row for each.
fn rows(group: &Group, rounds: usize, quick: bool) {
    let subjects: Vec<&Subject> = group.subjects().collect();
    let mut times = vec![Vec::new(); subjects.len()];
    for _ in 0..rounds {
        for (subject, times) in subjects.iter().zip(&mut times) {
            times.push(nanos(time(|| (subject.build)()).1));
        }
    }
    let medians: Vec<f64> = times.into_iter().map(|times| summary(times).median).collect();
    for (subject, median) in subjects.iter().zip(&medians) {
        let mut built = None;
        let bytes = measure(|| built = Some((subject.build)())).bytes_current;
        let ratio = medians[0] / median;
        let time = goals::build(group.algorithm, group.members, subject.name);
        let weight = goals::bytes(group.algorithm, group.members);
        let (goal, met) = match (time, weight) {
            (Some(most), _) => (format!("ratio ≤ {most}"), ratio <= most),
            (_, Some(most)) if subject.name == "tenure" => {
                (format!("≤ {most} bytes"), bytes <= i64::try_from(most).unwrap_or(i64::MAX))
            }
            _ => (String::new(), true),
        };
        let met = match (quick || goal.is_empty(), met) {
            (true, _) => "",
            (_, true) => "yes",
            (_, false) => "**no**",
        };
        println!(
            "| {} | {} | {} ({}) | {:.1} | {bytes} | {ratio:.2} | {goal} | {met} |",
            group.algorithm,
            group.members,
            subject.name,
            subject.terms.name(),
            median / 1e3,
        );
    }
    let keys = keys(1_000);
    let allocations = measure(|| {
        black_box((group.ours.run)(&keys));
    })
    .count_total;
    let best = u64::from(group.algorithm.ends_with("best 3")); // its one vector for all of them
    assert!(allocations <= best, "{} allocates: {allocations}", group.algorithm);
}
