//! What a service that speaks JSON answers to a call that is wrong.

use hyper::StatusCode;

use super::{Refusal, kind_of_json, request_id};
use crate::gate::request::{Answer, Protocol, Request};

/// With the status 400.
pub fn in_json(request: &Request, code: &'static str, message: &str) -> Answer {
    with_status(request, StatusCode::BAD_REQUEST, code, message)
}

pub fn with_status(
    request: &Request,
    status: StatusCode,
    code: &'static str,
    message: &str,
) -> Answer {
    let refusal = Refusal {
        status,
        code,
        message,
    };
    let kind = match request.operation.protocol {
        Protocol::Rest => "application/json",
        _ => kind_of_json(request),
    };
    super::in_json(refusal, kind, &request_id())
}
