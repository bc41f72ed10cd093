//! Mode `sharded`: all replicas act, each on its own slots, by a `Sharder` on Leases.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tenure::election::Failure;
use tenure::sharding::planned::{Layout, Policy};
use tenure::sharding::{
    Answer, Config, Event, Field, Mode, Ranking, Response, Sharder, SlotSet, Slots, Watched,
};
use tenure::time::Instant;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::authority::{Authority, Grant, Standing};
use crate::clock;
use crate::health::Heart;
use crate::in_flight::InFlight;
use crate::metrics::Metrics;
use crate::objects::Scope;
use crate::options::Sharding;
use crate::stop::Stop;
use crate::store::Store;

/// The sharder, which work asks.
#[derive(Debug)]
pub struct Member {
    sharder: Mutex<Sharder>,
    slots: Slots,
}

impl Member {
    /// A member that joins from now on.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub fn new(config: Config, seed: u64) -> anyhow::Result<Self> {
        let sharder = Sharder::new(config, seed, clock::instant())?;
        for warning in sharder.config().warnings() {
            tracing::warn!(%warning, "the configuration is allowed, and unwise");
        }
        let slots = sharder.config().slots;
        Ok(Self { sharder: Mutex::new(sharder), slots })
    }

    /// For a look at the machine, such as its status. The loop waits meanwhile.
    ///
    /// # Panics
    /// If `look` has panicked before.
    pub fn look<T>(&self, look: impl FnOnce(&Sharder) -> T) -> T {
        look(&self.sharder.lock().expect("nobody who looks panics"))
    }
}

impl Authority for Member {
    fn grant(&self, uid: &str, now: Instant) -> Option<Grant> {
        let sharder = self.sharder.lock().ok()?;
        let slot = self.slots.of(sharder.key(uid.as_bytes()));
        // There is a permit only while `owns` says yes; it has the token as well.
        let permit = sharder.permit(slot, now)?;
        Some(Grant { token: permit.token.as_u64(), until: permit.until })
    }

    fn standing(&self, now: Instant) -> Standing {
        let Ok(sharder) = self.sharder.try_lock() else { return Standing::default() };
        let owned = sharder.owned(now).map_or(0, |owned| owned.len());
        let slots = u32::try_from(owned).unwrap_or(u32::MAX);
        Standing { leading: false, slots, until: sharder.until().filter(|_| slots > 0) }
    }
}

enum Input {
    Answered(Response),
    /// In the order of the watch; `Broken` when it has ended.
    Watched(Watched),
    /// All work on these has ended.
    Ended(SlotSet),
    Leave,
    Time,
}

/// What the loop is connected to.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) member: Arc<Member>,
    pub(crate) store: Arc<Store>,
    pub(crate) scope: watch::Sender<Scope>,
    pub(crate) in_flight: InFlight,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) heart: Arc<Heart>,
    pub(crate) stop: Stop,
}

impl Driver {
    /// Drives the member until it has left, after [`Stop`].
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        let (sender, mut inputs) = mpsc::channel(64);
        let mut tasks = JoinSet::new(); // all end with this future
        let mut watching = false;
        loop {
            let until = {
                let mut sharder = self.lock()?;
                while let Some(event) = sharder.poll_event() {
                    self.heed(&event, &sharder, &sender, &mut tasks);
                }
                if sharder.is_finished() {
                    return Ok(());
                }
                while let Some(request) = sharder.poll_request() {
                    let (store, sender) = (Arc::clone(&self.store), sender.clone());
                    tasks.spawn(async move {
                        let response = store.answer(request).await;
                        let _ = sender.send(Input::Answered(response)).await;
                    });
                }
                sharder.poll_timeout()
            };
            while tasks.try_join_next().is_some() {}
            let input = self.next(until, &mut inputs).await;
            let (mut sharder, now) = (self.lock()?, clock::now());
            match input {
                Input::Answered(response) => {
                    if !matches!(response.result, Err(Failure::Other)) {
                        self.heart.answered(now.instant);
                    }
                    let version = match response.result {
                        Ok(Answer::Listed { version, .. }) => Some(version),
                        _ => None,
                    };
                    sharder.handle_response(now, response);
                    if let Some(after) = version.filter(|_| !watching) {
                        watching = true;
                        sharder.handle_watch(now, Watched::Started { after });
                        let pause = sharder.config().retry_period;
                        tasks.spawn(watch(Arc::clone(&self.store), after, pause, sender.clone()));
                    }
                }
                Input::Watched(watched) => {
                    watching &= watched != Watched::Broken; // then the next list begins another
                    sharder.handle_watch(now, watched);
                }
                Input::Ended(slots) => sharder.drained(now, &slots),
                Input::Leave => sharder.leave(now),
                Input::Time => sharder.handle_timeout(now),
            }
        }
    }

    fn lock(&self) -> anyhow::Result<std::sync::MutexGuard<'_, Sharder>> {
        self.member.sharder.lock().map_err(|_| anyhow!("the sharder panicked"))
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

    fn heed(
        &self,
        event: &Event,
        sharder: &Sharder,
        sender: &mpsc::Sender<Input>,
        tasks: &mut JoinSet<()>,
    ) {
        tracing::info!(member = sharder.config().member.name(), "{event}");
        self.metrics.happened(name(event));
        match event {
            Event::Acquired(_) => self.select(sharder),
            Event::Revoking { slots, .. } => {
                self.select(sharder);
                self.drain(slots, sharder, sender, tasks);
            }
            Event::Lapsed { slots, .. } => {
                self.select(sharder);
                let (config, lost) = (sharder.config(), slots.clone());
                let (hash, cut) = (config.hash, config.slots);
                self.in_flight.abort(|uid| lost.contains(cut.of(hash.key(uid.as_bytes()))));
                self.drain(slots, sharder, sender, tasks);
            }
            Event::Joined
            | Event::Released(_)
            | Event::Excluded { .. }
            | Event::DrainOverdue(_)
            | Event::Planned { .. }
            | Event::Left => {}
        }
    }

    /// Says what to list and watch now. Always a new scope, even if it is the one of before: what was
    /// written while it was not ours must be seen.
    fn select(&self, sharder: &Sharder) {
        let scope = match sharder.selector(Field::Uid, clock::instant()) {
            Ok(selector) => selector.map_or(Scope::Nothing, Scope::Selected),
            Err(error) => {
                tracing::error!(%error, "no server can select for this group");
                Scope::Everything
            }
        };
        self.scope.send_replace(scope);
    }

    fn drain(
        &self,
        slots: &SlotSet,
        sharder: &Sharder,
        sender: &mpsc::Sender<Input>,
        tasks: &mut JoinSet<()>,
    ) {
        let (hash, cut) = (sharder.config().hash, sharder.config().slots);
        let (in_flight, sender, slots) = (self.in_flight.clone(), sender.clone(), slots.clone());
        tasks.spawn(async move {
            in_flight.ended(|uid| slots.contains(cut.of(hash.key(uid.as_bytes())))).await;
            let _ = sender.send(Input::Ended(slots)).await;
        });
    }
}

/// Hands in what a watch shows, until it breaks.
async fn watch(store: Arc<Store>, after: u64, pause: Duration, sender: mpsc::Sender<Input>) {
    let mut watch = store.watch(after);
    loop {
        let Some(watched) = store.watched(watch.next().await) else { continue };
        let broken = watched == Watched::Broken;
        if broken {
            // It asks for a list at once, and that for a watch: a server that refuses each, as for want of
            // the right, is not to be asked in a loop.
            tokio::time::sleep(pause).await;
        }
        if sender.send(Input::Watched(watched)).await.is_err() || broken {
            return;
        }
    }
}

fn name(event: &Event) -> &'static str {
    match event {
        Event::Joined => "joined",
        Event::Acquired(_) => "acquired",
        Event::Revoking { .. } => "revoking",
        Event::Released(_) => "released",
        Event::Lapsed { .. } => "lapsed",
        Event::Excluded { .. } => "excluded",
        Event::DrainOverdue(_) => "drain_overdue",
        Event::Planned { .. } => "planned",
        Event::Left => "left",
    }
}

/// The configuration of a sharder whose options are these.
pub(crate) fn config(options: &crate::Options, random: u64) -> anyhow::Result<Config> {
    let mode = match options.sharding {
        Sharding::Ranked => Mode::Ranked(Ranking::Rendezvous),
        Sharding::Planned => {
            Mode::Planned(Policy { layout: Layout::CONTIGUOUS, ..Policy::default() })
        }
    };
    let incarnation = format!("{random:016x}");
    let [namespace, group, name] =
        [&options.namespace, &options.group, &options.name].map(String::as_str);
    Ok(Config {
        lease_duration: options.lease_duration,
        renew_deadline: options.renew_deadline,
        retry_period: options.retry_period,
        request_timeout: options.renew_deadline / 2,
        slots: Slots::new(options.slots).context("--slots")?,
        generation: options.generation,
        collect_after: options.collect_after,
        mode,
        ..Config::new(namespace, group, name, incarnation)
    })
}
