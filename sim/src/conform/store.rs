//! The store behind a trace: executes the recorded calls in the recorded order, so that an answer
//! must be what the calls before it made of the object.

use super::compare::Difference;
use super::format::{Event, Object, Trace, Verb};
use super::structure::at;
use super::{Divergence, Place};

/// The name of the lock, where the trace's first object does not say it.
const LOCK: &str = "lock";

#[derive(Debug)]
struct Store {
    object: Option<Object>,
    /// The version of the last write.
    version: u64,
    /// The numbers of the uids given so far.
    uids: u64,
}

/// Executes all that the trace's store executed.
pub(super) fn check(trace: &Trace) -> Result<(), Divergence> {
    let mut events: Vec<(u64, &Event)> = Vec::new();
    for event in &trace.events {
        if let Some(order) = event.server_seq {
            events.push((order, event));
        }
    }
    events.sort_by_key(|(order, event)| (*order, event.seq));
    let mut store = Store::new(trace.initial_object.as_ref());
    let mut last_ns = i64::MIN;
    for (index, (order, event)) in (0..).zip(events) {
        if order != index {
            return Err(at(event, format!("server_seq {index}"), order.to_string()));
        }
        let applied = event.applied_ns.unwrap_or(i64::MIN);
        if applied < last_ns || applied < event.t_ns {
            let expected = "applied_ns in order, not before t_ns";
            return Err(at(event, expected, applied.to_string()));
        }
        last_ns = applied;
        store.execute(event)?;
    }
    if store.object == trace.final_object {
        Ok(())
    } else {
        Err(Divergence {
            place: Place::AfterSeq(trace.events.last().map_or(0, |event| event.seq)),
            elector: String::new(),
            time_ns: trace.duration_ns,
            expected: format!("final_object {:?}", trace.final_object),
            got: format!("{:?}", store.object),
        })
    }
}

impl Store {
    fn new(initial: Option<&Object>) -> Self {
        let object = initial.map(|object| Object {
            rv: "1".to_owned(),
            uid: Some("uid-1".to_owned()),
            name: Some(&object.name)
                .filter(|name| !name.is_empty())
                .map_or(LOCK, |name| name)
                .into(),
            ..truncated(object)
        });
        let first = u64::from(object.is_some());
        Self { object, version: first, uids: first }
    }

    fn execute(&mut self, event: &Event) -> Result<(), Divergence> {
        let Some(verb) = Verb::parse(&event.kind) else { return self.admin(event) };
        let result = self.call(verb, event.request.as_ref());
        if event.server_result.as_deref() != Some(result) {
            let got = format!("{:?}", event.server_result);
            return Err(at(event, format!("server_result {result}"), got));
        }
        let difference = event.response.as_ref().and_then(|got| match &self.object {
            Some(object) => difference("response", object, got),
            None => Some(("no response".to_owned(), "one".to_owned())),
        });
        difference.map_or(Ok(()), |(expected, got)| Err(at(event, expected, got)))
    }

    fn call(&mut self, verb: Verb, request: Option<&Object>) -> &'static str {
        match (verb, &self.object, request) {
            (Verb::Get, Some(_), _) => "ok",
            (Verb::Create, Some(_), _) => "exists",
            (Verb::Create, None, Some(request)) => {
                self.uids += 1;
                self.write(request, format!("uid-{}", self.uids))
            }
            (Verb::Update, Some(current), Some(request)) => {
                let uid = request.uid.as_ref().filter(|uid| !uid.is_empty());
                let same = uid.is_none_or(|uid| Some(uid) == current.uid.as_ref());
                if !same || request.rv != current.rv {
                    return "conflict";
                }
                let uid = current.uid.clone().unwrap_or_default();
                self.write(request, uid)
            }
            (Verb::Update, None, Some(request)) if request.uid.is_some() => "conflict",
            (Verb::Get | Verb::Update, None, _) => "notfound",
            (_, _, None) => "a call with a request",
        }
    }

    fn write(&mut self, request: &Object, uid: String) -> &'static str {
        self.version += 1;
        let rv = self.version.to_string();
        self.object = Some(Object { rv, uid: Some(uid), ..truncated(request) });
        "ok"
    }

    /// An outsider's write leaves what it says, with a new version.
    fn admin(&mut self, event: &Event) -> Result<(), Divergence> {
        if event.kind == "admin_delete" {
            self.object = None;
            return Ok(());
        }
        let Some(object) = &event.response else { return Ok(()) };
        match object.rv.parse() {
            Ok(version) if version > self.version => self.version = version,
            _ => {
                let expected = format!("a version after {}", self.version);
                return Err(at(event, expected, format!("rv {:?}", object.rv)));
            }
        }
        let uid = object.uid.as_deref().and_then(|uid| uid.strip_prefix("uid-"));
        self.uids = self.uids.max(uid.and_then(|number| number.parse().ok()).unwrap_or(0));
        self.object = Some(object.clone());
        Ok(())
    }
}

/// The first field in which two objects differ.
pub(super) fn difference(what: &str, expected: &Object, got: &Object) -> Option<Difference> {
    if expected == got {
        return None;
    }
    let fields = |object: &Object| {
        let Object { rv, uid, name, holder, lease_duration_seconds, .. } = object;
        [
            ("rv", format!("{rv:?}")),
            ("uid", format!("{uid:?}")),
            ("name", format!("{name:?}")),
            ("holder", format!("{holder:?}")),
            ("lease_duration_seconds", format!("{lease_duration_seconds:?}")),
            ("acquire_time_ns", format!("{:?}", object.acquire_time_ns)),
            ("renew_time_ns", format!("{:?}", object.renew_time_ns)),
            ("lease_transitions", format!("{:?}", object.lease_transitions)),
        ]
    };
    let mut pairs = fields(expected).into_iter().zip(fields(got));
    let ((name, expected), (_, got)) = pairs.find(|(expected, got)| expected != got)?;
    Some((format!("{what}.{name} {expected}"), format!("{what}.{name} {got}")))
}

/// With times in whole microseconds, cut towards the past.
pub(super) fn truncated(object: &Object) -> Object {
    let micros = |time: Option<i64>| time.map(|nanos| nanos - nanos.rem_euclid(1000));
    Object {
        acquire_time_ns: micros(object.acquire_time_ns),
        renew_time_ns: micros(object.renew_time_ns),
        ..object.clone()
    }
}
