//! The subject of a command: identifiers from a file, standard input or a prompt.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{Session, Terminal, usage, vocabulary};
use crate::{
    cli::Failure,
    gatekeeper::keys::IdentifierRefs,
    model::{
        Sensitive,
        subject::{Identifier, IdentifierKind, SubjectId},
    },
    store::writer::Whose,
};

/// Largest file of identifiers: a person has a few.
const BYTES_MAX: u64 = 64 * 1024;

/// How identifiers are given with `flag`.
fn how(flag: &str) -> String {
    format!(
        "give `{flag} -` (lines on standard input) or `{flag}-file FILE`, lines such as `email: …`, `phone: …`"
    )
}

/// Who a command is about. Never the identifier itself.
#[derive(Debug, Default, clap::Args)]
#[group(id = "subject_source")]
pub(in crate::cli) struct Args {
    /// `-`: read identifiers from standard input, one a line (`email: …`, `phone: …`, `national-id: …`, `id-document: …`,
    /// `internal-id: …`). Asked for without echo if left out on a terminal
    #[arg(long, value_name = "-", value_parser = hidden)]
    subject: Option<Sensitive<String>>,
    /// Read identifiers from FILE, in the same form
    #[arg(long, value_name = "FILE", conflicts_with = "subject")]
    subject_file: Option<PathBuf>,
    /// The register's own id of the subject, as an earlier command printed it
    #[arg(long, value_name = "ID", conflicts_with_all = ["subject", "subject_file"])]
    subject_id: Option<String>,
}

impl Args {
    /// Whether identifiers are read from standard input.
    pub(in crate::cli) const fn takes_input(&self) -> bool {
        self.subject.is_some()
    }

    /// Whether the command line says who it is.
    pub(in crate::cli) const fn is_given(&self) -> bool {
        self.subject.is_some() || self.subject_file.is_some() || self.subject_id.is_some()
    }
}

/// Keeps what was wrongly typed there out of every message.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape that clap asks of a parser"
)]
pub(in crate::cli) fn hidden(text: &str) -> Result<Sensitive<String>, std::convert::Infallible> {
    Ok(Sensitive::new(text.to_owned()))
}

/// Reads who it is.
pub(in crate::cli) fn read(
    args: &Args,
    session: &Session<'_>,
    terminal: &mut Terminal<'_>,
) -> Result<Whose, Failure> {
    if let Some(id) = &args.subject_id {
        return Ok(Whose::Subject(SubjectId(id.as_str().into())));
    }
    let source = Source {
        flag: "--subject",
        dash: args.subject.as_ref(),
        file: args.subject_file.as_deref(),
    };
    let identifiers = source.read(terminal)?;
    Ok(Whose::Identified(references(&identifiers, session)))
}

/// Where identifiers come from: a flag that takes `-`, its twin that takes a file, or a prompt.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Source<'a> {
    pub(in crate::cli) flag: &'static str,
    pub(in crate::cli) dash: Option<&'a Sensitive<String>>,
    pub(in crate::cli) file: Option<&'a Path>,
}

impl Source<'_> {
    /// Reads the identifiers, at least one.
    pub(in crate::cli) fn read(
        &self,
        terminal: &mut Terminal<'_>,
    ) -> Result<Vec<Identifier>, Failure> {
        let flag = self.flag;
        let problem = |text: String| usage(&[format!("{flag}{text}")]);
        if let Some(path) = self.file {
            let text = fs::File::open(path)
                .and_then(|file| read_text(file.take(BYTES_MAX)))
                .map_err(|it| {
                    let path = path.display();
                    problem(format!("-file: cannot read {path}: {}", it.kind()))
                })?;
            parse(&text, flag, "-file")
        } else if let Some(dash) = self.dash {
            if dash.expose() != "-" {
                return Err(problem(format!(
                    ": an identifier on the command line can be read by others (and now is in the shell's history); {}",
                    how(flag)
                )));
            }
            let text = read_text((&mut *terminal.input).take(BYTES_MAX))
                .map_err(|it| problem(format!(": cannot read standard input: {}", it.kind())))?;
            parse(&text, flag, "")
        } else if terminal.is_interactive {
            prompt(flag, terminal)
        } else {
            Err(problem(format!(": nobody is named; {}", how(flag))))
        }
    }
}

/// Keyed references of `identifiers`.
pub(in crate::cli) fn references(
    identifiers: &[Identifier],
    session: &Session<'_>,
) -> Vec<IdentifierRefs> {
    identifiers
        .iter()
        .map(|it| session.keys.references(it))
        .collect()
}

fn read_text(mut from: impl std::io::Read) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.read_to_string(&mut text)?;
    Ok(text)
}

fn parse(text: &str, flag: &str, twin: &str) -> Result<Vec<Identifier>, Failure> {
    let mut identifiers = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse_line(line) {
            Ok(it) => identifiers.push(it),
            Err(problem) => problems.push(format!("{flag}{twin}: line {number}: {problem}")),
        }
    }
    if !problems.is_empty() {
        return Err(usage(&problems));
    }
    if identifiers.is_empty() {
        let how = how(flag);
        return Err(usage(&[format!(
            "{flag}{twin}: no identifier was given; {how}"
        )]));
    }
    Ok(identifiers)
}

fn parse_line(line: &str) -> Result<Identifier, String> {
    let (kind, value) = line
        .split_once(':')
        .ok_or("no kind before a colon; write it as in `email: …`")?;
    identifier(vocabulary::identifier_kind(kind)?, value)
}

/// An identifier of `kind`. The problem does not quote it.
pub(in crate::cli) fn identifier(kind: IdentifierKind, value: &str) -> Result<Identifier, String> {
    Identifier::normalise(kind, value).ok_or_else(|| {
        format!(
            "the value is not a usable {}; correct it (it is not shown here)",
            kind.as_str()
        )
    })
}

/// Asks for each kind, without echo.
fn prompt(flag: &str, terminal: &mut Terminal<'_>) -> Result<Vec<Identifier>, Failure> {
    let mut identifiers = Vec::new();
    terminal.note(format_args!(
        "Identifiers for {flag}, not shown while typed; leave empty what is not known."
    ));
    for kind in IdentifierKind::ALL {
        let answer = rpassword::prompt_password(format!("{}: ", kind.as_str()))
            .map(Zeroizing::new)
            .map_err(|error| {
                usage(&[format!(
                    "{flag}: cannot prompt: {}; {}",
                    error.kind(),
                    how(flag)
                )])
            })?;
        if !answer.trim().is_empty() {
            let it = identifier(*kind, &answer)
                .map_err(|problem| usage(&[format!("{}: {problem}", kind.as_str())]))?;
            identifiers.push(it);
        }
    }
    if identifiers.is_empty() {
        return Err(usage(&[format!(
            "{flag}: no identifier was given; {}",
            how(flag)
        )]));
    }
    Ok(identifiers)
}
