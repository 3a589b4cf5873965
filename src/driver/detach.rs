//! Detaches bgecs from a service: removes what it made, and nothing else. The service
//! that was there before stays with what it runs, and its listener and rule stay as they
//! are.

use tokio::time::{Instant, sleep};

use super::destroy::{PAUSE, TASK_PATIENCE, remove_service, remove_stack, remove_task_definitions};
use super::scaling;
use super::tidy::uses;
use super::turn::Turn;
use crate::aws::{Revisions, Router, StackSnapshot};
use crate::engine::plan::{self, Refusal, Step, SwapPlan};
use crate::error::{Error, Exit, Result};
use crate::model::{Color, EcsInfrastructure, Observed, Revision, Route};
use crate::report::ReportEvent;
use crate::session::Session;

/// What there is to remove.
#[derive(Debug)]
pub struct Detachment {
    /// How many tasks the service that bgecs made wants, if it exists.
    service: Option<i32>,
    /// Those that the remaining service does not run.
    task_definitions: Revisions,
    /// What that service runs, if it is of bgecs's family: it stays.
    pub kept: Option<Revision>,
}

impl Detachment {
    /// Whether a target group has no targets until it is deleted itself.
    pub fn empties_a_group(&self) -> bool {
        self.service.is_some_and(|tasks| tasks > 0)
    }
}

/// Refuses unless users are on the service that stays and nobody comes in at the other.
///
/// # Errors
/// Where users are, and how to get them back.
pub fn refuse_cutting_off(observed: &Observed, original: Color) -> Result<()> {
    let made = original.other();
    if observed.live_color() != Some(original) {
        return Err(
            Error::from(not_there((observed.ecs()?, observed), original)).untouched(observed),
        );
    }
    Ok(plan::refuse_cutting_off(
        &observed.other_ways,
        &[made],
        "bgecs detach",
    )?)
}

/// The same, if no journal is left to say what runs.
///
/// # Errors
/// Users are not on the service that stays (exit 6); AWS's own.
pub async fn refuse_users_elsewhere(
    session: &Session,
    infra: &EcsInfrastructure,
    original: Color,
) -> Result<()> {
    let found = session.aws.alb_router(infra).read().await?.production;
    if found.only() == Some(original) {
        return Ok(());
    }
    let name = infra.services.name(original);
    let (endpoint, group) = (&infra.endpoints.production, infra.groups_named(original));
    Err(Error::refused(format!(
        "users are not on the service {name} alone, which will stay"
    ))
    .traffic(format!("{endpoint} -> {found}"))
    .hint(format!(
        "point {} at {group} by hand once that service runs the release that users should have; then `bgecs detach`",
        infra.places_named(Route::Production)
    )))
}

fn not_there((infra, observed): (&EcsInfrastructure, &Observed), original: Color) -> Refusal {
    let services = &infra.services;
    let (name, made) = (services.name(original), original.other());
    let runs = |color| match &observed.color(color).service {
        Some(service) => {
            let release = match observed.color(color).tag() {
                Some(tag) => format!("tag {tag}"),
                None => service.task_definition.short().to_owned(),
            };
            format!("{} runs {release}", services.named(color))
        }
        None => format!("{} does not exist", services.name(color)),
    };
    Refusal {
        message: format!(
            "users are not on the service {name} alone, which will stay: {}; {}",
            runs(original),
            runs(made)
        ),
        hint: Some(ways_home((infra, observed), original)),
    }
}

/// How to bring users to the service that stays: with the release that they have now, and
/// if possible with the one before.
fn ways_home((infra, observed): (&EcsInfrastructure, &Observed), original: Color) -> String {
    if observed.color(original).service.is_none() {
        return "create that service again as it was; or stay attached: the other one keeps running without it".to_owned();
    }
    let tag = observed.color(original.other()).tag();
    let repository = &infra.repository_uri;
    let promote = format!("`bgecs promote {original}` brings users to it");
    let with_it = match tag {
        Some(tag) if observed.color(original).tag() == Some(tag) => promote,
        Some(tag) => format!(
            "`bgecs deploy --image {repository}:{tag} --tag {tag} --color {original} --force` puts that release there, {promote}"
        ),
        None => format!(
            "`bgecs deploy CONTEXT --tag TAG --color {original}` puts a release there, {promote}"
        ),
    };
    let back = match (plan::rollback(observed), observed.deployed(original)) {
        (Ok(SwapPlan::Swap { to, .. }), Some(before)) if to == original => {
            let before = before.release();
            format!("; or `bgecs rollback` takes them back to {before}")
        }
        _ => String::new(),
    };
    format!("{with_it}{back}; then `bgecs detach`")
}

/// Reads what there is to remove.
///
/// # Errors
/// AWS's own.
pub async fn take_inventory(
    session: &Session,
    infra: &EcsInfrastructure,
    original: Color,
) -> Result<Detachment> {
    let (aws, name) = (&session.aws, session.stack_name());
    let (services, revisions) =
        futures_util::try_join!(aws.read_services(&infra.services), aws.all_revisions(&name))?;
    let of = |color| {
        let mut all = services.iter();
        all.find(|(of, _)| *of == color).map(|(_, service)| service)
    };
    let in_use = |arn: &Revision| of(original).is_some_and(|service| uses(service, arn));
    let mut all = revisions.active.iter().chain(&revisions.inactive);
    let kept = all.find(|arn| in_use(arn)).cloned();
    let unused = |mut arns: Vec<Revision>| {
        arns.retain(|arn| !in_use(arn));
        arns
    };
    Ok(Detachment {
        service: of(original.other()).map(|service| service.desired),
        task_definitions: Revisions {
            active: unused(revisions.active),
            inactive: unused(revisions.inactive),
        },
        kept,
    })
}

/// What is removed, in its order.
pub fn steps(
    session: &Session,
    infra: &EcsInfrastructure,
    (it, made): (&Detachment, Color),
) -> Vec<Step> {
    let name = session.stack_name();
    let service = it.service.map(|tasks| Step::DeleteService {
        service: infra.services.named(made),
        tasks,
    });
    let revisions = (!it.task_definitions.is_empty()).then(|| Step::DeleteTaskDefinitions {
        family: name.clone(),
        count: it.task_definitions.count(),
    });
    let stack = Step::DeleteStack { name: name.clone() };
    service
        .into_iter()
        .chain(revisions)
        .chain([stack])
        .collect()
}

/// Removes all of it. What is gone stays gone, and the next run continues from there.
///
/// There is no turn if the journal is gone already.
///
/// # Errors
/// The first thing that could not be removed.
pub async fn detach(
    session: &Session,
    turn: Option<&Turn>,
    (infra, stack): (&EcsInfrastructure, &StackSnapshot),
    (it, made): (&Detachment, Color),
) -> Result<()> {
    if it.service.is_some() {
        scaling::forget(session, turn, &infra.services, [made].into_iter()).await?;
        remove_service(session, turn, &infra.services, made).await?;
    }
    await_gone(session, infra, made).await?;
    remove_task_definitions(session, turn, &it.task_definitions).await?;
    remove_stack(session, turn, stack).await
}

/// ECS keeps a deleted service as long as one of its tasks runs, and its target group
/// must not be deleted before these are gone.
async fn await_gone(session: &Session, infra: &EcsInfrastructure, made: Color) -> Result<()> {
    let (started, name) = (Instant::now(), infra.services.name(made));
    while session
        .aws
        .read_service(&infra.services, made)
        .await?
        .is_some()
    {
        session.report.tell(&ReportEvent::Doing(format!(
            "the tasks of {name} are stopping"
        )));
        if started.elapsed() > TASK_PATIENCE {
            let seconds = TASK_PATIENCE.as_secs();
            return Err(Error::new(
                Exit::TimedOut,
                format!("the service {name} is still being deleted after {seconds} s"),
            )
            .hint("run `bgecs detach` again: it continues where this one stopped"));
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::error::Exit;
    use crate::model::testing::{
        by_rules, observed_by_header, release, service, to, with_previous,
    };

    /// Tag 1 on blue, tag 2 on green.
    fn with_users_on_green() -> Observed {
        let mut world = observed_by_header();
        world.traffic.production = to(Color::Green);
        for (color, tag) in [(Color::Blue, "1"), (Color::Green, "2")] {
            let state = world.colors.get_mut(color);
            state.service = Some(service(2));
            state.release = Some(release(tag));
        }
        world
    }

    #[test]
    fn users_are_not_left_without_a_service() {
        let world = with_users_on_green();
        assert!(refuse_cutting_off(&world, Color::Green).is_ok());
        let error = refuse_cutting_off(&world, Color::Blue).unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        insta::assert_snapshot!(format!("{}\n{}", error.message, error.hint.unwrap()), @"
        users are not on the service blue alone, which will stay: blue runs tag 1; green runs tag 2
        `bgecs deploy --image 1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:2 --tag 2 --color blue --force` puts that release there, `bgecs promote blue` brings users to it; then `bgecs detach`
        ");
    }

    #[test]
    fn each_way_home_is_told_that_there_is() {
        let world = with_users_on_green();
        let with_a_way_back = with_previous(world.clone(), Some(Color::Blue));
        let mut alike = world.clone();
        alike.colors.blue.release = Some(release("2"));
        let mut unnamed = world;
        unnamed.colors.green.release = None;
        let all = [with_a_way_back, alike, unnamed]
            .map(|world| ways_home((world.ecs().unwrap(), &world), Color::Blue));
        insta::assert_snapshot!(all.join("\n"), @"
        `bgecs deploy --image 1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:2 --tag 2 --color blue --force` puts that release there, `bgecs promote blue` brings users to it; or `bgecs rollback` takes them back to tag 1; then `bgecs detach`
        `bgecs promote blue` brings users to it; then `bgecs detach`
        `bgecs deploy CONTEXT --tag TAG --color blue` puts a release there, `bgecs promote blue` brings users to it; then `bgecs detach`
        ");
    }

    /// Somebody deleted the table by hand, and the journal with it.
    #[tokio::test]
    async fn without_a_journal_the_load_balancer_says_where_users_are() {
        let rule = |group: &str| {
            Reply::xml(
                "DescribeRules",
                &format!(
                    "<Rules><member><RuleArn>rule/prod</RuleArn><Actions><member><Type>forward</Type>\
                     <TargetGroupArn>{group}</TargetGroupArn></member></Actions></member></Rules>"
                ),
            )
        };
        for (group, is_fine) in [("tg/blue", true), ("tg/green", false), ("tg/other", false)] {
            let wire = Wire::new().on("DescribeRules", rule(group));
            let session = Session::of_hello(wire.aws());
            let refused = refuse_users_elsewhere(&session, &by_rules(), Color::Blue).await;
            assert_eq!(refused.is_ok(), is_fine, "{group}: {refused:?}");
        }
    }
}
