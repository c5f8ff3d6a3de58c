//! If these fail, the code no longer stands in the rooms that `src/lib.rs` draws.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic")]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Room → rooms it may import from. A room may always import from itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("inspect", &["model"]),
    ("policy", &["model"]),
    ("gatekeeper", &["model", "inspect", "policy"]),
    ("audit", &["model", "gatekeeper"]),
    ("store", &["model", "gatekeeper"]),
    ("telemetry", &["model", "gatekeeper"]),
    ("proxy", &["model", "gatekeeper", "telemetry", "policy"]),
    ("admin", &["model", "gatekeeper", "telemetry", "policy"]),
    (
        "config",
        &[
            "model",
            "inspect",
            "policy",
            "gatekeeper",
            "audit",
            "store",
            "telemetry",
            "proxy",
            "admin",
        ],
    ),
];

/// Rooms without effects.
const PURE: &[&str] = &["model", "inspect", "policy"];

/// What a pure room must not name. Addresses of `std::net` are values; its sockets are effects.
const EFFECTS: &[&str] = &[
    "tokio",
    "hyper",
    "tower",
    "tracing",
    "rusqlite",
    "prometheus",
    "rustls",
    "std::fs",
    "std::env",
    "std::thread",
    "std::process",
    "std::time",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "SystemTime",
    "Instant::now",
    "rand",
    "HashMap<",
    "HashSet<",
];

/// Files that may name an effect, with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "inspect/key_names/mod.rs",
    "HashMap<",
    "looked up by key only; its order reaches no result",
)];

/// Most lines of a file before its tests.
const FILE_LINES_MAX: usize = 600;

#[test]
fn imports_point_downwards() {
    let faults = import_faults(Path::new("src"));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn pure_rooms_have_no_effects() {
    let faults = effect_faults(Path::new("src"));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_keep_to_one_subject() {
    let mut faults = String::new();
    for file in sources(Path::new("src")) {
        let lines = production(&fs::read_to_string(&file).unwrap()).count();
        if lines > FILE_LINES_MAX {
            writeln!(
                faults,
                "{}: {lines} lines, at most {FILE_LINES_MAX}",
                file.display()
            )
            .unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn only_screening_makes_a_permit() {
    let makers: Vec<_> = sources(Path::new("src"))
        .into_iter()
        .filter(|it| fs::read_to_string(it).unwrap().contains("Cleared {"))
        .filter(|it| !it.ends_with("gatekeeper/screen.rs"))
        .collect();
    assert!(makers.is_empty(), "{makers:?} name the permit's fields");
}

/// The test of the test: a sideways import, a grouped one and an effect in the core are all seen.
#[test]
fn faults_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("store/mod.rs", "use crate::audit::Log;\n");
    write(
        "policy/mod.rs",
        "use crate::{\n    model::Day,\n    inspect::Plan,\n};\nfn f() { std::fs::read(\"x\"); }\n",
    );
    assert_eq!(import_faults(dir.path()).len(), 2);
    assert_eq!(effect_faults(dir.path()).len(), 1);
}

fn import_faults(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for (room, allowed) in LAYERS {
        for file in room_files(root, room) {
            for target in imported(&fs::read_to_string(&file).unwrap()) {
                let known = LAYERS.iter().any(|(it, _)| *it == target)
                    || target == "app"
                    || target == "cli";
                if known && target != *room && !allowed.contains(&target.as_str()) {
                    faults.push(format!("{}: {room} → {target}", file.display()));
                }
            }
        }
    }
    faults
}

fn effect_faults(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for room in PURE {
        for file in room_files(root, room) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in production(&text).enumerate() {
                let excepted = |effect: &str| {
                    EXCEPTIONS
                        .iter()
                        .any(|(path, it, _)| file.ends_with(path) && *it == effect)
                };
                if let Some(effect) = EFFECTS.iter().find(|it| names(line, it) && !excepted(it)) {
                    faults.push(format!(
                        "{}:{}: {room} is pure, yet names {effect}",
                        file.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    faults
}

/// Whether code in `line` names `effect` (as a path head, not inside another word).
fn names(line: &str, effect: &str) -> bool {
    let code = line.split("//").next().unwrap_or("");
    code.match_indices(effect).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + effect.len()..].chars().next();
        let starts = before.is_none_or(|it| !it.is_alphanumeric() && it != '_' && it != ':');
        let ends =
            effect.ends_with('<') || after.is_some_and(|it| it == ':' || it == '(' || it == ';');
        starts && ends
    })
}

/// First path segments after `crate::`, grouped imports included.
fn imported(text: &str) -> Vec<String> {
    let text: String = production(text)
        .map(|it| it.split("//").next().unwrap_or("").to_owned() + "\n")
        .collect();
    let mut out = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => out.extend(group_heads(group)),
            None => out.push(head(rest)),
        }
    }
    out
}

/// Heads of the entries of a group, up to its closing brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut out = Vec::new();
    let mut entry = String::new();
    for ch in group.chars() {
        match ch {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => out.push(head(std::mem::take(&mut entry).trim())),
            _ if depth == 0 => entry.push(ch),
            _ => {}
        }
    }
    out.push(head(entry.trim()));
    out
}

fn head(path: &str) -> String {
    path.chars()
        .take_while(|it| it.is_alphanumeric() || *it == '_')
        .collect()
}

/// Lines before the file's own tests.
fn production(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|it| !it.starts_with("#[cfg(test)]"))
}

fn room_files(root: &Path, room: &str) -> Vec<PathBuf> {
    let mut files = sources(&root.join(room));
    files.extend(Some(root.join(format!("{room}.rs"))).filter(|it| it.exists()));
    files
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .flat_map(|it| {
            let path = it.unwrap().path();
            let is_test = path.file_stem().is_some_and(|it| it == "tests");
            if path.is_dir() && !is_test {
                sources(&path)
            } else if path.extension().is_some_and(|it| it == "rs") && !is_test {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect();
    files.sort();
    files
}
