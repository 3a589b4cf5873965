use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use bollard::fsutil::types::Stat;

use super::sender::CHUNK;
use super::*;

/// BuildKit's part: receives the entries, requests every file, and puts it together.
#[derive(Debug, Default)]
struct Received {
    stats: Vec<Stat>,
    contents: BTreeMap<String, Vec<u8>>,
    largest: usize,
    finished: bool,
    error: Option<String>,
}

fn receive_all(root: &Path, asked: PathPatterns) -> (Received, TransferOutcome) {
    let (packets, mut answer) = mpsc::channel(IN_FLIGHT);
    let (requests, queue) = blocking::channel();
    // A sender that failed no longer listens.
    let ask = |wanted| requests.send(wanted).unwrap_or_default();
    let outcome = TransferOutcome::default();
    let mut received = Received::default();
    let counted = &outcome;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            Sender::new(root, packets, counted).serve(&asked, &queue);
        });
        while let Some(packet) = answer.blocking_recv() {
            let Ok(packet) = packet else { break };
            match (packet.r#type(), packet.stat) {
                (PacketType::PacketStat, Some(stat)) => {
                    let number = u32::try_from(received.stats.len()).expect("few files");
                    if stat.mode & (1 << 31 | 1 << 27) == 0 && stat.linkname.is_empty() {
                        ask(WantedFile::File(number));
                    }
                    received.stats.push(stat);
                }
                (PacketType::PacketStat, None) => ask(WantedFile::End),
                (PacketType::PacketData, _) => {
                    received.largest = received.largest.max(packet.data.len());
                    let stat = &received.stats[packet.id as usize];
                    let content = received.contents.entry(stat.path.clone()).or_default();
                    content.extend(packet.data);
                }
                (PacketType::PacketFin, _) => received.finished = true,
                (PacketType::PacketErr, _) => {
                    received.error = Some(String::from_utf8_lossy(&packet.data).into_owned());
                }
                (PacketType::PacketReq, _) => panic!("only BuildKit requests"),
            }
        }
    });
    (received, outcome)
}

#[test]
fn a_folder_arrives_as_it_is() {
    let root = tempfile::tempdir().expect("a folder");
    let big: Vec<u8> = (0..3 * CHUNK + 7).map(|n| (n % 251) as u8).collect();
    let long = format!("{}/{}", ["directory-name"; 20].join("/"), "x".repeat(200));
    fs::create_dir_all(root.path().join(&long).parent().expect("a parent")).expect("folders");
    fs::write(root.path().join(&long), "deep").expect("a file");
    fs::write(root.path().join("big"), &big).expect("a file");
    fs::write(root.path().join("empty"), "").expect("a file");
    symlink("big", root.path().join("link")).expect("a link");
    let script = root.path().join("run.sh");
    fs::write(&script, "#!").expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o2755)).expect("set");

    let (received, outcome) = receive_all(root.path(), PathPatterns::default());
    assert!(received.finished, "{:?}", received.error);
    assert_eq!(received.contents["big"], big);
    assert_eq!(received.contents["empty"], b"");
    assert_eq!(received.contents[&long], b"deep");
    assert_eq!(received.contents.len(), 4);
    assert!(received.largest <= CHUNK);
    assert_eq!(outcome.sent(), big.len() as u64 + 4 + 2);

    let find = |path: &str| received.stats.iter().find(|stat| stat.path == path);
    let link = find("link").expect("it was told");
    assert_eq!(
        (link.linkname.as_str(), link.mode & (1 << 27)),
        ("big", 1 << 27)
    );
    let script = find("run.sh").expect("it was told");
    assert_eq!(script.mode, (1 << 22) | 0o755);
    assert_eq!((script.size, script.uid, script.gid), (2, 0, 0));
    assert!(script.mod_time > 1_600_000_000_000_000_000);
    assert_eq!(
        find("directory-name").expect("it was told").mode & (1 << 31),
        1 << 31
    );
}

/// BuildKit rejects a link to a name that was not announced.
#[test]
fn a_file_of_several_names_is_sent_once() {
    let root = tempfile::tempdir().expect("a folder");
    let at = |name: &str| root.path().join(name);
    fs::create_dir(at("bin")).expect("a folder");
    fs::write(at("a.excluded"), "program").expect("a file");
    for name in ["bin/one", "bin/two", "three"] {
        fs::hard_link(at("a.excluded"), at(name)).expect("a link");
    }
    fs::write(at("alone"), "program").expect("a file");
    let asked = PathPatterns {
        exclude: vec!["*.excluded".to_owned()],
        ..PathPatterns::default()
    };
    let (received, outcome) = receive_all(root.path(), asked);
    assert!(received.finished, "{:?}", received.error);
    let told: Vec<_> = received
        .stats
        .iter()
        .map(|stat| (stat.path.as_str(), stat.linkname.as_str(), stat.size))
        .collect();
    assert_eq!(
        told,
        [
            ("alone", "", 7),
            ("bin", "", 0),
            ("bin/one", "", 7),
            ("bin/two", "bin/one", 0),
            ("three", "bin/one", 0),
        ]
    );
    assert_eq!(outcome.sent(), 14);
}

#[test]
fn only_what_is_asked_for_and_not_excluded_is_told() {
    let root = tempfile::tempdir().expect("a folder");
    for name in ["src", "other", ".git"] {
        fs::create_dir(root.path().join(name)).expect("a folder");
        fs::write(root.path().join(name).join("file"), name).expect("a file");
    }
    fs::write(root.path().join("src/.env"), "TOKEN=1").expect("a file");
    symlink("src", root.path().join("current")).expect("a link");
    let asked = PathPatterns {
        follow: vec!["current/".to_owned()],
        exclude: vec!["**/.env".to_owned()],
        ..PathPatterns::default()
    };
    let (received, _) = receive_all(root.path(), asked);
    let told: Vec<_> = received
        .stats
        .iter()
        .map(|stat| stat.path.as_str())
        .collect();
    assert_eq!(told, ["current", "src", "src/file"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    // Everybody may open /proc/self/mem, but not even root can read it.
    let asked = PathPatterns {
        include: vec!["mem".to_owned()],
        ..PathPatterns::default()
    };
    let (received, outcome) = receive_all(Path::new("/proc/self"), asked);
    let expected = "cannot read /proc/self/mem for the build";
    assert_eq!(received.error.as_deref(), Some(expected));
    assert!(!received.finished);
    let failure = outcome.take_failure().expect("it is kept");
    assert_eq!(failure.to_string(), expected);
    assert!(outcome.take_failure().is_none());
}

#[test]
fn a_malformed_pattern_is_named() {
    let asked = PathPatterns {
        exclude: vec!["a[".to_owned()],
        ..PathPatterns::default()
    };
    let (received, outcome) = receive_all(Path::new("/nowhere"), asked);
    assert!(received.error.is_some_and(|error| error.contains("`a[`")));
    assert!(matches!(outcome.take_failure(), Some(DockerError::BadPattern(line)) if line == "a["));
}

#[test]
fn a_vanished_listener_ends_it() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("file"), "x").expect("a file");
    let (packets, answer) = mpsc::channel(1);
    drop(answer);
    let (_requests, queue) = blocking::channel();
    let outcome = TransferOutcome::default();
    Sender::new(root.path(), packets, &outcome).serve(&PathPatterns::default(), &queue);
    assert!(outcome.take_failure().is_none());
}

#[test]
fn patterns_that_are_not_ascii_are_unescaped() {
    let mut metadata = MetadataMap::new();
    metadata.append("followpaths", "a+b%2Bc".parse().expect("ASCII"));
    assert_eq!(values(&metadata, "followpaths"), ["a+b%2Bc"]);
    metadata.append("followpaths", "%C3%A4&x".parse().expect("ASCII"));
    metadata.append("followpaths-encoded", "1".parse().expect("ASCII"));
    assert_eq!(values(&metadata, "followpaths"), ["a b+c", "ä&x"]);
    assert!(values(&metadata, "exclude-patterns").is_empty());
}
