//! One call of the API server: given up at its deadline, and what came of it in two words, refused or
//! unknown.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use tenure::election::Failure;
use tenure::time::Instant;

use crate::clock;
use crate::metrics::Metrics;

/// After 429 at least, also if the server says that it may be at once.
const PAUSE: Duration = Duration::from_millis(100);

/// A call, in the words of RBAC and of audit logs.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) path: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

/// The media types of bodies.
pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";

impl Call {
    /// One without a body.
    pub(crate) fn read(verb: &'static str, resource: &'static str, path: String) -> Self {
        Self { verb, resource, path, content_type: JSON, body: Bytes::new() }
    }

    fn method(&self) -> Method {
        match self.verb {
            "create" => Method::POST,
            "update" => Method::PUT,
            "patch" => Method::PATCH,
            "delete" => Method::DELETE,
            _ => Method::GET,
        }
    }
}

/// A path with a query. Values may hold what a URL may not, as a `shardSelector` does.
pub(crate) fn path(of: &str, query: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { of.to_owned() } else { format!("{of}?{query}") }
}

/// A call that brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server has said no (4xx): what was asked has not been done.
    Refused {
        /// The status of HTTP.
        code: u16,
        /// `reason` of the `Status` in the body; empty if there is none, as when something in between has
        /// answered.
        reason: String,
        /// For people.
        message: String,
        /// When to ask again at the earliest.
        retry_after: Option<Duration>,
    },
    /// A failure of the server's own (5xx), or 408: what was asked may have been done, or may still be.
    Failed {
        /// The status of HTTP.
        code: u16,
        /// Its reason, and words for people.
        why: String,
    },
    /// No answer in time, or a broken one: what was asked may have been done, or may still be.
    Unknown(String),
}

impl Fault {
    /// What it is to a machine. All that does not tell what is in the store is `Other`, which promises
    /// nothing: neither that the call was applied, nor that it was not.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            // The reason counts, not the number alone: a proxy that does not know the path answers 404
            // as well, and that is no word on whether there is such a Lease.
            Self::Refused { code: 404, reason, .. } if reason == "NotFound" => Failure::NotFound,
            Self::Refused { code: 409, reason, .. } if reason == "AlreadyExists" => {
                Failure::AlreadyExists
            }
            Self::Refused { code: 409, reason, .. } if reason == "Conflict" => Failure::Conflict,
            Self::Refused { .. } | Self::Failed { .. } | Self::Unknown(_) => Failure::Other,
        }
    }

    /// Whether the server has said that it does not go back that far: in HTTP's status, or in a watch.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        matches!(self, Self::Refused { code: 410, .. })
    }

    fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } | Self::Failed { code, .. } => Some(*code),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, reason, message, .. } => write!(f, "{code} {reason}: {message}"),
            Self::Failed { code, why } => write!(f, "{code} {why}"),
            Self::Unknown(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Fault {}

/// `metav1.Status`, as far as it is needed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    code: u16,
    reason: String,
    message: String,
}

impl Status {
    /// Of a failure with HTTP's status `code`; within a watch, the body alone says it.
    pub(crate) fn fault(self, code: Option<StatusCode>, retry_after: Option<Duration>) -> Fault {
        let code = code.map_or(self.code, |code| code.as_u16());
        match code {
            // 408 is a time-out by another name.
            400..=407 | 409..=499 => {
                Fault::Refused { code, reason: self.reason, message: self.message, retry_after }
            }
            _ => Fault::Failed { code, why: format!("{}: {}", self.reason, self.message) },
        }
    }
}

/// The API server. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    client: Client,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// Counts its calls in `metrics`. The client must not retry by itself, see [`crate::connect`].
    #[must_use]
    pub const fn new(client: Client, metrics: Arc<Metrics>) -> Self {
        Self { client, metrics }
    }

    /// The body of the answer. A call is sent once; but 429 says that it was not looked at, so it is sent
    /// again when the server says, if that is before the deadline.
    pub(crate) async fn call(&self, call: &Call, deadline: Instant) -> Result<Bytes, Fault> {
        loop {
            let answer = async {
                let (head, body) = self.send(call).await?.into_parts();
                let body = body.collect().await.map_err(|error| unknown(&error))?;
                Ok((head.status, body.to_bytes()))
            };
            let outcome = self.timed(call, deadline, answer).await;
            match outcome {
                Err(Fault::Refused { code: 429, retry_after: Some(wait), .. }) => {
                    // A server that is overloaded is left alone as long as it wants, or until the machine
                    // gives this call up.
                    let next = clock::instant() + wait.max(PAUSE);
                    clock::sleep_until(next.min(deadline)).await;
                    if deadline <= next {
                        return outcome;
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// The head of the answer, and a body that goes on.
    pub(crate) async fn open(
        &self,
        call: &Call,
        deadline: Instant,
    ) -> Result<Response<Body>, Fault> {
        let answer = async { self.send(call).await.map(|response| (response.status(), response)) };
        self.timed(call, deadline, answer).await
    }

    async fn timed<T>(
        &self,
        call: &Call,
        deadline: Instant,
        answer: impl Future<Output = Result<(StatusCode, T), Fault>>,
    ) -> Result<T, Fault> {
        let begun = clock::instant();
        let left = deadline.saturating_since(begun);
        if left.is_zero() {
            return Err(Fault::Unknown("its time was over before it was sent".into()));
        }
        let late = |_| Err(Fault::Unknown("no answer in time".into()));
        let outcome = tokio::time::timeout(left, answer).await.unwrap_or_else(late);
        let code = outcome.as_ref().map_or_else(Fault::code, |(code, _)| Some(code.as_u16()));
        self.metrics.called(
            call.verb,
            call.resource,
            code,
            clock::instant().saturating_since(begun),
        );
        if let Err(fault) = &outcome {
            tracing::debug!(verb = call.verb, path = call.path, %fault, "call failed");
        }
        outcome.map(|(_, answer)| answer)
    }

    async fn send(&self, call: &Call) -> Result<Response<Body>, Fault> {
        let request = Request::builder()
            .method(call.method())
            .uri(&call.path)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, call.content_type)
            .body(Body::from(call.body.to_vec()))
            .map_err(|error| unknown(&error))?;
        let response = self.client.send(request).await.map_err(|error| unknown(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let seconds =
            head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = body.collect().await.map_err(|error| unknown(&error))?.to_bytes();
        // What is no Status comes from something in between.
        let status = serde_json::from_slice::<Status>(&body).unwrap_or_default();
        Err(status.fault(Some(head.status), seconds.map(Duration::from_secs)))
    }
}

/// With its causes, which say more than it does.
fn unknown(error: &(dyn std::error::Error + 'static)) -> Fault {
    let causes = std::iter::successors(Some(error), |error| error.source());
    Fault::Unknown(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
