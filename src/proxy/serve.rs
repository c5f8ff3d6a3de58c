//! The data plane as a whole: bind, serve, swap, drain.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Listener, Settings,
    listener::{self, Bound, Tasks, Times},
    stack::{Gate, Generation},
    tls::server_config,
    upstream::{Resolve, Upstreams},
};
use crate::{
    gatekeeper::{Gatekeeper, Snapshot},
    telemetry::Metrics,
};

/// The data plane, bound and not yet serving.
#[derive(Debug)]
pub struct Proxy {
    gate: Arc<Gate>,
    bound: Vec<Bound>,
    tasks: Tasks,
    drain_time: Duration,
    resolver: Arc<dyn Resolve>,
}

/// What may be done to the data plane while it serves. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    gate: Arc<Gate>,
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
        let upstreams = Upstreams::new(&snapshot, &resolver).map_err(invalid)?;
        metrics.took_into_force(snapshot.versions.generation);
        let mut bound = Vec::with_capacity(settings.listeners.len());
        for it in &settings.listeners {
            bound.push(bind(it, &settings).await?);
        }
        Ok(Self {
            gate: Arc::new(Gate {
                generation: ArcSwap::from_pointee(Generation {
                    snapshot,
                    upstreams,
                }),
                gatekeeper,
                metrics,
                slots: Arc::new(Semaphore::new(settings.concurrency)),
                connections: Arc::new(Semaphore::new(settings.connections)),
            }),
            bound,
            tasks: Tasks {
                tracker: TaskTracker::new(),
                drain: CancellationToken::new(),
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
            .map(|it| Ok((Arc::clone(&it.id), it.socket.local_addr()?)))
            .collect()
    }

    /// A handle for reload and readiness.
    pub fn handle(&self) -> Handle {
        Handle {
            gate: Arc::clone(&self.gate),
            tasks: self.tasks.clone(),
            resolver: Arc::clone(&self.resolver),
        }
    }

    /// Serves until `shutdown`, then drains: accepts no more, closes idle connections, lets exchanges finish for the drain time,
    /// and ends what is left. Returns when no task of the data plane runs any more; completions are queued by then.
    pub async fn serve(self, shutdown: CancellationToken) {
        let Tasks {
            tracker,
            drain,
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
        if timeout(self.drain_time, tracker.wait()).await.is_err() {
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
    /// Takes `snapshot` into force for the requests that come from now on; exchanges under way finish under the old one, on
    /// the old one's connections. Whole or nothing.
    ///
    /// # Errors
    /// TLS of an upstream cannot be set up; the old configuration stays in force.
    pub fn swap(&self, snapshot: Arc<Snapshot>) -> Result<(), String> {
        let upstreams = Upstreams::new(&snapshot, &self.resolver)
            .inspect_err(|_| self.gate.metrics.refused_reload())?;
        self.gate
            .metrics
            .took_into_force(snapshot.versions.generation);
        self.gate.generation.store(Arc::new(Generation {
            snapshot,
            upstreams,
        }));
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

async fn bind(listener: &Listener, settings: &Settings) -> io::Result<Bound> {
    let tls = listener
        .tls
        .as_ref()
        .map(|it| server_config(it).map(Arc::new))
        .transpose()
        .map_err(|error| invalid(format!("TLS of listener `{}`: {error}", listener.id)))?;
    let socket = TcpListener::bind(listener.bind).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "listener `{}` cannot bind {}: {error}; free the address or change `bind`",
                listener.id, listener.bind
            ),
        )
    })?;
    Ok(Bound {
        id: Arc::clone(&listener.id),
        socket,
        tls,
        times: Times {
            head: settings.head_time,
            idle: settings.idle_time,
            write: settings.write_time,
        },
    })
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
