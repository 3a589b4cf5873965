//! A large build context: 1 GiB in 50,000 files, all of which the build copies.
//!
//! The folder has another name for each build and one file in it another content:
//! BuildKit keeps what it was sent, by the folder's name, and what it copied. The
//! last stage takes next to nothing of it, so that no registry is measured.

mod files;

use std::path::PathBuf;

use serde_json::Value;

use super::figures::Unit;
use super::program::{Line, milliseconds};
use super::row::Row;
use super::stage::App;
use super::table::Found;
use crate::{Result, peers};
use files::Folder;

/// Each build moves 1 GiB; more runs would tell no more.
const MOST_RUNS: usize = 3;

pub async fn measure(app: &mut App<'_>, runs: usize) -> Result<Found> {
    let mut folder = Folder::make(&app.context)?;
    let docker = Docker {
        program: peers::docker().await?,
    };
    let before = docker.cache().await?;
    let mut sides = Sides::default();
    let mut measured = Ok(());
    for _ in 0..runs.min(MOST_RUNS) {
        measured = sides.take(app, &mut folder, &docker).await;
        if measured.is_err() {
            break;
        }
    }
    docker.forget_all_but(&before).await?;
    measured?;
    Ok(Found {
        rows: vec![
            Row::beside(
                "build of 1 GiB in 50,000 files",
                "`docker build`",
                Unit::Time,
                &sides.times,
            )?
            .at_most(1.0),
            Row::alone("peak memory of that deploy", Unit::Memory, &sides.peaks)?
                .at_most(64.0 * 1024.0),
        ],
        notes: Vec::new(),
    })
}

#[derive(Default)]
struct Sides {
    times: Vec<(f64, f64)>,
    peaks: Vec<f64>,
}

impl Sides {
    async fn take(
        &mut self,
        app: &mut App<'_>,
        folder: &mut Folder,
        docker: &Docker,
    ) -> Result<()> {
        let tag = app.new_tag();
        let path = folder.renew()?.display().to_string();
        let used = app.bgecs(&["deploy", &path, "--tag", &tag]);
        let used = used.watched().await?;
        let built = used.ran.said("built the image")?;
        let ours = built.saturating_sub(used.ran.said("building the image")?);
        let path = folder.renew()?.display().to_string();
        let theirs = docker.line(&["build", "--quiet", &path]).run().await?;
        self.times.push((milliseconds(ours), theirs.milliseconds()));
        self.peaks.push(used.peak_kib);
        Ok(())
    }
}

struct Docker {
    program: PathBuf,
}

impl Docker {
    fn line(&self, words: &[&str]) -> Line {
        let program = self.program.display().to_string();
        let line = Line::new([program]).with(words);
        line.envs(&[("DOCKER_BUILDKIT".to_owned(), "1".to_owned())])
    }

    /// The ids of what BuildKit keeps.
    async fn cache(&self) -> Result<Vec<String>> {
        let list = ["system", "df", "-v", "--format", "{{json .BuildCache}}"];
        Ok(ids(&self.line(&list).run().await?.json()?))
    }

    /// Gives the disk back: the engine would keep all that it was sent.
    async fn forget_all_but(&self, known: &[String]) -> Result<()> {
        for id in self.cache().await? {
            if !known.contains(&id) {
                let filter = format!("id={id}");
                let prune = ["builder", "prune", "--all", "--force", "--filter", &filter];
                self.line(&prune).run().await?;
            }
        }
        Ok(())
    }
}

fn ids(cache: &Value) -> Vec<String> {
    let entries = cache.as_array().into_iter().flatten();
    let ids = entries.filter_map(|entry| entry["ID"].as_str());
    ids.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_cache_is_known_by_its_ids() {
        assert_eq!(
            ids(&json!([{"ID": "a", "Size": 1}, {"ID": "b"}])),
            ["a", "b"]
        );
        assert!(ids(&Value::Null).is_empty());
    }
}
