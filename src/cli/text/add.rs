//! `text add`.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;

use crate::{
    cli::{
        Failure,
        register::{Format, Problems, Session, Terminal, as_flags, print_saved, usage},
    },
    gatekeeper::keys::hex,
    store::{Error, writer::ConsentText},
};

/// Fields that the register may refuse, and the flags they come from.
const FLAGS: &[(&str, &str)] = &[("sha256", "--sha256")];

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Id of the text, as consents name it
    #[arg(long, value_name = "ID")]
    text: String,
    /// Version of the text
    #[arg(long, value_name = "VERSION")]
    text_version: String,
    /// Language of the text, such as kk, ru, en
    #[arg(long, value_name = "LOCALE")]
    locale: String,
    #[command(flatten)]
    content: Content,
    /// First day it is shown [default: today]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day it is shown [default: without end]
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Content {
    /// File with the text, byte for byte as shown, or `-` for standard input; its hash is kept, not the text
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// SHA-256 of the text as shown, 64 hex digits
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
}

pub(super) fn run(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    let new = text(args, session, terminal)?;
    let saved = session.writer()?.add_text(&new).map_err(|error| {
        if matches!(error, Error::IdTaken(_)) {
            usage(&[format!(
                "--text-version: version {} is registered with another hash or other days; a text that changed is a new version",
                new.version
            )])
        } else {
            as_flags(error, FLAGS)
        }
    })?;
    print_saved("text", &saved, Some(saved.at), args.format, terminal)?;
    let mut reader = session.reader()?;
    let mismatched = reader.state()?.mismatches(&new)?;
    if mismatched > 0 {
        terminal.note(format_args!(
            "warning: {mismatched} recorded consents name this version with another hash; no transfer may rest on them"
        ));
    }
    Ok(())
}

fn text(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<ConsentText, Failure> {
    let mut problems = Problems::default();
    for (flag, value) in [
        ("--text", &args.text),
        ("--text-version", &args.text_version),
        ("--locale", &args.locale),
    ] {
        if value.trim().is_empty() || value.contains('/') {
            problems.add(flag, "is empty or has a slash; give a word without one");
        }
    }
    let today = session.now().day(session.context.utc_offset);
    let from = problems.day("--from", args.from.as_ref()).unwrap_or(today);
    let until = problems.day("--until", args.until.as_ref());
    if until.is_some_and(|it| it < from) {
        problems.add("--until", "is before `--from`");
    }
    problems.into_result(())?;
    let sha256 = match (&args.content.file, &args.content.sha256) {
        (Some(path), _) => hash_of(path, terminal).map_err(|error| {
            usage(&[format!(
                "--file: cannot read {}: {}",
                path.display(),
                error.kind()
            )])
        })?,
        (None, given) => given.as_deref().unwrap_or_default().to_ascii_lowercase(),
    };
    Ok(ConsentText {
        text: args.text.as_str().into(),
        version: args.text_version.as_str().into(),
        locale: args.locale.as_str().into(),
        sha256: sha256.into(),
        from,
        until,
    })
}

fn hash_of(path: &Path, terminal: &mut Terminal<'_>) -> io::Result<String> {
    if path == Path::new("-") {
        sha256(&mut *terminal.input)
    } else {
        sha256(File::open(path)?)
    }
}

fn sha256(mut from: impl io::Read) -> io::Result<String> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut chunk = Vec::with_capacity(64 * 1024);
    loop {
        chunk.clear();
        if from.by_ref().take(64 * 1024).read_to_end(&mut chunk)? == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(&chunk);
    }
}
