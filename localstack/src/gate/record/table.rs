//! What commands cost in calls, for a person to read. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use super::Call;

/// Wider than any label that is a command's name.
const LABEL: usize = 30;

/// Wider than any operation but the longest paths of REST calls.
const OPERATION: usize = 70;

/// The calls of several runs of the same thing.
struct Block<'a> {
    label: &'a str,
    runs: usize,
    total: Sum,
    /// The most frequent first.
    operations: Vec<(String, Sum)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    calls: usize,
    time: Duration,
}

impl Sum {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.time += call.took();
    }
}

/// The lines of a table "calls per command", at most 100 columns wide: for each
/// label, in the order in which they first occur, its runs, all its calls and
/// the time that they took, then the same by operation. Each item of `runs` is
/// one run.
pub fn table(runs: &[(String, Vec<Call>)]) -> Vec<String> {
    let mut lines = Vec::new();
    for block in blocks(runs) {
        lines.push(heading(&block));
        lines.extend(block.operations.iter().map(|(name, sum)| row(name, *sum)));
    }
    lines
}

fn blocks(runs: &[(String, Vec<Call>)]) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for (label, calls) in runs {
        let at = position(&mut blocks, label);
        let block = &mut blocks[at];
        block.runs += 1;
        for call in calls {
            block.total.add(call);
            let name = format!("{} {}", call.service, call.operation);
            match block
                .operations
                .iter_mut()
                .find(|(known, _)| *known == name)
            {
                Some((_, sum)) => sum.add(call),
                None => {
                    let mut sum = Sum::default();
                    sum.add(call);
                    block.operations.push((name, sum));
                }
            }
        }
    }
    for block in &mut blocks {
        block
            .operations
            .sort_by(|(a, one), (b, other)| (other.calls, a).cmp(&(one.calls, b)));
    }
    blocks
}

/// Where the block of that label is; makes one if there is none.
fn position<'a>(blocks: &mut Vec<Block<'a>>, label: &'a str) -> usize {
    let known = blocks.iter().position(|block| block.label == label);
    known.unwrap_or_else(|| {
        blocks.push(Block {
            label,
            runs: 0,
            total: Sum::default(),
            operations: Vec::new(),
        });
        blocks.len() - 1
    })
}

fn heading(block: &Block<'_>) -> String {
    let label = cut(block.label, LABEL);
    let Sum { calls, time } = block.total;
    let runs = match block.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let mut line = format!(
        "{label:LABEL$} {runs:>8} {calls:>6} calls {:>9} in AWS",
        seconds(time)
    );
    if block.runs > 1 {
        let each = calls as f64 / block.runs as f64;
        let _ = write!(line, "  ({each:.1} calls a run)");
    }
    line
}

fn row(name: &str, sum: Sum) -> String {
    let name = cut(name, OPERATION);
    format!(
        "{:>8}  {name:OPERATION$} {:>9}",
        sum.calls,
        seconds(sum.time)
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::super::{End, Outcome};
    use super::*;
    use std::time::Instant;

    fn call(service: &str, operation: &str, millis: u64) -> Call {
        Call {
            number: 1,
            service: service.to_owned(),
            operation: operation.to_owned(),
            resource: String::new(),
            writes: false,
            access_key: None,
            began: Duration::ZERO,
            at: Instant::now(),
            struck: Vec::new(),
            end: Some(End {
                took: Duration::from_millis(millis),
                outcome: Outcome::Answered { status: 200 },
                staleness: None,
            }),
        }
    }

    #[test]
    fn each_label_has_its_runs_its_calls_and_its_operations() {
        let describe = || call("ecs", "DescribeServices", 250);
        let health = || call("elasticloadbalancing", "DescribeTargetHealth", 5);
        let runs = [
            ("deploy".to_owned(), vec![health(), describe(), describe()]),
            ("swap".to_owned(), vec![]),
            (
                "deploy".to_owned(),
                vec![call("ecs", "UpdateService", 1000), health()],
            ),
        ];
        let lines = table(&runs);
        assert_eq!(
            lines,
            [
                "deploy                           2 runs      5 calls    1.51 s in AWS  (2.5 calls a run)",
                "       2  ecs DescribeServices                                                      0.50 s",
                "       2  elasticloadbalancing DescribeTargetHealth                                 0.01 s",
                "       1  ecs UpdateService                                                         1.00 s",
                "swap                              1 run      0 calls    0.00 s in AWS",
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_100_columns() {
        let long = call(
            "s3",
            &format!("GET /bucket/{}", "ü".repeat(200)),
            10_000_000,
        );
        let runs = vec![("l".repeat(200), vec![long]); 20];
        for line in table(&runs) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn no_runs_make_no_table() {
        assert!(table(&[]).is_empty());
    }
}
