//! Heads of requests: what has exactly one reading under RFC 9112, and nothing else.

use bytes::{Buf, BytesMut};
use http::{Uri, uri::Scheme};

use super::{Fault, Framing};

/// Largest head.
pub(super) const HEAD_BYTES: usize = 64 * 1024;
/// Largest request line.
pub(super) const LINE_BYTES: usize = 8 * 1024;
/// Most fields.
pub(super) const FIELDS_MAX: usize = 100;
/// Names that a `Connection` field must not take out of the message: they frame it, route it or say what it means.
const NOT_CONNECTION_OPTIONS: &[&str] = &[
    "authorization",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "shekara-purpose",
    "shekara-token",
    "transfer-encoding",
    "via",
];
/// Fields of which two readings would arise if they came twice.
pub(super) const SINGLE_FIELDS: &[&str] = &[
    "content-length",
    "content-type",
    "host",
    "shekara-purpose",
    "transfer-encoding",
];

/// RFC 9112 §2.2: an empty line before the request line is ignored; here, one.
pub(super) fn skip_empty_lines(pending: &mut BytesMut) {
    if pending.starts_with(b"\r\n") {
        pending.advance(2);
    }
}

/// Where the head ends, or `None` while it is not whole. `searched` remembers how far earlier calls have come.
///
/// # Errors
/// It cannot become a head any more: a bare CR or LF, a control byte, or too many bytes.
pub(super) fn find_end(bytes: &[u8], searched: &mut usize) -> Result<Option<usize>, Fault> {
    let start = *searched;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'\n' => {
                let before = bytes.get(..at).unwrap_or_default();
                if !before.ends_with(b"\r") {
                    return Err(Fault::framing("a line ends without a carriage return"));
                }
                if before.ends_with(b"\r\n\r") {
                    return Ok(Some(at + 1));
                }
            }
            b'\r' => match bytes.get(at + 1) {
                Some(b'\n') => {}
                Some(_) => {
                    return Err(Fault::framing("a carriage return stands without line feed"));
                }
                None => {
                    *searched = at;
                    return within_limits(bytes);
                }
            },
            0..=8 | 11 | 12 | 14..=31 | 127 => {
                return Err(Fault::framing("the head has a control byte"));
            }
            _ => {}
        }
    }
    *searched = bytes.len();
    within_limits(bytes)
}

fn within_limits(bytes: &[u8]) -> Result<Option<usize>, Fault> {
    let line = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    if line > LINE_BYTES {
        Err(Fault::with_status(414, "the request line is too long"))
    } else if bytes.len() > HEAD_BYTES {
        Err(Fault::with_status(431, "the head is too long"))
    } else {
        Ok(None)
    }
}

/// What the fields say of framing and routing.
#[derive(Default)]
struct Fields<'a> {
    names: Vec<String>,
    length: Option<u64>,
    is_chunked: bool,
    host: Option<&'a str>,
}

/// The body's framing when `head` (with its empty line) has one reading.
///
/// # Errors
/// What is in the way.
pub(super) fn check(head: &[u8], is_tls: bool) -> Result<Framing, Fault> {
    within_limits(head)?;
    let lines = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let mut lines = Lines(Some(lines));
    let line = RequestLine::parse(lines.next().unwrap_or_default())?;
    let mut fields = Fields::default();
    for it in lines {
        fields.add(it)?;
        if fields.names.len() > FIELDS_MAX {
            return Err(Fault::with_status(431, "the head has too many fields"));
        }
    }
    let host = fields
        .host
        .ok_or(Fault::framing("the Host field is missing"))?;
    line.check_target(host, is_tls)?;
    line.framing(&fields)
}

/// Splits at CRLF. `find_end` has seen to it that no CR or LF stands alone.
struct Lines<'a>(Option<&'a [u8]>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.0.take()?;
        match memchr::memmem::find(rest, b"\r\n") {
            Some(at) => {
                self.0 = rest.get(at + 2..);
                rest.get(..at)
            }
            None => Some(rest),
        }
    }
}

struct RequestLine<'a> {
    method: &'a str,
    target: &'a str,
    is_http_1_0: bool,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        let malformed = Fault::framing("the request line is not `method target version`");
        let text = std::str::from_utf8(line)
            .ok()
            .filter(|it| it.bytes().all(|it| matches!(it, 0x20..=0x7e)))
            .ok_or(malformed)?;
        let mut words = text.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(malformed);
        };
        if method.is_empty() || target.is_empty() {
            return Err(malformed);
        }
        let is_http_1_0 = match version {
            "HTTP/1.1" => false,
            "HTTP/1.0" => true,
            other => {
                return Err(if is_version(other) {
                    Fault::with_status(505, "the version is neither HTTP/1.1 nor HTTP/1.0")
                } else {
                    malformed
                });
            }
        };
        Ok(Self {
            method,
            target,
            is_http_1_0,
        })
    }

    /// The target is a path of this host, in origin form or in an absolute form that agrees with the Host field.
    fn check_target(&self, host: &str, is_tls: bool) -> Result<(), Fault> {
        check_method(self.method)?;
        if self.target == "*" {
            return Err(Fault::method("the target `*` is not taken"));
        }
        if self.target.contains('#') {
            return Err(Fault::framing("the target has a fragment"));
        }
        let uri: Uri = self
            .target
            .parse()
            .map_err(|_| Fault::framing("the target is not a URI reference"))?;
        if self.target.starts_with('/') {
            return Ok(());
        }
        let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
        if uri.scheme() != Some(&scheme) {
            return Err(Fault::framing("the target is not a path of this host"));
        }
        let agrees = uri
            .authority()
            .is_some_and(|it| it.as_str().eq_ignore_ascii_case(host));
        if agrees {
            Ok(())
        } else {
            Err(Fault::framing("the target's host is not the Host field's"))
        }
    }

    fn framing(&self, fields: &Fields<'_>) -> Result<Framing, Fault> {
        match (fields.is_chunked, fields.length) {
            (true, Some(_)) => Err(Fault::framing(
                "Content-Length and Transfer-Encoding are both present",
            )),
            (true, None) if self.is_http_1_0 => Err(Fault::framing(
                "an HTTP/1.0 message has a Transfer-Encoding",
            )),
            (true, None) => Ok(Framing::Chunked),
            (false, Some(bytes)) => Ok(Framing::Length(bytes)),
            (false, None) if self.is_http_1_0 && !matches!(self.method, "GET" | "HEAD") => Err(
                Fault::with_status(411, "an HTTP/1.0 message has no Content-Length"),
            ),
            (false, None) => Ok(Framing::Length(0)),
        }
    }
}

/// A method of which there is one reading, and which opens no tunnel.
///
/// # Errors
/// It is none of these.
pub(super) fn check_method(method: &str) -> Result<(), Fault> {
    if matches!(method, "CONNECT" | "TRACE") {
        return Err(Fault::method("CONNECT and TRACE are not taken"));
    }
    let is_capital = |it: u8| it.is_ascii_uppercase() || matches!(it, b'-' | b'_');
    if method.bytes().all(is_capital) {
        Ok(())
    } else {
        Err(Fault::method("the method is not a word in capitals"))
    }
}

fn is_version(text: &str) -> bool {
    matches!(text.as_bytes(), [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

impl<'a> Fields<'a> {
    fn add(&mut self, line: &'a [u8]) -> Result<(), Fault> {
        let (name, value) = split_field(line)?;
        if SINGLE_FIELDS.contains(&name.as_str()) && self.names.contains(&name) {
            return Err(Fault::framing("a field that may stand once stands twice"));
        }
        match name.as_str() {
            "content-length" => self.length = Some(content_length(value)?),
            "transfer-encoding" => {
                if !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Fault::framing("Transfer-Encoding is not exactly `chunked`"));
                }
                self.is_chunked = true;
            }
            "host" => self.host = Some(host(value)?),
            "connection" => check_connection(value)?,
            _ => {}
        }
        self.names.push(name);
        Ok(())
    }
}

/// Name, lower-cased, and value without surrounding blanks.
///
/// # Errors
/// The line is not a field (RFC 9112 §5), or its name is one that some parsers take for a framing field.
pub(super) fn split_field(line: &[u8]) -> Result<(String, &[u8]), Fault> {
    if line.first().is_some_and(|it| matches!(it, b' ' | b'\t')) {
        return Err(Fault::framing("a field is folded over two lines"));
    }
    let colon = memchr::memchr(b':', line).ok_or(Fault::framing("a field has no colon"))?;
    let name = line.get(..colon).unwrap_or_default();
    if name.is_empty() || !name.iter().all(|it| is_token(*it)) {
        return Err(Fault::framing("a field's name is not a token"));
    }
    let value = line.get(colon + 1..).unwrap_or_default();
    if value
        .iter()
        .any(|it| (*it < 0x20 && *it != b'\t') || *it == 0x7f)
    {
        return Err(Fault::framing("a field's value has a control byte"));
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    if imitates_framing(&name) {
        return Err(Fault::framing("a field's name imitates a framing field"));
    }
    Ok((name, trim_blanks(value)))
}

/// Whether some recipients take `name`, lower-case, for a field that frames the body or says how it is read: where fields become
/// variables, a dash and an underscore are one.
pub(super) fn imitates_framing(name: &str) -> bool {
    name.contains('_')
        && matches!(
            name.replace('_', "-").as_str(),
            "content-encoding" | "content-length" | "content-type" | "host" | "transfer-encoding"
        )
}

fn trim_blanks(value: &[u8]) -> &[u8] {
    let is_blank = |it: &u8| matches!(it, b' ' | b'\t');
    let start = value
        .iter()
        .position(|it| !is_blank(it))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|it| !is_blank(it))
        .map_or(start, |it| it + 1);
    value.get(start..end).unwrap_or_default()
}

/// RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// The length that a `Content-Length` gives.
///
/// # Errors
/// It is not one plain decimal number.
pub(super) fn content_length(value: &[u8]) -> Result<u64, Fault> {
    let wrong = Fault::framing("Content-Length is not a plain number");
    let is_plain = !value.is_empty()
        && value.iter().all(u8::is_ascii_digit)
        && (value.len() == 1 || value.first() != Some(&b'0'));
    let text = std::str::from_utf8(value).map_err(|_| wrong)?;
    is_plain
        .then(|| text.parse().ok())
        .flatten()
        .filter(|it| *it <= i64::MAX as u64)
        .ok_or(wrong)
}

/// A reg-name of letters, digits, hyphens, underscores and single dots, an IPv4 address or a bracketed IPv6 address; a port
/// up to 65535.
///
/// # Errors
/// `value` is none of these.
pub(super) fn host(value: &[u8]) -> Result<&str, Fault> {
    let wrong = Fault::framing("the Host field is not a host with an optional port");
    let text = std::str::from_utf8(value).map_err(|_| wrong)?;
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']').ok_or(wrong)?;
        address.parse::<std::net::Ipv6Addr>().map_err(|_| wrong)?;
        (
            None,
            rest.strip_prefix(':').or(rest.is_empty().then_some("")),
        )
    } else {
        let (name, port) = text.split_once(':').map_or((text, ""), |(name, port)| {
            (name, if port.is_empty() { "x" } else { port })
        });
        (Some(name), Some(port))
    };
    let port = port.ok_or(wrong)?;
    let is_port = port.is_empty()
        || (port.bytes().all(|it| it.is_ascii_digit()) && port.parse::<u16>().is_ok());
    let is_name = name.is_none_or(|it| {
        let it = it.strip_suffix('.').unwrap_or(it);
        it.len() <= 253 && it.split('.').all(is_label)
    });
    (is_port && is_name).then_some(text).ok_or(wrong)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
}

/// RFC 9110 §7.6.1: options name fields for this connection only; an option must not name a field that is for everybody.
fn check_connection(value: &[u8]) -> Result<(), Fault> {
    let text = std::str::from_utf8(value)
        .map_err(|_| Fault::framing("the Connection field is not a list of tokens"))?;
    for option in text.split(',').map(str::trim) {
        if NOT_CONNECTION_OPTIONS
            .iter()
            .any(|it| it.eq_ignore_ascii_case(option))
        {
            return Err(Fault::framing(
                "the Connection field names an end-to-end field",
            ));
        }
    }
    Ok(())
}
