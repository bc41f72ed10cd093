//! What an API server keeps: objects, one version for all of them, and the history of their changes.
//!
//! Statuses, reasons and oddities are those of kube-apiserver 1.36, as it answered to probes: a PUT of a
//! Lease that is gone makes it anew unless it names a UID; one that changes nothing makes no version; a
//! Lease cannot be written without a version, a `ConfigMap` can.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// `leases` or `configmaps`, and a name. There is one namespace.
pub(crate) type Key = (&'static str, String);

/// A refusal: status and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

pub(crate) fn refusal(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
    Refusal { code, reason, message: message.into() }
}

/// One change, for watches and for checks.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) key: Key,
    /// What was there; nothing, if it was created.
    pub(crate) before: Option<Value>,
    /// What is there; nothing, if it was deleted.
    pub(crate) after: Option<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) version: u64,
    pub(crate) objects: BTreeMap<Key, Value>,
    pub(crate) history: Vec<Change>,
    /// Watches cannot begin before this version.
    pub(crate) compacted: u64,
    uids: u64,
}

/// The text at a pointer, empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

const VERSION: &str = "/metadata/resourceVersion";
const UID: &str = "/metadata/uid";

impl Store {
    fn commit(&mut self, key: Key, after: Option<Value>) -> Value {
        self.version += 1;
        let mut stored =
            after.clone().or_else(|| self.objects.get(&key).cloned()).unwrap_or_default();
        stored["metadata"]["resourceVersion"] = self.version.to_string().into();
        let before = match after {
            Some(_) => self.objects.insert(key.clone(), stored.clone()),
            None => self.objects.remove(&key),
        };
        let after = after.map(|_| stored.clone());
        self.history.push(Change { version: self.version, key, before, after });
        stored
    }

    /// All objects as they were at this version.
    pub(crate) fn at(&self, version: u64) -> BTreeMap<Key, Value> {
        let mut objects = self.objects.clone();
        for change in self.history.iter().rev().take_while(|change| version < change.version) {
            match &change.before {
                Some(before) => objects.insert(change.key.clone(), before.clone()),
                None => objects.remove(&change.key),
            };
        }
        objects
    }

    pub(crate) fn get(&self, key: &Key) -> Result<Value, Refusal> {
        self.objects.get(key).cloned().ok_or_else(|| missing(key))
    }

    pub(crate) fn create(
        &mut self,
        resource: &'static str,
        mut body: Value,
    ) -> Result<Value, Refusal> {
        let name = text(&body, "/metadata/name").to_owned();
        if name.is_empty() {
            return Err(refusal(422, "Invalid", "metadata.name: Required value"));
        }
        if !text(&body, VERSION).is_empty() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(refusal(500, "", message));
        }
        validate(resource, &body)?;
        let key = (resource, name);
        if self.objects.contains_key(&key) {
            let message = format!("{resource} \"{}\" already exists", key.1);
            return Err(refusal(409, "AlreadyExists", message));
        }
        self.uids += 1;
        // As scattered as real ones.
        let scattered =
            u128::from(self.uids).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let hex = format!("{scattered:032x}");
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let metadata = &mut body["metadata"];
        metadata["uid"] = parts.join("-").into();
        metadata["namespace"] = "default".into();
        metadata["creationTimestamp"] = "2026-11-23T00:00:00Z".into();
        // What no model of ours knows.
        metadata["managedFields"] = json!([{"manager": "test", "operation": "Update"}]);
        Ok(self.commit(key, Some(body)))
    }

    /// A PUT; says whether it created.
    pub(crate) fn update(&mut self, key: Key, body: Value) -> Result<(bool, Value), Refusal> {
        validate(key.0, &body)?;
        let (uid, version) = (text(&body, UID).to_owned(), text(&body, VERSION).to_owned());
        let Some(stored) = self.objects.get(&key) else {
            if key.0 != "leases" {
                return Err(missing(&key));
            }
            if !uid.is_empty() {
                return Err(conflict(&key, "Precondition failed: UID in object meta: "));
            }
            let mut body = body;
            if let Some(metadata) = body["metadata"].as_object_mut() {
                metadata.remove("resourceVersion");
            }
            return self.create(key.0, body).map(|object| (true, object));
        };
        if !uid.is_empty() && uid != text(stored, UID) {
            return Err(conflict(&key, "Precondition failed: UID in precondition"));
        }
        if version.is_empty() && key.0 == "leases" {
            let message =
                "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
            return Err(refusal(422, "Invalid", message));
        }
        if !version.is_empty() && version != text(stored, VERSION) {
            return Err(conflict(&key, "the object has been modified"));
        }
        let mut body = body;
        for (field, pointer) in [("uid", UID), ("creationTimestamp", "/metadata/creationTimestamp")]
        {
            body["metadata"][field] = stored.pointer(pointer).cloned().unwrap_or_default();
        }
        body["metadata"]["resourceVersion"] = text(stored, VERSION).into();
        if body == *stored {
            return Ok((false, body));
        }
        Ok((false, self.commit(key, Some(body))))
    }

    /// A merge patch (RFC 7386); a version in it is a condition.
    pub(crate) fn patch(&mut self, key: Key, patch: &Value) -> Result<Value, Refusal> {
        let stored = self.get(&key)?;
        let version = text(patch, VERSION);
        if !version.is_empty() && version != text(&stored, VERSION) {
            return Err(conflict(&key, "the object has been modified"));
        }
        let mut merged = stored.clone();
        merge(&mut merged, patch);
        merged["metadata"]["resourceVersion"] = text(&stored, VERSION).into();
        if merged == stored { Ok(stored) } else { Ok(self.commit(key, Some(merged))) }
    }

    pub(crate) fn delete(&mut self, key: Key, options: &Value) -> Result<Value, Refusal> {
        let stored = self.get(&key)?;
        for (condition, pointer) in
            [("/preconditions/uid", UID), ("/preconditions/resourceVersion", VERSION)]
        {
            let wanted = text(options, condition);
            if !wanted.is_empty() && wanted != text(&stored, pointer) {
                return Err(conflict(&key, "the preconditions do not hold"));
            }
        }
        Ok(self.commit(key, None))
    }
}

fn missing((resource, name): &Key) -> Refusal {
    refusal(404, "NotFound", format!("{resource} \"{name}\" not found"))
}

fn conflict((resource, name): &Key, why: &str) -> Refusal {
    let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
    refusal(409, "Conflict", message)
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        match (value, target.as_object_mut()) {
            (Value::Null, Some(target)) => {
                target.remove(name);
            }
            (value, Some(target)) => merge(target.entry(name).or_insert(Value::Null), value),
            (_, None) => {}
        }
    }
}

/// What the API server does not take of a Lease.
fn validate(resource: &str, body: &Value) -> Result<(), Refusal> {
    if resource != "leases" {
        return Ok(());
    }
    if (text(body, "/kind"), text(body, "/apiVersion")) != ("Lease", "coordination.k8s.io/v1") {
        return Err(refusal(400, "BadRequest", "the object provided is unrecognized"));
    }
    for field in ["acquireTime", "renewTime"] {
        let Some(time) = body["spec"].get(field).filter(|time| !time.is_null()) else { continue };
        let micros = time.as_str().and_then(|time| time.split_once('.')).map(|(_, rest)| rest);
        let six = micros.is_some_and(|rest| rest.len() == 7 && rest.ends_with('Z'));
        if !six {
            return Err(refusal(
                400,
                "BadRequest",
                format!("parsing time {time}: not a MicroTime"),
            ));
        }
    }
    if let Some(seconds) = body["spec"].get("leaseDurationSeconds")
        && seconds.as_i64().is_none_or(|seconds| seconds <= 0)
    {
        let message = "spec.leaseDurationSeconds: Invalid value: must be greater than 0";
        return Err(refusal(422, "Invalid", message));
    }
    Ok(())
}
