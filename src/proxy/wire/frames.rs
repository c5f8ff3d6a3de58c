//! The frames of an HTTP/2 connection, followed but not changed.
//!
//! The HTTP/2 library answers broken streams and connections by itself, and nobody behind it hears of them. [`Followed`] counts
//! the streams that a client opens, so that those which never became a request can be put on record, notes what the gate ends for
//! a fault, and knows since when a head or a request is awaited.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// What an HTTP/2 client sends first (RFC 9113 §3.4).
pub(in crate::proxy) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's header (RFC 9113 §4.1).
const HEADER_BYTES: usize = 9;
/// Bytes of a payload that are looked at: those up to the error code of a GOAWAY.
const PAYLOAD_BYTES: usize = 8;
/// Kinds of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// Flag of the last frame of a head.
const END_HEADERS: u8 = 4;
/// Error codes that are no fault (RFC 9113 §7): NO_ERROR and CANCEL.
const NO_FAULT: &[u32] = &[0, 8];

/// A frame as far as it is of interest.
#[derive(Clone, Copy, Debug, Default)]
struct FrameHead {
    kind: u8,
    flags: u8,
    stream: u32,
}

/// Follows frame after frame over bytes that come in any portions.
#[derive(Debug, Default)]
struct Follower {
    /// Bytes in front of the first frame.
    skip: usize,
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    payload: [u8; PAYLOAD_BYTES],
    payload_bytes: usize,
    /// Bytes of the payload still to come.
    left: usize,
}

/// What a portion of bytes says.
#[derive(Clone, Copy, Debug)]
enum Step {
    Began(FrameHead),
    Ended(FrameHead, [u8; PAYLOAD_BYTES]),
}

impl Follower {
    fn after(skip: usize) -> Self {
        Self {
            skip,
            ..Self::default()
        }
    }

    fn head(&self) -> FrameHead {
        let [_, _, _, kind, flags, a, b, c, d] = self.header;
        FrameHead {
            kind,
            flags,
            stream: u32::from_be_bytes([a & 0x7f, b, c, d]),
        }
    }

    fn advance(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Step)) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        bytes.advance(skipped);
        while !bytes.is_empty() {
            if self.header_bytes < HEADER_BYTES {
                let taken = fill(&mut self.header, self.header_bytes, bytes);
                self.header_bytes += taken;
                bytes.advance(taken);
                if self.header_bytes < HEADER_BYTES {
                    return;
                }
                let [a, b, c, ..] = self.header;
                self.left = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.payload_bytes = 0;
                tell(Step::Began(self.head()));
            }
            let taken = self.left.min(bytes.len());
            let looked_at = bytes.get(..taken).unwrap_or_default();
            self.payload_bytes += fill(&mut self.payload, self.payload_bytes, looked_at);
            self.left -= taken;
            bytes.advance(taken);
            if self.left == 0 {
                self.header_bytes = 0;
                tell(Step::Ended(self.head(), self.payload));
            }
        }
    }
}

/// Copies from `bytes` into `space` from `at` on, as far as both reach.
fn fill(space: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let room = space.get_mut(at..).unwrap_or_default();
    let length = room.len().min(bytes.len());
    for (to, from) in room.iter_mut().zip(bytes) {
        *to = *from;
    }
    length
}

/// What was seen of a connection.
#[derive(Debug)]
struct Seen {
    /// Heads of requests that came whole.
    heads: u64,
    /// The last stream that a client opened.
    stream: u32,
    /// A head is under way since.
    head_since: Option<Instant>,
    /// When the last frame of a message passed.
    message_at: Instant,
    /// Error codes with which the gate ended streams (`false`) or the connection (`true`).
    faults: Vec<(bool, u32)>,
}

/// What was seen of a connection, for those who judge it.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Sight(Arc<Mutex<Seen>>);

impl Sight {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Seen {
            heads: 0,
            stream: 0,
            head_since: None,
            message_at: Instant::now(),
            faults: Vec::new(),
        })))
    }

    /// Heads that came whole.
    pub(in crate::proxy) fn heads(&self) -> u64 {
        self.lock().heads
    }

    /// When the head began that is under way.
    pub(in crate::proxy) fn head_since(&self) -> Option<Instant> {
        self.lock().head_since
    }

    /// When the last frame of a request or an answer passed.
    pub(in crate::proxy) fn message_at(&self) -> Instant {
        self.lock().message_at
    }

    /// What the gate ended for a fault since the last call: the connection or a stream, and the error code.
    pub(in crate::proxy) fn take_faults(&self) -> Vec<(bool, u32)> {
        std::mem::take(&mut self.lock().faults)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn received(&mut self, step: Step) {
        match step {
            Step::Began(head) => {
                if head.kind == HEADERS && self.head_since.is_none() {
                    self.head_since = Some(Instant::now());
                }
            }
            Step::Ended(head, _) => {
                if matches!(head.kind, DATA | HEADERS | CONTINUATION) {
                    self.message_at = Instant::now();
                }
                let is_head = matches!(head.kind, HEADERS | CONTINUATION);
                if is_head && head.flags & END_HEADERS != 0 {
                    self.head_since = None;
                    // A second head on a stream is its trailers.
                    if head.stream > self.stream {
                        self.stream = head.stream;
                        self.heads += 1;
                    }
                }
            }
        }
    }

    fn sent(&mut self, step: Step) {
        let Step::Ended(head, payload) = step else {
            return;
        };
        let [a, b, c, d, e, f, g, h] = payload;
        let fault = match head.kind {
            RST_STREAM => (false, u32::from_be_bytes([a, b, c, d])),
            GOAWAY => (true, u32::from_be_bytes([e, f, g, h])),
            DATA | HEADERS => {
                self.message_at = Instant::now();
                return;
            }
            _ => return,
        };
        if !NO_FAULT.contains(&fault.1) {
            self.faults.push(fault);
        }
    }
}

/// A stream whose frames are followed both ways.
#[derive(Debug)]
pub(in crate::proxy) struct Followed<S> {
    inner: S,
    /// Read before this was made, not yet given on.
    early: BytesMut,
    received: Follower,
    sent: Follower,
    sight: Sight,
}

impl<S> Followed<S> {
    /// Follows `inner`, of which `early` has been read already.
    pub(in crate::proxy) fn new(inner: S, early: BytesMut) -> Self {
        let mut it = Self {
            inner,
            early,
            received: Follower::after(PREFACE.len()),
            sent: Follower::default(),
            sight: Sight::new(),
        };
        it.received.advance(&it.early, |_| {});
        it
    }

    /// What is seen.
    pub(in crate::proxy) fn sight(&self) -> Sight {
        self.sight.clone()
    }

    fn note_sent<'a>(&mut self, slices: impl Iterator<Item = &'a [u8]>, mut length: usize) {
        let mut seen = self.sight.lock();
        for slice in slices {
            let taken = length.min(slice.len());
            length -= taken;
            let bytes = slice.get(..taken).unwrap_or_default();
            self.sent.advance(bytes, |it| seen.sent(it));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Followed<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        if !it.early.is_empty() {
            let room = it.early.len().min(buf.remaining());
            buf.put_slice(it.early.get(..room).unwrap_or_default());
            it.early.advance(room);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut it.inner).poll_read(cx, buf);
        let bytes = buf.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            let mut seen = it.sight.lock();
            it.received.advance(bytes, |step| seen.received(step));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Followed<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(length)) = polled {
            it.note_sent(std::iter::once(bytes), length);
        }
        polled
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(length)) = polled {
            it.note_sent(slices.iter().map(|it| &**it), length);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut out = length[1..].to_vec();
        out.extend_from_slice(&[kind, flags]);
        out.extend_from_slice(&stream.to_be_bytes());
        out.extend_from_slice(payload);
        out
    }

    /// Whole or byte by byte, the same is seen: three heads, one of them in two frames, and no trailers.
    #[test]
    fn heads_are_counted_however_the_bytes_come() {
        let mut wire = PREFACE.to_vec();
        for it in [
            frame(4, 0, 0, b""),
            frame(HEADERS, END_HEADERS, 1, b"abc"),
            frame(DATA, 0, 1, &[0; 300]),
            frame(HEADERS, END_HEADERS | 1, 1, b"trailers"),
            frame(HEADERS, 0, 3, b"de"),
            frame(CONTINUATION, END_HEADERS, 3, b"f"),
            frame(HEADERS, END_HEADERS, 5, b""),
        ] {
            wire.extend_from_slice(&it);
        }
        wire.extend_from_slice(&frame(HEADERS, 0, 7, b"unfinished"));
        for size in [1, 7, wire.len()] {
            let sight = Sight::new();
            let mut follower = Follower::after(PREFACE.len());
            for portion in wire.chunks(size) {
                let mut seen = sight.lock();
                follower.advance(portion, |it| seen.received(it));
            }
            assert_eq!(sight.heads(), 3, "{size}");
            assert!(sight.head_since().is_some(), "{size}");
        }
    }

    #[test]
    fn faults_are_what_the_gate_ends_for_a_reason() {
        let sight = Sight::new();
        let mut follower = Follower::default();
        let mut seen = sight.lock();
        for it in [
            frame(RST_STREAM, 0, 1, &[0, 0, 0, 1]),
            frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]),
            frame(GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 11, b'x']),
            frame(GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0]),
        ] {
            follower.advance(&it, |step| seen.sent(step));
        }
        drop(seen);
        assert_eq!(sight.take_faults(), [(false, 1), (true, 11)]);
        assert!(sight.take_faults().is_empty());
    }
}
