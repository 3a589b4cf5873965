//! What a worker of uploads needs in addition to the deployer's policy of each app that
//! it releases.

use super::{Grant, along, called};

const SERVE: &[&str] = &["serve"];

pub const WORKER: &[Grant] = &[
    Grant {
        sid: "TakeUploads",
        needs: &[
            called("sqs:GetQueueAttributes", SERVE),
            called("sqs:ReceiveMessage", SERVE),
            called("sqs:ChangeMessageVisibility", SERVE),
            called("sqs:DeleteMessage", SERVE),
        ],
        on: &["arn:*:sqs:{region}:{account}:{worker}.fifo"],
        condition: None,
    },
    Grant {
        sid: "BuryWhatIsNoUpload",
        needs: &[
            called("sqs:GetQueueUrl", SERVE),
            called("sqs:SendMessage", SERVE),
        ],
        on: &["arn:*:sqs:{region}:{account}:{worker}-dead.fifo"],
        condition: None,
    },
    Grant {
        sid: "FetchUploads",
        needs: &[
            called("s3:GetObjectVersion", SERVE),
            // Signatures are read in their current version.
            called("s3:GetObject", SERVE),
        ],
        on: &["arn:*:s3:::{bucket}/*"],
        condition: None,
    },
    // Without permission to list, S3 does not say that a signature is missing.
    Grant {
        sid: "SeeWhatIsMissing",
        needs: &[along("s3:ListBucket", &["s3:GetObject"])],
        on: &["arn:*:s3:::{bucket}"],
        condition: None,
    },
    Grant {
        sid: "TellOfReleases",
        needs: &[called("sns:Publish", SERVE)],
        on: &["{topic}"],
        condition: None,
    },
];
