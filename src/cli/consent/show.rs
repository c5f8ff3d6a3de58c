//! `consent list` and `consent show`.

use std::{collections::BTreeSet, fmt::Write as _};

use serde_json::json;

use crate::{
    cli::{
        Failure,
        register::{
            Format, Session, Terminal, View,
            layout::{columns, join, parties, until, word},
            state, subject, usage,
        },
    },
    model::{
        Timestamp,
        consent::{Consent, Withdrawal, WithdrawalScope},
        evidence::{General, SubjectRecord},
        subject::SubjectRef,
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
    /// Id of the consent
    #[arg(long, value_name = "ID")]
    consent: Option<String>,
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    view: View,
}

pub(super) fn list(
    args: &ListArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let answer = Answer::read(&args.subject, None, &args.view, session, terminal)?;
    match args.view.format {
        Format::Json => terminal.line(answer.json()),
        Format::Text => terminal.line(answer.table().trim_end()),
    }
}

pub(super) fn show(
    args: &ShowArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let consent = args.consent.as_deref();
    let answer = Answer::read(&args.subject, consent, &args.view, session, terminal)?;
    match args.view.format {
        Format::Json => terminal.line(answer.json()),
        Format::Text => terminal.line(answer.full().trim_end()),
    }
}

/// What was asked for, as one state of the registers has it.
struct Answer {
    record: SubjectRecord,
    general: General,
    at: Timestamp,
    offset: crate::model::UtcOffset,
}

impl Answer {
    fn read(
        who: &subject::Args,
        consent: Option<&str>,
        view: &View,
        session: &Session<'_>,
        terminal: &mut Terminal<'_>,
    ) -> Result<Self, Failure> {
        let at = view.at(session)?;
        let named = match consent {
            Some(_) if who.is_given() => {
                return Err(usage(&[
                    "--consent: a consent names its subject already; leave --subject out"
                        .to_owned(),
                ]));
            }
            Some(_) => None,
            None => Some(subject::read(who, session, terminal)?),
        };
        let mut reader = session.reader()?;
        let state = reader.state()?;
        let whose = match (named, consent) {
            (Some(whose), _) => whose,
            (None, id) => {
                let id = id.unwrap_or_default();
                let found = state.subject_of_consent(id)?;
                Whose::Subject(found.ok_or_else(|| store::Error::Unknown {
                    what: "consent",
                    id: id.to_owned(),
                })?)
            }
        };
        let mut record = state.record(&whose)?.ok_or(store::Error::UnknownSubject)?;
        if let Some(id) = consent {
            record.consents.retain(|it| &*it.id == id);
        }
        Ok(Self {
            record,
            general: state.general()?,
            at,
            offset: session.context.utc_offset,
        })
    }

    fn state(&self, consent: &Consent) -> state::State {
        state::of(consent, &self.record, &self.general, self.at, self.offset)
    }

    fn json(&self) -> serde_json::Value {
        let consents: Vec<_> = self
            .record
            .consents
            .iter()
            .map(|it| json!({"state": self.state(it), "consent": it}))
            .collect();
        json!({
            "subject": self.record.id,
            "at": self.at,
            "consents": consents,
            "withdrawals": self.record.withdrawals,
            "restrictions": self.record.restrictions,
        })
    }

    fn table(&self) -> String {
        let mut rows = vec![
            [
                "ID",
                "STATE",
                "FROM",
                "UNTIL",
                "PURPOSES",
                "COUNTRIES",
                "RECIPIENTS",
            ]
            .map(str::to_owned),
        ];
        for it in &self.record.consents {
            rows.push([
                it.id.to_string(),
                self.state(it).as_str().to_owned(),
                it.from.to_string(),
                until(&it.until),
                join(&it.purposes),
                it.cross_border
                    .as_ref()
                    .map_or_else(|| "none".to_owned(), join),
                parties(it.third_party.as_ref()),
            ]);
        }
        let mut text = format!("subject {} at {}\n", self.record.id, self.at);
        text.push_str(&columns(&rows));
        text
    }

    fn full(&self) -> String {
        let mut text = format!("subject {} at {}\n", self.record.id, self.at);
        for it in &self.record.consents {
            text.push('\n');
            for (name, value) in fields(it, self.state(it)) {
                let _infallible = writeln!(text, "{name:<13} {value}");
            }
            let aimed = self.record.withdrawals.iter();
            for withdrawal in aimed.filter(|aimed| state::aims(aimed, it, self.at)) {
                let _infallible = writeln!(text, "withdrawal    {}", withdrawn(withdrawal));
            }
        }
        for it in &self.record.restrictions {
            let end = it
                .lifted_at
                .map_or_else(|| "now".to_owned(), |at| at.to_string());
            let _infallible = writeln!(
                text,
                "\nrestriction   {} {} from {} to {end}",
                it.id, it.reason, it.from
            );
        }
        text
    }
}

fn fields(it: &Consent, state: state::State) -> Vec<(&'static str, String)> {
    let evidence = &it.evidence;
    vec![
        ("consent", it.id.to_string()),
        ("state", state.as_str().to_owned()),
        ("operator", it.operator.to_string()),
        ("given", it.given_at.to_string()),
        ("from", it.from.to_string()),
        ("until", until(&it.until)),
        ("purposes", join(&it.purposes)),
        ("categories", join(it.categories.iter())),
        ("third party", parties(it.third_party.as_ref())),
        (
            "cross-border",
            it.cross_border
                .as_ref()
                .map_or_else(|| "none".to_owned(), join),
        ),
        ("public", if it.public { "yes" } else { "no" }.to_owned()),
        (
            "channels",
            if it.channels.is_empty() {
                "any".to_owned()
            } else {
                join(&it.channels)
            },
        ),
        ("addresses", addresses(&it.addresses)),
        (
            "evidence",
            format!("{} {}", word(&evidence.method), evidence.reference),
        ),
        (
            "text",
            format!(
                "{} {} {} {}",
                evidence.text, evidence.version, evidence.locale, evidence.sha256
            ),
        ),
        (
            "recorded",
            format!("{} by {}", it.recorded.at, it.recorded.by),
        ),
    ]
}

/// How many of which kinds; which ones is not known, the register holds keyed hashes.
fn addresses(scope: &BTreeSet<SubjectRef>) -> String {
    let kinds: BTreeSet<&str> = scope.iter().map(|it| it.kind.as_str()).collect();
    let kinds = Vec::from_iter(kinds).join(", ");
    match scope.len() {
        0 => "any".to_owned(),
        1 => format!("only 1 address ({kinds})"),
        many => format!("only {many} addresses ({kinds})"),
    }
}

fn withdrawn(it: &Withdrawal) -> String {
    let mut text = format!(
        "{} recorded {} by {}",
        it.id, it.recorded.at, it.recorded.by
    );
    if let Some(reason) = &it.refused_reason {
        let _infallible = write!(text, ", refused: {reason}");
    }
    if it.scope == WithdrawalScope::default() {
        text.push_str(", whole");
        return text;
    }
    for (name, values) in [
        ("actions", join(&it.scope.actions)),
        ("purposes", join(&it.scope.purposes)),
        ("channels", join(&it.scope.channels)),
        ("recipients", join(&it.scope.recipients)),
        ("countries", join(&it.scope.countries)),
        ("categories", join(it.scope.categories.iter())),
    ] {
        if !values.is_empty() {
            let _infallible = write!(text, ", only {name} {values}");
        }
    }
    text
}
