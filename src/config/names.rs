//! The names that a `bgecs.toml` gives, and their rules.

use crate::model::{AppName, CpuArchitecture, Platform, is_plain_name, is_region};

/// `<app>-<environment>`: the same app somewhere else.
pub(super) fn in_environment(app: &AppName, name: &str) -> Result<AppName, String> {
    let text = format!("{app}-{name}");
    text.parse().map_err(|_| {
        format!(
            "the app's name would be `{text}`, and has 20 characters at most: write `app = \"…\"` below [env.{name}]"
        )
    })
}

pub(super) fn region(text: &str) -> Result<String, String> {
    match is_region(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not a region: regions look like eu-west-1"
        )),
    }
}

pub(super) fn profile(text: &str) -> Result<String, String> {
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        false => Ok(text.to_owned()),
        true => Err("it is not the name of a profile".to_owned()),
    }
}

/// What an app's name can end in.
pub(super) fn environment_name(text: &str) -> Result<(), String> {
    match is_plain_name(text) {
        true => Ok(()),
        false => Err(
            "the name of an environment has lower-case letters, digits and single hyphens between them"
                .to_owned(),
        ),
    }
}

/// The name of a container, a service or a cluster
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>,
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>).
pub(super) fn ecs_name(text: &str) -> Result<String, String> {
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_plain && (1..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("ECS takes 1 to 255 letters, digits, `_` and `-`".to_owned())
    }
}

/// The name of an environment variable.
pub fn variable_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['=', '\0']) {
        Err("the name of an environment variable is not empty and has no `=`".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The path of a request, with the length that a health check's may have
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>).
pub(super) fn request_path(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if text.starts_with('/') && is_plain && text.len() <= 1024 {
        Ok(text.to_owned())
    } else {
        Err("a path starts with `/` and has no spaces (percent-encode them), no `#` and at most 1024 characters".to_owned())
    }
}

/// Text that says something.
pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("it is empty; leave the key out instead".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// By ECS's name of it or Docker's.
pub(super) fn architecture(text: &str) -> Result<CpuArchitecture, String> {
    let platform: Option<Platform> = text.parse().ok();
    platform
        .filter(|_| !text.contains('/'))
        .and_then(|platform| platform.cpu())
        .ok_or_else(|| "Fargate runs X86_64 and ARM64".to_owned())
}

/// The platforms that Fargate runs Linux images of
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html>).
pub(super) fn platform(text: &str) -> Result<String, String> {
    match text {
        "linux/amd64" | "linux/arm64" | "linux/arm64/v8" => Ok(text.to_owned()),
        _ => Err("Fargate runs linux/amd64 and linux/arm64".to_owned()),
    }
}
