//! What a shift tells its hooks.

use std::ffi::OsString;
use std::path::{Path, absolute};

use super::{HookCommand, HookFailure};
use crate::config::Config;
use crate::model::{Deployed, Hook, HookAction};
use crate::session::Session;

/// One run of one hook.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    pub hook: Hook,
    /// What was live when the shift began.
    pub from: Option<&'a Deployed>,
    /// What is to become live.
    pub to: &'a Deployed,
    /// Counted from 1; None if the hook belongs to the whole shift.
    pub stage: Option<usize>,
    /// The new release's share of production, in basis points; before a stage, the share
    /// that the stage is about to give it.
    pub share: u16,
    /// The file that `--report` names.
    pub report: Option<&'a Path>,
}

impl Occasion<'_> {
    /// Does nothing if `bgecs.toml` has no such hook.
    ///
    /// # Errors
    /// As [`HookCommand::run`].
    pub async fn run(&self, session: &Session) -> Result<(), HookFailure> {
        match self.command(&session.config) {
            Some(command) => command.run(session).await,
            None => Ok(()),
        }
    }

    fn command<'c>(&self, config: &'c Config) -> Option<HookCommand<'c>> {
        let HookAction::Line(line) = config.hooks.actions.get(&self.hook)? else {
            return None;
        };
        Some(HookCommand {
            what: "hook",
            name: self.hook.at(self.stage),
            line,
            folder: config.root(),
            environment: self.environment(),
            limit: Some(config.hooks.timeout),
        })
    }

    /// Variables without a value are set to the empty string, so that none is inherited
    /// from this process.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let tag = |of: Option<&Deployed>| {
            let tag = of.and_then(|release| release.tag.as_ref());
            tag.map(ToString::to_string).unwrap_or_default()
        };
        let stage = self.stage.map(|stage| stage.to_string());
        let share = f64::from(self.share) / 100.0;
        // The hook runs in another folder.
        let report = self.report.map(|path| match absolute(path) {
            Ok(path) => path.into_os_string(),
            Err(_) => path.into(),
        });
        vec![
            ("BGECS_FROM_TAG", tag(self.from).into()),
            ("BGECS_TO_TAG", tag(Some(self.to)).into()),
            ("BGECS_STAGE", stage.unwrap_or_default().into()),
            ("BGECS_SHARE", share.to_string().into()),
            ("BGECS_REPORT", report.unwrap_or_default()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    fn config(hooks: &str) -> Config {
        let text = format!("app = 'hello'\n[hooks]\n{hooks}");
        Config::parse(&text, Path::new("/srv/hello/bgecs.toml")).unwrap()
    }

    fn release(color: Color, tag: &str) -> Deployed {
        Deployed {
            tag: Some(tag.parse().unwrap()),
            ..Deployed::somewhere_on(color)
        }
    }

    fn told(occasion: &Occasion<'_>) -> Vec<String> {
        let all = occasion.environment().into_iter();
        all.map(|(name, value)| format!("{name}={}", value.display()))
            .collect()
    }

    #[test]
    fn a_hook_is_told_of_its_stage() {
        let (green, blue) = (release(Color::Green, "1"), release(Color::Blue, "2"));
        let occasion = Occasion {
            hook: Hook::BeforeStage,
            from: Some(&green),
            to: &blue,
            stage: Some(2),
            share: 1250,
            report: Some(Path::new("/tmp/report.html")),
        };
        let all = "BGECS_FROM_TAG=1 BGECS_TO_TAG=2 BGECS_STAGE=2 BGECS_SHARE=12.5 BGECS_REPORT=/tmp/report.html";
        assert_eq!(told(&occasion).join(" "), all);
        let first = Occasion {
            from: None,
            stage: None,
            share: 10_000,
            report: None,
            ..occasion
        };
        let little = "BGECS_FROM_TAG= BGECS_TO_TAG=2 BGECS_STAGE= BGECS_SHARE=100 BGECS_REPORT=";
        assert_eq!(told(&first).join(" "), little);
        let here = std::env::current_dir().unwrap().join("a.svg");
        let beside = Occasion {
            report: Some(Path::new("a.svg")),
            ..first
        };
        assert_eq!(beside.environment()[4].1, here);
    }

    #[test]
    fn only_what_the_file_has_is_run() {
        let blue = Deployed::somewhere_on(Color::Blue);
        let occasion = |hook, stage| Occasion {
            hook,
            from: None,
            to: &blue,
            stage,
            share: 0,
            report: None,
        };
        let config = config("after_stage = 'make soup'\ntimeout = '5s'");
        let command = occasion(Hook::AfterStage, Some(3)).command(&config);
        let command = command.unwrap();
        assert_eq!(command.name, "after_stage of stage 3");
        assert_eq!((command.line, command.folder), ("make soup", config.root()));
        assert_eq!(command.limit.unwrap().as_secs(), 5);
        assert!(
            occasion(Hook::BeforeStage, Some(3))
                .command(&config)
                .is_none()
        );
    }
}
