//! Who a set of identifiers is, and how identifiers become registered.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rusqlite::Connection;
use serde_json::json;

use super::{
    change::{Change, new_id},
    new::{Whose, invalid},
};
use crate::{
    gatekeeper::keys::IdentifierRefs,
    model::subject::{SubjectId, SubjectRef},
    store::{
        Error, keys,
        rows::{self, Registration, Subject},
    },
};

/// Who `whose` is; `None` when nobody is registered so.
///
/// An identifier that is not shared decides. Shared ones (a family phone) decide only together, when all are registered.
///
/// # Errors
/// No identifier was given, or they belong to several subjects.
pub(in crate::store) fn find(
    connection: &Connection,
    whose: &Whose,
) -> Result<Option<Subject>, Error> {
    let identifiers = match whose {
        Whose::Subject(id) => return rows::subject(connection, id),
        Whose::Identified(identifiers) if identifiers.is_empty() => {
            return Err(Error::NoIdentifier);
        }
        Whose::Identified(identifiers) => identifiers,
    };
    let registered = registered(connection, identifiers)?;
    let own: BTreeSet<&Subject> = registered
        .iter()
        .flatten()
        .filter(|it| !it.shared)
        .map(|it| &it.subject)
        .collect();
    let candidates = if own.is_empty() {
        common(&registered)
    } else {
        own
    };
    match candidates.len() {
        0 | 1 => Ok(candidates.first().map(|it| (*it).clone())),
        several => Err(Error::SeveralSubjects(several)),
    }
}

/// Registrations of each identifier, under any key.
fn registered(
    connection: &Connection,
    identifiers: &[IdentifierRefs],
) -> Result<Vec<Vec<Registration>>, Error> {
    let found = rows::resolve(connection, &identifiers.iter().flat_map(all).collect())?;
    Ok(identifiers
        .iter()
        .map(|it| {
            all(it)
                .filter_map(|reference| found.get(&reference))
                .flatten()
                .cloned()
                .collect()
        })
        .collect())
}

fn all(identifier: &IdentifierRefs) -> impl Iterator<Item = SubjectRef> {
    std::iter::once(identifier.current).chain(identifier.older.iter().copied())
}

/// Subjects that have every one of the identifiers.
fn common(registered: &[Vec<Registration>]) -> BTreeSet<&Subject> {
    let mut sets = registered
        .iter()
        .map(|it| it.iter().map(|it| &it.subject).collect::<BTreeSet<_>>());
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |left, right| {
        left.intersection(&right).copied().collect()
    })
}

impl Change<'_> {
    /// Registers `whose` if nobody is `found`, and links the identifiers that are new.
    pub(super) fn register(
        &mut self,
        found: Option<Subject>,
        whose: &Whose,
    ) -> Result<Subject, Error> {
        let subject = match (found, whose) {
            (Some(subject), _) => subject,
            (None, Whose::Identified(_)) => self.create()?,
            (None, Whose::Subject(_)) => return Err(Error::UnknownSubject),
        };
        if let Whose::Identified(identifiers) = whose {
            self.link(&subject, identifiers, false)?;
        }
        Ok(subject)
    }

    fn create(&self) -> Result<Subject, Error> {
        let id = SubjectId(new_id());
        self.transaction
            .prepare_cached("INSERT INTO subjects (id, erasure_key) VALUES (?1, ?2)")
            .map_err(Error::database("registering a subject"))?
            .execute((&*id.0, keys::random_bytes()?))
            .map_err(Error::database("registering a subject"))?;
        Ok(Subject {
            row: self.transaction.last_insert_rowid(),
            id,
        })
    }

    /// Registers each of `identifiers` for `subject`. Whether anything changed.
    ///
    /// One that somebody else has becomes shared if `share`, or if it is shared already; rows under an older key are
    /// rewritten under the current one, since only here is the identifier at hand.
    pub(super) fn link(
        &mut self,
        subject: &Subject,
        identifiers: &[IdentifierRefs],
        share: bool,
    ) -> Result<bool, Error> {
        let registered = registered(&self.transaction, identifiers)?;
        let mut kinds = BTreeSet::new();
        for (identifier, registrations) in identifiers.iter().zip(registered) {
            let others = registrations.iter().any(|it| it.subject != *subject);
            let own = registrations.iter().find(|it| it.subject == *subject);
            let was_shared = registrations.iter().any(|it| it.shared);
            if others && own.is_none() && !share && !was_shared {
                return invalid(
                    "identifiers",
                    "one of them is registered for another subject; link it as shared if both have it",
                );
            }
            self.rekey(identifier)?;
            let shared = share || was_shared;
            if own.is_none() || own.is_some_and(|it| it.shared != shared) {
                self.insert_identifier(subject, identifier, shared)?;
                kinds.insert(identifier.current.kind.as_str());
            }
        }
        if kinds.is_empty() {
            return Ok(false);
        }
        let body = json!({"subject": subject.id, "kinds": kinds, "shared": share});
        let id = Arc::clone(&subject.id.0);
        self.emit("identifiers-linked", id, Some(subject), body)?;
        Ok(true)
    }

    fn rekey(&self, identifier: &IdentifierRefs) -> Result<(), Error> {
        for older in &identifier.older {
            self.transaction
                .prepare_cached(
                    "UPDATE OR REPLACE identifiers SET hash = ?1, key_id = ?2 \
                     WHERE hash = ?3 AND key_id = ?4 AND kind = ?5",
                )
                .and_then(|mut it| {
                    it.execute((
                        identifier.current.hash,
                        identifier.current.key_id,
                        older.hash,
                        older.key_id,
                        older.kind.as_str(),
                    ))
                })
                .map_err(Error::database("re-keying an identifier"))?;
        }
        Ok(())
    }

    fn insert_identifier(
        &self,
        subject: &Subject,
        identifier: &IdentifierRefs,
        shared: bool,
    ) -> Result<(), Error> {
        let doing = "linking an identifier";
        let it = identifier.current;
        self.transaction
            .prepare_cached(
                "INSERT INTO identifiers (hash, kind, key_id, subject, shared) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT DO NOTHING",
            )
            .and_then(|mut statement| {
                statement.execute((it.hash, it.kind.as_str(), it.key_id, subject.row, shared))
            })
            .map_err(Error::database(doing))?;
        if shared {
            self.transaction
                .prepare_cached(
                    "UPDATE identifiers SET shared = 1 WHERE hash = ?1 AND kind = ?2 AND key_id = ?3",
                )
                .and_then(|mut statement| statement.execute((it.hash, it.kind.as_str(), it.key_id)))
                .map_err(Error::database(doing))?;
        }
        Ok(())
    }
}

/// References of several identifiers, without repeats; for a cache of look-ups.
pub(in crate::store) fn references_of(
    persons: &[Vec<IdentifierRefs>],
) -> HashMap<SubjectRef, &IdentifierRefs> {
    persons
        .iter()
        .flatten()
        .map(|it| (it.current, it))
        .collect()
}
