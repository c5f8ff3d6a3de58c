//! What the commands on the registers share: how a subject is named, which words are known, how problems and answers are told.
//!
//! Identifiers of persons come from a file, standard input or a prompt without echo, never from the command line, which other
//! users of the machine and the shell's history can read.

pub(super) use self::{
    answer::{Format, Record, View, print_saved},
    problems::{Problems, as_flags, texts, usage},
    recipients::Recipients,
    session::{Command, Context, Session, run},
    terminal::Terminal,
};
use super::Failure;
use crate::store;

mod answer;
#[cfg(test)]
pub(super) mod bench;
pub(super) mod layout;
mod problems;
mod recipients;
pub(super) mod session;
pub(super) mod state;
pub(super) mod subject;
mod terminal;
pub(super) mod vocabulary;

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::new(error.to_string())
    }
}
