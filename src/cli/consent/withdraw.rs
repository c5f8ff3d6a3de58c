//! `consent withdraw`.

use crate::{
    cli::{
        Failure,
        register::{
            Problems, Record, Session, Terminal, print_saved, subject, texts, usage, vocabulary,
        },
    },
    model::{CategorySet, Timestamp, consent::WithdrawalScope},
    store::writer::{NewWithdrawal, WithdrawalTarget},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Withdraw the consent of this id
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    consent: Option<String>,
    /// Withdraw every consent that the subject has given so far
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    subject: subject::Args,
    /// Only for this purpose and its children (repeatable)
    #[arg(long, value_name = "PURPOSE")]
    purpose: Vec<String>,
    /// Only for this channel (repeatable)
    #[arg(long, value_name = "CHANNEL")]
    channel: Vec<String>,
    /// Only for this recipient, by party id (repeatable)
    #[arg(long, value_name = "PARTY")]
    recipient: Vec<String>,
    /// Only for this country (repeatable)
    #[arg(long, value_name = "CODE")]
    country: Vec<String>,
    /// Only for this category of data (repeatable)
    #[arg(long, value_name = "CODE")]
    category: Vec<String>,
    /// Only for this action: third-party, cross-border, processing, public (repeatable)
    #[arg(long, value_name = "ACTION")]
    action: Vec<String>,
    /// When the subject filed it, an instant or a day [default: now]
    #[arg(long, value_name = "TIME")]
    filed_at: Option<String>,
    /// When it takes effect by the operator's form; transfers stop at once all the same [default: when it was filed]
    #[arg(long, value_name = "TIME")]
    effective_at: Option<String>,
    /// How it came in (web, letter, phone …)
    #[arg(long, value_name = "CHANNEL", default_value = "cli")]
    received_by: String,
    /// Why the law forbids it (art. 8(2)): recorded, without effect
    #[arg(long, value_name = "REASON")]
    refused_reason: Option<String>,
    #[command(flatten)]
    record: Record,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let scope = scope(args, session, &mut problems);
    let offset = session.context.utc_offset;
    let mut time = |flag, value: &Option<String>| {
        problems
            .each(flag, value, |it| vocabulary::instant(it, offset))
            .pop()
    };
    let filed_at: Option<Timestamp> = time("--filed-at", &args.filed_at);
    let effective_at = time("--effective-at", &args.effective_at);
    if filed_at.is_some_and(|it| it > session.now()) {
        problems.add(
            "--filed-at",
            "is in the future; give the time it was received",
        );
    }
    let scope = problems.into_result(scope)?;
    let new = NewWithdrawal {
        id: args.record.id(),
        target: target(args, session, terminal)?,
        scope,
        filed_at,
        effective_at,
        channel: args.received_by.as_str().into(),
        refused_reason: args.refused_reason.as_deref().map(Into::into),
    };
    let saved = session.writer()?.withdraw(&new)?;
    let acts_from = new.refused_reason.is_none().then_some(saved.at);
    print_saved(
        "withdrawal",
        &saved,
        acts_from,
        args.record.format,
        terminal,
    )?;
    if acts_from.is_none() {
        return Ok(());
    }
    terminal.note(
        "A withdrawal acts at once: the next transfer that rests on what it takes back is refused.",
    );
    if effective_at.is_some_and(|it| it > saved.at) {
        terminal.note("The later --effective-at sets the term of the clean-up only.");
    }
    if saved.at > session.now().plus_millis(1_000) {
        terminal.note(
            "warning: the clock of this machine was set back, so the record is dated ahead of it; set the clock right",
        );
    }
    Ok(())
}

fn target(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<WithdrawalTarget, Failure> {
    match &args.consent {
        Some(_) if args.subject.is_given() => Err(usage(&[
            "--consent: a consent names its subject already; leave --subject out".to_owned(),
        ])),
        Some(id) => Ok(WithdrawalTarget::Consent(id.as_str().into())),
        None if args.all => {
            subject::read(&args.subject, session, terminal).map(WithdrawalTarget::All)
        }
        None => Err(usage(&[
            "--consent: say what is withdrawn: `--consent ID`, or `--all` for everything the subject has given"
                .to_owned(),
        ])),
    }
}

fn scope(args: &Args, session: &Session<'_>, problems: &mut Problems) -> WithdrawalScope {
    let known = session.context.purposes;
    let action = |it: &str| vocabulary::word("action", it, vocabulary::ACTIONS).map(Into::into);
    WithdrawalScope {
        actions: problems
            .each("--action", &args.action, action)
            .into_iter()
            .collect(),
        purposes: problems
            .each("--purpose", &args.purpose, |it| {
                vocabulary::purpose(it, known)
            })
            .into_iter()
            .collect(),
        channels: texts(&args.channel),
        recipients: texts(&args.recipient),
        countries: problems
            .each("--country", &args.country, vocabulary::country)
            .into_iter()
            .collect(),
        categories: problems
            .each("--category", &args.category, vocabulary::categories)
            .into_iter()
            .fold(CategorySet::EMPTY, CategorySet::union),
    }
}
