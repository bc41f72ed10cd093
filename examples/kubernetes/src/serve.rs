//! `/livez`, `/readyz` and `/metrics`.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use crate::clock;
use crate::controller::Replica;

/// Serves them from a thread of its own: when all others hang, this one still says so.
///
/// # Errors
/// The system gives no thread, or nothing to wait with.
pub fn spawn(replica: Arc<Replica>, listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        let served = runtime.block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener)?, router(replica)).await
        });
        if let Err(error) = served {
            tracing::error!(%error, "health and metrics are served no more");
        }
    };
    std::thread::Builder::new().name("serve".into()).spawn(serve).map(drop)
}

fn router(replica: Arc<Replica>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(replica)
}

async fn livez(State(replica): State<Arc<Replica>>) -> (StatusCode, String) {
    answer(replica.heart.alive(clock::instant()))
}

async fn readyz(State(replica): State<Arc<Replica>>) -> (StatusCode, String) {
    answer(replica.heart.ready(clock::instant()))
}

fn answer(state: Result<(), String>) -> (StatusCode, String) {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n".into()),
        Err(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
    }
}

async fn metrics(State(replica): State<Arc<Replica>>) -> impl IntoResponse {
    let now = clock::instant();
    let text = replica.metrics.text(replica.authority.standing(now), now);
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
}
