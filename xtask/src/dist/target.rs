//! The targets that releases are built for.

use std::fmt;
use std::str::FromStr;

/// A kind of machine that bgecs is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub arch: Arch,
    pub system: System,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    X86_64,
    Aarch64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Statically linked with musl, so the binary needs no libraries.
    Linux,
    MacOs,
}

impl Arch {
    /// Rust's name for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }

    /// The name that Debian and Docker use.
    pub const fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    pub fn is_this_machine(self) -> bool {
        std::env::consts::ARCH == self.as_str()
    }
}

impl Target {
    /// The default targets of a release.
    pub const RELEASED: [Self; 2] = [
        Self::new(Arch::X86_64, System::Linux),
        Self::new(Arch::Aarch64, System::Linux),
    ];

    pub const ALL: [Self; 4] = [
        Self::RELEASED[0],
        Self::RELEASED[1],
        Self::new(Arch::X86_64, System::MacOs),
        Self::new(Arch::Aarch64, System::MacOs),
    ];

    const fn new(arch: Arch, system: System) -> Self {
        Self { arch, system }
    }

    pub const fn as_str(self) -> &'static str {
        match (self.arch, self.system) {
            (Arch::X86_64, System::Linux) => "x86_64-unknown-linux-musl",
            (Arch::Aarch64, System::Linux) => "aarch64-unknown-linux-musl",
            (Arch::X86_64, System::MacOs) => "x86_64-apple-darwin",
            (Arch::Aarch64, System::MacOs) => "aarch64-apple-darwin",
        }
    }

    pub fn is_linux(&self) -> bool {
        self.system == System::Linux
    }

    /// Whether this machine can run binaries built for it without emulation.
    pub fn runs_here(self) -> bool {
        let system = match self.system {
            System::Linux => "linux",
            System::MacOs => "macos",
        };
        self.arch.is_this_machine() && std::env::consts::OS == system
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("supported targets: {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_it_is_written() {
        for target in Target::ALL {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        let unknown = "x86_64-pc-windows-msvc".parse::<Target>();
        assert!(unknown.unwrap_err().contains("aarch64-unknown-linux-musl"));
    }
}
