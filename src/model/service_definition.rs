//! The settings of a service besides its revision and count: the port of its tasks, their
//! network, and how they are replaced.

use std::str::FromStr;
use std::time::Duration;

use super::{
    Color, Compute, ComputeKeys, EcsInfrastructure, Observed, PerColor, ServiceSettings,
    TargetGroupArn,
};

/// AWS's name for it; as much of it as bgecs sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceDefinition {
    pub load_balancers: Vec<LoadBalancer>,
    pub network: Network,
    /// Whole seconds.
    pub health_check_grace_period: Duration,
    pub deployment: DeploymentConfiguration,
    pub propagate_tags: PropagateTags,
    pub compute: Compute,
    /// The names of service discovery and Service Connect under which others find it.
    pub names: Vec<String>,
}

/// Where the tasks of a service are registered, and by which port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    pub target_group: TargetGroupArn,
    pub container: String,
    pub port: u16,
}

impl LoadBalancer {
    fn door(&self) -> String {
        format!("{}:{}", self.container, self.port)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    pub public_ip: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeploymentConfiguration {
    pub minimum_healthy_percent: i32,
    pub maximum_percent: i32,
    /// ECS's circuit breaker, and whether it takes a failed deployment back.
    pub breaker: bool,
    pub rollback: bool,
}

/// Whose tags a service's tasks get: AWS's name for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PropagateTags {
    TaskDefinition,
    Service,
    #[default]
    None,
}

impl PropagateTags {
    pub const ALL: [Self; 3] = [Self::TaskDefinition, Self::Service, Self::None];

    /// ECS's name of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TaskDefinition => "TASK_DEFINITION",
            Self::Service => "SERVICE",
            Self::None => "NONE",
        }
    }
}

impl FromStr for PropagateTags {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| format!("it is one of {}", Self::ALL.map(Self::as_str).join(", ")))
    }
}

/// What the file says of a service that bgecs makes; what it does not say is as the live
/// colour has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceKeys {
    pub compute: ComputeKeys,
    pub minimum_healthy_percent: Option<i32>,
    pub maximum_percent: Option<i32>,
    pub propagate_tags: Option<PropagateTags>,
}

impl DeploymentConfiguration {
    /// With room for one task more, or one less, of so many: ECS rounds the lower limit
    /// up and the upper one down, and could replace none without
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html>).
    pub fn can_replace(self, tasks: i32) -> bool {
        let (most, least) = (
            tasks * self.maximum_percent / 100,
            (tasks * self.minimum_healthy_percent + 99) / 100,
        );
        most > tasks || least < tasks
    }

    /// A rolling update that never has less than the desired count, and that ECS
    /// takes back by itself when tasks keep failing: the idle colour may be the
    /// only way back.
    pub const ROLLING: Self = Self {
        minimum_healthy_percent: 100,
        maximum_percent: 200,
        breaker: true,
        rollback: true,
    };
}

/// What an existing service has to be told; the default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DefinitionChange {
    pub load_balancers: Option<Vec<LoadBalancer>>,
    pub network: Option<Network>,
    /// A change of it alone starts no deployment.
    pub health_check_grace_period: Option<Duration>,
    pub deployment: Option<DeploymentConfiguration>,
    pub propagate_tags: Option<PropagateTags>,
    /// Only new tasks are as it says; a change of it alone starts none, but for the capacity.
    pub compute: ComputeKeys,
    /// In words, for a person.
    words: Vec<String>,
}

impl ServiceDefinition {
    /// What a colour's service is to have: its container serves on that port. What nobody
    /// says of the compute of one of bgecs's own is as the live colour has it.
    pub fn of_color(
        (infra, observed): (&EcsInfrastructure, &Observed),
        color: Color,
        (container, port): (&str, u16),
        health_check_grace_period: Duration,
        said: &ServiceKeys,
    ) -> Self {
        let first = LoadBalancer {
            target_group: infra.target_group(color).clone(),
            container: container.to_owned(),
            port,
        };
        let further = infra.further_groups.iter();
        let further =
            further.filter_map(|pair| further_door((infra, observed), color, pair, &first));
        let load_balancers: Vec<_> = std::iter::once(first.clone()).chain(further).collect();
        match &infra.settings {
            ServiceSettings::Made(network) => Self {
                load_balancers,
                network: known_network(observed, network),
                health_check_grace_period,
                deployment: known_limits(observed, color, said),
                propagate_tags: said
                    .propagate_tags
                    .unwrap_or_else(|| known_tags(observed, color)),
                compute: said.compute.over(known_compute(observed, color)),
                names: Vec::new(),
            },
            ServiceSettings::CopiedFrom(original) => {
                let services = [*original, color].map(|color| &observed.color(color).service);
                let first = services.into_iter().flatten().next();
                Self {
                    load_balancers,
                    ..first.map_or_else(Self::default, |it| it.definition.clone())
                }
            }
        }
    }

    /// What others have added, a target group or a security group, stays.
    pub fn change_to(&self, wanted: &Self) -> DefinitionChange {
        let mut change = DefinitionChange::default();
        let ours = |entry: &&LoadBalancer| {
            let mut groups = wanted.load_balancers.iter();
            groups.any(|wanted| wanted.target_group == entry.target_group)
        };
        let (found, others): (Vec<_>, Vec<_>) = self.load_balancers.iter().partition(ours);
        if !found.iter().copied().eq(&wanted.load_balancers) {
            let [before, after] = [found, wanted.load_balancers.iter().collect()].map(doors);
            change
                .words
                .push(format!("the load balancer's target {before} -> {after}"));
            let all = wanted.load_balancers.iter().chain(others).cloned();
            change.load_balancers = Some(all.collect());
        }
        let network = self.network.with(&wanted.network);
        if network != self.network {
            change.words.push("the network".to_owned());
            change.network = Some(network);
        }
        let [before, after] = [self, wanted].map(|it| it.health_check_grace_period);
        if before != after {
            change.words.push(format!(
                "the health check grace period {} s -> {} s",
                before.as_secs(),
                after.as_secs()
            ));
            change.health_check_grace_period = Some(after);
        }
        if self.deployment != wanted.deployment {
            change.words.push("the deployment configuration".to_owned());
            change.deployment = Some(wanted.deployment);
        }
        change.compute = self.compute.change_to(&wanted.compute);
        change
            .words
            .extend(compute_words(&self.compute, &change.compute));
        if wanted.propagate_tags != self.propagate_tags {
            change.words.push("the tasks' tags".to_owned());
            change.propagate_tags = Some(wanted.propagate_tags);
        }
        change
    }
}

/// The one that bgecs made, with the security groups that somebody has added to the live
/// colour's: what users' tasks reach by them, the others must reach, too.
fn known_network(observed: &Observed, made: &Network) -> Network {
    let live = observed.live_color();
    let live = live.and_then(|live| observed.color(live).service.as_ref());
    live.map_or_else(|| made.clone(), |it| it.definition.network.with(made))
}

/// The live colour's, or its own.
fn known(observed: &Observed, color: Color) -> Option<&ServiceDefinition> {
    let colors = observed.live_color().into_iter().chain([color]);
    let mut services = colors.filter_map(|color| observed.color(color).service.as_ref());
    services.next().map(|it| &it.definition)
}

/// Whatever the limits, ECS takes back by itself what keeps failing.
fn known_limits(observed: &Observed, color: Color, said: &ServiceKeys) -> DeploymentConfiguration {
    let rolling = DeploymentConfiguration::ROLLING;
    let known = known(observed, color).map(|it| it.deployment);
    // A service that was read without limits has none.
    let known = known.filter(|it| it.maximum_percent > 0).unwrap_or(rolling);
    DeploymentConfiguration {
        minimum_healthy_percent: said
            .minimum_healthy_percent
            .unwrap_or(known.minimum_healthy_percent),
        maximum_percent: said.maximum_percent.unwrap_or(known.maximum_percent),
        ..rolling
    }
}

/// Without a wish, the tasks get their task definition's tags, by which they can be told
/// apart.
fn known_tags(observed: &Observed, color: Color) -> PropagateTags {
    let known = known(observed, color).map(|it| it.propagate_tags);
    let known = known.filter(|it| *it != PropagateTags::None);
    known.unwrap_or(PropagateTags::TaskDefinition)
}

fn known_compute(observed: &Observed, color: Color) -> Compute {
    let known = known(observed, color).map(|it| it.compute.clone());
    let known = known.filter(|it| it.capacity.is_fargate());
    known.unwrap_or_default()
}

fn compute_words(before: &Compute, change: &ComputeKeys) -> Vec<String> {
    let capacity = change.capacity.as_ref();
    let capacity = capacity.map(|it| format!("the capacity {} -> {it}", before.capacity));
    let version = change.platform_version.as_ref();
    let version =
        version.map(|it| format!("the platform version {} -> {it}", before.platform_version()));
    let exec = change.exec.map(|is_on| match is_on {
        true => "ECS Exec on".to_owned(),
        false => "ECS Exec off".to_owned(),
    });
    capacity.into_iter().chain(version).chain(exec).collect()
}

/// The same container and port as the service has there that runs it, or the one
/// that it is a copy of. What both were one with moves along.
fn further_door(
    (infra, observed): (&EcsInfrastructure, &Observed),
    color: Color,
    pair: &PerColor<TargetGroupArn>,
    first: &LoadBalancer,
) -> Option<LoadBalancer> {
    [color, color.other()].into_iter().find_map(|of| {
        let service = observed.color(of).service.as_ref()?;
        let at = |group: &TargetGroupArn| {
            let mut all = service.definition.load_balancers.iter();
            all.find(|entry| entry.target_group == *group)
        };
        let there = at(pair.get(of))?;
        let is_one = at(infra.target_group(of)).is_some_and(|it| it.door() == there.door());
        let same = if is_one { first } else { there };
        Some(LoadBalancer {
            target_group: pair.get(color).clone(),
            ..same.clone()
        })
    })
}

fn doors(entries: Vec<&LoadBalancer>) -> String {
    let doors: Vec<String> = entries.into_iter().map(LoadBalancer::door).collect();
    match doors.is_empty() {
        true => "none".to_owned(),
        false => doors.join(", "),
    }
}

impl Network {
    fn with(&self, wanted: &Self) -> Self {
        let has = |group: &String| self.security_groups.contains(group);
        let missing = wanted.security_groups.iter().filter(|group| !has(group));
        let is_where_wanted = self.subnets.len() == wanted.subnets.len()
            && wanted.subnets.iter().all(|it| self.subnets.contains(it));
        Self {
            subnets: match is_where_wanted {
                true => self.subnets.clone(),
                false => wanted.subnets.clone(),
            },
            security_groups: self
                .security_groups
                .iter()
                .chain(missing)
                .cloned()
                .collect(),
            public_ip: wanted.public_ip,
        }
    }
}

impl DefinitionChange {
    pub fn is_nothing(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether only new tasks are as it says.
    pub fn takes_new_tasks(&self) -> bool {
        self.load_balancers.is_some() || self.network.is_some() || !self.compute.is_nothing()
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }

    pub fn is_shown_by(&self, now: &ServiceDefinition) -> bool {
        let Self {
            load_balancers,
            network,
            health_check_grace_period,
            deployment,
            propagate_tags,
            compute,
            words: _,
        } = self;
        load_balancers
            .as_ref()
            .is_none_or(|it| *it == now.load_balancers)
            && network.as_ref().is_none_or(|it| *it == now.network)
            && health_check_grace_period.is_none_or(|it| it == now.health_check_grace_period)
            && deployment.is_none_or(|it| it == now.deployment)
            && propagate_tags.is_none_or(|it| it == now.propagate_tags)
            && now
                .compute
                .change_to(&compute.over(now.compute.clone()))
                .is_nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Capacity;
    use crate::model::testing::{by_several_ways, observed, service};

    fn door(group: &str, container: &str, port: u16) -> LoadBalancer {
        LoadBalancer {
            target_group: TargetGroupArn::new(group),
            container: container.to_owned(),
            port,
        }
    }

    /// Of the idle colour, beside a service that is in both of its groups.
    fn wanted(
        running: Vec<LoadBalancer>,
        own: Option<Vec<LoadBalancer>>,
    ) -> Vec<(String, String, u16)> {
        let mut world = observed();
        world.infrastructure = by_several_ways().into();
        let with = |load_balancers| {
            let mut it = service(1);
            it.definition.load_balancers = load_balancers;
            it
        };
        world.colors.blue.service = Some(with(running));
        world.colors.green.service = own.map(with);
        let it = ServiceDefinition::of_color(
            (world.ecs().unwrap(), &world),
            Color::Green,
            ("web", 80),
            Duration::ZERO,
            &ServiceKeys::default(),
        );
        let all = it.load_balancers.into_iter();
        all.map(|it| (it.target_group.to_string(), it.container, it.port))
            .collect()
    }

    #[test]
    fn what_nobody_says_of_the_compute_is_as_the_live_colour_has_it() {
        let mut world = observed();
        let mut live = service(1);
        live.definition.compute.exec = true;
        live.definition.compute.capacity = Capacity::of("FARGATE_SPOT");
        world.colors.green.service = Some(live.clone());
        world.colors.blue.service = Some(service(1));
        let wanted = |compute: &ComputeKeys, color| {
            let world = (world.ecs().unwrap(), &world);
            let said = ServiceKeys {
                compute: compute.clone(),
                ..ServiceKeys::default()
            };
            let it = ServiceDefinition::of_color(world, color, ("web", 80), Duration::ZERO, &said);
            it.compute
        };
        let nothing = ComputeKeys::default();
        for color in Color::BOTH {
            assert_eq!(wanted(&nothing, color), live.definition.compute);
        }
        let said = ComputeKeys {
            exec: Some(false),
            ..nothing
        };
        let blue = wanted(&said, Color::Blue);
        assert_eq!(
            (blue.exec, &blue.capacity),
            (false, &Capacity::of("FARGATE_SPOT"))
        );
        let change = service(1).definition.compute.change_to(&blue);
        let words = compute_words(&service(1).definition.compute, &change);
        assert_eq!(words, ["the capacity FARGATE -> FARGATE_SPOT weight 1"]);
        assert!(blue.change_to(&blue).is_nothing());
    }

    #[test]
    fn limits_are_as_the_live_colour_has_them_or_the_file() {
        let mut world = observed();
        let limits = |minimum_healthy_percent, maximum_percent| DeploymentConfiguration {
            minimum_healthy_percent,
            maximum_percent,
            ..DeploymentConfiguration::ROLLING
        };
        let wanted = |world: &Observed, said: &ServiceKeys| {
            let world = (world.ecs().unwrap(), world);
            let it =
                ServiceDefinition::of_color(world, Color::Blue, ("web", 80), Duration::ZERO, said);
            (it.deployment, it.propagate_tags)
        };
        let said = ServiceKeys {
            maximum_percent: Some(150),
            propagate_tags: Some(PropagateTags::Service),
            ..ServiceKeys::default()
        };
        let nothing = ServiceKeys::default();
        let usual = (
            DeploymentConfiguration::ROLLING,
            PropagateTags::TaskDefinition,
        );
        assert_eq!(wanted(&world, &nothing), usual);
        let mut live = service(1);
        // Its owner has switched the breaker off: a release of bgecs's has one.
        live.definition.deployment = DeploymentConfiguration {
            breaker: false,
            ..limits(50, 200)
        };
        assert_eq!(live.definition.propagate_tags, PropagateTags::None);
        world.colors.green.service = Some(live);
        let of_live = (limits(50, 200), PropagateTags::TaskDefinition);
        assert_eq!(wanted(&world, &nothing), of_live);
        let of_file = (limits(50, 150), PropagateTags::Service);
        assert_eq!(wanted(&world, &said), of_file);
    }

    #[test]
    fn ecs_needs_room_to_replace_a_task() {
        for (least, most, tasks, can) in [
            (100, 200, 1, true),
            (100, 100, 9, false),
            (100, 150, 1, false),
            (100, 150, 2, true),
            (50, 100, 1, false),
            (50, 100, 2, true),
            (0, 100, 1, true),
        ] {
            let limits = DeploymentConfiguration {
                minimum_healthy_percent: least,
                maximum_percent: most,
                ..DeploymentConfiguration::ROLLING
            };
            assert_eq!(limits.can_replace(tasks), can, "{least} {most} {tasks}");
        }
    }

    #[test]
    fn a_security_group_of_the_live_colour_is_the_other_ones_too() {
        let mut world = observed();
        let mut live = service(1);
        live.definition.network.security_groups = vec!["sg-database".to_owned()];
        world.colors.green.service = Some(live);
        let wanted = |world: &Observed, color| {
            let world = (world.ecs().unwrap(), world);
            let said = ServiceKeys::default();
            let it = ServiceDefinition::of_color(world, color, ("web", 80), Duration::ZERO, &said);
            it.network
        };
        let with = wanted(&world, Color::Blue);
        world.colors.green.service = None;
        let without = wanted(&world, Color::Blue);
        let added = [&["sg-database".to_owned()][..], &without.security_groups].concat();
        assert_eq!(with.security_groups, added);
        assert_eq!(with.subnets, without.subnets);
    }

    #[test]
    fn a_colour_is_registered_wherever_the_other_one_is() {
        let (first, second) = ("tg/green".to_owned(), "tg/internal-green".to_owned());
        let web = |group: &String| (group.clone(), "web".to_owned(), 80);
        // One door in both groups: it moves along where the file names another.
        let running = vec![
            door("tg/blue", "app", 8080),
            door("tg/internal-blue", "app", 8080),
        ];
        assert_eq!(wanted(running, None), [web(&first), web(&second)]);
        // A door of its own stays what it is.
        let running = || {
            vec![
                door("tg/blue", "app", 8080),
                door("tg/internal-blue", "grpc", 9090),
            ]
        };
        let grpc = |port| (second.clone(), "grpc".to_owned(), port);
        assert_eq!(wanted(running(), None), [web(&first), grpc(9090)]);
        // And goes by the service's own, once there is one.
        let own = vec![
            door("tg/green", "web", 80),
            door("tg/internal-green", "grpc", 9091),
        ];
        assert_eq!(wanted(running(), Some(own)), [web(&first), grpc(9091)]);
    }
}
