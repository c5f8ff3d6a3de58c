//! The data plane as a whole: bind, serve, swap, drain.

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Listener, Settings,
    listener::{self, Bound, Door, Tasks, Times},
    spool::Spool,
    stack::{Gate, Generation},
    tls::Identities,
    upstream::{Resolve, Upstreams},
};
use crate::{
    gatekeeper::{Gatekeeper, Snapshot, capacity::Capacity},
    telemetry::Metrics,
};

/// How long a connection without a request stays open when draining begins. There is no way to tell its client: what it sends
/// while the connection closes is lost to it.
const LINGER_TIME: Duration = Duration::from_millis(500);

/// Sockets that listen already, by listener id; they do not block.
pub type Sockets = BTreeMap<Arc<str>, std::net::TcpListener>;

/// The data plane, bound and not yet serving.
#[derive(Debug)]
pub struct Proxy {
    gate: Arc<Gate>,
    bound: Vec<Bound>,
    identities: Identities,
    tasks: Tasks,
    drain_time: Duration,
    resolver: Arc<dyn Resolve>,
}

/// What may be done to the data plane while it serves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    gate: Arc<Gate>,
    identities: Identities,
    tasks: Tasks,
    resolver: Arc<dyn Resolve>,
}

impl Proxy {
    /// Binds every listener and prepares the ways out of `snapshot`. Connections wait in the backlog until
    /// [`serve`](Self::serve) runs.
    ///
    /// # Errors
    /// An address is taken, or TLS of a listener or upstream cannot be set up (`InvalidInput`, with the id and the mend).
    pub async fn bind(
        settings: Settings,
        gatekeeper: Gatekeeper,
        snapshot: Arc<Snapshot>,
        metrics: Arc<Metrics>,
        resolver: Arc<dyn Resolve>,
    ) -> io::Result<Self> {
        let none = Sockets::new();
        Self::bind_with(settings, none, gatekeeper, snapshot, metrics, resolver).await
    }

    /// [`bind`](Self::bind), where the listeners named in `sockets` use these sockets in place of their address.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_with(
        settings: Settings,
        mut sockets: Sockets,
        gatekeeper: Gatekeeper,
        snapshot: Arc<Snapshot>,
        metrics: Arc<Metrics>,
        resolver: Arc<dyn Resolve>,
    ) -> io::Result<Self> {
        let upstreams = Upstreams::new(&snapshot, &Upstreams::default(), &resolver, &metrics)
            .map_err(invalid)?;
        let identities = Identities::new(&settings.listeners).map_err(invalid)?;
        let gate = gate(&settings, gatekeeper, snapshot, metrics, upstreams)?;
        gate.metrics.certificates(identities.ends());
        let mut bound = Vec::with_capacity(settings.listeners.len());
        for it in &settings.listeners {
            let socket = match sockets.remove(&it.id) {
                Some(socket) => TcpListener::from_std(socket)?,
                None => bind(it).await?,
            };
            bound.push(Bound {
                socket,
                door: Door {
                    id: Arc::clone(&it.id),
                    tls: identities.of(&it.id).cloned(),
                    times: Times {
                        head: settings.head_time,
                        idle: settings.idle_time,
                        write: settings.write_time,
                    },
                },
            });
        }
        Ok(Self {
            gate: Arc::new(gate),
            bound,
            identities,
            tasks: Tasks {
                tracker: TaskTracker::new(),
                drain: CancellationToken::new(),
                quiet: CancellationToken::new(),
                abort: CancellationToken::new(),
            },
            drain_time: settings.drain_time,
            resolver,
        })
    }

    /// Listener ids with the addresses they got.
    ///
    /// # Errors
    /// The system does not say.
    pub fn addresses(&self) -> io::Result<Vec<(Arc<str>, SocketAddr)>> {
        self.bound
            .iter()
            .map(|it| Ok((Arc::clone(&it.door.id), it.socket.local_addr()?)))
            .collect()
    }

    /// A handle for reload and readiness.
    pub fn handle(&self) -> Handle {
        Handle {
            gate: Arc::clone(&self.gate),
            identities: self.identities.clone(),
            tasks: self.tasks.clone(),
            resolver: Arc::clone(&self.resolver),
        }
    }

    /// Serves until `shutdown`, then drains: closes the listeners, says with each answer that the connection ends, closes
    /// connections that stay idle, lets exchanges finish for the drain time, and ends what is left. Returns when no task of the data
    /// plane runs any more; completions are queued by then.
    pub async fn serve(self, shutdown: CancellationToken) {
        let Tasks {
            tracker,
            drain,
            quiet,
            abort,
        } = self.tasks.clone();
        for bound in self.bound {
            tracker.spawn(listener::accept(
                bound,
                Arc::clone(&self.gate),
                self.tasks.clone(),
            ));
        }
        shutdown.cancelled().await;
        tracing::info!("Draining.");
        drain.cancel();
        tracker.close();
        let ending = async {
            // A client that is busy learns with its next answer that the connection ends, and sends nothing into a closing one.
            let linger = LINGER_TIME.min(self.drain_time / 4);
            if timeout(linger, tracker.wait()).await.is_err() {
                quiet.cancel();
                tracker.wait().await;
            }
        };
        if timeout(self.drain_time, ending).await.is_err() {
            tracing::warn!(
                tasks = tracker.len(),
                "The drain time is over; what is left is ended."
            );
            abort.cancel();
            tracker.wait().await;
        }
    }
}

impl Handle {
    /// Whether a large body could be kept on the disk now.
    pub async fn can_spool(&self) -> bool {
        self.gate.spool.works().await
    }

    /// [`take`](Self::take), with listeners as they are.
    ///
    /// # Errors
    /// TLS of an upstream cannot be set up; the old configuration stays in force.
    pub fn swap(&self, snapshot: Arc<Snapshot>) -> Result<(), String> {
        self.take(snapshot, &[])
    }

    /// Takes `snapshot` into force for the requests that come from now on, and the certificates, keys and client roots of
    /// `listeners` for the handshakes that come. Exchanges under way finish under the old one. A destination that is reached as
    /// before keeps its connections. Whole or nothing.
    ///
    /// # Errors
    /// TLS of an upstream or listener cannot be set up; the old configuration stays in force.
    pub fn take(&self, snapshot: Arc<Snapshot>, listeners: &[Listener]) -> Result<(), String> {
        let metrics = &self.gate.metrics;
        let before = self.gate.generation.load_full();
        let prepared = self.identities.renewals(listeners).and_then(|renewals| {
            let upstreams = Upstreams::new(&snapshot, &before.upstreams, &self.resolver, metrics)?;
            Ok((renewals, upstreams))
        });
        let (renewals, upstreams) = prepared.inspect_err(|_| metrics.refused_reload())?;
        metrics.took_into_force(&snapshot.versions.config, snapshot.versions.generation);
        self.gate.generation.store(Arc::new(Generation {
            snapshot,
            upstreams,
            _alive: metrics.generation(),
        }));
        for it in renewals {
            tracing::info!(listener = &*it.listener, "A new certificate is presented.");
            metrics.renewed_certificate();
            it.present();
        }
        metrics.certificates(self.identities.ends());
        Ok(())
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.gate.generation.load().snapshot)
    }

    /// Whether no new connections are accepted any more.
    pub fn is_draining(&self) -> bool {
        self.tasks.drain.is_cancelled()
    }
}

async fn bind(listener: &Listener) -> io::Result<TcpListener> {
    TcpListener::bind(listener.bind).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "listener `{}` cannot bind {}: {error}; free the address or change `bind`",
                listener.id, listener.bind
            ),
        )
    })
}

/// What all requests share.
fn gate(
    settings: &Settings,
    gatekeeper: Gatekeeper,
    snapshot: Arc<Snapshot>,
    metrics: Arc<Metrics>,
    upstreams: Upstreams,
) -> io::Result<Gate> {
    let capacity = Arc::new(Capacity::new(settings.memory, settings.spool.size));
    let spool = open_spool(settings, &capacity)?;
    metrics.watch(Arc::clone(&capacity));
    metrics.took_into_force(&snapshot.versions.config, snapshot.versions.generation);
    Ok(Gate {
        generation: ArcSwap::from_pointee(Generation {
            snapshot,
            upstreams,
            _alive: metrics.generation(),
        }),
        gatekeeper: gatekeeper.within(Arc::clone(&capacity)),
        metrics,
        slots: Arc::new(Semaphore::new(settings.concurrency)),
        clients: Arc::default(),
        per_client: settings.per_client,
        connections: Arc::new(Semaphore::new(settings.connections)),
        peers: Arc::default(),
        connections_per_client: settings.connections_per_client,
        capacity,
        spool,
        spool_above: settings.spool.above,
    })
}

fn open_spool(settings: &Settings, capacity: &Arc<Capacity>) -> io::Result<Spool> {
    let dir = &settings.spool.dir;
    Spool::open(dir, Arc::clone(capacity)).map_err(|error| {
        let dir = dir.display();
        io::Error::new(
            error.kind(),
            format!("the spool {dir} cannot be used: {error}; make it writable or change `limits.spool_dir`"),
        )
    })
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
