//! RFC 8259, strictly, as spans: where each member name and value stands, in one pass and without a tree.
//!
//! The caller has validated UTF-8. Escapes are checked here, so that undoing them later cannot fail.

use std::ops::Range;

use crate::model::finding::GapKind;

/// What a [`Lexeme`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Token {
    ArrayEnd,
    ArrayStart,
    Key,
    /// `true`, `false` or `null`.
    Literal,
    Number,
    ObjectEnd,
    ObjectStart,
    String,
}

/// One token and its bytes; for member names and strings the bytes between the quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether a backslash stands between the quotes.
    pub(crate) is_escaped: bool,
}

impl Lexeme {
    /// The bytes with the quotes, as the value stands in the text.
    pub(crate) const fn outer_span(&self) -> Range<usize> {
        match self.token {
            Token::Key | Token::String => self.start - 1..self.end + 1,
            Token::ArrayEnd
            | Token::ArrayStart
            | Token::Literal
            | Token::Number
            | Token::ObjectEnd
            | Token::ObjectStart => self.start..self.end,
        }
    }
}

/// Why a text is not read to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Not JSON.
    Malformed,
    /// Nested deeper than allowed.
    TooDeep,
}

impl Fault {
    /// The gap that it is.
    pub(crate) const fn gap(self) -> GapKind {
        match self {
            Self::Malformed => GapKind::Malformed,
            Self::TooDeep => GapKind::DepthExceeded,
        }
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Expect {
    AfterValue,
    End,
    FirstElement,
    FirstKey,
    Key,
    Value,
}

/// A pull tokenizer over one text. After a fault or the end it must not be asked again.
#[derive(Debug)]
pub(crate) struct Tokenizer<'t> {
    bytes: &'t [u8],
    at: usize,
    /// For each open container, whether it is an object.
    open: Vec<bool>,
    depth_max: usize,
    expect: Expect,
}

impl<'t> Tokenizer<'t> {
    /// Reads `text` from byte `from`, at most `depth_max` containers deep.
    pub(crate) fn new(text: &'t str, from: usize, depth_max: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: from,
            open: Vec::with_capacity(16),
            depth_max,
            expect: Expect::Value,
        }
    }

    /// The next token; `None` after the whole text was one JSON document.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Lexeme>, Fault> {
        self.skip_space();
        let mut next = self.bytes.get(self.at).copied();
        if next == Some(b',') && self.expect == Expect::AfterValue {
            self.at += 1;
            self.expect = if self.open.last() == Some(&true) {
                Expect::Key
            } else {
                Expect::Value
            };
            self.skip_space();
            next = self.bytes.get(self.at).copied();
        }
        let Some(byte) = next else {
            return match self.expect {
                Expect::End => Ok(None),
                Expect::AfterValue
                | Expect::FirstElement
                | Expect::FirstKey
                | Expect::Key
                | Expect::Value => Err(Fault::Malformed),
            };
        };
        match (self.expect, byte) {
            (Expect::FirstKey | Expect::Key, b'"') => self.key().map(Some),
            (Expect::AfterValue | Expect::FirstKey, b'}') => self.close(true).map(Some),
            (Expect::AfterValue | Expect::FirstElement, b']') => self.close(false).map(Some),
            (Expect::FirstElement | Expect::Value, _) => self.value(byte).map(Some),
            (Expect::AfterValue | Expect::End | Expect::FirstKey | Expect::Key, _) => {
                Err(Fault::Malformed)
            }
        }
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at)
            && *byte <= b' '
            && matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
        {
            self.at += 1;
        }
    }

    #[inline]
    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() {
            Expect::End
        } else {
            Expect::AfterValue
        };
    }

    fn close(&mut self, is_object: bool) -> Result<Lexeme, Fault> {
        if self.open.pop() != Some(is_object) {
            return Err(Fault::Malformed);
        }
        let token = if is_object {
            Token::ObjectEnd
        } else {
            Token::ArrayEnd
        };
        let lexeme = self.mark(token);
        self.after_value();
        Ok(lexeme)
    }

    /// A structural token of one byte.
    fn mark(&mut self, token: Token) -> Lexeme {
        let start = self.at;
        self.at += 1;
        Lexeme {
            token,
            start,
            end: self.at,
            is_escaped: false,
        }
    }

    fn open(&mut self, is_object: bool) -> Result<Lexeme, Fault> {
        if self.open.len() >= self.depth_max {
            return Err(Fault::TooDeep);
        }
        self.open.push(is_object);
        let token = if is_object {
            self.expect = Expect::FirstKey;
            Token::ObjectStart
        } else {
            self.expect = Expect::FirstElement;
            Token::ArrayStart
        };
        Ok(self.mark(token))
    }

    #[inline]
    fn key(&mut self) -> Result<Lexeme, Fault> {
        let lexeme = self.string(Token::Key)?;
        self.skip_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err(Fault::Malformed);
        }
        self.at += 1;
        self.expect = Expect::Value;
        Ok(lexeme)
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Lexeme, Fault> {
        let lexeme = match byte {
            b'"' => self.string(Token::String)?,
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => return Err(Fault::Malformed),
        };
        self.after_value();
        Ok(lexeme)
    }

    fn literal(&mut self, word: &[u8]) -> Result<Lexeme, Fault> {
        let start = self.at;
        let end = start + word.len();
        if self.bytes.get(start..end) != Some(word) {
            return Err(Fault::Malformed);
        }
        self.at = end;
        Ok(Lexeme {
            token: Token::Literal,
            start,
            end,
            is_escaped: false,
        })
    }

    fn number(&mut self) -> Result<Lexeme, Fault> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Lexeme {
            token: Token::Number,
            start,
            end: self.at,
            is_escaped: false,
        })
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            Err(Fault::Malformed)
        } else {
            Ok(())
        }
    }

    /// A string; `self.at` stands on the opening quote.
    #[inline]
    fn string(&mut self, token: Token) -> Result<Lexeme, Fault> {
        let start = self.at + 1;
        let mut at = start;
        let mut is_escaped = false;
        loop {
            at = special(self.bytes, at);
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    at += escape_len(self.bytes, at).ok_or(Fault::Malformed)?;
                }
                Some(_) | None => return Err(Fault::Malformed),
            }
        }
        self.at = at + 1;
        Ok(Lexeme {
            token,
            start,
            end: at,
            is_escaped,
        })
    }
}

/// Position of the first quote, backslash or control character at or after `at`; the length if there is none.
///
/// Reads eight bytes at a time: a byte of `x` is zero exactly where the lowest set bit of `(x - 1) & !x & 0x80` stands; borrows
/// disturb only bytes above it.
fn special(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const SLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    while let Some(&chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(chunk);
        let (quote, slash) = (word ^ QUOTES, word ^ SLASHES);
        let found = ((quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(SPACES) & !word))
            & HIGHS;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < b' ' {
            break;
        }
        at += 1;
    }
    at
}

/// Bytes of the escape at `at` (a pair of surrogates is one), or `None` when it is none of RFC 8259 or a lone surrogate.
fn escape_len(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match hex4(bytes, at + 2)? {
            0xd800..=0xdbff => {
                let is_paired = bytes.get(at + 6..at + 8)? == b"\\u"
                    && matches!(hex4(bytes, at + 8)?, 0xdc00..=0xdfff);
                is_paired.then_some(12)
            }
            0xdc00..=0xdfff => None,
            _ => Some(6),
        },
        _ => None,
    }
}

/// Four hexadecimal digits.
pub(crate) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |sum, it| {
        char::from(*it).to_digit(16).map(|digit| sum << 4 | digit)
    })
}

/// Why `text` is not one JSON document of at most `depth_max` levels; `None` when it is.
pub(crate) fn document_fault(text: &str, depth_max: usize) -> Option<Fault> {
    let mut tokens = Tokenizer::new(text, 0, depth_max);
    loop {
        match tokens.next() {
            Ok(Some(_)) => {}
            Ok(None) => return None,
            Err(fault) => return Some(fault),
        }
    }
}
