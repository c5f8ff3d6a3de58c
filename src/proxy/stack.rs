//! A request's walk: admission, one snapshot, the steps before the decision, the decision, the answer.

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::Either;
use hyper::body::Incoming;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    admission::{Client, Held, Tally, counted_address},
    answer::{self, About, Body},
    buffer::{self, Intake, Whole},
    caller::{self, Peer},
    exchange::{Ending, Patience, Streamed},
    head,
    journal::{self, Ended},
    response::{self, Redirect},
    spool::Spool,
    upstream::{Failure, Forwarded, Upstreams},
    wire::Fault,
};
use crate::{
    gatekeeper::{
        self, Cleared, Gatekeeper, Report, Screening, Snapshot,
        capacity::Capacity,
        destination::{Destination, Matched, check_path},
        record::{Outcome, TimeLimit},
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
    /// Exchanges of each client.
    pub(super) clients: Arc<Tally<Client>>,
    /// Exchanges at once of an address whose callers prove nothing.
    pub(super) per_client: usize,
    /// Connections at once, over all listeners.
    pub(super) connections: Arc<Semaphore>,
    /// Connections of each address.
    pub(super) peers: Arc<Tally<IpAddr>>,
    /// Connections at once of one address.
    pub(super) connections_per_client: usize,
    /// Memory, and threads that inspect.
    pub(super) capacity: Arc<Capacity>,
    /// For large bodies.
    pub(super) spool: Spool,
    /// What is large, in bytes.
    pub(super) spool_above: u64,
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
    /// The time limit that ran out, if one did.
    time_limit: Option<TimeLimit>,
    /// Nobody reads the rest of the body: the connection must end.
    closes: bool,
}

impl Stopped {
    const fn early(fault: Fault, matched: Option<Matched>) -> Self {
        Self {
            fault,
            matched,
            bytes_in: 0,
            time_limit: None,
            closes: true,
        }
    }
}

/// A request whose body is whole and for which there is room.
struct Stored {
    message: Message,
    matched: Matched,
    held: Held,
    /// When the exchange must be over.
    ends: Instant,
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
    let is_call = walk.connection.is_http_2 && answer::grpc::is_call(&parts.headers);
    let response = match walk.store(verdict, parts, body).await {
        Ok(stored) => walk.screen(stored).await,
        Err(stopped) => walk.refuse(*stopped).await,
    };
    if is_call {
        answer::grpc::in_its_words(response)
    } else {
        response
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
        let waits = parts.headers.contains_key(header::EXPECT);
        let (matched, mut held) = match admitted {
            Ok(admitted) => admitted,
            Err(stopped) => {
                // Reading would answer an `Expect: 100-continue`; such a client has not begun to send.
                if !waits {
                    buffer::drain(body).await;
                }
                return Err(Box::new(stopped));
            }
        };
        let limits = &matched.destination.limits;
        let ends = Instant::now() + limits.total_time;
        let intake = Intake {
            limits,
            capacity: &self.gate.capacity,
            spool: &self.gate.spool,
            spool_above: self.gate.spool_above,
            ends,
            waits,
        };
        let whole = match buffer::read(body, intake).await {
            Ok(whole) => whole,
            Err(broken) => {
                return Err(Box::new(Stopped {
                    fault: broken.fault,
                    matched: Some(matched),
                    bytes_in: broken.received,
                    time_limit: broken.time_limit,
                    closes: true,
                }));
            }
        };
        let bytes_in = whole.bytes.len() as u64;
        let pool = self
            .generation
            .upstreams
            .pool(&matched.destination.facts.id);
        held.destination = match pool {
            Some(pool) => pool.slot().await,
            None => None,
        };
        if held.destination.is_none() {
            return Err(Box::new(Stopped {
                fault: overloaded("the destination has no exchange free"),
                matched: Some(matched),
                bytes_in,
                time_limit: None,
                closes: false,
            }));
        }
        Ok(Stored {
            message: message(parts, whole, &matched),
            matched,
            held,
            ends,
        })
    }

    /// What the head alone can settle: room, target, destination, loop, method, expectation.
    fn admit(&self, parts: &Parts) -> Result<(Matched, Held), Stopped> {
        let stop = |fault| Stopped::early(fault, None);
        let held = self.places().map_err(|why| stop(overloaded(why)))?;
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
        Ok((matched, held))
    }

    /// A place for the client and one in the gate, or whose are taken.
    fn places(&self) -> Result<Held, &'static str> {
        let callers = &self.generation.snapshot.callers;
        let caller = callers.iter().find(|it| it.id == self.caller);
        let (client, most) = match caller {
            Some(caller) => {
                let most = caller.concurrency.unwrap_or(usize::MAX);
                (Client::Caller(Arc::clone(&caller.id)), most)
            }
            None => {
                let address = counted_address(self.connection.peer.address);
                (Client::Address(address), self.gate.per_client)
            }
        };
        let client = self.gate.clients.take(client, most);
        let gate = Arc::clone(&self.gate.slots).try_acquire_owned();
        Ok(Held {
            _client: client.ok_or("the client has no exchange free")?,
            _gate: gate.map_err(|_| "the gate has no exchange free")?,
            destination: None,
        })
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
            Screening::Cleared(cleared) => self.forward(cleared, stored.held, stored.ends).await,
            Screening::Refused(refused) => {
                self.answer_refusal(&refused.report, Some(&destination), None)
            }
        }
    }

    /// Sends what was cleared and passes the answer on.
    async fn forward(self, cleared: Box<Cleared>, held: Held, ends: Instant) -> Response<Body> {
        let report = Arc::clone(&cleared.report);
        self.gate.metrics.screened(&report);
        let metrics = Arc::clone(&self.gate.metrics);
        let mut ending = Ending::new(report, metrics, self.in_flight, held);
        let Forwarded {
            destination,
            completion,
            answer,
        } = self.generation.upstreams.forward(cleared, ends).await;
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
                let pause = destination.limits.response_idle_time;
                let body = Streamed::new(body, loan, Patience { pause, ends }, ending);
                Response::from_parts(parts, Either::Right(body))
            }
            Err(failure) => {
                self.gate
                    .metrics
                    .upstream_failed(&destination.facts.id, failure.error_type());
                ending.set_time_limit(failure.time_limit());
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
            .refuse(
                stopped.fault.code,
                Some(stopped.fault.detail),
                request,
                snapshot,
            )
            .await;
        if let (Some(limit), Some(destination)) = (stopped.time_limit, &destination) {
            self.gate.metrics.timed_out(&destination.facts.id, limit);
        }
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
                time_limit: None,
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
    Fault {
        status: 503,
        ..fault_of(ReasonCode::Overloaded, detail)
    }
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
