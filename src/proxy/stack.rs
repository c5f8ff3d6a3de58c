//! A request's walk: admission, one snapshot, the steps before the decision, the decision, the answer.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::Either;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    answer::{self, About, Body},
    buffer::{self, Whole},
    caller::{self, Peer},
    exchange::{Ending, Streamed},
    head,
    journal::{self, Ended},
    response::{self, Redirect},
    upstream::{Failure, Forwarded, Upstreams},
    wire::Fault,
};
use crate::{
    gatekeeper::{
        self, Cleared, Gatekeeper, Report, Screening, Snapshot,
        destination::{Destination, Matched, check_path},
        record::Outcome,
    },
    model::{decision::ReasonCode, message::Message},
    policy::reasons::Language,
    telemetry::{
        Metrics,
        metrics::{GenerationAlive, InFlight},
    },
};

/// A configuration in force with its ways out.
#[derive(Debug)]
pub(super) struct Generation {
    /// The configuration.
    pub(super) snapshot: Arc<Snapshot>,
    /// Ways out under it.
    pub(super) upstreams: Upstreams,
    /// Counts this value until it is freed.
    pub(super) _alive: GenerationAlive,
}

/// What all requests share.
#[derive(Debug)]
pub(super) struct Gate {
    /// In force; a request loads it once.
    pub(super) generation: ArcSwap<Generation>,
    /// Decides.
    pub(super) gatekeeper: Gatekeeper,
    /// Counts.
    pub(super) metrics: Arc<Metrics>,
    /// Exchanges at once.
    pub(super) slots: Arc<Semaphore>,
    /// Connections at once, over all listeners.
    pub(super) connections: Arc<Semaphore>,
}

/// What the requests of one connection share.
#[derive(Debug)]
pub(super) struct Connection {
    /// Listener id.
    pub(super) listener: Arc<str>,
    /// Who is there.
    pub(super) peer: Peer,
    /// It speaks HTTP/2, so that a refusal need not end it.
    pub(super) is_http_2: bool,
}

/// One request on its way.
struct Walk {
    gate: Arc<Gate>,
    generation: Arc<Generation>,
    connection: Arc<Connection>,
    in_flight: InFlight,
    language: Language,
    caller: Arc<str>,
    method: Arc<str>,
}

/// A request that goes no further, and why.
struct Stopped {
    fault: Fault,
    matched: Option<Matched>,
    bytes_in: u64,
    /// Nobody reads the rest of the body: the connection must end.
    closes: bool,
}

impl Stopped {
    const fn early(fault: Fault, matched: Option<Matched>) -> Self {
        Self {
            fault,
            matched,
            bytes_in: 0,
            closes: true,
        }
    }
}

/// A request whose body is whole and for which there is room.
struct Stored {
    message: Message,
    matched: Matched,
    permits: [OwnedSemaphorePermit; 2],
}

/// Answers one request. Every request ends in exactly one decision record.
pub(super) async fn respond(
    gate: Arc<Gate>,
    connection: Arc<Connection>,
    verdict: Result<(), Fault>,
    request: Request<Incoming>,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let generation = gate.generation.load_full();
    let language = answer::preferred(&parts.headers);
    let caller = caller::identify(
        &generation.snapshot.callers,
        &connection.peer,
        &mut parts.headers,
    );
    let walk = Walk {
        in_flight: gate.metrics.exchange(),
        gate,
        generation,
        connection,
        language,
        caller,
        method: if verdict.is_ok() {
            recorded_method(parts.method.as_str()).into()
        } else {
            "unknown".into()
        },
    };
    match walk.store(verdict, parts, body).await {
        Ok(stored) => walk.screen(stored).await,
        Err(stopped) => walk.refuse(*stopped).await,
    }
}

/// Puts on record a request that its protocol refused, so that there is nothing of it but the fault.
pub(super) async fn record(gate: Arc<Gate>, connection: Arc<Connection>, fault: Fault) {
    let generation = gate.generation.load_full();
    let callers = &generation.snapshot.callers;
    let caller = caller::identify(callers, &connection.peer, &mut HeaderMap::new());
    let walk = Walk {
        in_flight: gate.metrics.exchange(),
        gate,
        generation,
        connection,
        language: Language::default(),
        caller,
        method: "unknown".into(),
    };
    walk.refuse(Stopped::early(fault, None)).await;
}

impl Walk {
    /// The steps before the decision.
    async fn store(
        &self,
        verdict: Result<(), Fault>,
        parts: Parts,
        body: Incoming,
    ) -> Result<Stored, Box<Stopped>> {
        let admitted = verdict
            .map_err(|fault| Stopped::early(fault, None))
            .and_then(|()| self.admit(&parts));
        let (matched, slot) = match admitted {
            Ok(admitted) => admitted,
            Err(stopped) => {
                // Reading would answer an `Expect: 100-continue`; such a client has not begun to send.
                if !parts.headers.contains_key(header::EXPECT) {
                    buffer::drain(body).await;
                }
                return Err(Box::new(stopped));
            }
        };
        let limits = &matched.destination.limits;
        let whole = match buffer::read(body, limits.body_bytes, limits.body_time).await {
            Ok(whole) => whole,
            Err(broken) => {
                return Err(Box::new(Stopped {
                    fault: broken.fault,
                    matched: Some(matched),
                    bytes_in: broken.received,
                    closes: true,
                }));
            }
        };
        let bytes_in = whole.bytes.len() as u64;
        let pool = self
            .generation
            .upstreams
            .pool(&matched.destination.facts.id);
        let own_slot = match pool {
            Some(pool) => pool.slot().await,
            None => None,
        };
        let Some(own_slot) = own_slot else {
            return Err(Box::new(Stopped {
                fault: overloaded("the destination has no exchange free"),
                matched: Some(matched),
                bytes_in,
                closes: false,
            }));
        };
        Ok(Stored {
            message: message(parts, whole, &matched),
            matched,
            permits: [slot, own_slot],
        })
    }

    /// What the head alone can settle: room, target, destination, loop, method, expectation.
    fn admit(&self, parts: &Parts) -> Result<(Matched, OwnedSemaphorePermit), Stopped> {
        let stop = |fault| Stopped::early(fault, None);
        let slot = Arc::clone(&self.gate.slots)
            .try_acquire_owned()
            .map_err(|_| stop(overloaded("the gate has no exchange free")))?;
        let headers = &parts.headers;
        let path = parts.uri.path();
        check_path(path).map_err(|detail| stop(Fault::framing(detail)))?;
        let host = head::host_of(&parts.uri, headers);
        if let Some(name) = &self.connection.peer.server_name
            && *name != host
        {
            return Err(stop(Fault::with_status(
                421,
                "the Host field is not the name asked for in TLS",
            )));
        }
        let table = &self.generation.snapshot.destinations;
        let listener = &self.connection.listener;
        let matched = table
            .find(listener, &host, parts.method.as_str(), path)
            .ok_or_else(|| {
                stop(fault_of(
                    ReasonCode::DestinationUnknown,
                    "no destination takes this host and path",
                ))
            })?;
        let stop = |fault| Stopped::early(fault, Some(matched.clone()));
        if head::has_passed(headers) {
            return Err(stop(fault_of(
                ReasonCode::ProxyLoop,
                "the request has passed this gate before",
            )));
        }
        if head::asks_for_channel(headers) {
            return Err(stop(Fault::method(
                "an upgrade to another protocol is not taken",
            )));
        }
        if head::expects_the_unknown(headers) {
            return Err(stop(Fault::with_status(
                417,
                "Expect is not `100-continue`",
            )));
        }
        if matched.route.is_none() && self.takes_other_methods(&host, parts, &matched) {
            return Err(stop(Fault::method(
                "no route of the destination takes this method",
            )));
        }
        Ok((matched, slot))
    }

    /// Whether the path is a route's, only under another method.
    fn takes_other_methods(&self, host: &str, parts: &Parts, matched: &Matched) -> bool {
        let table = &self.generation.snapshot.destinations;
        let mut methods = matched
            .destination
            .facts
            .routes
            .iter()
            .flat_map(|it| &it.methods);
        methods.any(|method| {
            table
                .find(&self.connection.listener, host, method, parts.uri.path())
                .is_some_and(|it| it.route.is_some())
        })
    }

    /// The decision; then the way to the upstream, or a refusal.
    async fn screen(self, stored: Stored) -> Response<Body> {
        let destination = Arc::clone(&stored.matched.destination);
        let bytes_in = stored.message.body.len() as u64;
        let request = self.request(Some(stored.matched), bytes_in);
        let screening = self
            .gate
            .gatekeeper
            .screen(stored.message, request, &self.generation.snapshot)
            .await;
        match screening {
            Screening::Cleared(cleared) => self.forward(cleared, stored.permits).await,
            Screening::Refused(refused) => {
                self.answer_refusal(&refused.report, Some(&destination), None)
            }
        }
    }

    /// Sends what was cleared and passes the answer on.
    async fn forward(
        self,
        cleared: Box<Cleared>,
        permits: [OwnedSemaphorePermit; 2],
    ) -> Response<Body> {
        let report = Arc::clone(&cleared.report);
        self.gate.metrics.screened(&report);
        let metrics = Arc::clone(&self.gate.metrics);
        let mut ending = Ending::new(report, metrics, self.in_flight, permits);
        let Forwarded {
            destination,
            completion,
            answer,
        } = self.generation.upstreams.forward(cleared).await;
        ending.owe(completion);
        let snapshot = &self.generation.snapshot;
        let prepared = answer.and_then(|(response, loan)| {
            let (mut parts, body) = response.into_parts();
            let table = &snapshot.destinations;
            let redirect = response::prepare(&mut parts, &destination, table, ending.report())?;
            Ok((parts, body, loan, redirect))
        });
        match prepared {
            Ok((parts, body, loan, redirect)) => {
                note_redirect(&self.gate.metrics, &destination, redirect);
                ending.set_status(parts.status.as_u16());
                let pause = destination.limits.response_time;
                let body = Streamed::new(body, loan, pause, ending);
                Response::from_parts(parts, Either::Right(body))
            }
            Err(failure) => {
                self.gate
                    .metrics
                    .upstream_failed(&destination.facts.id, failure.error_type());
                let about = about(ending.report(), snapshot, Some(&destination), self.language);
                let response = answer::failure(about, failure);
                ending.set_status(response.status().as_u16());
                ending.set_outcome(if failure == Failure::RedirectStopped {
                    Outcome::RedirectStopped
                } else {
                    Outcome::UpstreamFailed
                });
                response
            }
        }
    }

    /// Refuses before inspection, on record like any other.
    async fn refuse(self, stopped: Stopped) -> Response<Body> {
        let destination = stopped
            .matched
            .as_ref()
            .map(|it| Arc::clone(&it.destination));
        let request = self.request(stopped.matched, stopped.bytes_in);
        let snapshot = &self.generation.snapshot;
        let refused = self
            .gate
            .gatekeeper
            .refuse(stopped.fault.code, request, snapshot)
            .await;
        let fault = own_status(stopped.fault);
        let mut response = self.answer_refusal(&refused.report, destination.as_deref(), fault);
        if stopped.closes && !self.connection.is_http_2 {
            answer::close(response.headers_mut());
        }
        if response.status() == http::StatusCode::METHOD_NOT_ALLOWED {
            response
                .headers_mut()
                .insert(header::ALLOW, allowed(destination.as_deref()));
        }
        response
    }

    fn answer_refusal(
        &self,
        report: &Report,
        destination: Option<&Destination>,
        fault: Option<Fault>,
    ) -> Response<Body> {
        self.gate.metrics.screened(report);
        let snapshot = &self.generation.snapshot;
        let about = about(report, snapshot, destination, self.language);
        let response = answer::refusal(about, fault);
        journal::write(
            report,
            Ended {
                status: response.status().as_u16(),
                outcome: None,
                bytes_out: 0,
                time: self.in_flight.elapsed(),
            },
        );
        response
    }

    fn request(&self, matched: Option<Matched>, bytes_in: u64) -> gatekeeper::Request {
        gatekeeper::Request {
            caller: Arc::clone(&self.caller),
            listener: Arc::clone(&self.connection.listener),
            method: Arc::clone(&self.method),
            matched,
            bytes_in,
        }
    }
}

fn about<'a>(
    report: &'a Report,
    snapshot: &'a Snapshot,
    destination: Option<&'a Destination>,
    language: Language,
) -> About<'a> {
    About {
        report,
        reasons: snapshot.policy.reasons(),
        operator: &snapshot.operator,
        destination: destination.map(|it| &*it.facts),
        legal_status: destination.map_or(451, |it| it.legal_status),
        language,
    }
}

/// The message as inspected: fields of this connection are out, the prefix is off the path.
fn message(parts: Parts, whole: Whole, matched: &Matched) -> Message {
    let mut headers: HeaderMap = parts.headers;
    head::remove_hop_by_hop(&mut headers);
    Message {
        method: parts.method,
        path: matched.path.clone(),
        query: parts.uri.query().map(str::to_owned),
        headers,
        body: whole.bytes,
        trailers: whole.trailers,
    }
}

/// Methods that are recorded by name (RFC 9110, 4918, 5323, 5789); any other word could be a person's name.
const METHODS: &[&str] = &[
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LOCK",
    "MKCOL",
    "MOVE",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PUT",
    "QUERY",
    "REPORT",
    "SEARCH",
    "UNLOCK",
];

fn recorded_method(method: &str) -> &'static str {
    METHODS
        .iter()
        .find(|it| **it == method)
        .map_or("other", |it| *it)
}

const fn fault_of(code: ReasonCode, detail: &'static str) -> Fault {
    Fault {
        code,
        status: 0,
        detail,
    }
}

const fn overloaded(detail: &'static str) -> Fault {
    fault_of(ReasonCode::Overloaded, detail)
}

/// A fault whose status is more exact than the reason's.
fn own_status(fault: Fault) -> Option<Fault> {
    (fault.status != 0).then_some(fault)
}

/// RFC 9110 §15.5.6: the methods that are taken; those of the routes when they name any.
fn allowed(destination: Option<&Destination>) -> HeaderValue {
    let mut methods: Vec<&str> = destination
        .iter()
        .flat_map(|it| &it.facts.routes)
        .flat_map(|it| &it.methods)
        .map(|it| &**it)
        .collect();
    methods.sort_unstable();
    methods.dedup();
    HeaderValue::try_from(methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn note_redirect(metrics: &Metrics, destination: &Destination, redirect: Redirect) {
    match redirect {
        Redirect::Harmless => {}
        Redirect::Passed => metrics.opened(&destination.facts.id, "redirects"),
        Redirect::Stripped => tracing::info!(
            destination = &*destination.facts.id,
            "A redirect to an undeclared host was taken out of an answer."
        ),
    }
}
