use super::*;
use crate::aws::testing::{Reply, Wire};

fn arrived(version: Option<&str>) -> Arrived {
    Arrived {
        bucket: "releases".to_owned(),
        key: "team a/shop-7.zip".to_owned(),
        version: version.map(str::to_owned),
        sequencer: None,
    }
}

const AT: &str = "https://releases.s3.eu-west-1.amazonaws.com/team%20a/shop-7.zip?versionId=v%2F1";

#[tokio::test]
async fn exactly_that_version_is_read_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it");
    for (most, is_read) in [(5, true), (4, false)] {
        let wire = Wire::new().on(AT, Reply::object("bytes"));
        let fetched = wire.aws().fetch(&arrived(Some("v/1")), &file, most).await;
        match fetched {
            Ok((upload, uploaded)) => {
                assert_eq!(upload.version, "v/1");
                assert_eq!(uploaded.unix_timestamp(), 1_445_412_480);
                assert_eq!(std::fs::read(&file).unwrap(), b"bytes");
            }
            Err(NotFetched::TooLarge(4)) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(wire.requests().len(), 1);
        assert_eq!(is_read, most == 5);
    }
}

#[tokio::test]
async fn one_that_is_gone_is_told_by_its_code() {
    let missing = Reply::Http {
        status: 404,
        body: "<?xml version=\"1.0\"?><Error><Code>NoSuchVersion</Code><Message>The version is gone.</Message></Error>".to_owned(),
    };
    let wire = Wire::new().on(AT, missing);
    let file = tempfile::NamedTempFile::new().unwrap();
    let it = arrived(Some("v/1"));
    match wire.aws().fetch(&it, file.path(), 5).await {
        Err(NotFetched::Aws(error)) => {
            assert!(error.has_code("NoSuchVersion"), "{error}");
            assert_eq!(error.message, "The version is gone.");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_version_nobody_can_tell_which_upload_it_is() {
    let at = "https://releases.s3.eu-west-1.amazonaws.com/team%20a/shop-7.zip";
    let wire = Wire::new().on(at, Reply::object("bytes"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let fetched = wire.aws().fetch(&arrived(None), file.path(), 5).await;
    assert!(
        matches!(fetched, Err(NotFetched::Unversioned)),
        "{fetched:?}"
    );
}

#[tokio::test]
async fn a_name_with_dots_is_in_the_path_and_a_missing_signature_is_none() {
    let at = "https://s3.eu-west-1.amazonaws.com/acme.releases/shop-7.zip.minisig";
    let missing = Reply::Http {
        status: 404,
        body: "<Error><Code>NoSuchKey</Code></Error>".to_owned(),
    };
    let wire = Wire::new()
        .on(at, missing)
        .on(at, Reply::object("untrusted comment: x"));
    let aws = wire.aws();
    let read = async || {
        aws.small_object("acme.releases", "shop-7.zip.minisig")
            .await
            .unwrap()
    };
    assert_eq!(read().await, None);
    assert_eq!(read().await.as_deref(), Some("untrusted comment: x"));
}

#[test]
fn all_versions_of_a_bucket_are_read_markers_among_them() {
    let text = "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Name>releases</Name><EncodingType>url</EncodingType>\
        <Version><Key>in/shop+7%2B.zip</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest></Version>\
        <DeleteMarker><Key>in/shop.zip</Key><VersionId>v2</VersionId></DeleteMarker>\
        <CommonPrefixes><Prefix>in/</Prefix></CommonPrefixes></ListVersionsResult>";
    let of = |key: &str, version: &str| ObjectVersion {
        key: key.to_owned(),
        version: version.to_owned(),
    };
    assert_eq!(
        versions_in(text).unwrap(),
        [of("in/shop 7+.zip", "v1"), of("in/shop.zip", "v2")]
    );
    assert!(versions_in("<Error/>").unwrap().is_empty());
    assert!(versions_in("<a><Version><Key>a</Key></Version></a>").is_err());
    assert!(versions_in("no").is_err());
}
