//! How much a bundle may be.

/// A bundle that goes over any of these is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleLimits {
    /// Bytes of the file that was uploaded.
    pub file: u64,
    /// Bytes that come out of its compression, counted as they come, whatever its headers say:
    /// of a `.zip` what is in its entries, of a `.tar.gz` the whole tar.
    pub unpacked: u64,
    /// Files, folders and links, the folders that are only named in a path among them.
    pub entries: usize,
    /// Bytes of an entry's path, or of what a link leads to.
    pub path: usize,
    /// Bytes of one part of a path: Linux takes no more.
    pub part: usize,
    /// Parts of a path.
    pub depth: usize,
}

impl Default for BundleLimits {
    fn default() -> Self {
        Self {
            file: 512 << 20,
            unpacked: 2 << 30,
            entries: 20_000,
            path: 1024,
            part: 255,
            depth: 32,
        }
    }
}
