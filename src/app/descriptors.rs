//! Descriptors: each connection takes one, and a process starts with few.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::proxy;

/// For listeners, registers, the log and what libraries open.
const OWN: u64 = 128;

/// Raises the number of descriptors that this process may open as far as the system lets it, and says when `settings` ask for
/// more.
pub(super) fn raise(settings: &proxy::Settings) {
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, wanted) {
        tracing::warn!(%error, "The number of open files could not be raised.");
    }
    let now = getrlimit(Resource::Nofile).current;
    if let Some(text) = shortage(settings, now) {
        tracing::warn!("{text}");
    }
}

/// What to say when `available` descriptors (`None` = as many as there are) are too few. An exchange takes one for its upstream
/// and may take one for its body.
fn shortage(settings: &proxy::Settings, available: Option<u64>) -> Option<String> {
    let connections = settings.connections as u64;
    let needed = (settings.concurrency as u64)
        .saturating_mul(2)
        .saturating_add(connections)
        .saturating_add(OWN);
    let available = available.filter(|it| *it < needed)?;
    Some(format!(
        "{available} open files are allowed, but limits.connections ({connections}) and limits.concurrency ({}) may need {needed}; \
         raise the hard limit (`ulimit -Hn`, systemd: LimitNOFILE) or lower them, else connections wait at the door when files run out",
        settings.concurrency
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn too_few_are_told_with_the_mend() {
        let settings = proxy::Settings {
            listeners: Vec::new(),
            drain_time: Duration::ZERO,
            head_time: Duration::ZERO,
            idle_time: Duration::ZERO,
            write_time: Duration::ZERO,
            concurrency: 100,
            connections: 1_000,
            per_client: 100,
            connections_per_client: 100,
            memory: 0,
            spool: proxy::SpoolSettings {
                dir: std::path::PathBuf::new(),
                above: 0,
                size: 0,
            },
        };
        assert_eq!(shortage(&settings, None), None);
        assert_eq!(shortage(&settings, Some(1_328)), None);
        let text = shortage(&settings, Some(1_024)).unwrap();
        assert!(text.starts_with("1024 open files"), "{text}");
        assert!(text.contains("may need 1328"), "{text}");
    }
}
