//! Promises of the log, tried against its files.

mod append;
mod copy;
mod crash;
mod read;
mod tamper;
