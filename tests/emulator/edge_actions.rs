//! What of AWS an app's commands called whose colours bgecs does not run, as IAM names
//! it.

use std::collections::BTreeSet;

use localstack::gate::record::{Call, Mark};

use crate::permissions::table::{Grant, Need, WhyNeeded};
use crate::world::World;

/// The actions that need no grant of their own: who one is may always be asked.
const FREE: &str = "sts:GetCallerIdentity";

/// Since then, by whoever has a key.
pub fn called(world: &World, mark: Mark) -> BTreeSet<String> {
    let calls = world.gate.calls().since(mark);
    let of_bgecs = calls.iter().filter(|call| call.access_key.is_some());
    of_bgecs.map(action).filter(|it| it != FREE).collect()
}

/// Of CloudFront's paths behind the version.
fn cloudfront(method: &str, path: &str) -> Option<&'static str> {
    let mut parts = path.trim_matches('/').split('/').skip(1);
    let (kind, _, rest) = (parts.next()?, parts.next(), parts.next());
    Some(match (method, kind, rest) {
        ("GET", "distribution", None) => "GetDistribution",
        ("PUT", "distribution", Some("config")) => "UpdateDistribution",
        ("PUT", "distribution", Some("associate-alias")) => "AssociateAlias",
        ("POST", "distribution", Some("invalidation")) => "CreateInvalidation",
        ("POST", "domain-association", None) => "UpdateDomainAssociation",
        ("POST", "domain-conflicts", None) => "ListDomainConflicts",
        ("GET", "cache-policy", _) => "GetCachePolicy",
        ("GET", "continuous-deployment-policy", _) => "GetContinuousDeploymentPolicy",
        ("PUT", "continuous-deployment-policy", _) => "UpdateContinuousDeploymentPolicy",
        _ => return None,
    })
}

/// As IAM names a call.
fn action(call: &Call) -> String {
    let (service, name) = (call.service.as_str(), call.operation.as_str());
    let name = match (service, name.split_once(' ')) {
        ("route53", Some((method, path))) => {
            let path = path.trim_end_matches('/');
            match (method, path.split('/').nth(2), path.ends_with("/rrset")) {
                ("POST", Some("hostedzone"), true) => "ChangeResourceRecordSets",
                ("GET", Some("hostedzone"), true) => "ListResourceRecordSets",
                ("GET", Some("change"), _) => "GetChange",
                ("GET", Some("hostedzone"), _) if path.ends_with("hostedzone") => "ListHostedZones",
                ("GET", Some("hostedzone"), _) => "GetHostedZone",
                _ => name,
            }
        }
        ("apigateway", Some((method, path))) => match (method, path.contains("/routingrules")) {
            ("GET", true) => "ListRoutingRules",
            ("POST", true) => "CreateRoutingRule",
            ("PUT", true) => "UpdateRoutingRule",
            ("DELETE", true) => "DeleteRoutingRule",
            _ => method,
        },
        ("cloudfront", Some((method, path))) => cloudfront(method, path).unwrap_or(name),
        _ => name,
    };
    let service = match service {
        "monitoring" => "cloudwatch",
        other => other,
    };
    format!("{service}:{name}")
}

/// That all of it is allowed.
pub fn expect_granted(actions: &BTreeSet<String>, grants: &[&[Grant]]) {
    let needs = grants.iter().copied().flatten().flat_map(|it| it.needs);
    let allowed: BTreeSet<&str> = needs.map(|need| need.action).collect();
    for action in actions {
        assert!(allowed.contains(action.as_str()), "{action} is not granted");
    }
}

/// That what is allowed because it is called was called.
pub fn expect_called<'a>(actions: &BTreeSet<String>, needs: impl IntoIterator<Item = &'a Need>) {
    for need in needs {
        let is_called = !matches!(need.why, WhyNeeded::Called(_)) || actions.contains(need.action);
        assert!(is_called, "{} is granted and never called", need.action);
    }
}
