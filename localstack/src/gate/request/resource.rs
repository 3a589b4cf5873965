//! What a call is about, in as few letters as tell it from others. Pure.

use super::Operation;

/// The parameters that name it, the most exact first. Each is looked for as it
/// stands here, with an `s` and with `ARNs` in any case.
const TELLING: [&str; 21] = [
    "RuleArn",
    "ListenerArn",
    "TargetGroupArn",
    "ResourceArn",
    "LoadBalancerArn",
    "service",
    "serviceName",
    "serviceDeploymentArn",
    "task",
    "taskDefinition",
    "family",
    "familyPrefix",
    "StackName",
    "repositoryName",
    "logGroupName",
    "logGroupNamePrefix",
    "TableName",
    "staticIpName",
    "instanceName",
    "Name",
    "cluster",
];

/// `parameters` are those of the first level, one for each item of a list.
pub(super) fn of(operation: &Operation, parameters: &[(String, String)]) -> String {
    let Some((name, about)) = TELLING
        .iter()
        .find_map(|name| Some((*name, told(parameters, name)?)))
    else {
        return String::new();
    };
    let cluster = told(parameters, "cluster").filter(|_| operation.service == "ecs");
    match cluster {
        Some(cluster) if name != "cluster" => within(&cluster, &about),
        _ => about,
    }
}

/// What a path names: `distribution/ID` of
/// `PUT /2020-05-31/distribution/ID/config`, for CloudFront alone.
pub(super) fn of_path(operation: &Operation) -> String {
    let path = operation.name.split_once(' ').map_or("", |(_, path)| path);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (operation.service.as_str(), parts.as_slice()) {
        ("cloudfront", [_version, kind, id, ..]) => format!("{kind}/{id}"),
        _ => String::new(),
    }
}

/// Names of items without their numbers: `ListenerArns.member.1` is
/// `ListenerArns`. What lies deeper is left out.
pub(super) fn unnumbered(form: Vec<(String, String)>) -> Vec<(String, String)> {
    form.into_iter()
        .filter_map(|(name, value)| {
            let mut parts = name.split('.').filter(|part| {
                *part != "member" && !part.bytes().all(|letter| letter.is_ascii_digit())
            });
            let first = parts.next()?.to_owned();
            parts.next().is_none().then_some((first, value))
        })
        .collect()
}

/// The values of that parameter, shortened and joined.
fn told(parameters: &[(String, String)], wanted: &str) -> Option<String> {
    let values: Vec<String> = parameters
        .iter()
        .filter(|(name, _)| {
            let singular = name.strip_suffix(['s', 'S']).unwrap_or(name);
            name.eq_ignore_ascii_case(wanted) || singular.eq_ignore_ascii_case(wanted)
        })
        .map(|(_, value)| short(value))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// A long ARN names the cluster by itself.
fn within(cluster: &str, about: &str) -> String {
    let prefix = format!("{cluster}/");
    if about.starts_with(&prefix) {
        return about.to_owned();
    }
    prefix + about
}

/// An ARN without what is the same in all of an account, and without ids that
/// only tell a thing from its own past; anything else as it is.
///
/// Formats: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.
pub fn short(text: &str) -> String {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", _, service, _, _, resource] = fields[..] else {
        return text.to_owned();
    };
    let parts: Vec<&str> = resource.split('/').collect();
    match (service, &parts[..]) {
        ("elasticloadbalancing", ["loadbalancer", _, name, _]) => format!("loadbalancer/{name}"),
        ("elasticloadbalancing", ["targetgroup", name, _]) => format!("targetgroup/{name}"),
        ("elasticloadbalancing", ["listener", _, name, _, id]) => format!("listener/{name}/{id}"),
        ("elasticloadbalancing", ["listener-rule", _, name, _, _, id]) => {
            format!("listener-rule/{name}/{id}")
        }
        ("cloudformation", ["stack", name, ..]) => (*name).to_owned(),
        ("ecs" | "ecr" | "dynamodb", [_, rest @ ..]) if !rest.is_empty() => rest.join("/"),
        ("logs", _) => resource
            .trim_start_matches("log-group:")
            .trim_end_matches(":*")
            .to_owned(),
        _ => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;
    use bytes::Bytes;

    fn json(service: &str, name: &str, body: &'static str) -> String {
        let head = hyper::Request::builder()
            .header("x-amz-target", format!("{service}.{name}"))
            .body(())
            .unwrap()
            .into_parts()
            .0;
        let mut request = Request::read(head, Bytes::from_static(body.as_bytes())).unwrap();
        service.clone_into(&mut request.operation.service);
        request.resource()
    }

    fn elb(parameters: &[(&str, &str)]) -> String {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "Any")
            .append_pair("Version", "2015-12-01")
            .extend_pairs(parameters)
            .finish();
        let head = hyper::Request::builder()
            .method("POST")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        Request::read(head, body.into()).unwrap().resource()
    }

    const ELB: &str = "arn:aws:elasticloadbalancing:us-east-1:000000000000";

    #[test]
    fn ecs_calls_are_about_what_is_in_a_cluster() {
        for (body, resource) in [
            (r#"{"cluster":"live","service":"web"}"#, "live/web"),
            (r#"{"cluster":"live","services":["a","b"]}"#, "live/a,b"),
            (
                r#"{"cluster":"live","serviceName":"web","taskDefinition":"web:3"}"#,
                "live/web",
            ),
            (
                r#"{"cluster":"live","services":["arn:aws:ecs:us-east-1:1:service/live/web"]}"#,
                "live/web",
            ),
            (
                r#"{"cluster":"live","tasks":["arn:aws:ecs:us-east-1:1:task/live/0a1b"]}"#,
                "live/0a1b",
            ),
            (
                r#"{"cluster":"arn:aws:ecs:us-east-1:1:cluster/live"}"#,
                "live",
            ),
            (
                r#"{"family":"web","containerDefinitions":[{"name":"x"}]}"#,
                "web",
            ),
            (
                r#"{"taskDefinition":"arn:aws:ecs:us-east-1:1:task-definition/web:3"}"#,
                "web:3",
            ),
            ("{}", ""),
            ("not JSON", ""),
        ] {
            assert_eq!(json("ecs", "Any", body), resource, "{body}");
        }
    }

    #[test]
    fn other_json_calls_are_about_their_one_thing() {
        assert_eq!(
            json("ecr", "Any", r#"{"repositoryName":"app/web"}"#),
            "app/web"
        );
        assert_eq!(json("ecr", "Any", r#"{"repositoryNames":["a"]}"#), "a");
        assert_eq!(
            json("logs", "Any", r#"{"logGroupName":"/bgecs/web"}"#),
            "/bgecs/web"
        );
        assert_eq!(json("dynamodb", "Any", r#"{"TableName":"locks"}"#), "locks");
    }

    #[test]
    fn elb_calls_are_about_the_least_of_their_arns() {
        let listener = format!("{ELB}:listener/app/web/50dc/f2f7");
        let group = format!("{ELB}:targetgroup/blue/73e2");
        let balancer = format!("{ELB}:loadbalancer/app/web/50dc");
        let default = "DefaultActions.member.1.TargetGroupArn";
        for (parameters, resource) in [
            (
                vec![("ListenerArn", &listener), (default, &group)],
                "listener/web/f2f7",
            ),
            (
                vec![("LoadBalancerArn", &balancer), (default, &group)],
                "loadbalancer/web",
            ),
            (
                vec![
                    ("ListenerArns.member.1", &listener),
                    ("ListenerArns.member.2", &listener),
                ],
                "listener/web/f2f7,listener/web/f2f7",
            ),
            (vec![("TargetGroupArn", &group)], "targetgroup/blue"),
            (
                vec![("ResourceArns.member.1", &balancer)],
                "loadbalancer/web",
            ),
            (vec![], ""),
        ] {
            let parameters: Vec<(&str, &str)> = parameters
                .into_iter()
                .map(|(name, value)| (name, value.as_str()))
                .collect();
            assert_eq!(elb(&parameters), resource);
        }
        assert_eq!(elb(&[("StackName", "web-live")]), "web-live");
    }

    #[test]
    fn arns_are_shortened_to_what_tells_them_apart() {
        for (arn, text) in [
            (
                format!("{ELB}:listener-rule/app/web/50dc/f2f7/9683"),
                "listener-rule/web/9683",
            ),
            (
                "arn:aws:cloudformation:us-east-1:1:stack/web-live/uuid".to_owned(),
                "web-live",
            ),
            (
                "arn:aws:logs:us-east-1:1:log-group:/a/b:*".to_owned(),
                "/a/b",
            ),
            ("arn:aws:sns:us-east-1:1:topic".to_owned(), "topic"),
            ("web:3".to_owned(), "web:3"),
            ("arn:odd".to_owned(), "arn:odd"),
        ] {
            assert_eq!(short(&arn), text);
        }
    }
    #[test]
    fn cloudfronts_paths_name_what_they_are_about() {
        let resource = |service: &str, name: &str| {
            of_path(&Operation {
                protocol: super::super::Protocol::Rest,
                service: service.to_owned(),
                name: name.to_owned(),
            })
        };
        let path = "PUT /2020-05-31/distribution";
        assert_eq!(
            resource("cloudfront", &format!("{path}/E1/config")),
            "distribution/E1"
        );
        assert_eq!(resource("cloudfront", path), "");
        assert_eq!(resource("s3", &format!("{path}/E1/config")), "");
    }
}
