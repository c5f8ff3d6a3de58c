//! What happens to a record after it was made: later states of a consent, the lifting of restrictions and objections.

use std::sync::Arc;

use rusqlite::OptionalExtension as _;
use serde_json::json;

use super::{
    change::{Change, new_id, value},
    new::{NewConsentState, Saved},
};
use crate::{
    model::{Timestamp, subject::SubjectId},
    store::{
        Error,
        rows::{self, Subject},
    },
};

pub(super) fn change_state(change: &mut Change<'_>, new: &NewConsentState) -> Result<Saved, Error> {
    let doing = "writing a state of a consent";
    let subject = change.subject_of_consent(&new.consent)?;
    let state = value(&new.state).to_string();
    if let Some(id) = &new.id
        && let Some((same, sequence, at)) = recorded_state(change, id, &new.consent, &state)?
    {
        return if same {
            Ok(Saved {
                id: Arc::clone(id),
                subject: Some(subject.id),
                sequence,
                at,
                repeated: true,
            })
        } else {
            Err(Error::IdTaken(id.to_string()))
        };
    }
    let id = new.id.as_ref().map_or_else(new_id, Arc::clone);
    let body = json!({"consent": new.consent, "state": new.state});
    let saved = change.emit("consent-state-changed", id, Some(&subject), body)?;
    change
        .transaction
        .prepare_cached(
            "INSERT INTO consent_events (id, consent, seq, at, state) \
             SELECT ?1, row, ?2, ?3, ?4 FROM consents WHERE id = ?5",
        )
        .and_then(|mut it| {
            it.execute((
                &*saved.id,
                rows::stored(saved.sequence),
                saved.at.as_millis(),
                state,
                &*new.consent,
            ))
        })
        .map_err(Error::database(doing))?;
    Ok(saved)
}

/// Whether event `id` says the same, its counter and its time; `None` if there is none.
fn recorded_state(
    change: &Change<'_>,
    id: &str,
    consent: &str,
    state: &str,
) -> Result<Option<(bool, u64, Timestamp)>, Error> {
    change
        .transaction
        .prepare_cached(
            "SELECT c.id = ?2 AND e.state = ?3, e.seq, e.at \
             FROM consent_events AS e JOIN consents AS c ON c.row = e.consent WHERE e.id = ?1",
        )
        .and_then(|mut it| {
            it.query_row((id, consent, state), |row| {
                Ok((
                    row.get(0)?,
                    rows::counter(row, 1)?,
                    Timestamp::from_millis(row.get(2)?),
                ))
            })
            .optional()
        })
        .map_err(Error::database("looking an id up"))
}

/// Sets `lifted_at` of record `id`, once; a second time is a repeat.
pub(super) fn lift(
    change: &mut Change<'_>,
    table: &'static str,
    what: &'static str,
    action: &str,
    id: &str,
) -> Result<Saved, Error> {
    let found: Option<(i64, String, u64, Option<i64>)> = change
        .transaction
        .prepare_cached(&format!(
            "SELECT s.row, s.id, t.seq, t.lifted_at FROM {table} AS t \
             JOIN subjects AS s ON s.row = t.subject WHERE t.id = ?1"
        ))
        .and_then(|mut it| {
            it.query_row([id], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    rows::counter(row, 2)?,
                    row.get(3)?,
                ))
            })
            .optional()
        })
        .map_err(Error::database("looking an id up"))?;
    let Some((row, subject, sequence, lifted_at)) = found else {
        return Err(Error::Unknown {
            what,
            id: id.to_owned(),
        });
    };
    let subject = Subject {
        row,
        id: SubjectId(subject.into()),
    };
    if let Some(at) = lifted_at {
        return Ok(Saved {
            id: id.into(),
            subject: Some(subject.id),
            sequence,
            at: Timestamp::from_millis(at),
            repeated: true,
        });
    }
    change
        .transaction
        .prepare_cached(&format!(
            "UPDATE {table} SET lifted_at = ?1 WHERE id = ?2 AND lifted_at IS NULL"
        ))
        .and_then(|mut it| it.execute((change.at.as_millis(), id)))
        .map_err(Error::database("lifting a record"))?;
    let body = json!({"id": id, "lifted_at": change.at});
    change.emit(action, id.into(), Some(&subject), body)
}
