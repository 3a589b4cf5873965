//! Creates the place for the second colour beside a service that existed before bgecs: a
//! stack of its own, in which nothing receives users' requests. The service, its load
//! balancer and everything else that belongs to its owner are only read.

mod testers;
mod ways;

use serde_json::Value;

use super::stack::NamedStack;
use super::turn::Turn;
use super::{mend, running, stack};
use crate::aws::{AwsError, StackInputs, StackSnapshot, attached_template};
use crate::config::{Attached, TestKey};
use crate::engine::attachment::{self, UsersWay};
use crate::engine::plan::{self, Part, Step};
use crate::error::{Error, Result};
use crate::model::{
    Attachment, Color, ColorServices, EcsInfrastructure, Infrastructure, ListenerArn,
    NamedRepository, Observed, PerColor, Route, TestWay, UsersRule,
};
use crate::report::ReportEvent;
use crate::session::{Session, unusable};

/// What `attach` found, and what it is going to do.
#[derive(Debug)]
pub struct PreparedAttachment {
    pub attachment: Attachment,
    pub change: AttachmentChange,
    /// Notes for the user about the testers' way that is created.
    notes: Vec<String>,
    opening: Option<String>,
    template: String,
    before: Option<StackSnapshot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentChange {
    Create,
    Update,
    Nothing,
}

/// Reads what is there and plans. Changes nothing.
///
/// # Errors
/// No such service, one that bgecs cannot be attached to (exit 6), or a stack in an
/// unusable state.
pub async fn prepare(session: &Session, attached: &Attached) -> Result<PreparedAttachment> {
    let before = session.aws.read_stack(&session.stack_name()).await?;
    if let Some(stack) = before.as_ref().filter(|stack| stack.is_unusable()) {
        return Err(unusable(stack));
    }
    let earlier = match &before {
        Some(stack) => Some(session.infrastructure_of(stack)?.ecs()?.clone()),
        None => None,
    };
    let earlier = (before.as_ref(), earlier.as_ref());
    let left = match earlier {
        (Some(stack), Some(made)) => {
            let wanted = services(session, attached);
            attachment::refuse_another(made, stack.original(), (&wanted, attached.color))?;
            let left = mend::look(session, made).await?;
            refuse_gone(session, attached, (made, &left.gone))?;
            Some((made, left))
        }
        _ => None,
    };
    let (attachment, notes, opening) = attachment(session, attached, earlier).await?;
    if let Some((made, left)) = left {
        let is_there = left.services.contains(&attachment.made());
        let found = (left.gone.as_slice(), is_there);
        attachment::refuse_leaving(made, attachment.original, found, &attachment.ways())?;
    }
    let template = attached_template(&attachment);
    let change = match &before {
        None => AttachmentChange::Create,
        Some(stack) => {
            let made = session.aws.read_template(&stack.name).await?;
            match is_made_of(&made, &attachment) {
                true => AttachmentChange::Nothing,
                false => AttachmentChange::Update,
            }
        }
    };
    Ok(PreparedAttachment {
        attachment,
        change,
        notes,
        opening,
        template,
        before,
    })
}

/// CloudFormation does not notice when something else deletes what it made. Resources of
/// the owner are read anyway.
fn refuse_gone(
    session: &Session,
    attached: &Attached,
    (made, gone): (&EcsInfrastructure, &[Part]),
) -> Result<()> {
    let (app, mut gone) = (&session.config.app, gone.to_vec());
    gone.retain(|part| match part {
        Part::HeaderRule(..) | Part::JournalTable => true,
        // If the file no longer names it, the stack is made without it.
        Part::Listener(route, _) | Part::Rule(route, _) => {
            *route == Route::Test && attached.test != TestKey::Header
        }
        Part::TargetGroup(color) => *color == attached.color.other(),
        Part::Repository => made.repository == app.stack_name(),
        Part::LogGroup => made.log_group == app.log_group(),
        Part::LoadBalancer | Part::Cluster => false,
    });
    Ok(plan::refuse_gone(&gone)?)
}

/// Compares templates as JSON, because CloudFormation may format them differently, and
/// with testers on either colour, because where they are now is not a difference in what
/// is made.
fn is_made_of(made: &str, attachment: &Attachment) -> bool {
    let made: Option<Value> = serde_json::from_str(made).ok();
    let as_of = |test_color| {
        let attachment = attachment.clone();
        attached_template(&Attachment {
            test_color,
            ..attachment
        })
    };
    let is_same = |color| serde_json::from_str(&as_of(color)).ok() == made;
    made.is_some() && Color::BOTH.into_iter().any(is_same)
}

async fn attachment(
    session: &Session,
    attached: &Attached,
    (before, earlier): (Option<&StackSnapshot>, Option<&EcsInfrastructure>),
) -> Result<(Attachment, Vec<String>, Option<String>)> {
    let (aws, app) = (&session.aws, &session.config.app);
    let services = services(session, attached);
    let read = running::read(aws, &attached.cluster, &attached.service).await?;
    let ways = ways::prepare(&read, attached, earlier)?;
    let (way, door) = ways.first;
    let made = attached.color.other();
    let testers = testers::prepare(session, attached, way, (before, earlier)).await?;
    let test_color = match testers.way {
        // Nothing in it is ever moved.
        TestWay::Header => made,
        TestWay::Host { .. } | TestWay::Port { .. } => {
            testers::color(session, earlier, made).await?
        }
    };
    let reserved = testers.reserved().into_iter();
    let reserved = reserved.map(|number| (way.listener.arn.clone(), number));
    let priorities = ways::priorities(&ways, earlier, reserved.collect())?;
    let (group_settings, rule, further_groups, further_ways) = futures_util::try_join!(
        aws.read_group_settings(&door.target_group),
        users_rule(session, way),
        ways::groups(session, &ways),
        ways::further(session, &ways, priorities),
    )?;
    let image = read.image(&door.container);
    let registry = session.registry();
    let repository = image.and_then(|it| NamedRepository::of_image(it, registry.as_deref()));
    let log_group = read.log_group(&door.container).map(str::to_owned);
    let attachment = Attachment {
        app: app.clone(),
        services,
        original: attached.color,
        target_group: door.target_group.clone(),
        group_settings,
        further_groups,
        further_ways,
        load_balancer: way.balancer.arn.clone(),
        load_balancer_dns_name: way.balancer.dns_name.clone(),
        listener: ListenerArn::new(way.listener.arn.as_str()),
        rule,
        priorities: testers.priorities,
        test: testers.way,
        test_color,
        url: attached.url.clone(),
        written: attached.written(),
        // What the stack has created itself it keeps.
        repository: repository.filter(|it| it.name != app.stack_name()),
        log_group: log_group.filter(|it| *it != app.log_group()),
    };
    Ok((attachment, testers.notes, testers.opening))
}

/// The name of the running service, and for the other one the app's own.
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

/// The steps in words.
pub fn steps(prepared: &PreparedAttachment) -> Vec<Step> {
    let it = &prepared.attachment;
    let name = it.app.stack_name();
    let groups = (0..=it.further_groups.len()).map(|number| {
        format!(
            "the target group {} like that of {}",
            it.app.group_name(it.made(), number),
            it.services.name(it.original)
        )
    });
    let mut makes: Vec<String> = groups.collect();
    makes.push(for_testers(it));
    makes.extend(it.further_ways.iter().map(|way| {
        let PerColor { blue, green } = way.priorities;
        format!("the rules {blue} and {green} for testers at {}", way.url)
    }));
    makes.push(format!("the journal table {name}"));
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

fn for_testers(it: &Attachment) -> String {
    let PerColor { blue, green } = it.priorities;
    match &it.test {
        TestWay::Header => format!("the rules {blue} and {green} for testers"),
        TestWay::Host { name, priority, .. } => {
            format!("the rules {blue}, {green} and {priority} for testers at {name}")
        }
        TestWay::Port { listener, .. } => format!(
            "a listener on port {} for testers, otherwise like the users' one",
            listener.port
        ),
    }
}

/// Creates the stack and waits. There is no journal yet, so there is no turn.
///
/// Someone else may take a free priority before the rule is created; then two others are
/// chosen.
///
/// # Errors
/// What CloudFormation says about the first resource that failed.
pub async fn make(
    session: &Session,
    attached: &Attached,
    prepared: &mut PreparedAttachment,
) -> Result<EcsInfrastructure> {
    const RETRIES: usize = 2;
    for _ in 0..RETRIES {
        match carry_out(session, None, prepared).await {
            Err(error) if is_priority_in_use(&error) => {
                session.report.tell(&ReportEvent::Warning(
                    "something else took a rule's priority meanwhile: trying others".to_owned(),
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

/// CloudFormation does not pass on the code of a resource's error, only the text of ELB's
/// `PriorityInUse`.
fn is_priority_in_use(error: &Error) -> bool {
    let says_so = |cause: &String| {
        let cause = cause.to_ascii_lowercase();
        cause.contains("priorityinuse") || cause.contains("priority") && cause.contains("in use")
    };
    error.causes.iter().any(says_so)
}

/// Carries out the planned change, and waits.
///
/// # Errors
/// What CloudFormation says about the first resource that failed.
pub async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    prepared: &PreparedAttachment,
) -> Result<EcsInfrastructure> {
    // Its template has no parameters.
    let inputs = StackInputs::new();
    let made = (prepared.template.as_str(), &inputs);
    match prepared.change {
        AttachmentChange::Nothing => {}
        AttachmentChange::Create => NamedStack::of(session).make(made).await?,
        AttachmentChange::Update => {
            stack::about_to_update(turn, &session.stack_name()).await?;
            NamedStack::of(session)
                .renew(prepared.before.as_ref(), made)
                .await?;
        }
    }
    session.ecs_infrastructure().await
}

/// Checks that users are on the service that was there, which the journal records from
/// now on.
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

/// Whether the testers' place is another one than before, and was only created, not moved
/// by anybody.
pub fn has_new_test_place(before: &EcsInfrastructure, observed: &Observed) -> bool {
    let drift = observed.drift();
    observed
        .ecs()
        .is_ok_and(|now| before.places.test != now.places.test)
        && drift.iter().all(|it| it.route == Route::Test)
}

impl PreparedAttachment {
    /// What had been made before this run, whatever the file says by now.
    ///
    /// # Errors
    /// A stack that lacks something.
    pub async fn infrastructure(&self, session: &Session) -> Result<EcsInfrastructure> {
        match &self.before {
            Some(stack) => Ok(session.infrastructure_of(stack)?.ecs()?.clone()),
            None => session.ecs_infrastructure().await,
        }
    }

    /// Tells the notes about the testers' way.
    pub fn tell_notes(&self, session: &Session) {
        for note in &self.notes {
            session.report.tell(&ReportEvent::Note(note.clone()));
        }
    }

    /// # Errors
    /// A path that no URL can have (exit 2).
    pub async fn tell_of_bar(&self, session: &Session, infra: &Infrastructure) -> Result<()> {
        testers::tell_of_bar(session, infra, self.opening.as_ref()).await
    }
}

/// Tells what was found, before anything is made.
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
    use crate::model::ListenerCopy;
    use crate::model::testing::{
        attachment, infrastructure, observed_by_header, to, with_previous,
    };

    /// A swap moves the testers' place as well; `attach` must not undo that.
    #[test]
    fn where_testers_are_led_by_now_is_no_difference() {
        let host = TestWay::Host {
            name: "next.example.com".to_owned(),
            priority: 10,
            url: "https://next.example.com".to_owned(),
        };
        let of = |test: &TestWay, test_color| Attachment {
            test: test.clone(),
            test_color,
            ..attachment()
        };
        let made = attached_template(&of(&host, Color::Green));
        assert!(is_made_of(&made, &of(&host, Color::Green)));
        assert!(is_made_of(&made, &of(&host, Color::Blue)));
        assert!(!is_made_of(&made, &of(&TestWay::Header, Color::Green)));
        assert!(!is_made_of("Resources: {}", &of(&host, Color::Green)));
    }

    #[test]
    fn what_is_made_for_testers_is_said() {
        let said = |test| {
            for_testers(&Attachment {
                test,
                ..attachment()
            })
        };
        let url = String::new();
        let host = TestWay::Host {
            name: "next.example.com".to_owned(),
            priority: 10,
            url: url.clone(),
        };
        let listener = ListenerCopy {
            port: 8443,
            settings: serde_json::Map::new(),
            further: Vec::new(),
        };
        let all = [TestWay::Header, host, TestWay::Port { listener, url }].map(said);
        insta::assert_snapshot!(all.join("\n"), @"
        the rules 8 and 9 for testers
        the rules 8, 9 and 10 for testers at next.example.com
        a listener on port 8443 for testers, otherwise like the users' one
        ");
    }

    /// A place that was only created where testers should come in now was moved by
    /// nobody.
    #[test]
    fn a_new_place_of_testers_is_no_stranger_s_doing() {
        let mut observed = with_previous(observed_by_header(), None);
        let before = observed.ecs().unwrap().clone();
        assert!(!has_new_test_place(&before, &observed));
        observed.ecs_mut().places.test = infrastructure().places.test;
        observed.traffic.test = to(Color::Blue);
        assert!(has_new_test_place(&before, &observed));
        observed.traffic.production = to(Color::Blue);
        assert!(!has_new_test_place(&before, &observed));
    }

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
