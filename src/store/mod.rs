//! The registers in SQLite: consents, withdrawals, restrictions and the outbox of their audit events.
//!
//! One file, `registers.sqlite`, is open to the gate and to the command line at once (WAL). Who does what:
//!
//! - [`Writer`] makes changes, each in one transaction together with its audit event;
//! - [`Reader`] reads one consistent state;
//! - [`Registers`] is the gatekeeper's port: readers behind a cache that is checked against the change counter at every call;
//! - [`Outbox`] hands the audit events on, at least once;
//! - [`keys`] keeps the secrets that make references of identifiers.
//!
//! Nothing is overwritten: a state is computed at a time from what was recorded. Identifiers are kept as keyed hashes only.
//! A file that is damaged, newer than this program, or made under other keys is refused, never read as "nothing recorded".

use std::path::{Path, PathBuf};

mod backup;
mod cache;
#[cfg(test)]
pub(crate) mod contract;
mod database;
mod files;
pub mod keys;
mod outbox;
mod reader;
mod registers;
mod rows;
pub mod writer;

pub use backup::copy_registers;
pub use outbox::Outbox;
pub use reader::{Reader, State};
pub use registers::Registers;
pub use writer::Writer;

/// Where the registers and keys are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Directory; holds `registers.sqlite` and `keys.json`.
    pub dir: PathBuf,
}

impl Settings {
    /// The database.
    pub fn database(&self) -> PathBuf {
        self.dir.join("registers.sqlite")
    }

    /// The keys.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys.json")
    }

    /// What is wider open than it should be (directory 0700, files 0600), one sentence each.
    pub fn permission_warnings(&self) -> Vec<String> {
        files::permission_warnings(self)
    }
}

/// The registers or keys cannot be used, or a change was refused. Names files, flags and ids, never a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The key file cannot be used.
    #[error("{path}: {problem}")]
    Keys {
        /// The key file.
        path: PathBuf,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// The database is not one that this program may use.
    #[error("{path}: {problem}")]
    Unusable {
        /// The database.
        path: PathBuf,
        /// What is wrong and how to mend it.
        problem: String,
    },
    /// SQLite failed. Only its result code is shown: its messages may quote.
    #[error("the register database failed while {doing}: {}", code(source))]
    Database {
        /// What was tried.
        doing: &'static str,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The commit failed; the change must be taken as not made.
    #[error(
        "the change was not saved: the disk did not confirm it ({}); mend the disk and repeat with the same id",
        code(source)
    )]
    NotSaved {
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A stored record cannot be read back.
    #[error(
        "a row of table `{table}` cannot be read; the database is damaged, restore it from a backup"
    )]
    Row {
        /// Table.
        table: &'static str,
    },
    /// The identifiers lead to nobody.
    #[error("no subject is registered under these identifiers")]
    UnknownSubject,
    /// The identifiers lead to several subjects.
    #[error(
        "these identifiers belong to {0} subjects; give an identifier that only one of them has"
    )]
    SeveralSubjects(usize),
    /// No identifier was given.
    #[error("no identifier was given")]
    NoIdentifier,
    /// A record of that id does not exist.
    #[error("no {what} with id `{id}` is recorded")]
    Unknown {
        /// Kind of record.
        what: &'static str,
        /// Id asked for.
        id: String,
    },
    /// The id is taken by a record that says something else.
    #[error("id `{0}` is already recorded with other content; leave the id out or choose another")]
    IdTaken(String),
    /// A record contradicts itself.
    #[error("{field}: {problem}")]
    Invalid {
        /// Field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
}

impl Error {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }

    const fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { doing, source }
    }
}

/// SQLite's result code, without its message.
fn code(error: &rusqlite::Error) -> String {
    error
        .sqlite_error()
        .map_or_else(|| "unexpected answer".to_owned(), ToString::to_string)
}
