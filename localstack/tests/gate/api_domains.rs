//! Custom domains of API Gateway, in terms of its API and of HTTP to the domain alone:
//! before a stand that knows mappings only, and where `BGECS_E2E_ENDPOINT` names an
//! emulator, before that one too.

mod stand;

use localstack::gate;
use localstack::gate::upstream::Upstream;
use serde_json::{Value, json};

use crate::api::Outcome;
use crate::door::Door;
use stand::Stand;

/// Two APIs, and a domain that is mapped to the first.
struct Site {
    api: Upstream,
    domain: String,
    mapping: String,
    door: Door,
    blue: String,
    green: String,
    #[expect(dead_code, reason = "it runs")]
    gate: localstack::Gate,
}

impl Site {
    async fn start(endpoint: &str) -> Outcome<Self> {
        let gate = localstack::Gate::before(endpoint, &gate::Options::default())?;
        let authority = gate.endpoint().trim_start_matches("http://").to_owned();
        let domain = format!("api-{:08x}.example.test", fastrand::u32(..));
        let door = Door {
            address: authority.parse()?,
            host: domain.clone(),
        };
        let mut site = Self {
            api: Upstream::new(authority, "test"),
            domain,
            mapping: String::new(),
            door,
            blue: String::new(),
            green: String::new(),
            gate,
        };
        site.blue = site.rest_api("blue").await?;
        site.green = site.rest_api("green").await?;
        let domain = json!({
            "domainName": site.domain,
            "domainNameConfigurations": [{"endpointType": "REGIONAL"}],
            "routingMode": "ROUTING_RULE_THEN_API_MAPPING",
        });
        site.made("POST", "/v2/domainnames", &domain).await?;
        let mapping = json!({"apiId": site.blue, "stage": "live", "apiMappingKey": ""});
        let path = format!("/v2/domainnames/{}/apimappings", site.domain);
        let mapping = site.made("POST", &path, &mapping).await?;
        site.mapping = text(&mapping, "apiMappingId")?;
        Ok(site)
    }

    /// One that answers its name at its root; gives its id.
    async fn rest_api(&self, name: &str) -> Outcome<String> {
        let made = self
            .made("POST", "/restapis", &json!({ "name": name }))
            .await?;
        let id = text(&made, "id")?;
        let all = format!("/restapis/{id}/resources");
        let resources = self.made("GET", &all, &Value::Null).await?;
        let root = text(&resources["item"][0], "id")?;
        let method = format!("{all}/{root}/methods/GET");
        let template = |text: &str| json!({ "application/json": text });
        let says = json!({ "api": name }).to_string();
        for (path, input) in [
            ("", json!({"authorizationType": "NONE"})),
            (
                "/integration",
                json!({"type": "MOCK", "requestTemplates": template("{\"statusCode\": 200}")}),
            ),
            ("/responses/200", json!({})),
            (
                "/integration/responses/200",
                json!({"responseTemplates": template(&says)}),
            ),
        ] {
            self.made("PUT", &format!("{method}{path}"), &input).await?;
        }
        let stage = json!({"stageName": "live"});
        self.made("POST", &format!("/restapis/{id}/deployments"), &stage)
            .await?;
        Ok(id)
    }

    /// Deletes all that was made, and its rules with the domain.
    async fn clean(&self) -> Outcome {
        let domain = format!("/v2/domainnames/{}", self.domain);
        let apis = [&self.blue, &self.green].map(|id| format!("/restapis/{id}"));
        for path in [domain].iter().chain(&apis) {
            self.made("DELETE", path, &Value::Null).await?;
        }
        let (status, _) = self.call("GET", &self.rules(), &Value::Null).await?;
        assert_eq!(status, 404);
        Ok(())
    }

    async fn call(&self, method: &str, path: &str, input: &Value) -> Outcome<(u16, Value)> {
        let body = match input {
            Value::Null => String::new(),
            input => input.to_string(),
        };
        let headers = [("content-type", "application/json")];
        let call = (method.parse()?, path);
        let answer = self
            .api
            .rest_call("apigateway", call, &headers, body)
            .await?;
        let output = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok((answer.status.as_u16(), output))
    }

    /// The output of a call that is not refused.
    async fn made(&self, method: &str, path: &str, input: &Value) -> Outcome<Value> {
        match self.call(method, path, input).await? {
            (200..300, output) => Ok(output),
            (status, output) => Err(format!("{method} {path}: {status} {output}").into()),
        }
    }

    fn rules(&self) -> String {
        format!("/v2/domainnames/{}/routingrules", self.domain)
    }

    /// Its path.
    async fn rule(&self, priority: u32, conditions: &Value, api: &str) -> Outcome<String> {
        let wanted = rule(priority, conditions, api);
        let made = self.made("POST", &self.rules(), &wanted).await?;
        Ok(format!(
            "{}/{}",
            self.rules(),
            text(&made, "routingRuleId")?
        ))
    }

    /// The status of the domain's answer, and the name of the API that gave it.
    async fn answer(&self, path: &str, headers: &[(&str, &str)]) -> Outcome<(u16, String)> {
        let answer = self.door.get(path, headers).await?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let name = said["api"].as_str().unwrap_or_default();
        Ok((answer.status, name.to_owned()))
    }
}

fn rule(priority: u32, conditions: &Value, api: &str) -> Value {
    let to = json!({"apiId": api, "stage": "live", "stripBasePath": true});
    json!({"priority": priority, "conditions": conditions, "actions": [{"invokeApi": to}]})
}

fn text(value: &Value, key: &str) -> Outcome<String> {
    let text = value[key].as_str();
    Ok(text
        .ok_or_else(|| format!("no {key} in {value}"))?
        .to_owned())
}

fn says(name: &str) -> (u16, String) {
    (200, name.to_owned())
}

fn header(name: &str, glob: &str) -> Value {
    json!({"matchHeaders": {"anyOf": [{"header": name, "valueGlob": glob}]}})
}

/// Makes each case a test before the stand, and one before an emulator that is named.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod before_the_stand {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() -> super::Outcome {
                    let stand = super::Stand::start().await?;
                    let site = super::Site::start(&stand.endpoint).await?;
                    super::$case(&site).await?;
                    site.clean().await
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_case_holds_before_the_emulator_that_is_named() -> Outcome {
            if let Ok(endpoint) = std::env::var("BGECS_E2E_ENDPOINT") {
                $(
                    let site = Site::start(&endpoint).await?;
                    $case(&site).await?;
                    site.clean().await?;
                )*
            }
            Ok(())
        }
    };
}

cases![
    a_rule_is_evaluated_before_any_mapping,
    rules_are_evaluated_from_the_lowest_priority,
    a_domain_of_rules_only_answers_nothing_else,
    rules_that_cannot_be_are_refused,
    a_mapping_is_changed_by_version_1_as_well,
];

/// "API Gateway always evaluates all routing rules before evaluating any API mappings."
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>,
/// as what follows.)
async fn a_rule_is_evaluated_before_any_mapping(site: &Site) -> Outcome {
    assert_eq!(site.answer("/", &[]).await?, says("blue"));
    let rule = site
        .rule(10, &json!([header("Hello", "World")]), &site.green)
        .await?;
    assert_eq!(
        site.answer("/", &[("hello", "World")]).await?,
        says("green")
    );
    assert_eq!(site.answer("/", &[("hello", "world")]).await?, says("blue"));
    assert_eq!(site.answer("/", &[]).await?, says("blue"));
    site.made("DELETE", &rule, &Value::Null).await?;
    assert_eq!(site.answer("/", &[("hello", "World")]).await?, says("blue"));
    Ok(())
}

/// "The priority determines what order the rules are evaluated in, from the lowest value
/// to the highest value."
async fn rules_are_evaluated_from_the_lowest_priority(site: &Site) -> Outcome {
    let next = json!([{"matchBasePaths": {"anyOf": ["next"]}}]);
    let later = site.rule(50, &next, &site.blue).await?;
    site.rule(10, &next, &site.green).await?;
    assert_eq!(site.answer("/next", &[]).await?, says("green"));
    // What is put first is first.
    let first = rule(1, &next, &site.blue);
    site.made("PUT", &later, &first).await?;
    assert_eq!(site.made("GET", &later, &Value::Null).await?["priority"], 1);
    assert_eq!(site.answer("/next", &[]).await?, says("blue"));
    let all = site.made("GET", &site.rules(), &Value::Null).await?;
    assert_eq!(all["routingRules"].as_array().map(Vec::len), Some(2));
    Ok(())
}

/// "`ROUTING_RULE_ONLY`" and its counterparts
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-mode.html>).
async fn a_domain_of_rules_only_answers_nothing_else(site: &Site) -> Outcome {
    site.rule(10, &json!([header("hello", "*")]), &site.green)
        .await?;
    let domain = format!("/v2/domainnames/{}", site.domain);
    for (mode, with, without) in [
        ("ROUTING_RULE_ONLY", says("green"), (403, String::new())),
        ("API_MAPPING_ONLY", says("blue"), says("blue")),
        ("ROUTING_RULE_THEN_API_MAPPING", says("green"), says("blue")),
    ] {
        let told = site
            .made("PATCH", &domain, &json!({ "routingMode": mode }))
            .await?;
        assert_eq!(told["routingMode"], mode);
        assert_eq!(site.answer("/", &[("hello", "you")]).await?, with, "{mode}");
        assert_eq!(site.answer("/", &[]).await?, without, "{mode}");
    }
    Ok(())
}

/// "Rules can't have the same priority. You can set the priority from 1-1,000,000."
async fn rules_that_cannot_be_are_refused(site: &Site) -> Outcome {
    site.rule(10, &json!([]), &site.green).await?;
    let elsewhere = "/v2/domainnames/nowhere.example.test/routingrules";
    let unknown = format!("{}/none", site.rules());
    for (method, path, priority, status, code) in [
        ("POST", site.rules().as_str(), 10, 409, "ConflictException"),
        ("POST", site.rules().as_str(), 0, 400, "BadRequestException"),
        ("POST", elsewhere, 20, 404, "NotFoundException"),
        ("PUT", unknown.as_str(), 20, 404, "NotFoundException"),
    ] {
        let wanted = rule(priority, &json!([]), &site.blue);
        let (refused, said) = site.call(method, path, &wanted).await?;
        assert_eq!((refused, &said["__type"]), (status, &json!(code)), "{path}");
    }
    Ok(())
}

/// `UpdateBasePathMapping`: "Changes information about the BasePathMapping resource."
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateBasePathMapping.html>)
async fn a_mapping_is_changed_by_version_1_as_well(site: &Site) -> Outcome {
    let path = format!("/domainnames/{}/basepathmappings/%28none%29", site.domain);
    let replace = |path: &str, value: &str| json!({"op": "replace", "path": path, "value": value});
    let patches = json!([
        replace("/restapiId", &site.green),
        replace("/stage", "live")
    ]);
    let told = site
        .made("PATCH", &path, &json!({ "patchOperations": patches }))
        .await?;
    let now = json!({"basePath": "(none)", "restApiId": site.green, "stage": "live"});
    assert_eq!(told, now);
    assert_eq!(site.answer("/", &[]).await?, says("green"));
    let mapping = format!(
        "/v2/domainnames/{}/apimappings/{}",
        site.domain, site.mapping
    );
    assert_eq!(
        site.made("GET", &mapping, &Value::Null).await?["apiId"],
        site.green
    );
    let none = path.replace("%28none%29", "none");
    let (status, _) = site
        .call("PATCH", &none, &json!({ "patchOperations": [] }))
        .await?;
    assert_eq!(status, 404);
    Ok(())
}
