//! What of a custom domain a call is about, by its path. Pure.
//!
//! <https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/operations.html>, and
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html> for version 1.

/// Names are as they came, which is how they are sent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    Domains,
    Domain(&'a str),
    Rules(&'a str),
    Rule(&'a str, &'a str),
    /// One of version 1's mappings: the domain, and the base path.
    BasePath(&'a str, &'a str),
}

/// None if it is about anything else.
pub fn asked(path: &str) -> Option<Asked<'_>> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        ["v2", "domainnames"] | ["domainnames"] => Some(Asked::Domains),
        ["v2", "domainnames", domain] | ["domainnames", domain] => Some(Asked::Domain(domain)),
        ["v2", "domainnames", domain, "routingrules"] => Some(Asked::Rules(domain)),
        ["v2", "domainnames", domain, "routingrules", rule] => Some(Asked::Rule(domain, rule)),
        ["domainnames", domain, "basepathmappings", base] => Some(Asked::BasePath(domain, base)),
        _ => None,
    }
}

/// A part of a path without its percents.
pub fn decoded(part: &str) -> String {
    let part = part.replace('+', "%2B");
    let mut pairs = form_urlencoded::parse(part.as_bytes());
    pairs
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_what_it_is_about() {
        for (path, is) in [
            ("/v2/domainnames", Some(Asked::Domains)),
            ("/domainnames/a.example", Some(Asked::Domain("a.example"))),
            (
                "/v2/domainnames/a.example/routingrules",
                Some(Asked::Rules("a.example")),
            ),
            (
                "/v2/domainnames/a.example/routingrules/r1",
                Some(Asked::Rule("a.example", "r1")),
            ),
            (
                "/domainnames/a.example/basepathmappings/%28none%29",
                Some(Asked::BasePath("a.example", "%28none%29")),
            ),
            ("/v2/domainnames/a.example/apimappings/m1", None),
            ("/v2/apis", None),
        ] {
            assert_eq!(asked(path), is, "{path}");
        }
        assert_eq!(decoded("%28none%29"), "(none)");
        assert_eq!(decoded("a+b"), "a+b");
    }
}
