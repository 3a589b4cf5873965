//! The three ECS calls that are needed to empty an emulator before it is
//! stopped. Not the SDK: the harness would compile it for these alone.

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{REGION, unsigned};
use crate::{Error, Result, http};

/// Deletes the services of every cluster of the account; with them go their
/// tasks and the tasks' containers.
pub(super) async fn delete_services(endpoint: &str, account: &str) -> Result<()> {
    let ecs = Ecs { endpoint, account };
    let mut requests = Vec::new();
    for cluster in ecs.list("ListClusters", json!({}), "clusterArns").await? {
        let of_cluster = json!({ "cluster": cluster });
        for service in ecs.list("ListServices", of_cluster, "serviceArns").await? {
            requests.push(json!({ "cluster": cluster, "service": service, "force": true }));
        }
    }
    // At once: each answers only when the containers of its service have ended.
    let deleting = requests
        .iter()
        .map(|request| ecs.call("DeleteService", request));
    try_join_all(deleting).await?;
    Ok(())
}

struct Ecs<'a> {
    endpoint: &'a str,
    account: &'a str,
}

impl Ecs<'_> {
    /// All pages of a list.
    async fn list(
        &self,
        operation: &'static str,
        mut request: Value,
        field: &str,
    ) -> Result<Vec<String>> {
        let mut all = Vec::new();
        loop {
            let page = self.call(operation, &request).await?;
            let items = page[field].as_array().into_iter().flatten();
            all.extend(items.filter_map(Value::as_str).map(str::to_owned));
            match page["nextToken"].as_str() {
                Some(token) => request["nextToken"] = token.into(),
                None => return Ok(all),
            }
        }
    }

    async fn call(&self, operation: &'static str, request: &Value) -> Result<Value> {
        let answer = http::post(
            self.endpoint,
            "/",
            &self.headers(operation),
            &request.to_string(),
        )
        .await?;
        let failed = |body: String| Error::Ecs {
            operation,
            endpoint: self.endpoint.to_owned(),
            status: answer.status,
            body,
        };
        if answer.status != 200 {
            return Err(failed(answer.body));
        }
        serde_json::from_str(&answer.body).map_err(|error| failed(error.to_string()))
    }

    fn headers(&self, operation: &str) -> Vec<String> {
        vec![
            "Content-Type: application/x-amz-json-1.1".to_owned(),
            format!("X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}"),
            format!("Authorization: {}", unsigned(self.account, REGION, "ecs")),
        ]
    }
}
