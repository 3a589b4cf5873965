//! What edges do beside what is CloudFront's own: certificates, origins, the record.

use localstack::gate::faults::Fault;

use crate::api::Outcome;
use crate::cdn::{Config, Edges, NEVER, Refused};
use crate::target::{Closed, Target};

const HOST: &str = "www.shop.test";

#[tokio::test]
async fn an_edge_has_a_certificate_for_each_name() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    let config = Config::of(&[HOST, "*.other.test"], target.address);
    let one = edges.create(&config).await?;
    let ca = edges.subject.behind()?.elb.authority()?;
    for name in [HOST, "any.other.test", one.domain.as_str()] {
        let door = edges.door(1, name)?;
        let mut connection = door.connect_securely(name, &ca).await?;
        assert_eq!(connection.get("/", &[]).await?.text(), "blue", "{name}");
        assert_eq!(door.get_by_http2(name, &ca).await?, "blue", "{name}");
    }
    let door = edges.door(1, "shop.test")?;
    assert!(door.connect_securely("shop.test", &ca).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_load_balancer_is_an_origin_and_is_told_its_own_name() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    let subject = &edges.subject;
    let group = subject.group(&[target.address]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    subject.door(&load_balancer, 80).await?;
    subject.until(&group, "healthy").await?;
    let config = Config {
        origin: load_balancer.dns.clone(),
        port: 80,
        ..Config::of(&[HOST], target.address)
    };
    edges.create(&config).await?;
    assert_eq!(edges.says(HOST).await?, ["blue", "blue"]);
    let headers = edges.door(0, HOST)?.get("/headers", &[]).await?.text();
    let host = format!("host: {}\n", load_balancer.dns);
    assert!(headers.contains(&host), "{headers}");
    // The viewer's address, and that of the load balancer's own client after it.
    assert!(
        headers.contains("x-forwarded-for: 127.0.0.1, 127.0.0.1\n"),
        "{headers}"
    );
    Ok(())
}

#[tokio::test]
async fn an_origin_that_gives_no_answer_is_502() -> Outcome {
    let edges = Edges::start().await?;
    let closed = Closed::take()?;
    edges.create(&Config::of(&[HOST], closed.1)).await?;
    let answer = edges.get(0, HOST).await?;
    assert_eq!(answer.status, 502);
    assert_eq!(answer.header("x-cache"), "Error from cloudfront");
    assert!(
        answer
            .header("via")
            .ends_with(".cloudfront.net (CloudFront)")
    );
    Ok(())
}

#[tokio::test]
async fn an_origin_that_takes_too_long_is_504() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    let config = Config {
        patience: 1,
        ..Config::of(&[HOST], target.address)
    };
    edges.create(&config).await?;
    let answer = edges.door(0, HOST)?.get("/hold", &[]).await?;
    assert_eq!((answer.status, target.held()), (504, 1));
    Ok(())
}

#[tokio::test]
async fn a_disabled_distribution_answers_403() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    let config = Config::of(&[HOST], target.address);
    let one = edges.create(&config).await?;
    assert_eq!(edges.get(0, HOST).await?.status, 200);
    let disabled = Config {
        is_enabled: false,
        ..config
    };
    assert!(edges.update(&one.id, &disabled).await?.is_ok());
    assert_eq!(edges.get(0, HOST).await?.status, 403);
    Ok(())
}

#[tokio::test]
async fn calls_are_recorded_with_their_distribution_and_spoilt() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let one = edges.create(&Config::of(&[HOST], blue.address)).await?;
    let gate = &edges.subject.behind()?.gate;
    let before = gate.calls().mark();
    let name = format!("PUT /2020-05-31/distribution/{}/config", one.id);
    gate.faults().add(Fault::on("cloudfront", &name).throttle());
    let refused = edges
        .update(&one.id, &Config::of(&[HOST], green.address))
        .await?;
    assert_eq!(refused, Err(Refused(400, "Throttling".to_owned())));
    assert_eq!(edges.says(HOST).await?, ["blue", "blue"]);
    let calls = gate.calls().since(before);
    let call = calls.last().ok_or("nothing is recorded")?;
    let resource = format!("distribution/{}", one.id);
    assert_eq!(
        (call.operation.as_str(), call.resource.as_str()),
        (name.as_str(), resource.as_str())
    );
    Ok(())
}

/// A distribution is deleted when it is disabled, and that is deployed:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html>.
#[tokio::test]
async fn a_distribution_that_is_in_progress_is_not_deleted() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    edges.cdn()?.set_delay(1, NEVER);
    let one = edges.create(&Config::of(&[HOST], target.address)).await?;
    let call = format!("DELETE distribution/{}", one.id);
    let headers = [("if-match", one.etag.as_str())];
    let refused = edges.try_call(&call, &headers, String::new()).await?;
    assert_eq!(
        refused,
        Err(Refused(409, "DistributionNotDisabled".to_owned()))
    );
    edges.cdn()?.set_delay(1, std::time::Duration::ZERO);
    edges.call(&call, &headers, String::new()).await?;
    assert_eq!(edges.get(0, HOST).await?.status, 403);
    Ok(())
}
