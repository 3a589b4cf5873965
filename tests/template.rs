//! The CloudFormation templates pass cfn-lint and checkov, in the versions that
//! `tests/template/requirements.txt` pins. They live in a virtual environment under
//! `target`, made on the first run: it takes a minute, the linters then a few seconds.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TEMPLATE: &str = "src/aws/stack/template.yaml";
const REQUIREMENTS: &str = "tests/template/requirements.txt";

/// The longest template that CloudFormation takes in the request itself.
const MAX_TEMPLATE_BYTES: usize = 51_200;

#[test]
fn cloudformation_takes_the_template_inline() {
    let template = read(&Path::new(ROOT).join(TEMPLATE));

    assert!(
        template.len() <= MAX_TEMPLATE_BYTES,
        "{TEMPLATE} has {} bytes; CreateStack takes {MAX_TEMPLATE_BYTES} without a bucket",
        template.len(),
    );
    // Anything else comes back from CloudFormation as a question mark, so that
    // the template it holds would never equal ours.
    assert!(
        template.is_ascii(),
        "{TEMPLATE} has characters beyond ASCII"
    );
}

// One test for both: they share the environment, and it is all the work.
#[test]
fn linters_find_nothing() {
    let bin = linters();
    let worker = worker_template();
    let complaints = [TEMPLATE, &worker].map(|template| complaints(&bin, template));
    let complaints = complaints.concat() + &pipelines(&bin);
    assert!(complaints.is_empty(), "{complaints}");
}

/// What is wrong with the GitHub Action, and with the pipelines in the book: each is YAML, and
/// a step of an action that runs something names its shell.
fn pipelines(bin: &Path) -> String {
    const CHECK: &str = r#"
import re, yaml
action = yaml.safe_load(open("action.yml"))
for step in action["runs"]["steps"]:
    assert "uses" in step or "shell" in step, step
    said = re.findall(r"inputs\.([a-z-]+)", str(step))
    assert set(said) <= set(action["inputs"]), said
blocks = re.findall(r"```yaml\n(.*?)```", open("docs/ci.md").read(), re.S)
assert len(blocks) > 3, blocks
for block in blocks:
    yaml.safe_load(block)
"#;
    let checked = Command::new(bin.join("python"))
        .args(["-c", CHECK])
        .current_dir(ROOT)
        .output();
    let checked = finished("python", checked);
    match checked.status.success() {
        true => String::new(),
        false => text(&checked),
    }
}

/// Of a worker of two apps, with all that it can have: written for it, so it is in no file.
fn worker_template() -> String {
    let folder = Path::new(ROOT).join("target/worker-template");
    let app = folder.join("app");
    fs::create_dir_all(&app).unwrap_or_else(|error| panic!("{}: {error}", app.display()));
    for (file, text) in [
        (
            "set.toml",
            "set = 'shop'\n[[module]]\nname = 'site'\nconfig = 'app/bgecs.toml'\n\
             [serve]\nallow = ['bgecs.toml']\n",
        ),
        ("app/bgecs.toml", "app = 'site'\n"),
        ("bgecs.toml", "app = 'other'\n"),
    ] {
        let file = folder.join(file);
        fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
    let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf";
    let parameter = "arn:aws:ssm:eu-west-1:123456789012:parameter/key";
    let printed = Command::new(env!("CARGO_BIN_EXE_bgecs"))
        .args(["init", "--worker", "--print-template"])
        .args(["--worker-image", &format!("{registry}/worker:1")])
        .args([
            "--subnets",
            "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        ])
        .args(["--security-groups", "sg-0123456789abcdef0", "--public-ip"])
        .args(["--worker-secret", &format!("HOOK={secret}")])
        .args(["--worker-secret", &format!("KEY={parameter}")])
        .current_dir(&folder)
        .output();
    let printed = finished("bgecs", printed);
    assert!(printed.status.success(), "{}", text(&printed));
    let template = "target/worker-template/worker.json";
    fs::write(Path::new(ROOT).join(template), &printed.stdout)
        .unwrap_or_else(|error| panic!("{template}: {error}"));
    template.to_owned()
}

fn complaints(bin: &Path, template: &str) -> String {
    let cfn_lint = Command::new(bin.join("cfn-lint"))
        .args(["--include-checks", "I", "--regions", "ALL_REGIONS"])
        .args(["--template", template])
        .current_dir(ROOT)
        .output();
    let checkov = Command::new(bin.join("checkov"))
        .args(["--framework", "cloudformation", "--compact", "--quiet"])
        .args(["--skip-download", "--file", template])
        .current_dir(ROOT)
        // With a key, checkov reports to its vendor's platform.
        .env_remove("BC_API_KEY")
        .output();

    let mut complaints = String::new();
    let cfn_lint = finished("cfn-lint", cfn_lint);
    if !cfn_lint.status.success() {
        complaints += &format!("\n{template}: cfn-lint:\n{}", text(&cfn_lint));
    }
    let checkov = finished("checkov", checkov);
    // To checkov, a template that it cannot parse is a success: no check failed.
    if !checkov.status.success() || text(&checkov).contains("Parsing errors") {
        complaints += &format!("\n{template}: checkov:\n{}", text(&checkov));
    }
    complaints
}

/// The folder with the pinned linters, which are installed if they are not there.
fn linters() -> PathBuf {
    let target = Path::new(ROOT).join("target");
    let venv = target.join("lint-venv");
    let bin = venv.join("bin");

    let version = Command::new("python3").arg("--version").output();
    let version = version.unwrap_or_else(|error| {
        panic!(
            "cannot run python3 ({error}); cfn-lint and checkov need Python 3.11 or newer \
             with its venv module (Debian: apt install python3 python3-venv)"
        )
    });

    let requirements = Path::new(ROOT).join(REQUIREMENTS);
    let wanted = format!("# {}\n{}", text(&version).trim(), read(&requirements));
    let stamp = venv.join("made-from.txt");

    // Test runs side by side would install into each other's environment.
    fs::create_dir_all(&target).unwrap_or_else(|error| panic!("{}: {error}", target.display()));
    let lock = target.join("lint-venv.lock");
    let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _held = lock.unwrap_or_else(|error| panic!("cannot lock the lint environment: {error}"));

    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return bin;
    }

    let made = Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv)
        .output();
    let made = finished("python3 -m venv", made);
    assert!(
        made.status.success(),
        "cannot make a virtual environment (Debian: apt install python3-venv):\n{}",
        text(&made),
    );

    let installed = Command::new(bin.join("python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check"])
        .args(["--quiet", "--only-binary", ":all:", "--require-hashes"])
        .arg("--requirement")
        .arg(&requirements)
        .output();
    let installed = finished("pip", installed);
    assert!(
        installed.status.success(),
        "cannot install cfn-lint and checkov (their pins need Python 3.11 or newer):\n{}",
        text(&installed),
    );

    // Last, so that an installation cut short is not taken for a whole one.
    fs::write(&stamp, wanted).unwrap_or_else(|error| panic!("{}: {error}", stamp.display()));
    bin
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn finished(program: &str, output: std::io::Result<Output>) -> Output {
    output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"))
}

fn text(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("{stdout}{stderr}")
}
