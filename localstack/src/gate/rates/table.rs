//! What AWS publishes of its rates, as far as it does: a call takes a token of each rate
//! that covers it.
//!
//! It publishes none for CloudFormation, CloudFront, CloudWatch Logs and Lightsail. DynamoDB
//! limits the throughput of tables and not the rate of calls. Of EC2 the categories are
//! here and not its hundred exceptions.

/// So many at once, and in the long run so many a second.
#[derive(Debug)]
pub struct Rate {
    pub service: &'static str,
    pub covers: fn(&str) -> bool,
    pub capacity: u64,
    pub thousandths_a_second: u64,
}

const fn rate(
    service: &'static str,
    covers: fn(&str) -> bool,
    capacity: u64,
    a_second: u64,
) -> Rate {
    Rate {
        service,
        covers,
        capacity,
        thousandths_a_second: a_second * 1000,
    }
}

const ECS: &str = "ecs";
const ELB: &str = "elasticloadbalancing";

pub const RATES: &[Rate] = &[
    // <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>
    rate(ECS, modifies_clusters, 20, 1),
    rate(
        ECS,
        |it| matches!(it, "DescribeClusters" | "ListClusters"),
        50,
        20,
    ),
    rate(ECS, modifies_definitions, 20, 1),
    rate(ECS, reads_definitions, 50, 20),
    rate(ECS, |it| it == "DeleteTaskDefinitions", 5, 1),
    rate(ECS, modifies_providers, 10, 1),
    rate(ECS, |it| it == "DescribeCapacityProviders", 50, 20),
    rate(
        ECS,
        |it| matches!(it, "TagResource" | "UntagResource"),
        20,
        10,
    ),
    rate(ECS, |it| it == "ListTagsForResource", 50, 20),
    rate(ECS, modifies_settings, 10, 1),
    rate(ECS, |it| it == "ListAccountSettings", 50, 20),
    rate(ECS, modifies_cluster_resources, 100, 40),
    rate(ECS, reads_cluster_resources, 100, 20),
    rate(ECS, modifies_services, 50, 5),
    rate(
        ECS,
        |it| matches!(it, "DescribeServices" | "ListServices"),
        100,
        20,
    ),
    rate(ECS, reads_deployments, 50, 20),
    rate(ECS, |it| it == "DescribeServiceRevisions", 50, 20),
    rate(ECS, protects_tasks, 200, 80),
    rate(ECS, |it| it == "ListServicesByNamespace", 10, 1),
    // <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>:
    // the account's, and those of the categories of version 2.
    rate(ELB, |_| true, 40, 10),
    rate(ELB, |it| it.starts_with("Describe"), 40, 10),
    rate(ELB, registers_targets, 20, 4),
    rate(ELB, changes_elb, 20, 3),
    Rate {
        service: ELB,
        covers: takes_elb_long,
        capacity: 10,
        thousandths_a_second: 200,
    },
    // <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
    rate("ec2", reads_ec2, 100, 20),
    rate("ec2", |it| !reads_ec2(it) && !takes_ec2_long(it), 50, 5),
    rate("ec2", takes_ec2_long, 50, 5),
    // <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>
    rate("route53", |_| true, 5, 5),
    // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
    rate("monitoring", |it| it == "DescribeAlarms", 9, 9),
    // <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html#api-rate-limits>
    rate("acm", |it| it == "DescribeCertificate", 10, 10),
];

fn modifies_clusters(operation: &str) -> bool {
    matches!(
        operation,
        "CreateCluster"
            | "DeleteCluster"
            | "PutClusterCapacityProviders"
            | "UpdateCluster"
            | "UpdateClusterSettings"
    )
}

fn modifies_definitions(operation: &str) -> bool {
    matches!(
        operation,
        "DeregisterTaskDefinition" | "RegisterTaskDefinition"
    )
}

fn reads_definitions(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies"
    )
}

fn modifies_providers(operation: &str) -> bool {
    matches!(
        operation,
        "CreateCapacityProvider" | "DeleteCapacityProvider" | "UpdateCapacityProvider"
    )
}

fn modifies_settings(operation: &str) -> bool {
    matches!(
        operation,
        "DeleteAccountSetting" | "PutAccountSetting" | "PutAccountSettingDefault"
    )
}

fn modifies_cluster_resources(operation: &str) -> bool {
    matches!(
        operation,
        "DeleteAttributes"
            | "DeregisterContainerInstance"
            | "ExecuteCommand"
            | "PutAttributes"
            | "RunTask"
            | "StartTask"
            | "StopTask"
            | "UpdateContainerAgent"
            | "UpdateContainerInstancesState"
    )
}

fn reads_cluster_resources(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeContainerInstances"
            | "DescribeTasks"
            | "ListAttributes"
            | "ListContainerInstances"
            | "ListTasks"
    )
}

fn modifies_services(operation: &str) -> bool {
    matches!(
        operation,
        "CreateService" | "DeleteService" | "UpdateService"
    )
}

fn reads_deployments(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeServiceDeployments" | "ListServiceDeployments"
    )
}

fn protects_tasks(operation: &str) -> bool {
    matches!(operation, "UpdateTaskProtection" | "GetTaskProtection")
}

fn registers_targets(operation: &str) -> bool {
    matches!(operation, "RegisterTargets" | "DeregisterTargets")
}

fn takes_elb_long(operation: &str) -> bool {
    matches!(operation, "CreateLoadBalancer" | "SetSubnets")
}

fn changes_elb(operation: &str) -> bool {
    let is_read = operation.starts_with("Describe") || operation.starts_with("Get");
    !is_read && !registers_targets(operation) && !takes_elb_long(operation)
}

fn reads_ec2(operation: &str) -> bool {
    let reads = ["Describe", "List", "Search", "Get"];
    reads.iter().any(|verb| operation.starts_with(verb))
}

fn takes_ec2_long(operation: &str) -> bool {
    matches!(
        operation,
        "AcceptVpcPeeringConnection"
            | "AuthorizeSecurityGroupIngress"
            | "CancelSpotInstanceRequests"
            | "CreateKeyPair"
            | "CreateVpcPeeringConnection"
            | "DeleteVpcPeeringConnection"
            | "RejectVpcPeeringConnection"
            | "RevokeSecurityGroupIngress"
            | "RequestSpotInstances"
    )
}
