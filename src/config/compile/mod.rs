//! Raw → what runs. Each file compiles one subject and reports every problem with its path; nothing stops at the first.

mod agreement;
mod callers;
pub(super) mod context;
mod destination;
mod fallback;
mod held;
mod law;
mod listeners;
mod opened;
mod parties;
mod routes;
mod settings;
mod thresholds;
mod upstream;
mod waivers;

use std::{collections::BTreeSet, path::Path, sync::Arc};

use context::Context;

use super::{
    configuration::{Configuration, audit_dir},
    law::Law,
    raw,
    yaml::Trail,
};
use crate::{
    audit,
    inspect::Inspector,
    model::{decision::Mode, law::Operator},
    store,
};

/// What destinations refer to.
#[derive(Debug)]
struct World<'a> {
    root: &'a raw::Root,
    operator: &'a Operator,
    law: &'a Law,
    assessments: &'a [crate::model::law::AdequacyAssessment],
    parties: &'a parties::Parties,
    callers: BTreeSet<&'a str>,
    inspector: &'a Inspector,
}

/// Compiles `root`, which stands in `text`, for the inspector that will read messages. What comes back is whole only if `cx` holds no error afterwards.
pub(super) fn compile(
    cx: &Context<'_>,
    root: &raw::Root,
    law: &Law,
    (text, inspector): (&str, &Arc<Inspector>),
) -> Option<Configuration> {
    let top = Trail::default();
    if root.version != 1 {
        cx.error(
            &top.key("version"),
            format!("version {} of the form is unknown", root.version),
            "write `version: 1`",
        );
    }
    let operator = law::operator(cx, root, law);
    let listeners = listeners::compile(cx, root);
    let callers = callers::compile(cx, root);
    let parties = parties::compile(cx, root, operator.utc_offset);
    let assessments = law::assessments(cx, root, law, &operator, &parties);
    law::rule_modes(cx, &top.key("rule_modes"), &root.rule_modes, law);
    let world = World {
        root,
        operator: &operator,
        law,
        assessments: &assessments,
        parties: &parties,
        callers: root.callers.iter().map(|it| it.id.as_str()).collect(),
        inspector,
    };
    let destinations = destination::compile_all(cx, &world);
    if !cx.is_unread(&top) {
        parties::warn_unused(cx, root);
        warn_log_only(cx, root);
    }

    let state = state_dir(cx, root);
    let segment = top.key("audit").key("segment_size");
    Some(Configuration {
        proxy: settings::proxy(cx, root, listeners, &state),
        admin: settings::admin(cx, root)?,
        telemetry: settings::telemetry(cx, root),
        audit: audit::Settings {
            dir: audit_dir(&state),
            segment_bytes: cx.size(
                &segment,
                root.audit.segment_size.as_ref(),
                64 << 20,
                ("1MiB", "4GiB"),
            ),
        },
        store: store::Settings { dir: state },
        reload: settings::reload(cx, root),
        drain_delay: settings::drain_delay(cx, root),
        operator,
        callers: callers.into(),
        inspector: Arc::clone(inspector),
        destinations: destinations.into_iter().map(Arc::new).collect(),
        exceptions: cx.take_exceptions(),
        reasons: Arc::clone(&law.reasons),
        profiles: law.profiles.clone(),
        version: super::law::version(text),
        data_versions: law.versions.clone(),
    })
}

fn state_dir(cx: &Context<'_>, root: &raw::Root) -> std::path::PathBuf {
    let dir = cx.path(root.state_dir.as_deref().unwrap_or("/var/lib/shekara"));
    if cx.runs_here
        && let Err(why) = context::writable(&dir)
    {
        cx.error(
            &Trail::default().key("state_dir"),
            why,
            "make the directory for the gate's user, or name another",
        );
    }
    dir
}

/// The directory of data files, if one is named and there.
pub(super) fn data_dir(cx: &Context<'_>, root: &raw::Root) -> Option<std::path::PathBuf> {
    let dir = cx.path(root.data_dir.as_deref()?);
    if Path::is_dir(&dir) {
        return Some(dir);
    }
    cx.error(
        &Trail::default().key("data_dir"),
        format!("{} is not a directory", dir.display()),
        "remove the key to use the shipped law, or name a directory",
    );
    None
}

/// One warning when nothing at all is enforced.
fn warn_log_only(cx: &Context<'_>, root: &raw::Root) {
    let enforces = |mode: Option<Mode>| mode == Some(Mode::Enforce);
    let anywhere = root
        .destinations
        .iter()
        .any(|it| enforces(it.mode) || it.rule_modes.values().any(|it| enforces(Some(*it))));
    let is_softened = root.mode == Mode::LogOnly
        && !anywhere
        && !root.rule_modes.values().any(|it| enforces(Some(*it)));
    if is_softened {
        cx.warning(
            &Trail::default().key("mode"),
            "nothing is enforced: transfers without a basis are recorded, and sent",
            "write `mode: enforce` when the log shows what you expect",
        );
    }
}
