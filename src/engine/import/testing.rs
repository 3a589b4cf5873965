//! A service that runs, as it is read.

use std::time::Duration;

use serde_json::{Value, json};

use super::ReadService;
use crate::model::{
    Balancer, BalancerListener, Compute, ConditionPattern, DeploymentConfiguration, ListenerRule,
    LoadBalancer, Network, PropagateTags, Protocol, Revision, RuleCondition, RunningService,
    RunningSettings, ServiceDefinition, TargetGroupArn, TargetGroupSettings, UserMover,
};

const ELB: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012";

pub fn group(name: &str) -> TargetGroupArn {
    TargetGroupArn::new(format!("{ELB}:targetgroup/{name}/1"))
}

pub fn listener_arn(port: u16) -> String {
    format!("{ELB}:listener/app/shared/50dc/{port}")
}

pub fn rule_arn(port: u16, priority: &str) -> String {
    format!("{ELB}:listener-rule/app/shared/50dc/{port}/{priority}")
}

pub fn rule(
    port: u16,
    priority: &str,
    conditions: Vec<RuleCondition>,
    to: &[(&str, u32)],
) -> ListenerRule {
    ListenerRule {
        arn: rule_arn(port, priority),
        priority: (priority != "default").then(|| priority.to_owned()),
        conditions,
        guards: Vec::new(),
        forwards: to
            .iter()
            .map(|(name, weight)| (group(name), *weight))
            .collect(),
    }
}

pub fn listener(port: u16, protocol: Protocol, rules: Vec<ListenerRule>) -> BalancerListener {
    BalancerListener {
        arn: listener_arn(port),
        port,
        protocol,
        rules,
    }
}

pub fn globs(texts: &[&str]) -> Vec<ConditionPattern> {
    let globs = texts.iter();
    globs
        .map(|text| ConditionPattern::Glob((*text).to_owned()))
        .collect()
}

/// As a company has it: behind a rule of a load balancer that others use too.
pub fn web() -> ReadService {
    let shop = RuleCondition::Host(globs(&["shop.example.com"]));
    let rules = vec![
        rule(443, "10", vec![shop], &[("web-tg", 1)]),
        rule(443, "default", vec![], &[("other", 1)]),
    ];
    ReadService {
        service: RunningService {
            name: "web".to_owned(),
            groups: vec![group("web-tg")],
            ..RunningService::default()
        },
        settings: RunningSettings {
            arn: "arn:aws:ecs:eu-central-1:123456789012:service/prod/web".to_owned(),
            cluster: "prod".to_owned(),
            mover: UserMover::Rolling,
            task_definition: Revision::new(
                "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42",
            ),
            desired: 3,
            definition: ServiceDefinition {
                load_balancers: vec![target("web-tg")],
                network: Network {
                    subnets: vec!["subnet-a".to_owned(), "subnet-b".to_owned()],
                    security_groups: vec!["sg-1".to_owned()],
                    public_ip: false,
                },
                health_check_grace_period: Duration::from_secs(90),
                deployment: DeploymentConfiguration::ROLLING,
                propagate_tags: PropagateTags::None,
                compute: Compute {
                    platform_version: Some("LATEST".to_owned()),
                    exec: true,
                    ..Compute::default()
                },
                ..ServiceDefinition::default()
            },
            is_deploying: false,
            is_draining: false,
            stack: None,
        },
        groups: vec![TargetGroupSettings {
            arn: group("web-tg"),
            name: "web-tg".to_owned(),
            protocol: "HTTP".to_owned(),
            health_path: Some("/up".to_owned()),
            vpc: "vpc-1".to_owned(),
            balancers: vec!["lb/shared".to_owned()],
        }],
        balancers: vec![Balancer {
            arn: "lb/shared".to_owned(),
            name: "shared".to_owned(),
            dns_name: "shared.elb.example".to_owned(),
            is_internal: false,
            is_application: true,
            security_groups: Vec::new(),
            listeners: vec![listener(443, Protocol::Https, rules)],
        }],
        definition: described(),
        region: "eu-central-1".to_owned(),
    }
}

pub fn target(name: &str) -> LoadBalancer {
    LoadBalancer {
        target_group: group(name),
        container: "app".to_owned(),
        port: 8080,
    }
}

/// As ECS prints it.
pub fn described() -> Value {
    let image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1.4";
    json!({
        "taskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42",
        "containerDefinitions": [
            {
                "name": "app", "image": image, "cpu": 0, "essential": true,
                "portMappings": [{ "containerPort": 8080, "hostPort": 8080, "protocol": "tcp" }],
                "environment": [{ "name": "LEVEL", "value": "info" }],
                "secrets": [{ "name": "DB", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/db" }],
                "mountPoints": [], "volumesFrom": [], "systemControls": [],
                "logConfiguration": { "logDriver": "awslogs", "options": {
                    "awslogs-group": "/shop/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "web",
                } },
            },
            { "name": "migrate", "image": image, "essential": false, "environment": [] },
            { "name": "proxy", "image": "envoyproxy/envoy:v1.31.0", "essential": true },
        ],
        "family": "web",
        "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "taskRoleArn": "arn:aws:iam::123456789012:role/web",
        "networkMode": "awsvpc",
        "revision": 42,
        "volumes": [],
        "status": "ACTIVE",
        "requiresAttributes": [{ "name": "ecs.capability.task-eni" }],
        "placementConstraints": [],
        "compatibilities": ["EC2", "FARGATE"],
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "registeredAt": 1.7e9,
        "registeredBy": "arn:aws:iam::123456789012:user/ann",
    })
}
