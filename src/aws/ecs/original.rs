//! What the app's container of a running service has, as its task definition
//! says.

use aws_sdk_ecs::types::{ContainerDefinition, LogDriver};

use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::TaskDefinitionArn;

/// Of the container that requests come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginalContainer {
    pub image: String,
    /// None where its logs go elsewhere than to CloudWatch Logs.
    pub log_group: Option<String>,
}

impl Aws {
    pub async fn read_original_container(
        &self,
        definition: &TaskDefinitionArn,
        container: &str,
    ) -> Result<OriginalContainer, AwsError> {
        const ACTION: &str = "ecs:DescribeTaskDefinition";
        let arn = definition.as_str();
        let call = self.ecs.describe_task_definition().task_definition(arn);
        let answer = call.send().await.named(ACTION, arn)?;
        let found = answer.task_definition().and_then(|definition| {
            let mut all = definition.container_definitions().iter();
            all.find(|it| it.name() == Some(container)).map(read)
        });
        found.ok_or_else(|| AwsError {
            kind: AwsErrorKind::NotFound,
            ..AwsError::unusable(ACTION, arn, format!("it has no container {container}"))
        })
    }
}

fn read(container: &ContainerDefinition) -> OriginalContainer {
    let logs = container.log_configuration();
    let logs = logs.filter(|logs| *logs.log_driver() == LogDriver::Awslogs);
    OriginalContainer {
        image: container.image().unwrap_or_default().to_owned(),
        log_group: logs.and_then(|logs| logs.options()?.get("awslogs-group").cloned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::testing::{Reply, Wire};

    #[tokio::test]
    async fn the_container_that_requests_come_to_says_where_its_image_and_logs_are() {
        let body = json!({ "taskDefinition": { "containerDefinitions": [
            { "name": "sidecar", "image": "envoy:1" },
            {
                "name": "app",
                "image": "1.dkr.ecr.eu-west-1.amazonaws.com/web:1",
                "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/web" } },
            },
            { "name": "other", "image": "x", "logConfiguration": { "logDriver": "splunk", "options": { "awslogs-group": "no" } } },
        ] } });
        let wire = Wire::new().on("DescribeTaskDefinition", Reply::json(&body));
        let wire = wire.on("DescribeTaskDefinition", Reply::json(&body));
        let wire = wire.on("DescribeTaskDefinition", Reply::json(&body));
        let aws = wire.aws();
        let definition = TaskDefinitionArn::new("web:7");
        let read = async |name| aws.read_original_container(&definition, name).await;
        let found = read("app").await.unwrap();
        assert_eq!(found.image, "1.dkr.ecr.eu-west-1.amazonaws.com/web:1");
        assert_eq!(found.log_group.as_deref(), Some("/ecs/web"));
        assert_eq!(read("other").await.unwrap().log_group, None);
        let missing = read("gone").await.unwrap_err();
        assert_eq!(missing.kind, AwsErrorKind::NotFound);
    }
}
