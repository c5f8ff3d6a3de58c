//! Opening the database: settings of the connection, schema, health.

use std::path::Path;

use aws_lc_rs::digest;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig};

use super::{Error, Settings, files};
use crate::gatekeeper::keys::hex;

/// `PRAGMA application_id`: "Shka".
const APPLICATION_ID: i32 = 0x5368_6B61;

/// Schema versions in order. Released ones never change; a new one is added at the end.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
];

/// How long a connection waits for another's write lock.
const BUSY_MILLIS: u64 = 5_000;

/// Up to this size the whole database is checked when it is opened; beyond, the small tables that steer the rest.
///
/// The check reads every page, about 1 GB/s from the page cache, so this keeps a command under a second.
const WHOLE_CHECK_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Prepared statements kept for each connection: more than there are.
const STATEMENTS: usize = 64;

/// A connection to the database of `settings`, which is made or brought up to date as needed.
///
/// # Errors
/// The file cannot be made, is not a register, is newer than this program, or is damaged.
pub(super) fn open(settings: &Settings) -> Result<Connection, Error> {
    let path = settings.database();
    files::create_dir(&settings.dir)?;
    files::create_empty(&path)?;
    let mut connection = connect(&path)?;
    check_health(&connection, &path)?;
    migrate(&mut connection, &path)?;
    Ok(connection)
}

/// A further connection to a database that [`open`] has seen.
pub(super) fn connect(path: &Path) -> Result<Connection, Error> {
    // No SQLITE_OPEN_CREATE: a file that went missing must be an error, not an empty register.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(Error::database("opening"))?;
    configure(&connection).map_err(|source| not_a_database(path, source))?;
    Ok(connection)
}

/// A connection that reads a copy and leaves not a byte behind: no journal, no lock file.
pub(super) fn connect_copy(path: &Path) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(Error::database("opening"))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MILLIS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")
}

fn not_a_database(path: &Path, source: rusqlite::Error) -> Error {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            damaged(path)
        }
        _ => Error::database("opening")(source),
    }
}

fn damaged(path: &Path) -> Error {
    unusable(
        path,
        "the database is damaged; stop, restore it from a backup and start again",
    )
}

fn unusable(path: &Path, problem: impl Into<String>) -> Error {
    Error::Unusable {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

/// Refuses a damaged file before anything is read from it.
fn check_health(connection: &Connection, path: &Path) -> Result<(), Error> {
    let bytes = std::fs::metadata(path)
        .map_err(Error::file("read", path))?
        .len();
    let statements: &[&str] = if bytes <= WHOLE_CHECK_BYTES_MAX {
        &["PRAGMA quick_check(1)"]
    } else {
        &[
            "PRAGMA quick_check('changes')",
            "PRAGMA quick_check('keys')",
            "PRAGMA quick_check('restrictions')",
        ]
    };
    for statement in statements {
        let answer: String = connection
            .query_row(statement, [], |row| row.get(0))
            .map_err(|source| not_a_database(path, source))?;
        if answer != "ok" {
            return Err(damaged(path));
        }
    }
    Ok(())
}

/// Brings the schema up to date in one transaction, so that two processes that start at once agree.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let doing = "reading the schema version";
    if is_current(connection, path)? {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Error::database(doing))?;
    if is_current(&transaction, path)? {
        return Ok(());
    }
    let version = pragma(&transaction, "user_version")?;
    let new = |source| Error::Database {
        doing: "bringing the schema up to date",
        source,
    };
    transaction
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
        )
        .map_err(new)?;
    let done = usize::try_from(version).unwrap_or(0);
    for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(done) {
        transaction.execute_batch(sql).map_err(new)?;
        transaction
            .execute(
                "INSERT INTO migrations (version, checksum) VALUES (?1, ?2)",
                (number, checksum(sql)),
            )
            .map_err(new)?;
        transaction
            .pragma_update(None, "user_version", number)
            .map_err(new)?;
    }
    transaction
        .pragma_update(None, "application_id", APPLICATION_ID)
        .map_err(new)?;
    transaction
        .commit()
        .map_err(|source| Error::NotSaved { source })
}

/// Whether every migration of this program, and no other, has been taken. An empty file is merely not current.
fn is_current(connection: &Connection, path: &Path) -> Result<bool, Error> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    if application == 0 && version == 0 && is_empty(connection)? {
        return Ok(false);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(unusable(
            path,
            "this is a database of another program; name another state directory",
        ));
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(unusable(
            path,
            format!(
                "its schema is version {version}, this program knows up to {known}; run the newer program"
            ),
        ));
    }
    let taken = checksums(connection).map_err(Error::database("reading the schema version"))?;
    let same = taken
        .iter()
        .zip(MIGRATIONS)
        .all(|(found, sql)| *found == checksum(sql));
    if !same || i64::try_from(taken.len()) != Ok(version) {
        return Err(unusable(
            path,
            "its schema was changed by hand or by another build; restore it from a backup",
        ));
    }
    Ok(version == known)
}

fn checksums(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT checksum FROM migrations ORDER BY version")?
        .query_map([], |row| row.get(0))?
        .collect()
}

fn is_empty(connection: &Connection) -> Result<bool, Error> {
    connection
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })
        .map_err(Error::database("reading the schema version"))
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Error> {
    connection
        .pragma_query_value(None, name, |row| row.get(0))
        .map_err(Error::database("reading the schema version"))
}

fn checksum(sql: &str) -> String {
    hex(digest::digest(&digest::SHA256, sql.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn settings(dir: &tempfile::TempDir) -> Settings {
        Settings {
            dir: dir.path().join("state"),
        }
    }

    #[test]
    fn opens_its_own_file_again_with_the_promised_settings() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir);
        drop(open(&settings).unwrap());
        let connection = open(&settings).unwrap();
        for (name, wanted) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("trusted_schema", 0),
            ("busy_timeout", 5_000),
            ("user_version", 3),
        ] {
            assert_eq!(pragma(&connection, name).unwrap(), wanted, "{name}");
        }
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(settings.permission_warnings(), Vec::<String>::new());
    }

    /// Opens after `spoil`; the error must say `says`.
    fn check_refused(says: &str, spoil: impl FnOnce(&Settings)) {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir);
        drop(open(&settings).unwrap());
        spoil(&settings);
        let error = open(&settings).expect_err(says).to_string();
        assert!(
            error.contains(says) && error.contains("registers.sqlite"),
            "{error}"
        );
    }

    fn execute(settings: &Settings, sql: &str) {
        Connection::open(settings.database())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    #[test]
    fn refuses_what_it_cannot_trust() {
        check_refused("knows up to 3", |it| {
            execute(it, "PRAGMA user_version = 4");
        });
        check_refused("another program", |it| {
            execute(it, "PRAGMA application_id = 7");
        });
        check_refused("changed by hand", |it| {
            execute(it, "UPDATE migrations SET checksum = 'x'");
        });
        check_refused("damaged", |it| {
            fs::write(it.database(), vec![b'x'; 8192]).unwrap();
        });
    }

    #[test]
    fn a_database_of_version_1_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir);
        drop(open(&settings).unwrap());
        execute(
            &settings,
            "ALTER TABLE objections DROP COLUMN lifted_record;
             DELETE FROM migrations WHERE version > 1;
             PRAGMA user_version = 1;",
        );
        let connection = open(&settings).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), 3);
        connection
            .execute("UPDATE objections SET lifted_record = 'x'", [])
            .unwrap();
    }

    #[test]
    fn a_spoilt_page_is_damage() {
        check_refused("damaged", |it| {
            execute(it, "PRAGMA wal_checkpoint(TRUNCATE)");
            let mut bytes = fs::read(it.database()).unwrap();
            let length = bytes.len();
            bytes[length / 2..].fill(0xA5);
            fs::write(it.database(), bytes).unwrap();
        });
    }

    #[test]
    fn a_file_that_went_missing_is_not_made_anew_by_a_further_connection() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(&dir);
        drop(open(&settings).unwrap());
        fs::remove_file(settings.database()).unwrap();
        connect(&settings.database()).expect_err("missing");
    }
}
