//! Three replicas on a real etcd under faults, judged by what they and etcd wrote down.
//!
//! `cargo test -- --nocapture` tells what happens.

mod etcd;

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use etcd::Etcd;
use tenure::time::Instant;
use tenure_examples::clock;
use tenure_examples::evidence::Evidence;
use tenure_examples::trial::{Trial, hold, no_two_act_at_once, say};
use tenure_examples::verdict::{Rule, judge};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tenure-etcd");
const NAMES: [&str; 3] = ["a", "b", "c"];
const SLOTS: usize = 16;
/// L, D and R: short, with room for a second try within D, and for a machine that is busy.
const DURATIONS: [&str; 6] = ["--lease", "3s", "--renew", "2s", "--retry", "500ms"];
const DEADLINE: Duration = Duration::from_secs(2);
const OUTAGE: Duration = Duration::from_secs(5);

fn worker(folder: &Path, endpoint: &str, name: &str, more: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--endpoint", endpoint, "work", "--name", name]).args(DURATIONS).args(more);
    command.arg("--acts").arg(folder.join(format!("{name}.acts")));
    command
}

/// What the workers wrote down, and all that etcd ever stored.
fn evidence(folder: &Path, endpoint: &str) -> Result<Evidence, String> {
    let history = File::create(folder.join("history")).map_err(|error| error.to_string())?;
    let mut command = Command::new(PROGRAM);
    command.args(["--endpoint", endpoint, "history"]).stdout(history);
    let status = command.status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("the history cannot be read: {status}"));
    }
    Evidence::read(folder)
}

/// Longer than the lease; until when it lasted at least.
async fn outage(since: Instant) -> Instant {
    clock::sleep_until(Some(since + OUTAGE)).await;
    clock::instant()
}

async fn faults(folder: &Path, mode: &str) -> Result<Evidence, String> {
    let mut etcd = Etcd::start(folder).await?;
    let endpoint = etcd.endpoint.clone();
    let command = |name: &str| worker(folder, &endpoint, name, &["--mode", mode]);
    let mut trial = Trial::new(folder.to_path_buf(), &command, SLOTS, DEADLINE);
    trial.begin(&NAMES).await?;
    for _ in 0..2 {
        trial.pause_leader().await?;
        trial.kill_leader().await?;
        trial.end_leader().await?;
    }
    say("SIGSTOP to etcd");
    etcd.pause()?;
    let since = clock::instant();
    let until = outage(since).await;
    say("SIGCONT to etcd");
    etcd.go_on()?;
    trial.store_is_back(since, until).await?;
    say("SIGKILL to etcd");
    etcd.kill().await?;
    let since = clock::instant();
    let until = outage(since).await;
    say("etcd starts again");
    etcd.start_again().await?;
    trial.store_is_back(since, until).await?;
    trial.end().await?;
    evidence(folder, &endpoint)
}

/// Two of three replicas that ask when they begin a job, and not before each act; one is paused in it.
async fn without_asking(folder: &Path) -> Result<Evidence, String> {
    let etcd = Etcd::start(folder).await?;
    let endpoint = etcd.endpoint.clone();
    let command = |name: &str| worker(folder, &endpoint, name, &["--leave-out", "ask"]);
    let mut trial = Trial::new(folder.to_path_buf(), &command, SLOTS, DEADLINE);
    trial.begin(&NAMES).await?;
    trial.pause_leader().await?;
    trial.end().await?;
    evidence(folder, &endpoint)
}

#[test]
fn no_two_act_at_once_ranked() {
    hold(async |folder| faults(&folder, "ranked").await, no_two_act_at_once);
}

#[test]
fn no_two_act_at_once_planned() {
    hold(async |folder| faults(&folder, "planned").await, no_two_act_at_once);
}

#[test]
fn no_two_act_at_once_leased() {
    hold(async |folder| faults(&folder, "leased").await, no_two_act_at_once);
}

#[test]
fn two_are_found_if_work_does_not_ask() {
    hold(
        async |folder| without_asking(&folder).await,
        |evidence| {
            let verdict = judge(&evidence);
            say(&verdict.to_string());
            assert_eq!(verdict.status(), 1);
            let found = |thing: &str| {
                let mut violations = verdict.violations.iter();
                violations.any(|v| v.rule == Rule::TwoOwners && v.what.contains(thing))
            };
            assert!(found("on leader") && found("on slot-"), "{verdict}");
        },
    );
}

#[test]
fn what_is_wrong_is_told_with_a_remedy() {
    let nobody = "http://127.0.0.1:1";
    let acts = ["--acts", "acts"];
    for (arguments, told) in [
        (["--endpoint", nobody, "history"].as_slice(), "no etcd answers at http://127.0.0.1:1: "),
        (&["--endpoint", "what?", "history"], "no etcd answers at what?: "),
        (&["work", "--name", "a", "--lease", "3"], "--lease"),
        (
            &["work", "--name", "a", acts[0], acts[1], "--mode", "x"],
            "[possible values: ranked, planned",
        ),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(told) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}
