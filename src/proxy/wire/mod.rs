//! The raw bytes of a downstream connection, checked before the HTTP parser sees them.
//!
//! A lenient parser repairs what two parsers could read differently (both framings present, bare line feeds, folded fields) and
//! the service behind it cannot tell. [`Checked`] follows the framing itself and lets through only what has one reading. In place
//! of a head that has none it hands the parser a stand-in, so that the refusal is answered and recorded by the one path of all
//! requests; a fault inside a body ends the body with an error.

mod chunks;
mod frames;
mod head;
mod parsed;
mod patient;

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use self::chunks::Chunks;
pub(super) use self::{
    frames::{Followed, PREFACE, Sight},
    parsed::{check as check_parsed, check_trailers},
    patient::Patient,
};
use super::activity::Activity;
use crate::model::decision::ReasonCode;

/// What hyper is given instead of a head that is refused.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused.invalid\r\nconnection: close\r\n\r\n";
/// Bytes read at once while a head is awaited.
const READ_BYTES: usize = 8 * 1024;
/// Bytes read and thrown away after a fault, so that the answer is not lost to a reset.
const DISCARD_BYTES: usize = 1024 * 1024;

/// Why bytes were refused. Names the place, never the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{detail}")]
pub(super) struct Fault {
    /// Reason for the record.
    pub(super) code: ReasonCode,
    /// Status of the answer.
    pub(super) status: u16,
    /// What is in the way.
    pub(super) detail: &'static str,
}

impl Fault {
    /// A framing fault, answered 400.
    pub(super) const fn framing(detail: &'static str) -> Self {
        Self::with_status(400, detail)
    }

    /// A framing fault with a status of its own (RFC 9110 §15.5).
    pub(super) const fn with_status(status: u16, detail: &'static str) -> Self {
        Self {
            code: ReasonCode::Framing,
            status,
            detail,
        }
    }

    /// A method that is never taken, answered 405.
    pub(super) const fn method(detail: &'static str) -> Self {
        Self {
            code: ReasonCode::MethodNotAllowed,
            status: 405,
            detail,
        }
    }
}

/// A head that takes too long.
const LATE: Fault = Fault::with_status(408, "the head did not arrive in time");

/// How long the body of a checked head is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Framing {
    Chunked,
    Length(u64),
}

/// The verdicts on the heads of one connection, in order: the parser gives the service one request for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts(Arc<Mutex<VecDeque<Result<(), Fault>>>>);

impl Verdicts {
    fn push(&self, verdict: Result<(), Fault>) {
        self.lock().push_back(verdict);
    }

    /// The verdict on the next head. A head without one never passed the check, and is refused.
    pub(super) fn next(&self) -> Result<(), Fault> {
        self.lock()
            .pop_front()
            .unwrap_or(Err(Fault::framing("the head was not checked")))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Result<(), Fault>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum State {
    Body(u64),
    Chunked(Chunks),
    /// After a refused head; bytes still to be thrown away.
    Discard(usize),
    Failed(Fault),
    Head,
}

/// A stream that gives only bytes with one reading. Writes pass through.
#[derive(Debug)]
pub(super) struct Checked<S> {
    inner: S,
    is_tls: bool,
    state: State,
    verdicts: Verdicts,
    /// Read from the peer, not yet checked.
    pending: BytesMut,
    /// How much of `pending` has been searched for the end of the head.
    searched: usize,
    /// Checked, not yet given on.
    ready: BytesMut,
    /// Time for a head, from its first byte to its last.
    head_time: Duration,
    /// Runs while a head is not whole.
    timer: Option<Pin<Box<Sleep>>>,
    /// Told while a message is being received.
    activity: Arc<Activity>,
}

impl<S> Checked<S> {
    /// Checks `inner`, of which `early` has been read already; the verdict on each head, which must arrive within `head_time`,
    /// goes to `verdicts`.
    pub(super) fn new(
        inner: S,
        early: BytesMut,
        is_tls: bool,
        head_time: Duration,
        (verdicts, activity): (Verdicts, Arc<Activity>),
    ) -> Self {
        Self {
            inner,
            is_tls,
            state: State::Head,
            verdicts,
            pending: early,
            searched: 0,
            ready: BytesMut::new(),
            head_time,
            timer: None,
            activity,
        }
    }

    /// Refuses the first head: it did not arrive in time, before there was a check.
    pub(super) fn late(mut self) -> Self {
        self.refuse(LATE);
        self
    }

    /// The stream, and what has been read of the next message. To be called between messages.
    pub(super) fn into_rest(self) -> (S, BytesMut) {
        let mut rest = self.ready;
        rest.extend_from_slice(&self.pending);
        (self.inner, rest)
    }

    /// Nothing of a message is here.
    fn is_between(&self) -> bool {
        matches!(self.state, State::Head) && self.pending.is_empty() && self.ready.is_empty()
    }

    /// Moves on over the head in `pending`, if it is whole or already refused.
    fn check_head(&mut self) -> bool {
        head::skip_empty_lines(&mut self.pending);
        let verdict = match head::find_end(&self.pending, &mut self.searched) {
            Ok(None) => return false,
            Ok(Some(end)) => self
                .pending
                .get(..end)
                .map_or(Err(Fault::framing("the head is cut")), |head| {
                    head::check(head, self.is_tls)
                })
                .map(|framing| (end, framing)),
            Err(fault) => Err(fault),
        };
        self.searched = 0;
        match verdict {
            Ok((end, framing)) => {
                self.verdicts.push(Ok(()));
                self.ready = self.pending.split_to(end);
                self.state = match framing {
                    Framing::Chunked => State::Chunked(Chunks::default()),
                    Framing::Length(0) => State::Head,
                    Framing::Length(bytes) => State::Body(bytes),
                };
            }
            Err(fault) => self.refuse(fault),
        }
        self.timer = None;
        true
    }

    /// Gives the parser the stand-in; nothing of this connection is read any more.
    fn refuse(&mut self, fault: Fault) {
        self.verdicts.push(Err(fault));
        self.ready = STAND_IN.into();
        self.pending.clear();
        self.state = State::Discard(DISCARD_BYTES);
    }

    /// Whether a head that has begun takes too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let head_time = self.head_time;
        self.timer
            .get_or_insert_with(|| Box::pin(sleep(head_time)))
            .as_mut()
            .poll(cx)
            .is_ready()
    }

    /// Follows the body over `bytes`: how many of them belong to it, once checked.
    fn check_body(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        match &mut self.state {
            State::Body(left) => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |it| it.min(bytes.len()));
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::Head;
                }
                Ok(taken)
            }
            State::Chunked(chunks) => match chunks.advance(bytes) {
                Ok(progress) => {
                    if progress.is_complete {
                        self.state = State::Head;
                    }
                    Ok(progress.taken)
                }
                Err(fault) => {
                    self.state = State::Failed(fault);
                    Err(fault)
                }
            },
            State::Discard(_) | State::Failed(_) | State::Head => Ok(0),
        }
    }
}

impl<S: AsyncRead + Unpin> Checked<S> {
    /// Reads a body: straight into the parser's buffer, checked in place.
    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.pending.is_empty() {
            let room = self.pending.len().min(buf.remaining());
            let bytes = self.pending.split_to(room);
            let taken = self.check_body(&bytes).map_err(invalid)?;
            buf.put_slice(bytes.get(..taken).unwrap_or_default());
            self.unread(bytes.get(taken..).unwrap_or_default());
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let bytes = buf.filled().get(before..).unwrap_or_default();
        match self.check_body(bytes) {
            Ok(taken) => {
                self.unread(bytes.get(taken..).unwrap_or_default());
                buf.set_filled(before + taken);
                Poll::Ready(Ok(()))
            }
            Err(fault) => {
                buf.set_filled(before);
                Poll::Ready(Err(invalid(fault)))
            }
        }
    }

    /// Puts bytes of the next request back in front of what is pending.
    fn unread(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let behind = std::mem::replace(&mut self.pending, bytes.into());
            self.pending.extend_from_slice(&behind);
        }
    }

    /// Throws away what has arrived and nobody will read: closing a socket over unread bytes resets it, and the answer is lost.
    fn discard_arrived(&mut self, cx: &mut Context<'_>) {
        let mut left = DISCARD_BYTES;
        while let Poll::Ready(Ok(false)) = self.poll_more(cx) {
            left = left.saturating_sub(self.pending.len());
            self.pending.clear();
            if left == 0 {
                break;
            }
        }
    }

    /// Reads more of a head. `Ready(true)` at the end of the stream.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut space = [0; READ_BYTES];
        let mut buf = ReadBuf::new(&mut space);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
        self.pending.extend_from_slice(buf.filled());
        Poll::Ready(Ok(buf.filled().is_empty()))
    }
}

fn invalid(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

impl<S: AsyncRead + Unpin> AsyncRead for Checked<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        let polled = it.poll_checked(cx, buf);
        it.activity.set_reading(!it.is_between());
        polled
    }
}

impl<S: AsyncRead + Unpin> Checked<S> {
    fn poll_checked(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.ready.is_empty() {
                let room = self.ready.len().min(buf.remaining());
                buf.put_slice(self.ready.get(..room).unwrap_or_default());
                self.ready.advance(room);
                return Poll::Ready(Ok(()));
            }
            match &mut self.state {
                State::Body(_) | State::Chunked(_) => return self.poll_body(cx, buf),
                State::Failed(fault) => return Poll::Ready(Err(invalid(*fault))),
                State::Discard(left) => {
                    *left = left.saturating_sub(self.pending.len());
                    let is_spent = *left == 0;
                    self.pending.clear();
                    if is_spent || ready!(self.poll_more(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                State::Head => {
                    if self.check_head() {
                        continue;
                    }
                    if self.is_late(cx) {
                        self.refuse(LATE);
                    } else if ready!(self.poll_more(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Checked<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        it.discard_arrived(cx);
        Pin::new(&mut it.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use http_body_util::{BodyExt as _, Full};
    use hyper::{body::Incoming, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use bytes::Bytes;

    use super::*;

    /// Sends `wire` through the check to hyper: how many requests reach the service, and how many answers come back.
    async fn serve(wire: Vec<u8>) -> (usize, usize) {
        let (mut client, server) = tokio::io::duplex(256 * 1024);
        let verdicts = Verdicts::default();
        let stream = Checked::new(
            server,
            BytesMut::new(),
            false,
            Duration::from_secs(5),
            (verdicts.clone(), Arc::default()),
        );
        let seen: Arc<Mutex<Vec<Result<(), Fault>>>> = Arc::default();
        let service = {
            let seen = Arc::clone(&seen);
            service_fn(move |request: Request<Incoming>| {
                seen.lock().unwrap().push(verdicts.next());
                async move {
                    let status = match request.into_body().collect().await {
                        Ok(_) => 200,
                        Err(_) => 400,
                    };
                    Ok::<_, Infallible>(
                        Response::builder()
                            .status(status)
                            .body(Full::<Bytes>::default())
                            .unwrap(),
                    )
                }
            })
        };
        let serving = tokio::spawn(
            http1::Builder::new()
                .half_close(true)
                .max_headers(128)
                .serve_connection(TokioIo::new(stream), service),
        );
        client.write_all(&wire).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let reading = client.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(5), reading)
            .await
            .unwrap()
            .unwrap();
        serving.await.unwrap().ok();
        let answers = memchr::memmem::find_iter(&answer, b"HTTP/1.1 ").count();
        (seen.lock().unwrap().len(), answers)
    }

    fn token() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("Content-Length: 3".to_owned()),
            Just("Transfer-Encoding: chunked".to_owned()),
            Just("Host: b.test".to_owned()),
            Just("Connection: x".to_owned()),
            "[!-~]{1,12}: [ -~\u{80}-\u{ff}]{0,20}",
            "[A-Za-z-]{1,12}:[ -~\t]{0,20}",
            "[ -~\r\n\u{0}]{0,20}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        /// Whatever is sent, hyper never refuses by itself: each head that it is given reaches the service, so each has a record.
        #[test]
        fn hyper_takes_every_head_that_passes(
            method in "[A-Z_-]{1,8}|[!-~]{1,8}",
            target in "/[!-~]{0,20}|[!-~]{1,20}",
            fields in prop::collection::vec(token(), 0..5),
            body in "[ -~\r\n0-3]{0,16}",
        ) {
            let fields: String = fields.iter().map(|it| format!("{it}\r\n")).collect();
            let wire = format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n{body}");
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let (seen, answers) = runtime.block_on(serve(wire.into_bytes()));
            prop_assert!(answers <= seen, "hyper answered {} by itself", answers - seen);
        }
    }
}
