//! Loading again: what may not change, what stays the same object, what is never frozen.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::{
    super::{Attempt, Loader, restart_only_changes},
    SMALL, load, load_in, now,
};
use crate::model::Timestamp;

#[test]
fn names_what_takes_force_only_at_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let of = |text: &str| load_in(dir.path(), text).unwrap().configuration;
    let old = of(SMALL);
    let second = "listeners:\n  - id: second\n    bind: 127.0.0.1:0\n";
    for (from, to, wanted) in [
        ("country: DE", "country: FR", vec![]),
        ("mailing", "mailings", vec![]),
        (
            "127.0.0.1:8080",
            "127.0.0.1:8081",
            vec!["listeners.main.bind"],
        ),
        ("listeners:\n", second, vec!["listeners.second"]),
        ("./state", "./other", vec!["state_dir"]),
        (
            "version: 1\n",
            "version: 1\nadmin: {bind: '127.0.0.1:0'}\n",
            vec!["admin"],
        ),
        (
            "version: 1\n",
            "version: 1\naudit: {segment_size: 1MiB}\n",
            vec!["audit.segment_size"],
        ),
        (
            "version: 1\n",
            "version: 1\nlog: {level: debug}\n",
            vec!["log"],
        ),
        (
            "version: 1\n",
            "version: 1\nlimits: {head_time: 3s}\n",
            vec!["limits.head_time"],
        ),
        (
            "version: 1\n",
            "version: 1\nlimits: {drain_delay: 3s}\n",
            vec!["limits.drain_delay"],
        ),
        (
            "version: 1\n",
            "version: 1\nlimits: {connections: 100, idle_time: 9s, write_time: 5s}\n",
            vec![
                "limits.connections",
                "limits.idle_time",
                "limits.write_time",
            ],
        ),
        (
            "version: 1\n",
            "version: 1\nlimits: {per_client: 3, connections_per_client: 3, memory: 1GiB, spool_above: 2MiB, spool_dir: ./s, spool_size: 1GiB}\n",
            vec![
                "limits.per_client",
                "limits.connections_per_client",
                "limits.memory",
                "limits.spool_above",
                "limits.spool_dir",
                "limits.spool_size",
            ],
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let new = of(&SMALL.replace(from, to));
        assert_eq!(restart_only_changes(&old, &new), wanted, "{to}");
    }
}

#[test]
fn how_often_changes_are_looked_for() {
    let watch = |text: &str| {
        let text = SMALL.replace(
            "version: 1\n",
            &format!("version: 1\nreload: {{watch: {text}}}\n"),
        );
        load(&text).map(|it| it.configuration.reload.watch)
    };
    assert_eq!(
        load(SMALL).unwrap().configuration.reload.watch,
        Some(Duration::from_secs(2))
    );
    assert_eq!(watch("off").unwrap(), None);
    assert_eq!(watch("500ms").unwrap(), Some(Duration::from_millis(500)));
    for wrong in ["never", "50ms", "2h"] {
        let told = watch(wrong).unwrap_err().to_string();
        assert!(told.contains("reload.watch: "), "{told}");
    }
}

fn load_at(loader: &mut Loader, file: &Path, text: &str, at: Timestamp) -> Attempt {
    fs::write(file, text).unwrap();
    loader.load(at)
}

/// If this fails, a reload drops connections to recipients that it does not touch, or builds everything anew.
#[test]
fn what_turns_out_as_before_is_the_same_object() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shekara.yaml");
    let second = "  - id: other
    party: mailer
    country: FR
    match: {path_prefix: /other}
    upstream: {url: https://other.example.org}
    agreement: {ref: A-2, signed: 2026-01-01, actions: [send], purposes: [service], confidentiality: true, security: true}
    routes: [{purpose: service.orders}]
";
    let text = format!("{SMALL}{second}");
    let mut loader = Loader::new(file.clone(), None);
    let mut of = |text: &str| {
        load_at(&mut loader, &file, text, now())
            .outcome
            .unwrap()
            .configuration
    };
    let first = of(&text);
    let same = of(&format!("# another line\n{text}"));
    assert_ne!(first.version, same.version);
    let changed = of(&text.replace("country: FR", "country: GB"));
    let is_kept = |at: usize, other: &super::super::Configuration| {
        Arc::ptr_eq(&first.destinations[at], &other.destinations[at])
    };
    assert!(is_kept(0, &same) && is_kept(1, &same));
    assert!(is_kept(0, &changed), "it was not touched");
    assert!(!is_kept(1, &changed));
    assert!(Arc::ptr_eq(&first.callers, &changed.callers));
    assert!(Arc::ptr_eq(&first.reasons, &changed.reasons));
    assert!(Arc::ptr_eq(&first.inspector, &changed.inspector));
    assert!(Arc::ptr_eq(
        &first.profiles["baseline"],
        &changed.profiles["baseline"]
    ));
    let other_selector = text.replace(
        "- path: /news\n",
        "- path: /news\n        records: $.to[*]\n",
    );
    assert!(!is_kept(0, &of(&other_selector)), "a plan is part of it");
}

/// If this fails, an opening that has ended stays in force because the text is the same.
#[test]
fn the_day_is_looked_at_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shekara.yaml");
    let text = SMALL.replace(
        "    match: {path_prefix: /mail}\n",
        "    match: {path_prefix: /mail}\n    failure: {audit: {open: {owner: a, reason: b, until: 2026-11-30}}}\n",
    );
    let mut loader = Loader::new(file.clone(), None);
    assert!(load_at(&mut loader, &file, &text, now()).outcome.is_ok());
    let later = now().plus_millis(9 * 86_400_000);
    let problems = load_at(&mut loader, &file, &text, later)
        .outcome
        .unwrap_err();
    assert!(
        problems.to_string().contains("expired on 2026-11-30"),
        "{problems}"
    );
}

/// If this fails, a renewed certificate or token is not noticed, or a file that was missing is not noticed when it comes.
#[test]
fn every_file_that_is_named_is_a_source() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shekara.yaml");
    let token = dir.path().join("shop.token");
    let text = SMALL.replace("    cidr: [10.0.0.0/8]\n", "    token_file: shop.token\n");
    let mut loader = Loader::new(file.clone(), None);
    let attempt = load_at(&mut loader, &file, &text, now());
    assert!(attempt.outcome.is_err());
    fs::write(&token, "0123456789abcdef").unwrap();
    assert_ne!(attempt.sources.now(), attempt.sources, "the file has come");
    let attempt = loader.load(now());
    assert!(attempt.outcome.is_ok());
    assert_eq!(attempt.sources.now(), attempt.sources);
    fs::write(&token, "fedcba9876543210").unwrap();
    assert_ne!(
        attempt.sources.now(),
        attempt.sources,
        "the token was changed"
    );
}

/// A secret is changed where it stands; the configuration's text stays as it is.
#[test]
fn a_new_secret_takes_force() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shekara.yaml");
    let line = "      credentials: {header: X-Key, value_file: key}\n      url:";
    let text = SMALL.replacen("      url:", line, 1);
    let mut loader = Loader::new(file.clone(), None);
    let mut with = |secret: &str| {
        fs::write(dir.path().join("key"), secret).unwrap();
        let attempt = load_at(&mut loader, &file, &text, now());
        Arc::clone(&attempt.outcome.unwrap().configuration.destinations[0])
    };
    let first = with("canary-1\n");
    assert!(Arc::ptr_eq(&first, &with("canary-1\n")));
    let second = with("canary-2\n");
    let value = second.upstream.credentials[0].value.expose();
    assert_eq!(value.to_str().unwrap(), "canary-2");
}
