use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};

const ROLE: &str = "arn:aws:iam::123456789012:role/ecs/start";

fn network() -> GivenNetwork {
    GivenNetwork {
        vpc: "vpc-1".to_owned(),
        subnets: vec!["subnet-a".to_owned(), "subnet-b".to_owned()],
        security_groups: vec!["sg-1".to_owned()],
        public_ip: false,
        balancer_subnets: Vec::new(),
        balancer_groups: Vec::new(),
    }
}

fn set(operation: &str, set: &str, items: &str) -> Reply {
    // Only EC2 has no element around its answer.
    Reply::Http {
        status: 200,
        body: format!("<{operation}Response><{set}>{items}</{set}></{operation}Response>"),
    }
}

/// The answers as in EC2's reference.
#[tokio::test]
async fn a_vpc_is_read_with_all_that_is_named() {
    let route = |rest: &str| {
        format!("<item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>{rest}</item>")
    };
    let table = |id: &str, associations: &str, route: String| {
        format!(
            "<item><routeTableId>{id}</routeTableId><vpcId>vpc-1</vpcId><routeSet>\
             <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state></item>{route}</routeSet>\
             <associationSet>{associations}</associationSet></item>"
        )
    };
    let tables = [
        table(
            "rtb-main",
            "<item><main>true</main></item>",
            route("<natGatewayId>nat-1</natGatewayId><state>blackhole</state>"),
        ),
        table(
            "rtb-a",
            "<item><main>false</main><subnetId>subnet-a</subnetId></item>",
            route("<gatewayId>igw-1</gatewayId><state>active</state>"),
        ),
        table(
            "rtb-b",
            "<item><main>false</main><subnetId>subnet-b</subnetId></item>",
            route(
                "<instanceOwnerId>1</instanceOwnerId><networkInterfaceId>eni-1</networkInterfaceId><state>active</state>",
            ),
        ),
        table("rtb-none", "<item><subnetId>subnet-d</subnetId></item>", String::new()),
        table(
            "rtb-elsewhere",
            "<item><subnetId>subnet-e</subnetId></item>",
            "<item><destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId></item>\
             <item><destinationCidrBlock>10.0.0.0/8</destinationCidrBlock><transitGatewayId>tgw-1</transitGatewayId></item>".to_owned(),
        ),
    ];
    let endpoint = |id: &str, vpc: &str, rest: &str| {
        format!(
            "<item><vpcEndpointId>{id}</vpcEndpointId><vpcId>{vpc}</vpcId>\
             <serviceName>com.amazonaws.eu-west-1.{id}</serviceName>{rest}</item>"
        )
    };
    let endpoints = [
        endpoint(
            "s3",
            "vpc-1",
            "<vpcEndpointType>Gateway</vpcEndpointType><state>available</state><routeTableIdSet><item>rtb-a</item></routeTableIdSet>",
        ),
        endpoint(
            "ecr.api",
            "vpc-1",
            "<vpcEndpointType>Interface</vpcEndpointType><state>Available</state><privateDnsEnabled>true</privateDnsEnabled>",
        ),
        endpoint(
            "logs",
            "vpc-1",
            "<vpcEndpointType>Interface</vpcEndpointType><state>pending</state>",
        ),
        endpoint(
            "ecr.dkr",
            "vpc-1",
            "<vpcEndpointType>Interface</vpcEndpointType><state>available</state><privateDnsEnabled>false</privateDnsEnabled>",
        ),
        endpoint("ssm", "vpc-2", "<state>available</state>"),
    ];
    let subnet = |id: &str, zone: &str| {
        format!(
            "<item><subnetId>{id}</subnetId><vpcId>vpc-1</vpcId><cidrBlock>10.0.1.0/24</cidrBlock>\
             <availabilityZone>{zone}</availabilityZone><availableIpAddressCount>251</availableIpAddressCount></item>"
        )
    };
    let groups = "<item><groupId>sg-1</groupId><vpcId>vpc-1</vpcId><ipPermissions>\
        <item><ipProtocol>tcp</ipProtocol><fromPort>8080</fromPort><toPort>8090</toPort>\
        <ipRanges><item><cidrIp>10.0.0.0/16</cidrIp></item></ipRanges><groups><item><groupId>sg-2</groupId></item></groups></item>\
        <item><ipProtocol>udp</ipProtocol><fromPort>1</fromPort><toPort>9</toPort></item></ipPermissions>\
        <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item></ipPermissionsEgress></item>";
    let wire = Wire::new()
        .on(
            "DescribeVpcs",
            set(
                "DescribeVpcs",
                "vpcSet",
                "<item><vpcId>vpc-1</vpcId><cidrBlockAssociationSet><item><cidrBlock>10.0.0.0/16</cidrBlock></item>\
                 <item><cidrBlock>100.64.0.0/16</cidrBlock></item></cidrBlockAssociationSet></item>",
            ),
        )
        .on(
            "DescribeSubnets",
            set("DescribeSubnets", "subnetSet", &(subnet("subnet-a", "z-1") + &subnet("subnet-b", "z-2"))),
        )
        .on(
            "DescribeRouteTables",
            set("DescribeRouteTables", "routeTableSet", &tables.concat()),
        )
        .on(
            "DescribeVpcEndpoints",
            set("DescribeVpcEndpoints", "vpcEndpointSet", &endpoints.concat()),
        )
        .on(
            "DescribeSecurityGroups",
            set("DescribeSecurityGroups", "securityGroupInfo", groups),
        );
    let vpc = wire.aws().vpc(&network()).await.unwrap().unwrap();
    let ranges: Vec<String> = vpc.ranges.iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["10.0.0.0/16", "100.64.0.0/16"]);
    let zones: Vec<_> = vpc
        .subnets
        .iter()
        .map(|it| (it.zone.as_str(), it.free))
        .collect();
    assert_eq!(zones, [("z-1", 251), ("z-2", 251)]);
    assert_eq!(vpc.way_out_of("subnet-a"), Some(&WayOut::InternetGateway));
    let by = WayOut::By("eni-1".to_owned());
    assert_eq!(vpc.way_out_of("subnet-b"), Some(&by));
    // For a subnet without a table of its own.
    let nowhere = WayOut::Nowhere("nat-1".to_owned());
    assert_eq!(vpc.way_out_of("subnet-c"), Some(&nowhere));
    assert_eq!(vpc.way_out_of("subnet-d"), None);
    let elsewhere = WayOut::By("tgw-1".to_owned());
    assert_eq!(vpc.way_out_of("subnet-e"), Some(&elsewhere));
    for (subnet, service, has) in [
        ("subnet-a", "s3", true),
        ("subnet-b", "s3", false),
        ("subnet-b", "ecr.api", true),
        ("subnet-a", "api", true),
        ("subnet-a", "pi", false),
        ("subnet-a", "logs", false),
        ("subnet-a", "ecr.dkr", false),
        ("subnet-a", "ssm", false),
    ] {
        assert_eq!(vpc.has_endpoint(subnet, service), has, "{subnet} {service}");
    }
    let group = vpc.group("sg-1").unwrap();
    let [inwards] = group.inwards.as_slice() else {
        panic!("{group:?}");
    };
    assert_eq!(
        (inwards.ports, inwards.groups.as_slice()),
        ((8080, 8090), &["sg-2".to_owned()][..])
    );
    assert!(inwards.is_of_range("10.0.3.0/24".parse().unwrap()));
    assert!(group.outwards[0].has_prefix_lists && group.outwards[0].is_of_port(443));
}

#[tokio::test]
async fn what_is_not_there_is_none() {
    let nothing = |operation: &str| set(operation, "vpcSet", "");
    let names = [
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeRouteTables",
        "DescribeVpcEndpoints",
        "DescribeSecurityGroups",
    ];
    let wire = names
        .into_iter()
        .fold(Wire::new(), |wire, name| wire.on(name, nothing(name)));
    assert_eq!(wire.aws().vpc(&network()).await.unwrap(), None);
    let gone = Reply::xml_error(
        404,
        "NoSuchEntity",
        "The role with name start cannot be found.",
    );
    let wire = Wire::new()
        .on("GetRole", gone)
        .on(
            "DescribeClusters",
            Reply::json(&json!({ "clusters": [{ "clusterName": "prod", "status": "INACTIVE" }] })),
        )
        .on(
            "DescribeRepositories",
            Reply::json_error(400, "RepositoryNotFoundException", "no"),
        )
        .on(
            "DescribeLogGroups",
            Reply::json(&json!({ "logGroups": [{ "logGroupName": "/web/2", "arn": "a" }] })),
        );
    let aws = wire.aws();
    assert_eq!(aws.role(ROLE).await.unwrap(), None);
    assert_eq!(aws.cluster("prod").await.unwrap(), None);
    assert_eq!(aws.repository("web").await.unwrap(), None);
    assert_eq!(aws.log_group("/web").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_there_is_told_with_what_the_stack_needs() {
    let role = format!(
        "<Role><Arn>{ROLE}</Arn><AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument></Role>"
    );
    let wire = Wire::new()
        .on("GetRole", Reply::xml("GetRole", &role))
        .on("DescribeClusters", Reply::json(&json!({ "clusters": [{ "clusterName": "prod", "status": "ACTIVE", "capacityProviders": ["FARGATE"] }] })))
        .on("DescribeRepositories", Reply::json(&json!({ "repositories": [{ "repositoryArn": "arn:r", "repositoryUri": "host/web" }] })))
        .on("DescribeLogGroups", Reply::json(&json!({ "logGroups": [{ "logGroupName": "/web", "arn": "arn:l:*" }] })));
    let aws = wire.aws();
    let role = aws.role(ROLE).await.unwrap().unwrap();
    assert_eq!(
        (role.arn.as_str(), &role.trust),
        (ROLE, &json!({ "Version": "2012-10-17" }))
    );
    assert_eq!(wire.requests()[0].uri, "https://iam.amazonaws.com/");
    assert_eq!(
        aws.cluster("prod").await.unwrap().unwrap().providers,
        ["FARGATE"]
    );
    let repository = aws.repository("web").await.unwrap().unwrap();
    assert_eq!(
        (repository.arn.as_str(), repository.uri.as_str()),
        ("arn:r", "host/web")
    );
    assert_eq!(
        aws.log_group("/web").await.unwrap().as_deref(),
        Some("arn:l:*")
    );
}
