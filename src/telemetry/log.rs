//! The operational log: one line an event on stderr.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::{Format, Settings};

/// Starts the process's log. `RUST_LOG` prevails over the configured level.
///
/// # Errors
/// The level is not a `tracing` filter, or a log was started before.
pub fn start(settings: &Settings) -> Result<(), String> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) => parse(&directives)?,
        Err(_) => parse(&settings.level)?,
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match settings.format {
        Format::Json => registry
            .with(lines.json().flatten_event(true).with_current_span(false))
            .try_init(),
        Format::Text => registry.with(lines).try_init(),
    }
    .map_err(|error| error.to_string())
}

/// The filter that `directives` describe.
///
/// # Errors
/// They are not of the form `info` or `shekara=debug,hyper=warn`.
pub fn parse(directives: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder()
        .parse(directives)
        .map_err(|_| format!("`{directives}` is not a log level such as info or shekara=debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_checked() {
        assert!(parse("shekara=debug,hyper=warn").is_ok());
        assert!(parse("shekara=loud").is_err());
    }
}
