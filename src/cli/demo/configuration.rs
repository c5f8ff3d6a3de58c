//! The demo's configuration: what an operator would write, with loopback addresses for the recipients.

use super::{upstream::Upstream, world::Recipients};

const TEMPLATE: &str = include_str!("shekara.yaml");

/// The whole file.
pub(super) fn text(recipients: &Recipients) -> String {
    let url = |it: &Upstream| format!("https://{}/v1", it.address);
    TEMPLATE
        .replace("${KZ}", &url(&recipients.kz))
        .replace("${DE}", &url(&recipients.de))
        .replace("${US}", &url(&recipients.us))
}
