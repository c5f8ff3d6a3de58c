//! Fuzz targets of inspection, one a family of decoders. Each is more than "does not panic": it asserts what [`checks`] holds of
//! every message, and that data put into the input is found or stands in a gap ([`marks`]).

#[path = "../../../src/inspect/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "only what the targets call is used"
)]
pub mod inspect;
#[path = "../../../src/model/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "only what the targets call is used"
)]
pub mod model;

mod binary;
mod checks;
mod mail;
mod marks;
mod reduction;
mod targets;
mod writers;

pub use binary::binary;
pub use mail::mail;
pub use reduction::reduce;
pub use targets::{content, csv, detect, form, json, multipart, xml};
