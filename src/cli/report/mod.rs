//! `subject report`: who received what of a person's data, when, where, why and on what basis.
//!
//! The chain of the log is checked first; the report names the head that it rests on. Nothing is written: the log belongs to the
//! running gate, so the making of a report is not itself on record. Keep the request and the answer where requests are kept.

mod document;
mod gather;
mod html;
mod on_record;
mod render;
#[cfg(test)]
mod tests;
mod text;
pub(in crate::cli) mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Failure,
    register::{Session, Terminal, subject, usage, vocabulary},
};
use crate::{
    audit::{Error, Head},
    config::Configuration,
    model::{
        Country, Day, Timestamp, UtcOffset,
        consent::RecordId,
        evidence::{General, SubjectRecord},
        subject::{IdentifierKind, SubjectId, SubjectRef},
    },
    store::{self, State, writer::Whose},
};
use gather::{Entry, Fate, Proof, Recipient, Search};
use texts::{Lang, Wording};

/// Working days in which a person's request is to be answered (law.md §1.6 D: rules on collection and processing, p. 16).
const ANSWER_WORKING_DAYS: u32 = 3;

/// Version of the JSON form. Keys are added, never renamed.
const SCHEMA: &str = "shekara.subject-report/1";

/// Exit code when the log does not hold together.
const TAMPERED: u8 = 4;

/// Says who received what of a person's data, when, where, why and on what basis
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    /// Not before this instant, or the start of this day [default: everything]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this instant, or up to the end of this day [default: everything]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Language of texts and labels; JSON holds codes in any
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// A head that an earlier `audit verify` printed and that was kept on another host
    #[arg(long, value_name = "SEQ:HASH")]
    expect_head: Option<Head>,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One file to print or send
    Html,
    /// One JSON document
    Json,
    /// For terminals
    Text,
}

/// Everything a report says. Holds no data of the person and none of anybody else; staff who recorded something are not named.
#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    operator: Option<OperatorName>,
    /// `None`: the person is not in the register.
    subject: Option<SubjectId>,
    made_at: Timestamp,
    answer_due: AnswerDue,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    log: Proof,
    /// Change counter of the registers.
    register_sequence: u64,
    identifiers: Vec<SearchedBy>,
    transfers: Vec<Entry>,
    recipients: Vec<Holder>,
    refused: Refused,
    registers: on_record::Standing,
}

#[derive(Debug, Serialize)]
struct OperatorName {
    legal_name: String,
    bin: Arc<str>,
}

#[derive(Debug, Serialize)]
struct AnswerDue {
    working_days: u32,
    day: Day,
}

/// A kind of identifier that was looked for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct SearchedBy {
    kind: IdentifierKind,
    /// Another person has it too.
    shared: bool,
}

/// Attempts after which nothing of the person's data left.
#[derive(Debug, Serialize)]
struct Refused {
    count: usize,
    attempts: Vec<Entry>,
}

/// A recipient that has data of the person, or may have.
#[derive(Debug, Serialize)]
struct Holder {
    recipient: Recipient,
    /// Recipients behind it, as declared now.
    onward: Vec<Behind>,
    first: Timestamp,
    last: Timestamp,
    transfers: usize,
    categories: crate::model::CategorySet,
    /// When a message with the purpose `recall` last went there.
    recalled_at: Option<Timestamp>,
    may_concern_another: bool,
}

/// A recipient behind a recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Behind {
    party: Arc<str>,
    country: Country,
}

/// Writes the report that `args` asks for.
///
/// # Errors
/// Code 2 for flags and input that cannot be right, 4 when the log does not hold together, 1 for everything else.
pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let report = report(args, session, terminal)?;
    let document = || render::document(&report, Wording(args.lang), session.context.utc_offset);
    match args.format {
        Format::Json => terminal.line(
            serde_json::to_string_pretty(&report)
                .map_err(|it| Failure::new(format!("cannot write the report: {it}")))?,
        ),
        Format::Html => terminal.line(html::render(&document()).trim_end()),
        Format::Text => terminal.line(text::render(&document()).trim_end()),
    }
}

fn report(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<Report, Failure> {
    let context = session.context;
    let offset = context.utc_offset;
    let (from, to) = period(args, offset)?;
    let whose = subject::read(&args.subject, session, terminal)?;
    let made_at = session.now();
    let mut reader = session.reader()?;
    let state = reader.state()?;
    let record = state.record(&whose)?;
    if let (Whose::Subject(_), None) = (&whose, &record) {
        return Err(store::Error::UnknownSubject.into());
    }
    let general = state.general()?;
    let references = references(&whose, record.as_ref(), &state)?;
    let log = gather::prove(context.audit_dir, args.expect_head.as_ref())
        .map_err(|it| log_failure(&it))?;
    let search = Search {
        subject: record.as_ref().map(|it| &it.id),
        references: &references,
        records: &records(record.as_ref(), &general),
        from,
        to,
    };
    let entries =
        gather::entries(context.audit_dir, &search, &log).map_err(|it| log_failure(&it))?;
    let (transfers, attempts): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|it| it.outcome.left());
    Ok(Report {
        schema: SCHEMA,
        operator: context.configuration.map(|it| OperatorName {
            legal_name: it.operator.legal_name.clone(),
            bin: Arc::clone(&it.operator.bin),
        }),
        subject: record.as_ref().map(|it| it.id.clone()),
        made_at,
        answer_due: AnswerDue {
            working_days: ANSWER_WORKING_DAYS,
            day: made_at.day(offset).plus_working_days(ANSWER_WORKING_DAYS),
        },
        from,
        to,
        log,
        register_sequence: state.sequence(),
        identifiers: searched_by(&references),
        recipients: holders(&transfers, context.configuration),
        transfers,
        refused: Refused {
            count: attempts.len(),
            attempts,
        },
        registers: on_record::standing(record.as_ref(), &general, made_at, offset),
    })
}

fn period(
    args: &Args,
    offset: UtcOffset,
) -> Result<(Option<Timestamp>, Option<Timestamp>), Failure> {
    let from = args
        .from
        .as_deref()
        .map(|it| vocabulary::instant(it, offset))
        .transpose()
        .map_err(|it| usage(&[format!("--from: {it}")]))?;
    // A day as an upper limit is inclusive.
    let to = args
        .to
        .as_deref()
        .map(|it| match it.parse::<Day>() {
            Ok(day) => Ok(day.end(offset)),
            Err(_) => it.parse(),
        })
        .transpose()
        .map_err(|it| usage(&[format!("--to: {it}")]))?;
    Ok((from, to))
}

/// Every reference of the person: of the identifiers given, under all keys, and of those registered; with whether somebody else
/// has the identifier too.
fn references(
    whose: &Whose,
    record: Option<&SubjectRecord>,
    state: &State<'_>,
) -> Result<BTreeMap<SubjectRef, bool>, Failure> {
    let mut all: BTreeSet<SubjectRef> = BTreeSet::new();
    if let Whose::Identified(identifiers) = whose {
        all.extend(identifiers.iter().map(|it| it.current));
        all.extend(identifiers.iter().flat_map(|it| &it.older));
    }
    if let Some(record) = record {
        all.extend(state.references(&record.id)?);
    }
    let own = record.map(|it| &it.id);
    let mut references = BTreeMap::new();
    for reference in all {
        let owners = state.owners_of(reference)?;
        let is_shared = owners
            .iter()
            .any(|(owner, is_shared)| *is_shared || Some(owner) != own);
        references.insert(reference, is_shared);
    }
    // One identifier has a reference under each key; registered as shared under one, it is shared under all.
    if let Whose::Identified(identifiers) = whose {
        for it in identifiers {
            let under_all = || std::iter::once(&it.current).chain(&it.older);
            if under_all().any(|it| references.get(it) == Some(&true)) {
                references.extend(under_all().map(|it| (*it, true)));
            }
        }
    }
    Ok(references)
}

/// Ids of the register records that may be named in the report.
fn records(record: Option<&SubjectRecord>, general: &General) -> BTreeSet<RecordId> {
    let own = record.into_iter().flat_map(|it| {
        let consents = it.consents.iter().map(|it| &it.id);
        consents.chain(it.bases.iter().map(|it| &it.id))
    });
    own.chain(general.bases.iter().map(|it| &it.id))
        .cloned()
        .collect()
}

fn searched_by(references: &BTreeMap<SubjectRef, bool>) -> Vec<SearchedBy> {
    let all: BTreeSet<SearchedBy> = references
        .iter()
        .map(|(reference, shared)| SearchedBy {
            kind: reference.kind,
            shared: *shared,
        })
        .collect();
    all.into_iter().collect()
}

/// The recipients of `transfers`, by party and country.
fn holders(transfers: &[Entry], configuration: Option<&Configuration>) -> Vec<Holder> {
    let is_recall = |it: &Entry| it.purposes.iter().any(|it| it.as_str() == "recall");
    let mut holders: BTreeMap<(Arc<str>, Country), Holder> = BTreeMap::new();
    for entry in transfers {
        let Some(recipient) = &entry.recipient else {
            continue;
        };
        let key = (Arc::clone(&recipient.party), recipient.country);
        let holder = holders.entry(key).or_insert_with(|| Holder {
            recipient: recipient.clone(),
            onward: onward(&recipient.party, configuration),
            first: entry.at,
            last: entry.at,
            transfers: 0,
            categories: entry.categories,
            recalled_at: None,
            may_concern_another: true,
        });
        // The name and role as last recorded.
        holder.recipient = recipient.clone();
        holder.last = entry.at;
        holder.transfers += 1;
        holder.categories = holder.categories.union(entry.categories);
        holder.may_concern_another &= entry.may_concern_another;
        if is_recall(entry) && entry.outcome == Fate::Sent {
            holder.recalled_at = Some(entry.at);
        }
    }
    holders.into_values().collect()
}

fn onward(party: &Arc<str>, configuration: Option<&Configuration>) -> Vec<Behind> {
    let behind: BTreeSet<Behind> = configuration
        .into_iter()
        .flat_map(|it| &it.destinations)
        .filter(|it| it.facts.party.id == *party)
        .flat_map(|it| &it.facts.onward)
        .map(|it| Behind {
            party: Arc::clone(&it.party),
            country: it.country,
        })
        .collect();
    behind.into_iter().collect()
}

fn log_failure(error: &Error) -> Failure {
    let code = if matches!(error, Error::Damaged(_)) {
        TAMPERED
    } else {
        1
    };
    Failure {
        text: format!("no report can be made on this log: {error}"),
        code,
    }
}
