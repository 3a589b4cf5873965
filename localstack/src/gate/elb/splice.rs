//! Answers that describe listeners or rules, with their actions as they are in
//! truth, or target groups, with the load balancers that use them. Everything else stays as the emulator gave it. Pure.

use roxmltree::{Document, Node};

use super::describe::Read;
use super::{actions, xml};
use crate::balancer::config::{Action, Arn};

/// Rewrites the actions of all listeners and rules in an answer. `truth` is
/// asked with the ARN, which for a listener's default rule is the listener's,
/// and with what the emulator says. Actions of kinds that are not known stay.
pub fn actions(text: &str, truth: impl Fn(&Arn, &[Action]) -> Vec<Action>) -> Read<String> {
    let document = Document::parse(text)?;
    let listeners = described(&document, "Listeners", "DefaultActions", |node| {
        xml::text(node, "ListenerArn").map(Arn::new)
    });
    let rules = described(&document, "Rules", "Actions", |node| {
        let arn = xml::text(node, "RuleArn")?;
        match xml::text(node, "IsDefault") {
            Some("true") => listener_of(arn),
            _ => Some(Arn::new(arn)),
        }
    });
    let replaced = listeners
        .into_iter()
        .chain(rules)
        .filter_map(|(arn, list)| {
            let name = list.tag_name().name();
            let members = actions::to_xml(&truth(&arn, &actions::of_xml(list)))?;
            Some((list.range(), format!("<{name}>{members}</{name}>")))
        });
    Ok(xml::replace(text, replaced.collect()))
}

/// Rewrites the load balancers of all target groups in an answer: an emulator may
/// know only those for whose listener a group was named at first.
pub fn users<'u>(text: &str, users: impl Fn(&Arn) -> Vec<&'u Arn>) -> Read<String> {
    let document = Document::parse(text)?;
    let groups = described(&document, "TargetGroups", "LoadBalancerArns", |node| {
        xml::text(node, "TargetGroupArn").map(Arn::new)
    });
    let replaced = groups.into_iter().map(|(group, list)| {
        let name = list.tag_name().name();
        let members: String = users(&group)
            .into_iter()
            .map(|arn| xml::element("member", arn.as_str()))
            .collect();
        (list.range(), format!("<{name}>{members}</{name}>"))
    });
    Ok(xml::replace(text, replaced.collect()))
}

/// The listener of a rule, whose ARN begins like the rule's:
/// `…:listener-rule/app/NAME/ID/LISTENER/RULE`.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html#awselasticloadbalancingv2-resources-for-iam-policies>
pub fn listener_of(rule: &str) -> Option<Arn> {
    let (listener, _) = rule.rsplit_once('/')?;
    let (head, tail) = listener.split_once(":listener-rule/")?;
    Some(Arn::new(format!("{head}:listener/{tail}")))
}

/// The load balancer of a listener or a rule, by the same.
pub fn load_balancer_of(arn: &str) -> Option<Arn> {
    let (head, tail) = arn
        .split_once(":listener/")
        .or_else(|| arn.split_once(":listener-rule/"))?;
    let id: Vec<&str> = tail.split('/').take(3).collect();
    (id.len() == 3).then(|| Arn::new(format!("{head}:loadbalancer/{}", id.join("/"))))
}

/// The members of a list that have an ARN and actions.
fn described<'a, 'i>(
    document: &'a Document<'i>,
    list: &str,
    actions: &str,
    arn: impl Fn(Node<'a, 'i>) -> Option<Arn>,
) -> Vec<(Arn, Node<'a, 'i>)> {
    xml::find(document, list)
        .map(xml::members_of)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|member| Some((arn(member)?, xml::child(member, actions)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::config::Forward;

    const RULE: &str = "arn:aws:elasticloadbalancing:us-east-1:1:listener-rule/app/web/1/2/3";
    const LISTENER: &str = "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/web/1/2";

    fn to(group: &str) -> Vec<Action> {
        vec![Action::Forward(Forward::to(Arn::new(group)))]
    }

    #[test]
    fn arns_name_what_they_belong_to() {
        assert_eq!(listener_of(RULE).unwrap().as_str(), LISTENER);
        let load_balancer = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/1";
        assert_eq!(load_balancer_of(RULE).unwrap().as_str(), load_balancer);
        assert_eq!(load_balancer_of(LISTENER).unwrap().as_str(), load_balancer);
        assert_eq!(load_balancer_of(load_balancer), None);
    }

    #[test]
    fn only_the_actions_are_rewritten() {
        let dropped = "<member><Type>forward</Type></member>";
        let listener = |actions: &str| {
            format!(
                "<R xmlns='u'><Listeners><member><ListenerArn>l</ListenerArn>\
                 <DefaultActions>{actions}</DefaultActions><Odd a='ü'/></member>\
                 <member><ListenerArn>m</ListenerArn><DefaultActions/></member></Listeners>\
                 <Id>7</Id></R>"
            )
        };
        let text = actions(&listener(dropped), |arn, said| match arn.as_str() {
            "l" => to("green"),
            _ => said.to_vec(),
        });
        let green = actions::to_xml(&to("green")).unwrap();
        let expected =
            listener(&green).replace("<DefaultActions/>", "<DefaultActions></DefaultActions>");
        assert_eq!(text.unwrap(), expected);
    }

    #[test]
    fn a_target_group_has_the_load_balancers_that_use_it() {
        let group = |arn: &str, users: &str| {
            format!(
                "<member><TargetGroupArn>{arn}</TargetGroupArn>\
                 <LoadBalancerArns>{users}</LoadBalancerArns><Port>80</Port></member>"
            )
        };
        let all = |first: &str, second: &str| {
            let groups = group("g", first) + &group("h", second);
            format!("<R><TargetGroups>{groups}</TargetGroups></R>")
        };
        let (one, two) = (Arn::new("one"), Arn::new("two"));
        let text = users(&all("", "<member>old</member>"), |group| {
            match group.as_str() {
                "g" => vec![&one, &two],
                _ => Vec::new(),
            }
        });
        let expected = all("<member>one</member><member>two</member>", "");
        assert_eq!(text.unwrap(), expected);
    }

    #[test]
    fn a_default_rule_has_its_listeners_actions() {
        let answer = format!(
            "<R><Rules><member><RuleArn>{RULE}</RuleArn><Actions/><IsDefault>true</IsDefault>\
             </member></Rules></R>"
        );
        let text = actions(&answer, |arn, _| to(arn.as_str())).unwrap();
        assert!(
            text.contains(&format!("<TargetGroupArn>{LISTENER}<")),
            "{text}"
        );
    }

    #[test]
    fn unknown_actions_stay_as_they_are() {
        let answer = "<R><Rules><member><RuleArn>r</RuleArn><Actions><member>\
                      <Type>authenticate-oidc</Type><X/></member></Actions></member></Rules></R>";
        let text = actions(answer, |_, said| said.to_vec()).unwrap();
        assert_eq!(text, answer);
    }
}
