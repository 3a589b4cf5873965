//! Calls about continuous deployment policies, which are all answered here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION};
use roxmltree::Document;

use super::call::OfPolicy;
use super::deploy::Policy;
use super::distribution::World;
use super::refuse::{self, Refusal};
use super::{CloudFront, VERSION};
use crate::gate::refusal::request_id;
use crate::gate::request::{Answer, Request};

impl CloudFront {
    pub(super) fn read_policy(&self, about: OfPolicy<'_>) -> Answer {
        let policies = self.policies();
        let found = match about {
            OfPolicy::Get(id) | OfPolicy::GetConfig(id) => policies.0.get(id),
            _ => return answer(StatusCode::OK, None, policies.xml()),
        };
        match (about, found) {
            (OfPolicy::GetConfig(_), Some(policy)) => {
                answer(StatusCode::OK, Some(policy), policy.config.clone())
            }
            (_, Some(policy)) => answer(StatusCode::OK, Some(policy), policy.xml()),
            (_, None) => Refusal::no_policy().answer(),
        }
    }

    pub(super) fn write_policy(
        &self,
        about: OfPolicy<'_>,
        request: &Request,
        world: &World,
    ) -> Answer {
        let written = match about {
            OfPolicy::Create => self.put_policy(None, request, world),
            OfPolicy::Update(id) => self.put_policy(Some(id), request, world),
            OfPolicy::Delete(id) => self.delete_policy(id, request, world),
            OfPolicy::List | OfPolicy::Get(_) | OfPolicy::GetConfig(_) => {
                Ok(self.read_policy(about))
            }
        };
        written.unwrap_or_else(|refusal| refusal.answer())
    }

    /// That of that id, or a new one.
    fn put_policy(
        &self,
        id: Option<&str>,
        request: &Request,
        world: &World,
    ) -> Result<Answer, Refusal> {
        let config = root(&request.body).ok_or(Refusal::argument("That is no XML."))?;
        let mut policies = self.policies();
        if let Some(id) = id {
            let known = policies.0.get(id).ok_or(Refusal::no_policy())?;
            refused(refuse::version(&request.head.headers, &[&known.etag]))?;
        }
        refused(policies.refusal(id, &config, world))?;
        let policy = Policy {
            id: id.map_or_else(request_id, str::to_owned),
            etag: request_id(),
            modified: timestamp(SystemTime::now()),
            config,
        };
        let status = match id {
            Some(_) => StatusCode::OK,
            None => StatusCode::CREATED,
        };
        let answer = answer(status, Some(&policy), policy.xml());
        policies.0.insert(policy.id.clone(), policy);
        Ok(answer)
    }

    fn delete_policy(&self, id: &str, request: &Request, world: &World) -> Result<Answer, Refusal> {
        let mut policies = self.policies();
        let known = policies.0.get(id).ok_or(Refusal::no_policy())?;
        refused(refuse::version(&request.head.headers, &[&known.etag]))?;
        let mut users = world.0.iter().filter_map(|one| one.policy.as_deref());
        if users.any(|policy| policy == id) {
            return Err(Refusal::policy_in_use());
        }
        policies.0.remove(id);
        Ok(answer(StatusCode::NO_CONTENT, None, String::new()))
    }
}

fn refused(refusal: Option<Refusal>) -> Result<(), Refusal> {
    refusal.map_or(Ok(()), Err)
}

/// The root element of a document, as it stands.
fn root(xml: &[u8]) -> Option<String> {
    let xml = std::str::from_utf8(xml).ok()?;
    let document = Document::parse(xml).ok()?;
    Some(xml[document.root_element().range()].to_owned())
}

fn answer(status: StatusCode, of: Option<&Policy>, body: String) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    let mut tell = |name: HeaderName, value: String| {
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    };
    if let Some(policy) = of {
        let path = format!("/{VERSION}/continuous-deployment-policy/{}", policy.id);
        tell(ETAG, policy.etag.clone());
        tell(LOCATION, path);
    }
    Answer {
        status,
        headers,
        body: body.into(),
    }
}

/// As ISO 8601 has it, in UTC.
fn timestamp(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs();
    let (mut year, mut days) = (1970, seconds / 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let day = days + 1;
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_utc() {
        for (seconds, told) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
        ] {
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(timestamp(at), told);
        }
    }
}
