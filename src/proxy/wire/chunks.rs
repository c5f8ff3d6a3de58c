//! The chunked coding (RFC 9112 §7.1), followed byte by byte: sizes, data, trailer fields, nothing else.

use super::{Fault, head::split_field};

/// Hex digits of a chunk size: 2^60 bytes are more than any limit.
const DIGITS_MAX: u8 = 15;
/// Bytes of all trailer fields.
pub(super) const TRAILER_BYTES: usize = 8 * 1024;
/// Fields that must not come late (RFC 9110 §6.5.1): framing, routing, what the content means, who asks.
pub(super) const NOT_TRAILERS: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Where in the coding the next byte stands.
#[derive(Debug)]
enum At {
    Data(u64),
    DataCr,
    DataLf,
    Size { digits: u8, value: u64 },
    SizeLf(u64),
    Trailer,
    TrailerLf,
}

/// How far a call has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Progress {
    /// Bytes that belong to the body.
    pub(super) taken: usize,
    /// The body ended with the last of them.
    pub(super) is_complete: bool,
}

/// One chunked body.
#[derive(Debug)]
pub(super) struct Chunks {
    at: At,
    line: Vec<u8>,
    trailer_bytes: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            at: At::Size {
                digits: 0,
                value: 0,
            },
            line: Vec::new(),
            trailer_bytes: 0,
        }
    }
}

impl Chunks {
    /// Follows the coding over `bytes`.
    ///
    /// # Errors
    /// What is not of the coding: an extension, a sign, a blank, a bare line feed, a size that is too great, a trailer field
    /// that must not come late.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Progress, Fault> {
        let mut taken = 0;
        while let Some(byte) = bytes.get(taken) {
            if let At::Data(left) = &mut self.at {
                let rest = bytes.len() - taken;
                let step = usize::try_from(*left).map_or(rest, |it| it.min(rest));
                *left -= step as u64;
                taken += step;
                if *left == 0 {
                    self.at = At::DataCr;
                }
                continue;
            }
            taken += 1;
            if self.step(*byte)? {
                return Ok(Progress {
                    taken,
                    is_complete: true,
                });
            }
        }
        Ok(Progress {
            taken,
            is_complete: false,
        })
    }

    /// One byte that is not data; `true` when it ends the body.
    fn step(&mut self, byte: u8) -> Result<bool, Fault> {
        self.at = match (&self.at, byte) {
            (At::Size { digits, value }, _) => size(*digits, *value, byte)?,
            (At::SizeLf(0), b'\n') => At::Trailer,
            (At::SizeLf(bytes), b'\n') => At::Data(*bytes),
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size {
                digits: 0,
                value: 0,
            },
            (At::Trailer, b'\r') => At::TrailerLf,
            (At::Trailer, b'\n') => {
                return Err(Fault::framing("a line ends without a carriage return"));
            }
            (At::Trailer, other) => {
                self.line.push(other);
                self.trailer_bytes += 1;
                if self.trailer_bytes > TRAILER_BYTES {
                    return Err(Fault::with_status(431, "the trailer section is too long"));
                }
                At::Trailer
            }
            (At::TrailerLf, b'\n') => {
                if self.line.is_empty() {
                    return Ok(true);
                }
                check_trailer(&self.line)?;
                self.line.clear();
                At::Trailer
            }
            (At::Data(_) | At::DataCr | At::DataLf | At::SizeLf(_) | At::TrailerLf, _) => {
                return Err(Fault::framing("the chunked coding does not hold together"));
            }
        };
        Ok(false)
    }
}

fn size(digits: u8, value: u64, byte: u8) -> Result<At, Fault> {
    match (byte, char::from(byte).to_digit(16)) {
        (_, Some(digit)) if digits < DIGITS_MAX => Ok(At::Size {
            digits: digits + 1,
            value: value * 16 + u64::from(digit),
        }),
        (_, Some(_)) => Err(Fault::framing("a chunk size is too great")),
        (b'\r', None) if digits > 0 => Ok(At::SizeLf(value)),
        (b';', None) => Err(Fault::framing("a chunk has an extension")),
        (_, None) => Err(Fault::framing("a chunk size is not a plain number")),
    }
}

fn check_trailer(line: &[u8]) -> Result<(), Fault> {
    let (name, _) = split_field(line)?;
    if NOT_TRAILERS.contains(&name.as_str()) {
        return Err(Fault::framing("a field came late that must not"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fed whole and byte by byte, the answer is the same: bytes taken, or a fault.
    fn check(wire: &str, expected: Option<usize>) {
        let whole = Chunks::default().advance(wire.as_bytes());
        let mut chunks = Chunks::default();
        let mut single = Ok(Progress {
            taken: 0,
            is_complete: false,
        });
        for (at, byte) in wire.bytes().enumerate() {
            single = chunks.advance(&[byte]).map(|it| Progress {
                taken: at + 1,
                ..it
            });
            if !matches!(
                single,
                Ok(Progress {
                    is_complete: false,
                    ..
                })
            ) {
                break;
            }
        }
        let taken = |it: Result<Progress, Fault>| it.ok().filter(|it| it.is_complete);
        assert_eq!(taken(whole).map(|it| it.taken), expected, "{wire:?}");
        assert_eq!(taken(single).map(|it| it.taken), expected, "{wire:?}");
    }

    #[test]
    fn takes_what_the_rfc_describes_and_nothing_else() {
        check("3\r\nabc\r\n0\r\n\r\nGET", Some(13));
        check("0\r\n\r\n", Some(5));
        check("A\r\n0123456789\r\n0\r\nX-A: b\r\n\r\n", Some(28));
        for wire in [
            "0x3\r\nabc\r\n0\r\n\r\n",
            "+3\r\nabc\r\n0\r\n\r\n",
            "0_3\r\nabc\r\n0\r\n\r\n",
            " 3 \r\nabc\r\n0\r\n\r\n",
            "3 \r\nabc\r\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n",
            "\r\n\r\n",
            "3\nabc\n0\n\n",
            "3\r\nabcXX\r\n0\r\n\r\n",
            "d;iin=1\r\n{\"note\":\"ok\"}\r\n0\r\n\r\n",
            "3;a\nabc\r\n0\r\n\r\n",
            "0\r\nContent-Length: 99\r\n\r\n",
            "0\r\nX-A : b\r\n\r\n",
            "0\r\n X-A: b\r\n\r\n",
            "0\r\nX-A: b\n\r\n",
        ] {
            check(wire, None);
        }
    }
}
