//! An index for reports beside the log: `index.sqlite`. Made from the segments, trusted for nothing: deleted or stale, it is built again.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

use super::{
    fault::Error,
    format::Hash,
    reader::{Record, Records},
    scan::Position,
};
use crate::{
    gatekeeper::record::{AuditEvent, Decided, DecisionId},
    model::{Category, CategorySet, Purpose},
};

/// File name of the index.
pub const FILE: &str = "index.sqlite";

/// Raised whenever the tables change, so that an older index is built again.
const VERSION: i64 = 1;

const TABLES: &str = "
DROP TABLE IF EXISTS progress; DROP TABLE IF EXISTS decided; DROP TABLE IF EXISTS person; DROP TABLE IF EXISTS completed;
CREATE TABLE progress (log_id BLOB NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, sequence INTEGER NOT NULL,
  record_group INTEGER NOT NULL, chain BLOB NOT NULL) STRICT;
CREATE TABLE decided (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, destination TEXT NOT NULL, recipient TEXT,
  country TEXT, purpose TEXT, verdict TEXT NOT NULL, would_be TEXT NOT NULL, primary_reason TEXT, categories TEXT NOT NULL) STRICT;
CREATE INDEX decided_id ON decided (id);
CREATE INDEX decided_at ON decided (at);
CREATE TABLE person (reference TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (reference, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE completed (id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (id, sequence)) STRICT, WITHOUT ROWID;
";

/// The index, as far as the log had grown when it was updated.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    path: PathBuf,
}

/// Where a decision and its completion stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// Sequence of the decision.
    pub decided: u64,
    /// Sequence of the completion, if one is recorded.
    pub completed: Option<u64>,
}

/// Brings the index of the log in `dir` up to the log's last whole record. Where the directory cannot be written (a copy on read-only media)
/// the index is built in memory.
///
/// Cost: one pass over what was appended since the last update.
///
/// # Errors
/// A bad record on the way; the database fails.
pub fn update(dir: &Path) -> Result<Index, Error> {
    let path = dir.join(FILE);
    let failed = |source| Error::Index {
        path: path.clone(),
        source,
    };
    let usable = |connection: Connection| -> rusqlite::Result<Connection> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        let is_read_only = connection.is_readonly("main")?;
        if is_read_only {
            return Connection::open_in_memory();
        }
        Ok(connection)
    };
    let mut connection = Connection::open(&path)
        .and_then(usable)
        .or_else(|_| Connection::open_in_memory())
        .map_err(failed)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let mut records = match resume(&transaction, dir).map_err(failed)? {
        Some(records) => records,
        None => {
            transaction
                .execute_batch(TABLES)
                .and_then(|()| transaction.pragma_update(None, "user_version", VERSION))
                .map_err(failed)?;
            Records::open(dir, 0)?
        }
    };
    for record in &mut records {
        add(&transaction, &record?).map_err(failed)?;
    }
    save(&transaction, &records).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(Index { connection, path })
}

impl Index {
    /// The exchange of decision `id`.
    ///
    /// # Errors
    /// The database fails.
    pub fn find(&self, id: DecisionId) -> Result<Option<Exchange>, Error> {
        let id = id.to_string();
        let query = "SELECT sequence, (SELECT min(sequence) FROM completed WHERE completed.id = decided.id) FROM decided WHERE id = ?1";
        self.connection
            .query_row(query, [id], |row| {
                Ok(Exchange {
                    decided: row.get::<_, i64>(0)?.cast_unsigned(),
                    completed: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
                })
            })
            .optional()
            .map_err(self.failed())
    }

    /// Sequences of the decisions about a person, by keyed reference (`email:1:…`), oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn about(&self, reference: &str) -> Result<Vec<u64>, Error> {
        let query = "SELECT sequence FROM person WHERE reference = ?1 ORDER BY sequence";
        let all = || -> rusqlite::Result<Vec<u64>> {
            self.connection
                .prepare_cached(query)?
                .query_map([reference], |row| row.get::<_, i64>(0))?
                .map(|it| it.map(i64::cast_unsigned))
                .collect()
        };
        all().map_err(self.failed())
    }

    fn failed(&self) -> impl FnOnce(rusqlite::Error) -> Error {
        |source| Error::Index {
            path: self.path.clone(),
            source,
        }
    }
}

/// The records after those that are indexed; `None` when the index is of another version or log, or of records that stand there no more.
fn resume(transaction: &Transaction<'_>, dir: &Path) -> rusqlite::Result<Option<Records>> {
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION {
        return Ok(None);
    }
    let query = "SELECT log_id, segment, offset, sequence, record_group, chain FROM progress";
    let saved = |row: &Row<'_>| -> rusqlite::Result<([u8; 16], Position)> {
        let position = Position {
            segment: row.get::<_, i64>(1)?.cast_unsigned(),
            offset: row.get::<_, i64>(2)?.cast_unsigned(),
            sequence: row.get::<_, i64>(3)?.cast_unsigned(),
            group: row.get::<_, i64>(4)?.cast_unsigned(),
            chain: row.get::<_, Hash>(5)?,
        };
        Ok((row.get(0)?, position))
    };
    let Some((log_id, position)) = transaction.query_row(query, [], saved).optional()? else {
        return Ok(None);
    };
    let Ok(mut records) = Records::resume(dir, position) else {
        return Ok(None);
    };
    let is_same = records.log_id() == log_id && records.stands().unwrap_or(false);
    Ok(is_same.then_some(records))
}

fn save(transaction: &Transaction<'_>, records: &Records) -> rusqlite::Result<()> {
    let position = records.position();
    transaction.execute("DELETE FROM progress", [])?;
    transaction.execute(
        "INSERT INTO progress VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            records.log_id(),
            position.segment.cast_signed(),
            position.offset.cast_signed(),
            position.sequence.cast_signed(),
            position.group.cast_signed(),
            position.chain,
        ],
    )?;
    Ok(())
}

fn add(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    let sequence = record.sequence.cast_signed();
    match &record.event {
        AuditEvent::Decided(decided) => add_decided(transaction, sequence, decided),
        AuditEvent::Completed(completed) => transaction
            .prepare_cached("INSERT INTO completed VALUES (?1, ?2)")?
            .execute(params![completed.id.to_string(), sequence])
            .map(drop),
        AuditEvent::Register(_) | AuditEvent::Operated(_) => Ok(()),
    }
}

fn add_decided(
    transaction: &Transaction<'_>,
    sequence: i64,
    decided: &Decided,
) -> rusqlite::Result<()> {
    let decision = &decided.decision;
    let categories: Vec<&str> = decided
        .transfer
        .persons
        .iter()
        .fold(CategorySet::EMPTY, |all, it| all.union(it.categories))
        .iter()
        .map(Category::code)
        .collect();
    transaction
        .prepare_cached(
            "INSERT INTO decided VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            sequence,
            decided.id.to_string(),
            decided.at.as_millis(),
            decided.transfer.destination,
            decided.recipient.as_ref().map(|it| &it.party),
            decided.recipient.as_ref().map(|it| it.country.code()),
            decided.transfer.purpose.as_ref().map(Purpose::as_str),
            decision.verdict.as_str(),
            decision.would_be.as_str(),
            decision.primary().map(|it| it.code.as_str()),
            categories.join(" "),
        ])?;
    let mut insert = transaction.prepare_cached("INSERT OR IGNORE INTO person VALUES (?1, ?2)")?;
    for person in &decided.transfer.persons {
        for reference in &person.identifiers {
            insert.execute(params![reference.to_string(), sequence])?;
        }
    }
    Ok(())
}
