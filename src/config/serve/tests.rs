use super::*;

fn of(serve: &str, notify: &str) -> Result<SetFile> {
    let text = format!(
        "set = 'shop'\n[serve]\n{serve}\n[notify]\n{notify}\n[[module]]\nname = 'a'\nconfig = 'a/bgecs.toml'\n"
    );
    SetFile::parse(&text, Path::new("/srv/shop/set.toml"))
}

#[test]
fn a_worker_s_keys_are_the_same_in_a_set_and_in_an_app() {
    let serve = "queue = 'https://sqs.eu-west-1.amazonaws.com/123456789012/releases.fifo'\n\
                 bucket = 'acme'\nallow = ['../site/bgecs.toml']\ntries = 5\nevery = '20s'\n\
                 steps = '5% for 5m'\nwindow = '60s'";
    let notify = "sns = 'arn:aws:sns:eu-west-1:123456789012:releases'\nwebhook = 'HOOK'";
    let set = of(serve, notify).unwrap();
    assert_eq!(set.serve.allow, [Path::new("/srv/shop/../site/bgecs.toml")]);
    assert_eq!(
        (set.serve.tries, set.serve.every),
        (5, Some(Duration::from_secs(20)))
    );
    assert_eq!(set.serve.steps.as_ref().map(Steps::stages), Some(2));
    assert_eq!(set.notify.webhook.as_deref(), Some("HOOK"));
    let app = format!("app = 'site'\n[serve]\n{serve}\n[notify]\n{notify}\n");
    let app = Config::parse(&app, Path::new("/srv/shop/bgecs.toml")).unwrap();
    assert_eq!((app.serve, app.notify), (set.serve, set.notify));
    assert_eq!(of("", "").unwrap().serve, ServeSection::default());
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (serve, notify, line, part) in [
        (
            "queue = 'releases.fifo'",
            "",
            3,
            "is not the URL of a queue",
        ),
        (
            "queue = 'https://sqs.eu-west-1.amazonaws.com/releases'",
            "",
            3,
            "is not the URL of a queue",
        ),
        ("public_key = 'RW'", "", 3, "public_key"),
        ("tries = 0", "", 3, "from 1 to 990"),
        ("every = '13h'", "", 3, "between 1s and 12h"),
        ("every = '0s'", "", 3, "between 1s and 12h"),
        ("steps = '5% pause'", "", 3, "steps"),
        ("allow = 'site'", "", 3, "a list of texts"),
        ("retries = 3", "", 3, "there is no such key"),
        ("", "sns = 'releases'", 5, "is not an SNS topic"),
        ("", "webhook = ''", 5, "environment variable"),
        ("", "slack = 'x'", 5, "there is no such key"),
    ] {
        let error = of(serve, notify).unwrap_err();
        let at = error.place().map(|place| place.line);
        assert_eq!(at, Some(line), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_mistake_elsewhere_is_not_taken_for_one_in_the_section_s_name() {
    let app = "app = 'site'\n[lease]\nlong = 3\n[serve]\ntries = 3\n[notify]\nwebhook = 'X'\n";
    let error = Config::parse(app, Path::new("bgecs.toml")).unwrap_err();
    assert!(error.to_string().contains("`lease.long`"), "{error}");
    let set = "set = 'a b'\n[serve]\ntries = 3\n[notify]\nwebhook = 'X'\n";
    let error = SetFile::parse(set, Path::new("set.toml")).unwrap_err();
    assert!(error.to_string().contains("`set`"), "{error}");
}

#[test]
fn a_file_is_of_a_set_or_of_an_app_by_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Releasable::load(&path, None)
    };
    let set = load(
        "whatever.toml",
        "set = 'shop'\n[[module]]\nname = 'a'\nconfig = 'a.toml'\n",
    );
    let app = load("set.toml", "app = 'shop'\n");
    let (set, app) = (set.unwrap(), app.unwrap());
    assert!(!set.is_app && app.is_app);
    // An upload names which of the two it is.
    assert!(!set.is_same_as(&app));
    assert_eq!(app.set.modules.len(), 1);
    assert_eq!(app.set.modules[0].config, folder.path().join("set.toml"));
}
