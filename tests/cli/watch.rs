//! `bgecs watch`, as far as it needs no AWS.

use crate::support::{Desk, Outcome};
use crate::{compare, desk, see};

#[test]
fn what_is_missing_on_its_line_is_said() -> Outcome {
    see(
        "watch-mistakes",
        &Desk::empty()?,
        &[
            "watch",
            "watch --cluster prod --service web",
            "watch --cluster prod -- true",
            "watch --service web -- true",
            "watch --cluster prod --service web ./our-deploy.sh",
            "watch --cluster= --service web -- true",
            "watch --cluster prod --service web --duration soon",
            "watch --cluster prod --service web --url shop.example.com -- true",
            "watch --cluster prod --service web --url http://shop.example.com --path / -- true",
            "watch --cluster prod --service web --report report.txt -- true",
            // Neither region nor credentials are here.
            "watch --cluster prod --service web -- true",
        ],
    )
}

/// Its policy is for that service alone, and a document whatever is asked for.
#[test]
fn its_policy_names_the_service() -> Outcome {
    let line = "watch --cluster prod --service web --region eu-central-1 --print-policy";
    see("watch-policy", &Desk::empty()?, &[line])?;
    let desk = Desk::empty()?;
    let arns = [
        "watch",
        "--cluster=arn:aws:ecs:eu-central-1:123456789012:cluster/prod",
        "--service=arn:aws:ecs:eu-central-1:123456789012:service/prod/web",
        "--region=eu-central-1",
        "--print-policy",
    ];
    let by_name: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(desk.bgecs(&arns)?.json()?, desk.bgecs(&by_name)?.json()?);
    Ok(())
}

/// A command that could not be watched is not run.
#[test]
fn nothing_is_run_where_aws_cannot_be_asked() -> Outcome {
    let desk = desk()?;
    let line = [
        "watch",
        "--cluster=prod",
        "--service=web",
        "--",
        "touch",
        "ran",
    ];
    let ended = desk.bgecs(&line)?;
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(!desk.path().join("ran").exists());
    compare("watch-unreachable", &ended.shown());
    Ok(())
}
