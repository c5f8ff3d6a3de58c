//! `shekara scan`: what personal data a message or file holds, without sending anything.

mod kind;
mod line;
mod report;

use std::{
    fs,
    io::{self, BufRead, BufWriter, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Failure, Outcome};
use crate::{
    inspect::{Inspector, Plan, Scratch, detect::categories},
    model::{
        finding::{Confidence, Finding, Location, Part, normalized_path},
        inspection::PlanSpec,
        message::Message,
    },
};

/// Exit code when personal data was found, or something could not be read, and `--exit-code` is given.
const FOUND: u8 = 3;

/// Bytes that are read and written at a time.
const BUFFER: usize = 64 * 1024;

/// Looks for personal data in a file, or in messages given one a line
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// File to read; `-` is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    pub file: PathBuf,
    /// Read messages, one JSON object a line, and write their findings, one JSON object a line
    #[arg(long)]
    pub ndjson: bool,
    /// Media type of the content [default: by the file's name or its first bytes; a name that ends with .gz, .br or .zst is unpacked]
    #[arg(long, value_name = "TYPE", conflicts_with = "ndjson")]
    pub content_type: Option<String>,
    /// How to print the findings of a file
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "ndjson")]
    pub format: Format,
    /// End with code 3 when something was found with confidence high or certain, or could not be read
    #[arg(long)]
    pub exit_code: bool,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for reading
    Text,
    /// The object that `--ndjson` writes
    Json,
}

/// Runs the subcommand.
///
/// # Errors
/// The file cannot be read, or standard output cannot be written.
pub fn run(args: Args) -> Outcome {
    let Args {
        file,
        ndjson,
        content_type,
        format,
        exit_code,
    } = args;
    let scanner = Scanner::new()?;
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let result = if ndjson {
        let input = open(&file)?;
        scanner.lines(input, &mut out)
    } else {
        let mut content = Vec::new();
        open(&file)?
            .read_to_end(&mut content)
            .map_err(|it| unreadable(&file, &it))?;
        let media_type =
            content_type.unwrap_or_else(|| kind::guess_type(&file, &content).to_owned());
        let label = (&*media_type, kind::extension(&file).1);
        scanner.file(content, label, format, &mut out)
    };
    let summary = result
        .and_then(|it| out.flush().map(|()| it))
        .map_err(|it| Failure::new(format!("standard output cannot be written: {it}")))?;
    Ok(if summary.has_bad_line {
        ExitCode::FAILURE
    } else if exit_code && (summary.has_sure || summary.has_gap) {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    })
}

fn open(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file == Path::new("-") {
        let input = io::stdin().lock();
        return Ok(Box::new(io::BufReader::with_capacity(BUFFER, input)));
    }
    let opened = fs::File::open(file).map_err(|it| unreadable(file, &it))?;
    Ok(Box::new(io::BufReader::with_capacity(BUFFER, opened)))
}

/// Appends the bytes up to the end of a line, or of the input; how many there were. The library's own way looks at each byte.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let before = line.len();
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = memchr::memchr(b'\n', buffer).map(|it| it + 1);
        let length = end.unwrap_or(buffer.len());
        line.extend_from_slice(buffer.get(..length).unwrap_or_default());
        input.consume(length);
        if end.is_some() || length == 0 {
            return Ok(line.len() - before);
        }
    }
}

fn unreadable(file: &Path, cause: &io::Error) -> Failure {
    Failure::new(format!("{} cannot be read: {cause}", file.display()))
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default)]
struct Summary {
    has_bad_line: bool,
    has_sure: bool,
    has_gap: bool,
}

/// One message to scan.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    host: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: serde_json::Map<String, serde_json::Value>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    body: Option<String>,
    body_base64: Option<String>,
}

/// The id alone, for the report of a line that is wrong elsewhere.
#[derive(Deserialize)]
struct LineId<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// An inspector with the plan that keeps findings of every confidence.
struct Scanner {
    inspector: Inspector,
    plan: Plan,
}

impl Scanner {
    fn new() -> Result<Self, Failure> {
        let inspector = Inspector::default();
        let spec = PlanSpec {
            confidence_min: Confidence::Low,
            ..PlanSpec::default()
        };
        let plan = inspector.compile(&spec).map_err(Failure::new)?;
        Ok(Self { inspector, plan })
    }

    /// Answers each line in order; a line that is wrong is answered with its error, and the rest goes on.
    fn lines(&self, mut input: impl BufRead, out: &mut impl Write) -> io::Result<Summary> {
        let mut summary = Summary::default();
        let mut line = Vec::new();
        let mut number = 0_u64;
        let mut scratch = Scratch::default();
        let mut answer = Vec::new();
        while read_line(&mut input, &mut line)? > 0 {
            number += 1;
            if !line.trim_ascii().is_empty() {
                answer.clear();
                self.line(&line, number, &mut scratch, &mut summary, &mut answer)?;
                out.write_all(&answer)?;
            }
            line.clear();
        }
        Ok(summary)
    }

    fn line(
        &self,
        line: &[u8],
        number: u64,
        scratch: &mut Scratch,
        summary: &mut Summary,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        if let Some((id, message)) = line::read(line) {
            return self.report(id, &message, scratch, summary, out);
        }
        let parsed = serde_json::from_slice::<Line<'_>>(line)
            .map_err(|it| parse_error(&it))
            .and_then(|it| {
                let id = it.id;
                message(it).map(|message| (id, message))
            });
        match parsed {
            Ok((id, message)) => {
                self.report(id.map(RawValue::get), &message, scratch, summary, out)
            }
            Err(reason) => {
                summary.has_bad_line = true;
                let id = serde_json::from_slice::<LineId<'_>>(line)
                    .ok()
                    .and_then(|it| it.id);
                report::error(
                    id.map(RawValue::get),
                    &format!("line {number}: {reason}"),
                    out,
                )
            }
        }
    }

    fn report(
        &self,
        id: Option<&str>,
        message: &Message,
        scratch: &mut Scratch,
        summary: &mut Summary,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let inspection = self.inspector.inspect_with(message, &self.plan, scratch);
        // Only findings have places to count, and in ASCII they are those of the bytes.
        let body = (!inspection.findings.is_empty() && !is_surely_ascii(message))
            .then(|| self.inspector.decoded_body(message, &self.plan))
            .flatten();
        summary.has_sure |= inspection.findings.iter().any(is_sure);
        summary.has_gap |= !inspection.gaps.is_empty();
        report::inspection(id, &inspection, message, body.as_deref(), out)
    }

    /// Reports on one file.
    fn file(
        &self,
        content: Vec<u8>,
        (media_type, coding): (&str, Option<&'static str>),
        format: Format,
        out: &mut impl Write,
    ) -> io::Result<Summary> {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(media_type) {
            headers.insert(header::CONTENT_TYPE, value);
        }
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        let message = Message {
            method: Method::POST,
            path: "/".to_owned(),
            query: None,
            headers,
            body: Bytes::from(content),
            trailers: HeaderMap::new(),
        };
        let mut summary = Summary::default();
        match format {
            Format::Json => {
                let mut answer = Vec::new();
                self.report(
                    None,
                    &message,
                    &mut Scratch::default(),
                    &mut summary,
                    &mut answer,
                )?;
                out.write_all(&answer)?;
            }
            Format::Text => self.table(&message, &mut summary, out)?,
        }
        Ok(summary)
    }

    /// A line a finding: where, what, how sure, by which detector. The value itself is never printed.
    fn table(
        &self,
        message: &Message,
        summary: &mut Summary,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let inspection = self.inspector.inspect(message, &self.plan);
        let body = self.inspector.decoded_body(message, &self.plan);
        let mut offsets = report::Offsets::of(body.as_deref());
        let mut rows = vec![["WHERE", "WHAT", "CONFIDENCE", "WHY"].map(str::to_owned)];
        for finding in inspection
            .findings
            .iter()
            .filter(|it| it.location.part == Part::Body)
        {
            summary.has_sure |= is_sure(finding);
            let span = offsets.range(&finding.span);
            let place = location_text(&finding.location)
                .unwrap_or_else(|| format!("{}..{}", span.0, span.1));
            let label = categories::entry(finding.category).map_or("", |it| it.en.as_str());
            rows.push([
                place,
                format!("{} ({label})", finding.category),
                finding.confidence.as_str().to_owned(),
                finding.raised.map_or_else(
                    || finding.detector.to_owned(),
                    |it| format!("{}, {}", finding.detector, it.as_str()),
                ),
            ]);
        }
        if rows.len() > 1 {
            write_rows(out, &rows)?;
        } else if inspection.gaps.is_empty() {
            writeln!(out, "No personal data found.")?;
        } else {
            writeln!(out, "Nothing found in what could be read.")?;
        }
        summary.has_gap |= !inspection.gaps.is_empty();
        for gap in &inspection.gaps {
            let place = location_text(&gap.location)
                .unwrap_or_else(|| gap.location.part.as_str().to_owned());
            let (kind, why) = (gap.kind.as_str(), gap.kind.meaning());
            writeln!(out, "Not read: {place} ({kind}: {why})")?;
        }
        if !inspection.gaps.is_empty() {
            let label = message.headers.get(header::CONTENT_TYPE);
            let label = label.and_then(|it| it.to_str().ok()).unwrap_or_default();
            writeln!(
                out,
                "It was read as {label}; --content-type TYPE says otherwise."
            )?;
        }
        let mut levels: Vec<Confidence> =
            inspection.findings.iter().map(|it| it.confidence).collect();
        levels.sort_unstable();
        levels.dedup();
        for level in levels.iter().rev() {
            writeln!(out, "{}: {}", level.as_str(), level.meaning())?;
        }
        Ok(())
    }
}

/// Columns as wide as their widest cell, two spaces apart.
fn write_rows(out: &mut impl Write, rows: &[[String; 4]]) -> io::Result<()> {
    let mut widths = [0_usize; 4];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// The reason without an excerpt of the line, which may hold personal data.
fn parse_error(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a member has the wrong type",
        serde_json::error::Category::Eof => "the object ends too early",
        serde_json::error::Category::Io | serde_json::error::Category::Syntax => {
            "not a JSON object"
        }
    };
    format!("{what} (column {})", error.column())
}

/// Builds the message that a line describes.
fn message(line: Line<'_>) -> Result<Message, String> {
    let method = match line.method {
        Some(name) => name
            .parse()
            .map_err(|_| "`method` is not an HTTP method".to_owned())?,
        None => Method::POST,
    };
    let target = line.path.unwrap_or_else(|| "/".to_owned());
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target, None),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &line.headers {
        let text = value
            .as_str()
            .ok_or("a value of `headers` is not a string")?;
        insert(&mut headers, name, text)?;
    }
    for (name, value) in [
        ("host", line.host),
        ("content-type", line.content_type),
        ("content-encoding", line.content_encoding),
    ] {
        if let Some(text) = value {
            insert(&mut headers, name, &text)?;
        }
    }
    let body = match (line.body, line.body_base64) {
        (Some(_), Some(_)) => return Err("give `body` or `body_base64`, not both".to_owned()),
        (Some(text), None) => Bytes::from(text),
        (None, Some(coded)) => STANDARD
            .decode(coded)
            .map(Bytes::from)
            .map_err(|_| "`body_base64` is not base64 (RFC 4648 section 4)".to_owned())?,
        (None, None) => Bytes::new(),
    };
    Ok(Message {
        method,
        path,
        query,
        headers,
        body,
        trailers: HeaderMap::new(),
    })
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| "a name of `headers` is not a field name".to_owned())?;
    let value = HeaderValue::from_str(value)
        .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
        .map_err(|_| format!("the value of `{name}` is not a field value"))?;
    headers.insert(name, value);
    Ok(())
}

/// Whether the decoded body is known to be ASCII without a look at what codings and charsets make of it.
fn is_surely_ascii(message: &Message) -> bool {
    let label = message.headers.get(header::CONTENT_TYPE);
    let names_charset = label.is_some_and(|it| memchr::memchr(b';', it.as_bytes()).is_some());
    // An XML document may name its charset itself.
    let is_markup = message.body.first() == Some(&b'<');
    !names_charset
        && !is_markup
        && !message.headers.contains_key(header::CONTENT_ENCODING)
        && message.body.is_ascii()
}

const fn is_sure(finding: &Finding) -> bool {
    matches!(finding.confidence, Confidence::High | Confidence::Certain)
}

/// The path of a location, with the path inside a value after it.
fn location_text(location: &Location) -> Option<String> {
    let path = normalized_path(location.path.as_deref()?);
    Some(match location.inner.as_deref() {
        Some(inner) => format!("{path} > {}", normalized_path(inner)),
        None => path,
    })
}

#[cfg(test)]
mod tests;
