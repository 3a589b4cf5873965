//! A service as others have one: in a cluster of several, behind a rule of a load
//! balancer that it shares, with settings of its own. Made without bgecs.

use serde_json::{Value, json};

use crate::api::{exchange, text, texts};
use crate::support::Outcome;
use crate::world::{World, string};

pub const SHOP: &str = "shop.test";
pub const ADMIN: &str = "admin.test";

pub struct Company<'a> {
    world: &'a World,
    pub listener: String,
    /// The rule by which users come to the shop, or the listener by its default action.
    pub way: String,
    /// The load balancer's own name.
    pub dns_name: String,
    balancer: String,
    /// By which the shop is reached from inside, with a target group of its own.
    pub internal: Option<Entrance>,
    groups: Vec<String>,
}

/// A load balancer, and its listener at port 80.
pub struct Entrance {
    balancer: String,
    pub listener: String,
    pub dns_name: String,
}

impl Entrance {
    /// With that name and scheme; until it leads anywhere it answers 404.
    fn new(world: &World, (name, scheme): (&str, &str), subnets: &[String; 2]) -> Outcome<Self> {
        let made = world.api.elb(&[
            ("Action", "CreateLoadBalancer"),
            ("Name", name),
            ("Scheme", scheme),
            ("Subnets.member.1", &subnets[0]),
            ("Subnets.member.2", &subnets[1]),
        ])?;
        let balancer = text(&made, "LoadBalancerArn")?.to_owned();
        let listener = world.api.elb(&[
            ("Action", "CreateListener"),
            ("LoadBalancerArn", &balancer),
            ("Protocol", "HTTP"),
            ("Port", "80"),
            ("DefaultActions.member.1.Type", "fixed-response"),
            (
                "DefaultActions.member.1.FixedResponseConfig.StatusCode",
                "404",
            ),
        ])?;
        Ok(Self {
            listener: text(&listener, "ListenerArn")?.to_owned(),
            dns_name: text(&made, "DNSName")?.to_owned(),
            balancer,
        })
    }
}

impl<'a> Company<'a> {
    /// The services `web` and `admin` in the cluster `prod`, both on version 1 of the
    /// greeter, at the hosts [`SHOP`] and [`ADMIN`] of the load balancer `shared`.
    pub fn beside(world: &'a World) -> Outcome<Self> {
        Self::new(world, Some(SHOP), false)
    }

    /// The same, but that the shop is behind an internal load balancer too.
    pub fn public_and_internal(world: &'a World) -> Outcome<Self> {
        Self::new(world, Some(SHOP), true)
    }

    /// The same, but that the shop is at the listener's default action.
    pub fn at_the_default_action(world: &'a World) -> Outcome<Self> {
        Self::new(world, None, false)
    }

    fn new(world: &'a World, shop: Option<&str>, is_internal_too: bool) -> Outcome<Self> {
        let network = world.service("green")?["networkConfiguration"].clone();
        let awsvpc = &network["awsvpcConfiguration"];
        let subnets = [string(awsvpc, "/subnets/0")?, string(awsvpc, "/subnets/1")?];
        let found = world.api.query(
            "ec2",
            "2016-11-15",
            &[("Action", "DescribeSubnets"), ("SubnetId.1", &subnets[0])],
        )?;
        let vpc = text(&found, "vpcId")?.to_owned();
        let shared = Entrance::new(world, ("shared", "internet-facing"), &subnets)?;
        let mut company = Self {
            world,
            listener: shared.listener,
            way: String::new(),
            dns_name: shared.dns_name,
            balancer: shared.balancer,
            internal: None,
            groups: Vec::new(),
        };
        if is_internal_too {
            let inside = Entrance::new(world, ("inside", "internal"), &subnets)?;
            company.internal = Some(inside);
        }
        let image = format!("{}/web", world.registry());
        let repository = json!({ "repositoryName": "web" });
        let target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
        world.api.json("ecr", target, &repository)?;
        let built = format!("{}/{}:1", world.registry(), world.stack());
        world.push(&built, &image, "1")?;
        world
            .api
            .ecs("CreateCluster", &json!({ "clusterName": "prod" }))?;
        company.way = company.add("web", &vpc, shop.map(|host| (host, "100")), &network)?;
        company.add("admin", &vpc, Some((ADMIN, "90")), &network)?;
        for host in [shop.unwrap_or(&company.dns_name), ADMIN] {
            let answers = world.until(host, || Ok(company.ask(host, "")?.0 == 200));
            answers.map_err(|error| {
                let answer = company.ask(host, "").unwrap_or_default();
                let service = company.service("web").unwrap_or_default();
                format!("{error}: {answer:?} {service:#}")
            })?;
        }
        Ok(company)
    }

    fn group(&mut self, name: &str, vpc: &str) -> Outcome<String> {
        let group = self.world.api.elb(&[
            ("Action", "CreateTargetGroup"),
            ("Name", name),
            ("Protocol", "HTTP"),
            ("Port", "8080"),
            ("VpcId", vpc),
            ("TargetType", "ip"),
            ("HealthCheckPath", "/health"),
            ("HealthCheckIntervalSeconds", "5"),
            ("HealthCheckTimeoutSeconds", "2"),
            ("HealthyThresholdCount", "2"),
            ("UnhealthyThresholdCount", "2"),
        ])?;
        let group = text(&group, "TargetGroupArn")?.to_owned();
        self.groups.push(group.clone());
        Ok(group)
    }

    /// A service, and what leads to it.
    fn add(
        &mut self,
        name: &str,
        vpc: &str,
        rule: Option<(&str, &str)>,
        network: &Value,
    ) -> Outcome<String> {
        let api = &self.world.api;
        let group = self.group(name, vpc)?;
        let way = self.lead(rule, &group)?;
        let mut groups = vec![group];
        if let Some(listener) = self.internal.as_ref().map(|it| it.listener.clone())
            && name == "web"
        {
            let inside = self.group("web-inside", vpc)?;
            api.point(&listener, &inside)?;
            groups.push(inside);
        }
        let doors = groups.iter().map(|group| {
            json!({ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 })
        });
        let mut definition = self.definition(name)?;
        definition["family"] = json!(name);
        api.ecs("RegisterTaskDefinition", &definition)?;
        api.ecs(
            "CreateService",
            &json!({
                "cluster": "prod",
                "serviceName": name,
                "taskDefinition": name,
                "desiredCount": 1,
                "launchType": "FARGATE",
                "networkConfiguration": network,
                "loadBalancers": doors.collect::<Vec<_>>(),
                "healthCheckGracePeriodSeconds": 30,
                "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 300 },
                "enableExecuteCommand": true,
                "tags": [{ "key": "team", "value": "shop" }],
            }),
        )?;
        Ok(way)
    }

    /// By a rule for a host, or by the default action; gives its ARN.
    pub fn lead(&self, rule: Option<(&str, &str)>, group: &str) -> Outcome<String> {
        let api = &self.world.api;
        let Some((host, priority)) = rule else {
            api.point(&self.listener, group)?;
            return Ok(self.listener.clone());
        };
        let rule = api.elb(&[
            ("Action", "CreateRule"),
            ("ListenerArn", &self.listener),
            ("Priority", priority),
            ("Conditions.member.1.Field", "host-header"),
            ("Conditions.member.1.HostHeaderConfig.Values.member.1", host),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.TargetGroupArn", group),
        ])?;
        Ok(text(&rule, "RuleArn")?.to_owned())
    }

    /// What `web` runs, as a file for `[container] task_definition`.
    pub fn definition(&self, name: &str) -> Outcome<Value> {
        let stack = self.world.stack();
        let made = self.world.api.ecs(
            "DescribeTaskDefinition",
            &json!({ "taskDefinition": stack }),
        )?;
        let made = &made["taskDefinition"];
        Ok(json!({
            "family": name,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": made["executionRoleArn"],
            "containerDefinitions": [{
                "name": "app",
                "image": format!("{}/web:1", self.world.registry()),
                "essential": true,
                "portMappings": [{ "containerPort": 8080 }],
            }],
        }))
    }

    /// What somebody gets at that name.
    pub fn ask(&self, host: &str, headers: &str) -> Outcome<(u16, String)> {
        exchange(&self.world.api.address, host, "GET /api", headers, "")
    }

    /// Everything of the company's that there is to see, but for what passes: counts,
    /// events and deployments.
    pub fn seen(&self) -> Outcome<Vec<String>> {
        let api = &self.world.api;
        let mut seen = vec![
            api.elb(&[
                ("Action", "DescribeListeners"),
                ("LoadBalancerArn", &self.balancer),
            ])?,
            api.elb(&[("Action", "DescribeRules"), ("ListenerArn", &self.listener)])?,
            api.elb(&[
                ("Action", "DescribeTargetGroups"),
                ("LoadBalancerArn", &self.balancer),
            ])?,
        ];
        if let Some(internal) = &self.internal {
            seen.push(api.elb(&[
                ("Action", "DescribeListeners"),
                ("LoadBalancerArn", &internal.balancer),
            ])?);
            seen.push(api.elb(&[
                ("Action", "DescribeRules"),
                ("ListenerArn", &internal.listener),
            ])?);
        }
        for group in &self.groups {
            seen.push(api.elb(&[
                ("Action", "DescribeTargetGroupAttributes"),
                ("TargetGroupArn", group),
            ])?);
        }
        let request =
            json!({ "cluster": "prod", "services": ["web", "admin"], "include": ["TAGS"] });
        let services = api.ecs("DescribeServices", &request)?;
        for service in services["services"].as_array().into_iter().flatten() {
            let mut service = service.clone();
            for passing in ["events", "deployments", "pendingCount", "runningCount"] {
                service[passing] = Value::Null;
            }
            seen.push(format!("{service:#}"));
        }
        let named = api.ecs("ListServices", &json!({ "cluster": "prod" }))?;
        seen.push(format!("{:#}", named["serviceArns"]));
        Ok(seen.iter().map(|text| without_request(text)).collect())
    }

    pub fn service(&self, name: &str) -> Outcome<Value> {
        let request = json!({ "cluster": "prod", "services": [name], "include": ["TAGS"] });
        let answer = self.world.api.ecs("DescribeServices", &request)?;
        Ok(answer["services"][0].clone())
    }
}

/// An answer's id is its own.
fn without_request(xml: &str) -> String {
    match texts(xml, "RequestId").first() {
        Some(id) => xml.replace(*id, ""),
        None => xml.to_owned(),
    }
}
