//! A key as words.

use super::super::look_alikes::narrow;

/// Longest key that is looked up, in bytes; longer names are no words of a dictionary.
const KEY_MAX: usize = 96;

/// Most words of a key.
const WORDS_MAX: usize = 12;

/// A key in lower case without separators, with the starts of its words. Lives on the stack.
#[derive(Clone, Debug)]
pub(super) struct Words {
    text: [u8; KEY_MAX],
    length: usize,
    starts: [u8; WORDS_MAX],
    pub(super) count: usize,
}

impl Words {
    /// Splits `key` for a lookup: without a language (`name_kk`) or a way of hashing (`email_sha256`) at its end. A hash of an
    /// identifier still stands for the person.
    pub(super) fn of(key: &str) -> Option<Self> {
        let mut words = Self::split(key)?;
        while words.count > 1 {
            let last = words.word(words.count - 1);
            let is_addition = matches!(
                last,
                b"kk"
                    | b"kz"
                    | b"ru"
                    | b"en"
                    | b"rus"
                    | b"kaz"
                    | b"eng"
                    | b"hash"
                    | b"hashed"
                    | b"sha"
                    | b"sha1"
                    | b"sha256"
                    | b"sha512"
                    | b"256"
                    | b"512"
                    | b"md5"
            );
            if !is_addition {
                break;
            }
            words.drop_last();
        }
        Some(words)
    }

    /// Leaves out the last word.
    pub(super) fn drop_last(&mut self) {
        if let Some(last) = self.count.checked_sub(1) {
            self.length -= self.word(last).len();
            self.count = last;
        }
    }

    /// Splits `key`; `None` if it is empty or longer than any word of the dictionary.
    pub(super) fn split(key: &str) -> Option<Self> {
        let mut words = Self {
            text: [0; KEY_MAX],
            length: 0,
            starts: [0; WORDS_MAX],
            count: 0,
        };
        if key.is_ascii() {
            words.split_ascii(key.as_bytes())?;
            return (words.count > 0).then_some(words);
        }
        let mut is_start = true;
        let mut before = ' ';
        let mut chars = key.chars().peekable();
        while let Some(ch) = chars.next() {
            if !ch.is_alphanumeric() && !matches!(ch, '\u{300}'..='\u{36f}') {
                is_start = true;
                before = ch;
                continue;
            }
            let is_hump = ch.is_uppercase()
                && (before.is_lowercase()
                    || before.is_numeric()
                    || (before.is_uppercase()
                        && chars.peek().is_some_and(|next| next.is_lowercase())));
            if is_start || is_hump {
                words.start()?;
                is_start = false;
            }
            words.push(ch)?;
            before = ch;
        }
        (words.count > 0).then_some(words)
    }

    /// The same for a key of ASCII, as most are.
    fn split_ascii(&mut self, key: &[u8]) -> Option<()> {
        let mut is_start = true;
        let mut before = b' ';
        for (at, &byte) in key.iter().enumerate() {
            if !byte.is_ascii_alphanumeric() {
                is_start = true;
                before = byte;
                continue;
            }
            let is_last_of_capitals = || key.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let is_hump = byte.is_ascii_uppercase()
                && (before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && is_last_of_capitals()));
            if is_start || is_hump {
                self.start()?;
                is_start = false;
            }
            *self.text.get_mut(self.length)? = byte.to_ascii_lowercase();
            self.length += 1;
            before = byte;
        }
        Some(())
    }

    /// Begins a word here, unless there are too many.
    fn start(&mut self) -> Option<()> {
        if let Some(start) = self.starts.get_mut(self.count) {
            *start = u8::try_from(self.length).ok()?;
            self.count += 1;
        }
        Some(())
    }

    /// Appends `ch` in lower case.
    fn push(&mut self, ch: char) -> Option<()> {
        let ch = narrow(ch);
        if ch.is_ascii() {
            *self.text.get_mut(self.length)? = u8::try_from(ch).ok()?.to_ascii_lowercase();
            self.length += 1;
            return Some(());
        }
        for lower in ch.to_lowercase() {
            let mut buffer = [0; 4];
            let encoded = lower.encode_utf8(&mut buffer).as_bytes();
            let end = self.length + encoded.len();
            self.text
                .get_mut(self.length..end)?
                .copy_from_slice(encoded);
            self.length = end;
        }
        Some(())
    }

    /// The words from `first` on, written together.
    pub(super) fn from(&self, first: usize) -> &[u8] {
        let start = self.starts.get(first).copied().unwrap_or_default();
        self.slice(usize::from(start), self.length)
    }

    /// The word at `at`.
    pub(super) fn word(&self, at: usize) -> &[u8] {
        let start = self.starts.get(at).copied().unwrap_or_default();
        let end = match self.starts.get(at + 1) {
            Some(next) if at + 1 < self.count => usize::from(*next),
            _ => self.length,
        };
        self.slice(usize::from(start), end)
    }

    fn slice(&self, start: usize, end: usize) -> &[u8] {
        self.text.get(start..end).unwrap_or_default()
    }
}
