//! Answers about distributions and invalidations, with how far they have spread.
//! Everything else stays as the emulator gave it. Pure.

use roxmltree::{Document, Node};

use crate::gate::elb::xml::{child, element, replace, text};

/// What is known of those that an answer may tell of, by their ids.
pub trait Known {
    fn is_underway(&self, distribution: &str) -> bool;
    fn is_invalidating(&self, invalidation: &str) -> bool;
    fn is_staging(&self, distribution: &str) -> bool;
}

/// None if there is nothing to correct.
pub fn corrected(xml: &str, known: &impl Known) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let parts: Vec<_> = document
        .descendants()
        .flat_map(|node| {
            let id = text(node, "Id").unwrap_or_default();
            let name = node.tag_name().name();
            let is_underway = match name {
                "Distribution" | "DistributionSummary" => known.is_underway(id),
                "Invalidation" | "InvalidationSummary" => known.is_invalidating(id),
                _ => false,
            };
            let is_staging = name == "DistributionSummary" && known.is_staging(id);
            let status = is_underway.then(|| other(node, "Status", "InProgress"));
            let staging = is_staging.then(|| other(node, "Staging", "true"));
            [status.flatten(), staging.flatten()]
        })
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| replace(xml, parts))
}

fn other(node: Node<'_, '_>, name: &str, text: &str) -> Option<(std::ops::Range<usize>, String)> {
    Some((child(node, name)?.range(), element(name, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Known for Fixed {
        fn is_underway(&self, distribution: &str) -> bool {
            distribution == "E1"
        }
        fn is_invalidating(&self, invalidation: &str) -> bool {
            invalidation == "I1"
        }
        fn is_staging(&self, distribution: &str) -> bool {
            distribution == "E2"
        }
    }

    #[test]
    fn what_is_underway_is_in_progress_and_the_rest_stays() {
        let list = "<L xmlns='urn:x'>\
            <DistributionSummary><Id>E1</Id><Status>Deployed</Status><Staging>false</Staging>\
            </DistributionSummary>\
            <DistributionSummary><Id>E2</Id><Status>Deployed</Status><Staging>false</Staging>\
            </DistributionSummary></L>";
        let wanted = list.replacen("Deployed", "InProgress", 1);
        let at = wanted.rfind("false").unwrap();
        let wanted = format!("{}true{}", &wanted[..at], &wanted[at + 5..]);
        assert_eq!(corrected(list, &Fixed), Some(wanted));
        let done = "<Invalidation><Id>I1</Id><Status>Completed</Status></Invalidation>";
        let wanted = done.replace("Completed", "InProgress");
        assert_eq!(corrected(done, &Fixed), Some(wanted));
        for other in [done.replace("I1", "I2").as_str(), "", "<Distribution/>"] {
            assert_eq!(corrected(other, &Fixed), None);
        }
    }
}
