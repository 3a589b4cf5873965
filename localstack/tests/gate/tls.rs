//! HTTPS listeners, before a store that has certificates of ACM's by their ARNs.

use crate::api::{Outcome, With, all, first};
use crate::door::{Connection, Door};
use crate::subject::{LoadBalancer, Subject, eventually};
use crate::target::Target;

fn certificate(name: &str) -> String {
    format!("arn:aws:acm:us-east-1:000000000000:certificate/{name}")
}

fn https(of: &LoadBalancer, port: u16, with: With) -> With {
    with.and("LoadBalancerArn", &of.arn)
        .and("Protocol", "HTTPS")
        .and("Port", port)
}

fn certified(name: &str) -> With {
    With::new().and("Certificates.member.1.CertificateArn", certificate(name))
}

/// A load balancer whose port 443 leads to one target, with a certificate for
/// `shop.test`; its listener too.
async fn shop(subject: &Subject, group: &str) -> Outcome<(LoadBalancer, String)> {
    let load_balancer = subject.load_balancer().await?;
    let with = certified("shop.test").forward_to("DefaultActions", group);
    let with = https(&load_balancer, 443, with);
    let answer = subject.api.call("CreateListener", with).await?;
    let listener = first(&answer, "ListenerArn").ok_or("no ARN")?;
    Ok((load_balancer, listener))
}

async fn secured(subject: &Subject, door: &Door, name: &str) -> Outcome<Connection> {
    let ca = subject.behind()?.elb.authority()?;
    door.connect_securely(name, &ca).await
}

#[tokio::test]
async fn an_https_listener_has_a_certificate_for_each_name() -> Outcome {
    let subject = Subject::gate().await?;
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    let (load_balancer, listener) = shop(&subject, &group).await?;
    let door = subject.door(&load_balancer, 443).await?;
    subject.until(&group, "healthy").await?;
    for name in ["shop.test", "www.shop.test"] {
        let mut connection = secured(&subject, &door, name).await?;
        assert_eq!(connection.get("/", &[]).await?.text(), "blue");
        assert_eq!(connection.get("/", &[]).await?.text(), "blue");
    }
    // No name is covered twice as deep, and none that nobody asked for.
    for name in ["a.www.shop.test", "other.test"] {
        assert!(secured(&subject, &door, name).await.is_err(), "{name}");
    }
    assert!(door.get("/", &[]).await.is_err());

    let more = certified("other.test").and("ListenerArn", &listener);
    subject.api.call("AddListenerCertificates", more).await?;
    eventually("the other name is served", async || {
        Ok(secured(&subject, &door, "other.test").await.ok())
    })
    .await?;
    secured(&subject, &door, "shop.test").await?;
    let of = || With::new().and("ListenerArn", &listener);
    let action = "DescribeListenerCertificates";
    let all = all(&subject.api.call(action, of()).await?, "CertificateArn")?;
    assert_eq!(all, ["shop.test", "other.test"].map(certificate));

    let gone = certified("other.test").and("ListenerArn", &listener);
    subject.api.call("RemoveListenerCertificates", gone).await?;
    eventually("the other name is not served", async || {
        Ok(secured(&subject, &door, "other.test").await.err())
    })
    .await?;
    let nowhere = certified("other.test").and("ListenerArn", "none");
    let refused = subject
        .api
        .refusal("AddListenerCertificates", nowhere)
        .await?;
    assert_eq!(refused.code, "ListenerNotFound");
    Ok(())
}

#[tokio::test]
async fn the_gates_own_port_leads_to_listeners_by_the_certificates_names() -> Outcome {
    let subject = Subject::gate().await?;
    let target = Target::start("blue").await?;
    let group = subject.group(&[target.address]).await?;
    let (load_balancer, _) = shop(&subject, &group).await?;
    let action = "DefaultActions.member.1";
    let redirect = With::new()
        .and(format!("{action}.Type"), "redirect")
        .and(format!("{action}.RedirectConfig.Protocol"), "HTTPS")
        .and(format!("{action}.RedirectConfig.Port"), "443")
        .and(format!("{action}.RedirectConfig.StatusCode"), "HTTP_301");
    subject.listener(&load_balancer, 80, redirect).await?;
    subject.door(&load_balancer, 443).await?;
    subject.until(&group, "healthy").await?;

    let entrance = subject.behind()?.entrance("shop.test")?;
    let mut connection = secured(&subject, &entrance, "shop.test").await?;
    assert_eq!(connection.get("/", &[]).await?.text(), "blue");
    let ca = subject.behind()?.elb.authority()?;
    assert_eq!(entrance.get_by_http2("shop.test", &ca).await?, "blue");
    let answer = entrance.get("/a?b=c", &[]).await?;
    assert_eq!(answer.status, 301);
    assert_eq!(answer.header("location"), "https://shop.test:443/a?b=c");
    Ok(())
}

#[tokio::test]
async fn a_listener_without_a_certificate_that_was_issued_is_refused() -> Outcome {
    let subject = Subject::gate().await?;
    let group = subject.group(&[]).await?;
    let load_balancer = subject.load_balancer().await?;
    for (with, code) in [
        (With::new(), "ValidationError"),
        (certified("unknown"), "CertificateNotFound"),
        (certified("pending"), "UnsupportedCertificate"),
    ] {
        let with = with.forward_to("DefaultActions", &group);
        let with = https(&load_balancer, 443, with);
        let refused = subject.api.refusal("CreateListener", with).await?;
        assert_eq!(refused.code, code);
    }
    Ok(())
}
