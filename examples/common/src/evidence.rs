//! What workers and the store wrote down, read again.
//!
//! | file | a line | from |
//! | --- | --- | --- |
//! | `*.acts` | `at until who thing token`: when it acted and until when it might have, in nanoseconds of `CLOCK_BOOTTIME`; its name and incarnation; on what; with which token | each worker |
//! | `history` | `revision object holder`: each version of each lock and record, and whom it names; `-` for nobody | the store, in its order |

use std::fmt::{self, Display};
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// Something that was done, by a process that held itself entitled to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When, in nanoseconds of a clock that all processes share.
    pub at: u64,
    /// When the right to it was to end.
    pub until: u64,
    /// Who: the name and the incarnation of the process.
    pub who: String,
    /// On what: `leader`, or `slot-3`.
    pub thing: String,
    /// The version of the write that gave the right.
    pub token: u64,
}

impl Act {
    /// The name of who acted, which outlives the process.
    #[must_use]
    pub fn name(&self) -> &str {
        self.who.split_once('_').map_or(&*self.who, |(name, _)| name)
    }
}

/// A write to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The version that it made; later writes have greater ones.
    pub revision: u64,
    /// The lock or the record that was written.
    pub object: String,
    /// Whom it names.
    pub holder: String,
}

/// All that is known of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In any order.
    pub acts: Vec<Act>,
    /// In the order of the store.
    pub history: Vec<Write>,
}

impl Evidence {
    /// Reads `*.acts` and `history` of a folder.
    ///
    /// # Errors
    /// They cannot be read, or a line cannot.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let acts = read_acts(folder)?;
        let path = folder.join("history");
        let wrong = |what: &dyn Display| {
            let remedy = "write the store's history there, see the example's README.md";
            format!("{}: {what}: {remedy}", path.display())
        };
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
        let history: Vec<Write> = lines(&text, &path)?;
        if history.is_empty() && !acts.is_empty() {
            return Err(wrong(&"it is empty, though somebody acted"));
        }
        Ok(Self { acts, history })
    }
}

/// Reads `*.acts` of a folder, whose writers may be at work.
///
/// # Errors
/// They cannot be read, or a line cannot.
pub fn read_acts(folder: &Path) -> Result<Vec<Act>, String> {
    let wrong = |error: &dyn Display| format!("{}: {error}", folder.display());
    let mut acts = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| wrong(&error))? {
        let path = entry.map_err(|error| wrong(&error))?.path();
        if path.extension().is_some_and(|extension| extension == "acts") {
            let text = fs::read_to_string(&path).map_err(|error| wrong(&error))?;
            acts.extend(lines::<Act>(&text, &path)?);
        }
    }
    Ok(acts)
}

fn lines<T: FromStr<Err = Damage>>(text: &str, path: &Path) -> Result<Vec<T>, String> {
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole); // the last may be half written
    let parse = |(number, line): (usize, &str)| {
        let name = || path.display().to_string();
        line.parse().map_err(|damage| format!("{}, line {}: {damage}", name(), number + 1))
    };
    whole.lines().enumerate().map(parse).collect()
}

/// A line that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage(&'static str);

impl Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not of the form `{}`", self.0)
    }
}

impl FromStr for Act {
    type Err = Damage;

    fn from_str(line: &str) -> Result<Self, Damage> {
        const WRONG: Damage = Damage("at until who thing token");
        let words: Vec<_> = line.split(' ').collect();
        let [at, until, who, thing, token] = words[..] else { return Err(WRONG) };
        let number = |text: &str| text.parse().map_err(|_| WRONG);
        let (who, thing) = (who.to_string(), thing.to_string());
        Ok(Self { at: number(at)?, until: number(until)?, who, thing, token: number(token)? })
    }
}

impl FromStr for Write {
    type Err = Damage;

    fn from_str(line: &str) -> Result<Self, Damage> {
        const WRONG: Damage = Damage("revision object holder");
        let words: Vec<_> = line.split(' ').collect();
        let [revision, object, holder] = words[..] else { return Err(WRONG) };
        let revision = revision.parse().map_err(|_| WRONG)?;
        Ok(Self { revision, object: object.to_string(), holder: holder.to_string() })
    }
}
