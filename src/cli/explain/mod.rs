//! `shekara explain`: what the gate would do with a request, and why, with no traffic and nothing on record.

mod matching;
mod ports;
mod report;
mod request;

use std::{io::Write as _, path::PathBuf, process::ExitCode, sync::Arc};

use clap::ValueEnum;
use http::{HeaderMap, HeaderName};

use self::{
    matching::{Found, Refusal},
    ports::{At, Nobody, Unrecorded},
    report::Report,
    request::{Flags, Told},
};
use super::{Common, Failure, Outcome, configured};
use crate::{
    config::{
        Configuration,
        expiry::{Exception, ExpiryKind},
    },
    gatekeeper::{
        self, Gatekeeper, Rehearsal, Snapshot,
        destination::Matched,
        keys::{Keys, SubjectKey},
        ports::{Clock as _, Registers, SystemClock},
    },
    model::{
        Timestamp,
        decision::{Decision, ReasonCode, Verdict},
        destination::Destination,
        law::Profile,
        message::Message,
    },
    policy::Explanation,
    store,
};

/// Exit code when the message would be refused or reduced.
const STOPPED: u8 = 3;
/// The profile that reads the statute and nothing beyond it.
const STRICT: &str = "kz-law-strict";
/// Name of a caller that proves nothing.
const ANONYMOUS: &str = "anonymous";
/// Fields that belong to one connection or prove the caller to the gate: never part of the message.
const NOT_OF_THE_MESSAGE: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "shekara-token",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Says what would become of a request, and why: nothing is sent, nothing is recorded
///
/// The request is judged as the gate would judge it now, under the configuration and on the registers of this machine.
/// Locations are printed as they are in the message, values never.
///
/// Exit code 0: it would be sent as it is; 3: it would be refused or reduced; 1: it could not be judged.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with a raw HTTP request (request line, fields, empty line, body), or `-` for stdin
    #[arg(value_name = "REQUEST_FILE", required_unless_present = "path", conflicts_with_all = ["path", "headers", "body"])]
    request: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
    /// Judge it as sent to this destination, wherever host and path lead
    #[arg(long, value_name = "ID")]
    destination: Option<String>,
    /// Listener it arrives at [default: the first that leads to a destination]
    #[arg(long, value_name = "ID")]
    listener: Option<String>,
    /// Caller who sends it [default: anonymous]
    #[arg(long, value_name = "ID")]
    caller: Option<String>,
    /// Judge it at this instant instead of now, on what the registers hold now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// One JSON document
    Json,
    /// For terminals
    #[default]
    Text,
}

/// What a request came to.
#[derive(Debug)]
enum Answer {
    /// The gate reads no further than the head.
    Refused(Refusal),
    /// It was judged.
    Judged(Box<Report>),
}

impl Answer {
    const fn verdict(&self) -> Verdict {
        match self {
            Self::Refused(_) => Verdict::Block,
            Self::Judged(report) => report.explanation.verdict,
        }
    }
}

/// Exit code 0: it would be sent as it is; 3: refused or reduced.
///
/// # Errors
/// The configuration, the request, an id or the registers cannot be used.
pub fn run(args: Args, common: &Common) -> Outcome {
    let configuration = configured(common)?;
    let mut notes = Vec::new();
    let format = args.format;
    let answer = answer(args, &configuration, &mut notes)?;
    for note in notes {
        let _nobody_reads = writeln!(std::io::stderr().lock(), "note: {note}");
    }
    let text = match format {
        Format::Json => format!("{:#}", answer.to_json()),
        Format::Text => answer.to_text(),
    };
    super::print(text.trim_end());
    Ok(match answer.verdict() {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Reduce | Verdict::Block => ExitCode::from(STOPPED),
    })
}

/// Reads the request and judges it; `notes` is what somebody should know beside the answer.
fn answer(
    args: Args,
    configuration: &Configuration,
    notes: &mut Vec<String>,
) -> Result<Answer, Failure> {
    let caller = known_caller(args.caller.as_deref(), configuration)?;
    let told = match &args.request {
        Some(path) => request::from_file(path)?,
        None => args.flags.read()?,
    };
    let clock = At(args.at.unwrap_or_else(|| SystemClock.now()));
    let (keys, registers) = registers(configuration, notes)?;
    let snapshot = configuration.build_snapshot(keys, 0);
    let wanted = matching::Wanted {
        listener: args.listener.as_deref(),
        destination: args.destination.as_deref(),
    };
    let (listener, matched) = match matching::find(&told, &wanted, configuration, &snapshot)? {
        Found::Matched(listener, matched) => (listener, matched),
        Found::Refused(refusal) => return Ok(Answer::Refused(refusal)),
    };
    let request = gatekeeper::Request {
        caller,
        listener,
        method: told.method.as_str().into(),
        bytes_in: told.body.len() as u64,
        matched: Some(matched.clone()),
    };
    let gatekeeper = Gatekeeper::new(registers, Arc::new(Unrecorded), Arc::new(clock));
    let message = message(told, &matched);
    let rehearsal = block_on(gatekeeper.rehearse(message, &matched, &request, &snapshot))?;
    let explanation = explain(&rehearsal, &matched, &snapshot, configuration);
    if &*request.caller == ANONYMOUS && is_refused_to_caller(&explanation) {
        notes.push("asked for an anonymous caller; say who sends it with --caller ID".to_owned());
    }
    let opened = opened_failures(&rehearsal, configuration);
    Ok(Answer::Judged(Box::new(Report {
        rehearsal,
        opened,
        explanation,
    })))
}

/// The failure policies that are open at the destination when it is judged.
fn opened_failures(rehearsal: &Rehearsal, configuration: &Configuration) -> Vec<Exception> {
    let (transfer, offset) = (&rehearsal.transfer, configuration.operator.utc_offset);
    let all = configuration.exceptions.iter();
    all.filter(|it| it.kind == ExpiryKind::FailureOpen && it.destination == transfer.destination)
        .filter(|it| transfer.at < it.until.end(offset))
        .cloned()
        .collect()
}

fn is_refused_to_caller(explanation: &Explanation) -> bool {
    let mut given = explanation.questions.iter().flat_map(|it| &it.reasons);
    given.any(|it| it.code == ReasonCode::CallerNotAllowed)
}

fn known_caller(id: Option<&str>, configuration: &Configuration) -> Result<Arc<str>, Failure> {
    let callers = &configuration.callers;
    match id {
        None | Some(ANONYMOUS) => Ok(ANONYMOUS.into()),
        Some(id) => match callers.iter().find(|it| &*it.id == id) {
            Some(caller) => Ok(Arc::clone(&caller.id)),
            None => Err(unknown("--caller", id, callers.iter().map(|it| &*it.id))),
        },
    }
}

/// An id that the configuration does not name, with those that it does.
fn unknown<'a>(flag: &str, id: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let known = if known.is_empty() {
        "it names none".to_owned()
    } else {
        format!("it names {}", known.join(", "))
    };
    Failure::new(format!(
        "{flag}: the configuration does not name `{id}`; {known}"
    ))
}

/// Keys and registers of the state; empty ones where there is no state yet, since explaining must not make one.
fn registers(
    configuration: &Configuration,
    notes: &mut Vec<String>,
) -> Result<(Keys, Arc<dyn Registers>), Failure> {
    let settings = &configuration.store;
    if !settings.database().exists() && !settings.keys().exists() {
        notes.push(format!(
            "there are no registers in {} yet: judged as if nobody were registered; record a consent, start the gate, or name \
             another directory with --state",
            settings.dir.display()
        ));
        let nobodys = [0; 32];
        let keys = Keys::new(SubjectKey::new(0, &nobodys), Vec::new(), &nobodys);
        return Ok((keys, Arc::new(Nobody)));
    }
    let failed = |it: store::Error| Failure::new(it.to_string());
    let keys = store::keys::open_or_create(&settings.dir).map_err(failed)?;
    let registers = store::Registers::open(settings).map_err(failed)?;
    Ok((keys, Arc::new(registers)))
}

/// The message as the gate would hold it.
fn message(told: Told, matched: &Matched) -> Message {
    Message {
        method: told.method,
        path: matched.path.clone(),
        query: told.query,
        headers: end_to_end(told.headers),
        body: told.body,
        trailers: HeaderMap::new(),
    }
}

/// The fields that would travel on.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(http::header::CONNECTION)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.trim().parse().ok())
        .collect();
    for name in &named {
        headers.remove(name);
    }
    for name in NOT_OF_THE_MESSAGE {
        headers.remove(name);
    }
    headers
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|it| Failure::new(format!("cannot start: {it}")))?;
    Ok(runtime.block_on(future))
}

/// Explains what was rehearsed, with the strict reading of the statute beside it.
fn explain(
    rehearsal: &Rehearsal,
    matched: &Matched,
    snapshot: &Snapshot,
    configuration: &Configuration,
) -> Explanation {
    let facts = &*matched.destination.facts;
    let (transfer, evidence) = (&rehearsal.transfer, &rehearsal.evidence);
    let strict = configuration
        .profiles
        .get(STRICT)
        .and_then(|it| strictly(facts, it))
        .map(|it| in_full(snapshot.policy.decide(&it, transfer, evidence)));
    let beside = strict.as_ref().map(|it| (STRICT, it));
    let (_, explanation) = snapshot.policy.explain(facts, transfer, evidence, beside);
    match &rehearsal.failed {
        Some(why) => snapshot
            .policy
            .explain_failed(explanation, facts, transfer, why.0),
        None => explanation,
    }
}

/// `facts` with every reading of the strict profile's regime under that profile; `None` when no reading is of that regime, or all
/// are under that profile already.
fn strictly(facts: &Destination, strict: &Arc<Profile>) -> Option<Destination> {
    let mut facts = facts.clone();
    let mut is_changed = false;
    for reading in &mut facts.readings {
        if reading.regime.code == strict.on_regime && reading.profile.code != strict.code {
            Arc::make_mut(reading).profile = Arc::clone(strict);
            is_changed = true;
        }
    }
    is_changed.then_some(facts)
}

/// The decision with nothing softened: log-only is the operator's mode, not the statute's.
const fn in_full(mut decision: Decision) -> Decision {
    decision.verdict = decision.would_be;
    decision
}

#[cfg(test)]
mod tests;
