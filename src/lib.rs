//! Shekara (шекара, "border"): a reverse proxy that lets personal data leave a company only on a recorded basis.
//!
//! # The rooms
//!
//! A file imports only from rooms above its own; `tests/architecture.rs` holds this.
//!
//! | room | what | may import |
//! |---|---|---|
//! | [`model`] | the nouns of the law and of the wire | – |
//! | [`inspect`] | message → findings, gaps, persons; reduction back. Pure | model |
//! | [`policy`] | transfer + evidence → decision; the order of questions. Pure | model |
//! | [`gatekeeper`] | the one orchestration; ports; the permit | model, inspect, policy |
//! | [`audit`], [`store`], [`telemetry`] | driven adapters: log, registers, metrics | model, gatekeeper |
//! | [`proxy`], [`admin`] | driving adapters: data plane, health and metrics | model, gatekeeper, telemetry, policy |
//! | [`config`] | YAML → compiled snapshot, all problems at once | all of the above |
//! | [`app`], [`cli`] | composition root; one file a subcommand | all |
//!
//! # A request, walked
//!
//! 1. [`proxy`] checks the raw head, takes the snapshot in force once, finds destination and caller, and stores the whole body.
//! 2. [`gatekeeper::Gatekeeper::screen`] lets [`inspect`] read it: findings, gaps, persons with their identifiers.
//! 3. Identifiers become keyed references; the registers ([`gatekeeper::ports::Registers`]) say what is recorded about them.
//! 4. [`policy::Policy::decide`] asks all questions in order and gives verdict, would-be verdict and reasons.
//! 5. The decision is carried out on the message (a reduced one is read again), and its record is made durable.
//! 6. Only then a [`gatekeeper::Cleared`] exists. The upstream client takes nothing else: it resolves, dials and sends.
//! 7. The answer streams back; a completion record says how the exchange ended.
//!
//! # Invariants
//!
//! - **No message reaches an upstream undecided or unlogged.** Only `screen` makes a `Cleared`; only a `Cleared` is forwarded.
//! - **The core cannot fail and cannot wait.** `inspect` gives gaps, `decide` gives reasons.
//! - **A value of personal data never leaves `inspect` except in the message itself.** Identifiers travel wrapped to the keyed hash.
//! - **The audit log is never rewritten.** Completion is a second record.
//! - **`model` knows nothing of HTTP servers, files, SQL or configuration syntax.** `policy` knows nothing of JSON.
//! - **The proxy does not know which registers or log are behind the ports.**
//! - **There is no process-wide mutable state** but the metrics registry and the tracing subscriber.
//!
//! # Where this departs from the sketch it grew from
//!
//! Law, destination facts and register records are values of `model`, so that `policy` needs nothing else to decide and the audit
//! record can hold everything that was decided on. Findings carry byte spans of the decoded part, so that reduction splices bytes
//! and no tree is built.

pub mod admin;
pub mod app;
pub mod audit;
pub mod cli;
pub mod config;
pub mod gatekeeper;
pub mod inspect;
pub mod model;
pub mod policy;
pub mod proxy;
pub mod store;
pub mod telemetry;
