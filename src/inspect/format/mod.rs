//! Readers: each turns one part of a message into fields for the detectors, with the way back to bytes.

pub(crate) mod binary;
pub(crate) mod body;
mod codes;
pub(crate) mod csv;
mod doubts;
mod drawing;
pub(crate) mod embedded;
pub(crate) mod form;
pub(crate) mod graphql;
pub(crate) mod head;
pub(crate) mod json;
pub(crate) mod keys;
mod labelled;
pub(crate) mod layer;
pub(crate) mod magic;
pub(crate) mod mail;
pub(crate) mod multipart;
pub(crate) mod neighbours;
pub(crate) mod pair;
pub(crate) mod part;
pub(crate) mod reading;
pub(crate) mod sealed;
pub(crate) mod unit;
pub(crate) mod vcard;
pub(crate) mod veil;
pub(crate) mod walk;
pub(crate) mod xml;
