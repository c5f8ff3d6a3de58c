//! Charsets of Kazakhstan that the WHATWG Encoding Standard leaves out.

/// A charset of one byte a character, ASCII in its lower half.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name at IANA, in lower case.
    pub(super) name: &'static str,
    /// Characters of the bytes from 0x80; U+FFFD where there is none.
    pub(super) high: [char; 128],
}

impl Table {
    /// The text that `bytes` are; `None` when a byte is no character.
    pub(super) fn decode(&self, bytes: &[u8]) -> Option<String> {
        bytes.iter().map(|it| self.char_of(*it)).collect()
    }

    /// The bytes that `text` is; `None` when a character has none.
    pub(super) fn encode(&self, text: &str) -> Option<Vec<u8>> {
        text.chars().map(|it| self.byte_of(it)).collect()
    }

    fn char_of(&self, byte: u8) -> Option<char> {
        match byte.checked_sub(0x80) {
            None => Some(char::from(byte)),
            Some(at) => {
                let found = self.high.get(usize::from(at)).copied();
                found.filter(|it| *it != char::REPLACEMENT_CHARACTER)
            }
        }
    }

    fn byte_of(&self, ch: char) -> Option<u8> {
        if ch.is_ascii() {
            return u8::try_from(ch).ok();
        }
        if ch == char::REPLACEMENT_CHARACTER {
            return None;
        }
        let at = self.high.iter().position(|it| *it == ch)?;
        u8::try_from(at + 0x80).ok()
    }
}

/// KZ-1048 (STRK 1048-2002), the Kazakh form of windows-1251: <https://www.unicode.org/Public/MAPPINGS/VENDORS/MISC/KZ1048.TXT>.
pub(super) static KZ_1048: Table = Table {
    name: "kz-1048",
    high: [
        'Ђ', 'Ѓ', '‚', 'ѓ', '„', '…', '†', '‡', '€', '‰', 'Љ', '‹', 'Њ', 'Қ', 'Һ', 'Џ', 'ђ', '‘',
        '’', '“', '”', '•', '–', '—', '�', '™', 'љ', '›', 'њ', 'қ', 'һ', 'џ', '\u{a0}', 'Ұ', 'ұ',
        'Ә', '¤', 'Ө', '¦', '§', 'Ё', '©', 'Ғ', '«', '¬', '\u{ad}', '®', 'Ү', '°', '±', 'І', 'і',
        'ө', 'µ', '¶', '·', 'ё', '№', 'ғ', '»', 'ә', 'Ң', 'ң', 'ү', 'А', 'Б', 'В', 'Г', 'Д', 'Е',
        'Ж', 'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П', 'Р', 'С', 'Т', 'У', 'Ф', 'Х', 'Ц', 'Ч',
        'Ш', 'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я', 'а', 'б', 'в', 'г', 'д', 'е', 'ж', 'з', 'и', 'й',
        'к', 'л', 'м', 'н', 'о', 'п', 'р', 'с', 'т', 'у', 'ф', 'х', 'ц', 'ч', 'ш', 'щ', 'ъ', 'ы',
        'ь', 'э', 'ю', 'я',
    ],
};

/// PTCP154 (Paratype Asian Cyrillic): <https://www.iana.org/assignments/charset-reg/PTCP154>.
pub(super) static PTCP_154: Table = Table {
    name: "ptcp154",
    high: [
        'Җ', 'Ғ', 'Ӯ', 'ғ', '„', '…', 'Ҷ', 'Ү', 'Ҳ', 'ү', 'Ҡ', 'Ӣ', 'Ң', 'Қ', 'Һ', 'Ҹ', 'җ', '‘',
        '’', '“', '”', '•', '–', '—', 'ҳ', 'ҷ', 'ҡ', 'ӣ', 'ң', 'қ', 'һ', 'ҹ', '\u{a0}', 'Ў', 'ў',
        'Ј', 'Ө', 'Ҙ', 'Ұ', '§', 'Ё', '©', 'Ә', '«', '¬', 'ӯ', '®', 'Ҝ', '°', 'ұ', 'І', 'і', 'ҙ',
        'ө', '¶', '·', 'ё', '№', 'ә', '»', 'ј', 'Ҫ', 'ҫ', 'ҝ', 'А', 'Б', 'В', 'Г', 'Д', 'Е', 'Ж',
        'З', 'И', 'Й', 'К', 'Л', 'М', 'Н', 'О', 'П', 'Р', 'С', 'Т', 'У', 'Ф', 'Х', 'Ц', 'Ч', 'Ш',
        'Щ', 'Ъ', 'Ы', 'Ь', 'Э', 'Ю', 'Я', 'а', 'б', 'в', 'г', 'д', 'е', 'ж', 'з', 'и', 'й', 'к',
        'л', 'м', 'н', 'о', 'п', 'р', 'с', 'т', 'у', 'ф', 'х', 'ц', 'ч', 'ш', 'щ', 'ъ', 'ы', 'ь',
        'э', 'ю', 'я',
    ],
};
