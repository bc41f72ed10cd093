//! Three replicas on a real Postgres under faults, judged by what they and the table wrote down.
//!
//! `cargo test -- --nocapture` tells what happens.

mod postgres;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use postgres::Postgres;
use tenure::time::Instant;
use tenure_examples::clock;
use tenure_examples::evidence::Evidence;
use tenure_examples::trial::{Trial, hold, no_two_act_at_once, say};
use tenure_examples::verdict::{Rule, judge};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tenure-postgres");
const NAMES: [&str; 3] = ["a", "b", "c"];
/// L, D and R: short, with room for a second try within D, and for a machine that is busy.
const DURATIONS: [&str; 6] = ["--lease", "3s", "--renew", "2s", "--retry", "500ms"];
const DEADLINE: Duration = Duration::from_secs(2);
const OUTAGE: Duration = Duration::from_secs(5);

fn worker(folder: &Path, database: &str, name: &str, more: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--database", database, "work", "--name", name]).args(DURATIONS).args(more);
    command.arg("--acts").arg(folder.join(format!("{name}.acts")));
    command
}

async fn started(folder: &Path) -> Result<Postgres, String> {
    let postgres = Postgres::start(folder).await?;
    for _ in 0..2 {
        let status =
            Command::new(PROGRAM).args(["--database", &postgres.database, "init"]).status();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err(format!("init: {status:?}"));
        }
    }
    postgres.keep_history().await?;
    Ok(postgres)
}

/// Longer than the lease; until when it lasted at least.
async fn outage(since: Instant) -> Instant {
    clock::sleep_until(Some(since + OUTAGE)).await;
    clock::instant()
}

async fn faults(folder: &Path) -> Result<Evidence, String> {
    let mut postgres = started(folder).await?;
    let database = postgres.database.clone();
    let command = |name: &str| worker(folder, &database, name, &[]);
    let mut trial = Trial::new(folder.to_path_buf(), &command, 0, DEADLINE);
    trial.begin(&NAMES).await?;
    for _ in 0..2 {
        trial.pause_leader().await?;
        trial.kill_leader().await?;
        trial.end_leader().await?;
    }
    say("SIGSTOP to Postgres");
    postgres.pause()?;
    let since = clock::instant();
    let until = outage(since).await;
    say("SIGCONT to Postgres");
    postgres.go_on()?;
    trial.store_is_back(since, until).await?;
    say("SIGQUIT to Postgres");
    postgres.crash().await?;
    let since = clock::instant();
    let until = outage(since).await;
    say("Postgres starts again");
    postgres.start_again().await?;
    trial.store_is_back(since, until).await?;
    trial.end().await?;
    postgres.evidence().await
}

/// Replicas that ask when they begin a job, and not before each act; one is paused in it.
async fn without_asking(folder: &Path) -> Result<Evidence, String> {
    let postgres = started(folder).await?;
    let database = postgres.database.clone();
    let command = |name: &str| worker(folder, &database, name, &["--leave-out", "ask"]);
    let mut trial = Trial::new(folder.to_path_buf(), &command, 0, DEADLINE);
    trial.begin(&NAMES).await?;
    trial.pause_leader().await?;
    trial.end().await?;
    postgres.evidence().await
}

#[test]
fn no_two_lead_at_once() {
    hold(async |folder| faults(&folder).await, no_two_act_at_once);
}

#[test]
fn two_are_found_if_work_does_not_ask() {
    hold(
        async |folder| without_asking(&folder).await,
        |evidence| {
            let verdict = judge(&evidence);
            say(&verdict.to_string());
            assert_eq!(verdict.status(), 1);
            assert!(verdict.broken(Rule::TwoOwners) > 0, "{verdict}");
        },
    );
}

#[test]
fn what_is_wrong_is_told_with_a_remedy() {
    let nobody = "host=127.0.0.1 port=1 user=postgres";
    for (arguments, told) in [
        (
            ["--database", nobody, "init"].as_slice(),
            "start a server, or name another by --database",
        ),
        (&["--database", nobody, "work", "--name", "a", "--acts", "acts"], "run `init` once"),
        (&["--database", "port=x", "init"], "invalid value 'port=x' for '--database"),
        (&["work", "--name", "a", "--acts", "acts", "--lease", "3"], "--lease"),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(told) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}
