//! One act: the digest of a ConfigMap's data is written into its annotations.
//!
//! # What fences a late write
//!
//! Authority ends by time, a request that was sent before may arrive after it. Two things make that
//! harmless, and both are needed:
//!
//! - **The patch names the `resourceVersion` that was read.** It is applied to that version of the object
//!   or refused with 409, so that nothing of an earlier owner lands on what a later one has written.
//! - **The token stands in the object.** Who finds a greater one than its own has been replaced by
//!   somebody who has been here, and leaves. With the first point the comparison and the write are one
//!   step: nobody comes between them.
//!
//! What is written depends on the object as it was read and on nothing else. So a late patch that is *not*
//! refused, since nobody has written since, says what the new owner would say.

use std::fmt;

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use tenure::sharding::KeyHash;

use crate::api::{Api, Call, Fault, MERGE_PATCH};
use crate::authority::Grant;
use crate::clock;
use crate::objects::uid;

/// The annotation with the digest of the data.
pub const DIGEST: &str = "tenure.dev/demo-digest";
/// Who has written it.
pub const OWNER: &str = "tenure.dev/demo-owner";
/// By which right: the object's UID, `/`, and the token, greater for each later owner. The UID, since a copy
/// of the object, or one that was restored in another cluster, has the annotation as well, and the token of
/// elsewhere means nothing there.
pub const TOKEN: &str = "tenure.dev/demo-token";
/// How often it was written.
pub const COUNT: &str = "tenure.dev/demo-count";

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The annotations are new.
    Written,
    /// They were right: nothing was sent.
    Unchanged,
    /// A later owner has been here.
    Superseded,
    /// Somebody wrote in between (409); the watch shows what.
    Conflict,
    /// It is gone (404); the watch shows it.
    Gone,
    /// Nobody knows what came of it, or the server will not have it: to be tried again later.
    Failed(Fault),
    /// Authority ended before the answer came.
    Aborted,
}

impl Outcome {
    /// For a label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
            Self::Conflict => "conflict",
            Self::Gone => "gone",
            Self::Failed(_) => "failed",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(fault) => write!(f, "failed: {fault}"),
            outcome => f.write_str(outcome.name()),
        }
    }
}

/// What the annotation [`DIGEST`] should say: XXH3 of the data, as JSON with its keys in order.
#[must_use]
pub fn digest(object: &ConfigMap) -> String {
    let data = json!([object.data, object.binary_data]).to_string();
    format!("{:016x}", KeyHash::Xxh3.key(data.as_bytes()).as_u64())
}

fn annotation<'a>(object: &'a ConfigMap, name: &str) -> Option<&'a str> {
    object.metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

/// Acts on `object` as it was read, by a right that was granted just now.
pub(crate) async fn reconcile(api: &Api, object: &ConfigMap, owner: &str, grant: Grant) -> Outcome {
    let number = |name| annotation(object, name).and_then(|text| text.parse::<u64>().ok());
    let last = annotation(object, TOKEN)
        .and_then(|text| text.strip_prefix(uid(object))?.strip_prefix('/'));
    if let Some(token) = last.and_then(|token| token.parse::<u64>().ok())
        && grant.token < token
    {
        tracing::warn!(uid = uid(object), token, own = grant.token, "a later owner has been here");
        return Outcome::Superseded;
    }
    let digest = digest(object);
    if annotation(object, DIGEST) == Some(&digest) {
        return Outcome::Unchanged;
    }
    let metadata = &object.metadata;
    let annotations = json!({
        DIGEST: digest,
        OWNER: owner,
        TOKEN: format!("{}/{}", uid(object), grant.token),
        COUNT: number(COUNT).unwrap_or(0).saturating_add(1).to_string(),
    });
    // A PATCH, since a PUT would have to carry all that others have put there; with a version it is a
    // compare-and-swap all the same. Versions never come again, so it needs no UID.
    let body = json!({"metadata": {
        "resourceVersion": metadata.resource_version,
        "annotations": annotations,
    }});
    let [namespace, name] =
        [&metadata.namespace, &metadata.name].map(|text| text.as_deref().unwrap_or_default());
    let call = Call {
        content_type: MERGE_PATCH,
        body: body.to_string().into(),
        ..Call::read(
            "patch",
            "configmaps",
            format!("/api/v1/namespaces/{namespace}/configmaps/{name}"),
        )
    };
    // The act must have ended when the right does.
    let deadline = grant.until.min(clock::instant() + crate::work::ACT);
    match api.call(&call, deadline).await {
        Ok(_) => Outcome::Written,
        Err(Fault::Refused { code: 409, .. }) => Outcome::Conflict,
        Err(Fault::Refused { code: 404, .. }) => Outcome::Gone,
        Err(fault) => {
            tracing::warn!(uid = uid(object), %fault, "a reconcile failed");
            Outcome::Failed(fault)
        }
    }
}
