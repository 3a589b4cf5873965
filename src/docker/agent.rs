//! Forwards the user's SSH agent to steps with `RUN --mount=type=ssh`: they may list its
//! keys and have data signed, and nothing else.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use bollard::moby::sshforward::v1::ssh_server::Ssh;
use bollard::moby::sshforward::v1::{BytesMessage, CheckAgentRequest, CheckAgentResponse};
use bytes::BytesMut;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::error::DockerError;
use super::session::{MessageStream, stream_of};
use crate::model::SshAgent;

const DEFAULT: &str = "default";
/// OpenSSH's limit, in bytes.
const LONGEST: usize = 256 * 1024;
/// From the protocol (draft-ietf-sshm-ssh-agent): the allowed requests, and a refusal.
const REQUEST_IDENTITIES: u8 = 11;
const SIGN_REQUEST: u8 = 13;
const FAILURE: [u8; 5] = [0, 0, 0, 1, 5];

impl SshAgent {
    /// The agent's socket; checks that it exists.
    pub(super) fn find(&self) -> Result<PathBuf, DockerError> {
        let wrong = |why: String| DockerError::SshAgent {
            id: self.id.clone(),
            why,
        };
        let variable = || env::var_os("SSH_AUTH_SOCK").filter(|value| !value.is_empty());
        let given = self.socket.clone().or_else(|| Some(variable()?.into()));
        let path = given.ok_or_else(|| wrong("SSH_AUTH_SOCK is not set".to_owned()))?;
        match fs::metadata(&path) {
            Ok(found) if found.file_type().is_socket() => Ok(path),
            Ok(found) if found.is_file() => Err(wrong(format!(
                "{} is a file, and bgecs forwards agents, not keys",
                path.display()
            ))),
            Ok(_) => Err(wrong(format!("{} is not a socket", path.display()))),
            Err(error) => Err(wrong(format!("{}: {error}", path.display()))),
        }
    }
}

/// The agents of a build, by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Agents(BTreeMap<String, PathBuf>);

impl Agents {
    /// # Errors
    /// `SshAgent`, for an agent that does not exist or is given twice.
    pub(super) fn find(agents: &[SshAgent]) -> Result<Self, DockerError> {
        let mut found = BTreeMap::new();
        for agent in agents {
            if found.insert(agent.id.clone(), agent.find()?).is_some() {
                return Err(DockerError::SshAgent {
                    id: agent.id.clone(),
                    why: "it is given twice".to_owned(),
                });
            }
        }
        Ok(Self(found))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn socket(&self, id: &str) -> Result<&Path, Status> {
        let id = if id.is_empty() { DEFAULT } else { id };
        let socket = self.0.get(id).map(PathBuf::as_path);
        socket.ok_or_else(|| Status::not_found(format!("no SSH agent `{id}` was forwarded")))
    }
}

#[tonic::async_trait]
impl Ssh for Agents {
    type ForwardAgentStream = MessageStream<BytesMessage>;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Self::ForwardAgentStream>, Status> {
        let socket = self.socket(id(request.metadata()))?;
        let agent = UnixStream::connect(socket)
            .await
            .map_err(|error| Status::unavailable(format!("{}: {error}", socket.display())))?;
        let (answers, answer) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(error) = relay(request.into_inner(), agent, &answers).await {
                tracing::debug!(%error, "an SSH agent's connection broke");
            }
        });
        Ok(Response::new(stream_of(answer)))
    }
}

fn id(metadata: &MetadataMap) -> &str {
    let id = metadata.get("buildkit.ssh.id");
    id.and_then(|id| id.to_str().ok()).unwrap_or_default()
}

/// Passes on one request after the other, and each answer, until either side stops.
async fn relay(
    mut requests: impl Stream<Item = Result<BytesMessage, Status>> + Unpin,
    mut agent: UnixStream,
    answers: &mpsc::Sender<Result<BytesMessage, Status>>,
) -> io::Result<()> {
    let mut heard = BytesMut::new();
    while let Some(Ok(message)) = requests.next().await {
        heard.extend_from_slice(&message.data);
        while let Some(request) = split_off_message(&mut heard)? {
            let data = if may_be_asked(&request) {
                agent.write_all(&request).await?;
                answer(&mut agent).await?
            } else {
                FAILURE.to_vec()
            };
            if answers.send(Ok(BytesMessage { data })).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A message is its length in four bytes, its kind in one, and the rest.
fn split_off_message(heard: &mut BytesMut) -> io::Result<Option<BytesMut>> {
    let Some(length) = heard.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) else {
        return Ok(None);
    };
    let whole = 4 + checked(length)?;
    Ok((heard.len() >= whole).then(|| heard.split_to(whole)))
}

fn checked(length: u32) -> io::Result<usize> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    match length <= LONGEST {
        true => Ok(length),
        false => Err(io::Error::other("a message is too long")),
    }
}

/// A step must not take keys out of the agent, put some in or lock it.
fn may_be_asked(request: &[u8]) -> bool {
    matches!(request.get(4), Some(&(REQUEST_IDENTITIES | SIGN_REQUEST)))
}

async fn answer(agent: &mut UnixStream) -> io::Result<Vec<u8>> {
    let length = agent.read_u32().await?;
    let mut data = vec![0; 4 + checked(length)?];
    let (head, rest) = data.split_at_mut(4);
    head.copy_from_slice(&length.to_be_bytes());
    agent.read_exact(rest).await?;
    Ok(data)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn agent(id: &str, socket: Option<&str>) -> SshAgent {
        SshAgent {
            id: id.to_owned(),
            socket: socket.map(PathBuf::from),
        }
    }

    #[test]
    fn an_agent_is_a_socket_that_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let (key, socket) = (folder.path().join("id_rsa"), folder.path().join("agent"));
        fs::write(&key, "").expect("a file");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        let at = |path: &Path| agent("x", path.to_str());
        assert_eq!(at(&socket).find().expect("it is there"), socket);
        for (path, expected) in [
            (key.as_path(), "forwards agents, not keys"),
            (folder.path(), "is not a socket"),
            (Path::new("/nowhere"), "/nowhere: No such file"),
        ] {
            let error = at(path).find().expect_err(expected);
            let text = error.to_string();
            assert!(
                text.starts_with("SSH agent `x`: ") && text.contains(expected),
                "{text}"
            );
            assert!(error.hint().is_some());
        }
        let twice = [at(&socket), at(&socket)];
        let error = Agents::find(&twice).expect_err("twice").to_string();
        assert_eq!(error, "SSH agent `x`: it is given twice");
    }

    fn message(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(1 + content.len()).expect("short");
        [&length.to_be_bytes()[..], &[kind], content].concat()
    }

    /// What comes back for messages that arrive in pieces of three bytes.
    async fn relayed(messages: &[Vec<u8>]) -> Vec<u8> {
        let (here, mut there) = UnixStream::pair().expect("a pair");
        // An agent that echoes requests.
        tokio::spawn(async move {
            while let Ok(data) = answer(&mut there).await {
                there.write_all(&data).await?;
            }
            io::Result::Ok(())
        });
        let pieces: Vec<_> = messages
            .concat()
            .chunks(3)
            .map(|data| {
                Ok(BytesMessage {
                    data: data.to_vec(),
                })
            })
            .collect();
        let (answers, mut answer) = mpsc::channel(100);
        let relayed = relay(stream::iter(pieces), here, &answers).await;
        relayed.expect("both sides speak the protocol");
        drop(answers);
        let mut all = Vec::new();
        while let Some(Ok(message)) = answer.recv().await {
            all.extend(message.data);
        }
        all
    }

    #[tokio::test]
    async fn a_step_may_list_and_sign_and_nothing_else() {
        let (list, sign) = (message(11, b""), message(13, b"something"));
        let (add, remove_all, lock, extension) = (
            message(17, b"key"),
            message(19, b""),
            message(22, b"x"),
            message(27, b"e"),
        );
        let all = [list.clone(), add, remove_all, sign.clone(), lock, extension];
        let (list, sign, no) = (list.as_slice(), sign.as_slice(), &FAILURE[..]);
        assert_eq!(relayed(&all).await, [list, no, no, sign, no, no].concat());
        assert_eq!(relayed(&[message(0, b"")]).await, FAILURE);
    }

    #[tokio::test]
    async fn a_message_longer_than_any_ends_it() {
        let (here, _there) = UnixStream::pair().expect("a pair");
        let (answers, _answer) = mpsc::channel(1);
        let data = b"\xff\xff\xff\xff\x0b".to_vec();
        let requests = stream::iter([Ok(BytesMessage { data })]);
        assert!(relay(requests, here, &answers).await.is_err());
    }
}
