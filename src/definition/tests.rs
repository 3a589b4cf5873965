use super::*;
use crate::error::Exit;

/// A definition that is well, with a value at `runtimePlatform`.
fn definition(platform: &str) -> String {
    format!(
        "{{ \"cpu\": \"256\", \"memory\": \"512\", \"runtimePlatform\": {platform},\n\
         \"containerDefinitions\": [{{ \"name\": \"app\", \"portMappings\": [{{ \"containerPort\": 80 }}] }}] }}"
    )
}

fn load(keys: &str, definition: &[u8]) -> Result<Loaded> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("td.json"), definition).unwrap();
    let text = format!("app = 'hello'\n{keys}");
    let config = Config::parse(&text, &folder.path().join("bgecs.toml")).unwrap();
    Loaded::from(&config)
}

const OWN: &str = "[container]\ntask_definition = 'td.json'\n";
const ARM: &str = "{ \"cpuArchitecture\": \"ARM64\" }";

#[test]
fn what_names_an_architecture_must_agree() {
    let file = definition(ARM);
    let said = |keys: &str| {
        let error = load(keys, file.as_bytes()).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        error.message
    };
    let key = said(&format!("{OWN}architecture = 'X86_64'"));
    assert!(
        key.starts_with("`runtimePlatform.cpuArchitecture` of ")
            && key.ends_with("td.json is for ARM64, and `architecture` in [container] for X86_64"),
        "{key}"
    );
    let build = said(&format!("{OWN}[build]\nplatform = 'linux/amd64'"));
    assert!(
        build.ends_with("is for ARM64, and `platform` in [build] (linux/amd64) for X86_64"),
        "{build}"
    );
    let loaded = load(&format!("{OWN}architecture = 'arm64'"), file.as_bytes()).unwrap();
    let flag = |platform: &str| loaded.agrees(&platform.parse().unwrap(), "--platform");
    assert!(flag("linux/arm64/v8").is_ok());
    let error = flag("linux/amd64").unwrap_err().message;
    assert!(
        error.ends_with("and --platform (linux/amd64) for X86_64"),
        "{error}"
    );
}

#[test]
fn it_is_built_for_what_is_named() {
    let platform = |keys: &str, platform: &str| {
        let loaded = load(keys, definition(platform).as_bytes()).unwrap();
        loaded.runs_on().platform().map(|it| it.to_string())
    };
    assert_eq!(platform(OWN, ARM).as_deref(), Some("linux/arm64"));
    assert_eq!(platform(OWN, "{}"), None);
    let key = "[container]\narchitecture = 'X86_64'";
    assert_eq!(platform(key, ARM).as_deref(), Some("linux/amd64"));
}

#[test]
fn a_file_of_powershell_s_is_read() {
    let text = format!("\u{feff}{}", definition("{}"));
    let units = || text.encode_utf16();
    for bytes in [
        units().flat_map(u16::to_le_bytes).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
        text.clone().into_bytes(),
    ] {
        assert!(load(OWN, &bytes).is_ok());
    }
    let error = load(OWN, b"{\n \xff").unwrap_err();
    assert!(
        error
            .message
            .ends_with("td.json: line 2 is neither UTF-8 nor UTF-16: save the file as UTF-8"),
        "{}",
        error.message
    );
}

#[test]
fn all_mistakes_are_told() {
    let error = load(
        OWN,
        b"{ \"networkMode\": \"host\", \"containerDefinitions\": [] }",
    )
    .unwrap_err();
    assert!(error.message.ends_with("td.json has 4 mistakes"), "{error}");
    assert_eq!(error.causes.len(), 4);
}

#[test]
fn where_logs_are_is_said() {
    let log = "{ \"logDriver\": \"splunk\", \"options\": { \"splunk-url\": \"https://s\", \"splunk-token\": \"t\" } }";
    let text = definition("{}").replace(
        "\"app\",",
        &format!("\"app\", \"logConfiguration\": {log},"),
    );
    let loaded = load(OWN, text.as_bytes()).unwrap();
    let here = LogPlace {
        group: "/bgecs/hello",
        region: "eu-west-1",
        shared_by: None,
    };
    let error = loaded.say_where_logs_are(Error::failed("no"), Color::Blue, here);
    let hint = error.hint.unwrap();
    assert!(
        hint.starts_with("`bgecs logs blue` has not all: by ")
            && hint.ends_with("td.json, container `app` logs to Splunk at https://s: look there"),
        "{hint}"
    );
}

#[test]
fn too_many_variables_are_found_before_the_build() {
    let text = "x".repeat(62_000);
    let keys = format!("[container]\nenvironment = {{ LARGE = '{text}' }}");
    let error = load(&keys, b"").unwrap_err();
    assert!(
        error.message.starts_with("the task definition has 62"),
        "{error}"
    );
}
