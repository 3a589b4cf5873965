//! The tags of a task definition: what release it is, and where it came from.
//! Later commands read them back, so that nothing has to be kept elsewhere.

use serde_json::{Map, Value, json};

use super::Input;
use crate::model::Digest;
use crate::model::marks::{
    TAG_APP, TAG_COLOR, TAG_COMMIT, TAG_CONFIG, TAG_DEPLOYED_AT, TAG_DEPLOYED_BY, TAG_DIGEST,
    TAG_OPERATION, TAG_RELEASE,
};

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>
pub(super) const MOST_TAGS: usize = 50;
/// How many of those are [`compose`]'s own.
pub(super) const OWN_TAGS: usize = 9;
const LONGEST_VALUE: usize = 256;

/// The user's tags and ours, as the request has them.
pub(super) fn compose(users: Map<String, Value>, input: &Input<'_>, config_hash: &str) -> Value {
    let ours = [
        (TAG_APP, Some(input.app.as_str())),
        (TAG_COLOR, Some(input.color.as_str())),
        (TAG_RELEASE, Some(input.image.tag.as_str())),
        (TAG_DIGEST, input.image.digest.map(Digest::as_str)),
        (TAG_COMMIT, input.provenance.commit),
        (TAG_DEPLOYED_BY, Some(input.provenance.deployed_by)),
        (TAG_DEPLOYED_AT, Some(input.provenance.deployed_at)),
        (TAG_OPERATION, Some(input.provenance.operation)),
        (TAG_CONFIG, Some(config_hash)),
    ];
    joined(users, ours)
}

/// A user's tags, and those of ours that there are.
pub fn joined<'a>(
    users: impl IntoIterator<Item = (String, Value)>,
    ours: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
) -> Value {
    let ours = ours
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(acceptable(value?)))));
    users
        .into_iter()
        .chain(ours)
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

/// A file that was printed by `describe-task-definition` can hold our tags of
/// an earlier release, and AWS's own, which nobody else may set.
pub fn is_reserved(key: &str) -> bool {
    key.starts_with("bgecs:") || key.to_ascii_lowercase().starts_with("aws:")
}

/// The value with what AWS does not take in a tag replaced. AWS also takes the
/// letters of other alphabets, by a rule that differs between its documents:
/// a release does not fail over that.
fn acceptable(value: &str) -> String {
    let text: String = value
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c) => c,
            _ => '_',
        })
        .take(LONGEST_VALUE)
        .collect();
    text.trim().to_owned()
}
