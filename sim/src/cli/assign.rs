//! `tenure assign`: who owns each key, a line each.

use std::io;

use tenure::placement::Member;

use super::balance::input;
use super::{Refusal, output};
use crate::balance::catalogue::{Choice, Instance};
use crate::balance::input::{BYTE_ORDER_MARK, KeyHash};
use crate::balance::placer::{Best, Change, Item, Owners};
use crate::balance::report;

/// Say who owns each key: keys on standard input, one a line; `key<TAB>member` on standard output.
///
/// Keys are answered as they come, in constant memory; of algorithms for which the owner of one key
/// depends on the others, when all are there.
#[derive(Debug, clap::Args)]
pub(super) struct AssignArgs {
    /// Which algorithm; `help` lists them.
    #[arg(long, value_name = "A", default_value = "rendezvous")]
    pub(super) algorithm: String,
    /// How many members, `member-0` and so on; or a file: a name a line, or name, weight and zone with
    /// tabulators between. Numbered algorithms count in this order.
    #[arg(long, value_name = "N|FILE", default_value = "10", allow_hyphen_values = true)]
    pub(super) members: String,
    /// A weight for each member, with commas between them.
    #[arg(long, value_name = "W,W,…", allow_hyphen_values = true)]
    pub(super) weights: Option<String>,
    /// The hash of keys: xxh3, xxh64, fnv1a, fnv1a-mix, siphash:K0:K1 (the secret in hexadecimal), or
    /// raw for keys that are numbers of 64 bits. If absent, xxh3; presets have their own.
    #[arg(long, value_name = "H")]
    pub(super) hash: Option<String>,
    /// Members that leave, in this order, with commas between them.
    #[arg(long, value_name = "NAME,…")]
    pub(super) removed: Option<String>,
    /// The best K members instead of the owner alone, with tabulators between them.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    pub(super) best: Option<u16>,
    /// With --best: members in as many zones as possible, for which the file of members must name some.
    #[arg(long, requires = "best")]
    pub(super) zones: bool,
    /// Where the keys are; `-` is standard input.
    #[arg(value_name = "KEYS", default_value = "-")]
    pub(super) keys: String,
}

/// Answers each key.
///
/// # Errors
/// The arguments are wrong or do not go together, or a line is no key. Nothing is printed of the block
/// of lines, some 64 KiB, in which such a line stands.
pub(super) fn run(args: &AssignArgs) -> Result<u8, Refusal> {
    if args.algorithm == "help" {
        output::print(report::list())?;
        return Ok(0);
    }
    if args.algorithm.contains(',') || ["all", "presets"].contains(&args.algorithm.as_str()) {
        let several = &args.algorithm;
        let remedy = "a key has one owner: name one algorithm";
        return Err(Refusal::new(format_args!("--algorithm {several}: {remedy}")));
    }
    let choice = input::choice(&args.algorithm)?;
    let hash = choice.hash(input::hash(args.hash.as_deref())?).map_err(Refusal::new)?;
    let members = input::members(&args.members, "member", args.weights.as_deref())?;
    let mut instance = Instance::new(choice, members).map_err(Refusal::new)?;
    for name in args.removed.iter().flat_map(|names| names.split(',')) {
        let changed = instance.changed(&Change::Leave(name.to_owned()));
        instance = changed.map_err(|why| Refusal::new(format_args!("--removed: {why}")))?;
    }
    if args.best.is_some() && !choice.algorithm.ranking {
        return Err(Refusal::new(format_args!(
            "--best: {choice} knows no second best: leave it out, or choose an algorithm that does"
        )));
    }
    if args.zones && instance.members().iter().all(|member| member.zone().is_none()) {
        let remedy = "write it behind the weight in the file of --members, or leave --zones out";
        return Err(Refusal::new(format_args!("--zones: no member has a zone: {remedy}")));
    }
    let best = args.best.map(|count| Best { count: count.into(), across_zones: args.zones });
    let answers = Answers { instance: &instance, choice, hash, best, from: &args.keys };
    if args.keys == "-" {
        return answers.stream(io::stdin().lock());
    }
    let path = std::path::Path::new(&args.keys);
    let file =
        std::fs::File::open(path).map_err(|error| Refusal::unreadable(path, &error).of("KEYS"))?;
    answers.stream(io::BufReader::with_capacity(BLOCK, file))
}

/// What is read and written at a time.
const BLOCK: usize = 1 << 16;
/// A longer line is no key.
const LONGEST: usize = 1 << 20;
const TOO_LONG: &str = "longer than a megabyte: write one key a line";

struct Answers<'a> {
    instance: &'a Instance,
    choice: Choice,
    hash: KeyHash,
    best: Option<Best>,
    /// Where the keys are.
    from: &'a str,
}

impl Answers<'_> {
    /// As much at a time as there is: who asks by a pipe and waits gets the answer.
    fn stream(&self, mut keys: impl io::BufRead) -> Result<u8, Refusal> {
        let mut out = io::stdout().lock();
        let (mut pending, mut line) = (Vec::new(), 0);
        loop {
            let read = match keys.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Refusal::unreadable(self.from.as_ref(), &error).of("KEYS"));
                }
                Ok(block) => {
                    pending.extend_from_slice(block);
                    block.len()
                }
            };
            keys.consume(read);
            let end = if read == 0 {
                pending.len()
            } else if self.choice.algorithm.whole {
                0
            } else {
                pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
            };
            let ready: Vec<u8> = pending.drain(..end).collect();
            if !self.choice.algorithm.whole && pending.len() > LONGEST {
                return Err(Refusal::new(format_args!("keys: line {}: {TOO_LONG}", line + 1)));
            }
            if self.answer(&ready, &mut line, &mut out)? == Reader::Gone {
                return Ok(0);
            }
            if read == 0 && line == 0 {
                return Err(Refusal::new("keys: there are none: write one key a line"));
            }
            if read == 0 {
                return Ok(0);
            }
        }
    }

    fn answer(
        &self,
        lines: &[u8],
        line: &mut u64,
        out: &mut impl io::Write,
    ) -> Result<Reader, Refusal> {
        let mut items = Vec::new();
        for text in lines.split_inclusive(|byte| *byte == b'\n') {
            *line += 1;
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let at = |why: &dyn core::fmt::Display| {
                Refusal::new(format_args!("keys: line {line}: {why}"))
            };
            if text.len() > LONGEST {
                return Err(at(&TOO_LONG));
            }
            let text = str::from_utf8(text).map_err(|_| at(&"not UTF-8: write it in UTF-8"))?;
            if *line == 1 && text.starts_with(BYTE_ORDER_MARK) {
                return Err(at(&"begins with a byte order mark: write it without"));
            }
            if text.contains('\t') {
                return Err(at(&"has a tabulator, which ends a key: leave it out"));
            }
            let key = self.hash.key(text).map_err(|why| at(&why))?;
            items.push(Item { text, key });
        }
        let mut answer = Vec::with_capacity(2 * lines.len());
        match self.best {
            None => {
                let mut owners = Owners::with_capacity(items.len());
                self.instance.place_each(&items, &mut owners);
                for (item, owner) in items.iter().zip(&owners) {
                    write_line(&mut answer, item.text, owner.as_slice());
                }
            }
            Some(which) => {
                let mut best = Vec::new();
                for item in &items {
                    self.instance.best_into(*item, which, &mut best);
                    write_line(&mut answer, item.text, &best);
                }
            }
        }
        match out.write_all(&answer).and_then(|()| out.flush()) {
            Ok(()) => Ok(Reader::There),
            // Whoever has seen enough, such as `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Reader::Gone),
            Err(error) => {
                Err(Refusal::new(format_args!("standard output: cannot be written ({error})")))
            }
        }
    }
}

/// Whether anybody reads on.
#[derive(Debug, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

/// A key without any member stands alone.
fn write_line(answer: &mut Vec<u8>, key: &str, members: &[&Member]) {
    answer.extend_from_slice(key.as_bytes());
    for member in members {
        answer.push(b'\t');
        answer.extend_from_slice(member.name().as_bytes());
    }
    answer.push(b'\n');
}
