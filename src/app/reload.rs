//! SIGHUP: a new configuration takes force whole, or the old one stays and the refusal is on record.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::{Options, operated, show_expiries, warn};
use crate::{
    audit::Log,
    config::{Configuration, restart_only_changes},
    gatekeeper::keys::Keys,
    proxy::Handle,
    telemetry::Metrics,
};

/// Reloads at each SIGHUP until the task is aborted.
pub(super) async fn watch(
    options: Options,
    mut current: Configuration,
    keys: Keys,
    proxy: Handle,
    audit: Arc<Log>,
    metrics: Arc<Metrics>,
) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        tracing::error!("SIGHUP cannot be received; reloading needs a restart.");
        return;
    };
    let mut generation = 1;
    while hangup.recv().await.is_some() {
        let next = prepare(&options, &current).inspect_err(|_| metrics.refused_reload());
        let taken = next.and_then(|it| take_into_force(it, &keys, &proxy, generation + 1));
        let recorded = match taken {
            Ok(next) => {
                generation += 1;
                show_expiries(&metrics, &next);
                tracing::info!(generation, version = %next.version, "Reloaded.");
                let detail = [
                    ("config", next.version.clone()),
                    ("generation", generation.to_string()),
                ];
                current = next;
                operated(&audit, "reloaded", detail).await
            }
            Err(problems) => {
                tracing::error!(
                    "The new configuration is refused, the old one stays in force.\n{problems}"
                );
                operated(
                    &audit,
                    "reload-refused",
                    [("generation", generation.to_string())],
                )
                .await
            }
        };
        if let Err(error) = recorded {
            tracing::error!(%error, "The reload could not be recorded.");
        }
    }
}

/// The new configuration, if it may take force without a restart.
fn prepare(options: &Options, current: &Configuration) -> Result<Configuration, String> {
    let loaded = options.load()?;
    warn(&loaded);
    let names = restart_only_changes(current, &loaded.configuration);
    if names.is_empty() {
        Ok(loaded.configuration)
    } else {
        Err(format!(
            "these take force only at a restart: {}",
            names.join(", ")
        ))
    }
}

/// Swaps the data plane over; it counts a refusal of its own.
fn take_into_force(
    next: Configuration,
    keys: &Keys,
    proxy: &Handle,
    generation: u64,
) -> Result<Configuration, String> {
    proxy.swap(next.build_snapshot(keys.clone(), generation))?;
    Ok(next)
}
