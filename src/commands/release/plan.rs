//! What a release of a set would do, and which releases users can meet side by side.

use std::fmt::Display;

use serde::Serialize;

use super::jobs::{self, JobPlan};
use super::open::{OpenSet, SetContext};
use super::work::{deployment, last_of, way_back};
use super::{ending, status};
use crate::cli::ReleaseArgs;
use crate::commands::{deploy, promote, swap};
use crate::config::SetFile;
use crate::driver::attempt::SwapKind;
use crate::driver::release::Module;
use crate::engine::plan::{Step, SwapPlan};
use crate::engine::set::{Mixable, Passage, mixtures, moved_regions};
use crate::error::{Exit, Result};
use crate::model::{Observed, RegionOrder, SetName, Tag};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::spoken_time;

#[derive(Debug, Serialize)]
struct SetPlan {
    operation: &'static str,
    dry_run: bool,
    rollback: bool,
    set: SetName,
    modules: Vec<ModulePlan>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<JobPlan>,
    /// In a sentence: which region goes over after which, where they go in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    turns: Option<String>,
    /// In sentences.
    mixtures: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ModulePlan {
    name: SetName,
    app: String,
    /// None where it is left alone.
    steps: Vec<Step>,
}

impl CommandResult for SetPlan {
    fn human(&self, style: &Style) -> String {
        let what = match self.rollback {
            true => "rollback",
            false => "release",
        };
        let mut text = format!("the {what} of the set {} would:", style.strong(&self.set));
        for it in &self.modules {
            text += &listed_steps(&it.name, &it.steps, style);
        }
        for it in &self.jobs {
            text += &listed_steps(&it.name, &it.steps, style);
        }
        if let Some(turns) = &self.turns {
            text += &format!("\n{turns}");
        }
        if !self.mixtures.is_empty() {
            text += "\nWhat users can meet meanwhile:";
        }
        for mixture in &self.mixtures {
            text += &format!("\n  {mixture}");
        }
        text + "\nNothing was changed."
    }
}

fn listed_steps(name: &SetName, steps: &[impl Display], style: &Style) -> String {
    let mut text = format!("\n{}", style.strong(name));
    if steps.is_empty() {
        text += "\n  leave it alone";
    }
    for (n, step) in steps.iter().enumerate() {
        text += &format!("\n  {:>2}. {step}", n + 1);
    }
    text
}

pub(super) async fn dry_run(
    context: &SetContext<'_>,
    set: &SetFile,
    opened: &OpenSet,
    args: &ReleaseArgs,
) -> Result<Exit> {
    let OpenSet { modules, jobs } = opened;
    if let Some(mark) = ending::abandoned(modules).await? {
        context.report.tell(&ReportEvent::Warning(format!(
            "the release {} of the set {} is unfinished: it would end first, and this plan is of how things are now",
            mark.id, mark.set
        )));
    }
    let last = match args.rollback {
        true => Some(last_of(set, modules.iter()).await?),
        false => None,
    };
    let mut planned = Vec::new();
    for it in modules {
        let steps = match (&args.tag, &last) {
            (Some(tag), _) => forward(set, it, tag, args).await,
            (None, Some(last)) if last.modules.contains(it.name()) => back(it, last, args).await,
            (None, _) => Ok(Vec::new()),
        };
        planned.push(ModulePlan {
            name: it.name().clone(),
            app: it.session.app().to_owned(),
            steps: steps.map_err(|error| error.of_module(it.name()))?,
        });
    }
    let mixable = modules.iter().zip(&planned).map(|(it, plan)| Mixable {
        name: it.name(),
        after: &it.place.after,
        region: &it.place.region,
        is_moved: !plan.steps.is_empty(),
    });
    let mixable: Vec<Mixable<'_>> = mixable.collect();
    let how = match (args.rollback, &args.steps) {
        (true, _) => Passage::Back,
        (false, None) => Passage::AtOnce,
        (false, Some(_)) => Passage::Gradual,
    };
    context.report.result(&SetPlan {
        operation: "release",
        dry_run: true,
        rollback: args.rollback,
        set: set.name.clone(),
        turns: region_turns(&mixable, set.regions, how),
        mixtures: mixtures(&mixable, set.regions, how),
        modules: planned,
        jobs: jobs::plans(jobs, args, last.as_ref()).await?,
    });
    Ok(Exit::Done)
}

fn region_turns(modules: &[Mixable<'_>], order: RegionOrder, how: Passage) -> Option<String> {
    let mut regions = moved_regions(modules);
    if !order.is_in_turn() || regions.len() < 2 {
        return None;
    }
    let each = match (how, order.bake()) {
        (Passage::Back, _) => {
            regions.reverse();
            String::new()
        }
        (_, bake) if bake.is_zero() => ", each once the one before it is healthy".to_owned(),
        (_, bake) => format!(
            ", each once the one before it is healthy and was watched for {} longer",
            spoken_time::short(bake)
        ),
    };
    Some(format!(
        "Regions go {} in turn: {}{each}.",
        match how {
            Passage::Back => "back",
            Passage::AtOnce | Passage::Gradual => "over",
        },
        regions.join(", then ")
    ))
}

async fn forward(set: &SetFile, it: &Module, tag: &Tag, args: &ReleaseArgs) -> Result<Vec<Step>> {
    let session = &it.session;
    let observed = session.look(&it.infrastructure, None).await?;
    if observed.is_live(tag) {
        return Ok(Vec::new());
    }
    let mut steps = deploy::ahead(session, &observed, &deployment(set, it, tag, args))?;
    if let Some(from) = observed.live_color() {
        let to = from.other();
        let plan = SwapPlan::Swap { from, to };
        steps.extend(swapping(it, &observed, SwapKind::Promote, plan, args).await?);
    }
    Ok(steps)
}

async fn back(it: &Module, last: &status::LastRelease, args: &ReleaseArgs) -> Result<Vec<Step>> {
    let observed = it.session.look(&it.infrastructure, None).await?;
    let Some(plan) = way_back(&observed, last)? else {
        return Ok(Vec::new());
    };
    swapping(it, &observed, SwapKind::Rollback, plan, args).await
}

async fn swapping(
    it: &Module,
    observed: &Observed,
    kind: SwapKind,
    plan: SwapPlan,
    args: &ReleaseArgs,
) -> Result<Vec<Step>> {
    let watching = promote::watching_of(&it.session, &args.promotion());
    swap::steps(&it.session, kind, plan, observed, &watching).await
}
