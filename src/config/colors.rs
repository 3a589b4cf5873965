//! `[colors]`: what a colour is, for colours that bgecs does not make.

use super::ConfigError;
use super::document::Section;
use super::edge::{HostedColor, RouterSection};
use super::names::ecs_name;
use crate::model::{Color, PerColor};

type Result<T> = std::result::Result<T, ConfigError>;

/// What is said of a colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum ColorKeys {
    #[default]
    Nothing,
    /// A service of ECS that ran before bgecs came.
    Service(String),
    Hosted(Box<HostedColor>),
}

pub(super) fn colors(
    section: &mut Section<'_>,
    router: Option<&RouterSection>,
) -> Result<PerColor<ColorKeys>> {
    let mut all = PerColor::<ColorKeys>::default();
    for color in Color::BOTH {
        if !section.has(color.as_str()) {
            continue;
        }
        let other = all.get(color.other()).clone();
        *all.get_mut(color) = section.section(color.as_str(), |one| {
            if let Some(target) = one.take("target") {
                let hosted = HostedColor::read(one, &target, color, router)?;
                return Ok(ColorKeys::Hosted(Box::new(hosted)));
            }
            let hosted = ["url", "deploy", "retire", "hosted_zone"];
            if hosted.into_iter().any(|key| one.has(key)) {
                return Err(one.missing(
                    "target",
                    "it is missing: it is what [router] points at for that colour",
                ));
            }
            let entry = one.take("service").ok_or_else(|| {
                one.missing(
                    "service",
                    "it is missing: it names the service that runs already",
                )
            })?;
            match other {
                ColorKeys::Service(_) => Err(entry.misplaced(format!(
                    "[colors.{}] is the running service: bgecs makes the other colour's itself",
                    color.other()
                ))),
                ColorKeys::Nothing | ColorKeys::Hosted(_) => {
                    entry.checked(ecs_name).map(ColorKeys::Service)
                }
            }
        })?;
    }
    Ok(all)
}
