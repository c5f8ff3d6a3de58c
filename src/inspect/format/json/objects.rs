//! JSON documents that stand inside a text: in the line of a log, or behind characters that a receiver cuts off.

use std::ops::Range;

use super::token::{Fault, Token, Tokenizer};

/// Shortest object with a member that is worth reading.
const LENGTH_MIN: usize = 8;

/// What a look for the next object came to.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// Where it stands, when there is one.
    pub(super) found: Option<Range<usize>>,
    /// Where to look on.
    pub(super) next: usize,
    /// Bytes that were read as JSON.
    pub(super) cost: usize,
    /// What began there is nested deeper than allowed, so what is found inside it is not all of it.
    pub(super) is_too_deep: bool,
}

/// Looks for an object with members in `text` from byte `from` on; `None` when there is no sign of one. Text without a brace costs a
/// search for it.
pub(super) fn look(text: &str, from: usize, depth_max: usize) -> Option<Look> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        let rest = bytes.get(at..).filter(|it| it.len() >= LENGTH_MIN)?;
        let brace = memchr::memchr(b'{', rest)?;
        at += brace + 1;
        let mut inside = bytes
            .get(at..)?
            .iter()
            .filter(|it| !it.is_ascii_whitespace());
        if inside.next() == Some(&b'"') {
            return Some(object(text, at - 1, depth_max));
        }
    }
}

/// Reads the object that begins at `start`, and no further than its end or first fault.
fn object(text: &str, start: usize, depth_max: usize) -> Look {
    let mut tokens = Tokenizer::new(text, start, depth_max);
    let (mut depth, mut at) = (0_usize, start);
    let mut is_too_deep = false;
    loop {
        let lexeme = match tokens.next() {
            Ok(Some(it)) => it,
            Ok(None) => break,
            Err(fault) => {
                is_too_deep = fault == Fault::TooDeep;
                break;
            }
        };
        at = lexeme.outer_span().end;
        match lexeme.token {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd => depth = depth.saturating_sub(1),
            Token::Key | Token::Literal | Token::Number | Token::String => {}
        }
        if depth == 0 {
            return Look {
                found: Some(start..at),
                next: at,
                cost: at - start,
                is_too_deep,
            };
        }
    }
    Look {
        found: None,
        next: start + 1,
        cost: at - start,
        is_too_deep,
    }
}

#[cfg(test)]
mod tests {
    use super::look;

    fn all(text: &str) -> Vec<&str> {
        let (mut out, mut from) = (Vec::new(), 0);
        while let Some(it) = look(text, from, 64) {
            from = it.next;
            out.extend(it.found.and_then(|it| text.get(it)));
        }
        out
    }

    #[test]
    fn objects_with_members_are_found_wherever_they_stand() {
        assert_eq!(
            all(r#"x{"a":"b{"}, { "c" : [{"d":1}] }."#),
            [r#"{"a":"b{"}"#, r#"{ "c" : [{"d":1}] }"#]
        );
        assert_eq!(all(r#"{{"a":"b"}}"#), [r#"{"a":"b"}"#]);
        assert_eq!(all(r#"{"a":{"bc":1},"#), [r#"{"bc":1}"#]);
        for text in [
            "",
            "{}",
            "a {b} c",
            "{\"a",
            "fn f() { \"a\" }",
            "{{name}}",
            "${\"x\"}",
        ] {
            assert!(all(text).is_empty(), "{text}");
        }
    }
}
