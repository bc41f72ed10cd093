//! etcd as a store with compare-and-swap: five calls and what their failures mean.
//!
//! A key's version is its `mod_revision`: the revision of the whole store that wrote it, so that a later
//! write of any key has a greater one, and none comes again, not even after a deletion.

use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, ConnectOptions, Error, GetOptions, KeyValue, ResponseHeader, Txn,
    TxnOp, TxnOpResponse,
};
use tenure::election::Failure;

/// How long a connection is quiet before it is asked for a sign of life, and how long that may take: a
/// watch on one that is dead would show nothing for ever. Requests have deadlines of their own. etcd
/// cuts off whoever asks more often than every 5 s (`--grpc-keepalive-min-time`).
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3));
/// How long a connection may take to be made, before another endpoint is tried.
const CONNECT: Duration = Duration::from_secs(2);
/// How long to wait for the first answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A cluster, and the part of it that is ours.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) client: Client,
    prefix: String,
}

/// A key in the store.
pub(crate) struct Entry {
    /// What comes behind what was asked for.
    pub(crate) name: String,
    pub(crate) value: Vec<u8>,
    pub(crate) version: u64,
}

impl Store {
    /// Connects, and sees to it that somebody answers: afterwards an etcd that cannot be reached is
    /// waited for.
    pub(crate) async fn connect(endpoints: &[String], prefix: &str) -> Result<Self, String> {
        let options = ConnectOptions::new()
            .with_connect_timeout(CONNECT)
            .with_keep_alive(KEEP_ALIVE.0, KEEP_ALIVE.1)
            // A member that is cut off from its cluster ends its watches, which it would let go quiet.
            .with_require_leader(true);
        let nobody = |error: &str| {
            let endpoints = endpoints.join(", ");
            format!(
                "no etcd answers at {endpoints}: {error}: start one, or name another by --endpoint"
            )
        };
        let client = Client::connect(endpoints, Some(options))
            .await
            .map_err(|error| nobody(&told(&error)))?;
        let store = Self { client, prefix: prefix.to_string() };
        let mut asked = store.client.kv_client();
        match tokio::time::timeout(PATIENCE, asked.get(prefix, None)).await {
            Ok(Ok(_)) => Ok(store),
            Ok(Err(error)) => Err(nobody(&told(&error))),
            Err(_) => Err(nobody(&format!("nothing within {PATIENCE:?}"))),
        }
    }

    /// The key of this name, of things of this kind.
    pub(crate) fn key(&self, kind: &str, namespace: &str, name: &str) -> String {
        format!("{}{kind}/{namespace}/{name}", self.prefix)
    }

    /// Under which all keys are.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Reads a key. Linearizable, as all reads of etcd are that do not ask for less.
    pub(crate) async fn get(&self, key: &str) -> Result<Entry, Failure> {
        let response =
            self.client.kv_client().get(key, None).await.map_err(|error| unknown(&error))?;
        entry(key, response.kvs().first().ok_or(Failure::NotFound)?)
    }

    /// Reads all keys that begin so, in one call and so at one revision, which is the version of the whole.
    pub(crate) async fn list(&self, prefix: &str) -> Result<(Vec<Entry>, u64), Failure> {
        let all = GetOptions::new().with_prefix();
        let response = self
            .client
            .kv_client()
            .get(prefix, Some(all))
            .await
            .map_err(|error| unknown(&error))?;
        let entries =
            response.kvs().iter().map(|pair| entry(prefix, pair)).collect::<Result<_, _>>()?;
        Ok((entries, revision(response.header())?))
    }

    /// Writes a key that must not exist.
    pub(crate) async fn create(&self, key: &str, value: String) -> Result<u64, Failure> {
        let absent = Compare::create_revision(key, CompareOp::Equal, 0);
        let written = self.write(absent, key, TxnOp::put(key, value, None)).await;
        written.map_err(|failure| match failure {
            Failure::Conflict => Failure::AlreadyExists,
            // It was there, and is gone by now, in one transaction: that cannot be. Not known, then.
            Failure::NotFound => Failure::Other,
            failure => failure,
        })
    }

    /// Writes a key over this version of it.
    pub(crate) async fn update(&self, key: &str, value: String, over: u64) -> Result<u64, Failure> {
        self.write(same(key, over)?, key, TxnOp::put(key, value, None)).await
    }

    /// Deletes this version of a key.
    pub(crate) async fn delete(&self, key: &str, version: u64) -> Result<(), Failure> {
        self.write(same(key, version)?, key, TxnOp::delete(key, None)).await.map(|_| ())
    }

    /// Writes if the condition holds. If it does not, that is an answer, too: nothing was written.
    async fn write(&self, condition: Compare, key: &str, write: TxnOp) -> Result<u64, Failure> {
        let count = GetOptions::new().with_count_only();
        let transaction =
            Txn::new().when([condition]).and_then([write]).or_else([TxnOp::get(key, Some(count))]);
        let response =
            self.client.kv_client().txn(transaction).await.map_err(|error| unknown(&error))?;
        if response.succeeded() {
            return revision(response.header());
        }
        match response.op_responses().first() {
            Some(TxnOpResponse::Get(found)) if found.count() > 0 => Err(Failure::Conflict),
            Some(TxnOpResponse::Get(_)) => Err(Failure::NotFound),
            _ => Err(Failure::Other),
        }
    }
}

/// The condition that a key still has this version.
fn same(key: &str, version: u64) -> Result<Compare, Failure> {
    let version = i64::try_from(version).map_err(|_| Failure::Other)?;
    Ok(Compare::mod_revision(key, CompareOp::Equal, version))
}

/// A status without the chain of errors of each layer below.
pub(crate) fn told(error: &Error) -> String {
    match error {
        Error::GRpcStatus(status) => format!("{}: {}", status.code(), status.message()),
        error => error.to_string(),
    }
}

/// No answer, or one that says nothing of the key. A write may have been applied, whatever the status:
/// etcd says `Unavailable` and `DeadlineExceeded` of transactions that it carries out later. So none of
/// them is a conflict.
fn unknown(error: &Error) -> Failure {
    eprintln!("etcd: {}", told(error));
    Failure::Other
}

pub(crate) fn entry(prefix: &str, pair: &KeyValue) -> Result<Entry, Failure> {
    let key = String::from_utf8_lossy(pair.key());
    let name = key.strip_prefix(prefix).unwrap_or(&key).to_string();
    let version = u64::try_from(pair.mod_revision()).map_err(|_| Failure::Other)?;
    Ok(Entry { name, value: pair.value().to_vec(), version })
}

pub(crate) fn revision(header: Option<&ResponseHeader>) -> Result<u64, Failure> {
    header.and_then(|header| u64::try_from(header.revision()).ok()).ok_or(Failure::Other)
}
