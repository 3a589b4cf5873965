use super::*;
use crate::aws::testing::Wire;
use crate::report::capture::{HOSTILE, SHOWN, To, assert_harmless, reporter};

#[test]
fn an_apps_lines_are_raw_in_a_pipe_and_coloured_on_a_terminal() {
    let line = LogLine {
        id: None,
        at: None,
        stream: "blue/app/0123456789".to_owned(),
        message: HOSTILE.to_owned(),
    };
    for (to, expected) in [
        (To::Pipe, HOSTILE.to_owned()),
        (
            To::Terminal,
            SHOWN.replace(r"\u{1b}[31m", "\u{1b}[31m") + "\u{1b}[0m",
        ),
    ] {
        let (report, seen) = reporter(to, false, Style::plain());
        let session = Session::of_hello_telling(Wire::new().aws(), report);
        print(&session, Color::Blue, &line);
        drop(session);
        assert_eq!(seen.out.text(), format!(" blue/01234567 {expected}\n"));
        if to == To::Terminal {
            assert_harmless(&seen.out.text(), &["\u{1b}[31m", "\u{1b}[0m"]);
        }
    }
}

#[test]
fn where_there_is_no_line_it_says_how_to_see_more() {
    let args = |minutes: u64, follow| LogsFlags {
        color: None,
        follow,
        since: Duration::from_secs(minutes * 60),
    };
    let all = [
        args(10, false),
        args(120, false),
        args(48 * 60, false),
        args(1, true),
    ];
    let all = all.map(|args| no_lines(Color::Blue, &args));
    insta::assert_snapshot!(all.join("\n"), @r"
    no lines of blue in the last 10 min (`--since 1h` looks further back)
    no lines of blue in the last 2 h (`--since 24h` looks further back)
    no lines of blue in the last 48 h (`--since 168h` looks further back)
    no lines of blue in the last 1 min (new ones are shown as they come)
    ");
}
