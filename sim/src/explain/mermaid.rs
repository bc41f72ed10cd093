//! What led to a violation as a sequence diagram of [Mermaid](https://mermaid.js.org): GitHub and others
//! draw it where it stands in a text, between ```` ```mermaid ```` and ```` ``` ````.
//!
//! One participant a replica, and one for the store. What a replica asks of the store is an arrow, what it
//! does by itself a note, what hits it from outside a note over all. Events of one kind side by side are
//! one line, as in the text.

use core::fmt::Write as _;

use super::lanes::{Line, Way, short};
use super::{lines, sharded};
use crate::check::Violation;
use crate::check::replicas::Names;
use crate::scenario::Scenario;
use crate::sharding::{Scenario as Group, trace};
use crate::trace::Entry;

/// No more lines than this: longer diagrams are refused by renderers, and by readers.
const MOST: usize = 150;

/// What led to a violation of an election; without one, all that happened, as far as it fits.
///
/// ```
/// use tenure_sim::{catalogue, explain::mermaid, trace::Recorder, world::World};
///
/// let scenario = catalogue::find("leader-crash").unwrap();
/// let mut recorder = Recorder::default();
/// World::new(&scenario, 1)?.run(&mut recorder);
/// let diagram = mermaid(&scenario, &recorder.entries, None);
/// assert!(diagram.starts_with("sequenceDiagram\n"));
/// assert!(diagram.contains("s crashed\n") && diagram.contains("->>store: "), "{diagram}");
/// # Ok::<(), tenure_sim::scenario::ScenarioError>(())
/// ```
#[must_use]
pub fn mermaid(scenario: &Scenario, entries: &[Entry], violation: Option<&Violation>) -> String {
    let names = Names::new(scenario);
    drawn(&lines(scenario, entries, violation), |it| names.of(it).into_owned(), violation)
}

/// The same of a sharded group.
///
/// ```
/// use tenure_sim::explain::{Past, mermaid_sharded};
/// use tenure_sim::sharding::{catalogue, check::Checks, tenure_world, trace::Recorder};
///
/// let scenario = catalogue::find("sharding/join-one").unwrap();
/// let without = [tenure::sharding::Rule::JoinWait];
/// let found = (0..10).find_map(|seed| {
///     let mut world = tenure_world(&scenario, seed, &without).unwrap();
///     let mut checks = (Checks::new(&scenario), Recorder::default());
///     let first = world.run(&mut checks).violations.into_iter().next()?;
///     Some((world.scenario().clone(), checks.1.entries, first))
/// });
/// let (drawn, entries, first) = found.unwrap();
/// let diagram = mermaid_sharded(&drawn, &entries, Some(&first));
/// assert!(diagram.starts_with("sequenceDiagram\n"));
/// // It tells of what led to the violation, which is little of the run.
/// let past = Past::of_sharded(&entries, &first);
/// assert!(past.holds(first.seq) && past.len() * 2 < entries.len());
/// ```
#[must_use]
pub fn mermaid_sharded(
    scenario: &Group,
    entries: &[trace::Entry],
    violation: Option<&Violation>,
) -> String {
    let lines = sharded::lines(scenario, entries, violation);
    drawn(&lines, |it| sharded::name(scenario, it), violation)
}

fn drawn(lines: &[Line], name: impl Fn(u32) -> String, violation: Option<&Violation>) -> String {
    let end = violation
        .map_or(lines.len(), |violation| lines.partition_point(|line| line.seq <= violation.seq));
    let shown = lines.get(end.saturating_sub(MOST)..end).unwrap_or_default();
    let mut replicas: Vec<u32> = shown.iter().filter_map(|line| line.replica).collect();
    replicas.extend(violation.iter().flat_map(|violation| &violation.replicas));
    replicas.sort_unstable();
    replicas.dedup();
    let mut text = "sequenceDiagram\n".to_owned();
    for replica in &replicas {
        let _ = writeln!(text, "    participant r{replica} as {}", escaped(&name(*replica)));
    }
    text.push_str("    participant store\n");
    let first = replicas.first().map_or_else(|| "store".to_owned(), |first| format!("r{first}"));
    let all = if replicas.is_empty() { first } else { format!("{first},store") };
    let left = end.saturating_sub(MOST);
    if left > 0 {
        let _ = writeln!(text, "    Note over {all}: {left} lines before are left out");
    }
    for line in shown {
        let told = escaped(&format!("{} {}", short(line.at), line.text()));
        let _ = match (line.replica, line.way) {
            (None, _) => writeln!(text, "    Note over {all}: {told}"),
            (Some(replica), Way::Own) => writeln!(text, "    Note over r{replica}: {told}"),
            (Some(replica), Way::ToStore) => writeln!(text, "    r{replica}->>store: {told}"),
            (Some(replica), Way::FromStore) => writeln!(text, "    store-->>r{replica}: {told}"),
        };
    }
    if let Some(violation) = violation {
        let _ = writeln!(text, "    Note over {all}: {}", escaped(&violation.what));
    }
    text
}

/// Text that means nothing to Mermaid: what could is written by its number. The word `end` alone closes
/// a block.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (nth, word) in text.split_whitespace().enumerate() {
        if nth > 0 {
            escaped.push(' ');
        }
        let closes = word.eq_ignore_ascii_case("end");
        for letter in word.chars() {
            let plain = letter.is_alphanumeric() || ".,:()+-_'/~".contains(letter);
            if plain && !closes {
                escaped.push(letter);
            } else {
                let _ = write!(escaped, "#{};", u32::from(letter));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_mermaid_is_escaped() {
        assert_eq!(escaped("a;b #1\nc"), "a#59;b #35;1 c");
        assert_eq!(escaped("the end"), "the #101;#110;#100;");
        assert_eq!(escaped("<b>100 %</b>"), "#60;b#62;100 #37;#60;/b#62;");
        assert_eq!(escaped("v2-v9 x 3: replica-0's"), "v2-v9 x 3: replica-0's");
    }
}
