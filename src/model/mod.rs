//! The nouns of the law and of the wire: values only.
//!
//! Nothing here knows of HTTP servers, files, SQL or configuration syntax, reads a clock or draws
//! randomness. Every other room of the crate may import from here; this room imports from none.

pub mod category;
pub mod consent;
pub mod country;
pub mod decision;
pub mod destination;
pub mod evidence;
pub mod finding;
pub mod inspection;
pub mod law;
pub mod message;
pub mod purpose;
pub mod sensitive;
pub mod subject;
pub mod time;
pub mod transfer;
pub mod words;

pub use category::{Category, CategorySet};
pub use country::Country;
pub use purpose::Purpose;
pub use sensitive::Sensitive;
pub use time::{Day, Timestamp, UtcOffset};
pub use words::counted;
