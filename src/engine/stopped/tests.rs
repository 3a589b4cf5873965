use super::*;
use crate::model::TaskDefinitionArn;

fn task(
    code: Option<&str>,
    reason: &str,
    exit_code: Option<i32>,
    container_reason: &str,
) -> StoppedTask {
    StoppedTask {
        id: "t".to_owned(),
        task_definition: TaskDefinitionArn::new("td:1"),
        created_at: None,
        stop_code: code.map(str::to_owned),
        reason: reason.to_owned(),
        container: Some("app".to_owned()),
        exit_code,
        container_reason: Some(container_reason.to_owned()).filter(|text| !text.is_empty()),
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
