//! The files of the large context. They are made once, and stay in `target/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bgecs::root;
use crate::{Result, say};

const FOLDERS: usize = 500;
const FILES: usize = 100;
/// So that all of them together are 1 GiB.
const BYTES: usize = (1 << 30) / (FOLDERS * FILES);

const DOCKERFILE: &str = "FROM scratch AS all\nCOPY . /all\n\
                          FROM scratch\nCOPY greeter /greeter\nCOPY --from=all /all/stamp /stamp\n\
                          USER 65532:65532\nEXPOSE 8080\nENTRYPOINT [\"/greeter\"]\n";

/// The context, under the name that it has now.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The one that was made before, or a new one. `app` is the context of the
    /// app that runs.
    pub fn make(app: &Path) -> Result<Self> {
        let place = root().join("target/bench/large");
        let path = match only_child(&place) {
            Some(path) => path,
            None => {
                say::line("writing a context of 1 GiB in 50,000 files");
                let new = root().join("target/bench/large.new");
                let _ = fs::remove_dir_all(&new);
                fill(&new.join("context"))?;
                let _ = fs::remove_dir_all(&place);
                fs::rename(&new, &place)?;
                place.join("context")
            }
        };
        fs::copy(app.join("greeter"), path.join("greeter"))?;
        fs::write(path.join("Dockerfile"), DOCKERFILE)?;
        Ok(Self { path })
    }

    /// Another name and another stamp: for BuildKit, a context like no other.
    pub fn renew(&mut self) -> Result<&Path> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let path = self.path.with_file_name(format!("context-{now}"));
        fs::rename(&self.path, &path)?;
        fs::write(path.join("stamp"), now.to_string())?;
        self.path = path;
        Ok(&self.path)
    }
}

fn only_child(folder: &Path) -> Option<PathBuf> {
    let mut children = fs::read_dir(folder).ok()?;
    let first = children.next()?.ok()?.path();
    children.next().is_none().then_some(first)
}

fn fill(folder: &Path) -> io::Result<()> {
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let mut content = vec![0; BYTES];
    for outer in 0..FOLDERS {
        let inner = folder.join(format!("part-{outer:03}"));
        fs::create_dir_all(&inner)?;
        for file in 0..FILES {
            noise.fill(&mut content);
            fs::write(inner.join(format!("file-{file:02}.bin")), &content)?;
        }
    }
    Ok(())
}

/// Bytes that nothing compresses and that are the same each time (xorshift).
struct Noise(u64);

impl Noise {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            chunk.copy_from_slice(&self.0.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_context_has_another_name_and_another_stamp() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("context");
        fs::create_dir(&path).unwrap();
        assert_eq!(only_child(place.path()), Some(path.clone()));
        let mut folder = Folder { path };
        let first = folder.renew().unwrap().to_owned();
        let stamp = fs::read(first.join("stamp")).unwrap();
        let second = folder.renew().unwrap().to_owned();
        assert_ne!(first, second);
        assert_ne!(fs::read(second.join("stamp")).unwrap(), stamp);
        assert_eq!(only_child(place.path()), Some(second));
    }

    #[test]
    fn no_two_files_are_alike() {
        let mut noise = Noise(1);
        let (mut one, mut other) = ([0; 13], [0; 13]);
        noise.fill(&mut one);
        noise.fill(&mut other);
        assert_ne!(one, other);
    }
}
