use std::collections::BTreeMap;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::aws::{StackSnapshot, StackStatus};
use crate::model::Route;
use crate::report::Style;
use crate::report::capture::{To, reporter};

/// What is asked of users' answers shows it; what asks for none, and what no flag
/// or file wants, does not.
#[tokio::test]
async fn the_secret_header_goes_with_what_is_asked() {
    let secret = Reply::json(&serde_json::json!({ "SecretString": "hunter22" }));
    let wire = Wire::new().on("GetSecretValue", secret);
    let session = Session::of_hello(wire.aws());
    let infra = crate::model::testing::infrastructure().into();
    let plain = session.address(&infra, Route::Test, "/").await.unwrap();
    assert_eq!(plain.secret_name(), None);

    let mut session = Session::of_hello(wire.aws());
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cdn-AbCdEf";
    session.show(Some(format!("X-Origin-Verify={arn}").parse().unwrap()));
    for route in [Route::Production, Route::Test] {
        let address = session.address(&infra, route, "/").await.unwrap();
        assert_eq!(address.secret_name(), Some("x-origin-verify"));
        assert!(!format!("{address} {address:?}").contains("hunter"));
        let bare = session.bare_address(&infra, route, "/").unwrap();
        assert_eq!(bare.secret_name(), None);
    }
    // It was asked for once.
    wire.assert_used_up();
}

/// Once in a command, however often it looks.
#[tokio::test]
async fn a_file_that_differs_from_the_stack_is_told_ahead_of_all() {
    let stack = |path: &str| {
        Reply::xml(
            "DescribeStacks",
            &format!(
                "<Stacks><member><StackId>1</StackId><StackName>bgecs-hello</StackName>\
                 <CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus>\
                 <Parameters><member><ParameterKey>HealthPath</ParameterKey><ParameterValue>{path}</ParameterValue></member>\
                 <member><ParameterKey>LiveColor</ParameterKey><ParameterValue>blue</ParameterValue></member></Parameters>\
                 </member></Stacks>"
            ),
        )
    };
    for (path, expected) in [
        ("/health", ""),
        (
            "/healthz",
            "warning: bgecs.toml differs from the stack (health path): run `bgecs init`\n",
        ),
    ] {
        let wire = Wire::new()
            .on("DescribeStacks", stack(path))
            .on("DescribeStacks", stack(path));
        let (report, seen) = reporter(To::Pipe, false, Style::plain());
        let session = Session::of_hello_telling(wire.aws(), report);
        // It has no outputs.
        assert!(session.settled_infrastructure().await.is_err());
        assert!(session.infrastructure().await.is_err());
        drop(session);
        assert_eq!(seen.err.text(), expected);
    }
}

/// Beside a service that ran before, of what `attach` was told.
#[test]
fn a_way_that_is_another_than_attach_made_is_told() {
    let file = |test: &str| {
        let text = format!(
            "app = 'web'\n[service]\ncluster = 'prod'\n[colors.blue]\nservice = 'web'\n\
             [production]\nload_balancer = 'shared'\nport = 443\nurl = 'https://a.test'\n{test}"
        );
        Config::parse(&text, std::path::Path::new("/srv/bgecs.toml")).unwrap()
    };
    let mut session = Session::of_hello(Wire::new().aws());
    session.config = file("");
    let outputs = session.config.attached.as_ref().unwrap().written();
    let outputs = outputs.iter().map(|(name, words)| (*name, words.as_str()));
    let outputs: Vec<_> = outputs.chain([("Attached", "blue")]).collect();
    let stack = stack(&outputs);
    assert_eq!(session.difference(&stack), None);
    session.config = file("[test]\nport = 8443");
    assert_eq!(
        session.difference(&stack).unwrap(),
        "bgecs.toml differs from the stack (test): run `bgecs attach`"
    );
    session.config.attached.as_mut().unwrap().cluster = "other".to_owned();
    assert_eq!(
        session.difference(&stack).unwrap(),
        "bgecs.toml differs from the stack (running service, test): run `bgecs attach`"
    );
}

fn stack(outputs: &[(&str, &str)]) -> StackSnapshot {
    StackSnapshot {
        id: "1".to_owned(),
        name: "bgecs-hello".to_owned(),
        status: StackStatus::Ready,
        status_text: "CREATE_COMPLETE".to_owned(),
        reason: None,
        parameters: BTreeMap::new(),
        outputs: outputs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// An update would make the one out of the other.
#[test]
fn a_stack_of_another_kind_than_the_file_s_is_refused() {
    let session = Session::of_hello(Wire::new().aws());
    let is_fine = |outputs| session.refuse_of_another_kind(&stack(outputs)).is_ok();
    assert!(is_fine(&[("ClusterName", "bgecs-hello")]));
    assert!(is_fine(&[]));
    assert!(!is_fine(&[("ClusterName", "prod"), ("Attached", "blue")]));
}
