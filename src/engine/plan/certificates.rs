//! Whether certificates can serve a name. Checked before anything is made: a listener
//! with another certificate would fail to be created, or serve nobody.

use time::OffsetDateTime;

use super::Refusal;
use crate::model::{CertificateArn, IssuedCertificate};

/// A load balancer takes certificates of its own region alone.
///
/// # Errors
/// The first that is elsewhere.
pub fn refuse_other_region(arns: &[CertificateArn], region: &str) -> Result<(), Refusal> {
    match arns.iter().find(|arn| arn.region() != region) {
        None => Ok(()),
        Some(arn) => Err(Refusal::new(
            format!(
                "the certificate {arn} is of {}, and the load balancer of {region}",
                arn.region()
            ),
            format!(
                "request one in {region} too (`aws acm request-certificate --region {region}`), and name that one in [tls]"
            ),
        )),
    }
}

/// # Errors
/// The first that cannot serve, or that none is for the host.
pub fn refuse_unfit(
    certificates: &[IssuedCertificate],
    host: &str,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    if let Some(refusal) = certificates.iter().find_map(|it| unusable(it, now)) {
        return Err(refusal);
    }
    if certificates.iter().any(|it| it.covers(host)) {
        return Ok(());
    }
    let each = certificates.iter();
    let each = each.map(|it| format!("{} is for {}", it.arn, it.names.join(", ")));
    Err(Refusal::new(
        format!(
            "no certificate of [tls] covers {host}: {}",
            each.collect::<Vec<_>>().join("; ")
        ),
        "request one for that name (`*` stands for one label of it), or correct `url` in [production]",
    ))
}

fn unusable(certificate: &IssuedCertificate, now: OffsetDateTime) -> Option<Refusal> {
    let IssuedCertificate {
        arn,
        status,
        not_after,
        records,
        ..
    } = certificate;
    let ended = not_after.filter(|end| *end <= now);
    match (status.as_str(), ended) {
        ("ISSUED", None) => None,
        ("ISSUED" | "EXPIRED", _) => Some(Refusal::new(
            match not_after {
                Some(end) => format!("the certificate {arn} ended on {}", end.date()),
                None => format!("the certificate {arn} has ended"),
            },
            "renew it (one that was imported is imported again), or name another one in [tls]",
        )),
        ("PENDING_VALIDATION", _) => {
            let records = records.iter();
            let records = records.map(|(name, kind, value)| format!("{name} {kind} {value}"));
            let records: Vec<String> = records.collect();
            Some(Refusal::new(
                format!("the certificate {arn} is not issued yet"),
                match records.is_empty() {
                    true => "ACM waits until the domain's owner has answered its e-mail".to_owned(),
                    false => format!(
                        "ACM issues it once DNS has {}; then the same again",
                        records.join(" and ")
                    ),
                },
            ))
        }
        _ => Some(Refusal::new(
            format!("the certificate {arn} cannot be used: to ACM it is {status}"),
            "request another one, and name that in [tls]",
        )),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

    fn certificate(status: &str, names: &[&str]) -> IssuedCertificate {
        let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/a";
        IssuedCertificate {
            arn: arn.parse().unwrap(),
            status: status.to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            not_after: Some(datetime!(2026-09-01 12:00 UTC)),
            records: Vec::new(),
        }
    }

    fn said(certificates: &[IssuedCertificate]) -> String {
        let refused = refuse_unfit(certificates, "shop.example.com", NOW);
        let refused = refused.expect_err("it is refused");
        format!("{}\n{}", refused.message, refused.hint.unwrap_or_default())
    }

    #[test]
    fn one_of_them_has_to_cover_the_name() {
        let one = |names: &[&str]| certificate("ISSUED", names);
        for names in [&["shop.example.com"][..], &["example.com", "*.example.com"]] {
            let all = [one(&["other.test"]), one(names)];
            assert_eq!(refuse_unfit(&all, "shop.example.com", NOW), Ok(()));
        }
        insta::assert_snapshot!(said(&[one(&["example.com", "*.shop.example.com"]), one(&["*.com"])]), @"
        no certificate of [tls] covers shop.example.com: arn:aws:acm:eu-west-1:123456789012:certificate/a is for example.com, *.shop.example.com; arn:aws:acm:eu-west-1:123456789012:certificate/a is for *.com
        request one for that name (`*` stands for one label of it), or correct `url` in [production]
        ");
    }

    #[test]
    fn one_that_serves_nobody_is_refused_with_what_to_do() {
        let names = ["shop.example.com"];
        let mut waits = certificate("PENDING_VALIDATION", &names);
        let by_mail = said(&[waits.clone()]);
        waits.records = vec![(
            "_a.shop.example.com.".into(),
            "CNAME".into(),
            "_b.acm-validations.aws.".into(),
        )];
        let mut ended = certificate("ISSUED", &names);
        ended.not_after = Some(NOW);
        let fine = certificate("ISSUED", &names);
        let all = [
            by_mail,
            said(&[waits]),
            said(&[fine.clone(), ended]),
            said(&[fine, certificate("EXPIRED", &names)]),
            said(&[certificate("FAILED", &names)]),
        ];
        insta::assert_snapshot!(all.join("\n"), @"
        the certificate arn:aws:acm:eu-west-1:123456789012:certificate/a is not issued yet
        ACM waits until the domain's owner has answered its e-mail
        the certificate arn:aws:acm:eu-west-1:123456789012:certificate/a is not issued yet
        ACM issues it once DNS has _a.shop.example.com. CNAME _b.acm-validations.aws.; then the same again
        the certificate arn:aws:acm:eu-west-1:123456789012:certificate/a ended on 2026-06-01
        renew it (one that was imported is imported again), or name another one in [tls]
        the certificate arn:aws:acm:eu-west-1:123456789012:certificate/a ended on 2026-09-01
        renew it (one that was imported is imported again), or name another one in [tls]
        the certificate arn:aws:acm:eu-west-1:123456789012:certificate/a cannot be used: to ACM it is FAILED
        request another one, and name that in [tls]
        ");
    }

    #[test]
    fn a_region_is_told_by_the_arn() {
        let arns = [certificate("", &[]).arn];
        assert_eq!(refuse_other_region(&arns, "eu-west-1"), Ok(()));
        let refused = refuse_other_region(&arns, "us-east-1").unwrap_err();
        assert_eq!(
            refused.message,
            format!(
                "the certificate {} is of eu-west-1, and the load balancer of us-east-1",
                arns[0]
            )
        );
    }
}
