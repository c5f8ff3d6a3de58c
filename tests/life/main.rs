//! The life of the process: reload, certificate rotation, drain, hand-over of sockets, and what a service manager is told, each
//! under load against the real binary. Prints its figures.
//!
//! Small by default, so that it can run beside other tests. The figures of the record come from a release build at full load:
//! `SHEKARA_LIFE=full SHEKARA_BIN=target/release/shekara cargo test --test life -- --nocapture --test-threads 1`
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod drain;
mod gate;
mod load;
mod manager;
mod reload;
mod rotate;

use std::time::Duration;

/// How hard the tests press.
struct Scale {
    /// Of the load.
    time: Duration,
    /// Requests a second.
    rate: u32,
    /// Between two reloads or rotations.
    reload_every: Duration,
    /// Share of the asked-for reloads that must have taken force: a debug build on a shared machine does not keep up.
    reload_share: f64,
    rotate_every: Duration,
}

fn scale() -> Scale {
    if std::env::var("SHEKARA_LIFE").is_ok_and(|it| it == "full") {
        Scale {
            time: Duration::from_secs(10),
            rate: 1000,
            // Not a whole number of the load's own beats, or each request would meet the same configuration.
            reload_every: Duration::from_micros(9_700),
            reload_share: 0.9,
            rotate_every: Duration::from_millis(100),
        }
    } else {
        Scale {
            time: Duration::from_secs(2),
            rate: 150,
            reload_every: Duration::from_millis(100),
            reload_share: 0.2,
            rotate_every: Duration::from_millis(200),
        }
    }
}
