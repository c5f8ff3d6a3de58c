//! Shekara.
pub mod admin;
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
