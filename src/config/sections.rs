//! Which keys there are, and what each may be: the grammar of `bgecs.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::attached::AttachedKeys;
use super::colors::{ColorKeys, colors};
use super::compute::said_of_service;
use super::cost::cost;
use super::document::Section;
use super::edge::{self, RouterSection, router};
use super::entry::KeyValue;
use super::fargate::TaskSize;
use super::given;
use super::hooks::hooks;
use super::names::{
    architecture, ecs_name, in_environment, not_empty, platform, profile, region, request_path,
    variable_name,
};
use super::network::{HostPort, registry};
use super::probe::probe;
use super::production::production;
use super::secret::SecretRef;
use super::serve::{notify, serve};
use super::shift::shift;
use super::source::File;
use super::test_route::test;
use super::tls::tls;
use super::{
    AwsPlace, Build, Config, ConfigError, Container, ContainerSection, DEFAULT_CONTAINER,
    DEFAULT_HEALTH_PATH, Declared, DefinitionSource, Edge, LeaseSection, LoadBalancerSection, Logs,
    Nat, NetworkSection, OwnDefinition, Registry, Service, folder_of,
};
use crate::hidden::Hidden;
use crate::model::{
    AccountId, AppName, Color, Given, GivenNetwork, Ipv4Cidr, PerColor, Secret, ServiceKeys,
    SshAgent, Tag,
};

type Result<T> = std::result::Result<T, ConfigError>;

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const RETENTION_DAYS: [u16; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// A target group has room for a thousand targets
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>).
const MOST_TASKS: u32 = 1000;

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
const LONGEST_DEREGISTRATION: u32 = 3600;

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
const LONGEST_GRACE_PERIOD: u32 = 2_147_483_647;

/// It is renewed three times in its length, over a network that may be slow.
const SHORTEST_LEASE: u32 = 5;
const LONGEST_LEASE: u32 = 3600;

/// The keys of `[container]` that say how a task definition of its own is taken.
const FILE_KEYS: [&str; 3] = ["app_containers", "expand", "unchecked"];

/// The keys of `[container]` that such a file replaces.
const SETTINGS_KEYS: [&str; 5] = ["cpu", "memory", "environment", "secrets", "command"];

pub(super) fn config(file: &File<'_>, environment: Option<&str>) -> Result<Config> {
    let root = folder_of(file.path);
    file.read(environment, |top| {
        top.announce(&["service", "serve"]);
        if let Some(job) = top.take("job") {
            return Err(job.misplaced(
                "this is the file of a job, which goes with a set: name it in a [[job]] of a set.toml",
            ));
        }
        let serve = top.section("serve", |section| serve(section, root))?;
        let notify = top.section("notify", notify)?;
        let router = top.section("router", router)?;
        let colors = top.section("colors", |section| colors(section, router.as_ref()))?;
        // Ahead of the sections that it rules out.
        let edge = edge(top, router, colors.clone())?;
        let is_edge = edge.is_some();
        let running = running(top, colors, is_edge)?;
        let tls = top.section("tls", tls)?;
        let is_attached = running.is_some();
        let (service, cluster) = top.section("service", |it| service(it, is_attached))?;
        let mut ways = top.sections("production", |section| {
            production(section, tls.as_ref(), is_attached)
        })?;
        let (production, place_keys) = ways.remove(0);
        let keys = AttachedKeys {
            running,
            cluster,
            production: place_keys,
            test: top.section("test", test)?,
            further: ways,
        };
        let attached = keys.judged(top, &production)?;
        if tls.is_some() && is_attached {
            return Err(top.missing(
                "tls",
                "it is for a load balancer that `bgecs init` makes: take it out, for the one of a service that ran before has its certificates",
            ));
        }
        // Only what `init` makes can be given something.
        let has_all = is_attached || is_edge;
        let (network, given_network) = top.section("network", |it| network(it, has_all))?;
        let mut given = Given {
            network: given_network,
            cluster: top.section("cluster", |section| {
                refuse_if(has_all, section, &["name"])?;
                given::cluster(section)
            })?,
            roles: top.section("roles", |section| {
                refuse_if(has_all, section, &["execution", "task"])?;
                given::roles(section)
            })?,
            ..Given::default()
        };
        let load_balancer = top.section("load_balancer", |section| {
            refuse_if(has_all, section, &["subnets", "security_groups"])?;
            load_balancer(section, &mut given)
        })?;
        Ok(Config {
            path: file.path.to_owned(),
            app: app(top)?,
            live: top.take("live").map(declared).transpose()?,
            environment: top.environment().map(str::to_owned),
            container: top.section("container", |section| container(section, root))?,
            service,
            production,
            attached,
            edge,
            tls,
            network,
            probe: top.section("probe", |section| probe(section, root))?,
            shift: top.section("shift", shift)?,
            build: top.section("build", |section| build(section, root))?,
            hooks: top.section("hooks", |section| hooks(section, is_edge))?,
            registry: top.section("registry", |section| {
                refuse_if(has_all, section, &["repository"])?;
                registry_section(section, &mut given)
            })?,
            logs: top.section("logs", |section| {
                refuse_if(has_all, section, &["group"])?;
                logs(section, &mut given)
            })?,
            load_balancer,
            lease: top.section("lease", lease)?,
            place: top.section("aws", place)?,
            cost: top.section("cost", cost)?,
            serve,
            notify,
            given,
        })
    })
}

fn refuse_if(has_all: bool, section: &mut Section<'_>, keys: &[&'static str]) -> Result<()> {
    match has_all {
        true => given::refuse(section, keys),
        false => Ok(()),
    }
}

/// A colour, or `{ tag = "7" }`.
fn declared(entry: KeyValue<'_>) -> Result<Declared> {
    if entry.string().is_ok() {
        return entry.checked(Color::from_str).map(Declared::Color);
    }
    let wanted = entry.misused("it takes a colour, or { tag = \"…\" }");
    let mut entries = entry.table()?;
    match (entries.pop(), entries.pop()) {
        (Some(tag), None) if tag.name == "tag" => tag.checked(Tag::from_str).map(Declared::Tag),
        _ => Err(wanted),
    }
}

/// What a load balancer of ECS services has, and nothing else: sections that say it.
const OF_LOAD_BALANCERS: [&str; 9] = [
    "production",
    "test",
    "tls",
    "service",
    "network",
    "load_balancer",
    "logs",
    "cluster",
    "roles",
];

/// None where the file names no router.
fn edge(
    top: &Section<'_>,
    router: Option<RouterSection>,
    colors: PerColor<ColorKeys>,
) -> Result<Option<Edge>> {
    let Some(router) = router else {
        return Ok(None);
    };
    if let Some(section) = OF_LOAD_BALANCERS.into_iter().find(|key| top.has(key)) {
        return Err(top.missing(
            section,
            "it is for ECS services behind a load balancer: with [router] take it out",
        ));
    }
    let colors = edge::both(top, colors)?;
    Ok(Some(router.with(colors)))
}

/// The colour that is a service of ECS, if either is.
fn running(
    top: &Section<'_>,
    colors: PerColor<ColorKeys>,
    is_edge: bool,
) -> Result<Option<(Color, String)>> {
    let mut found = None;
    for (color, keys) in [(Color::Blue, colors.blue), (Color::Green, colors.green)] {
        match keys {
            ColorKeys::Nothing => {}
            ColorKeys::Service(name) => found = Some((color, name)),
            ColorKeys::Hosted(_) if is_edge => {}
            ColorKeys::Hosted(_) => {
                return Err(top.missing(
                    "router",
                    format!(
                        "it is missing: [colors.{color}] has a `target`, and [router] says what points at it"
                    ),
                ));
            }
        }
    }
    Ok(found)
}

/// An environment's app has its name behind it, unless it has one of its own.
fn app(top: &mut Section<'_>) -> Result<AppName> {
    let Some(entry) = top.take("app") else {
        return Err(top.missing(
            "app",
            "it is missing: write `app = \"<name>\"` above the first [section]",
        ));
    };
    let name = entry.checked(AppName::from_str)?;
    match top.environment() {
        Some(environment) if !entry.is_of_environment() => {
            in_environment(&name, environment).map_err(|why| top.unfit_environment(why))
        }
        _ => Ok(name),
    }
}

fn container(section: &mut Section<'_>, root: &Path) -> Result<Container> {
    let name = section.take("name");
    let health_path = section.or("health_path", DEFAULT_HEALTH_PATH.to_owned(), |entry| {
        entry.checked(request_path)
    })?;
    let port = section.optional("port", |entry| entry.number(1..=65535))?;
    // `container` names the app's container among those of the file.
    let alias = section.take("container");
    let file = section.optional("task_definition", |entry| {
        entry.checked(not_empty).map(|path| root.join(path))
    })?;
    if let (None, Some(alias)) = (&file, &alias) {
        return Err(alias.misplaced(
            "it picks a container of a `task_definition` file; without one, the key is `name`",
        ));
    }
    if let (Some(_), Some(alias)) = (&name, &alias) {
        return Err(alias.misplaced("`name` says the same: keep one of them"));
    }
    let name = match name.or(alias) {
        Some(entry) => entry.checked(ecs_name)?,
        None => DEFAULT_CONTAINER.to_owned(),
    };
    let architecture = section.optional("architecture", |entry| entry.checked(architecture))?;
    let definition = match file {
        Some(path) => DefinitionSource::File(own_definition(section, path, port)?),
        None => {
            if let Some(entry) = FILE_KEYS.into_iter().find_map(|key| section.take(key)) {
                return Err(entry.misplaced(
                    "it is about the file that `task_definition` names, and there is none",
                ));
            }
            DefinitionSource::Settings(settings(section, port)?)
        }
    };
    Ok(Container {
        name,
        health_path,
        architecture,
        definition,
    })
}

fn own_definition(
    section: &mut Section<'_>,
    path: PathBuf,
    port: Option<u16>,
) -> Result<OwnDefinition> {
    refuse_settings(section)?;
    let apps = section.optional("app_containers", |entry| {
        let names = entry.strings()?;
        let checked: std::result::Result<Vec<_>, _> =
            names.iter().map(|name| ecs_name(name)).collect();
        checked.map_err(|why| entry.invalid(why))
    })?;
    Ok(OwnDefinition {
        path,
        port,
        app_containers: apps.unwrap_or_default(),
        expand: section.or("expand", false, KeyValue::boolean)?,
        unchecked: section
            .optional("unchecked", KeyValue::strings)?
            .unwrap_or_default(),
    })
}

fn refuse_settings(section: &mut Section<'_>) -> Result<()> {
    match SETTINGS_KEYS.into_iter().find_map(|key| section.take(key)) {
        None => Ok(()),
        Some(entry) => {
            Err(entry.misplaced("not allowed beside `task_definition`: that file says it"))
        }
    }
}

fn settings(section: &mut Section<'_>, port: Option<u16>) -> Result<ContainerSection> {
    let default = ContainerSection::default();
    let size = task_size(section)?;
    let command = section.optional("command", |entry| {
        let words = entry.strings()?;
        if words.is_empty() {
            return Err(entry.invalid("it is empty; leave the key out instead"));
        }
        Ok(words)
    })?;
    let mut environment = BTreeMap::new();
    for entry in table(section, "environment")? {
        environment.insert(variable(&entry)?, Hidden::new(entry.string()?));
    }
    let mut secrets = BTreeMap::new();
    for entry in table(section, "secrets")? {
        let name = variable(&entry)?;
        // ECS refuses a name that is both
        // (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html).
        if environment.contains_key(&name) {
            return Err(entry.misplaced("it is in `environment` too: keep one"));
        }
        secrets.insert(name, entry.checked(SecretRef::from_str)?);
    }
    Ok(ContainerSection {
        port: port.unwrap_or(default.port),
        size,
        command: command.unwrap_or_default(),
        environment,
        secrets,
    })
}

fn task_size(section: &mut Section<'_>) -> Result<TaskSize> {
    let default = TaskSize::default();
    let cpu = section.take("cpu");
    let units = match &cpu {
        Some(entry) => entry.one_of(&TaskSize::cpu_choices())?,
        None => default.cpu(),
    };
    let memory = section.take("memory");
    let mebibytes = match &memory {
        Some(entry) => entry.number(1..=u32::MAX)?,
        None => default.memory(),
    };
    TaskSize::new(units, mebibytes).map_err(|why| match memory.or(cpu) {
        Some(entry) => entry.invalid(why),
        // Not reached: the defaults are a pair that exists.
        None => section.missing("memory", why),
    })
}

pub(super) fn table<'a>(section: &mut Section<'a>, key: &'static str) -> Result<Vec<KeyValue<'a>>> {
    section.take(key).map_or(Ok(Vec::new()), KeyValue::table)
}

fn variable(entry: &KeyValue<'_>) -> Result<String> {
    variable_name(&entry.name).map_err(|why| entry.misplaced(why))
}

/// And the key of it that not every app has.
fn service<'a>(
    section: &mut Section<'a>,
    is_attached: bool,
) -> Result<(Service, Option<KeyValue<'a>>)> {
    let default = Service::default();
    let mut service = Service {
        desired_count: section.or("desired_count", default.desired_count, |entry| {
            entry.number(1..=MOST_TASKS)
        })?,
        health_check_grace_period: section.or(
            "health_check_grace_period_seconds",
            default.health_check_grace_period,
            |entry| seconds(entry, 0, LONGEST_GRACE_PERIOD),
        )?,
        said: ServiceKeys::default(),
    };
    service.said = said_of_service(section, is_attached, service.desired_count)?;
    Ok((service, section.take("cluster")))
}

/// And the one that is given.
fn network(
    section: &mut Section<'_>,
    has_all: bool,
) -> Result<(NetworkSection, Option<GivenNetwork>)> {
    let default = NetworkSection::default();
    refuse_if(has_all, section, &[&["vpc"][..], &given::OF_A_VPC].concat())?;
    let given = given::network(section)?;
    let made = NetworkSection {
        test_cidr: section.or("test_cidr", default.test_cidr, |entry| {
            entry.checked(Ipv4Cidr::from_str)
        })?,
        cidr: section.or("cidr", default.cidr, |entry| {
            entry.checked(|text| text.parse::<Ipv4Cidr>()?.of_a_network())
        })?,
        zones: section.or("zones", default.zones, |entry| entry.number(2..=3))?,
        nat: section.or("nat", default.nat, |entry| entry.checked(Nat::from_str))?,
        endpoints: section.or("endpoints", default.endpoints, KeyValue::boolean)?,
    };
    Ok((made, given))
}

fn build(section: &mut Section<'_>, root: &Path) -> Result<Build> {
    let mut args = BTreeMap::new();
    for entry in table(section, "args")? {
        args.insert(variable(&entry)?, Hidden::new(entry.string()?));
    }
    let mut labels = BTreeMap::new();
    for entry in table(section, "labels")? {
        let name = not_empty(&entry.name).map_err(|_| entry.misplaced("a label has a name"))?;
        labels.insert(name, entry.string()?.to_owned());
    }
    let secrets = list::<Secret>(section, "secrets")?;
    let ssh = list::<SshAgent>(section, "ssh")?;
    Ok(Build {
        before: section.optional("before", |entry| entry.checked(not_empty))?,
        file: section.optional("file", |entry| {
            entry.checked(not_empty).map(|path| root.join(path))
        })?,
        args,
        target: section.optional("target", |entry| entry.checked(not_empty))?,
        platform: section.optional("platform", |entry| entry.checked(platform))?,
        pull: section.or("pull", false, KeyValue::boolean)?,
        labels,
        secrets: secrets
            .into_iter()
            .map(|secret| secret.within(root))
            .collect(),
        ssh: ssh.into_iter().map(|agent| agent.within(root)).collect(),
        cache_from: list(section, "cache_from")?,
        cache_to: list(section, "cache_to")?,
    })
}

/// A list of what a flag takes. What is wrong with it may be a secret.
fn list<T: FromStr<Err = String>>(section: &mut Section<'_>, key: &'static str) -> Result<Vec<T>> {
    let items = section.optional(key, |entry| {
        let items = entry.strings()?.into_iter();
        let items = items.map(|text| text.parse().map_err(|why: String| entry.misused(why)));
        items.collect()
    });
    Ok(items?.unwrap_or_default())
}

fn registry_section(section: &mut Section<'_>, given: &mut Given) -> Result<Registry> {
    let default = Registry::default();
    given.repository = section.optional("repository", |entry| entry.checked(given::repository))?;
    Ok(Registry {
        url: section.optional("url", |entry| entry.checked(registry))?,
        immutable_tags: section.or("immutable_tags", default.immutable_tags, KeyValue::boolean)?,
    })
}

fn logs(section: &mut Section<'_>, given: &mut Given) -> Result<Logs> {
    let default = Logs::default();
    given.log_group = section.optional("group", |entry| entry.checked(given::log_group))?;
    let retention_days = section.optional("retention_days", |entry| match &given.log_group {
        Some(name) => Err(entry.misplaced(format!(
            "its owner decides this for {name}: bgecs changes nothing that was there before"
        ))),
        None => entry.one_of(&RETENTION_DAYS),
    })?;
    Ok(Logs {
        retention_days: retention_days.unwrap_or(default.retention_days),
    })
}

fn load_balancer(section: &mut Section<'_>, given: &mut Given) -> Result<LoadBalancerSection> {
    let default = LoadBalancerSection::default();
    given::balancer(section, given.network.as_mut())?;
    Ok(LoadBalancerSection {
        connect_to: section.optional("connect_to", |entry| entry.checked(HostPort::from_str))?,
        deregistration_delay: section.or(
            "deregistration_delay_seconds",
            default.deregistration_delay,
            |entry| seconds(entry, 0, LONGEST_DEREGISTRATION),
        )?,
    })
}

fn lease(section: &mut Section<'_>) -> Result<LeaseSection> {
    let default = LeaseSection::default();
    Ok(LeaseSection {
        length: section.or("seconds", default.length, |entry| {
            seconds(entry, SHORTEST_LEASE, LONGEST_LEASE)
        })?,
    })
}

pub(super) fn place(section: &mut Section<'_>) -> Result<AwsPlace> {
    Ok(AwsPlace {
        account: section.optional("account", |entry| entry.checked(AccountId::from_str))?,
        region: section.optional("region", |entry| entry.checked(region))?,
        profile: section.optional("profile", |entry| entry.checked(profile))?,
    })
}

pub(super) fn seconds(entry: &KeyValue<'_>, from: u32, to: u32) -> Result<Duration> {
    Ok(Duration::from_secs(entry.number(from..=to)?))
}
