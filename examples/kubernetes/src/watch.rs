//! A watch that goes on over broken connections, and ends when something may have been missed.

use std::time::Duration;

use axum::body::Bytes;
use http::Response;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{Api, Call, Fault, Status, path};
use crate::clock;

/// How long a server is asked to serve one watch. Each is begun anew where the last one ended, so that a
/// connection which hangs unnoticed costs this long and no longer.
const SERVED: Duration = Duration::from_secs(280);
/// What answers a request for a watch at the latest.
const OPENED: Duration = Duration::from_secs(10);
/// Between the end of a watch that showed nothing and the next: a server that ends each at once is not
/// to be asked in a loop.
const PAUSE: Duration = Duration::from_secs(1);

/// What a watch has shown.
#[derive(Debug)]
pub(crate) enum Change {
    /// The object as it is now, as JSON.
    Stored(Bytes),
    /// The object as it was, with the version of its deletion, as JSON.
    Deleted(Bytes),
    /// Nothing more was written up to this version.
    Progress(String),
}

/// What is watched: a collection, and the selectors.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) resource: &'static str,
    pub(crate) root: String,
    pub(crate) query: Vec<(&'static str, String)>,
}

/// A watch from one version on.
#[derive(Debug)]
pub(crate) struct Watch {
    api: Api,
    target: Target,
    /// All up to here has been shown.
    version: String,
    stream: Option<Lines>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Shell {
    metadata: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    resource_version: String,
}

impl Watch {
    /// Of all after `version`, which is that of a list.
    pub(crate) const fn new(api: Api, target: Target, version: String) -> Self {
        Self { api, target, version, stream: None }
    }

    /// The next change, in the order of versions; none is left out.
    ///
    /// # Errors
    /// The watch cannot be continued: 410, and all else that the server answers. What happened since must
    /// be listed.
    pub(crate) async fn next(&mut self) -> Result<Change, Fault> {
        loop {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                none => none.insert(open(&self.api, &self.target, &self.version).await?),
            };
            // A line without an end was cut off; it is shown again by the next watch.
            let line = tokio::time::timeout(SERVED + OPENED, stream.next()).await;
            let Ok(Some(line)) = line else {
                let idle = !stream.shown;
                self.stream = None;
                if idle {
                    tokio::time::sleep(PAUSE).await;
                }
                continue;
            };
            return self.read(&line);
        }
    }

    fn read(&mut self, line: &Bytes) -> Result<Change, Fault> {
        let garbled =
            |error| Fault::Unknown(format!("the watch shows what cannot be read: {error}"));
        let event: Event<'_> = serde_json::from_slice(line).map_err(garbled)?;
        let object = Bytes::copy_from_slice(event.object.get().as_bytes());
        if event.kind == "ERROR" {
            let status = serde_json::from_slice::<Status>(&object).map_err(garbled)?;
            return Err(status.fault(None, None));
        }
        let shell: Shell = serde_json::from_slice(&object).map_err(garbled)?;
        self.version.clone_from(&shell.metadata.resource_version);
        match event.kind {
            "ADDED" | "MODIFIED" => Ok(Change::Stored(object)),
            "DELETED" => Ok(Change::Deleted(object)),
            "BOOKMARK" => Ok(Change::Progress(shell.metadata.resource_version)),
            kind => Err(Fault::Unknown(format!("the watch shows a {kind}"))),
        }
    }
}

async fn open(api: &Api, target: &Target, version: &str) -> Result<Lines, Fault> {
    let seconds = SERVED.as_secs().to_string();
    let mut query: Vec<(&str, &str)> =
        target.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    query.extend([
        ("watch", "true"),
        ("allowWatchBookmarks", "true"),
        ("resourceVersion", version),
        ("timeoutSeconds", &seconds),
    ]);
    let call = Call::read("watch", target.resource, path(&target.root, &query));
    api.open(&call, clock::instant() + OPENED).await.map(Lines::new)
}

/// The lines of a body that does not end.
#[derive(Debug)]
struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Up to where the buffer is known to have no end of a line.
    searched: usize,
    shown: bool,
}

impl Lines {
    fn new(response: Response<Body>) -> Self {
        Self { body: response.into_body(), buffer: Vec::new(), searched: 0, shown: false }
    }

    /// The next line; none at the end of the body, however it came. Loses nothing if it is dropped.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let fresh = self.buffer.iter().skip(self.searched).position(|byte| *byte == b'\n');
            if let Some(at) = fresh {
                let line = self.buffer.drain(..=self.searched + at).collect::<Vec<_>>();
                (self.searched, self.shown) = (0, true);
                return Some(line.into());
            }
            self.searched = self.buffer.len();
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.buffer.extend_from_slice(&data);
            }
        }
    }
}
