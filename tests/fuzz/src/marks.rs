//! Marks: data put into an input. A message that holds one is either found to hold it or has a gap; a silent pass is a way through.

use crate::{
    checks,
    model::{Category, inspection::Inspection, message::Message},
};

/// An address that no input has by chance.
pub(crate) const MAIL: &str = "zhuldyz.mark@example.com";

/// The mark has a gap or a finding in `message`.
pub(crate) fn stands(message: &Message, what: &str) {
    let read = checks::inspector().inspect(message, checks::plan());
    assert!(is_seen(&read), "{what}: the mark passes unseen");
}

/// A whole reading too, for those that may break bounds.
pub(crate) fn is_seen(read: &Inspection) -> bool {
    !read.gaps.is_empty()
        || read
            .findings
            .iter()
            .any(|it| it.category == Category::Email)
}

/// `bytes` with `mark` after the byte at `at` (counted round), and what is left of them.
pub(crate) fn spliced(bytes: &[u8], at: usize, mark: &str) -> Vec<u8> {
    let at = at.min(bytes.len());
    let (head, tail) = bytes.split_at(at);
    [head, mark.as_bytes(), tail].concat()
}
