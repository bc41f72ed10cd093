//! A table of Postgres as a store with compare-and-swap.

use std::sync::Mutex;

use tenure::election::{Failure, Op, Stored};
use tenure::lock::lease::{Lease, LeaseSpec};
use tenure::lock::{LockRef, Object, UNKNOWN_HOLDER, Version, wire};
use tenure_examples::lead::lock;
use tokio::task::JoinSet;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Error, NoTls, Row};

/// What makes the table; to be run once, before the replicas.
pub(crate) const SCHEMA: &str = include_str!("store.sql");

const READ: &str = "select version, body from tenure_locks where name = $1";
const CREATE: &str = "insert into tenure_locks (name, body) values ($1, $2) \
                      on conflict (name) do nothing returning version";
/// The version of the write, if there was one; and whether there is such a row.
const UPDATE: &str = "with written as (update tenure_locks \
                      set version = nextval('tenure_versions'), body = $2 \
                      where name = $1 and version = $3 returning version) \
                      select (select version from written), \
                      exists (select from tenure_locks where name = $1)";

/// A database, and a connection to it that nobody uses at the moment.
pub(crate) struct Store {
    config: Config,
    idle: Mutex<Option<Connection>>,
}

struct Connection {
    client: Client,
    /// The task that moves the bytes; it ends with this value, whatever it waits for.
    _task: JoinSet<Result<(), Error>>,
}

impl Store {
    pub(crate) fn new(config: Config) -> Self {
        Self { config, idle: Mutex::new(None) }
    }

    /// Runs `statements`, to make the table or to see whether it is there.
    pub(crate) async fn execute(&self, statements: &str) -> Result<(), Error> {
        let connection = self.connection().await?;
        connection.client.batch_execute(statements).await
    }

    /// | `Op` | statement | fails with |
    /// | --- | --- | --- |
    /// | `Get` | select | `NotFound` |
    /// | `Create` | insert, on conflict do nothing | `AlreadyExists` |
    /// | `Update` | update where the version is that one | `Conflict`, `NotFound` |
    ///
    /// All else is `Other`: no statement that failed, or was not answered, says what became of it.
    pub(crate) async fn call(&self, named: &LockRef, op: Op) -> Result<Stored, Failure> {
        let name = format!("{}/{}", named.namespace, named.name);
        let text = |object: &Object| wire::object_to_api_json(object, None);
        let (object, version) = match op {
            Op::Get => {
                let row =
                    self.query(READ, &[(&name, Type::TEXT)]).await?.ok_or(Failure::NotFound)?;
                (read(named, column(&row, 1)?), column(&row, 0)?)
            }
            Op::Create(object) => {
                let body = text(&object);
                let row = self.query(CREATE, &[(&name, Type::TEXT), (&body, Type::TEXT)]).await?;
                (object, column(&row.ok_or(Failure::AlreadyExists)?, 0)?)
            }
            Op::Update(object, over) => {
                // All versions that were handed out are ordered, and came from a bigint.
                let over = over.as_ordered().and_then(|over| i64::try_from(over).ok());
                let (body, over) = (text(&object), over.ok_or(Failure::Other)?);
                let values: [(&(dyn ToSql + Sync), Type); 3] =
                    [(&name, Type::TEXT), (&body, Type::TEXT), (&over, Type::INT8)];
                let row = self.query(UPDATE, &values).await?.ok_or(Failure::Other)?;
                match (column(&row, 0)?, column(&row, 1)?) {
                    (Some(version), _) => (object, version),
                    (None, true) => return Err(Failure::Conflict),
                    (None, false) => return Err(Failure::NotFound),
                }
            }
        };
        let version: i64 = version;
        let version = u64::try_from(version).map_err(|_| Failure::Other)?;
        Ok(Stored { object, version: Version::ordered(version) })
    }

    /// The row that a statement gives, if any. It has been committed when this returns: rows come before
    /// the commit, which may fail, so all is read up to `ReadyForQuery`, as `query_typed` does.
    ///
    /// A call that is given up takes its connection with it: the next statement would wait behind the one
    /// that is still running.
    async fn query(
        &self,
        statement: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Option<Row>, Failure> {
        let rows = async {
            let connection = self.connection().await?;
            let rows = connection.client.query_typed(statement, values).await?;
            *lock(&self.idle) = Some(connection);
            Ok(rows)
        };
        let rows = rows.await.map_err(|error: Error| {
            eprintln!("Postgres: {}", told(&error));
            Failure::Other
        })?;
        Ok(rows.into_iter().next())
    }

    async fn connection(&self) -> Result<Connection, Error> {
        let idle = lock(&self.idle).take();
        if let Some(connection) = idle.filter(|connection| !connection.client.is_closed()) {
            return Ok(connection);
        }
        let (client, connection) = self.config.connect(NoTls).await?;
        let mut task = JoinSet::new();
        task.spawn(connection);
        Ok(Connection { client, _task: task })
    }
}

/// The error, and what caused it.
pub(crate) fn told(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    at: usize,
) -> Result<T, Failure> {
    row.try_get(at).map_err(|error| {
        eprintln!("Postgres: {error}: the table is not that of `init`");
        Failure::Other
    })
}

/// What cannot be read is held by somebody, and taken over like any other lock once it has stayed so for
/// the reader's own lease duration: garbage costs that, and nobody has to get up and delete it.
fn read(named: &LockRef, body: &str) -> Object {
    match wire::object_from_api_json(named.kind, body.as_bytes()) {
        Ok((object, _)) => object,
        Err(error) => {
            eprintln!("the lock {named} cannot be read: {error}");
            let holder_identity = Some(UNKNOWN_HOLDER.into());
            let spec = LeaseSpec { holder_identity, ..LeaseSpec::default() };
            Object::Lease(Lease { spec, ..Lease::default() })
        }
    }
}
