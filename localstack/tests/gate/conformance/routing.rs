//! Who gets a request:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html>.

use std::net::SocketAddr;

use crate::api::{Outcome, With, weights};
use crate::door::Answer;
use crate::subject::{LoadBalancer, Subject, eventually};
use crate::target::{Closed, Target};

super::cases![
    only_healthy_targets_get_requests,
    if_no_target_is_healthy_all_get_requests,
    an_empty_group_answers_503,
    a_closed_target_answers_502,
    weights_are_obeyed,
    weights_are_described,
    a_plain_forward_is_described_in_both_forms,
    a_sticky_forward_keeps_a_client_with_its_group,
    the_lowest_priority_that_matches_is_taken,
    a_fixed_response_is_given,
    a_redirect_is_given,
    targets_learn_who_asked,
];

/// Two groups of one healthy target each, behind the same listener.
struct Pair {
    blue: Target,
    green: Target,
    groups: [String; 2],
    load_balancer: LoadBalancer,
    listener: String,
}

impl Pair {
    async fn start(subject: &Subject, weights: [u32; 2]) -> Outcome<Self> {
        let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
        let groups = [
            subject.group(&[blue.address]).await?,
            subject.group(&[green.address]).await?,
        ];
        let load_balancer = subject.load_balancer().await?;
        let split = split(&groups, weights);
        let listener = subject.listener(&load_balancer, 80, split).await?;
        for group in &groups {
            subject.until(group, "healthy").await?;
        }
        Ok(Self {
            blue,
            green,
            groups,
            load_balancer,
            listener,
        })
    }
}

fn split(groups: &[String; 2], [blue, green]: [u32; 2]) -> With {
    With::new().forward("DefaultActions", &[(&groups[0], blue), (&groups[1], green)])
}

async fn expect(subject: &Subject, of: &LoadBalancer, status: u16) -> Outcome<Answer> {
    let door = subject.door(of, 80).await?;
    let answer = door.get("/", &[]).await?;
    assert_eq!(answer.status, status, "{}", answer.text());
    Ok(answer)
}

async fn only_healthy_targets_get_requests(subject: &Subject) -> Outcome {
    let good = Target::start("good").await?;
    let bad = Target::start_apart("bad").await?;
    bad.answer_checks_with(500);
    let group = subject.group(&[good.address, bad.address]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    subject.until(&group, "healthy").await?;
    subject.until(&group, "unhealthy").await?;
    let door = subject.door(&load_balancer, 80).await?;
    for _ in 0..20 {
        assert_eq!(door.get("/", &[]).await?.text(), "good");
    }
    Ok(())
}

/// Fail-open.
async fn if_no_target_is_healthy_all_get_requests(subject: &Subject) -> Outcome {
    let target = Target::start("bad").await?;
    target.answer_checks_with(500);
    let group = subject.group(&[target.address]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    subject.until(&group, "unhealthy").await?;
    assert_eq!(expect(subject, &load_balancer, 200).await?.text(), "bad");
    Ok(())
}

async fn an_empty_group_answers_503(subject: &Subject) -> Outcome {
    let group = subject.group(&[]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    expect(subject, &load_balancer, 503).await.map(drop)
}

async fn a_closed_target_answers_502(subject: &Subject) -> Outcome {
    let closed = Closed::take()?;
    let group = subject.group(&[closed.1]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    subject.until(&group, "unhealthy").await?;
    expect(subject, &load_balancer, 502).await.map(drop)
}

/// Of 400 requests 40 are expected; fewer than 12 or more than 76 come with a
/// chance of less than 1 in 10^7.
async fn weights_are_obeyed(subject: &Subject) -> Outcome {
    let pair = Pair::start(subject, [90, 10]).await?;
    let door = subject.door(&pair.load_balancer, 80).await?;
    let mut connection = door.connect().await?;
    let mut green = 0;
    for _ in 0..400 {
        let answer = connection.get("/", &[]).await?;
        match answer.text().as_str() {
            "blue" => {}
            "green" => green += 1,
            other => return Err(format!("{}: {other}", answer.status).into()),
        }
    }
    assert!((12..=76).contains(&green), "{green} of 400");
    let all_green = split(&pair.groups, [0, 10]);
    subject.modify_listener(&pair.listener, all_green).await?;
    eventually("all go to the other group", async || {
        let text = door.get("/", &[]).await?.text();
        Ok((text == "green").then_some(()))
    })
    .await?;
    for _ in 0..20 {
        assert_eq!(door.get("/", &[]).await?.text(), "green");
    }
    Ok(())
}

async fn weights_are_described(subject: &Subject) -> Outcome {
    let groups = [subject.group(&[]).await?, subject.group(&[]).await?];
    let load_balancer = subject.load_balancer().await?;
    let listener = split(&groups, [90, 10]);
    let listener = subject.listener(&load_balancer, 80, listener).await?;
    let pair = |blue: &str, green: &str| {
        [
            (groups[0].clone(), blue.to_owned()),
            (groups[1].clone(), green.to_owned()),
        ]
    };
    let ask = With::new().and("LoadBalancerArn", &load_balancer.arn);
    let answer = subject.api.call("DescribeListeners", ask.clone()).await?;
    assert_eq!(weights(&answer)?, pair("90", "10"));
    let changed = split(&groups, [0, 999]);
    let answer = subject.modify_listener(&listener, changed).await?;
    assert_eq!(weights(&answer)?, pair("0", "999"));
    let answer = subject.api.call("DescribeListeners", ask).await?;
    assert_eq!(weights(&answer)?, pair("0", "999"));

    let rule = With::new()
        .and("Conditions.member.1.Field", "path-pattern")
        .and("Conditions.member.1.Values.member.1", "/x")
        .forward("Actions", &[(&groups[0], 7), (&groups[1], 8)]);
    let rule = subject.rule(&listener, 1, rule).await?;
    let ask = With::new().and("RuleArns.member.1", rule);
    let answer = subject.api.call("DescribeRules", ask).await?;
    assert_eq!(weights(&answer)?, pair("7", "8"));
    Ok(())
}

async fn a_plain_forward_is_described_in_both_forms(subject: &Subject) -> Outcome {
    let group = subject.group(&[]).await?;
    let (_, listener) = subject.forwarding_to(&group).await?;
    let ask = With::new().and("ListenerArns.member.1", listener);
    let answer = subject.api.call("DescribeListeners", ask).await?;
    assert_eq!(
        crate::api::first(&answer, "TargetGroupArn"),
        Some(group.clone())
    );
    assert_eq!(weights(&answer)?, [(group, "1".to_owned())]);
    Ok(())
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html>.
/// That 40 requests go the same way by chance happens once in 2^39 times.
async fn a_sticky_forward_keeps_a_client_with_its_group(subject: &Subject) -> Outcome {
    let pair = Pair::start(subject, [50, 50]).await?;
    let config = "DefaultActions.member.1.ForwardConfig.TargetGroupStickinessConfig";
    let sticky = split(&pair.groups, [50, 50])
        .and(format!("{config}.Enabled"), true)
        .and(format!("{config}.DurationSeconds"), 60);
    subject.modify_listener(&pair.listener, sticky).await?;
    let door = subject.door(&pair.load_balancer, 80).await?;
    let (cookie, group) = eventually("a cookie is set", async || {
        let answer = door.get("/", &[]).await?;
        Ok(answer
            .cookie("AWSALBTG")
            .map(|cookie| (cookie, answer.text())))
    })
    .await?;
    let mut others = 0;
    for _ in 0..40 {
        let kept = door.get("/", &[("cookie", &cookie)]).await?;
        assert_eq!(kept.text(), group, "with {cookie}");
        if door.get("/", &[]).await?.text() != group {
            others += 1;
        }
    }
    assert!(others > 0, "all clients have the same group");
    Ok(())
}

async fn the_lowest_priority_that_matches_is_taken(subject: &Subject) -> Outcome {
    let pair = Pair::start(subject, [1, 0]).await?;
    let fixed = |status: u16| {
        With::new()
            .and("Actions.member.1.Type", "fixed-response")
            .and("Actions.member.1.FixedResponseConfig.StatusCode", status)
    };
    let path = fixed(404)
        .and("Conditions.member.1.Field", "path-pattern")
        .and(
            "Conditions.member.1.PathPatternConfig.Values.member.1",
            "/img/*",
        );
    let header = "Conditions.member.1.HttpHeaderConfig";
    let by_header = With::new()
        .forward_to("Actions", &pair.groups[1])
        .and("Conditions.member.1.Field", "http-header")
        .and(format!("{header}.HttpHeaderName"), "X-Colour")
        .and(format!("{header}.Values.member.1"), "gre*");
    // The later one comes first by its priority.
    subject.rule(&pair.listener, 20, path).await?;
    subject.rule(&pair.listener, 10, by_header).await?;
    let door = subject.door(&pair.load_balancer, 80).await?;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let answer = door.get(path, headers).await?;
        Outcome::Ok((answer.status, answer.text()))
    };
    let green = [("x-colour", "green")];
    eventually("the rules are there", async || {
        Ok((ask("/img/a", &green).await?.1 == "green").then_some(()))
    })
    .await?;
    assert_eq!(ask("/img/a", &[]).await?, (404, String::new()));
    assert_eq!(ask("/", &green).await?, (200, "green".into()));
    assert_eq!(
        ask("/", &[("x-colour", "red")]).await?,
        (200, "blue".into())
    );
    assert_eq!(ask("/img", &[]).await?, (200, "blue".into()));
    assert!(pair.blue.passed_checks() > 0 && pair.green.passed_checks() > 0);
    Ok(())
}

async fn a_fixed_response_is_given(subject: &Subject) -> Outcome {
    let config = "DefaultActions.member.1.FixedResponseConfig";
    let shut = With::new()
        .and("DefaultActions.member.1.Type", "fixed-response")
        .and(format!("{config}.StatusCode"), 503)
        .and(format!("{config}.ContentType"), "text/html")
        .and(format!("{config}.MessageBody"), "<b>shut</b>");
    let load_balancer = subject.load_balancer().await?;
    subject.listener(&load_balancer, 80, shut).await?;
    let answer = expect(subject, &load_balancer, 503).await?;
    assert_eq!(answer.text(), "<b>shut</b>");
    assert!(answer.header("content-type").starts_with("text/html"));
    Ok(())
}

async fn a_redirect_is_given(subject: &Subject) -> Outcome {
    let config = "DefaultActions.member.1.RedirectConfig";
    let secure = With::new()
        .and("DefaultActions.member.1.Type", "redirect")
        .and(format!("{config}.Protocol"), "HTTPS")
        .and(format!("{config}.Port"), 443)
        .and(format!("{config}.StatusCode"), "HTTP_301");
    let load_balancer = subject.load_balancer().await?;
    subject.listener(&load_balancer, 80, secure).await?;
    let door = subject.door(&load_balancer, 80).await?;
    let answer = door.get("/a/b?c=d", &[]).await?;
    assert_eq!(answer.status, 301);
    let expected = format!("https://{}:443/a/b?c=d", load_balancer.dns);
    assert_eq!(answer.header("location"), expected);
    Ok(())
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
async fn targets_learn_who_asked(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    let load_balancer = subject.load_balancer().await?;
    let to = With::new().forward_to("DefaultActions", &group);
    subject.listener(&load_balancer, 81, to).await?;
    subject.until(&group, "healthy").await?;
    let door = subject.door(&load_balancer, 81).await?;
    let answer = door
        .get("/headers", &[("x-forwarded-for", "203.0.113.7")])
        .await?;
    let lines = answer.text();
    let header = |name: &str| {
        let value = lines.lines().find_map(|line| line.strip_prefix(name));
        value
            .unwrap_or_default()
            .trim_start_matches(": ")
            .to_owned()
    };
    assert_eq!(header("x-forwarded-proto"), "http");
    assert_eq!(header("x-forwarded-port"), "81");
    assert!(header("x-amzn-trace-id").starts_with("Root=1-"), "{lines}");
    let chain = header("x-forwarded-for");
    let client = chain.strip_prefix("203.0.113.7, ").ok_or(chain.clone())?;
    assert_eq!(client, "127.0.0.1");
    let _: SocketAddr = SocketAddr::new(client.parse()?, 0);
    Ok(())
}
