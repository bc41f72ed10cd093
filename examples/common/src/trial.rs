//! Workers under faults: each is brought about, and then waited for until others have taken over and all
//! is well again. What comes of it is for the [judge](crate::verdict) to say.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tenure::time::Instant;

use crate::clock;
use crate::evidence::{Act, Evidence, read_acts};
use crate::process::Process;
use crate::verdict::{FEWEST_HAND_OVERS, judge};

/// How long to wait for something that takes a lease and some retries, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a leader works before something is done to it.
const TERM: Duration = Duration::from_millis(1500);
/// What a worker says when it has reached the store.
pub const TAKES_PART: &str = "takes part";
/// How often to look.
const LOOK: Duration = Duration::from_millis(200);

/// Three workers and what they share.
#[expect(missing_debug_implementations, reason = "it holds a closure")]
pub struct Trial<'a> {
    folder: PathBuf,
    command: &'a dyn Fn(&str) -> Command,
    slots: usize,
    deadline: Duration,
    workers: Vec<Process>,
}

impl<'a> Trial<'a> {
    /// A trial without workers, which will write their evidence into `folder`: `command` is that of a
    /// worker of a name, `slots` how many they share (0 if they only elect a leader), and `deadline` how
    /// long rights last without the store.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        command: &'a dyn Fn(&str) -> Command,
        slots: usize,
        deadline: Duration,
    ) -> Self {
        Self { folder, command, slots, deadline, workers: Vec::new() }
    }

    /// Starts these, and waits until there is a leader, and all slots are worked on.
    ///
    /// # Errors
    /// They cannot be started, or do not begin to work.
    pub async fn begin(&mut self, names: &[&str]) -> Result<(), String> {
        let start = clock::instant();
        for name in names {
            self.start(name)?;
        }
        self.all_well(start, "").await
    }

    /// Pauses the leader until others have taken everything over, and lets it go on.
    ///
    /// # Errors
    /// They do not, or it does not come back.
    pub async fn pause_leader(&mut self) -> Result<(), String> {
        let name = self.leader().await?;
        say(&format!("SIGSTOP to {name}, which leads"));
        let since = clock::instant();
        self.worker(&name)?.signal(Signal::STOP)?;
        self.all_well(since, &name).await?;
        say(&format!("SIGCONT to {name}"));
        let since = clock::instant();
        self.worker(&name)?.signal(Signal::CONT)?;
        self.is_back(since, &name).await
    }

    /// Kills the leader, waits until others have taken everything over, and starts it again.
    ///
    /// # Errors
    /// They do not, or it does not come back.
    pub async fn kill_leader(&mut self) -> Result<(), String> {
        let name = self.leader().await?;
        say(&format!("SIGKILL to {name}, which leads"));
        let since = clock::instant();
        self.worker(&name)?.kill().await?;
        self.replace(since, &name).await
    }

    /// Asks the leader to end, waits until others have taken everything over, and starts it again.
    ///
    /// # Errors
    /// It does not end in good order, they do not take over, or it does not come back.
    pub async fn end_leader(&mut self) -> Result<(), String> {
        let name = self.leader().await?;
        say(&format!("SIGTERM to {name}, which leads"));
        let since = clock::instant();
        let worker = self.worker(&name)?;
        worker.signal(Signal::TERM)?;
        let status = worker.wait(PATIENCE).await?;
        if !status.success() {
            return Err(format!(
                "{name} did not end in good order: {status}\n{}",
                worker.last_words()
            ));
        }
        self.replace(since, &name).await
    }

    /// The store was out of reach from `since` to `until`, and now it is not: whoever had a right before
    /// must have lost it by its own clock, a renew deadline later, and all must come back by themselves.
    ///
    /// # Errors
    /// Somebody acted too long, or does not come back.
    pub async fn store_is_back(&mut self, since: Instant, until: Instant) -> Result<(), String> {
        let over = (since + self.deadline).as_nanos();
        let acts = self.acts()?;
        if let Some(act) = acts.iter().find(|act| (over..until.as_nanos()).contains(&act.at)) {
            let (who, thing, late) = (&act.who, &act.thing, (act.at - over) / 1_000_000);
            return Err(format!(
                "{who} acts on {thing} {late} ms after its right must have ended: the store was out of reach"
            ));
        }
        self.all_well(until, "").await
    }

    /// Ends all workers.
    ///
    /// # Errors
    /// One does not end in good order.
    pub async fn end(mut self) -> Result<(), String> {
        for worker in &mut self.workers {
            worker.signal(Signal::TERM)?;
        }
        for worker in &mut self.workers {
            let status = worker.wait(PATIENCE).await?;
            if !status.success() {
                return Err(format!("{status}\n{}", worker.last_words()));
            }
        }
        Ok(())
    }

    async fn replace(&mut self, since: Instant, name: &str) -> Result<(), String> {
        self.workers.retain(|worker| worker.name() != name);
        self.all_well(since, name).await?;
        say(&format!("{name} starts again"));
        let since = clock::instant();
        self.start(name)?;
        self.is_back(since, name).await
    }

    fn start(&mut self, name: &str) -> Result<(), String> {
        self.workers.push(Process::start(name, (self.command)(name), &self.folder)?);
        Ok(())
    }

    fn worker(&mut self, name: &str) -> Result<&mut Process, String> {
        let worker = self.workers.iter_mut().find(|worker| worker.name() == name);
        worker.ok_or_else(|| format!("there is no worker {name}"))
    }

    fn acts(&self) -> Result<Vec<Act>, String> {
        read_acts(&self.folder)
    }

    /// Who acted last as the leader, after it has been that for a while.
    async fn leader(&self) -> Result<String, String> {
        tokio::time::sleep(TERM).await;
        let acts = self.acts()?;
        let last = acts.iter().filter(|act| act.thing == "leader").max_by_key(|act| act.at);
        last.map(|act| act.name().to_string()).ok_or_else(|| "nobody has led yet".to_string())
    }

    /// Waits until each thing was acted on after `since` by another than `name`.
    async fn all_well(&mut self, since: Instant, name: &str) -> Result<(), String> {
        let slots = (0..self.slots).map(|slot| format!("slot-{slot}"));
        let mut missing: Vec<String> = slots.chain(["leader".to_string()]).collect();
        self.wait(since, move |acts| {
            let by_another = |act: &Act, thing: &str| act.thing == thing && act.name() != name;
            missing.retain(|thing| !acts.iter().any(|act| by_another(act, thing)));
            if missing.is_empty() {
                return Ok(());
            }
            Err(format!("nobody acts on {}", missing.join(", ")))
        })
        .await
    }

    /// Waits until `name` takes part, and has a slot again if there are any.
    async fn is_back(&mut self, since: Instant, name: &str) -> Result<(), String> {
        let until = clock::instant() + PATIENCE;
        while !self.worker(name)?.said().contains(TAKES_PART) {
            let worker = self.worker(name)?;
            if worker.ended()?.is_some() || clock::instant() >= until {
                return Err(format!("{name} does not take part\n{}", worker.last_words()));
            }
            tokio::time::sleep(LOOK).await;
        }
        let sharing = self.slots > 0;
        self.wait(since, |acts| {
            let back = acts.iter().any(|act| act.name() == name && act.thing != "leader");
            if back || !sharing { Ok(()) } else { Err(format!("{name} has no slot")) }
        })
        .await
    }

    /// Waits until the acts after `since` are as wanted, or else says what is missing.
    async fn wait(
        &mut self,
        since: Instant,
        mut wanted: impl FnMut(&[Act]) -> Result<(), String>,
    ) -> Result<(), String> {
        let until = clock::instant() + PATIENCE;
        loop {
            let mut acts = self.acts()?;
            acts.retain(|act| act.at > since.as_nanos());
            match wanted(&acts) {
                Ok(()) => return Ok(()),
                Err(missing) if clock::instant() >= until => {
                    return Err(format!("after {PATIENCE:?}: {missing}"));
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

/// Tells people what happens, in which test, and when.
pub fn say(what: &str) {
    let millis = clock::instant().as_nanos() / 1_000_000;
    let thread = thread::current();
    let test = thread.name().unwrap_or("trial");
    println!("{}.{:03}  {test}: {what}", millis / 1000, millis % 1000);
}

/// Holds a trial in a new folder, and has the evidence of it checked. The folder stays if anything fails.
///
/// # Panics
/// The trial cannot be held, and says why. As in any test, `check` may panic, too.
#[expect(clippy::panic, reason = "a trial that cannot be held is a test that failed")]
pub fn hold(
    trial: impl AsyncFnOnce(PathBuf) -> Result<Evidence, String>,
    check: impl FnOnce(Evidence),
) {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}")).keep();
    say(&format!("evidence and logs in {}", folder.display()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    match runtime.block_on(trial(folder.clone())) {
        Ok(evidence) => check(evidence),
        Err(error) => panic!("{error}\n{}", last_words(&folder)),
    }
    let _ = fs::remove_dir_all(folder);
}

/// The last that workers and the store said.
fn last_words(folder: &Path) -> String {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let mut logs: Vec<_> = files.filter(|path| path.extension() == Some("log".as_ref())).collect();
    logs.sort();
    let mut told = String::new();
    for log in logs {
        let said = fs::read_to_string(&log).unwrap_or_default();
        let _ = writeln!(told, "the last of {}:", log.display());
        for line in said.lines().rev().take(10).collect::<Vec<_>>().into_iter().rev() {
            let _ = writeln!(told, "  {line}");
        }
    }
    told
}

/// Sees to it that a run shows that no two act at once, and that its beginning, with one hand-over of the
/// leader less than it takes, shows nothing.
///
/// # Panics
/// It does not.
pub fn no_two_act_at_once(mut evidence: Evidence) {
    let verdict = judge(&evidence);
    say(&verdict.to_string());
    assert_eq!(verdict.status(), 0, "{verdict}");
    evidence.acts.sort_by_key(|act| act.at);
    let (mut leader, mut hand_overs) = (None, 0);
    let enough = evidence.acts.iter().position(|act| {
        if act.thing == "leader" && leader.replace(&act.who).is_some_and(|last| *last != act.who) {
            hand_overs += 1;
        }
        hand_overs == FEWEST_HAND_OVERS
    });
    evidence.acts.truncate(enough.unwrap_or_default());
    let verdict = judge(&evidence);
    assert_eq!(verdict.hand_overs.get("leader"), Some(&(FEWEST_HAND_OVERS - 1)), "{verdict}");
    assert_eq!(verdict.status(), 3, "{verdict}");
}
