//! `basis list` and `basis show`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::{
        Failure,
        register::{
            Format, Session, Terminal, View,
            layout::{columns, join, parties, word},
            state::{self, State},
            subject,
        },
    },
    model::{
        Timestamp, UtcOffset,
        consent::Basis,
        evidence::{General, SubjectRecord},
    },
    store::{self, writer::Whose},
};

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    view: View,
}

#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Id of the basis
    id: String,
    #[command(flatten)]
    view: View,
}

pub(super) fn list(
    args: &ListArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let at = args.view.at(session)?;
    let whose = args
        .subject
        .is_given()
        .then(|| subject::read(&args.subject, session, terminal))
        .transpose()?;
    let mut reader = session.reader()?;
    let state = reader.state()?;
    let record = match &whose {
        Some(whose) => Some(state.record(whose)?.ok_or(store::Error::UnknownSubject)?),
        None => None,
    };
    let shown = Shown {
        record,
        general: state.general()?,
        at,
        offset: session.context.utc_offset,
    };
    let bases = match &shown.record {
        Some(record) => &record.bases,
        None => &shown.general.bases,
    };
    match args.view.format {
        Format::Json => {
            let all: Vec<Value> = bases.iter().map(|it| shown.json(it)).collect();
            terminal.line(json!({"at": at, "bases": all}))
        }
        Format::Text => terminal.line(shown.table(bases).trim_end()),
    }
}

pub(super) fn show(
    args: &ShowArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let at = args.view.at(session)?;
    let mut reader = session.reader()?;
    let state = reader.state()?;
    let basis = state
        .basis(&args.id)?
        .ok_or_else(|| store::Error::Unknown {
            what: "basis",
            id: args.id.clone(),
        })?;
    let record = match &basis.subject {
        Some(id) => state.record(&Whose::Subject(id.clone()))?,
        None => None,
    };
    let shown = Shown {
        record,
        general: state.general()?,
        at,
        offset: session.context.utc_offset,
    };
    match args.view.format {
        Format::Json => terminal.line(shown.json(&basis)),
        Format::Text => terminal.line(shown.full(&basis).trim_end()),
    }
}

/// What the state of a basis is computed from.
struct Shown {
    record: Option<SubjectRecord>,
    general: General,
    at: Timestamp,
    offset: UtcOffset,
}

impl Shown {
    fn state(&self, basis: &Basis) -> State {
        let record = self.record.as_ref();
        state::of_basis(basis, record, &self.general, self.at, self.offset)
    }

    fn json(&self, basis: &Basis) -> Value {
        json!({"state": self.state(basis), "basis": basis})
    }

    fn table(&self, bases: &[Basis]) -> String {
        let head = [
            "ID",
            "STATE",
            "KIND",
            "FACETS",
            "FROM",
            "UNTIL",
            "PURPOSES",
            "COUNTRIES",
            "RECIPIENTS",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(bases.iter().map(|it| {
            [
                it.id.to_string(),
                self.state(it).as_str().to_owned(),
                word(&it.kind),
                join(it.facets.iter().map(word)),
                it.from.to_string(),
                until(it),
                join(&it.purposes),
                or_none(join(&it.countries)),
                parties(Some(&it.parties)),
            ]
        }));
        columns(&rows)
    }

    fn full(&self, it: &Basis) -> String {
        let subject = it.subject.as_ref();
        let mut text = String::new();
        for (name, value) in [
            ("basis", it.id.to_string()),
            ("state", self.state(it).as_str().to_owned()),
            (
                "subject",
                subject.map_or_else(|| "everybody".to_owned(), ToString::to_string),
            ),
            ("kind", word(&it.kind)),
            (
                "document",
                format!("{} of {}", it.document, it.document_date),
            ),
            ("facets", join(it.facets.iter().map(word))),
            ("from", it.from.to_string()),
            ("until", until(it)),
            ("purposes", join(&it.purposes)),
            ("categories", join(it.categories.iter())),
            ("recipients", parties(Some(&it.parties))),
            ("countries", or_none(join(&it.countries))),
            (
                "obligation",
                if it.obligation_open { "open" } else { "none" }.to_owned(),
            ),
            (
                "recorded",
                format!("{} by {}", it.recorded.at, it.recorded.by),
            ),
        ] {
            let _infallible = writeln!(text, "{name:<13} {value}");
        }
        text
    }
}

fn until(it: &Basis) -> String {
    it.until
        .map_or_else(|| "none".to_owned(), |day| day.to_string())
}

fn or_none(text: String) -> String {
    if text.is_empty() {
        "none".to_owned()
    } else {
        text
    }
}
