//! Making the second colour's place beside a service that ran before bgecs came:
//! a stack of its own, in which nothing takes a user's request. The service, its
//! load balancer and all else of its owner's are only read.

use serde_json::Value;

use super::turn::Turn;
use super::{running, stack};
use crate::aws::{AwsError, StackInputs, StackSnapshot, attached_template};
use crate::config::Attached;
use crate::engine::attachment::{self, UsersWay};
use crate::engine::plan::Step;
use crate::error::{Error, Result};
use crate::model::{
    Attachment, Color, ColorServices, Infrastructure, ListenerArn, NamedRepository, Observed,
    PerColor, UsersRule,
};
use crate::report::ReportEvent;
use crate::session::{Session, unusable};

/// What `attach` found and means to do.
#[derive(Debug)]
pub struct PreparedAttachment {
    pub attachment: Attachment,
    pub change: AttachmentChange,
    template: String,
    before: Option<StackSnapshot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentChange {
    Create,
    Update,
    Nothing,
}

/// Looks, and plans. Changes nothing.
///
/// # Errors
/// No such service, one that bgecs cannot be attached to (exit 6), or a stack that
/// is not in order.
pub async fn prepare(session: &Session, attached: &Attached) -> Result<PreparedAttachment> {
    let before = session.aws.read_stack(&session.stack_name()).await?;
    if let Some(stack) = before.as_ref().filter(|stack| stack.is_unusable()) {
        return Err(unusable(stack));
    }
    let earlier = match &before {
        Some(stack) => Some(session.infrastructure_of(stack)?),
        None => None,
    };
    let attachment = attachment(session, attached, earlier.as_ref()).await?;
    let template = attached_template(&attachment);
    let change = match &before {
        None => AttachmentChange::Create,
        Some(stack) => {
            let made = session.aws.read_template(&stack.name).await?;
            match is_same(&made, &template) {
                true => AttachmentChange::Nothing,
                false => AttachmentChange::Update,
            }
        }
    };
    Ok(PreparedAttachment {
        attachment,
        change,
        template,
        before,
    })
}

/// However CloudFormation gives the text back.
fn is_same(made: &str, template: &str) -> bool {
    let [made, template] = [made, template].map(serde_json::from_str::<Value>);
    made.is_ok_and(|made| template.is_ok_and(|template| made == template))
}

async fn attachment(
    session: &Session,
    attached: &Attached,
    earlier: Option<&Infrastructure>,
) -> Result<Attachment> {
    let (aws, app) = (&session.aws, &session.config.app);
    let services = services(session, attached);
    let read = running::read(aws, &attached.cluster, &attached.service).await?;
    let (door, _) = read.only_target()?;
    let mut ours = vec![door.target_group.clone()];
    ours.extend(earlier.map(|infra| infra.target_group(attached.color.other()).clone()));
    let way = attachment::users_way(attached, &ours, &read.balancers)?;
    let own = earlier.and_then(|infra| infra.places.header_rules());
    let priorities = attachment::priorities(way, own)?;
    let (group_settings, rule) = futures_util::try_join!(
        aws.read_group_settings(&door.target_group),
        users_rule(session, way),
    )?;
    let image = read.image(&door.container);
    let registry = session.registry();
    let repository = image.and_then(|it| NamedRepository::of_image(it, registry.as_deref()));
    let log_group = read.log_group(&door.container).map(str::to_owned);
    Ok(Attachment {
        app: app.clone(),
        services,
        original: attached.color,
        target_group: door.target_group.clone(),
        group_settings,
        load_balancer: way.balancer.arn.clone(),
        load_balancer_dns_name: way.balancer.dns_name.clone(),
        listener: ListenerArn::new(way.listener.arn.as_str()),
        rule,
        priorities,
        url: attached.url.clone(),
        // What the stack has made itself it goes on making.
        repository: repository.filter(|it| it.name != app.stack_name()),
        log_group: log_group.filter(|it| *it != app.log_group()),
    })
}

/// The running service's own name, and for the other one that of the app.
fn services(session: &Session, attached: &Attached) -> ColorServices {
    let [blue, green] = Color::BOTH.map(|color| match color == attached.color {
        true => attached.service.clone(),
        false => session.config.app.colored(color),
    });
    ColorServices::new(&attached.cluster, PerColor { blue, green })
}

async fn users_rule(session: &Session, way: UsersWay<'_>) -> Result<Option<UsersRule>, AwsError> {
    if way.rule.priority.is_none() {
        return Ok(None);
    }
    let arn = way.rule.arn.clone();
    let conditions = session.aws.read_rule_conditions(&arn).await?;
    Ok(Some(UsersRule { arn, conditions }))
}

/// What is made, in words.
pub fn steps(prepared: &PreparedAttachment) -> Vec<Step> {
    let it = &prepared.attachment;
    let name = it.app.stack_name();
    let mut makes = vec![
        format!(
            "the target group {} like that of {}",
            it.app.colored(it.made()),
            it.services.name(it.original)
        ),
        format!(
            "the rules {} and {} for testers",
            it.priorities.blue, it.priorities.green
        ),
        format!("the journal table {name}"),
    ];
    if it.log_group.is_none() {
        makes.push(format!("the log group {}", it.app.log_group()));
    }
    if it.repository.is_none() {
        makes.push(format!("the repository {name}"));
    }
    match prepared.change {
        AttachmentChange::Create => vec![Step::Attach { name, makes }],
        AttachmentChange::Update => vec![Step::UpdateStack {
            name,
            changes: makes,
        }],
        AttachmentChange::Nothing => Vec::new(),
    }
}

/// Makes the stack, and waits. It has no journal yet: there is no turn.
///
/// A priority that was free can be another's by the time that the rule is made:
/// then two others are found.
///
/// # Errors
/// What CloudFormation says of the first resource that failed.
pub async fn make(
    session: &Session,
    attached: &Attached,
    prepared: &mut PreparedAttachment,
) -> Result<Infrastructure> {
    const RETRIES: usize = 2;
    for _ in 0..RETRIES {
        match carry_out(session, None, prepared).await {
            Err(error) if is_priority_in_use(&error) => {
                session.report.tell(&ReportEvent::Warning(
                    "another took a rule's priority meanwhile: others are tried".to_owned(),
                ));
                if let Some(stack) = session.aws.read_stack(&session.stack_name()).await? {
                    stack::delete(session, &stack).await?;
                }
                *prepared = prepare(session, attached).await?;
            }
            made => return made,
        }
    }
    carry_out(session, None, prepared).await
}

/// CloudFormation passes on no code of a resource's error, but the words of ELB's
/// `PriorityInUse`.
fn is_priority_in_use(error: &Error) -> bool {
    let says_so = |cause: &String| {
        let cause = cause.to_ascii_lowercase();
        cause.contains("priorityinuse") || cause.contains("priority") && cause.contains("in use")
    };
    error.causes.iter().any(says_so)
}

/// Carries it out, and waits.
///
/// # Errors
/// What CloudFormation says of the first resource that failed.
pub async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    prepared: &PreparedAttachment,
) -> Result<Infrastructure> {
    // Its template has no parameters.
    let inputs = StackInputs::new();
    let made = (prepared.template.as_str(), &inputs);
    match prepared.change {
        AttachmentChange::Nothing => {}
        AttachmentChange::Create => stack::make(session, made).await?,
        AttachmentChange::Update => {
            stack::about_to_update(turn, &session.stack_name()).await?;
            stack::renew(session, prepared.before.as_ref(), made).await?;
        }
    }
    session.infrastructure().await
}

/// Users are on the service that was there: from now on the journal says so.
///
/// # Errors
/// They are not (exit 6).
pub fn is_at_the_beginning(observed: &Observed, it: &Attachment) -> Result<()> {
    if observed.journal.truth.is_some() || observed.live_color() == Some(it.original) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} does not forward to the service {} alone",
        observed.endpoints().production,
        it.services.name(it.original)
    ))
    .traffic(observed.traffic_line())
    .hint("point it at that service's target group, then run `bgecs attach` again"))
}

/// Says what was found ahead of what is made.
pub fn tell(session: &Session, it: &Attachment) {
    session.report.tell(&ReportEvent::Note(format!(
        "{} is {}, users come in at {}",
        it.services.path(it.original),
        it.original,
        it.url
    )));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_that_another_took_is_told_from_other_trouble() {
        for (cause, expected) in [
            (
                "TestBlueRule (AWS::ElasticLoadBalancingV2::ListenerRule): Resource handler returned message: \"Priority '8' is currently in use (Service: ElasticLoadBalancingV2, Status Code: 400)\"",
                true,
            ),
            ("TestBlueRule: An error occurred (PriorityInUse)", true),
            (
                "GreenTargetGroup: A target group with the same name exists",
                false,
            ),
            (
                "TestBlueRule: The maximum number of rules has been reached",
                false,
            ),
        ] {
            let error = Error::failed("the stack bgecs-web failed").cause(cause);
            assert_eq!(is_priority_in_use(&error), expected, "{cause}");
        }
    }
}
