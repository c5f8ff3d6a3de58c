//! `consent export`: one consent a line, as recorded, with the keyed references of its subject and the withdrawals that aim
//! at it. No identifier in clear.

use serde_json::json;

use crate::{
    cli::{
        Failure,
        register::{Session, Terminal, state},
    },
    model::{Timestamp, consent::Consent, evidence::SubjectRecord, subject::SubjectRef},
};

pub(super) fn run(session: &Session<'_>, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
    let mut reader = session.reader()?;
    let state = reader.state()?;
    state.for_each_subject(|record, references| {
        record
            .consents
            .iter()
            .try_for_each(|it| terminal.line(line(it, record, references)))
    })
}

fn line(consent: &Consent, record: &SubjectRecord, references: &[SubjectRef]) -> serde_json::Value {
    let withdrawals: Vec<_> = record
        .withdrawals
        .iter()
        .filter(|it| state::aims(it, consent, Timestamp::MAX))
        .collect();
    let mut line = json!(consent);
    if let Some(fields) = line.as_object_mut() {
        fields.insert("references".to_owned(), json!(references));
        fields.insert("withdrawals".to_owned(), json!(withdrawals));
    }
    line
}
