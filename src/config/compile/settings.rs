//! Settings of the program itself: times, numbers, the admin listener, the log.

use std::{path::Path, time::Duration};

use super::{
    super::{
        ADMIN_ADDRESS,
        configuration::{Reload, spool_dir},
        raw, suggest, units,
        yaml::Trail,
    },
    context::{Context, writable},
};
use crate::{admin, gatekeeper::capacity, proxy, telemetry};

/// How often changes are looked for. A mounted secret of Kubernetes takes a minute to arrive anyway.
const WATCH_TIME: Duration = Duration::from_secs(2);

pub(super) fn proxy(
    cx: &Context<'_>,
    root: &raw::Root,
    listeners: Vec<proxy::Listener>,
    state: &Path,
) -> proxy::Settings {
    let at = Trail::default().key("limits");
    let limits = &root.limits;
    let seconds = Duration::from_secs;
    let concurrency = concurrency(cx, &at.key("concurrency"), limits.concurrency, 1024);
    let spool = spool(cx, &at, limits, state);
    let memory = cx.size(
        &at.key("memory"),
        limits.memory.as_ref(),
        capacity::MEMORY_BYTES,
        ("16MiB", "1024GiB"),
    );
    if memory / 4 < spool.above {
        cx.error(
            &at.key("memory"),
            "there is no memory for four bodies that are not spooled",
            "raise `memory`, or lower `spool_above`",
        );
    }
    let per_client = (concurrency as u64 / 2).max(1);
    let connections = concurrency as u64 * 4;
    proxy::Settings {
        listeners,
        per_client: number(cx, &at.key("per_client"), limits.per_client, per_client),
        connections_per_client: number(
            cx,
            &at.key("connections_per_client"),
            limits.connections_per_client,
            connections,
        ),
        memory,
        spool,
        drain_time: cx.duration(
            &at.key("drain_time"),
            limits.drain_time.as_ref(),
            seconds(30),
            (seconds(0), seconds(3600)),
        ),
        head_time: cx.duration(
            &at.key("head_time"),
            limits.head_time.as_ref(),
            seconds(10),
            (seconds(1), seconds(300)),
        ),
        idle_time: cx.duration(
            &at.key("idle_time"),
            limits.idle_time.as_ref(),
            seconds(100),
            (seconds(1), seconds(3600)),
        ),
        write_time: cx.duration(
            &at.key("write_time"),
            limits.write_time.as_ref(),
            seconds(60),
            (seconds(1), seconds(3600)),
        ),
        connections: number(cx, &at.key("connections"), limits.connections, 16_384),
        concurrency,
    }
}

/// Where large bodies are kept.
fn spool(cx: &Context<'_>, at: &Trail, limits: &raw::Limits, state: &Path) -> proxy::SpoolSettings {
    let dir = limits.spool_dir.as_deref().map(|it| cx.path(it));
    if let Some(dir) = &dir
        && cx.runs_here
        && let Err(why) = writable(dir)
    {
        cx.error(
            &at.key("spool_dir"),
            why,
            "make the directory for the gate's user, or name another",
        );
    }
    proxy::SpoolSettings {
        dir: dir.unwrap_or_else(|| spool_dir(state)),
        above: cx.size(
            &at.key("spool_above"),
            limits.spool_above.as_ref(),
            1 << 20,
            ("64KiB", "64MiB"),
        ),
        size: cx.size(
            &at.key("spool_size"),
            limits.spool_size.as_ref(),
            capacity::SPOOL_BYTES,
            ("16MiB", "1024GiB"),
        ),
    }
}

/// A number of clients' things at once.
fn number(cx: &Context<'_>, at: &Trail, given: Option<u64>, default: u64) -> usize {
    usize::try_from(cx.number(at, given, default, (1, 1_000_000))).unwrap_or(1)
}

pub(super) fn drain_delay(cx: &Context<'_>, root: &raw::Root) -> Duration {
    let at = Trail::default().key("limits").key("drain_delay");
    let range = (Duration::ZERO, Duration::from_secs(300));
    cx.duration(&at, root.limits.drain_delay.as_ref(), Duration::ZERO, range)
}

pub(super) fn reload(cx: &Context<'_>, root: &raw::Root) -> Reload {
    let at = Trail::default().key("reload").key("watch");
    let watch = match root.reload.watch.as_deref() {
        None => Some(WATCH_TIME),
        Some("off") => None,
        Some(text) if units::duration(text).is_err() => {
            cx.error(
                &at,
                format!("`{text}` is neither a duration nor `off`"),
                "write how often to look, such as 2s, or `off` to reload at SIGHUP only",
            );
            None
        }
        Some(_) => {
            let range = (Duration::from_millis(100), Duration::from_secs(3600));
            Some(cx.duration(&at, root.reload.watch.as_ref(), WATCH_TIME, range))
        }
    };
    Reload { watch }
}

/// A number of exchanges at once.
pub(super) fn concurrency(cx: &Context<'_>, at: &Trail, given: Option<u64>, default: u64) -> usize {
    usize::try_from(cx.number(at, given, default, (1, 100_000))).unwrap_or(1)
}

pub(super) fn admin(cx: &Context<'_>, root: &raw::Root) -> Option<admin::Settings> {
    let at = Trail::default().key("admin").key("bind");
    let bind = match &root.admin.bind {
        Some(text) => super::listeners::address(cx, &at, text)?,
        None => ADMIN_ADDRESS,
    };
    let is_taken = |it: &raw::Listener| it.bind.parse() == Ok(bind) && bind.port() != 0;
    if root.listeners.iter().any(is_taken) {
        cx.error(
            &at,
            format!("{bind} is the address of a listener too"),
            "give the admin listener a port of its own",
        );
    }
    Some(admin::Settings { bind })
}

/// Warns of a level that is none: the filter takes the word for a part of the program, of which alone it would log.
fn warn_of_silence(cx: &Context<'_>, level: &str) {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_word = level.bytes().all(|it| it.is_ascii_alphabetic());
    if is_word && level != "shekara" && !levels.contains(&&*level.to_ascii_lowercase()) {
        let fix = suggest::nearest(level, levels).map_or_else(
            || format!("one of: {}", levels.join(", ")),
            |it| format!("did you mean `{it}`?"),
        );
        cx.warning(
            &Trail::default().key("log").key("level"),
            format!("`{level}` is no level, so that next to nothing is logged"),
            fix,
        );
    }
}

pub(super) fn telemetry(cx: &Context<'_>, root: &raw::Root) -> telemetry::Settings {
    let level = root.log.level.clone().unwrap_or_else(|| "info".to_owned());
    if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(&level) {
        cx.error(
            &Trail::default().key("log").key("level"),
            format!("not a log filter: {error}"),
            "write error, warn, info, debug, or a filter such as `info,shekara::proxy=debug`",
        );
    }
    warn_of_silence(cx, &level);
    telemetry::Settings {
        format: match root.log.format {
            raw::LogFormat::Json => telemetry::Format::Json,
            raw::LogFormat::Text => telemetry::Format::Text,
        },
        level,
    }
}
