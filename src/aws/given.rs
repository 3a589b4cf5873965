//! The resources that an app is given, as AWS describes them: a VPC and what is in it, a
//! cluster, roles, a log group, a repository. Only reads.

use futures_util::try_join;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use super::plain::operation_of;
use super::xml::Element;
use crate::model::{
    GivenCluster, GivenNetwork, GivenRepository, GivenRole, Ipv4Cidr, Opening, RouteTable,
    SecurityGroup, Subnet, Vpc, VpcEndpoint, WayOut,
};

impl Aws {
    /// The VPC with everything in it that is named; None if it does not exist.
    ///
    /// # Errors
    /// EC2's own.
    pub async fn vpc(&self, network: &GivenNetwork) -> Result<Option<Vpc>, AwsError> {
        let vpc = std::slice::from_ref(&network.vpc);
        let (subnet_ids, group_ids) = (network.all_subnets(), network.all_groups());
        let (vpcs, subnets, route_tables, endpoints, security_groups) = try_join!(
            self.all_with("ec2:DescribeVpcs", "vpcSet", "vpc-id", vpc),
            self.all_with("ec2:DescribeSubnets", "subnetSet", "subnet-id", &subnet_ids),
            self.all_with("ec2:DescribeRouteTables", "routeTableSet", "vpc-id", vpc),
            self.all_with("ec2:DescribeVpcEndpoints", "vpcEndpointSet", "vpc-id", vpc),
            self.all_with(
                "ec2:DescribeSecurityGroups",
                "securityGroupInfo",
                "group-id",
                &group_ids
            ),
        )?;
        let is_it = |it: &&Element| text(it, "vpcId") == network.vpc;
        let Some(found) = vpcs.iter().find(is_it) else {
            return Ok(None);
        };
        let ranges = found.texts("cidrBlockAssociationSet/item/cidrBlock");
        Ok(Some(Vpc {
            id: network.vpc.clone(),
            ranges: ranges.into_iter().filter_map(cidr).collect(),
            subnets: subnets.iter().map(subnet).collect(),
            route_tables: route_tables.iter().map(route_table).collect(),
            // Some emulators return those of all VPCs.
            endpoints: endpoints.iter().filter(is_it).map(endpoint).collect(),
            security_groups: security_groups.iter().map(security_group).collect(),
        }))
    }

    /// Everything that has one of these values.
    async fn all_with(
        &self,
        action: &'static str,
        set: &str,
        by: &str,
        values: &[String],
    ) -> Result<Vec<Element>, AwsError> {
        // Without values, EC2 would return everything.
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut fields = vec![("Filter.1.Name".to_owned(), by.to_owned())];
        let numbered = (1..).zip(values);
        fields.extend(numbered.map(|(n, value)| (format!("Filter.1.Value.{n}"), value.clone())));
        let answer = self.ec2.form(operation_of(action), &fields).await;
        let answer = answer.named(action, values.join(", "))?;
        let all = answer.all(&format!("{set}/item")).into_iter();
        Ok(all.cloned().collect())
    }

    /// None if there is no such role.
    ///
    /// # Errors
    /// IAM's own.
    pub async fn role(&self, arn: &str) -> Result<Option<GivenRole>, AwsError> {
        let name = arn.rsplit('/').next().unwrap_or(arn);
        let answer = self.iam.form("GetRole", &[("RoleName", name)]).await;
        let answer = match answer.named("iam:GetRole", arn) {
            Ok(answer) => answer,
            Err(error) if error.has_code("NoSuchEntity") => return Ok(None),
            Err(error) => return Err(error),
        };
        let trust = answer
            .text("Role/AssumeRolePolicyDocument")
            .unwrap_or_default();
        let trust = percent_decode_str(trust).decode_utf8_lossy();
        Ok(Some(GivenRole {
            arn: answer.text("Role/Arn").unwrap_or_default().to_owned(),
            trust: serde_json::from_str(&trust).unwrap_or(Value::Null),
        }))
    }

    /// None if there is no such cluster, or not any more.
    ///
    /// # Errors
    /// ECS's own.
    pub async fn cluster(&self, name: &str) -> Result<Option<GivenCluster>, AwsError> {
        let answer = self.ecs.describe_clusters().clusters(name).send().await;
        let answer = answer.named("ecs:DescribeClusters", name)?;
        let mut all = answer.clusters.unwrap_or_default().into_iter();
        let found = all.find(|it| it.status.as_deref() == Some("ACTIVE"));
        Ok(found.map(|it| GivenCluster {
            providers: it.capacity_providers.unwrap_or_default(),
        }))
    }

    /// None if there is no such repository.
    ///
    /// # Errors
    /// ECR's own.
    pub async fn repository(&self, name: &str) -> Result<Option<GivenRepository>, AwsError> {
        let answer = self.ecr.describe_repositories().repository_names(name);
        let answer = answer.send().await.named("ecr:DescribeRepositories", name);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = answer.repositories.unwrap_or_default().into_iter().next();
        Ok(found.map(|it| GivenRepository {
            arn: it.repository_arn.unwrap_or_default(),
            uri: it.repository_uri.unwrap_or_default(),
        }))
    }

    /// The ARN of that log group in the form that policies use; None if it does not
    /// exist.
    ///
    /// # Errors
    /// CloudWatch Logs' own.
    pub async fn log_group(&self, name: &str) -> Result<Option<String>, AwsError> {
        let asked = json!({ "logGroupNamePrefix": name });
        let answer = self.logs.json("DescribeLogGroups", &asked).await;
        let answer: LogGroups = answer.named("logs:DescribeLogGroups", name)?;
        // Log groups are sorted by name, so an exact match comes first.
        let mut all = answer.log_groups.into_iter();
        Ok(all.find(|it| it.log_group_name == name).map(|it| it.arn))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogGroups {
    log_groups: Vec<ToldLogGroup>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ToldLogGroup {
    log_group_name: String,
    arn: String,
}

fn text(element: &Element, path: &str) -> String {
    element.text(path).unwrap_or_default().to_owned()
}

fn texts(element: &Element, path: &str) -> Vec<String> {
    let all = element.texts(path).into_iter();
    all.map(str::to_owned).collect()
}

fn cidr(text: &str) -> Option<Ipv4Cidr> {
    text.parse().ok()
}

fn subnet(it: &Element) -> Subnet {
    let free = it.number("availableIpAddressCount");
    Subnet {
        id: text(it, "subnetId"),
        vpc: text(it, "vpcId"),
        zone: text(it, "availabilityZone"),
        range: it.text("cidrBlock").and_then(cidr),
        free: free
            .and_then(|free| free.try_into().ok())
            .unwrap_or(u32::MAX),
    }
}

fn route_table(it: &Element) -> RouteTable {
    let is_default = |route: &&&Element| route.text("destinationCidrBlock") == Some("0.0.0.0/0");
    let routes = it.all("routeSet/item");
    let default = routes.iter().find(is_default);
    // A route to another network, from where there may be a way out: its owner knows.
    let elsewhere = || {
        let mut ways = routes.iter().filter_map(|route| way_out(route));
        ways.find(|way| matches!(way, WayOut::By(id) if !id.starts_with("vpce-")))
    };
    RouteTable {
        id: text(it, "routeTableId"),
        is_main: it.texts("associationSet/item/main").contains(&"true"),
        subnets: texts(it, "associationSet/item/subnetId"),
        way_out: match default {
            Some(route) => way_out(route),
            None => elsewhere(),
        },
    }
}

/// By whatever target the route names: there are a dozen kinds
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html>).
fn way_out(route: &Element) -> Option<WayOut> {
    let is_target = |it: &&Element| {
        let is_id = it.name().ends_with("Id") || it.name() == "coreNetworkArn";
        is_id && it.name() != "instanceOwnerId" && !it.name().starts_with("destination")
    };
    let target = route.children().iter().find(is_target)?;
    let id = text(route, target.name());
    if id == "local" {
        return None;
    }
    Some(match route.text("state") {
        Some("blackhole") => WayOut::Nowhere(id),
        _ if id.starts_with("igw-") => WayOut::InternetGateway,
        _ => WayOut::By(id),
    })
}

fn endpoint(it: &Element) -> VpcEndpoint {
    let state = text(it, "state").to_lowercase();
    VpcEndpoint {
        service: text(it, "serviceName"),
        is_available: state == "available",
        has_service_name: it.text("privateDnsEnabled") != Some("false"),
        route_tables: texts(it, "routeTableIdSet/item"),
        is_gateway: it.text("vpcEndpointType") == Some("Gateway"),
    }
}

fn security_group(it: &Element) -> SecurityGroup {
    let openings = |set: &str| {
        let all = it.all(&format!("{set}/item")).into_iter();
        all.filter_map(opening).collect()
    };
    SecurityGroup {
        id: text(it, "groupId"),
        vpc: text(it, "vpcId"),
        inwards: openings("ipPermissions"),
        outwards: openings("ipPermissionsEgress"),
    }
}

/// None for protocols that do not carry HTTP.
fn opening(it: &Element) -> Option<Opening> {
    let port = |name: &str| it.number(name).and_then(|port| u16::try_from(port).ok());
    let ports = match it.text("ipProtocol") {
        Some("-1") => (0, u16::MAX),
        Some("tcp" | "6") => (
            port("fromPort").unwrap_or(0),
            port("toPort").unwrap_or(u16::MAX),
        ),
        _ => return None,
    };
    let ranges = it.texts("ipRanges/item/cidrIp").into_iter();
    Some(Opening {
        ports,
        ranges: ranges.filter_map(cidr).collect(),
        groups: texts(it, "groups/item/groupId"),
        has_prefix_lists: !it.all("prefixListIds/item").is_empty(),
    })
}

#[cfg(test)]
mod tests;
