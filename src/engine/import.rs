//! How an app comes to be of a service that runs already: what was read of it
//! becomes a `bgecs.toml` and a task definition that say the same, and a plan in
//! words; or a refusal with the way there. What cannot be known is not guessed,
//! but said with all that there is to choose from.

mod definition;
mod plan;
mod unfit;
mod written;

use serde_json::Value;

use super::entrance::{self, GivenUrl, WayTo, Wish};
use super::plan::Refusal;
use crate::counted::counted;
use crate::model::{
    AppName, Autoscaling, Balancer, COLOR_HEADER, Color, ListenerRule, LoadBalancer,
    NamedRepository, RuleCondition, RunningService, RunningSettings, TargetGroupSettings,
};
pub use plan::{ForeignDrift, ImportPlan};

/// All that there is to know of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadService {
    pub service: RunningService,
    pub settings: RunningSettings,
    pub groups: Vec<TargetGroupSettings>,
    pub balancers: Vec<Balancer>,
    /// What it runs, as ECS describes it.
    pub definition: Value,
    pub region: String,
}

/// What was said where it cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportWish {
    pub app: Option<AppName>,
    /// The ARNs of rules, or of listeners for their default action: the app is
    /// called by the first.
    pub production: Vec<String>,
    /// What users type at each of these, in the same order; where there is none it
    /// is read off.
    pub urls: Vec<GivenUrl>,
    /// The registry of a local AWS, whose name is not like ECR's.
    pub local_registry: Option<String>,
}

/// What scales the service, if anything, or why that is not known.
pub type FoundAutoscaling = std::result::Result<Option<Autoscaling>, String>;

/// An app that is to be, of a service that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    pub app: AppName,
    /// The running service's.
    pub color: Color,
    /// All that are moved; the app is called by the first. There is one at least.
    pub production: Vec<ProductionWay>,
    /// The container behind the load balancer, and its port there.
    pub container: String,
    pub port: u16,
    /// Further ones of the same image.
    pub app_containers: Vec<String>,
    pub health_path: Option<String>,
    /// `task-definition.json`.
    pub task_definition: Value,
    /// What a person should know before they go on.
    pub warnings: Vec<String>,
    autoscaling: FoundAutoscaling,
    /// None: the stack has one of its own.
    repository: Option<NamedRepository>,
    read: ReadService,
}

impl Import {
    pub fn cluster(&self) -> &str {
        &self.read.settings.cluster
    }

    pub fn service(&self) -> &str {
        &self.read.service.name
    }

    /// What the service runs.
    pub fn revision(&self) -> &str {
        self.read.settings.task_definition.short()
    }
}

/// By which way users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductionWay {
    pub listener: String,
    /// None for the listener's default action.
    pub rule: Option<String>,
    /// In words.
    pub way: String,
    /// What users type, up to the path.
    pub url: String,
    pub path: String,
    /// Other names that lead there.
    pub other_urls: Vec<String>,
    /// The headers that its rule wants.
    pub headers: Vec<String>,
    /// To which target group it leads, by name.
    pub group: String,
}

impl ReadService {
    /// Where its tasks are reached, if it can be an app of bgecs's; in one place at
    /// least.
    ///
    /// # Errors
    /// Why it cannot, and what to do.
    pub fn targets(&self) -> Result<Vec<(&LoadBalancer, &TargetGroupSettings)>, Refusal> {
        unfit::refuse(self)?;
        unfit::targets(self)
    }

    pub fn image(&self, container: &str) -> Option<&str> {
        definition::image(&self.definition, container)
    }

    /// None where the container's logs go elsewhere than to CloudWatch Logs.
    pub fn log_group(&self, container: &str) -> Option<&str> {
        definition::log_group(&self.definition, container)
    }
}

/// # Errors
/// Why the service cannot be an app of bgecs's, and what to do; or what is not
/// known, and by which flag it is said.
pub fn import(
    read: ReadService,
    autoscaling: FoundAutoscaling,
    wish: &ImportWish,
) -> Result<Import, Refusal> {
    let targets = read.targets()?;
    let name = &read.service.name;
    let app = match &wish.app {
        Some(app) => app.clone(),
        None => AppName::near(name).ok_or_else(|| {
            Refusal::new(
                format!("no app can be named after the service {name}"),
                "--app NAME gives it a name",
            )
        })?,
    };
    let mut ways = entrance::ways_to(&read.service, &read.balancers);
    ways.retain(|way| !is_for_tests(way.rule));
    let chosen = choose(&read, &ways, &wish.production)?;
    if wish.urls.len() > chosen.len() {
        let (urls, ways) = (wish.urls.len(), chosen.len());
        return Err(Refusal::new(
            format!("--url is given {urls} times, for {}", counted(ways, "way")),
            "give one for each --production, in their order",
        ));
    }
    let leads_to = |way: &WayTo<'_>, group: &TargetGroupSettings| {
        let mut forwards = way.rule.forwards.iter();
        forwards.any(|(arn, weight)| *weight > 0 && *arn == group.arn)
    };
    let left = targets
        .iter()
        .find(|(_, group)| !chosen.iter().any(|way| leads_to(way, group)));
    if let Some((_, group)) = left {
        return Err(unfit::leaves_a_group_behind(&read, group, &listed(&ways)));
    }
    let (mut production, mut warnings) = (Vec::new(), Vec::new());
    let mut first = None;
    for (number, way) in chosen.iter().enumerate() {
        let led = targets.iter().find(|(_, group)| leads_to(way, group));
        let Some((target, group)) = led else { continue };
        first.get_or_insert((*target, *group));
        let (one, told) = self::production(&read, *way, group, wish.urls.get(number))?;
        production.push(one);
        warnings.extend(told);
    }
    let Some((target, group)) = first else {
        return Err(unfit::nothing_leads_there(&read));
    };
    let is_chosen = |way: &WayTo<'_>| chosen.iter().any(|it| it.rule.arn == way.rule.arn);
    let others = ways.iter().filter(|way| !is_chosen(way));
    warnings.extend(others.map(|it| {
        format!("{it} leads to {name} too, and stays there: its users do not get what is promoted")
    }));
    let (container, port) = (target.container.clone(), target.port);
    let app_containers = definition::of_the_same_image(&read.definition, &container);
    let task_definition = definition::registrable(&read.definition, &container, &app_containers);
    warnings.extend(plan::warnings(
        &read,
        &autoscaling,
        &production,
        &task_definition,
    ));
    let image = read.image(&container);
    let registry = wish.local_registry.as_deref();
    let repository = image.and_then(|it| NamedRepository::of_image(it, registry));
    Ok(Import {
        color: match name.to_ascii_lowercase().contains("green") {
            true => Color::Green,
            false => Color::Blue,
        },
        app,
        production,
        container,
        port,
        app_containers,
        health_path: group.health_path.clone(),
        task_definition,
        warnings,
        autoscaling,
        repository,
        read,
    })
}

/// By the header that bgecs's own rules ask for: no user comes that way.
fn is_for_tests(rule: &ListenerRule) -> bool {
    rule.conditions.iter().any(|condition| match condition {
        RuleCondition::Header(name, _) => name.eq_ignore_ascii_case(COLOR_HEADER),
        _ => false,
    })
}

/// By the flag that chooses it, each in a line.
fn listed(ways: &[WayTo<'_>]) -> String {
    let lines = ways
        .iter()
        .map(|way| format!("--production {}  ({way})", arn(way)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Each of them once.
fn choose<'a>(
    read: &ReadService,
    ways: &[WayTo<'a>],
    wanted: &[String],
) -> Result<Vec<WayTo<'a>>, Refusal> {
    let name = &read.service.name;
    match (ways, wanted) {
        ([], _) => return Err(unfit::nothing_leads_there(read)),
        ([only], []) => return Ok(vec![*only]),
        (several, []) => {
            return Err(Refusal::new(
                format!(
                    "{} lead to the service {name}, and only you know who comes there",
                    counted(several.len(), "way")
                ),
                format!(
                    "name each whose users get what is promoted, the one that production is called by first:\n{}",
                    listed(ways)
                ),
            ));
        }
        _ => {}
    }
    let mut chosen: Vec<WayTo<'a>> = Vec::new();
    for wanted in wanted {
        let is_wanted = |way: &&WayTo<'a>| arn(way) == wanted || way.rule.arn == *wanted;
        let Some(way) = ways.iter().find(is_wanted) else {
            return Err(Refusal::new(
                format!("{wanted} does not lead to the service {name}"),
                format!("what does:\n{}", listed(ways)),
            ));
        };
        if chosen.iter().any(|it| it.rule.arn == way.rule.arn) {
            return Err(Refusal::new(
                format!("--production names {wanted} twice"),
                "name each way once",
            ));
        }
        chosen.push(*way);
    }
    Ok(chosen)
}

/// A default action goes by its listener's name.
fn arn<'a>(way: &WayTo<'a>) -> &'a str {
    match way.rule.priority {
        Some(_) => &way.rule.arn,
        None => &way.listener.arn,
    }
}

/// Also what to tell of it.
fn production(
    read: &ReadService,
    way: WayTo<'_>,
    group: &TargetGroupSettings,
    url: Option<&GivenUrl>,
) -> Result<(ProductionWay, Vec<String>), Refusal> {
    let (ours, all) = read.service.share_of(way.rule);
    if ours < all {
        return Err(unfit::shares_its_users(read, way, ours, all));
    }
    // Asked alone, it is what `watch` would ask.
    let alone = RunningService {
        production: vec![way.rule.arn.clone()],
        ..read.service.clone()
    };
    let mut warnings = Vec::new();
    let conditions = way.rule.conditions.iter();
    let headers = conditions.filter_map(|condition| match condition {
        RuleCondition::Header(name, _) => Some(name.clone()),
        _ => None,
    });
    let headers: Vec<String> = headers.collect();
    let (url, path, other_urls) = match url {
        Some(given) => {
            let found = entrance::of_url(&read.service, &read.balancers, given, &Wish::default());
            let origin = entrance::origin(given.is_secured, &given.host, given.port);
            match found {
                Some(found) if found.way != way.to_string() => {
                    return Err(Refusal::new(
                        format!("{origin}{} is led to {} by {}", given.path, read.service.name, found.way),
                        format!("--production is {way}: name the URL that goes there"),
                    ));
                }
                Some(_) => {}
                // What else it wants is told by itself.
                None if !headers.is_empty() => {}
                None => warnings.push(format!(
                    "nothing here says that {way} takes {origin}{}: `bgecs watch` with that --url shows what is answered",
                    given.path
                )),
            }
            (origin, given.path.clone(), Vec::new())
        }
        None => read_off(read, &alone, way)?,
    };
    let production = ProductionWay {
        listener: way.listener.arn.clone(),
        rule: way.rule.priority.is_some().then(|| way.rule.arn.clone()),
        way: way.to_string(),
        url,
        path,
        other_urls,
        headers,
        group: group.name.clone(),
    };
    Ok((production, warnings))
}

/// The name and the path by which users come, and further names. All of a rule's
/// names go over together, so any of them will do.
fn read_off(
    read: &ReadService,
    alone: &RunningService,
    way: WayTo<'_>,
) -> Result<(String, String, Vec<String>), Refusal> {
    let all = entrance::candidates(alone, &read.balancers, &Wish::default());
    let whole: Vec<_> = all
        .iter()
        .filter(|it| it.is_whole && it.needs.is_empty())
        .collect();
    if let Some((first, others)) = whole.split_first() {
        let path = first.entrance.url[first.origin.len()..].to_owned();
        let others = others.iter().map(|it| it.origin.clone()).collect();
        return Ok((first.origin.clone(), path, others));
    }
    let like = all.first().map_or("https://NAME/", |it| &it.entrance.url);
    let what = match all.first().map(|it| it.needs.join(", ")) {
        Some(needs) if !needs.is_empty() => format!("wants {needs} beside what users type"),
        _ => "does not say what users type".to_owned(),
    };
    Err(Refusal::new(
        format!(
            "{way} leads to the service {}, and {what}",
            read.service.name
        ),
        format!("say what they type with --url, such as --url {like}"),
    ))
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
