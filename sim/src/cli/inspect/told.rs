//! What one object says.

use serde_json::{Value, json};
use tenure::lock::Record;
use tenure::lock::lease::Lease;
use tenure::lock::wire::{self, ANNOTATION};
use tenure::sharding::{GROUP_LABEL, MemberRecord};
use tenure::time::Timestamp;

use super::odd;
use crate::history::{Moment, Plain};

/// Nanoseconds in a second.
const SECOND: i128 = 1_000_000_000;
/// The holder of a lock that was created because it was missing; nobody in particular.
pub(super) const UNCLAIMED: &str = "tenure.dev/unclaimed";

/// An object in words.
pub(super) struct Told {
    pub(super) title: String,
    pub(super) rows: Vec<(&'static str, String)>,
    pub(super) odd: Vec<String>,
    kind: String,
    namespace: String,
    name: String,
    record: Option<Record>,
    expires: Option<Moment>,
    member: Option<Value>,
}

/// The text in a field, and nothing if there is none.
pub(super) fn field<'a>(object: &'a Value, path: &str) -> &'a str {
    object.pointer(path).and_then(Value::as_str).unwrap_or("")
}

impl Told {
    pub(super) fn new(object: &Value, now: Moment) -> Self {
        let kind = field(object, "/kind").to_owned();
        let namespace = field(object, "/metadata/namespace").to_owned();
        let name = field(object, "/metadata/name").to_owned();
        let mut told = Self {
            title: format!("{kind} {namespace}/{name}"),
            rows: Vec::new(),
            odd: Vec::new(),
            kind,
            namespace,
            name,
            record: None,
            expires: None,
            member: None,
        };
        match &*told.kind {
            "Lease" => told.lease(object, now),
            "ConfigMap" | "Endpoints" => told.annotated(object, now),
            "" => told.odd.push("it has no kind: it cannot be told".to_owned()),
            _ => told.odd.push("neither a Lease, a ConfigMap nor Endpoints: no lock".to_owned()),
        }
        let deletion = field(object, "/metadata/deletionTimestamp");
        if !deletion.is_empty() {
            told.odd.push(format!(
                "it is being deleted, since {}: finalizers keep it",
                Plain(deletion)
            ));
        }
        told
    }

    fn lease(&mut self, object: &Value, now: Moment) {
        let read = wire::lease_from_lenient_json(object.to_string().as_bytes());
        let ((lease, _), forgiven) = match read {
            Ok(lenient) => (lenient.value, lenient.forgiven),
            Err(error) => {
                return self.odd.push(format!("it cannot be read: {}", Plain(&error.to_string())));
            }
        };
        self.forgive(&forgiven);
        if let Some(group) = lease.metadata.labels.get(GROUP_LABEL) {
            return self.member(&lease, group, now);
        }
        self.record(object, lease.spec.to_record(), now);
    }

    fn annotated(&mut self, object: &Value, now: Moment) {
        let annotations = object.pointer("/metadata/annotations");
        let text = annotations.and_then(|all| all.get(ANNOTATION)).and_then(Value::as_str);
        let Some(text) = text else {
            return self.row(
                "held by",
                "nobody: it has no annotation that says so; no lock, or one never held",
            );
        };
        match wire::record_from_lenient_json(text.as_bytes()) {
            Ok(lenient) => {
                self.forgive(&lenient.forgiven);
                self.record(object, lenient.value, now);
            }
            Err(error) => self.odd.push(format!(
                "its record cannot be read, so no elector takes it over: {}",
                Plain(&error.to_string())
            )),
        }
    }

    fn forgive(&mut self, forgiven: &[wire::Forgiven]) {
        let refused = forgiven.iter().map(|forgiven| {
            let what = forgiven.to_string();
            format!("client-go refuses it: {}", Plain(&what))
        });
        self.odd.extend(refused);
    }

    fn row(&mut self, label: &'static str, value: impl Into<String>) {
        self.rows.push((label, value.into()));
    }

    fn record(&mut self, object: &Value, record: Record, now: Moment) {
        let holder = record.holder.as_str();
        let held = !holder.is_empty();
        let lasts = i128::from(record.lease_duration_seconds) * SECOND;
        match holder {
            "" => self.row("held by", "nobody: it is free"),
            UNCLAIMED => {
                self.row(
                    "held by",
                    format!("nobody yet ({UNCLAIMED} keeps it for a first holder)"),
                );
            }
            _ => self.row("held by", Plain(holder).to_string()),
        }
        let times = [
            (if held { "since" } else { "released" }, record.acquire_time.filter(|_| held)),
            (if held { "renewed" } else { "written last" }, record.renew_time),
        ];
        for (label, time) in times {
            if let Some(time) = time {
                self.row(label, at(time, now));
            }
        }
        if held {
            self.row("lasts", format!("{} s after each renewal", record.lease_duration_seconds));
            self.expires = record.renew_time.map(|renewed| Moment::of(renewed).plus(lasts.max(0)));
            if let Some(expires) = self.expires {
                let label = if expires.since(now) < 0 { "expired" } else { "expires" };
                self.row(label, format!("{expires}, {}", relative(expires, now)));
            }
        }
        let times = match record.leader_transitions {
            0 => "never, since it was made".to_owned(),
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        self.row("changed hands", times);
        if let Some(strategy) = &record.strategy {
            self.row("strategy", format!("{} (coordinated election)", Plain(strategy)));
        }
        if !record.preferred_holder.is_empty() {
            let next = Plain(record.preferred_holder.as_str());
            self.row("next holder", format!("{next}: the present one is to stop renewing"));
        }
        let wish = object.pointer("/metadata/annotations").and_then(|all| all.get(PREFERRED));
        if let Some(wish) = wish.and_then(Value::as_str).filter(|wish| !wish.is_empty()) {
            self.row("next holder", format!("{}, by the annotation {PREFERRED}", Plain(wish)));
        }
        self.odd.extend(odd::of(object, &record, now));
        self.record = Some(record);
    }

    fn member(&mut self, lease: &Lease, group: &str, now: Moment) {
        self.row("group", Plain(group).to_string());
        let record = match MemberRecord::from_lease(lease, group) {
            Ok(record) => record,
            Err(error) => {
                let what = error.to_string();
                let what = format!(
                    "its record cannot be read, and the group counts it as there: {}",
                    Plain(&what)
                );
                return self.odd.push(what);
            }
        };
        let lasts = record.lease_duration;
        self.row("member", Plain(record.member.name()).to_string());
        self.row("state", record.state.to_string());
        self.row("incarnation", Plain(&record.incarnation.to_string()).to_string());
        self.row("configuration", record.generation.to_string());
        let acted_on = record.acted_on.map(|version| format!("version {version} of the group"));
        self.row("acted on", acted_on.unwrap_or_else(|| "nothing yet".to_owned()));
        if record.member.weight().get() != 1 {
            self.row("weight", record.member.weight().to_string());
        }
        if let Some(zone) = record.member.zone() {
            self.row("zone", Plain(zone).to_string());
        }
        for (label, time) in [("joined", record.joined), ("renewed", record.renewed)] {
            if let Some(time) = time {
                self.row(label, at(time, now));
            }
        }
        self.row("lasts", format!("{} s after each renewal", lasts.as_secs()));
        let nanos = i128::try_from(lasts.as_nanos()).unwrap_or(i128::MAX);
        self.expires = record.renewed.map(|renewed| Moment::of(renewed).plus(nanos));
        if let Some(expires) = self.expires.filter(|_| record.state.counts()) {
            let label = if expires.since(now) < 0 { "expired" } else { "expires" };
            self.row(label, format!("{expires}, {}", relative(expires, now)));
        }
        let ahead = record.renewed.map(|renewed| Moment::of(renewed).since(now));
        self.odd.extend(ahead.and_then(odd::ahead));
        self.member = Some(json!({
            "group": group,
            "member": record.member.name(),
            "state": record.state.to_string(),
            "incarnation": record.incarnation.to_string(),
            "configuration": record.generation.to_string(),
            "acted_on": record.acted_on,
            "weight": record.member.weight().get(),
            "zone": record.member.zone(),
        }));
        self.record = Some(lease.spec.to_record());
    }

    pub(super) fn json(&self) -> Value {
        let time = |time: Option<Timestamp>| time.map(|time| format!("{:#}", Moment::of(time)));
        let record = self.record.as_ref().map(|record| {
            json!({
                "holder": record.holder.as_str(),
                "lease_duration_seconds": record.lease_duration_seconds,
                "acquire_time": time(record.acquire_time),
                "renew_time": time(record.renew_time),
                "transitions": record.leader_transitions,
                "strategy": record.strategy,
                "preferred_holder": record.preferred_holder.as_str(),
            })
        });
        json!({
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "record": record,
            "expires": self.expires.map(|expires| format!("{expires:#}")),
            "member": self.member,
            "odd": self.odd,
        })
    }
}

/// The annotation that names who should hold the lock next.
const PREFERRED: &str = "tenure.dev/preferred-holder";

fn at(time: Timestamp, now: Moment) -> String {
    let time = Moment::of(time);
    format!("{time}, {}", relative(time, now))
}

/// How long ago, or how soon.
fn relative(time: Moment, now: Moment) -> String {
    let nanos = time.since(now);
    let length = words(nanos);
    if nanos > 0 { format!("in {length}") } else { format!("{length} ago") }
}

/// A length in its two largest units; below ten seconds with one digit after the point.
pub(super) fn words(nanos: i128) -> String {
    let nanos = nanos.unsigned_abs();
    let seconds = nanos / 1_000_000_000;
    let two = |first: u128, unit, second: u128, small| match second {
        0 => format!("{first} {unit}"),
        _ => format!("{first} {unit} {second} {small}"),
    };
    match seconds {
        0..10 => format!("{seconds}.{} s", nanos / 100_000_000 % 10),
        10..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3600 % 24, "h"),
    }
}
