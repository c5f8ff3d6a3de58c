//! Mail (RFC 5322, MIME): `message/rfc822` bodies and parts, and mails that are a value of a mailing API, in base64 or as they are.
//!
//! To selectors and in locations a mail is an object: its header fields by their names in lower case, those of addresses as lists of
//! `name` and `address`; what it holds is `body`, the parts of a multipart content are the list `parts`, each an object like the mail
//! itself. A field that stands several times has one place.
//!
//! What two mail readers are known to take in different ways is ambiguous. Fields and texts that are written as they read can be
//! written over in place; whatever stands in an encoding, or in a mail that is signed, covers all of it.

mod address;
pub(crate) mod encoded_word;
mod header;
pub(crate) mod http;
mod label;
mod parameter;
mod split;
mod transfer;

use std::{borrow::Cow, ops::Range};

use super::{
    super::{detect::is_persons_address, media_type::is_token},
    json::Document,
    layer::{Escape, Layer},
    part::{self, Place, Source},
    reading::{Find, Reading, Scan, is_message_id},
    walk::{Key, Walk, walk},
};
use crate::model::{Category, finding::GapKind};
use address::{Addresses, Mailbox};
use header::{Field, Section};
use label::{Content, Label};
use parameter::Parameterised;
use transfer::Transfer;

/// Fields whose value is a list of addresses.
const ADDRESSES: &[&str] = &[
    "apparently-to",
    "bcc",
    "cc",
    "delivered-to",
    "disposition-notification-to",
    "envelope-to",
    "errors-to",
    "from",
    "mail-followup-to",
    "mail-reply-to",
    "reply-to",
    "resent-bcc",
    "resent-cc",
    "resent-from",
    "resent-reply-to",
    "resent-sender",
    "resent-to",
    "return-path",
    "return-receipt-to",
    "sender",
    "to",
    "x-delivered-to",
    "x-envelope-from",
    "x-envelope-to",
    "x-forwarded-to",
    "x-google-original-from",
    "x-original-from",
    "x-original-to",
    "x-rcpt-to",
    "x-receiver",
    "x-sender",
];

/// Fields of which one says that a text is a mail, and those of which two do.
const SURE: &[&str] = &["content-transfer-encoding", "mime-version"];
const LIKELY: &[&str] = &[
    "bcc",
    "cc",
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "message-id",
    "received",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

/// Shortest text that is looked at.
const MAIL_MIN: usize = 24;

/// Longest name of a first field.
const NAME_MAX: usize = 48;

/// Bytes of a text that are looked through for fields.
const LOOK_MAX: usize = 16 * 1024;

/// Whether a mail begins in `bytes`: its first line is a field, and fields of mail are among those that follow. Most texts cost a
/// look at their first bytes.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let is_letter = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    if bytes.len() < MAIL_MIN || !is_letter {
        return false;
    }
    let head = bytes.get(..NAME_MAX.min(bytes.len())).unwrap_or_default();
    let colon = memchr::memchr2(b':', b' ', head);
    let name = colon.and_then(|it| std::str::from_utf8(bytes.get(..it)?).ok());
    let is_mailbox = bytes.starts_with(b"From ");
    if !is_mailbox && !name.is_some_and(is_token) {
        return false;
    }
    let look = bytes.get(..LOOK_MAX.min(bytes.len())).unwrap_or_default();
    if memchr::memchr(b'\n', look).is_none() {
        return false;
    }
    has_fields(look, is_mailbox)
}

fn has_fields(look: &[u8], is_mailbox: bool) -> bool {
    let (mut likely, mut is_clear) = (0_u64, true);
    for line in look.split(|it| *it == b'\n').skip(usize::from(is_mailbox)) {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            break;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        let is = |it: &&str| name.eq_ignore_ascii_case(it.as_bytes());
        if colon < line.len() && SURE.iter().any(is) {
            return true;
        }
        if let Some(place) = LIKELY.iter().position(is).filter(|_| colon < line.len()) {
            likely |= 1 << place;
        }
        is_clear &= colon < line.len() && std::str::from_utf8(name).is_ok_and(is_token);
    }
    is_clear && likely.count_ones() >= 2
}

/// Whether a mail may begin with these first bytes of it: a field's name, or the mark of a mailbox.
pub(crate) fn may_begin(first: &[u8]) -> bool {
    let end = memchr::memchr2(b':', b' ', first).unwrap_or(first.len());
    let name = first.get(..end).unwrap_or_default();
    first.first().is_some_and(u8::is_ascii_alphabetic)
        && std::str::from_utf8(name).is_ok_and(is_token)
}

/// Reads `source`, a mail that is all of `document`.
pub(crate) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    document: &Document<'_>,
    source: &Source<'_>,
) {
    read_object(reading, document, source.bytes.len(), |walk| {
        mail(walk, source);
    });
}

/// Reads `source`, a multipart content with this label.
pub(crate) fn read_multipart<S: Scan>(
    reading: &mut Reading<'_, S>,
    document: &Document<'_>,
    source: &Source<'_>,
    label: &str,
) {
    read_object(reading, document, source.bytes.len(), |walk| {
        let label = Label::parse(label);
        tell(walk, label.fault);
        parts(walk, source, &label);
    });
}

/// Lets `feed` read a document that is one object of `length` bytes.
fn read_object<'p, S: Scan>(
    reading: &mut Reading<'p, S>,
    document: &Document<'_>,
    length: usize,
    feed: impl for<'w> Fn(&mut Walk<'w, 'p, S>),
) {
    if !reading.spend(length as u64, document.root) {
        return;
    }
    if document.depth_max == 0 {
        return reading.gap(GapKind::DepthExceeded, document.root, None);
    }
    walk(reading, document, |walk| {
        walk.open(true, 0);
        feed(walk);
        walk.close(length);
    });
}

/// Reads the mail that `source` is into the object that is open.
fn mail<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) {
    let section = Section::of(source.bytes);
    let is_signed = section.fields.iter().any(|it| it.name == "dkim-signature")
        || Label::of(&section, source.bytes).kind == "multipart/signed";
    if is_signed {
        // Whatever is taken out of it breaks the signature, so it stays or goes as a whole.
        entity(walk, &section, &source.standing_for(source.bytes));
    } else {
        entity(walk, &section, source);
    }
}

/// Reads a header section and what it describes.
fn entity<S: Scan>(walk: &mut Walk<'_, '_, S>, section: &Section, source: &Source<'_>) {
    fields(walk, section, source);
    let label = Label::of(section, source.bytes);
    tell(walk, label.fault);
    content(
        walk,
        &label,
        &source.slice(section.body..source.bytes.len()),
    );
}

/// Reads the fields of a section, and its lines that are none.
fn fields<S: Scan>(walk: &mut Walk<'_, '_, S>, section: &Section, source: &Source<'_>) {
    tell(walk, section.fault);
    for range in &section.strays {
        let line = source.slice(range.clone());
        let text = String::from_utf8_lossy(line.bytes);
        let layer = line.layer(&text, matches!(text, Cow::Borrowed(_)));
        walk.aside("line", &text, &layer, 0);
    }
    for it in &section.fields {
        if walk.is_halted() {
            return;
        }
        field(walk, it, source);
    }
}

/// Notes a gap of the object that is open.
fn tell<S: Scan>(walk: &mut Walk<'_, '_, S>, fault: Option<GapKind>) {
    if let Some(kind) = fault.filter(|_| !walk.is_drawing() && !walk.is_halted()) {
        let node = walk.node();
        walk.reading.gap(kind, node, None);
    }
}

/// Notes a gap of the member whose name was taken last.
fn tell_of_member<S: Scan>(walk: &mut Walk<'_, '_, S>, fault: Option<GapKind>) {
    if let Some(kind) = fault.filter(|_| !walk.is_drawing() && !walk.is_halted()) {
        let spot = walk.spot(None);
        walk.reading.gap(kind, spot.node, spot.leaf.as_ref());
    }
}

/// A key that is written `name` and means what the dictionary says of `word`.
fn key<S: Scan>(walk: &mut Walk<'_, '_, S>, name: &str, word: &str) -> Key {
    let scan = walk.reading.scan;
    let keys = &mut walk.reading.keys;
    let id = keys.intern(name, |it| scan.lookup(it));
    let meant = keys.intern(word, |it| scan.lookup(it));
    Key {
        hint: keys.hint(meant),
        ..Key::plain(keys, id)
    }
}

/// Where a text of the mail is written.
struct Written<'t> {
    text: &'t str,
    layer: &'t Layer<'t>,
    /// Its bytes, if it is a record.
    outer: Range<usize>,
}

impl Written<'_> {
    /// Reads all of it as the value of the member that was named.
    fn read<S: Scan>(&self, walk: &mut Walk<'_, '_, S>) {
        self.read_range(walk, 0..self.text.len(), None);
    }

    /// Reads `range` of it, which means `cooked` where it is written in another way.
    fn read_range<S: Scan>(
        &self,
        walk: &mut Walk<'_, '_, S>,
        range: Range<usize>,
        cooked: Option<&str>,
    ) {
        let raw = self.text.get(range.clone()).unwrap_or_default();
        match cooked {
            None => walk.text(raw, self.layer, range.start, self.outer.clone()),
            Some(text) => {
                let layer = self.layer.inside(raw, range.start, Escape::Whole);
                walk.text(text, &layer, 0, self.outer.clone());
            }
        }
    }
}

fn field<S: Scan>(walk: &mut Walk<'_, '_, S>, field: &Field, source: &Source<'_>) {
    let is_addresses = ADDRESSES.contains(&field.name.as_str());
    let word = if is_addresses { "contact" } else { &field.name };
    let key = key(walk, &field.name, word);
    walk.shared_name(key);
    let name = source.slice(field.name_at.clone());
    let written = String::from_utf8_lossy(name.bytes);
    walk.read_name(key.name, &name.layer(&written, true));

    let value = source.slice(field.value.clone());
    let text = String::from_utf8_lossy(value.bytes);
    let is_text = matches!(text, Cow::Borrowed(_));
    if !is_text {
        tell_of_member(walk, Some(GapKind::UnsupportedCharset));
    }
    let outside = value.layer(&text, is_text);
    let unfolded = header::unfolded(&text);
    let joined = unfolded.as_ref().map(|it| outside.joined(&it.1));
    let written = Written {
        text: unfolded.as_ref().map_or(&*text, |it| it.0.as_str()),
        layer: joined.as_ref().unwrap_or(&outside),
        outer: value.span.clone(),
    };
    if is_addresses {
        addresses(walk, &field.name, key, &written);
    } else if is_message_id(&field.name) {
        let text = without_ids(written.text);
        written.read_range(walk, 0..written.text.len(), text.as_deref());
    } else {
        plain_field(walk, key, &written);
        if matches!(field.name.as_str(), "content-type" | "content-disposition") {
            parameters(walk, &written);
        }
    }
}

/// Reads a field of text: what its encoded words say, and how it is written.
fn plain_field<S: Scan>(walk: &mut Walk<'_, '_, S>, key: Key, written: &Written<'_>) {
    let Some(decoded) = encoded_word::decode(written.text) else {
        return written.read(walk);
    };
    tell_of_member(walk, decoded.fault);
    let first = walk.reading.finds.len();
    written.read_range(walk, 0..written.text.len(), Some(&decoded.text));
    again(walk, key, written, first);
}

/// Reads `written` once more as it stands, for those who do not undo what is undone in it. What was found from `first` on is not
/// found again.
fn again<S: Scan>(walk: &mut Walk<'_, '_, S>, key: Key, written: &Written<'_>, first: usize) {
    if walk.is_drawing() || walk.is_halted() {
        return;
    }
    walk.shared_name(key);
    let mut said = walk.reading.said(first);
    let known = walk.reading.finds.len();
    written.read(walk);
    walk.reading.drop_repeats(known, &mut said);
}

fn addresses<S: Scan>(walk: &mut Walk<'_, '_, S>, name: &str, own: Key, written: &Written<'_>) {
    let list = Addresses::parse(written.text);
    tell_of_member(walk, list.is_malformed.then_some(GapKind::Malformed));
    let decoded = encoded_word::decode(written.text);
    tell_of_member(walk, decoded.as_ref().and_then(|it| it.fault));
    if walk.depth_left() < 2 {
        return tell_of_member(walk, Some(GapKind::DepthExceeded));
    }
    let first = walk.reading.finds.len();
    walk.open(false, written.outer.start);
    for it in &list.mailboxes {
        if walk.is_halted() {
            return;
        }
        mailbox(walk, it, written);
    }
    walk.close(written.outer.end);
    for it in &list.others {
        let raw = written.text.get(it.range.clone()).unwrap_or_default();
        let text = it.cooked.as_deref().unwrap_or(raw);
        let layer = written.layer.inside(raw, it.range.start, Escape::Whole);
        walk.aside(name, text, &layer, 0);
    }
    if decoded.is_some() || list.is_malformed {
        again(walk, own, written, first);
    }
}

fn mailbox<S: Scan>(walk: &mut Walk<'_, '_, S>, it: &Mailbox, written: &Written<'_>) {
    walk.open(true, written.outer.start);
    for (piece, name, word) in [
        (&it.name, "name", "name"),
        (&it.address, "address", "email"),
    ] {
        if let Some(piece) = piece {
            let key = key(walk, name, word);
            walk.shared_name(key);
            written.read_range(walk, piece.range.clone(), piece.cooked.as_deref());
        }
    }
    walk.close(written.outer.end);
}

/// `text` with blanks for the ids of messages in it, which are written as addresses are; those that are written as people's
/// addresses stay.
fn without_ids(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        let Some((id, after)) = behind.split_once('>') else {
            break;
        };
        out.push_str(before);
        let local = id.split('@').next().unwrap_or_default();
        if is_persons_address(local) || encoded_word::decode(id).is_some() {
            out.extend(["<", id, ">"]);
        } else {
            out.push(' ');
        }
        rest = after;
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// Reads the parameters of a field that are not written as they read: pieces, charsets, encoded words.
fn parameters<S: Scan>(walk: &mut Walk<'_, '_, S>, written: &Written<'_>) {
    let read = Parameterised::parse(written.text);
    tell(walk, read.fault);
    let layer = written.layer.inside(written.text, 0, Escape::Whole);
    for it in &read.parameters {
        if !written.text.contains(&it.value) {
            walk.aside(&it.name, &it.value, &layer, 0);
        }
    }
}

/// Reads what an entity holds.
fn content<S: Scan>(walk: &mut Walk<'_, '_, S>, label: &Label, source: &Source<'_>) {
    if walk.is_halted() || source.bytes.is_empty() {
        return;
    }
    match label.content {
        Content::Multipart => return parts(walk, source, label),
        Content::Mail | Content::Other => {}
    }
    let key = key(walk, "body", "body");
    walk.shared_name(key);
    if !spend(walk, source) {
        return;
    }
    let decoded = match label.transfer {
        Transfer::Plain => return whole(walk, label, source),
        coded @ (Transfer::Base64 | Transfer::QuotedPrintable) => coded.undo(source.bytes),
    };
    let first = walk.reading.finds.len();
    if let Some(bytes) = &decoded {
        whole(walk, label, &source.standing_for(bytes));
    } else {
        tell_of_member(walk, Some(GapKind::Malformed));
    }
    // Not every reader undoes the encoding, and what it comes to may hide what is written.
    let is_settled = label.transfer == Transfer::Base64
        && decoded
            .as_deref()
            .is_some_and(|it| part::readable(it).is_some());
    if !is_settled {
        raw(walk, key, source, decoded.as_deref(), first);
    }
}

/// Reads what is written in an encoding as it stands.
fn raw<S: Scan>(
    walk: &mut Walk<'_, '_, S>,
    key: Key,
    source: &Source<'_>,
    decoded: Option<&[u8]>,
    first: usize,
) {
    let Some(text) = part::readable(source.bytes) else {
        return;
    };
    let layer = source.layer(text, true);
    let written = Written {
        text,
        layer: &layer,
        outer: source.span.clone(),
    };
    let known = walk.reading.finds.len();
    again(walk, key, &written, first);
    if let Some(decoded) = decoded {
        drop_tails(&mut walk.reading.finds, known, decoded);
    }
}

/// Drops the addresses from `known` on that are only ends of longer words in `decoded`: a soft line break stands in the middle of
/// those, and what is behind it is nobody's (`suppo=\nrt@example.com`).
fn drop_tails(finds: &mut Vec<Find>, known: usize, decoded: &[u8]) {
    let mut again = finds.split_off(known.min(finds.len()));
    if again.iter().any(|it| it.category == Category::Email) {
        let text = String::from_utf8_lossy(decoded).to_lowercase();
        let is_in_word = |at: usize| {
            let before = text.get(..at).unwrap_or_default();
            before.ends_with(|it: char| it.is_alphanumeric() || "._-+".contains(it))
        };
        let is_tail = |address: &str| {
            let mut places = text.match_indices(address).map(|it| it.0).peekable();
            places.peek().is_some() && places.all(is_in_word)
        };
        again.retain(|it| {
            let address = it
                .identifier
                .as_ref()
                .filter(|_| it.category == Category::Email);
            !address.is_some_and(|it| is_tail(it.value.expose()))
        });
    }
    finds.extend(again);
}

fn spend<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>) -> bool {
    if walk.is_drawing() {
        return true;
    }
    let node = walk.node();
    walk.reading.spend(source.bytes.len() as u64, node)
}

/// Reads a content that has no parts, as the member that was named.
fn whole<S: Scan>(walk: &mut Walk<'_, '_, S>, label: &Label, source: &Source<'_>) {
    if label.content == Content::Mail {
        if walk.depth_left() == 0 {
            return tell_of_member(walk, Some(GapKind::DepthExceeded));
        }
        walk.open(true, source.span.start);
        mail(walk, source);
        return walk.close(source.span.end);
    }
    let text = || String::from_utf8_lossy(source.bytes).into_owned();
    let Some(entered) = walk.value(source.span.clone(), text) else {
        return;
    };
    let place = Place::of(walk, &entered);
    if label.is_text() {
        part::read(walk, &place, &entered, &label.headers, source);
    } else {
        // What is written over in a document may break it, and what describes it.
        let source = source.standing_for(source.bytes);
        part::read(walk, &place, &entered, &label.headers, &source);
    }
}

/// Reads the parts of a multipart content.
fn parts<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>, label: &Label) {
    let Some(boundary) = &label.boundary else {
        tell(walk, Some(GapKind::Malformed));
        return outside(walk, source, 0..source.bytes.len());
    };
    if !spend(walk, source) {
        return;
    }
    if walk.depth_left() < 2 {
        return tell(walk, Some(GapKind::DepthExceeded));
    }
    let most = usize::try_from(walk.reading.plan.budget.values).unwrap_or(usize::MAX);
    let split = split::split(source.bytes, boundary, most);
    tell(walk, split.is_ambiguous.then_some(GapKind::Ambiguous));
    tell(walk, split.is_malformed.then_some(GapKind::Malformed));
    for range in split.outside {
        outside(walk, source, range);
    }
    let key = key(walk, "parts", "parts");
    walk.shared_name(key);
    walk.open(false, source.span.start);
    for range in split.parts {
        if walk.is_halted() {
            break;
        }
        let part = source.slice(range);
        walk.open(true, part.span.start);
        let section = Section::of(part.bytes);
        entity(walk, &section, &part);
        walk.close(part.span.end);
    }
    walk.close(source.span.end);
}

/// Reads what is no part: readers that know no parts show it.
fn outside<S: Scan>(walk: &mut Walk<'_, '_, S>, source: &Source<'_>, range: Range<usize>) {
    let text = source.slice(range);
    match part::readable(text.bytes) {
        Some(it) => walk.aside("text", it, &text.layer(it, true), 0),
        None => tell(walk, Some(GapKind::Opaque)),
    }
}
