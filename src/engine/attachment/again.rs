//! Attaching again: what may have changed in the file since, while users are on what was
//! made.

use crate::engine::plan::{Part, Refusal};
use crate::model::{Color, ColorServices, EcsInfrastructure, Route};

/// A stack stands beside one service: with another one in the file, what it made for
/// the first would be taken from under its users.
///
/// # Errors
/// It was attached to something else.
pub fn refuse_another(
    made: &EcsInfrastructure,
    original: Option<Color>,
    (services, color): (&ColorServices, Color),
) -> Result<(), Refusal> {
    let Some(original) = original.filter(|it| *it != color || made.services != *services) else {
        return Ok(());
    };
    Err(Refusal::new(
        format!(
            "bgecs is attached to {} as {original}, and bgecs.toml names {} as {color}",
            made.services.path(original),
            services.path(color),
        ),
        "put that back; or `bgecs detach` first, then `bgecs attach`; beside both, take another `app` for the other one",
    ))
}

/// Users who are on the second service come by the ways that it was made for, in
/// their order: its target groups go by that. A way that is gone can be made again,
/// and `now` has it by another ARN.
///
/// # Errors
/// The second service is there, and a way that still is there is left or reordered.
pub fn refuse_leaving(
    made: &EcsInfrastructure,
    original: Color,
    (gone, is_there): (&[Part], bool),
    now: &[&str],
) -> Result<(), Refusal> {
    let is_gone = |name: &str| {
        gone.iter().any(|part| match part {
            Part::Listener(Route::Production, way) | Part::Rule(Route::Production, way) => {
                way == name
            }
            _ => false,
        })
    };
    let mut ways = made.moved(Route::Production).into_iter().enumerate();
    let is_kept =
        ways.all(|(at, (name, place))| is_gone(&name) || now.get(at) == Some(&place.arn()));
    if is_kept || !is_there {
        return Ok(());
    }
    let ways = made.moved(Route::Production);
    let ways: Vec<String> = ways.into_iter().map(|(name, _)| name).collect();
    Err(Refusal::new(
        format!(
            "the second service {} was made for {}, in this order: with other ways in [production] its users could not follow",
            made.services.named(original.other()),
            ways.join(", then ")
        ),
        "put these back, and further ones behind them; or `bgecs detach` first, then `bgecs attach`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PerColor;
    use crate::model::testing::by_several_ways;

    fn beside(cluster: &str, blue: &str, green: &str) -> ColorServices {
        let [blue, green] = [blue, green].map(str::to_owned);
        ColorServices::new(cluster, PerColor { blue, green })
    }

    #[test]
    fn one_stack_stands_beside_one_service() {
        let mut made = by_several_ways();
        made.services = beside("prod", "web", "bgecs-web-green");
        let same = made.services.clone();
        let again = |services: &ColorServices, color| {
            refuse_another(&made, Some(Color::Blue), (services, color))
        };
        assert!(again(&same, Color::Blue).is_ok());
        let others = [
            (beside("prod", "bgecs-web-blue", "web"), Color::Green),
            (beside("prod", "api", "bgecs-web-green"), Color::Blue),
            (beside("stage", "web", "bgecs-web-green"), Color::Blue),
        ];
        let said = others.map(|(services, color)| again(&services, color).unwrap_err().message);
        insta::assert_snapshot!(said.join("\n"), @"
        bgecs is attached to prod/web as blue, and bgecs.toml names prod/web as green
        bgecs is attached to prod/web as blue, and bgecs.toml names prod/api as blue
        bgecs is attached to prod/web as blue, and bgecs.toml names stage/web as blue
        ");
    }

    #[test]
    fn ways_are_left_where_nobody_comes_by_them() {
        let made = by_several_ways();
        let (rule, inside) = ("rule/prod", "listener/internal");
        let again = |gone: &[Part], is_there, now: &[&str]| {
            refuse_leaving(&made, Color::Blue, (gone, is_there), now)
        };
        for kept in [&[rule, inside][..], &[rule, inside, "rule/more"]] {
            assert!(again(&[], true, kept).is_ok());
        }
        for left in [&[inside, rule][..], &[rule], &["rule/other", inside]] {
            assert!(again(&[], true, left).is_err());
            assert!(again(&[], false, left).is_ok());
        }
        // Its owner deleted the rule, and made it again.
        let gone = Part::Rule(Route::Production, "https://shop.example.com".to_owned());
        assert!(again(&[gone], true, &["rule/anew", inside]).is_ok());
        let refusal = again(&[], true, &[inside, rule]).unwrap_err();
        insta::assert_snapshot!(refusal.message, @"the second service green was made for https://shop.example.com, then https://shop.internal, in this order: with other ways in [production] its users could not follow");
    }
}
