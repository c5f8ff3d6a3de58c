//! `shekara backup` and `shekara restore`: registers, keys and audit log of one moment.
//!
//! A state directory copied file by file while a gate runs holds registers and log of different moments, and the gate refuses to
//! start on it. A backup is one moment: the registers after some change, and the log up to the last record that knows no later
//! change. Both commands leave a record in the log.

mod manifest;
mod restore;
#[cfg(test)]
mod tests;

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use self::manifest::{AUDIT, Manifest, NAME, cannot};
use super::{
    Failure,
    register::{self, Session, Terminal},
};
use crate::{
    audit,
    gatekeeper::record::AuditEvent,
    model::counted,
    store::{self, Settings},
};

pub(super) use restore::{Args as RestoreArgs, run as restore};

/// Writes registers, keys and audit log of one moment to a new directory, also while the gate runs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory to write; must not be there yet
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Leave the keys out: they are kept elsewhere, and `restore --keys` names them
    #[arg(long)]
    without_keys: bool,
    /// Who takes it [default: the system user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl register::Command for Args {
    fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    fn run(&self, session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        if self.to.exists() {
            return Err(Failure::new(format!(
                "{} is there already; name a directory that is not",
                self.to.display()
            )));
        }
        let partial = self.partial();
        let taken = self.take(session, &partial).and_then(|manifest| {
            fs::rename(&partial, &self.to).map_err(cannot("rename to", &self.to))?;
            sync(self.to.parent().filter(|it| !it.as_os_str().is_empty()))?;
            Ok(manifest)
        });
        let manifest = taken.inspect_err(|_| {
            // What is left of an attempt is no backup; that it could not be removed changes nothing about the failure.
            let _left_behind = fs::remove_dir_all(&partial);
        })?;
        terminal.line(format_args!("{}", self.report(&manifest)))?;
        if manifest.has_keys() {
            terminal.note(format_args!(
                "note: the backup holds the keys; whoever has it can tell who is in the registers. Keep it encrypted, or use --without-keys"
            ));
        }
        Ok(())
    }
}

impl Args {
    fn partial(&self) -> PathBuf {
        let mut name = self.to.as_os_str().to_owned();
        name.push(".partial");
        name.into()
    }

    /// Copies everything to `partial` and puts the backup on record.
    fn take(&self, session: &Session<'_>, partial: &Path) -> Result<Manifest, Failure> {
        let state = session.context.state_dir;
        let settings = Settings {
            dir: state.to_owned(),
        };
        DirBuilder::new()
            .mode(0o700)
            .create(partial)
            .map_err(cannot("create", partial))?;
        let id = uuid::Uuid::now_v7().to_string();
        let mut manifest = Manifest::new(&id, session.now(), session.by());
        let database = file_name(&settings.database());
        manifest.register_sequence = store::copy_registers(&settings, &partial.join(&database))?;
        manifest.add(partial, &database)?;
        if !self.without_keys {
            let keys = file_name(&settings.keys());
            copy_private(&settings.keys(), &partial.join(&keys))?;
            manifest.add(partial, &keys)?;
        }
        add_log(session.context.audit_dir, partial, &mut manifest)?;
        write_manifest(partial, &manifest)?;
        let body = serde_json::json!({
            "register_sequence": manifest.register_sequence,
            "audit_head": manifest.audit_head,
            "with_keys": manifest.has_keys(),
        });
        session.writer()?.note_backup(&id.as_str().into(), body)?;
        Ok(manifest)
    }

    fn report(&self, manifest: &Manifest) -> String {
        let bytes: u64 = manifest.files.values().map(|it| it.bytes).sum();
        format!(
            "backup {}\ndirectory         {}\nfiles             {} ({}), {}\nregister changes  {}\naudit head        {}",
            manifest.id,
            self.to.display(),
            manifest.files.len(),
            counted(bytes, "byte"),
            if manifest.has_keys() {
                "with keys"
            } else {
                "without keys"
            },
            manifest.register_sequence,
            manifest.audit_head.as_deref().unwrap_or("none: no log yet"),
        )
    }
}

/// Copies the log up to the last record that the copied registers know of.
///
/// The registers are copied first. An event of theirs that was acknowledged before is in the log before any decision on a later
/// state, so the cut loses none; one that was not is still in the copied outbox, and is delivered after a restore.
fn add_log(log: &Path, partial: &Path, manifest: &mut Manifest) -> Result<(), Failure> {
    if !log.exists() {
        return Ok(());
    }
    let known = manifest.register_sequence;
    let is_beyond = |event: &AuditEvent| sequence_of(event).is_some_and(|it| it > known);
    let copied = audit::copy::copy(log, &partial.join(AUDIT), is_beyond)
        .map_err(|it| Failure::new(it.to_string()))?;
    for name in &copied.segments {
        manifest.add(partial, &format!("{AUDIT}/{name}"))?;
    }
    manifest.audit_head = copied.head.map(|it| it.to_string());
    Ok(())
}

/// The state of the registers that `event` speaks of.
fn sequence_of(event: &AuditEvent) -> Option<u64> {
    match event {
        AuditEvent::Decided(it) => it.register_sequence,
        AuditEvent::Register(it) => Some(it.register_sequence),
        AuditEvent::Completed(_) | AuditEvent::Operated(_) => None,
    }
}

fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let path = dir.join(NAME);
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|error| Failure::new(format!("cannot write the manifest: {error}")))?;
    let mut file = create_private(&path)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(cannot("write", &path))?;
    sync(Some(dir))
}

/// A new file for its owner alone.
fn create_private(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(cannot("create", path))
}

/// Copies a file to a new one for its owner alone, down to stable storage.
fn copy_private(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut source = File::open(from).map_err(cannot("read", from))?;
    let mut target = create_private(to)?;
    std::io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(cannot("write", to))
}

/// Makes the names in `dir` durable.
fn sync(dir: Option<&Path>) -> Result<(), Failure> {
    let dir = dir.unwrap_or(Path::new("."));
    File::open(dir)
        .and_then(|it| it.sync_all())
        .map_err(cannot("write", dir))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
