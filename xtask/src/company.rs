//! A company that never heard of bgecs: its own network, and three services in one
//! cluster behind host and path rules of a load balancer that they share by HTTPS,
//! with a certificate for each of its domains. The first of them is behind an internal
//! load balancer too, with a target group of its own. Made by CloudFormation and by calls of
//! AWS's API alone, as strangers would have it.

mod seen;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Result;
use crate::observer::Door;

pub use seen::{Described, differences};

const TEMPLATE: &str = include_str!("company/stack.yaml");
const STACK: &str = "company";
pub const CLUSTER: &str = "prod";
/// Containers start, and health checks come every 5 s.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// One of its services.
#[derive(Debug)]
pub struct Line {
    pub name: &'static str,
    /// What its users type.
    pub host: &'static str,
    path: Option<&'static str>,
    priority: &'static str,
    tasks: u8,
}

/// The one that bgecs comes to is the first.
pub const LINES: [Line; 3] = [
    Line {
        name: "web",
        host: "shop.test",
        path: None,
        priority: "100",
        tasks: 2,
    },
    Line {
        name: "orders",
        host: "orders.shop.test",
        path: Some("/api*"),
        priority: "20",
        tasks: 1,
    },
    Line {
        name: "admin",
        host: "admin.test",
        path: None,
        priority: "10",
        tasks: 1,
    },
];

/// The target group of the first one's internal load balancer.
pub const INSIDE: &str = "web-inside";

pub struct Company<'a> {
    gate: &'a Gate,
    api: Upstream,
    outputs: BTreeMap<String, String>,
    /// Of each service, in their order; and the internal one of the first.
    groups: Vec<String>,
    /// By which users come to each service, in the same order.
    rules: Vec<String>,
}

impl<'a> Company<'a> {
    /// All its services run that image, and answer.
    pub async fn founded(gate: &'a Gate, image: &str) -> Result<Self> {
        let mut company = Self {
            gate,
            api: Upstream::new(gate.endpoint().trim_start_matches("http://"), "test"),
            outputs: BTreeMap::new(),
            groups: Vec::new(),
            rules: Vec::new(),
        };
        company.make_stack().await?;
        // Which CloudFormation here has no type for.
        let more = [
            ("ListenerArn", company.output("Secure")?),
            (
                "Certificates.member.1.CertificateArn",
                company.output("AdminCertificate")?,
            ),
        ];
        company.elb("AddListenerCertificates", &more).await?;
        for line in &LINES {
            let group = company.add_group(line.name, line.name).await?;
            company.add_rule(line, &group).await?;
            company.register(line.name, image, &[]).await?;
            company.groups.push(group);
        }
        let inside = company.add_group(INSIDE, LINES[0].name).await?;
        company.lead_inside(&inside).await?;
        company.groups.push(inside);
        for (line, group) in LINES.iter().zip(&company.groups) {
            let inside = company.groups.last().filter(|_| line.name == LINES[0].name);
            let groups: Vec<&String> = std::iter::once(group).chain(inside).collect();
            company.create_service(line, &groups).await?;
        }
        for line in &LINES {
            until_it_answers(line.host, &company.door(line).await?).await?;
        }
        until_it_answers(INSIDE, &company.inside_door().await?).await?;
        Ok(company)
    }

    async fn make_stack(&mut self) -> Result<()> {
        let formation = ("cloudformation", "2010-05-15");
        let made = [
            ("StackName", STACK),
            ("TemplateBody", TEMPLATE),
            ("Capabilities.member.1", "CAPABILITY_IAM"),
        ];
        self.api.query(formation, "CreateStack", &made).await?;
        let began = Instant::now();
        loop {
            let named = [("StackName", STACK)];
            let said = self.api.query(formation, "DescribeStacks", &named).await?;
            match texts(&said, "StackStatus").first() {
                Some(&"CREATE_COMPLETE") => {
                    let keys = texts(&said, "OutputKey").into_iter();
                    let values = texts(&said, "OutputValue").into_iter();
                    let pairs = keys.zip(values);
                    self.outputs = pairs
                        .map(|(key, value)| (key.to_owned(), value.to_owned()))
                        .collect();
                    return Ok(());
                }
                Some(&"CREATE_IN_PROGRESS") if began.elapsed() < PATIENCE => sleep(PAUSE).await,
                _ => return Err(format!("the company's stack is not made: {said}").into()),
            }
        }
    }

    fn output(&self, name: &str) -> Result<&str> {
        let output = self.outputs.get(name);
        Ok(output.ok_or_else(|| format!("the company's stack has no output {name}"))?)
    }

    async fn elb(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
        Ok(self.api.elb(action, parameters).await?)
    }

    async fn add_group(&self, name: &str, team: &str) -> Result<String> {
        let group = [
            ("Name", name),
            ("Protocol", "HTTP"),
            ("Port", "8080"),
            ("VpcId", self.output("Vpc")?),
            ("TargetType", "ip"),
            ("HealthCheckPath", "/health"),
            ("HealthCheckIntervalSeconds", "5"),
            ("HealthCheckTimeoutSeconds", "2"),
            ("HealthyThresholdCount", "2"),
            ("UnhealthyThresholdCount", "2"),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", team),
        ];
        let made = self.elb("CreateTargetGroup", &group).await?;
        let group = only(&made, "TargetGroupArn")?;
        let attribute = "Attributes.member.1";
        let (key, value) = (format!("{attribute}.Key"), format!("{attribute}.Value"));
        let attributes = [
            ("TargetGroupArn", group),
            (&key, "deregistration_delay.timeout_seconds"),
            (&value, "5"),
        ];
        self.elb("ModifyTargetGroupAttributes", &attributes).await?;
        Ok(group.to_owned())
    }

    async fn lead_inside(&self, group: &str) -> Result<()> {
        let to = [
            ("ListenerArn", self.output("InsideListener")?),
            ("DefaultActions.member.1.Type", "forward"),
            ("DefaultActions.member.1.TargetGroupArn", group),
        ];
        self.elb("ModifyListener", &to).await?;
        Ok(())
    }

    async fn add_rule(&mut self, line: &Line, group: &str) -> Result<()> {
        let mut rule = vec![
            ("ListenerArn", self.output("Secure")?),
            ("Priority", line.priority),
            ("Conditions.member.1.Field", "host-header"),
            (
                "Conditions.member.1.HostHeaderConfig.Values.member.1",
                line.host,
            ),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.TargetGroupArn", group),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", line.name),
        ];
        if let Some(path) = line.path {
            let values = "Conditions.member.2.PathPatternConfig.Values.member.1";
            rule.extend([
                ("Conditions.member.2.Field", "path-pattern"),
                (values, path),
            ]);
        }
        let made = self.elb("CreateRule", &rule).await?;
        self.rules.push(only(&made, "RuleArn")?.to_owned());
        Ok(())
    }

    /// Both ways by which users come to the first of its services, as `import` has to
    /// be told them.
    pub fn import_flags(&self) -> Result<[&str; 4]> {
        let rule = self.rules.first().ok_or("there is no rule")?;
        let inside = self.output("InsideListener")?;
        Ok(["--production", rule, "--production", inside])
    }

    /// What a service runs, with these in its environment. Gives the revision.
    pub async fn register(
        &self,
        family: &str,
        image: &str,
        environment: &[(&str, &str)],
    ) -> Result<String> {
        let environment: Vec<Value> = environment
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let definition = json!({
            "family": family,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.output("ExecutionRole")?,
            "containerDefinitions": [{
                "name": "app",
                "image": image,
                "essential": true,
                "environment": environment,
                "portMappings": [{ "containerPort": 8080 }],
            }],
        });
        let made = self.api.ecs("RegisterTaskDefinition", &definition).await?;
        let revision = &made["taskDefinition"]["revision"];
        Ok(format!("{family}:{revision}"))
    }

    async fn create_service(&self, line: &Line, groups: &[&String]) -> Result<()> {
        let doors = groups.iter().map(|group| {
            json!({ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 })
        });
        let service = json!({
            "cluster": CLUSTER,
            "serviceName": line.name,
            "taskDefinition": line.name,
            "desiredCount": line.tasks,
            "launchType": "FARGATE",
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": [self.output("PrivateA")?, self.output("PrivateB")?],
                "securityGroups": [self.output("SecurityGroup")?],
                "assignPublicIp": "DISABLED",
            } },
            "loadBalancers": doors.collect::<Vec<_>>(),
            "healthCheckGracePeriodSeconds": 30,
            "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 200 },
            "enableExecuteCommand": true,
            "propagateTags": "SERVICE",
            "tags": [{ "key": "team", "value": line.name }],
        });
        self.api.ecs("CreateService", &service).await?;
        Ok(())
    }

    /// The way of the company's own machines to the first of its services.
    pub async fn inside_door(&self) -> Result<Door> {
        let name = self.output("InsideName")?;
        let balancer = self.gate.listening(name, 80, PATIENCE).await;
        let nodes = balancer.ok_or_else(|| format!("nothing listens for {name}"))?;
        let nodes = nodes.doors(80).into_iter();
        Door::new(nodes.map(|node| format!("http://{node}")).collect(), name)
    }

    /// The way to a service, as its users have it.
    pub async fn door(&self, line: &Line) -> Result<Door> {
        let elb = self.gate.load_balancing().ok_or("it balances no load")?;
        let balancer = self.gate.listening(line.host, 443, PATIENCE).await;
        let nodes: Vec<SocketAddr> = balancer
            .ok_or_else(|| format!("nothing listens for {}", line.host))?
            .doors(443);
        Door::secure(&nodes, line.host, &elb.authority()?)
    }
}

/// The gate's environment, with its certificates accepted: that of their issuer is
/// written into the folder.
pub fn trusting(gate: &Gate, folder: &Path) -> Result<Vec<(String, String)>> {
    let elb = gate.load_balancing().ok_or("the gate balances no load")?;
    let file = folder.join("ca.pem");
    std::fs::write(&file, elb.authority()?)?;
    let mut env = gate.env();
    env.push(("SSL_CERT_FILE".to_owned(), file.display().to_string()));
    Ok(env)
}

async fn until_it_answers(name: &str, door: &Door) -> Result<()> {
    let began = Instant::now();
    loop {
        match door.get("/api").await {
            Ok((200, _)) => return Ok(()),
            _ if began.elapsed() < PATIENCE => sleep(PAUSE).await,
            other => return Err(format!("nobody answers at {name}: {other:?}").into()),
        }
    }
}

/// What stands in each element of that name.
fn texts<'x>(xml: &'x str, element: &str) -> Vec<&'x str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(open.as_str()).skip(1);
    parts
        .filter_map(|part| Some(part.split_once(close.as_str())?.0))
        .collect()
}

fn only<'x>(xml: &'x str, element: &str) -> Result<&'x str> {
    let found = texts(xml, element).first().copied();
    found.ok_or_else(|| format!("no {element} in {xml}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_in_their_order() {
        let xml = "<a><b>1</b><c/><b>2</b></a>";
        assert_eq!(texts(xml, "b"), ["1", "2"]);
        assert_eq!(only(xml, "b").unwrap(), "1");
        assert!(only(xml, "d").is_err());
    }
}
