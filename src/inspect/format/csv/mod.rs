//! CSV and TSV bodies (RFC 4180; the registration of `text/tab-separated-values`).
//!
//! To selectors and in locations a table is an array of rows, each an object of its cells by the names in the first row: `$[0]['iin']`;
//! columns of one name make a list. With `header=absent` there are no names, and rows are arrays. The cells of the first row are read
//! as values too: a file without names must not lose its first person. A row with more or fewer cells than there are names makes the
//! table malformed; cells without a name are read and named `cell` beside the path of their row.
//!
//! The delimiter is the one of comma, semicolon, tab and bar that parts the first row. Where several do, it is the one that gives every
//! row the same number of cells; where that is not one either, the table is ambiguous.

pub(crate) mod inside;

use std::ops::Range;

use super::{
    super::{
        detect::ValueKind,
        media_type::{Format, MediaType},
    },
    json::Document,
    layer::{Escape, Stretch},
    reading::{Reading, Scan},
    unit::{Unit, UnitKind},
    walk::{Groups, Key, Leaf, Member, Walk, walk},
};
use crate::model::finding::GapKind;

/// Delimiters in the order of preference.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// Rows that are looked at for the delimiter.
const ROWS_SNIFFED: usize = 16;

/// A cell as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cell {
    /// Between the quotes, if there are any.
    start: usize,
    end: usize,
    is_quoted: bool,
    /// A quote in it is doubled.
    is_doubled: bool,
}

/// A row as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// Without its line break.
    span: Range<usize>,
    /// Where the next one starts.
    next: usize,
    fault: Option<GapKind>,
}

/// Goes through the rows of a table; empty lines are none.
#[derive(Debug)]
pub(crate) struct Rows<'t> {
    text: &'t str,
    at: usize,
    delimiter: u8,
}

impl Rows<'_> {
    /// Puts the cells of the next row into `cells`.
    pub(crate) fn next(&mut self, cells: &mut Vec<Cell>) -> Option<Row> {
        cells.clear();
        let bytes = self.text.as_bytes();
        while let Some(b'\r' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        let start = self.at;
        if start >= bytes.len() {
            return None;
        }
        let mut fault = None;
        loop {
            let cell = self.cell(&mut fault);
            cells.push(cell);
            if bytes.get(self.at) == Some(&self.delimiter) {
                self.at += 1;
                continue;
            }
            let end = self.at;
            let rest = bytes.get(end..).unwrap_or_default();
            self.at += match rest {
                [b'\r', b'\n', ..] => 2,
                [_, ..] => 1,
                [] => 0,
            };
            return Some(Row {
                span: start..end,
                next: self.at,
                fault,
            });
        }
    }

    /// The cell that begins here; stops at the delimiter or line break behind it.
    fn cell(&mut self, fault: &mut Option<GapKind>) -> Cell {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            let start = self.at;
            self.skip_cell();
            let cell = self.text.get(start..self.at).unwrap_or_default();
            // A quote behind space opens a quoted cell for some.
            if cell.trim_start_matches([' ', '\t']).starts_with('"') || cell.contains('\r') {
                *fault = Some(GapKind::Ambiguous);
            }
            return Cell {
                start,
                end: self.at,
                is_quoted: false,
                is_doubled: false,
            };
        }
        let start = self.at + 1;
        let mut is_doubled = false;
        let mut at = start;
        let end = loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'"', rest) else {
                fault.get_or_insert(GapKind::Malformed);
                at = bytes.len();
                break at;
            };
            at += length + 1;
            if bytes.get(at) != Some(&b'"') {
                break at - 1;
            }
            is_doubled = true;
            at += 1;
        };
        self.at = at;
        self.skip_cell();
        if self.at > at {
            // What stands behind a closing quote belongs to the cell for some, and is dropped by others.
            *fault = Some(GapKind::Ambiguous);
            return Cell {
                start: start - 1,
                end: self.at,
                is_quoted: false,
                is_doubled: false,
            };
        }
        Cell {
            start,
            end,
            is_quoted: true,
            is_doubled,
        }
    }

    /// Goes to the next delimiter, line break or the end. A carriage return alone ends a line for some only.
    fn skip_cell(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            let is_break =
                *byte == b'\n' || *byte == b'\r' && bytes.get(self.at + 1) == Some(&b'\n');
            if *byte == self.delimiter || is_break {
                return;
            }
            self.at += 1;
        }
    }
}

/// The delimiter of the table, and whether another could be meant.
fn delimiter(text: &str, from: usize) -> (u8, bool) {
    let mut candidates: Vec<(u8, usize, bool)> = Vec::new();
    for delimiter in DELIMITERS {
        let mut rows = Rows {
            text,
            at: from,
            delimiter,
        };
        let mut cells = Vec::new();
        let Some(_) = rows.next(&mut cells) else {
            continue;
        };
        let columns = cells.len();
        let mut is_even = true;
        for _ in 1..ROWS_SNIFFED {
            let Some(_) = rows.next(&mut cells) else {
                break;
            };
            is_even &= cells.len() == columns;
        }
        if columns > 1 {
            candidates.push((delimiter, columns, is_even));
        }
    }
    let mut even = candidates.iter().filter(|it| it.2);
    match (candidates.as_slice(), even.next(), even.next()) {
        ([], _, _) => (b',', false),
        ([one], _, _) => (one.0, false),
        (_, Some(one), None) => (one.0, false),
        (_, _, _) => {
            let most = candidates.iter().rev().max_by_key(|it| it.1);
            (most.map_or(b',', |it| it.0), true)
        }
    }
}

/// A cell of a row, with its name.
struct Named {
    key: Key,
    cell: Cell,
}

impl Member for Named {
    fn key(&self) -> Key {
        self.key
    }

    fn span(&self) -> Range<usize> {
        self.cell.start..self.cell.end
    }
}

impl Cell {
    fn leaf(self, text: &str) -> Leaf {
        let raw = text.get(self.start..self.end).unwrap_or_default();
        Leaf {
            start: self.start,
            end: self.end,
            quotes: usize::from(self.is_quoted),
            escape: if self.is_doubled {
                Escape::Quotes
            } else {
                Escape::None
            },
            kind: if !self.is_quoted && is_number(raw) {
                ValueKind::Number
            } else {
                ValueKind::String
            },
        }
    }

    fn text(self, text: &str) -> String {
        let raw = text.get(self.start..self.end).unwrap_or_default();
        if self.is_doubled {
            raw.replace("\"\"", "\"")
        } else {
            raw.to_owned()
        }
    }
}

/// Whether a spreadsheet takes `raw` for a number and writes it as one, without the zeros that lead it.
fn is_number(raw: &str) -> bool {
    let digits = raw.strip_prefix('-').unwrap_or(raw);
    let begins = digits.starts_with(|it: char| it.is_ascii_digit());
    let is_led = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    begins && !is_led && raw.parse::<f64>().is_ok() && !raw.ends_with('.')
}

/// Reads a document that is labelled CSV or TSV.
pub(crate) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    media_type: &MediaType,
    document: &Document<'_>,
) {
    let text = document.text;
    let (delimiter, is_doubtful) = if media_type.format == Format::Tsv {
        (b'\t', false)
    } else {
        delimiter(text, document.from)
    };
    let has_names = match media_type
        .parameter("header")
        .map(|it| it.map(str::to_ascii_lowercase))
    {
        Ok(None) => Some(true),
        Ok(Some(it)) if it == "present" => Some(true),
        Ok(Some(it)) if it == "absent" => Some(false),
        Ok(Some(_)) | Err(_) => None,
    };
    if is_doubtful || has_names.is_none() {
        reading.gap(GapKind::Ambiguous, document.root, None);
    }
    let mut table = Table {
        document,
        delimiter,
        body: document.from,
        head: Vec::new(),
        keys: Vec::new(),
        groups: Groups::default(),
    };
    if has_names != Some(false) {
        table.take_names(reading);
    }
    walk(reading, document, |walk| {
        table.feed(walk, has_names != Some(false))
    });
}

struct Table<'d> {
    document: &'d Document<'d>,
    delimiter: u8,
    /// Where the rows behind the names start.
    body: usize,
    head: Vec<Cell>,
    /// A key for each column.
    keys: Vec<Key>,
    groups: Groups,
}

impl Table<'_> {
    fn rows(&self, at: usize) -> Rows<'_> {
        Rows {
            text: self.document.text,
            at,
            delimiter: self.delimiter,
        }
    }

    fn take_names<S: Scan>(&mut self, reading: &mut Reading<'_, S>) {
        let mut rows = self.rows(self.body);
        let mut cells = Vec::new();
        let Some(row) = rows.next(&mut cells) else {
            return;
        };
        if let Some(fault) = row.fault {
            reading.gap(fault, self.document.root, None);
        }
        let scan = reading.scan;
        for cell in &cells {
            let name = cell.text(self.document.text);
            let id = reading.keys.intern(name.trim(), |it| scan.lookup(it));
            self.keys.push(Key::plain(&reading.keys, id));
        }
        self.body = row.next;
        self.groups = Groups::of(&named(&self.keys, &cells));
        self.head = cells;
    }

    fn feed<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, has_names: bool) {
        let text = self.document.text;
        walk.open(false, self.document.from);
        for cell in &self.head {
            self.read_aside(walk, "header", *cell);
        }
        let mut rows = self.rows(self.body);
        let mut cells = Vec::new();
        while let Some(row) = rows.next(&mut cells) {
            if walk.is_halted() {
                return;
            }
            walk.open(has_names, row.span.start);
            if walk.is_halted() {
                return;
            }
            let is_ragged = has_names && cells.len() != self.keys.len();
            let fault = row.fault.or(is_ragged.then_some(GapKind::Malformed));
            if let Some(fault) = fault.filter(|_| !walk.is_drawing()) {
                let node = walk.node();
                walk.reading.gap(fault, node, None);
            }
            if has_names {
                walk.grouped_members(
                    &self.groups,
                    &named(&self.keys, &cells),
                    |_, _| {},
                    |walk, it, _| self.read_cell(walk, it.cell),
                );
                for cell in cells.get(self.keys.len()..).unwrap_or_default() {
                    self.read_aside(walk, "cell", *cell);
                }
            } else {
                for cell in &cells {
                    self.read_cell(walk, *cell);
                }
            }
            if walk.is_halted() {
                return;
            }
            walk.close(row.span.end);
        }
        walk.close(text.len());
    }

    /// Reads a cell. Line breaks in it are often no part of the value, so it is read without them too.
    fn read_cell<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, cell: Cell) {
        let leaf = cell.leaf(self.document.text);
        let raw = self
            .document
            .text
            .get(cell.start..cell.end)
            .unwrap_or_default();
        if !raw.contains('\n') {
            return walk.leaf(&leaf);
        }
        let mut text = String::new();
        let mut stretches = Vec::new();
        let mut from = cell.start;
        for line in raw.split('\n') {
            let bare = line.strip_suffix('\r').unwrap_or(line);
            let range = from..from + bare.len();
            from += line.len() + 1;
            if !range.is_empty() {
                stretches.push(Stretch {
                    at: text.len(),
                    raw: range.clone(),
                    whole: range,
                    is_exact: true,
                });
                text.push_str(bare);
            }
        }
        walk.leaf_or(&leaf, &text, &self.document.layer.joined(&stretches));
    }

    /// Reads a cell that has no name.
    fn read_aside<S: Scan>(&self, walk: &mut Walk<'_, '_, S>, name: &str, cell: Cell) {
        let raw = self
            .document
            .text
            .get(cell.start..cell.end)
            .unwrap_or_default();
        if cell.is_doubled {
            let layer = self.document.layer.inside(raw, cell.start, Escape::Quotes);
            walk.aside(name, &cell.text(self.document.text), &layer, 0);
        } else {
            walk.aside(name, raw, self.document.layer, cell.start);
        }
    }
}

fn named(keys: &[Key], cells: &[Cell]) -> Vec<Named> {
    let pairs = keys.iter().zip(cells);
    pairs
        .map(|(key, cell)| Named {
            key: *key,
            cell: *cell,
        })
        .collect()
}

/// The rows of a table behind its names, and the cells in them; a row goes with its line break.
pub(crate) fn units(media_type: &MediaType, text: &str, from: usize) -> Vec<Unit> {
    let (delimiter, is_doubtful) = if media_type.format == Format::Tsv {
        (b'\t', false)
    } else {
        delimiter(text, from)
    };
    let mut rows = Rows {
        text,
        at: from,
        delimiter,
    };
    let mut cells = Vec::new();
    let mut out = Vec::new();
    if media_type.parameter("header") != Ok(Some("absent")) {
        rows.next(&mut cells);
    }
    while let Some(row) = rows.next(&mut cells) {
        if is_doubtful || row.fault.is_some() {
            return Vec::new();
        }
        out.push(Unit {
            kind: UnitKind::Row,
            value: row.span.clone(),
            whole: row.span.start..row.next,
        });
        for cell in &cells {
            let quote = usize::from(cell.is_quoted);
            out.push(Unit {
                kind: UnitKind::Cell,
                value: cell.start..cell.end,
                whole: cell.start - quote..cell.end + quote,
            });
        }
    }
    out
}

/// Every row of `text`, for tests.
#[cfg(test)]
pub(crate) fn all_rows(text: &str) -> Vec<Vec<String>> {
    let (delimiter, _) = delimiter(text, 0);
    let mut rows = Rows {
        text,
        at: 0,
        delimiter,
    };
    let mut cells = Vec::new();
    std::iter::from_fn(|| {
        rows.next(&mut cells)?;
        Some(cells.iter().map(|it| it.text(text)).collect())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_parts_the_first_row_evenly() {
        for (text, expected) in [
            ("a,b\n1,2", (b',', false)),
            ("a;b\n1,5;2,5", (b';', false)),
            ("a\tb,c\td\n1\t2\t3", (b'\t', false)),
            ("a|b", (b'|', false)),
            ("a\nb,c", (b',', false)),
            ("\"a;b\",c", (b',', false)),
            ("a,b;c\n1,2;3", (b',', true)),
            ("a,b;c\n1;2", (b';', false)),
            ("", (b',', false)),
        ] {
            assert_eq!(delimiter(text, 0), expected, "{text}");
        }
    }

    #[test]
    fn rows_and_cells_stand_where_they_are_written() {
        let text = "a,b\r\n\"1\"\"x\",2\n\n,\"\"";
        let units = units(&MediaType::bare(Format::Csv), text, 0);
        let found: Vec<_> = units
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
                (UnitKind::Row, "\"1\"\"x\",2", "\"1\"\"x\",2\n"),
                (UnitKind::Cell, "1\"\"x", "\"1\"\"x\""),
                (UnitKind::Cell, "2", "2"),
                (UnitKind::Row, ",\"\"", ",\"\""),
                (UnitKind::Cell, "", ""),
                (UnitKind::Cell, "", "\"\""),
            ]
        );
        let media_type = MediaType::bare(Format::Csv);
        for text in ["a,b\n\"1", "a,b\n\"1\"2,3", "a,b\n \"1\",2", "a,b;c\n1,2;3"] {
            assert_eq!(super::units(&media_type, text, 0), [], "{text}");
        }
    }

    #[test]
    fn numbers_are_told_from_digits() {
        for text in ["1", "-1.5", "9.9e11", "0.5", "50314100013"] {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "",
            "-",
            "050314100013",
            "1.",
            "+1",
            "inf",
            "nan",
            "1,5",
            " 1",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
