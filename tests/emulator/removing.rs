//! `destroy` after things that were only half done.

use serde_json::json;

use crate::support::Outcome;
use crate::world::{World, greeter};

impl World {
    /// How many revisions there are of that status.
    pub fn revisions(&self, status: &str) -> Outcome<usize> {
        let of_family = json!({ "familyPrefix": self.stack(), "status": status });
        let listed = self.api.ecs("ListTaskDefinitions", &of_family)?;
        let arns = listed["taskDefinitionArns"].as_array();
        Ok(arns.ok_or("no list of revisions")?.len())
    }

    /// Asks the emulator's own API, with none of bgecs's eyes.
    pub fn expect_nothing(&self) -> Outcome {
        let (name, api) = (self.stack(), &self.api);
        let stacks = api.query(
            "cloudformation",
            "2010-05-15",
            &[("Action", "DescribeStacks")],
        )?;
        let left: Vec<&str> = crate::api::texts(&stacks, "StackStatus")
            .into_iter()
            .filter(|status| *status != "DELETE_COMPLETE")
            .collect();
        assert!(left.is_empty(), "stacks: {stacks}");
        for status in ["ACTIVE", "INACTIVE"] {
            assert_eq!(self.revisions(status)?, 0, "{status} task definitions");
        }
        let listed = json!({ "cluster": name, "services": ["blue", "green"] });
        // Without the cluster, the question itself is refused.
        if let Ok(services) = api.ecs("DescribeServices", &listed) {
            let active = services["services"].as_array().into_iter().flatten();
            let active = active.filter(|service| service["status"] != "INACTIVE");
            assert_eq!(active.count(), 0, "services: {services:#}");
        }
        let target = "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories";
        let repositories = api.json("ecr", target, &json!({}))?;
        assert_eq!(repositories["repositories"], json!([]), "repositories");
        let groups = api.json("logs", "Logs_20140328.DescribeLogGroups", &json!({}))?;
        assert_eq!(groups["logGroups"], json!([]), "log groups");
        let tables = api.json("dynamodb", "DynamoDB_20120810.ListTables", &json!({}))?;
        assert_eq!(tables["TableNames"], json!([]), "tables");
        let balancers = api.elb(&[("Action", "DescribeLoadBalancers")])?;
        assert!(!balancers.contains("<LoadBalancerArn>"), "{balancers}");
        Ok(())
    }
}

#[test]
fn a_stack_alone_is_destroyed() -> Outcome {
    let world = World::new("bare")?;
    world.done(&["init"])?;
    world.done(&["destroy", "--yes"])?;
    world.expect_nothing()
}

#[test]
fn services_whose_stack_is_gone_are_destroyed() -> Outcome {
    greeter()?;
    let world = World::new("orphan")?;
    world.init_and_v1()?;
    let name = world.stack();
    let delete = [("Action", "DeleteStack"), ("StackName", name.as_str())];
    world.api.query("cloudformation", "2010-05-15", &delete)?;
    // The repository holds an image, so the stack cannot go as a whole; whatever
    // is left of it, destroy must find.
    let dry = world.done(&["destroy", "--dry-run"])?;
    assert!(
        dry.stdout.contains("task definition bgecs-orphan"),
        "{}",
        dry.shown()
    );
    world.done(&["destroy", "--yes"])?;
    world.expect_nothing()
}

#[test]
fn what_is_left_without_any_stack_is_destroyed() -> Outcome {
    let world = World::new("left")?;
    let name = world.stack();
    let api = &world.api;
    api.ecs("CreateCluster", &json!({ "clusterName": name }))?;
    let definition = json!({
        "family": name, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{ "name": "app", "image": "nowhere/none:1" }],
    });
    for _ in 0..2 {
        api.ecs("RegisterTaskDefinition", &definition)?;
    }
    let first = json!({ "taskDefinition": format!("{name}:1") });
    api.ecs("DeregisterTaskDefinition", &first)?;
    let service = json!({
        "cluster": name, "serviceName": "blue", "taskDefinition": name, "desiredCount": 0,
    });
    api.ecs("CreateService", &service)?;
    let dry = world.done(&["destroy", "--dry-run"])?;
    for part in ["delete the service blue", "delete 2 revisions"] {
        assert!(dry.stdout.contains(part), "{part}: {}", dry.shown());
    }
    world.done(&["destroy", "--yes"])?;
    world.expect_nothing()?;
    assert_eq!(
        world.done_json(&["destroy", "--yes"])?["outcome"],
        "unchanged"
    );
    Ok(())
}
