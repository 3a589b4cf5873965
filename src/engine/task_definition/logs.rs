//! Where containers log to: to bgecs's group by colour, so that `bgecs logs`
//! finds it; elsewhere where the definition says so, and then it is said where.

use serde_json::{Map, Value, json};

use super::Input;
use super::rules::text;
use crate::model::{AppName, Color};

const GROUP: &str = "awslogs-group";
const REGION: &str = "awslogs-region";
const PREFIX: &str = "awslogs-stream-prefix";

/// A group of bgecs's, also one of an app that had another name: `/bgecs/<app>`.
pub(super) fn is_ours(group: &str) -> bool {
    group.starts_with("/bgecs/")
}

/// One log stream a task, whose name tells the colour
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>).
pub(super) fn configuration(input: &Input<'_>) -> Value {
    let mut options = Map::new();
    place(&mut options, input);
    json!({ "logDriver": "awslogs", "options": options })
}

fn place(options: &mut Map<String, Value>, input: &Input<'_>) {
    let logs = input.surroundings.logs;
    let prefix = logs.prefix(input.color);
    for (key, value) in [
        (GROUP, logs.group),
        (REGION, logs.region),
        (PREFIX, prefix.as_str()),
    ] {
        options.insert(key.to_owned(), json!(value));
    }
}

/// The app's log group, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct LogPlace<'a> {
    pub group: &'a str,
    pub region: &'a str,
    /// The app, where others may log to the same group.
    pub shared_by: Option<&'a AppName>,
}

impl LogPlace<'_> {
    /// What the names of a colour's streams begin with.
    pub fn prefix(self, color: Color) -> String {
        match self.shared_by {
            None => color.to_string(),
            Some(app) => app.colored(color),
        }
    }

    /// Whether that is it, or one of bgecs's that becomes it.
    fn is_of(self, options: &Map<String, Value>) -> bool {
        let is_here = text(options, REGION).is_none_or(|region| region == self.region);
        let is_it = |group: &str| is_ours(group) || (group == self.group && is_here);
        text(options, GROUP).is_some_and(is_it)
    }
}

/// What logs to the app's group does so as this colour; all other options stay. A
/// sidecar may have a prefix of its own: neither a colour nor the app's.
pub(super) fn refresh(
    container: &mut Map<String, Value>,
    (is_app, app_prefix): (bool, Option<&str>),
    input: &Input<'_>,
) {
    let options = container
        .get_mut("logConfiguration")
        .and_then(|log| log.get_mut("options")?.as_object_mut());
    let Some(options) = options.filter(|options| input.surroundings.logs.is_of(options)) else {
        return;
    };
    let prefix = text(options, PREFIX).map(str::to_owned);
    place(options, input);
    if let Some(prefix) = prefix.filter(|prefix| !is_app && is_its_own(prefix, app_prefix)) {
        options.insert(PREFIX.to_owned(), json!(prefix));
    }
}

fn is_its_own(prefix: &str, of_app: Option<&str>) -> bool {
    let is_color = Color::BOTH.iter().any(|color| color.as_str() == prefix);
    !is_color && of_app != Some(prefix)
}

/// Under which a container's streams are, where it says so.
pub(super) fn prefix(container: &Map<String, Value>) -> Option<&str> {
    let log = container.get("logConfiguration")?.as_object()?;
    text(log.get("options")?.as_object()?, PREFIX)
}

/// Where a container's log goes, if not to the app's group under its colour.
pub(super) fn elsewhere(
    container: &Map<String, Value>,
    app_prefix: Option<&str>,
    here: LogPlace<'_>,
) -> Option<String> {
    let log = container.get("logConfiguration")?.as_object()?;
    let none = Map::new();
    let options = log.get("options").and_then(Value::as_object);
    let option = |key: &str| text(options.unwrap_or(&none), key);
    let place = match text(log, "logDriver")? {
        "awslogs" => {
            let group = option(GROUP).filter(|group| !is_ours(group))?;
            let prefix = option(PREFIX);
            let is_apart = |prefix| is_its_own(prefix, app_prefix);
            if options.is_some_and(|options| here.is_of(options)) && !prefix.is_some_and(is_apart) {
                return None;
            }
            let region = option(REGION).map(|region| format!(" in {region}"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_streams_they_are_is_in_their_names_where_others_log_too() {
        let app: AppName = "hello".parse().unwrap();
        let alone = LogPlace {
            group: "/bgecs/hello",
            region: "eu-west-1",
            shared_by: None,
        };
        assert_eq!(alone.prefix(Color::Blue), "blue");
        let shared = LogPlace {
            group: "/team/logs",
            shared_by: Some(&app),
            ..alone
        };
        assert_eq!(shared.prefix(Color::Blue), "bgecs-hello-blue");
    }
}
