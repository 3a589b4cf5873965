//! Where a container logs to.

use serde_json::Value;

use super::{Definition, Object, is_made_of, place, text};
use crate::engine::task_definition::logs::is_ours;
use crate::engine::task_definition::mistake::Mistakes;
use crate::nearest::distance;

pub(super) fn check(definition: &Definition<'_>, container: &Object, mistakes: &mut Mistakes) {
    firelens(container, mistakes);
    let Some(log) = container.get("logConfiguration").and_then(Value::as_object) else {
        return;
    };
    let options = log.get("options").and_then(Value::as_object);
    let option = |key: &str| options.and_then(|options| text(options, key));
    let is_secret = |key: &str| {
        super::items(log, "secretOptions").any(|secret| text(secret, "name") == Some(key))
    };
    let required: &[&str] = match text(log, "logDriver") {
        // What is bgecs's is filled in.
        Some("awslogs") if option("awslogs-group").is_some_and(is_ours) => &[],
        Some("awslogs") => &["awslogs-group", "awslogs-region", "awslogs-stream-prefix"],
        Some("splunk") => &["splunk-token", "splunk-url"],
        Some("awsfirelens") => {
            if !definition.containers().any(is_router) {
                let what = "awsfirelens needs a container with a `firelensConfiguration`, and there is none";
                mistakes.add(place(container, "logConfiguration.logDriver"), what);
            }
            &[]
        }
        _ => &[],
    };
    for key in required {
        if option(key).is_none_or(str::is_empty) && !is_secret(key) {
            let at = place(container, &format!("logConfiguration.options.{key}"));
            mistakes.add(
                at,
                "it is missing, and Fargate needs it; without a `logConfiguration`, the app's container logs to bgecs's group",
            );
        }
    }
    if text(log, "logDriver") == Some("awslogs") {
        awslogs(container, options, mistakes);
    }
    if let Some(group) = option("awslogs-group").filter(|group| !group.is_empty())
        && !is_made_of(group, "_/.#-")
    {
        let at = place(container, "logConfiguration.options.awslogs-group");
        let more = (definition.placeholder)(group);
        mistakes.add(
            at,
            format!("`{group}` is not the name of a log group{more}"),
        );
    }
}

/// What the driver takes; a task with another option does not start. Those that
/// are like none of these may be newer.
fn awslogs(container: &Object, options: Option<&Object>, mistakes: &mut Mistakes) {
    const KNOWN: [&str; 8] = [
        "awslogs-group",
        "awslogs-region",
        "awslogs-stream-prefix",
        "awslogs-create-group",
        "awslogs-datetime-format",
        "awslogs-multiline-pattern",
        "mode",
        "max-buffer-size",
    ];
    for (key, value) in options.into_iter().flatten() {
        let at = || place(container, &format!("logConfiguration.options.{key}"));
        let near = KNOWN.iter().min_by_key(|known| distance(key, known));
        if let Some(near) = near.filter(|near| (1..=2).contains(&distance(key, near))) {
            mistakes.add(
                at(),
                format!("awslogs has no such option; did you mean `{near}`?"),
            );
        }
        let mode = value.as_str().filter(|_| key == "mode");
        if mode.is_some_and(|mode| !matches!(mode, "blocking" | "non-blocking")) {
            mistakes.add(at(), "it takes `blocking` or `non-blocking`");
        }
    }
}

fn is_router(container: &Object) -> bool {
    container.contains_key("firelensConfiguration")
}

fn firelens(container: &Object, mistakes: &mut Mistakes) {
    let options = container.get("firelensConfiguration");
    let kind = options.and_then(|it| it.get("options")?.get("config-file-type")?.as_str());
    if kind == Some("s3") {
        mistakes.add(
            place(container, "firelensConfiguration.options.config-file-type"),
            "Fargate takes `file`, a file in the image, and none from S3",
        );
    }
}
