//! What the tests of the local AWS share: calls of its API over plain HTTP, and
//! tasks that do run.

use std::collections::HashMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bollard::query_parameters::ListContainersOptionsBuilder;
use localstack::{Emulator, Engine};
use serde_json::{Value, json};

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Progress for tests: what is printed is shown if the test fails.
#[expect(clippy::print_stderr, reason = "cargo shows it for tests that fail")]
pub fn progress(line: &str) {
    eprintln!("{line}");
}

pub fn address(emulator: &Emulator) -> String {
    emulator.endpoint().trim_start_matches("http://").to_owned()
}

/// Sends a request and gives the answer's status and body.
pub fn http(
    address: &str,
    request_line: &str,
    headers: &str,
    body: &str,
) -> Outcome<(String, String)> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{request_line} HTTP/1.0\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP")?;
    let status = head.split_whitespace().nth(1).ok_or("no status")?;
    Ok((status.to_owned(), body.to_owned()))
}

pub fn health(address: &str) -> Outcome<String> {
    let (status, body) = http(address, "GET /_localstack/health", "", "")?;
    if status == "200" {
        Ok(body)
    } else {
        Err(status.into())
    }
}

pub fn ecs(emulator: &Emulator, operation: &str, request: &Value) -> Outcome<Value> {
    let headers = format!(
        "Content-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, \
         SignedHeaders=host, Signature=none\r\n"
    );
    let (status, body) = http(&address(emulator), "POST /", &headers, &request.to_string())?;
    if status != "200" {
        return Err(format!("{operation}: {status} {body}").into());
    }
    Ok(serde_json::from_str(&body)?)
}

/// Runs a service of two tasks of that image, and waits for their containers.
pub async fn run_service(
    engine: &Engine,
    emulator: &Emulator,
    cluster: &str,
    image: &str,
) -> Outcome {
    ecs(
        emulator,
        "CreateCluster",
        &json!({ "clusterName": cluster }),
    )?;
    let container = json!({
        "name": "web", "image": image, "essential": true,
        "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"],
    });
    let definition = json!({
        "family": cluster, "networkMode": "awsvpc", "containerDefinitions": [container],
        "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512",
    });
    ecs(emulator, "RegisterTaskDefinition", &definition)?;
    let service = json!({
        "cluster": cluster, "serviceName": "web", "taskDefinition": cluster,
        "desiredCount": 2, "launchType": "FARGATE",
    });
    ecs(emulator, "CreateService", &service)?;
    let start = Instant::now();
    while containers(engine, cluster).await? != 2 {
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("no two containers:\n{}", emulator.log_tail(20).await).into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// How many containers there are of the tasks of a cluster, running or not.
pub async fn containers(engine: &Engine, cluster: &str) -> Outcome<usize> {
    let arn =
        format!("com.amazonaws.ecs.cluster=arn:aws:ecs:us-east-1:000000000000:cluster/{cluster}");
    let filters = HashMap::from([("label", vec![arn])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    Ok(engine.docker().list_containers(Some(options)).await?.len())
}
