//! The whole body before anything is decided: detection never works on part of a message. Small ones in memory that was reserved
//! for them, large ones on disk.

use std::{error::Error, future::Future, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    spool::{self, Spool, Spooling, Unkept},
    wire::{Fault, check_trailers},
};
use crate::{
    gatekeeper::{
        capacity::{Capacity, Reserved},
        destination::Limits,
        record::TimeLimit,
    },
    model::decision::ReasonCode,
};

/// Bytes reserved first for a body that does not say how long it is.
const FIRST_BYTES: u64 = 16 * 1024;
/// Bytes of an unwanted body that are read and thrown away, so that the answer is not lost to a reset.
const DRAIN_BYTES: usize = 256 * 1024;
/// Time given to that.
const DRAIN_TIME: Duration = Duration::from_millis(500);

/// A body read whole.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// The content, as coded. Its memory or its room on the disk is given back with the last clone.
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
    /// The time limit that ran out, if one did.
    pub(super) time_limit: Option<TimeLimit>,
}

/// Where a body may be kept, and how long it may take.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    /// The destination's.
    pub(super) limits: &'a Limits,
    /// The gate's.
    pub(super) capacity: &'a Capacity,
    /// For large bodies.
    pub(super) spool: &'a Spool,
    /// What is large, in bytes.
    pub(super) spool_above: u64,
    /// When the exchange must be over.
    pub(super) ends: Instant,
    /// The client waits for `100 Continue` before it sends.
    pub(super) waits: bool,
}

/// Reads `body` whole.
///
/// # Errors
/// 413 when it is larger than the limit, 408 when it takes too long, 400 when its framing breaks or it ends early, 503 when there
/// is no memory for it or no room on the disk.
pub(super) async fn read(mut body: Incoming, intake: Intake<'_>) -> Result<Whole, Broken> {
    let limit = intake.limits.body_bytes;
    let expected = body.size_hint().exact();
    if body.size_hint().lower() > limit {
        drain(body).await;
        return Err(broken(TOO_LARGE, 0));
    }
    let ends = intake.ends.min(Instant::now() + intake.limits.body_time);
    // Nothing is read before there is room: a client that waits for `100 Continue` is answered instead.
    let mut taking = match Taking::begin(&intake, expected, ends).await {
        Ok(taking) => taking,
        Err(fault) => {
            if !intake.waits {
                drain(body).await;
            }
            return Err(broken(fault, 0));
        }
    };
    let mut trailers = HeaderMap::new();
    loop {
        let frame = match next(&mut body, &intake, ends).await {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err((fault, time_limit)) => {
                return Err(Broken {
                    time_limit,
                    ..broken(fault, taking.length())
                });
            }
        };
        match frame.into_data() {
            Ok(data) => {
                let length = taking.length() + data.len() as u64;
                let taken = if length > limit {
                    Err(TOO_LARGE)
                } else {
                    taking.push(&data).await
                };
                if let Err(fault) = taken {
                    drop(taking);
                    drain(body).await;
                    return Err(broken(fault, length));
                }
            }
            Err(frame) => {
                if let Ok(fields) = frame.into_trailers() {
                    check_trailers(&fields).map_err(|fault| broken(fault, taking.length()))?;
                    trailers.extend(fields);
                }
            }
        }
    }
    let received = taking.length();
    match taking.finish().await {
        Ok(bytes) => Ok(Whole { bytes, trailers }),
        Err(fault) => Err(broken(fault, received)),
    }
}

/// The next frame, if it comes before the pause is too long and before `ends`.
async fn next(
    body: &mut Incoming,
    intake: &Intake<'_>,
    ends: Instant,
) -> Result<Option<hyper::body::Frame<Bytes>>, (Fault, Option<TimeLimit>)> {
    let pause = Instant::now() + intake.limits.body_idle_time;
    match timeout_at(ends.min(pause), body.frame()).await {
        Ok(frame) => frame.transpose().map_err(|error| (fault_of(&error), None)),
        Err(_) => {
            let (limit, detail) = if pause < ends {
                (
                    TimeLimit::BodyIdleTime,
                    "the body paused for longer than body_idle_time",
                )
            } else if intake.ends <= ends {
                (
                    TimeLimit::TotalTime,
                    "the body did not arrive in total_time",
                )
            } else {
                (TimeLimit::BodyTime, "the body did not arrive in body_time")
            };
            Err((Fault::with_status(408, detail), Some(limit)))
        }
    }
}

/// What has arrived of a body.
struct Taking<'a> {
    intake: &'a Intake<'a>,
    held: Held,
    ends: Instant,
}

enum Held {
    Memory {
        bytes: Vec<u8>,
        /// For the capacity of `bytes`; nothing is reserved for nothing.
        reserved: Option<Reserved>,
    },
    Disk {
        spooling: Spooling,
        /// For what is collected before it is written.
        _buffer: Option<Reserved>,
    },
}

impl<'a> Taking<'a> {
    /// Takes the room that is known to be needed.
    async fn begin(
        intake: &'a Intake<'a>,
        expected: Option<u64>,
        ends: Instant,
    ) -> Result<Self, Fault> {
        let is_large = expected.is_some_and(|it| it > intake.spool_above);
        let first = match expected {
            Some(_) if is_large => 2 * spool::BUFFER_BYTES,
            Some(bytes) => bytes,
            None => FIRST_BYTES.min(intake.spool_above),
        };
        let reserved = if first == 0 {
            None
        } else {
            Some(reserve(intake, first).await?)
        };
        let held = if is_large {
            let spooling = in_time(ends, intake.spool.begin(expected)).await?;
            Held::Disk {
                spooling,
                _buffer: reserved,
            }
        } else {
            Held::Memory {
                bytes: Vec::with_capacity(usize::try_from(first).unwrap_or_default()),
                reserved,
            }
        };
        Ok(Self { intake, held, ends })
    }

    fn length(&self) -> u64 {
        match &self.held {
            Held::Memory { bytes, .. } => bytes.len() as u64,
            Held::Disk { spooling, .. } => spooling.length(),
        }
    }

    async fn push(&mut self, data: &[u8]) -> Result<(), Fault> {
        let length = self.length() + data.len() as u64;
        if matches!(self.held, Held::Memory { .. }) {
            if length > self.intake.spool_above {
                self.move_to_disk().await?;
            } else {
                self.grow(length).await?;
            }
        }
        match &mut self.held {
            Held::Memory { bytes, .. } => {
                bytes.extend_from_slice(data);
                Ok(())
            }
            Held::Disk { spooling, .. } => in_time(self.ends, spooling.push(data)).await,
        }
    }

    /// Reserves before it allocates: twice as much as before, at least `length`.
    async fn grow(&mut self, length: u64) -> Result<(), Fault> {
        let Held::Memory { bytes, reserved } = &mut self.held else {
            return Ok(());
        };
        let capacity = bytes.capacity() as u64;
        if length <= capacity {
            return Ok(());
        }
        let wanted = length.max(2 * capacity).min(self.intake.spool_above);
        let more = reserve(self.intake, wanted.saturating_sub(capacity)).await?;
        match reserved {
            Some(reserved) => reserved.join(more),
            None => *reserved = Some(more),
        }
        let spare = wanted.saturating_sub(bytes.len() as u64);
        bytes.reserve_exact(usize::try_from(spare).unwrap_or_default());
        Ok(())
    }

    async fn move_to_disk(&mut self) -> Result<(), Fault> {
        let mut spooling = in_time(self.ends, self.intake.spool.begin(None)).await?;
        let Held::Memory { bytes, reserved } = &mut self.held else {
            return Ok(());
        };
        in_time(self.ends, spooling.push(bytes)).await?;
        // What is reserved for the buffer of the spool is at most what the bytes took; where it is less, the difference is small
        // and short.
        if let Some(reserved) = reserved {
            reserved.shrink(2 * spool::BUFFER_BYTES);
        }
        self.held = Held::Disk {
            spooling,
            _buffer: reserved.take(),
        };
        Ok(())
    }

    async fn finish(self) -> Result<Bytes, Fault> {
        match self.held {
            Held::Memory { bytes, reserved } => Ok(match reserved {
                Some(reserved) if !bytes.is_empty() => reserved.hold(bytes),
                Some(_) | None => bytes.into(),
            }),
            Held::Disk { spooling, .. } => in_time(self.ends, spooling.finish()).await,
        }
    }
}

async fn reserve(intake: &Intake<'_>, bytes: u64) -> Result<Reserved, Fault> {
    let reserved = intake.capacity.memory.reserve(bytes).await;
    reserved.map_err(|_| overloaded("the gate has no memory free for the body"))
}

/// A step of the spool; a disk that takes longer than the body may has failed.
async fn in_time<T>(
    ends: Instant,
    step: impl Future<Output = Result<T, Unkept>>,
) -> Result<T, Fault> {
    match timeout_at(ends, step).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Unkept::Full(_))) => {
            Err(overloaded("the gate has no room on the disk for the body"))
        }
        Ok(Err(Unkept::Disk(error))) => {
            tracing::error!(%error, "A body could not be kept on the disk.");
            Err(UNKEPT)
        }
        Err(_) => {
            tracing::error!("A body could not be kept on the disk in time.");
            Err(UNKEPT)
        }
    }
}

const TOO_LARGE: Fault = Fault {
    code: ReasonCode::BodyTooLarge,
    status: 413,
    detail: "the body is larger than the destination's limit",
};
const UNKEPT: Fault = Fault {
    code: ReasonCode::SpoolUnavailable,
    status: 503,
    detail: "the body could not be kept on the disk",
};

const fn overloaded(detail: &'static str) -> Fault {
    Fault {
        code: ReasonCode::Overloaded,
        status: 503,
        detail,
    }
}

const fn broken(fault: Fault, received: u64) -> Broken {
    Broken {
        fault,
        received,
        time_limit: None,
    }
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
