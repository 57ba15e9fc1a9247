//! The screen: what an engineer must be able to read on it, what keys do, and how the terminal is left.

#![cfg(feature = "tui")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use ikescope::capture::{Captures, Heard, Replay, Source};
use ikescope::pipeline::{Options, Session};
use ikescope::report::{Report, Selection};
use ikescope::tui::{Rate, Status, View, Wish};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab").join(format!("{name}.pcap"))
}

/// Plays captures until so many seconds after their beginning, or to their end.
fn played(names: &[&str], until: Option<u64>) -> (Report, Status) {
    let captures: Vec<PathBuf> = names.iter().map(|name| lab(name)).collect();
    let mut replay = Replay::over(Captures::open(&captures), 0.0);
    let began = replay.now();
    let options = Options::default();
    let mut session = Session::new(&options, Selection::ALL);
    let mut frames = 0;
    let mut ended = None;
    loop {
        if until.is_some_and(|until| replay.now().since(began) >= Duration::from_secs(until)) {
            break;
        }
        match replay.next(Duration::ZERO).unwrap() {
            Heard::Frame(frame) => {
                session.frame(&frame, &mut ());
                frames += 1;
            }
            Heard::Silence => {
                let now = replay.now();
                session.advance(now, &mut ());
            }
            Heard::Notice(notice) => panic!("{notice}"),
            Heard::End => {
                ended = Some("the capture is over".to_owned());
                break;
            }
        }
    }
    let report = session.report(replay.infos(), ended.is_none());
    let rate = Rate { packets: 12.0, octets: 2048.0 };
    let rates = report
        .pairs
        .iter()
        .map(|pair| if pair.sent_by_a.esp > 0 { [rate, Rate::default()] } else { Default::default() });
    let rates = rates.collect();
    let counts = session.counts();
    let status = Status {
        source: "eth0".into(),
        began,
        now: replay.now(),
        frames,
        ike: counts.ike,
        esp: counts.esp,
        rates,
        ended,
        ..Status::default()
    };
    (report, status)
}

fn drawn(view: &mut View, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view.draw(frame)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let mut text = String::new();
    for row in 0..height {
        let line: String = (0..width).map(|column| buffer[(column, row)].symbol().to_owned()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn press(view: &mut View, keys: &[KeyCode]) -> Option<Wish> {
    keys.iter().filter_map(|&key| view.key(KeyEvent::new(key, KeyModifiers::NONE))).last()
}

fn view(names: &[&str], until: Option<u64>) -> View {
    let (report, status) = played(names, until);
    let mut view = View::new(false);
    view.show(report, status);
    view
}

#[track_caller]
fn reads(text: &str, phrases: &[&str]) {
    for phrase in phrases {
        assert!(text.contains(phrase), "no {phrase:?} on\n{text}");
    }
}

#[test]
fn a_stall_is_named_with_its_wait_its_finding_and_what_to_check() {
    let mut view = view(&["v1-psk-mismatch-main"], Some(20));
    let text = drawn(&mut view, 80, 24);
    reads(
        &text,
        &[
            "▶ 203.0.113.10 ⇄ 198.51.100.7",
            "MM5 ×3, no MM6 for ",
            "error[P1-PSK]: the pre-shared keys do not match (inferred)",
            "… MM6 is awaited, for ",
            "the next MM5 is due in ",
            "eth0",
            " UTC",
            "q end",
        ],
    );
    assert!(!text.contains("capture ends"), "it goes on:\n{text}");
    let text = drawn(&mut view, 120, 40);
    reads(
        &text,
        &["▸ MM1", "◂ MM2", "▸ MM5", "= check: on both sides: enter the same key again", "= state: Cisco ASA"],
    );
}

#[test]
fn what_is_too_early_to_tell_is_not_told() {
    let mut view = view(&["v1-udp500-drop"], Some(2));
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["Down-Negotiating", "MM1, no MM2 for ", "too early to tell: MM2 is awaited"]);
    assert!(!text.contains("error["), "{text}");
}

#[test]
fn a_tunnel_that_works_says_so_and_shows_its_traffic() {
    let mut view = view(&["v1-main-psk-healthy"], None);
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["Up-Active", "info[OK-UP]: the tunnel is up and carries traffic", "▸ QM3", "ENDED"]);
    press(&mut view, &[KeyCode::Tab, KeyCode::Tab]);
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["now ▸ 12.0/s, 2.0 KiB/s from 203.0.113.10", "now ◂ quiet from 198.51.100.7", "ce3528cb"]);
}

#[test]
fn version_2_and_ipv6_are_as_readable() {
    let text = drawn(&mut view(&["v2-unknown-peer"], None), 80, 24);
    reads(&text, &["IKEv2", "SA_INIT-REQ", "NO_PROPOSAL_CHOSEN", "V2-"]);
    let text = drawn(&mut view(&["v1-ipv6-psk-mismatch"], None), 120, 40);
    reads(&text, &["2001:db8:1::10 ⇄ 2001:db8:2::7", "error[P1-PSK]"]);
}

#[test]
fn the_worst_is_on_top_and_the_chosen_pair_stays_chosen() {
    let names = ["v1-main-psk-healthy", "v1-ipv6-psk-mismatch", "v1-nat-udp4500-blocked"];
    let mut view = view(&names, None);
    let text = drawn(&mut view, 120, 40);
    let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("no {needle} on\n{text}"));
    assert!(at("2001:db8:1::10") < at("  203.0.113.10 ⇄"), "{text}");
    press(&mut view, &[KeyCode::End]);
    reads(&drawn(&mut view, 120, 40), &["▶ 203.0.113.10 ⇄ 198.51.100.7"]);
    // later a fourth pair is worse than all
    let (report, status) = played(&[names[0], names[1], names[2], "v1-ipv6-rsa-ipfrag"], None);
    view.show(report, status);
    reads(&drawn(&mut view, 120, 40), &["▶ 203.0.113.10 ⇄ 198.51.100.7"]);
    press(&mut view, &[KeyCode::Up]);
    assert!(!drawn(&mut view, 120, 40).contains("▶ 203.0.113.10 ⇄ 198.51.100.7"));
}

#[test]
fn a_filter_shows_what_it_names_and_esc_shows_all() {
    let mut view = view(&["v1-main-psk-healthy", "v1-ipv6-psk-mismatch"], None);
    press(&mut view, &[KeyCode::Char('/'), KeyCode::Char('P'), KeyCode::Char('1'), KeyCode::Char('-')]);
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["show only pairs with: P1-", "1 of 2 with “P1-”", "2001:db8:1::10"]);
    assert!(!text.contains("203.0.113.10"), "{text}");
    press(&mut view, &[KeyCode::Enter, KeyCode::Esc]);
    reads(&drawn(&mut view, 80, 24), &["2 pairs", "203.0.113.10"]);
    press(&mut view, &[KeyCode::Char('/'), KeyCode::Char('x'), KeyCode::Char('y'), KeyCode::Enter]);
    reads(&drawn(&mut view, 80, 24), &["no pair holds “xy”; Esc shows all 2"]);
}

#[test]
fn a_held_display_stands_still_and_goes_on() {
    let mut view = view(&["v1-udp500-drop"], Some(2));
    press(&mut view, &[KeyCode::Char('p')]);
    let (report, status) = played(&["v1-udp500-drop"], None);
    view.show(report, status);
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["HELD, p goes on", "too early to tell"]);
    press(&mut view, &[KeyCode::Char('p')]);
    let text = drawn(&mut view, 80, 24);
    reads(&text, &["error[P1-NO-REPLY]"]);
    assert!(!text.contains("HELD"), "{text}");
}

#[test]
fn keys_do_what_the_help_says() {
    let mut view = view(&["v1-udp500-drop"], None);
    press(&mut view, &[KeyCode::Char('?')]);
    let help = drawn(&mut view, 100, 30);
    reads(&help, &["Enter", "PgUp PgDn", "Ctrl-C", "suspected"]);
    press(&mut view, &[KeyCode::Esc, KeyCode::Enter]);
    reads(&drawn(&mut view, 100, 30), &["── 203.0.113.10 ⇄ 198.51.100.7", "--> initiator 203.0.113.10", "Esc back"]);
    press(&mut view, &[KeyCode::End]);
    let text = drawn(&mut view, 100, 20);
    assert!(!text.contains("--> initiator"), "scrolled to the end:\n{text}");
    press(&mut view, &[KeyCode::Esc]);
    reads(&drawn(&mut view, 100, 30), &["[why]"]);

    assert_eq!(press(&mut view, &[KeyCode::Char('w')]), None);
    reads(&drawn(&mut view, 100, 30), &["write the kept frames to: ikescope-20261121-"]);
    let wish = press(&mut view, &[KeyCode::Backspace, KeyCode::Enter]);
    assert!(matches!(&wish, Some(Wish::Write(path)) if path.to_str().unwrap().ends_with(".pcapn")), "{wish:?}");
    view.say("wrote 7 frames".into());
    reads(&drawn(&mut view, 100, 30), &["wrote 7 frames"]);
    assert_eq!(press(&mut view, &[KeyCode::Char('q')]), Some(Wish::Quit));
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(view.key(control_c), Some(Wish::Quit));
}

#[test]
fn nothing_yet_is_said_with_what_to_do() {
    let mut view = View::new(false);
    reads(&drawn(&mut view, 80, 24), &["listening"]);
    let mut status = Status { source: "eth0".into(), ..Status::default() };
    let report = Session::new(&Options::default(), Selection::ALL).report(Vec::new(), true);
    view.show(report.clone(), status.clone());
    reads(&drawn(&mut view, 80, 24), &["no IKE, ESP or AH", "Nothing at all has come"]);
    (status.frames, status.lost, status.losing) = (7, 3, true);
    view.show(report, status);
    reads(&drawn(&mut view, 80, 24), &["Other frames come", "LOST 3 frames, and it goes on"]);
}

#[test]
fn no_terminal_is_too_small_and_none_too_large() {
    let mut healthy = view(&["v1-main-psk-healthy", "v1-ipv6-psk-mismatch", "v2-cert-ipfrag-dropped"], None);
    let mut empty = View::new(true);
    for view in [&mut healthy, &mut empty] {
        for keys in [
            &[][..],
            &[KeyCode::Tab],
            &[KeyCode::Tab],
            &[KeyCode::Enter],
            &[KeyCode::Char('?')],
            &[KeyCode::Esc, KeyCode::Char('/')],
        ] {
            press(view, keys);
            for (width, height) in
                [(1, 1), (2, 2), (5, 3), (10, 4), (20, 6), (39, 7), (40, 12), (79, 23), (131, 9), (300, 90)]
            {
                drawn(view, width, height);
                press(view, &[KeyCode::PageDown, KeyCode::Down]);
            }
        }
    }
}

#[test]
fn nothing_depends_on_colour() {
    let (report, status) = played(&["v1-psk-mismatch-main"], Some(20));
    let mut views = [View::new(false), View::new(true)];
    let [plain, coloured] = views.each_mut().map(|view| {
        view.show(report.clone(), status.clone());
        drawn(view, 80, 24)
    });
    assert_eq!(plain, coloured);
}

#[cfg(unix)]
mod terminal {
    use super::*;
    use expectrl::process::unix::WaitStatus;
    use expectrl::session::OsSession;
    use expectrl::{Eof, Expect, Session};
    use std::process::Command;

    const LEAVES: &str = "\x1b[?1049l";

    /// Runs a line of the shell in a terminal of 80 by 24, with the state of the terminal told before and after.
    fn shell(line: &str) -> OsSession {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("echo BEFORE:$(stty -g):; {line}; echo STATUS:$?:; echo AFTER:$(stty -g):"));
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("COLUMNS");
        let mut session = Session::spawn(command).unwrap();
        session.get_process_mut().set_window_size(80, 24).unwrap();
        session.set_expect_timeout(Some(Duration::from_secs(60)));
        session
    }

    fn program(arguments: &str) -> OsSession {
        let program = assert_cmd::cargo::cargo_bin("ikescope");
        shell(&format!("'{}' live {arguments}", program.display()))
    }

    /// Everything until the shell has ended.
    fn rest(session: &mut OsSession) -> String {
        let rest = session.expect(Eof).unwrap();
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(matches!(session.get_process().wait(), Ok(WaitStatus::Exited(..)) | Err(_)));
        rest
    }

    fn state(text: &str, name: &str) -> String {
        let (_, tail) = text.rsplit_once(&format!("{name}:")).unwrap_or_else(|| panic!("no {name} in {text}"));
        tail.lines().next().unwrap().trim().trim_end_matches(':').to_owned()
    }

    fn before(session: &mut OsSession) -> String {
        let found = session.expect(expectrl::Regex("BEFORE:[^\r\n]+")).unwrap();
        let line = String::from_utf8_lossy(found.get(0).unwrap()).into_owned();
        line.trim_start_matches("BEFORE:").trim().trim_end_matches(':').to_owned()
    }

    #[test]
    fn it_starts_obeys_and_leaves_the_terminal_as_it_was() {
        let mut session = program(&format!("--replay '{}' --speed 0", lab("v1-psk-mismatch-main").display()));
        let was = before(&mut session);
        // only what changes is drawn, except where the size of the terminal is another; blanks never are
        session.expect("ENDED").unwrap();
        session.get_process_mut().set_window_size(90, 30).unwrap();
        session.expect("error[P1-PSK]").unwrap();
        session.send("?").unwrap();
        session.expect("PgUp").unwrap();
        session.get_process_mut().set_window_size(100, 30).unwrap();
        session.expect("choose").unwrap();
        session.send("\x1b").unwrap();
        session.get_process_mut().set_window_size(60, 10).unwrap();
        session.expect("[why]").unwrap();
        session.send("q").unwrap();
        let rest = rest(&mut session);
        let (_, after) = rest.split_once(LEAVES).expect("the screen is left");
        assert!(after.contains("203.0.113.10 ⇄ 198.51.100.7"), "the report stands on the terminal: {after}");
        assert!(after.contains("STATUS:0:"), "{after}");
        assert_eq!(state(after, "AFTER"), was);
        assert!(rest.rfind("\x1b[?25h") > rest.rfind("\x1b[?25l"), "the cursor is shown again");
    }

    #[test]
    fn a_signal_ends_it_with_the_report_and_the_terminal_as_it_was() {
        let program = assert_cmd::cargo::cargo_bin("ikescope");
        let capture = lab("v1-psk-mismatch-main");
        for signal in ["TERM", "HUP", "INT"] {
            // the shell ends it from the side, as somebody at another terminal would
            let mut session = shell(&format!(
                "P=$(mktemp); (sleep 1.5; kill -{signal} $(cat $P)) & sh -c 'echo $$ > '$P'; \
                 exec \"{}\" live --replay \"{}\" --speed 2'; rm -f $P",
                program.display(),
                capture.display()
            ));
            let was = before(&mut session);
            session.expect("MM5").unwrap();
            let rest = rest(&mut session);
            let (_, after) = rest.split_once(LEAVES).expect("the screen is left");
            assert!(after.contains("203.0.113.10 ⇄ 198.51.100.7"), "SIG{signal}: {after}");
            assert_eq!(state(after, "AFTER"), was, "SIG{signal}");
        }
    }

    #[test]
    #[ignore = "the other end of the test below"]
    fn panics_on_the_screen() {
        let mut screen = ikescope::tui::Screen::open(false).unwrap();
        let (report, status) = played(&["v1-main-psk-healthy"], None);
        screen.show(report, status);
        screen.step().unwrap();
        panic!("on purpose");
    }

    #[test]
    fn a_panic_leaves_the_terminal_as_it_was() {
        let test = std::env::current_exe().unwrap();
        let arguments = "--exact terminal::panics_on_the_screen --ignored --nocapture --test-threads 1";
        let mut session = shell(&format!("'{}' {arguments}", test.display()));
        let was = before(&mut session);
        session.expect("OK-UP").unwrap();
        let rest = rest(&mut session);
        let (_, after) = rest.split_once(LEAVES).expect("the screen is left");
        assert!(after.contains("on purpose"), "the message can be read: {after}");
        assert_eq!(state(after, "AFTER"), was);
    }
}
