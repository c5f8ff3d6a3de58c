//! Register changes on their way into the audit log: this process owns the log, so it drains the outbox that every process fills.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    gatekeeper::{ports::AuditLog, record::AuditEvent},
    store::{self, Outbox},
};

/// How often the outbox is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// Most events of one look.
const AT_ONCE: u32 = 256;

/// Drains the outbox until `shutdown`, and once more after it.
pub(super) async fn drain(
    settings: store::Settings,
    audit: Arc<dyn AuditLog>,
    shutdown: CancellationToken,
) {
    loop {
        let is_last = tokio::time::timeout(EVERY, shutdown.cancelled())
            .await
            .is_ok();
        match drain_once(&settings, &audit).await {
            Ok(()) => {}
            // The events stay in the outbox; the next look finds them again.
            Err(error) => tracing::warn!(%error, "The outbox could not be drained."),
        }
        if is_last {
            return;
        }
    }
}

/// Appends everything that waits, in order; acknowledges only what the log holds.
async fn drain_once(settings: &store::Settings, audit: &Arc<dyn AuditLog>) -> Result<(), String> {
    loop {
        let pending = blocking(settings, |outbox| outbox.pending(AT_ONCE)).await?;
        if pending.is_empty() {
            return Ok(());
        }
        let mut ids = Vec::with_capacity(pending.len());
        for (id, change) in pending {
            audit
                .append(AuditEvent::Register(change))
                .await
                .map_err(|it| it.to_string())?;
            ids.push(id);
        }
        blocking(settings, move |outbox| outbox.acknowledge(&ids)).await?;
    }
}

/// Runs `work` on the outbox off the reactor's threads.
async fn blocking<T: Send + 'static>(
    settings: &store::Settings,
    work: impl FnOnce(&mut Outbox) -> Result<T, store::Error> + Send + 'static,
) -> Result<T, String> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || Outbox::open(&settings).and_then(|mut it| work(&mut it)))
        .await
        .map_err(|it| it.to_string())?
        .map_err(|it| it.to_string())
}
