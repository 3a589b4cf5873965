//! Target health:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>.

use crate::api::{Health, Outcome, With};
use crate::subject::{Subject, eventually};
use crate::target::{Closed, Target};

super::cases![
    a_target_that_passes_is_healthy,
    a_wrong_status_is_unhealthy,
    a_target_where_nothing_listens_is_unhealthy,
    a_target_that_gives_no_answer_in_time_is_unhealthy,
    targets_of_an_unattached_group_are_unused,
    a_group_of_weight_0_is_checked,
    a_target_that_is_not_registered_is_said_to_be_so,
    a_deregistered_target_drains_and_goes,
    an_unhealthy_target_recovers_after_the_threshold,
    a_changed_check_holds,
    an_unknown_group_is_an_error,
];

fn said(health: &Health) -> (&str, &str) {
    (&health.state, &health.reason)
}

async fn a_target_that_passes_is_healthy(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    let health = subject.until(&group, "healthy").await?;
    assert_eq!(health.target, target.address);
    assert_eq!(
        (health.reason.as_str(), health.description.as_str()),
        ("", "")
    );
    assert!(target.passed_checks() > 0, "nobody checked it");
    Ok(())
}

async fn a_wrong_status_is_unhealthy(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    target.answer_checks_with(500);
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    let health = subject.until(&group, "unhealthy").await?;
    assert_eq!(said(&health), ("unhealthy", "Target.ResponseCodeMismatch"));
    assert!(
        health.description.contains("[500]"),
        "{}",
        health.description
    );
    Ok(())
}

async fn a_target_where_nothing_listens_is_unhealthy(subject: &Subject) -> Outcome {
    let closed = Closed::take()?;
    let group = subject.group(&[closed.1]).await?;
    subject.forwarding_to(&group).await?;
    let health = subject.until(&group, "unhealthy").await?;
    assert_eq!(said(&health), ("unhealthy", "Target.FailedHealthChecks"));
    Ok(())
}

async fn a_target_that_gives_no_answer_in_time_is_unhealthy(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    target.leave_checks_unanswered();
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    let health = subject.until(&group, "unhealthy").await?;
    assert_eq!(said(&health), ("unhealthy", "Target.Timeout"));
    Ok(())
}

async fn targets_of_an_unattached_group_are_unused(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    let health = subject.api.health(&group, &[]).await?;
    assert_eq!(health.len(), 1);
    assert_eq!(said(&health[0]), ("unused", "Target.NotInUse"));
    Ok(())
}

async fn a_group_of_weight_0_is_checked(subject: &Subject) -> Outcome {
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let live = subject.group(&[blue.address]).await?;
    let idle = subject.group(&[green.address]).await?;
    let load_balancer = subject.load_balancer().await?;
    let split = With::new().forward("DefaultActions", &[(&live, 1), (&idle, 0)]);
    subject.listener(&load_balancer, 80, split).await?;
    subject.until(&idle, "healthy").await?;
    assert!(green.passed_checks() > 0, "nobody checked it");
    Ok(())
}

async fn a_target_that_is_not_registered_is_said_to_be_so(subject: &Subject) -> Outcome {
    let (target, closed) = (Target::start("blue").await?, Closed::take()?);
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    let health = subject.api.health(&group, &[closed.1]).await?;
    assert_eq!(health.len(), 1);
    assert_eq!(health[0].target, closed.1);
    assert_eq!(said(&health[0]), ("unused", "Target.NotRegistered"));
    let health = subject.api.health(&group, &[target.address]).await?;
    assert_eq!(health.len(), 1);
    assert_eq!(health[0].target, target.address);
    Ok(())
}

async fn a_deregistered_target_drains_and_goes(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    // Longer than the two calls below take, on whatever machine.
    subject.drain_for(&group, 5).await?;
    subject.forwarding_to(&group).await?;
    subject.until(&group, "healthy").await?;
    subject.deregister(&group, &[target.address]).await?;
    let health = subject.api.health(&group, &[]).await?;
    assert_eq!(health.len(), 1, "it does not drain");
    assert_eq!(
        said(&health[0]),
        ("draining", "Target.DeregistrationInProgress")
    );
    eventually("the target is gone", async || {
        let left = subject.api.health(&group, &[]).await?;
        Ok(left.is_empty().then_some(()))
    })
    .await
}

async fn an_unhealthy_target_recovers_after_the_threshold(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    target.answer_checks_with(500);
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    subject.until(&group, "unhealthy").await?;
    target.answer_checks_with(200);
    subject.until(&group, "healthy").await?;
    let passed = target.passed_checks();
    assert!(passed >= 2, "healthy after {passed} passed checks, not 2");
    Ok(())
}

async fn a_changed_check_holds(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    subject.forwarding_to(&group).await?;
    subject.until(&group, "healthy").await?;
    let with = With::new()
        .and("TargetGroupArn", &group)
        .and("Matcher.HttpCode", "204");
    subject.api.call("ModifyTargetGroup", with).await?;
    let health = subject.until(&group, "unhealthy").await?;
    assert!(
        health.description.contains("[200]"),
        "{}",
        health.description
    );
    Ok(())
}

async fn an_unknown_group_is_an_error(subject: &Subject) -> Outcome {
    let arn =
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/none/0000000000000000";
    let with = With::new().and("TargetGroupArn", arn);
    let refused = subject.api.refusal("DescribeTargetHealth", with).await?;
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "TargetGroupNotFound")
    );
    Ok(())
}
