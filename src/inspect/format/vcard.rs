//! vCard (RFC 6350, 2426) and iCalendar (RFC 5545): content lines, each `NAME;PARAMETER=…:value`, in components between `BEGIN` and
//! `END`.
//!
//! To selectors and in locations a document is an array of its components. A component is an object: properties by their names in
//! capitals, without a group (`item1.`), and the components in it. A property that stands several times has one place. The parts of
//! `N` and `ORG` are a list. Parameters are read, and named beside the path.

use std::{borrow::Cow, ops::Range};

use super::{
    json::Document,
    layer::{Layer, Stretch},
    magic,
    multipart::quoted_printable,
    reading::{Reading, Scan},
    walk::{Key, Walk, walk},
};
use crate::model::finding::GapKind;

/// What properties hold, as words of the key dictionary.
const WORDS: &[(&str, &str)] = &[
    ("ADR", "address"),
    ("ATTENDEE", "attendee"),
    ("BDAY", "birth_date"),
    ("CONTACT", "contact"),
    ("EMAIL", "email"),
    ("FN", "full_name"),
    ("GENDER", "gender"),
    ("GEO", "coordinates"),
    ("IMPP", "messenger"),
    ("LABEL", "address"),
    ("NICKNAME", "nickname"),
    ("ORGANIZER", "organizer"),
    ("PHOTO", "photo_url_person"),
    ("TEL", "phone"),
];

/// Components that begin and end without anything to read in their lines (RFC 6350 §6.1.1, RFC 5545 §3.6).
const COMPONENTS: &[&str] = &[
    "VCARD",
    "VCALENDAR",
    "VEVENT",
    "VTODO",
    "VJOURNAL",
    "VFREEBUSY",
    "VTIMEZONE",
    "VALARM",
    "STANDARD",
    "DAYLIGHT",
];

/// The parts of a name (RFC 6350 §6.2.2).
const NAME_PARTS: &[&str] = &["last_name", "first_name", "middle_name", "prefix", "suffix"];

/// Whether a document of content lines begins `text`.
pub(crate) fn begins(text: &str) -> bool {
    let is = |word: &str| {
        let start = text.get(..word.len());
        start.is_some_and(|it| it.eq_ignore_ascii_case(word))
    };
    is("BEGIN:VCARD") || is("BEGIN:VCALENDAR") || is("BEGIN:VEVENT")
}

/// Reads a document of content lines.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    if !reading.spend(document.text.len() as u64, document.root) {
        return;
    }
    let lines = lines(document.text, document.from);
    let fault = std::cell::Cell::new(None);
    walk(reading, document, |walk| {
        fault.set(components(walk, document, &lines));
    });
    if let Some(kind) = fault.get().filter(|_| !reading.is_halted) {
        reading.gap(kind, document.root, None);
    }
}

/// The lines of `text` from byte `from` on, each with the lines that continue it: those that begin with a space, and in quoted-printable
/// those after a `=` at the end.
fn lines(text: &str, from: usize) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut at = from;
    // Whether the last line is quoted-printable. Said by its first piece, so that no text is looked at twice.
    let mut is_quoted = false;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        let range = at..at + line.trim_end_matches(['\r', '\n']).len();
        at += line.len();
        let before = out.last().and_then(|it| text.get(it.clone()));
        let is_soft = is_quoted && before.is_some_and(|it| it.ends_with('='));
        match out.last_mut() {
            Some(last) if is_soft || line.starts_with([' ', '\t']) => last.end = range.end,
            _ if range.is_empty() => {}
            _ => {
                is_quoted = is_quoted_printable(line);
                out.push(range);
            }
        }
    }
    out
}

/// What of `text` can be written over without its lines becoming others: values and those of parameters, in order.
pub(crate) fn units(text: &str, from: usize) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for range in lines(text, from) {
        let raw = text.get(range.clone()).unwrap_or_default();
        let Some(line) = Line::of(raw) else {
            out.push(range);
            continue;
        };
        for parameter in &line.parameters {
            let written = raw.get(parameter.clone()).unwrap_or_default();
            let value = written.split_once('=').map_or(written, |it| it.1);
            let end = range.start + parameter.end;
            out.push(end - value.len()..end);
        }
        if !line.is_bound() {
            out.push(range.start + line.value.start..range.end);
        }
    }
    out
}

fn is_quoted_printable(line: &str) -> bool {
    let head = line.split(':').next().unwrap_or_default();
    head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

fn components<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    lines: &[Range<usize>],
) -> Option<GapKind> {
    let mut fault = None;
    let mut open = 0_usize;
    let levels = walk.depth_left();
    walk.open(false, document.from);
    for range in lines {
        if walk.is_halted() {
            return None;
        }
        let raw = document.text.get(range.clone()).unwrap_or_default();
        let Some(line) = Line::of(raw) else {
            // It is no content line; what stands in it may be data all the same.
            fault = Some(GapKind::Malformed);
            let layer = document.layer.written(raw, range.start);
            walk.aside("line", raw, &layer, 0);
            continue;
        };
        if !line.opens_known(raw) {
            line_head(walk, document, &line, raw, range.start);
        }
        match line.name.as_str() {
            "BEGIN" => {
                let kind = line.value_of(raw).trim().to_ascii_uppercase();
                if open + 2 > levels {
                    return Some(GapKind::DepthExceeded);
                }
                if open > 0 {
                    let key = key(walk, &kind, "");
                    walk.shared_name(key);
                }
                open += 1;
                walk.open(true, range.start);
            }
            "END" => match open.checked_sub(1) {
                Some(left) => {
                    open = left;
                    walk.close(range.end);
                }
                None => fault = Some(GapKind::Malformed),
            },
            _ if open == 0 => {
                fault = Some(GapKind::Malformed);
                let layer = document.layer.written(raw, range.start);
                walk.aside("line", raw, &layer, 0);
            }
            _ => property(walk, document, &line, raw, range.start),
        }
    }
    if open > 0 {
        fault = Some(GapKind::Malformed);
    }
    for _ in 0..=open {
        walk.close(document.text.len());
    }
    fault
}

/// A key that is written `name`, and means what the dictionary says of `word`; of `name` itself where that is empty.
fn key<S: Scan>(walk: &mut Walk<'_, '_, S>, name: &str, word: &str) -> Key {
    let scan = walk.reading.scan;
    let keys = &mut walk.reading.keys;
    let id = keys.intern(name, |it| scan.lookup(it));
    let plain = Key::plain(keys, id);
    if word.is_empty() {
        return plain;
    }
    let meant = keys.intern(word, |it| scan.lookup(it));
    Key {
        hint: keys.hint(meant),
        ..plain
    }
}

/// Reads what stands in a line beside its value: its name with the group before it, its parameters, and what `BEGIN` and `END` name.
fn line_head<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    line: &Line,
    raw: &str,
    start: usize,
) {
    let head = raw.get(line.head.clone()).unwrap_or_default();
    written_name(walk, document, head, start);
    for range in &line.parameters {
        parameter(
            walk,
            document,
            raw.get(range.clone()).unwrap_or_default(),
            start + range.start,
        );
    }
    if line.is_bound() {
        let value = line.value_of(raw);
        let layer = document.layer.written(value, start + line.value.start);
        walk.aside(&line.name, value, &layer, 0);
    }
}

/// Reads a name of the format as a value: it may be any.
fn written_name<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    name: &str,
    at: usize,
) {
    let key = key(walk, name, "");
    walk.shared_name(key);
    walk.read_name(key.name, &document.layer.written(name, at));
}

/// Reads a parameter, which stands at byte `start`.
fn parameter<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    raw: &str,
    start: usize,
) {
    let (name, value) = raw.split_once('=').unwrap_or(("TYPE", raw));
    let at = start + raw.len() - value.len();
    if at > start {
        written_name(walk, document, name, start);
    }
    let bare = unfolded(value.trim_matches('"'));
    let layer = document.layer.over(at..at + value.len());
    if name.eq_ignore_ascii_case("CN") {
        // The name of who is invited, or invites.
        let key = key(walk, "CN", "full_name");
        walk.shared_name(key);
        return walk.text(&bare, &layer, 0, at..at + value.len());
    }
    walk.aside(name, &bare, &layer, 0);
}

/// A content line, split.
struct Line {
    /// In capitals, without a group.
    name: String,
    /// As it is written, with the group.
    head: Range<usize>,
    parameters: Vec<Range<usize>>,
    value: Range<usize>,
}

impl Line {
    fn of(raw: &str) -> Option<Self> {
        let mut is_quoted = false;
        let mut ends = Vec::new();
        let mut colon = None;
        for (at, byte) in raw.bytes().enumerate() {
            match byte {
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => ends.push(at),
                b':' if !is_quoted => {
                    colon = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let colon = colon?;
        ends.push(colon);
        let mut from = 0;
        let mut pieces = Vec::new();
        for end in ends {
            pieces.push(from..end);
            from = end + 1;
        }
        let head = pieces.first()?.clone();
        let name = raw.get(head.clone())?;
        let name = name.rsplit('.').next().unwrap_or(name).trim();
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'));
        is_name.then(|| Self {
            name: name.to_ascii_uppercase(),
            head,
            parameters: pieces.split_off(1),
            value: colon + 1..raw.len(),
        })
    }

    fn value_of<'r>(&self, raw: &'r str) -> &'r str {
        raw.get(self.value.clone()).unwrap_or_default()
    }

    /// Whether it begins or ends a component.
    fn is_bound(&self) -> bool {
        matches!(self.name.as_str(), "BEGIN" | "END")
    }

    /// Whether it begins or ends a component as the standards name them, and says no more.
    fn opens_known(&self, raw: &str) -> bool {
        let value = self.value_of(raw).trim();
        self.is_bound()
            && self.head.len() == self.name.len()
            && self.parameters.is_empty()
            && COMPONENTS.iter().any(|it| it.eq_ignore_ascii_case(value))
    }

    /// Whether a parameter says `word`.
    fn says(&self, raw: &str, word: &str) -> bool {
        self.parameters.iter().any(|it| {
            let parameter = raw.get(it.clone()).unwrap_or_default();
            parameter
                .rsplit('=')
                .next()
                .is_some_and(|it| it.trim_matches('"').eq_ignore_ascii_case(word))
        })
    }
}

fn property<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    line: &Line,
    raw: &str,
    start: usize,
) {
    let word = WORDS
        .iter()
        .find(|it| it.0 == line.name)
        .map_or("", |it| it.1);
    let key = key(walk, &line.name, word);
    let value = line.value_of(raw);
    let at = start + line.value.start;
    if line.says(raw, "QUOTED-PRINTABLE") {
        return quoted(walk, document, key, value, at);
    }
    if line.name == "PHOTO" || line.says(raw, "BASE64") || line.says(raw, "B") {
        return picture(walk, document, key, value, at);
    }
    if line.name == "N" {
        return name_parts(walk, document, key, value, at);
    }
    let (text, stretches) = unescaped(value, at);
    let layer = document.layer.joined(&stretches);
    walk.shared_name(key);
    walk.text(&text, &layer, 0, at..at + value.len());
}

/// `text` without the breaks of folded lines.
fn unfolded(text: &str) -> Cow<'_, str> {
    if !text.contains('\n') {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|it| it.trim_end_matches('\r'));
    let mut out = String::with_capacity(text.len());
    for (number, line) in lines.enumerate() {
        let cut = usize::from(number > 0 && line.starts_with([' ', '\t']));
        out.push_str(line.get(cut..).unwrap_or_default());
    }
    Cow::Owned(out)
}

/// A value without folds and escapes (RFC 6350 §3.4), and what of the document it is put together from.
fn unescaped(value: &str, base: usize) -> (String, Vec<Stretch>) {
    let mut text = String::with_capacity(value.len());
    let mut stretches = Vec::new();
    let bytes = value.as_bytes();
    let (mut from, mut at) = (0, 0);
    while at <= bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let (skipped, stands_for) = match rest {
            [] => (1, ""),
            [b'\r', b'\n', b' ' | b'\t', ..] => (3, ""),
            [b'\n', b' ' | b'\t', ..] => (2, ""),
            [b'\\', b'n' | b'N', ..] => (2, "\n"),
            [b'\\', b',', ..] => (2, ","),
            [b'\\', b';', ..] => (2, ";"),
            [b'\\', b'\\', ..] => (2, "\\"),
            _ => {
                at += 1;
                continue;
            }
        };
        if from < at {
            stretches.push(stretch(text.len(), base + from..base + at, true));
            text.push_str(value.get(from..at).unwrap_or_default());
        }
        if !stands_for.is_empty() {
            stretches.push(stretch(text.len(), base + at..base + at + skipped, false));
            text.push_str(stands_for);
        }
        at += skipped;
        from = at;
    }
    (text, stretches)
}

const fn stretch(at: usize, raw: Range<usize>, is_exact: bool) -> Stretch {
    Stretch {
        at,
        whole: raw.start..raw.end,
        raw,
        is_exact,
    }
}

/// The parts of a structured name, each with its own meaning.
fn name_parts<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    own: Key,
    value: &str,
    at: usize,
) {
    walk.shared_name(own);
    walk.open(true, at);
    let mut from = 0;
    // What stands behind the last part belongs to it.
    let words = NAME_PARTS.iter().chain(std::iter::repeat(&"suffix"));
    for (part, word) in value.split(';').zip(words) {
        let start = at + from;
        from += part.len() + 1;
        if part.is_empty() {
            continue;
        }
        let (text, stretches) = unescaped(part, start);
        let layer = document.layer.joined(&stretches);
        let key = key(walk, word, "");
        walk.shared_name(key);
        walk.text(&text, &layer, 0, start..start + part.len());
    }
    walk.close(at + value.len());
}

fn quoted<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    key: Key,
    value: &str,
    at: usize,
) {
    walk.shared_name(key);
    let crlf = value.replace("\r\n", "\n").replace("=\n", "");
    let decoded = quoted_printable(crlf.as_bytes());
    let text = decoded.and_then(|it| String::from_utf8(it).ok());
    let layer = document.layer.over(at..at + value.len());
    match text {
        Some(text) => walk.text(&text, &layer, 0, at..at + value.len()),
        None => unread(
            walk,
            value,
            &document.layer.written(value, at),
            at,
            GapKind::UnsupportedCharset,
        ),
    }
}

/// A picture, or another file, in base64 or by its address.
fn picture<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    document: &Document<'_>,
    key: Key,
    value: &str,
    at: usize,
) {
    walk.shared_name(key);
    let bare: String = value.split_ascii_whitespace().collect();
    let layer = document.layer.over(at..at + value.len());
    let is_address = value.contains(':');
    let known = magic::of_base64(&bare).is_some();
    if is_address || known || bare.len() < 64 {
        return walk.text(&bare, &layer, 0, at..at + value.len());
    }
    unread(walk, &bare, &layer, at, GapKind::Opaque);
}

/// Reads a value that cannot be read as what it is, and says so.
fn unread<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    text: &str,
    layer: &Layer<'_>,
    at: usize,
    kind: GapKind,
) {
    walk.text(text, layer, 0, at..at + text.len());
    if walk.is_drawing() || walk.is_halted() {
        return;
    }
    let spot = walk.spot(None);
    walk.reading.gap(kind, spot.node, spot.leaf.as_ref());
}
