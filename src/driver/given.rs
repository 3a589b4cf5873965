//! The resources that an app is given: read side by side and checked before anything is
//! made.

use futures_util::try_join;

use crate::aws::AwsError;
use crate::config::Config;
use crate::engine::given::{self, Wants};
use crate::engine::task_definition::Needs;
use crate::error::Result;
use crate::model::{Given, GivenFound};
use crate::session::Session;

/// The ports of the listeners that `init` makes, without [tls] and with it.
const PLAIN: [u16; 2] = [80, 81];
const SECURE: [u16; 3] = [80, 443, 8443];

/// # Errors
/// Something does not exist, or does not suit the app (exit 6); AWS's own.
pub async fn look(
    session: &Session,
    (needs, port): (&Needs, u16),
    is_new: bool,
) -> Result<GivenFound> {
    let Config {
        given,
        tls,
        service,
        ..
    } = &session.config;
    if *given == Given::default() {
        return Ok(GivenFound::default());
    }
    let found = read(session, given).await?;
    let account = match given.roles.is_none() {
        true => String::new(),
        false => session.aws.caller().await?.account.to_string(),
    };
    let wants = Wants {
        port,
        entrances: match tls {
            Some(_) => &SECURE,
            None => &PLAIN,
        },
        needs,
        capacity: service.said.compute.capacity.as_ref(),
        account: &account,
        is_new,
    };
    given::refuse_unfit(given, &found, wants)?;
    Ok(found)
}

async fn read(session: &Session, given: &Given) -> Result<GivenFound, AwsError> {
    let aws = &session.aws;
    // Each kind has its own call.
    macro_rules! read {
        ($name:expr, $call:ident) => {
            async {
                match &$name {
                    Some(name) => aws.$call(name).await,
                    None => Ok(None),
                }
            }
        };
    }
    let (vpc, cluster, execution, task, log_group, repository) = try_join!(
        read!(given.network, vpc),
        read!(given.cluster, cluster),
        read!(given.roles.execution, role),
        read!(given.roles.task, role),
        read!(given.log_group, log_group),
        read!(given.repository, repository),
    )?;
    Ok(GivenFound {
        vpc,
        cluster,
        execution,
        task,
        log_group,
        repository,
    })
}
