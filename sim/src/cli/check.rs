//! `tenure check`: recorded history in, verdict out.

mod json;
mod text;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::export::ReportArgs;
use super::progress::Progress;
use super::{Refusal, output};
use crate::history::{Format, Histories, History, Plain, Recording, Rule, Settings, Unread};
use crate::report::{self, Head, Report, Tone};
use crate::time::Span;

/// Judge recorded history of locks: who held each when, and whether anybody's right was cut short.
///
/// Reads Kubernetes audit logs (one audit.k8s.io/v1 event a line), what `kubectl get lease -w -o json`
/// prints (with or without --output-watch-events), and traces of `tenure run --trace`. Several files are
/// one history, in the order in which they are named. docs/operating.md says what is looked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status:
  0  judged, and no invariant broke
  1  an invariant broke
  2  the command line is wrong, or an input cannot be read
  3  unknown: nothing could be judged")]
pub(super) struct CheckArgs {
    /// Recordings, or `-` for standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<String>,
    /// What they are, if that is not to be found out.
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Stop at the first damaged line, and look for damage in lines that are not about locks, too.
    #[arg(long)]
    pub(super) strict: bool,
    /// By how much the recording's times may be off: for clocks that differ, and watches that are late;
    /// by default 10ms in audit logs and 2s in watches.
    #[arg(long, allow_hyphen_values = true, value_name = "SPAN")]
    pub(super) slack: Option<Span>,
    /// Tell all about each lock, also about those that one holder had all the time.
    #[arg(long)]
    pub(super) all: bool,
    /// Drawings of it.
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

/// What was read and found.
struct Answer<'a> {
    args: &'a CheckArgs,
    recordings: Vec<(&'a str, Recording)>,
    histories: Histories,
}

/// Reads the recordings and prints the verdict.
///
/// # Errors
/// A recording cannot be read, or is none; with `--strict` also if it is damaged.
pub(super) fn run(args: &CheckArgs) -> Result<u8, Refusal> {
    args.report.check(args.json, args.files.iter())?;
    let slack = args.slack.map(|slack| i128::from(slack.as_nanos()));
    let settings = Settings { format: args.format, strict: args.strict, slack_nanos: slack };
    let mut answer = Answer { args, recordings: Vec::new(), histories: Histories::new(settings) };
    let mut progress = Megabytes::of(&args.files);
    for file in &args.files {
        let recording = read(&mut answer.histories, file, &mut progress)?;
        answer.recordings.push((file, recording));
    }
    drop(progress);
    if args.report.any() {
        args.report.write(&answer.report())?;
    }
    if args.report.replaces_text() {
        return Ok(answer.exit_status());
    }
    if args.json {
        output::print_json(&answer.json())?;
    } else {
        output::print(answer.text())?;
    }
    Ok(answer.exit_status())
}

const MEGABYTE: u64 = 1_000_000;

/// A bar of megabytes, if it is known how many there are.
struct Megabytes {
    bar: Option<Progress>,
    rest: u64,
}

impl Megabytes {
    fn of(files: &[String]) -> Self {
        let sizes = files.iter().map(|file| std::fs::metadata(file).map_or(0, |file| file.len()));
        let all = sizes.sum::<u64>() / MEGABYTE;
        Self { bar: (all > 0).then(|| Progress::new(all, "MB")), rest: 0 }
    }

    fn advance(&mut self, bytes: u64) {
        self.rest += bytes;
        if let Some(bar) = &self.bar {
            bar.advance(self.rest / MEGABYTE);
        }
        self.rest %= MEGABYTE;
    }
}

fn read(histories: &mut Histories, file: &str, bar: &mut Megabytes) -> Result<Recording, Refusal> {
    const BUFFER: usize = 1 << 20;
    let path = Path::new(file);
    let mut progress = |bytes| bar.advance(bytes);
    let read = if file == "-" {
        histories.read(BufReader::with_capacity(BUFFER, io::stdin().lock()), &mut progress)
    } else {
        let opened = File::open(path).map_err(|error| Refusal::unreadable(path, &error))?;
        histories.read(BufReader::with_capacity(BUFFER, opened), &mut progress)
    };
    read.map_err(|unread| match unread {
        Unread::Io(error) => Refusal::unreadable(path, &error),
        Unread::NoFormat => Refusal::file(
            path,
            "neither an audit log, nor what a watch shows, nor a trace: unpack it if it is packed, or \
             name its --format",
        ),
        Unread::Damaged { line, why } => Refusal::file(
            path,
            format_args!("line {line}: {why}: mend it, or leave --strict out to pass over it"),
        ),
        Unread::Header(why) => Refusal::file(
            path,
            format_args!("the header of the trace: {why}: give a trace of an election"),
        ),
    })
}

impl Answer<'_> {
    fn violations(&self) -> u64 {
        let checked =
            self.recordings.iter().filter_map(|(_, recording)| recording.checked.as_ref());
        let checked: u64 = checked.map(|checked| checked.violations).sum();
        let locks = self.histories.locks().map(|(_, history)| history.findings.violations());
        checked + locks.sum::<u64>()
    }

    fn judged(&self) -> u64 {
        self.histories.locks().map(|(_, history)| history.counts.judged).sum()
    }

    /// What is told is drawn.
    fn report(&self) -> Report {
        let locks = self.histories.locks().map(|(_, history)| history);
        let told: Vec<&History> = locks.filter(|history| self.tells(history)).collect();
        let plain =
            |file: &&String| file.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\'');
        let again = self.args.files.iter().all(|file| plain(&file) && file != "-");
        let text = self.text();
        let head = Head {
            title: "What happened to locks".to_owned(),
            about: self.recordings.iter().map(|(file, _)| Plain(file).to_string()).collect(),
            tone: match self.exit_status() {
                0 => Tone::Good,
                1 => Tone::Bad,
                _ => Tone::Unknown,
            },
            verdict: text.lines().last().unwrap_or_default().to_owned(),
            again: again.then(|| format!("tenure check {}", self.args.files.join(" "))),
            explained: vec![text],
        };
        let checked = self.recordings.iter().filter_map(|(_, it)| it.checked.as_ref());
        let checked: Vec<_> = checked.flat_map(|checked| &checked.first).collect();
        report::recorded(&told, &checked).headed(head)
    }

    /// Whether a lock is told of one by one.
    fn tells(&self, history: &History) -> bool {
        self.args.all || history.terms.count > 1 || found(history).next().is_some()
    }

    fn exit_status(&self) -> u8 {
        match (self.violations(), self.judged()) {
            (1.., _) => 1,
            (0, 0) => 3,
            _ => 0,
        }
    }
}

/// What there is to say of a lock, in the order of the rules.
fn found(history: &History) -> impl Iterator<Item = (Rule, u64)> {
    let counted = Rule::ALL.into_iter().map(|rule| (rule, history.findings.count(rule)));
    counted.filter(|(_, count)| *count > 0)
}
