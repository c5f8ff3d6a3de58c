//! The admin listener: `/metrics`, `/livez`, `/readyz`. Never on the data port.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

/// Time for a request's head to arrive, and the longest a connection is kept idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Pause after a failed accept, when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the admin listener needs to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Address. Default 127.0.0.1:9464.
    pub bind: SocketAddr,
}

/// One question of readiness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Name, as printed by `/readyz?verbose`.
    pub name: &'static str,
    /// Whether it holds.
    pub is_ok: bool,
    /// What it means if it does not.
    pub weight: Weight,
}

/// What a failed check means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// Some requests are refused; the gate is ready for the others.
    Partial,
    /// The gate is not ready.
    Vital,
}

/// The answers to every question of readiness, and what somebody should know beside them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Condition {
    /// The answers.
    pub checks: Vec<Check>,
    /// What is opened, a line each. Holds no value.
    pub notes: Vec<String>,
}

/// Asks every question of readiness. Called for each `/readyz`: it must not block.
pub type Probe = Arc<dyn Fn() -> Condition + Send + Sync>;

/// The bound listener.
pub struct Admin {
    listener: TcpListener,
    pages: Arc<Pages>,
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

struct Pages {
    metrics: Arc<Metrics>,
    probe: Probe,
}

impl Admin {
    /// Binds the listener. It answers once [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub async fn bind(
        settings: &Settings,
        metrics: Arc<Metrics>,
        probe: Probe,
    ) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(settings.bind).await?,
            pages: Arc::new(Pages { metrics, probe }),
        })
    }

    /// [`bind`](Self::bind), on a socket that listens already and does not block.
    ///
    /// # Errors
    /// The system refuses the socket.
    pub fn on(
        socket: std::net::TcpListener,
        metrics: Arc<Metrics>,
        probe: Probe,
    ) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::from_std(socket)?,
            pages: Arc::new(Pages { metrics, probe }),
        })
    }

    /// The address bound.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown`. It should outlive the data plane, so that a drain can be watched.
    pub async fn serve(self, shutdown: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let work = connection(stream, Arc::clone(&self.pages));
                    let until = shutdown.clone();
                    tokio::spawn(async move {
                        tokio::select! {
                            () = until.cancelled() => {}
                            () = work => {}
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "The admin listener could not accept a connection.");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, pages: Arc<Pages>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = pages.answer(&request);
        async move { Ok::<_, std::convert::Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(
            is_timeout = error.is_timeout(),
            "An admin connection ended."
        );
    }
}

impl Pages {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "ok\n"),
            "/readyz" | "/healthz" => {
                let is_verbose = request
                    .uri()
                    .query()
                    .is_some_and(|it| it.split('&').any(|it| it.starts_with("verbose")));
                ready(&(self.probe)(), is_verbose)
            }
            "/metrics" => match self.metrics.render() {
                Ok(body) => text(StatusCode::OK, body),
                Err(error) => {
                    tracing::error!(%error, "The metrics could not be rendered.");
                    text(StatusCode::INTERNAL_SERVER_ERROR, "see the log\n")
                }
            },
            _ => text(StatusCode::NOT_FOUND, "/metrics /livez /readyz /healthz\n"),
        }
    }
}

/// 200 when every vital check holds, else 503.
fn ready(condition: &Condition, is_verbose: bool) -> Response<Full<Bytes>> {
    let mut checks = condition.checks.iter();
    let is_ready = checks.all(|it| it.is_ok || it.weight == Weight::Partial);
    let mut body = String::new();
    if is_verbose {
        for it in &condition.checks {
            body.push_str(match (it.is_ok, it.weight) {
                (true, _) => "[+] ",
                (false, Weight::Partial) => "[!] cannot be used: ",
                (false, Weight::Vital) => "[-] ",
            });
            body.push_str(it.name);
            body.push('\n');
        }
        for it in &condition.notes {
            body.push_str("[!] opened: ");
            body.push_str(it);
            body.push('\n');
        }
    }
    body.push_str(if is_ready { "ready\n" } else { "not ready\n" });
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    text(status, body)
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
