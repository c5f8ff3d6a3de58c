//! A backup is one moment, and comes back as it was.

use std::{fs, path::PathBuf};

use clap::Parser as _;

use super::*;
use crate::{
    audit::{
        Log, Records,
        testing::{append, decided, operated, settings},
    },
    cli::{
        Outcome,
        register::bench::{Bench, WHO},
        subject,
    },
};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    args: RestoreArgs,
}

/// A state with one registered person and a log of three records, the middle one a decision on change 7.
struct Scene {
    bench: Bench,
    out: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let bench = Bench::new();
        let line = "restrict --subject - --reason rights-request";
        bench.run::<subject::Args>(line, WHO).unwrap();
        let log = Log::open(&settings(&bench.dir.path().join(AUDIT), 1 << 16)).unwrap();
        for event in [operated(0), decided(1), operated(2)] {
            append(&log, event);
        }
        drop(log);
        let out = tempfile::tempdir().unwrap();
        Self { bench, out }
    }

    fn backup(&self) -> PathBuf {
        self.out.path().join("b1")
    }

    fn take(&self, options: &str) -> String {
        let line = format!("{} {options}", self.backup().display());
        self.bench.run::<Args>(&line, "").unwrap().0
    }

    fn restore(&self, options: &[&str], state: &Path) -> Outcome {
        let from = self.backup();
        let words = ["restore", from.to_str().unwrap(), "--by", "tester"];
        let Line { args } = Line::try_parse_from([&words, options].concat()).unwrap();
        restore(&args, || Ok(state.to_owned()))
    }

    #[track_caller]
    fn check_refused(&self, options: &[&str], state: &Path, code: u8, says: &str) {
        let failure = self.restore(options, state).unwrap_err();
        assert!(failure.text.contains(says), "{}", failure.text);
        assert_eq!(failure.code, code, "{}", failure.text);
    }
}

fn actions(state: &Path) -> Vec<String> {
    let records = Records::open(&state.join(AUDIT), 0).unwrap();
    records
        .map(|it| it.unwrap().event)
        .map(|event| {
            if let AuditEvent::Operated(it) = event {
                it.action.to_string()
            } else {
                format!("{:?}", sequence_of(&event))
            }
        })
        .collect()
}

#[test]
fn what_was_taken_comes_back_whole_and_is_on_record() {
    let scene = Scene::new();
    let report = scene.take("");
    assert!(report.contains("with keys"), "{report}");
    let state = scene.out.path().join("state");
    scene.restore(&["--check"], &state).unwrap();
    assert!(!state.exists(), "a check writes nothing");
    scene.restore(&[], &state).unwrap();
    // The decision knows change 7, the registers end at an earlier one: the log is cut before it.
    assert_eq!(actions(&state), ["started", "restored"]);
    assert!(
        audit::verify(&state.join(AUDIT), None)
            .unwrap()
            .bad
            .is_none()
    );
    let restored = Settings { dir: state.clone() };
    let before = store::Reader::open(&scene.bench.settings())
        .unwrap()
        .state()
        .unwrap()
        .sequence();
    let after = store::Reader::open(&restored)
        .unwrap()
        .state()
        .unwrap()
        .sequence();
    assert_eq!(after + 1, before, "the backup itself is one change later");
    let events = store::Outbox::open(&scene.bench.settings())
        .unwrap()
        .pending(100)
        .unwrap();
    assert_eq!(&*events.last().unwrap().1.action, "backup-taken");
    assert_eq!(restored.permission_warnings(), Vec::<String>::new());
    let left: Vec<_> = fs::read_dir(&state).unwrap().collect();
    assert!(left.iter().all(|it| {
        let name = it.as_ref().unwrap().file_name();
        !name.to_string_lossy().starts_with("restoring-")
    }));
}

#[test]
fn a_backup_that_was_touched_is_not_restored() {
    let scene = Scene::new();
    scene.take("");
    let state = scene.out.path().join("state");
    let database = scene.backup().join("registers.sqlite");
    let mut bytes = fs::read(&database).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&database, bytes).unwrap();
    scene.check_refused(
        &[],
        &state,
        4,
        "registers.sqlite is not as the manifest says",
    );
    scene.check_refused(&["--check"], &state, 4, "not as the manifest says");
    assert!(!state.exists());
}

#[test]
fn a_manifest_leads_nowhere_else() {
    let scene = Scene::new();
    scene.take("");
    let path = scene.backup().join(NAME);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("keys.json", "../keys.json")).unwrap();
    let state = scene.out.path().join("state");
    scene.check_refused(&[], &state, 1, "a file outside the backup");
    fs::remove_file(&path).unwrap();
    scene.check_refused(&[], &state, 1, "is not a backup");
}

#[test]
fn what_is_there_is_moved_aside_only_on_demand() {
    let scene = Scene::new();
    scene.take("");
    let state = scene.bench.dir.path();
    scene.check_refused(&[], state, 1, "--replace to move them aside");
    let log = Log::open(&settings(&state.join(AUDIT), 1 << 16)).unwrap();
    scene.check_refused(&["--replace"], state, 1, "a gate runs on");
    drop(log);
    scene.restore(&["--replace"], state).unwrap();
    assert_eq!(actions(state), ["started", "restored"]);
    let aside = fs::read_dir(state)
        .unwrap()
        .map(|it| it.unwrap().path())
        .find(|it| {
            it.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("replaced-")
        })
        .unwrap();
    assert_eq!(actions(&aside).len(), 3, "the old log is whole");
    assert!(aside.join("registers.sqlite").exists());
}

#[test]
fn keys_kept_elsewhere_are_asked_for() {
    let scene = Scene::new();
    assert!(scene.take("--without-keys").contains("without keys"));
    let state = scene.out.path().join("state");
    scene.check_refused(&[], &state, 1, "name the key file with --keys");
    let other = tempfile::tempdir().unwrap();
    store::keys::open_or_create(other.path()).unwrap();
    let wrong = other.path().join("keys.json");
    scene.check_refused(&["--keys", wrong.to_str().unwrap()], &state, 1, "key");
    let own = scene.bench.dir.path().join("keys.json");
    scene
        .restore(&["--keys", own.to_str().unwrap()], &state)
        .unwrap();
}

#[test]
fn a_place_that_is_taken_is_not_written_over() {
    let scene = Scene::new();
    scene.take("");
    let line = scene.backup().display().to_string();
    scene
        .bench
        .check_refused::<Args>(&line, "", &["is there already"]);
}
