//! A Postgres on loopback, with its data in a folder of the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fmt::Write as _};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tenure_examples::clock;
use tenure_examples::evidence::Evidence;
use tenure_examples::port;
use tenure_examples::process::Process;
use tokio_postgres::{Client, NoTls};

/// How long it may take until it answers, after a start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps each version of each lock, as evidence: a table has no history of its own. Within the
/// transaction of the write, so in its order.
const HISTORY: &str = "create table tenure_history (version bigint, name text, body text);
    create function keep() returns trigger language plpgsql as $$ begin
        insert into tenure_history values (new.version, new.name, new.body); return new; end $$;
    create trigger keep after insert or update on tenure_locks for each row execute function keep();";

pub(crate) struct Postgres {
    pub(crate) database: String,
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    process: Process,
}

impl Postgres {
    /// Starts the one whose programs are in the folder that the variable `POSTGRES` names, or the newest
    /// one of Debian's.
    pub(crate) async fn start(folder: &Path) -> Result<Self, String> {
        let programs = programs()?;
        // The server is another user, who must come through.
        let ill = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(ill)?;
        let data = folder.join("postgres");
        fs::create_dir(&data).map_err(ill)?;
        if geteuid().is_root() {
            run(Command::new("chown").arg("postgres").arg(&data))?;
        }
        let mut initdb = program(&programs.join("initdb"));
        run(initdb
            .args(["--auth", "trust", "--username", "postgres", "--no-sync", "--pgdata"])
            .arg(&data))?;
        let port = port::free()?;
        let process = spawn(folder, &programs, port)?;
        let database = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
        let folder = folder.to_path_buf();
        let mut postgres = Self { database, folder, programs, port, process };
        postgres.answers().await?;
        Ok(postgres)
    }

    pub(crate) async fn keep_history(&self) -> Result<(), String> {
        let client = connect(&self.database).await?;
        client.batch_execute(HISTORY).await.map_err(|error| format!("no history: {error}"))
    }

    /// Those who serve connections as well, which are processes of their own. So connections stay open,
    /// and statements are begun only when it goes on, long after they were given up.
    pub(crate) fn pause(&mut self) -> Result<(), String> {
        self.signal_all(Signal::STOP)
    }

    pub(crate) fn go_on(&mut self) -> Result<(), String> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&mut self, signal: Signal) -> Result<(), String> {
        self.process.signal(signal)?;
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.map_err(|error| format!("the children of postgres: {error}"))?;
        for child in children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)) {
            let _ = kill_process(child, signal); // unless it has just ended
        }
        Ok(())
    }

    /// At once, as if the machine had failed: the next start recovers from the log.
    pub(crate) async fn crash(&mut self) -> Result<(), String> {
        self.process.signal(Signal::QUIT)?;
        self.process.wait(PATIENCE).await.map(|_| ())
    }

    /// With the data of before.
    pub(crate) async fn start_again(&mut self) -> Result<(), String> {
        self.process = spawn(&self.folder, &self.programs, self.port)?;
        self.answers().await
    }

    /// What the workers wrote down, and all that was ever stored.
    pub(crate) async fn evidence(&self) -> Result<Evidence, String> {
        let client = connect(&self.database).await?;
        let all =
            "select version, name, body::jsonb -> 'spec' ->> 'holderIdentity' from tenure_history";
        let rows = client.query(all, &[]).await.map_err(|error| format!("no history: {error}"))?;
        let mut lines = String::new();
        for row in rows {
            let (version, name): (i64, &str) = (row.get(0), row.get(1));
            let holder: Option<&str> = row.get(2);
            let holder = holder.filter(|holder| !holder.is_empty()).unwrap_or("-");
            let _ = writeln!(lines, "{version} {name} {holder}");
        }
        fs::write(self.folder.join("history"), lines).map_err(|error| error.to_string())?;
        Evidence::read(&self.folder)
    }

    async fn answers(&mut self) -> Result<(), String> {
        let until = clock::instant() + PATIENCE;
        while connect(&self.database).await.is_err() {
            let over = clock::instant() >= until;
            if self.process.ended()?.is_some() || over {
                return Err(format!("Postgres does not start\n{}", self.process.last_words()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

async fn connect(database: &str) -> Result<Client, String> {
    let connected = tokio_postgres::connect(database, NoTls).await;
    let (client, connection) = connected.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(client)
}

fn programs() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("POSTGRES") {
        return Ok(named.into());
    }
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest =
        installed.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    let newest = newest.map(|version| format!("/usr/lib/postgresql/{version}/bin").into());
    newest.ok_or_else(|| {
        "Postgres is not installed: install Debian's postgresql, or name the folder of its programs by \
         the variable POSTGRES"
            .to_string()
    })
}

/// It refuses to run as root.
fn program(path: &Path) -> Command {
    if !geteuid().is_root() {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
    command
}

fn spawn(folder: &Path, programs: &Path, port: u16) -> Result<Process, String> {
    let mut command = program(&programs.join("postgres"));
    command.arg("-D").arg(folder.join("postgres")).args(["-p", &port.to_string()]);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    command.current_dir("/");
    Process::start("postgres", command, folder)
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    let output =
        command.current_dir("/").output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
