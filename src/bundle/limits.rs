//! How large a bundle may be.

/// A bundle that exceeds any of these is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleLimits {
    /// Bytes of the uploaded file.
    pub file: u64,
    /// Uncompressed bytes, counted as they are read, whatever the headers say: for a
    /// `.zip` the contents of its entries, for a `.tar.gz` the whole tar.
    pub unpacked: u64,
    /// Files, folders and links, including folders that are only named in a path.
    pub entries: usize,
    /// Bytes of an entry's path, or of a link's target.
    pub path: usize,
    /// Bytes of one part of a path: Linux allows no more.
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
