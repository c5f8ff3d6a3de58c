//! What of a body can be taken out so that the rest is still of the same shape: each reader lists its own.

use std::ops::Range;

/// What a [`Unit`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UnitKind {
    /// Attribute of an XML element.
    Attribute,
    /// Cell of a table: it is emptied, not taken out.
    Cell,
    /// XML element.
    Element,
    /// Part of a multipart body.
    Part,
    /// Row of a table.
    Row,
}

/// A piece of a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Unit {
    pub(crate) kind: UnitKind,
    /// The bytes of the value, without quotes and markup: what may be written over.
    pub(crate) value: Range<usize>,
    /// The bytes that go when it is taken out, separators included. Those of neighbours may overlap by a separator.
    pub(crate) whole: Range<usize>,
}
