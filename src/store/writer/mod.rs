//! Changes of the registers. Each is one transaction: rows, change counter, and the audit event in the outbox.

use std::{sync::Arc, time::Duration};

use rusqlite::Connection;

use self::{
    change::{Change, Kind},
    states::{change_state, lift_objection, release, require_representative},
};
use super::{
    Error, Settings, database,
    rows::{self, Subject},
};
use crate::{
    gatekeeper::ports::Clock,
    model::{
        Day, Timestamp,
        consent::{
            Basis, Consent, Objection, ObjectionTarget, PurposeEnd, PurposeEndScope, RecordId,
            Recorded, Representative, Restriction, Withdrawal,
        },
    },
};

mod change;
mod new;
mod states;
mod subjects;
#[cfg(test)]
mod tests;

pub use new::{
    ConsentTerms, ConsentText, NewBasis, NewConsent, NewConsentState, NewObjection, NewPurposeEnd,
    NewRepresentative, NewRestriction, NewWithdrawal, Saved, Whose, WithdrawalTarget,
};
pub(super) use subjects::{find, references_of};

const CONSENT: Kind = kind("consents", "consent-granted");
const WITHDRAWAL: Kind = kind("withdrawals", "consent-withdrawn");
const RESTRICTION: Kind = kind("restrictions", "subject-restricted");
const BASIS: Kind = kind("bases", "basis-added");
const OBJECTION: Kind = kind("objections", "basis-objected");
const REPRESENTATIVE: Kind = kind("representatives", "representative-added");
const TEXT: Kind = kind("consent_texts", "text-added");
const PURPOSE_END: Kind = kind("purpose_ends", "purpose-ended");

const fn kind(table: &'static str, action: &'static str) -> Kind {
    Kind { table, action }
}

/// How long a change waits for the clock to pass its own time before it is acknowledged.
///
/// Changes within one millisecond are recorded a little ahead of the clock. A withdrawal acts from its recorded time, so an
/// acknowledgement before that time would promise too much. A clock that was set back further is not waited for.
const CLOCK_WAIT_MAX: Duration = Duration::from_millis(50);

/// Makes changes. Calls block on the disk: keep them off the async runtime.
#[derive(Debug)]
pub struct Writer {
    connection: Connection,
    clock: Arc<dyn Clock>,
    by: Arc<str>,
}

impl Writer {
    /// Opens the registers in `settings` for changes recorded as made by `by`.
    ///
    /// # Errors
    /// The file cannot be made, is not a register, is newer than this program, or is damaged.
    pub fn open(settings: &Settings, clock: Arc<dyn Clock>, by: Arc<str>) -> Result<Self, Error> {
        let connection = database::open(settings)?;
        Ok(Self {
            connection,
            clock,
            by,
        })
    }

    /// Records a consent.
    ///
    /// # Errors
    /// It contradicts itself, the id says something else already, the subject is ambiguous, or it was not saved.
    pub fn grant(&mut self, new: &NewConsent) -> Result<Saved, Error> {
        self.change(|change| grant(change, new))
    }

    /// Records consents, all or none, in one transaction.
    ///
    /// # Errors
    /// Those that cannot be recorded, each with its place in `new`; or the whole, at place `None`.
    pub fn grant_all(
        &mut self,
        new: &[NewConsent],
    ) -> Result<Vec<Saved>, Vec<(Option<usize>, Error)>> {
        let mut problems = Vec::new();
        let saved = self.change(|change| {
            let mut saved = Vec::with_capacity(new.len());
            for (place, it) in new.iter().enumerate() {
                match grant(change, it) {
                    Ok(it) => saved.push(it),
                    Err(error @ (Error::Database { .. } | Error::NotSaved { .. })) => {
                        return Err(error);
                    }
                    Err(error) => problems.push((Some(place), error)),
                }
            }
            // Any error rolls back; the one given here is replaced by the list.
            if problems.is_empty() {
                Ok(saved)
            } else {
                Err(Error::NoIdentifier)
            }
        });
        match saved {
            Ok(saved) => Ok(saved),
            Err(_) if !problems.is_empty() => Err(problems),
            Err(error) => Err(vec![(None, error)]),
        }
    }

    /// Records a withdrawal; it acts from the time in the answer.
    ///
    /// # Errors
    /// The consent or subject is not registered, the id says something else already, or it was not saved.
    pub fn withdraw(&mut self, new: &NewWithdrawal) -> Result<Saved, Error> {
        self.change(|change| {
            let (subject, consent) = match &new.target {
                WithdrawalTarget::All(whose) => (change.known(whose)?, None),
                WithdrawalTarget::Consent(id) => {
                    (change.subject_of_consent(id)?, Some(Arc::clone(id)))
                }
            };
            change.save(
                &WITHDRAWAL,
                new.id.as_ref(),
                Some(&subject),
                |id, recorded| {
                    let filed_at = new.filed_at.unwrap_or(recorded.at);
                    Withdrawal {
                        id,
                        subject: subject.id.clone(),
                        consent: consent.clone(),
                        scope: new.scope.clone(),
                        filed_at,
                        effective_at: new.effective_at.unwrap_or(filed_at),
                        channel: Arc::clone(&new.channel),
                        refused_reason: new.refused_reason.clone(),
                        recorded,
                    }
                },
            )
        })
    }

    /// Records a later state of a consent.
    ///
    /// # Errors
    /// The consent is not registered, the id says something else already, or it was not saved.
    pub fn change_state(&mut self, new: &NewConsentState) -> Result<Saved, Error> {
        self.change(|change| change_state(change, new))
    }

    /// Restricts ("blocks") a subject, who is registered if need be: a restriction must not fail for want of a consent.
    ///
    /// # Errors
    /// The subject is ambiguous, the id says something else already, or it was not saved.
    pub fn restrict(&mut self, new: &NewRestriction) -> Result<Saved, Error> {
        self.change(|change| {
            let found = change.find(&new.whose)?;
            let subject = change.register(found, &new.whose)?;
            change.save(
                &RESTRICTION,
                new.id.as_ref(),
                Some(&subject),
                |id, recorded| Restriction {
                    id,
                    reason: Arc::clone(&new.reason),
                    from: new.from.unwrap_or(recorded.at),
                    lifted_at: None,
                    allowed_purposes: new.allowed_purposes.clone(),
                },
            )
        })
    }

    /// Ends the restriction `id`.
    ///
    /// # Errors
    /// There is none of that id, or it was not saved.
    pub fn release(&mut self, id: &str) -> Result<Saved, Error> {
        self.change(|change| release(change, id))
    }

    /// Records a basis other than consent.
    ///
    /// # Errors
    /// It contradicts itself, the subject is ambiguous, the id says something else already, or it was not saved.
    pub fn add_basis(&mut self, new: &NewBasis) -> Result<Saved, Error> {
        new.check()?;
        self.change(|change| {
            let subject = match &new.whose {
                None => None,
                Some(whose) => {
                    let found = change.find(whose)?;
                    Some(change.register(found, whose)?)
                }
            };
            change.save(&BASIS, new.id.as_ref(), subject.as_ref(), |id, recorded| {
                basis(new, id, subject.as_ref(), recorded)
            })
        })
    }

    /// Records an objection; what it is against is suspended until it is lifted.
    ///
    /// # Errors
    /// The subject is not registered, or has no basis of that id; the id says something else already; or it was not saved.
    pub fn object(&mut self, new: &NewObjection) -> Result<Saved, Error> {
        self.change(|change| {
            let subject = change.known(&new.whose)?;
            if let ObjectionTarget::Basis(id) = &new.against {
                check_basis(change, &subject, id)?;
            }
            change.save(
                &OBJECTION,
                new.id.as_ref(),
                Some(&subject),
                |id, recorded| Objection {
                    id,
                    against: new.against.clone(),
                    from: new.from.unwrap_or(recorded.at),
                    lifted_at: None,
                    lifted_record: None,
                },
            )
        })
    }

    /// Lifts the objection `id` on `record`, the reference to what shows that the interest is lawful.
    ///
    /// # Errors
    /// There is none of that id, it was lifted on another record, or it was not saved.
    pub fn lift(&mut self, id: &str, record: &str) -> Result<Saved, Error> {
        self.change(|change| lift_objection(change, id, record))
    }

    /// Records a representative's authority.
    ///
    /// # Errors
    /// The subject is ambiguous, the id says something else already, or it was not saved.
    pub fn represent(&mut self, new: &NewRepresentative) -> Result<Saved, Error> {
        if new.until.is_some_and(|it| it < new.from) {
            return new::invalid("until", "is before `from`");
        }
        self.change(|change| {
            let found = change.find(&new.whose)?;
            let subject = change.register(found, &new.whose)?;
            change.save(&REPRESENTATIVE, new.id.as_ref(), Some(&subject), |id, _| {
                Representative {
                    id,
                    kind: Arc::clone(&new.kind),
                    document: Arc::clone(&new.document),
                    from: new.from,
                    until: new.until,
                }
            })
        })
    }

    /// Records that a representative must act for the subject until `until` (a minor's 18th birthday); `None` = no more.
    ///
    /// # Errors
    /// The subject is ambiguous, or it was not saved.
    pub fn require_representative(
        &mut self,
        whose: &Whose,
        until: Option<Day>,
    ) -> Result<Saved, Error> {
        self.change(|change| {
            let found = change.find(whose)?;
            let subject = change.register(found, whose)?;
            require_representative(change, &subject, until)
        })
    }

    /// Registers the identifiers of `also` for the subject `whose`, who is registered if need be. `shared`: others have them
    /// too (a family phone).
    ///
    /// # Errors
    /// One is registered for somebody else and not `shared`, the subject is ambiguous, or it was not saved.
    pub fn link(
        &mut self,
        whose: &Whose,
        also: &[crate::gatekeeper::keys::IdentifierRefs],
        shared: bool,
    ) -> Result<Saved, Error> {
        self.change(|change| {
            let found = change.find(whose)?;
            let subject = change.register(found, whose)?;
            let linked = change.link(&subject, also, shared)?;
            Ok(Saved {
                id: Arc::clone(&subject.id.0),
                subject: Some(subject.id),
                sequence: change.sequence,
                at: change.at,
                repeated: !linked,
            })
        })
    }

    /// Records a version of a consent text. Consents whose evidence shows another hash of it count as mismatched from then on.
    ///
    /// # Errors
    /// The hash is malformed, the version is recorded with other content, or it was not saved.
    pub fn add_text(&mut self, new: &ConsentText) -> Result<Saved, Error> {
        new.check()?;
        let id: RecordId = format!("{}/{}/{}", new.text, new.version, new.locale).into();
        self.change(|change| change.save(&TEXT, Some(&id), None, |_, _| new.clone()))
    }

    /// Records that a purpose or programme has ended.
    ///
    /// # Errors
    /// The consent or subject is not registered, the id says something else already, or it was not saved.
    pub fn end_purpose(&mut self, new: &NewPurposeEnd) -> Result<Saved, Error> {
        self.change(|change| {
            let subject = match (&new.scope, &new.whose) {
                (PurposeEndScope::Consent(id), _) => Some(change.subject_of_consent(id)?),
                (PurposeEndScope::Purpose(_), Some(whose)) => Some(change.known(whose)?),
                (PurposeEndScope::Purpose(_), None) | (PurposeEndScope::Programme(_), _) => None,
            };
            change.save(
                &PURPOSE_END,
                new.id.as_ref(),
                subject.as_ref(),
                |_, recorded| PurposeEnd {
                    scope: new.scope.clone(),
                    at: new.at.unwrap_or(recorded.at),
                },
            )
        })
    }

    /// Puts on record that the backup `id` was taken; `body` says of what.
    ///
    /// # Errors
    /// It was not saved.
    pub fn note_backup(&mut self, id: &RecordId, body: serde_json::Value) -> Result<Saved, Error> {
        self.change(|change| change.emit("backup-taken", Arc::clone(id), None, body))
    }

    /// Runs `work` in one transaction; on any error nothing of it stays.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut change = Change::begin(&mut self.connection, self.clock.now(), &self.by)?;
        let at = change.at;
        let done = work(&mut change)?;
        change.commit()?;
        self.wait_until(at);
        Ok(done)
    }

    fn wait_until(&self, at: Timestamp) {
        let ahead = at.as_millis().saturating_sub(self.clock.now().as_millis());
        let wait = Duration::from_millis(u64::try_from(ahead).unwrap_or(0));
        if wait <= CLOCK_WAIT_MAX {
            std::thread::sleep(wait);
        }
    }
}

fn grant(change: &mut Change<'_>, new: &NewConsent) -> Result<Saved, Error> {
    if let Some((field, problem)) = new.terms.problems().into_iter().next() {
        return Err(Error::Invalid { field, problem });
    }
    let found = change.find(&new.whose)?;
    let consent =
        |subject: &Subject, id: RecordId, recorded: Recorded| consent(new, subject, id, recorded);
    if let Some(subject) = &found {
        let repeated =
            change.repeated(&CONSENT, new.id.as_ref(), Some(subject), |id, recorded| {
                consent(subject, id, recorded)
            })?;
        if let Some(saved) = repeated {
            return Ok(saved);
        }
    } else if let Some(id) = &new.id
        && rows::subject_of_consent(&change.transaction, id)?.is_some()
    {
        return Err(Error::IdTaken(id.to_string()));
    }
    let subject = change.register(found, &new.whose)?;
    if let Some(representative) = &new.terms.representative {
        check_representative(change, &subject, representative)?;
    }
    change.insert(&CONSENT, new.id.as_ref(), Some(&subject), |id, recorded| {
        consent(&subject, id, recorded)
    })
}

fn consent(new: &NewConsent, subject: &Subject, id: RecordId, recorded: Recorded) -> Consent {
    let terms = new.terms.clone();
    Consent {
        id,
        subject: subject.id.clone(),
        operator: terms.operator,
        given_at: terms.given_at,
        from: terms.from,
        until: terms.until,
        third_party: terms.third_party,
        cross_border: terms.cross_border,
        public: terms.public,
        categories: terms.categories,
        purposes: terms.purposes,
        channels: terms.channels,
        addresses: terms.addresses,
        representative: terms.representative,
        notify_subject: terms.notify_subject,
        evidence: terms.evidence,
        evidence_mismatch: false,
        events: Vec::new(),
        recorded,
    }
}

fn check_representative(
    change: &Change<'_>,
    subject: &Subject,
    id: &RecordId,
) -> Result<(), Error> {
    let known: bool = change
        .transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM representatives WHERE id = ?1 AND subject = ?2)",
        )
        .and_then(|mut it| it.query_row((&**id, subject.row), |row| row.get(0)))
        .map_err(Error::database("looking a representative up"))?;
    if known {
        Ok(())
    } else {
        Err(Error::Unknown {
            what: "representative of this subject",
            id: id.to_string(),
        })
    }
}

/// An objection to a basis that the subject's transfers cannot rest on would suspend nothing.
fn check_basis(change: &Change<'_>, subject: &Subject, id: &RecordId) -> Result<(), Error> {
    let found = rows::basis(&change.transaction, id)?;
    if found.is_some_and(|it| it.subject.is_none_or(|owner| owner == subject.id)) {
        Ok(())
    } else {
        Err(Error::Unknown {
            what: "basis of this subject or of everybody",
            id: id.to_string(),
        })
    }
}

fn basis(new: &NewBasis, id: RecordId, subject: Option<&Subject>, recorded: Recorded) -> Basis {
    Basis {
        id,
        subject: subject.map(|it| it.id.clone()),
        kind: new.kind,
        document: Arc::clone(&new.document),
        document_date: new.document_date,
        facets: new.facets.clone(),
        purposes: new.purposes.clone(),
        categories: new.categories,
        parties: new.parties.clone(),
        countries: new.countries.clone(),
        from: new.from,
        until: new.until,
        obligation_open: new.obligation_open,
        recorded,
    }
}
