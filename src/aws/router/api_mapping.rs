//! A mapping of a custom domain of API Gateway: which stage of which API answers at a
//! path of the domain. An edge-optimised domain has it by version 1 of the API alone
//! (a base path mapping), any other by version 2.
//!
//! Nothing makes the write depend on what was seen: the look just ahead of it is all.
//! How long it takes to be seen, AWS does not say; the probe does.

use std::time::Duration;

use aws_sdk_apigateway::types::{Op, PatchOperation};
use aws_sdk_apigatewayv2::types::{ApiMapping, EndpointType};

use super::{Router, Unmoved, pointers};
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::{
    Check, Color, Found, Move, Patience, PerRoute, RoutedPointer, Strategy, Urgency,
};

/// API Gateway's actions are methods on its paths
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html>).
const READ: &str = "apigateway:GET";
const MODIFY: &str = "apigateway:PATCH";
const MAKE: &str = "apigateway:POST";

/// What version 1 calls the path of a mapping that is for all.
const NO_PATH: &str = "(none)";

#[derive(Debug, Clone, Copy)]
pub struct ApiMappingRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) it: &'a RoutedPointer,
    pub(super) domain: &'a str,
    /// Empty is the whole domain.
    pub(super) path: &'a str,
    /// Whether colours are looked at by rules of the domain.
    pub(super) by_header: bool,
}

/// The one of the API that knows the domain's mappings.
#[derive(Debug, Clone, Copy)]
enum ApiVersion {
    /// It is edge-optimised.
    One,
    Two,
}

/// As it is there.
struct Mapping {
    /// Of version 2: in version 1 a path is enough.
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
        let call = self.aws.apigatewayv2.get_domain_name();
        let answer = call.domain_name(self.domain).send().await;
        let answer = answer.named(READ, self.domain)?;
        let mut all = answer.domain_name_configurations().iter();
        let is_edge_optimised = all.any(|it| it.endpoint_type() == Some(&EndpointType::Edge));
        Ok(match is_edge_optimised {
            true => ApiVersion::One,
            false => ApiVersion::Two,
        })
    }

    /// None where the domain has none at that path.
    async fn mapping(&self, version: ApiVersion) -> Result<Option<Mapping>, AwsError> {
        match version {
            ApiVersion::One => self.by_version_1().await,
            ApiVersion::Two => self.by_version_2().await,
        }
    }

    async fn by_version_2(&self) -> Result<Option<Mapping>, AwsError> {
        let mut next = None;
        loop {
            let call = self.aws.apigatewayv2.get_api_mappings();
            let call = call.domain_name(self.domain).set_next_token(next);
            let page = call.send().await.named(READ, self.domain)?;
            let is_it = |it: &&ApiMapping| it.api_mapping_key().unwrap_or_default() == self.path;
            if let Some(it) = page.items().iter().find(is_it) {
                let text = |it: Option<&str>| it.unwrap_or_default().to_owned();
                return Ok(Some(Mapping {
                    id: text(it.api_mapping_id()),
                    target: format!("{}/{}", text(it.api_id()), text(it.stage())),
                }));
            }
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn by_version_1(&self) -> Result<Option<Mapping>, AwsError> {
        let call = self.aws.apigateway.get_base_path_mapping();
        let call = call.domain_name(self.domain).base_path(self.base_path());
        let it = match call.send().await.named(READ, self.domain) {
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            it => it?,
        };
        let (api, stage) = (it.rest_api_id(), it.stage());
        Ok(Some(Mapping {
            id: String::new(),
            target: format!("{}/{}", api.unwrap_or_default(), stage.unwrap_or_default()),
        }))
    }

    fn base_path(&self) -> &str {
        match self.path {
            "" => NO_PATH,
            path => path,
        }
    }

    async fn update(&self, id: &str, api: &str, stage: &str) -> Result<(), AwsError> {
        let call = self.aws.apigatewayv2.update_api_mapping();
        let call = call.domain_name(self.domain).api_mapping_id(id);
        let call = call.api_id(api).stage(stage).api_mapping_key(self.path);
        call.send().await.named(MODIFY, self.domain).map(drop)
    }

    /// Both at once: no request meets the stage of one API in the other
    /// (<https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html>).
    async fn patch(&self, api: &str, stage: &str) -> Result<(), AwsError> {
        let replace = |path, value| {
            let operation = PatchOperation::builder().op(Op::Replace);
            operation.path(path).value(value).build()
        };
        let call = self.aws.apigateway.update_base_path_mapping();
        let call = call.domain_name(self.domain).base_path(self.base_path());
        let call = call
            .patch_operations(replace("/restapiId", api))
            .patch_operations(replace("/stage", stage));
        call.send().await.named(MODIFY, self.domain).map(drop)
    }

    /// The first release's.
    async fn make(&self, version: ApiVersion, api: &str, stage: &str) -> Result<(), AwsError> {
        match version {
            ApiVersion::One => {
                let call = self.aws.apigateway.create_base_path_mapping();
                let call = call.domain_name(self.domain).base_path(self.base_path());
                let call = call.rest_api_id(api).stage(stage);
                call.send().await.named(MAKE, self.domain).map(drop)
            }
            ApiVersion::Two => {
                let call = self.aws.apigatewayv2.create_api_mapping();
                let call = call.domain_name(self.domain).api_id(api).stage(stage);
                let call = call.api_mapping_key(self.path);
                call.send().await.named(MAKE, self.domain).map(drop)
            }
        }
    }
}
