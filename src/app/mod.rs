//! The composition root: puts adapters behind the ports, serves, reloads, drains.

mod descriptors;
mod outbox;
mod reload;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    admin::{Admin, Check},
    audit::{self, Log},
    config::{self, Configuration, Loaded},
    gatekeeper::{
        Gatekeeper,
        keys::Keys,
        ports::{AuditLog as _, Clock as _, SystemClock},
        record::{AuditEvent, Operated},
    },
    proxy::{Handle, Proxy, SystemResolver},
    store::{self, Reader},
    telemetry::Metrics,
};

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

impl Options {
    /// Reads and compiles the configuration as these options say.
    ///
    /// # Errors
    /// All its problems, rendered.
    pub fn load(&self) -> Result<Loaded, String> {
        let mut loaded =
            config::load(&self.config, SystemClock.now()).map_err(|it| it.to_string())?;
        if let Some(dir) = &self.state {
            loaded.configuration = loaded.configuration.with_state_dir(dir.clone());
        }
        Ok(loaded)
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
pub async fn run(options: Options, loaded: Loaded) -> Result<(), String> {
    warn(&loaded);
    let configuration = loaded.configuration;
    descriptors::raise(&configuration.proxy);
    let parts = open(&configuration)?;
    check_registers(&configuration, options.accept_older_registers)?;
    let gatekeeper = Gatekeeper::new(
        Arc::clone(&parts.registers) as _,
        Arc::clone(&parts.audit) as _,
        Arc::new(SystemClock),
    );
    let snapshot = configuration.build_snapshot(parts.keys.clone(), 1);
    show_expiries(&parts.metrics, &configuration);
    operated(
        &parts.audit,
        "started",
        [("config", configuration.version.clone())],
    )
    .await?;
    let shutdown = CancellationToken::new();
    let drained = CancellationToken::new();
    let proxy = Proxy::bind(
        configuration.proxy.clone(),
        gatekeeper,
        snapshot,
        Arc::clone(&parts.metrics),
        Arc::new(SystemResolver),
    )
    .await
    .map_err(|it| it.to_string())?;
    let admin = bind_admin(&configuration, &parts, proxy.handle()).await?;
    announce(&options, &proxy, &admin)?;
    let outbox = tokio::spawn(outbox::drain(
        configuration.store.clone(),
        Arc::clone(&parts.audit) as _,
        drained.clone(),
    ));
    let reloads = tokio::spawn(reload::watch(
        options,
        configuration,
        parts.keys.clone(),
        proxy.handle(),
        Arc::clone(&parts.audit),
        Arc::clone(&parts.metrics),
    ));
    let admin = tokio::spawn(admin.serve(drained.clone()));
    tokio::spawn(stop_on_signal(shutdown.clone()));
    proxy.serve(shutdown).await;
    drained.cancel();
    reloads.abort();
    let _ended = tokio::join!(outbox, admin);
    operated(&parts.audit, "stopped", []).await?;
    parts.audit.close().map_err(|it| it.to_string())
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
    metrics.expiries(
        expiries
            .iter()
            .map(|it| (it.kind.as_str(), &*it.destination, it.until.end(offset))),
    );
}

/// Says what somebody should look at.
fn warn(loaded: &Loaded) {
    for it in loaded.warnings.iter() {
        tracing::warn!(path = %it.path, line = it.line, "{}", it.message);
    }
}

/// Binds the admin listener, with the questions of `/readyz`.
async fn bind_admin(
    configuration: &Configuration,
    parts: &Parts,
    proxy: Handle,
) -> Result<Admin, String> {
    let (audit, metrics) = (Arc::clone(&parts.audit), Arc::clone(&parts.metrics));
    let probe = move || {
        let is_writable = audit.is_writable();
        metrics.audit_writable(is_writable);
        vec![
            Check {
                name: "audit-log",
                is_ok: is_writable,
            },
            Check {
                name: "accepting",
                is_ok: !proxy.is_draining(),
            },
        ]
    };
    Admin::bind(
        &configuration.admin,
        Arc::clone(&parts.metrics),
        Arc::new(probe),
    )
    .await
    .map_err(|it| {
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

/// Puts an event about the gate itself on record.
async fn operated<const N: usize>(
    audit: &Log,
    action: &str,
    detail: [(&str, String); N],
) -> Result<(), String> {
    let event = Operated {
        at: SystemClock.now(),
        action: action.into(),
        detail: detail
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    };
    audit
        .append(AuditEvent::Operated(event))
        .await
        .map(drop)
        .map_err(|it| it.to_string())
}

/// The first SIGTERM or SIGINT drains; a second one ends the process at once.
async fn stop_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("Signals cannot be received.");
        return;
    };
    for is_second in [false, true] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if is_second {
            tracing::warn!("Second signal: ending without waiting for what is in flight.");
            std::process::exit(1);
        }
        tracing::info!("Draining.");
        shutdown.cancel();
    }
}
