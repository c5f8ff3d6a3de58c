//! The whole body in memory before anything is decided: detection never works on part of a message.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::wire::{Fault, check_trailers};
use crate::model::decision::ReasonCode;

/// Bytes reserved at most before they arrive.
const RESERVE_BYTES: u64 = 256 * 1024;
/// Bytes of an unwanted body that are read and thrown away, so that the answer is not lost to a reset.
const DRAIN_BYTES: usize = 256 * 1024;
/// Time given to that.
const DRAIN_TIME: Duration = Duration::from_millis(500);

/// A body read whole.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// The content, as coded.
    pub(super) bytes: Bytes,
    /// Trailer fields.
    pub(super) trailers: HeaderMap,
}

/// A body that did not arrive whole.
#[derive(Debug)]
pub(super) struct Broken {
    /// Why.
    pub(super) fault: Fault,
    /// Bytes received.
    pub(super) received: u64,
}

/// Reads `body` whole: at most `limit` bytes, for at most `time`.
///
/// # Errors
/// 413 when it is larger, 408 when it takes longer, 400 when its framing breaks or it ends early.
pub(super) async fn read(mut body: Incoming, limit: u64, time: Duration) -> Result<Whole, Broken> {
    let expected = body.size_hint().lower();
    if expected > limit {
        drain(body).await;
        return Err(too_large(0));
    }
    let reserved = usize::try_from(expected.min(RESERVE_BYTES)).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(reserved);
    let mut trailers = HeaderMap::new();
    let deadline = Instant::now() + time;
    loop {
        let broken = |fault| Broken {
            fault,
            received: bytes.len() as u64,
        };
        let frame = match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Err(broken(fault_of(&error))),
            Ok(None) => break,
            Err(_) => {
                return Err(broken(Fault::with_status(
                    408,
                    "the body did not arrive in time",
                )));
            }
        };
        match frame.into_data() {
            Ok(data) if (bytes.len() + data.len()) as u64 > limit => {
                let received = (bytes.len() + data.len()) as u64;
                drop(bytes);
                drain(body).await;
                return Err(too_large(received));
            }
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => {
                if let Ok(fields) = frame.into_trailers() {
                    check_trailers(&fields).map_err(broken)?;
                    trailers.extend(fields);
                }
            }
        }
    }
    Ok(Whole {
        bytes: bytes.freeze(),
        trailers,
    })
}

/// Reads and forgets what is left of `body`, within bounds; the connection is closed after the answer all the same.
pub(super) async fn drain(mut body: Incoming) {
    let reading = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    if timeout(DRAIN_TIME, reading).await.is_err() {
        tracing::debug!("An unwanted body was not drained.");
    }
}

const fn too_large(received: u64) -> Broken {
    Broken {
        fault: Fault {
            code: ReasonCode::BodyTooLarge,
            status: 413,
            detail: "the body is larger than the destination's limit",
        },
        received,
    }
}

/// The wire check's own fault when it gave one, else what hyper could not read.
fn fault_of(error: &hyper::Error) -> Fault {
    let mut source = error.source();
    while let Some(it) = source {
        let inner = it
            .downcast_ref::<std::io::Error>()
            .and_then(|it| it.get_ref())
            .and_then(|it| it.downcast_ref::<Fault>());
        if let Some(fault) = inner.or_else(|| it.downcast_ref::<Fault>()) {
            return *fault;
        }
        source = it.source();
    }
    Fault::framing("the body ends before its announced length")
}
