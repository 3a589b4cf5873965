//! The parts of a load balancer that are copied, in CloudFormation's terms: the settings
//! of a target group and of a listener, and the conditions of a rule.

use aws_sdk_elasticloadbalancingv2::types::{
    AdvertiseTrustStoreCaNamesEnum, HostHeaderConditionConfig as Host, Listener, Matcher,
    MutualAuthenticationAttributes, PathPatternConditionConfig as Path, ProtocolEnum,
    QueryStringConditionConfig as Query, RuleCondition as Condition, TargetGroup,
    TargetGroupAttribute, TargetGroupIpAddressTypeEnum, TargetTypeEnum,
};
use futures_util::try_join;
use serde_json::{Map, Value, json};

use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::{ListenerCopy, TargetGroupArn};

const GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";
const ATTRIBUTES: &str = "elasticloadbalancing:DescribeTargetGroupAttributes";
const RULES: &str = "elasticloadbalancing:DescribeRules";
const LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
const CERTIFICATES: &str = "elasticloadbalancing:DescribeListenerCertificates";

impl Aws {
    /// All settings that another group needs to be like this one.
    pub async fn read_group_settings(
        &self,
        arn: &TargetGroupArn,
    ) -> Result<Map<String, Value>, AwsError> {
        let groups = self.elb.describe_target_groups();
        let groups = groups.target_group_arns(arn.as_str()).send();
        let attributes = self.elb.describe_target_group_attributes();
        let attributes = attributes.target_group_arn(arn.as_str()).send();
        let (groups, attributes) =
            try_join!(async { groups.await.named(GROUPS, arn.as_str()) }, async {
                attributes.await.named(ATTRIBUTES, arn.as_str())
            },)?;
        match groups.target_groups().first() {
            Some(group) => Ok(settings(group, attributes.attributes())),
            None => Err(gone(GROUPS, arn.as_str())),
        }
    }

    /// The conditions of a rule.
    pub async fn read_rule_conditions(&self, arn: &str) -> Result<Vec<Value>, AwsError> {
        let call = self.elb.describe_rules().rule_arns(arn).send();
        let answer = call.await.named(RULES, arn)?;
        match answer.rules().first() {
            Some(rule) => Ok(rule.conditions().iter().map(condition).collect()),
            None => Err(gone(RULES, arn)),
        }
    }

    /// All settings that a listener on that port needs to be like this one.
    pub async fn read_listener_copy(&self, arn: &str, port: u16) -> Result<ListenerCopy, AwsError> {
        let call = self.elb.describe_listeners().listener_arns(arn).send();
        let answer = call.await.named(LISTENERS, arn)?;
        let Some(listener) = answer.listeners().first() else {
            return Err(gone(LISTENERS, arn));
        };
        let own = listener.certificates().first();
        let own = own.and_then(|it| it.certificate_arn()).unwrap_or_default();
        let mut further = match own {
            // Without a certificate of its own, it has no further ones.
            "" => Vec::new(),
            _ => self.read_listener_certificates(arn).await?,
        };
        further.retain(|it| it != own);
        Ok(ListenerCopy {
            port,
            settings: of_listener(listener),
            further,
        })
    }

    /// The ARNs of the certificates that a listener serves.
    pub async fn read_listener_certificates(&self, arn: &str) -> Result<Vec<String>, AwsError> {
        let call = self.elb.describe_listener_certificates().listener_arn(arn);
        let pages = call.into_paginator().items().send();
        let all: Vec<_> = pages
            .collect::<Result<_, _>>()
            .await
            .named(CERTIFICATES, arn)?;
        let all = all.iter().filter_map(|it| it.certificate_arn());
        let mut all: Vec<String> = all.map(str::to_owned).collect();
        // The default certificate may be listed twice.
        all.sort();
        all.dedup();
        Ok(all)
    }
}

fn gone(action: &'static str, arn: &str) -> AwsError {
    AwsError {
        kind: AwsErrorKind::NotFound,
        ..AwsError::unusable(action, arn, "it does not exist any more")
    }
}

fn settings(group: &TargetGroup, attributes: &[TargetGroupAttribute]) -> Map<String, Value> {
    let matcher = |it: &Matcher| match (it.http_code(), it.grpc_code()) {
        (Some(codes), _) => json!({ "HttpCode": codes }),
        (None, Some(codes)) => json!({ "GrpcCode": codes }),
        (None, None) => Value::Null,
    };
    let attribute = |it: &TargetGroupAttribute| {
        let value = it.value().filter(|value| !value.is_empty())?;
        Some(json!({ "Key": it.key()?, "Value": value }))
    };
    let all = [
        ("VpcId", json!(group.vpc_id())),
        (
            "TargetType",
            json!(group.target_type().map(TargetTypeEnum::as_str)),
        ),
        (
            "IpAddressType",
            json!(
                group
                    .ip_address_type()
                    .map(TargetGroupIpAddressTypeEnum::as_str)
            ),
        ),
        (
            "Protocol",
            json!(group.protocol().map(ProtocolEnum::as_str)),
        ),
        ("ProtocolVersion", json!(group.protocol_version())),
        ("Port", json!(group.port())),
        ("HealthCheckEnabled", json!(group.health_check_enabled())),
        (
            "HealthCheckProtocol",
            json!(group.health_check_protocol().map(ProtocolEnum::as_str)),
        ),
        ("HealthCheckPort", json!(group.health_check_port())),
        ("HealthCheckPath", json!(group.health_check_path())),
        (
            "HealthCheckIntervalSeconds",
            json!(group.health_check_interval_seconds()),
        ),
        (
            "HealthCheckTimeoutSeconds",
            json!(group.health_check_timeout_seconds()),
        ),
        (
            "HealthyThresholdCount",
            json!(group.healthy_threshold_count()),
        ),
        (
            "UnhealthyThresholdCount",
            json!(group.unhealthy_threshold_count()),
        ),
        ("Matcher", group.matcher().map_or(Value::Null, matcher)),
        (
            "TargetGroupAttributes",
            attributes.iter().filter_map(attribute).collect(),
        ),
    ];
    let set = all.into_iter().filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn of_listener(listener: &Listener) -> Map<String, Value> {
    let certificate = |arn| json!([{ "CertificateArn": arn }]);
    let own = listener.certificates().first();
    let own = own.and_then(|it| it.certificate_arn());
    let all = [
        (
            "Protocol",
            json!(listener.protocol().map(ProtocolEnum::as_str)),
        ),
        ("Certificates", own.map_or(Value::Null, certificate)),
        (
            "SslPolicy",
            json!(listener.ssl_policy().filter(|_| own.is_some())),
        ),
        (
            "MutualAuthentication",
            listener
                .mutual_authentication()
                .map_or(Value::Null, of_mutual_authentication),
        ),
    ];
    let set = all.into_iter().filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Null if clients do not present certificates.
fn of_mutual_authentication(it: &MutualAuthenticationAttributes) -> Value {
    let Some(mode) = it.mode().filter(|mode| *mode != "off") else {
        return Value::Null;
    };
    let mut out = Map::from_iter([("Mode".to_owned(), json!(mode))]);
    let mut set = |name: &str, value: Option<Value>| {
        value.map(|value| out.insert(name.to_owned(), value));
    };
    set("TrustStoreArn", it.trust_store_arn().map(Value::from));
    set(
        "IgnoreClientCertificateExpiry",
        it.ignore_client_certificate_expiry().map(Value::from),
    );
    let advertised = it.advertise_trust_store_ca_names();
    let advertised = advertised.map(AdvertiseTrustStoreCaNamesEnum::as_str);
    set("AdvertiseTrustStoreCaNames", advertised.map(Value::from));
    Value::Object(out)
}

fn condition(it: &Condition) -> Value {
    let mut out = Map::new();
    out.insert("Field".to_owned(), json!(it.field()));
    let mut set = |name: &str, value: Value| out.insert(name.to_owned(), value);
    // Plain values and regular expressions are separate.
    let texts = |values: &[String], expressions: &[String]| match expressions.is_empty() {
        true => json!({ "Values": values }),
        false => json!({ "Values": values, "RegexValues": expressions }),
    };
    if let Some(config) = it.host_header_config() {
        set(
            "HostHeaderConfig",
            texts(Host::values(config), config.regex_values()),
        );
    } else if let Some(config) = it.path_pattern_config() {
        set(
            "PathPatternConfig",
            texts(Path::values(config), config.regex_values()),
        );
    } else if let Some(config) = it.http_header_config() {
        let mut texts = texts(config.values(), config.regex_values());
        texts["HttpHeaderName"] = json!(config.http_header_name());
        set("HttpHeaderConfig", texts);
    } else if let Some(config) = it.http_request_method_config() {
        set("HttpRequestMethodConfig", texts(config.values(), &[]));
    } else if let Some(config) = it.query_string_config() {
        let pairs = Query::values(config).iter().map(|pair| {
            let pair = [("Key", pair.key()), ("Value", pair.value())].into_iter();
            let pair = pair.filter_map(|(name, text)| Some((name.to_owned(), json!(text?))));
            pair.collect::<Map<_, _>>()
        });
        set(
            "QueryStringConfig",
            json!({ "Values": pairs.collect::<Vec<_>>() }),
        );
    } else if let Some(config) = it.source_ip_config() {
        set("SourceIpConfig", texts(config.values(), &[]));
    } else {
        set("Values", json!(it.values()));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};

    #[tokio::test]
    async fn a_group_is_read_as_cloudformation_makes_one() {
        let groups = "<TargetGroups><member><TargetGroupArn>tg/web</TargetGroupArn>\
            <TargetGroupName>web</TargetGroupName><Protocol>HTTP</Protocol><Port>8080</Port>\
            <VpcId>vpc-1</VpcId><HealthCheckProtocol>HTTP</HealthCheckProtocol>\
            <HealthCheckPort>traffic-port</HealthCheckPort><HealthCheckEnabled>true</HealthCheckEnabled>\
            <HealthCheckIntervalSeconds>30</HealthCheckIntervalSeconds>\
            <HealthCheckTimeoutSeconds>5</HealthCheckTimeoutSeconds><HealthyThresholdCount>5</HealthyThresholdCount>\
            <UnhealthyThresholdCount>2</UnhealthyThresholdCount><HealthCheckPath>/ok</HealthCheckPath>\
            <Matcher><HttpCode>200,301</HttpCode></Matcher><TargetType>ip</TargetType>\
            <ProtocolVersion>HTTP1</ProtocolVersion><IpAddressType>ipv4</IpAddressType></member></TargetGroups>";
        let attributes = "<Attributes><member><Key>deregistration_delay.timeout_seconds</Key><Value>60</Value></member>\
            <member><Key>stickiness.app_cookie.cookie_name</Key><Value></Value></member></Attributes>";
        let wire = Wire::new()
            .on(
                "DescribeTargetGroups",
                Reply::xml("DescribeTargetGroups", groups),
            )
            .on(
                "DescribeTargetGroupAttributes",
                Reply::xml("DescribeTargetGroupAttributes", attributes),
            );
        let arn = TargetGroupArn::new("tg/web");
        let settings = wire.aws().read_group_settings(&arn).await.unwrap();
        let expected = json!({
            "VpcId": "vpc-1",
            "TargetType": "ip",
            "IpAddressType": "ipv4",
            "Protocol": "HTTP",
            "ProtocolVersion": "HTTP1",
            "Port": 8080,
            "HealthCheckEnabled": true,
            "HealthCheckProtocol": "HTTP",
            "HealthCheckPort": "traffic-port",
            "HealthCheckPath": "/ok",
            "HealthCheckIntervalSeconds": 30,
            "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 5,
            "UnhealthyThresholdCount": 2,
            "Matcher": { "HttpCode": "200,301" },
            "TargetGroupAttributes": [
                { "Key": "deregistration_delay.timeout_seconds", "Value": "60" },
            ],
        });
        assert_eq!(Value::Object(settings), expected);
    }

    #[tokio::test]
    async fn a_listener_is_read_as_cloudformation_makes_one() {
        let listener = |inner: &str| {
            let listener = format!(
                "<Listeners><member><ListenerArn>listener/1</ListenerArn><Port>443</Port>{inner}</member></Listeners>"
            );
            Reply::xml("DescribeListeners", &listener)
        };
        let secured = "<Protocol>HTTPS</Protocol><SslPolicy>ELBSecurityPolicy-1</SslPolicy>\
            <Certificates><member><CertificateArn>certificate/b</CertificateArn></member></Certificates>\
            <MutualAuthentication><Mode>verify</Mode><TrustStoreArn>store/1</TrustStoreArn>\
            <IgnoreClientCertificateExpiry>false</IgnoreClientCertificateExpiry></MutualAuthentication>";
        let certificates: String = ["b", "c", "a", "b"]
            .map(|name| {
                format!("<member><CertificateArn>certificate/{name}</CertificateArn></member>")
            })
            .concat();
        let wire = Wire::new()
            .on("DescribeListeners", listener(secured))
            .on(
                "DescribeListenerCertificates",
                Reply::xml(
                    "DescribeListenerCertificates",
                    &format!("<Certificates>{certificates}</Certificates>"),
                ),
            )
            .on("DescribeListeners", listener("<Protocol>HTTP</Protocol>"));
        let aws = wire.aws();
        let copy = aws.read_listener_copy("listener/1", 8443).await.unwrap();
        let expected = json!({
            "Protocol": "HTTPS",
            "Certificates": [{ "CertificateArn": "certificate/b" }],
            "SslPolicy": "ELBSecurityPolicy-1",
            "MutualAuthentication": {
                "Mode": "verify",
                "TrustStoreArn": "store/1",
                "IgnoreClientCertificateExpiry": false,
            },
        });
        assert_eq!(Value::Object(copy.settings), expected);
        assert_eq!(copy.further, ["certificate/a", "certificate/c"]);
        let plain = aws.read_listener_copy("listener/1", 81).await.unwrap();
        assert_eq!(Value::Object(plain.settings), json!({ "Protocol": "HTTP" }));
        assert!(plain.further.is_empty());
        wire.assert_used_up();
    }

    #[tokio::test]
    async fn what_a_rule_takes_is_read_whole() {
        let rules = "<Rules><member><RuleArn>rule/10</RuleArn><Priority>10</Priority><Conditions>\
            <member><Field>host-header</Field><HostHeaderConfig><Values><member>shop.example.com</member></Values></HostHeaderConfig></member>\
            <member><Field>path-pattern</Field><Values><member>/api/*</member></Values></member>\
            <member><Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-Origin</HttpHeaderName><Values><member>s3cret</member></Values></HttpHeaderConfig></member>\
            <member><Field>http-request-method</Field><HttpRequestMethodConfig><Values><member>GET</member></Values></HttpRequestMethodConfig></member>\
            <member><Field>query-string</Field><QueryStringConfig><Values><member><Key>v</Key><Value>2</Value></member><member><Value>x</Value></member></Values></QueryStringConfig></member>\
            <member><Field>source-ip</Field><SourceIpConfig><Values><member>10.0.0.0/8</member></Values></SourceIpConfig></member>\
            </Conditions></member></Rules>";
        let wire = Wire::new().on("DescribeRules", Reply::xml("DescribeRules", rules));
        let found = wire.aws().read_rule_conditions("rule/10").await.unwrap();
        let expected = json!([
            { "Field": "host-header", "HostHeaderConfig": { "Values": ["shop.example.com"] } },
            { "Field": "path-pattern", "Values": ["/api/*"] },
            { "Field": "http-header", "HttpHeaderConfig": { "Values": ["s3cret"], "HttpHeaderName": "X-Origin" } },
            { "Field": "http-request-method", "HttpRequestMethodConfig": { "Values": ["GET"] } },
            { "Field": "query-string", "QueryStringConfig": { "Values": [{ "Key": "v", "Value": "2" }, { "Value": "x" }] } },
            { "Field": "source-ip", "SourceIpConfig": { "Values": ["10.0.0.0/8"] } },
        ]);
        assert_eq!(json!(found), expected);
        assert!(wire.request().body.contains("rule%2F10"));
    }
}
