//! The composition root: puts adapters behind the ports, serves, reloads, drains.

mod condition;
mod descriptors;
mod manager;
mod outbox;
mod reload;

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use condition::Condition;
use reload::Reloader;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::{self, Admin, Check, Weight},
    audit::{self, Log},
    config::{Configuration, Loaded, Loader, Problems, Sources},
    gatekeeper::{
        Gatekeeper,
        keys::Keys,
        ports::{AuditLog as _, Clock as _, SystemClock},
        record::{AuditEvent, Operated},
    },
    proxy::{Proxy, SystemResolver},
    store::{self, Reader},
    telemetry::Metrics,
};

/// Number of the configuration that a process starts with.
const FIRST_GENERATION: u64 = 1;
/// How many of the newest records say which state of the registers was last seen.
const NEWEST: u64 = 10_000;

/// What `run` was told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Configuration file.
    pub config: PathBuf,
    /// State directory that overrides the file's.
    pub state: Option<PathBuf>,
    /// Where to write the bound addresses once everything listens.
    pub ready_file: Option<PathBuf>,
    /// Start also on registers that are older than the log says.
    pub accept_older_registers: bool,
}

/// A configuration that was read, and what reads it again.
#[derive(Debug)]
pub struct Start {
    loader: Loader,
    loaded: Loaded,
    sources: Sources,
}

impl Options {
    /// Reads and compiles the configuration as these options say.
    ///
    /// # Errors
    /// All its problems, rendered.
    pub fn load(&self) -> Result<Start, String> {
        let mut loader = Loader::new(self.config.clone(), self.state.clone());
        let attempt = loader.load(SystemClock.now());
        Ok(Start {
            loader,
            loaded: attempt.outcome.map_err(|it| it.to_string())?,
            sources: attempt.sources,
        })
    }
}

impl Start {
    /// What may take force.
    pub const fn configuration(&self) -> &Configuration {
        &self.loaded.configuration
    }
}

/// The signals that a gate takes. From when they are made, a signal waits instead of ending the process.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, String> {
        let of = |kind| signal(kind).map_err(|it| format!("signals cannot be received: {it}"));
        Ok(Self {
            hangup: of(SignalKind::hangup())?,
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
        })
    }
}

/// The adapters behind the ports.
struct Parts {
    keys: Keys,
    registers: Arc<store::Registers>,
    audit: Arc<Log>,
    metrics: Arc<Metrics>,
}

/// Serves until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// Something cannot be opened or bound; the text names it and the mend.
pub async fn run(options: Options, start: Start) -> Result<(), String> {
    let signals = Signals::new()?;
    let passed = manager::passed_sockets()?;
    warn(&start.loaded.warnings);
    let configuration = start.loaded.configuration;
    descriptors::raise(&configuration.proxy);
    let parts = open(&configuration)?;
    check_registers(&configuration, options.accept_older_registers)?;
    let (proxy, admin_socket) = bind_proxy(&configuration, &parts, passed).await?;
    let stop = Stop::default();
    let condition = Arc::new(Condition::new(&configuration));
    let admin = bind_admin(
        &configuration,
        &parts,
        &condition,
        (admin_socket, stop.asked.clone()),
    )
    .await?;
    operated(
        &parts.audit,
        "started",
        [("config", configuration.version.clone())],
    )
    .await?;
    announce(&options, &proxy, &admin)?;
    let outbox = tokio::spawn(outbox::drain(
        configuration.store.clone(),
        Arc::clone(&parts.audit) as _,
        stop.drained.clone(),
    ));
    let admin = tokio::spawn(admin.serve(stop.drained.clone()));
    let watching = Arc::clone(&condition).watch(Arc::clone(&parts.registers) as _, proxy.handle());
    let watching = tokio::spawn(watching);
    let watchdog = tokio::spawn(manager::feed_watchdog(Arc::clone(&parts.audit)));
    manager::ready(&reload::status(&configuration, FIRST_GENERATION));
    let longest = configuration.drain_delay + configuration.proxy.drain_time;
    tokio::spawn(stop_on_signal(
        (signals.terminate, signals.interrupt),
        stop.clone(),
        (configuration.drain_delay, longest),
    ));
    let reloader = Reloader {
        loader: start.loader,
        current: configuration,
        sources: start.sources,
        keys: parts.keys.clone(),
        proxy: proxy.handle(),
        audit: Arc::clone(&parts.audit),
        metrics: Arc::clone(&parts.metrics),
        condition,
        generation: FIRST_GENERATION,
    };
    let reloads = tokio::spawn(reloader.watch(signals.hangup));
    proxy.serve(stop.close.clone()).await;
    stop.drained.cancel();
    reloads.abort();
    watchdog.abort();
    watching.abort();
    let _ended = tokio::join!(outbox, admin);
    operated(&parts.audit, "stopped", []).await?;
    parts.audit.close().map_err(|it| it.to_string())?;
    tracing::info!("Stopped.");
    Ok(())
}

/// The steps of a stop, each for those who wait for it.
#[derive(Clone, Debug, Default)]
struct Stop {
    /// The gate was asked to stop: readiness says no.
    asked: CancellationToken,
    /// The listeners close, exchanges finish.
    close: CancellationToken,
    /// No exchange is under way any more.
    drained: CancellationToken,
}

/// Binds the data plane to the sockets that were handed over, and to its own. The other socket is the admin listener's.
async fn bind_proxy(
    configuration: &Configuration,
    parts: &Parts,
    passed: manager::Passed,
) -> Result<(Proxy, Option<TcpListener>), String> {
    let (sockets, admin) =
        passed.assign(&configuration.proxy.listeners, configuration.admin.bind)?;
    let gatekeeper = Gatekeeper::new(
        Arc::clone(&parts.registers) as _,
        Arc::clone(&parts.audit) as _,
        Arc::new(SystemClock),
    );
    let snapshot = configuration.build_snapshot(parts.keys.clone(), FIRST_GENERATION);
    show_expiries(&parts.metrics, configuration);
    let proxy = Proxy::bind_with(
        configuration.proxy.clone(),
        sockets,
        gatekeeper,
        snapshot,
        Arc::clone(&parts.metrics),
        Arc::new(SystemResolver),
    );
    Ok((proxy.await.map_err(|it| it.to_string())?, admin))
}

/// Opens keys, registers and log, in the order in which a failure says most.
fn open(configuration: &Configuration) -> Result<Parts, String> {
    let keys =
        store::keys::open_or_create(&configuration.store.dir).map_err(|it| it.to_string())?;
    for warning in configuration.store.permission_warnings() {
        tracing::warn!("{warning}");
    }
    let registers = store::Registers::open(&configuration.store).map_err(|it| it.to_string())?;
    let audit = Log::open(&configuration.audit).map_err(|it| it.to_string())?;
    let metrics = Metrics::new().map_err(|it| format!("cannot register the metrics: {it}"))?;
    Ok(Parts {
        keys,
        registers: Arc::new(registers),
        audit: Arc::new(audit),
        metrics: Arc::new(metrics),
    })
}

/// Shows when what the configuration rests on ends.
fn show_expiries(metrics: &Metrics, configuration: &Configuration) {
    let offset = configuration.operator.utc_offset;
    let expiries = configuration.expiries(SystemClock.now());
    let validities = configuration.validities();
    let on_days = expiries
        .iter()
        .map(|it| (it.kind, &it.destination, it.until.end(offset)));
    let at_instants = validities
        .iter()
        .map(|(destination, kind, end)| (*kind, destination, *end));
    metrics.expiries(
        on_days
            .chain(at_instants)
            .map(|(kind, destination, end)| (kind.as_str(), &**destination, end)),
    );
}

/// Says what somebody should look at.
fn warn(warnings: &Problems) {
    for it in warnings.iter() {
        tracing::warn!(path = %it.path, line = it.line, "{}", it.message);
    }
}

/// Binds the admin listener, with the questions of `/readyz`.
async fn bind_admin(
    configuration: &Configuration,
    parts: &Parts,
    condition: &Arc<Condition>,
    (socket, stop): (Option<TcpListener>, CancellationToken),
) -> Result<Admin, String> {
    let (audit, metrics) = (Arc::clone(&parts.audit), Arc::clone(&parts.metrics));
    let condition = Arc::clone(condition);
    let probe = move || {
        let is_writable = audit.is_writable();
        metrics.audit_writable(is_writable);
        let vital = |name, is_ok| Check {
            name,
            is_ok,
            weight: Weight::Vital,
        };
        let mut checks = vec![
            vital("audit-log", is_writable),
            vital("accepting", !stop.is_cancelled()),
        ];
        checks.extend(condition.checks());
        admin::Condition {
            checks,
            notes: condition.notes(SystemClock.now()),
        }
    };
    let (metrics, probe) = (Arc::clone(&parts.metrics), Arc::new(probe));
    let bound = match socket {
        Some(socket) => Admin::on(socket, metrics, probe),
        None => Admin::bind(&configuration.admin, metrics, probe).await,
    };
    bound.map_err(|it| {
        format!(
            "the admin listener cannot bind {}: {it}; free the address or change `admin.bind`",
            configuration.admin.bind
        )
    })
}

/// Refuses registers that are older than what the log says of them: a backup put back would forget withdrawals in silence.
///
/// Looks at the newest records only: every decision about persons names the state that it was made on.
fn check_registers(configuration: &Configuration, accept_older: bool) -> Result<(), String> {
    let in_log = newest_register_sequence(&configuration.audit.dir)?;
    let mut reader = Reader::open(&configuration.store).map_err(|it| it.to_string())?;
    let in_registers = reader.state().map_err(|it| it.to_string())?.sequence();
    match in_log {
        Some(in_log) if in_log > in_registers && !accept_older => Err(format!(
            "{} is older than the audit log: it ends at change {in_registers}, the log knows change {in_log}. \
             Changes between them, withdrawals among them, would be forgotten. Put the newer file back; \
             if it is lost, record the changes again from `shekara audit export` and start once with --accept-older-registers",
            configuration.store.database().display()
        )),
        Some(_) | None => Ok(()),
    }
}

fn newest_register_sequence(dir: &Path) -> Result<Option<u64>, String> {
    let records = audit::reader::tail(dir, NEWEST).map_err(|it| it.to_string())?;
    let mut newest = None;
    for record in records {
        let sequence = match record.map_err(|it| it.to_string())?.event {
            AuditEvent::Decided(it) => it.register_sequence,
            AuditEvent::Register(it) => Some(it.register_sequence),
            AuditEvent::Completed(_) | AuditEvent::Operated(_) => None,
        };
        newest = newest.max(sequence);
    }
    Ok(newest)
}

/// The address book of what listens: `{"listeners":{"main":"127.0.0.1:8080"},"admin":"127.0.0.1:9464"}`.
fn announce(options: &Options, proxy: &Proxy, admin: &Admin) -> Result<(), String> {
    let listeners: BTreeMap<String, SocketAddr> = proxy
        .addresses()
        .map_err(|it| it.to_string())?
        .into_iter()
        .map(|(id, address)| (id.to_string(), address))
        .collect();
    let admin = admin.address().map_err(|it| it.to_string())?;
    for (listener, address) in &listeners {
        tracing::info!(%listener, %address, "Listening.");
    }
    tracing::info!(address = %admin, "Admin listening.");
    let Some(path) = &options.ready_file else {
        return Ok(());
    };
    let text = serde_json::json!({ "listeners": listeners, "admin": admin }).to_string();
    write_whole(path, &text).map_err(|it| format!("cannot write {}: {it}", path.display()))
}

/// A reader sees the file whole or not at all.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, text)?;
    fs::rename(partial, path)
}

/// An event about the gate itself, now.
fn on_record<const N: usize>(action: &str, detail: [(&str, String); N]) -> AuditEvent {
    AuditEvent::Operated(Operated {
        at: SystemClock.now(),
        action: action.into(),
        detail: detail
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    })
}

/// Puts an event about the gate itself on record.
async fn operated<const N: usize>(
    audit: &Log,
    action: &str,
    detail: [(&str, String); N],
) -> Result<(), String> {
    audit
        .append(on_record(action, detail))
        .await
        .map(drop)
        .map_err(|it| it.to_string())
}

/// The first SIGTERM or SIGINT drains after `delay`, in which readiness says no; a second one ends the process at once. `longest`
/// is what all of it may take.
async fn stop_on_signal(
    (mut terminate, mut interrupt): (Signal, Signal),
    stop: Stop,
    (delay, longest): (Duration, Duration),
) {
    for is_second in [false, true] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if is_second {
            tracing::warn!("Second signal: ending without waiting for what is in flight.");
            std::process::exit(1);
        }
        tracing::info!("Asked to stop.");
        stop.asked.cancel();
        manager::stopping(longest);
        let close = stop.close.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            close.cancel();
        });
    }
}
