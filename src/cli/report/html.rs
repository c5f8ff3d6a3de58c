//! HTML as one file: no script, nothing loaded from elsewhere, printable.
//!
//! Tags and attribute names are literals of this program; everything else goes through [`Html::text`], which escapes it.

use std::fmt::Write as _;

use super::document::{Document, Section, Table};
use crate::cli::audit::line::Printable;

/// Nothing is loaded and nothing runs, whatever stands in a name.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "body{font:16px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#111;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}\
table{border-collapse:collapse;width:100%;font-size:.875rem}th,td{border:1px solid #767676;padding:.35rem .5rem;text-align:left;\
vertical-align:top;overflow-wrap:anywhere}thead th{background:#eee}\
@media print{body{margin:0;max-width:none;font-size:10pt}table{font-size:8.5pt}thead{display:table-header-group}tr{break-inside:avoid}\
h2{break-after:avoid}}@page{size:A4 landscape;margin:12mm}";

/// The document as HTML.
pub(super) fn render(document: &Document) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n");
    html.open("html", &[("lang", document.lang)]);
    html.within("head", |html| {
        html.open("meta", &[("charset", "utf-8")]);
        html.open(
            "meta",
            &[("name", "viewport"), ("content", "width=device-width")],
        );
        html.open(
            "meta",
            &[
                ("http-equiv", "Content-Security-Policy"),
                ("content", POLICY),
            ],
        );
        html.element("title", &document.title);
        html.within("style", |html| html.raw(STYLE));
    });
    html.within("body", |html| {
        html.within("main", |html| {
            html.element("h1", &document.title);
            html.within("dl", |html| {
                for (name, value) in &document.facts {
                    html.element("dt", name);
                    html.element("dd", value);
                }
            });
            for it in &document.sections {
                html.within("section", |html| section(html, it));
            }
        });
    });
    html.close("html");
    html.out
}

fn section(html: &mut Html, section: &Section) {
    html.element("h2", &section.heading);
    for it in &section.paragraphs {
        html.element("p", it);
    }
    if let Some(it) = &section.table {
        html.within("table", |html| table(html, it));
    }
}

fn table(html: &mut Html, table: &Table) {
    html.within("thead", |html| {
        html.within("tr", |html| {
            for it in &table.head {
                html.open("th", &[("scope", "col")]);
                html.text(it);
                html.close("th");
            }
        });
    });
    html.within("tbody", |html| {
        for row in &table.rows {
            html.within("tr", |html| {
                for (at, cell) in row.iter().enumerate() {
                    // The first cell names its row to whoever hears the table read out.
                    let tag = if at == 0 { "th" } else { "td" };
                    let attributes: &[_] = if at == 0 { &[("scope", "row")] } else { &[] };
                    html.open(tag, attributes);
                    for line in cell {
                        html.within("div", |html| html.text(line));
                    }
                    html.close(tag);
                }
            });
        }
    });
}

/// Text under construction.
#[derive(Default)]
struct Html {
    out: String,
}

impl Html {
    /// A literal of this program.
    fn raw(&mut self, literal: &'static str) {
        self.out.push_str(literal);
    }

    fn open(&mut self, tag: &'static str, attributes: &[(&'static str, &'static str)]) {
        self.raw("<");
        self.raw(tag);
        for (name, value) in attributes {
            self.raw(" ");
            self.raw(name);
            self.raw("=\"");
            self.text(value);
            self.raw("\"");
        }
        self.raw(">");
    }

    fn close(&mut self, tag: &'static str) {
        self.raw("</");
        self.raw(tag);
        self.raw(">\n");
    }

    fn within(&mut self, tag: &'static str, inner: impl FnOnce(&mut Self)) {
        self.open(tag, &[]);
        inner(self);
        self.close(tag);
    }

    fn element(&mut self, tag: &'static str, text: &str) {
        self.within(tag, |html| html.text(text));
    }

    /// Anything: escaped, with marks that would reorder or hide characters made visible.
    fn text(&mut self, text: &str) {
        let visible = Printable(text).to_string();
        for it in visible.chars() {
            match it {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                _ => {
                    let _infallible = self.out.write_char(it);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let hostile = "</title><script>alert(1)</script>\" onload='x' &amp; \u{202e}gpj.exe";
        let document = Document {
            lang: "kk",
            title: hostile.to_owned(),
            facts: vec![(hostile.to_owned(), hostile.to_owned())],
            sections: vec![Section {
                heading: hostile.to_owned(),
                paragraphs: vec![hostile.to_owned()],
                table: Some(Table {
                    head: vec![hostile.to_owned()],
                    rows: vec![vec![vec![hostile.to_owned()]]],
                }),
            }],
        };
        let html = render(&document);
        assert!(html.starts_with("<!doctype html>\n<html lang=\"kk\">"));
        assert!(
            !html.contains("<script") && !html.contains("onload='"),
            "{html}"
        );
        assert!(!html.contains('\u{202e}'));
        assert_eq!(
            html.matches("&lt;script&gt;alert(1)&lt;/script&gt;")
                .count(),
            8
        );
        assert_eq!(html.matches("&amp;amp;").count(), 8);
        for tag in ["html", "head", "title", "body", "table", "tr", "th", "div"] {
            let opened = html.matches(&format!("<{tag}>")).count()
                + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
