//! `tenure compare`: Tenure's modes and what others do, under the same faults.

use core::fmt::Write as _;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::json;
use tenure::sharding::Slots;

use super::progress::Progress;
use super::sweep::Seeds;
use super::{Refusal, output};
use crate::nearest::nearest;
use crate::sharding::compare::{Case, Figures, Group, Kind, Names, Subject, run as simulate};

/// Compare Tenure's modes with what others do: the same replicas, the same faults, the same seeds.
///
/// Systems: tenure-ranked, tenure-planned, tenure-leased; naive (every replica does everything),
/// timebertt (kubernetes-controller-sharding), knative, multicluster-runtime, argo-dynamic, argo-static,
/// kube-state-metrics, kcl2, kafka-cooperative. docs/comparison-sharding.md says what is modelled how.
#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// What happens: calm, join, leave, rolling-update, configuration-change, crash, crash-and-back,
    /// partition, pause, store-hangs, wall-clock. If absent: all.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) scenario: Vec<String>,
    /// Which systems. If absent: all.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) system: Vec<String>,
    /// How many replicas.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(super) replicas: u32,
    /// How many slots: objects, clusters, partitions or leases, as the system has them. A power of two.
    #[arg(long, value_name = "S", default_value_t = 64)]
    pub(super) slots: u32,
    /// What replicas are called: operator-0 and so on, or with five letters by chance.
    #[arg(long, value_enum, default_value = "statefulset")]
    pub(super) names: Names,
    /// The seeds, from A up to but not including B.
    #[arg(long, value_name = "A..B", default_value = "1..5")]
    pub(super) seeds: Seeds,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// The most slots: each is an object, a lease or a label here.
const MOST_SLOTS: u32 = 4096;

/// What came of one system.
struct Row {
    subject: Subject,
    cases: Vec<(Case, Figures)>,
    disorder: Option<u64>,
}

/// Runs and prints.
///
/// # Errors
/// The arguments are wrong.
pub(super) fn run(args: &CompareArgs) -> Result<u8, Refusal> {
    let cases = chosen("--scenario", &args.scenario, Case::ALL.to_vec(), Case::name)?;
    let all = Subject::all().collect();
    let mut subjects = chosen("--system", &args.system, all, Subject::name)?;
    if let Err(error) = Slots::new(args.slots) {
        return Err(Refusal::new(format_args!("--slots: {error}")));
    }
    if args.slots > MOST_SLOTS {
        let slots = args.slots;
        return Err(Refusal::new(format_args!("--slots {slots}: let it be at most {MOST_SLOTS}")));
    }
    if args.names == Names::Deployment {
        let ordinal = subjects.iter().find(|subject| subject.needs_ordinals());
        if let (Some(subject), false) = (ordinal, args.system.is_empty()) {
            let remedy = "leave it out, or --names deployment";
            let name = subject.name();
            return Err(Refusal::new(format_args!(
                "--system: {name} needs a StatefulSet's ordinals: {remedy}"
            )));
        }
        subjects.retain(|subject| !subject.needs_ordinals());
    }
    let group = Group { replicas: args.replicas, slots: args.slots, names: args.names };
    let rows = measure(&subjects, &cases, &group, args.seeds)?;
    if args.json {
        output::print_json(&json(args, &rows))?;
    } else {
        output::print(text(args, &rows))?;
    }
    Ok(0)
}

/// Those that are named; all if none is.
fn chosen<T: Copy + PartialEq>(
    option: &str,
    names: &[String],
    all: Vec<T>,
    name: fn(T) -> &'static str,
) -> Result<Vec<T>, Refusal> {
    if names.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for wanted in names {
        let Some(&one) = all.iter().find(|one| name(**one) == wanted) else {
            let known = || all.iter().map(|one| name(*one));
            let near = nearest(wanted, known());
            let near = match near.as_slice() {
                [] => format!("use {}", known().collect::<Vec<_>>().join(", ")),
                near => format!("did you mean {}?", near.join(" or ")),
            };
            return Err(Refusal::new(format_args!("{option}: {wanted:?} is unknown: {near}")));
        };
        if chosen.contains(&one) {
            return Err(Refusal::new(format_args!(
                "{option}: {wanted} stands there twice: name it once"
            )));
        }
        chosen.push(one);
    }
    Ok(chosen)
}

fn measure(
    subjects: &[Subject],
    cases: &[Case],
    group: &Group,
    seeds: Seeds,
) -> Result<Vec<Row>, Refusal> {
    let mut jobs = Vec::new();
    for seed in seeds.from..seeds.to {
        for case in cases {
            jobs.extend(subjects.iter().map(|subject| (*subject, *case, seed)));
        }
    }
    let progress = Progress::new(jobs.len() as u64, "runs");
    let one = |(subject, case, seed): &(Subject, Case, u64)| {
        let figures = simulate(*subject, &case.scenario(group, *seed), *seed);
        progress.advance(1);
        figures.map_err(Refusal::new)
    };
    let figures: Vec<Figures> = jobs.par_iter().map(one).collect::<Result<_, _>>()?;
    drop(progress);
    let names = group.names(group.replicas, seeds.from);
    let row = |subject: &Subject| {
        let of = |case: &Case| {
            let mut sum = Figures::default();
            let mine = jobs.iter().zip(&figures);
            let mine = mine.filter(|((of, at, _), _)| of == subject && at == case);
            mine.for_each(|(_, figures)| sum.add(figures));
            (*case, sum)
        };
        Row {
            subject: *subject,
            cases: cases.iter().map(of).collect(),
            disorder: subject.disorder_permille(&names, seeds.from),
        }
    };
    Ok(subjects.iter().map(row).collect())
}

impl Row {
    fn sum(&self, of: impl Fn(Case) -> bool) -> Figures {
        let mut sum = Figures::default();
        self.cases.iter().filter(|(case, _)| of(*case)).for_each(|(_, figures)| sum.add(figures));
        sum
    }
}

fn json(args: &CompareArgs, rows: &[Row]) -> serde_json::Value {
    let rows = rows.iter().map(|row| {
        let cases =
            row.cases.iter().map(|(case, figures)| (case.name().to_owned(), json!(figures)));
        json!({
            "system": row.subject.name(),
            "order": row.disorder.map(|permille| json!({ "keys_that_differ_permille": permille })),
            "scenarios": cases.collect::<serde_json::Map<_, _>>(),
        })
    });
    json!({
        "replicas": args.replicas,
        "slots": args.slots,
        "names": if args.names == Names::StatefulSet { "statefulset" } else { "deployment" },
        "seeds": { "from": args.seeds.from, "to": args.seeds.to },
        "systems": rows.collect::<Vec<_>>(),
    })
}

/// Nanoseconds as seconds, with one decimal place below 1,000.
fn seconds(nanos: u64) -> String {
    let tenths = nanos.saturating_add(50_000_000) / 100_000_000;
    if tenths >= 10_000 {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// How long a slot had no owner: on average, and at most; `!` if some had none to the end.
fn unowned(figures: &Figures) -> String {
    let Some(mean) = figures.unowned_nanos.checked_div(figures.gaps) else { return "-".into() };
    let mark = if figures.unowned_at_end > 0 { "!" } else { "" };
    format!("{} / {}{mark}", seconds(mean), seconds(figures.longest_gap.as_nanos()))
}

/// A sum of thousandths, per run.
fn mean(permille: u64, runs: u64) -> String {
    let hundredths = (permille / runs.max(1) + 5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

const HEAD: [&str; 11] = [
    "system",
    "two owners",
    "unowned, planned",
    "crash",
    "partition",
    "moves/least",
    "busiest",
    "writes/s",
    "reads/s",
    "ranges",
    "order",
];

fn cells(row: &Row) -> [String; 11] {
    let all = row.sum(|_| true);
    let of = |kind: Kind| unowned(&row.sum(|case| case.kind() == kind));
    let moves = row.sum(|case| matches!(case, Case::Join | Case::Leave | Case::Crash));
    let moves = match moves.least_moves {
        0 => "-".into(),
        least => mean(moves.moves * 1_000 / least, 1),
    };
    let order = match row.disorder {
        None => "history".into(),
        Some(0) => "same".into(),
        Some(permille) => format!("{}.{} % differ", permille / 10, permille % 10),
    };
    [
        row.subject.name().into(),
        seconds(all.two_owner_nanos / all.runs.max(1)),
        of(Kind::Planned),
        of(Kind::Crash),
        of(Kind::Partition),
        moves,
        mean(all.busiest_permille, all.runs),
        mean(all.writes_per_1000s, all.runs),
        mean(all.reads_per_1000s, all.runs),
        mean(all.ranges_permille, all.runs),
        order,
    ]
}

fn text(args: &CompareArgs, rows: &[Row]) -> String {
    let mut text = String::new();
    let Seeds { from, to } = args.seeds;
    let cases: Vec<&str> = rows
        .first()
        .map_or(Vec::new(), |row| row.cases.iter().map(|(case, _)| case.name()).collect());
    let (replicas, slots, last) = (args.replicas, args.slots, to - 1);
    let _ = writeln!(text, "{replicas} replicas, {slots} slots, seeds {from} to {last}");
    let _ = writeln!(text, "{}\n", cases.join(", "));
    let table: Vec<[String; 11]> =
        core::iter::once(HEAD.map(String::from)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in &table {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            let _ = match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str(
        "\n\
        two owners: slot-seconds in a run in which two that run hold a slot or work on it\n\
        unowned: seconds until a slot that lost its owner has one: mean / longest, ! some to the end\n\
        moves/least: slots that moved over those that had to: join, leave and crash\n\
        busiest: most slots of any replica over the mean; writes, reads: calls in the calm before\n\
        ranges: runs of slots side by side per replica\n\
        order: the same members in another order give the same owners; history: no such function\n",
    );
    text
}
