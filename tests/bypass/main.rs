//! Evasions against the running gate: exact wire bytes in, and what a recipient who does not speak our rules receives.
//!
//! `cases.jsonl` holds the cases that this version must pass; `SHEKARA_CORPORA` may name a folder with more of them.
//! A case is judged by its class: what must be refused must not reach the recipient at all, what must be forwarded arrives with
//! its body byte for byte.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and says where"
)]

mod codings;
mod gate;
mod rows;
#[path = "../support/status.rs"]
mod status;
mod values;
mod wires;

use gate::{Gate, Recipient};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A gate whose only destination is `crm.example`, in a country that is not adequate, so that any person's data is refused.
fn gate_before(recipient: &Recipient, mode: &str) -> Gate {
    let config = include_str!("shekara.yaml")
        .replace("${UPSTREAM}", &recipient.address.to_string())
        .replace("${MODE}", mode);
    Gate::start(&config)
}

/// A request with `body` to the destination; `fields` are whole lines.
fn request(target: &str, fields: &[u8], content_type: &str, body: &[u8]) -> Vec<u8> {
    let mut wire = format!("POST {target} HTTP/1.1\r\nHost: crm.example\r\n").into_bytes();
    if !content_type.is_empty() {
        wire.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
    }
    wire.extend_from_slice(fields);
    wire.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    wire.extend_from_slice(body);
    wire
}
