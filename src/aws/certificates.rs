//! ACM, which is read and never written: its certificates are their owner's.

use std::time::SystemTime;

#[cfg(feature = "edges")]
use aws_sdk_acm::config::{Config, Region};
use aws_sdk_acm::types::CertificateDetail;
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{CertificateArn, IssuedCertificate};

const ACTION: &str = "acm:DescribeCertificate";

impl Aws {
    /// # Errors
    /// ACM's own, that there is none among them.
    pub async fn certificate(&self, arn: &CertificateArn) -> Result<IssuedCertificate, AwsError> {
        let call = self.acm.describe_certificate();
        let answer = call.certificate_arn(arn.as_str()).send().await;
        let answer = answer.named(ACTION, arn.as_str())?;
        Ok(read(arn, answer.certificate()))
    }

    /// One that CloudFront serves: those are all in one region
    /// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html>).
    ///
    /// # Errors
    /// ACM's own, that there is none among them.
    #[cfg(feature = "edges")]
    pub async fn certificate_of_cloudfront(
        &self,
        arn: &CertificateArn,
    ) -> Result<IssuedCertificate, AwsError> {
        let there = Config::builder().region(Region::from_static("us-east-1"));
        let call = self.acm.describe_certificate();
        let call = call.certificate_arn(arn.as_str()).customize();
        let answer = call.config_override(there).send().await;
        let answer = answer.named(ACTION, arn.as_str())?;
        Ok(read(arn, answer.certificate()))
    }
}

fn read(arn: &CertificateArn, detail: Option<&CertificateDetail>) -> IssuedCertificate {
    let status = detail.and_then(|detail| detail.status());
    let not_after = detail.and_then(|detail| detail.not_after());
    let not_after = not_after.and_then(|at| SystemTime::try_from(*at).ok());
    let names = detail.map(CertificateDetail::subject_alternative_names);
    let validations = detail.map(CertificateDetail::domain_validation_options);
    let validations = validations.unwrap_or_default().iter();
    let records = validations.filter_map(|it| it.resource_record());
    let records = records.map(|it| (it.name(), it.r#type().as_str(), it.value()));
    let mut records: Vec<_> = records
        .map(|(name, kind, value)| (name.to_owned(), kind.to_owned(), value.to_owned()))
        .collect();
    // A name and the same with a star have one record between them.
    records.dedup();
    IssuedCertificate {
        arn: arn.clone(),
        status: status.map_or_else(String::new, |status| status.as_str().to_owned()),
        // The first name is among them.
        names: names.unwrap_or_default().to_vec(),
        not_after: not_after.map(OffsetDateTime::from),
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
