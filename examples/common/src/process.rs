//! A process that is started, paused, killed and ended.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{fs, io};

use rustix::process::{Pid, Signal, kill_process};

use crate::clock;

/// A process of a trial. It does not outlive this value.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// How long the log was when it began.
    before: usize,
}

impl Process {
    /// Starts it; what it says goes into `<name>.log` of `folder`, after what is there.
    ///
    /// # Errors
    /// It cannot be started, most often because it is not installed.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self, String> {
        let log = folder.join(format!("{name}.log"));
        let before = fs::read_to_string(&log).map_or(0, |text| text.len());
        let opened = File::options().append(true).create(true).open(&log);
        let both = opened.and_then(|out| Ok((out.try_clone()?, out)));
        let (out, err) = both.map_err(|error| format!("{}: {error}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
        let program = command.get_program().display().to_string();
        let child = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("{program} is not installed"),
            _ => format!("{program} cannot be started: {error}"),
        })?;
        Ok(Self { name: name.to_string(), child, log, before })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended.
    pub fn signal(&mut self, signal: Signal) -> Result<(), String> {
        if let Some(status) = self.ended()? {
            return Err(format!(
                "{} has ended by itself: {status}\n{}",
                self.name,
                self.last_words()
            ));
        }
        let ill = |error: &dyn std::fmt::Display| format!("{}: {error}", self.name);
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| ill(&"it has no process id"))?;
        kill_process(id, signal).map_err(|error| ill(&error))
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        self.child.try_wait().map_err(|error| format!("{}: {error}", self.name))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It does not end within `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus, String> {
        let until = clock::instant() + limit;
        while clock::instant() < until {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{} has not ended within {limit:?}\n{}", self.name, self.last_words()))
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// It had ended by itself.
    pub async fn kill(&mut self) -> Result<(), String> {
        self.signal(Signal::KILL)?;
        let status = self.wait(Duration::from_secs(5)).await?;
        match status.signal() {
            Some(_) => Ok(()),
            None => Err(format!("{} ended before it was killed: {status}", self.name)),
        }
    }

    /// What it has said since it was started.
    #[must_use]
    pub fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.get(self.before..).unwrap_or_default().to_string()
    }

    /// The last lines of that.
    #[must_use]
    pub fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<_> = said.lines().collect();
        let last = lines.iter().rev().take(10).rev().map(|line| format!("\n  {line}"));
        format!("the last that {} said:{}", self.name, last.collect::<String>())
    }
}

impl Drop for Process {
    /// Also one that is paused ends.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
