//! Manifests: what a digest in a registry stands for, in the four forms in which ECR
//! keeps images (<https://github.com/opencontainers/image-spec>, and Docker's own two,
//! <https://distribution.github.io/distribution/spec/>).

use serde::Deserialize;

use crate::model::{Digest, Platform};

/// All are named in the request: otherwise ECR would convert what it believes the client
/// cannot read.
pub(super) const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
/// The media types of an image's configuration. Charts and signatures are kept in the
/// same manifests, with other types.
const IMAGE_CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manifest {
    /// One image, and where its configuration is.
    Image { config: Digest },
    /// One image for each of several platforms.
    Index(Vec<PlatformImage>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformImage {
    pub digest: Digest,
    /// An index may leave the platform to the image's configuration.
    pub platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(expecting = "a manifest")]
struct ManifestForm {
    config: Option<Descriptor>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    platform: Option<Platform>,
}

impl Manifest {
    /// # Errors
    /// What it is instead.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let form: ManifestForm = serde_json::from_str(text)
            .map_err(|error| format!("its manifest cannot be read: {error}"))?;
        match (form.config, form.manifests) {
            (_, Some(manifests)) => Ok(Self::Index(
                manifests
                    .into_iter()
                    .filter(Descriptor::is_of_an_image)
                    .map(|entry| PlatformImage {
                        digest: entry.digest,
                        platform: entry.platform,
                    })
                    .collect(),
            )),
            (Some(config), None) if IMAGE_CONFIGS.contains(&config.media_type.as_str()) => {
                Ok(Self::Image {
                    config: config.digest,
                })
            }
            (Some(config), None) => Err(format!("it is not an image but {}", config.media_type)),
            (None, None) => Err("its manifest names no configuration".to_owned()),
        }
    }
}

impl Descriptor {
    /// BuildKit stores attestations (provenance, SBOM) beside the images, for the
    /// platform `unknown/unknown`.
    fn is_of_an_image(&self) -> bool {
        let is_unknown = |platform: &Platform| platform.os == "unknown";
        MEDIA_TYPES.contains(&self.media_type.as_str())
            && !self.platform.as_ref().is_some_and(is_unknown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn digest(n: u8) -> Digest {
        format!("sha256:{n:064}").parse().unwrap()
    }

    fn image(media_type: &str, config: &str) -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": { "mediaType": config, "digest": digest(1), "size": 7 },
            "layers": [],
        })
    }

    #[test]
    fn an_image_is_found_by_its_configuration() {
        for (media_type, config) in [
            (MEDIA_TYPES[1], IMAGE_CONFIGS[0]),
            (MEDIA_TYPES[3], IMAGE_CONFIGS[1]),
        ] {
            let manifest = Manifest::parse(&image(media_type, config).to_string());
            assert_eq!(manifest, Ok(Manifest::Image { config: digest(1) }));
        }
        let chart = image(MEDIA_TYPES[1], "application/vnd.cncf.helm.config.v1+json");
        assert_eq!(
            Manifest::parse(&chart.to_string()),
            Err("it is not an image but application/vnd.cncf.helm.config.v1+json".to_owned())
        );
        for other in ["", "{}", "[]", r#"{"config":{"digest":"sha256:no"}}"#] {
            assert!(Manifest::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn an_index_is_its_images_and_no_attestations() {
        let entry = |n: u8, media_type: &str, os: &str, architecture: &str| {
            json!({
                "mediaType": media_type,
                "digest": digest(n),
                "size": 7,
                "platform": { "os": os, "architecture": architecture },
            })
        };
        for (index, inner) in [
            (MEDIA_TYPES[0], MEDIA_TYPES[1]),
            (MEDIA_TYPES[2], MEDIA_TYPES[3]),
        ] {
            let mut arm = entry(2, inner, "linux", "arm64");
            arm["platform"]["variant"] = json!("v8");
            let mut bare = entry(4, inner, "", "");
            bare.as_object_mut().unwrap().remove("platform");
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": index,
                "manifests": [
                    entry(1, inner, "linux", "amd64"),
                    arm,
                    entry(3, inner, "unknown", "unknown"),
                    bare,
                    entry(5, "application/vnd.example.other", "linux", "amd64"),
                ],
            });
            let Ok(Manifest::Index(entries)) = Manifest::parse(&manifest.to_string()) else {
                panic!("{manifest}");
            };
            let shown: Vec<_> = entries
                .iter()
                .map(|entry| {
                    (
                        &entry.digest,
                        entry.platform.as_ref().map(ToString::to_string),
                    )
                })
                .collect();
            assert_eq!(
                shown,
                [
                    (&digest(1), Some("linux/amd64".to_owned())),
                    (&digest(2), Some("linux/arm64/v8".to_owned())),
                    (&digest(4), None),
                ]
            );
        }
    }
}
