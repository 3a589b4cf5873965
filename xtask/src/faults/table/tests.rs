use super::*;

fn write(number: u32, operation: &str) -> Write {
    Write {
        number,
        service: "ecs".to_owned(),
        operation: operation.to_owned(),
        resource: "live/web".to_owned(),
    }
}

fn well(told: Told) -> Gone {
    Gone {
        verdict: Ok(told),
        failed_for: None,
    }
}

fn table() -> Table {
    let mut table = Table::default();
    let resume = [Mode::Resume];
    assert!(table.expect(Operation::Retire, &write(2, "UpdateService"), &resume));
    assert!(table.expect(Operation::Retire, &write(1, "UpdateCluster"), &resume));
    assert!(table.expect(Operation::Deploy, &write(1, "CreateService"), &resume));
    let failed = Gone {
        failed_for: Some(Duration::from_millis(123)),
        ..Gone::badly("a | b\nmore")
    };
    for (number, side, gone) in [
        (1, Side::Before, well(Told::Resumed(Outcome::NothingBegun))),
        (1, Side::After, well(Told::Resumed(Outcome::Finished))),
        (2, Side::Before, failed),
    ] {
        table.fill(Operation::Retire, number, Mode::Resume, side, gone);
    }
    table
}

#[test]
fn every_write_has_a_row_and_what_was_not_come_to_is_seen() {
    let whole = table().whole();
    assert_eq!(
        whole.lines().collect::<Vec<_>>(),
        [
            "| operation | | write | `resume` after a kill before it | after a kill after it | users failed for |",
            "| --- | --- | --- | --- | --- | --- |",
            "| deploy | 1 | `ecs CreateService live/web` | not come to | not come to | - |",
            "| retire | 1 | `ecs UpdateCluster live/web` | nothing begun | finished | - |",
            "| retire | 2 | `ecs UpdateService live/web` | **a \\| b** | not come to | 123 ms |",
        ]
    );
}

#[test]
fn outcomes_are_counted_by_operation() {
    let table = table();
    assert_eq!(
        table.short().lines().skip(2).collect::<Vec<_>>(),
        [
            "| deploy | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 2 | - |",
            "| retire | 4 | 1 | 1 | 0 | 0 | 0 | 0 | 2 | 123 ms |",
        ]
    );
    assert_eq!((table.passed(), table.failed()), (2, 4));
    assert_eq!(
        table.failures(),
        ["retire, before 2 (ecs UpdateService live/web), resume: a | b\nmore"]
    );
}

#[test]
fn another_write_in_the_place_of_one_is_noticed() {
    let mut table = table();
    assert!(table.expect(Operation::Retire, &write(1, "UpdateCluster"), &[]));
    assert!(!table.expect(Operation::Retire, &write(1, "DeleteCluster"), &[]));
}

#[test]
fn another_command_has_a_row_of_its_own() {
    let mut table = Table::default();
    let over = Mode::Over(Next::Promote);
    let modes = [Mode::Repeat, over, Mode::Over(Next::Destroy)];
    assert!(table.expect(Operation::Deploy, &write(1, "CreateService"), &modes));
    for (mode, side, told) in [
        (Mode::Repeat, Side::Before, Told::Repeated(vec![6, 0])),
        (
            Mode::Over(Next::Destroy),
            Side::After,
            Told::Overtaken(vec![0], End::Gone),
        ),
        (over, Side::Before, Told::Overtaken(vec![0], End::Idle)),
    ] {
        table.fill(Operation::Deploy, 1, mode, side, well(told));
    }
    let whole = table.whole();
    let rows: Vec<&str> = whole
        .lines()
        .filter(|line| line.contains("deploy |"))
        .collect();
    assert_eq!(
        rows,
        [
            "| deploy | 1 | `ecs CreateService live/web` | exit 6, then 0 | not come to | exit 0 | - |",
            "| deploy | 1 | `ecs CreateService live/web` | promote over it | exit 0: the idle one is live | not come to | - |",
        ]
    );
    assert_eq!((table.passed(), table.failed()), (3, 2));
}
