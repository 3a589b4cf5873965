//! Which images the tasks can run. Checked before a push, so that no tag is used up for
//! one that they cannot.

use super::Refusal;
use crate::model::{CpuArchitecture, Platform, RunsOn};

/// The CPU that the image's tasks are to have.
///
/// # Errors
/// A platform that no task of Fargate's has, or not the one that is wanted.
pub fn fits(platform: &Platform, wanted: RunsOn) -> Result<CpuArchitecture, Refusal> {
    wanted.cpu_for(platform).ok_or_else(|| {
        match (platform.cpu(), wanted.platform()) {
            (Some(_), Some(wanted)) => Refusal::new(
                format!("the image is for {platform}, and its tasks are to run on {wanted}"),
                format!("build it for {wanted}; or ask for the other with --platform, or in `runtimePlatform` of the task definition or `architecture` in [container]"),
            ),
            _ => Refusal::new(
                format!("these tasks cannot run an image for {platform} on Fargate"),
                "build it with --platform linux/amd64 or linux/arm64",
            ),
        }
    })
}

/// Out of what an index has, the image that the tasks will run: if nothing is
/// said, on the CPU that ECS takes for granted, whatever this machine's is.
///
/// # Errors
/// Nothing that they could run.
pub fn choose<T>(
    name: &str,
    variants: Vec<(Platform, T)>,
    wanted: RunsOn,
) -> Result<(CpuArchitecture, T), Refusal> {
    let listed: Vec<String> = variants.iter().map(|(it, _)| it.to_string()).collect();
    let can_run = variants
        .into_iter()
        .filter_map(|(platform, variant)| Some((wanted.cpu_for(&platform)?, variant)));
    let by_default = |(cpu, _): &(CpuArchitecture, T)| *cpu != CpuArchitecture::X86_64;
    can_run.min_by_key(by_default).ok_or_else(|| {
        let has = match listed.is_empty() {
            true => "no image at all".to_owned(),
            false => listed.join(", "),
        };
        let on = wanted.platform().map_or_else(
            || "a platform that these tasks can have".to_owned(),
            |platform| platform.to_string(),
        );
        Refusal::new(
            format!("{name} does not have an image for {on}: it has {has}"),
            "push one for linux/amd64 or linux/arm64, and say which with --platform or in the task definition",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(architecture: Option<CpuArchitecture>) -> RunsOn {
        RunsOn {
            architecture,
            windows: false,
        }
    }

    fn variants(platforms: &[&str]) -> Vec<(Platform, String)> {
        let read = |text: &&str| (text.parse().unwrap(), (*text).to_owned());
        platforms.iter().map(read).collect()
    }

    #[test]
    fn what_the_tasks_cannot_run_is_named() {
        let any = wanted(None);
        let x86 = wanted(Some(CpuArchitecture::X86_64));
        assert_eq!(
            fits(&Platform::new("linux", "arm64"), any),
            Ok(CpuArchitecture::Arm64)
        );
        for (platform, wanted, message) in [
            (
                "linux/arm/v7",
                any,
                "these tasks cannot run an image for linux/arm/v7 on Fargate",
            ),
            (
                "linux/386",
                x86,
                "these tasks cannot run an image for linux/386 on Fargate",
            ),
            (
                "windows/amd64",
                any,
                "these tasks cannot run an image for windows/amd64 on Fargate",
            ),
            (
                "linux/arm64/v8",
                x86,
                "the image is for linux/arm64/v8, and its tasks are to run on linux/amd64",
            ),
        ] {
            let refusal = fits(&platform.parse().unwrap(), wanted).unwrap_err();
            assert_eq!(refusal.message, message);
        }
    }

    #[test]
    fn out_of_several_the_wanted_one_is_taken() {
        let both = ["linux/arm/v7", "linux/arm64/v8", "linux/amd64"];
        for (platforms, asked, chosen) in [
            (&both[..], None, Some("linux/amd64")),
            (
                &both[..],
                Some(CpuArchitecture::X86_64),
                Some("linux/amd64"),
            ),
            (
                &both[..],
                Some(CpuArchitecture::Arm64),
                Some("linux/arm64/v8"),
            ),
            (&both[..2], None, Some("linux/arm64/v8")),
            (&both[..2], Some(CpuArchitecture::X86_64), None),
            (&both[..1], None, None),
            (&[], None, None),
        ] {
            let found = choose("r/a:1", variants(platforms), wanted(asked));
            let found = found.ok().map(|(_, name)| name);
            assert_eq!(found.as_deref(), chosen, "{platforms:?} {asked:?}");
        }
        let refused = choose(
            "r/a:1",
            variants(&both[..2]),
            wanted(Some(CpuArchitecture::X86_64)),
        );
        assert_eq!(
            refused.unwrap_err().message,
            "r/a:1 does not have an image for linux/amd64: it has linux/arm/v7, linux/arm64/v8"
        );
    }
}
