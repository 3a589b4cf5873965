//! A mapping of a custom domain of API Gateway: which stage of which API answers at a
//! path of the domain. An edge-optimised domain has it in version 1 of the API only (a
//! base path mapping), any other in version 2.
//!
//! The write cannot be made conditional on what was read, so the mapping is read just
//! before. AWS does not say how long a change takes to become visible; the probe shows
//! it.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{Router, Unmoved, pointers};
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::aws::plain::{encoded, path};
use crate::model::{
    Check, Color, Found, Move, Patience, PerRoute, RoutedPointer, Strategy, Urgency,
};

/// API Gateway's actions are methods on its paths
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html>).
const READ: &str = "apigateway:GET";
const MODIFY: &str = "apigateway:PATCH";
const MAKE: &str = "apigateway:POST";

/// The name in version 1 for the mapping of the whole domain.
const NO_PATH: &str = "(none)";

#[derive(Debug, Clone, Copy)]
pub struct ApiMappingRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) it: &'a RoutedPointer,
    pub(super) domain: &'a str,
    /// Empty for the whole domain.
    pub(super) path: &'a str,
    /// Whether testers reach the colours by rules of the domain.
    pub(super) by_header: bool,
}

/// The version of the API that knows the domain's mappings.
#[derive(Debug, Clone, Copy)]
enum ApiVersion {
    /// For an edge-optimised domain.
    One,
    Two,
}

/// A mapping as it was read.
struct Mapping {
    /// For version 2; in version 1 the path is enough.
    id: String,
    /// `API/STAGE`
    target: String,
}

impl Router for ApiMappingRouter<'_> {
    fn patience(&self) -> Patience {
        Patience {
            confirm: Duration::from_secs(60),
            visible: Duration::from_secs(30),
            spread: Duration::ZERO,
            stale: Duration::from_secs(5),
            stale_pause: Duration::from_secs(1),
            resend: Duration::from_secs(10),
            unreadable: Duration::from_secs(60),
            pause: Duration::from_secs(1),
            late: Duration::from_secs(2),
            gap: Duration::ZERO,
        }
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        super::all_or_nothing(&self.it.pointer, strategy)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let mapping = self.mapping(self.version().await?).await?;
        let target = mapping.as_ref().map(|mapping| mapping.target.as_str());
        Ok(PerRoute {
            production: pointers::found(self.it, target),
            test: Found::ByRequest,
        })
    }

    async fn apply(&self, it: Move, _: Urgency) -> Result<(), Unmoved> {
        let target = pointers::whole(self.it, it, MODIFY)?;
        let (api, stage) = target.split_once('/').unwrap_or((target, ""));
        let version = self.version().await?;
        let moved = match (version, self.mapping(version).await?) {
            (_, None) => self.make(version, api, stage).await,
            (ApiVersion::One, Some(_)) => self.patch(api, stage).await,
            (ApiVersion::Two, Some(it)) => self.update(&it.id, api, stage).await,
        };
        Ok(moved?)
    }

    async fn checks(&self, _: Color) -> Result<Vec<Check>, AwsError> {
        let mode = self.aws.routing_mode(self.domain).await?;
        let unfit = mode.unfit(self.domain, self.by_header);
        Ok(vec![Check {
            name: "routing mode",
            ok: unfit.is_none(),
            detail: match unfit {
                None => format!("{} consults its mappings", self.domain),
                Some((why, way_out)) => format!("{why}: {way_out}"),
            },
        }])
    }
}

impl ApiMappingRouter<'_> {
    async fn version(&self) -> Result<ApiVersion, AwsError> {
        let domain = self.aws.api_domain(self.domain).await?;
        let mut all = domain.domain_name_configurations.iter();
        let is_edge_optimised = all.any(|it| it.endpoint_type == "EDGE");
        Ok(match is_edge_optimised {
            true => ApiVersion::One,
            false => ApiVersion::Two,
        })
    }

    /// None if the domain has no mapping at that path.
    async fn mapping(&self, version: ApiVersion) -> Result<Option<Mapping>, AwsError> {
        match version {
            ApiVersion::One => self.by_version_1().await,
            ApiVersion::Two => self.by_version_2().await,
        }
    }

    async fn by_version_2(&self) -> Result<Option<Mapping>, AwsError> {
        let mut next = String::new();
        loop {
            let at = self.mappings() + &next;
            let asked = ("GET", at.as_str());
            let page = self.aws.apigatewayv2.rest("GetApiMappings", asked, None);
            let page: ApiMappingPage = page.await.named(READ, self.domain)?;
            let is_it = |it: &ApiMapping| it.api_mapping_key == self.path;
            if let Some(it) = page.items.into_iter().find(is_it) {
                return Ok(Some(Mapping {
                    id: it.api_mapping_id,
                    target: format!("{}/{}", it.api_id, it.stage),
                }));
            }
            match page.next_token {
                Some(token) => next = format!("?nextToken={}", encoded(&token)),
                None => return Ok(None),
            }
        }
    }

    async fn by_version_1(&self) -> Result<Option<Mapping>, AwsError> {
        let at = self.base_path_mapping();
        let asked = ("GET", at.as_str());
        let it = self.aws.apigateway.rest("GetBasePathMapping", asked, None);
        let it: BasePathMapping = match it.await.named(READ, self.domain) {
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            it => it?,
        };
        Ok(Some(Mapping {
            id: String::new(),
            target: format!("{}/{}", it.rest_api_id, it.stage),
        }))
    }

    /// The path of the mappings in version 2.
    fn mappings(&self) -> String {
        path(["v2", "domainnames", self.domain, "apimappings"])
    }

    /// The path of the mappings in version 1.
    fn base_path_mappings(&self) -> String {
        path(["domainnames", self.domain, "basepathmappings"])
    }

    fn base_path_mapping(&self) -> String {
        self.base_path_mappings() + &path([self.base_path()])
    }

    fn base_path(&self) -> &str {
        match self.path {
            "" => NO_PATH,
            path => path,
        }
    }

    async fn update(&self, id: &str, api: &str, stage: &str) -> Result<(), AwsError> {
        let at = self.mappings() + &path([id]);
        let it = json!({ "apiId": api, "stage": stage, "apiMappingKey": self.path });
        let asked = ("PATCH", at.as_str());
        let taken = self
            .aws
            .apigatewayv2
            .rest("UpdateApiMapping", asked, Some(&it));
        let taken = taken.await.map(|IgnoredAny| ());
        taken.named(MODIFY, self.domain)
    }

    /// Changes API and stage together, so no request meets the stage of one API in the
    /// other
    /// (<https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>).
    async fn patch(&self, api: &str, stage: &str) -> Result<(), AwsError> {
        let replace = |path, value| json!({ "op": "replace", "path": path, "value": value });
        let both = [replace("/restapiId", api), replace("/stage", stage)];
        let at = self.base_path_mapping();
        let it = json!({ "patchOperations": both });
        let asked = ("PATCH", at.as_str());
        let version_1 = &self.aws.apigateway;
        let taken = version_1.rest("UpdateBasePathMapping", asked, Some(&it));
        let taken = taken.await.map(|IgnoredAny| ());
        taken.named(MODIFY, self.domain)
    }

    /// For the first release.
    async fn make(&self, version: ApiVersion, api: &str, stage: &str) -> Result<(), AwsError> {
        let made = match version {
            ApiVersion::One => {
                let it = json!({ "restApiId": api, "stage": stage, "basePath": self.base_path() });
                let at = self.base_path_mappings();
                let asked = ("POST", at.as_str());
                let version_1 = &self.aws.apigateway;
                version_1
                    .rest("CreateBasePathMapping", asked, Some(&it))
                    .await
            }
            ApiVersion::Two => {
                let it = json!({ "apiId": api, "stage": stage, "apiMappingKey": self.path });
                let at = self.mappings();
                let asked = ("POST", at.as_str());
                let version_2 = &self.aws.apigatewayv2;
                version_2.rest("CreateApiMapping", asked, Some(&it)).await
            }
        };
        made.map(|IgnoredAny| ()).named(MAKE, self.domain)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiMappingPage {
    #[serde(default)]
    items: Vec<ApiMapping>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiMapping {
    api_id: String,
    api_mapping_id: String,
    api_mapping_key: String,
    stage: String,
}

/// A mapping in version 1.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BasePathMapping {
    rest_api_id: String,
    stage: String,
}
