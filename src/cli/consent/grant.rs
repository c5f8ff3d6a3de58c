//! `consent grant`.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    cli::{
        Failure,
        register::{
            Problems, Recipients, Record, Session, Terminal, print_saved, subject, texts, usage,
            vocabulary,
        },
    },
    model::{
        CategorySet, Day,
        consent::{Evidence, Until, address_scope},
        subject::SubjectRef,
    },
    store::writer::{ConsentTerms, NewConsent, Whose},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    subject: subject::Args,
    #[command(flatten)]
    recipients: Recipients,
    /// Country it allows transfer to, ISO 3166-1 alpha-2 (repeatable); none = no cross-border transfer
    #[arg(long, value_name = "CODE")]
    country: Vec<String>,
    /// Purpose, such as marketing.email; a parent covers its children (repeatable)
    #[arg(long, value_name = "PURPOSE", required = true)]
    purpose: Vec<String>,
    /// Category of data, such as name or email; a parent covers its children (repeatable)
    #[arg(long, value_name = "CODE", required = true)]
    category: Vec<String>,
    /// Channel it is limited to (repeatable) [default: any]
    #[arg(long, value_name = "CHANNEL")]
    channel: Vec<String>,
    /// It covers only the e-mails and phones that are read for the subject; a kind of which none is read is not limited
    /// [default: any]
    #[arg(long)]
    only_these_addresses: bool,
    /// It allows public distribution
    #[arg(long)]
    public: bool,
    /// The subject is to be told of each transfer to a third party
    #[arg(long)]
    notify_subject: bool,
    /// When it was given, an instant or a day [default: now]
    #[arg(long, value_name = "TIME")]
    given_at: Option<String>,
    /// First day it holds [default: the day it was given]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    #[command(flatten)]
    end: End,
    /// How its giving can be proven: web-checkbox, sms-code, signature, tablet, e-signature, state-service, phone, conduct
    #[arg(long, value_name = "METHOD")]
    method: String,
    /// Where the proof lies (a form id, a file reference)
    #[arg(long, value_name = "REF")]
    evidence_ref: String,
    /// Id of the text that was shown
    #[arg(long, value_name = "ID")]
    text: String,
    /// Version of the text
    #[arg(long, value_name = "VERSION")]
    text_version: String,
    /// SHA-256 of the text as shown, 64 hex digits [default: the registered one of that version]
    #[arg(long, value_name = "HEX")]
    text_sha256: Option<String>,
    /// Language of the text as shown
    #[arg(long, value_name = "LOCALE")]
    locale: String,
    /// BIN of the operator it was given to [default: of the configuration]
    #[arg(long, value_name = "BIN")]
    operator_bin: Option<String>,
    /// Id of the representative who gave it
    #[arg(long, value_name = "ID")]
    representative: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct End {
    /// Last day it holds
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// It holds until its purpose is recorded as ended
    #[arg(long)]
    until_purpose: bool,
    /// It holds until the end of programme ID is recorded
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut terms = terms(args, session)?;
    let from = terms.from.start(session.context.utc_offset);
    let whose = subject::read(&args.subject, session, terminal)?;
    if args.only_these_addresses {
        terms.addresses = addresses(&whose)?;
    }
    let new = NewConsent {
        id: args.record.id(),
        whose,
        terms,
    };
    let saved = session.writer()?.grant(&new)?;
    args.recipients.note_strangers(session, terminal);
    let acts_from = Some(from.max(saved.at));
    print_saved("consent", &saved, acts_from, args.record.format, terminal)
}

/// The addresses among the identifiers that were read.
fn addresses(whose: &Whose) -> Result<BTreeSet<SubjectRef>, Failure> {
    let addresses = match whose {
        Whose::Identified(identifiers) => address_scope(identifiers.iter().map(|it| it.current)),
        Whose::Subject(_) => BTreeSet::new(),
    };
    if addresses.is_empty() {
        return Err(usage(&[
            "--only-these-addresses: no address is named; give the e-mails and phones with `--subject -` or `--subject-file FILE`"
                .to_owned(),
        ]));
    }
    Ok(addresses)
}

fn terms(args: &Args, session: &Session<'_>) -> Result<ConsentTerms, Failure> {
    let offset = session.context.utc_offset;
    let mut problems = Problems::default();
    let given_at = problems
        .each("--given-at", &args.given_at, |it| {
            vocabulary::instant(it, offset)
        })
        .pop()
        .unwrap_or_else(|| session.now());
    let from = problems
        .each("--from", &args.from, |it| it.parse::<Day>())
        .pop()
        .unwrap_or_else(|| given_at.day(offset));
    let known = session.context.purposes;
    let countries: BTreeSet<_> = problems
        .each("--country", &args.country, vocabulary::country)
        .into_iter()
        .collect();
    let method = problems
        .each("--method", [&args.method], |it| {
            vocabulary::parse_word("method", it, vocabulary::METHODS)
        })
        .pop();
    let operator = args
        .operator_bin
        .as_deref()
        .or(session.context.operator_bin);
    if operator.is_none() {
        problems.add("--operator-bin", "no operator is configured; give its BIN");
    }
    let purposes = problems.each("--purpose", &args.purpose, |it| {
        vocabulary::purpose(it, known)
    });
    let categories = problems.each("--category", &args.category, vocabulary::categories);
    let until = until(&args.end, &mut problems);
    let sha256 = text_sha256(args, session, &mut problems)?;
    let (Some(method), Some(until), Some(operator), Some(sha256)) =
        (method, until, operator, sha256)
    else {
        return Err(problems.failure());
    };
    let terms = ConsentTerms {
        operator: operator.into(),
        given_at,
        from,
        until,
        third_party: args.recipients.scope(),
        cross_border: (!countries.is_empty()).then_some(countries),
        public: args.public,
        categories: categories
            .into_iter()
            .fold(CategorySet::EMPTY, CategorySet::union),
        purposes: purposes.into_iter().collect(),
        channels: texts(&args.channel),
        addresses: BTreeSet::new(),
        representative: args.representative.as_deref().map(Into::into),
        notify_subject: args.notify_subject,
        evidence: Evidence {
            method,
            reference: args.evidence_ref.as_str().into(),
            text: args.text.as_str().into(),
            version: args.text_version.as_str().into(),
            sha256,
            locale: args.locale.as_str().into(),
            at: given_at,
        },
    };
    contradictions(&terms, &mut problems);
    problems.into_result(terms)
}

fn until(end: &End, problems: &mut Problems) -> Option<Until> {
    match (&end.until, &end.programme) {
        (None, None) => Some(Until::Purpose),
        (None, Some(programme)) => Some(Until::Programme(programme.as_str().into())),
        (Some(day), _) => problems
            .each("--until", [day], |it| it.parse().map(Until::Day))
            .pop(),
    }
}

/// The hash given, or that of the registered text.
fn text_sha256(
    args: &Args,
    session: &Session<'_>,
    problems: &mut Problems,
) -> Result<Option<Arc<str>>, Failure> {
    if let Some(given) = &args.text_sha256 {
        return Ok(Some(given.to_ascii_lowercase().into()));
    }
    let mut reader = session.reader()?;
    let found = reader
        .state()?
        .text_sha256(&args.text, &args.text_version, &args.locale)?;
    if found.is_none() {
        problems.add(
            "--text-sha256",
            "this version of the text is not registered; give the SHA-256 of the text that was shown",
        );
    }
    Ok(found.map(Into::into))
}

/// What contradicts itself, under the names of the flags; looked for once each flag is right by itself.
fn contradictions(terms: &ConsentTerms, problems: &mut Problems) {
    if !problems.is_empty() {
        return;
    }
    for (field, problem) in terms.problems() {
        let flag = match field {
            "categories" => "--category",
            "cross_border" => "--country",
            "evidence.locale" => "--locale",
            "evidence.sha256" => "--text-sha256",
            "evidence.text" => "--text",
            "evidence.version" => "--text-version",
            "operator" => "--operator-bin",
            "purposes" => "--purpose",
            "third_party" => "--recipient",
            "until" => "--until",
            other => other,
        };
        problems.add(flag, problem.replace("`from`", "`--from`"));
    }
}
