//! Reload, at SIGHUP and when the content of a file changes: a new configuration takes force whole, or the old one stays and the
//! refusal is on record.

use std::{sync::Arc, time::Duration};

use tokio::{
    signal::unix::Signal,
    time::{Instant, sleep, sleep_until},
};

use super::{condition::Condition, manager, on_record, show_expiries, warn};
use crate::{
    audit::Log,
    config::{Attempt, Configuration, Loader, Problems, Sources, restart_only_changes},
    gatekeeper::{
        keys::Keys,
        ports::{AuditLog as _, Clock as _, SystemClock},
    },
    proxy::Handle,
    telemetry::Metrics,
};

/// How long files must stay as they are before a change is believed to be whole.
const SETTLE_TIME: Duration = Duration::from_millis(100);
/// How many times a file may still change before it is read all the same.
const SETTLE_ROUNDS: u32 = 20;
/// Time after which what could not be used is read once more: whoever writes a file may be half-way.
const RETRY_TIME: Duration = Duration::from_millis(300);

/// What asks for a reload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    Content,
    Signal,
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Signal => "signal",
        }
    }
}

/// Takes new configurations into force.
#[derive(Debug)]
pub(super) struct Reloader {
    /// Reads; another one stands here while it is at work on another thread.
    pub(super) loader: Loader,
    /// In force.
    pub(super) current: Configuration,
    /// What was read last, taken or refused.
    pub(super) sources: Sources,
    pub(super) keys: Keys,
    pub(super) proxy: Handle,
    pub(super) audit: Arc<Log>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) condition: Arc<Condition>,
    /// Number of the configuration in force.
    pub(super) generation: u64,
}

impl Reloader {
    /// Reloads at each SIGHUP, and when the content of a file changes, until the task is aborted.
    pub(super) async fn watch(mut self, mut hangup: Signal) {
        let mut next_look = self.next_look();
        loop {
            let looking = async {
                match next_look {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                signal = hangup.recv() => match signal {
                    Some(()) => self.reload(Cause::Signal).await,
                    None => return,
                },
                () = looking => {
                    if self.has_changed().await {
                        self.reload(Cause::Content).await;
                    }
                    next_look = self.next_look();
                }
            }
            if self.current.reload.watch.is_some() != next_look.is_some() {
                next_look = self.next_look();
            }
        }
    }

    fn next_look(&self) -> Option<Instant> {
        self.current.reload.watch.map(|it| Instant::now() + it)
    }

    /// Whether some file has another content than was last read, and has stopped changing.
    async fn has_changed(&self) -> bool {
        let mut seen = look(&self.sources).await;
        for _ in 0..SETTLE_ROUNDS {
            if seen == self.sources {
                return false;
            }
            sleep(SETTLE_TIME).await;
            let again = look(&self.sources).await;
            if again == seen {
                return true;
            }
            seen = again;
        }
        true
    }

    async fn reload(&mut self, cause: Cause) {
        let began = Instant::now();
        manager::reloading();
        let outcome = match self.load().await {
            Ok(next) => self.take(next),
            Err(problems) => {
                if problems.iter().any(is_about_certificates) {
                    self.metrics.refused_certificate();
                }
                self.metrics.refused_reload();
                Err(problems.to_string())
            }
        };
        match outcome {
            Ok(next) => self.record_taken(next, cause, began.elapsed()),
            Err(problems) => self.record_refused(&problems, cause),
        }
        manager::ready(&self.status());
    }

    /// What a person at `systemctl status` reads.
    pub(super) fn status(&self) -> String {
        status(&self.current, self.generation)
    }

    /// The new configuration. What cannot be used is read once more before it is reported.
    async fn load(&mut self) -> Result<Configuration, Problems> {
        let mut attempt = self.attempt().await;
        if attempt.outcome.is_err() {
            sleep(RETRY_TIME).await;
            attempt = self.attempt().await;
        }
        self.sources = attempt.sources.and(&self.sources);
        attempt.outcome.map(|loaded| {
            warn(&loaded.warnings);
            loaded.configuration
        })
    }

    async fn attempt(&mut self) -> Attempt {
        let spare = self.loader.afresh();
        let mut loader = std::mem::replace(&mut self.loader, spare);
        let work = tokio::task::spawn_blocking(move || {
            let attempt = loader.load(SystemClock.now());
            (loader, attempt)
        });
        match work.await {
            Ok((loader, attempt)) => {
                self.loader = loader;
                attempt
            }
            Err(error) => {
                tracing::error!(
                    is_panic = error.is_panic(),
                    "Reading the configuration broke down."
                );
                Attempt::broken_down()
            }
        }
    }

    /// Takes `next` into force, if it may without a restart.
    fn take(&self, next: Configuration) -> Result<Configuration, String> {
        let names = restart_only_changes(&self.current, &next);
        if !names.is_empty() {
            self.metrics.refused_reload();
            return Err(format!(
                "these take force only at a restart: {}",
                names.join(", ")
            ));
        }
        let snapshot = next.build_snapshot(self.keys.clone(), self.generation + 1);
        self.proxy.take(snapshot, &next.proxy.listeners)?;
        Ok(next)
    }

    fn record_taken(&mut self, next: Configuration, cause: Cause, time: Duration) {
        self.generation += 1;
        show_expiries(&self.metrics, &next);
        self.condition.take(&next);
        tracing::info!(
            generation = self.generation,
            version = %next.version,
            cause = cause.as_str(),
            duration_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
            "Reloaded."
        );
        let detail = [
            ("config", next.version.clone()),
            ("generation", self.generation.to_string()),
            ("cause", cause.as_str().to_owned()),
        ];
        self.current = next;
        self.audit.append_later(on_record("reloaded", detail));
    }

    fn record_refused(&self, problems: &str, cause: Cause) {
        tracing::error!(
            "The new configuration is refused, the old one stays in force.\n{problems}"
        );
        let detail = [
            ("generation", self.generation.to_string()),
            ("cause", cause.as_str().to_owned()),
        ];
        self.audit.append_later(on_record("reload-refused", detail));
    }
}

/// What a person at `systemctl status` reads of a gate that serves.
pub(super) fn status(configuration: &Configuration, generation: u64) -> String {
    format!(
        "serving: {}, configuration {} (generation {generation})",
        crate::model::counted(configuration.destinations.len(), "destination"),
        configuration.version
    )
}

fn is_about_certificates(problem: &crate::config::Problem) -> bool {
    problem.path.starts_with("listeners[") && problem.path.contains("].tls")
}

/// The same files as they are now.
async fn look(sources: &Sources) -> Sources {
    let sources = sources.clone();
    let held = sources.clone();
    // A panic while reading looks like no change; the next look tries again.
    tokio::task::spawn_blocking(move || sources.now())
        .await
        .unwrap_or(held)
}
