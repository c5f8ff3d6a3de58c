//! A test file read whole: its configuration compiled, its records and requests checked, every problem with its place.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    fixtures::{Reader, identifiers},
    message::{self, Sent},
    under::{self, Under},
    written::{self, Case, File, Registers, Subject},
};
use crate::{
    config::{
        self, Configuration, Problem, Problems, Severity, Trail, document::Document, law::SHIPPED,
    },
    gatekeeper::{
        keys::{Keys, SubjectKey},
        memory::MemoryRegisters,
    },
    model::{Timestamp, decision::Verdict, subject::Identifier},
};

/// Policy tests of one file, ready to run.
#[derive(Debug)]
pub struct Suite {
    /// The file, as it was named.
    pub file: String,
    written: File,
    configuration: Configuration,
}

/// A case with everything it is run on.
#[derive(Debug)]
pub(super) struct Ready<'a> {
    pub(super) case: &'a Case,
    pub(super) at: Timestamp,
    pub(super) registers: MemoryRegisters,
    pub(super) sent: Sent,
    pub(super) under: Under<'a>,
}

impl Suite {
    /// Reads the file at `path`, and the configuration it names.
    ///
    /// # Errors
    /// Every problem of either.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| unreadable(&file, &format!("cannot read the tests: {error}")))?;
        let base = path.parent().unwrap_or(Path::new(""));
        Self::parse(text, file, base)
    }

    /// Reads `text`, called `file` in problems; relative paths in it are relative to `base`.
    ///
    /// # Errors
    /// Every problem.
    pub fn parse(text: String, file: String, base: &Path) -> Result<Self, Problems> {
        let inline = inline_configuration(&text);
        let document: Document<File> = Document::read(text, file.clone())?;
        let configuration = load(&document, inline.as_deref(), &file, base)?;
        let problems = problems(&document, &configuration);
        if problems.is_empty() {
            Ok(Self {
                file,
                written: document.value,
                configuration,
            })
        } else {
            Err(Problems::new(problems))
        }
    }

    /// Names of the cases, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.written.cases.iter().map(|it| it.name.as_str())
    }

    /// Name and citations of each case, in order.
    pub fn citations(&self) -> impl Iterator<Item = (&str, &[String])> {
        let cases = self.written.cases.iter();
        cases.map(|it| (it.name.as_str(), it.cites.as_slice()))
    }

    /// Verdict that each case expects, in order.
    pub fn verdicts(&self) -> impl Iterator<Item = (&str, Verdict)> {
        let cases = self.written.cases.iter();
        cases.map(|it| (it.name.as_str(), it.expect.verdict))
    }

    /// Ids of the setting's consents.
    pub fn consents(&self) -> Vec<Arc<str>> {
        self.written.setting.registers.consents().cloned().collect()
    }

    /// These tests with the record `id` gone from the setting: a test of the tests.
    #[must_use]
    pub fn without(mut self, id: &str) -> Self {
        let registers = std::mem::take(&mut self.written.setting.registers);
        self.written.setting.registers = registers.without(&[id].into());
        self
    }

    pub(super) const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The cases, each on its own records.
    pub(super) fn ready(&self) -> impl Iterator<Item = Ready<'_>> {
        let keys = keys();
        self.written.cases.iter().filter_map(move |case| {
            let setting = &self.written.setting;
            let gone: BTreeSet<&str> = case.without.iter().map(String::as_str).collect();
            let registers = setting.registers.clone().without(&gone);
            let reader = Reader {
                operator: &self.configuration.operator,
                keys: &keys,
            };
            Some(Ready {
                case,
                at: case.at.unwrap_or(setting.clock),
                registers: reader.registers(&registers.and(&case.registers)),
                sent: message::sent(&case.request).ok()?,
                under: under::of(&self.configuration, case).ok()?,
            })
        })
    }
}

/// Keys of no installation: the same in every run, so that runs compare.
pub(super) fn keys() -> Keys {
    Keys::new(SubjectKey::new(1, &[1; 32]), Vec::new(), &[2; 32])
}

fn unreadable(file: &str, message: &str) -> Problems {
    Problems::new(vec![Problem {
        severity: Severity::Error,
        file: file.to_owned(),
        line: 0,
        column: 0,
        path: String::new(),
        message: message.to_owned(),
        fix: None,
        excerpt: None,
    }])
}

/// The block below `configuration:`, on the lines and in the columns where it stands, so that its problems have their places.
fn inline_configuration(text: &str) -> Option<String> {
    let mut lines = text.lines();
    let above = lines.by_ref().take_while(|it| !starts_inline(it)).count();
    if above == text.lines().count() {
        return None;
    }
    let is_inside = |it: &&str| it.is_empty() || it.starts_with([' ', '#', '\t']);
    let mut block = "\n".repeat(above + 1);
    for line in lines.take_while(is_inside) {
        block.push_str(line);
        block.push('\n');
    }
    Some(block)
}

fn starts_inline(line: &str) -> bool {
    line.strip_prefix("configuration:")
        .is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with('#'))
}

/// The configuration under test. Its warnings are the matter of `check`.
fn load(
    document: &Document<File>,
    inline: Option<&str>,
    file: &str,
    base: &Path,
) -> Result<Configuration, Problems> {
    let top = Trail::default();
    let now = document.value.setting.clock;
    let one = |at: &str, message: &str, fix: &str| {
        Problems::new(vec![document.problem(&top.key(at), message, fix)])
    };
    let loaded = match (
        &document.value.config,
        &document.value.configuration,
        inline,
    ) {
        (Some(_), Some(_), _) => {
            let fix = "keep `config:` or `configuration:`";
            return Err(one("configuration", "two configurations", fix));
        }
        (Some(path), None, _) => {
            let path: PathBuf = base.join(path);
            let named = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| {
                let message = format!("cannot read {named}: {error}");
                one(
                    "config",
                    &message,
                    "name a configuration, relative to this file",
                )
            })?;
            let beside = path.parent().unwrap_or(base);
            config::load_elsewhere(&text, &named, beside, now, &SHIPPED)
        }
        (None, Some(_), Some(text)) => config::load_elsewhere(text, file, base, now, &SHIPPED),
        (None, Some(_), None) => {
            let fix = "write `configuration:` alone on its line, and its keys indented below";
            return Err(one("configuration", "it is not a block of its own", fix));
        }
        (None, None, _) => {
            let fix = "add `config: shekara.yaml`, or `configuration:` with its keys below";
            return Err(one("config", "no configuration to test", fix));
        }
    };
    loaded.map(|it| it.configuration)
}

/// What is wrong beside the shape.
fn problems(document: &Document<File>, configuration: &Configuration) -> Vec<Problem> {
    let file = &document.value;
    let top = Trail::default();
    let cases = top.key("cases");
    let mut problems = Vec::new();
    if file.cases.is_empty() {
        let fix = "add one: name, request, expect";
        problems.push(document.problem(&cases, "there is no case", fix));
    }
    let registers = &file.setting.registers;
    let at = top.key("setting").key("registers");
    problems.extend(record_problems(document, &at, registers, &[]));
    let mut names = BTreeSet::new();
    for (index, case) in file.cases.iter().enumerate() {
        let at = cases.index(index);
        if !names.insert(case.name.as_str()) {
            let message = format!("two cases are called `{}`", case.name);
            problems.push(document.problem(&at.key("name"), message, "give each its own name"));
        }
        let known: Vec<&str> = registers.ids().map(|it| &**it).collect();
        let own = at.key("registers");
        let is_left = |it: &&str| !case.without.iter().any(|gone| gone == it);
        let left: Vec<&str> = known.iter().copied().filter(is_left).collect();
        problems.extend(record_problems(document, &own, &case.registers, &left));
        problems.extend(case_problems(document, &at, case, configuration, &known));
    }
    problems
}

fn case_problems(
    document: &Document<File>,
    at: &Trail,
    case: &Case,
    configuration: &Configuration,
    known: &[&str],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, id) in case.without.iter().enumerate() {
        if !known.contains(&id.as_str()) {
            let at = at.key("without").index(index);
            problems.push(document.unknown(&at, "record", id, known.iter().copied()));
        }
    }
    if let Err(found) = under::of(configuration, case) {
        problems.push(match found {
            under::Wrong::Unknown(code) => {
                let codes = configuration.profiles.keys().map(|it| &**it);
                document.unknown(&at.key("profile"), "profile", code, codes)
            }
            under::Wrong::Elsewhere(regime) => document.problem(
                &at.key("profile"),
                format!("the profile reads {regime}, which applies to no destination"),
                format!("add {regime} to `regimes:` of the configuration"),
            ),
        });
    }
    if let Err((key, message, fix)) = message::sent(&case.request) {
        problems.push(document.problem(&at.key("request").key(key), message, fix));
    }
    let expect = at.key("expect");
    if case.expect.verdict != Verdict::Allow && case.expect.reason.is_none() {
        let message = "a refusal or reduction without its primary reason";
        let fix = "add `reason:`, such as no-consent: a refusal for another reason is no success";
        problems.push(document.problem(&expect, message, fix));
    }
    for facet in case.expect.carriers.keys() {
        if !FACETS.contains(&facet.as_str()) {
            let at = expect.key("carriers").key(facet);
            problems.push(document.unknown(&at, "facet", facet, FACETS));
        }
    }
    problems
}

/// Names of the facets, as in `carriers`.
const FACETS: [&str; 2] = ["third-party", "cross-border"];

fn record_problems(
    document: &Document<File>,
    at: &Trail,
    registers: &Registers,
    elsewhere: &[&str],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ids: BTreeSet<&str> = elsewhere.iter().copied().collect();
    for id in registers.ids() {
        if !ids.insert(id) {
            let message = format!("two records have the id `{id}`");
            problems.push(document.problem(at, message, "give each record its own id"));
        }
    }
    let mut names = BTreeSet::new();
    for (index, subject) in registers.subjects.iter().enumerate() {
        let at = at.key("subjects").index(index);
        if !names.insert(subject.name.as_str()) {
            let message = format!("two subjects are called `{}`", subject.name);
            problems.push(document.problem(&at.key("name"), message, "give each its own name"));
        }
        problems.extend(subject_problems(document, &at, subject));
    }
    problems
}

fn subject_problems(document: &Document<File>, at: &Trail, subject: &Subject) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (kind, message) in identifiers(&subject.identifiers).filter_map(Result::err) {
        let at = at.key("identifiers").key(kind);
        let fix = "write it as a message would, under email, phone, national-id, id-document or internal-id";
        problems.push(document.problem(&at, message, fix));
    }
    for (index, consent) in subject.consents.iter().enumerate() {
        let at = at.key("consents").index(index);
        let written::Consent {
            cross_border,
            addresses,
            ..
        } = consent;
        if cross_border.as_ref().is_some_and(BTreeSet::is_empty) {
            let fix = "name one, or leave the key out for none";
            problems.push(document.problem(&at.key("cross_border"), "names no country", fix));
        }
        for (kind, _) in addresses.iter().filter(|(_, it)| it.0.is_empty()) {
            let fix = "name one, or leave the key out for any";
            let at = at.key("addresses").key(kind);
            problems.push(document.problem(&at, "names no address", fix));
        }
        for (kind, message) in identifiers(addresses).filter_map(address_problem) {
            let fix = "write it as a message would, under email or phone";
            let at = at.key("addresses").key(kind);
            problems.push(document.problem(&at, message, fix));
        }
    }
    problems
}

/// What is wrong with an address of a consent.
fn address_problem(read: Result<Identifier, (&str, String)>) -> Option<(&str, String)> {
    match read {
        Ok(it) if it.kind.is_address() => None,
        Ok(it) => Some((it.kind.as_str(), "is no address".to_owned())),
        Err(problem) => Some(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_configuration_keeps_its_lines() {
        let text = "# tests\nconfiguration: # under test\n  version: 1\n\n  mode: enforce\nsetting:\n  clock: x\n";
        let block = inline_configuration(text).unwrap();
        assert_eq!(block, "\n\n  version: 1\n\n  mode: enforce\n");
        assert_eq!(inline_configuration("config: a.yaml\n"), None);
        assert_eq!(inline_configuration("configuration: {version: 1}\n"), None);
    }
}
