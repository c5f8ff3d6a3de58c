//! One transaction of changes: counter, time, rows and audit events together.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use serde::Serialize;
use serde_json::Value;

use super::{Saved, new::Whose, subjects::find};
use crate::{
    gatekeeper::record::RegisterChange,
    model::{
        Timestamp,
        consent::{RecordId, Recorded},
    },
    store::{
        Error,
        rows::{self, Subject},
    },
};

/// A kind of record: where it is kept, what its event is called, what messages call it.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) table: &'static str,
    pub(super) action: &'static str,
}

/// An open transaction. Dropped without [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) transaction: Transaction<'a>,
    /// When everything in it is recorded.
    pub(super) at: Timestamp,
    pub(super) by: Arc<str>,
    /// Change counter after everything so far.
    pub(super) sequence: u64,
}

impl<'a> Change<'a> {
    /// Takes the write lock; waits for another writer up to the busy timeout.
    pub(super) fn begin(
        connection: &'a mut Connection,
        now: Timestamp,
        by: &Arc<str>,
    ) -> Result<Self, Error> {
        let doing = "beginning a change";
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::database(doing))?;
        let (sequence, last): (u64, i64) = transaction
            .prepare_cached("SELECT seq, at FROM changes")
            .and_then(|mut it| it.query_row([], |row| Ok((rows::counter(row, 0)?, row.get(1)?))))
            .map_err(Error::database(doing))?;
        // Strictly later than every earlier change, also when the clock was set back.
        let at = now.max(Timestamp::from_millis(last).plus_millis(1));
        Ok(Self {
            transaction,
            at,
            by: Arc::clone(by),
            sequence,
        })
    }

    /// Makes everything durable, or returns an error: never "probably saved".
    pub(super) fn commit(self) -> Result<(), Error> {
        self.transaction
            .prepare_cached("UPDATE changes SET seq = ?1, at = ?2 WHERE seq <> ?1")
            .and_then(|mut it| it.execute((rows::stored(self.sequence), self.at.as_millis())))
            .map_err(Error::database("counting a change"))?;
        self.transaction
            .commit()
            .map_err(|source| Error::NotSaved { source })
    }

    pub(super) fn recorded(&self) -> Recorded {
        Recorded {
            at: self.at,
            by: Arc::clone(&self.by),
        }
    }

    /// Who `whose` is, if registered.
    pub(super) fn find(&self, whose: &Whose) -> Result<Option<Subject>, Error> {
        find(&self.transaction, whose)
    }

    /// Who `whose` is.
    pub(super) fn known(&self, whose: &Whose) -> Result<Subject, Error> {
        self.find(whose)?.ok_or(Error::UnknownSubject)
    }

    /// The subject of consent `id`.
    pub(super) fn subject_of_consent(&self, id: &str) -> Result<Subject, Error> {
        rows::subject_of_consent(&self.transaction, id)?.ok_or_else(|| Error::Unknown {
            what: "consent",
            id: id.to_owned(),
        })
    }

    /// The record of `id` if it stands already with the content that `build` makes.
    ///
    /// # Errors
    /// It says something else, or belongs to somebody else.
    pub(super) fn repeated<T: Serialize>(
        &self,
        kind: &Kind,
        id: Option<&RecordId>,
        subject: Option<&Subject>,
        build: impl FnOnce(RecordId, Recorded) -> T,
    ) -> Result<Option<Saved>, Error> {
        let Some(id) = id else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT seq, at, body, subject FROM {} WHERE id = ?1",
            kind.table
        );
        let found: Option<(u64, i64, String, Option<i64>)> = self
            .transaction
            .prepare_cached(&sql)
            .and_then(|mut it| {
                it.query_row([&**id], |row| {
                    Ok((
                        rows::counter(row, 0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                    ))
                })
                .optional()
            })
            .map_err(Error::database("looking an id up"))?;
        let Some((sequence, at, body, owner)) = found else {
            return Ok(None);
        };
        let at = Timestamp::from_millis(at);
        let wanted = build(
            Arc::clone(id),
            Recorded {
                at,
                by: Arc::clone(&self.by),
            },
        );
        let stored: Value = rows::decode(&body, kind.table)?;
        let same = owner == subject.map(|it| it.row)
            && without_recorder(stored) == without_recorder(value(&wanted));
        if !same {
            return Err(Error::IdTaken(id.to_string()));
        }
        Ok(Some(Saved {
            id: Arc::clone(id),
            subject: subject.map(|it| it.id.clone()),
            sequence,
            at,
            repeated: true,
        }))
    }

    /// Inserts a record under `id` or a new one, and its event.
    pub(super) fn insert<T: Serialize>(
        &mut self,
        kind: &Kind,
        id: Option<&RecordId>,
        subject: Option<&Subject>,
        build: impl FnOnce(RecordId, Recorded) -> T,
    ) -> Result<Saved, Error> {
        let id = id.map_or_else(new_id, Arc::clone);
        let body = value(&build(Arc::clone(&id), self.recorded()));
        let text = body.to_string();
        let saved = self.emit(kind.action, id, subject, body)?;
        let sql = format!(
            "INSERT INTO {} (id, subject, seq, at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            kind.table
        );
        self.transaction
            .prepare_cached(&sql)
            .and_then(|mut it| {
                it.execute((
                    &*saved.id,
                    subject.map(|it| it.row),
                    rows::stored(saved.sequence),
                    self.at.as_millis(),
                    text,
                ))
            })
            .map_err(Error::database("writing a record"))?;
        Ok(saved)
    }

    /// [`repeated`](Self::repeated), or else [`insert`](Self::insert).
    pub(super) fn save<T: Serialize>(
        &mut self,
        kind: &Kind,
        id: Option<&RecordId>,
        subject: Option<&Subject>,
        build: impl Fn(RecordId, Recorded) -> T,
    ) -> Result<Saved, Error> {
        match self.repeated(kind, id, subject, &build)? {
            Some(saved) => Ok(saved),
            None => self.insert(kind, id, subject, build),
        }
    }

    /// Counts a change and puts its event into the outbox.
    pub(super) fn emit(
        &mut self,
        action: &str,
        id: RecordId,
        subject: Option<&Subject>,
        body: Value,
    ) -> Result<Saved, Error> {
        self.sequence += 1;
        let event = RegisterChange {
            register_sequence: self.sequence,
            at: self.at,
            by: Arc::clone(&self.by),
            action: action.into(),
            record: Arc::clone(&id),
            subject: subject.map(|it| Arc::clone(&it.id.0)),
            body,
        };
        self.transaction
            .prepare_cached("INSERT INTO outbox (event) VALUES (?1)")
            .and_then(|mut it| it.execute([value(&event).to_string()]))
            .map_err(Error::database("writing an audit event"))?;
        Ok(Saved {
            id,
            subject: subject.map(|it| it.id.clone()),
            sequence: self.sequence,
            at: self.at,
            repeated: false,
        })
    }
}

/// A new id, ordered by time.
pub(super) fn new_id() -> RecordId {
    uuid::Uuid::now_v7().to_string().into()
}

/// `value` as JSON. The types written here have no map with non-text keys, so this does not fail.
pub(super) fn value<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Content for comparison: who recorded it is not part of what was asked.
fn without_recorder(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.remove("recorded");
    }
    body
}
