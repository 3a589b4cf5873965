use serde_json::json;

use super::*;
use crate::hidden::Hidden;

#[test]
fn a_task_of_one_container() {
    let world = World::new();
    let mut body = compose(&world.input()).unwrap().body;
    body.as_object_mut().unwrap().remove("tags");
    assert_eq!(
        body,
        json!({
            "family": "bgecs-hello",
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" },
            "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "taskRoleArn": "arn:aws:iam::123456789012:role/task",
            "containerDefinitions": [{
                "name": "app",
                "image": format!("{REPOSITORY}@{DIGEST}"),
                "essential": true,
                "portMappings": [{ "containerPort": 8080, "protocol": "tcp" }],
                "environment": [
                    { "name": "BGECS_COLOR", "value": "green" },
                    { "name": "BGECS_RELEASE", "value": "v2" },
                ],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/bgecs/hello",
                        "awslogs-region": "eu-central-1",
                        "awslogs-stream-prefix": "green",
                    },
                },
            }],
        })
    );
}

#[test]
fn the_rest_of_the_settings() {
    let mut world = World::new();
    let parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/a";
    let settings = &mut world.settings;
    settings.command = vec!["serve".to_owned(), "-v".to_owned()];
    for (name, value) in [("GREETING", "Hello"), ("BGECS_COLOR", "mine"), ("A", "")] {
        settings
            .environment
            .insert(name.to_owned(), Hidden::new(value));
    }
    for name in ["PASSWORD", "BGECS_RELEASE"] {
        settings
            .secrets
            .insert(name.to_owned(), parameter.parse().unwrap());
    }
    let body = compose(&world.input()).unwrap().body;
    let app = &body["containerDefinitions"][0];
    assert_eq!(app["command"], json!(["serve", "-v"]));
    // Sorted; the user's colour wins, and a secret cannot be a variable too.
    assert_eq!(
        app["environment"],
        json!([
            { "name": "A", "value": "" },
            { "name": "BGECS_COLOR", "value": "mine" },
            { "name": "GREETING", "value": "Hello" },
        ])
    );
    assert_eq!(
        app["secrets"],
        json!([
            { "name": "BGECS_RELEASE", "valueFrom": parameter },
            { "name": "PASSWORD", "valueFrom": parameter },
        ])
    );
}

#[test]
fn what_is_too_large_for_ecs_is_refused() {
    let mut world = World::new();
    let value = "x".repeat(65_536);
    world
        .settings
        .environment
        .insert("LARGE".to_owned(), Hidden::new(value));
    let error = compose(&world.input()).unwrap_err();
    assert!(matches!(error, TaskDefinitionError::TooLarge { bytes } if bytes > 65_536));
}
