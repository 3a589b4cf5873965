//! A custom domain of API Gateway, and two APIs behind it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::servers::Servers;
use crate::support::Outcome;
use crate::world::{World, string};

const BLUE: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 3);
const GREEN: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 4);

/// Two APIs, and a domain in front of them.
pub struct Apis {
    pub world: World,
    pub servers: Servers,
    pub domain: String,
    /// `API/STAGE`, blue's first.
    pub targets: [String; 2],
}

/// Where bgecs.toml says that colours are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LookedAt {
    OwnUrls,
    ByHeader,
}

impl Apis {
    pub fn new(app: &str, endpoint_type: &str, path: &str) -> Outcome<Self> {
        let configurations = json!([{ "endpointType": endpoint_type, "certificateArn": "arn:aws:acm:us-east-1:1:certificate/1" }]);
        let it = Self::behind(app, &json!({ "domainNameConfigurations": configurations }))?;
        it.configure(path, LookedAt::OwnUrls)?;
        Ok(it)
    }

    /// Behind a regional domain of that routing mode.
    pub fn with_mode(app: &str, mode: &str) -> Outcome<Self> {
        let configurations = json!([{ "endpointType": "REGIONAL", "certificateArn": "arn:aws:acm:us-east-1:1:certificate/1" }]);
        Self::behind(
            app,
            &json!({ "domainNameConfigurations": configurations, "routingMode": mode }),
        )
    }

    fn behind(app: &str, domain: &Value) -> Outcome<Self> {
        let mut it = Self {
            servers: Servers::at(BLUE, GREEN)?,
            world: World::new(app)?,
            domain: format!("api.{app}.test"),
            targets: ["blue", "green"].map(|_| String::new()),
        };
        let mut domain = domain.clone();
        domain["domainName"] = json!(it.domain);
        it.call("POST /v2/domainnames", &domain)?;
        it.targets = [it.api("blue")?, it.api("green")?];
        Ok(it)
    }

    pub fn configure(&self, path: &str, looked_at: LookedAt) -> Outcome {
        let [blue, green] = &self.targets;
        let colors = self
            .servers
            .colors([blue, green], |color| self.servers.url(color));
        let is_kept = |line: &&str| looked_at == LookedAt::OwnUrls || !line.starts_with("url = ");
        let colors: Vec<&str> = colors.lines().filter(is_kept).collect();
        let colors = colors.join("\n");
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
    pub fn api(&self, color: &str) -> Outcome<String> {
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

    pub fn call(&self, line: &str, request: &Value) -> Outcome<Value> {
        let body = match request {
            Value::Null => String::new(),
            request => request.to_string(),
        };
        let answer = self.world.api.rest("apigateway", line, &body)?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Somebody's mapping.
    pub fn map(&self, target: &str, key: &str) -> Outcome {
        let (api, stage) = target.split_once('/').ok_or("no stage")?;
        let request = json!({ "apiId": api, "stage": stage, "apiMappingKey": key });
        let line = format!("POST /v2/domainnames/{}/apimappings", self.domain);
        self.call(&line, &request).map(drop)
    }

    /// `API/STAGE` by key.
    pub fn mapped(&self, key: &str) -> Outcome<Option<String>> {
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
}
