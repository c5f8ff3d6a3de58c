//! XML 1.0, strictly, as an outline: where each element, attribute and stretch of text stands.
//!
//! Well-formedness is held to where parsers are known to be lax, because what one of them forgives another may read otherwise. A
//! document type declaration is never opened: entities that it declares are unknown here, and that it stands there is told.

use std::ops::Range;

use super::super::{
    super::super::model::finding::GapKind,
    unit::{Unit, UnitKind},
};

/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 1000;

/// Longest reference, with `&` and `;`.
const REFERENCE_MAX: usize = 16;

/// Number of an element in [`Outline::elements`].
pub(super) type ElementId = usize;

/// An element; the first stands for the document around the root.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Element {
    pub(super) name: Range<usize>,
    pub(super) parent: ElementId,
    /// Its attributes in [`Outline::attributes`].
    pub(super) attributes: Range<usize>,
    /// What stands between its tags.
    pub(super) inner: Range<usize>,
    pub(super) whole: Range<usize>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Attribute {
    pub(super) name: Range<usize>,
    /// Between the quotes.
    pub(super) value: Range<usize>,
    /// With the space before it.
    pub(super) whole: Range<usize>,
}

/// What a stretch of text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum PieceKind {
    Cdata,
    Plain,
    /// A reference to this character.
    Reference(char),
}

/// A stretch of an element's own text, or of an attribute's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) kind: PieceKind,
    pub(super) raw: Range<usize>,
}

/// What stands beside elements and text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AsideKind {
    Comment,
    DocumentType,
    Instruction,
}

/// A document, taken apart as far as it is well-formed.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) elements: Vec<Element>,
    pub(super) attributes: Vec<Attribute>,
    /// Stretches of text, each with its element, in the order of the document.
    pub(super) pieces: Vec<(ElementId, Piece)>,
    pub(super) asides: Vec<(ElementId, AsideKind, Range<usize>)>,
    /// Why the document is not read further.
    pub(super) fault: Option<GapKind>,
}

/// Takes `text` apart from byte `from`: at most `depth_max` elements deep, and at most `most` elements and attributes.
pub(super) fn outline(text: &str, from: usize, depth_max: usize, most: usize) -> Outline {
    let mut parser = Parser {
        text,
        at: from,
        open: vec![0],
        depth_max,
        most,
        has_root: false,
        out: Outline::default(),
    };
    parser.out.elements.push(Element {
        inner: from..text.len(),
        whole: from..text.len(),
        ..Element::default()
    });
    parser.out.fault = parser.document().err();
    // What a fault left open ends there.
    let end = parser.at.min(text.len());
    for id in parser.open.iter().skip(1) {
        if let Some(element) = parser.out.elements.get_mut(*id) {
            element.inner.end = end;
            element.whole.end = end;
        }
    }
    parser.out
}

/// What `encoding` an XML declaration at the start of `bytes` names.
pub(crate) fn declared_encoding(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let rest = bytes.strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(rest, b"?>")?;
    let declaration = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let written = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = written
        .chars()
        .next()
        .filter(|it| matches!(it, '"' | '\''))?;
    written.get(1..)?.split(quote).next()
}

type Step = Result<(), GapKind>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// The open elements, outermost first.
    open: Vec<ElementId>,
    depth_max: usize,
    most: usize,
    has_root: bool,
    out: Outline,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn element(&self) -> ElementId {
        self.open.last().copied().unwrap_or_default()
    }

    /// Goes behind `token`, if it stands here.
    fn take(&mut self, token: &str) -> bool {
        let is_here = self.rest().starts_with(token);
        if is_here {
            self.at += token.len();
        }
        is_here
    }

    fn expect(&mut self, token: &str) -> Step {
        if self.take(token) {
            Ok(())
        } else {
            Err(GapKind::Malformed)
        }
    }

    /// Goes behind space; whether there was any.
    fn space(&mut self) -> bool {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(is_space).len();
        self.at += length;
        length > 0
    }

    /// Goes behind the first `end`; what stood before it.
    fn until(&mut self, end: &str) -> Result<Range<usize>, GapKind> {
        let found = memchr::memmem::find(self.rest().as_bytes(), end.as_bytes());
        let length = found.ok_or(GapKind::Malformed)?;
        let range = self.at..self.at + length;
        self.at = range.end + end.len();
        Ok(range)
    }

    fn name(&mut self) -> Result<Range<usize>, GapKind> {
        let rest = self.rest();
        let length = rest.find(|it| !is_name(it)).unwrap_or(rest.len());
        let starts = rest
            .chars()
            .next()
            .is_some_and(|it| is_name(it) && !it.is_ascii_digit() && !matches!(it, '-' | '.'));
        if !starts {
            return Err(GapKind::Malformed);
        }
        let range = self.at..self.at + length;
        self.at = range.end;
        Ok(range)
    }

    fn document(&mut self) -> Step {
        if !self.text.chars().all(is_char) {
            return Err(GapKind::Malformed);
        }
        if self.rest().starts_with("<?xml")
            && self
                .rest()
                .get(5..6)
                .is_some_and(|it| it.starts_with(is_space))
        {
            self.declaration()?;
        }
        while self.at < self.text.len() {
            if self.take("<") {
                self.markup()?;
            } else {
                self.text()?;
            }
        }
        if self.open.len() == 1 && self.has_root {
            Ok(())
        } else {
            Err(GapKind::Malformed)
        }
    }

    /// `<?xml version="1.0" encoding="…"?>`. Its encoding is compared with the charset where bytes become text.
    fn declaration(&mut self) -> Step {
        self.at += "<?xml".len();
        let range = self.until("?>")?;
        let text = self.text.get(range).unwrap_or_default();
        let is_known = text.trim_start_matches(is_space).starts_with("version");
        let mut version = text.split(['"', '\'']).skip(1);
        match version.next() {
            Some("1.0") if is_known && !text.contains(['<', '&']) => Ok(()),
            // Other versions have other characters and line breaks.
            Some("1.1") => Err(GapKind::Ambiguous),
            _ => Err(GapKind::Malformed),
        }
    }

    /// What follows a `<`.
    fn markup(&mut self) -> Step {
        let start = self.at - 1;
        if self.take("!--") {
            let range = self.until("--")?;
            self.out
                .asides
                .push((self.element(), AsideKind::Comment, range));
            return self.expect(">");
        }
        if self.take("![CDATA[") {
            let raw = self.until("]]>")?;
            return self.piece(PieceKind::Cdata, raw);
        }
        if self.take("!DOCTYPE") {
            return self.document_type();
        }
        if self.take("?") {
            let range = self.until("?>")?;
            let text = self.text.get(range.clone()).unwrap_or_default();
            let target = text.split(is_space).next().unwrap_or_default();
            let is_target = target.chars().all(is_name) && !target.is_empty();
            if !is_target || target.eq_ignore_ascii_case("xml") {
                return Err(GapKind::Malformed);
            }
            self.out
                .asides
                .push((self.element(), AsideKind::Instruction, range));
            return Ok(());
        }
        if self.take("/") {
            return self.end_tag(start);
        }
        self.start_tag(start)
    }

    /// A document type declaration, to its end and unopened.
    fn document_type(&mut self) -> Step {
        if self.has_root {
            return Err(GapKind::Malformed);
        }
        let start = self.at;
        let (mut brackets, mut quote) = (0_usize, None);
        let rest = self.rest();
        let end = rest.bytes().position(|byte| {
            match (quote, byte) {
                (Some(open), _) if open == byte => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'[') => brackets += 1,
                (None, b']') => brackets = brackets.saturating_sub(1),
                (None, b'>') => return brackets == 0,
                (None, _) => {}
            }
            false
        });
        let end = start + end.ok_or(GapKind::Malformed)?;
        self.at = end + 1;
        self.out
            .asides
            .push((self.element(), AsideKind::DocumentType, start..end));
        Ok(())
    }

    fn start_tag(&mut self, start: usize) -> Step {
        if self.open.len() == 1 && self.has_root {
            return Err(GapKind::Malformed);
        }
        if self.open.len() > self.depth_max {
            return Err(GapKind::DepthExceeded);
        }
        let name = self.name()?;
        let from = self.out.attributes.len();
        let is_empty = self.attributes(from)?;
        self.has_root = true;
        let id = self.out.elements.len();
        self.out.elements.push(Element {
            name,
            parent: self.element(),
            attributes: from..self.out.attributes.len(),
            inner: self.at..self.at,
            whole: start..self.at,
        });
        if self.out.elements.len() + self.out.attributes.len() > self.most {
            return Err(GapKind::PartsExceeded);
        }
        if !is_empty {
            self.open.push(id);
        }
        Ok(())
    }

    /// The attributes of a tag, to its end; whether the element ends with it. They start at `from` of the list.
    fn attributes(&mut self, from: usize) -> Result<bool, GapKind> {
        loop {
            let start = self.at;
            let has_space = self.space();
            if self.take("/>") {
                return self.check_names(from).map(|()| true);
            }
            if self.take(">") {
                return self.check_names(from).map(|()| false);
            }
            if !has_space {
                return Err(GapKind::Malformed);
            }
            let name = self.name()?;
            self.space();
            self.expect("=")?;
            self.space();
            let quote = if self.take("\"") { "\"" } else { "'" };
            if quote == "'" {
                self.expect("'")?;
            }
            let value = self.until(quote)?;
            if self
                .text
                .get(value.clone())
                .is_some_and(|it| it.contains('<'))
            {
                return Err(GapKind::Malformed);
            }
            pieces(self.text, &value)?;
            self.out.attributes.push(Attribute {
                name,
                value,
                whole: start..self.at,
            });
            if self.out.attributes.len() - from > ATTRIBUTES_MAX {
                return Err(GapKind::PartsExceeded);
            }
        }
    }

    /// Two attributes of one name are no document, but some parsers keep the first and some the last.
    fn check_names(&self, from: usize) -> Step {
        let own = self.out.attributes.get(from..).unwrap_or_default();
        if own.len() < 2 {
            return Ok(());
        }
        let mut names: Vec<_> = own
            .iter()
            .map(|it| self.text.get(it.name.clone()))
            .collect();
        names.sort_unstable();
        if names.windows(2).any(|it| it.first() == it.last()) {
            return Err(GapKind::Malformed);
        }
        Ok(())
    }

    fn end_tag(&mut self, start: usize) -> Step {
        let name = self.name()?;
        self.space();
        self.expect(">")?;
        let id = self.open.pop().filter(|it| *it > 0);
        let Some(element) = id.and_then(|it| self.out.elements.get_mut(it)) else {
            self.open.push(0);
            return Err(GapKind::Malformed);
        };
        element.inner.end = start;
        element.whole.end = self.at;
        if self.text.get(element.name.clone()) == self.text.get(name) {
            Ok(())
        } else {
            Err(GapKind::Malformed)
        }
    }

    /// Text up to the next tag.
    fn text(&mut self) -> Step {
        let rest = self.rest();
        let length = rest.find('<').unwrap_or(rest.len());
        let range = self.at..self.at + length;
        self.at = range.end;
        let text = self.text.get(range.clone()).unwrap_or_default();
        if text.contains("]]>") {
            return Err(GapKind::Malformed);
        }
        for piece in pieces(self.text, &range)? {
            self.piece(piece.kind, piece.raw)?;
        }
        Ok(())
    }

    fn piece(&mut self, kind: PieceKind, raw: Range<usize>) -> Step {
        if self.open.len() > 1 {
            self.out.pieces.push((self.element(), Piece { kind, raw }));
            return Ok(());
        }
        // Outside the root there is nothing but space.
        let text = self.text.get(raw).unwrap_or_default();
        if kind == PieceKind::Plain && text.chars().all(is_space) {
            Ok(())
        } else {
            Err(GapKind::Malformed)
        }
    }
}

/// The stretches of `range` of `text`, which holds no tag.
///
/// # Errors
/// A reference is not to a character that XML itself knows.
pub(super) fn pieces(text: &str, range: &Range<usize>) -> Result<Vec<Piece>, GapKind> {
    let mut out = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let rest = text.get(at..range.end).ok_or(GapKind::Malformed)?;
        let plain = memchr::memchr(b'&', rest.as_bytes()).unwrap_or(rest.len());
        if plain > 0 {
            out.push(Piece {
                kind: PieceKind::Plain,
                raw: at..at + plain,
            });
            at += plain;
            continue;
        }
        let end = rest
            .bytes()
            .take(REFERENCE_MAX)
            .position(|it| it == b';')
            .ok_or(GapKind::Malformed)?;
        let ch = rest.get(1..end).and_then(character);
        out.push(Piece {
            kind: PieceKind::Reference(ch.ok_or(GapKind::Malformed)?),
            raw: at..at + end + 1,
        });
        at += end + 1;
    }
    Ok(out)
}

/// The character that `&name;` stands for.
fn character(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let is_digits = digits.bytes().all(|it| it.is_ascii_alphanumeric());
        let code = u32::from_str_radix(digits, radix)
            .ok()
            .filter(|_| is_digits);
        code.and_then(char::from_u32).filter(|it| is_char(*it))
    };
    match name {
        "amp" => Some('&'),
        "apos" => Some('\''),
        "gt" => Some('>'),
        "lt" => Some('<'),
        "quot" => Some('"'),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => number(name.strip_prefix('#')?, 10),
        },
    }
}

const fn is_space(it: char) -> bool {
    matches!(it, ' ' | '\t' | '\r' | '\n')
}

/// XML 1.0 §2.2.
const fn is_char(it: char) -> bool {
    is_space(it) || it >= ' ' && !matches!(it, '\u{fffe}' | '\u{ffff}')
}

/// A character of a name (XML 1.0 §2.3), with all beyond ASCII that are no space.
fn is_name(it: char) -> bool {
    it.is_ascii_alphanumeric()
        || matches!(it, ':' | '_' | '-' | '.')
        || !it.is_ascii() && !it.is_whitespace() && !it.is_control()
}

/// The elements and attributes of `text` from byte `from` on, in the order of their starts, outer ones first. Empty where it is not
/// well-formed.
pub(crate) fn units(text: &str, from: usize) -> Vec<Unit> {
    let it = outline(text, from, usize::MAX, usize::MAX);
    if it.fault.is_some() {
        return Vec::new();
    }
    let attributes = it.attributes.into_iter().map(|it| Unit {
        kind: UnitKind::Attribute,
        value: it.value,
        whole: it.whole,
    });
    let elements = it.elements.into_iter().skip(1).map(|it| Unit {
        kind: UnitKind::Element,
        value: it.inner,
        whole: it.whole,
    });
    let mut out: Vec<Unit> = elements.chain(attributes).collect();
    out.sort_by_key(|it| (it.whole.start, std::cmp::Reverse(it.whole.end)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<GapKind> {
        outline(text, 0, 8, 100).fault
    }

    #[test]
    fn what_is_not_well_formed_is_a_fault() {
        for text in [
            "<a/>",
            "<?xml version=\"1.0\" encoding='utf-8'?>\n<!-- c --><a b = 'c>'\n d=\"&#57;\">&lt;x]]</a >\n<?p q?>",
            "<a><![CDATA[<&]]]]></a>",
            "<!DOCTYPE a [<!ENTITY b \"]>\">]><a/>",
            "<имя.1 п:р=''/>",
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
        for text in [
            "",
            " ",
            "a",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/>x",
            "x<a/>",
            "<a/><b/>",
            "<a b/>",
            "<a b=c/>",
            "<a b='1' b='2'/>",
            "<a b='1'c='2'/>",
            "<a b='<'/>",
            "<a>&nbsp;</a>",
            "<a>&b</a>",
            "<a>&#0;</a>",
            "<a>&#x110000;</a>",
            "<a>&#+57;</a>",
            "<a b='&x;'/>",
            "<a>]]></a>",
            "<a><!-- -- --></a>",
            "<a><?xml version='1.0'?></a>",
            " <?xml version='1.0'?><a/>",
            "<?xml encoding='utf-8'?><a/>",
            "<a>\u{1}</a>",
            "<a><!DOCTYPE a></a>",
            "<1/>",
            "< a/>",
            "<a><![CDATA[</a>",
            "<!DOCTYPE a [<a/>",
            "<![CDATA[x]]><a/>",
            "<a/>&#32;",
            "<a\u{a0}b='c'/>",
        ] {
            assert_eq!(fault(text), Some(GapKind::Malformed), "{text}");
        }
        assert_eq!(fault("<?xml version='1.1'?><a/>"), Some(GapKind::Ambiguous));
        assert_eq!(fault(&"<a>".repeat(9)), Some(GapKind::DepthExceeded));
        assert_eq!(
            fault(&format!("<a>{}</a>", "<b/>".repeat(100))),
            Some(GapKind::PartsExceeded)
        );
        let many: String = (0..=ATTRIBUTES_MAX)
            .map(|it| format!(" a{it}=''"))
            .collect();
        let it = outline(&format!("<a{many}/>"), 0, 8, usize::MAX);
        assert_eq!(it.fault, Some(GapKind::PartsExceeded));
    }

    #[test]
    fn the_declared_encoding_is_read_from_bytes() {
        for (bytes, expected) in [
            (
                &b"<?xml version='1.0' encoding = \"KOI8-R\"?><a/>"[..],
                Some("KOI8-R"),
            ),
            (
                b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
                Some("utf-8"),
            ),
            (b"<?xml version='1.0'?><a encoding='x'/>", None),
            (b"<a/>", None),
            (b"<?xml encoding=x?>", None),
        ] {
            assert_eq!(declared_encoding(bytes), expected);
        }
    }

    #[test]
    fn an_element_goes_with_its_tags_and_an_attribute_with_its_space() {
        let text = "<a  b='1'><c/>x<d e=\"2\">y</d></a>";
        let found: Vec<_> = units(text, 0)
            .into_iter()
            .map(|it| {
                (
                    it.kind,
                    text.get(it.value).unwrap(),
                    text.get(it.whole).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (UnitKind::Element, "<c/>x<d e=\"2\">y</d>", text),
                (UnitKind::Attribute, "1", "  b='1'"),
                (UnitKind::Element, "", "<c/>"),
                (UnitKind::Element, "y", "<d e=\"2\">y</d>"),
                (UnitKind::Attribute, "2", " e=\"2\""),
            ]
        );
        assert_eq!(units("<a>", 0), []);
    }
}
