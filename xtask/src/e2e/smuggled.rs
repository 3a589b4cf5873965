//! Archives that somebody made to do harm, in the bucket of the shop's worker: each is
//! refused with its sentence, and begins nothing.

use std::fs;

use serde_json::Value;

use super::depot::{Depot, RELEASED};
use super::site::until_within;
use crate::json::text;
use crate::{Result, say};

/// What `smuggle.py` makes, and what is wrong with each.
const ALL: [(&str, &str); 18] = [
    ("absolute.tar.gz", "a path may not be absolute"),
    ("outside.tar.gz", "a path may not lead out of the bundle"),
    ("twice.tar.gz", "it is there twice"),
    (
        "link-outside.tar.gz",
        "a link may not lead out of the bundle",
    ),
    (
        "link-absolute.tar.gz",
        "a link may not lead to an absolute path",
    ),
    (
        "below-link.tar.gz",
        "a folder on its path is a symbolic link",
    ),
    ("hard-link.tar.gz", "a bundle may not have hard links"),
    ("device.tar.gz", "devices, pipes or sockets"),
    ("many.tar.gz", "more files and folders in it"),
    ("stranger.tar.gz", "releases no set another"),
    ("broken.tar.gz", "release.toml:2:"),
    ("two-streams.tar.gz", "something comes after its end"),
    ("dots.zip", "a path may not lead out of the bundle"),
    ("backslash.zip", "separated by /"),
    ("deep.zip", "its path has more than 32 parts"),
    ("empty.zip", "has no release.toml at its root"),
    ("bomb.zip", "unpacks to more than a bundle may"),
    (
        "hidden.zip",
        "data that the directory at its end does not name",
    ),
];

pub async fn what_is_smuggled_in_begins_nothing(depot: &Depot<'_>) -> Result<String> {
    let folder = depot.folder().join("smuggled");
    fs::create_dir_all(&folder)?;
    let folder = folder.display().to_string();
    depot
        .python(&["-c", include_str!("smuggle.py"), &folder])
        .await?;
    let before = depot.mark()?;
    let bucket = Depot::bucket();
    let upload = [
        "s3",
        "cp",
        "--recursive",
        "--only-show-errors",
        &folder,
        &bucket,
    ];
    depot.aws(&upload).await?;
    // A message that was with a dead worker holds up those behind it.
    until_within(RELEASED, "all of them have ended", async || {
        depot.empty().await?;
        let uploads = depot.uploads().await?;
        let has_ended = |name: &str| {
            let its = uploads.iter().find(|it| it["key"] == name);
            its.is_some_and(|it| it["end"].is_object())
        };
        Ok(ALL.iter().all(|(name, _)| has_ended(name)))
    })
    .await?;
    let uploads = depot.uploads().await?;
    for (name, sentence) in ALL {
        let it = uploads.iter().find(|it| it["key"] == name);
        let it = it.ok_or_else(|| format!("nothing became of {name}"))?;
        let reason = text(it, &["end", "reason"])?;
        if it["end"]["outcome"] != "failed" || !reason.contains(sentence) {
            return Err(format!("{name} does not say `{sentence}`: {it:#}").into());
        }
        say::line(&format!("    {reason}"));
        let is_it = |it: &Value| it["upload"]["key"] == name && it["reason"] == reason;
        depot.heard.expect(is_it, name).await?;
    }
    depot.expect_nothing_changed_since(before)?;
    Ok(format!(
        "{} archives that are made to do harm are refused, each with its sentence, and begin nothing",
        ALL.len()
    ))
}
