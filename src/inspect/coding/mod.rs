//! Content codings (RFC 9110 §8.4): from the body on the wire to the body that readers see, and never more of it than a cap allows.
//!
//! A coding is undone whole or the rest is a gap: every member and frame is read, checksums are checked, and nothing may stand
//! after the end. What a coding carries beside the content (names in a gzip header, skippable frames) is given to the caller, since
//! a recipient may read it.

mod brotli;
mod deflate;
#[cfg(test)]
mod tests;
mod zstd;

use std::borrow::Cow;

use http::{HeaderMap, header::CONTENT_ENCODING};

use super::charset::is_plain;
use crate::model::{finding::GapKind, inspection::Budget};

/// Most codings around one another that are undone.
const LAYERS_MAX: usize = 2;

/// Most gzip members or zstd frames of one body. Each costs a start of the decoder, however little it holds.
const PIECES_MAX: usize = 4096;

/// Decoded sizes up to here are honest at any ratio: a short text of one repeated row shrinks a thousandfold.
const RATIO_FLOOR: u64 = 1024 * 1024;

/// Output grows by at least this much at a time, in bytes.
const STEP: usize = 16 * 1024;

/// A coding that is undone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Coding {
    /// `br`, RFC 7932.
    Brotli,
    /// `deflate`: a zlib stream as RFC 9110 says, or a bare one as some senders write.
    Deflate,
    /// `gzip` and its old name `x-gzip`, RFC 1952.
    Gzip,
    /// `zstd`, RFC 8878 with the window of RFC 9659.
    Zstd,
}

/// A body without its codings.
#[derive(Default)]
pub(crate) struct Bare<'b> {
    /// The content: borrowed when no coding is named.
    pub(crate) bytes: Cow<'b, [u8]>,
    /// What the codings carried beside it.
    pub(crate) aside: Aside,
    /// Why the content may go on beyond `bytes`; `None` when they are all of it.
    pub(crate) fault: Option<GapKind>,
    /// Bytes written on the way, all layers together.
    pub(crate) work: u64,
}

/// What codings carry beside the content.
#[derive(Default)]
pub(crate) struct Aside {
    /// Names and comments in the headers of gzip members.
    pub(crate) texts: Vec<String>,
    /// There is more, and it is not text: extra fields, skippable frames, metadata blocks.
    pub(crate) is_opaque: bool,
}

/// Undoes the codings that `headers` name, under the caps of `budget`. Borrows `body` when they name none but `identity`.
pub(crate) fn undo<'b>(headers: &HeaderMap, body: &'b [u8], budget: &Budget) -> Bare<'b> {
    let mut bare = Bare {
        bytes: Cow::Borrowed(body),
        ..Bare::default()
    };
    let codings = match codings(headers) {
        Ok(codings) => codings,
        Err(kind) => return bare.without_content(kind),
    };
    if codings.is_empty() {
        // Bytes that are compressed under a label that does not say so are read by whoever looks at the bytes.
        return match is_compressed(body) {
            true => bare.without_content(GapKind::Ambiguous),
            false => bare,
        };
    }
    let cap = Cap::of(body.len(), budget);
    for coding in codings.into_iter().rev() {
        if bare.fault.is_some() {
            // The content is what the inner coding holds, and that is cut off.
            bare.bytes = Cow::default();
            return bare;
        }
        if is_plain(&bare.bytes) {
            return bare.without_content(GapKind::Ambiguous);
        }
        let mut sink = Sink::new(cap);
        let done = match coding {
            Coding::Brotli => brotli::undo(&bare.bytes, &mut sink, &mut bare.aside),
            Coding::Deflate => deflate::undo(&bare.bytes, &mut sink),
            Coding::Gzip => deflate::undo_gzip(&bare.bytes, &mut sink, &mut bare.aside),
            Coding::Zstd => zstd::undo(&bare.bytes, &mut sink, &mut bare.aside),
        };
        bare.work += sink.bytes.len() as u64;
        match done {
            Ok(()) => {}
            Err(kind @ GapKind::Malformed) => bare.fault = Some(kind),
            Err(kind) => return bare.without_content(kind),
        }
        bare.bytes = Cow::Owned(sink.bytes);
    }
    if bare.fault.is_none() && is_compressed(&bare.bytes) {
        return bare.without_content(GapKind::Ambiguous);
    }
    bare
}

impl Bare<'_> {
    /// The same, with nothing to read and the reason why.
    fn without_content(mut self, kind: GapKind) -> Self {
        self.bytes = Cow::default();
        self.fault = Some(kind);
        self
    }
}

/// The codings in the order in which they were applied, `identity` left out.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, GapKind> {
    let mut out = Vec::new();
    for list in headers.get_all(CONTENT_ENCODING) {
        for name in list.as_bytes().split(|it| *it == b',') {
            let name = name.trim_ascii();
            let is = |it: &str| name.eq_ignore_ascii_case(it.as_bytes());
            if name.is_empty() || is("identity") {
                continue;
            }
            out.push(if is("gzip") || is("x-gzip") {
                Coding::Gzip
            } else if is("deflate") {
                Coding::Deflate
            } else if is("br") {
                Coding::Brotli
            } else if is("zstd") {
                Coding::Zstd
            } else {
                return Err(GapKind::UnsupportedCoding);
            });
        }
    }
    if out.len() > LAYERS_MAX {
        return Err(GapKind::UnsupportedCoding);
    }
    Ok(out)
}

/// Whether `bytes` begin as a gzip member or a zstd frame does. Text begins with neither.
fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
        || bytes.starts_with(&zstd::MAGIC)
        || zstd::is_skippable(bytes)
}

/// How much may come out of one layer.
#[derive(Clone, Copy)]
struct Cap {
    bytes: usize,
    /// The gap when more comes out.
    kind: GapKind,
}

impl Cap {
    /// The cap for a body of `length` bytes on the wire.
    fn of(length: usize, budget: &Budget) -> Self {
        let by_ratio = (length as u64)
            .saturating_mul(budget.decoded_ratio)
            .max(RATIO_FLOOR);
        let (bytes, kind) = if by_ratio < budget.decoded_bytes {
            (by_ratio, GapKind::RatioExceeded)
        } else {
            (budget.decoded_bytes, GapKind::DecodedTooLarge)
        };
        Self {
            bytes: usize::try_from(bytes).unwrap_or(usize::MAX - 1),
            kind,
        }
    }
}

/// Output of one layer, under a cap.
struct Sink {
    bytes: Vec<u8>,
    cap: Cap,
}

impl Sink {
    const fn new(cap: Cap) -> Self {
        Self {
            bytes: Vec::new(),
            cap,
        }
    }

    /// Makes room for at least one byte, and for no more than one beyond the cap, so that an overflow shows.
    fn make_room(&mut self) -> Result<(), GapKind> {
        self.check()?;
        let length = self.bytes.len();
        if length == self.bytes.capacity() {
            let most = self.cap.bytes.saturating_add(1).saturating_sub(length);
            self.bytes.reserve_exact(length.max(STEP).min(most));
        }
        Ok(())
    }

    /// Whether what has come out is within the cap.
    const fn check(&self) -> Result<(), GapKind> {
        if self.bytes.len() > self.cap.bytes {
            return Err(self.cap.kind);
        }
        Ok(())
    }
}
