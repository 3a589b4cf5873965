//! What somebody else makes at a local AWS by its API, for bgecs to find there: zones of
//! Route 53, distributions of CloudFront, and what brings uploads to a worker.

use std::net::Ipv4Addr;

use localstack::gate::upstream::Upstream;
use reqwest::Method;
use serde_json::{Value, json};

use crate::Result;

const ROUTE_53: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
/// Of AWS's own cache policies: "CachingDisabled".
const KEEPS_NOTHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

/// A call of a service that speaks REST, `POST /path`.
pub async fn rest(api: &Upstream, service: &str, line: &str, body: &str) -> Result<String> {
    let (method, path) = line.split_once(' ').ok_or("the line has no path")?;
    let line = (Method::from_bytes(method.as_bytes())?, path);
    let answer = api.rest_call(service, line, &[], body.to_owned()).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    match answer.status.is_success() {
        true => Ok(text),
        false => Err(format!("{service} answered {} to {path}: {text}", answer.status).into()),
    }
}

/// The text of the first element of that name.
pub fn element<'x>(xml: &'x str, name: &str) -> Result<&'x str> {
    let opened = xml.split_once(&format!("<{name}>"));
    let text = opened.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    let (text, _) = text.ok_or_else(|| format!("no {name} in {xml}"))?;
    Ok(text)
}

/// Gives the new zone's id.
pub async fn make_zone(api: &Upstream, name: &str) -> Result<String> {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"{ROUTE_53}\"><Name>{name}</Name>\
         <CallerReference>{name}</CallerReference></CreateHostedZoneRequest>"
    );
    let made = rest(api, "route53", "POST /2013-04-01/hostedzone", &body).await?;
    let id = element(&made, "Id")?.trim_start_matches("/hostedzone/");
    Ok(id.to_owned())
}

/// A change of records, each as `<Change>…</Change>`.
pub async fn change_records(api: &Upstream, zone: &str, changes: &str) -> Result<()> {
    let body = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"{ROUTE_53}\"><ChangeBatch><Changes>{changes}</Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    );
    let line = format!("POST /2013-04-01/hostedzone/{zone}/rrset/");
    rest(api, "route53", &line, &body).await.map(drop)
}

/// All that a zone's records are, as XML.
pub async fn records(api: &Upstream, zone: &str) -> Result<String> {
    let line = format!("GET /2013-04-01/hostedzone/{zone}/rrset");
    rest(api, "route53", &line, "").await
}

/// A distribution as it is to be: with an origin called `blue` and one called `green`.
pub struct Distribution<'t> {
    pub alias: &'t str,
    /// Blue's first, all at that port.
    pub origins: [Ipv4Addr; 2],
    pub port: u16,
    pub leads_to: &'t str,
    /// XML of further elements.
    pub more: &'t str,
}

/// A distribution, as it was made.
pub struct Made {
    pub id: String,
    pub domain: String,
}

impl Distribution<'_> {
    pub async fn make(&self, api: &Upstream) -> Result<Made> {
        let made = rest(
            api,
            "cloudfront",
            "POST /2020-05-31/distribution",
            &self.xml(),
        )
        .await?;
        Ok(Made {
            id: element(&made, "Id")?.to_owned(),
            domain: element(&made, "DomainName")?.to_owned(),
        })
    }

    fn xml(&self) -> String {
        let Self {
            alias,
            leads_to,
            more,
            ..
        } = self;
        let origins = ["blue", "green"].into_iter().zip(self.origins);
        let origins: String = origins.map(|(id, at)| self.origin(id, at)).collect();
        format!(
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <CallerReference>{alias}</CallerReference><Aliases><Quantity>1</Quantity><Items><CNAME>{alias}</CNAME></Items></Aliases>\
             <Origins><Quantity>2</Quantity><Items>{origins}</Items></Origins><DefaultCacheBehavior>\
             <TargetOriginId>{leads_to}</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
             <CachePolicyId>{KEEPS_NOTHING}</CachePolicyId></DefaultCacheBehavior><Comment>the site's</Comment>\
             <Enabled>true</Enabled>{more}</DistributionConfig>"
        )
    }

    fn origin(&self, id: &str, address: Ipv4Addr) -> String {
        let port = self.port;
        format!(
            "<Origin><Id>{id}</Id><DomainName>{address}</DomainName><CustomOriginConfig><HTTPPort>{port}</HTTPPort>\
             <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>"
        )
    }
}

/// As it is stored.
pub async fn distribution(api: &Upstream, id: &str) -> Result<String> {
    let line = format!("GET /2020-05-31/distribution/{id}");
    rest(api, "cloudfront", &line, "").await
}

/// A bucket that keeps versions, and that EventBridge hears of.
pub async fn make_bucket(api: &Upstream, name: &str) -> Result<()> {
    let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let told = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
    for (query, body) in [("", ""), ("?versioning", versions), ("?notification", told)] {
        rest(api, "s3", &format!("PUT /{name}{query}"), body).await?;
    }
    Ok(())
}

/// A FIFO queue with one for its dead letters; gives its URL.
pub async fn make_queue(api: &Upstream, name: &str) -> Result<String> {
    let dead = format!("{name}-dead");
    fifo(api, &dead, &json!({ "FifoQueue": "true" })).await?;
    let letters = json!({ "deadLetterTargetArn": queue_arn(&dead), "maxReceiveCount": 40 });
    let attributes = json!({
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "RedrivePolicy": letters.to_string(),
    });
    fifo(api, name, &attributes).await
}

async fn fifo(api: &Upstream, name: &str, attributes: &Value) -> Result<String> {
    let asked = json!({ "QueueName": format!("{name}.fifo"), "Attributes": attributes });
    let made = api
        .json(("sqs", "AmazonSQS"), "CreateQueue", &asked)
        .await?;
    let url = made["QueueUrl"].as_str().ok_or("no queue was made")?;
    Ok(url.to_owned())
}

fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{name}.fifo")
}

/// Has that queue told of the uploads whose keys begin so, as messages of one group.
pub async fn tell_of_uploads(
    api: &Upstream,
    queue: &str,
    (prefix, group): (&str, &str),
) -> Result<()> {
    let pattern = json!({
        "source": ["aws.s3"], "detail-type": ["Object Created"],
        "detail": { "object": { "key": [{ "prefix": prefix }] } },
    });
    let name = format!("{queue}-{group}");
    let rule = json!({ "Name": name, "EventPattern": pattern.to_string() });
    let service = ("events", "AWSEvents");
    api.json(service, "PutRule", &rule).await?;
    let target = json!({
        "Id": "1", "Arn": queue_arn(queue), "SqsParameters": { "MessageGroupId": group },
    });
    let targets = json!({ "Rule": name, "Targets": [target] });
    api.json(service, "PutTargets", &targets).await?;
    Ok(())
}
