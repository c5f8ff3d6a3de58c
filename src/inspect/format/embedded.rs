//! Documents that are the value of a string, other than JSON: told by how they begin, so that other texts cost a look at a byte.

use super::{
    super::{
        detect::ValueKind,
        signs::{Signs, sign},
    },
    csv, form, graphql,
    json::{Around, Value, first_byte, within},
    mail,
    part::Source,
    reading::{Reading, Scan, Spot},
    vcard, xml,
};
use crate::model::finding::GapKind;

/// A document inside a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Embedded {
    /// vCard or iCalendar.
    ContentLines,
    /// `a=b&c=d`, or the query of an address.
    Form(usize),
    GraphQl,
    Mail,
    /// Rows of cells that this byte parts.
    Table(u8),
    Xml,
}

impl Embedded {
    /// The document that `value`, whose bytes have these `signs`, is: each kind has at least one.
    pub(crate) fn of(value: &Value<'_>, signs: Signs) -> Option<Self> {
        let telling = sign::BREAK | sign::BRACE | sign::TAG | sign::EQUALS;
        let text = value.text;
        let first = first_byte(text)?;
        let is_possible = signs.has_any(telling) || matches!(first, b'B' | b'b');
        if value.kind != ValueKind::String || !is_possible {
            return None;
        }
        match first {
            _ if signs.has(sign::BREAK) && mail::begins(text.as_bytes()) => Some(Self::Mail),
            b'B' | b'b' if vcard::begins(text) => Some(Self::ContentLines),
            b'{' | b'q' | b'm' | b's' | b'f'
                if graphql::begins(text) && graphql::is_document(text) =>
            {
                Some(Self::GraphQl)
            }
            b'<' if xml::is_document(text, value.depth_left) => Some(Self::Xml),
            first if first.is_ascii_alphabetic() => Some(text)
                .filter(|_| signs.has(sign::EQUALS))
                .and_then(form_start)
                .map(Self::Form)
                .or_else(|| csv::inside::delimiter_of(text).map(Self::Table)),
            first if !first.is_ascii() => csv::inside::delimiter_of(text).map(Self::Table),
            _ => None,
        }
    }
}

/// Where the pairs of `text` begin, when it is nothing but pairs or an address that ends in them.
fn form_start(text: &str) -> Option<usize> {
    let equals = memchr::memchr(b'=', text.as_bytes())?;
    let start = match text.get(..equals)?.split_once('?') {
        Some((address, _)) if address.contains("://") => address.len() + 1,
        Some(_) => return None,
        None => 0,
    };
    let pairs = text.get(start..)?;
    let is_pair = |it: &str| {
        let name = it.split('=').next().unwrap_or_default();
        it.len() > name.len()
            && !name.is_empty()
            && name
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"_-.[]%".contains(&it))
    };
    let is_form = pairs.split('&').all(is_pair) && (start > 0 || pairs.contains('&'));
    let has_space = pairs.bytes().any(|it| it <= b' ' || it == b'<');
    (is_form && !has_space).then_some(start)
}

/// Reads the mail whose bytes stand encoded in `value`.
pub(crate) fn read_mail<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    bytes: &[u8],
    spot: &Spot,
) {
    if value.depth_left == 0 {
        return reading.gap(GapKind::DepthExceeded, spot.node, spot.leaf.as_ref());
    }
    mail_within(reading, value, bytes, spot);
}

fn mail_within<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    bytes: &[u8],
    spot: &Spot,
) {
    within(reading, value, spot, |reading, it| {
        let layer = it.layer.content();
        let source = Source {
            bytes,
            within: Some(&layer),
            span: 0..bytes.len(),
            is_written: true,
        };
        mail::read(reading, it, &source);
    });
}

/// Reads `value` as the `document` that it is.
pub(crate) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    value: &Value<'_>,
    document: Embedded,
    spot: &Spot,
) {
    if value.depth_left == 0 {
        return reading.gap(GapKind::DepthExceeded, spot.node, spot.leaf.as_ref());
    }
    let gaps = reading.gaps.len();
    match document {
        Embedded::ContentLines => within(reading, value, spot, |reading, it| {
            vcard::read(reading, it);
        }),
        Embedded::GraphQl => within(reading, value, spot, |reading, it| {
            graphql::read(reading, it);
        }),
        Embedded::Mail => mail_within(reading, value, value.text.as_bytes(), spot),
        Embedded::Table(delimiter) => {
            // What holds a table says nothing of its columns: `text`, `content`.
            let bare = Value {
                around: Around::default(),
                ..*value
            };
            within(reading, &bare, spot, |reading, it| {
                csv::inside::read(reading, it, delimiter);
            });
        }
        Embedded::Xml => within(reading, value, spot, |reading, it| xml::read(reading, it)),
        Embedded::Form(start) => {
            let pairs = Value {
                text: value.text.get(start..).unwrap_or_default(),
                at: value.at + start,
                ..*value
            };
            within(reading, &pairs, spot, |reading, it| {
                form::read(reading, it);
            });
        }
    }
    if matches!(document, Embedded::Form(_) | Embedded::Table(_)) && !reading.is_halted {
        // A text that only looks like pairs or rows may hold any escapes and lines; it was read as text before.
        reading.gaps.truncate(gaps);
    }
}
