//! A whole run as a Chrome trace: <https://ui.perfetto.dev> and `chrome://tracing` draw it.
//!
//! The format is the Trace Event Format of Chromium: an object with `traceEvents`, each with a phase `ph`.
//! A replica is a process (`pid` its index and one), with a thread for each thing that it can be in the
//! midst of; what can overlap itself (calls, work, faults) is an asynchronous event. Times are microseconds
//! with three digits behind the point, so that no nanosecond is lost.

mod election;
mod group;

use core::fmt::Write as _;
use std::collections::BTreeMap;

use crate::check::Violation;
use crate::time::SimTime;

pub use election::perfetto;
pub use group::perfetto_sharded;

/// The process of the store.
const STORE: u32 = 0;

/// The threads of a replica, and what they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Track {
    Process = 1,
    Paused,
    Acting,
    Believing,
}

impl Track {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Process, "process"),
        (Self::Paused, "stands still"),
        (Self::Acting, "may act"),
        (Self::Believing, "believes"),
    ];
}

/// Events, one a line.
#[derive(Debug, Default)]
struct Drawing {
    lines: Vec<String>,
    /// What is under way: its name, and since when.
    open: BTreeMap<(u32, Track), (String, SimTime)>,
}

/// Text for JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Microseconds.
fn micros(at: SimTime) -> String {
    format!("{}.{:03}", at.as_nanos() / 1_000, at.as_nanos() % 1_000)
}

const fn pid(replica: u32) -> u32 {
    replica + 1
}

impl Drawing {
    /// A process for the store, and one for each replica.
    fn new(names: impl Iterator<Item = String>) -> Self {
        let mut drawing = Self::default();
        drawing.meta(STORE, None, "store");
        for (replica, name) in (0..).zip(names) {
            drawing.meta(pid(replica), None, &name);
            for (track, name) in Track::ALL {
                drawing.meta(pid(replica), Some(track), name);
            }
        }
        drawing
    }

    fn meta(&mut self, pid: u32, track: Option<Track>, name: &str) {
        let name = quoted(name);
        self.lines.push(match track {
            None => format!(r#"{{"ph":"M","pid":{pid},"name":"process_name","args":{{"name":{name}}}}}"#),
            Some(track) => format!(
                r#"{{"ph":"M","pid":{pid},"tid":{},"name":"thread_name","args":{{"name":{name}}}}}"#,
                track as u8
            ),
        });
    }

    /// Something begins that goes on; what was under way on this track is over.
    fn begin(&mut self, replica: u32, track: Track, name: impl Into<String>, at: SimTime) {
        self.end(replica, track, at);
        self.open.insert((replica, track), (name.into(), at));
    }

    /// It is over, if it was under way.
    fn end(&mut self, replica: u32, track: Track, at: SimTime) {
        let Some((name, since)) = self.open.remove(&(replica, track)) else { return };
        let length = SimTime::from_nanos(at.saturating_since(since).as_nanos());
        self.lines.push(format!(
            r#"{{"ph":"X","pid":{},"tid":{},"ts":{},"dur":{},"name":{}}}"#,
            pid(replica),
            track as u8,
            micros(since),
            micros(length),
            quoted(&name)
        ));
    }

    /// All that a process was in the midst of is over.
    fn end_all(&mut self, replica: u32, at: SimTime) {
        for (track, _) in Track::ALL {
            self.end(replica, track, at);
        }
    }

    /// Something at one instant.
    fn instant(&mut self, pid: u32, name: &str, at: SimTime) {
        let (at, name) = (micros(at), quoted(name));
        let event = format!(r#"{{"ph":"i","s":"p","pid":{pid},"tid":1,"ts":{at},"name":{name}}}"#);
        self.lines.push(event);
    }

    /// What may overlap its like: `b` it begins, `n` something becomes of it, `e` it is over. `id` tells it
    /// from others of its `kind`.
    fn asynchronous(
        &mut self,
        phase: char,
        pid: u32,
        kind: &str,
        id: &str,
        name: &str,
        at: SimTime,
    ) {
        let (at, id, name) = (micros(at), quoted(id), quoted(name));
        self.lines.push(format!(
            r#"{{"ph":"{phase}","cat":"{kind}","id":{id},"pid":{pid},"tid":1,"ts":{at},"name":{name}}}"#
        ));
    }

    /// The run is over, and this was found in it.
    fn finish(mut self, end: SimTime, violations: &[Violation]) -> String {
        let open: Vec<_> = self.open.keys().copied().collect();
        for (replica, track) in open {
            self.end(replica, track, end);
        }
        for violation in violations {
            let at = micros(violation.at);
            let name = quoted(&format!("{}/{}", violation.check, violation.rule));
            let what = quoted(&violation.what);
            let pid = violation.replicas.first().map_or(STORE, |replica| pid(*replica));
            self.lines.push(format!(
                r#"{{"ph":"i","s":"g","cat":"violation","pid":{pid},"tid":1,"ts":{at},"name":{name},"args":{{"what":{what}}}}}"#
            ));
        }
        let mut text = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n".to_owned();
        let last = self.lines.len().saturating_sub(1);
        for (nth, line) in self.lines.iter().enumerate() {
            let _ = writeln!(text, "{line}{}", if nth == last { "" } else { "," });
        }
        text.push_str("]}\n");
        text
    }
}

/// Faults that go on, and whom they hit.
#[derive(Debug, Default)]
struct Faults(BTreeMap<u32, (String, Vec<u32>)>);

impl Faults {
    /// One that hits nobody by name is of the store.
    fn begin(&mut self, drawing: &mut Drawing, fault: u32, name: &str, who: &[u32], at: SimTime) {
        let pids: Vec<u32> =
            if who.is_empty() { vec![STORE] } else { who.iter().copied().map(pid).collect() };
        for pid in &pids {
            let id = format!("fault-{fault}-{pid}");
            drawing.asynchronous('b', *pid, "fault", &id, name, at);
        }
        self.0.insert(fault, (name.to_owned(), pids));
    }

    fn end(&mut self, drawing: &mut Drawing, fault: u32, at: SimTime) {
        let Some((name, pids)) = self.0.remove(&fault) else { return };
        for pid in pids {
            let id = format!("fault-{fault}-{pid}");
            drawing.asynchronous('e', pid, "fault", &id, &name, at);
        }
    }

    fn end_all(&mut self, drawing: &mut Drawing, at: SimTime) {
        let open: Vec<u32> = self.0.keys().copied().collect();
        for fault in open {
            self.end(drawing, fault, at);
        }
    }
}
