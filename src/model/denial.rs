//! Reads AWS's text about a missing permission. What is denied is often not what was
//! called: a registration needs `iam:PassRole`, a creation `ecs:TagResource`. No decision
//! depends on it; it only improves a hint.

/// Of a role that is not there any more: `init` does not look for roles, which
/// would take a permission of its own.
pub const OWN_ROLE: &str = "one of bgecs's stack that something else deleted does not come back, so `bgecs destroy`, then `bgecs init` and `bgecs deploy`; any other is yours to make";

/// A call that AWS did not allow, and what stood against it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Such as `iam:PassRole`.
    pub action: String,
    pub resource: Option<String>,
    by: By,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    /// Nothing allows it, of the policies of that kind.
    Silence(Option<String>),
    /// A policy of that kind denies it, whatever else allows it.
    Word(String),
}

impl Denial {
    pub fn of(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("not authorized to perform")?;
        let rest = rest.trim_start_matches([':', ' ']);
        let action = word(rest)?;
        // Not "this operation".
        let (service, call) = action.split_once(':')?;
        if service.is_empty() || call.is_empty() {
            return None;
        }
        let resource = rest
            .split_once("on resource")
            .and_then(|(_, rest)| word(rest.trim_start_matches(['(', 's', ')', ':', ' '])));
        Some(Self {
            action: action.to_owned(),
            resource: resource.map(str::to_owned),
            by: By::of(rest),
        })
    }

    /// `iam:PassRole on role/x`; where AWS names nothing, on what was called.
    pub fn what(&self, called_on: &str) -> String {
        let resource = self.resource.as_deref().unwrap_or(called_on);
        format!("{} on {resource}", self.action)
    }

    /// What to do about it, for whom: "for these credentials".
    pub fn hint(&self, called_on: &str, whom: &str) -> String {
        let what = self.what(called_on);
        match &self.by {
            By::Word(policy) => format!(
                "{policy} denies {what}, and no other policy outweighs that: have the denial taken out there"
            ),
            By::Silence(None) => format!("allow {what} {whom}"),
            By::Silence(Some(policy)) => match policy.as_str() {
                "identity-based policy" => format!("allow {what} {whom}"),
                "permissions boundary" => {
                    format!("allow {what} in the permissions boundary too {whom}")
                }
                "session policy" => format!(
                    "the session policy leaves {what} out: assume the role without it, or with one that allows it"
                ),
                "service control policy" | "resource control policy" => format!(
                    "no {policy} of your organization allows {what}: ask whoever maintains it"
                ),
                policy => format!("allow {what} in the {policy}"),
            },
        }
    }
}

impl By {
    fn of(text: &str) -> Self {
        let after = |words: &str| {
            let (_, rest) = text.split_once(words)?;
            Some(rest.trim_start_matches("a ").trim_start_matches("an "))
        };
        if let Some(rest) = after("with an explicit deny in ") {
            return Self::Word(match policy(rest) {
                Some(policy) => format!("a {policy}").replace("a identity", "an identity"),
                None => "a policy".to_owned(),
            });
        }
        // As AWS words it where it does not tell which kind of policy.
        if text.contains("with an explicit deny") {
            return Self::Word("a policy".to_owned());
        }
        Self::Silence(after("because no ").and_then(policy))
    }
}

/// The kind of policy with which the text begins.
fn policy(text: &str) -> Option<String> {
    [
        "identity-based policy",
        "permissions boundary",
        "session policy",
        "service control policy",
        "resource control policy",
        "resource-based policy",
        "VPC endpoint policy",
    ]
    .into_iter()
    .find(|kind| text.starts_with(kind))
    .map(str::to_owned)
}

/// Up to the next space, without what surrounds it.
fn word(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let word = word.trim_matches(['"', '\'', '[', ']', ',', ';', '.']);
    (!word.is_empty()).then_some(word)
}

/// The service whose role is not there yet in this account: AWS makes it for
/// whoever may, with the first thing that needs it.
fn service_without_role(text: &str) -> Option<&str> {
    const ROLES: [(&str, &str); 4] = [
        ("AWSServiceRoleForECS", "ecs.amazonaws.com"),
        (
            "AWSServiceRoleForElasticLoadBalancing",
            "elasticloadbalancing.amazonaws.com",
        ),
        (
            "AWSServiceRoleForApplicationAutoScaling_ECSService",
            "ecs.application-autoscaling.amazonaws.com",
        ),
        ("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com"),
    ];
    let lower = text.to_ascii_lowercase();
    let is_meant = lower.contains("createservicelinkedrole")
        || lower.contains("service linked role")
        || lower.contains("service-linked role");
    if !is_meant {
        return None;
    }
    if let Some((_, rest)) = text.split_once("aws-service-role/")
        && let Some(service) = rest.split('/').next()
        && service.ends_with(".amazonaws.com")
    {
        return Some(service);
    }
    let named = ROLES.into_iter().find(|(role, _)| text.contains(role));
    named.map(|(_, service)| service).or_else(|| {
        let is_balancer = lower.contains("load balanc");
        let is_scaling = lower.contains("autoscaling") || lower.contains("auto scaling");
        match (is_balancer, is_scaling, lower.contains("ecs")) {
            (true, ..) => Some("elasticloadbalancing.amazonaws.com"),
            (_, true, true) => Some("ecs.application-autoscaling.amazonaws.com"),
            (_, true, _) => Some("autoscaling.amazonaws.com"),
            (_, _, true) => Some("ecs.amazonaws.com"),
            _ => None,
        }
    })
}

/// What AWS's text says to do, if it does.
pub fn hint(text: &str, called_on: &str, whom: &str) -> Option<String> {
    if let Some(service) = service_without_role(text) {
        return Some(format!(
            "this account lacks a role that AWS makes once: `aws iam create-service-linked-role --aws-service-name {service}` (by who may), then the same again"
        ));
    }
    if let Some(denial) = Denial::of(text) {
        return Some(denial.hint(called_on, whom));
    }
    text.contains("Encoded authorization failure message").then(|| {
        "what was denied is in the encoded message above: `aws sts decode-authorization-message --encoded-message …` shows it".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: ";
    const ROLE: &str = "arn:aws:iam::123456789012:role/bgecs-hello-ExecutionRole";

    fn said(rest: &str) -> String {
        hint(
            &format!("{ALICE}{rest}"),
            "bgecs-hello",
            "for these credentials",
        )
        .unwrap()
    }

    #[test]
    fn the_denied_action_is_the_one_to_allow() {
        let pass = format!("iam:PassRole on resource: {ROLE}");
        let because = |what: &str| {
            said(&format!(
                "{pass} because no {what} allows the iam:PassRole action"
            ))
        };
        let allow = format!("allow iam:PassRole on {ROLE}");
        assert_eq!(said(&pass), format!("{allow} for these credentials"));
        assert_eq!(
            because("identity-based policy"),
            format!("{allow} for these credentials")
        );
        assert_eq!(
            because("permissions boundary"),
            format!("{allow} in the permissions boundary too for these credentials")
        );
        assert_eq!(
            because("resource-based policy"),
            format!("{allow} in the resource-based policy")
        );
        assert_eq!(
            because("VPC endpoint policy"),
            format!("{allow} in the VPC endpoint policy")
        );
        assert!(
            because("session policy").starts_with("the session policy leaves iam:PassRole on ")
        );
        for kind in ["service control policy", "resource control policy"] {
            let expected = format!(
                "no {kind} of your organization allows iam:PassRole on {ROLE}: ask whoever maintains it"
            );
            assert_eq!(because(kind), expected);
        }
        assert_eq!(
            said("ecs:TagResource"),
            "allow ecs:TagResource on bgecs-hello for these credentials"
        );
        assert_eq!(
            said("ecr:GetAuthorizationToken on resource: *."),
            "allow ecr:GetAuthorizationToken on * for these credentials"
        );
    }

    #[test]
    fn what_is_denied_by_name_needs_no_allowance() {
        for (kind, shown) in [
            ("a service control policy", "a service control policy"),
            (
                "an identity-based policy: arn:aws:iam::1:policy/x",
                "an identity-based policy",
            ),
            ("a permissions boundary", "a permissions boundary"),
            ("a session policy", "a session policy"),
            ("a policy of tomorrow", "a policy"),
        ] {
            let hint = said(&format!(
                "ecs:TagResource on resource: arn:x with an explicit deny in {kind}"
            ));
            let expected = format!(
                "{shown} denies ecs:TagResource on arn:x, and no other policy outweighs that: "
            );
            assert!(hint.starts_with(&expected), "{hint}");
        }
    }

    #[test]
    fn an_explicit_denial_of_no_kind_is_one_too() {
        for end in ["", ".", " (Service: AmazonECS)"] {
            let hint = said(&format!(
                "iam:PassRole on resource: {ROLE} with an explicit deny{end}"
            ));
            let expected = format!("a policy denies iam:PassRole on {ROLE}, and no other ");
            assert!(hint.starts_with(&expected), "{hint}");
        }
    }

    #[test]
    fn what_is_denied_in_code_is_to_be_decoded() {
        let coded = "You are not authorized to perform this operation. Encoded authorization failure message: 5Gq";
        let decode = "aws sts decode-authorization-message";
        assert!(hint(coded, "x", "for y").unwrap().contains(decode));
        let named = format!(
            "{ALICE}ec2:CreateVpc on resource: *. Encoded authorization failure message: 5Gq"
        );
        assert_eq!(
            hint(&named, "x", "for these credentials").unwrap(),
            "allow ec2:CreateVpc on * for these credentials"
        );
    }

    #[test]
    fn what_names_no_action_is_no_denial() {
        for text in [
            "You are not authorized to perform this operation.",
            "User: alice is not authorized",
            "not authorized to perform: ",
            "not authorized to perform: : on resource: x",
        ] {
            assert_eq!(Denial::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_role_that_aws_makes_once_is_named_by_its_service() {
        for (text, service) in [
            (
                "Unable to assume the service linked role. Please verify that the ECS service linked role exists.",
                "ecs.amazonaws.com",
            ),
            (
                "User: x is not authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::1:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing",
                "elasticloadbalancing.amazonaws.com",
            ),
            (
                "The service-linked role AWSServiceRoleForApplicationAutoScaling_ECSService does not exist",
                "ecs.application-autoscaling.amazonaws.com",
            ),
            (
                "AWS was not able to validate the service-linked role of Elastic Load Balancing",
                "elasticloadbalancing.amazonaws.com",
            ),
        ] {
            let hint = hint(text, "x", "for these credentials").unwrap();
            let line = format!("`aws iam create-service-linked-role --aws-service-name {service}`");
            assert!(hint.contains(&line), "{hint}");
        }
        assert_eq!(service_without_role("the ECS service is gone"), None);
    }
}
