//! Whether the stack must be created, updated, or left alone.

use std::collections::BTreeMap;

use super::{Part, Refusal};

/// The parameter that says which colour is live. It follows the listeners and
/// is no reason to update: a swap changes it all the time.
pub const LIVE_COLOR: &str = "LiveColor";

const HEALTH_PATH: &str = "HealthPath";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackPlan {
    Create,
    Update {
        changes: Vec<String>,
    },
    /// Something else deleted parts of it.
    Mend {
        gone: Vec<Part>,
    },
    NothingToDo,
}

/// What a stack was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made<'a> {
    pub template: &'a str,
    pub parameters: &'a BTreeMap<String, String>,
}

pub fn stack(
    made: Option<&Made<'_>>,
    template: &str,
    wanted: &BTreeMap<&'static str, String>,
) -> StackPlan {
    let Some(made) = made else {
        return StackPlan::Create;
    };
    let mut changes: Vec<String> = wanted
        .iter()
        .filter(|(name, _)| **name != LIVE_COLOR)
        .filter_map(|(name, value)| {
            let before = made.parameters.get(*name).map_or("", String::as_str);
            (before != value).then(|| format!("{name} from `{before}` to `{value}`"))
        })
        .collect();
    // CloudFormation hands a template back as it was sent, but for line ends.
    if made.template.trim() != template.trim() {
        changes.insert(0, "the template of this bgecs".to_owned());
    }
    match changes.is_empty() {
        true => StackPlan::NothingToDo,
        false => StackPlan::Update { changes },
    }
}

/// In what the file differs from what the stack was made from, in words. A stack
/// that lacks a parameter is an older bgecs's, and no file's fault.
pub fn differing(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> Vec<String> {
    let differs = |(name, value): &(&&str, &String)| {
        let before = made.get(**name);
        **name != LIVE_COLOR && before.is_some_and(|before| before != *value)
    };
    let names = wanted.iter().filter(differs);
    names.map(|(name, _)| in_words(name)).collect()
}

/// `HealthPath` as `health path`.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// What is said of it, ahead of all that depends on the stack; `command` makes the
/// stack what the file says.
pub fn differs(file: &str, differing: &[String], command: &str) -> Option<String> {
    (!differing.is_empty()).then(|| {
        let what = differing.join(", ");
        format!("{file} differs from the stack ({what}): run `{command}`")
    })
}

/// Both colours are asked at the same health path: a change of it asks the live
/// one at once, and if that does not answer there, nobody is healthy.
///
/// # Errors
/// Such a change while something is live.
pub fn refuse_another_health_path(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Refusal> {
    let (Some(before), Some(after)) = (made.get(HEALTH_PATH), wanted.get(HEALTH_PATH)) else {
        return Ok(());
    };
    let live = wanted.get(LIVE_COLOR).map_or("none", String::as_str);
    if before == after || live == "none" {
        return Ok(());
    }
    Err(Refusal::new(
        format!(
            "the health path would change from {before} to {after} under {live}, which is live"
        ),
        format!(
            "first release a version that answers both; then `bgecs init --allow-live`, if you know that {live} answers {after}"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(live: &str, route: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            (LIVE_COLOR, live.to_owned()),
            ("HealthPath", route.to_owned()),
        ])
    }

    fn made(live: &str, route: &str) -> BTreeMap<String, String> {
        wanted(live, route)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn plan(template: &str, parameters: &BTreeMap<String, String>) -> StackPlan {
        let made = Made {
            template,
            parameters,
        };
        stack(Some(&made), "T", &wanted("green", "8080"))
    }

    #[test]
    fn a_swap_alone_is_nothing_to_do() {
        assert_eq!(stack(None, "T", &wanted("none", "8080")), StackPlan::Create);
        assert_eq!(plan("T\n", &made("none", "8080")), StackPlan::NothingToDo);
    }

    #[test]
    fn a_file_that_differs_is_told_by_what() {
        let mut stack = made("green", "/health");
        let mut file = wanted("none", "/health");
        file.insert("Newer", "1".to_owned());
        let differs = |differing: &[String]| differs("bgecs.toml", differing, "bgecs init");
        assert_eq!(differs(&differing(&stack, &file)), None);
        file.insert("HealthPath", "/healthz".to_owned());
        file.insert("TestCidr", "10.0.0.0/8".to_owned());
        stack.insert("TestCidr".to_owned(), "0.0.0.0/0".to_owned());
        assert_eq!(
            differs(&differing(&stack, &file)).unwrap(),
            "bgecs.toml differs from the stack (health path, test cidr): run `bgecs init`"
        );
    }

    #[test]
    fn a_changed_parameter_or_template_is_named() {
        let changed = StackPlan::Update {
            changes: vec!["HealthPath from `80` to `8080`".to_owned()],
        };
        assert_eq!(plan("T", &made("green", "80")), changed);
        let newer = StackPlan::Update {
            changes: vec!["the template of this bgecs".to_owned()],
        };
        assert_eq!(
            refuse_another_health_path(&made("green", "8080"), &wanted("green", "8080")),
            Ok(())
        );
        assert!(
            refuse_another_health_path(&made("green", "80"), &wanted("green", "8080")).is_err()
        );
        assert_eq!(
            refuse_another_health_path(&made("none", "80"), &wanted("none", "8080")),
            Ok(())
        );
        assert_eq!(plan("older", &made("green", "8080")), newer);
    }
}
