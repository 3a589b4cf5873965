//! What comes out, byte for byte, of what others sent.

use super::capture::{HOSTILE, SHOWN, To, assert_harmless, reporter, reporter_of};
use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::ColorServices;
use crate::model::StepState;

#[derive(Serialize)]
struct Said(&'static str);

impl CommandResult for Said {
    fn human(&self, style: &Style) -> String {
        format!("{}: {}", style.strong("said"), self.0)
    }
}

fn tell_everything(reporter: &Reporter) {
    let text = || HOSTILE.to_owned();
    let stack = StackEvent {
        id: text(),
        at: None,
        resource: text(),
        resource_type: text(),
        status: text(),
        reason: Some(text()),
        token: None,
    };
    let service = ServiceEvent {
        id: text(),
        at: None,
        message: text(),
    };
    let check = Check {
        name: "capacity",
        ok: true,
        detail: text(),
    };
    let step = |state| Progress::Step {
        id: text(),
        name: text(),
        state,
    };
    let log = Progress::Log {
        step: text(),
        line: text(),
    };
    let layer = |id: &str, status: &str| Progress::Layer {
        id: id.to_owned(),
        status: status.to_owned(),
        current: 1,
        total: 2,
    };
    for event in [
        ReportEvent::Note(text()),
        ReportEvent::Warning(text()),
        ReportEvent::Doing(text()),
        ReportEvent::Done(text()),
        ReportEvent::Hook(HOSTILE),
        ReportEvent::Stack(&stack),
        ReportEvent::Service(&service),
        ReportEvent::Check(&check),
        ReportEvent::Docker(&step(StepState::Started)),
        ReportEvent::Docker(&step(StepState::Cached)),
        ReportEvent::Docker(&step(StepState::Done)),
        ReportEvent::Docker(&step(StepState::Failed)),
        ReportEvent::Docker(&log),
        ReportEvent::Docker(&layer("0a", HOSTILE)),
        ReportEvent::Docker(&layer(HOSTILE, "Pushed")),
        ReportEvent::Body {
            at_ms: Some(3),
            status: 200,
            body: HOSTILE,
        },
    ] {
        reporter.tell(&event);
    }
    let error = Error::failed(HOSTILE)
        .cause(HOSTILE)
        .traffic(HOSTILE)
        .hint(HOSTILE);
    reporter.complain(&error);
    reporter.ask(HOSTILE);
}

#[test]
fn nothing_that_is_told_is_a_command() {
    let colors: Vec<String> = ["0m", "2m", "32m", "33m", "1;31m"]
        .iter()
        .map(|color| format!("\u{1b}[{color}"))
        .collect();
    let colors: Vec<&str> = colors.iter().map(String::as_str).collect();
    for to in [To::Pipe, To::Terminal] {
        for (style, own) in [(Style::plain(), &[][..]), (Style::colored(), &colors)] {
            let (reporter, seen) = reporter(to, false, style);
            tell_everything(&reporter);
            drop(reporter);
            let text = seen.err.text();
            // indicatif ends a line by filling it up, and colours its spinner.
            let spinner = ["\u{1b}[36m", "\u{1b}[2m", "\u{1b}[0m"];
            let own = match to {
                To::Pipe => own.to_vec(),
                To::Terminal => [own, &spinner].concat(),
            };
            assert_harmless(&text, &own);
            let least = if to == To::Pipe { 20 } else { 15 };
            let count = text.matches(SHOWN).count();
            assert!(count >= least, "{to:?}: {count} in {text}");
            assert_eq!(seen.out.text(), "");
        }
    }
}

#[test]
fn a_result_is_text_for_people_and_json_for_programs() {
    for to in [To::Pipe, To::Terminal] {
        let (people, seen) = reporter(to, false, Style::plain());
        people.result(&Said(HOSTILE));
        drop(people);
        assert_eq!(seen.out.text(), format!("said: {SHOWN}\n"));

        let (programs, seen) = reporter(to, true, Style::plain());
        programs.result(&Said(HOSTILE));
        drop(programs);
        assert_harmless(&seen.out.text(), &[]);
        let read: String = serde_json::from_str(&seen.out.text()).unwrap();
        assert_eq!(read, HOSTILE);
    }
}

#[tokio::test]
async fn what_aws_refuses_with_is_shown_as_it_is() {
    for denied in [
        Reply::json_error(400, "AccessDeniedException", HOSTILE),
        Reply::json_error(400, HOSTILE, HOSTILE),
    ] {
        let wire = Wire::new().on("DescribeServices", denied);
        let error = wire
            .aws()
            .read_services(&ColorServices::alone_in("bgecs-hello"))
            .await
            .unwrap_err();
        let (reporter, seen) = reporter(To::Terminal, false, Style::plain());
        reporter.complain(&error.into());
        drop(reporter);
        assert_harmless(&seen.err.text(), &[]);
        assert!(seen.err.text().contains(SHOWN), "{}", seen.err.text());
    }
}

/// What a narrow terminal shows of everything, and what a pipe gets.
#[test]
fn no_line_is_wider_than_its_terminal_and_a_pipe_gets_whole_lines() {
    const LONG: &str = "port 80 forwards to blue, which the journal does not say, and port 81 to green: \
        look at `bgecs status` and at http://bgecs-hello-1234567890.eu-central-1.elb.amazonaws.com";
    let tell = |reporter: &Reporter| {
        let service = ServiceEvent {
            id: "1".to_owned(),
            at: None,
            message: format!("(service blue) {LONG}"),
        };
        reporter.tell(&ReportEvent::Note(LONG.to_owned()));
        reporter.tell(&ReportEvent::Warning(LONG.to_owned()));
        reporter.tell(&ReportEvent::Service(&service));
        let error = Error::failed(LONG).cause(LONG).traffic(LONG).hint(LONG);
        reporter.complain(&error);
        reporter.result(&Said(LONG));
    };
    for columns in [60, 80, 120] {
        let (reporter, seen) = reporter_of(To::Terminal, false, Style::plain(), Some(columns));
        tell(&reporter);
        drop(reporter);
        let text = seen.err.text() + &seen.out.text();
        // indicatif fills a line up, and does not end it.
        for line in text.replace(&" ".repeat(40), "\n").lines() {
            let wide = console::measure_text_width(line.trim());
            assert!(wide <= usize::from(columns), "{columns}: {line}");
        }
        for word in ["journal", "`bgecs status`"] {
            assert_eq!(text.matches(word).count(), 8, "{columns}: {text}");
        }
    }
    let (reporter, seen) = reporter(To::Pipe, false, Style::plain());
    tell(&reporter);
    drop(reporter);
    let text = seen.err.text() + &seen.out.text();
    assert_eq!(text.matches(LONG).count(), 8, "{text}");

    let (programs, seen) = reporter_of(To::Terminal, true, Style::plain(), Some(60));
    programs.result(&Said(LONG));
    drop(programs);
    let read: String = serde_json::from_str(&seen.out.text()).unwrap();
    assert_eq!(read, LONG);
}

/// Each of them, also in errors: typed without, a line would be of another app.
#[test]
fn command_lines_have_the_environment_that_a_flag_chose() {
    let told = |is_flag, json| {
        let (plain, seen) = reporter(To::Pipe, json, Style::plain());
        let environment = Environment {
            name: "staging",
            is_flag,
        };
        let reporter = Reporter {
            audience: Audience {
                environment: Some(environment),
                ..plain.audience
            },
            ..plain
        };
        reporter.tell(&ReportEvent::Warning("run `bgecs init`".to_owned()));
        reporter.complain(&Error::refused("no").hint("`bgecs rollback`"));
        reporter.result(&Said("`bgecs promote --tag 2`"));
        drop(reporter);
        seen.err.text() + &seen.out.text()
    };
    insta::assert_snapshot!(told(true, false), @r"
    warning: run `bgecs init --env staging`
    error: no
      hint:      `bgecs rollback --env staging`
    said: `bgecs promote --tag 2 --env staging`
    ");
    assert!(!told(false, false).contains("--env"));
    assert!(!told(false, true).contains("--env"));
}
