//! A report as headings, paragraphs and tables, before it becomes HTML or plain text.

/// A document in one language.
#[derive(Debug)]
pub(super) struct Document {
    /// BCP 47 tag.
    pub(super) lang: &'static str,
    pub(super) title: String,
    /// Name and value, one a line.
    pub(super) facts: Vec<(String, String)>,
    pub(super) sections: Vec<Section>,
}

/// A part of a document.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) paragraphs: Vec<String>,
    pub(super) table: Option<Table>,
}

/// A table. Every row has as many cells as the head; lines of a cell stand one under the other.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Vec<String>>>,
}
