//! What an app that `init` makes is given: an existing VPC, cluster, roles, log group or
//! repository. AWS is asked later whether they are fit for it.

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::names::ecs_name;
use crate::model::{GivenNetwork, TaskRoles};

type Result<T> = std::result::Result<T, ConfigError>;
type Checked = std::result::Result<String, String>;

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AwsVpcConfiguration.html>
const MOST_SUBNETS: usize = 16;
const MOST_GROUPS: usize = 5;

/// `[network]`: a VPC that is there, and what of it the tasks get.
pub(super) fn network(section: &mut Section<'_>) -> Result<Option<GivenNetwork>> {
    let vpc = section.optional("vpc", |entry| entry.checked(|text| id("vpc", text)))?;
    let Some(vpc) = vpc else {
        return match OF_A_VPC.into_iter().find_map(|key| section.take(key)) {
            Some(entry) => Err(entry.misplaced(
                "it belongs to an existing VPC, which `vpc` names; without `vpc`, `bgecs init` makes a network of its own",
            )),
            None => Ok(None),
        };
    };
    if let Some(entry) = OF_A_MADE_ONE.into_iter().find_map(|key| section.take(key)) {
        return Err(entry.misplaced(
            "it is for a network that `bgecs init` makes, and `vpc` names an existing one",
        ));
    }
    let subnets = section.optional("subnets", subnets)?.ok_or_else(|| {
        section.missing(
            "subnets",
            "name those that tasks run in, in at least two zones: subnets = [\"subnet-…\", \"subnet-…\"]",
        )
    })?;
    Ok(Some(GivenNetwork {
        vpc,
        subnets,
        security_groups: section
            .optional("security_groups", security_groups)?
            .unwrap_or_default(),
        public_ip: section.or("assign_public_ip", false, KeyValue::boolean)?,
        balancer_subnets: Vec::new(),
        balancer_groups: Vec::new(),
    }))
}

/// `[load_balancer]`: where in that VPC it is.
pub(super) fn balancer(
    section: &mut Section<'_>,
    network: Option<&mut GivenNetwork>,
) -> Result<()> {
    const KEYS: [&str; 2] = ["subnets", "security_groups"];
    let Some(network) = network else {
        return match KEYS.into_iter().find_map(|key| section.take(key)) {
            Some(entry) => {
                Err(entry
                    .misplaced("it belongs to an existing VPC, which `vpc` in [network] names"))
            }
            None => Ok(()),
        };
    };
    let subnets = section.optional("subnets", subnets)?;
    let groups = section.optional("security_groups", security_groups)?;
    network.balancer_subnets = subnets.unwrap_or_default();
    network.balancer_groups = groups.unwrap_or_default();
    Ok(())
}

/// `[cluster]`
pub(super) fn cluster(section: &mut Section<'_>) -> Result<Option<String>> {
    section.optional("name", |entry| entry.checked(ecs_name))
}

/// `[roles]`
pub(super) fn roles(section: &mut Section<'_>) -> Result<TaskRoles> {
    Ok(TaskRoles {
        execution: section.optional("execution", |entry| entry.checked(role_arn))?,
        task: section.optional("task", |entry| entry.checked(role_arn))?,
    })
}

/// What is read of a file whose app has all of this already: whatever says more is
/// wrong there.
///
/// # Errors
/// It is there.
pub(super) fn refuse(section: &mut Section<'_>, keys: &[&'static str]) -> Result<()> {
    match keys.iter().find_map(|key| section.take(key)) {
        Some(entry) => Err(entry.misplaced(
            "it is for an app that `bgecs init` makes, and this one's services have theirs already",
        )),
        None => Ok(()),
    }
}

/// The keys of `[network]` about one that `init` makes.
const OF_A_MADE_ONE: [&str; 4] = ["cidr", "zones", "nat", "endpoints"];
/// Those about one that is there.
pub(super) const OF_A_VPC: [&str; 3] = ["subnets", "security_groups", "assign_public_ip"];

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub(super) fn log_group(text: &str) -> Checked {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b".-_/#".contains(&b);
    match (1..=512).contains(&text.len()) && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(
            "CloudWatch Logs takes 1 to 512 letters, digits and `.`, `-`, `_`, `/`, `#`".to_owned(),
        ),
    }
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>
pub(super) fn repository(text: &str) -> Checked {
    let is_alone = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        let ends = part.bytes().next().zip(part.bytes().last());
        ends.is_some_and(|(first, last)| is_alone(first) && is_alone(last))
            && part.bytes().all(|b| is_alone(b) || b"._-".contains(&b))
    };
    match (2..=256).contains(&text.len()) && text.split('/').all(is_part) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not the name of an ECR repository, which has 2 to 256 lower-case letters, digits and `.`, `_`, `-`, `/` between them: write it without the registry and without a tag"
        )),
    }
}

fn role_arn(text: &str) -> Checked {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b);
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, name]
            if partition.starts_with("aws")
                && is_account(account)
                && name
                    .strip_prefix("role/")
                    .is_some_and(|name| !name.is_empty() && name.bytes().all(is_plain)) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "`{text}` is not an IAM role: its ARN looks like arn:aws:iam::123456789012:role/name"
        )),
    }
}

/// Two at the least: a load balancer takes no fewer, nor does a service that is to
/// outlive a zone.
fn subnets(entry: &KeyValue<'_>) -> Result<Vec<String>> {
    let ids = ids(entry, "subnet", MOST_SUBNETS)?;
    match ids.len() {
        0 | 1 => Err(entry.invalid("it takes at least two subnets, in different zones")),
        _ => Ok(ids),
    }
}

fn security_groups(entry: &KeyValue<'_>) -> Result<Vec<String>> {
    let ids = ids(entry, "sg", MOST_GROUPS)?;
    match ids.is_empty() {
        true => Err(entry.invalid("it is empty; leave the key out, and `bgecs init` makes one")),
        false => Ok(ids),
    }
}

fn ids(entry: &KeyValue<'_>, kind: &str, most: usize) -> Result<Vec<String>> {
    let texts = entry.strings()?;
    let ids = texts.iter().map(|text| id(kind, text));
    let ids: std::result::Result<Vec<String>, String> = ids.collect();
    let ids = ids.map_err(|why| entry.invalid(why))?;
    let twice = (1..ids.len()).find(|n| ids[..*n].contains(&ids[*n]));
    match twice {
        Some(n) => Err(entry.invalid(format!("it names {} twice", ids[n]))),
        None if ids.len() > most => Err(entry.invalid(format!("ECS takes {most} of them"))),
        None => Ok(ids),
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>
fn id(kind: &str, text: &str) -> Checked {
    let rest = text
        .strip_prefix(kind)
        .and_then(|rest| rest.strip_prefix('-'));
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    match rest {
        Some(rest) if [8, 17].contains(&rest.len()) && rest.bytes().all(is_hex) => {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "`{text}` is not the EC2 id that belongs here, which looks like {kind}-0123456789abcdef0"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::model::Given;

    fn parse(text: &str) -> std::result::Result<Given, String> {
        let text = format!("app = 'hello'\n{text}");
        let parsed = Config::parse(&text, Path::new("/srv/hello/bgecs.toml"));
        let parsed = parsed.map_err(|error| error.to_string());
        parsed.map(|config| config.given)
    }

    const VPC: &str = "[network]\nvpc = 'vpc-0123456789abcdef0'\nsubnets = ['subnet-01234567', 'subnet-0123456789abcdef1']\n";

    #[test]
    fn what_is_not_given_is_made() {
        assert_eq!(parse(""), Ok(Given::default()));
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let subnets = ["subnet-01234567", "subnet-0123456789abcdef1"];
        let network = GivenNetwork {
            vpc: "vpc-0123456789abcdef0".to_owned(),
            subnets: owned(&subnets),
            security_groups: Vec::new(),
            public_ip: false,
            balancer_subnets: Vec::new(),
            balancer_groups: Vec::new(),
        };
        assert_eq!(parse(VPC).unwrap().network, Some(network.clone()));
        assert_eq!(network.balancer_subnets(), subnets);
        let all = format!(
            "{VPC}security_groups = ['sg-01234567']\nassign_public_ip = true\n\
             [load_balancer]\nsubnets = ['subnet-01234567', 'subnet-89abcdef']\nsecurity_groups = ['sg-01234567', 'sg-89abcdef']\n\
             [cluster]\nname = 'prod'\n[logs]\ngroup = '/shop/web'\n[registry]\nrepository = 'shop/web'\n\
             [roles]\nexecution = 'arn:aws:iam::123456789012:role/ecs/start'\ntask = 'arn:aws-cn:iam::123456789012:role/web'\n"
        );
        let given = parse(&all).unwrap();
        let expected = GivenNetwork {
            security_groups: owned(&["sg-01234567"]),
            public_ip: true,
            balancer_subnets: owned(&["subnet-01234567", "subnet-89abcdef"]),
            balancer_groups: owned(&["sg-01234567", "sg-89abcdef"]),
            ..network
        };
        let found = given.network.unwrap();
        assert_eq!(found, expected);
        assert_eq!(
            found.all_subnets(),
            [&subnets[..], &["subnet-89abcdef"]].concat()
        );
        assert_eq!(found.all_groups(), ["sg-01234567", "sg-89abcdef"]);
        assert_eq!(given.cluster.as_deref(), Some("prod"));
        assert_eq!(given.log_group.as_deref(), Some("/shop/web"));
        assert_eq!(given.repository.as_deref(), Some("shop/web"));
        let execution = given.roles.execution.unwrap();
        assert_eq!(execution, "arn:aws:iam::123456789012:role/ecs/start");
    }

    #[test]
    fn what_cannot_be_is_refused_where_it_stands() {
        let attached = "[service]\ncluster = 'prod'\n[colors.blue]\nservice = 'web'\n[production]\nurl = 'https://a.example'\nlistener = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/web/0123456789abcdef/0123456789abcdef'\n";
        let has_all = "this one's services have theirs already";
        let no_id = "which looks like subnet-0123456789abcdef0";
        for (text, why) in [
            (
                &format!("{VPC}nat = 'one'")[..],
                "`vpc` names an existing one",
            ),
            (&format!("{VPC}zones = 3"), "`vpc` names an existing one"),
            (
                "[network]\nnat = 'two'",
                "\"none\", \"one\" or \"per-zone\"",
            ),
            ("[network]\nzones = 1", "from 2 to 3"),
            (
                "[network]\nvpc = 'vpc-1'",
                "which looks like vpc-0123456789abcdef0",
            ),
            (
                "[network]\nvpc = 'vpc-01234567'",
                "name those that tasks run in",
            ),
            (
                "[network]\nsubnets = ['subnet-01234567', 'subnet-89abcdef']",
                "`network.subnets`: it belongs to an existing VPC",
            ),
            (
                "[network]\nassign_public_ip = true",
                "it belongs to an existing VPC",
            ),
            (
                "[network]\nsecurity_groups = ['sg-01234567']",
                "it belongs to an existing VPC",
            ),
            (
                &format!("{VPC}cidr = '10.0.0.0/16'"),
                "`vpc` names an existing one",
            ),
            (
                &format!("{VPC}endpoints = true"),
                "`vpc` names an existing one",
            ),
            (
                &VPC.replace(", 'subnet-0123456789abcdef1'", ""),
                "at least two subnets",
            ),
            (
                &VPC.replace("'subnet-01234567'", "\'subnet-0123456789abcdef1\'"),
                "subnet-0123456789abcdef1 twice",
            ),
            (
                &VPC.replace("'subnet-01234567'", "\'Subnet-01234567\'"),
                no_id,
            ),
            (
                &VPC.replace("'subnet-01234567'", "\'subnet-0123456g\'"),
                no_id,
            ),
            (&VPC.replace("'subnet-01234567'", "\'sg-01234567\'"), no_id),
            (&format!("{VPC}security_groups = []"), "leave the key out"),
            (
                &format!(
                    "{VPC}security_groups = ['sg-00000001','sg-00000002','sg-00000003','sg-00000004','sg-00000005','sg-00000006']"
                ),
                "ECS takes 5",
            ),
            (
                "[load_balancer]\nsubnets = ['subnet-01234567', 'subnet-89abcdef']",
                "`vpc` in [network]",
            ),
            (
                "[load_balancer]\nsecurity_groups = ['sg-01234567']",
                "`vpc` in [network]",
            ),
            (
                &format!("{VPC}[load_balancer]\nsubnets = ['subnet-01234567']"),
                "at least two subnets",
            ),
            ("[cluster]\nname = 'my cluster'", "ECS takes 1 to 255"),
            (
                "[cluster]\nname = 'arn:aws:ecs:eu-west-1:123456789012:cluster/prod'",
                "ECS takes 1 to 255",
            ),
            (
                "[roles]\nexecution = 'ecsTaskExecutionRole'",
                "is not an IAM role",
            ),
            (
                "[roles]\ntask = 'arn:aws:iam::12345:role/web'",
                "is not an IAM role",
            ),
            (
                "[roles]\ntask = 'arn:aws:iam::123456789012:user/web'",
                "is not an IAM role",
            ),
            ("[logs]\ngroup = 'my logs'", "CloudWatch Logs takes"),
            (
                "[logs]\ngroup = '/a'\nretention_days = 7",
                "its owner decides this",
            ),
            (
                "[registry]\nrepository = 'Web'",
                "is not the name of an ECR repository",
            ),
            (
                "[registry]\nrepository = 'web:1'",
                "is not the name of an ECR repository",
            ),
            (
                "[registry]\nrepository = 'shop//web'",
                "is not the name of an ECR repository",
            ),
            (
                &format!("{attached}[network]\nvpc = 'vpc-01234567'"),
                has_all,
            ),
            (&format!("{attached}[network]\nsubnets = []"), has_all),
            (&format!("{attached}[load_balancer]\nsubnets = []"), has_all),
            (&format!("{attached}[cluster]\nname = 'prod'"), has_all),
            (&format!("{attached}[roles]\ntask = ''"), has_all),
            (&format!("{attached}[logs]\ngroup = 'a'"), has_all),
            (
                &format!("{attached}[registry]\nrepository = 'web'"),
                has_all,
            ),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
