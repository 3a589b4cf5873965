use super::*;

fn shown(outcome: RetireOutcome, service: &str) -> String {
    let retired = Retired {
        operation: Command::Retire,
        outcome,
        color: Color::Green,
        service: service.to_owned(),
        is_hosted: false,
        traffic: "port 80 -> blue (tag 2)".to_owned(),
    };
    retired.human(&Style::plain())
}

#[test]
fn retired_or_left_as_it_is() {
    insta::assert_snapshot!(shown(RetireOutcome::Retired, "green"), @"
    green is retired: it runs no tasks and costs nothing
      port 80 -> blue (tag 2)
      a deploy onto green scales it up again; until then there is no instant way back
    ");
    insta::assert_snapshot!(shown(RetireOutcome::Unchanged, "web (green)"), @"
    nothing to do: web (green) runs no tasks
      port 80 -> blue (tag 2)
      a deploy onto green scales it up again; until then there is no instant way back
    ");
}
