//! Mode `leader`: one replica acts, by an `Elector` on a Lease.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::anyhow;
use tenure::election::{Cause, Config, Elector, Event, Failure, Response};
use tenure::time::Instant;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::authority::{Authority, Grant, Standing};
use crate::clock;
use crate::health::Heart;
use crate::in_flight::InFlight;
use crate::leases::Leases;
use crate::metrics::Metrics;
use crate::objects::Scope;
use crate::stop::Stop;

/// The elector, which work asks.
#[derive(Debug)]
pub struct Leader(Mutex<Elector>);

impl Leader {
    /// A candidate from now on.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: Config, seed: u64) -> anyhow::Result<Self> {
        let elector = Elector::new(config, seed, clock::instant())?;
        for warning in elector.config().warnings() {
            tracing::warn!(%warning, "the configuration is allowed, and unwise");
        }
        Ok(Self(Mutex::new(elector)))
    }
}

impl Authority for Leader {
    fn grant(&self, _: &str, now: Instant) -> Option<Grant> {
        let elector = self.0.lock().ok()?;
        let (token, until) = (elector.fencing_token()?, elector.leading_until()?);
        elector.is_leading(now).then(|| Grant { token: token.as_u64(), until })
    }

    fn standing(&self, now: Instant) -> Standing {
        let Ok(elector) = self.0.try_lock() else { return Standing::default() };
        Standing { leading: elector.is_leading(now), slots: 0, until: elector.leading_until() }
    }
}

enum Input {
    Answered(Response),
    /// All work that was told to stop has ended.
    Stopped,
    Leave,
    Time,
}

/// What the loop is connected to.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) leader: Arc<Leader>,
    pub(crate) leases: Leases,
    pub(crate) scope: watch::Sender<Scope>,
    pub(crate) in_flight: InFlight,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) heart: Arc<Heart>,
    pub(crate) stop: Stop,
}

impl Driver {
    /// Drives the elector until it has ended, after [`Stop`].
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let (sender, mut inputs) = mpsc::channel(16);
        let mut tasks = JoinSet::new(); // all end with this future
        loop {
            let until = {
                let mut elector =
                    self.leader.0.lock().map_err(|_| anyhow!("the elector panicked"))?;
                while let Some(event) = elector.poll_event() {
                    self.heed(&event, &sender, &mut tasks);
                }
                if elector.is_finished() {
                    return Ok(());
                }
                if let Some(request) = elector.poll_request() {
                    let (leases, sender) = (self.leases.clone(), sender.clone());
                    let limit = elector.config().renew_deadline;
                    tasks.spawn(async move {
                        let deadline = request.deadline.unwrap_or_else(|| clock::instant() + limit);
                        let result = leases.elect(&request.lock.name, request.op, deadline).await;
                        let response = Response { id: request.id, result };
                        let _ = sender.send(Input::Answered(response)).await;
                    });
                }
                elector.poll_timeout()
            };
            while tasks.try_join_next().is_some() {}
            let input = self.next(until, &mut inputs).await;
            let mut elector = self.leader.0.lock().map_err(|_| anyhow!("the elector panicked"))?;
            let now = clock::now();
            match input {
                Input::Answered(response) => {
                    if !matches!(response.result, Err(Failure::Other)) {
                        self.heart.answered(now.instant);
                    }
                    elector.handle_response(now, response);
                }
                Input::Stopped => elector.work_stopped(now),
                Input::Leave => elector.stop(now),
                Input::Time => elector.handle_timeout(now),
            }
        }
    }

    async fn next(&mut self, until: Option<Instant>, inputs: &mut mpsc::Receiver<Input>) -> Input {
        let now = clock::instant();
        self.heart.beat(now);
        let turn = now + Duration::from_secs(1);
        tokio::select! {
            Some(input) = inputs.recv() => input,
            () = self.stop.asked_first() => {
                self.heart.stopping();
                Input::Leave
            }
            () = clock::sleep_until(until.map_or(turn, |until| until.min(turn))) => Input::Time,
        }
    }

    fn heed(&self, event: &Event, sender: &mpsc::Sender<Input>, tasks: &mut JoinSet<()>) {
        tracing::info!(?event, "election");
        match *event {
            Event::StartedLeading { .. } => {
                self.metrics.happened("started_leading");
                self.scope.send_replace(Scope::Everything);
            }
            Event::StoppedLeading { cause } => {
                self.metrics.happened("stopped_leading");
                self.scope.send_replace(Scope::Nothing);
                // By its own will it still has the lock, and finishes what was begun; else it is too late
                // for that.
                if !matches!(cause, Cause::Stopped | Cause::HandedOver) {
                    self.in_flight.abort(|_| true);
                }
                let (in_flight, sender) = (self.in_flight.clone(), sender.clone());
                tasks.spawn(async move {
                    in_flight.ended(|_| true).await;
                    let _ = sender.send(Input::Stopped).await;
                });
            }
            Event::NewLeader { .. } => self.metrics.happened("new_leader"),
            Event::ForeignWrite { .. } => self.metrics.happened("foreign_write"),
            Event::Endangered { .. } => self.metrics.happened("endangered"),
        }
    }
}

/// The configuration of an elector whose options are these.
pub(crate) fn config(options: &crate::Options, random: u64) -> Config {
    let lock = tenure::lock::LockRef::lease(options.namespace.as_str(), options.group.as_str());
    let config = Config::new(lock, options.name.as_str(), format!("{random:016x}"));
    Config {
        lease_duration: options.lease_duration,
        renew_deadline: options.renew_deadline,
        retry_period: options.retry_period,
        request_timeout: Some(options.renew_deadline / 2),
        ..config
    }
}
