mod from_file;
mod from_settings;
mod mistakes;
mod properties;

use serde_json::json;

use super::*;
use crate::config::{OwnDefinition, TaskSize};
use crate::model::marks::{TAG_COMMIT, TAG_DEPLOYED_BY, TAG_DIGEST, TAG_RELEASE};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER_DIGEST: &str =
    "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const REPOSITORY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/bgecs-hello";

/// What an [`Input`] borrows from.
struct World {
    app: AppName,
    tag: Tag,
    digest: Digest,
    settings: ContainerSection,
    file: TaskFile,
    roles: TaskRoles,
}

impl World {
    fn new() -> Self {
        Self {
            app: "hello".parse().unwrap(),
            tag: "v2".parse().unwrap(),
            digest: DIGEST.parse().unwrap(),
            settings: ContainerSection::default(),
            file: file(&from_file::minimal()),
            roles: TaskRoles {
                execution: Some("arn:aws:iam::123456789012:role/execution".to_owned()),
                task: Some("arn:aws:iam::123456789012:role/task".to_owned()),
            },
        }
    }

    fn with_file(value: &Value) -> Self {
        Self {
            file: file(value),
            ..Self::new()
        }
    }

    fn input(&self) -> Input<'_> {
        Input {
            app: &self.app,
            color: Color::Green,
            source: Source::Settings {
                container: "app",
                settings: &self.settings,
            },
            image: Image {
                repository: REPOSITORY,
                tag: &self.tag,
                digest: Some(&self.digest),
                architecture: CpuArchitecture::Arm64,
            },
            surroundings: Surroundings {
                roles: &self.roles,
                logs: LogPlace {
                    group: "/bgecs/hello",
                    region: "eu-central-1",
                    shared_by: None,
                },
            },
            provenance: ReleaseProvenance {
                commit: Some("0123abc"),
                deployed_by: "arn:aws:iam::123456789012:user/ada",
                deployed_at: "2026-11-21T10:00:00Z",
                operation: "20261121T100000Z-1",
            },
        }
    }

    fn file_input(&self) -> Input<'_> {
        Input {
            source: Source::File {
                container: "app",
                file: &self.file,
            },
            ..self.input()
        }
    }
}

fn own() -> OwnDefinition {
    OwnDefinition {
        path: "td.json".into(),
        ..OwnDefinition::default()
    }
}

fn read(text: &str, own: &OwnDefinition) -> Result<TaskFile, TaskDefinitionError> {
    let variable = |name: &str| (name == "MEMORY").then(|| "512".to_owned());
    TaskFile::parse(text, "app", own, &variable).map(TaskFile::without_roles_of_stacks)
}

fn file(value: &Value) -> TaskFile {
    read(&value.to_string(), &own()).unwrap()
}

fn hash(input: &Input<'_>) -> String {
    compose(input).unwrap().config_hash
}

/// The value of a tag, `None` if there is none.
fn tag<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    let mut tags = body["tags"].as_array().unwrap().iter();
    let found = tags.find(|tag| tag["key"] == key)?;
    found["value"].as_str()
}

#[test]
fn tags_say_what_it_is_and_where_it_came_from() {
    let world = World::new();
    let composed = compose(&world.input()).unwrap();
    assert_eq!(
        composed.body["tags"],
        json!([
            { "key": "bgecs:app", "value": "hello" },
            { "key": "bgecs:color", "value": "green" },
            { "key": "bgecs:release", "value": "v2" },
            { "key": "bgecs:digest", "value": DIGEST },
            { "key": "bgecs:commit", "value": "0123abc" },
            { "key": "bgecs:deployed-by", "value": "arn:aws:iam::123456789012:user/ada" },
            { "key": "bgecs:deployed-at", "value": "2026-11-21T10:00:00Z" },
            { "key": "bgecs:operation", "value": "20261121T100000Z-1" },
            { "key": "bgecs:config", "value": composed.config_hash },
        ])
    );
    assert_eq!(composed.config_hash.len(), 64);
}

/// As a dry run shows it.
#[test]
fn ahead_of_the_build_the_tag_stands_for_the_image() {
    let world = World::new();
    let mut input = world.input();
    input.image.digest = None;
    let body = compose(&input).unwrap().body;
    assert_eq!(
        body["containerDefinitions"][0]["image"],
        format!("{REPOSITORY}:v2")
    );
    assert_eq!(tag(&body, TAG_DIGEST), None);
}

#[test]
fn a_tag_takes_what_aws_takes() {
    let world = World::new();
    let with = |deployed_by: &str| {
        let mut input = world.input();
        input.provenance.deployed_by = deployed_by;
        input.provenance.commit = None;
        compose(&input).unwrap().body
    };
    let body = with(" Zoë <zoe@example.com>\n");
    assert_eq!(tag(&body, TAG_DEPLOYED_BY), Some("Zo_ _zoe@example.com__"));
    assert_eq!(tag(&body, TAG_COMMIT), None);
    let body = with(&"x".repeat(300));
    assert_eq!(tag(&body, TAG_DEPLOYED_BY).map(str::len), Some(256));
}

#[test]
fn the_hash_ignores_who_and_when() {
    let world = World::new();
    let mut input = world.input();
    let before = hash(&input);
    input.provenance = ReleaseProvenance {
        commit: None,
        deployed_by: "somebody else",
        deployed_at: "tomorrow",
        operation: "another",
    };
    assert_eq!(hash(&input), before);
}

#[test]
fn the_hash_depends_on_everything_that_runs() {
    let changes: Vec<fn(&mut World)> = vec![
        |_| (),
        |world| world.app = "other".parse().unwrap(),
        |world| world.tag = "v3".parse().unwrap(),
        |world| world.digest = OTHER_DIGEST.parse().unwrap(),
        |world| world.settings.port = 80,
        |world| world.settings.size = TaskSize::new(256, 1024).unwrap(),
        |world| world.settings.command = vec!["serve".to_owned()],
        |world| world.settings.command = vec!["ser".to_owned(), "ve".to_owned()],
        |world| {
            world
                .settings
                .environment
                .insert("A".to_owned(), crate::hidden::Hidden::new("1"));
        },
        |world| {
            let parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/a";
            let secret = parameter.parse().unwrap();
            world.settings.secrets.insert("A".to_owned(), secret);
        },
    ];
    let mut hashes: Vec<String> = Vec::new();
    for change in &changes {
        let mut world = World::new();
        change(&mut world);
        hashes.push(hash(&world.input()));
    }
    let world = World::new();
    const NONE: TaskRoles = TaskRoles {
        execution: None,
        task: None,
    };
    let changes: Vec<fn(&mut Input<'_>)> = vec![
        |input| input.color = Color::Blue,
        |input| input.image.repository = "localhost:4566/bgecs-hello",
        |input| input.image.architecture = CpuArchitecture::X86_64,
        |input| input.surroundings.roles = &NONE,
        |input| input.surroundings.logs.group = "x",
        |input| input.surroundings.logs.region = "x",
    ];
    for change in &changes {
        let mut input = world.input();
        change(&mut input);
        hashes.push(hash(&input));
    }
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}

/// Pinned, because it is compared with what an earlier bgecs registered.
#[test]
fn the_hash_does_not_change_between_versions() {
    let body = json!({ "b": [{ "d": 1, "c": null }, "ä\n"], "a": { "z": true, "y": 0.5 } });
    let body = body.as_object().unwrap();
    // printf '{"a":{"y":0.5,"z":true},"b":[{"c":null,"d":1},"ä\\n"]}' | sha256sum
    assert_eq!(
        super::hash::of(body),
        "cd64476bf843650f62d76fee441ed0eb08b0d04145e472e88ea6a31fe25a3e11"
    );
}
