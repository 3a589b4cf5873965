//! Which of the ways named in the configuration bring users in, and to which of the
//! service's target groups each one leads.

use futures_util::future::try_join_all;

use super::users_rule;
use crate::aws::AwsError;
use crate::config::{Attached, NamedWay};
use crate::engine::attachment::{self, UsersWay};
use crate::engine::import::ReadService;
use crate::engine::plan::Refusal;
use crate::model::{
    AttachedWay, CopiedGroup, EcsInfrastructure, ListenerArn, LoadBalancer, PerColor, RuleArn,
    TargetGroupArn,
};
use crate::session::Session;

/// The ways, as they were read.
pub struct PreparedWays<'a> {
    /// `production` in bgecs means this one.
    pub first: (UsersWay<'a>, &'a LoadBalancer),
    /// Each with the number of the target group that it forwards to.
    further: Vec<(NamedWay<'a>, UsersWay<'a>, usize)>,
    /// The target groups other than that of the first way, in the order of their numbers,
    /// from 1.
    groups: Vec<&'a TargetGroupArn>,
}

/// # Errors
/// A way that does not exist or leads elsewhere; a target group that no way leads to.
pub fn prepare<'a>(
    read: &'a ReadService,
    attached: &'a Attached,
    earlier: Option<&EcsInfrastructure>,
) -> Result<PreparedWays<'a>, Refusal> {
    let mut targets = read.targets()?;
    let service = attached.service.as_str();
    // The original's group, and the one that was made earlier for the other colour.
    let pair = |group: &TargetGroupArn| {
        let earlier = earlier.and_then(|infra| infra.pair_of(group.as_str()));
        let made = earlier.map(|pair| pair.get(attached.color.other()).clone());
        std::iter::once(group.clone()).chain(made).collect()
    };
    let pairs = |targets: &[(&LoadBalancer, _)]| -> Vec<Vec<TargetGroupArn>> {
        let groups = targets.iter().map(|(target, _)| &target.target_group);
        groups.map(pair).collect()
    };
    let all: Vec<TargetGroupArn> = pairs(&targets).concat();
    let find = |named| attachment::users_way((named, service), &all, &read.balancers);
    let way = find(attached.first_way())?;
    let first = attachment::pair_of(way, &pairs(&targets))?;
    let moved = targets.remove(first);
    targets.insert(0, moved);
    let pairs = pairs(&targets);
    let further = attached.further_ways().map(|named| {
        let way = find(named)?;
        Ok((named, way, attachment::pair_of(way, &pairs)?))
    });
    let further: Vec<_> = further.collect::<Result<_, Refusal>>()?;
    let led_to = further.iter().map(|(.., group)| *group);
    let led_to: Vec<usize> = std::iter::once(0).chain(led_to).collect();
    let settings: Vec<_> = targets.iter().map(|(_, group)| *group).collect();
    attachment::refuse_left_out(&settings, &led_to, service)?;
    let groups = targets.iter().map(|(target, _)| &target.target_group);
    Ok(PreparedWays {
        first: (way, targets[0].0),
        further,
        groups: groups.skip(1).collect(),
    })
}

/// The settings that are needed to create groups like these.
pub async fn groups(
    session: &Session,
    ways: &PreparedWays<'_>,
) -> Result<Vec<CopiedGroup>, AwsError> {
    let groups = ways.groups.iter().map(|arn| async {
        let settings = session.aws.read_group_settings(arn).await?;
        Ok(CopiedGroup {
            arn: (*arn).clone(),
            settings,
        })
    });
    try_join_all(groups).await
}

/// Free priorities before each way's own, for the rules by which a request names its
/// colour. Those in `reserved`, each at a listener, are taken already.
///
/// # Errors
/// A listener has no free priority left.
pub fn priorities(
    ways: &PreparedWays<'_>,
    earlier: Option<&EcsInfrastructure>,
    mut reserved: Vec<(String, u32)>,
) -> Result<Vec<PerColor<u32>>, Refusal> {
    let mut all = Vec::new();
    for (_, way, _) in &ways.further {
        attachment::refuse_way_around(*way)?;
        let made = earlier.map(|infra| infra.further_ways.as_slice());
        let mut made = made.unwrap_or_default().iter();
        let own = made.find(|it| it.place.arn() == place(way));
        let own = own.map(|it| [it.header_rules.blue.clone(), it.header_rules.green.clone()]);
        let listener = &way.listener.arn;
        let taken = reserved.iter().filter(|(at, _)| at == listener);
        let taken: Vec<u32> = taken.map(|(_, number)| *number).collect();
        let own: &[RuleArn] = own.as_ref().map_or(&[], |own| own);
        let [blue, green] = attachment::priorities(*way, own, &taken)?;
        reserved.extend([blue, green].map(|number| (listener.clone(), number)));
        all.push(PerColor { blue, green });
    }
    Ok(all)
}

/// The ARN of what is moved: the rule, or the listener for its default action.
fn place<'a>(way: &UsersWay<'a>) -> &'a str {
    match way.rule.priority {
        Some(_) => &way.rule.arn,
        None => &way.listener.arn,
    }
}

/// The ways after the first, with these priorities.
pub async fn further(
    session: &Session,
    ways: &PreparedWays<'_>,
    priorities: Vec<PerColor<u32>>,
) -> Result<Vec<AttachedWay>, AwsError> {
    let all = ways.further.iter().zip(priorities);
    let all = all.map(|((named, way, group), priorities)| async move {
        Ok(AttachedWay {
            load_balancer: way.balancer.arn.clone(),
            load_balancer_dns_name: way.balancer.dns_name.clone(),
            listener: ListenerArn::new(way.listener.arn.as_str()),
            rule: users_rule(session, *way).await?,
            priorities,
            url: named.url.to_owned(),
            probe_path: named.path.map(str::to_owned),
            group: *group,
        })
    });
    try_join_all(all).await
}
