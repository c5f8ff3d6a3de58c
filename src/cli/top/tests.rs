//! What stands on the screen, from records.

use super::*;
use crate::audit::testing::{completed, decided, log_of, operated, refused};

fn at_the_end() -> View {
    View {
        // One second after the events of the test bench.
        now: Timestamp::from_millis(1_795_330_001_000),
        window: Window::Moment,
        is_paused: false,
        only_refusals: false,
        has_colours: true,
    }
}

fn board() -> Board {
    let mut board = Board::default();
    let events = [
        operated(0),
        decided(1),
        decided(2),
        completed(1),
        refused(3),
    ];
    for it in events {
        board.take(it);
    }
    board
}

#[test]
fn figures_and_decisions_stand_on_the_screen() {
    let text = paper(&board(), &at_the_end()).join("\n");
    for it in [
        "last 10 s: 3 decisions (0.3/s), 1 blocked",
        "last operation: started",
        "mail-de",
        "no-consent (1)",
        "mailer/DE",
        "marketing.email",
    ] {
        assert!(text.contains(it), "{it}\n{text}");
    }
    assert_eq!(text.matches("mailer/DE").count(), 3, "{text}");
    assert!(!text.contains("q quit"), "{text}");
}

#[test]
fn a_row_counts_what_its_window_covers() {
    let board = board();
    let rows = board.rows(at_the_end().since());
    let row = &rows[0];
    assert_eq!((row.allowed, row.reduced, row.blocked), (2, 0, 1));
    assert_eq!(row.failed, 0);
    assert!(row.median.is_some());
    assert_eq!(board.rows(at_the_end().now), [], "nothing since now");
}

#[test]
fn keys_change_what_is_shown() {
    let mut view = at_the_end();
    assert!(view.press(KeyCode::Char('r'), false));
    assert!(view.only_refusals);
    let text = paper(&board(), &view).join("\n");
    assert_eq!(text.matches("mailer/DE").count(), 1, "{text}");
    assert!(view.press(KeyCode::Char('w'), false));
    assert_eq!(view.window, Window::Minute);
    assert!(view.press(KeyCode::Char('c'), false));
    assert!(!view.press(KeyCode::Char('c'), true));
    assert!(!view.press(KeyCode::Char('q'), false));
}

#[test]
fn without_a_log_it_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let args = Args {
        window: Window::Minute,
        once: true,
    };
    let failure = run(&args, &dir.path().join("audit")).unwrap_err();
    assert!(failure.text.contains("no audit log"), "{}", failure.text);
    let log = log_of([decided(0)], 4096);
    assert!(run(&args, log.path()).is_ok());
}
