//! A replica on etcd that elects a leader, and shares slots. See README.md.

mod elect;
mod history;
mod members;
mod options;
mod share;
mod store;
mod watch;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use clap::Parser as _;
use tenure::election::Elector;
use tenure::sharding::{Sharder, Slot};
use tenure_examples::clock;
use tenure_examples::lead::{self, lock};
use tenure_examples::work::{Log, Right, leader_right, work};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

use members::Members;
use options::{Command, Options, Rule, Work};
use store::Store;

/// The drivers run on the main thread, work on others, at the same time.
#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: &Options) -> Result<(), String> {
    let store = Store::connect(&options.endpoint, &options.prefix).await?;
    match &options.command {
        Command::Work(work) => replica(store, work).await,
        Command::History => history::print(&store).await,
    }
}

/// Runs until SIGTERM, and then until everything is given back; if etcd is out of reach, until rights
/// have run out.
async fn replica(store: Store, options: &Work) -> Result<(), String> {
    let random = || getrandom::u64().map_err(|error| format!("no random numbers: {error}"));
    let incarnation = format!("{:016x}", random()?);
    let config = options.election(&incarnation);
    config.warnings().iter().for_each(|warning| eprintln!("{warning}"));
    let now = clock::instant();
    let elector = Elector::new(config, random()?, now).map_err(|error| error.to_string())?;
    let config = options.sharding(&incarnation)?;
    let members = Members::new(store.clone(), &config);
    let member = Sharder::new(config, random()?, now).map_err(|error| error.to_string())?;
    let who = format!("{}_{incarnation}", options.name);
    let log = Arc::new(Log::open(&options.acts, &who)?);
    eprintln!("{who} takes part in {}", options.group);
    let ask_each = options.leave_out != Some(Rule::Ask);
    let (elector, member) = (Arc::new(Mutex::new(elector)), Arc::new(Mutex::new(member)));

    let (leading, leader_inputs) = unbounded_channel();
    let (sharing, member_inputs) = unbounded_channel();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let (stop, leave) = (leading.clone(), sharing.clone());
    tokio::spawn(async move {
        terminate.recv().await;
        let _ = stop.send(lead::Input::Stop);
        let _ = leave.send(share::Input::Leave);
    });

    let start_leading = || {
        let (log, elector, ended) = (log.clone(), elector.clone(), leading.clone());
        tokio::spawn(async move {
            work(&log, "leader", |now| leader_right(&elector, now), ask_each).await;
            let _ = ended.send(lead::Input::Ended);
        });
    };
    let start_slot = |slot: Slot| {
        let (log, member, ended) = (log.clone(), member.clone(), sharing.clone());
        tokio::spawn(async move {
            let thing = format!("slot-{}", slot.index());
            let permit = |now| lock(&member).permit(slot, now);
            let ask = |now| permit(now).map(|p| Right { token: p.token, until: p.until });
            work(&log, &thing, ask, ask_each).await;
            let _ = ended.send(share::Input::Ended(slot));
        });
    };
    let call = |request: tenure::election::Request| {
        let store = store.clone();
        async move { elect::call(&store, &request.lock, request.op).await }
    };
    tokio::join!(
        lead::drive(&elector, call, start_leading, leader_inputs),
        share::drive(&member, &members, start_slot, member_inputs),
    );
    Ok(())
}
