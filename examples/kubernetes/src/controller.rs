//! One replica: its machine, its view of the objects and its work, put together.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::api::Api;
use crate::authority::Authority;
use crate::clock;
use crate::health::Heart;
use crate::in_flight::InFlight;
use crate::leader::{self, Leader};
use crate::leases::Leases;
use crate::metrics::Metrics;
use crate::objects::{Objects, Scope};
use crate::options::{Mode, Options};
use crate::sharded::{self, Member};
use crate::stop::{self, Asker, Stop};
use crate::store::Store;
use crate::work::{Journal, Work};

/// A replica that is ready to run, and what is asked of it while it does.
pub struct Replica {
    /// Who answers whether it may act.
    pub authority: Arc<dyn Authority>,
    /// Whether its loop turns.
    pub heart: Arc<Heart>,
    /// What it has counted.
    pub metrics: Arc<Metrics>,
    /// In mode `sharded`: its machine.
    pub member: Option<Arc<Member>>,
    /// Asks it to leave.
    pub asker: Asker,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").finish_non_exhaustive()
    }
}

/// What runs it. All of it ends when this is dropped, as in a crash.
#[derive(Debug)]
pub struct Run(JoinSet<anyhow::Result<()>>);

impl Run {
    /// Runs until the replica has left, after it was [asked to](Replica::asker).
    ///
    /// # Errors
    /// A part of it has panicked, or ended too early: better a new process than half of one.
    pub async fn done(mut self) -> anyhow::Result<()> {
        // The driver ends first, when it has left; the others end never, or because it has.
        self.0.join_next().await.context("nothing runs")?.context("a part has panicked")?
    }
}

/// Starts a replica. `journal` is told of each act.
///
/// # Errors
/// The options do not fit together.
pub fn start(
    options: &Options,
    client: Client,
    journal: Journal,
) -> anyhow::Result<(Arc<Replica>, Run)> {
    let metrics = Arc::new(Metrics::new());
    let api = Api::new(client, Arc::clone(&metrics));
    let now = clock::instant();
    let heart = Arc::new(Heart::new(now, options.stuck_after, options.lease_duration));
    let (asker, stop) = stop::channel();
    let (scope, scopes) = watch::channel(Scope::Nothing);
    let in_flight = InFlight::default();
    let parts = Parts {
        leases: Leases::new(api.clone(), &options.namespace),
        scope,
        in_flight: in_flight.clone(),
        metrics: Arc::clone(&metrics),
        heart: Arc::clone(&heart),
        stop,
    };
    let mut run = JoinSet::new();
    let (authority, member) = parts.drive(options, &mut run)?;
    let work = Work {
        authority: Arc::clone(&authority),
        api: api.clone(),
        owner: options.name.as_str().into(),
        in_flight,
        metrics: Arc::clone(&metrics),
        journal,
    };
    let objects = Objects::new(api, &options.namespace);
    let (sender, seen) = mpsc::channel(256);
    run.spawn(async move {
        objects.follow(scopes, sender).await;
        bail!("the view of the objects has ended")
    });
    run.spawn(async move {
        work.run(seen).await;
        bail!("the work has ended")
    });
    Ok((Arc::new(Replica { authority, heart, metrics, member, asker }), Run(run)))
}

/// Whoever is asked; and the member, in mode `sharded`.
type Machine = (Arc<dyn Authority>, Option<Arc<Member>>);

/// What either driver is connected to.
struct Parts {
    leases: Leases,
    scope: watch::Sender<Scope>,
    in_flight: InFlight,
    metrics: Arc<Metrics>,
    heart: Arc<Heart>,
    stop: Stop,
}

impl Parts {
    /// Starts the driver of the mode.
    fn drive(
        self,
        options: &Options,
        run: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<Machine> {
        // Of this process alone: the Pod's UID would not do, since a container that restarts keeps it, and
        // two processes of one incarnation are two owners.
        let [incarnation, seed] = [getrandom::u64()?, getrandom::u64()?];
        let Self { leases, scope, in_flight, metrics, heart, stop } = self;
        match options.mode {
            Mode::Leader => {
                let leader = Arc::new(Leader::new(leader::config(options, incarnation), seed)?);
                let authority = Arc::clone(&leader);
                let driver =
                    leader::Driver { leader, leases, scope, in_flight, metrics, heart, stop };
                run.spawn(driver.run());
                Ok((authority, None))
            }
            Mode::Sharded => {
                let config = sharded::config(options, incarnation)?;
                let [namespace, group] = [&config.namespace, &config.group].map(Arc::clone);
                let store = Store::new(leases, namespace, group).into();
                let member = Arc::new(Member::new(config, seed)?);
                let authority = Arc::clone(&member);
                let driver = sharded::Driver {
                    member: Arc::clone(&member),
                    store,
                    scope,
                    in_flight,
                    metrics,
                    heart,
                    stop,
                };
                run.spawn(driver.run());
                Ok((authority, Some(member)))
            }
        }
    }
}
