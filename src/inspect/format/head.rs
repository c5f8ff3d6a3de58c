//! What stands outside the body: path segments, the query, header and trailer fields.

use http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT},
};

use super::{
    super::{
        detect::{Field, KeyHint, ValueKind},
        selector::Roles,
    },
    form::{self, Escaped, read_escaped},
    json::Around,
    layer::{Escape, Layer, Undecodable},
    neighbours,
    reading::{NodeId, NodeKind, Reading, Scan, Spot, is_message_id},
    sealed,
};
use crate::model::{
    finding::{GapKind, Part, Step},
    message::Message,
};

/// Reads the path: each segment, percent-decoded.
pub(crate) fn read_path<S: Scan>(reading: &mut Reading<'_, S>, message: &Message) {
    let text = message.path.as_str();
    let root = reading.part(Part::Path, false);
    let layer = Layer::root(text);
    let path = text.strip_prefix('/').unwrap_or(text);
    let mut at = text.len() - path.len();
    let mut row = Vec::new();
    for (number, segment) in path.split('/').enumerate() {
        let start = at;
        at += segment.len() + 1;
        if segment.is_empty() {
            continue;
        }
        if !reading.count_value(root) {
            return;
        }
        let selectors = &reading.plan.selectors;
        let roles = if selectors.has_no_names() {
            Roles::default()
        } else {
            selectors.named(Part::Path, &number.to_string(), &mut reading.sections)
        };
        let leaf = Step::Index(number as u64);
        let value = Escaped {
            raw: segment,
            at: start,
            layer: &layer,
            escape: Escape::Percent,
            around: Around::default(),
            root,
            roles,
        };
        let spot = |_: &mut Reading<'_, S>| spot_at(root, Some(leaf.clone()));
        match read_escaped(reading, &value, spot) {
            Ok(()) => {}
            Err(Undecodable::BadEscape) => reading.gap(GapKind::Malformed, root, Some(&leaf)),
            Err(Undecodable::NotUtf8) => {
                reading.gap(GapKind::UnsupportedCharset, root, Some(&leaf));
            }
        }
        let span = start..start + segment.len();
        row.push(
            neighbours::Piece::of(segment, ValueKind::String, span, leaf)
                .filter(|_| !roles.is_not_personal),
        );
    }
    for pieces in row.split(Option::is_none) {
        let pieces: Vec<_> = pieces.iter().flatten().cloned().collect();
        neighbours::read(reading, &pieces, false, root, |_, leaf| {
            spot_at(root, Some(leaf.clone()))
        });
    }
}

/// Reads the query.
pub(crate) fn read_query<S: Scan>(reading: &mut Reading<'_, S>, message: &Message) {
    if let Some(query) = message.query.as_deref().filter(|it| !it.is_empty()) {
        let root = reading.part(Part::Query, false);
        form::read_query(reading, query, root);
    }
}

/// Reads header or trailer fields.
pub(crate) fn read_fields<S: Scan>(reading: &mut Reading<'_, S>, fields: &HeaderMap, part: Part) {
    if fields.is_empty() {
        return;
    }
    let root = reading.part(part, false);
    // Host names the gate itself and is not sent on: the upstream's authority takes its place.
    let lines = fields.iter().filter(|(name, _)| **name != HOST);
    let mut cookies = Vec::new();
    for (line, (name, value)) in lines.enumerate() {
        reading.line = line;
        if !reading.count_value(root) {
            return;
        }
        let plan = reading.plan;
        let roles = plan
            .selectors
            .named(part, name.as_str(), &mut reading.sections);
        read_field(reading, root, roles, name, value.as_bytes(), &mut cookies);
    }
    read_cookie_rows(reading, root, &cookies);
    reading.line = 0;
}

fn read_field<'m, S: Scan>(
    reading: &mut Reading<'_, S>,
    root: NodeId,
    roles: Roles,
    name: &HeaderName,
    value: &'m [u8],
    cookies: &mut Vec<Cookie<'m>>,
) {
    let scan = reading.scan;
    let id = reading.keys.intern(name.as_str(), |it| scan.lookup(it));
    let hint = reading.keys.hint(id);
    read_name(reading, root, name.as_str(), hint);
    let is_plain = |it: &u8| *it >= b' ' && *it != 0x7f || *it == b'\t';
    let text = std::str::from_utf8(value).ok();
    let Some(text) = text.filter(|_| value.iter().all(is_plain)) else {
        let node = field_node(reading, root, name.as_str());
        return reading.gap(GapKind::UnsupportedCharset, node, None);
    };
    let layer = Layer::root(text);
    let around = Around {
        key: hint,
        parent: KeyHint::default(),
    };
    let piece = |raw, at, around| Piece {
        raw,
        at,
        name: name.as_str(),
        around,
    };
    if *name == COOKIE {
        read_cookies(reading, root, roles, &layer, text, cookies);
    } else if *name == USER_AGENT {
        for (range, is_product) in user_agent_pieces(text) {
            let around = if is_product {
                Around::default()
            } else {
                around
            };
            let raw = text.get(range.clone()).unwrap_or_default();
            read_piece(
                reading,
                root,
                roles,
                &layer,
                &piece(raw, range.start, around),
            );
        }
    } else if matches!(*name, AUTHORIZATION | PROXY_AUTHORIZATION) {
        // The scheme is a word of the protocol, or should be; what follows may be base64 or a token with claims.
        let (scheme, credentials) = text
            .split_once([' ', '\t'])
            .map_or(("", text), |it| (it.0, it.1.trim_start()));
        let words = piece(scheme, 0, Around::default());
        read_piece(reading, root, roles, &layer, &words);
        let at = text.len() - credentials.len();
        let is_basic = starts_with_basic(text);
        match sealed::decode(credentials.trim_end()).filter(|_| is_basic) {
            Some(pair) => {
                let layer = layer.inside(credentials, at, Escape::Whole);
                let piece = piece(&pair, 0, around);
                read_piece(reading, root, roles, &layer, &piece);
            }
            None => {
                let piece = piece(credentials, at, around);
                read_piece(reading, root, roles, &layer, &piece);
            }
        }
    } else {
        let first = reading.finds.len();
        read_piece(reading, root, roles, &layer, &piece(text, 0, around));
        if is_message_id(name.as_str()) {
            reading.drop_message_ids(first, text, 0);
        }
    }
}

fn starts_with_basic(text: &str) -> bool {
    text.split_once([' ', '\t'])
        .is_some_and(|it| it.0.eq_ignore_ascii_case("basic"))
}

/// A stretch of a field's value that is read by itself.
struct Piece<'a> {
    raw: &'a str,
    at: usize,
    /// Name for the location.
    name: &'a str,
    around: Around,
}

/// A cookie that may be a piece of a number, with its name and line.
type Cookie<'m> = Option<neighbours::Piece<(&'m str, usize)>>;

/// Cookies are pairs, each under its own name.
fn read_cookies<'m, S: Scan>(
    reading: &mut Reading<'_, S>,
    root: NodeId,
    roles: Roles,
    layer: &Layer<'_>,
    text: &'m str,
    cookies: &mut Vec<Cookie<'m>>,
) {
    let mut from = 0;
    for cookie in text.split(';') {
        let start = from + (cookie.len() - cookie.trim_start().len());
        from += cookie.len() + 1;
        let cookie = cookie.trim();
        if cookie.is_empty() {
            continue;
        }
        if !reading.count_value(root) {
            return;
        }
        let (name, raw) = cookie.split_once('=').unwrap_or(("", cookie));
        let scan = reading.scan;
        let id = reading.keys.intern(name, |it| scan.lookup(it));
        let hint = reading.keys.hint(id);
        read_cookie_name(reading, root, name, hint);
        let piece = Piece {
            raw,
            at: start + (cookie.len() - raw.len()),
            name,
            around: Around {
                key: hint,
                parent: KeyHint::default(),
            },
        };
        read_piece(reading, root, roles, layer, &piece);
        let span = piece.at..piece.at + raw.len();
        let place = (name, reading.line);
        let it = neighbours::Piece::of(raw, ValueKind::String, span, place);
        cookies.push(it.filter(|_| !roles.is_not_personal));
    }
}

/// Reads what cookies beside one another are together, whichever lines they are in: HTTP/2 sends each in a field of its own.
fn read_cookie_rows<S: Scan>(reading: &mut Reading<'_, S>, root: NodeId, cookies: &[Cookie<'_>]) {
    for row in cookies.split(Option::is_none) {
        let row: Vec<_> = row.iter().flatten().cloned().collect();
        neighbours::read(reading, &row, false, root, |reading, (name, line)| {
            reading.line = *line;
            spot_at(field_node(reading, root, name), None)
        });
    }
}

/// Reads a name. Its own text is the only value it has, so the span is that of the name.
fn read_name<S: Scan>(reading: &mut Reading<'_, S>, root: NodeId, name: &str, hint: KeyHint) {
    let field = Field::new(name, ValueKind::Key, hint, KeyHint::default());
    if reading.detect(&field, root) {
        let spot = Spot {
            in_key: true,
            ..spot_at(field_node(reading, root, name), None)
        };
        reading.keep(&spot, &Layer::root(name), 0);
    }
}

/// Reads the name of a cookie. Recipients undo escapes in it as they do in its value.
fn read_cookie_name<S: Scan>(
    reading: &mut Reading<'_, S>,
    root: NodeId,
    name: &str,
    hint: KeyHint,
) {
    let known = reading.finds.len();
    read_name(reading, root, name, hint);
    if reading.finds.len() > known {
        return;
    }
    let layer = Layer::root(name);
    let mut value = Escaped {
        raw: name,
        at: 0,
        layer: &layer,
        escape: Escape::Percent,
        around: Around::default(),
        root,
        roles: Roles::default(),
    };
    let spot = |reading: &mut Reading<'_, S>| Spot {
        in_key: true,
        ..spot_at(field_node(reading, root, name), None)
    };
    if read_escaped(reading, &value, spot).is_err() {
        value.escape = Escape::None;
        // Nothing is undone now, so nothing can fail.
        let _plain = read_escaped(reading, &value, spot);
    }
}

/// Reads a value, with its percent escapes undone where they are escapes: fields may hold a `%` that is none.
fn read_piece<S: Scan>(
    reading: &mut Reading<'_, S>,
    root: NodeId,
    roles: Roles,
    layer: &Layer<'_>,
    piece: &Piece<'_>,
) {
    let is_person = piece.around.key.is_person;
    let spot = |reading: &mut Reading<'_, S>| Spot {
        is_person,
        ..spot_at(field_node(reading, root, piece.name), None)
    };
    let mut value = Escaped {
        raw: piece.raw,
        at: piece.at,
        layer,
        escape: Escape::Percent,
        around: piece.around,
        root,
        roles,
    };
    if read_escaped(reading, &value, spot).is_err() {
        value.escape = Escape::None;
        // Nothing is undone now, so nothing can fail.
        let _plain = read_escaped(reading, &value, spot);
    }
}

fn field_node<S: Scan>(reading: &mut Reading<'_, S>, root: NodeId, name: &str) -> NodeId {
    let step = Some(Step::Name(name.into()));
    reading.push(Some(root), NodeKind::Field, step, false)
}

const fn spot_at(node: NodeId, leaf: Option<Step>) -> Spot {
    Spot {
        node,
        leaf,
        in_key: false,
        record: None,
        is_person: false,
    }
}

/// Splits a `User-Agent` into products, which say nothing of a person, and comments, which name device and system.
fn user_agent_pieces(text: &str) -> Vec<(std::ops::Range<usize>, bool)> {
    let mut out = Vec::new();
    let (mut from, mut depth) = (0, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => {
                if depth == 0 {
                    out.push((from..at, true));
                    from = at + 1;
                }
                depth += 1;
            }
            b')' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    out.push((from..at, false));
                    from = at + 1;
                }
            }
            _ => {}
        }
    }
    out.push((from..text.len(), depth == 0));
    out.retain(|(range, _)| {
        text.get(range.clone())
            .is_some_and(|it| !it.trim().is_empty())
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_a_user_agent_are_told_from_products() {
        let text = "Mozilla/5.0 (X11; (nested) Linux) Gecko/1 (open";
        let pieces: Vec<_> = user_agent_pieces(text)
            .into_iter()
            .map(|(range, is_product)| (text.get(range).unwrap(), is_product))
            .collect();
        assert_eq!(
            pieces,
            [
                ("Mozilla/5.0 ", true),
                ("X11; (nested) Linux", false),
                (" Gecko/1 ", true),
                ("open", false),
            ]
        );
    }
}
