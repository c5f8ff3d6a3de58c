//! What happens to a record after it was made: later states of a consent, the lifting of restrictions and objections.

use std::sync::Arc;

use rusqlite::OptionalExtension as _;
use serde_json::json;

use super::{
    change::{Change, new_id, value},
    new::{NewConsentState, Saved, invalid},
};
use crate::{
    model::{Day, Timestamp, subject::SubjectId},
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

/// Ends restriction `id`, once; a second time is a repeat.
pub(super) fn release(change: &mut Change<'_>, id: &str) -> Result<Saved, Error> {
    let liftable = liftable(change, "restrictions", "NULL", "restriction", id)?;
    if let Some(at) = liftable.lifted_at {
        return Ok(liftable.repeated(id, at));
    }
    change
        .transaction
        .prepare_cached("UPDATE restrictions SET lifted_at = ?1 WHERE id = ?2")
        .and_then(|mut it| it.execute((change.at.as_millis(), id)))
        .map_err(Error::database("lifting a record"))?;
    let body = json!({"id": id, "lifted_at": change.at});
    change.emit(
        "restriction-lifted",
        id.into(),
        Some(&liftable.subject),
        body,
    )
}

/// Lifts objection `id` on `record`, once; a second time on the same record is a repeat.
pub(super) fn lift_objection(
    change: &mut Change<'_>,
    id: &str,
    record: &str,
) -> Result<Saved, Error> {
    if record.trim().is_empty() {
        return invalid(
            "record",
            "is empty; name the record that shows the interest is lawful",
        );
    }
    let liftable = liftable(change, "objections", "t.lifted_record", "objection", id)?;
    if let Some(at) = liftable.lifted_at {
        return if liftable.lifted_record.as_deref() == Some(record) {
            Ok(liftable.repeated(id, at))
        } else {
            invalid(
                "record",
                "the objection is lifted already, on another record",
            )
        };
    }
    change
        .transaction
        .prepare_cached("UPDATE objections SET lifted_at = ?1, lifted_record = ?2 WHERE id = ?3")
        .and_then(|mut it| it.execute((change.at.as_millis(), record, id)))
        .map_err(Error::database("lifting a record"))?;
    let body = json!({"id": id, "lifted_at": change.at, "lifted_record": record});
    change.emit("objection-lifted", id.into(), Some(&liftable.subject), body)
}

/// A record that is lifted once.
struct Liftable {
    subject: Subject,
    sequence: u64,
    lifted_at: Option<Timestamp>,
    lifted_record: Option<String>,
}

impl Liftable {
    fn repeated(self, id: &str, at: Timestamp) -> Saved {
        Saved {
            id: id.into(),
            subject: Some(self.subject.id),
            sequence: self.sequence,
            at,
            repeated: true,
        }
    }
}

fn liftable(
    change: &Change<'_>,
    table: &'static str,
    record: &'static str,
    what: &'static str,
    id: &str,
) -> Result<Liftable, Error> {
    change
        .transaction
        .prepare_cached(&format!(
            "SELECT s.row, s.id, t.seq, t.lifted_at, {record} FROM {table} AS t \
             JOIN subjects AS s ON s.row = t.subject WHERE t.id = ?1"
        ))
        .and_then(|mut it| {
            it.query_row([id], |row| {
                Ok(Liftable {
                    subject: Subject {
                        row: row.get(0)?,
                        id: SubjectId(row.get::<_, String>(1)?.into()),
                    },
                    sequence: rows::counter(row, 2)?,
                    lifted_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                    lifted_record: row.get(4)?,
                })
            })
            .optional()
        })
        .map_err(Error::database("looking an id up"))?
        .ok_or_else(|| Error::Unknown {
            what,
            id: id.to_owned(),
        })
}

/// Sets the day until which a representative must act for `subject`; the same day again is a repeat.
pub(super) fn require_representative(
    change: &mut Change<'_>,
    subject: &Subject,
    until: Option<Day>,
) -> Result<Saved, Error> {
    let doing = "writing a record";
    let day = until.map(|it| it.to_string());
    let changed = change
        .transaction
        .prepare_cached(
            "UPDATE subjects SET needs_representative_until = ?1 \
             WHERE row = ?2 AND needs_representative_until IS NOT ?1",
        )
        .and_then(|mut it| it.execute((day, subject.row)))
        .map_err(Error::database(doing))?;
    let id = Arc::clone(&subject.id.0);
    if changed == 0 {
        return Ok(Saved {
            id,
            subject: Some(subject.id.clone()),
            sequence: change.sequence,
            at: change.at,
            repeated: true,
        });
    }
    let body = json!({"subject": subject.id, "needs_representative_until": until});
    change.emit("representative-required", id, Some(subject), body)
}
