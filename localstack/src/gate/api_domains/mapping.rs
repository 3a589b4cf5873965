//! `UpdateBasePathMapping` of version 1, which MiniStack lacks: as an `UpdateApiMapping`
//! of version 2, which is about the same mapping.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateBasePathMapping.html>

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::asked::decoded;
use super::{ApiDomains, JSON, Refusal, SERVICE, refused};
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

/// The base path of none in version 1, where version 2 has an empty key.
const NONE: &str = "(none)";

impl ApiDomains {
    pub(super) async fn update_mapping(
        &self,
        request: &Request,
        (domain, base): (&str, &str),
    ) -> Result<Answer, Failed> {
        let change = match change(&request.body) {
            Ok(change) => change,
            Err(refusal) => return Ok(refused(request, refusal)),
        };
        let all = format!("/v2/domainnames/{domain}/apimappings");
        let answer = self
            .upstream
            .rest_call(SERVICE, (Method::GET, &all), &[], String::new());
        let answer = answer.await?;
        let mappings = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(id) = mapping_of(&mappings, &decoded(base)) else {
            let message = "Invalid base path mapping identifier specified".to_owned();
            let refusal = (StatusCode::NOT_FOUND, "NotFoundException", message);
            return Ok(refused(request, refusal));
        };
        let one = format!("{all}/{id}");
        let headers = [("content-type", JSON)];
        let call = (Method::PATCH, one.as_str());
        let answer = self
            .upstream
            .rest_call(SERVICE, call, &headers, change.to_string());
        let answer = answer.await?;
        if !answer.status.is_success() {
            return Ok(answer);
        }
        let mapping = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(Answer::json(StatusCode::OK, JSON, &in_version_1(&mapping)))
    }
}

/// The input of version 2, of `{"patchOperations": [{"op", "path", "value"}]}`: "replace"
/// of `/basePath`, `/restapiId` and `/stage`
/// (<https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>).
fn change(body: &[u8]) -> Result<Value, Refusal> {
    let input: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut change = Map::new();
    for patch in input["patchOperations"].as_array().into_iter().flatten() {
        let text = |key: &str| patch[key].as_str().unwrap_or_default();
        let (key, value) = match (text("op"), text("path")) {
            ("replace", "/basePath") => ("apiMappingKey", text("value").replace(NONE, "")),
            ("replace", "/restapiId" | "/restApiId") => ("apiId", text("value").to_owned()),
            ("replace", "/stage") => ("stage", text("value").to_owned()),
            (op, path) => {
                let message = format!("Invalid patch operation: {op} of {path}");
                return Err((StatusCode::BAD_REQUEST, "BadRequestException", message));
            }
        };
        change.insert(key.to_owned(), json!(value));
    }
    Ok(Value::Object(change))
}

/// The id that version 2 calls it by.
fn mapping_of<'a>(mappings: &'a Value, base: &str) -> Option<&'a str> {
    let key = if base == NONE { "" } else { base };
    let mut all = mappings["items"].as_array()?.iter();
    all.find(|mapping| mapping["apiMappingKey"].as_str().unwrap_or("") == key)?["apiMappingId"]
        .as_str()
}

fn in_version_1(mapping: &Value) -> Value {
    let base = mapping["apiMappingKey"]
        .as_str()
        .filter(|key| !key.is_empty());
    json!({
        "basePath": base.unwrap_or(NONE),
        "restApiId": mapping["apiId"],
        "stage": mapping["stage"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_told_in_the_words_of_version_2() {
        let body = |patches: Value| json!({ "patchOperations": patches }).to_string();
        let patch =
            |path: &str, value: &str| json!({"op": "replace", "path": path, "value": value});
        let all = json!([
            patch("/restapiId", "a1"),
            patch("/stage", "live"),
            patch("/basePath", NONE)
        ]);
        assert_eq!(
            change(body(all).as_bytes()),
            Ok(json!({"apiId": "a1", "stage": "live", "apiMappingKey": ""}))
        );
        let wrong = json!([patch("/stage", "live"), {"op": "remove", "path": "/stage"}]);
        let (status, code, _) = change(body(wrong).as_bytes()).unwrap_err();
        assert_eq!((status.as_u16(), code), (400, "BadRequestException"));
    }

    #[test]
    fn a_mapping_is_found_by_its_base_path() {
        let all = json!({"items": [
            {"apiMappingKey": "shop", "apiMappingId": "m1", "apiId": "a1", "stage": "live"},
            {"apiMappingKey": "", "apiMappingId": "m2", "apiId": "a2", "stage": "live"},
        ]});
        let found = ["shop", NONE, "sho"].map(|base| mapping_of(&all, base));
        assert_eq!(found, [Some("m1"), Some("m2"), None]);
        let told = json!({"basePath": NONE, "restApiId": "a2", "stage": "live"});
        assert_eq!(in_version_1(&all["items"][1]), told);
    }
}
