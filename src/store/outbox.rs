//! Audit events of changes on their way to the audit log.
//!
//! A change and its event are one transaction, so neither is without the other. An event is handed out until it is
//! acknowledged: at least once, in order; the log tells a repeat by `register_sequence`.

use rusqlite::{Connection, TransactionBehavior};

use super::{Error, Settings, database, rows};
use crate::gatekeeper::record::RegisterChange;

/// The outbox. Calls block on the disk: keep them off the async runtime.
#[derive(Debug)]
pub struct Outbox {
    connection: Connection,
}

impl Outbox {
    /// Opens the outbox of the registers in `settings`.
    ///
    /// # Errors
    /// As [`super::Reader::open`].
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let connection = database::open(settings)?;
        Ok(Self { connection })
    }

    /// Up to `limit` events that are not acknowledged, oldest first, each with its number.
    ///
    /// # Errors
    /// The database fails, or a row is damaged.
    pub fn pending(&self, limit: u32) -> Result<Vec<(i64, RegisterChange)>, Error> {
        let rows: Vec<(i64, String)> = self
            .connection
            .prepare_cached("SELECT id, event FROM outbox ORDER BY id LIMIT ?1")
            .and_then(|mut it| {
                it.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect()
            })
            .map_err(Error::database("reading the outbox"))?;
        rows.into_iter()
            .map(|(id, event)| Ok((id, rows::decode(&event, "outbox")?)))
            .collect()
    }

    /// Forgets the events numbered `ids`, once the audit log has them on stable storage.
    ///
    /// # Errors
    /// The database fails; the events will be handed out again.
    pub fn acknowledge(&mut self, ids: &[i64]) -> Result<(), Error> {
        let doing = "acknowledging audit events";
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::database(doing))?;
        for id in ids {
            transaction
                .prepare_cached("DELETE FROM outbox WHERE id = ?1")
                .and_then(|mut it| it.execute([id]))
                .map_err(Error::database(doing))?;
        }
        transaction
            .commit()
            .map_err(|source| Error::NotSaved { source })
    }
}
