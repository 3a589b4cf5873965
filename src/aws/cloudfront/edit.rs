//! A distribution's configuration as text, with one thing changed and every other byte as
//! it was.

use std::ops::Range;

use roxmltree::{Document, Node};

use super::Behavior;
use crate::aws::xml::escaped;

const CONFIG: &str = "DistributionConfig";

/// What to change.
#[derive(Debug, Clone, Copy)]
pub(in crate::aws) enum Change<'a> {
    /// A behaviour leads to the origin with that id.
    Origin {
        behavior: Behavior<'a>,
        origin: &'a str,
    },
    /// The distribution gets that alternate domain name.
    AddAlias(&'a str),
}

/// The changed configuration from the answer of `GetDistribution`; None if nothing would
/// change.
///
/// # Errors
/// In words, what was not found.
pub(super) fn changed(answer: &str, change: Change<'_>) -> Result<Option<String>, String> {
    let document = Document::parse(answer).map_err(|error| error.to_string())?;
    let config = document
        .descendants()
        .find(|node| node.has_tag_name((namespace(&document), CONFIG)))
        .ok_or("the answer has no configuration")?;
    let whole = config.range();
    let (place, text) = match change {
        Change::Origin { behavior, origin } => {
            let place = origin_place(config, behavior).ok_or("there is no such behaviour")?;
            (place, escaped(origin))
        }
        Change::AddAlias(alias) => match alias_place(config, alias) {
            Some(placed) => placed,
            None => return Ok(None),
        },
    };
    if answer[place.clone()] == text {
        return Ok(None);
    }
    let inner = format!(
        "{}{text}{}",
        &answer[whole.start..place.start],
        &answer[place.end..whole.end]
    );
    Ok(Some(standing_alone(&inner, namespace(&document))))
}

fn namespace<'a>(document: &'a Document<'_>) -> &'a str {
    let root = document.root_element();
    root.tag_name().namespace().unwrap_or_default()
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|it| it.tag_name().name() == name)
}

/// The place of the origin's name.
fn origin_place(config: Node<'_, '_>, behavior: Behavior<'_>) -> Option<Range<usize>> {
    let behavior = match behavior {
        Behavior::Default => child(config, "DefaultCacheBehavior")?,
        Behavior::At(pattern) => {
            let items = child(child(config, "CacheBehaviors")?, "Items")?;
            items.children().find(|it| {
                let at = child(*it, "PathPattern");
                at.and_then(|at| at.text()) == Some(pattern)
            })?
        }
    };
    let text = child(behavior, "TargetOriginId")?.first_child()?;
    Some(text.range())
}

/// The new aliases, and the place where they go.
fn alias_place(config: Node<'_, '_>, alias: &str) -> Option<(Range<usize>, String)> {
    let there = child(config, "Aliases");
    let items = there.and_then(|it| child(it, "Items"));
    let names = items.into_iter().flat_map(|it| it.children());
    let mut names: Vec<&str> = names.filter_map(|it| it.text()).map(str::trim).collect();
    names.retain(|name| !name.is_empty());
    if names.contains(&alias) {
        return None;
    }
    names.push(alias);
    let listed: String = names
        .iter()
        .map(|name| format!("<CNAME>{}</CNAME>", escaped(name)))
        .collect();
    let all = format!(
        "<Aliases><Quantity>{}</Quantity><Items>{listed}</Items></Aliases>",
        names.len()
    );
    // After the reference, as in the schema.
    let place = there.map_or_else(
        || {
            let reference = child(config, "CallerReference");
            let end = reference.map_or(config.range().end, |it| it.range().end);
            end..end
        },
        |there| there.range(),
    );
    Some((place, all))
}

/// As a separate document: the namespace was declared by the answer.
fn standing_alone(config: &str, namespace: &str) -> String {
    let is_named = config
        .find('>')
        .is_some_and(|end| config[..end].contains("xmlns="));
    match is_named {
        true => config.to_owned(),
        false => config.replacen(
            &format!("<{CONFIG}"),
            &format!("<{CONFIG} xmlns=\"{namespace}\""),
            1,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Including elements that no SDK knows.
    const ANSWER: &str = r#"<?xml version="1.0"?>
<Distribution xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>E1</Id><DistributionConfig><CallerReference>1</CallerReference><Aliases><Quantity>1</Quantity><Items><CNAME>a.example.com</CNAME></Items></Aliases><DefaultCacheBehavior><TargetOriginId>blue</TargetOriginId><Novelty keep="this">&amp;</Novelty></DefaultCacheBehavior><CacheBehaviors><Quantity>1</Quantity><Items><CacheBehavior><PathPattern>/api/*</PathPattern><TargetOriginId>blue</TargetOriginId></CacheBehavior></Items></CacheBehaviors></DistributionConfig></Distribution>"#;

    fn config() -> String {
        let start = ANSWER.find("<DistributionConfig>").unwrap();
        let end = ANSWER.find("</Distribution>").unwrap();
        ANSWER[start..end].replacen(
            "<DistributionConfig>",
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">",
            1,
        )
    }

    #[test]
    fn every_other_byte_is_as_it_was() {
        let of = |behavior, origin| Change::Origin { behavior, origin };
        let moved = changed(ANSWER, of(Behavior::Default, "green")).unwrap();
        let first = config().replacen("<TargetOriginId>blue<", "<TargetOriginId>green<", 1);
        assert_eq!(moved, Some(first));
        let moved = changed(ANSWER, of(Behavior::At("/api/*"), "a&b")).unwrap();
        let at = config().rfind("blue").unwrap();
        let mut second = config();
        second.replace_range(at..at + 4, "a&amp;b");
        assert_eq!(moved, Some(second));
        let same = changed(ANSWER, of(Behavior::Default, "blue")).unwrap();
        assert_eq!(same, None);
        assert!(changed(ANSWER, of(Behavior::At("/b"), "x")).is_err());
    }

    #[test]
    fn an_alias_is_added_to_those_that_are_there() {
        let added = changed(ANSWER, Change::AddAlias("b.example.com")).unwrap();
        let wanted = config().replace(
            "<Aliases><Quantity>1</Quantity><Items><CNAME>a.example.com</CNAME>",
            "<Aliases><Quantity>2</Quantity><Items><CNAME>a.example.com</CNAME><CNAME>b.example.com</CNAME>",
        );
        assert_eq!(added, Some(wanted));
        let there = changed(ANSWER, Change::AddAlias("a.example.com")).unwrap();
        assert_eq!(there, None);
    }
}
