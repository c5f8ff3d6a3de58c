//! Calendar dates as people and systems write them.

/// Whether `text` is one date (a time after it is passed over): ISO 8601, day first, month first, with a month's name, compact.
pub(super) fn is_date(text: &str) -> bool {
    let head = text.trim().split(['T', ' ']).next().unwrap_or_default();
    is_numeric(head) || is_compact(head) || is_named(text.trim())
}

/// Whether the number is a year in which a living person may have been born.
pub(super) fn is_birth_year(text: &str) -> bool {
    text.len() == 4
        && text
            .parse::<u16>()
            .is_ok_and(|it| (1900..=2100).contains(&it))
}

/// Whether year (two digits, any century), month and day are possible.
pub(super) fn is_month_and_day(month: u8, day: u8) -> bool {
    let last = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// `2001-02-03`, `03.02.2001`, `2/3/2001`, `3.2.01`.
fn is_numeric(head: &str) -> bool {
    let mut parts = [0_u16; 3];
    let mut widths = [0_usize; 3];
    for (at, piece) in head.split(['-', '.', '/']).enumerate() {
        let (Some(part), Some(width)) = (parts.get_mut(at), widths.get_mut(at)) else {
            return false;
        };
        let Ok(number) = piece.parse() else {
            return false;
        };
        (*part, *width) = (number, piece.len());
    }
    let small = |it: u16| u8::try_from(it).unwrap_or(u8::MAX);
    let [first, second, third] = parts;
    match widths {
        [4, 1..=2, 1..=2] => is_month_and_day(small(second), small(third)),
        [1..=2, 1..=2, 2 | 4] => {
            is_month_and_day(small(second), small(first))
                || is_month_and_day(small(first), small(second))
        }
        _ => false,
    }
}

/// `20010203`.
fn is_compact(head: &str) -> bool {
    let number = |from: usize, to: usize| head.get(from..to).and_then(|it| it.parse::<u8>().ok());
    head.len() == 8
        && head.starts_with(['1', '2'])
        && number(4, 6)
            .zip(number(6, 8))
            .is_some_and(|(month, day)| is_month_and_day(month, day))
}

/// `3 February 2001`, `Feb 3, 2001`, `3 ақпан 2001 ж.`: a month's name, and numbers.
fn is_named(text: &str) -> bool {
    const MONTHS: &[&str] = &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "янв",
        "фев", "мар", "апр", "мая", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек", "қаң",
        "ақп", "нау", "сәу", "мам", "мау", "шіл", "там", "қыр", "қаз", "қар", "жел",
    ];
    let is_word = |word: &str| {
        let lower = word.to_lowercase();
        MONTHS.iter().any(|it| lower.starts_with(it))
    };
    text.len() <= 40
        && text.bytes().any(|it| it.is_ascii_digit())
        && text.split(|ch: char| !ch.is_alphabetic()).any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_no_dates() {
        for text in [
            "1991-12-31",
            "31.12.1991",
            "12/31/1991",
            "31/12/91",
            "1991-12-31T00:00:00Z",
            "1991/2/3",
            "19911231",
            "3 February 2001",
            "Feb 3, 2001",
            "3 ақпан 2001 ж.",
            "1991-12-31 10:00",
        ] {
            assert!(is_date(text), "{text}");
        }
        for text in [
            "1991-13-31",
            "32.12.1991",
            "",
            "soon",
            "1.2.3",
            "30.02.1991",
            "1234",
            "19913131",
            "10:30",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }
}
