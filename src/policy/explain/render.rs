//! The tree as text, for a terminal: box drawing, no colours.

use super::{Answer, Explanation, Given, PersonLine, list};
use crate::{model::decision::Mode, policy::trace::Considered};

/// A node of the tree.
struct Node {
    text: String,
    children: Vec<Self>,
}

impl Node {
    const fn leaf(text: String) -> Self {
        Self {
            text,
            children: Vec::new(),
        }
    }

    fn write(&self, out: &mut String, indent: &str) {
        let last = self.children.len().saturating_sub(1);
        for (at, child) in self.children.iter().enumerate() {
            let (branch, next) = if at == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            out.push_str(indent);
            out.push_str(branch);
            out.push_str(&child.text);
            out.push('\n');
            child.write(out, &format!("{indent}{next}"));
        }
    }
}

impl Explanation {
    /// The explanation as a text tree; ends with a line feed.
    pub fn render(&self) -> String {
        let mut children: Vec<Node> = self.readings.iter().map(reading).collect();
        children.extend(self.questions.iter().map(question));
        children.extend(self.persons.iter().map(person));
        if let Some(mend) = &self.mend {
            children.push(Node::leaf(format!("mend: {mend}")));
        }
        if let Some(it) = &self.beside {
            let why = list("nothing", it.reasons.iter().map(ToString::to_string));
            let verdict = it.verdict.as_str();
            children.push(Node::leaf(format!(
                "under {}: {verdict} ({why})",
                it.profile
            )));
        }
        let verdict = self.verdict.as_str();
        let would_be = self.would_be.as_str();
        let root = Node {
            text: format!(
                "{} -> {}: {verdict} (would be {would_be})",
                self.destination, self.recipient
            ),
            children,
        };
        let mut out = format!("{}\n", root.text);
        root.write(&mut out, "");
        out
    }
}

fn reading(it: &super::ReadingLine) -> Node {
    let countries = it.countries.iter();
    let countries = countries.map(|(country, found)| format!("{country} {}", found.as_str()));
    let countries = list("no border is crossed", countries);
    Node {
        text: format!("{} under {}: {countries}", it.regime, it.profile),
        children: it.rests_on.iter().cloned().map(Node::leaf).collect(),
    }
}

fn question(it: &Answer) -> Node {
    Node {
        text: format!("{}. {} {}", it.number, it.asked, it.found),
        children: it.reasons.iter().map(|it| Node::leaf(reason(it))).collect(),
    }
}

fn reason(it: &Given) -> String {
    let mut text = it.code.to_string();
    let mut add = |part: String| {
        text.push_str(", ");
        text.push_str(&part);
    };
    if let Some(person) = it.person {
        add(format!("person {person}"));
    }
    if let Some(facet) = it.facet {
        add(crate::policy::trace::Demand::Facet(facet)
            .as_str()
            .to_owned());
    }
    if let Some(record) = &it.record {
        add(format!("record {record}"));
    }
    if it.mode == Mode::LogOnly {
        add("log-only".to_owned());
    }
    let rule = if it.rule.is_empty() { "" } else { " " };
    // A regime's own citation is an article alone: which law it is of is said before it.
    let law = it
        .regime
        .as_ref()
        .filter(|_| it.citation.starts_with("art."));
    let law = law.map_or_else(String::new, |code| format!("{code}, "));
    format!(
        "{text}: {} [{}{rule}{law}{}]",
        it.title, it.rule, it.citation
    )
}

fn person(it: &PersonLine) -> Node {
    let subjects = list("nobody", it.subjects.iter().map(ToString::to_string));
    let categories = list("none", it.categories.iter().map(|it| it.to_string()));
    let carriers = it.carriers.iter().map(|(facet, carrier)| {
        let facet = crate::policy::trace::Demand::Facet(*facet);
        Node::leaf(format!(
            "{} carried by {}",
            facet.as_str(),
            carrier.as_str()
        ))
    });
    let considered = it.considered.iter().map(|it| Node::leaf(considered(it)));
    let mut text = format!("person {} is {subjects}; data: {categories}", it.person);
    if let Some(record) = it.dropped {
        text.push_str(&format!("; dropped with record {record}"));
    } else if !it.reduced.is_empty() {
        let reduced = list("none", it.reduced.iter().map(|it| it.to_string()));
        text.push_str(&format!("; taken out: {reduced}"));
    }
    Node {
        text,
        children: carriers.chain(considered).collect(),
    }
}

fn considered(it: &Considered) -> String {
    let purpose = it.purpose.as_ref().map_or("no purpose", |it| it.as_str());
    let carries = list("nothing", it.carries.iter().map(|it| it.to_string()));
    let failures = list("nothing", it.failures.iter().map(ToString::to_string));
    format!(
        "{} {} for {} of {} ({purpose}, {}): carries {carries}; fails {failures}",
        it.kind,
        it.record,
        it.demand.as_str(),
        it.subject,
        it.regime,
    )
}
