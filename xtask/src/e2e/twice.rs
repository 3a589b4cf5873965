//! The README's quick start, by someone who types every line twice: on an app of
//! its own, which is there only in this chapter.

use std::fs;

use serde_json::Value;

use super::stage::Stage;
use crate::Result;

/// A line as the README has it, and which tags are live and idle after it. The
/// tag 0 is none.
const LINES: [(&[&str], [u8; 2]); 6] = [
    (&["init"], [0, 0]),
    (
        &[
            "deploy",
            "./sample-app/v1",
            "--tag",
            "1",
            "--color",
            "green",
        ],
        [1, 0],
    ),
    (
        &["deploy", "./sample-app/v2", "--tag", "2", "--color", "blue"],
        [1, 2],
    ),
    (&["promote", "blue"], [2, 1]),
    (&["rollback"], [1, 2]),
    (&["destroy", "--yes"], [0, 0]),
];

pub async fn every_line_may_be_typed_twice(stage: &Stage<'_>) -> Result<String> {
    let path = stage.folder.join("twice.toml");
    fs::write(
        &path,
        "app = \"twice\"\n[service]\ndesired_count = 1\n\
         [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 2\n",
    )?;
    let config = path.display().to_string();
    for (line, [live, idle]) in LINES {
        let typed = [line, &["--config", &config]].concat();
        for time in ["once", "twice"] {
            stage.bgecs.run(&typed).await?.expect_code(0)?;
            let after = after(stage, &config, line).await?;
            let Some(after) = after else {
                continue;
            };
            for (which, tag) in [("live", live), ("idle", idle)] {
                let found = tag_of(&after, which);
                if found != expected(tag) {
                    let line = line.join(" ");
                    return Err(format!(
                        "after `{line}` typed {time} the tag {found} is {which}, not {tag}"
                    )
                    .into());
                }
            }
        }
    }
    Ok("every line of the quick start, typed twice, ends where it does once".to_owned())
}

/// `None`: everything is gone, as it has to be after a destroy.
async fn after(stage: &Stage<'_>, config: &str, line: &[&str]) -> Result<Option<Value>> {
    let status = ["status", "--json", "-q", "--config", config];
    let ended = stage.bgecs.run_quietly(&status).await?;
    if line.first() == Some(&"destroy") {
        ended.expect_code(1)?.expect_stderr("there is no stack")?;
        return Ok(None);
    }
    Ok(Some(ended.expect_code(0)?.json()?))
}

fn tag_of(status: &Value, which: &str) -> Value {
    match (which, status["live"].as_str()) {
        ("live", Some(live)) => status["colors"][live]["tag"].clone(),
        ("idle", Some("green")) => status["colors"]["blue"]["tag"].clone(),
        ("idle", Some(_)) => status["colors"]["green"]["tag"].clone(),
        _ => Value::Null,
    }
}

fn expected(tag: u8) -> Value {
    match tag {
        0 => Value::Null,
        tag => tag.to_string().into(),
    }
}
