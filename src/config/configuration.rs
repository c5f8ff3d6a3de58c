//! A configuration that passed every check, ready to take force.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use super::expiry::Exception;
use crate::{
    admin, audit,
    gatekeeper::{
        Snapshot,
        destination::{Caller, Destination, DestinationTable},
        keys::Keys,
        record::Versions,
    },
    inspect::Inspector,
    model::{
        Purpose,
        destination::RoutePurpose,
        law::{Operator, Profile},
    },
    policy::{Policy, ReasonTable},
    proxy, store, telemetry,
};

/// Everything the file says, compiled.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// For the data plane.
    pub proxy: proxy::Settings,
    /// For the admin listener.
    pub admin: admin::Settings,
    /// For the program's log.
    pub telemetry: telemetry::Settings,
    /// For the audit log.
    pub audit: audit::Settings,
    /// For the registers.
    pub store: store::Settings,
    /// How changes take force while the gate runs.
    pub reload: Reload,
    /// Time between the signal to stop and the close of the listeners, in which readiness says no.
    pub drain_delay: Duration,
    /// Whose gate this is.
    pub operator: Operator,
    /// Who may call.
    pub callers: Arc<[Caller]>,
    /// Reads messages.
    pub inspector: Arc<Inspector>,
    /// Ways out, in the order of the file.
    pub destinations: Vec<Arc<Destination>>,
    /// Every profile that was read, used or not, by code.
    pub profiles: BTreeMap<Arc<str>, Arc<Profile>>,
    /// Defaults set aside by somebody's word, each until a day.
    pub exceptions: Vec<Exception>,
    /// Rules, citations, statuses and texts.
    pub reasons: Arc<ReasonTable>,
    /// First 16 hex digits of the SHA-256 of the file.
    pub version: String,
    /// Name of each data file to the first 16 hex digits of its SHA-256.
    pub data_versions: BTreeMap<String, String>,
}

/// How changes take force while the gate runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// How often the content of the file, and of every file that it names, is looked at; `None` = only at SIGHUP. Default 2 s.
    pub watch: Option<Duration>,
}

impl Configuration {
    /// The snapshot of this configuration under `keys`, as the `generation`th that this process takes into force.
    pub fn build_snapshot(&self, keys: Keys, generation: u64) -> Arc<Snapshot> {
        Arc::new(Snapshot {
            operator: self.operator.clone(),
            destinations: DestinationTable::new(self.destinations.clone()),
            callers: Arc::clone(&self.callers),
            inspector: Arc::clone(&self.inspector),
            policy: Policy::new(self.operator.clone(), Arc::clone(&self.reasons)),
            keys,
            versions: Arc::new(Versions {
                program: env!("CARGO_PKG_VERSION").to_owned(),
                config: self.version.clone(),
                generation,
                data: self.data_versions.clone(),
            }),
        })
    }

    /// Every purpose that a route declares or lets claim.
    pub fn purposes(&self) -> impl Iterator<Item = Purpose> {
        let routes = self.destinations.iter().flat_map(|it| &it.facts.routes);
        routes.flat_map(|it| match &it.purpose {
            RoutePurpose::Claimable(choices) => choices.iter().cloned().collect(),
            RoutePurpose::Declared(purpose) => vec![purpose.clone()],
        })
    }

    /// This configuration with another state directory (`--state`).
    #[must_use]
    pub fn with_state_dir(mut self, dir: PathBuf) -> Self {
        self.audit.dir = audit_dir(&dir);
        if self.proxy.spool.dir == spool_dir(&self.store.dir) {
            self.proxy.spool.dir = spool_dir(&dir);
        }
        self.store.dir = dir;
        self
    }
}

/// Where the audit log stands in the state directory.
pub(super) fn audit_dir(state: &std::path::Path) -> PathBuf {
    state.join("audit")
}

/// Where large bodies are kept in the state directory, unless the file names another place.
pub(super) fn spool_dir(state: &std::path::Path) -> PathBuf {
    state.join("spool")
}

/// Names of what differs between `old` and `new` and takes force only at a start. A reload with any of them is refused whole:
/// half of a configuration in force is worse than the old one.
pub fn restart_only_changes(old: &Configuration, new: &Configuration) -> Vec<String> {
    let (was, is) = (&old.proxy, &new.proxy);
    let mut names = listener_changes(&was.listeners, &is.listeners);
    let settings = [
        ("limits.concurrency", was.concurrency != is.concurrency),
        ("limits.drain_delay", old.drain_delay != new.drain_delay),
        ("limits.drain_time", was.drain_time != is.drain_time),
        ("limits.head_time", was.head_time != is.head_time),
        ("limits.connections", was.connections != is.connections),
        ("limits.idle_time", was.idle_time != is.idle_time),
        ("limits.write_time", was.write_time != is.write_time),
        ("limits.per_client", was.per_client != is.per_client),
        (
            "limits.connections_per_client",
            was.connections_per_client != is.connections_per_client,
        ),
        ("limits.memory", was.memory != is.memory),
        ("limits.spool_above", was.spool.above != is.spool.above),
        (
            "limits.spool_dir",
            was.spool.dir != is.spool.dir && old.store == new.store,
        ),
        ("limits.spool_size", was.spool.size != is.spool.size),
        ("admin", old.admin != new.admin),
        ("log", old.telemetry != new.telemetry),
        ("state_dir", old.store != new.store),
        (
            "audit.segment_size",
            old.audit.segment_bytes != new.audit.segment_bytes,
        ),
    ];
    let changed = settings.into_iter().filter(|(_, is_changed)| *is_changed);
    names.extend(changed.map(|(name, _)| name.to_owned()));
    names
}

fn listener_changes(old: &[proxy::Listener], new: &[proxy::Listener]) -> Vec<String> {
    let ids = old.iter().chain(new).map(|it| Arc::clone(&it.id));
    let ids: std::collections::BTreeSet<Arc<str>> = ids.collect();
    ids.into_iter()
        .filter_map(|id| {
            let was = old.iter().find(|it| it.id == id);
            let is = new.iter().find(|it| it.id == id);
            match (was, is) {
                (Some(was), Some(is)) if was.bind != is.bind => {
                    Some(format!("listeners.{id}.bind"))
                }
                (Some(was), Some(is)) if was.tls.is_some() != is.tls.is_some() => {
                    Some(format!("listeners.{id}.tls"))
                }
                (Some(_), Some(_)) | (None, None) => None,
                (Some(_), None) | (None, Some(_)) => Some(format!("listeners.{id}")),
            }
        })
        .collect()
}
