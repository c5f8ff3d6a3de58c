//! Lines of a text that name their value: `SNILS: 112-233-445 95`, `first_name=Aigerim`.

use super::{
    super::detect::{KeyHint, ValueKind},
    json::{Around, Document, Value, read_value},
    pair::LABEL_MAX,
    reading::{Reading, Scan, Spot},
};

/// Longest value that a label speaks for, in bytes: more is a sentence.
const VALUE_MAX: usize = 128;

/// A label and its value in one line, without the blanks around them; `at` is the byte of the value.
#[derive(PartialEq, Eq, Debug)]
struct Labelled<'a> {
    label: &'a str,
    value: &'a str,
    at: usize,
}

/// Reads the values of `document` that a line names by a key of the dictionary. What was found before, from `first_find` on, is not
/// found again.
pub(super) fn read<S: Scan>(
    reading: &mut Reading<'_, S>,
    document: &Document<'_>,
    first_find: usize,
) {
    // Behind a byte order mark.
    let text = document.text.get(document.from..).unwrap_or_default();
    if memchr::memchr2(b':', b'=', text.as_bytes()).is_none()
        || !reading.spend(text.len() as u64, document.root)
    {
        return;
    }
    let mut placed = None;
    for it in lines(text) {
        let key = reading.scan.lookup(it.label);
        // A word that says something only in company (`name`, `city`) is a heading here.
        if key.category.is_none() || key.needs_person {
            continue;
        }
        if !reading.count_value(document.root) {
            return;
        }
        let placed = placed.get_or_insert_with(|| reading.placed(first_find));
        let known = reading.finds.len();
        let value = Value {
            text: it.value,
            kind: ValueKind::String,
            around: Around {
                key,
                parent: KeyHint::default(),
            },
            layer: document.layer,
            at: document.from + it.at,
            depth_left: document.depth_max,
        };
        read_value(reading, &value, document.root, |_| Spot {
            record: document.record,
            ..Spot::of(document.root)
        });
        reading.keep_surest(known, placed);
    }
}

/// The lines of `text` that are a label and a value.
fn lines(text: &str) -> impl Iterator<Item = Labelled<'_>> {
    let mut from = 0;
    text.split('\n').filter_map(move |line| {
        let start = from;
        from += line.len() + 1;
        let (label, value) = line.split_once([':', '='])?;
        let behind = start + line.len() - value.len();
        let value_start = behind + value.len() - value.trim_start().len();
        let (label, value) = (label.trim(), value.trim());
        let is_label = !label.is_empty()
            && label.len() <= LABEL_MAX
            && label.starts_with(char::is_alphabetic)
            && label
                .chars()
                .all(|it| it.is_alphanumeric() || matches!(it, ' ' | '_' | '-' | '.'));
        // In the source of a program a colon or an equals sign stands between many things: `Addr::Tcp(_) => {`.
        let is_code = value.starts_with([':', '='])
            || value.contains(['(', ')', '{', '}', '<', '>', '[', ']', ';', '|'])
            || value.ends_with(',');
        (is_label && !is_code && !value.is_empty() && value.len() <= VALUE_MAX).then_some(
            Labelled {
                label,
                value,
                at: value_start,
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_their_value_are_told_from_prose() {
        let text = "Order\nfirst_name = Aigerim \r\nДата рождения:1903-02-13\n{\"a\": 1}\n12:30\nhttp: \n:x\nAddr::Tcp(_)\naddress: A,\n";
        let found: Vec<_> = lines(text).collect();
        let long = format!("first_name: {}", "a".repeat(VALUE_MAX + 1));
        assert_eq!(lines(&long).count(), 0, "a sentence");
        let expected = [("first_name", "Aigerim"), ("Дата рождения", "1903-02-13")];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (it, (label, value)) in found.iter().zip(expected) {
            assert_eq!((it.label, it.value), (label, value));
            assert_eq!(text.get(it.at..it.at + value.len()), Some(value));
        }
    }
}
