//! Applies the probe's flags on top of what an unfinished operation was given, or of what
//! the file says.

use hyper::Method;

use crate::cli::{self, WatchFlags};
use crate::driver::asking::{Asking, base};
use crate::driver::watching::Watching;
use crate::hidden::Hidden;
use crate::model::journal::{Asked, Header, Operation};
use crate::session::Session;

/// What the flags make of what was asked.
pub fn asking(args: &cli::AskingFlags, base: Asked) -> Asking {
    Asking::new(with_flags(base, args), args.report.clone())
}

/// The same where production is watched while listeners change.
pub fn watching(watch: &WatchFlags, base: Asked) -> Watching {
    let base = Asked {
        window: watch.window.unwrap_or(base.window),
        no_rollback: watch.no_rollback || base.no_rollback,
        ..base
    };
    Watching {
        is_blind: watch.blind,
        ..Watching::new(asking(&watch.asking, base))
    }
}

/// As an operation was asked that another began; what the flags say wins.
pub fn as_asked(session: &Session, operation: &Operation, watch: &WatchFlags) -> Watching {
    let watching = watching(watch, base(Some(operation), &session.config.probe));
    Watching {
        is_blind: watching.is_blind || operation.blind,
        ..watching
    }
}

fn with_flags(base: Asked, args: &cli::AskingFlags) -> Asked {
    let text = |flag: Option<String>, base: Option<String>| flag.or(base);
    let mut headers = base.headers;
    headers.retain(|kept| {
        !args
            .header
            .iter()
            .any(|flag| flag.name == kept.name.as_str())
    });
    headers.extend(args.header.iter().filter_map(|flag| {
        let value = Hidden::new(flag.value.to_str().ok()?);
        let name = flag.name.to_string();
        Some(Header { name, value })
    }));
    Asked {
        path: args.path.clone().unwrap_or(base.path),
        method: text(args.method.as_ref().map(Method::to_string), base.method),
        headers,
        http: text(args.http.map(|it| it.word().to_owned()), base.http),
        connections: text(
            args.connections.map(|it| it.word().to_owned()),
            base.connections,
        ),
        release_header: text(
            args.release_header.as_ref().map(ToString::to_string),
            base.release_header,
        ),
        rate: args.rate.unwrap_or(base.rate),
        expect_status: text(
            args.expect_status.as_ref().map(ToString::to_string),
            base.expect_status,
        ),
        expect_body: text(
            args.expect_body.as_ref().map(ToString::to_string),
            base.expect_body,
        ),
        max_failures: args.max_failures.unwrap_or(base.max_failures),
        max_failure_rate: text(
            args.max_failure_rate.map(|share| share.to_string()),
            base.max_failure_rate,
        ),
        max_latency: base.max_latency,
        window: base.window,
        timeout: base.timeout,
        no_rollback: base.no_rollback,
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::config;
    use crate::driver::asking::of_file;
    use crate::model::testing::operation;
    use crate::probe::{Connections, Version};

    fn probe(text: &str) -> config::ProbeSection {
        let path = std::path::Path::new("/srv/hello/bgecs.toml");
        let text = format!("app = 'hello'\n[probe]\n{text}");
        config::Config::parse(&text, path).unwrap().probe
    }

    fn flags(args: &[&str]) -> WatchFlags {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            watch: WatchFlags,
        }
        let args = std::iter::once(&"bgecs").chain(args);
        <Line as clap::Parser>::parse_from(args).watch
    }

    fn headers(asking: &Asking) -> Vec<(&str, &str)> {
        let headers = asking.question.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn every_word_of_the_file_is_one_of_the_flags() {
        let read =
            |line: String| super::asking(&cli::AskingFlags::default(), of_file(&probe(&line)));
        for (n, word) in config::CONNECTIONS.iter().enumerate() {
            let asking = read(format!("connections = '{word}'"));
            assert_eq!(Connections::value_variants()[n], asking.connections);
        }
        for (n, word) in config::VERSIONS.iter().enumerate() {
            let asking = read(format!("http = '{word}'"));
            assert_eq!(Version::value_variants()[n], asking.question.version);
        }
    }

    /// And there is no flag that makes it see again: who began knew why.
    #[test]
    fn what_began_blind_goes_on_blind() {
        let session = Session::of_hello(crate::aws::testing::Wire::new().aws());
        for (began, flag, expected) in [
            (false, &[][..], false),
            (false, &["--blind"], true),
            (true, &[], true),
        ] {
            let mut operation = operation();
            operation.blind = began;
            let watching = as_asked(&session, &operation, &flags(flag));
            assert_eq!(watching.is_blind, expected, "{began} {flag:?}");
        }
    }

    #[test]
    fn the_flags_win_over_the_journal_and_that_over_the_file() {
        let began = flags(&[
            "--path=/began",
            "--expect-status=204",
            "--header=X-Key: hunter22",
            "--max-failures=3",
            "--max-failure-rate=0.1%",
        ]);
        let file =
            probe("path = '/file'\nexpect_body = 'ok'\nheaders = { x-key = 'no', accept = 'a' }");
        let mut operation = operation();
        let asking = super::asking(&began.asking, of_file(&file));
        operation.asked = Some(asking.asked().clone());
        assert!(!format!("{operation:?}").contains("hunter22"));

        let later = probe("path = '/later'\nexpect_status = '500'\nmethod = 'HEAD'");
        let resumed = super::asking(&cli::AskingFlags::default(), base(Some(&operation), &later));
        assert_eq!(
            (&*resumed.path, &resumed.question.method),
            ("/began", &Method::GET)
        );
        let expected = &resumed.question.expected;
        assert_eq!(expected.status.to_string(), "204");
        assert_eq!(expected.body.as_ref().unwrap().as_str(), "ok");
        assert_eq!(headers(&resumed), [("accept", "a"), ("x-key", "hunter22")]);
        assert_eq!(resumed.tolerance.count, 3);
        assert!((resumed.tolerance.share - 0.001).abs() < 1e-9);

        let said = flags(&["--path=/said", "--expect-status=2xx", "--header=x-key: new"]);
        let resumed = super::asking(&said.asking, base(Some(&operation), &later));
        assert_eq!(resumed.path, "/said");
        assert_eq!(resumed.question.expected.status.to_string(), "2xx");
        assert_eq!(headers(&resumed), [("accept", "a"), ("x-key", "new")]);

        operation.asked = None;
        let resumed = super::asking(&cli::AskingFlags::default(), base(Some(&operation), &later));
        assert_eq!(
            (&*resumed.path, &resumed.question.method),
            ("/later", &Method::HEAD)
        );
    }
}
