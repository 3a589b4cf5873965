//! How a release is recognised wherever it runs: the tags of its task definition and the
//! variables of its containers.

pub const TAG_APP: &str = "bgecs:app";
pub const TAG_COLOR: &str = "bgecs:color";
pub const TAG_RELEASE: &str = "bgecs:release";
pub const TAG_DIGEST: &str = "bgecs:digest";
/// There if the release was made from a git commit.
pub const TAG_COMMIT: &str = "bgecs:commit";
pub const TAG_DEPLOYED_BY: &str = "bgecs:deployed-by";
pub const TAG_DEPLOYED_AT: &str = "bgecs:deployed-at";
/// The id of the operation that registered it: so that one which was killed
/// before it learned its revision can still be tidied up after.
pub const TAG_OPERATION: &str = "bgecs:operation";
/// The hash of everything registered but the tags.
pub const TAG_CONFIG: &str = "bgecs:config";

/// The release's tag, set in the containers that run it; a value of
/// `[container] environment` wins.
pub const ENV_RELEASE: &str = "BGECS_RELEASE";
/// The colour that it runs as, set as [`ENV_RELEASE`] is.
pub const ENV_COLOR: &str = "BGECS_COLOR";
