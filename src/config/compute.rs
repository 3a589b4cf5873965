//! The keys of `[service]` for services that bgecs makes: what their tasks run on, how
//! they are replaced, and whose tags they get.

use std::str::FromStr;

use super::document::Section;
use super::entry::KeyValue;
use super::error::ConfigError;
use crate::counted::counted;
use crate::model::{
    Capacity, CapacityShare, ComputeKeys, DeploymentConfiguration, PropagateTags, ServiceKeys,
};

type Result<T> = std::result::Result<T, ConfigError>;

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
const MOST_WEIGHT: u32 = 1000;
const MOST_BASE: u32 = 100_000;
const FARGATE: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

const KEYS: [&str; 6] = [
    "capacity",
    "platform_version",
    "exec",
    "minimum_healthy_percent",
    "maximum_percent",
    "propagate_tags",
];

pub(super) fn said_of_service(
    section: &mut Section<'_>,
    is_copied: bool,
    tasks: u16,
) -> Result<ServiceKeys> {
    if is_copied {
        for key in KEYS {
            if let Some(entry) = section.take(key) {
                return Err(entry.misplaced(
                    "the second service is made as the one that runs already: change that one, and `deploy` copies it",
                ));
            }
        }
    }
    let compute = ComputeKeys {
        capacity: capacity(section)?,
        platform_version: section.optional("platform_version", |entry| entry.checked(version))?,
        exec: section.optional("exec", KeyValue::boolean)?,
    };
    let (least, most) = limits(section, tasks)?;
    Ok(ServiceKeys {
        compute,
        minimum_healthy_percent: least,
        maximum_percent: most,
        propagate_tags: section.optional("propagate_tags", |entry| {
            entry.checked(PropagateTags::from_str)
        })?,
    })
}

/// # Errors
/// With so many tasks, ECS could replace none of them.
fn limits(section: &mut Section<'_>, tasks: u16) -> Result<(Option<i32>, Option<i32>)> {
    let percent = |entry: &KeyValue<'_>, from: u32, to: u32| {
        let number: u16 = entry.number(from..=to)?;
        Ok(i32::from(number))
    };
    let least = section.optional("minimum_healthy_percent", |entry| percent(entry, 0, 100))?;
    let most = section.optional("maximum_percent", |entry| percent(entry, 100, 200))?;
    let rolling = DeploymentConfiguration::ROLLING;
    let both = DeploymentConfiguration {
        minimum_healthy_percent: least.unwrap_or(rolling.minimum_healthy_percent),
        maximum_percent: most.unwrap_or(rolling.maximum_percent),
        ..rolling
    };
    match both.can_replace(tasks.into()) {
        true => Ok((least, most)),
        false => Err(section.missing(
            "maximum_percent",
            format!(
                "with {}, a minimum of {}% and a maximum of {}% leave ECS no room to replace any",
                counted(tasks, "task"),
                both.minimum_healthy_percent,
                both.maximum_percent
            ),
        )),
    }
}

/// A provider's name, or a list of several with their shares.
fn capacity(section: &mut Section<'_>) -> Result<Option<Capacity>> {
    if section.is_text("capacity") {
        let named = section.optional("capacity", |entry| entry.checked(provider))?;
        return Ok(named.map(|name| Capacity::of(&name)));
    }
    let shares = section.sections_if_any("capacity", share)?;
    if shares.is_empty() {
        return Ok(None);
    }
    let is_twice = |it: &CapacityShare| {
        let all = shares.iter();
        all.filter(|other| other.provider == it.provider).count() > 1
    };
    let wrong = match () {
        () if shares.iter().any(is_twice) => "it names a provider twice",
        // Then ECS starts no task.
        () if shares.iter().all(|it| it.weight == 0) && shares.len() > 1 => {
            "no provider has a weight: one of them has to take what comes after the bases"
        }
        () if shares.iter().filter(|it| it.base > 0).count() > 1 => "only one provider has a base",
        () => return Ok(Some(Capacity::Providers(shares))),
    };
    Err(section.missing("capacity", wrong))
}

fn share(section: &mut Section<'_>) -> Result<CapacityShare> {
    let name = section
        .take("provider")
        .ok_or_else(|| section.missing("provider", "which one: \"FARGATE\" or \"FARGATE_SPOT\""))?;
    Ok(CapacityShare {
        provider: name.checked(provider)?,
        weight: section.or("weight", 0, |entry| entry.number(0..=MOST_WEIGHT))?,
        base: section.or("base", 0, |entry| entry.number(0..=MOST_BASE))?,
    })
}

fn provider(text: &str) -> std::result::Result<String, String> {
    match FARGATE.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "it is one of {}: bgecs releases to Fargate alone",
            FARGATE.join(" and ")
        )),
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html>
fn version(text: &str) -> std::result::Result<String, String> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    match text == "LATEST" || (parts.len() == 3 && parts.iter().all(is_number)) {
        true => Ok(text.to_owned()),
        false => Err("it is LATEST, or a version of Fargate such as 1.4.0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(service: &str) -> std::result::Result<ComputeKeys, String> {
        let text = format!("app = 'hello'\n[service]\n{service}");
        let parsed = Config::parse(&text, Path::new("/srv/hello/bgecs.toml"));
        let parsed = parsed.map_err(|error| error.to_string());
        parsed.map(|config| config.service.said.compute)
    }

    #[test]
    fn what_is_not_said_is_nobodys() {
        assert_eq!(parse(""), Ok(ComputeKeys::default()));
        let all = "platform_version = '1.4.0'\nexec = true\ncapacity = [{ provider = 'FARGATE', base = 2 }, { provider = 'FARGATE_SPOT', weight = 3 }]";
        let share = |provider: &str, weight, base| CapacityShare {
            provider: provider.to_owned(),
            weight,
            base,
        };
        let shares = vec![share("FARGATE", 0, 2), share("FARGATE_SPOT", 3, 0)];
        let expected = ComputeKeys {
            capacity: Some(Capacity::Providers(shares)),
            platform_version: Some("1.4.0".to_owned()),
            exec: Some(true),
        };
        assert_eq!(parse(all), Ok(expected));
        let alone = |text: &str| parse(text).unwrap().capacity.unwrap();
        assert_eq!(alone("capacity = 'FARGATE'"), Capacity::default());
        let spot = Capacity::Providers(vec![share("FARGATE_SPOT", 1, 0)]);
        assert_eq!(alone("capacity = 'FARGATE_SPOT'"), spot);
    }

    #[test]
    fn what_ecs_would_not_take_is_refused() {
        for (service, why) in [
            ("capacity = 'EC2'", "FARGATE and FARGATE_SPOT"),
            ("capacity = 7", "it is a section"),
            ("capacity = [{ weight = 1 }]", "which one"),
            (
                "capacity = [{ provider = 'own' }]",
                "FARGATE and FARGATE_SPOT",
            ),
            (
                "capacity = [{ provider = 'FARGATE', weight = 1001 }]",
                "from 0 to 1000",
            ),
            (
                "capacity = [{ provider = 'FARGATE', weight = 1 }, { provider = 'FARGATE', weight = 1 }]",
                "names a provider twice",
            ),
            (
                "capacity = [{ provider = 'FARGATE', base = 1 }, { provider = 'FARGATE_SPOT' }]",
                "no provider has a weight",
            ),
            (
                "capacity = [{ provider = 'FARGATE', weight = 1, base = 1 }, { provider = 'FARGATE_SPOT', base = 1 }]",
                "only one provider has a base",
            ),
            ("minimum_healthy_percent = 101", "from 0 to 100"),
            ("maximum_percent = 99", "from 100 to 200"),
            (
                "maximum_percent = 100",
                "with 2 tasks, a minimum of 100% and a maximum of 100%",
            ),
            (
                "desired_count = 1\nmaximum_percent = 150",
                "leave ECS no room",
            ),
            (
                "propagate_tags = 'service'",
                "TASK_DEFINITION, SERVICE, NONE",
            ),
            ("platform_version = '1.4'", "LATEST, or a version"),
            ("exec = 'yes'", "true or false"),
            (
                "cluster = 'prod'\nexec = true\n[colors.blue]\nservice = 'web'\n[production]\nurl = 'https://a.example'",
                "the second service is made as the one that runs already",
            ),
        ] {
            let error = parse(service).unwrap_err();
            assert!(error.contains(why), "{service}: {error}");
        }
    }
}
