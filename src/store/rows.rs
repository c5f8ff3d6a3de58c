//! Rows into values. Every function reads through the connection it is given, so a caller's transaction sets the state read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::de::DeserializeOwned;

use super::{Error, writer::ConsentText};
use crate::{
    gatekeeper::keys::hex,
    model::{
        Timestamp,
        consent::{Basis, Consent, ConsentState, Objection, Restriction},
        evidence::{General, SubjectRecord},
        subject::{IdentifierKind, SubjectId, SubjectRef},
    },
};

/// A subject's row and id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Subject {
    pub(super) row: i64,
    pub(super) id: SubjectId,
}

/// One registration of an identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Registration {
    pub(super) subject: Subject,
    pub(super) shared: bool,
}

/// Which state of the registers: how many changes it holds, and when the last was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Version {
    pub(super) sequence: u64,
    /// `None` before the first change.
    pub(super) newest_recorded_at: Option<Timestamp>,
}

/// The version of the state that is read.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<Version> {
    connection
        .prepare_cached("SELECT seq, at FROM changes")?
        .query_row([], |row| {
            let sequence = counter(row, 0)?;
            let at = Timestamp::from_millis(row.get(1)?);
            Ok(Version {
                sequence,
                newest_recorded_at: (sequence > 0).then_some(at),
            })
        })
}

/// A column that holds a change counter.
pub(super) fn counter(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(index)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, value))
}

/// A change counter as SQLite keeps it: 63 bits, of which no register will ever use up half.
pub(super) fn stored(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// Who each of `references` is registered for; those without a registration are absent.
///
/// Costs one index look-up a reference; a call for thousands is one statement.
pub(super) fn resolve(
    connection: &Connection,
    references: &BTreeSet<SubjectRef>,
) -> Result<HashMap<SubjectRef, Vec<Registration>>, Error> {
    let doing = "looking identifiers up";
    let hashes: BTreeSet<String> = references.iter().map(|it| hex(&it.hash)).collect();
    let mut statement = connection
        .prepare_cached(
            "SELECT i.hash, i.kind, i.key_id, i.shared, s.row, s.id \
             FROM json_each(?1) AS j \
             CROSS JOIN identifiers AS i ON i.hash = unhex(j.value) \
             CROSS JOIN subjects AS s ON s.row = i.subject \
             ORDER BY s.row",
        )
        .map_err(Error::database(doing))?;
    let mut rows = statement
        .query([list(&hashes)])
        .map_err(Error::database(doing))?;
    let mut found: HashMap<SubjectRef, Vec<Registration>> = HashMap::new();
    while let Some(row) = rows.next().map_err(Error::database(doing))? {
        let (reference, registration) = registration(row).map_err(Error::database(doing))?;
        let reference = reference.ok_or(Error::Row {
            table: "identifiers",
        })?;
        if references.contains(&reference) {
            found.entry(reference).or_default().push(registration);
        }
    }
    Ok(found)
}

fn registration(row: &Row<'_>) -> rusqlite::Result<(Option<SubjectRef>, Registration)> {
    let kind: String = row.get(1)?;
    let reference = match kind.parse() {
        Ok(kind) => Some(SubjectRef {
            hash: row.get(0)?,
            kind,
            key_id: row.get(2)?,
        }),
        Err(_) => None,
    };
    let subject = Subject {
        row: row.get(4)?,
        id: subject_id(row, 5)?,
    };
    Ok((
        reference,
        Registration {
            subject,
            shared: row.get(3)?,
        },
    ))
}

fn subject_id(row: &Row<'_>, index: usize) -> rusqlite::Result<SubjectId> {
    row.get::<_, String>(index).map(|it| SubjectId(it.into()))
}

/// The keyed references of a subject.
pub(super) fn references(connection: &Connection, subject: i64) -> Result<Vec<SubjectRef>, Error> {
    let doing = "looking identifiers up";
    let rows: Vec<([u8; 16], String, u32)> = connection
        .prepare_cached(
            "SELECT hash, kind, key_id FROM identifiers WHERE subject = ?1 ORDER BY kind, hash",
        )
        .and_then(|mut it| {
            it.query_map([subject], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(Error::database(doing))?;
    rows.into_iter()
        .map(|(hash, kind, key_id)| {
            let kind = kind.parse().map_err(|_| Error::Row {
                table: "identifiers",
            })?;
            Ok(SubjectRef { key_id, kind, hash })
        })
        .collect()
}

/// A subject by id.
pub(super) fn subject(connection: &Connection, id: &SubjectId) -> Result<Option<Subject>, Error> {
    let row: Option<i64> = connection
        .prepare_cached("SELECT row FROM subjects WHERE id = ?1")
        .and_then(|mut it| it.query_row([&*id.0], |row| row.get(0)).optional())
        .map_err(Error::database("looking a subject up"))?;
    Ok(row.map(|row| Subject {
        row,
        id: id.clone(),
    }))
}

/// The subject of a consent.
pub(super) fn subject_of_consent(
    connection: &Connection,
    id: &str,
) -> Result<Option<Subject>, Error> {
    connection
        .prepare_cached(
            "SELECT s.row, s.id FROM consents AS c JOIN subjects AS s ON s.row = c.subject WHERE c.id = ?1",
        )
        .and_then(|mut it| {
            it.query_row([id], |row| {
                Ok(Subject {
                    row: row.get(0)?,
                    id: subject_id(row, 1)?,
                })
            })
            .optional()
        })
        .map_err(Error::database("looking a consent up"))
}

/// A basis by id.
pub(super) fn basis(connection: &Connection, id: &str) -> Result<Option<Basis>, Error> {
    let body: Option<String> = connection
        .prepare_cached("SELECT body FROM bases WHERE id = ?1")
        .and_then(|mut it| it.query_row([id], |row| row.get(0)).optional())
        .map_err(Error::database("looking a basis up"))?;
    body.map(|it| decode(&it, "bases")).transpose()
}

/// Every version of every consent text, oldest first.
pub(super) fn texts(connection: &Connection) -> Result<Vec<ConsentText>, Error> {
    of_everybody(
        connection,
        "consent_texts",
        "SELECT body FROM consent_texts ORDER BY seq",
    )
}

/// Up to `limit` subjects after row `after`, in order.
pub(super) fn subjects_after(
    connection: &Connection,
    after: i64,
    limit: u32,
) -> Result<BTreeSet<i64>, Error> {
    connection
        .prepare_cached("SELECT row FROM subjects WHERE row > ?1 ORDER BY row LIMIT ?2")
        .and_then(|mut it| it.query_map((after, limit), |row| row.get(0))?.collect())
        .map_err(Error::database("listing subjects"))
}

/// Everything recorded about `subjects`, by row.
///
/// Costs one statement a table, whatever the number of subjects.
pub(super) fn records(
    connection: &Connection,
    subjects: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, SubjectRecord>, Error> {
    if subjects.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list = list(subjects);
    let mut records = heads(connection, &list)?;
    kinds(connection, &list, &mut records)?;
    consents(connection, &list, &mut records)?;
    let doing = "reading records";
    for_each(connection, "withdrawals", PLAIN, &list, |subject, it, _| {
        push(&mut records, subject, it, |record| &mut record.withdrawals);
        Ok(())
    })?;
    for_each(connection, "bases", PLAIN, &list, |subject, it, _| {
        push(&mut records, subject, it, |record| &mut record.bases);
        Ok(())
    })?;
    for_each(
        connection,
        "restrictions",
        LIFTED,
        &list,
        |subject, mut it: Restriction, row| {
            it.lifted_at = lifted_at(row).map_err(Error::database(doing))?;
            push(&mut records, subject, it, |record| &mut record.restrictions);
            Ok(())
        },
    )?;
    for_each(
        connection,
        "objections",
        OBJECTION,
        &list,
        |subject, mut it: Objection, row| {
            it.lifted_at = lifted_at(row).map_err(Error::database(doing))?;
            let record: Option<String> = row.get(3).map_err(Error::database(doing))?;
            it.lifted_record = record.map(Into::into);
            push(&mut records, subject, it, |record| &mut record.objections);
            Ok(())
        },
    )?;
    for_each(
        connection,
        "representatives",
        PLAIN,
        &list,
        |subject, it, _| {
            push(&mut records, subject, it, |record| {
                &mut record.representatives
            });
            Ok(())
        },
    )?;
    for_each(
        connection,
        "purpose_ends",
        PLAIN,
        &list,
        |subject, it, _| {
            push(&mut records, subject, it, |record| &mut record.purpose_ends);
            Ok(())
        },
    )?;
    Ok(records)
}

/// What holds for everybody.
pub(super) fn general(connection: &Connection) -> Result<General, Error> {
    Ok(General {
        bases: of_everybody(
            connection,
            "bases",
            "SELECT body FROM bases WHERE subject IS NULL ORDER BY seq",
        )?,
        purpose_ends: of_everybody(
            connection,
            "purpose_ends",
            "SELECT body FROM purpose_ends WHERE subject IS NULL ORDER BY seq",
        )?,
    })
}

/// A value stored as JSON in `table`.
pub(super) fn decode<T: DeserializeOwned>(body: &str, table: &'static str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|_| Error::Row { table })
}

const PLAIN: &str = "NULL";
const LIFTED: &str = "t.lifted_at";
const OBJECTION: &str = "t.lifted_at, t.lifted_record";
/// The row, and whether the register holds the shown text with another hash.
const CONSENT: &str = "t.row, EXISTS (SELECT 1 FROM consent_texts AS x WHERE x.text = t.text \
    AND x.version = t.version AND x.locale = t.locale AND x.sha256 <> t.sha256)";

/// A JSON array for `json_each`: any number of values through one prepared statement.
fn list<T: serde::Serialize>(values: &BTreeSet<T>) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

fn heads(connection: &Connection, list: &str) -> Result<BTreeMap<i64, SubjectRecord>, Error> {
    let doing = "reading subjects";
    let rows: Vec<(i64, String, Option<String>)> = connection
        .prepare_cached(
            "SELECT s.row, s.id, s.needs_representative_until \
             FROM json_each(?1) AS j CROSS JOIN subjects AS s ON s.row = j.value",
        )
        .and_then(|mut it| {
            it.query_map([list], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(Error::database(doing))?;
    rows.into_iter()
        .map(|(row, id, until)| {
            let mut record = SubjectRecord::empty(SubjectId(id.into()));
            record.needs_representative_until = until
                .map(|it| it.parse())
                .transpose()
                .map_err(|_| Error::Row { table: "subjects" })?;
            Ok((row, record))
        })
        .collect()
}

fn kinds(
    connection: &Connection,
    list: &str,
    records: &mut BTreeMap<i64, SubjectRecord>,
) -> Result<(), Error> {
    let rows: Vec<(i64, String)> = connection
        .prepare_cached(
            "SELECT DISTINCT i.subject, i.kind \
             FROM json_each(?1) AS j CROSS JOIN identifiers AS i ON i.subject = j.value \
             ORDER BY i.subject, i.kind",
        )
        .and_then(|mut it| {
            it.query_map([list], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .map_err(Error::database("reading identifiers"))?;
    for (subject, kind) in rows {
        let kind: IdentifierKind = kind.parse().map_err(|_| Error::Row {
            table: "identifiers",
        })?;
        push(records, subject, kind, |record| {
            &mut record.identifier_kinds
        });
    }
    Ok(())
}

fn consents(
    connection: &Connection,
    list: &str,
    records: &mut BTreeMap<i64, SubjectRecord>,
) -> Result<(), Error> {
    let doing = "reading consents";
    let mut events = consent_events(connection, list)?;
    for_each(
        connection,
        "consents",
        CONSENT,
        list,
        |subject, mut it: Consent, row| {
            let number: i64 = row.get(2).map_err(Error::database(doing))?;
            it.evidence_mismatch = row.get(3).map_err(Error::database(doing))?;
            it.events = events.remove(&number).unwrap_or_default();
            push(records, subject, it, |record| &mut record.consents);
            Ok(())
        },
    )
}

type Events = Vec<(ConsentState, Timestamp)>;

/// Events of the consents of the listed subjects, by row of the consent.
fn consent_events(connection: &Connection, list: &str) -> Result<HashMap<i64, Events>, Error> {
    let rows: Vec<(i64, String, i64)> = connection
        .prepare_cached(
            "SELECT e.consent, e.state, e.at FROM json_each(?1) AS j \
             CROSS JOIN consents AS c ON c.subject = j.value \
             CROSS JOIN consent_events AS e ON e.consent = c.row ORDER BY e.seq",
        )
        .and_then(|mut it| {
            it.query_map([list], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        })
        .map_err(Error::database("reading consents"))?;
    let mut events: HashMap<i64, Events> = HashMap::new();
    for (consent, state, at) in rows {
        let state = decode(&state, "consent_events")?;
        let event = (state, Timestamp::from_millis(at));
        events.entry(consent).or_default().push(event);
    }
    Ok(events)
}

/// Decodes each record of `table` that belongs to a listed subject, oldest first. `columns` follow subject and body.
fn for_each<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    columns: &str,
    list: &str,
    mut take: impl FnMut(i64, T, &Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let doing = "reading records";
    let sql = format!(
        "SELECT t.subject, t.body, {columns} \
         FROM json_each(?1) AS j CROSS JOIN {table} AS t ON t.subject = j.value ORDER BY t.seq"
    );
    let mut statement = connection
        .prepare_cached(&sql)
        .map_err(Error::database(doing))?;
    let mut rows = statement.query([list]).map_err(Error::database(doing))?;
    while let Some(row) = rows.next().map_err(Error::database(doing))? {
        let subject = row.get(0).map_err(Error::database(doing))?;
        let body = row
            .get_ref(1)
            .ok()
            .and_then(|it| it.as_str().ok())
            .ok_or(Error::Row { table })?;
        take(subject, decode(body, table)?, row)?;
    }
    Ok(())
}

fn lifted_at(row: &Row<'_>) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(2)
        .map(|it| it.map(Timestamp::from_millis))
}

fn push<T>(
    records: &mut BTreeMap<i64, SubjectRecord>,
    subject: i64,
    value: T,
    field: impl FnOnce(&mut SubjectRecord) -> &mut Vec<T>,
) {
    if let Some(record) = records.get_mut(&subject) {
        field(record).push(value);
    }
}

fn of_everybody<T: DeserializeOwned>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
) -> Result<Vec<T>, Error> {
    let bodies: Vec<String> = connection
        .prepare_cached(sql)
        .and_then(|mut it| it.query_map([], |row| row.get(0))?.collect())
        .map_err(Error::database("reading records"))?;
    bodies.iter().map(|it| decode(it, table)).collect()
}
