//! Members that are a name and its value: `{"name": "phone", "value": "…"}`. The text of the one says what the other holds.

use std::ops::Range;

use super::{
    super::detect::{KeyHint, ValueKind},
    walk::{Key, Leaf},
};
use crate::model::Category;

/// Longest text that names a value, in bytes.
pub(crate) const LABEL_MAX: usize = 64;

/// Members whose text names what stands beside them, without case and separators.
const LABELS: &[&str] = &[
    "attribute",
    "attributename",
    "code",
    "field",
    "fieldcode",
    "fieldname",
    "k",
    "key",
    "label",
    "name",
    "param",
    "path",
    "property",
    "propertyname",
    "question",
    "slug",
    "title",
    "type",
    "variable",
];

/// Members that hold what another names.
const VALUES: &[&str] = &[
    "answer", "content", "number", "response", "text", "v", "val", "value", "values",
];

/// The same in Russian and Kazakh, in small letters.
const FOREIGN_LABELS: &[&str] = &[
    "атауы",
    "вопрос",
    "имя",
    "ключ",
    "код",
    "название",
    "наименование",
    "параметр",
    "поле",
    "свойство",
    "сұрақ",
];

/// The same for [`VALUES`].
const FOREIGN_VALUES: &[&str] = &["жауап", "значение", "мәні", "ответ"];

/// Members that list the values of one row.
const CELLS: &[&str] = &["c", "cells", "f", "row"];

/// Members that list the names of columns.
const COLUMNS: &[&str] = &[
    "attributes",
    "colnames",
    "cols",
    "column",
    "columndefinitions",
    "columnheaders",
    "columnnames",
    "columns",
    "fieldlist",
    "fieldnames",
    "fields",
    "head",
    "header",
    "headers",
    "headings",
    "keys",
    "labels",
    "meta",
    "metadata",
    "names",
    "properties",
    "rowtype",
    "schema",
    "titles",
    "variables",
];

/// What a member may be in a pair, or in a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum PairRole {
    Cells,
    Columns,
    /// Its text may name the value.
    Label,
    #[default]
    None,
    Value,
}

impl PairRole {
    /// The role of a member called `name`.
    pub(crate) fn of(name: &str) -> Self {
        let longest = COLUMNS.iter().map(|it| it.len()).max().unwrap_or(0);
        // Separators are at most as many as letters.
        if name.len() > 2 * longest {
            return Self::None;
        }
        if !name.is_ascii() {
            let lower = name.to_lowercase();
            return if FOREIGN_LABELS.contains(&lower.as_str()) {
                Self::Label
            } else if FOREIGN_VALUES.contains(&lower.as_str()) {
                Self::Value
            } else {
                Self::None
            };
        }
        // The words begin with few letters; most names are told by their first.
        let first = name.bytes().find(|it| !matches!(it, b'_' | b'-'));
        let first = first.map_or(0, |it| it.to_ascii_lowercase());
        if !matches!(
            first,
            b'a' | b'c' | b'f' | b'h' | b'k'..=b'n' | b'p'..=b't' | b'v'
        ) {
            return Self::None;
        }
        let is = |word: &&str| {
            if word.as_bytes().first() != Some(&first) {
                return false;
            }
            let bytes = name.bytes().filter(|it| !matches!(it, b'_' | b'-'));
            bytes.map(|it| it.to_ascii_lowercase()).eq(word.bytes())
        };
        if LABELS.iter().any(is) {
            Self::Label
        } else if VALUES.iter().any(is) {
            Self::Value
        } else if COLUMNS.iter().any(is) {
            Self::Columns
        } else if CELLS.iter().any(is) {
            Self::Cells
        } else {
            Self::None
        }
    }
}

/// A value that nothing was found in, and that may be named later.
#[derive(Clone, Debug)]
pub(crate) struct Unnamed {
    pub(crate) key: Key,
    pub(crate) value: UnnamedValue,
}

/// How such a value is read again.
#[derive(Clone, Debug)]
pub(crate) enum UnnamedValue {
    Leaf(Leaf),
    /// A text that was put together elsewhere; `span` are the bytes of the part that it covers.
    Text {
        text: String,
        kind: ValueKind,
        span: Range<usize>,
    },
}

/// What is known of the pair in an open object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair {
    /// What the label says; only where it names a category or a person, so that a label never makes a finding less sure.
    label: Option<KeyHint>,
    pub(crate) unnamed: Option<Unnamed>,
    has_label: bool,
    has_value: bool,
}

impl Pair {
    /// The hint of a member whose own key says `own`. A condition looks for one person by name or identifier, for many by anything
    /// else: `{"field": "gender", "value": "female"}`.
    #[inline]
    pub(crate) fn hint(&self, role: PairRole, own: KeyHint, is_condition: bool) -> KeyHint {
        match (role, self.label) {
            (PairRole::Value, Some(label))
                if own.category.is_none_or(|it| it == Category::FreeText)
                    && (!is_condition || label.category.is_some_and(singles_out)) =>
            {
                label
            }
            _ => own,
        }
    }

    /// Takes note of a member in `role`.
    pub(crate) const fn meet(&mut self, role: PairRole) {
        match role {
            PairRole::Label => self.has_label = true,
            PairRole::Value => self.has_value = true,
            PairRole::Cells | PairRole::Columns | PairRole::None => {}
        }
    }

    /// Whether both a label and a value were met.
    pub(crate) const fn is_whole(&self) -> bool {
        self.has_label && self.has_value
    }

    /// Takes note of a label; the value that stood before it, if it is to be read again.
    pub(crate) fn name(&mut self, hint: KeyHint) -> Option<Unnamed> {
        let hint = match hint.category {
            // `{"name": "Driver", "value": …}`: a name, if it looks like one.
            None if hint.is_person => KeyHint {
                category: Some(Category::NameFull),
                needs_person: true,
                ..hint
            },
            None => return None,
            Some(_) => hint,
        };
        self.label = Some(hint);
        self.unnamed.take()
    }
}

/// Whether a value of the category is one person's rather than a group's.
fn singles_out(category: Category) -> bool {
    let kind = category.code().split('.').next().unwrap_or_default();
    matches!(
        kind,
        "name" | "email" | "phone" | "national_id" | "id_document" | "payment"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_their_roles_in_any_spelling() {
        for (name, role) in [
            ("name", PairRole::Label),
            ("NAME", PairRole::Label),
            ("field_code", PairRole::Label),
            ("fieldName", PairRole::Label),
            ("value", PairRole::Value),
            ("VALUE", PairRole::Value),
            ("values", PairRole::Value),
            ("content", PairRole::Value),
            ("columnNames", PairRole::Columns),
            ("schema", PairRole::Columns),
            ("f", PairRole::Cells),
            ("email", PairRole::None),
            ("", PairRole::None),
            ("имя", PairRole::Label),
            ("Значение", PairRole::Value),
            ("возраст", PairRole::None),
            ("f_i_e_l_d_c_o_d_e_and_much_more_than_that", PairRole::None),
        ] {
            assert_eq!(PairRole::of(name), role, "{name}");
        }
    }
}
