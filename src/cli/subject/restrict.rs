//! `subject restrict` and `subject release`.

use crate::{
    cli::{
        Failure,
        register::{Format, Problems, Record, Session, Terminal, print_saved, subject, vocabulary},
    },
    store::writer::NewRestriction,
};

#[derive(Debug, clap::Args)]
pub(super) struct RestrictArgs {
    #[command(flatten)]
    subject: subject::Args,
    /// Why: accuracy-doubt, rights-request, breach-report
    #[arg(long, value_name = "REASON")]
    reason: String,
    /// Purpose that may pass all the same, with its children (repeatable)
    #[arg(long, value_name = "PURPOSE")]
    allow_purpose: Vec<String>,
    /// From when, an instant or a day [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Debug, clap::Args)]
pub(super) struct ReleaseArgs {
    /// Id of the restriction
    id: String,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn restrict(
    args: &RestrictArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let known = session.context.purposes;
    problems.each("--reason", [&args.reason], |it| {
        vocabulary::word("reason", it, vocabulary::RESTRICTION_REASONS).map(drop)
    });
    let allowed = problems.each("--allow-purpose", &args.allow_purpose, |it| {
        vocabulary::purpose(it, known)
    });
    let from = problems.instant("--from", args.from.as_ref(), session.context.utc_offset);
    problems.into_result(())?;
    let new = NewRestriction {
        id: args.record.id(),
        whose: subject::read(&args.subject, session, terminal)?,
        reason: args.reason.as_str().into(),
        from,
        allowed_purposes: allowed.into_iter().collect(),
    };
    let saved = session.writer()?.restrict(&new)?;
    let acts_from = from.map_or(saved.at, |it| it.max(saved.at));
    let format = args.record.format;
    print_saved("restriction", &saved, Some(acts_from), format, terminal)?;
    terminal.note(format_args!(
        "Nothing about this subject leaves until `shekara subject release {}`, but for the allowed purposes.",
        saved.id
    ));
    Ok(())
}

pub(super) fn release(
    args: &ReleaseArgs,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let saved = session.writer()?.release(&args.id)?;
    let what = "released restriction";
    print_saved(what, &saved, Some(saved.at), args.format, terminal)
}
