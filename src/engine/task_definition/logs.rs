//! Where containers log to: to bgecs's group by colour, so that `bgecs logs`
//! finds it; elsewhere where the definition says so, and then it is said where.

use serde_json::{Map, Value, json};

use super::Input;
use super::rules::text;
use crate::model::Color;

/// A group of bgecs's, also one of an app that had another name: `/bgecs/<app>`.
pub(super) fn is_ours(group: &str) -> bool {
    group.starts_with("/bgecs/")
}

/// One log stream a task, its name beginning with the colour
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>).
pub(super) fn configuration(input: &Input<'_>) -> Value {
    let mut options = Map::new();
    place(&mut options, input);
    json!({ "logDriver": "awslogs", "options": options })
}

fn place(options: &mut Map<String, Value>, input: &Input<'_>) {
    for (key, value) in [
        ("awslogs-group", input.surroundings.log_group),
        ("awslogs-region", input.surroundings.region),
        ("awslogs-stream-prefix", input.color.as_str()),
    ] {
        options.insert(key.to_owned(), json!(value));
    }
}

/// What logs to a group of bgecs's logs to this app's, as this colour; all other
/// options stay. A sidecar may have a prefix of its own, which no colour is.
pub(super) fn refresh(container: &mut Map<String, Value>, is_app: bool, input: &Input<'_>) {
    let options = container
        .get_mut("logConfiguration")
        .and_then(|log| log.get_mut("options")?.as_object_mut());
    let Some(options) = options else { return };
    if !text(options, "awslogs-group").is_some_and(is_ours) {
        return;
    }
    let prefix = text(options, "awslogs-stream-prefix").map(str::to_owned);
    place(options, input);
    let is_color = |prefix: &String| Color::BOTH.iter().any(|color| color.as_str() == prefix);
    if let Some(prefix) = prefix.filter(|prefix| !is_app && !is_color(prefix)) {
        options.insert("awslogs-stream-prefix".to_owned(), json!(prefix));
    }
}

/// Where a container's log goes, if not to bgecs's group.
pub(super) fn elsewhere(container: &Map<String, Value>) -> Option<String> {
    let log = container.get("logConfiguration")?.as_object()?;
    let none = Map::new();
    let options = log.get("options").and_then(Value::as_object);
    let option = |key: &str| text(options.unwrap_or(&none), key);
    let place = match text(log, "logDriver")? {
        "awslogs" => {
            let group = option("awslogs-group").filter(|group| !is_ours(group))?;
            let region = option("awslogs-region").map(|region| format!(" in {region}"));
            let prefix = option("awslogs-stream-prefix");
            let prefix = prefix.map(|prefix| format!(", streams {prefix}/…"));
            format!(
                "the log group {group}{}{}",
                region.unwrap_or_default(),
                prefix.unwrap_or_default()
            )
        }
        "splunk" => match option("splunk-url") {
            Some(url) => format!("Splunk at {url}"),
            None => "Splunk".to_owned(),
        },
        "awsfirelens" => match option("Name").or_else(|| option("@type")) {
            Some(output) => format!("the log router (awsfirelens), output {output}"),
            None => "the log router (awsfirelens)".to_owned(),
        },
        driver => format!("the log driver {driver}"),
    };
    Some(place)
}
