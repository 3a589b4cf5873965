//! Continuous deployment:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/continuous-deployment.html>.

use std::time::Duration;

use crate::api::{Outcome, first};
use crate::cdn::{Config, Edges, Made, NEVER, Refused, made};
use crate::target::Target;

const HOST: &str = "www.shop.test";
const POLICIES: &str = "continuous-deployment-policy";

/// A primary distribution of a blue origin, with a staging one of a green.
struct Pair {
    edges: Edges,
    primary: Made,
    staging: Made,
    _targets: [Target; 2],
}

impl Pair {
    async fn start() -> Outcome<Self> {
        let edges = Edges::start().await?;
        let targets = [Target::start("blue").await?, Target::start("green").await?];
        let primary = edges
            .create(&Config::of(&[HOST], targets[0].address))
            .await?;
        let path = format!("distribution/{}/copy", primary.id);
        let body = "<CopyDistributionRequest><CallerReference>copy</CallerReference>\
                    <Enabled>true</Enabled></CopyDistributionRequest>";
        let headers = [("staging", "True"), ("if-match", primary.etag.as_str())];
        let call = format!("POST {path}");
        let staging = made(edges.call(&call, &headers, body.to_owned()).await?)?;
        let config = Config::of(&[], targets[1].address).and("<Staging>true</Staging>");
        assert!(edges.update(&staging.id, &config).await?.is_ok());
        Ok(Self {
            edges,
            primary,
            staging,
            _targets: targets,
        })
    }

    /// The configuration of a policy.
    fn policy(&self, is_enabled: bool, traffic: &str) -> String {
        let staging = &self.staging.domain;
        format!(
            "<?xml version=\"1.0\"?><ContinuousDeploymentPolicyConfig>\
             <StagingDistributionDnsNames><Quantity>1</Quantity><Items>\
             <DnsName>{staging}</DnsName></Items></StagingDistributionDnsNames>\
             <Enabled>{is_enabled}</Enabled><TrafficConfig>{traffic}</TrafficConfig>\
             </ContinuousDeploymentPolicyConfig>"
        )
    }

    /// A policy that is the primary's; gives its id and version.
    async fn attached(&self, traffic: &str) -> Outcome<(String, String)> {
        let policy = self.policy(true, traffic);
        let call = format!("POST {POLICIES}");
        let (etag, xml) = self.edges.call(&call, &[], policy).await?;
        let id = first(&xml, "Id").ok_or("no policy")?;
        let config = Config::of(&[HOST], self._targets[0].address);
        let element = "ContinuousDeploymentPolicyId";
        let config = config.and(&format!("<{element}>{id}</{element}>"));
        assert!(self.edges.update(&self.primary.id, &config).await?.is_ok());
        Ok((id, etag))
    }

    /// How many of so many requests the staging distribution gets.
    async fn share(&self, edge: usize, of: usize) -> Outcome<usize> {
        let mut connection = self.edges.door(edge, HOST)?.connect().await?;
        let mut green = 0;
        for _ in 0..of {
            let text = connection.get("/", &[]).await?.text();
            green += usize::from(text == "green");
        }
        Ok(green)
    }
}

fn weight(weight: &str) -> String {
    format!(
        "<SingleWeightConfig><Weight>{weight}</Weight></SingleWeightConfig>\
         <Type>SingleWeight</Type>"
    )
}

fn header(name: &str) -> String {
    format!(
        "<SingleHeaderConfig><Header>{name}</Header><Value>on</Value></SingleHeaderConfig>\
         <Type>SingleHeader</Type>"
    )
}

/// "Viewers cannot send requests directly to a staging distribution using a DNS name, IP
/// address, or CNAME":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-continuous-deployment.html>.
#[tokio::test]
async fn a_staging_distribution_answers_no_host() -> Outcome {
    let pair = Pair::start().await?;
    let answer = pair.edges.get(0, &pair.staging.domain).await?;
    assert_eq!(answer.status, 403);
    assert_eq!(pair.edges.says(HOST).await?, ["blue", "blue"]);
    let call = "GET distribution";
    let (_, list) = pair.edges.call(call, &[], String::new()).await?;
    assert_eq!(list.matches("<Staging>true</Staging>").count(), 1, "{list}");
    Ok(())
}

/// "A weight-based configuration routes the specified percentage of viewer requests to
/// the staging distribution", "a decimal number between 0 and .15":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-continuous-deployment.html>,
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ContinuousDeploymentSingleWeightConfig.html>.
#[tokio::test]
async fn the_staging_distribution_gets_the_weight_of_requests() -> Outcome {
    let pair = Pair::start().await?;
    let invalid = Err(Refused(400, "InvalidArgument".to_owned()));
    let policy = pair.policy(true, &weight("0.16"));
    let call = format!("POST {POLICIES}");
    let too_much = pair.edges.try_call(&call, &[], policy).await?;
    assert_eq!(too_much, invalid);
    let (id, etag) = pair.attached(&weight("0.15")).await?;
    let share = pair.share(0, 1000).await?;
    // Six deviations from 150; wrong once in 500 million runs.
    assert!((82..218).contains(&share), "{share}");

    pair.edges.cdn()?.set_delay(1, NEVER);
    let path = format!("{POLICIES}/{id}");
    let off = pair.policy(false, &weight("0.15"));
    let call = format!("PUT {path}");
    let stale = [("if-match", "other")];
    let refused = pair.edges.try_call(&call, &stale, off.clone()).await?;
    assert_eq!(refused, Err(Refused(412, "PreconditionFailed".to_owned())));
    pair.edges
        .call(&call, &[("if-match", etag.as_str())], off)
        .await?;
    assert_eq!(pair.share(0, 100).await?, 0);
    assert!(pair.share(1, 200).await? > 0);
    let primary = format!("distribution/{}", pair.primary.id);
    assert_eq!(pair.edges.said(&primary, "Status").await?, "InProgress");
    pair.edges.cdn()?.set_delay(1, Duration::ZERO);
    assert_eq!(pair.share(1, 100).await?, 0);
    Ok(())
}

/// "A header-based configuration routes requests to the staging distribution when the
/// viewer request contains a specific HTTP header (you specify the header and the
/// value)"; "the header must contain the prefix aws-cf-cd-":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-continuous-deployment.html>,
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ContinuousDeploymentSingleHeaderConfig.html>.
#[tokio::test]
async fn the_staging_distribution_gets_what_has_the_header() -> Outcome {
    let pair = Pair::start().await?;
    let policy = pair.policy(true, &header("x-staging"));
    let refused = pair
        .edges
        .try_call(&format!("POST {POLICIES}"), &[], policy)
        .await?;
    assert_eq!(refused, Err(Refused(400, "InvalidArgument".to_owned())));
    pair.attached(&header("aws-cf-cd-staging")).await?;
    let door = pair.edges.door(0, HOST)?;
    for (headers, wanted) in [
        (&[("aws-cf-cd-staging", "on")][..], "green"),
        (&[("aws-cf-cd-staging", "off")], "blue"),
        (&[], "blue"),
    ] {
        assert_eq!(door.get("/", headers).await?.text(), wanted, "{headers:?}");
    }
    Ok(())
}

/// "The primary distribution retains its Aliases (also known as alternate domain names
/// or CNAMEs) and ContinuousDeploymentPolicyId value, but otherwise its configuration is
/// overwritten to match the staging distribution. This action will disable the
/// continuous deployment policy":
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistributionWithStagingConfig.html>.
#[tokio::test]
async fn a_staging_distribution_is_promoted() -> Outcome {
    let pair = Pair::start().await?;
    let (policy, _) = pair.attached(&header("aws-cf-cd-staging")).await?;
    let path = |id: &str| format!("distribution/{id}");
    let version = async |id: &str| -> Outcome<String> {
        let path = path(id);
        let call = format!("GET {path}");
        Ok(pair.edges.call(&call, &[], String::new()).await?.0)
    };
    let primary = version(&pair.primary.id).await?;
    let both = format!("{primary}, {}", version(&pair.staging.id).await?);
    let promote = format!(
        "{}/promote-staging-config?StagingDistributionId={}",
        path(&pair.primary.id),
        pair.staging.id
    );
    let call = format!("PUT {promote}");
    let one = [("if-match", primary.as_str())];
    let refused = pair.edges.try_call(&call, &one, String::new()).await?;
    assert_eq!(refused, Err(Refused(412, "PreconditionFailed".to_owned())));
    let headers = [("if-match", both.as_str())];
    let (_, xml) = pair.edges.call(&call, &headers, String::new()).await?;
    for (name, kept) in [
        ("CNAME", HOST),
        ("ContinuousDeploymentPolicyId", policy.as_str()),
        ("Staging", "false"),
    ] {
        assert_eq!(first(&xml, name).as_deref(), Some(kept), "{xml}");
    }
    assert_eq!(pair.edges.says(HOST).await?, ["green", "green"]);
    let path = format!("{POLICIES}/{policy}/config");
    assert_eq!(pair.edges.said(&path, "Enabled").await?, "false");

    let path = format!("{POLICIES}/{policy}");
    let call = format!("GET {path}");
    let (etag, _) = pair.edges.call(&call, &[], String::new()).await?;
    let headers = [("if-match", etag.as_str())];
    let call = format!("DELETE {path}");
    let refused = pair.edges.try_call(&call, &headers, String::new()).await?;
    let in_use = "ContinuousDeploymentPolicyInUse".to_owned();
    assert_eq!(refused, Err(Refused(409, in_use)));
    Ok(())
}
