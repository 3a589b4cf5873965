//! What runs, and so is paid for, in quantities: prices change, and are not here.

use crate::config::TaskSize;
use crate::counted::counted;

/// Of a stack that is made anew, until it is destroyed.
pub fn costs(tasks: u16, size: TaskSize) -> String {
    format!(
        "paid for until `bgecs destroy`: 1 Application Load Balancer, and for each colour that is \
         deployed, until `bgecs retire`, {} of {} vCPU and {} GB (README, \"Costs\")",
        counted(tasks, "task"),
        f64::from(size.cpu()) / 1024.0,
        f64::from(size.memory()) / 1024.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_said_in_quantities() {
        let of = |tasks, cpu, memory| costs(tasks, TaskSize::new(cpu, memory).unwrap());
        assert_eq!(
            of(2, 256, 512),
            "paid for until `bgecs destroy`: 1 Application Load Balancer, and for each colour that \
             is deployed, until `bgecs retire`, 2 tasks of 0.25 vCPU and 0.5 GB (README, \"Costs\")"
        );
        assert!(of(1, 4096, 30720).contains(" 1 task of 4 vCPU and 30 GB "));
    }
}
