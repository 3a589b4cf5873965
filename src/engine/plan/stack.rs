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

/// Both colours are asked at the same health path: a change of it asks the live
/// one at once, and if that does not answer there, nobody is healthy.
///
/// # Errors
/// Such a change while something is live.
pub fn refuse_blind_health_path(
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

    fn wanted(live: &str, port: &str) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            (LIVE_COLOR, live.to_owned()),
            ("HealthPath", port.to_owned()),
        ])
    }

    fn made(live: &str, port: &str) -> BTreeMap<String, String> {
        wanted(live, port)
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
    fn a_changed_parameter_or_template_is_named() {
        let changed = StackPlan::Update {
            changes: vec!["HealthPath from `80` to `8080`".to_owned()],
        };
        assert_eq!(plan("T", &made("green", "80")), changed);
        let newer = StackPlan::Update {
            changes: vec!["the template of this bgecs".to_owned()],
        };
        assert_eq!(
            refuse_blind_health_path(&made("green", "8080"), &wanted("green", "8080")),
            Ok(())
        );
        assert!(refuse_blind_health_path(&made("green", "80"), &wanted("green", "8080")).is_err());
        assert_eq!(
            refuse_blind_health_path(&made("none", "80"), &wanted("none", "8080")),
            Ok(())
        );
        assert_eq!(plan("older", &made("green", "8080")), newer);
    }
}
