//! Regimes, profiles and reasons: shipped texts, replaceable file by file from `data_dir`, each with its version.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use aws_lc_rs::digest;
use serde::de::DeserializeOwned;

use super::{sources::Sources, yaml};
use crate::{
    gatekeeper::keys::hex,
    model::{
        decision::ReasonCode,
        law::{Profile, Regime},
    },
    policy::{ReasonTable, data, reasons::ReasonEntry},
};

/// Texts of the law: file name (`regimes/kz-94v.yaml`) and YAML.
#[derive(Clone, Copy, Debug)]
pub struct Shipped<'a> {
    /// Regimes.
    pub regimes: &'a [(&'a str, &'a str)],
    /// Profiles.
    pub profiles: &'a [(&'a str, &'a str)],
    /// The table of reasons, `messages/reasons.yaml`.
    pub reasons: (&'a str, &'a str),
}

/// Name of the table of reasons.
const REASONS: &str = "messages/reasons.yaml";

/// What this program carries.
pub const SHIPPED: Shipped<'static> = Shipped {
    regimes: data::REGIMES,
    profiles: data::PROFILES,
    reasons: data::REASONS,
};

/// The law, read.
#[derive(Debug, Default)]
pub(super) struct Law {
    /// By code.
    pub(super) regimes: BTreeMap<Arc<str>, Arc<Regime>>,
    /// By code.
    pub(super) profiles: BTreeMap<Arc<str>, Arc<Profile>>,
    /// Every reason.
    pub(super) reasons: Arc<ReasonTable>,
    /// File (`regimes/kz-94v.yaml`) to the first 16 hex digits of its SHA-256.
    pub(super) versions: BTreeMap<String, String>,
}

/// A data file that cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    /// Which.
    pub(super) file: String,
    /// Where in it.
    pub(super) place: yaml::Place,
    /// What is wrong.
    pub(super) message: String,
}

/// First 16 hex digits of the SHA-256 of `text`.
pub(super) fn version(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex(hash.as_ref().get(..8).unwrap_or_default())
}

/// The law as it was last read: texts that are the same are not read again.
#[derive(Debug, Default)]
pub(super) struct LawCache {
    texts: BTreeMap<String, String>,
    law: Arc<Law>,
}

impl LawCache {
    /// Reads the shipped texts, each replaced by the file of its name under `data_dir`; further files there are added.
    pub(super) fn load(
        &mut self,
        shipped: &Shipped<'_>,
        data_dir: Option<&Path>,
        sources: &mut Sources,
    ) -> (Arc<Law>, Vec<Unusable>) {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut problems = Vec::new();
        let files = shipped.regimes.iter().chain(shipped.profiles);
        for (name, text) in files.chain([&shipped.reasons]) {
            texts.insert((*name).to_owned(), (*text).to_owned());
        }
        if let Some(dir) = data_dir {
            for folder in ["regimes", "profiles", "messages"] {
                let path = dir.join(folder);
                sources.note_folder(&path);
                replace(&path, folder, &mut texts, (&mut problems, sources));
            }
        }
        if problems.is_empty() && texts == self.texts {
            return (Arc::clone(&self.law), problems);
        }
        let law = Arc::new(parse(&texts, &mut problems));
        if problems.is_empty() {
            self.texts = texts;
            self.law = Arc::clone(&law);
        }
        (law, problems)
    }
}

/// Puts the `.yaml` files of `dir` over `texts`. A folder that is not there replaces nothing.
fn replace(
    dir: &Path,
    folder: &str,
    texts: &mut BTreeMap<String, String>,
    (problems, sources): (&mut Vec<Unusable>, &mut Sources),
) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for path in entries.filter_map(|it| Some(it.ok()?.path())) {
        let is_yaml = path.extension().is_some_and(|it| it == "yaml");
        let Some(name) = path.file_name().filter(|_| is_yaml) else {
            continue;
        };
        let text = std::fs::read_to_string(&path);
        sources.note(&path, text.as_ref().ok().map(|it| it.as_bytes()));
        match text {
            Ok(text) => {
                texts.insert(format!("{folder}/{}", name.to_string_lossy()), text);
            }
            Err(error) => problems.push(Unusable {
                file: path.display().to_string(),
                place: yaml::Place::default(),
                message: format!("cannot be read: {error}"),
            }),
        }
    }
}

fn parse(texts: &BTreeMap<String, String>, problems: &mut Vec<Unusable>) -> Law {
    let mut law = Law::default();
    for (file, text) in texts {
        law.versions.insert(file.clone(), version(text));
        if file.starts_with("regimes/") {
            if let Some(it) = read::<Regime>(file, text, problems) {
                law.regimes.insert(Arc::clone(&it.code), Arc::new(it));
            }
        } else if file.starts_with("profiles/") {
            if let Some(it) = read::<Profile>(file, text, problems) {
                law.profiles.insert(Arc::clone(&it.code), Arc::new(it));
            }
        } else if file == REASONS {
            law.reasons = Arc::new(reasons(file, text, problems));
        }
    }
    law
}

fn reasons(file: &str, text: &str, problems: &mut Vec<Unusable>) -> ReasonTable {
    let entries = read::<BTreeMap<ReasonCode, ReasonEntry>>(file, text, problems);
    match entries.map(ReasonTable::new) {
        Some(Ok(table)) => table,
        Some(Err(message)) => {
            problems.push(Unusable {
                file: file.to_owned(),
                place: yaml::Place::default(),
                message,
            });
            ReasonTable::default()
        }
        None => ReasonTable::default(),
    }
}

fn read<T: DeserializeOwned>(file: &str, text: &str, problems: &mut Vec<Unusable>) -> Option<T> {
    match yaml::read(text) {
        Ok(it) => Some(it),
        Err(error) => {
            problems.push(Unusable {
                file: file.to_owned(),
                place: error.place,
                message: error.message,
            });
            None
        }
    }
}
