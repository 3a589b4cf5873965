use super::*;

/// `"g1 b2"`: green is live with tag 1, blue has tag 2. `"g1 b2 <2"`: and the way
/// back leads to tag 2. `"?"`: something is unfinished.
fn seen(text: &str) -> Seen {
    let mut seen = Seen::default();
    for (index, word) in text.split(' ').filter(|word| !word.is_empty()).enumerate() {
        let (letter, tag) = word.split_at(1);
        let color = match letter {
            "b" => Color::Blue,
            "g" => Color::Green,
            "<" => {
                seen.previous = Some(tag.to_owned());
                continue;
            }
            _ => {
                seen.has_unfinished = true;
                continue;
            }
        };
        let place = match color {
            Color::Blue => &mut seen.blue,
            Color::Green => &mut seen.green,
        };
        *place = Some(tag.to_owned());
        if index == 0 {
            seen.live = Some(color);
        }
    }
    seen
}

fn run(command: Command, code: i32) -> Run {
    let code = (code >= 0).then_some(code);
    Run { command, code }
}

/// Takes steps, each with what was there after it; whether the last is right.
fn is_right(first: &str, steps: &[(&[(Command, i32)], &str)]) -> bool {
    let mut model = Model::default();
    model.deployed("bad", Kind::FailsLive);
    let mut before = seen(first);
    model.begin(&before);
    let mut wrong = Vec::new();
    for (runs, after) in steps {
        assert_eq!(wrong, [""; 0], "only the last step is in question");
        let runs: Vec<Run> = runs
            .iter()
            .cloned()
            .map(|(is, code)| run(is, code))
            .collect();
        let after = seen(after);
        wrong = model.take(&before, &runs, &after);
        before = after;
    }
    wrong.is_empty()
}

const KILLED: i32 = -1;

#[test]
fn a_promotion_typed_twice_does_not_go_back() {
    use Command::Promote;
    let first: (&[_], _) = (&[(Promote, 0)], "b2 g1 <1");
    assert!(is_right("g1 b2", &[first]));
    assert!(is_right("g1 b2", &[first, (&[(Promote, 0)], "b2 g1 <1")]));
    assert!(!is_right("g1 b2", &[first, (&[(Promote, 0)], "g1 b2")]));
    // It says that it is done, and nothing was.
    assert!(!is_right("g1 b2", &[(&[(Promote, 0)], "g1 b2")]));
    assert!(is_right("g1 b2", &[(&[(Promote, 6)], "g1 b2")]));
    assert!(!is_right("g1 b2", &[(&[(Promote, 1)], "b2 g1")]));
}

#[test]
fn a_rollback_goes_back_once() {
    use Command::{Promote, Rollback};
    let promoted: (&[_], _) = (&[(Promote, 0)], "b2 g1 <1");
    let back: (&[_], _) = (&[(Rollback, 0)], "g1 b2");
    assert!(is_right("g1 b2", &[promoted, back]));
    assert!(is_right("g1 b2", &[promoted, back, back]));
    let again: (&[_], _) = (&[(Rollback, 0)], "b2 g1");
    assert!(!is_right("g1 b2", &[promoted, back, again]));
}

#[test]
fn what_was_taken_back_is_not_taken_up_by_a_bare_promotion() {
    use Command::{Promote, PromoteTag};
    let taken_back: (&[_], _) = (&[(Promote, 3)], "g1 bbad");
    assert!(is_right("g1 bbad", &[taken_back]));
    assert!(!is_right("g1 bbad", &[(&[(Promote, 3)], "bbad g1")]));
    assert!(is_right(
        "g1 bbad",
        &[taken_back, (&[(Promote, 6)], "g1 bbad")]
    ));
    assert!(!is_right(
        "g1 bbad",
        &[taken_back, (&[(Promote, 0)], "bbad g1")]
    ));
    let named = Command::PromoteTag("bad".to_owned());
    assert!(is_right(
        "g1 bbad",
        &[taken_back, (&[(named, 3)], "g1 bbad")]
    ));
    let live = PromoteTag("1".to_owned());
    assert!(is_right("g1 b2", &[(&[(live.clone(), 0)], "g1 b2")]));
    assert!(!is_right("g1 b2", &[(&[(live, 0)], "b2 g1")]));
}

#[test]
fn a_killed_promotion_may_be_anywhere_and_its_repeat_may_not() {
    use Command::{Promote, Resume, Rollback};
    let killed: [(&[_], _); 2] = [
        (&[(Promote, KILLED)], "g1 b2 ?"),
        (&[(Promote, KILLED)], "b2 g1 ?"),
    ];
    for killed in killed {
        assert!(is_right("g1 b2", &[killed]));
        assert!(is_right("g1 b2", &[killed, (&[(Promote, 0)], "b2 g1")]));
        assert!(is_right("g1 b2", &[killed, (&[(Resume, 0)], "g1 b2")]));
        assert!(is_right("g1 b2", &[killed, (&[(Rollback, 0)], "g1 b2")]));
        assert!(!is_right("g1 b2", &[killed, (&[(Resume, 0)], "b3 g1")]));
    }
}

#[test]
fn a_deploy_moves_no_user() {
    let deploy = || Command::Deploy("3".to_owned());
    assert!(is_right("g1 b2", &[(&[(deploy(), 0)], "g1 b3")]));
    assert!(!is_right("g1 b2", &[(&[(deploy(), 0)], "b3 g1")]));
    assert!(!is_right("g1 b2", &[(&[(deploy(), 0)], "g1 b2")]));
    assert!(is_right("g1 b2", &[(&[(deploy(), KILLED)], "g1 b3 ?")]));
    // The first one becomes live.
    assert!(is_right("", &[(&[(deploy(), 0)], "b3")]));
}

#[test]
fn two_at_once_end_as_one_of_them_would() {
    let tag = |tag: &str| Command::PromoteTag(tag.to_owned());
    let both: &[_] = &[(tag("2"), 0), (tag("1"), 6)];
    assert!(is_right("g1 b2", &[(both, "b2 g1")]));
    assert!(!is_right("g1 b2", &[(both, "b3 g1")]));
}

#[test]
fn nobody_says_done_who_leaves_users_on_a_release_that_fails() {
    use Command::{Promote, Resume};
    assert!(!is_right("g1 bbad", &[(&[(Promote, 0)], "bbad g1")]));
    assert!(is_right("g1 bbad", &[(&[(Promote, 4)], "bbad g1 ?")]));
    let left: (&[_], _) = (&[(Promote, KILLED)], "bbad g1 ?");
    assert!(!is_right("g1 bbad", &[left, (&[(Resume, 0)], "bbad g1")]));
    assert!(is_right("g1 bbad", &[left, (&[(Resume, 0)], "g1 bbad")]));
}

#[test]
fn a_code_that_is_not_in_the_table_is_wrong() {
    assert!(!is_right("g1 b2", &[(&[(Command::Other, 101)], "g1 b2")]));
    assert!(is_right("g1 b2", &[(&[(Command::Other, 5)], "g1 b2")]));
    assert!(is_right("g1 b2", &[(&[(Command::Destroy, 0)], "")]));
    assert!(!is_right("g1 b2", &[(&[(Command::Destroy, 0)], "g1 b2")]));
}

#[test]
fn only_a_release_that_fails_by_itself_excuses_failures() {
    let mut model = Model::default();
    model.deployed("bad", Kind::FailsLive);
    let promote = [run(Command::Promote, 3)];
    assert!(model.may_expose(&seen("g1 bbad"), &promote));
    assert!(!model.may_expose(&seen("g1 b2"), &promote));
    let deploy = [run(Command::Deploy("3".to_owned()), 0)];
    assert!(!model.may_expose(&seen("g1 bbad"), &deploy));
}
