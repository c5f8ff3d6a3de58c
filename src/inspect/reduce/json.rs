//! JSON documents: bodies, lines, and the values of strings.

use std::ops::Range;

use super::{
    ReductionFailed,
    edit::{Child, cuts},
    value::{Fate, Shape, Taking},
};
use crate::inspect::format::{
    json::token::{Lexeme, Token, Tokenizer},
    layer::{Escape, Layer, unescape_json},
};

const NOT_JSON: ReductionFailed = ReductionFailed("its body is not JSON");

/// An open container.
struct Open {
    is_array: bool,
    start: usize,
    /// Where its members or elements start in the list of children.
    from: usize,
    /// The name that it stands under.
    name: Option<Name>,
}

/// A member's name.
#[derive(Clone, Copy)]
struct Name {
    start: usize,
    fate: Fate,
}

/// The pass over one document.
struct Pass<'p, 'a> {
    taking: &'p mut Taking<'a>,
    text: &'p str,
    layer: &'p Layer<'p>,
    /// Spans of the records that go, in order.
    records: &'p [Range<usize>],
    open: Vec<Open>,
    children: Vec<Child>,
    name: Option<Name>,
    dropped: usize,
    /// What goes, in this text.
    cuts: Vec<Range<usize>>,
}

/// Takes the aims and `records` (spans of `text`, in order) out of the document `text` from `from` on. Members and elements go with
/// their commas.
///
/// # Errors
/// It is not JSON, or a record is not an element of an array.
pub(super) fn document(
    taking: &mut Taking<'_>,
    text: &str,
    layer: &Layer<'_>,
    from: usize,
    records: &[Range<usize>],
) -> Result<(), ReductionFailed> {
    let mut pass = Pass {
        taking,
        text,
        layer,
        records,
        open: Vec::new(),
        children: Vec::new(),
        name: None,
        dropped: 0,
        cuts: Vec::new(),
    };
    let mut tokens = Tokenizer::new(text, from, usize::MAX);
    while let Some(lexeme) = tokens.next().map_err(|_| NOT_JSON)? {
        pass.read(&lexeme)?;
    }
    if pass.dropped != records.len() {
        return Err(ReductionFailed(
            "a record to drop is not an element of an array",
        ));
    }
    // In order, so that each is found from the one before.
    pass.cuts.sort_by_key(|it| it.start);
    for cut in pass.cuts {
        taking.cut(layer.outward(cut));
    }
    Ok(())
}

impl<'a> Pass<'_, 'a> {
    fn read(&mut self, lexeme: &Lexeme) -> Result<(), ReductionFailed> {
        match lexeme.token {
            Token::Key => {
                let fate = self.text_of(lexeme, Taking::name)?;
                self.name = Some(Name {
                    start: lexeme.outer_span().start,
                    fate,
                });
            }
            Token::ArrayStart | Token::ObjectStart => self.open.push(Open {
                is_array: lexeme.token == Token::ArrayStart,
                start: lexeme.start,
                from: self.children.len(),
                name: self.name.take(),
            }),
            Token::ArrayEnd | Token::ObjectEnd => {
                let container = self.open.pop().ok_or(NOT_JSON)?;
                let own = self.children.get(container.from..).unwrap_or_default();
                cuts(own, &mut self.cuts);
                self.children.truncate(container.from);
                let span = container.start..lexeme.end;
                self.close(span, container.name, Fate::Stays);
            }
            Token::Literal | Token::Number => {
                let raw = self.text.get(lexeme.start..lexeme.end).unwrap_or_default();
                let layer = self.layer.inside(raw, lexeme.start, Escape::None);
                let fate = self.taking.value(raw, &layer, Shape::Bare)?;
                let name = self.name.take();
                self.close(lexeme.outer_span(), name, fate);
            }
            Token::String => {
                let fate = self.text_of(lexeme, |taking, text, layer| {
                    taking.value(text, layer, Shape::Text)
                })?;
                let name = self.name.take();
                self.close(lexeme.outer_span(), name, fate);
            }
        }
        Ok(())
    }

    /// Asks `ask` about the text of a name or a string.
    fn text_of(
        &mut self,
        lexeme: &Lexeme,
        ask: impl FnOnce(&mut Taking<'a>, &str, &Layer<'_>) -> Result<Fate, ReductionFailed>,
    ) -> Result<Fate, ReductionFailed> {
        let raw = self.text.get(lexeme.start..lexeme.end).unwrap_or_default();
        if lexeme.is_escaped {
            let mut text = String::with_capacity(raw.len());
            unescape_json(raw, &mut text);
            let layer = self.layer.inside(raw, lexeme.start, Escape::Json);
            ask(self.taking, &text, &layer)
        } else {
            let layer = self.layer.inside(raw, lexeme.start, Escape::None);
            ask(self.taking, raw, &layer)
        }
    }

    /// A value has ended.
    fn close(&mut self, span: Range<usize>, name: Option<Name>, fate: Fate) {
        let is_named = name.is_some_and(|it| it.fate == Fate::Goes);
        let Some(around) = self.open.last() else {
            if fate == Fate::Goes {
                // A document is one value at least.
                self.taking.put(self.layer.outward(span), "null".to_owned());
            }
            return;
        };
        let mut is_gone = is_named || fate == Fate::Goes;
        if around.is_array {
            let found = self
                .records
                .binary_search_by_key(&span.start, |it| it.start);
            if found.is_ok_and(|at| self.records.get(at) == Some(&span)) {
                self.dropped += 1;
                is_gone = true;
            }
        }
        let start = name.map_or(span.start, |it| it.start);
        self.children.push(Child {
            span: start..span.end,
            is_gone,
        });
    }
}
