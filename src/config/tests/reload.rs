//! What a reload may not change.

use super::{super::restart_only_changes, SMALL, load_in};

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
            "version: 1\nlimits: {connections: 100, idle_time: 9s, write_time: 5s}\n",
            vec![
                "limits.connections",
                "limits.idle_time",
                "limits.write_time",
            ],
        ),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let new = of(&SMALL.replace(from, to));
        assert_eq!(restart_only_changes(&old, &new), wanted, "{to}");
    }
}
