//! Calls of CloudFront's API that the gate has a part in. Pure.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Operations.html>

use hyper::Method;

/// A call, and the id of what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    CreateDistribution,
    UpdateDistribution(&'a str),
    DeleteDistribution(&'a str),
    CopyDistribution(&'a str),
    UpdateDistributionWithStagingConfig(&'a str),
    AssociateAlias(&'a str),
    UpdateDomainAssociation,
    CreateInvalidation(&'a str),
    Policy(OfPolicy<'a>),
    /// The emulator answers it.
    Other,
}

/// A call about continuous deployment policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfPolicy<'a> {
    Create,
    List,
    Get(&'a str),
    GetConfig(&'a str),
    Update(&'a str),
    Delete(&'a str),
}

pub fn named<'a>(method: &Method, path: &'a str) -> Call<'a> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    match (method.as_str(), parts.as_slice()) {
        ("POST", ["distribution"]) => Call::CreateDistribution,
        ("PUT", ["distribution", id, "config"]) => Call::UpdateDistribution(id),
        ("DELETE", ["distribution", id]) => Call::DeleteDistribution(id),
        ("POST", ["distribution", id, "copy"]) => Call::CopyDistribution(id),
        ("PUT", ["distribution", id, "promote-staging-config"]) => {
            Call::UpdateDistributionWithStagingConfig(id)
        }
        ("PUT", ["distribution", id, "associate-alias"]) => Call::AssociateAlias(id),
        ("POST", ["domain-association"]) => Call::UpdateDomainAssociation,
        ("POST", ["distribution", id, "invalidation"]) => Call::CreateInvalidation(id),
        (method, ["continuous-deployment-policy", rest @ ..]) => {
            of_policy(method, rest).map_or(Call::Other, Call::Policy)
        }
        _ => Call::Other,
    }
}

fn of_policy<'a>(method: &str, rest: &[&'a str]) -> Option<OfPolicy<'a>> {
    match (method, rest) {
        ("POST", []) => Some(OfPolicy::Create),
        ("GET", []) => Some(OfPolicy::List),
        ("GET", [id]) => Some(OfPolicy::Get(id)),
        ("GET", [id, "config"]) => Some(OfPolicy::GetConfig(id)),
        ("PUT", [id]) => Some(OfPolicy::Update(id)),
        ("DELETE", [id]) => Some(OfPolicy::Delete(id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_by_method_and_path() {
        for (method, path, call) in [
            (Method::POST, "distribution", Call::CreateDistribution),
            (Method::POST, "distribution/", Call::CreateDistribution),
            (Method::GET, "distribution", Call::Other),
            (
                Method::PUT,
                "distribution/E1/config",
                Call::UpdateDistribution("E1"),
            ),
            (Method::GET, "distribution/E1/config", Call::Other),
            (
                Method::PUT,
                "continuous-deployment-policy/P1",
                Call::Policy(OfPolicy::Update("P1")),
            ),
            (
                Method::GET,
                "continuous-deployment-policy",
                Call::Policy(OfPolicy::List),
            ),
        ] {
            assert_eq!(named(&method, &format!("/2020-05-31/{path}")), call);
        }
    }
}
