//! Tables that are the value of a string: `"file": "first_name,birth_date\nAru,1999-12-31"`. Nothing labels them, so they are told by
//! their shape, and read only where a column has a name of the dictionary.

use super::{ROWS_SNIFFED, Rows, Table, delimiter};
use crate::inspect::format::{
    json::Document,
    pair::LABEL_MAX,
    reading::{Reading, Scan},
    walk::{Groups, walk},
};

/// Longest row of names, in bytes.
const NAMES_MAX: usize = 4096;

/// What parts the cells of `text`, when its first rows are of one width and the first of them is words.
pub(crate) fn delimiter_of(text: &str) -> Option<u8> {
    let line_end = memchr::memchr(b'\n', text.as_bytes()).filter(|it| *it <= NAMES_MAX)?;
    let names = text.get(..line_end)?;
    if !names.contains([',', ';', '\t', '|']) || names.contains(['{', '<', '=', ':']) {
        return None;
    }
    let (delimiter, is_doubtful) = delimiter(text, 0);
    let mut rows = Rows {
        text,
        at: 0,
        delimiter,
    };
    let mut cells = Vec::new();
    rows.next(&mut cells)?;
    let width = cells.len();
    let is_word = |it: &str| {
        let bare = it.trim();
        bare.len() <= LABEL_MAX && bare.starts_with(char::is_alphabetic)
    };
    if is_doubtful || width < 2 || !cells.iter().all(|it| is_word(&it.text(text))) {
        return None;
    }
    let mut count = 0;
    while let Some(row) = rows.next(&mut cells).filter(|_| count < ROWS_SNIFFED) {
        if row.fault.is_some() || cells.len() != width {
            return None;
        }
        count += 1;
    }
    (count > 0).then_some(delimiter)
}

/// Reads a table whose cells `delimiter` parts.
pub(crate) fn read<S: Scan>(reading: &mut Reading<'_, S>, document: &Document<'_>, delimiter: u8) {
    let mut table = Table {
        document,
        delimiter,
        body: document.from,
        head: Vec::new(),
        keys: Vec::new(),
        groups: Groups::default(),
    };
    table.take_names(reading);
    if table.keys.iter().any(|it| it.hint.category.is_some()) {
        walk(reading, document, |walk| table.feed(walk, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_from_prose_by_their_width() {
        for (text, expected) in [
            ("first_name,dob\nAru,1999-12-31", Some(b',')),
            ("Имя;Дата рождения\r\nАру;31.12.1999\r\n", Some(b';')),
            ("a\tb\n1\t2\n3\t4", Some(b'\t')),
            ("a,b", None),
            ("a,b\n", None),
            ("a,b\n1,2,3", None),
            ("1,2\n3,4", None),
            ("Hello\nthere, you", None),
            ("{\"a\": 1,\n\"b\": 2}", None),
        ] {
            assert_eq!(delimiter_of(text), expected, "{text:?}");
        }
    }
}
