//! A build context that comes over stdin: a tar that may be compressed, or a Dockerfile
//! alone. It is passed to BuildKit unchanged, which finds out which of them it is.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bollard::grpc::BuildRef;
use bollard::moby::upload::v1::BytesMessage;
use bollard::moby::upload::v1::upload_server::Upload;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use super::error::DockerError;
use super::session::{MessageStream, stream_of};

/// Up to eight of these chunks are in flight.
const CHUNK: usize = 64 * 1024;
/// More chunks than this would have to be kept in memory.
const IN_FLIGHT: usize = 8;

pub(super) type UploadReader = Pin<Box<dyn AsyncRead + Send>>;

/// Data that can be read once, under an address that BuildKit is given.
pub(super) struct Archive {
    id: String,
    input: Mutex<Option<UploadReader>>,
}

impl Archive {
    /// # Errors
    /// `Stdin` if there is no input, or if BuildKit would mistake it for a Dockerfile.
    pub(super) async fn open(mut input: UploadReader) -> Result<Self, DockerError> {
        let mut head = BytesMut::with_capacity(CHUNK);
        while head.len() < 4 {
            match input.read_buf(&mut head).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(DockerError::Stdin(error.to_string())),
            }
        }
        if let Some(why) = unfit(&head) {
            return Err(DockerError::Stdin(why.to_owned()));
        }
        let whole = Box::pin(io::Cursor::new(head.freeze()).chain(input));
        Ok(Self {
            id: BuildRef::random().as_ref().to_owned(),
            input: Mutex::new(Some(whole)),
        })
    }

    /// A name that only this session's BuildKit resolves.
    pub(super) fn address(&self) -> String {
        format!("http://buildkit-session/{}", self.id)
    }
}

/// Why data that begins like this cannot be built.
fn unfit(head: &[u8]) -> Option<&'static str> {
    match head {
        [] => Some("there is nothing"),
        [b'P', b'K', 3 | 5, ..] => Some("it is a zip; a tar is wanted"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Some("it is zstd, which BuildKit does not read: use gzip or no compression")
        }
        _ => None,
    }
}

#[tonic::async_trait]
impl Upload for Archive {
    type PullStream = MessageStream<BytesMessage>;

    async fn pull(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::PullStream>, Status> {
        let path = request.metadata().get("urlpath");
        let path = path.and_then(|path| path.to_str().ok());
        if path.map(|path| path.trim_start_matches('/')) != Some(&self.id) {
            return Err(Status::not_found("no such upload in this build"));
        }
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.take();
        let input = input.ok_or_else(|| Status::not_found("stdin was read already"))?;
        let (packets, answer) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(send(input, packets));
        Ok(Response::new(stream_of(answer)))
    }
}

async fn send(mut input: UploadReader, packets: mpsc::Sender<Result<BytesMessage, Status>>) {
    loop {
        let mut data = Vec::with_capacity(CHUNK);
        let packet = match input.read_buf(&mut data).await {
            Ok(0) => return,
            Ok(_) => Ok(BytesMessage { data }),
            Err(error) => Err(Status::unknown(format!("stdin: {error}"))),
        };
        if packets.send(packet).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(bytes: &'static [u8]) -> Result<Vec<u8>, DockerError> {
        let archive = Archive::open(Box::pin(bytes)).await?;
        let mut input = archive.input.lock().expect("not poisoned").take();
        let input = input.take().expect("not read yet");
        let (packets, mut answer) = mpsc::channel(IN_FLIGHT);
        tokio::spawn(send(input, packets));
        let mut all = Vec::new();
        while let Some(Ok(packet)) = answer.recv().await {
            all.extend(packet.data);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn what_comes_is_passed_on_whole() {
        let long: &'static [u8] = vec![7; 3 * CHUNK + 1].leak();
        for bytes in [b"FROM scratch".as_slice(), b"x", b"\x1f\x8b\x08", long] {
            assert_eq!(open(bytes).await.expect("it may be one"), bytes);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_one_is_told() {
        for (bytes, expected) in [
            (b"".as_slice(), "there is nothing"),
            (b"PK\x03\x04", "it is a zip"),
            (b"\x28\xb5\x2f\xfd", "it is zstd"),
        ] {
            let error = open(bytes).await.expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("tar c .")));
        }
    }
}
