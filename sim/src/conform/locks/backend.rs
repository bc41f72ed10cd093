//! The store behind the cases: three objects, one version for all of them, and an outsider.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tenure::election::{Failure, Op, Request, Stored};
use tenure::lock::annotated::Annotated;
use tenure::lock::lease::{Lease, Metadata};
use tenure::lock::wire::{self, ANNOTATION};
use tenure::lock::{Identity, Kind, Object as LockObject, Version};

use super::LOCK;
use super::format::{Call, Held, Objects, Step};
use crate::conform::compare::{self, NAMESPACE};
use crate::conform::format::{Object, Outcome, Verb};
use crate::conform::store::truncated;

/// The version before the first write, if nothing is stored.
const FIRST_VERSION: u64 = 10;

#[derive(Debug)]
pub(super) struct Backend {
    pub(super) objects: Objects,
    version: u64,
}

impl Objects {
    const fn get(&self, kind: Kind) -> &Held {
        match kind {
            Kind::ConfigMap => &self.configmaps,
            Kind::Endpoints => &self.endpoints,
            Kind::Lease => &self.leases,
        }
    }

    const fn get_mut(&mut self, kind: Kind) -> &mut Held {
        match kind {
            Kind::ConfigMap => &mut self.configmaps,
            Kind::Endpoints => &mut self.endpoints,
            Kind::Lease => &mut self.leases,
        }
    }
}

/// What the objects of this kind are called in paths of the API.
pub(super) const fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::ConfigMap => "configmaps",
        Kind::Endpoints => "endpoints",
        Kind::Lease => "leases",
    }
}

/// What is wrong with an object that is stored before the case begins.
pub(super) fn contradiction(held: &Held) -> Option<String> {
    if !held.exists {
        let absent = Held { exists: false, ..Held::default() };
        return (*held != absent).then(|| "an absent object with nothing in it".to_owned());
    }
    let Some(rv) = held.rv.as_deref().filter(|rv| rv.parse::<u64>().is_ok()) else {
        return Some("an object with a number for its rv".to_owned());
    };
    let spec = held.spec.as_ref()?;
    (spec.rv != rv || spec.name != LOCK).then(|| format!("a spec with rv {rv:?}, name {LOCK:?}"))
}

impl Backend {
    pub(super) fn new(before: &Objects) -> Self {
        let kinds = [Kind::ConfigMap, Kind::Endpoints, Kind::Lease];
        let versions =
            kinds.iter().filter_map(|kind| before.get(*kind).rv.as_deref()?.parse().ok());
        let version = versions.fold(FIRST_VERSION, u64::max);
        Self { objects: before.clone(), version }
    }

    /// Executes a request in the step, and says how it would be recorded and what is answered.
    pub(super) fn execute(
        &mut self,
        t_ns: i64,
        request: &Request,
        step: &Step,
    ) -> Result<(Call, Result<Stored, Failure>), String> {
        let kind = request.lock.kind;
        let verb = compare::verb(&request.op);
        let planned = step.fail.get(&format!("{}/{}", resource(kind), verb.text()));
        let outcome = match planned.map(|text| (Outcome::parse(text), text)) {
            _ if is_nameless(&request.op) => Outcome::Error,
            None => self.apply(kind, &request.op),
            Some((Some(outcome), _)) if outcome.is_seen() && outcome != Outcome::Ok => outcome,
            Some((_, text)) => return Err(format!("fail {text:?}, which is no failure")),
        };
        let (object, version) = match &request.op {
            Op::Get => (None, None),
            Op::Create(object) => (Some(object), None),
            Op::Update(object, version) => (Some(object), Some(version.to_string())),
        };
        let call = Call {
            t_ns,
            resource: resource(kind).to_owned(),
            verb: verb.text().to_owned(),
            request_rv: version.clone(),
            request_annotation: object.and_then(annotation),
            request_spec: object.and_then(|object| spec(object, version.unwrap_or_default())),
            result: outcome.text().to_owned(),
        };
        let answer = match outcome {
            Outcome::Ok => Ok(self.stored(kind)?),
            Outcome::Conflict => Err(Failure::Conflict),
            Outcome::NotFound => Err(Failure::NotFound),
            Outcome::Exists => Err(Failure::AlreadyExists),
            _ => Err(Failure::Other),
        };
        Ok((call, answer))
    }

    fn apply(&mut self, kind: Kind, op: &Op) -> Outcome {
        let held = self.objects.get(kind);
        match op {
            Op::Get | Op::Update(..) if !held.exists => Outcome::NotFound,
            Op::Get => Outcome::Ok,
            Op::Create(_) if held.exists => Outcome::Exists,
            Op::Update(_, version) if held.rv != Some(version.to_string()) => Outcome::Conflict,
            Op::Create(object) | Op::Update(object, _) => {
                self.write(kind, annotation(object), spec(object, String::new()), rest(object));
                Outcome::Ok
            }
        }
    }

    fn write(
        &mut self,
        kind: Kind,
        annotation: Option<String>,
        spec: Option<Object>,
        rest: BTreeMap<String, Value>,
    ) {
        self.version += 1;
        let rv = self.version.to_string();
        let spec = spec.map(|spec| Object { rv: rv.clone(), ..truncated(&spec) });
        let held = Held { exists: true, rv: Some(rv), annotation, spec, rest };
        *self.objects.get_mut(kind) = held;
    }

    /// The object as an elector gets it.
    fn stored(&self, kind: Kind) -> Result<Stored, String> {
        let held = self.objects.get(kind);
        if let Some(spec) = &held.spec {
            return compare::stored(spec);
        }
        let mut metadata =
            Metadata { namespace: NAMESPACE.into(), name: LOCK.into(), ..Metadata::default() };
        if let Some(text) = &held.annotation {
            metadata.annotations.insert(ANNOTATION.into(), text.as_str().into());
        }
        if !held.rest.is_empty() {
            let bytes = serde_json::to_vec(&held.rest).map_err(|error| error.to_string())?;
            metadata.rest = Some(bytes.into());
        }
        let metadata = Arc::new(metadata);
        let object = match kind {
            Kind::ConfigMap => LockObject::ConfigMap(Annotated { metadata }),
            Kind::Endpoints => LockObject::Endpoints(Annotated { metadata }),
            Kind::Lease => LockObject::Lease(Lease { metadata, ..Lease::default() }),
        };
        let version = Version::opaque(held.rv.as_deref().unwrap_or_default());
        Ok(Stored { object, version })
    }

    /// What the outsider does before the step: `delete_WHICH`, `touch_WHICH` (it changes nothing but
    /// the version) or `WHO_takes_WHICH`, where WHICH is `primary`, `secondary` or `both`. What it left
    /// with another deed is what stands there after the step, if the step wrote nothing over it. False
    /// if it did.
    pub(super) fn outsider(
        &mut self,
        deed: &str,
        kinds: &[Kind],
        step: &Step,
    ) -> Result<bool, String> {
        let (deed, kinds) = match (deed.rsplit_once('_'), kinds) {
            (Some((deed, "primary")), [primary, ..]) => (deed, &[*primary][..]),
            (Some((deed, "secondary")), [_, secondary]) => (deed, &[*secondary][..]),
            (Some((deed, "both")), kinds) => (deed, kinds),
            _ => ("", kinds),
        };
        if !matches!(deed, "delete" | "touch") && !deed.ends_with("_takes") {
            return Ok(self.believe(step, kinds));
        }
        for kind in kinds {
            match deed.strip_suffix("_takes") {
                Some(who) => self.take(*kind, who)?,
                None if deed == "delete" => *self.objects.get_mut(*kind) = Held::default(),
                None => {
                    let Held { annotation, spec, rest, .. } = self.objects.get(*kind).clone();
                    self.write(*kind, annotation, spec, rest);
                }
            }
        }
        Ok(true)
    }

    /// Writes another holder, and leaves all else as it is.
    fn take(&mut self, kind: Kind, who: &str) -> Result<(), String> {
        let Held { annotation, spec, rest, .. } = self.objects.get(kind).clone();
        let spec = spec.map(|spec| Object { holder: Some(who.to_owned()), ..spec });
        let taken = |text: String| {
            let mut record =
                wire::record_from_json(text.as_bytes()).map_err(|it| it.to_string())?;
            record.holder = who.into();
            Ok::<_, String>(wire::record_to_json_five_fields(&record))
        };
        let annotation = annotation.map(taken).transpose()?;
        self.write(kind, annotation, spec, rest);
        Ok(())
    }

    fn believe(&mut self, step: &Step, kinds: &[Kind]) -> bool {
        let wrote = |call: &Call| {
            let writes = Verb::parse(&call.verb).is_some_and(Verb::writes);
            let touched = kinds.iter().any(|kind| resource(*kind) == call.resource);
            writes && touched && call.result == Outcome::Ok.text()
        };
        if step.calls.iter().any(wrote) {
            return false;
        }
        for kind in kinds {
            let left = step.stored_after.get(*kind);
            let version = left.rv.as_deref().and_then(|rv| rv.parse().ok()).unwrap_or(0);
            self.version = self.version.max(version);
            *self.objects.get_mut(*kind) = left.clone();
        }
        true
    }
}

/// The client refuses to send what has no name.
pub(super) fn is_nameless(op: &Op) -> bool {
    matches!(op, Op::Update(object, _) if object.metadata().name.is_empty())
}

fn annotation(object: &LockObject) -> Option<String> {
    match object {
        LockObject::Lease(_) => None,
        LockObject::ConfigMap(object) | LockObject::Endpoints(object) => {
            object.annotation().map(|text| text.as_ref().to_owned())
        }
    }
}

fn rest(object: &LockObject) -> BTreeMap<String, Value> {
    let bytes = object.metadata().rest.as_deref().unwrap_or(b"{}");
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// A Lease in the terms of the file.
fn spec(object: &LockObject, rv: String) -> Option<Object> {
    let LockObject::Lease(lease) = object else { return None };
    let spec = &lease.spec;
    let time = |time| compare::recorded_time(time).and_then(|nanos| i64::try_from(nanos).ok());
    Some(Object {
        rv,
        uid: Some(&*lease.metadata.uid).filter(|uid| !uid.is_empty()).map(str::to_owned),
        name: lease.metadata.name.as_ref().to_owned(),
        holder: spec.holder_identity.as_ref().map(Identity::as_str).map(str::to_owned),
        lease_duration_seconds: spec.lease_duration_seconds.map(i64::from),
        acquire_time_ns: time(spec.acquire_time),
        renew_time_ns: time(spec.renew_time),
        lease_transitions: spec.lease_transitions.map(i64::from),
    })
}
