//! Reading one consistent state, synchronously: for the command line, and under the gatekeeper's port.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    Error, Settings, database, rows,
    writer::{ConsentText, Whose, find},
};
use crate::model::{
    consent::Basis,
    evidence::{General, SubjectRecord},
    subject::{SubjectId, SubjectRef},
};

/// How many subjects an export holds in memory at once.
const PAGE: u32 = 500;

/// A connection that reads. Calls block on the disk: keep them off the async runtime.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
}

impl Reader {
    /// Opens the registers in `settings`, which are made if they are not there.
    ///
    /// # Errors
    /// The file cannot be made, is not a register, is newer than this program, or is damaged.
    pub fn open(settings: &Settings) -> Result<Self, Error> {
        let connection = database::open(settings)?;
        Ok(Self { connection })
    }

    /// Begins reading the state as of now; later changes are not seen through it.
    ///
    /// # Errors
    /// The database fails.
    pub fn state(&mut self) -> Result<State<'_>, Error> {
        let doing = "beginning to read";
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(Error::database(doing))?;
        // The first read, not BEGIN, fixes what a deferred transaction sees.
        let version = rows::version(&transaction).map_err(Error::database(doing))?;
        Ok(State {
            transaction,
            sequence: version.sequence,
        })
    }
}

/// One consistent state of the registers.
#[derive(Debug)]
pub struct State<'a> {
    transaction: Transaction<'a>,
    sequence: u64,
}

impl State<'_> {
    /// The change counter of this state.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Everything recorded about the subject, or `None` when nobody is registered so.
    ///
    /// # Errors
    /// The identifiers belong to several subjects, or the database fails.
    pub fn record(&self, whose: &Whose) -> Result<Option<SubjectRecord>, Error> {
        let Some(subject) = find(&self.transaction, whose)? else {
            return Ok(None);
        };
        let mut records = rows::records(&self.transaction, &[subject.row].into())?;
        Ok(records.remove(&subject.row))
    }

    /// The subjects that own each of `references` now; one that nobody owns is absent. Whoever was registered first comes first.
    ///
    /// # Errors
    /// The database fails.
    pub fn owners(
        &self,
        references: &BTreeSet<SubjectRef>,
    ) -> Result<BTreeMap<SubjectRef, Vec<SubjectId>>, Error> {
        let found = rows::resolve(&self.transaction, references)?;
        let ids = |it: Vec<rows::Registration>| it.into_iter().map(|it| it.subject.id).collect();
        Ok(found
            .into_iter()
            .map(|(it, found)| (it, ids(found)))
            .collect())
    }

    /// The keyed references that are registered for the subject.
    ///
    /// # Errors
    /// The database fails.
    pub fn references(&self, subject: &SubjectId) -> Result<Vec<SubjectRef>, Error> {
        match rows::subject(&self.transaction, subject)? {
            Some(it) => rows::references(&self.transaction, it.row),
            None => Ok(Vec::new()),
        }
    }

    /// Who `reference` is registered for, and whether as shared with others; several only when shared.
    ///
    /// # Errors
    /// The database fails.
    pub fn owners_of(&self, reference: SubjectRef) -> Result<Vec<(SubjectId, bool)>, Error> {
        let mut found = rows::resolve(&self.transaction, &[reference].into())?;
        let owners = found.remove(&reference).unwrap_or_default();
        Ok(owners
            .into_iter()
            .map(|it| (it.subject.id, it.shared))
            .collect())
    }

    /// The subject that consent `id` is recorded for.
    ///
    /// # Errors
    /// The database fails.
    pub fn subject_of_consent(&self, id: &str) -> Result<Option<SubjectId>, Error> {
        rows::subject_of_consent(&self.transaction, id).map(|found| found.map(|it| it.id))
    }

    /// Bases of everybody, and ends of purposes and programmes.
    ///
    /// # Errors
    /// The database fails.
    pub fn general(&self) -> Result<General, Error> {
        rows::general(&self.transaction)
    }

    /// The basis `id`.
    ///
    /// # Errors
    /// The database fails.
    pub fn basis(&self, id: &str) -> Result<Option<Basis>, Error> {
        rows::basis(&self.transaction, id)
    }

    /// Every version of every consent text, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn texts(&self) -> Result<Vec<ConsentText>, Error> {
        rows::texts(&self.transaction)
    }

    /// How many consents name the version of `text` with another hash. Looks at every consent.
    ///
    /// # Errors
    /// The database fails.
    pub fn mismatches(&self, text: &ConsentText) -> Result<u64, Error> {
        self.count(
            "SELECT count(*) FROM consents WHERE text = ?1 AND version = ?2 AND locale = ?3 AND sha256 <> ?4",
            (&*text.text, &*text.version, &*text.locale, &*text.sha256),
        )
    }

    /// How many consents end with `programme`. Looks at every consent.
    ///
    /// # Errors
    /// The database fails.
    pub fn consents_of_programme(&self, programme: &str) -> Result<u64, Error> {
        self.count(
            "SELECT count(*) FROM consents WHERE body ->> '$.until.programme' = ?1",
            [programme],
        )
    }

    fn count(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<u64, Error> {
        self.transaction
            .prepare_cached(sql)
            .and_then(|mut it| it.query_row(parameters, |row| rows::counter(row, 0)))
            .map_err(Error::database("counting consents"))
    }

    /// The hash recorded for a consent text.
    ///
    /// # Errors
    /// The database fails.
    pub fn text_sha256(
        &self,
        text: &str,
        version: &str,
        locale: &str,
    ) -> Result<Option<String>, Error> {
        use rusqlite::OptionalExtension as _;
        self.transaction
            .prepare_cached(
                "SELECT sha256 FROM consent_texts WHERE text = ?1 AND version = ?2 AND locale = ?3",
            )
            .and_then(|mut it| {
                it.query_row((text, version, locale), |row| row.get(0))
                    .optional()
            })
            .map_err(Error::database("looking a consent text up"))
    }

    /// Calls `take` with every subject's record and keyed references, in the order of registration, until it fails.
    ///
    /// # Errors
    /// The database fails, or `take` does.
    pub fn for_each_subject<E: From<Error>>(
        &self,
        mut take: impl FnMut(&SubjectRecord, &[SubjectRef]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = 0;
        loop {
            let page = rows::subjects_after(&self.transaction, after, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = *last;
            for (row, record) in rows::records(&self.transaction, &page)? {
                take(&record, &rows::references(&self.transaction, row)?)?;
            }
        }
    }
}
