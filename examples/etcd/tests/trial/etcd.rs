//! An etcd of one member on loopback, with its data in a folder of the test.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tenure_examples::process::Process;
use tenure_examples::{clock, port};

use crate::PROGRAM;

/// How long it may take until it answers, after a start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Etcd {
    pub(crate) endpoint: String,
    folder: PathBuf,
    ports: [u16; 2],
    process: Process,
}

impl Etcd {
    /// Starts the one that the variable `ETCD` names, or the one in the path.
    pub(crate) async fn start(folder: &Path) -> Result<Self, String> {
        let ports = [port::free()?, port::free()?];
        let process = spawn(folder, ports)?;
        let endpoint = format!("http://127.0.0.1:{}", ports[0]);
        let mut etcd = Self { endpoint, folder: folder.to_path_buf(), ports, process };
        etcd.answers().await?;
        Ok(etcd)
    }

    pub(crate) fn pause(&mut self) -> Result<(), String> {
        self.process.signal(Signal::STOP)
    }

    pub(crate) fn go_on(&mut self) -> Result<(), String> {
        self.process.signal(Signal::CONT)
    }

    pub(crate) async fn kill(&mut self) -> Result<(), String> {
        self.process.kill().await
    }

    /// With the data of before.
    pub(crate) async fn start_again(&mut self) -> Result<(), String> {
        self.process = spawn(&self.folder, self.ports)?;
        self.answers().await
    }

    /// Waits until it answers a request: it takes connections before it can.
    async fn answers(&mut self) -> Result<(), String> {
        let until = clock::instant() + PATIENCE;
        while !self.answers_now()? {
            let over = clock::instant() >= until;
            if let Some(status) = self.process.ended()? {
                return Err(format!("etcd does not start: {status}"));
            } else if over {
                return Err(format!("etcd has not answered within {PATIENCE:?}"));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    fn answers_now(&self) -> Result<bool, String> {
        let mut history = Command::new(PROGRAM);
        history.args(["--endpoint", &self.endpoint, "history"]);
        history.stdout(Stdio::null()).stderr(Stdio::null());
        let status = history.status().map_err(|error| format!("{PROGRAM}: {error}"))?;
        Ok(status.success())
    }
}

fn spawn(folder: &Path, [client, peer]: [u16; 2]) -> Result<Process, String> {
    let mut command = Command::new(env::var_os("ETCD").unwrap_or_else(|| "etcd".into()));
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    command.arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args(["--initial-cluster", &format!("default={peer}"), "--log-level", "error"]);
    // More often than members renew, so that there is some.
    command.args(["--experimental-watch-progress-notify-interval", "100ms"]);
    Process::start("etcd", command, folder).map_err(|error| {
        format!("{error}: install Debian's etcd-server, or name the program by the variable ETCD")
    })
}
