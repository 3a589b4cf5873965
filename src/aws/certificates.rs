//! ACM, which is only read: certificates belong to their owners.

use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, Named};
use super::plain::PlainClient;
use crate::model::{CertificateArn, IssuedCertificate};

const ACTION: &str = "acm:DescribeCertificate";

impl Aws {
    /// # Errors
    /// ACM's own, that there is none among them.
    pub async fn certificate(&self, arn: &CertificateArn) -> Result<IssuedCertificate, AwsError> {
        described(&self.acm, arn).await
    }

    /// A certificate that CloudFront serves; all of those are in one region
    /// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>).
    ///
    /// # Errors
    /// ACM's own, that there is none among them.
    #[cfg(feature = "edges")]
    pub async fn certificate_of_cloudfront(
        &self,
        arn: &CertificateArn,
    ) -> Result<IssuedCertificate, AwsError> {
        described(&self.acm.in_region("us-east-1"), arn).await
    }
}

async fn described(acm: &PlainClient, arn: &CertificateArn) -> Result<IssuedCertificate, AwsError> {
    let asked = json!({ "CertificateArn": arn.as_str() });
    let answer = acm.json("DescribeCertificate", &asked).await;
    let answer: DescribedCertificate = answer.named(ACTION, arn.as_str())?;
    Ok(read(arn, answer.certificate.unwrap_or_default()))
}

#[derive(Deserialize)]
struct DescribedCertificate {
    #[serde(rename = "Certificate")]
    certificate: Option<CertificateDetail>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CertificateDetail {
    status: String,
    /// Seconds since the epoch.
    not_after: Option<f64>,
    subject_alternative_names: Vec<String>,
    domain_validation_options: Vec<DomainValidation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DomainValidation {
    resource_record: Option<ValidationRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ValidationRecord {
    name: String,
    r#type: String,
    value: String,
}

fn read(arn: &CertificateArn, detail: CertificateDetail) -> IssuedCertificate {
    let validations = detail.domain_validation_options.into_iter();
    let records = validations.filter_map(|it| it.resource_record);
    let mut records: Vec<_> = records.map(|it| (it.name, it.r#type, it.value)).collect();
    // A name and the same name with `*.` share one record.
    records.dedup();
    #[expect(clippy::cast_possible_truncation, reason = "a time of this age fits")]
    let moment = |seconds: f64| OffsetDateTime::from_unix_timestamp(seconds as i64).ok();
    IssuedCertificate {
        arn: arn.clone(),
        status: detail.status,
        // The first name is one of them.
        names: detail.subject_alternative_names,
        not_after: detail.not_after.and_then(moment),
        records,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::aws::error::AwsErrorKind;
    use crate::aws::testing::{Reply, Wire};

    const ARN: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/a";

    #[tokio::test]
    async fn a_certificate_is_read_with_names_end_and_what_it_waits_for() {
        let record = json!({ "Name": "_a.shop.example.com.", "Type": "CNAME", "Value": "_b.acm-validations.aws." });
        let validation = |name| json!({ "DomainName": name, "ResourceRecord": record });
        let answer = json!({ "Certificate": {
            "CertificateArn": ARN,
            "DomainName": "shop.example.com",
            "SubjectAlternativeNames": ["shop.example.com", "*.shop.example.com"],
            "Status": "PENDING_VALIDATION",
            "NotAfter": 1_700_000_000.0,
            "DomainValidationOptions": [validation("shop.example.com"), validation("*.shop.example.com")],
        }});
        let wire = Wire::new().on("DescribeCertificate", Reply::json(&answer));
        let arn = ARN.parse().unwrap();
        let read = wire.aws().certificate(&arn).await.unwrap();
        assert_eq!(wire.request().json()["CertificateArn"], ARN);
        assert_eq!(read.status, "PENDING_VALIDATION");
        assert_eq!(read.names, ["shop.example.com", "*.shop.example.com"]);
        assert_eq!(read.not_after.unwrap().unix_timestamp(), 1_700_000_000);
        let [(name, kind, value)] = read.records.as_slice() else {
            panic!("{:?}", read.records);
        };
        assert_eq!(
            (name.as_str(), kind.as_str(), value.as_str()),
            ("_a.shop.example.com.", "CNAME", "_b.acm-validations.aws.")
        );
    }

    #[tokio::test]
    async fn one_that_is_not_there_is_told_from_one_that_may_not_be_seen() {
        for (code, kind) in [
            ("ResourceNotFoundException", AwsErrorKind::NotFound),
            ("AccessDeniedException", AwsErrorKind::Denied),
        ] {
            let wire = Wire::new().on("DescribeCertificate", Reply::json_error(400, code, "no"));
            let error = wire.aws().certificate(&ARN.parse().unwrap()).await;
            assert_eq!(error.unwrap_err().kind, kind);
        }
    }
}
