//! The calls as HTTP.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tenure::sharding::Selector;

use super::fault::Effect;
use super::store::{Refusal, refusal, text};
use super::{Server, Support, status, watch};

pub(super) fn router(server: Server) -> Router {
    let leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let maps = "/api/v1/namespaces/default/configmaps";
    Router::new()
        .route(leases, any(|s, q, r| collection("leases", s, q, r)))
        .route(&format!("{leases}/{{name}}"), any(|s, n, r| object("leases", s, n, r)))
        .route(maps, any(|s, q, r| collection("configmaps", s, q, r)))
        .route(&format!("{maps}/{{name}}"), any(|s, n, r| object("configmaps", s, n, r)))
        .with_state(server)
}

/// Objects in a page of a list.
const PAGE: usize = 7;

type Pairs = Vec<(String, String)>;

/// The value of a parameter.
pub(super) fn value<'a>(query: &'a Pairs, name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn of(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.and_then(|agent| agent.strip_prefix("tenure-kubernetes/")).unwrap_or("?").to_owned()
}

fn refused(Refusal { code, reason, message }: &Refusal) -> Response {
    answer(*code, &status(*code, reason, message))
}

fn answer(code: u16, body: &Value) -> Response {
    (StatusCode::from_u16(code).unwrap(), axum::Json(body)).into_response()
}

async fn collection(
    resource: &'static str,
    State(server): State<Server>,
    Query(query): Query<Pairs>,
    request: Request,
) -> Response {
    let of = of(request.headers());
    let watching = value(&query, "watch") == Some("true");
    let verb = match *request.method() {
        Method::POST => "create",
        _ if watching => "watch",
        _ => "list",
    };
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let (to, who) = (server.clone(), of.clone());
    perform(server, of, verb, resource, query.clone(), move || match verb {
        "create" => Ok((201, to.edit(|store| store.create(resource, parsed(&body)?))?).into()),
        "watch" => watch::begin(&to, resource, who, &query).map(Done::Stream),
        _ => list(&to, resource, &query).map(|list| (200, list).into()),
    })
    .await
}

async fn object(
    resource: &'static str,
    State(server): State<Server>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (of, method) = (of(request.headers()), request.method().clone());
    let patch = request
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|t| t == "application/merge-patch+json");
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let verb = match method {
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    };
    let (to, key) = (server.clone(), (resource, name));
    perform(server, of, verb, resource, Vec::new(), move || match verb {
        "update" => {
            let (created, object) = to.edit(|store| store.update(key, parsed(&body)?))?;
            Ok((if created { 201 } else { 200 }, object).into())
        }
        "patch" if !patch => Err(refusal(415, "UnsupportedMediaType", "not a merge patch")),
        "patch" => Ok((200, to.edit(|store| store.patch(key, &parsed(&body)?))?).into()),
        "delete" => Ok((200, to.edit(|store| store.delete(key, &parsed(&body)?))?).into()),
        _ => Ok((200, to.state().store.get(&key)?).into()),
    })
    .await
}

fn parsed(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| refusal(400, "BadRequest", error.to_string()))
}

/// What came of a call.
enum Done {
    Object(u16, Value),
    Stream(Body),
}

impl From<(u16, Value)> for Done {
    fn from((code, object): (u16, Value)) -> Self {
        Self::Object(code, object)
    }
}

fn respond(done: Result<Done, Refusal>) -> Response {
    match done {
        Ok(Done::Object(code, object)) => answer(code, &object),
        Ok(Done::Stream(body)) => {
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(refusal) => refused(&refusal),
    }
}

/// Does it, with what goes wrong; in a task of its own, so that it is done even if nobody waits any more.
async fn perform(
    server: Server,
    of: String,
    verb: &'static str,
    resource: &'static str,
    query: Pairs,
    act: impl FnOnce() -> Result<Done, Refusal> + Send + 'static,
) -> Response {
    let task = tokio::spawn(async move {
        server.reached(&of).await;
        let effect = server.note(&of, verb, resource, &query);
        let done = match effect {
            None => respond(act()),
            Some(Effect::Refuse(code, reason, after)) => {
                let mut response = refused(&refusal(code, reason, "refused by the test"));
                if let Some(seconds) = after {
                    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                }
                response
            }
            Some(Effect::Proxy404) => {
                (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
            }
            Some(Effect::DoneThen504) => {
                let _ = respond(act());
                refused(&refusal(504, "Timeout", "the server was not able to answer in time"))
            }
            Some(Effect::Late(by)) => {
                tokio::time::sleep(by).await;
                respond(act())
            }
            Some(Effect::AnsweredLate(by)) => {
                let response = respond(act());
                tokio::time::sleep(by).await;
                response
            }
        };
        server.reached(&of).await; // nor does an answer reach who is cut off
        done
    });
    task.await.unwrap()
}

/// Whether an object has this label.
pub(super) fn labelled(object: &Value, selector: Option<&str>) -> bool {
    let Some((name, value)) = selector.and_then(|selector| selector.split_once('=')) else {
        return true;
    };
    let pointer = format!("/metadata/labels/{}", name.replace('~', "~0").replace('/', "~1"));
    text(object, &pointer) == value
}

/// The `shardSelector` that is to be applied, and what is said of it.
pub(super) fn sharded(support: Support, query: &Pairs) -> Result<Option<Selector>, Refusal> {
    let Some(text) = value(query, "shardSelector") else { return Ok(None) };
    let selector: Result<Selector, _> = text.parse();
    match (support, selector) {
        (Support::Ignored, _) => Ok(None),
        (Support::Refused, _) => Err(refusal(400, "BadRequest", "shardSelector is not allowed")),
        (_, Err(error)) => Err(refusal(400, "BadRequest", error.to_string())),
        (Support::Honoured, Ok(selector)) => Ok(Some(selector)),
        (Support::Different, Ok(_)) => {
            let first =
                "shardRange(object.metadata.uid, '0x0000000000000000', '0x0000000000000001')";
            Ok(Some(first.parse().unwrap()))
        }
    }
}

/// The token of the next page: the version of the whole list, and the last name.
fn continued(query: &Pairs) -> Option<(u64, &str)> {
    let (version, name) = value(query, "continue")?.split_once('/')?;
    Some((version.parse().ok()?, name))
}

fn list(server: &Server, resource: &'static str, query: &Pairs) -> Result<Value, Refusal> {
    let state = server.state();
    let selector = sharded(state.support, query)?;
    let (version, after) = continued(query).unwrap_or((state.store.version, ""));
    if version < state.store.compacted {
        return Err(refusal(410, "Expired", "the provided continue parameter is too old"));
    }
    let mut metadata = json!({"resourceVersion": version.to_string()});
    if let Some(selector) = &selector {
        metadata["shardInfo"] = json!({"selector": selector.to_string()});
    }
    let uid = |object: &Value| text(object, "/metadata/uid").to_owned();
    let mine = |object: &Value| {
        labelled(object, value(query, "labelSelector"))
            && selector.as_ref().is_none_or(|selector| selector.matches(&uid(object)))
    };
    let all = state.store.at(version).into_iter();
    let rest =
        all.filter(|((of, name), object)| *of == resource && name.as_str() > after && mine(object));
    let mut items: Vec<Value> = rest.map(|(_, object)| object).collect();
    // Pages that are smaller than asked for are allowed, and show more.
    if value(query, "limit").is_some() && items.len() > PAGE {
        items.truncate(PAGE);
        let last = items.last().map(|item| text(item, "/metadata/name")).unwrap_or_default();
        metadata["continue"] = format!("{version}/{last}").into();
    }
    for item in &mut items {
        let fields = item.as_object_mut().unwrap();
        fields.remove("kind"); // as in lists of the real one
        fields.remove("apiVersion");
    }
    let kind = if resource == "leases" { "LeaseList" } else { "ConfigMapList" };
    Ok(json!({"kind": kind, "metadata": metadata, "items": items}))
}
