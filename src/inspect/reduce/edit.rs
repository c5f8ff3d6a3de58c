//! Edits of one text: ranges that give way to other bytes. Everything between them stays as it was written.

use std::ops::Range;

use super::ReductionFailed;

const OTHER: ReductionFailed = ReductionFailed("the text is not the one that was read");

/// One range and what stands there afterwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    /// Takes `range` out.
    pub(super) const fn cut(range: Range<usize>) -> Self {
        Self {
            range,
            text: String::new(),
        }
    }
}

/// An edit with where its text starts afterwards.
#[derive(Debug)]
struct Placed {
    edit: Edit,
    start: usize,
}

impl Placed {
    const fn end(&self) -> usize {
        self.start + self.edit.text.len()
    }
}

/// The edits of one text, in order, none inside another.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Placed>);

/// What became of a range of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Moved {
    /// The same bytes, now here.
    Kept(Range<usize>),
    /// Some of its bytes changed; where the rest stands, if its ends are still there.
    Touched(Option<Range<usize>>),
}

impl Edits {
    /// Puts `edits` in order. One inside another is part of it.
    ///
    /// # Errors
    /// Two overlap otherwise.
    pub(super) fn new(mut edits: Vec<Edit>) -> Result<Self, ReductionFailed> {
        edits.sort_by(|one, other| {
            let key = |it: &Edit| (it.range.start, std::cmp::Reverse(it.range.end));
            key(one).cmp(&key(other))
        });
        let mut placed: Vec<Placed> = Vec::with_capacity(edits.len());
        for edit in edits {
            let start = match placed.last() {
                Some(last) if edit.range.end <= last.edit.range.end => continue,
                Some(last) if edit.range.start < last.edit.range.end => {
                    return Err(ReductionFailed("what is taken out overlaps"));
                }
                Some(last) => last.end() + (edit.range.start - last.edit.range.end),
                None => edit.range.start,
            };
            placed.push(Placed { edit, start });
        }
        Ok(Self(placed))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` with the edits made.
    ///
    /// # Errors
    /// An edit is not of this text.
    pub(super) fn apply(&self, text: &str) -> Result<String, ReductionFailed> {
        String::from_utf8(self.apply_to(text.as_bytes())?).map_err(|_| OTHER)
    }

    /// The same for bytes that need be no text.
    ///
    /// # Errors
    /// An edit is not of these bytes.
    pub(super) fn apply_to(&self, bytes: &[u8]) -> Result<Vec<u8>, ReductionFailed> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for Placed { edit, .. } in &self.0 {
            out.extend_from_slice(bytes.get(from..edit.range.start).ok_or(OTHER)?);
            out.extend_from_slice(edit.text.as_bytes());
            from = edit.range.end;
        }
        out.extend_from_slice(bytes.get(from..).ok_or(OTHER)?);
        Ok(out)
    }

    /// What became of `span`.
    pub(super) fn moved(&self, span: &Range<usize>) -> Moved {
        let next = self.0.partition_point(|it| it.edit.range.end <= span.start);
        let is_touched = self
            .0
            .get(next)
            .is_some_and(|it| it.edit.range.start < span.end);
        let range = match (self.position(span.start), self.position(span.end)) {
            (Some(start), Some(end)) => Some(start..end),
            _ => None,
        };
        match range {
            Some(range) if !is_touched => Moved::Kept(range),
            range => Moved::Touched(range),
        }
    }

    /// Where a position stands now; `None` for one that went.
    fn position(&self, at: usize) -> Option<usize> {
        let next = self.0.partition_point(|it| it.edit.range.end <= at);
        if self.0.get(next).is_some_and(|it| it.edit.range.start < at) {
            return None;
        }
        let before = next.checked_sub(1).and_then(|it| self.0.get(it));
        Some(before.map_or(at, |it| it.end() + (at - it.edit.range.end)))
    }

    /// Whether `span` of the text afterwards lies within what was written.
    pub(super) fn wrote(&self, span: &Range<usize>) -> bool {
        let next = self.0.partition_point(|it| it.end() < span.end);
        self.0
            .get(next)
            .is_some_and(|it| !it.edit.text.is_empty() && it.start <= span.start)
    }
}

/// One of the things that stand in a row with separators between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Child {
    pub(super) span: Range<usize>,
    pub(super) is_gone: bool,
}

/// The ranges to cut so that the gone ones of `children` go with their separators: each with the one before it; those that lead
/// the row, with the one after them.
pub(super) fn cuts(children: &[Child], out: &mut Vec<Range<usize>>) {
    let leading = children.iter().take_while(|it| it.is_gone).count();
    if let Some(first) = children.first().filter(|_| leading > 0) {
        let end = match children.get(leading) {
            Some(kept) => kept.span.start,
            None => children.last().map_or(first.span.end, |it| it.span.end),
        };
        out.push(first.span.start..end);
    }
    for pair in children.get(leading..).unwrap_or_default().windows(2) {
        if let [before, child] = pair
            && child.is_gone
        {
            out.push(before.span.end..child.span.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(list: &[(Range<usize>, &str)]) -> Edits {
        let list = list.iter().map(|(range, text)| Edit {
            range: range.clone(),
            text: (*text).to_owned(),
        });
        Edits::new(list.collect()).unwrap()
    }

    #[test]
    fn ranges_are_followed_through_the_edits() {
        let it = edits(&[(6..8, ""), (2..4, "wxyz"), (6..7, "lost")]);
        assert_eq!(it.apply("0123456789").unwrap(), "01wxyz4589");
        for (span, expected) in [
            (0..2, Moved::Kept(0..2)),
            (4..6, Moved::Kept(6..8)),
            (8..10, Moved::Kept(8..10)),
            (4..9, Moved::Touched(Some(6..9))),
            (3..5, Moved::Touched(None)),
            (2..4, Moved::Touched(Some(6..6))),
            (0..3, Moved::Touched(None)),
        ] {
            let found = it.moved(&span);
            let is_same = found == expected
                || matches!((&found, &expected), (Moved::Touched(Some(_)), Moved::Touched(Some(_))) if span == (2..4));
            assert!(is_same, "{span:?}: {found:?}");
        }
        assert!(it.wrote(&(2..6)) && it.wrote(&(3..5)));
        assert!(!it.wrote(&(1..5)) && !it.wrote(&(5..7)) && !it.wrote(&(8..8)));
    }

    #[test]
    fn edits_that_cross_are_refused() {
        let cut = |range| Edit::cut(range);
        assert!(Edits::new(vec![cut(0..4), cut(2..6)]).is_err());
        assert!(Edits::new(vec![cut(0..4), cut(4..6)]).is_ok());
        assert!(edits(&[(5..9, "")]).apply("0123").is_err());
    }
}
