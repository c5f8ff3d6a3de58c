//! `consent import`: one consent a line.
//!
//! ```json
//! {"id": "crm-1", "identifiers": {"email": "…", "phone": ["…", "…"]}, "given_at": "2026-11-20T10:00:00+05:00",
//!  "from": "2026-11-20", "until": "purpose", "third_party": "any", "cross_border": ["DE"], "categories": ["email"],
//!  "purposes": ["marketing.email"], "evidence": {"method": "web-checkbox", "ref": "form-1", "text": "t", "version": "1",
//!  "sha256": "…", "locale": "kk", "at": "2026-11-20T10:00:00+05:00"}}
//! ```
//! `"only_these_addresses": true` limits the consent to the e-mails and phones among the identifiers; a kind that is not among
//! them is not limited.
//!
//! Every line is read before anything is written; one bad line refuses the file. The id is required, so that a file imported
//! twice changes nothing.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{
    cli::{
        Failure,
        register::{Session, Terminal, subject, usage, vocabulary},
    },
    model::{CategorySet, Country, Purpose, consent::address_scope, subject::Identifier},
    store::{
        Error,
        writer::{ConsentTerms, NewConsent, Whose},
    },
};

/// Problems shown; the rest is counted.
const PROBLEMS_MAX: usize = 1_000;

const FIELDS: &[&str] = &[
    "id",
    "identifiers",
    "operator",
    "given_at",
    "from",
    "until",
    "third_party",
    "cross_border",
    "public",
    "categories",
    "purposes",
    "channels",
    "only_these_addresses",
    "representative",
    "notify_subject",
    "evidence",
];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File with one consent a line, or `-` for standard input
    file: PathBuf,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let read = if args.file == Path::new("-") {
        read(&mut *terminal.input, session)?
    } else {
        let file = File::open(&args.file).map_err(|error| cannot_read(&args.file, &error))?;
        read(&mut BufReader::new(file), session)?
    };
    let (consents, lines): (Vec<NewConsent>, Vec<u64>) = read.into_iter().unzip();
    let saved = session
        .writer()?
        .grant_all(&consents)
        .map_err(|problems| refused(&problems, &lines))?;
    let repeated = saved.iter().filter(|it| it.repeated).count();
    terminal.line(format_args!("imported {}", saved.len() - repeated))?;
    terminal.line(format_args!("recorded before {repeated}"))?;
    match saved.iter().rfind(|it| !it.repeated) {
        Some(last) => terminal.line(format_args!("recorded {}", last.at)),
        None => Ok(()),
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    usage(&[format!("cannot read {}: {}", path.display(), error.kind())])
}

/// Every consent with the number of its line, or every problem.
fn read(
    input: &mut (impl BufRead + ?Sized),
    session: &Session<'_>,
) -> Result<Vec<(NewConsent, u64)>, Failure> {
    let mut consents = Vec::new();
    let mut problems = Vec::new();
    let mut line = Zeroizing::new(String::new());
    for number in 1.. {
        line.clear();
        match input.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) if line.trim().is_empty() => continue,
            Ok(_) => {}
            Err(error) => {
                return Err(usage(&[format!(
                    "line {number}: cannot be read: {}",
                    error.kind()
                )]));
            }
        }
        match parse(&line, session) {
            Ok(it) => consents.push((it, number)),
            Err(found) => {
                problems.extend(found.into_iter().map(|it| format!("line {number}: {it}")))
            }
        }
    }
    if problems.is_empty() {
        Ok(consents)
    } else {
        Err(failure(problems))
    }
}

fn refused(problems: &[(Option<usize>, Error)], lines: &[u64]) -> Failure {
    let problems = problems
        .iter()
        .map(|(place, error)| {
            let line = place.and_then(|it| lines.get(it));
            match (line, error) {
                (Some(line), Error::Invalid { .. }) => format!("line {line}: {error}"),
                (Some(line), Error::Unknown { .. }) => {
                    format!("line {line}: representative: {error}")
                }
                (Some(line), Error::IdTaken(_)) => format!("line {line}: id: {error}"),
                (Some(line), _) => format!("line {line}: identifiers: {error}"),
                (None, _) => error.to_string(),
            }
        })
        .collect();
    failure(problems)
}

fn failure(mut problems: Vec<String>) -> Failure {
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    problems.truncate(PROBLEMS_MAX);
    if more > 0 {
        problems.push(format!("and {more} more"));
    }
    problems.push("nothing was imported".to_owned());
    Failure::new(problems.join("\n"))
}

/// One line, or all its problems as `field: problem`.
fn parse(line: &str, session: &Session<'_>) -> Result<NewConsent, Vec<String>> {
    let mut fields = Fields {
        map: serde_json::from_str(line).map_err(|error| {
            // The parser's own words may quote the line.
            vec![format!(
                "column {}: not a JSON object on one line",
                error.column()
            )]
        })?,
        problems: Vec::new(),
    };
    let id: Option<Arc<str>> = fields.required(
        "id",
        "the operator's own reference, so that a repeated import changes nothing",
    );
    let identifiers = fields.identifiers();
    let known = session.context.purposes;
    fields.check_words::<Purpose>("purposes", |it| vocabulary::purpose(it, known));
    fields.check_words::<Country>("cross_border", vocabulary::country);
    fields.check_words::<CategorySet>("categories", vocabulary::categories);
    if let Some(bin) = session.context.operator_bin
        && !fields.map.contains_key("operator")
    {
        fields.map.insert("operator".to_owned(), bin.into());
    }
    let only_these = fields.optional("only_these_addresses").unwrap_or(false);
    let references = subject::references(&identifiers, session);
    let mut terms = fields.terms();
    if only_these && let Some(terms) = &mut terms {
        terms.addresses = address_scope(references.iter().map(|it| it.current));
        if terms.addresses.is_empty() {
            fields.problems.push(
                "only_these_addresses: no address is named; give an email or phone in `identifiers`"
                    .to_owned(),
            );
        }
    }
    fields.refuse_rest();
    if let Some(terms) = &terms
        && fields.problems.is_empty()
    {
        let found = terms.problems();
        fields.problems.extend(
            found
                .into_iter()
                .map(|(field, problem)| format!("{field}: {problem}")),
        );
    }
    match (id, terms) {
        (Some(id), Some(terms)) if fields.problems.is_empty() => Ok(NewConsent {
            id: Some(id),
            whose: Whose::Identified(references),
            terms,
        }),
        _ => Err(fields.problems),
    }
}

/// Fields of a line that are not read yet, and the problems so far.
struct Fields {
    map: Map<String, Value>,
    problems: Vec<String>,
}

impl Fields {
    fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.map.remove(name).filter(|it| !it.is_null())?;
        match serde_json::from_value(value) {
            Ok(it) => Some(it),
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                None
            }
        }
    }

    fn required<T: DeserializeOwned>(&mut self, name: &str, give: &str) -> Option<T> {
        if self.map.get(name).is_none_or(Value::is_null) {
            self.problems
                .push(format!("{name}: is missing; give {give}"));
            return None;
        }
        self.optional(name)
    }

    fn terms(&mut self) -> Option<ConsentTerms> {
        let operator = self.required("operator", "the BIN of the operator it was given to");
        let given_at = self.required("given_at", "the instant it was given");
        let from = self.required("from", "the first day it holds");
        let until = self.required("until", "{\"day\": …}, {\"programme\": …} or \"purpose\"");
        let categories = self.required("categories", "the categories of data");
        let purposes = self.required("purposes", "the purposes");
        let evidence = self.required(
            "evidence",
            "method, ref, text, version, sha256, locale and at",
        );
        let third_party = self.optional("third_party");
        let cross_border = self.optional("cross_border");
        let public = self.optional("public").unwrap_or_default();
        let channels = self.optional("channels").unwrap_or_default();
        let representative = self.optional("representative");
        let notify_subject = self.optional("notify_subject").unwrap_or_default();
        Some(ConsentTerms {
            operator: operator?,
            given_at: given_at?,
            from: from?,
            until: until?,
            third_party,
            cross_border,
            public,
            categories: categories?,
            purposes: purposes?,
            channels,
            addresses: BTreeSet::new(),
            representative,
            notify_subject,
            evidence: evidence?,
        })
    }

    /// Replaces the problem of an unknown word by one that names the nearest; the field is emptied then, so that
    /// it is told once.
    fn check_words<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) {
        let Some(Value::Array(words)) = self.map.get(name) else {
            return;
        };
        let problems: Vec<String> = words
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|it| parse(it).err())
            .map(|problem| format!("{name}: {problem}"))
            .collect();
        if !problems.is_empty() {
            self.map.insert(name.to_owned(), Value::Array(Vec::new()));
            self.problems.extend(problems);
        }
    }

    /// The identifiers. Their problems never quote them.
    fn identifiers(&mut self) -> Vec<Identifier> {
        let mut identifiers = Vec::new();
        let Some(Value::Object(given)) = self.map.remove("identifiers") else {
            self.problems.push(
                "identifiers: is missing; give an object such as {\"email\": …, \"phone\": [ … ]}"
                    .to_owned(),
            );
            return identifiers;
        };
        for (kind, value) in given {
            let values = if let Value::Array(values) = value {
                values
            } else {
                vec![value]
            };
            for value in values {
                match one_identifier(&kind, &value) {
                    Ok(it) => identifiers.push(it),
                    Err(problem) => self.problems.push(problem),
                }
            }
        }
        if identifiers.is_empty() && self.problems.is_empty() {
            self.problems
                .push("identifiers: is empty; give at least one".to_owned());
        }
        identifiers
    }

    fn refuse_rest(&mut self) {
        for name in std::mem::take(&mut self.map).keys() {
            let known = vocabulary::nearest(name, FIELDS.iter().copied());
            let problem = match known {
                Some(right) => format!("unknown field; did you mean `{right}`?"),
                None => format!("unknown field; known are {}", FIELDS.join(", ")),
            };
            self.problems.push(format!("{name}: {problem}"));
        }
    }
}

fn one_identifier(kind: &str, value: &Value) -> Result<Identifier, String> {
    let kind =
        vocabulary::identifier_kind(kind).map_err(|it| format!("identifiers: a key is {it}"))?;
    let name = kind.as_str();
    let text = value
        .as_str()
        .ok_or_else(|| format!("identifiers.{name}: is not a text; put it in quotes"))?;
    subject::identifier(kind, text).map_err(|problem| format!("identifiers.{name}: {problem}"))
}
