use super::*;
use crate::gate::cdn::distribution::{Distribution, Named};

fn config(enabled: bool, traffic: &str) -> String {
    format!(
        "<ContinuousDeploymentPolicyConfig><StagingDistributionDnsNames><Quantity>1</Quantity>\
         <Items><DnsName>d2.cloudfront.net</DnsName></Items></StagingDistributionDnsNames>\
         <Enabled>{enabled}</Enabled><TrafficConfig>{traffic}</TrafficConfig>\
         </ContinuousDeploymentPolicyConfig>"
    )
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

fn world(is_staging: bool) -> World {
    let xml = format!(
        "<Distribution><Id>E2</Id><DomainName>d2.cloudfront.net</DomainName>\
         <DistributionConfig><Staging>{is_staging}</Staging></DistributionConfig></Distribution>"
    );
    let one = Distribution::read(&xml, "1", &Named::default());
    World(one.into_iter().collect())
}

fn kept(config: String) -> Policies {
    let policy = Policy {
        id: "P1".to_owned(),
        etag: "1".to_owned(),
        modified: String::new(),
        config,
    };
    Policies([("P1".to_owned(), policy)].into())
}

#[test]
fn a_share_is_at_most_15_percent_and_a_header_has_its_prefix() {
    let none = Policies::default();
    for (traffic, is_valid) in [
        (weight("0"), true),
        (weight("0.15"), true),
        (weight("0.16"), false),
        (weight("-0.1"), false),
        (weight("x"), false),
        (header("aws-cf-cd-staging"), true),
        (header("x-staging"), false),
        (String::new(), false),
    ] {
        let refusal = none.refusal(None, &config(true, &traffic), &world(true));
        assert_eq!(refusal.is_none(), is_valid, "{traffic}");
    }
}

#[test]
fn a_policy_names_a_staging_distribution_that_no_other_names() {
    let traffic = weight("0.1");
    let config = config(true, &traffic);
    let refusal = Policies::default().refusal(None, &config, &world(false));
    assert!(refusal.is_some());
    let all = kept(config.clone());
    let refusal = all.refusal(None, &config, &world(true));
    assert_eq!(refusal, Some(Refusal::staging_in_use()));
    assert_eq!(all.refusal(Some("P1"), &config, &world(true)), None);
}

#[test]
fn what_is_disabled_has_nothing_done() {
    let mut all = kept(config(true, &header("AWS-cf-cd-staging")));
    let done = Deployment {
        staging: "d2.cloudfront.net".to_owned(),
        traffic: Traffic::Header {
            name: "aws-cf-cd-staging".to_owned(),
            value: "on".to_owned(),
        },
    };
    assert_eq!(all.deployments().get("P1"), Some(&done));
    all.disable("P1", "2".to_owned());
    assert!(all.deployments().is_empty());
    assert_eq!(all.0["P1"].etag, "2");
    assert!(all.xml().contains("<Enabled>false</Enabled>"));
}
