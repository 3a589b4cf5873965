//! The gate's correction of ELBv2 where an emulator comes into it: what it
//! drops, what changes behind the gate's back, and when it fails.

use crate::api::{Api, Outcome, With, first, weights};
use crate::subject::{Subject, eventually};
use crate::target::Target;

/// A client of the emulator itself, as CloudFormation and ECS are.
fn behind(subject: &Subject) -> Outcome<Api> {
    Ok(Api::new(subject.behind()?.store.address.to_string()))
}

fn to(group: &str) -> With {
    With::new().forward_to("DefaultActions", group)
}

#[tokio::test]
async fn an_emulator_drops_weights_and_the_gate_has_them() -> Outcome {
    let subject = Subject::gate().await?;
    let groups = [subject.group(&[]).await?, subject.group(&[]).await?];
    let load_balancer = subject.load_balancer().await?;
    let split = With::new().forward("DefaultActions", &[(&groups[0], 3), (&groups[1], 4)]);
    subject.listener(&load_balancer, 80, split).await?;
    let ask = With::new().and("LoadBalancerArn", &load_balancer.arn);
    let emulators = behind(&subject)?
        .call("DescribeListeners", ask.clone())
        .await?;
    assert!(weights(&emulators)?.is_empty(), "{emulators}");
    let gates = subject.api.call("DescribeListeners", ask).await?;
    let [blue, green] = groups;
    assert_eq!(weights(&gates)?, [(blue, "3".into()), (green, "4".into())]);
    Ok(())
}

#[tokio::test]
async fn the_default_rule_has_the_listeners_weights() -> Outcome {
    let subject = Subject::gate().await?;
    let groups = [subject.group(&[]).await?, subject.group(&[]).await?];
    let load_balancer = subject.load_balancer().await?;
    let split = With::new().forward("DefaultActions", &[(&groups[0], 3), (&groups[1], 4)]);
    let listener = subject.listener(&load_balancer, 80, split).await?;
    let ask = With::new().and("ListenerArn", listener);
    let answer = subject.api.call("DescribeRules", ask).await?;
    let [blue, green] = groups;
    assert_eq!(weights(&answer)?, [(blue, "3".into()), (green, "4".into())]);
    Ok(())
}

#[tokio::test]
async fn a_change_behind_the_gate_is_obeyed() -> Outcome {
    let subject = Subject::gate().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let groups = [
        subject.group(&[blue.address]).await?,
        subject.group(&[green.address]).await?,
    ];
    let load_balancer = subject.load_balancer().await?;
    let split = With::new().forward("DefaultActions", &[(&groups[0], 1), (&groups[1], 0)]);
    let listener = subject.listener(&load_balancer, 80, split).await?;
    let door = subject.door(&load_balancer, 80).await?;
    subject.until(&groups[1], "healthy").await?;
    assert_eq!(door.get("/", &[]).await?.text(), "blue");
    let with = to(&groups[1]).and("ListenerArn", &listener);
    behind(&subject)?.call("ModifyListener", with).await?;
    eventually("the watch has seen it", async || {
        let text = door.get("/", &[]).await?.text();
        Ok((text == "green").then_some(()))
    })
    .await?;
    let ask = With::new().and("ListenerArns.member.1", &listener);
    let answer = subject.api.call("DescribeListeners", ask).await?;
    assert_eq!(weights(&answer)?, [(groups[1].clone(), "1".into())]);
    Ok(())
}

#[tokio::test]
async fn a_group_that_was_freed_behind_the_gate_can_be_deleted() -> Outcome {
    let subject = Subject::gate().await?;
    let group = subject.group(&[]).await?;
    let (_, listener) = subject.forwarding_to(&group).await?;
    let with = With::new().and("ListenerArn", &listener);
    behind(&subject)?.call("DeleteListener", with).await?;
    let with = With::new().and("TargetGroupArn", &group);
    subject.api.call("DeleteTargetGroup", with).await.map(drop)
}

#[tokio::test]
async fn targets_that_come_behind_the_gate_are_known_when_asked_for() -> Outcome {
    let subject = Subject::gate().await?;
    let target = Target::start("blue").await?;
    let group = subject.group(&[]).await?;
    subject.forwarding_to(&group).await?;
    let with = With::new()
        .and("TargetGroupArn", &group)
        .targets(&[target.address]);
    behind(&subject)?.call("RegisterTargets", with).await?;
    let health = subject.api.health(&group, &[]).await?;
    assert_eq!(health.len(), 1);
    assert!(
        ["initial", "healthy"].contains(&health[0].state.as_str()),
        "{health:?}"
    );
    Ok(())
}

#[tokio::test]
async fn each_load_balancer_ends_when_it_is_deleted() -> Outcome {
    let subject = Subject::gate().await?;
    let group = subject.group(&[]).await?;
    let (one, _) = subject.forwarding_to(&group).await?;
    let (two, _) = subject.forwarding_to(&group).await?;
    let elb = &subject.behind()?.elb;
    let dns: Vec<String> = elb.balancers().into_iter().map(|(is, _)| is.dns).collect();
    assert_eq!(dns.len(), 2);
    assert!(elb.balancer_of(&one.dns.to_uppercase()).is_some());
    assert!(elb.balancer_of("somewhere.else").is_none());
    let with = With::new().and("LoadBalancerArn", &one.arn);
    subject.api.call("DeleteLoadBalancer", with).await?;
    assert!(elb.balancer_of(&one.dns).is_none());
    let port = elb
        .balancer_of(&format!("{}:81", two.dns))
        .map(|(_, port)| port);
    assert_eq!(port, Some(81));
    Ok(())
}

#[tokio::test]
async fn what_elbv2_refuses_is_refused() -> Outcome {
    let subject = Subject::gate().await?;
    let group = subject.group(&[]).await?;
    let (_, listener) = subject.forwarding_to(&group).await?;
    let modify = |with: With| with.and("ListenerArn", &listener);
    let heavy = modify(With::new().forward("DefaultActions", &[(&group, 1000)]));
    let refused = subject.api.refusal("ModifyListener", heavy).await?;
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "ValidationError")
    );
    let nowhere = modify(to(&group.replace("targetgroup/", "targetgroup/no-")));
    let refused = subject.api.refusal("ModifyListener", nowhere).await?;
    assert_eq!(refused.code, "TargetGroupNotFound");
    let ask = With::new().and("ListenerArns.member.1", &listener);
    let answer = subject.api.call("DescribeListeners", ask).await?;
    assert_eq!(first(&answer, "TargetGroupArn"), Some(group));
    Ok(())
}

#[tokio::test]
async fn everything_is_read_page_by_page() -> Outcome {
    let subject = Subject::gate().await?;
    let gate = subject.behind()?;
    gate.store.answer_in_pages_of(1);
    let groups = [subject.group(&[]).await?, subject.group(&[]).await?];
    let (one, listener) = subject.forwarding_to(&groups[0]).await?;
    subject.listener(&one, 81, to(&groups[1])).await?;
    subject.forwarding_to(&groups[0]).await?;
    for priority in 1..=2 {
        let rule = With::new()
            .and("Conditions.member.1.Field", "path-pattern")
            .and("Conditions.member.1.Values.member.1", "/x")
            .forward_to("Actions", &groups[1]);
        subject.rule(&listener, priority, rule).await?;
    }
    gate.elb.look().await?;
    assert_eq!(gate.elb.balancers().len(), 2);
    let (balancer, _) = gate.elb.balancer_of(&one.dns).ok_or("no load balancer")?;
    let config = balancer.config();
    let rules: usize = config.listeners.iter().map(|one| one.rules.len()).sum();
    assert_eq!(
        (config.listeners.len(), rules, config.target_groups.len()),
        (2, 2, 2)
    );
    Ok(())
}

#[tokio::test]
async fn an_emulator_that_fails_is_a_trouble_until_it_does_not() -> Outcome {
    let subject = Subject::gate().await?;
    let gate = subject.behind()?;
    let group = subject.group(&[]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    gate.store.break_down(true);
    assert!(gate.elb.look().await.is_err());
    let trouble = gate.elb.trouble().ok_or("no trouble")?;
    assert!(
        trouble.contains("500") && trouble.contains("out of order"),
        "{trouble}"
    );
    // What is known goes on.
    let door = subject.door(&load_balancer, 80).await?;
    assert_eq!(door.get("/", &[]).await?.status, 503);
    gate.store.break_down(false);
    eventually("it looks again", async || {
        Ok(gate.elb.trouble().is_none().then_some(()))
    })
    .await
}

#[tokio::test]
async fn who_asks_at_once_shares_a_look() -> Outcome {
    let subject = Subject::gate().await?;
    let gate = subject.behind()?;
    let group = subject.group(&[]).await?;
    subject.forwarding_to(&group).await?;
    let alone = gate.store.calls();
    gate.elb.look().await?;
    let alone = gate.store.calls() - alone;
    let together = gate.store.calls();
    let looks = (0..20).map(|_| gate.elb.look());
    futures_util::future::try_join_all(looks).await?;
    let together = gate.store.calls() - together;
    // The first looks, the others wait and share the next; the watch looks too.
    assert!(
        together <= alone * 6,
        "{together} calls, {alone} for one look"
    );
    Ok(())
}

/// The gate answers only for what it does itself.
#[tokio::test]
async fn health_of_tells_what_describe_target_health_would() -> Outcome {
    let subject = Subject::gate().await?;
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    let arn = localstack::balancer::config::Arn::new(group.as_str());
    let elb = &subject.behind()?.elb;
    let states = || -> Vec<&str> {
        let all = elb.health_of(&arn).into_iter();
        all.map(|(_, health)| health.state.as_str()).collect()
    };
    assert_eq!(states(), ["unused"]);
    subject.forwarding_to(&group).await?;
    eventually("it is healthy", async || {
        Ok((states() == ["healthy"]).then_some(()))
    })
    .await
}
