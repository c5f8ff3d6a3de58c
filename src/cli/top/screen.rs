//! Draws the board into cells; the same for a terminal and for one screen on paper.

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line as Text, Span},
    widgets::{Cell, Paragraph, Row as TableRow, Table, Widget as _},
};

use super::{
    View,
    board::{Board, Line, Row},
};
use crate::{cli::audit::line::Printable, model::decision::Verdict};

/// Destinations shown at most.
const ROWS_MAX: u16 = 12;

/// Draws `board` as `view` asks for it.
pub(super) fn draw(board: &Board, view: &View, area: Rect, buffer: &mut Buffer) {
    let rows = board.rows(view.since());
    let count = u16::try_from(rows.len())
        .unwrap_or(ROWS_MAX)
        .clamp(1, ROWS_MAX);
    let [head, table, list, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(count + 2),
        Constraint::Min(2),
        Constraint::Length(1),
    ])
    .areas(area);
    header(board, view, &rows).render(head, buffer);
    destinations(&rows, view).render(table, buffer);
    decisions(board, view, list.height).render(list, buffer);
    keys(view).render(foot, buffer);
}

fn header(board: &Board, view: &View, rows: &[Row]) -> Paragraph<'static> {
    let total: u64 = rows.iter().map(Row::total).sum();
    let blocked: u64 = rows.iter().map(|it| it.blocked).sum();
    let state = if view.is_paused { "  PAUSED" } else { "" };
    let config = if board.config.is_empty() {
        "no decision yet".to_owned()
    } else {
        format!("config {} generation {}", board.config, board.generation)
    };
    let last = board.operated.as_ref().map_or_else(String::new, |it| {
        format!("last operation: {} at {}", Printable(&it.1), it.0)
    });
    let first = format!(
        "shekara top  {}  last {}: {} ({}/s), {blocked} blocked{state}",
        view.now,
        view.window.name(),
        crate::model::counted(total, "decision"),
        rate(total, view),
    );
    Paragraph::new(vec![
        Text::styled(first, view.style(Style::new().add_modifier(Modifier::BOLD))),
        Text::raw(format!("{config}  {last}")),
    ])
}

fn rate(count: u64, view: &View) -> String {
    let tenths = count * 10 / view.window.seconds();
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn destinations(rows: &[Row], view: &View) -> Table<'static> {
    let heads = [
        "destination",
        "per s",
        "allowed",
        "reduced",
        "blocked",
        "would",
        "failed",
        "p50 ms",
        "p99 ms",
        "commonest reason",
    ];
    let millis = |it: Option<i64>| it.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let cells = rows.iter().map(|it| {
        TableRow::new([
            Cell::new(Printable(&it.destination).to_string()),
            Cell::new(rate(it.total(), view)),
            counted(it.allowed, Verdict::Allow, view),
            counted(it.reduced, Verdict::Reduce, view),
            counted(it.blocked, Verdict::Block, view),
            Cell::new(it.would.to_string()),
            Cell::new(it.failed.to_string()),
            Cell::new(millis(it.median)),
            Cell::new(millis(it.p99)),
            Cell::new(
                it.reason
                    .map_or_else(String::new, |(code, count)| format!("{code} ({count})")),
            ),
        ])
    });
    let widths = [
        Constraint::Min(16),
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(8),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Min(24),
    ];
    Table::new(cells, widths).header(title(&heads, view))
}

/// A count, in the colour of its verdict where there is any.
fn counted(count: u64, verdict: Verdict, view: &View) -> Cell<'static> {
    let style = if count > 0 {
        colour(verdict)
    } else {
        Style::new()
    };
    Cell::new(count.to_string()).style(view.style(style))
}

fn decisions(board: &Board, view: &View, height: u16) -> Table<'static> {
    let heads = [
        "time",
        "verdict",
        "destination",
        "recipient",
        "purpose",
        "persons",
        "reasons",
        "decision",
    ];
    let room = usize::from(height).saturating_sub(1);
    let takes =
        |it: &Line| !view.only_refusals || it.verdict != Verdict::Allow || it.would_be.is_some();
    let rows: Vec<_> = board
        .recent(room, takes)
        .map(|it| {
            TableRow::new([
                Cell::new(time(it)),
                Cell::new(verdict(it)).style(view.style(colour(it.verdict))),
                Cell::new(Printable(&it.destination).to_string()),
                Cell::new(Printable(&it.recipient).to_string()),
                Cell::new(it.purpose.clone()),
                Cell::new(it.persons.to_string()),
                Cell::new(it.reasons.join(",")),
                Cell::new(it.id.to_string()),
            ])
        })
        .collect();
    let widths = [
        Constraint::Length(12),
        Constraint::Length(16),
        Constraint::Min(14),
        Constraint::Min(14),
        Constraint::Min(14),
        Constraint::Length(7),
        Constraint::Min(20),
        Constraint::Length(36),
    ];
    Table::new(rows, widths).header(title(&heads, view))
}

fn title(heads: &[&'static str], view: &View) -> TableRow<'static> {
    let style = view.style(Style::new().add_modifier(Modifier::REVERSED));
    TableRow::new(heads.iter().map(|it| Cell::new(*it))).style(style)
}

/// `14:03:07.123`.
fn time(it: &Line) -> String {
    let text = it.at.to_string();
    let clock = text.split('T').nth(1).unwrap_or_default();
    clock.trim_end_matches('Z').to_owned()
}

fn verdict(it: &Line) -> String {
    match it.would_be {
        Some(would) => format!("{} ({})", it.verdict.as_str(), would.as_str()),
        None => it.verdict.as_str().to_owned(),
    }
}

const fn colour(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Allow => Color::Green,
        Verdict::Reduce => Color::Yellow,
        Verdict::Block => Color::Red,
    };
    Style::new().fg(colour)
}

fn keys(view: &View) -> Text<'static> {
    let refusals = if view.only_refusals {
        "r all decisions"
    } else {
        "r only refusals"
    };
    let text = format!("q quit  p pause  w window  {refusals}");
    Text::from(Span::styled(
        text,
        view.style(Style::new().add_modifier(Modifier::DIM)),
    ))
}
