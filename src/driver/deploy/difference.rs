//! How the task definition differs from what users run now, shown before it is
//! registered.

use serde_json::Value;

use super::{Request, compose};
use crate::aws::AwsErrorKind;
use crate::definition::Loaded;
use crate::engine::task_definition::{self, TaskDefinition};
use crate::error::Result;
use crate::model::{Color, CpuArchitecture, Observed, Platform};
use crate::session::Session;

/// The colour to compare with: the live one, or if none is live, the one that is deployed
/// onto.
fn base(observed: &Observed, color: Color) -> Color {
    observed.live_color().unwrap_or(color)
}

/// For a dry run, which has no image: the tag stands for it. The first release has
/// nothing to be compared with.
///
/// # Errors
/// A task definition that is invalid (exit 2); AWS's own.
pub async fn ahead(
    session: &Session,
    observed: &Observed,
    color: Color,
    request: &Request,
    loaded: &Loaded,
) -> Result<Option<String>> {
    let Some(registered) = registered(session, observed, color).await? else {
        return Ok(None);
    };
    let image = (architecture(request, &registered), None);
    let new = compose(session, observed, color, request, loaded, image, "")?;
    Ok(Some(shown(observed, color, request, &registered, &new)))
}

/// # Errors
/// AWS's own.
pub(super) async fn show(
    session: &Session,
    observed: &Observed,
    color: Color,
    request: &Request,
    new: &TaskDefinition,
) -> Result<String> {
    Ok(match registered(session, observed, color).await? {
        Some(registered) => shown(observed, color, request, &registered, new),
        None => "there is no task definition to compare with".to_owned(),
    })
}

/// The registered task definition to compare with, as it would be for that colour.
async fn registered(session: &Session, observed: &Observed, color: Color) -> Result<Option<Value>> {
    let base = base(observed, color);
    match &observed.color(base).service {
        None => Ok(None),
        Some(service) => {
            let revision = &service.task_definition;
            match session.aws.read_task_definition(revision).await {
                // Something else deleted it.
                Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
                found => Ok(Some(task_definition::recolored(found?, base, color))),
            }
        }
    }
}

/// The architecture that was asked for, else what runs now, else this machine's.
fn architecture(request: &Request, registered: &Value) -> CpuArchitecture {
    let runs = || match registered["runtimePlatform"]["cpuArchitecture"].as_str()? {
        "ARM64" => Some(CpuArchitecture::Arm64),
        _ => Some(CpuArchitecture::X86_64),
    };
    let here = || Platform::of_this_machine().cpu();
    let found = request.runs_on.architecture.or_else(runs).or_else(here);
    found.unwrap_or(CpuArchitecture::X86_64)
}

fn shown(
    observed: &Observed,
    color: Color,
    request: &Request,
    registered: &Value,
    new: &TaskDefinition,
) -> String {
    let (tag, base) = (&request.tag, base(observed, color));
    let service = observed.color(base).service.as_ref();
    let revision = service.map_or("", |service| service.task_definition.short());
    let before = format!("{revision} on {}", observed.named(base));
    let after = format!("tag {tag}");
    let difference = task_definition::difference((&before, registered), (&after, &new.body));
    match difference.trim_end() {
        "" => format!("the task definition of tag {tag} is the same as that of {before}"),
        difference => format!("the task definition of tag {tag}:\n{difference}"),
    }
}

#[cfg(test)]
mod tests;
