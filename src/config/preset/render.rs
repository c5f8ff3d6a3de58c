//! A preset as text of the configuration file.

use std::fmt::Write as _;

use super::{NotPersonal, Preset, Route, Subject};
use crate::model::{Country, Day, destination::Role};

/// Columns before a comment, unless its line is longer.
const COMMENT_COLUMN: usize = 40;

/// Lines of text; writing to it cannot fail.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// A line and a comment on it.
    fn noted(&mut self, line: &str, comment: &str) {
        let _infallible = writeln!(self.0, "{line:COMMENT_COLUMN$} # {comment}");
    }
}

impl Preset {
    /// The element of `parties:`.
    pub fn party(&self) -> String {
        let mut out = Lines::default();
        out.push(&format!("  - id: {}", self.name));
        out.noted(
            &format!("    legal_name: {}", quoted(&self.title)),
            "FILL IN: the legal entity that your contract names",
        );
        let role = serde_json::to_value(self.role).unwrap_or_default();
        let role = role.as_str().unwrap_or_default().to_owned();
        out.noted(&format!("    role: {role}"), role_note(self.role));
        out.push(&format!("    classes: [{}]", self.classes.join(", ")));
        out.0
    }

    /// The element of `destinations:`, as written on `today`. What only the operator can say is to be filled in.
    pub fn destination(&self, today: Day) -> String {
        let mut out = Lines::default();
        out.push(&format!(
            "  # {}, preset of {}. Compare it with the documentation:",
            self.title, self.as_of
        ));
        for source in &self.source {
            out.push(&format!("  # {source}"));
        }
        for note in self.url_note.iter().chain(&self.notes) {
            out.push(&format!("  # {note}"));
        }
        let name = &self.name;
        out.push(&format!("  - id: {name}"));
        out.push(&format!("    party: {name}"));
        out.noted(
            &format!("    country: {}", Country::UNDECLARED),
            "FILL IN: where this recipient keeps the data, as your contract says; ZZ is no country",
        );
        out.push("    match:");
        out.noted(
            &format!("      path_prefix: /{name}"),
            "your application's base URL: http://127.0.0.1:8080/ and this",
        );
        out.push("    callers:\n      - caller: this-machine\n    upstream:");
        out.push(&format!("      url: {}", self.url));
        out.push("      tls_floor: \"1.2\"");
        self.agreement(&mut out, today);
        self.exceptions(&mut out);
        out.push("    routes:");
        for route in &self.routes {
            route.render(&mut out);
        }
        out.0
    }

    /// The agreement to fill in; as a comment, since nothing is agreed yet.
    fn agreement(&self, out: &mut Lines, today: Day) {
        let routes = self.routes.iter();
        let actions = distinct(routes.clone().flat_map(|it| it.actions.iter().cloned()));
        let purposes = routes.flat_map(|it| it.purposes.iter().map(ToString::to_string));
        out.push("    # FILL IN what is on paper; without it personal data to a recipient that acts on instruction is refused.");
        out.push("    # agreement:");
        out.push("    #   ref: \"number of the document\"");
        out.push(&format!("    #   signed: \"{today}\""));
        out.push(&format!("    #   actions: [{}]", actions.join(", ")));
        out.push(&format!(
            "    #   purposes: [{}]",
            distinct(purposes).join(", ")
        ));
        out.push(&format!(
            "    #   categories: [{}]",
            self.categories.join(", ")
        ));
        out.push("    #   confidentiality: true");
        out.push("    #   security: true");
    }

    /// Exceptions to consider; as a comment, since each is a decision that somebody answers for.
    fn exceptions(&self, out: &mut Lines) {
        if self.not_personal.is_empty() {
            return;
        }
        out.push("    # Consider, and say who answers for it and until when:");
        out.push("    # not_personal:");
        for NotPersonal { part, at, reason } in &self.not_personal {
            out.push(&format!(
                "    #   - in: {}\n    #     at: {}\n    #     reason: {}\n    #     owner: \"\"\n    #     expires: \"\"",
                part.as_str(),
                quoted(at),
                quoted(reason),
            ));
        }
    }
}

impl Route {
    /// An element of `routes:` for each path.
    fn render(&self, out: &mut Lines) {
        for (at, path) in self.paths.iter().enumerate() {
            let id = match at {
                0 => self.id.clone(),
                more => format!("{}-{}", self.id, more + 1),
            };
            out.push(&format!("      - id: {id}"));
            if !self.methods.is_empty() {
                out.push(&format!("        methods: [{}]", self.methods.join(", ")));
            }
            out.push(&format!("        path: {path}"));
            let mut purposes = self.purposes.iter().map(ToString::to_string);
            let first = purposes.next().unwrap_or_default();
            let others: Vec<_> = purposes.collect();
            let line = format!("        purpose: {first}");
            if others.is_empty() {
                out.push(&line);
            } else {
                out.noted(&line, &format!("CHOOSE: or {}", others.join(", ")));
            }
            if let Some(channel) = &self.channel {
                out.push(&format!("        channel: {channel}"));
            }
            out.push(&format!("        actions: [{}]", self.actions.join(", ")));
            if let Some(records) = &self.records {
                out.push(&format!("        records: {}", quoted(records)));
            }
            if !self.subjects.is_empty() {
                out.push("        subjects:");
            }
            for subject in &self.subjects {
                subject.render(out);
            }
        }
    }
}

impl Subject {
    fn render(&self, out: &mut Lines) {
        let role = self.role.as_ref();
        let role = role.map_or(String::new(), |it| format!(", role: {it}"));
        out.push(&format!(
            "          - {{in: {}, at: {}, kind: {}{role}}}",
            self.part.as_str(),
            quoted(&self.at),
            self.kind.as_str(),
        ));
    }
}

const fn role_note(role: Role) -> &'static str {
    match role {
        Role::Processor | Role::Subprocessor | Role::Affiliate => {
            "CHECK: acts on your instruction, so it needs an agreement"
        }
        Role::PaymentSystem => "CHECK: card data may go only to a payment system",
        Role::Controller | Role::Public | Role::SelfOperator | Role::StateBody => {
            "CHECK: decides itself what it does with the data"
        }
    }
}

/// Each once, in the order of first mention.
fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// A JSON string, which is a YAML one too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
