//! The process: options, signals, exit status.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use kube::Config;
use tenure_kubernetes::work::{Act, Journal};
use tenure_kubernetes::{Options, clock, connect, controller, serve};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// kube says by itself, as an error, that a call failed; here whoever has made it says so, and what of it.
const LOGGED: &str = "info,kube_client::client::builder=off";

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().json().flatten_event(true).with_env_filter(filter).init();
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the replica ends");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut options: Options) -> anyhow::Result<()> {
    let config = Config::infer().await.context("neither a kubeconfig nor a service account")?;
    if options.namespace.is_empty() {
        options.namespace.clone_from(&config.default_namespace);
    }
    let mut signals = Signals::new()?;
    let client = connect(config, &options.name)?;
    let (replica, running) = controller::start(&options, client, journal())?;
    let listener = std::net::TcpListener::bind(options.listen);
    let listener = listener.with_context(|| format!("--listen {}", options.listen))?;
    serve::spawn(Arc::clone(&replica), listener)?;

    let running = running.done();
    tokio::pin!(running);
    tokio::select! {
        ended = &mut running => return ended,
        () = signals.next() => {}
    }
    tracing::info!(
        "asked to end: the replica finishes its work and leaves; a second signal ends it at once"
    );
    replica.asker.send_replace(true);
    let late = clock::instant() + options.grace;
    tokio::select! {
        ended = running => ended,
        // Others wait for the lease to run out, as after a crash: nothing worse.
        () = signals.next() => anyhow::bail!("a second signal: ended without leaving"),
        () = clock::sleep_until(late) => anyhow::bail!("not left within --grace: ended all the same"),
    }
}

/// SIGTERM, as the kubelet sends it, and SIGINT, as a terminal does.
struct Signals([tokio::signal::unix::Signal; 2]);

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Each act as a line of the log.
fn journal() -> Journal {
    Arc::new(|act: &Act| {
        let took = act.ended.saturating_since(act.begun).as_millis();
        tracing::debug!(uid = &*act.uid, token = act.token, took, outcome = %act.outcome, "acted");
    })
}
