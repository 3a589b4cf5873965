//! Whose account a command works in: the first line on stderr, and a part of the
//! result's JSON. The answer comes while the command is at work already, or not
//! at all; nothing but the printing waits for it, and that for a second.

use std::future::Future;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::model::Caller;

#[derive(Debug, Clone, Default)]
pub struct Introduction {
    caller: Arc<OnceLock<Caller>>,
}

impl Introduction {
    /// Gives the line, once it is there; hangs up if there is none.
    pub fn begin(
        &self,
        caller: impl Future<Output = Option<Caller>> + Send + 'static,
    ) -> Receiver<String> {
        let (tell, line) = sync_channel(1);
        let known = Arc::clone(&self.caller);
        tokio::spawn(async move {
            if let Some(caller) = caller.await {
                let line = caller.to_string();
                let _ = known.set(caller);
                // A printer that has ended wants none.
                let _ = tell.send(line);
            }
        });
        line
    }

    /// The same document, with what is known.
    pub fn within(&self, mut document: Value) -> Value {
        if let (Some(caller), Some(fields)) = (self.caller.get(), document.as_object_mut()) {
            fields.insert("aws".to_owned(), serde_json::json!(caller));
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Caller;
    use crate::report::capture::{HOSTILE, To, assert_harmless, reporter};
    use crate::report::{CommandResult, ReportEvent, Style};

    fn caller(role: &str) -> Caller {
        let arn = format!("arn:aws:sts::123456789012:assumed-role/{role}/run-17");
        Caller::new("123456789012", &arn, "eu-west-1")
    }

    #[tokio::test]
    async fn it_goes_ahead_of_what_was_told_before_it_was_known() {
        let (reporter, seen) = reporter(To::Pipe, false, Style::plain());
        // A task of this thread, so that it is not known yet.
        reporter.introduce(async { Some(caller("deployer")) });
        reporter.tell(&ReportEvent::Note("at work".to_owned()));
        while seen.err.text().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(reporter);
        insta::assert_snapshot!(seen.err.text(), @r"
        account 123456789012, eu-west-1, as role/deployer
        · at work
        ");
    }

    #[derive(serde::Serialize)]
    struct Answer {
        word: &'static str,
    }

    impl CommandResult for Answer {
        fn human(&self, _: &Style) -> String {
            self.word.to_owned()
        }
    }

    #[tokio::test]
    async fn a_result_that_was_there_first_has_it_all_the_same() {
        let (reporter, seen) = reporter(To::Pipe, true, Style::plain());
        reporter.introduce(async { Some(caller("deployer")) });
        reporter.result(&Answer { word: "done" });
        while seen.out.text().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(reporter);
        let document: serde_json::Value = serde_json::from_str(&seen.out.text()).unwrap();
        let expected = serde_json::json!({
            "word": "done",
            "aws": { "account": "123456789012", "region": "eu-west-1", "as": "role/deployer" },
        });
        assert_eq!(document, expected);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_not_waited_for_long() {
        let (reporter, seen) = reporter(To::Pipe, false, Style::plain());
        reporter.introduce(std::future::pending());
        reporter.tell(&ReportEvent::Note("at work".to_owned()));
        tokio::task::spawn_blocking(|| drop(reporter))
            .await
            .unwrap();
        assert_eq!(seen.err.text(), "· at work\n");
    }

    #[tokio::test]
    async fn a_name_that_sts_gives_is_no_command_to_the_terminal() {
        let (reporter, seen) = reporter(To::Terminal, false, Style::plain());
        let caller = caller(HOSTILE);
        reporter.introduce(async { Some(caller) });
        while seen.err.text().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(reporter);
        assert_harmless(&seen.err.text(), &[]);
    }
}
