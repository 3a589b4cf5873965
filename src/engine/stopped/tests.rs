use super::*;
use crate::model::{Color, Revision};

fn container(name: &str) -> StoppedContainer {
    StoppedContainer {
        name: name.to_owned(),
        is_essential: true,
        ..StoppedContainer::default()
    }
}

fn ended(name: &str, code: i32) -> StoppedContainer {
    StoppedContainer {
        exit_code: Some(code),
        ..container(name)
    }
}

fn task(
    code: Option<&str>,
    reason: &str,
    exit_code: Option<i32>,
    container_reason: &str,
) -> StoppedTask {
    StoppedTask {
        id: "t".to_owned(),
        task_definition: Revision::new("td:1"),
        created_at: None,
        stop_code: code.map(str::to_owned),
        reason: reason.to_owned(),
        memory: None,
        containers: vec![StoppedContainer {
            exit_code,
            reason: Some(container_reason.to_owned()).filter(|text| !text.is_empty()),
            ..container("app")
        }],
    }
}

fn sentence(task: &StoppedTask) -> Option<String> {
    why(task).map(|cause| cause.to_string())
}

#[test]
fn each_cause_has_its_own_sentence() {
    let cases = [
        (
            task(
                Some("TaskFailedToStart"),
                "CannotPullContainerError: pull image manifest has been retried 5 time(s)",
                None,
                "",
            ),
            "the image cannot be pulled: CannotPullContainerError: pull image manifest has been retried 5 time(s)",
        ),
        (
            task(
                Some("EssentialContainerExited"),
                "Essential container in task exited",
                Some(3),
                "",
            ),
            "container `app` exited with code 3",
        ),
        (
            task(
                Some("EssentialContainerExited"),
                "Essential container in task exited",
                Some(137),
                "OutOfMemoryError: Container killed due to memory usage",
            ),
            "container `app` was killed: out of memory",
        ),
        (
            task(
                Some("ServiceSchedulerInitiated"),
                "Task failed ELB health checks in (target-group arn:aws:x)",
                None,
                "",
            ),
            "the health check fails: Task failed ELB health checks in (target-group arn:aws:x)",
        ),
        (
            task(
                Some("TaskFailedToStart"),
                "ResourceInitializationError: unable to pull secrets: AccessDeniedException: no",
                None,
                "",
            ),
            "no permission: ResourceInitializationError: unable to pull secrets: AccessDeniedException: no",
        ),
        (
            task(
                Some("TaskFailedToStart"),
                "ResourceInitializationError: failed to validate logger args",
                None,
                "",
            ),
            "the task cannot be set up: ResourceInitializationError: failed to validate logger args",
        ),
    ];
    for (task, expected) in cases {
        assert_eq!(sentence(&task).as_deref(), Some(expected));
    }
}

#[test]
fn scaling_in_is_no_failure() {
    let scaled = task(
        Some("ServiceSchedulerInitiated"),
        "Scaling activity initiated by (deployment ecs-svc/1)",
        Some(0),
        "",
    );
    assert_eq!(why(&scaled), None);
    assert_eq!(
        why(&task(
            Some("UserInitiated"),
            "Task stopped by user",
            None,
            ""
        )),
        None
    );
}

fn not_started(reason: &str) -> StoppedTask {
    task(Some("TaskFailedToStart"), reason, None, "")
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    for reason in [
        "Capacity is unavailable at this time. Please try again later or in a different availability zone",
        "Timeout waiting for network interface provisioning to complete.",
        "Error creating network interface: RequestLimitExceeded",
        "Error attaching network interface eni-1",
        "Unexpected EC2 error while attempting to Create Network Interface in subnet 'subnet-1': InsufficientFreeAddressesInSubnet",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused by: Post \"https://api.ecr.eu-west-1.amazonaws.com/\": dial tcp 52.0.0.1:443: i/o timeout",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret: RequestCanceled: request context canceled caused by: context deadline exceeded",
        "ResourceInitializationError: failed to download env files: file download command: non empty error stream: RequestCanceled: request context canceled",
        "ResourceInitializationError: unable to pull secrets: ThrottlingException: Rate exceeded",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: failed to do request: Get https://prod: dial tcp 52.0.0.1:443: i/o timeout",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): Get \"https://1.dkr.ecr\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): unexpected status code 503 Service Unavailable",
        "CannotPullContainerError: failed to copy: unexpected status from HEAD request: status: 502",
        "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s",
    ] {
        let cause = why(&not_started(reason)).unwrap();
        assert!(cause.is_tried_again(), "{cause:?}");
    }
}

#[test]
fn what_the_next_task_meets_too_is_not() {
    for task in [
        not_started(
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref 1.dkr.ecr/hello@sha256:1: not found",
        ),
        not_started("CannotPullContainerError: pull image manifest has been retried 5 time(s)"),
        not_started("CannotPullContainerError: access denied, 403 Forbidden after a timeout"),
        not_started(
            "ResourceInitializationError: unable to pull secrets: AccessDeniedException: no",
        ),
        not_started(
            "ResourceInitializationError: unable to pull secrets: ResourceNotFoundException: Secrets Manager can't find the specified secret",
        ),
        not_started(
            "ResourceInitializationError: failed to validate logger args: The specified log group does not exist: context deadline exceeded",
        ),
        not_started("ResourceInitializationError: failed to validate logger args"),
        not_started("CannotStartContainerError: exec /app: exec format error"),
        task(
            Some("EssentialContainerExited"),
            "Essential container in task exited",
            Some(1),
            "connection timeout",
        ),
        task(
            Some("EssentialContainerExited"),
            "Essential container in task exited",
            Some(0),
            "",
        ),
        task(
            Some("EssentialContainerExited"),
            "",
            Some(137),
            "OutOfMemoryError: killed",
        ),
        task(
            Some("ServiceSchedulerInitiated"),
            "Task failed ELB health checks in (target-group x): Request timed out",
            None,
            "",
        ),
    ] {
        let cause = why(&task).unwrap();
        assert!(!cause.is_tried_again(), "{cause:?}");
    }
}

#[test]
fn capacity_and_network_have_words_of_their_own() {
    assert_eq!(
        sentence(&not_started("Capacity is unavailable at this time.")).as_deref(),
        Some("AWS has no capacity for the task: Capacity is unavailable at this time.")
    );
    assert_eq!(
        sentence(&not_started(
            "Timeout waiting for network interface provisioning to complete."
        ))
        .as_deref(),
        Some(
            "the task gets no network interface: Timeout waiting for network interface provisioning to complete."
        )
    );
}

/// A task of these, of which one ended by itself.
fn of(containers: Vec<StoppedContainer>) -> StoppedTask {
    StoppedTask {
        containers,
        memory: Some(512),
        ..task(
            Some("EssentialContainerExited"),
            "Essential container in task exited",
            None,
            "",
        )
    }
}

#[test]
fn the_container_that_ended_first_is_to_blame() {
    let helper = |container| StoppedContainer {
        is_essential: false,
        ..container
    };
    let out_of_memory = |container| StoppedContainer {
        reason: Some("OutOfMemoryError: Container killed due to memory usage".to_owned()),
        ..container
    };
    for (containers, expected) in [
        (
            vec![ended("proxy", 137), ended("app", 1)],
            "container `app` exited with code 1",
        ),
        (
            vec![ended("proxy", 143), ended("app", 3)],
            "container `app` exited with code 3",
        ),
        (
            vec![ended("proxy", 143), ended("app", 0)],
            "container `app` exited with code 0",
        ),
        (
            vec![ended("proxy", 0), ended("app", 2)],
            "container `app` exited with code 2",
        ),
        (
            vec![ended("app", 137), ended("proxy", 1)],
            "container `proxy` exited with code 1",
        ),
        (
            vec![ended("app", 143), ended("proxy", 0)],
            "container `proxy` exited with code 0",
        ),
        // Both failed: the definition's first.
        (
            vec![ended("app", 1), ended("proxy", 2)],
            "container `app` exited with code 1",
        ),
        // The task does not end with these.
        (
            vec![helper(ended("migrate", 1)), ended("app", 0)],
            "container `app` exited with code 0",
        ),
        (
            vec![helper(ended("migrate", 0)), ended("app", 137)],
            "container `app` exited with code 137",
        ),
        (
            vec![ended("proxy", 1), out_of_memory(ended("app", 137))],
            "container `app` was killed: out of memory (the task has 512 MiB for its 2 containers)",
        ),
        (
            vec![
                ended("app", 143),
                StoppedContainer {
                    memory: Some(128),
                    ..out_of_memory(ended("proxy", 137))
                },
            ],
            "container `proxy` was killed: out of memory (its limit is 128 MiB)",
        ),
        (
            vec![out_of_memory(ended("app", 137))],
            "container `app` was killed: out of memory (the task has 512 MiB)",
        ),
    ] {
        assert_eq!(sentence(&of(containers)).as_deref(), Some(expected));
    }
}

#[test]
fn the_container_that_is_unhealthy_is_to_blame_for_its_check() {
    let unhealthy = StoppedContainer {
        is_unhealthy: true,
        ..ended("app", 143)
    };
    let stopped = StoppedTask {
        reason: "Task failed container health checks".to_owned(),
        stop_code: Some("ServiceSchedulerInitiated".to_owned()),
        ..of(vec![ended("proxy", 1), unhealthy])
    };
    assert_eq!(
        sentence(&stopped).unwrap(),
        "the health check inside container `app` fails: Task failed container health checks"
    );
    assert!(
        why(&stopped)
            .unwrap()
            .hint(Color::Blue)
            .contains("healthCheck of `app`")
    );
}

#[test]
fn each_cause_has_its_own_hint() {
    let mut table = Vec::new();
    for reason in [
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
        "CannotPullContainerError: failed to resolve ref 1.dkr.ecr/hello@sha256:1: not found",
        "CannotPullContainerError: pull access denied, repository does not exist or may require authorization",
        "CannotPullContainerError: unexpected status code [manifests 1]: 403 Forbidden",
        "CannotPullContainerError: httpReadSeeker: failed open: failed to do request: dial tcp 1.2.3.4:443: i/o timeout",
        "CannotPullContainerError: The task cannot pull 1.dkr.ecr/hello from the registry. There is a connection issue between the task and the registry.",
        "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
        "CannotPullContainerError: tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "CannotPullContainerError: write /var/lib: no space left on device",
        "CannotPullContainerError: number of layers and diffIDs don't match: 3 != 15",
        "ResourceInitializationError: unable to retrieve secret from asm: AccessDeniedException: User: arn:x is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:s because no identity-based policy allows the secretsmanager:GetSecretValue action",
        "ResourceInitializationError: AccessDeniedException: User: arn:x is not authorized to perform: kms:Decrypt on resource: arn:k",
        "ResourceInitializationError: unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed",
        "ResourceInitializationError: ECS was unable to assume the role 'arn:r' that was provided",
        "ResourceInitializationError: unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        "ResourceInitializationError: unable to retrieve secrets from ssm: invalid parameters: /hello/key",
        "ResourceInitializationError: retrieved secret from Secrets Manager did not contain json key password",
        "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.",
        "ResourceInitializationError: unable to pull secrets or registry auth: There is a connection issue between the task and AWS Secrets Manager.",
        "ResourceInitializationError: failed to download env files: NoSuchKey",
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to resolve \"fs-1.efs.eu-west-1.amazonaws.com\"",
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: Connection timed out",
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: b'mount.nfs4: access denied by server while mounting 127.0.0.1:/'",
        "CannotStartContainerError: exec /app: exec format error",
    ] {
        let cause = why(&not_started(reason)).unwrap();
        let shown: String = cause.to_string().chars().take(110).collect();
        table.push(format!("{shown}\n  -> {}", cause.hint(Color::Blue)));
    }
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn an_image_for_other_machines_is_told_by_its_last_line() {
    let exited = why(&of(vec![ended("app", 1)])).unwrap();
    let line = "exec /usr/local/bin/app: exec format error".to_owned();
    assert_eq!(
        exited.clone().with_lines(std::slice::from_ref(&line)),
        StopCause::Platform(line.clone())
    );
    assert_eq!(exited.clone().with_lines(&[]), exited);
    let killed = StopCause::Capacity(String::new());
    assert_eq!(killed.clone().with_lines(&[line]), killed);
}

/// A hint names what the reason names: secrets and log groups only where they are
/// what could not be had.
#[test]
fn a_hint_is_about_what_failed() {
    let hint = |reason: &str| {
        let reason = format!("ResourceInitializationError: {reason}");
        why(&not_started(&reason)).unwrap().hint(Color::Blue)
    };
    for reason in [
        "Conflict. The container name \"/bgecs-hello-app\" is already in use by container 0a1b",
        "driver failed programming external connectivity: address already in use",
        "failed to create a shim task",
    ] {
        let hint = hint(reason);
        assert!(!hint.contains("secret") && !hint.contains("log"), "{hint}");
    }
    assert!(hint("the name is already in use").contains("docker ps -a"));
    assert!(hint("unable to retrieve secret").contains("the secrets"));
    assert!(hint("failed to start the logger").contains("the log group"));
}

#[test]
fn what_a_runtime_cannot_start_is_told_from_what_aws_lacks() {
    let runtime = |why: &str| {
        let reason = format!(
            "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: failed to create shim: OCI runtime create failed: runc create failed: unable to start container process: {why}: unknown"
        );
        task(
            Some("EssentialContainerExited"),
            "Essential container in task exited",
            None,
            &reason,
        )
    };
    for (why_not, expected) in [
        (
            "exec: \"serve\": executable file not found in $PATH",
            "command is not in the image",
        ),
        (
            "exec: \"/app/run.sh\": stat /app/run.sh: no such file or directory",
            "command is not in the image",
        ),
        ("exec: \"/app/run.sh\": permission denied", "chmod +x"),
        (
            "unable to find user web: no matching entries in passwd file",
            "check USER",
        ),
        (
            "error during container init: chdir to cwd (\"/srv\") set in config.json failed: no such file or directory",
            "check WORKDIR",
        ),
    ] {
        let cause = why(&runtime(why_not)).unwrap();
        assert!(matches!(cause, StopCause::NotStarted { .. }), "{cause:?}");
        assert!(!cause.is_tried_again());
        let said = cause.to_string();
        assert!(
            said.starts_with("container `app` cannot be started: "),
            "{said}"
        );
        let hint = cause.hint(Color::Blue);
        assert!(hint.contains(expected), "{why_not}: {hint}");
    }
    let format = why(&runtime("exec /app: exec format error")).unwrap();
    assert!(matches!(format, StopCause::Platform(_)), "{format:?}");
}

#[test]
fn a_crash_and_a_network_interface_are_told() {
    for code in [132, 134, 139] {
        let crashed = task(
            Some("EssentialContainerExited"),
            "Essential container in task exited",
            Some(code),
            "",
        );
        let hint = why(&crashed).unwrap().hint(Color::Blue);
        assert!(hint.starts_with("its process crashed"), "{hint}");
    }
    let interface = not_started(
        "ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin failed",
    );
    assert!(matches!(why(&interface), Some(StopCause::Network(_))));
}
