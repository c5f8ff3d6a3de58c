//! `shekara restore`: a backup back into a state directory, with what was there kept aside.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    copy_private,
    manifest::{self, AUDIT, Manifest, cannot},
    sync,
};
use crate::{
    audit::{self, Log},
    cli::{Failure, Outcome, print, register::session::system_user},
    gatekeeper::{
        ports::{AuditLog as _, Clock as _, SystemClock},
        record::{AuditEvent, Operated},
    },
    model::counted,
    store::{self, Settings},
};

/// What stands in a state directory.
const PARTS: &[&str] = &[
    AUDIT,
    "keys.json",
    "registers.sqlite",
    "registers.sqlite-wal",
    "registers.sqlite-shm",
];
/// Segment size of the log while the restore is put on record; the gate opens it with its own.
const SEGMENT_BYTES: u64 = 1024 * 1024;

/// Puts a backup back into the state directory; the gate must not run
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A directory that `shekara backup` wrote
    #[arg(value_name = "DIR")]
    from: PathBuf,
    /// Only check the backup: every file, every hash and link of the log
    #[arg(long)]
    check: bool,
    /// Move what is in the state directory aside (it is never deleted)
    #[arg(long)]
    replace: bool,
    /// The key file, for a backup without keys
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Who restores it [default: the system user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Checks the backup, and puts it into `state`.
///
/// # Errors
/// It is not whole or not unaltered (exit code 4), the gate runs, the state directory is in use without `--replace`, or a file
/// cannot be written. Until everything has been checked and copied, the state directory is as it was.
pub(in crate::cli) fn run(
    args: &Args,
    state: impl FnOnce() -> Result<PathBuf, Failure>,
) -> Outcome {
    let manifest = Manifest::read(&args.from)?;
    manifest.verify(&args.from)?;
    if args.check {
        print(&format!(
            "backup {} of {} is whole: {}, register changes {}, audit head {}",
            manifest.id,
            manifest.taken_at,
            counted(manifest.files.len(), "file"),
            manifest.register_sequence,
            manifest.audit_head.as_deref().unwrap_or("none")
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let state = state()?;
    let aside = args.make_room(&state, &manifest)?;
    let staged = state.join(format!("restoring-{}", manifest.id));
    let done = args
        .stage(&manifest, &staged)
        .and_then(|()| take_place(&state, &staged, aside.as_deref()));
    done.inspect_err(|_| {
        // The copy can be made again; that it could not be removed changes nothing about the failure.
        let _left_behind = fs::remove_dir_all(&staged);
    })?;
    args.put_on_record(&state, &manifest, aside.as_deref())?;
    print(&format!(
        "restored backup {} of {} into {}",
        manifest.id,
        manifest.taken_at,
        state.display()
    ));
    if let Some(aside) = aside {
        print(&format!(
            "what was there is kept in {}: decisions and changes after the backup are only there; keep it as evidence",
            aside.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Where what is in `state` goes; `None` when there is nothing.
    fn make_room(&self, state: &Path, manifest: &Manifest) -> Result<Option<PathBuf>, Failure> {
        if audit::is_owned(&state.join(AUDIT)) {
            return Err(Failure::new(format!(
                "a gate runs on {}; stop it first",
                state.display()
            )));
        }
        if !PARTS.iter().any(|it| state.join(it).exists()) {
            return Ok(None);
        }
        if !self.replace {
            return Err(Failure::new(format!(
                "{} holds registers, keys or a log already; name another directory, or --replace to move them aside",
                state.display()
            )));
        }
        let aside = state.join(format!("replaced-{}", manifest.id));
        if aside.exists() {
            return Err(Failure::new(format!(
                "{} is there already: this backup was restored before; move it away",
                aside.display()
            )));
        }
        Ok(Some(aside))
    }

    /// Copies the backup beside its place and opens it once: a key that does not fit shows before anything is moved.
    fn stage(&self, manifest: &Manifest, staged: &Path) -> Result<(), Failure> {
        let create = |dir: &Path| {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(cannot("create", dir))
        };
        create(staged)?;
        for name in manifest.files.keys() {
            let target = manifest::file(staged, name)?;
            if let Some(parent) = target.parent() {
                create(parent)?;
            }
            copy_private(&manifest::file(&self.from, name)?, &target)?;
        }
        let keys = staged.join("keys.json");
        match &self.keys {
            Some(own) if !keys.exists() => copy_private(own, &keys)?,
            Some(_) => {
                return Err(Failure::new(
                    "the backup has keys of its own; leave --keys out",
                ));
            }
            None if keys.exists() => {}
            None => {
                return Err(Failure::new(
                    "the backup was taken without keys; name the key file with --keys",
                ));
            }
        }
        sync(Some(staged))?;
        store::keys::open_or_create(staged)?;
        let settings = Settings {
            dir: staged.to_owned(),
        };
        let found = store::Reader::open(&settings)?.state()?.sequence();
        if found == manifest.register_sequence {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "the registers of the backup end at change {found}, its manifest says {}; use another backup",
                manifest.register_sequence
            )))
        }
    }

    /// Appends the record that says so: the log itself must not be silent about its own restoring.
    fn put_on_record(
        &self,
        state: &Path,
        manifest: &Manifest,
        aside: Option<&Path>,
    ) -> Result<(), Failure> {
        let failed = |it: String| Failure::new(format!("the restore could not be recorded: {it}"));
        let log = Log::open(&audit::Settings {
            dir: state.join(AUDIT),
            segment_bytes: SEGMENT_BYTES,
        })
        .map_err(|it| failed(it.to_string()))?;
        let mut detail = [
            ("backup", manifest.id.clone()),
            ("taken_at", manifest.taken_at.to_string()),
            ("register_sequence", manifest.register_sequence.to_string()),
            (
                "by",
                self.by.clone().unwrap_or_else(|| system_user().to_string()),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        if let Some(head) = aside.and_then(|it| head_of(&it.join(AUDIT))) {
            detail.push(("replaced_head".to_owned(), head));
        }
        log.append_later(AuditEvent::Operated(Operated {
            at: SystemClock.now(),
            action: "restored".into(),
            detail: detail.into_iter().collect(),
        }));
        log.close().map_err(|it| failed(it.to_string()))
    }
}

/// The last record of a log that was moved aside. One that cannot be read has none, which is no reason not to restore.
fn head_of(log: &Path) -> Option<String> {
    let report = audit::verify(log, None).ok()?;
    report.head.map(|it| it.to_string())
}

/// Moves what is in `state` to `aside`, then what is staged to its place. The log goes in first: a gate that is started between two
/// steps finds a log that knows more than its registers, and refuses.
fn take_place(state: &Path, staged: &Path, aside: Option<&Path>) -> Result<(), Failure> {
    if let Some(aside) = aside {
        DirBuilder::new()
            .mode(0o700)
            .create(aside)
            .map_err(cannot("create", aside))?;
        for name in PARTS.iter().filter(|it| state.join(it).exists()) {
            let target = aside.join(name);
            fs::rename(state.join(name), &target).map_err(cannot("move aside to", &target))?;
        }
        sync(Some(aside))?;
    }
    for name in PARTS.iter().filter(|it| staged.join(it).exists()) {
        let target = state.join(name);
        fs::rename(staged.join(name), &target).map_err(cannot("move to", &target))?;
    }
    fs::remove_dir(staged).map_err(cannot("remove", staged))?;
    sync(Some(state))
}
