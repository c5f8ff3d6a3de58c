//! Taking records out of a JSON body: bytes are spliced, so that everything else stays as the sender wrote it.

use std::ops::Range;

use super::{
    ReductionFailed,
    content::{self, Matter},
    format::json::token::{Token, Tokenizer},
    media_type::Format,
};
use crate::model::{
    inspection::{Budget, Inspection},
    message::Message,
};

/// See [`Inspector::drop_records`](super::Inspector::drop_records).
pub(super) fn drop_records(
    message: &Message,
    inspection: &Inspection,
    budget: &Budget,
    ordinals: &[u64],
) -> Result<Message, ReductionFailed> {
    const NOT_JSON: ReductionFailed = ReductionFailed("its body is not JSON");
    let opened = content::open(message, budget).content;
    let content = opened.map_err(|_| ReductionFailed("its body cannot be read"))?;
    let (Matter::Text(body), Format::Json) = (&content.matter, content.media_type.format) else {
        return Err(NOT_JSON);
    };
    let records = spans(inspection, ordinals)?;
    let rest = without(&body.text, &records)?;
    content.rewritten(message, rest, budget)
}

/// The spans of the records with these ordinals, in order.
fn spans(inspection: &Inspection, ordinals: &[u64]) -> Result<Vec<Range<usize>>, ReductionFailed> {
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(ordinals.len());
    for record in inspection
        .persons
        .iter()
        .filter_map(|it| it.record.as_ref())
    {
        if ordinals.binary_search(&(record.ordinal as u64)).is_ok() {
            spans.push(record.span.clone());
        }
    }
    spans.sort_by_key(|it| it.start);
    spans.dedup();
    if spans.len() == ordinals.len() {
        Ok(spans)
    } else {
        Err(ReductionFailed("a record to drop is not among its records"))
    }
}

/// An open container.
struct Open {
    is_array: bool,
    start: usize,
    /// Where its elements start in the list of elements.
    from: usize,
}

/// An element of an open array.
struct Element {
    span: Range<usize>,
    is_dropped: bool,
}

/// `text` without `records`, each of which must be an element of an array.
fn without(text: &str, records: &[Range<usize>]) -> Result<String, ReductionFailed> {
    const NO_FIT: ReductionFailed =
        ReductionFailed("a record to drop is not an element of an array");
    let mut cuts = cuts(text, records)?;
    let dropped: usize = cuts.iter().map(|it| it.1).sum();
    if dropped != records.len() {
        return Err(NO_FIT);
    }
    cuts.sort_by_key(|it| it.0.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (cut, _) in cuts {
        out.push_str(text.get(from..cut.start).ok_or(NO_FIT)?);
        from = cut.end;
    }
    out.push_str(text.get(from..).ok_or(NO_FIT)?);
    Ok(out)
}

/// The bytes to take out, with how many records each holds.
fn cuts(
    text: &str,
    records: &[Range<usize>],
) -> Result<Vec<(Range<usize>, usize)>, ReductionFailed> {
    const NOT_JSON: ReductionFailed = ReductionFailed("its body is not JSON");
    let from = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut tokens = Tokenizer::new(text, from, usize::MAX);
    let mut open: Vec<Open> = Vec::new();
    let mut elements: Vec<Element> = Vec::new();
    let mut out = Vec::new();
    while let Some(lexeme) = tokens.next().map_err(|_| NOT_JSON)? {
        let span = match lexeme.token {
            Token::Key => continue,
            Token::ArrayStart | Token::ObjectStart => {
                open.push(Open {
                    is_array: lexeme.token == Token::ArrayStart,
                    start: lexeme.start,
                    from: elements.len(),
                });
                continue;
            }
            Token::ArrayEnd | Token::ObjectEnd => {
                let container = open.pop().ok_or(NOT_JSON)?;
                if container.is_array {
                    let own = elements.get(container.from..).unwrap_or_default();
                    cut_elements(own, &mut out);
                }
                elements.truncate(container.from);
                container.start..lexeme.end
            }
            Token::Literal | Token::Number | Token::String => lexeme.outer_span(),
        };
        if open.last().is_some_and(|it| it.is_array) {
            let found = records.binary_search_by_key(&span.start, |it| it.start);
            let is_dropped = found.is_ok_and(|at| records.get(at) == Some(&span));
            elements.push(Element { span, is_dropped });
        }
    }
    Ok(out)
}

/// Each dropped element goes with the comma before it; those that lead the array, with the comma after them.
fn cut_elements(elements: &[Element], out: &mut Vec<(Range<usize>, usize)>) {
    let leading = elements.iter().take_while(|it| it.is_dropped).count();
    if let Some(first) = elements.first().filter(|_| leading > 0) {
        let end = match elements.get(leading) {
            Some(kept) => kept.span.start,
            None => elements.last().map_or(first.span.end, |it| it.span.end),
        };
        out.push((first.span.start..end, leading));
    }
    for pair in elements.get(leading..).unwrap_or_default().windows(2) {
        if let [before, element] = pair
            && element.is_dropped
        {
            out.push((before.span.end..element.span.end, 1));
        }
    }
}
