//! `keys.json`: the secrets that turn identifiers into references.
//!
//! ```json
//! {"version": 1, "current": 1, "subject": [{"id": 1, "key": "<64 hex digits>"}], "log": {"id": 1, "key": "<64 hex digits>"}}
//! ```
//! The database keeps a check value of each key. Without its key a register answers "unknown" to every identifier, so a key
//! that is missing or another one stops the start.

use std::{fs, path::Path};

use aws_lc_rs::{
    constant_time, hmac,
    rand::{SecureRandom as _, SystemRandom},
};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Error, Settings, database, files};
use crate::gatekeeper::keys::{Keys, SubjectKey, hex};

/// The only layout of the file so far.
const VERSION: u32 = 1;

/// The keys kept in `dir`. Both the file and its check values in the database are made at the first call.
///
/// # Errors
/// The file is missing, unreadable, open to other users, or not the one that the registers were written under.
pub fn open_or_create(dir: &Path) -> Result<Keys, Error> {
    let settings = Settings {
        dir: dir.to_owned(),
    };
    let mut database = database::open(&settings)?;
    let path = settings.keys();
    if files::mode(&path)?.is_none() {
        if is_in_use(&database)? {
            return Err(refused(
                &path,
                "the key file is missing, but the registers were written under it; restore it from a backup \
                 (a new one would make every registered person unknown)",
            ));
        }
        files::create_whole(&path, generate()?.as_bytes())?;
    }
    let stored = read(&path)?;
    verify(&mut database, &stored, &path)?;
    compile(&stored, &path)
}

/// The file as written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    current: u32,
    subject: Vec<StoredKey>,
    log: StoredKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: u32,
    key: Material,
}

/// 32 bytes of key, wiped when dropped. No `Debug`.
struct Material(Zeroizing<[u8; 32]>);

impl Serialize for Material {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(hex(&self.0[..])))
    }
}

impl<'de> Deserialize<'de> for Material {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut text = String::deserialize(deserializer)?;
        let parsed = from_hex(&text);
        text.zeroize();
        parsed.ok_or_else(|| serde::de::Error::custom("a key is 64 hex digits"))
    }
}

fn from_hex(text: &str) -> Option<Material> {
    let mut out = Zeroizing::new([0_u8; 32]);
    if text.len() != 64 || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(Material(out))
}

fn generate() -> Result<Zeroizing<String>, Error> {
    let stored = Stored {
        version: VERSION,
        current: 1,
        subject: vec![StoredKey {
            id: 1,
            key: random()?,
        }],
        log: StoredKey {
            id: 1,
            key: random()?,
        },
    };
    serde_json::to_string_pretty(&stored)
        .map(Zeroizing::new)
        .map_err(|_| no_randomness())
}

fn random() -> Result<Material, Error> {
    let mut material = Zeroizing::new([0_u8; 32]);
    SystemRandom::new()
        .fill(&mut material[..])
        .map_err(|_| no_randomness())?;
    Ok(Material(material))
}

/// 32 random bytes, for a subject's erasure key.
pub(super) fn random_bytes() -> Result<[u8; 32], Error> {
    random().map(|it| *it.0)
}

fn no_randomness() -> Error {
    Error::Keys {
        path: "keys.json".into(),
        problem: "the system gave no random bytes".to_owned(),
    }
}

fn read(path: &Path) -> Result<Stored, Error> {
    if let Some(mode) = files::mode(path)?
        && mode & 0o077 != 0
    {
        return Err(refused(
            path,
            format!(
                "the key file is open to other users (mode {mode:03o}); run `chmod 600` on it, and take the keys as known to them"
            ),
        ));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(Error::file("read", path))?);
    // The parser's message could quote key material, so only the position is passed on.
    let stored: Stored = serde_json::from_str(&text).map_err(|error| {
        refused(
            path,
            format!(
                "the key file is not readable at line {}, column {}; restore it from a backup",
                error.line(),
                error.column()
            ),
        )
    })?;
    if stored.version != VERSION {
        return Err(refused(
            path,
            format!(
                "the key file has layout {}, this program knows {VERSION}; run the newer program",
                stored.version
            ),
        ));
    }
    Ok(stored)
}

fn refused(path: &Path, problem: impl Into<String>) -> Error {
    Error::Keys {
        path: path.to_owned(),
        problem: problem.into(),
    }
}

/// Whether the database knows keys already.
fn is_in_use(database: &Connection) -> Result<bool, Error> {
    database
        .query_row("SELECT EXISTS (SELECT 1 FROM keys)", [], |row| row.get(0))
        .map_err(Error::database("reading the key checks"))
}

/// Compares every key with its check value, and records the check values of new keys.
fn verify(database: &mut Connection, stored: &Stored, path: &Path) -> Result<(), Error> {
    let doing = "reading the key checks";
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(Error::database(doing))?;
    let keys = stored
        .subject
        .iter()
        .map(|it| ("subject", it))
        .chain([("log", &stored.log)]);
    for (usage, key) in keys {
        let computed = check_value(usage, key);
        let known: Option<Vec<u8>> = transaction
            .query_row(
                "SELECT check_value FROM keys WHERE use = ?1 AND id = ?2",
                (usage, key.id),
                |row| row.get(0),
            )
            .optional()
            .map_err(Error::database(doing))?;
        match known {
            Some(it) if constant_time::verify_slices_are_equal(&it, &computed).is_ok() => {}
            Some(_) => return Err(refused(path, mismatch(usage, key.id))),
            None => {
                transaction
                    .execute(
                        "INSERT INTO keys (use, id, check_value) VALUES (?1, ?2, ?3)",
                        (usage, key.id, computed),
                    )
                    .map_err(Error::database(doing))?;
            }
        }
    }
    if let Some((usage, id)) = missing(&transaction, stored).map_err(Error::database(doing))? {
        return Err(refused(path, mismatch(&usage, id)));
    }
    transaction
        .commit()
        .map_err(|source| Error::NotSaved { source })
}

fn mismatch(usage: &str, id: u32) -> String {
    format!(
        "the {usage} key {id} is not the one that the registers were written under; restore the key file from a backup"
    )
}

/// A key that the database rests on and the file does not hold: the log key, or a subject key with rows under it.
fn missing(database: &Connection, stored: &Stored) -> rusqlite::Result<Option<(String, u32)>> {
    let needed: Vec<(String, u32)> = database
        .prepare(
            "SELECT use, id FROM keys WHERE use = 'log' \
             OR EXISTS (SELECT 1 FROM identifiers WHERE identifiers.key_id = keys.id) ORDER BY use, id",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(needed.into_iter().find(|(usage, id)| {
        let held = usage == "log" && stored.log.id == *id
            || usage == "subject" && stored.subject.iter().any(|it| it.id == *id);
        !held
    }))
}

fn check_value(usage: &str, key: &StoredKey) -> Vec<u8> {
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &key.key.0[..]);
    let text = format!("shekara key check {usage}");
    hmac::sign(&hmac_key, text.as_bytes()).as_ref().to_vec()
}

fn compile(stored: &Stored, path: &Path) -> Result<Keys, Error> {
    let key = |it: &StoredKey| SubjectKey::new(it.id, &it.key.0);
    let current = stored
        .subject
        .iter()
        .find(|it| it.id == stored.current)
        .ok_or_else(|| {
            refused(
                path,
                format!(
                    "`current` names key {}, which is not listed",
                    stored.current
                ),
            )
        })?;
    let older = stored
        .subject
        .iter()
        .filter(|it| it.id != stored.current)
        .map(key)
        .collect();
    Ok(Keys::new(key(current), older, &stored.log.key.0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::subject::{Identifier, IdentifierKind, SubjectRef};

    fn reference(keys: &Keys) -> SubjectRef {
        let email = Identifier::normalise(IdentifierKind::Email, "a@example.org").unwrap();
        keys.references(&email).current
    }

    #[test]
    fn keys_are_made_once_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let first = open_or_create(dir.path()).unwrap();
        let second = open_or_create(dir.path()).unwrap();
        assert_eq!(reference(&first), reference(&second));
        assert_eq!(first.digest(b"x"), second.digest(b"x"));
        let path = dir.path().join("keys.json");
        assert_eq!(files::mode(&path).unwrap(), Some(0o600));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(
            reference(&first),
            reference(&open_or_create(other.path()).unwrap())
        );
    }

    /// Opens after `spoil` of the key file; the error must say `says`, name the file and leave it as it is.
    fn check_refused(says: &str, spoil: impl FnOnce(&Path)) {
        let dir = tempfile::tempdir().unwrap();
        open_or_create(dir.path()).unwrap();
        let path = dir.path().join("keys.json");
        spoil(&path);
        let before = fs::read(&path).ok();
        let error = open_or_create(dir.path()).expect_err(says).to_string();
        assert!(
            error.contains(says) && error.contains("keys.json"),
            "{error}"
        );
        assert_eq!(fs::read(&path).ok(), before);
    }

    #[test]
    fn a_lost_or_changed_key_stops_the_start() {
        check_refused("restore it from a backup", |it| {
            fs::remove_file(it).unwrap();
        });
        check_refused("subject key 1 is not the one", |it| {
            let other = tempfile::tempdir().unwrap();
            open_or_create(other.path()).unwrap();
            fs::copy(other.path().join("keys.json"), it).unwrap();
        });
        check_refused("line 1, column 1", |it| {
            fs::write(it, "x").unwrap();
        });
        check_refused("chmod 600", |it| {
            fs::set_permissions(it, fs::Permissions::from_mode(0o640)).unwrap();
        });
        check_refused("log key 1 is not the one", |it| {
            edit(it, |stored| stored.log.id = 2);
        });
        check_refused("which is not listed", |it| {
            edit(it, |stored| stored.current = 9);
        });
    }

    fn edit(path: &Path, change: impl FnOnce(&mut Stored)) {
        let mut stored = read(path).unwrap();
        change(&mut stored);
        fs::write(path, serde_json::to_string(&stored).unwrap()).unwrap();
    }

    #[test]
    fn a_rotated_key_is_still_looked_up() {
        let dir = tempfile::tempdir().unwrap();
        let before = reference(&open_or_create(dir.path()).unwrap());
        edit(&dir.path().join("keys.json"), |stored| {
            stored.subject.push(StoredKey {
                id: 2,
                key: random().unwrap(),
            });
            stored.current = 2;
        });
        let keys = open_or_create(dir.path()).unwrap();
        let email = Identifier::normalise(IdentifierKind::Email, "a@example.org").unwrap();
        let found = keys.references(&email);
        assert_eq!(found.current.key_id, 2);
        assert_eq!(found.older, vec![before]);
    }
}
