//! `tenure ranges`: where to cut the hash space when keys are not spread evenly over it.

use core::fmt::Write as _;
use core::num::NonZeroU16;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use clap::ValueEnum;
use serde_json::json;
use tenure::placement::Key;
use tenure::sharding::planned::{Cuts, Loads};
use tenure::sharding::{Field, Slots, shard_selector};

use super::{Refusal, output};
use crate::balance::input::{BYTE_ORDER_MARK, MOST_KEYS};

/// Choose ranges of Kubernetes' `shardSelector` by the keys that there are: one for each replica, of
/// unequal width and with equal numbers of keys.
///
/// Of namespaces, equal ranges are of no use: names that differ in their last letters fall into one.
/// Prints the selector of each replica, how many keys it gets, and how even that is beside equal ranges.
#[derive(Debug, clap::Args)]
pub(super) struct RangesArgs {
    /// A file with a key a line, or `-` for standard input: the field's value of each object, so that a
    /// namespace stands there once for each object in it; an empty line is an object without namespace.
    #[arg(long, value_name = "FILE")]
    pub(super) keys: String,
    /// How many replicas share the keys.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) replicas: u16,
    /// Of which field these are the values.
    #[arg(long, value_name = "FIELD", default_value = "namespace")]
    pub(super) field: Of,
    /// Cut only at the borders of so many slots, a power of two, as plans of the mode `planned` do.
    #[arg(long, value_name = "N")]
    pub(super) slots: Option<u32>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(super) json: bool,
}

/// The field of an object that a selector can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Of {
    /// `object.metadata.uid`
    Uid,
    /// `object.metadata.namespace`
    Namespace,
}

impl Of {
    const fn field(self) -> Field {
        match self {
            Self::Uid => Field::Uid,
            Self::Namespace => Field::Namespace,
        }
    }
}

/// Reads the keys, and prints where to cut.
///
/// # Errors
/// The arguments are wrong, or a line is no key.
pub(super) fn run(args: &RangesArgs) -> Result<u8, Refusal> {
    let replicas = NonZeroU16::new(args.replicas);
    let replicas = replicas.ok_or_else(|| Refusal::new("--replicas 0: write 1 or more"))?;
    let slots = args.slots.map(Slots::new).transpose();
    let slots = slots.map_err(|why| Refusal::new(format_args!("--slots: {why}")))?;
    let hashes = if args.keys == "-" {
        read(io::stdin().lock(), "-", args.field)?
    } else {
        let path = Path::new(&args.keys);
        let file = File::open(path).map_err(|error| Refusal::unreadable(path, &error))?;
        read(BufReader::new(file), &args.keys, args.field)?
    };
    let each = || hashes.iter().map(|(hash, count)| (Key::from_hash(*hash), *count));
    let loads = Loads::new(each());
    let cuts = slots
        .map_or_else(|| loads.cut(replicas), |slots| Loads::in_slots(slots, each()).cut(replicas));
    let answer = Answer { field: args.field.field(), different: hashes.len(), loads, cuts };
    if args.json {
        output::print_json(&answer.json())?;
    } else {
        output::print(answer.table())?;
    }
    Ok(0)
}

/// A longer line is no key.
const LONGEST: u64 = 1 << 20;

/// How often each hash comes. Takes memory for each different value, not for each line.
fn read(mut keys: impl BufRead, from: &str, of: Of) -> Result<BTreeMap<u64, u64>, Refusal> {
    let mut hashes = BTreeMap::new();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let unreadable = |error| {
            Refusal::new(format_args!("--keys {from}: cannot be read ({error}): give others"))
        };
        let read = keys.by_ref().take(LONGEST + 2).read_until(b'\n', &mut line);
        if read.map_err(unreadable)? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let bad =
            |why: &str| Err(Refusal::new(format_args!("--keys {from}: line {number}: {why}")));
        if text.len() as u64 > LONGEST {
            return bad("longer than a megabyte: write one key a line");
        }
        let Ok(text) = str::from_utf8(text) else { return bad("not UTF-8: write it in UTF-8") };
        if number == 1 && text.starts_with(BYTE_ORDER_MARK) {
            return bad("begins with a byte order mark: write it without");
        }
        if text.contains('\t') {
            return bad("has a tabulator, which ends a key: leave it out");
        }
        if text.is_empty() && of == Of::Uid {
            return bad("is empty: every object has a UID");
        }
        *hashes.entry(of.field().key(text).as_u64()).or_default() += 1;
        if hashes.len() > MOST_KEYS as usize {
            return bad("the 20000001st different key: write fewer");
        }
    }
    if hashes.is_empty() {
        return Err(Refusal::new(format_args!(
            "--keys {from}: there are none: write one key a line"
        )));
    }
    Ok(hashes)
}

struct Answer {
    field: Field,
    different: usize,
    loads: Loads,
    cuts: Cuts,
}

impl Answer {
    /// The selector of each replica, none for one that gets nothing; and its share of the keys.
    fn rows(&self) -> impl Iterator<Item = (Option<String>, u128)> {
        let selectors =
            self.cuts.ranges().map(|range| shard_selector(self.field, range.as_slice()));
        selectors.zip(self.loads.shares(&self.cuts))
    }

    fn peak_to_mean(&self, cuts: &Cuts) -> f64 {
        let shares = self.loads.shares(cuts);
        self.part(shares.iter().max().copied().unwrap_or(0) * shares.len() as u128)
    }

    /// How much of all keys these are.
    #[expect(clippy::cast_precision_loss, reason = "no count comes near 2^53")]
    fn part(&self, keys: u128) -> f64 {
        keys as f64 / self.loads.total() as f64
    }

    /// Ranges of equal width, for comparison.
    fn equal(&self) -> Cuts {
        let count = u16::try_from(self.cuts.replicas()).ok().and_then(NonZeroU16::new);
        Cuts::equal(count.unwrap_or(NonZeroU16::MIN))
    }

    fn table(&self) -> String {
        let mut text = format!(
            "keys          {} of {}, {} different; the most frequent {:.1} %\n\
             peak to mean  {:.3} with these ranges, {:.3} with equal ones\n\n",
            self.loads.total(),
            self.field,
            self.different,
            100.0 * self.part(self.loads.hottest()),
            self.peak_to_mean(&self.cuts),
            self.peak_to_mean(&self.equal()),
        );
        let _ = writeln!(text, "replica  {:>10}  {:>7}  selector", "keys", "share");
        for (replica, (selector, keys)) in self.rows().enumerate() {
            let selector = selector.as_deref().unwrap_or("- (nothing: it must not list)");
            let share = format!("{:.2} %", 100.0 * self.part(keys));
            let _ = writeln!(text, "{replica:<7}  {keys:>10}  {share:>7}  {selector}");
        }
        text
    }

    fn json(&self) -> serde_json::Value {
        let number = |keys: u128| u64::try_from(keys).unwrap_or(u64::MAX);
        let replicas = self.rows().enumerate().map(|(replica, (selector, keys))| {
            let share = self.part(keys);
            json!({ "replica": replica, "keys": number(keys), "share": share, "selector": selector })
        });
        let equal = self.equal();
        json!({
            "field": self.field.as_str(),
            "keys": number(self.loads.total()),
            "different": self.different,
            "most_frequent": number(self.loads.hottest()),
            "peak_to_mean": self.peak_to_mean(&self.cuts),
            "equal_ranges": {
                "keys": self.loads.shares(&equal).into_iter().map(number).collect::<Vec<_>>(),
                "peak_to_mean": self.peak_to_mean(&equal),
            },
            "replicas": replicas.collect::<Vec<_>>(),
        })
    }
}
