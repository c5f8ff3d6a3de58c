//! XML bodies: `application/xml`, `text/xml`, `*+xml`, SOAP.
//!
//! To selectors and in locations a document is one object, whose only member is the root element. An element that holds nothing but
//! text is that text; any other is an object: its attributes as `@name`, its children by their names, lists where a name is repeated,
//! and its own text, when it is more than space, as `#text`. What selects an element selects its text. Names stand in locations as they
//! are written; selectors may leave out the namespace prefix, which the sender chooses. The text of an element is put together over
//! references, CDATA sections, comments and child elements before it is read. Comments, processing instructions and document type
//! declarations are read as texts, and named beside the path.
//!
//! By hand, because every finding needs its bytes through the joined text, and because parsers made for reading forgive what must be
//! refused here.

pub(crate) mod outline;

use std::ops::Range;

use super::{
    json::{Document, read_rest},
    keys::KeyId,
    layer::{Escape, Stretch},
    pair::PairRole,
    reading::{Reading, Scan},
    walk::{Key, Member, Walk, walk},
};
use crate::model::finding::GapKind;
pub(crate) use outline::declared_encoding;
use outline::{AsideKind, ElementId, Outline, Piece, PieceKind, outline, pieces};

/// Longest element whose text is read together with that of its children.
const MIXED_MAX: usize = 4096;

/// Reads a document that is labelled XML.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>) {
    if !reading.spend(document.text.len() as u64, document.root) {
        return;
    }
    // One more than may be read, so that reading them says so.
    let most = usize::try_from(reading.plan.budget.values).unwrap_or(usize::MAX);
    let outline = outline(
        document.text,
        document.from,
        document.depth_max,
        most.saturating_add(1),
    );
    let is_doubtful = outline
        .asides
        .iter()
        .any(|it| it.1 == AsideKind::DocumentType);
    if is_doubtful {
        reading.gap(GapKind::Ambiguous, document.root, None);
    }
    let fault = outline.fault;
    let pieces = outline.pieces.iter().map(|it| it.1.raw.end);
    let names = outline.elements.iter().map(|it| it.name.end);
    let end = pieces.chain(names).max().unwrap_or(document.from);
    let tree = Tree::new(reading, document, outline);
    walk(reading, document, |walk| {
        walk.open(true, document.from);
        tree.read_members(walk, 0);
        walk.close(document.text.len());
    });
    if let Some(fault) = fault.filter(|_| !reading.is_halted) {
        reading.gap(fault, document.root, None);
        read_rest(reading, document, end..document.text.len());
    }
}

/// Whether all of `text` is a document, without a document type.
pub(crate) fn is_document(text: &str, depth_max: usize) -> bool {
    if !text.trim_end().ends_with('>') {
        return false;
    }
    let from = text.len() - text.trim_start().len();
    let outline = outline(text, from, depth_max, usize::MAX);
    let is_doubtful = outline
        .asides
        .iter()
        .any(|it| it.1 == AsideKind::DocumentType);
    outline.fault.is_none() && !is_doubtful
}

/// An outline with its names known and its lists by element.
struct Tree<'d> {
    document: &'d Document<'d>,
    outline: Outline,
    /// Keys of the elements.
    keys: Vec<Key>,
    /// Keys of the attributes, each with its name as it is written.
    attribute_keys: Vec<(Key, KeyId)>,
    own_text: KeyId,
    children: Lists,
    texts: Lists,
    asides: Lists,
}

/// For each element the numbers of what belongs to it, in order.
struct Lists {
    starts: Vec<usize>,
    numbers: Vec<usize>,
}

impl Lists {
    /// Sorts the numbers of `owners` by owner.
    fn new(count: usize, owners: impl Iterator<Item = ElementId> + Clone) -> Self {
        let mut starts = vec![0; count + 1];
        for owner in owners.clone() {
            if let Some(start) = starts.get_mut(owner + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut numbers = vec![0; sum];
        for (number, owner) in owners.enumerate() {
            if let Some(at) = next.get_mut(owner) {
                if let Some(place) = numbers.get_mut(*at) {
                    *place = number;
                }
                *at += 1;
            }
        }
        Self { starts, numbers }
    }

    fn of(&self, element: ElementId) -> &[usize] {
        let start = self.starts.get(element).copied().unwrap_or_default();
        let end = self.starts.get(element + 1).copied().unwrap_or_default();
        self.numbers.get(start..end).unwrap_or_default()
    }
}

/// A member of an element.
struct Item {
    key: Key,
    span: Range<usize>,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Attribute(usize),
    Child(ElementId),
    Text,
}

impl Member for Item {
    fn key(&self) -> Key {
        self.key
    }

    fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

impl<'d> Tree<'d> {
    fn new<S: Scan>(
        reading: &mut Reading<'_, S>,
        document: &'d Document<'d>,
        outline: Outline,
    ) -> Self {
        let text = document.text;
        let slice = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        let mut known = String::new();
        let keys = outline
            .elements
            .iter()
            .map(|it| qualified(reading, slice(&it.name), "", &mut known).0)
            .collect();
        let attribute_keys = outline
            .attributes
            .iter()
            .map(|it| qualified(reading, slice(&it.name), "@", &mut known))
            .collect();
        let count = outline.elements.len();
        let mut parents: Vec<ElementId> = outline.elements.iter().map(|it| it.parent).collect();
        // The document is nobody's child; a number beyond the elements keeps it out of every list.
        if let Some(document) = parents.first_mut() {
            *document = count;
        }
        let scan = reading.scan;
        Self {
            document,
            keys,
            attribute_keys,
            own_text: reading.keys.intern("#text", |it| scan.lookup(it)),
            children: Lists::new(count, parents.iter().copied()),
            texts: Lists::new(count, outline.pieces.iter().map(|it| it.0)),
            asides: Lists::new(count, outline.asides.iter().map(|it| it.0)),
            outline,
        }
    }

    fn slice(&self, range: &Range<usize>) -> &'d str {
        self.document.text.get(range.clone()).unwrap_or_default()
    }

    /// Reads what the object that is open has: the members of element `id`.
    fn read_members<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, id: ElementId) {
        let items = self.items(walk, id);
        walk.members(
            &items,
            |walk, item| self.read_name(walk, item),
            |walk, item, _| match item.what {
                What::Attribute(number) => self.read_attribute(walk, number),
                What::Child(child) => self.read_element(walk, child),
                What::Text => self.read_own_text(walk, id),
            },
        );
        self.read_asides(walk, id);
    }

    fn items<S: Scan>(&self, walk: &Walk<'_, '_, S>, id: ElementId) -> Vec<Item> {
        let mut items = Vec::new();
        let Some(element) = self.outline.elements.get(id) else {
            return items;
        };
        for number in element.attributes.clone() {
            let attribute = self.outline.attributes.get(number);
            let key = self.attribute_keys.get(number);
            if let (Some(attribute), Some(key)) = (attribute, key) {
                items.push(Item {
                    key: key.0,
                    span: attribute.whole.clone(),
                    what: What::Attribute(number),
                });
            }
        }
        for child in self.children.of(id) {
            let element = self.outline.elements.get(*child);
            if let (Some(element), Some(key)) = (element, self.keys.get(*child)) {
                items.push(Item {
                    key: *key,
                    span: element.whole.clone(),
                    what: What::Child(*child),
                });
            }
        }
        if self.has_text(id) {
            let hints = walk.holder_hints();
            items.push(Item {
                key: Key {
                    name: self.own_text,
                    local: self.own_text,
                    hint: hints.key,
                    around: Some(hints.parent),
                    pair: PairRole::Value,
                    is_own_text: true,
                },
                span: element.inner.clone(),
                what: What::Text,
            });
        }
        items
    }

    /// Whether the element has text that is more than space.
    fn has_text(&self, id: ElementId) -> bool {
        self.own_pieces(id).any(|it| match it.kind {
            PieceKind::Reference(ch) => !ch.is_ascii_whitespace(),
            PieceKind::Cdata | PieceKind::Plain => !self.slice(&it.raw).trim_ascii().is_empty(),
        })
    }

    fn own_pieces(&self, id: ElementId) -> impl Iterator<Item = &Piece> {
        let numbers = self.texts.of(id).iter();
        numbers.filter_map(|it| self.outline.pieces.get(*it).map(|it| &it.1))
    }

    fn read_name<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, item: &Item) {
        let (name, written) = match item.what {
            What::Attribute(number) => {
                let attribute = self.outline.attributes.get(number).map(|it| &it.name);
                (attribute, self.attribute_keys.get(number).map(|it| it.1))
            }
            What::Child(child) => {
                let element = self.outline.elements.get(child).map(|it| &it.name);
                (element, Some(item.key.name))
            }
            What::Text => (None, None),
        };
        if let (Some(name), Some(written)) = (name, written) {
            let layer = self
                .document
                .layer
                .inside(self.slice(name), name.start, Escape::None);
            walk.read_name(written, &layer);
        }
    }

    fn read_attribute<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, number: usize) {
        let Some(attribute) = self.outline.attributes.get(number) else {
            return;
        };
        // The references were found good when the tag was read.
        let pieces = pieces(self.document.text, &attribute.value).unwrap_or_default();
        self.read_pieces(walk, pieces.iter(), attribute.whole.clone());
    }

    fn read_own_text<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, id: ElementId) {
        if let Some(element) = self.outline.elements.get(id) {
            let first = walk.reading.finds.len();
            self.read_pieces(walk, self.own_pieces(id), element.inner.clone());
            if !self.children.of(id).is_empty() && element.inner.len() <= MIXED_MAX {
                self.read_mixed(walk, &element.inner, first);
            }
        }
    }

    /// Reads what the text of an element and of those in it is together, as people see it.
    fn read_mixed<S: Scan>(
        &self,
        walk: &mut Walk<'_, '_, S>,
        inner: &Range<usize>,
        first_find: usize,
    ) {
        // They stand in the order of the document.
        let all = &self.outline.pieces;
        let first = all.partition_point(|it| it.1.raw.start < inner.start);
        let pieces = all.get(first..).unwrap_or_default().iter().map(|it| &it.1);
        let inside = pieces.take_while(|it| it.raw.start < inner.end);
        let (text, stretches) = self.joined(inside);
        // Only a number that goes on over a tag is worth it: other texts of children are theirs.
        let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        let goes_on = stretches
            .iter()
            .any(|it| is_digit(it.at) && it.at.checked_sub(1).is_some_and(is_digit));
        if !goes_on {
            return;
        }
        let layer = self.document.layer.joined(&stretches);
        walk.also(&text, &layer, first_find);
    }

    fn read_element<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, id: ElementId) {
        let Some(element) = self.outline.elements.get(id) else {
            return;
        };
        if element.attributes.is_empty() && self.children.of(id).is_empty() {
            self.read_pieces(walk, self.own_pieces(id), element.whole.clone());
            return self.read_asides(walk, id);
        }
        walk.open(true, element.whole.start);
        if !walk.is_halted() {
            self.read_members(walk, id);
            walk.close(element.whole.end);
        }
    }

    /// Reads a text that is put together from stretches of the document.
    fn read_pieces<'p, S: Scan>(
        &self,
        walk: &mut Walk<'_, '_, S>,
        pieces: impl Iterator<Item = &'p Piece>,
        outer: Range<usize>,
    ) {
        let (text, stretches) = self.joined(pieces);
        let layer = self.document.layer.joined(&stretches);
        walk.text(&text, &layer, 0, outer);
    }

    /// The text that `pieces` are, and the stretches it is put together from.
    fn joined<'p>(&self, pieces: impl Iterator<Item = &'p Piece>) -> (String, Vec<Stretch>) {
        let mut text = String::new();
        let mut stretches = Vec::new();
        for piece in pieces {
            let at = text.len();
            let whole = match piece.kind {
                PieceKind::Reference(ch) => {
                    text.push(ch);
                    piece.raw.clone()
                }
                PieceKind::Plain => {
                    text.push_str(self.slice(&piece.raw));
                    piece.raw.clone()
                }
                PieceKind::Cdata => {
                    text.push_str(self.slice(&piece.raw));
                    let (before, after) = ("<![CDATA[".len(), "]]>".len());
                    piece.raw.start.saturating_sub(before)..piece.raw.end + after
                }
            };
            stretches.push(Stretch {
                at,
                raw: piece.raw.clone(),
                whole,
                is_exact: !matches!(piece.kind, PieceKind::Reference(_)),
            });
        }
        (text, stretches)
    }

    /// Reads what stands beside the members of an element. The container that is open is it, or the one around it.
    fn read_asides<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, id: ElementId) {
        for number in self.asides.of(id) {
            let Some((_, kind, range)) = self.outline.asides.get(*number) else {
                continue;
            };
            let name = match kind {
                AsideKind::Comment => "comment",
                AsideKind::DocumentType => "document-type",
                AsideKind::Instruction => "instruction",
            };
            walk.aside(name, self.slice(range), self.document.layer, range.start);
        }
    }
}

/// The key of an element or attribute, and its name as it is written. Hints and label roles come from the name without its prefix;
/// `mark` stands before it in locations.
fn qualified<S: Scan>(
    reading: &mut Reading<'_, S>,
    name: &str,
    mark: &str,
    space: &mut String,
) -> (Key, KeyId) {
    let scan = reading.scan;
    let keys = &mut reading.keys;
    let bare = name.rsplit_once(':').map_or(name, |it| it.1);
    let plain = keys.intern(bare, |it| scan.lookup(it));
    let written = keys.intern(name, |it| scan.lookup(it));
    let hinted = Key::plain(keys, plain);
    if mark.is_empty() {
        let key = Key {
            name: written,
            local: plain,
            ..hinted
        };
        return (key, written);
    }
    let mut marked = |name: &str| {
        space.clear();
        space.push_str(mark);
        space.push_str(name);
        keys.intern(space, |it| scan.lookup(it))
    };
    let key = Key {
        name: marked(name),
        local: marked(bare),
        ..hinted
    };
    (key, written)
}
