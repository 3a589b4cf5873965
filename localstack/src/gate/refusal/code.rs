//! AWS's code of an error, read from an answer as an SDK reads it.

use roxmltree::Document;
use serde_json::Value;

use super::super::cbor;
use super::super::request::{Answer, Protocol};

/// None if the answer is no error, or not in the protocol's shape.
pub fn code(protocol: Protocol, answer: &Answer) -> Option<String> {
    if answer.status.as_u16() < 400 {
        return None;
    }
    match protocol {
        Protocol::Json => of_json(answer),
        Protocol::Query | Protocol::Ec2Query => of_xml(answer),
        Protocol::Cbor => of_document(&cbor::read(&answer.body)?),
        Protocol::Rest => of_json(answer).or_else(|| of_xml(answer)),
    }
}

/// The header comes first:
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>.
fn of_json(answer: &Answer) -> Option<String> {
    let header = answer.headers.get("x-amzn-errortype");
    if let Some(code) = header.and_then(|value| value.to_str().ok()) {
        return Some(bare(code));
    }
    of_document(&serde_json::from_slice(&answer.body).ok()?)
}

fn of_document(document: &Value) -> Option<String> {
    ["__type", "code"]
        .iter()
        .find_map(|name| document.get(name)?.as_str())
        .map(bare)
}

fn of_xml(answer: &Answer) -> Option<String> {
    code_of_xml(std::str::from_utf8(&answer.body).ok()?)
}

/// All shapes of XML have one `Error` with one `Code`.
pub fn code_of_xml(text: &str) -> Option<String> {
    let document = Document::parse(text).ok()?;
    let error = document
        .descendants()
        .find(|node| node.tag_name().name() == "Error")?;
    let code = error
        .children()
        .find(|node| node.tag_name().name() == "Code")?;
    code.text().map(|text| text.trim().to_owned())
}

/// `Gone` of `com.amazonaws.ecs#Gone:http://…`: SDKs drop both ends.
fn bare(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::{HeaderMap, StatusCode};

    fn read(
        protocol: Protocol,
        status: u16,
        header: Option<&'static str>,
        body: &str,
    ) -> Option<String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("x-amzn-errortype", value.parse().unwrap());
        }
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.to_owned().into(),
        };
        code(protocol, &answer)
    }

    #[test]
    fn a_code_loses_its_namespace_and_its_address() {
        let long = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}"#;
        let wanted = Some("ResourceNotFoundException".to_owned());
        assert_eq!(read(Protocol::Json, 400, None, long), wanted);
        let header = Some("ResourceNotFoundException:http://internal.amazon.com/x/");
        assert_eq!(read(Protocol::Rest, 404, header, "{}"), wanted);
        let code = r#"{"code":"ResourceNotFoundException"}"#;
        assert_eq!(read(Protocol::Json, 400, None, code), wanted);
    }

    #[test]
    fn only_the_code_of_the_error_is_taken() {
        let xml = "<R xmlns='x'><Code>No</Code><Error><Code> Yes </Code></Error></R>";
        assert_eq!(
            read(Protocol::Query, 400, None, xml).as_deref(),
            Some("Yes")
        );
    }

    #[test]
    fn what_is_no_error_has_no_code() {
        assert_eq!(read(Protocol::Json, 200, None, r#"{"code":"x"}"#), None);
        assert_eq!(
            read(Protocol::Json, 500, None, "Internal Server Error"),
            None
        );
        assert_eq!(read(Protocol::Query, 502, None, "<html>"), None);
    }
}
