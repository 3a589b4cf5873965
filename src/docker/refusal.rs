//! Why a registry refused.
//!
//! The engine passes a registry's refusal on only as text, so text is matched here, and
//! only here.

/// The kinds of refusal that call for different remedies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistryRefusal {
    /// The repository is immutable and has that tag already.
    TagExists,
    /// Too many requests in too short a time.
    Throttled,
    /// No credentials, wrong ones, or expired ones.
    NotLoggedIn,
    /// The credentials are valid, but may not do that.
    Denied,
    /// HTTP 403 without a message: from the registry, its storage, or something in front
    /// of them.
    Forbidden,
    /// The image exists, but for other platforms.
    NoPlatform,
    /// No such repository or image.
    NotFound,
    /// Nothing answers there.
    Unreachable,
    /// It answered, and then the connection broke.
    Cut,
    /// HTTP 5xx.
    Failing,
    /// Its certificate is not trusted.
    Untrusted,
    /// It speaks plain HTTP.
    NotHttps,
    /// The engine's disk is full.
    NoSpace,
    Other,
}

/// The first kind with a matching text is chosen, whatever follows.
const SENTENCES: [(RegistryRefusal, &[&str]); 14] = [
    (
        RegistryRefusal::TagExists,
        &[
            "cannot be overwritten",
            "tag is immutable",
            "tag invalid",
            "imagetagalreadyexists",
        ],
    ),
    (
        RegistryRefusal::Throttled,
        &[
            "toomanyrequests",
            "too many requests",
            "http 429",
            "status: 429",
            "status code 429",
            "rate exceeded",
            "rate limit",
        ],
    ),
    (
        RegistryRefusal::NotLoggedIn,
        &[
            "authorization token has expired",
            "no basic auth credentials",
            "authentication required",
            "incorrect username or password",
            "invalid username or password",
            "failed to fetch oauth token",
            "unauthorized",
        ],
    ),
    (RegistryRefusal::Denied, &["not authorized to perform"]),
    (
        RegistryRefusal::NoPlatform,
        &[
            "no matching manifest",
            "no match for platform",
            "does not match the specified platform",
            "cannot be used on this platform",
        ],
    ),
    (
        RegistryRefusal::NotFound,
        &[
            "name unknown",
            "name_unknown",
            "manifest unknown",
            "repository does not exist",
            "does not exist in the registry",
            "not found",
        ],
    ),
    (
        RegistryRefusal::Denied,
        &[
            "access denied",
            "access to the resource is denied",
            "insufficient_scope",
            "denied:",
        ],
    ),
    (
        RegistryRefusal::Forbidden,
        &[
            "403 forbidden",
            "http 403",
            "status: 403",
            "status code 403",
        ],
    ),
    (
        RegistryRefusal::Failing,
        &[
            "500 internal server error",
            "502 bad gateway",
            "503 service unavailable",
            "504 gateway time",
            "http 50",
            "status: 50",
            "status code 50",
        ],
    ),
    (
        RegistryRefusal::NotHttps,
        &["server gave http response to https"],
    ),
    (RegistryRefusal::Untrusted, &["x509:", "certificate"]),
    (RegistryRefusal::NoSpace, &["no space left on device"]),
    (
        RegistryRefusal::Unreachable,
        &[
            "connection refused",
            "no such host",
            "i/o timeout",
            "handshake timeout",
            "deadline exceeded",
            "awaiting headers",
            "network is unreachable",
            "no route to host",
        ],
    ),
    (
        RegistryRefusal::Cut,
        &[
            "eof",
            "connection reset",
            "broken pipe",
            "use of closed network connection",
            "client disconnected",
            "goaway",
            "stream error",
            "blob upload unknown",
            "blob upload invalid",
        ],
    ),
];

const UNREACHABLE: &str = "check whether this machine reaches the registry";
const NO_SPACE: &str = "make room on the engine's disk (`docker system prune`)";
const UNTRUSTED: &str =
    "let the Docker Engine trust the registry's certificate authority (/etc/docker/certs.d)";
const NOT_HTTPS: &str = "Docker speaks plain HTTP to localhost only, and to what the engine's `insecure-registries` lists";

impl RegistryRefusal {
    pub(super) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        SENTENCES
            .iter()
            .find(|(_, known)| known.iter().any(|words| message.contains(words)))
            .map_or(Self::Other, |(refusal, _)| *refusal)
    }

    pub(super) fn hint_for_push(self) -> Option<&'static str> {
        Some(match self {
            Self::TagExists => {
                "the tag is taken, and tags cannot be moved here: release under a new one"
            }
            Self::Throttled => {
                "the registry limits the rate of requests: deploy again in a minute; layers that arrived are not sent again"
            }
            Self::NotLoggedIn => "the registry's token is missing or expired: try again",
            Self::Denied => {
                "the AWS identity in use needs permission to push there: `bgecs init --print-policy deployer`"
            }
            Self::Forbidden => {
                "either the AWS identity in use may not push there (`bgecs init --print-policy deployer`), or a proxy or the policy of a VPC endpoint stands in between"
            }
            Self::NotFound => "the repository is gone: create it again",
            Self::Unreachable => UNREACHABLE,
            Self::Cut => {
                "the connection kept breaking: check what stands in between (a proxy, a VPN, a limit on sizes), and deploy again; layers that arrived are not sent again"
            }
            Self::Failing => "the registry itself fails: deploy again in a minute",
            Self::Untrusted => UNTRUSTED,
            Self::NotHttps => NOT_HTTPS,
            Self::NoSpace => NO_SPACE,
            Self::NoPlatform | Self::Other => return None,
        })
    }

    pub(super) fn hint_for_pull(self) -> Option<&'static str> {
        Some(match self {
            Self::NotLoggedIn | Self::Denied => {
                "log in to the registry with `docker login`, with an account that may read it"
            }
            Self::Forbidden => {
                "either the login may not read it, or a proxy or the policy of a VPC endpoint stands in between"
            }
            Self::Throttled => {
                "the registry limits the rate of requests: try again later; with a login (`docker login`) the limit is higher"
            }
            Self::NotFound => {
                "check whether the name and the tag are right; if it is private, `docker login`"
            }
            Self::NoPlatform => {
                "take one that was built for linux/amd64 or linux/arm64, and choose with --platform"
            }
            Self::Unreachable => UNREACHABLE,
            Self::Cut => {
                "the connection to the registry broke: check what stands in between, and try again"
            }
            Self::Failing => "the registry itself fails: try again in a minute",
            Self::Untrusted => UNTRUSTED,
            Self::NotHttps => NOT_HTTPS,
            Self::NoSpace => NO_SPACE,
            Self::TagExists | Self::Other => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RegistryRefusal;

    /// In the words of ECR, Docker Hub and the distribution registry, through the engine
    /// with its own image store and with containerd's.
    const KNOWN: [(&str, RegistryRefusal); 41] = [
        (
            "tag invalid: The image tag '1' already exists in the 'demo' repository and cannot be overwritten because the repository is immutable.",
            RegistryRefusal::TagExists,
        ),
        (
            "tag invalid: The image tag '1' already exists in the 'demo' repository and cannot be overwritten because the tag is immutable.",
            RegistryRefusal::TagExists,
        ),
        (
            "failed commit on ref \"manifest-sha256:0a\": unexpected status from PUT request to https://1.dkr.ecr/v2/demo/manifests/1: 400 Bad Request\ntag invalid: The image tag '1' already exists",
            RegistryRefusal::TagExists,
        ),
        ("no basic auth credentials", RegistryRefusal::NotLoggedIn),
        (
            "denied: Your authorization token has expired. Reauthenticate and try again.",
            RegistryRefusal::NotLoggedIn,
        ),
        (
            "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
            RegistryRefusal::NotLoggedIn,
        ),
        (
            "unauthorized: authentication required",
            RegistryRefusal::NotLoggedIn,
        ),
        (
            "unauthorized: incorrect username or password",
            RegistryRefusal::NotLoggedIn,
        ),
        (
            "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized",
            RegistryRefusal::NotLoggedIn,
        ),
        (
            "unexpected status from HEAD request to https://1.dkr.ecr/v2/demo/blobs/sha256:0a: 403 Forbidden",
            RegistryRefusal::Forbidden,
        ),
        (
            "denied: User: arn:aws:iam::1:user/ci is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:1:repository/demo because no identity-based policy allows the ecr:InitiateLayerUpload action",
            RegistryRefusal::Denied,
        ),
        (
            "denied: requested access to the resource is denied",
            RegistryRefusal::Denied,
        ),
        (
            "server message: insufficient_scope: authorization failed",
            RegistryRefusal::Denied,
        ),
        (
            "name unknown: The repository with name 'demo' does not exist in the registry with id '1'",
            RegistryRefusal::NotFound,
        ),
        (
            "name unknown: repository name not known to registry",
            RegistryRefusal::NotFound,
        ),
        (
            "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            RegistryRefusal::NotFound,
        ),
        (
            "manifest for redis:nope not found: manifest unknown: manifest unknown",
            RegistryRefusal::NotFound,
        ),
        (
            "failed to resolve reference \"localhost:1/a:b\": localhost:1/a:b: not found",
            RegistryRefusal::NotFound,
        ),
        (
            "Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
            RegistryRefusal::Unreachable,
        ),
        (
            "Get \"https://1.dkr.ecr/v2/\": dial tcp: lookup 1.dkr.ecr on 10.0.0.2:53: no such host",
            RegistryRefusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": dial tcp 10.0.0.1:443: i/o timeout",
            RegistryRefusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": net/http: TLS handshake timeout",
            RegistryRefusal::Unreachable,
        ),
        (
            "Get \"https://r/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
            RegistryRefusal::Unreachable,
        ),
        ("toomanyrequests: Rate exceeded", RegistryRefusal::Throttled),
        (
            "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
            RegistryRefusal::Throttled,
        ),
        (
            "failed commit on ref \"index-sha256:0a\": unexpected status from PUT request to https://1.dkr.ecr/v2/demo/manifests/1: 429 Too Many Requests",
            RegistryRefusal::Throttled,
        ),
        (
            "error parsing HTTP 429 response body: invalid character 'T' looking for beginning of value: \"Too Many Requests (HAP429).\\n\"",
            RegistryRefusal::Throttled,
        ),
        (
            "received unexpected HTTP status: 429 Too Many Requests",
            RegistryRefusal::Throttled,
        ),
        (
            "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\"",
            RegistryRefusal::Forbidden,
        ),
        (
            "received unexpected HTTP status: 503 Service Unavailable",
            RegistryRefusal::Failing,
        ),
        (
            "error parsing HTTP 502 response body: invalid character '<'",
            RegistryRefusal::Failing,
        ),
        ("EOF", RegistryRefusal::Cut),
        (
            "Patch \"https://1.dkr.ecr/v2/demo/blobs/uploads/4\": unexpected EOF",
            RegistryRefusal::Cut,
        ),
        (
            "failed to copy: write tcp 10.0.0.2:5->10.0.0.1:443: write: connection reset by peer",
            RegistryRefusal::Cut,
        ),
        (
            "write tcp 10.0.0.2:5->10.0.0.1:443: write: broken pipe",
            RegistryRefusal::Cut,
        ),
        (
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            RegistryRefusal::NoPlatform,
        ),
        (
            "failed to resolve reference \"r/a:1\": no match for platform in manifest: not found",
            RegistryRefusal::NoPlatform,
        ),
        (
            "Get \"https://r/v2/\": http: server gave HTTP response to HTTPS client",
            RegistryRefusal::NotHttps,
        ),
        (
            "Get \"https://r/v2/\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
            RegistryRefusal::Untrusted,
        ),
        (
            "failed to register layer: write /usr/lib/x: no space left on device",
            RegistryRefusal::NoSpace,
        ),
        ("the registry is in a bad mood", RegistryRefusal::Other),
    ];

    #[test]
    fn the_known_sentences_are_told_apart() {
        for (sentence, expected) in KNOWN {
            assert_eq!(RegistryRefusal::of(sentence), expected, "{sentence}");
        }
    }

    #[test]
    fn what_can_be_remedied_has_a_hint() {
        for (sentence, refusal) in KNOWN {
            let (push, pull) = (refusal.hint_for_push(), refusal.hint_for_pull());
            let is_known = refusal != RegistryRefusal::Other;
            assert_eq!(push.or(pull).is_some(), is_known, "{sentence}");
            let pulls = is_known && refusal != RegistryRefusal::TagExists;
            assert_eq!(pull.is_some(), pulls, "{sentence}");
        }
    }
}
