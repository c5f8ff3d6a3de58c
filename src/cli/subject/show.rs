//! `subject show`: everything on record about a person, computed at a time. No identifier.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::{
        Failure,
        register::{
            Format, Session, Terminal, View,
            layout::{join, parties, purpose_end, until, word},
            state::{self, State},
            subject,
        },
    },
    model::{
        Timestamp, UtcOffset,
        consent::ObjectionTarget,
        evidence::{General, SubjectRecord},
    },
    store,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    view: View,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let at = args.view.at(session)?;
    let whose = subject::read(&args.subject, session, terminal)?;
    let mut reader = session.reader()?;
    let state = reader.state()?;
    let shown = Shown {
        record: state.record(&whose)?.ok_or(store::Error::UnknownSubject)?,
        general: state.general()?,
        at,
        offset: session.context.utc_offset,
    };
    match args.view.format {
        Format::Json => terminal.line(shown.json()),
        Format::Text => terminal.line(shown.text().trim_end()),
    }
}

/// A subject's record at a time, in words.
struct Shown {
    record: SubjectRecord,
    general: General,
    at: Timestamp,
    offset: UtcOffset,
}

/// One record: its kind, its state, what it says in a line, and as it is.
struct Entry {
    kind: &'static str,
    state: State,
    says: String,
    body: Value,
}

impl Shown {
    fn entries(&self) -> Vec<Entry> {
        let mut entries = self.consents();
        entries.extend(self.withdrawals());
        entries.extend(self.bases());
        entries.extend(self.restrictions());
        entries.extend(self.objections());
        entries.extend(self.representatives());
        entries.extend(self.purpose_ends());
        entries
    }

    fn consents(&self) -> Vec<Entry> {
        let entry = |it| {
            let state = state::of(it, &self.record, &self.general, self.at, self.offset);
            let countries = it
                .cross_border
                .as_ref()
                .map_or_else(|| "none".to_owned(), join);
            let says = format!(
                "{} for {} from {} until {}, recipients {}, countries {countries}",
                it.id,
                join(&it.purposes),
                it.from,
                until(&it.until),
                parties(it.third_party.as_ref()),
            );
            entry("consent", state, says, json!(it))
        };
        self.record.consents.iter().map(entry).collect()
    }

    fn withdrawals(&self) -> Vec<Entry> {
        let entry = |it: &crate::model::consent::Withdrawal| {
            let state = match &it.refused_reason {
                Some(_) => State::Refused,
                None => recorded(it.recorded.at, self.at),
            };
            let what = it.consent.as_deref().unwrap_or("all");
            let says = format!("{} of {what} filed {}", it.id, it.filed_at);
            entry("withdrawal", state, says, json!(it))
        };
        self.record.withdrawals.iter().map(entry).collect()
    }

    fn bases(&self) -> Vec<Entry> {
        let entry = |it| {
            let of = Some(&self.record);
            let state = state::of_basis(it, of, &self.general, self.at, self.offset);
            let says = format!(
                "{} {} for {} from {}, document {}",
                it.id,
                word(&it.kind),
                join(&it.purposes),
                it.from,
                it.document,
            );
            entry("basis", state, says, json!(it))
        };
        self.record.bases.iter().map(entry).collect()
    }

    fn restrictions(&self) -> Vec<Entry> {
        let entry = |it: &crate::model::consent::Restriction| {
            let allowed = if it.allowed_purposes.is_empty() {
                "nothing".to_owned()
            } else {
                join(&it.allowed_purposes)
            };
            let says = format!("{} {} from {}, allows {allowed}", it.id, it.reason, it.from);
            let state = lifted(it.from, it.lifted_at, self.at);
            entry("restriction", state, says, json!(it))
        };
        self.record.restrictions.iter().map(entry).collect()
    }

    fn objections(&self) -> Vec<Entry> {
        let entry = |it: &crate::model::consent::Objection| {
            let against = match &it.against {
                ObjectionTarget::Basis(id) => format!("basis {id}"),
                ObjectionTarget::Kind(kind) => format!("every {}", word(kind)),
            };
            let mut says = format!("{} against {against} from {}", it.id, it.from);
            if let Some(record) = &it.lifted_record {
                let _infallible = write!(says, ", lifted on {record}");
            }
            let state = lifted(it.from, it.lifted_at, self.at);
            entry("objection", state, says, json!(it))
        };
        self.record.objections.iter().map(entry).collect()
    }

    fn representatives(&self) -> Vec<Entry> {
        let entry = |it: &crate::model::consent::Representative| {
            let end = it
                .until
                .map_or_else(|| "without end".to_owned(), |day| format!("until {day}"));
            let says = format!(
                "{} {} from {} {end}, document {}",
                it.id, it.kind, it.from, it.document
            );
            let state = state::term(it.from, it.until, self.at, self.offset);
            let state = state.unwrap_or(State::Standing);
            entry("representative", state, says, json!(it))
        };
        self.record.representatives.iter().map(entry).collect()
    }

    fn purpose_ends(&self) -> Vec<Entry> {
        let entry = |it: &crate::model::consent::PurposeEnd| {
            let state = lifted(it.at, None, self.at);
            entry("purpose-end", state, purpose_end(it), json!(it))
        };
        self.record.purpose_ends.iter().map(entry).collect()
    }

    /// Whether a representative must act, and one may.
    fn representation(&self) -> Option<&'static str> {
        let until = self.record.needs_representative_until?;
        if self.at >= until.end(self.offset) {
            return Some("no longer required");
        }
        let term = |it: &crate::model::consent::Representative| {
            state::term(it.from, it.until, self.at, self.offset)
        };
        let mut all = self.record.representatives.iter();
        Some(if all.any(|it| term(it).is_none()) {
            "required, and one is on record"
        } else {
            "required, and none is on record"
        })
    }

    fn json(&self) -> Value {
        let records: Vec<Value> = self
            .entries()
            .into_iter()
            .map(|it| json!({"kind": it.kind, "state": it.state, "record": it.body}))
            .collect();
        json!({
            "subject": self.record.id,
            "at": self.at,
            "identifier_kinds": self.record.identifier_kinds,
            "needs_representative_until": self.record.needs_representative_until,
            "representation": self.representation(),
            "records": records,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("subject {} at {}\n", self.record.id, self.at);
        let kinds = join(self.record.identifier_kinds.iter().map(|it| it.as_str()));
        let _infallible = writeln!(text, "identifiers of kind {kinds}");
        if let (Some(until), Some(says)) = (
            self.record.needs_representative_until,
            self.representation(),
        ) {
            let _infallible = writeln!(text, "representative until {until}: {says}");
        }
        for it in self.entries() {
            let state = it.state.as_str();
            let _infallible = writeln!(text, "{:<14}  {state:<16}  {}", it.kind, it.says);
        }
        text
    }
}

const fn entry(kind: &'static str, state: State, says: String, body: Value) -> Entry {
    Entry {
        kind,
        state,
        says,
        body,
    }
}

fn recorded(recorded_at: Timestamp, at: Timestamp) -> State {
    if recorded_at <= at {
        State::Standing
    } else {
        State::NotYetRecorded
    }
}

/// The state of what stands from `from` until it is lifted.
fn lifted(from: Timestamp, lifted_at: Option<Timestamp>, at: Timestamp) -> State {
    if at < from {
        State::NotYet
    } else if state::is_open(from, lifted_at, at) {
        State::Standing
    } else {
        State::Lifted
    }
}
