//! Letters that look like others: whoever reads a key sees `first_name`, whichever script its letters are of.

/// Cyrillic letters that look like Latin ones, with those.
const LOOK_ALIKES: &[(char, char)] = &[
    ('а', 'a'),
    ('с', 'c'),
    ('е', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('о', 'o'),
    ('р', 'p'),
    ('ѕ', 's'),
    ('у', 'y'),
    ('х', 'x'),
    ('А', 'A'),
    ('В', 'B'),
    ('С', 'C'),
    ('Е', 'E'),
    ('Н', 'H'),
    ('І', 'I'),
    ('К', 'K'),
    ('М', 'M'),
    ('О', 'O'),
    ('Р', 'P'),
    ('Т', 'T'),
    ('Х', 'X'),
];

/// `key` with its look-alikes in Latin script, when it mixes the scripts and nothing Cyrillic remains: no word is written so.
pub(super) fn unmixed(key: &str) -> Option<String> {
    if key.is_ascii() || !key.bytes().any(|it| it.is_ascii_alphabetic()) {
        return None;
    }
    let latin: String = key
        .chars()
        .map(|ch| {
            LOOK_ALIKES
                .iter()
                .find(|it| it.0 == ch)
                .map_or(ch, |it| it.1)
        })
        .collect();
    latin.is_ascii().then_some(latin)
}

/// `word` with its Latin letters in Cyrillic, when it mixes the scripts and each of them looks like a Cyrillic one.
pub(super) fn in_cyrillic(word: &str) -> Option<String> {
    let is_latin = |it: char| it.is_ascii_alphabetic();
    if word.is_ascii() || !word.contains(is_latin) {
        return None;
    }
    word.chars()
        .map(|ch| match LOOK_ALIKES.iter().find(|it| it.1 == ch) {
            Some((cyrillic, _)) => Some(*cyrillic),
            None => Some(ch).filter(|it| !is_latin(*it)),
        })
        .collect()
}

/// The ASCII form of a full-width character.
pub(super) fn narrow(ch: char) -> char {
    match ch {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(ch as u32 - 0xfee0).unwrap_or(ch),
        _ => ch,
    }
}
