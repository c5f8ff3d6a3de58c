//! `shekara top`: live decisions in the terminal. Reads the audit log as it grows; asks nothing of the gate.

mod board;
mod screen;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use ratatui::{
    DefaultTerminal,
    buffer::Buffer,
    crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers},
    layout::Rect,
    style::Style,
};

use self::board::Board;
use super::{Failure, Outcome, print};
use crate::{
    audit::{self, Error, Records},
    gatekeeper::ports::{Clock as _, SystemClock},
    model::Timestamp,
};

/// Records read back at the start, so that the screen is not empty.
const LOOK_BACK: u64 = 5_000;
/// How often the log is looked at and the screen drawn.
const EVERY: Duration = Duration::from_millis(250);
/// Size of one screen on paper.
const PAPER: Rect = Rect::new(0, 0, 150, 40);

/// Watches decisions as they are made
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the figures cover
    #[arg(short, long, value_enum, default_value_t = Window::Minute)]
    window: Window,
    /// Print one screen and end
    #[arg(long)]
    once: bool,
}

/// The time that figures cover.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Window {
    #[value(name = "10s")]
    Moment,
    #[value(name = "1m")]
    Minute,
    #[value(name = "15m")]
    Quarter,
}

impl Window {
    const fn seconds(self) -> u64 {
        match self {
            Self::Moment => 10,
            Self::Minute => 60,
            Self::Quarter => 900,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Moment => "10 s",
            Self::Minute => "1 min",
            Self::Quarter => "15 min",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Moment => Self::Minute,
            Self::Minute => Self::Quarter,
            Self::Quarter => Self::Moment,
        }
    }
}

/// How the board is shown.
#[derive(Debug)]
struct View {
    now: Timestamp,
    window: Window,
    is_paused: bool,
    only_refusals: bool,
    /// `NO_COLOR` is not set.
    has_colours: bool,
}

impl View {
    fn since(&self) -> Timestamp {
        let millis = i64::try_from(self.window.seconds() * 1000).unwrap_or(i64::MAX);
        self.now.plus_millis(-millis)
    }

    /// `style`, or none where colours are not wanted.
    const fn style(&self, style: Style) -> Style {
        if self.has_colours {
            style
        } else {
            Style::new()
        }
    }

    /// What a key does; whether to go on.
    fn press(&mut self, key: KeyCode, is_control: bool) -> bool {
        let KeyCode::Char(letter) = key else {
            return key != KeyCode::Esc;
        };
        match letter {
            'q' => return false,
            'c' if is_control => return false,
            'p' | ' ' => self.is_paused = !self.is_paused,
            'r' => self.only_refusals = !self.only_refusals,
            'w' => self.window = self.window.next(),
            _ => {}
        }
        true
    }
}

/// Runs `shekara top` on the log in `dir`.
///
/// # Errors
/// There is no log, it does not hold together (exit code 4), or the output is no terminal.
pub fn run(args: &Args, dir: &Path) -> Outcome {
    let mut records = audit::reader::tail(dir, LOOK_BACK).map_err(|it| failure(&it))?;
    let mut board = Board::default();
    take(&mut records, &mut board)?;
    let mut view = View {
        now: SystemClock.now(),
        window: args.window,
        is_paused: false,
        only_refusals: false,
        has_colours: std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
    };
    if args.once {
        view.has_colours = false;
        for line in paper(&board, &view) {
            print(&line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !io::stdout().is_terminal() {
        return Err(Failure::new(
            "the output is no terminal; `shekara top --once` prints one screen",
        ));
    }
    let mut terminal = ratatui::try_init().map_err(|it| cannot_draw(&it))?;
    let ended = watch(&mut terminal, &mut records, &mut board, &mut view);
    let restored = ratatui::try_restore();
    ended?;
    restored.map_err(|it| cannot_draw(&it))?;
    Ok(ExitCode::SUCCESS)
}

/// Draws until a key ends it.
fn watch(
    terminal: &mut DefaultTerminal,
    records: &mut Records,
    board: &mut Board,
    view: &mut View,
) -> Result<(), Failure> {
    loop {
        if !view.is_paused {
            take(records, board)?;
            view.now = SystemClock.now();
        }
        terminal
            .draw(|frame| screen::draw(board, view, frame.area(), frame.buffer_mut()))
            .map_err(|it| cannot_draw(&it))?;
        let next = Instant::now() + EVERY;
        while event::poll(next.saturating_duration_since(Instant::now()))
            .map_err(|it| cannot_draw(&it))?
        {
            if let Event::Key(key) = event::read().map_err(|it| cannot_draw(&it))?
                && key.kind == KeyEventKind::Press
                && !view.press(key.code, key.modifiers.contains(KeyModifiers::CONTROL))
            {
                return Ok(());
            }
        }
    }
}

/// Takes what the log holds beyond the last look.
fn take(records: &mut Records, board: &mut Board) -> Result<(), Failure> {
    for record in records {
        board.take(record.map_err(|it| failure(&it))?.event);
    }
    Ok(())
}

/// One screen as lines of text.
fn paper(board: &Board, view: &View) -> Vec<String> {
    let mut buffer = Buffer::empty(PAPER);
    screen::draw(board, view, PAPER, &mut buffer);
    let width = usize::from(PAPER.width);
    let mut lines: Vec<String> = buffer
        .content
        .chunks(width)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
        .map(|line: String| line.trim_end().to_owned())
        .collect();
    // The line of keys is for a keyboard.
    lines.pop();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn failure(error: &Error) -> Failure {
    let code = if matches!(error, Error::Damaged(_)) {
        4
    } else {
        1
    };
    Failure {
        text: error.to_string(),
        code,
    }
}

fn cannot_draw(error: &io::Error) -> Failure {
    Failure::new(format!("cannot use the terminal: {error}"))
}
