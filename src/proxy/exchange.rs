//! An answer on its way back, and the end of an exchange: recorded, counted and logged once, however it comes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::{
    admission::Held,
    head,
    journal::{self, Ended},
    upstream::{AnswerBody, Failure, Loan},
};
use crate::{
    gatekeeper::{
        Completion, Report,
        record::{Outcome, TimeLimit},
    },
    telemetry::{Metrics, metrics::InFlight},
};

/// The duties at the end of an exchange with an upstream; done when dropped. Until told otherwise the exchange was aborted.
#[derive(Debug)]
pub(super) struct Ending {
    completion: Option<Completion>,
    outcome: Outcome,
    time_limit: Option<TimeLimit>,
    report: Arc<Report>,
    metrics: Arc<Metrics>,
    in_flight: InFlight,
    status: u16,
    bytes_out: u64,
    since: Instant,
    /// Places among the exchanges of the gate, the client and the destination.
    _held: Held,
}

impl Ending {
    /// An exchange that is about to be sent, and ends when this value is dropped.
    pub(super) fn new(
        report: Arc<Report>,
        metrics: Arc<Metrics>,
        in_flight: InFlight,
        held: Held,
    ) -> Self {
        Self {
            completion: None,
            outcome: Outcome::Aborted,
            time_limit: None,
            report,
            metrics,
            in_flight,
            status: 0,
            bytes_out: 0,
            since: Instant::now(),
            _held: held,
        }
    }

    /// Takes the duty to record, once the message was sent.
    pub(super) fn owe(&mut self, completion: Completion) {
        self.completion = Some(completion);
    }

    /// What screening did.
    pub(super) const fn report(&self) -> &Arc<Report> {
        &self.report
    }

    /// The client is answered with `status`.
    pub(super) const fn set_status(&mut self, status: u16) {
        self.status = status;
        if let Some(completion) = &mut self.completion {
            completion.status = Some(status);
        }
    }

    /// The exchange is ended by a time limit, if by one.
    pub(super) fn set_time_limit(&mut self, limit: Option<TimeLimit>) {
        if let (Some(limit), Some(completion)) = (limit, &mut self.completion) {
            completion.time_limit = Some(limit);
            self.time_limit = Some(limit);
            let destination = &self.report.decided.transfer.destination;
            self.metrics.timed_out(destination, limit);
        }
    }

    /// The exchange ends with `outcome`.
    pub(super) const fn set_outcome(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(completion) = self.completion.take() else {
            return;
        };
        completion.finish(self.outcome);
        self.metrics.answered(
            &self.report.decided.transfer.destination,
            self.status,
            self.since.elapsed(),
        );
        let ended = Ended {
            status: self.status,
            outcome: Some(self.outcome),
            time_limit: self.time_limit,
            bytes_out: self.bytes_out,
            time: self.in_flight.elapsed(),
        };
        journal::write(&self.report, ended);
    }
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From one frame to the next.
    pub(super) pause: Duration,
    /// When the exchange must be over.
    pub(super) ends: Instant,
}

/// An upstream's body as it comes. Its connection is given back when it was read whole.
#[derive(Debug)]
pub(super) struct Streamed {
    body: AnswerBody,
    loan: Option<Loan>,
    patience: Patience,
    timer: Pin<Box<Sleep>>,
    /// The timer runs: only time spent waiting for the upstream counts, not time in which the client does not read.
    is_waiting: bool,
    ending: Ending,
}

impl Streamed {
    /// Passes `body` on; one that takes longer than `patience` is a failure.
    pub(super) fn new(body: AnswerBody, loan: Loan, patience: Patience, ending: Ending) -> Self {
        let mut it = Self {
            body,
            loan: Some(loan),
            patience,
            timer: Box::pin(sleep(patience.pause)),
            is_waiting: false,
            ending,
        };
        // The server does not ask an empty body for frames.
        if it.body.is_end_stream() {
            it.complete();
        }
        it
    }

    /// The client did not take the answer in time. One that had come to its end, or was ended otherwise, stays what it is.
    pub(super) fn give_up(&mut self) {
        let ending = &mut self.ending;
        if ending.outcome == Outcome::Aborted && ending.time_limit.is_none() {
            ending.set_time_limit(Some(TimeLimit::WriteTime));
        }
    }

    fn complete(&mut self) {
        self.ending.set_outcome(Outcome::Answered);
        if let Some(loan) = self.loan.take() {
            loan.give_back();
        }
    }

    fn fail<T>(&mut self, failure: Failure) -> Poll<Option<Result<T, Failure>>> {
        // Over the whole time it may well be the client that is slow.
        self.ending.set_outcome(if failure == Failure::TotalTime {
            Outcome::Aborted
        } else {
            Outcome::UpstreamFailed
        });
        self.ending.set_time_limit(failure.time_limit());
        self.loan = None;
        Poll::Ready(Some(Err(failure)))
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let it = self.get_mut();
        // Also where frames come all the time: a client that reads slowly asks for the next one late.
        if Instant::now() >= it.patience.ends {
            return it.fail(Failure::TotalTime);
        }
        match Pin::new(&mut it.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                it.is_waiting = false;
                let frame = match frame.into_trailers() {
                    Ok(mut fields) => {
                        head::clean_trailers(&mut fields);
                        Frame::trailers(fields)
                    }
                    Err(frame) => frame,
                };
                let length = frame.data_ref().map_or(0, Bytes::len);
                it.ending.bytes_out += length as u64;
                if it.body.is_end_stream() {
                    it.complete();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(failure))) => it.fail(failure),
            Poll::Ready(None) => {
                it.complete();
                Poll::Ready(None)
            }
            Poll::Pending => {
                if !it.is_waiting {
                    it.is_waiting = true;
                    let pause = Instant::now() + it.patience.pause;
                    it.timer.as_mut().reset(pause.min(it.patience.ends));
                }
                match it.timer.as_mut().poll(cx) {
                    Poll::Ready(()) if Instant::now() >= it.patience.ends => {
                        it.fail(Failure::TotalTime)
                    }
                    Poll::Ready(()) => it.fail(Failure::ResponseIdle),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
