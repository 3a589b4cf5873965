//! Services that cannot become an app as they are: why, in a sentence, and how they
//! could.

use super::ReadService;
use crate::counted::counted;
use crate::engine::entrance::WayTo;
use crate::engine::plan::Refusal;
use crate::model::{Capacity, LoadBalancer, TargetGroupSettings, UserMover};

/// Each line of the way there.
const FROM_CODEDEPLOY: &str = "docs/from-codedeploy.md in bgecs's repository";

/// # Errors
/// What is in the way, whatever leads to the service.
pub(super) fn refuse(read: &ReadService) -> Result<(), Refusal> {
    let settings = &read.settings;
    let name = &read.service.name;
    let refused = |what: String, hint: String| Err(Refusal::new(what, hint));
    if settings.is_draining {
        return refused(
            format!("the service {name} is being deleted"),
            "name one that stays with --service".to_owned(),
        );
    }
    match &settings.mover {
        UserMover::Rolling => {}
        UserMover::CodeDeploy => {
            return refused(
                format!(
                    "the service {name} is released by CodeDeploy, which moves its users itself"
                ),
                format!(
                    "give its users a service with ECS's own controller first, and import that: {FROM_CODEDEPLOY} goes through it; `bgecs watch` works with this one as it is"
                ),
            );
        }
        UserMover::External => {
            return refused(
                format!("the service {name} is released by another tool, by task sets (its deployment controller is EXTERNAL)"),
                "a service with ECS's own controller can take its users over, behind a target group of its own: import that one; `bgecs watch` works with this one as it is".to_owned(),
            );
        }
        UserMover::Ecs(strategy) => {
            return refused(
                format!(
                    "ECS moves the users of the service {name} itself, by its strategy {strategy}, and only one can"
                ),
                format!(
                    "`aws ecs update-service --cluster {} --service {name} --deployment-configuration strategy=ROLLING` leaves that to bgecs; then import it",
                    settings.cluster
                ),
            );
        }
    }
    let capacity = &settings.definition.compute.capacity;
    if !capacity.is_fargate() {
        let on = match capacity {
            Capacity::LaunchType(kind) => format!("the launch type {kind}"),
            Capacity::Providers(_) => format!("the capacity provider {capacity}"),
        };
        return refused(
            format!("the service {name} has {on}, and bgecs releases to Fargate alone"),
            "a service on Fargate can take its users over, behind a target group of its own: import that one".to_owned(),
        );
    }
    Ok(())
}

/// Where its tasks are registered.
///
/// # Errors
/// Nowhere, or where users are not moved.
pub(super) fn targets(
    read: &ReadService,
) -> Result<Vec<(&LoadBalancer, &TargetGroupSettings)>, Refusal> {
    const NEEDED: &str = "users are moved by an Application Load Balancer before it: make a service behind a target group of one, and import that";
    let name = &read.service.name;
    let refused = |what: String| Err(Refusal::new(what, NEEDED));
    if let Some(classic) = read.service.classic.first() {
        return refused(format!(
            "the service {name} is behind the Classic Load Balancer {classic}, which sends users to one place alone"
        ));
    }
    let targets = &read.settings.definition.load_balancers;
    if targets.is_empty() {
        return refused(format!("the service {name} is behind no load balancer"));
    }
    let with_its_group = targets.iter().map(|target| {
        let mut groups = read.groups.iter();
        let group = groups.find(|group| group.arn == target.target_group);
        group.map(|group| (target, group)).ok_or(target)
    });
    let targets: Vec<_> = match with_its_group.collect() {
        Ok(targets) => targets,
        Err(target) => {
            return refused(format!(
                "the target group {} of the service {name} is gone",
                target.target_group
            ));
        }
    };
    if let Some(other) = read.balancers.iter().find(|it| !it.is_application) {
        return refused(format!(
            "the service {name} is behind {}, which is not an Application Load Balancer",
            other.name
        ));
    }
    let is_used = |group: &TargetGroupSettings| {
        let mut balancers = read.balancers.iter();
        balancers.any(|it| group.balancers.contains(&it.arn))
    };
    match targets.iter().find(|(_, group)| !is_used(group)) {
        Some((_, group)) => refused(format!(
            "no load balancer uses the target group {} of the service {name}",
            group.name
        )),
        None => Ok(targets),
    }
}

/// Both colours are in all of its groups, and users of one that is not moved
/// would stay behind.
pub(super) fn leaves_a_group_behind(
    read: &ReadService,
    group: &TargetGroupSettings,
    listed: &str,
) -> Refusal {
    Refusal::new(
        format!(
            "none of the ways that are named leads to {}, one of the {} of the service {}: its users would stay on what runs now",
            group.name,
            counted(read.groups.len(), "target group"),
            read.service.name
        ),
        format!("name every way whose users are to be moved:\n{listed}"),
    )
}

pub(super) fn nothing_leads_there(read: &ReadService) -> Refusal {
    let names: Vec<&str> = read.balancers.iter().map(|it| it.name.as_str()).collect();
    let names = names.join(", ");
    Refusal::new(
        format!(
            "no listener or rule of {names} leads to the service {}",
            read.service.name
        ),
        "a rule that gives it its users is what bgecs moves: make it first",
    )
}

pub(super) fn shares_its_users(read: &ReadService, way: WayTo<'_>, ours: u32, all: u32) -> Refusal {
    let name = &read.service.name;
    Refusal::new(
        format!(
            "{way} gives {ours} of {all} requests to the service {name}, and the rest elsewhere"
        ),
        format!("give {name} all of them first, or name another way with --production"),
    )
}
