//! An app behind a custom domain of API Gateway, which leads to one of two HTTP APIs.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::onlookers::{Onlookers, unharmed};
use super::site::{Routing, Site};
use super::stage::Stage;
use crate::Result;
use crate::json::{expect, text};

const DOMAIN: &str = "api.mapping.test";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 7);

/// Nobody at the domain notices that it leads to another API, and back.
pub async fn a_domain_is_switched_and_nobody_notices(stage: &Stage<'_>) -> Result<String> {
    let site = Site::new(stage, "mapping", FIRST)?;
    let told = told(&site).await;
    site.leave().await?;
    told
}

async fn told(site: &Site<'_>) -> Result<String> {
    site.run("green", "1").await?;
    let domains = Domain::make(site).await?;
    let gate = site.stage.gate.ok_or("there is no gate")?;
    let users = Onlookers::at(&gate.addresses()[..1], DOMAIN)?;
    let released = domains.release().await;
    let seen = users.leave().await?;
    released?;
    let visits = unharmed(&seen)?;
    Ok(format!(
        "a domain of API Gateway is switched and switched back: {visits} visits, and nobody noticed"
    ))
}

struct Domain<'s> {
    site: &'s Site<'s>,
    /// Blue's and green's, as `API/STAGE`.
    apis: [String; 2],
}

impl<'s> Domain<'s> {
    /// It leads to green's API.
    async fn make(site: &'s Site<'s>) -> Result<Self> {
        let certificate = "arn:aws:acm:us-east-1:1:certificate/1";
        let configuration = json!({ "endpointType": "REGIONAL", "certificateArn": certificate });
        let asked = json!({ "domainName": DOMAIN, "domainNameConfigurations": [configuration] });
        call(site, "POST /v2/domainnames", &asked).await?;
        let apis = [api(site, "blue").await?, api(site, "green").await?];
        let (id, stage) = apis[1].split_once('/').ok_or("no stage")?;
        let mapping = json!({ "apiId": id, "stage": stage, "apiMappingKey": "" });
        let line = format!("POST /v2/domainnames/{DOMAIN}/apimappings");
        call(site, &line, &mapping).await?;
        let it = Self { site, apis };
        it.configure()?;
        Ok(it)
    }

    fn configure(&self) -> Result<()> {
        let port = self.site.stage.endpoint.rsplit(':').next();
        let port = port.ok_or("the endpoint has no port")?;
        let [blue, green] = &self.apis;
        self.site.configure(&Routing {
            router: &format!(
                "kind = \"api-mapping\"\ndomain = \"{DOMAIN}\"\nurl = \"http://{DOMAIN}:{port}\""
            ),
            targets: [blue, green],
            address: None,
            more: "",
        })
    }

    async fn release(&self) -> Result<()> {
        let [blue, green] = &self.apis;
        let through = self.site.stage.nodes()?;
        self.site.done(&["init"]).await?;
        self.site.done(&["deploy", "--tag", "2"]).await?;
        for (command, to) in [("promote", blue), ("rollback", green)] {
            let swap = [command, "--connect-to", &through, "--json"];
            let swapped = self.site.done(&swap).await?.json()?;
            expect(&swapped, &["outcome"], "committed")?;
            expect(&swapped, &["probe", "failed"], 0)?;
            expect(&self.mapped().await?.into(), &[], to.as_str())?;
        }
        self.site.done(&["destroy", "--yes"]).await?;
        expect(&self.mapped().await?.into(), &[], green.as_str())
    }

    /// Where the domain leads, as `API/STAGE`.
    async fn mapped(&self) -> Result<String> {
        let line = format!("GET /v2/domainnames/{DOMAIN}/apimappings");
        let all = call(self.site, &line, &Value::Null).await?;
        let of = |key| text(&all, &["items", "0", key]);
        Ok(format!("{}/{}", of("apiId")?, of("stage")?))
    }
}

/// One that hands everything on to that colour; gives `API/STAGE`.
async fn api(site: &Site<'_>, color: &str) -> Result<String> {
    let asked = json!({ "name": color, "protocolType": "HTTP" });
    let made = call(site, "POST /v2/apis", &asked).await?;
    let id = text(&made, &["apiId"])?;
    let integration = json!({
        "integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "payloadFormatVersion": "1.0",
        "integrationUri": site.url(color),
    });
    let path = format!("POST /v2/apis/{id}");
    let made = call(site, &format!("{path}/integrations"), &integration).await?;
    let target = format!("integrations/{}", text(&made, &["integrationId"])?);
    let route = json!({ "routeKey": "$default", "target": target });
    call(site, &format!("{path}/routes"), &route).await?;
    let stage = json!({ "stageName": "prod", "autoDeploy": true });
    call(site, &format!("{path}/stages"), &stage).await?;
    Ok(format!("{id}/prod"))
}

async fn call(site: &Site<'_>, line: &str, asked: &Value) -> Result<Value> {
    let body = match asked {
        Value::Null => String::new(),
        asked => asked.to_string(),
    };
    let answer = site.rest("apigateway", line, &body).await?;
    Ok(serde_json::from_str(&answer)?)
}
