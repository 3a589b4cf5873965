//! The sizes that a Fargate task can have, so that a wrong pair is refused
//! before AWS is asked ("No Fargate configuration exists for given values").
//!
//! The table is AWS's own:
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size>.

use crate::model::Reserved;

/// CPU and memory of a Fargate task, a pair that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskSize {
    cpu: u32,
    memory: u32,
}

impl Default for TaskSize {
    fn default() -> Self {
        Self {
            cpu: 256,
            memory: 512,
        }
    }
}

/// The memory, in MiB, that goes with a number of CPU units.
enum Memory {
    OneOf(&'static [u32]),
    Steps { from: u32, to: u32, by: u32 },
}

const GIB: u32 = 1024;

const SIZES: [(u32, Memory); 8] = [
    (256, Memory::OneOf(&[512, GIB, 2 * GIB])),
    (
        512,
        Memory::Steps {
            from: GIB,
            to: 4 * GIB,
            by: GIB,
        },
    ),
    (
        1024,
        Memory::Steps {
            from: 2 * GIB,
            to: 8 * GIB,
            by: GIB,
        },
    ),
    (
        2048,
        Memory::Steps {
            from: 4 * GIB,
            to: 16 * GIB,
            by: GIB,
        },
    ),
    (
        4096,
        Memory::Steps {
            from: 8 * GIB,
            to: 30 * GIB,
            by: GIB,
        },
    ),
    (
        8192,
        Memory::Steps {
            from: 16 * GIB,
            to: 60 * GIB,
            by: 4 * GIB,
        },
    ),
    (
        16384,
        Memory::Steps {
            from: 32 * GIB,
            to: 120 * GIB,
            by: 8 * GIB,
        },
    ),
    (32768, Memory::OneOf(&[60 * GIB, 120 * GIB, 244 * GIB])),
];

impl TaskSize {
    /// CPU units (1024 is one vCPU) and MiB.
    pub fn new(cpu: u32, memory: u32) -> Result<Self, String> {
        let Some((_, memories)) = SIZES.iter().find(|(units, _)| *units == cpu) else {
            let known = Self::cpu_choices().map(|units| units.to_string());
            return Err(format!(
                "Fargate has no task of {cpu} CPU units: cpu is one of {}",
                known.join(", ")
            ));
        };
        if memories.contains(memory) {
            Ok(Self { cpu, memory })
        } else {
            Err(format!(
                "Fargate has no task of {cpu} CPU units with {memory} MiB: with cpu = {cpu}, memory is {memories}"
            ))
        }
    }

    pub(super) fn cpu_choices() -> [u32; SIZES.len()] {
        SIZES.map(|(units, _)| units)
    }

    /// From the text of a task definition, where AWS also takes `.25 vCPU`.
    pub fn cpu_units(text: &str) -> Result<u32, String> {
        scaled(text, "vcpu").ok_or_else(|| {
            format!("cpu is CPU units or vCPUs, such as 256 or .25 vCPU, not `{text}`")
        })
    }

    /// From the text of a task definition, where AWS also takes `0.5 GB`.
    pub fn mebibytes(text: &str) -> Result<u32, String> {
        scaled(text, "gb")
            .ok_or_else(|| format!("memory is MiB or GB, such as 512 or 0.5 GB, not `{text}`"))
    }

    /// In CPU units, of which a vCPU has 1024.
    pub fn cpu(self) -> u32 {
        self.cpu
    }

    /// In MiB.
    pub fn memory(self) -> u32 {
        self.memory
    }
}

impl From<TaskSize> for Reserved {
    fn from(size: TaskSize) -> Self {
        Self {
            cpu: size.cpu,
            memory: size.memory,
        }
    }
}

impl Memory {
    fn contains(&self, memory: u32) -> bool {
        match self {
            Self::OneOf(choices) => choices.contains(&memory),
            Self::Steps { from, to, by } => {
                (*from..=*to).contains(&memory) && (memory - from).is_multiple_of(*by)
            }
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OneOf(choices) => {
                let choices: Vec<String> = choices.iter().map(u32::to_string).collect();
                write!(f, "one of {}", choices.join(", "))
            }
            Self::Steps { from, to, by } => write!(f, "{from} to {to} in steps of {by}"),
        }
    }
}

/// A plain number, or one in `unit`s of 1024.
fn scaled(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_lowercase();
    let Some(number) = text.strip_suffix(unit) else {
        return text.parse().ok();
    };
    let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // In whole numbers, so that 0.1 is not nearly something.
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let thousandths = digits.parse::<u64>().ok()?.checked_mul(1024)?;
    if thousandths.is_multiple_of(scale) {
        u32::try_from(thousandths / scale).ok()
    } else {
        None
    }
}
