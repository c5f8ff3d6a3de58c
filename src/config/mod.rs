//! Configuration: YAML → raw → compiled, all problems at once.
//!
//! The text is read three times over: as a tree whose values know their places, which is compared with the JSON Schema (unknown
//! keys, missing keys, wrong types); into strict types; and from those into what runs (names, days, contradictions). Every stage
//! reports everything it finds, with line, column and the likely mend; what has no right type does not keep the rest from being
//! judged (`stand_in`). Only a text that is not YAML is reported alone. A configuration takes force whole, or the old one stays.

mod compile;
mod configuration;
pub mod document;
pub mod expiry;
pub mod law;
mod loader;
pub mod preset;
pub mod problem;
mod raw;
mod raw_destination;
mod shape;
mod sources;
mod stand_in;
mod suggest;
mod units;
mod yaml;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use compile::context::{Context, Source};
pub use configuration::{Configuration, restart_only_changes};
pub use law::Shipped;
use loader::Kept;
pub use loader::{Attempt, Loader};
pub use problem::{Problem, Problems, Severity};
pub use sources::Sources;
use yaml::Node;
pub use yaml::Trail;

use crate::model::Timestamp;

/// Where the admin listener is when the file does not say.
pub const ADMIN_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// The JSON Schema of the file.
static SCHEMA: LazyLock<serde_json::Value> =
    LazyLock::new(|| schemars::schema_for!(raw::Root).to_value());

/// A configuration that may take force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What runs.
    pub configuration: Configuration,
    /// What somebody should look at.
    pub warnings: Problems,
}

/// The file to read: `explicit`, else `./shekara.yaml`, else `/etc/shekara/shekara.yaml`.
///
/// # Errors
/// None of them is a file; names those that were looked for.
pub fn discover(explicit: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    let places = ["shekara.yaml", "/etc/shekara/shekara.yaml"];
    places
        .iter()
        .map(PathBuf::from)
        .find(|it| it.is_file())
        .ok_or_else(|| {
            "no configuration: neither ./shekara.yaml nor /etc/shekara/shekara.yaml is there; name one with --config, or write \
             one with `shekara init`"
                .to_owned()
        })
}

/// Reads and compiles the file at `path` under the shipped law. Relative paths in it are relative to its directory.
///
/// # Errors
/// Every problem, warnings included.
pub fn load(path: &Path, now: Timestamp) -> Result<Loaded, Problems> {
    load_under(path, now, &law::SHIPPED)
}

/// [`load`], under other texts of the law.
///
/// # Errors
/// Every problem, warnings included.
pub fn load_under(path: &Path, now: Timestamp, shipped: &Shipped<'_>) -> Result<Loaded, Problems> {
    loader::load_keeping(path, now, shipped, &mut Kept::default()).outcome
}

fn unreadable_file(file: &str, why: &str) -> Problems {
    let fix = if why.contains("UTF-8") {
        "save the file as UTF-8"
    } else {
        "name a readable file with --config"
    };
    Problems::new(vec![Problem {
        severity: Severity::Error,
        file: file.to_owned(),
        line: 0,
        column: 0,
        path: String::new(),
        message: format!("cannot read the configuration: {why}"),
        fix: Some(fix.to_owned()),
        excerpt: None,
    }])
}

/// Compiles `text`, called `file` in problems; relative paths in it are relative to `base`.
///
/// # Errors
/// Every problem, warnings included.
pub fn load_text(
    text: &str,
    file: &str,
    base: &Path,
    now: Timestamp,
    shipped: &Shipped<'_>,
) -> Result<Loaded, Problems> {
    let reading = Reading {
        text,
        file,
        base,
        now,
        shipped,
        runs_here: true,
    };
    compile_text(&reading, &mut Kept::default(), &mut Sources::default())
}

/// [`load_text`], for a configuration that judges here and runs elsewhere: its state directory is not looked at.
///
/// # Errors
/// Every problem, warnings included.
pub fn load_elsewhere(
    text: &str,
    file: &str,
    base: &Path,
    now: Timestamp,
    shipped: &Shipped<'_>,
) -> Result<Loaded, Problems> {
    let reading = Reading {
        text,
        file,
        base,
        now,
        shipped,
        runs_here: false,
    };
    compile_text(&reading, &mut Kept::default(), &mut Sources::default())
}

/// What is to be compiled, and how.
struct Reading<'a> {
    text: &'a str,
    /// Its name in problems.
    file: &'a str,
    /// What its relative paths are relative to.
    base: &'a Path,
    now: Timestamp,
    shipped: &'a Shipped<'a>,
    /// Whether its directories must be usable on this machine.
    runs_here: bool,
}

/// Compiles what `reading` says, with what is `kept` of earlier readings; notes in `sources` what else is read.
fn compile_text(
    reading: &Reading<'_>,
    kept: &mut Kept,
    sources: &mut Sources,
) -> Result<Loaded, Problems> {
    let source = Source {
        file: reading.file.to_owned(),
        text: reading.text,
    };
    let read = read(&source)?;
    let root = read.root;
    let mut context = Context::new(
        &source,
        &read.tree,
        reading.base.to_owned(),
        reading.now,
        (read.misfits, read.unread),
    );
    context.runs_here = reading.runs_here;
    let data_dir = compile::data_dir(&context, &root);
    let (law, unusable) = kept.law.load(reading.shipped, data_dir.as_deref(), sources);
    for it in unusable {
        context.report_of_file(it.file, it.place, it.message);
    }
    let configuration = compile::compile(&context, &root, &law, (reading.text, &kept.inspector));
    let (problems, read) = context.into_findings();
    *sources = std::mem::take(sources).and(&read);
    match configuration {
        Some(configuration) if !problems.has_errors() => Ok(Loaded {
            configuration,
            warnings: problems,
        }),
        Some(_) | None => Err(problems),
    }
}

/// A text as far as its shape goes.
struct Read {
    tree: Node,
    /// What it says, with stand-ins for what could not be read.
    root: raw::Root,
    /// Everything that has the wrong shape.
    misfits: Vec<Problem>,
    /// Where stand-ins are.
    unread: Vec<Trail>,
}

/// Reads the text. Everything that has the wrong shape is an error.
fn read(source: &Source<'_>) -> Result<Read, Problems> {
    let top = Trail::default();
    let unreadable =
        |it: yaml::Unreadable| source.problem(Severity::Error, it.place, &top, it.message, it.fix);
    let tree = yaml::tree(source.text).map_err(|mut it| {
        it.fix.get_or_insert_with(|| {
            "mend the YAML here; the rest is looked at once all of it can be read".to_owned()
        });
        Problems::new(vec![unreadable(it)])
    })?;
    let mut misfits: Vec<Problem> = shape::misfits(&tree, &SCHEMA)
        .into_iter()
        .map(|it| source.problem(Severity::Error, it.place, &it.trail, it.message, it.fix))
        .collect();
    let (root, unread) = match yaml::read(source.text) {
        Ok(root) => (Some(root), Vec::new()),
        Err(first) => {
            if misfits.is_empty() {
                misfits.push(unreadable(first));
            }
            let filled = stand_in::fill(source.text, &tree, &SCHEMA);
            (serde_json::from_value(filled.value).ok(), filled.unread)
        }
    };
    match root {
        Some(root) => Ok(Read {
            tree,
            root,
            misfits,
            unread,
        }),
        None => Err(Problems::new(misfits)),
    }
}

/// The admin listener's address that the file at `path` names, however wrong the rest of it is.
pub fn admin_address(path: &Path) -> Option<SocketAddr> {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(default)]
        admin: raw::Admin,
    }
    let text = std::fs::read_to_string(path).ok()?;
    let part: Part = yaml::read(&text).ok()?;
    part.admin.bind?.parse().ok()
}

/// The JSON Schema of the file.
pub fn schema() -> serde_json::Value {
    SCHEMA.clone()
}

#[cfg(test)]
mod tests;
