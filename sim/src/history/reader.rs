//! Reading recordings one behind the other, in memory for the locks in them.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::audit::{self, Sieve};
use super::change::{Change, LockName};
use super::chunks::{Chunk, Chunks};
use super::judge::History;
use super::object::Text;
use super::plain::Plain;
use super::simulated::{Checked, Trace};
use super::watch;

/// What a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// A Kubernetes audit log.
    Audit,
    /// What a watch shows.
    Watch,
    /// A trace of the simulator.
    Trace,
}

impl Format {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Watch => "watch",
            Self::Trace => "trace",
        }
    }

    /// By how much times may be off, unless somebody says so: the clocks of candidates differ a little
    /// from the API server's, and a watch shows a write late. (In a watch of a real server on one
    /// machine, of 165 events one came a whole second late.)
    #[must_use]
    pub const fn slack_nanos(self) -> i128 {
        match self {
            Self::Audit => 10_000_000,
            Self::Watch => 2_000_000_000,
            Self::Trace => 2, // readings of a clock in whole nanoseconds
        }
    }
}

/// How to read.
///
/// A Lease of 15 s that is taken after 14, in a watch, where a write may be shown late:
///
/// ```
/// use tenure_sim::history::{Format, Histories, Settings};
/// # let record = |version, second, holder: &str| {
/// #     format!(
/// #         r#"{{"type":"MODIFIED","received":"2026-01-01T00:00:{second}Z","object":{{"kind":"Lease",
/// #         "metadata":{{"name":"a","namespace":"default","uid":"u","resourceVersion":"{version}"}},
/// #         "spec":{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"leaseTransitions":{version}}}}}}}"#
/// #     ).replace('\n', "") + "\n"
/// # };
/// let text = record(1, "10", "x") + &record(2, "24", "y");
/// let violations = |slack_nanos| {
///     let settings = Settings { format: Some(Format::Watch), slack_nanos, ..Settings::default() };
///     let mut histories = Histories::new(settings);
///     histories.read(text.as_bytes(), &mut |_| {}).unwrap();
///     histories.locks().map(|(_, history)| history.findings.violations()).sum::<u64>()
/// };
/// assert_eq!((violations(None), Format::Watch.slack_nanos()), (0, 2_000_000_000));
/// assert_eq!(violations(Some(Format::Audit.slack_nanos())), 1);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The format, if it is not to be found out.
    pub format: Option<Format>,
    /// What is damaged ends the reading, and every line is looked at for damage.
    pub strict: bool,
    /// See [`Format::slack_nanos`].
    pub slack_nanos: Option<i128>,
}

/// What one recording held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// What it is; `None` if it is empty.
    pub format: Option<Format>,
    /// Lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// How many values are damaged.
    pub damaged: u64,
    /// The first of them: line and what is wrong.
    pub first_damaged: Vec<(u64, String)>,
    /// What the simulator's checks say of a trace.
    pub checked: Option<Checked>,
}

/// So many damaged lines are named.
const NAMED: usize = 5;
/// So many values are looked at to find out the format.
const LOOKED_AT: u64 = 1000;

/// Why a recording was not read.
#[derive(Debug)]
pub enum Unread {
    /// It cannot be read.
    Io(io::Error),
    /// Nothing in it is of a known format.
    NoFormat,
    /// It is damaged, and reading was strict.
    Damaged {
        /// The line.
        line: u64,
        /// What is wrong.
        why: String,
    },
    /// It is a trace with a header that does not fit.
    Header(String),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What the recordings amount to.
#[derive(Debug, Default)]
pub struct Histories {
    settings: Settings,
    worlds: u32,
    locks: BTreeMap<(Format, LockName), History>,
}

/// What tells the formats apart.
#[derive(Debug, Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default, rename = "apiVersion")]
    api_version: Option<Text<'a>>,
    #[serde(default)]
    object: Option<IgnoredAny>,
    #[serde(default, rename = "type")]
    event: Option<IgnoredAny>,
    #[serde(default)]
    format: Option<IgnoredAny>,
    #[serde(default)]
    scenario: Option<IgnoredAny>,
}

/// What the value is of, if that can be told.
fn format_of(text: &[u8]) -> Option<Format> {
    let head = serde_json::Deserializer::from_slice(text).into_iter::<Head<'_>>().next()?.ok()?;
    let kind = head.kind.as_ref().map(|kind| &*kind.0);
    let group = head.api_version.as_ref().map_or("", |version| &version.0);
    match kind {
        Some("Event" | "EventList") if group.starts_with("audit.k8s.io/") => Some(Format::Audit),
        Some("Lease" | "ConfigMap" | "Endpoints") => Some(Format::Watch),
        Some(list) if list == "List" || list.ends_with("List") => Some(Format::Watch),
        _ if head.event.is_some() && head.object.is_some() => Some(Format::Watch),
        _ if head.format.is_some() && head.scenario.is_some() => Some(Format::Trace),
        _ => None,
    }
}

/// One recording while it is read.
struct Reading<'a> {
    histories: &'a mut Histories,
    recording: Recording,
    sieve: Sieve,
    trace: Option<Trace>,
}

impl Histories {
    /// Nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The history of each lock.
    pub fn locks(&self) -> impl Iterator<Item = (Format, &History)> {
        self.locks.iter().map(|((format, _), history)| (*format, history))
    }

    /// Goes on with a recording: what it says of a lock comes after what others of its format said.
    /// `progress` is told now and then how many bytes were read.
    ///
    /// # Errors
    /// See [`Unread`]. What was read before stays.
    ///
    /// ```
    /// use tenure_sim::history::{Format, Histories, Settings};
    /// let mut histories = Histories::new(Settings::default());
    /// let text = br#"{"type":"ADDED","object":{"kind":"Lease","metadata":{"name":"a","resourceVersion":"7"},"spec":{"holderIdentity":"x"}}}"#;
    /// let recording = histories.read(&text[..], &mut |_| {}).unwrap();
    /// assert_eq!(recording.format, Some(Format::Watch));
    /// assert_eq!(histories.locks().count(), 1);
    ///
    /// // What was cut off is passed over, and counted, or ends the reading.
    /// use tenure_sim::history::{Recording, Unread};
    /// let text = [&text[..], b"\n", &text[..40]].concat();
    /// let Recording { damaged, first_damaged, .. } = histories.read(&text[..], &mut |_| {}).unwrap();
    /// assert_eq!((damaged, first_damaged[0].0), (1, 2));
    /// let mut strict = Histories::new(Settings { strict: true, ..Settings::default() });
    /// let unread = strict.read(&text[..], &mut |_| {});
    /// assert!(matches!(unread, Err(Unread::Damaged { line: 2, .. })));
    /// ```
    pub fn read(
        &mut self,
        from: impl BufRead,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Recording, Unread> {
        let format = self.settings.format;
        let recording = Recording { format, ..Recording::default() };
        self.worlds += 1;
        let mut reading = Reading { histories: self, recording, sieve: Sieve::new(), trace: None };
        let mut chunks = Chunks::new(from);
        let (mut told, mut values) = (0, 0);
        loop {
            match chunks.next()? {
                Chunk::End => break,
                Chunk::Damaged { line, why } => reading.damaged(line, why.to_owned())?,
                Chunk::Value { line, text } => {
                    values += 1;
                    reading.value(line, text)?;
                }
            }
            let (_, bytes) = chunks.read();
            if bytes - told > 1 << 22 {
                progress(bytes - told);
                told = bytes;
            }
            if reading.recording.format.is_none() && values >= LOOKED_AT {
                return Err(Unread::NoFormat);
            }
        }
        let (lines, bytes) = chunks.read();
        progress(bytes - told);
        let checked = reading.trace.map(Trace::checked);
        let recording = Recording { lines, bytes, checked, ..reading.recording };
        if recording.format.is_none() && (values > 0 || recording.damaged > 0) {
            return Err(Unread::NoFormat);
        }
        Ok(recording)
    }
}

impl Reading<'_> {
    fn damaged(&mut self, line: u64, why: String) -> Result<(), Unread> {
        if self.histories.settings.strict {
            return Err(Unread::Damaged { line, why });
        }
        self.recording.damaged += 1;
        if self.recording.first_damaged.len() < NAMED {
            // Of a value that is wrong all of it would stand in there.
            self.recording.first_damaged.push((line, Plain(&why).to_string()));
        }
        Ok(())
    }

    fn value(&mut self, line: u64, text: &[u8]) -> Result<(), Unread> {
        let format = match self.recording.format {
            Some(format) => format,
            None => match format_of(text) {
                Some(format) => *self.recording.format.insert(format),
                None => return self.unknown(line, text),
            },
        };
        let parsed = match format {
            Format::Audit => self.audit(line, text),
            Format::Watch => self.watch(line, text),
            Format::Trace if self.trace.is_none() => {
                let trace = Trace::new(self.histories.worlds, text).map_err(Unread::Header)?;
                self.trace = Some(trace);
                Ok(())
            }
            Format::Trace => self.trace(line, text),
        };
        parsed.or_else(|why| self.damaged(line, why))
    }

    /// Before the first value that tells the format.
    fn unknown(&mut self, line: u64, text: &[u8]) -> Result<(), Unread> {
        match serde_json::from_slice::<IgnoredAny>(text) {
            Ok(_) => Ok(()),
            Err(error) => self.damaged(line, error.to_string()),
        }
    }

    /// What does not matter is passed over; but a line that was cut is not whole.
    fn passed_over(&self, text: &[u8]) -> Result<(), String> {
        if self.histories.settings.strict {
            let whole = serde_json::from_slice::<IgnoredAny>(text);
            return whole.map(drop).map_err(|error| error.to_string());
        }
        if text.last() == Some(&b'}') { Ok(()) } else { Err("cut off".to_owned()) }
    }

    fn audit(&mut self, line: u64, text: &[u8]) -> Result<(), String> {
        if !self.sieve.may_matter(text) {
            return self.passed_over(text);
        }
        for event in serde_json::Deserializer::from_slice(text).into_iter::<audit::Event<'_>>() {
            let event = event.map_err(|error| error.to_string())?;
            event.changes(line, &mut |change| self.histories.observe(Format::Audit, &change))?;
        }
        Ok(())
    }

    fn watch(&mut self, line: u64, text: &[u8]) -> Result<(), String> {
        for item in serde_json::Deserializer::from_slice(text).into_iter::<watch::Item<'_>>() {
            let item = item.map_err(|error| error.to_string())?;
            item.changes(line, &mut |change| self.histories.observe(Format::Watch, &change))?;
        }
        Ok(())
    }

    fn trace(&mut self, line: u64, text: &[u8]) -> Result<(), String> {
        let change = self.trace.as_mut().map(|trace| trace.change(text, line)).transpose()?;
        if let Some(change) = change.flatten() {
            self.histories.observe(Format::Trace, &change);
        }
        Ok(())
    }
}

impl Histories {
    fn observe(&mut self, format: Format, change: &Change) {
        let key = (format, change.lock.clone());
        if let Some(history) = self.locks.get_mut(&key) {
            return history.observe(change);
        }
        if History::concerns(change) {
            let slack = self.settings.slack_nanos.unwrap_or_else(|| format.slack_nanos());
            let mut history = History::new(change.lock.clone(), slack);
            history.observe(change);
            self.locks.insert(key, history);
        }
    }
}
