use super::*;

fn parse(text: &str) -> Result<SetFile> {
    SetFile::parse(text, Path::new("/srv/shop/set.toml"))
}

fn module(name: &str, more: &str) -> String {
    format!("[[module]]\nname = '{name}'\nconfig = '{name}/bgecs.toml'\n{more}\n")
}

#[test]
fn modules_are_apps_in_an_order() {
    let text = [
        "set = 'shop'\n",
        &module("frontend", "after = ['backend']\ncontext = 'web'"),
        &module("backend", "region = 'eu-west-1'\nprofile = 'prod'"),
    ];
    let set = parse(&text.concat()).unwrap();
    assert_eq!(set.name.as_str(), "shop");
    let [frontend, backend] = &set.modules[..] else {
        panic!("{set:?}");
    };
    assert_eq!(frontend.config, Path::new("/srv/shop/frontend/bgecs.toml"));
    assert_eq!(
        frontend.context.as_deref(),
        Some(Path::new("/srv/shop/web"))
    );
    assert_eq!(
        (&frontend.after[..], &backend.after[..]),
        (&[1][..], &[][..])
    );
    assert_eq!(backend.region.as_deref(), Some("eu-west-1"));
    assert_eq!(backend.profile.as_deref(), Some("prod"));
}

#[test]
fn jobs_stand_beside_the_modules() {
    let of = |jobs: &str| parse(&format!("set = 'shop'\n{}{jobs}", module("a", "")));
    assert!(of("").unwrap().jobs.is_empty());
    let job = |name: &str, more: &str| module(name, more).replace("module", "job");
    let set = of(&(job("nightly", "region = 'eu-west-1'") + &job("mailer", ""))).unwrap();
    let [nightly, mailer] = &set.jobs[..] else {
        panic!("{set:?}");
    };
    assert_eq!(nightly.config, Path::new("/srv/shop/nightly/bgecs.toml"));
    assert_eq!(nightly.region.as_deref(), Some("eu-west-1"));
    assert_eq!(mailer.name.as_str(), "mailer");
    for (jobs, part) in [
        (job("a", ""), "a module has that name"),
        (job("b", "") + &job("b", ""), "another job has that name"),
        (job("b", "after = ['a']"), "there is no such key"),
        ("[[jobs]]\nname = 'b'".to_owned(), "there is no such key"),
        (
            "[[job]]\nname = 'b'".to_owned(),
            "each [[job]] needs the path",
        ),
    ] {
        let error = of(&jobs).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn regions_go_over_together_unless_it_says_in_turn() {
    let of = |top: &str| parse(&format!("set = 'shop'\n{top}\n{}", module("a", "")));
    let regions = |top: &str| of(top).unwrap().regions;
    assert_eq!(regions(""), RegionOrder::Together);
    assert_eq!(regions("regions = 'together'"), RegionOrder::Together);
    let in_turn = "regions = 'in-turn'";
    assert_eq!(regions(in_turn), RegionOrder::InTurn(Duration::ZERO));
    let baked = RegionOrder::InTurn(Duration::from_secs(600));
    assert_eq!(regions(&format!("bake = '10m'\n{in_turn}")), baked);
    for (top, part) in [
        ("bake = '10m'", "these go over together"),
        ("regions = 'both'", "\"together\" or \"in-turn\""),
        ("regions = 'in-turn'\nbake = 'soon'", "soon"),
    ] {
        let error = of(top).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(error.place().is_some(), "{error}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let after = |name: &str| format!("after = ['{name}']");
    let two = |first: &str, second: &str| module("a", first) + &module("b", second);
    for (modules, line, column, part) in [
        (
            two("", "") + &module("a", ""),
            10,
            8,
            "another module has that name",
        ),
        (
            two("", &after("c")),
            8,
            9,
            "no module is called `c`; there are a, b",
        ),
        (module("a", &after("a")), 4, 9, "none can be first: a, a"),
        (
            two(&after("b"), &after("a")),
            4,
            9,
            "none can be first: a, b, a",
        ),
        (module("A b", ""), 2, 8, "is not a name that a set"),
        (module("a", "job = 1"), 4, 1, "there is no such key"),
    ] {
        // Beside the first line, which none of it is in.
        let error = parse(&format!("{modules}[[module]]\nname = 'z'\nconfig = 'z'\n"));
        assert!(error.is_err(), "{part}: it has no name yet");
        let text = format!("set = 'shop'\n{modules}");
        let error = parse(&text).unwrap_err();
        let place = error.place().unwrap();
        assert_eq!((place.line, place.column), (line + 1, column), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    for (text, part) in [
        ("", "the set needs a name"),
        ("set = 'shop'", "needs a name, such as `name"),
        (
            "set = 'shop'\n[[module]]\nname = 'a'",
            "the path of its own",
        ),
        ("set = 'shop'\nmodule = 3", "it is a section"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
