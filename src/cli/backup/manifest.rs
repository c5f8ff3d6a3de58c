//! `manifest.json`: what a backup holds, so that it can be told whole and unaltered.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::{
    audit::{self, Head},
    cli::Failure,
    gatekeeper::keys::hex,
    model::Timestamp,
};

/// The only layout of a backup so far.
const VERSION: u32 = 1;
/// Name of the file itself.
pub(super) const NAME: &str = "manifest.json";
/// Directory of the audit log in a backup, as in a state directory.
pub(super) const AUDIT: &str = "audit";

/// What a backup holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// Its id, in the audit log too.
    pub(super) id: String,
    /// Version of the program that took it.
    pub(super) program: String,
    pub(super) taken_at: Timestamp,
    pub(super) taken_by: String,
    /// Change counter of the registers in it.
    pub(super) register_sequence: u64,
    /// The last record of the log in it, as `audit verify` prints it.
    pub(super) audit_head: Option<String>,
    /// Path of each file, with its size and SHA-256.
    pub(super) files: BTreeMap<String, Entry>,
}

/// One file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    /// A manifest without files yet.
    pub(super) fn new(id: &str, taken_at: Timestamp, taken_by: &str) -> Self {
        Self {
            version: VERSION,
            id: id.to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at,
            taken_by: taken_by.to_owned(),
            register_sequence: 0,
            audit_head: None,
            files: BTreeMap::new(),
        }
    }

    /// Notes the file `name` of the backup in `dir`.
    pub(super) fn add(&mut self, dir: &Path, name: &str) -> Result<(), Failure> {
        let entry = measure(&dir.join(name)).map_err(cannot("read", &dir.join(name)))?;
        self.files.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Whether the keys are in it.
    pub(super) fn has_keys(&self) -> bool {
        self.files.contains_key("keys.json")
    }

    /// Reads the manifest of the backup in `dir`.
    pub(super) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(NAME);
        let text = fs::read_to_string(&path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                Failure::new(format!(
                    "{} is not a backup: it has no {NAME}; name a directory that `shekara backup` wrote",
                    dir.display()
                ))
            } else {
                cannot("read", &path)(error)
            }
        })?;
        let found: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!(
                "{} is not a manifest (line {}, column {}); take another backup",
                path.display(),
                error.line(),
                error.column()
            ))
        })?;
        if found.version == VERSION {
            Ok(found)
        } else {
            Err(Failure::new(format!(
                "{} has layout {}, this program knows {VERSION}; restore it with the program that took it ({})",
                path.display(),
                found.version,
                found.program
            )))
        }
    }

    /// Checks every file of the backup in `dir` against this manifest, and the log's own hashes and links.
    pub(super) fn verify(&self, dir: &Path) -> Result<(), Failure> {
        for (name, noted) in &self.files {
            let path = file(dir, name)?;
            let found = measure(&path).map_err(cannot("read", &path))?;
            if found != *noted {
                return Err(Failure {
                    text: format!(
                        "{} is not as the manifest says ({} bytes, SHA-256 {}); use another backup and keep this one as evidence",
                        path.display(),
                        noted.bytes,
                        noted.sha256
                    ),
                    code: TAMPERED,
                });
            }
        }
        let Some(head) = &self.audit_head else {
            return Ok(());
        };
        let head: Head = head.parse().map_err(Failure::new)?;
        let report = audit::verify(&dir.join(AUDIT), Some(&head))
            .map_err(|it| Failure::new(it.to_string()))?;
        match report.bad {
            None => Ok(()),
            Some(bad) => Err(Failure {
                text: format!("the audit log of the backup does not hold together: {bad}"),
                code: TAMPERED,
            }),
        }
    }
}

/// Exit code when a backup is not what it says it is.
const TAMPERED: u8 = 4;

/// The file `name` in `dir`. A manifest is input: it must not lead out of the backup.
pub(super) fn file(dir: &Path, name: &str) -> Result<PathBuf, Failure> {
    let is_plain = Path::new(name)
        .components()
        .all(|it| matches!(it, std::path::Component::Normal(_)));
    if is_plain && !name.is_empty() {
        Ok(dir.join(name))
    } else {
        Err(Failure::new(format!(
            "the manifest names a file outside the backup: `{name}`"
        )))
    }
}

/// Size and hash of a file.
fn measure(path: &Path) -> io::Result<Entry> {
    let mut file = File::open(path)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut chunk = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        context.update(chunk.get(..read).unwrap_or_default());
    }
    Ok(Entry {
        bytes,
        sha256: hex(context.finish().as_ref()),
    })
}

/// `cannot read PATH: why`.
pub(super) fn cannot(action: &str, path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::new(format!("cannot {action} {}: {error}", path.display()))
}
