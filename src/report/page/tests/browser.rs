//! The page in a real browser, without a network. What it looked like is left in
//! `target/report/`, to be looked at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::*;
use crate::report::drawing::{set_sheet, sheet};
use crate::report::testing::{eight_by_steps, shop, shop_turned_back};

/// A telephone's, and a desk's.
const NARROW: u32 = 400;
const WIDE: u32 = 1400;

#[derive(Debug, Clone, Copy)]
enum Scheme {
    Light,
    Dark,
}

/// Where browsers are looked for, by name.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What a machine without a browser is given, where that is usual.
const CHROMIUM: localstack::Tool = localstack::Tool {
    path: "/usr/bin/chromium",
    package: "chromium",
};

/// Looked for once, as it may have to be installed.
async fn browser() -> &'static Path {
    static FOUND: OnceCell<PathBuf> = OnceCell::const_new();
    let find = async || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
            .find(|file| file.is_file());
        match found {
            Some(found) => found,
            None => CHROMIUM
                .ensure(&|_| {})
                .await
                .expect("the report is tested in a browser"),
        }
    };
    FOUND.get_or_init(find).await
}

/// What chromium prints and what it complains of.
async fn browse(arguments: &[String]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let browser = Command::new(browser().await)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--hide-scrollbars"])
        .args(["--enable-logging=stderr", "--force-device-scale-factor=1"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), browser)
        .await
        .expect("the browser ends")
        .unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

fn left_at(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// How many pixels of a screenshot have this colour.
struct Shot(Vec<[u8; 3]>);

impl Shot {
    async fn take(page: &Path, width: u32, scheme: Scheme) -> Self {
        let image = page.with_extension(format!("{scheme:?}-{width}.png").to_lowercase());
        let scheme = match scheme {
            Scheme::Dark => 0,
            Scheme::Light => 1,
        };
        browse(&[
            format!("--blink-settings=preferredColorScheme={scheme}"),
            format!("--window-size={width},2600"),
            format!("--screenshot={}", image.display()),
            format!("file://{}", page.display()),
        ])
        .await;
        let file = std::io::BufReader::new(std::fs::File::open(image).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let samples = info.color_type.samples();
        let pixels = bytes[..info.buffer_size()].chunks_exact(samples);
        Self(pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
    }

    fn count(&self, ink: &str) -> usize {
        let color = u32::from_str_radix(ink.trim_start_matches('#'), 16).unwrap();
        let [_, red, green, blue] = color.to_be_bytes();
        self.0
            .iter()
            .filter(|at| **at == [red, green, blue])
            .count()
    }
}

/// What the browser makes of the page, measured by a page around it: it has no
/// script of its own.
async fn measure(page: &Path, width: u32) -> Value {
    const MEASURE: &str = include_str!("measure.html");
    let name = page.file_name().unwrap().to_string_lossy();
    let around = MEASURE
        .replace("WIDTH", &width.to_string())
        .replace("PAGE", &name);
    let around = left_at(&format!("{name}.measured-{width}.html"), &around);
    let (dom, complaints) = browse(&[
        // The page around it may look into it.
        "--allow-file-access-from-files".to_owned(),
        "--virtual-time-budget=10000".to_owned(),
        "--window-size=1600,1200".to_owned(),
        "--dump-dom".to_owned(),
        format!("file://{}", around.display()),
    ])
    .await;
    assert!(!complaints.contains("CONSOLE"), "{complaints}");
    let (_, found) = dom.split_once("<pre>").expect("it was measured");
    let (found, _) = found.split_once("</pre>").unwrap();
    let found = found
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

/// Whether the page fits into its width and its drawings into the page, and no
/// text of a drawing covers another.
fn assert_tidy(found: &Value, width: u32) {
    assert!(
        found["scroll_width"].as_u64() <= Some(u64::from(width)),
        "{found:#}"
    );
    let drawings = found["drawings"].as_array().unwrap();
    assert!(!drawings.is_empty());
    for drawing in drawings {
        let (wide, high) = (&drawing["width"], &drawing["height"]);
        assert!(wide.as_f64() > Some(300.0), "{drawing:#}");
        assert!(high.as_f64() > Some(60.0), "{drawing:#}");
        assert_eq!(drawing["covered"], serde_json::json!([]), "{drawing:#}");
        assert_eq!(drawing["cut"], serde_json::json!([]), "{drawing:#}");
    }
}

#[tokio::test]
async fn the_browser_shows_what_happened() {
    let evidence = promotion();
    let page = left_at("promotion.html", &html(&evidence));
    let found = measure(&page, WIDE).await;
    assert_eq!(found["headline"], evidence.sentence);
    let text = found["text"].as_str().unwrap();
    for expected in [
        "Committed",
        "191 ms",
        "10.0.1.17 · fresh",
        "port 81 → green sent",
        "2 of 2 targets of blue healthy",
        "ada@laptop",
        "sha256:bbbbbbbb",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert_tidy(&found, WIDE);
}

#[tokio::test]
async fn one_band_or_twelve_fit_a_desk_and_a_telephone() {
    let many = Story {
        nodes: 6,
        answers_per_lane: 4_000,
        failing: Some((100.0, 4_000.0)),
        ..Story::GOOD
    };
    for (name, evidence) in [
        ("promotion-tidy.html", promotion()),
        ("taken-back.html", taken_back()),
        ("probe.html", probe()),
        ("somebody-elses.html", somebody_elses()),
        ("twelve-bands.html", told(many)),
        ("canary.html", canary()),
        ("canary-caught.html", caught()),
    ] {
        let page = left_at(name, &html(&evidence));
        for width in [NARROW, WIDE] {
            assert_tidy(&measure(&page, width).await, width);
        }
    }
}

#[tokio::test]
async fn two_modules_or_eight_fit_a_desk_and_a_telephone() {
    for (name, set) in [
        ("set.html", shop()),
        ("set-turned-back.html", shop_turned_back()),
        ("set-of-eight.html", eight_by_steps()),
    ] {
        let page = left_at(name, &set_html(&set));
        for width in [NARROW, WIDE] {
            assert_tidy(&measure(&page, width).await, width);
        }
        Shot::take(&page, WIDE, Scheme::Light).await;
        Shot::take(&page, NARROW, Scheme::Light).await;
    }
}

#[tokio::test]
async fn light_and_dark_each_have_their_colours() {
    use drawing::Ink;
    let page = left_at("light-and-dark.html", &html(&taken_back()));
    let light = Shot::take(&page, WIDE, Scheme::Light).await;
    let dark = Shot::take(&page, WIDE, Scheme::Dark).await;
    for ink in [Ink::Paper, Ink::Blue, Ink::Green, Ink::Failed] {
        let (of_light, of_dark) = (ink.light(), ink.dark());
        assert!(light.count(&of_light) > 200, "{ink:?} in the light");
        assert!(dark.count(&of_dark) > 200, "{ink:?} in the dark");
        assert_eq!(dark.count(&of_light), 0, "{ink:?} of the light in the dark");
    }
}

#[tokio::test]
async fn nobody_sees_red_where_nothing_failed() {
    use drawing::Ink;
    let swatch = 200;
    for (name, good, bad) in [
        ("", sheet(&promotion()), sheet(&taken_back())),
        ("set-", set_sheet(&shop()), set_sheet(&shop_turned_back())),
    ] {
        let page = left_at(&format!("{name}nothing-failed.svg"), &good);
        let good = Shot::take(&page, WIDE, Scheme::Light).await;
        assert!(good.count(&Ink::Failed.light()) < swatch);
        let page = left_at(&format!("{name}some-failed.svg"), &bad);
        let bad = Shot::take(&page, WIDE, Scheme::Light).await;
        assert!(bad.count(&Ink::Failed.light()) > 10 * swatch);
    }
}

/// Left to be looked at, too.
#[tokio::test]
async fn the_share_of_the_new_release_has_its_colour() {
    use drawing::Ink;
    let page = left_at("canary-shot.html", &html(&canary()));
    for (scheme, ink) in [
        (Scheme::Light, Ink::Blue.light()),
        (Scheme::Dark, Ink::Blue.dark()),
    ] {
        let shot = Shot::take(&page, WIDE, scheme).await;
        assert!(shot.count(&ink) > 10_000, "{scheme:?}");
    }
    Shot::take(&page, NARROW, Scheme::Light).await;
    let page = left_at("canary-caught-shot.html", &html(&caught()));
    Shot::take(&page, WIDE, Scheme::Light).await;
}
