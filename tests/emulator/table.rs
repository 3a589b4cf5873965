//! The app's table as it is: the lease, the line for it, and the journal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::World;

const BOBS_PLACE: &str = "20260101T000000Z-00000000";

impl World {
    /// All items, or those with that partition key.
    pub fn items(&self, partition: Option<&str>) -> Outcome<Vec<Value>> {
        let scan = json!({ "TableName": self.stack(), "ConsistentRead": true });
        let found = self.api.json("dynamodb", "DynamoDB_20120810.Scan", &scan)?;
        let items = found["Items"].as_array().ok_or("no items")?.clone();
        let is_it = |item: &Value| partition.is_none_or(|it| item["pk"]["S"] == it);
        Ok(items.into_iter().filter(is_it).collect())
    }

    /// Grows with each taking of the lease.
    pub fn fence(&self) -> Outcome<usize> {
        let head = self.items(Some("app"))?.pop().ok_or("there is no head")?;
        let fence = head["fence"]["N"].as_str().ok_or("there is no fence")?;
        Ok(fence.parse()?)
    }

    /// Sets attributes of the item that all commands share.
    pub fn set_head(&self, attributes: &Value) -> Outcome {
        let attributes = attributes.as_object().ok_or("not an object")?;
        let sets = attributes.keys().map(|name| format!("#{name} = :{name}"));
        let sets: Vec<String> = sets.collect();
        let prefixed = |prefix: &str, value: &dyn Fn(&str, &Value) -> Value| {
            let all = attributes.iter();
            all.map(|(name, set)| (format!("{prefix}{name}"), value(name, set)))
                .collect::<serde_json::Map<_, _>>()
        };
        let update = json!({
            "TableName": self.stack(),
            "Key": { "pk": { "S": "app" }, "sk": { "S": "head" } },
            "UpdateExpression": format!("SET {}", sets.join(", ")),
            "ExpressionAttributeNames": prefixed("#", &|name, _| json!(name)),
            "ExpressionAttributeValues": prefixed(":", &|_, set| set.clone()),
        });
        self.api
            .json("dynamodb", "DynamoDB_20120810.UpdateItem", &update)?;
        Ok(())
    }

    /// Has Bob on another machine hold the lease for so long.
    pub fn lease_to_bob(&self, length: Duration) -> Outcome {
        let until = SystemTime::now().duration_since(UNIX_EPOCH)? + length;
        let holder = json!({
            "id": "another",
            "who": { "name": "bob@desk", "host": "desk", "pid": 7 },
            "command": "deploy",
            "since": "2026-11-21T07:00:00Z",
        });
        self.set_head(&json!({
            "holder": { "S": holder.to_string() },
            "holder_id": { "S": "another" },
            "lease_until": { "N": until.as_millis().to_string() },
        }))
    }

    /// Has Bob stand in line for a minute, ahead of all who come.
    pub fn bob_in_line(&self) -> Outcome {
        let until = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(60);
        let put = json!({
            "TableName": self.stack(),
            "Item": {
                "pk": { "S": "line" },
                "sk": { "S": BOBS_PLACE },
                "lease_until": { "N": until.as_millis().to_string() },
            },
        });
        self.api
            .json("dynamodb", "DynamoDB_20120810.PutItem", &put)?;
        Ok(())
    }

    pub fn bob_leaves_the_line(&self) -> Outcome {
        let delete = json!({
            "TableName": self.stack(),
            "Key": { "pk": { "S": "line" }, "sk": { "S": BOBS_PLACE } },
        });
        self.api
            .json("dynamodb", "DynamoDB_20120810.DeleteItem", &delete)?;
        Ok(())
    }

    /// How many stand in line.
    pub fn in_line(&self) -> Outcome<usize> {
        Ok(self.items(Some("line"))?.len())
    }

    /// What was done, the newest first.
    pub fn history(&self) -> Outcome<Vec<Value>> {
        let history = self.done_json(&["history", "--limit", "100"])?;
        let operations = history["operations"].as_array();
        Ok(operations.ok_or("no operations")?.clone())
    }

    /// Nobody is at work or wants to be, and nothing waits to be finished.
    pub fn expect_settled(&self, after: &str) -> Outcome {
        let lease = self.done_json(&["unlock"])?;
        assert_eq!(lease["outcome"], "free", "{after}: {lease:#}");
        assert_eq!(self.in_line()?, 0, "{after}");
        let status = self.status()?;
        assert!(status["unfinished"].is_null(), "{after}: {status:#}");
        assert_eq!(status["drift"], json!([]), "{after}");
        Ok(())
    }
}
