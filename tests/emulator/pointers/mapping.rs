//! A custom domain of API Gateway, by both versions of its API.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::edge_actions::{called, granted};
use crate::permissions::table::{API_MAPPING_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO};
use crate::servers::Servers;
use crate::support::Outcome;
use crate::world::{World, string};

const BLUE: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 3);
const GREEN: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 4);

/// Two APIs, and a domain in front of them.
struct Apis {
    world: World,
    servers: Servers,
    domain: String,
    targets: [String; 2],
}

impl Apis {
    fn new(app: &str, endpoint_type: &str, path: &str) -> Outcome<Self> {
        let servers = Servers::at(BLUE, GREEN)?;
        let world = World::new(app)?;
        let domain = format!("api.{app}.test");
        let configurations = json!([{ "endpointType": endpoint_type, "certificateArn": "arn:aws:acm:us-east-1:1:certificate/1" }]);
        let it = Self {
            targets: ["blue", "green"].map(|_| String::new()),
            world,
            servers,
            domain,
        };
        let request =
            json!({ "domainName": it.domain, "domainNameConfigurations": configurations });
        it.call("POST /v2/domainnames", &request)?;
        let targets = [it.api("blue")?, it.api("green")?];
        let it = Self { targets, ..it };
        it.configure(path)?;
        Ok(it)
    }

    fn configure(&self, path: &str) -> Outcome {
        let [blue, green] = &self.targets;
        let colors = self
            .servers
            .colors([blue, green], |color| self.servers.url(color));
        let (app, domain, gate) = (&self.world.app, &self.domain, &self.world.api.address);
        let port = gate.rsplit(':').next().unwrap_or_default();
        let behind = if path.is_empty() {
            String::new()
        } else {
            format!("/{path}")
        };
        let text = format!(
            "app = \"{app}\"\n[router]\nkind = \"api-mapping\"\ndomain = \"{domain}\"\npath = \"{path}\"\n\
             url = \"http://{domain}:{port}{behind}\"\n[probe]\nrate = 10\nwindow_seconds = 2\n{colors}"
        );
        // An empty path is none.
        let text = text.replace("path = \"\"\n", "");
        self.world.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// One that hands everything on to that colour; gives `API/STAGE`.
    fn api(&self, color: &str) -> Outcome<String> {
        let request = json!({ "name": color, "protocolType": "HTTP" });
        let api = string(&self.call("POST /v2/apis", &request)?, "/apiId")?;
        let integration = json!({
            "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "payloadFormatVersion": "1.0",
            "integrationUri": self.servers.url(color),
        });
        let made = self.call(&format!("POST /v2/apis/{api}/integrations"), &integration)?;
        let target = format!("integrations/{}", string(&made, "/integrationId")?);
        let route = json!({ "routeKey": "$default", "target": target });
        self.call(&format!("POST /v2/apis/{api}/routes"), &route)?;
        let stage = json!({ "stageName": "prod", "autoDeploy": true });
        self.call(&format!("POST /v2/apis/{api}/stages"), &stage)?;
        Ok(format!("{api}/prod"))
    }

    fn call(&self, line: &str, request: &Value) -> Outcome<Value> {
        let body = match request {
            Value::Null => String::new(),
            request => request.to_string(),
        };
        let answer = self.world.api.rest("apigateway", line, &body)?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Somebody's mapping.
    fn map(&self, target: &str, key: &str) -> Outcome {
        let (api, stage) = target.split_once('/').ok_or("no stage")?;
        let request = json!({ "apiId": api, "stage": stage, "apiMappingKey": key });
        let line = format!("POST /v2/domainnames/{}/apimappings", self.domain);
        self.call(&line, &request).map(drop)
    }

    /// `API/STAGE` by key.
    fn mapped(&self, key: &str) -> Outcome<Option<String>> {
        let line = format!("GET /v2/domainnames/{}/apimappings", self.domain);
        let all = self.call(&line, &Value::Null)?;
        let all = all["items"].as_array().cloned().unwrap_or_default();
        let found = all.iter().find(|it| it["apiMappingKey"] == key);
        found
            .map(|it| {
                Ok(format!(
                    "{}/{}",
                    string(it, "/apiId")?,
                    string(it, "/stage")?
                ))
            })
            .transpose()
    }

    fn is_released_by(&self, key: &str) -> Outcome {
        let world = &self.world;
        let [blue, green] = &self.targets;
        self.servers.put("green", "old")?;
        self.map(green, key)?;
        world.done(&["init"])?;
        assert_eq!(world.status()?["live"], "green");
        world.done(&["deploy", "--tag", "2"])?;
        let through = ["--connect-to", &world.api.address];
        let promoted = world.done_json(&[&["promote"][..], &through].concat())?;
        assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
        assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
        assert_eq!(self.mapped(key)?.as_ref(), Some(blue));
        world.done(&[&["rollback"][..], &through].concat())?;
        assert_eq!(self.mapped(key)?.as_ref(), Some(green));
        self.servers.put("blue", "bad")?;
        world.ends(6, &[&["promote", "--tag", "2"][..], &through].concat())?;
        world.done(&["destroy", "--yes"])?;
        assert_eq!(self.mapped(key)?.as_ref(), Some(green));
        Ok(())
    }
}

#[test]
fn a_mapping_of_a_regional_domain_is_released_by() -> Outcome {
    let it = Apis::new("regional", "REGIONAL", "")?;
    let mark = it.world.gate.calls().mark();
    it.is_released_by("")?;
    let allowed = granted(&[EDGE_DEPLOYER, EDGE_OPERATOR_TOO, API_MAPPING_DEPLOYER]);
    for action in called(&it.world, mark) {
        assert!(allowed.contains(action.as_str()), "{action} is not granted");
    }
    Ok(())
}

#[test]
fn a_base_path_of_an_edge_optimised_domain_is_released_by() -> Outcome {
    let it = Apis::new("optimised", "EDGE", "orders")?;
    it.is_released_by("orders")
}

/// From nothing; and another mapping of the domain is not bgecs's.
#[test]
fn the_first_release_makes_the_mapping() -> Outcome {
    let it = Apis::new("unmapped", "REGIONAL", "orders")?;
    let [blue, green] = it.targets.clone();
    it.map(&green, "other")?;
    it.world.done(&["init"])?;
    it.world.done(&["deploy", "--tag", "1"])?;
    let live = it.world.status()?["live"].clone();
    let target = if live == "blue" { &blue } else { &green };
    assert_eq!(it.mapped("orders")?.as_ref(), Some(target));
    assert_eq!(it.mapped("other")?.as_ref(), Some(&green));
    Ok(())
}
