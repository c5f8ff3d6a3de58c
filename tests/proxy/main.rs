//! The data plane over loopback: raw bytes in, raw bytes out, and what the log says about them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may panic"
)]

mod admission;
mod answers;
mod breaker;
mod failures;
mod forwarding;
mod framing;
mod held;
mod http2;
mod identity;
mod idle;
mod lifecycle;
mod reduction;
mod replies;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tunnel;

use std::sync::Arc;

use shekara::gatekeeper::destination::Destination;
use support::{
    gate::{Gate, Setup, destination},
    ports::{MemoryLog, Order},
    upstream::{Script, Upstream},
};

/// A gate with destination `crm` in front of an upstream that follows `script`.
async fn between(script: Script) -> (Gate, Upstream) {
    between_with(script, |_| {}).await
}

/// The same, with a change to the destination.
async fn between_with(script: Script, change: impl FnOnce(&mut Destination)) -> (Gate, Upstream) {
    let log = Arc::new(MemoryLog::default());
    let upstream = Upstream::start(script, log.order.clone()).await;
    let mut crm = destination("crm", &format!("http://{}", upstream.address));
    change(&mut crm);
    let gate = Setup::new(vec![Arc::new(crm)]).start(log).await;
    (gate, upstream)
}

/// A gate from `setup`, whose log shares the order of `order`.
async fn start(setup: Setup, order: Order) -> Gate {
    let log = Arc::new(MemoryLog {
        order,
        ..MemoryLog::default()
    });
    setup.start(log).await
}
