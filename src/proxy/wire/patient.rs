//! Writes that do not wait for ever: a client that takes nothing holds an exchange and its memory.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use crate::proxy::activity::Activity;

/// A stream whose writes fail when the peer takes no byte for a time. Reads pass through.
#[derive(Debug)]
pub(in crate::proxy) struct Patient<S> {
    inner: S,
    time: Duration,
    /// Runs while bytes wait.
    timer: Option<Pin<Box<Sleep>>>,
    activity: Arc<Activity>,
}

impl<S> Patient<S> {
    /// Waits for the peer of `inner` for `time`; tells `activity` while it does.
    pub(in crate::proxy) const fn new(inner: S, time: Duration, activity: Arc<Activity>) -> Self {
        Self {
            inner,
            time,
            timer: None,
            activity,
        }
    }

    /// The stream.
    pub(in crate::proxy) fn into_inner(self) -> S {
        self.inner
    }

    fn within_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if self.timer.take().is_some() {
                self.activity.set_blocked(false);
            }
            return polled;
        }
        self.activity.set_blocked(true);
        let time = self.time;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(time)));
        match timer.as_mut().poll(cx) {
            Poll::Ready(()) => {
                self.activity.give_up();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_write(cx, bytes);
        it.within_time(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_write_vectored(cx, slices);
        it.within_time(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_flush(cx);
        it.within_time(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let it = self.get_mut();
        let polled = Pin::new(&mut it.inner).poll_shutdown(cx);
        it.within_time(cx, polled)
    }
}
