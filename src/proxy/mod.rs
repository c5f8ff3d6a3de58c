//! The data plane: downstream connections in, screened messages out. Does not know which registers or log are behind the ports.
//!
//! A request's way, one file a step: `listener` (which HTTP) → `http1` or `http2` with `wire` (what has one reading) → `stack`
//! (admission, one snapshot) → `head` (whom it is for) → `caller` → `buffer` (the body whole; large ones in the `spool`) →
//! [`Gatekeeper::screen`](crate::gatekeeper::Gatekeeper::screen)
//! → `upstream` (takes only a permit) → `response` and `exchange` (the answer, streamed) or `answer` (the gate's own).
//!
//! Store and forward: no name is looked up, no connection opened and no byte sent for a request before its decision is durable.

mod activity;
mod admission;
mod answer;
mod buffer;
mod caller;
mod exchange;
mod head;
mod http1;
mod http2;
mod journal;
mod listener;
mod mapping;
mod response;
mod serve;
mod socket;
mod spool;
mod stack;
mod tls;
mod upstream;
mod wire;

pub use self::{
    serve::{Handle, Proxy, Sockets},
    upstream::{Resolve, SystemResolver},
};

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

/// What the data plane needs to start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// At least one.
    pub listeners: Vec<Listener>,
    /// Time for exchanges in flight to finish after SIGTERM. Default 30 s.
    pub drain_time: Duration,
    /// Time for a request head to arrive. Default 10 s.
    pub head_time: Duration,
    /// Longest time between two requests of a connection. Default 100 s.
    pub idle_time: Duration,
    /// Time for a client to take the next bytes of an answer. Default 60 s.
    pub write_time: Duration,
    /// Exchanges at once over all listeners; more are answered 503. Default 1024.
    pub concurrency: usize,
    /// Connections at once over all listeners; further clients wait in the backlog. Default 16384.
    pub connections: usize,
    /// Of these, of one address whose callers prove nothing. Default half of them.
    pub per_client: usize,
    /// Connections of one address; more are closed at once. Default four for each exchange that there may be.
    pub connections_per_client: usize,
    /// Bytes of memory for bodies. Default 256 MiB.
    pub memory: u64,
    /// For bodies that are kept on the disk.
    pub spool: SpoolSettings,
}

/// Where bodies are kept that are too large for the memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpoolSettings {
    /// Directory. Default `spool` in the state directory.
    pub dir: PathBuf,
    /// Bytes from which on a body is kept there. Default 1 MiB.
    pub above: u64,
    /// Bytes there at once. Default 4 GiB.
    pub size: u64,
}

/// A downstream listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// Id, used in destination matches and in the log.
    pub id: Arc<str>,
    /// Address; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// TLS; `None` = plain HTTP.
    pub tls: Option<ListenerTls>,
}

/// TLS of a listener.
#[derive(Clone, PartialEq, Eq)]
pub struct ListenerTls {
    /// PEM certificate chain.
    pub certificate: Arc<str>,
    /// PEM private key.
    pub key: crate::model::Sensitive<Arc<str>>,
    /// PEM roots of client certificates; `None` = client certificates are not asked for.
    pub client_roots: Option<Arc<str>>,
    /// Refuse clients without a certificate.
    pub client_required: bool,
}

impl std::fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerTls")
            .field("client_required", &self.client_required)
            .finish_non_exhaustive()
    }
}
