//! What CloudFront does, at two edges:
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Introduction.html>.
//!
//! They are held against the gate alone: at an emulator nobody can stop an edge.

mod staging;

use std::time::Duration;

use localstack::gate::cdn;

use crate::api::{Outcome, first};
use crate::cdn::{Config, Edges, NEVER, Refused};
use crate::target::Target;

/// "If you have overlapping alternate domain names in two distributions, CloudFront
/// sends the request to the distribution with the more specific name match, regardless
/// of the distribution that the DNS record points to":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions>.
#[tokio::test]
async fn the_more_specific_name_gets_a_request() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let any = Config::of(&["*.shop.test"], blue.address);
    let wild = edges.create(&any).await?;
    edges
        .create(&Config::of(&["www.shop.test"], green.address))
        .await?;
    for (host, wanted) in [
        ("www.shop.test", "green"),
        ("WWW.shop.test:8443", "green"),
        ("other.shop.test", "blue"),
        ("deep.other.shop.test", "blue"),
        (&wild.domain, "blue"),
    ] {
        assert_eq!(edges.says(host).await?, [wanted; 2], "{host}");
    }
    let unknown = edges.get(0, "shop.test").await?;
    assert_eq!(unknown.status, 403);
    assert_eq!(unknown.header("x-cache"), "Error from cloudfront");
    Ok(())
}

/// "You cannot add an alternate domain name to a CloudFront distribution if the
/// alternate domain name already exists in another CloudFront distribution, even if
/// your AWS account owns the other distribution":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/CNAMEs.html#alternate-domain-names-restrictions>.
#[tokio::test]
async fn an_alias_is_of_one_distribution() -> Outcome {
    let edges = Edges::start().await?;
    let target = Target::start("blue").await?;
    let config = Config::of(&["www.shop.test"], target.address);
    let one = edges.create(&config).await?;
    let other = edges.create(&Config::of(&[], target.address)).await?;
    let taken = Refused(409, "CNAMEAlreadyExists".to_owned());
    let call = "POST distribution";
    let again = edges.try_call(call, &[], config.xml("again")).await?;
    assert_eq!(again.map(drop), Err(Refused(409, taken.1.clone())));
    assert_eq!(edges.update(&other.id, &config).await?, Err(taken));
    // Nothing of it was done.
    let path = format!("distribution/{}/config", other.id);
    let (_, xml) = edges
        .call(&format!("GET {path}"), &[], String::new())
        .await?;
    assert!(!xml.contains("www.shop.test"), "{xml}");
    assert!(edges.update(&one.id, &config).await?.is_ok());
    Ok(())
}

/// "When propagation is complete, the status of your distribution changes from
/// InProgress to Deployed", and "until your configuration is updated in an edge
/// location, CloudFront continues to serve your content from that location based on the
/// previous configuration":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html>.
#[tokio::test]
async fn a_change_is_in_progress_until_the_last_edge_has_it() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let host = "www.shop.test";
    let one = edges.create(&Config::of(&[host], blue.address)).await?;
    let path = format!("distribution/{}", one.id);
    assert_eq!(edges.said(&path, "Status").await?, "Deployed");

    edges.cdn()?.set_delay(1, NEVER);
    let config = Config::of(&[host], green.address);
    let answer = edges.update(&one.id, &config).await?;
    assert!(answer.is_ok_and(|xml| xml.contains("<Status>InProgress<")));
    assert_eq!(edges.says(host).await?, ["green", "blue"]);
    for what in [path.as_str(), "distribution"] {
        assert_eq!(edges.said(what, "Status").await?, "InProgress", "{what}");
    }
    let config = format!("{path}/config");
    let (_, xml) = edges
        .call(&format!("GET {config}"), &[], String::new())
        .await?;
    assert!(xml.contains(&green.address.port().to_string()), "{xml}");

    edges.cdn()?.set_delay(1, Duration::ZERO);
    assert_eq!(edges.said(&path, "Status").await?, "Deployed");
    assert_eq!(edges.says(host).await?, ["green", "green"]);
    Ok(())
}

/// "Changing the origin does not require CloudFront to repopulate edge caches with
/// objects from the new origin. As long as the viewer requests in your application have
/// not changed, CloudFront continues to serve objects that are already in an edge cache
/// until the TTL on each object expires":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistS3AndCustomOrigins.html>.
/// "If you need to remove a file from CloudFront edge caches before it expires", you can
/// "invalidate the file":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html>.
#[tokio::test]
async fn a_new_origin_leaves_what_is_kept_and_an_invalidation_clears_it() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let host = "www.shop.test";
    let one = edges
        .create(&Config::of(&[host], blue.address).kept())
        .await?;
    assert_eq!(
        edges.get(0, host).await?.header("x-cache"),
        "Miss from cloudfront"
    );
    assert_eq!(
        edges.get(0, host).await?.header("x-cache"),
        "Hit from cloudfront"
    );
    assert_eq!(edges.says(host).await?, ["blue", "blue"]);
    let config = Config::of(&[host], green.address).kept();
    assert!(edges.update(&one.id, &config).await?.is_ok());
    assert_eq!(edges.says(host).await?, ["blue", "blue"]);
    let fresh = edges.door(0, host)?.get("/fresh", &[]).await?;
    assert_eq!(fresh.text(), "green");

    edges.cdn()?.set_delay(1, NEVER);
    let batch = "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/*</Path></Items>\
                 </Paths><CallerReference>1</CallerReference></InvalidationBatch>";
    let path = format!("distribution/{}/invalidation", one.id);
    let (_, xml) = edges
        .call(&format!("POST {path}"), &[], batch.to_owned())
        .await?;
    assert_eq!(first(&xml, "Status").as_deref(), Some("InProgress"));
    let id = first(&xml, "Id").ok_or("no invalidation")?;
    let path = format!("{path}/{id}");
    assert_eq!(edges.says(host).await?, ["green", "blue"]);
    assert_eq!(edges.said(&path, "Status").await?, "InProgress");
    edges.cdn()?.set_delay(1, Duration::ZERO);
    assert_eq!(edges.says(host).await?, ["green", "green"]);
    assert_eq!(edges.said(&path, "Status").await?, "Completed");
    Ok(())
}

/// "You can move an alias that's already used for a standard distribution to a
/// different standard distribution. This prevents the downtime that could occur if you
/// first remove the alias from one standard distribution and then separately add the
/// alias to another standard distribution":
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AssociateAlias.html>.
#[tokio::test]
async fn an_alias_is_moved_in_one_step() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let host = "www.shop.test";
    let from = edges
        .create(&Config::of(&[host, "shop.test"], blue.address))
        .await?;
    let to = edges
        .create(&Config::of(&["*.shop.test"], green.address))
        .await?;
    edges.cdn()?.set_delay(1, NEVER);
    let path = format!("distribution/{}/associate-alias?Alias={host}", to.id);
    let call = format!("PUT {path}");
    let answer = edges.call(&call, &[], String::new()).await?;
    assert_eq!(answer, Default::default());
    assert_eq!(edges.says(host).await?, ["green", "blue"]);
    assert_eq!(edges.says("shop.test").await?, ["blue", "blue"]);
    for id in [&from.id, &to.id] {
        let path = format!("distribution/{id}");
        assert_eq!(edges.said(&path, "Status").await?, "InProgress");
    }
    edges.cdn()?.set_delay(1, Duration::ZERO);
    assert_eq!(edges.says(host).await?, ["green", "green"]);
    // It is there already.
    edges.call(&call, &[], String::new()).await?;

    let path = format!("distribution/E0/associate-alias?Alias={host}");
    let refused = edges
        .try_call(&format!("PUT {path}"), &[], String::new())
        .await?;
    let unknown = Refused(404, "NoSuchDistribution".to_owned());
    assert_eq!(refused, Err(unknown));
    assert_eq!(edges.says(host).await?, ["green", "green"]);
    Ok(())
}

fn association(domain: &str, with: &str) -> String {
    format!(
        "<UpdateDomainAssociationRequest><Domain>{domain}</Domain><TargetResource>\
         <DistributionId>{with}</DistributionId></TargetResource></UpdateDomainAssociationRequest>"
    )
}

/// "Moves a domain from its current standard distribution or distribution tenant to
/// another one":
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDomainAssociation.html>.
#[tokio::test]
async fn edges_follow_a_domain_that_is_moved() -> Outcome {
    let edges = Edges::start().await?;
    let (blue, green) = (Target::start("blue").await?, Target::start("green").await?);
    let host = "www.shop.test";
    edges.create(&Config::of(&[host], blue.address)).await?;
    let to = edges.create(&Config::of(&[], green.address)).await?;
    edges.cdn()?.set_delay(1, NEVER);
    let call = "POST domain-association";
    edges.call(call, &[], association(host, &to.id)).await?;
    assert_eq!(edges.says(host).await?, ["green", "blue"]);
    edges.cdn()?.set_delay(1, Duration::ZERO);
    assert_eq!(edges.says(host).await?, ["green", "green"]);
    Ok(())
}

/// One of its documented errors, "AccessDenied: Access denied. HTTP Status Code: 403",
/// which who may call `AssociateAlias` alone gets:
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDomainAssociation.html>.
#[tokio::test]
async fn the_move_of_a_domain_is_denied_on_request() -> Outcome {
    let edges = Edges::start_as(cdn::Options {
        refuses_domain_association: true,
        ..cdn::Options::default()
    })
    .await?;
    let target = Target::start("blue").await?;
    let to = edges.create(&Config::of(&[], target.address)).await?;
    let call = "POST domain-association";
    let body = association("www.shop.test", &to.id);
    let refused = edges.try_call(call, &[], body).await?;
    assert_eq!(refused, Err(Refused(403, "AccessDenied".to_owned())));
    assert_eq!(edges.get(0, "www.shop.test").await?.status, 403);
    Ok(())
}
