//! Log set-up and every metric: name, help, labels, one method an event. Values of personal data never come here.

mod groups;
pub mod log;
pub mod metrics;

pub use self::metrics::Metrics;

/// Form and level of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// JSON lines or text.
    pub format: Format,
    /// `tracing` filter such as `info` or `shekara=debug`.
    pub level: String,
}

/// Form of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// For terminals.
    Text,
}
