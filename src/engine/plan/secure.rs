//! From plain HTTP to HTTPS, and back. On port 80 users get answers throughout: it
//! forwards until 443 is seen to answer, and redirects from then on. Up to that
//! moment port 80 is production, so that whatever happens on the way moves it.

use std::collections::BTreeMap;

use super::{LIVE_COLOR, Refusal};

/// The parameter that says what port 80 does.
pub const PLAIN_PORT: &str = "PlainPort";
pub const FORWARD: &str = "forward";
pub const REDIRECT: &str = "redirect";

/// The parameters of all certificates but the listeners' own, each of which is a
/// resource of the stack.
pub const FURTHER: [&str; 4] = [
    "CertificateArn2",
    "CertificateArn3",
    "CertificateArn4",
    "CertificateArn5",
];

/// Leaves each certificate where the stack has it: of one that moves to another
/// resource, CloudFormation would take away with the old one what it has just added
/// with the new one.
pub fn keep_places(made: &BTreeMap<String, String>, wanted: &mut BTreeMap<&'static str, String>) {
    let further = FURTHER.iter().filter_map(|name| wanted.get(name));
    let mut further: Vec<String> = further.filter(|arn| !arn.is_empty()).cloned().collect();
    let mut take = |arn: Option<&String>| {
        let at = further
            .iter()
            .position(|it| arn.is_none_or(|arn| arn == it));
        at.map(|at| further.remove(at))
    };
    let stay = FURTHER.map(|name| take(Some(made.get(name)?)));
    for (name, stays) in FURTHER.into_iter().zip(stay) {
        let arn = stays.or_else(|| take(None));
        wanted.insert(name, arn.unwrap_or_default());
    }
}

/// Whether port 80 has users of a live app, who are to be sent to 443: what the
/// stack is made from, and what it is to be made from.
pub fn redirect_comes_last(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> bool {
    is_live(wanted) && redirects(wanted.get(PLAIN_PORT)) && !redirects(made.get(PLAIN_PORT))
}

/// Browsers keep a permanent redirect, and ask 443 for as long as they like.
///
/// # Errors
/// Users of a live app have been sent there.
pub fn refuse_plain_again(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Refusal> {
    let goes_back = redirects(made.get(PLAIN_PORT)) && !redirects(wanted.get(PLAIN_PORT));
    match goes_back && is_live(wanted) {
        false => Ok(()),
        true => Err(Refusal::new(
            "without [tls] nothing would answer on port 443, where browsers go by themselves once port 80 has redirected them",
            "keep [tls]; an app that may be down meanwhile is made without it by `bgecs destroy` and `bgecs init`",
        )),
    }
}

fn redirects(plain_port: Option<&String>) -> bool {
    plain_port.is_some_and(|does| does == REDIRECT)
}

fn is_live(wanted: &BTreeMap<&'static str, String>) -> bool {
    wanted.get(LIVE_COLOR).is_some_and(|live| live != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_stays_in_its_place() {
        for (made, wanted, expected) in [
            (["", "", "", ""], ["b", "c", "", ""], ["b", "c", "", ""]),
            (["b", "c", "d", ""], ["c", "d", "", ""], ["", "c", "d", ""]),
            (["b", "c", "", ""], ["c", "b", "", ""], ["b", "c", "", ""]),
            (
                ["b", "c", "d", "e"],
                ["f", "e", "c", "g"],
                ["f", "c", "g", "e"],
            ),
            (["b", "c", "", ""], ["", "", "", ""], ["", "", "", ""]),
        ] {
            let by_name = |arns: [&str; 4]| FURTHER.into_iter().zip(arns.map(str::to_owned));
            let made = by_name(made).map(|(name, arn)| (name.to_owned(), arn));
            let mut wanted = by_name(wanted).collect();
            keep_places(&made.collect(), &mut wanted);
            assert_eq!(FURTHER.map(|name| wanted[name].as_str()), expected);
        }
        // A stack of a bgecs that knew no TLS.
        let mut wanted = BTreeMap::from([(FURTHER[0], "b".to_owned())]);
        keep_places(&BTreeMap::new(), &mut wanted);
        assert_eq!(wanted[FURTHER[0]], "b");
    }

    #[test]
    fn users_of_a_live_app_stay_on_port_80_until_443_answers() {
        // What port 80 does, is to do, and who is live; whether the redirect comes
        // last, and whether it is refused.
        for (made, wanted, live, last, refused) in [
            (Some(FORWARD), REDIRECT, "blue", true, false),
            // A stack of a bgecs that knew no TLS.
            (None, REDIRECT, "green", true, false),
            (None, REDIRECT, "none", false, false),
            (Some(REDIRECT), REDIRECT, "blue", false, false),
            (Some(FORWARD), FORWARD, "blue", false, false),
            (Some(REDIRECT), FORWARD, "blue", false, true),
            (Some(REDIRECT), FORWARD, "none", false, false),
        ] {
            let made = made.map(|made| (PLAIN_PORT.to_owned(), made.to_owned()));
            let made = BTreeMap::from_iter(made);
            let wanted = BTreeMap::from([
                (PLAIN_PORT, wanted.to_owned()),
                (LIVE_COLOR, live.to_owned()),
            ]);
            assert_eq!(redirect_comes_last(&made, &wanted), last, "{made:?}");
            assert_eq!(refuse_plain_again(&made, &wanted).is_err(), refused);
        }
    }
}
