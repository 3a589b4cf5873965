//! Which distribution a request is for, and which of its behaviours. Pure.

use hyper::HeaderMap;

use super::deploy::Traffic;
use super::distribution::{Behaviour, Distribution, World};
use crate::balancer::is_of_pattern;

/// The distribution that a Host header names, which is the one "with the more
/// specific name match, regardless of the distribution that the DNS record points
/// to":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions>.
/// "Viewers cannot send requests directly to a staging distribution":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-continuous-deployment.html>.
pub fn distribution<'a>(world: &'a World, host: &str) -> Option<&'a Distribution> {
    let name = host.split(':').next().unwrap_or(host);
    world
        .of_domain(name)
        .or_else(|| world.of_alias(name))
        .or_else(|| by_wildcard(world, name))
        .filter(|one| !one.is_staging)
}

/// "With an alternate domain name of `*.example.com`, you can use any domain name that
/// ends with example.com": <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-wildcard>.
fn by_wildcard<'a>(world: &'a World, name: &str) -> Option<&'a Distribution> {
    let name = name.to_ascii_lowercase();
    let parents = name.match_indices('.').map(|(at, _)| &name[at..]);
    let mut wildcards = parents.map(|parent| format!("*{parent}"));
    wildcards.find_map(|wildcard| world.of_alias(&wildcard))
}

/// The distribution by whose configuration a request to that one is served: its
/// staging distribution, if its policy says so of these headers, or at that chance
/// of 0 to 1.
pub fn taken<'a>(
    world: &'a World,
    primary: &'a Distribution,
    headers: &HeaderMap,
    chance: f64,
) -> &'a Distribution {
    let staging = primary.deployment.as_ref().and_then(|deployment| {
        let takes = match &deployment.traffic {
            Traffic::Weight(weight) => chance < *weight,
            Traffic::Header { name, value } => {
                let mut all = headers.get_all(name.as_str()).into_iter();
                all.any(|it| it.as_bytes() == value.as_bytes())
            }
        };
        let one = world.of_domain(&deployment.staging)?;
        (takes && one.is_staging && one.is_enabled).then_some(one)
    });
    staging.unwrap_or(primary)
}

/// The first whose pattern the path is of.
pub fn behaviour<'a>(of: &'a Distribution, path: &str) -> Option<&'a Behaviour> {
    let mut all = of.behaviours.iter();
    all.find(|behaviour| is_of_pattern(path, &behaviour.pattern))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::gate::cdn::deploy::Deployment;
    use crate::gate::cdn::distribution::Named;

    fn one(id: &str, config: &str) -> Distribution {
        let xml = format!(
            "<Distribution><Id>{id}</Id><DomainName>d{id}.cloudfront.net</DomainName>\
             <DistributionConfig><Enabled>true</Enabled>{config}</DistributionConfig>\
             </Distribution>"
        );
        Distribution::read(&xml, "1", &Named::default()).unwrap()
    }

    fn aliased(id: &str, alias: &str) -> Distribution {
        let list = format!("<Aliases><Items><CNAME>{alias}</CNAME></Items></Aliases>");
        one(id, &list)
    }

    #[test]
    fn the_most_specific_name_is_taken() {
        let world = World(vec![
            aliased("1", "*.shop.test"),
            aliased("2", "*.eu.shop.test"),
            aliased("3", "www.shop.test"),
            one("4", "<Staging>true</Staging>"),
        ]);
        for (host, id) in [
            ("www.shop.test", Some("3")),
            ("Any.Shop.test:80", Some("1")),
            ("any.eu.shop.test", Some("2")),
            ("a.b.shop.test", Some("1")),
            ("d2.cloudfront.net", Some("2")),
            ("d4.cloudfront.net", None),
            ("shop.test", None),
            ("", None),
        ] {
            let found = distribution(&world, host).map(|one| one.id.as_str());
            assert_eq!(found, id, "{host}");
        }
    }

    #[test]
    fn the_staging_distribution_gets_its_share_or_what_has_the_header() {
        let staging = one("2", "<Staging>true</Staging>");
        let taken_by = |traffic, header: Option<&'static str>, chance| {
            let primary = Distribution {
                deployment: Some(Deployment {
                    staging: staging.domain.clone(),
                    traffic,
                }),
                ..one("1", "")
            };
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|value| {
                let name = hyper::header::HeaderName::from_static("aws-cf-cd-x");
                (name, HeaderValue::from_static(value))
            }));
            let world = World(vec![primary.clone(), staging.clone()]);
            taken(&world, &primary, &headers, chance).id.clone()
        };
        assert_eq!(taken_by(Traffic::Weight(0.1), None, 0.05), "2");
        assert_eq!(taken_by(Traffic::Weight(0.1), None, 0.1), "1");
        assert_eq!(taken_by(Traffic::Weight(0.0), None, 0.0), "1");
        let traffic = || Traffic::Header {
            name: "aws-cf-cd-x".to_owned(),
            value: "on".to_owned(),
        };
        assert_eq!(taken_by(traffic(), Some("on"), 0.9), "2");
        assert_eq!(taken_by(traffic(), Some("off"), 0.0), "1");
        assert_eq!(taken_by(traffic(), None, 0.0), "1");
    }

    #[test]
    fn the_first_behaviour_of_the_path_is_taken() {
        let list = |patterns: &[&str]| -> String {
            let one = |pattern: &&str| {
                format!(
                    "<CacheBehavior><PathPattern>{pattern}</PathPattern>\
                     <TargetOriginId>{pattern}</TargetOriginId></CacheBehavior>"
                )
            };
            patterns.iter().map(one).collect()
        };
        let config = format!(
            "<CacheBehaviors><Items>{}</Items></CacheBehaviors><DefaultCacheBehavior>\
             <TargetOriginId>default</TargetOriginId></DefaultCacheBehavior>",
            list(&["/api/*", "img/?.png", "*.css"])
        );
        let of = one("1", &config);
        for (path, origin) in [
            ("/api/v1", "/api/*"),
            ("/api/a.css", "/api/*"),
            ("/img/a.png", "img/?.png"),
            ("/img/ab.png", "default"),
            ("/deep/a.css", "*.css"),
            ("/API/v1", "default"),
        ] {
            let found = behaviour(&of, path).map(|one| one.origin.as_str());
            assert_eq!(found, Some(origin), "{path}");
        }
    }
}
