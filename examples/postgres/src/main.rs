//! A replica on Postgres that elects a leader. See README.md.

mod options;
mod store;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use tenure::election::{Elector, Request};
use tenure_examples::clock;
use tenure_examples::lead::{self, Input};
use tenure_examples::work::{Log, leader_right, work};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio_postgres::config::TargetSessionAttrs;

use options::{Command, Options, Rule, Work};
use store::{SCHEMA, Store, told};

/// The driver runs on the main thread, work on others, at the same time.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    let mut database = options.database;
    // A standby shows what was; only the primary knows what is.
    database.target_session_attrs(TargetSessionAttrs::ReadWrite);
    let store = Store::new(database);
    match options.command {
        Command::Init => store.execute(SCHEMA).await.map_err(|error| {
            format!(
                "the table cannot be made: {}: start a server, or name another by --database",
                told(&error)
            )
        }),
        Command::Work(work) => {
            let there = store.execute("select 1 from tenure_locks limit 0").await;
            there.map_err(|error| {
                let remedy = "name the database by --database, and run `init` once";
                format!("there is no table tenure_locks: {}: {remedy}", told(&error))
            })?;
            replica(&store, &work).await
        }
    }
}

/// Runs until SIGTERM, and then until the lock is given back; if the database is out of reach, until
/// the right has run out.
async fn replica(store: &Store, options: &Work) -> Result<(), String> {
    let random = || getrandom::u64().map_err(|error| format!("no random numbers: {error}"));
    let incarnation = format!("{:016x}", random()?);
    let config = options.election(&incarnation);
    config.warnings().iter().for_each(|warning| eprintln!("{warning}"));
    let elector = Elector::new(config, random()?, clock::instant());
    let elector = Arc::new(Mutex::new(elector.map_err(|error| error.to_string())?));
    let who = format!("{}_{incarnation}", options.name);
    let log = Arc::new(Log::open(&options.acts, &who)?);
    eprintln!("{who} takes part in {}", options.group);
    let ask_each = options.leave_out != Some(Rule::Ask);

    let (inform, inputs) = unbounded_channel();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let stop = inform.clone();
    tokio::spawn(async move {
        terminate.recv().await;
        let _ = stop.send(Input::Stop);
    });

    let start = || {
        let (log, elector, ended) = (log.clone(), elector.clone(), inform.clone());
        tokio::spawn(async move {
            work(&log, "leader", |now| leader_right(&elector, now), ask_each).await;
            let _ = ended.send(Input::Ended);
        });
    };
    let call = async |request: Request| store.call(&request.lock, request.op).await;
    lead::drive(&elector, call, start, inputs).await;
    Ok(())
}
