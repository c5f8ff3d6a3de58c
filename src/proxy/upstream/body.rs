//! The body of an upstream's answer as it comes, whichever HTTP it comes in.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{Failure, streams, tls};

/// Data, then trailer fields if there are any. Dropped early, it ends its connection (HTTP/1.1) or stream (HTTP/2).
#[derive(Debug)]
pub(in crate::proxy) struct AnswerBody(Version);

#[derive(Debug)]
enum Version {
    Http1(Incoming),
    Http2 {
        stream: RecvStream,
        /// What `Content-Length` says of the rest.
        rest: Option<u64>,
        is_at_trailers: bool,
    },
}

impl AnswerBody {
    /// A body over HTTP/1.1.
    pub(super) const fn of_http1(body: Incoming) -> Self {
        Self(Version::Http1(body))
    }

    /// A body over HTTP/2, whose head had `fields`.
    pub(super) fn of_http2(stream: RecvStream, fields: &HeaderMap) -> Self {
        let rest = fields
            .get(header::CONTENT_LENGTH)
            .and_then(|it| it.to_str().ok()?.parse().ok());
        Self(Version::Http2 {
            stream,
            rest,
            is_at_trailers: false,
        })
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        match &mut self.get_mut().0 {
            Version::Http1(body) => Pin::new(body).poll_frame(cx).map_err(|error| {
                tls::cause(&error).unwrap_or(if error.is_parse() {
                    Failure::Protocol
                } else {
                    Failure::ConnectionTerminated
                })
            }),
            Version::Http2 {
                stream,
                rest,
                is_at_trailers,
            } => {
                if !*is_at_trailers {
                    match ready!(stream.poll_data(cx)) {
                        Some(Ok(data)) => return Poll::Ready(Some(passed(stream, rest, data))),
                        Some(Err(error)) => {
                            return Poll::Ready(Some(Err(streams::failure(&error))));
                        }
                        None => *is_at_trailers = true,
                    }
                }
                match ready!(stream.poll_trailers(cx)) {
                    Ok(fields) => Poll::Ready(fields.map(|it| Ok(Frame::trailers(it)))),
                    Err(error) => Poll::Ready(Some(Err(streams::failure(&error)))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Version::Http1(body) => body.is_end_stream(),
            Version::Http2 { stream, .. } => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Version::Http1(body) => body.size_hint(),
            Version::Http2 {
                rest: Some(rest), ..
            } => SizeHint::with_exact(*rest),
            Version::Http2 { rest: None, .. } => SizeHint::default(),
        }
    }
}

/// `data` goes on to the client: the peer may send as much more.
fn passed(
    stream: &mut RecvStream,
    rest: &mut Option<u64>,
    data: Bytes,
) -> Result<Frame<Bytes>, Failure> {
    let length = data.len();
    if let Some(rest) = rest {
        *rest = rest.saturating_sub(length as u64);
    }
    stream
        .flow_control()
        .release_capacity(length)
        .map_err(|error| streams::failure(&error))?;
    Ok(Frame::data(data))
}
