//! `purpose end`.

use crate::{
    cli::{
        Failure,
        register::{Problems, Record, Session, Terminal, print_saved, subject, usage, vocabulary},
    },
    model::consent::PurposeEndScope,
    store::writer::NewPurposeEnd,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    subject: subject::Args,
    /// When it ended, an instant or a day [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    record: Record,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// This programme, for everybody; consents that hold until its end cease
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
    /// This purpose and its children, for everybody or, with --subject, for one subject
    #[arg(long, value_name = "PURPOSE")]
    purpose: Option<String>,
    /// The purpose of this consent
    #[arg(long, value_name = "ID")]
    consent: Option<String>,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let scope = scope(args, session, &mut problems);
    let at = problems.instant("--at", args.at.as_ref(), session.context.utc_offset);
    if args.subject.is_given() && args.what.purpose.is_none() {
        problems.add(
            "--subject",
            "only a purpose ends for one subject; leave it out here",
        );
    }
    let Some(scope) = problems.into_result(scope)? else {
        return Err(usage(&[
            "--purpose: say what has ended: `--purpose`, `--programme` or `--consent`".to_owned(),
        ]));
    };
    let whose = args
        .subject
        .is_given()
        .then(|| subject::read(&args.subject, session, terminal))
        .transpose()?;
    let new = NewPurposeEnd {
        id: args.record.id(),
        whose,
        scope,
        at,
    };
    let saved = session.writer()?.end_purpose(&new)?;
    let acts_from = at.map_or(saved.at, |it| it.max(saved.at));
    let format = args.record.format;
    print_saved("end", &saved, Some(acts_from), format, terminal)?;
    if saved.subject.is_none() {
        terminal.note("It has ended for everybody.");
    }
    if let PurposeEndScope::Programme(id) = &new.scope {
        let mut reader = session.reader()?;
        let consents = reader.state()?.consents_of_programme(id)?;
        if consents == 0 {
            terminal.note(format_args!(
                "warning: no recorded consent holds until the end of programme `{id}`; look whether its id is right"
            ));
        }
    }
    Ok(())
}

fn scope(args: &Args, session: &Session<'_>, problems: &mut Problems) -> Option<PurposeEndScope> {
    let known = session.context.purposes;
    let purpose = problems.each("--purpose", &args.what.purpose, |it| {
        vocabulary::purpose(it, known)
    });
    let consent = args.what.consent.as_deref();
    let programme = args.what.programme.as_deref();
    purpose
        .into_iter()
        .next()
        .map(PurposeEndScope::Purpose)
        .or_else(|| consent.map(|it| PurposeEndScope::Consent(it.into())))
        .or_else(|| programme.map(|it| PurposeEndScope::Programme(it.into())))
}
