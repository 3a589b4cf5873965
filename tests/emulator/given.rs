//! An app that is given what was there before: a VPC, a cluster, roles, a log group, a
//! repository. bgecs makes the rest, and leaves all of that as it was.

use serde_json::{Value, json};

use crate::api::text;
use crate::canary::expect_said;
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, greeter, string};

const EC2: &str = "2016-11-15";
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A VPC as production has it: public and private subnets in two zones, the private
/// ones behind a NAT gateway.
#[derive(Clone)]
pub struct Landscape {
    pub vpc: String,
    public: [String; 2],
    pub private: [String; 2],
    private_table: String,
    nat: String,
}

impl Landscape {
    /// The same VPC, with tasks elsewhere in it.
    fn with_tasks_in(&self, subnets: [&str; 2]) -> Self {
        Self {
            private: subnets.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same, with tasks beside the load balancer.
    fn all_public(&self) -> Self {
        self.with_tasks_in([&self.public[0], &self.public[1]])
    }
}

impl World {
    fn ec2(&self, action: &str, fields: &[(&str, &str)]) -> Outcome<String> {
        let all = [&[("Action", action)][..], fields].concat();
        self.api.query("ec2", EC2, &all)
    }

    fn made(&self, action: &str, fields: &[(&str, &str)], id: &str) -> Outcome<String> {
        Ok(text(&self.ec2(action, fields)?, id)?.to_owned())
    }

    fn subnet_in(&self, vpc: &str, zone: &str, range: &str) -> Outcome<String> {
        let zone = format!("us-east-1{zone}");
        let fields = [
            ("VpcId", vpc),
            ("AvailabilityZone", &zone),
            ("CidrBlock", range),
        ];
        self.made("CreateSubnet", &fields, "subnetId")
    }

    fn table_of(&self, vpc: &str, subnets: &[String; 2], way: (&str, &str)) -> Outcome<String> {
        let table = self.made("CreateRouteTable", &[("VpcId", vpc)], "routeTableId")?;
        for subnet in subnets {
            let fields = [("RouteTableId", table.as_str()), ("SubnetId", subnet)];
            self.ec2("AssociateRouteTable", &fields)?;
        }
        self.way_out(&table, way)?;
        Ok(table)
    }

    fn way_out(&self, table: &str, way: (&str, &str)) -> Outcome {
        let fields = [
            ("RouteTableId", table),
            ("DestinationCidrBlock", "0.0.0.0/0"),
            way,
        ];
        self.ec2("CreateRoute", &fields).map(drop)
    }

    fn landscape(&self, second: u8) -> Outcome<Landscape> {
        let range = |third: u8| format!("10.{second}.{third}.0/24");
        let whole = format!("10.{second}.0.0/16");
        let vpc = self.made("CreateVpc", &[("CidrBlock", &whole)], "vpcId")?;
        let gateway = self.made("CreateInternetGateway", &[], "internetGatewayId")?;
        self.ec2(
            "AttachInternetGateway",
            &[("VpcId", &vpc), ("InternetGatewayId", &gateway)],
        )?;
        let public = [
            self.subnet_in(&vpc, "a", &range(1))?,
            self.subnet_in(&vpc, "b", &range(2))?,
        ];
        let private = [
            self.subnet_in(&vpc, "a", &range(11))?,
            self.subnet_in(&vpc, "b", &range(12))?,
        ];
        let nat = self.made(
            "CreateNatGateway",
            &[("SubnetId", &public[0])],
            "natGatewayId",
        )?;
        self.table_of(&vpc, &public, ("GatewayId", &gateway))?;
        let private_table = self.table_of(&vpc, &private, ("NatGatewayId", &nat))?;
        Ok(Landscape {
            vpc,
            public,
            private,
            private_table,
            nat,
        })
    }

    fn role(&self, name: &str, trust: &str) -> Outcome<String> {
        let fields = [
            ("Action", "CreateRole"),
            ("RoleName", name),
            ("AssumeRolePolicyDocument", trust),
        ];
        Ok(text(&self.api.iam(&fields)?, "Arn")?.to_owned())
    }

    fn group(&self, vpc: &str, name: &str, ports: &[&str]) -> Outcome<String> {
        let fields = [
            ("VpcId", vpc),
            ("GroupName", name),
            ("GroupDescription", name),
        ];
        let group = self.made("CreateSecurityGroup", &fields, "groupId")?;
        for port in ports {
            let fields = [
                ("GroupId", group.as_str()),
                ("IpPermissions.1.IpProtocol", "tcp"),
                ("IpPermissions.1.FromPort", port),
                ("IpPermissions.1.ToPort", port),
                ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
            ];
            self.ec2("AuthorizeSecurityGroupIngress", &fields)?;
        }
        Ok(group)
    }

    /// All that there is to give, and a file that gives it.
    pub fn give_all(&self) -> Outcome<Landscape> {
        let land = self.landscape(80)?;
        let app = self.stack();
        self.api.ecs(
            "CreateCluster",
            &json!({ "clusterName": format!("{app}-prod") }),
        )?;
        let target = "AmazonEC2ContainerRegistry_V20150921.CreateRepository";
        let repository = json!({ "repositoryName": format!("{app}/images") });
        self.api.json("ecr", target, &repository)?;
        let group = json!({ "logGroupName": format!("/{app}/logs") });
        self.api
            .json("logs", "Logs_20140328.CreateLogGroup", &group)?;
        let execution = self.role(&format!("{app}-start"), TRUST)?;
        let task = self.role(&format!("{app}-app"), TRUST)?;
        let more = format!(
            "[cluster]\nname = '{app}-prod'\n[roles]\nexecution = '{execution}'\ntask = '{task}'\n\
             [logs]\ngroup = '/{app}/logs'\n[registry]\nrepository = '{app}/images'\n"
        );
        let tasks = self.group(&land.vpc, "tasks", &["8080"])?;
        self.giving(&land, &format!("security_groups = ['{tasks}']"), &more)?;
        Ok(land)
    }

    /// That VPC, with further keys of [network] and further sections.
    fn giving(&self, land: &Landscape, network: &str, more: &str) -> Outcome {
        self.configure("")?;
        let list = |ids: &[String; 2]| format!("['{}', '{}']", ids[0], ids[1]);
        self.configure_more(&format!(
            "[network]\nvpc = '{}'\nsubnets = {}\n{network}\n{more}",
            land.vpc,
            list(&land.private),
        ))?;
        let subnets = format!("[load_balancer]\nsubnets = {}", list(&land.public));
        self.rewritten("[load_balancer]", &subnets)
    }

    /// With something else in a place of the file.
    fn rewritten(&self, from: &str, to: &str) -> Outcome {
        let file = self.file()?;
        assert!(file.contains(from), "{file}");
        self.desk.write("bgecs.toml", &file.replacen(from, to, 1))?;
        Ok(())
    }

    fn refused_to_be_made(&self, sentence: &str) -> Outcome {
        let refused = self.ends(6, &["init"])?;
        expect_said(&refused, &[sentence]);
        let none = self.ends(1, &["status"])?;
        expect_said(&none, &["there is no stack"]);
        Ok(())
    }

    fn refused_to_be_changed(&self, sentence: &str) -> Outcome {
        let refused = self.changes_nothing(6, &["init"])?;
        expect_said(&refused, &[sentence]);
        Ok(())
    }
}

#[test]
fn an_app_lives_in_what_was_there_and_leaves_it_as_it_was() -> Outcome {
    greeter()?;
    let world = World::new("guest")?;
    let land = world.give_all()?;
    let app = world.stack();
    let cluster = format!("{app}-prod");
    // Somebody else's, in the same cluster.
    let others = json!({
        "cluster": cluster, "serviceName": "blue", "desiredCount": 0, "taskDefinition": "theirs",
        "launchType": "FARGATE",
    });
    world.api.ecs("CreateService", &others)?;
    world.init_and_v1()?;
    let described = json!({ "cluster": cluster, "services": [format!("{app}-green")] });
    let service = world.api.ecs("DescribeServices", &described)?["services"][0].clone();
    let network = &service["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(land.private), "{service:#}");
    assert_eq!(network["assignPublicIp"], "DISABLED");
    let revision = string(&service, "/taskDefinition")?;
    let asked = json!({ "taskDefinition": revision });
    let definition = world.api.ecs("DescribeTaskDefinition", &asked)?["taskDefinition"].clone();
    for (key, name) in [("executionRoleArn", "start"), ("taskRoleArn", "app")] {
        let role = string(&definition, &format!("/{key}"))?;
        assert!(role.ends_with(&format!(":role/{app}-{name}")), "{role}");
    }
    let container = &definition["containerDefinitions"][0];
    let group = &container["logConfiguration"]["options"]["awslogs-group"];
    assert_eq!(*group, json!(format!("/{app}/logs")), "{definition:#}");
    let image = string(container, "/image")?;
    assert!(image.contains(&format!("/{app}/images@")), "{image}");

    world.done(&["deploy", V2, "--tag", "2"])?;
    world.done(&["promote", "--window", "1s"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    // Whoever else logs there has streams of other names.
    let target = "Logs_20140328.DescribeLogStreams";
    let streams = json!({ "logGroupName": format!("/{app}/logs") });
    let streams = world.api.json("logs", target, &streams)?;
    let streams = streams["logStreams"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(!streams.is_empty());
    for stream in &streams {
        let name = string(stream, "/logStreamName")?;
        assert!(name.starts_with(&format!("{app}-")), "{name}");
    }
    let logs = world.done(&["logs", "blue"])?;
    assert!(!logs.stdout.is_empty(), "{}", logs.shown());
    world.done(&["rollback", "--window", "1s"])?;
    world.expect_answers(ENGLISH, FRENCH)?;
    let unchanged = world.done(&["init"])?;
    assert!(
        unchanged.stdout.contains("up to date"),
        "{}",
        unchanged.shown()
    );
    assert!(
        !unchanged.stderr.contains("differs from the stack"),
        "{}",
        unchanged.shown()
    );
    let status = world.done(&["status"])?;
    assert!(
        !status.stderr.contains("differs from the stack"),
        "{}",
        status.shown()
    );

    // What it stands on cannot go from under it.
    let file = world.file()?;
    for (given, what) in [
        (format!("name = '{cluster}'"), "the cluster of the app is"),
        (
            format!("repository = '{app}/images'"),
            "the repository of the app is",
        ),
    ] {
        world.rewritten(&given, "")?;
        world.refused_to_be_changed(what)?;
        world.desk.write("bgecs.toml", &file)?;
    }

    let planned = world.done(&["destroy", "--dry-run"])?;
    assert!(
        !planned.stdout.contains("delete every image"),
        "{}",
        planned.shown()
    );
    world.done(&["destroy", "--yes"])?;
    let cluster = json!({ "clusters": [cluster] });
    let clusters = world.api.ecs("DescribeClusters", &cluster)?;
    assert_eq!(clusters["clusters"][0]["status"], "ACTIVE", "{clusters:#}");
    assert_eq!(
        clusters["clusters"][0]["activeServicesCount"], 1,
        "{clusters:#}"
    );
    let target = "AmazonEC2ContainerRegistry_V20150921.ListImages";
    let images = json!({ "repositoryName": format!("{app}/images") });
    let images = world.api.json("ecr", target, &images)?;
    assert_eq!(
        images["imageIds"].as_array().map(Vec::len),
        Some(2),
        "{images:#}"
    );
    let logs = json!({ "logGroupNamePrefix": format!("/{app}/logs") });
    let logs = world
        .api
        .json("logs", "Logs_20140328.DescribeLogGroups", &logs)?;
    assert_eq!(
        logs["logGroups"].as_array().map(Vec::len),
        Some(1),
        "{logs:#}"
    );
    let left = world.ec2("DescribeVpcs", &[("VpcId.1", &land.vpc)])?;
    assert!(left.contains(&land.vpc), "{left}");
    Ok(())
}

/// Each is found before anything is made.
#[test]
fn what_is_not_fit_for_an_app_is_refused() -> Outcome {
    let world = World::new("unfit")?;
    let land = world.landscape(81)?;
    let other = world.landscape(82)?;
    let app = world.stack();

    let elsewhere = land.with_tasks_in([&land.private[0], &other.private[1]]);
    world.giving(&elsewhere, "", "")?;
    world.refused_to_be_made(&format!(
        "the subnet {} is of {}, and not of {}",
        other.private[1], other.vpc, land.vpc
    ))?;
    let third = world.subnet_in(&land.vpc, "a", "10.81.13.0/24")?;
    let one_zone = land.with_tasks_in([&land.private[0], &third]);
    world.giving(&one_zone, "", "")?;
    world.refused_to_be_made("all subnets of the tasks are in one zone")?;

    world.giving(&land, "assign_public_ip = true", "")?;
    world.refused_to_be_made("a task's public address is good for nothing there")?;
    world.giving(&land.all_public(), "", "")?;
    world.refused_to_be_made(
        "an internet gateway is its way out, and takes public addresses alone",
    )?;
    let group = world.group(&land.vpc, "closed", &["22"])?;
    world.giving(&land, &format!("security_groups = ['{group}']"), "")?;
    world.refused_to_be_made(
        "does not let the load balancer in: its tasks are asked on port 8080",
    )?;
    let group = world.group(&other.vpc, "elsewhere", &["8080"])?;
    world.giving(&land, &format!("security_groups = ['{group}']"), "")?;
    world.refused_to_be_made(&format!("the security group {group} is of {}", other.vpc))?;

    // The route is there, and what it led to is not.
    let route = [
        ("RouteTableId", land.private_table.as_str()),
        ("DestinationCidrBlock", "0.0.0.0/0"),
    ];
    world.ec2("DeleteRoute", &route)?;
    world.giving(&land, "", "")?;
    world.refused_to_be_made("no route leads out of there")?;
    world.way_out(&land.private_table, ("NatGatewayId", &land.nat))?;

    let lambda = TRUST.replace("ecs-tasks", "lambda");
    let role = world.role(&format!("{app}-lambda"), &lambda)?;
    world.giving(&land, "", &format!("[roles]\ntask = '{role}'\n"))?;
    world.refused_to_be_made(&format!("ECS cannot assume the role {role} for a task"))?;
    world.giving(&land, "", &format!("[roles]\nexecution = '{role}2'\n"))?;
    world.refused_to_be_made(&format!("there is no role {role}2"))?;
    for (given, sentence) in [
        (
            "[cluster]\nname = 'nobodys'\n",
            "there is no cluster nobodys",
        ),
        (
            "[logs]\ngroup = '/nobodys'\n",
            "there is no log group /nobodys",
        ),
    ] {
        world.giving(&land, "", given)?;
        world.refused_to_be_made(sentence)?;
    }
    let plain = format!("{app}-plain");
    world
        .api
        .ecs("CreateCluster", &json!({ "clusterName": plain }))?;
    world.giving(&land, "", &format!("[cluster]\nname = '{plain}'\n"))?;
    world.rewritten("[service]", "[service]\ncapacity = 'FARGATE_SPOT'")?;
    world.refused_to_be_made("has no capacity provider FARGATE_SPOT")?;
    Ok(())
}

/// Within the VPC, tasks move with their releases.
#[test]
fn tasks_move_to_other_subnets_and_groups_with_their_releases() -> Outcome {
    greeter()?;
    let world = World::new("moves")?;
    let land = world.landscape(85)?;
    world.giving(&land, "", "")?;
    world.init_and_v1()?;
    let group = world.group(&land.vpc, "tasks", &["8080"])?;
    world.giving(&land, &format!("security_groups = ['{group}']"), "")?;
    world.refused_to_be_changed(
        "the security group of the tasks of the app is the one that `bgecs init` made",
    )?;
    world.giving(&land.all_public(), "assign_public_ip = true", "")?;
    world.done(&["init"])?;
    world.done(&["probe", "--duration", "500ms"])?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let network = |color: &str| -> Outcome<Value> {
        Ok(world.service(color)?["networkConfiguration"]["awsvpcConfiguration"].clone())
    };
    assert_eq!(network("green")?["subnets"], json!(land.private));
    assert_eq!(network("blue")?["subnets"], json!(land.public));
    assert_eq!(network("blue")?["assignPublicIp"], "ENABLED");
    world.done(&["promote", "--window", "1s"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    world.done(&["destroy", "--yes"])?;
    Ok(())
}
