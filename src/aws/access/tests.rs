use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::EnvConfigFiles;

use super::*;
use crate::aws::budget::Pace;
use crate::aws::testing::{Reply, Wire};
use crate::error::{Exit, causes};
use crate::model::ColorServices;

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

const FILES: &str = "
[default]
region = eu-central-1
[profile prod]
region = eu-west-1
aws_access_key_id = AKIAPROD
aws_secret_access_key = secret
[profile staging]
aws_access_key_id = AKIASTAGING
aws_secret_access_key = secret
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/admin
mfa_serial = arn:aws:iam::123456789012:mfa/al
source_profile = prod
[profile denied]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = prod
[profile orphan]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = gone
[profile old-sso]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = admin
[profile new-sso]
sso_session = work
sso_account_id = 123456789012
sso_role_name = admin
[sso-session work]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile console]
login_session = arn:aws:iam::123456789012:user/al
[profile process]
credential_process = echo out of order >&2; exit 3
[profile crooked-process]
credential_process = printf '{\"Version\":1,\"AccessKeyId\":\"AKIA\\\\n\",\"SecretAccessKey\":\"s\\\\n\"}'
[profile broken-process]
credential_process = printf '{\"Version\":1,\"AccessKeyId\":\"AK\\\\nIA\",\"SecretAccessKey\":\"hunter22\"}'
[profile circle]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = back
[profile back]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = circle
[profile alone]
role_arn = arn:aws:iam::123456789012:role/admin
[profile twofold]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = prod
credential_source = Environment
[profile elsewhere]
role_arn = arn:aws:iam::123456789012:role/admin
credential_source = Elsewhere
[profile lost-sso]
sso_session = lost
sso_account_id = 123456789012
sso_role_name = admin
[profile half]
aws_access_key_id = AKIAHALF
[profile token]
role_arn = arn:aws:iam::123456789012:role/admin
web_identity_token_file = /nowhere/token
[profile empty]
output = json
[profile crooked]
region = eu west 1
[profile schemeless]
region = eu-west-1
endpoint_url = localhost:4566
[profile schemeless-service]
region = eu-west-1
services = here
[services here]
ecs =
  endpoint_url = localhost:4566
";

/// The environment, with the files above.
fn sources(access: &Access, variables: &[(&str, &str)]) -> (Variables, Fs, Selected) {
    let always = [("HOME", "/home/al"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let variables = always.iter().chain(variables);
    let environment =
        Variables::of(variables.map(|(name, value)| ((*name).into(), (*value).into())));
    let environment = environment.unwrap();
    let fs = Fs::from_slice(&[("/home/al/.aws/config", FILES)]);
    let selected = Selected::new(access, &environment);
    (environment, fs, selected)
}

async fn load_on(
    wire: &Wire,
    access: &Access,
    variables: &[(&str, &str)],
) -> Result<(SdkConfig, String)> {
    let (environment, fs, selected) = sources(access, variables);
    let profiles = profiles::read(&selected, &environment, &fs).await?;
    let sources = Sources {
        environment,
        fs,
        selected,
        profiles,
        http: wire.http_client(),
    };
    sources.load(access).await
}

fn by_flag(profile: &str) -> Access {
    Access::new(Some(profile), Some("eu-west-3"), None, AwsPlace::default())
}

fn by_file(profile: &str) -> Access {
    let place = AwsPlace {
        profile: Some(profile.to_owned()),
        ..AwsPlace::default()
    };
    Access::new(None, None, None, place)
}

/// The key that signs.
async fn key(access: &Access, variables: &[(&str, &str)]) -> String {
    let (config, _) = load_on(&Wire::new(), access, variables).await.unwrap();
    let provider = config.credentials_provider().unwrap();
    let found = provider.provide_credentials().await.unwrap();
    found.access_key_id().to_owned()
}

#[tokio::test]
async fn an_explicit_profile_wins_over_the_environments_keys() {
    assert_eq!(key(&by_flag("prod"), &KEYS).await, "AKIAPROD");
    assert_eq!(key(&by_file("prod"), &KEYS).await, "AKIAPROD");
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/other"),
    ];
    assert_eq!(key(&by_flag("prod"), &web).await, "AKIAPROD");
    // As in the AWS CLI, a profile named by the environment does not.
    let named = [KEYS[0], KEYS[1], ("AWS_PROFILE", "prod")];
    assert_eq!(key(&Access::default(), &named).await, "AKIAENVIRONMENT");
    let staging = [("AWS_PROFILE", "staging"), KEYS[0], KEYS[1]];
    assert_eq!(key(&by_flag("prod"), &staging).await, "AKIAPROD");
    // A blank value counts as unset.
    let blank = [KEYS[0], KEYS[1], ("AWS_PROFILE", " ")];
    assert_eq!(key(&by_flag(" "), &blank).await, "AKIAENVIRONMENT");
    let only = [("AWS_PROFILE", "prod\n"), ("AWS_ACCESS_KEY_ID", "")];
    assert_eq!(key(&Access::default(), &only).await, "AKIAPROD");
    let old = [("AWS_DEFAULT_PROFILE", "prod")];
    assert_eq!(key(&Access::default(), &old).await, "AKIAPROD");
}

async fn region(access: &Access, variables: &[(&str, &str)]) -> Result<String> {
    let loaded = load_on(&Wire::new(), access, variables).await;
    loaded.map(|(_, region)| region)
}

#[tokio::test]
async fn a_region_is_that_of_the_flag_the_file_the_environment_or_the_profile() {
    let place = AwsPlace {
        region: Some("eu-south-1".to_owned()),
        ..AwsPlace::default()
    };
    let of_file = Access::new(None, None, None, place.clone());
    let of_flag = Access::new(None, Some("eu-west-3\n"), None, place);
    let variable = [("AWS_REGION", "us-east-2")];
    assert_eq!(region(&of_flag, &variable).await.unwrap(), "eu-west-3");
    assert_eq!(region(&of_file, &variable).await.unwrap(), "eu-south-1");
    let nothing = Access::default();
    assert_eq!(region(&nothing, &variable).await.unwrap(), "us-east-2");
    let blank = [("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-1\n")];
    assert_eq!(region(&nothing, &blank).await.unwrap(), "us-west-1");
    let blank = [("AWS_REGION", "\n")];
    assert_eq!(region(&nothing, &blank).await.unwrap(), "eu-central-1");
    let of_profile = [("AWS_PROFILE", "prod")];
    assert_eq!(region(&nothing, &of_profile).await.unwrap(), "eu-west-1");
}

#[tokio::test]
async fn what_a_profile_gives_is_checked_too() {
    for (profile, said) in [
        ("crooked", "the region of the profile `crooked`"),
        ("schemeless", "the endpoint_url has no scheme"),
        (
            "schemeless-service",
            "the endpoint_url for ECS has no scheme",
        ),
        ("staging", "no AWS region"),
    ] {
        let error = region(&by_file(profile), &[]).await.unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains(said), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_profile_is_told_from_those_there_are() {
    let error = region(&by_flag("prdo"), &KEYS).await.unwrap_err();
    insta::assert_snapshot!(error, @r#"
    there is no AWS profile `prdo`
      hint:      there are `prod`, `back`, `half`, `mfa`, `alone`, `circle`, `crooked`, `empty` and 16 more
    "#);
    let named = [KEYS[0], KEYS[1], ("AWS_PROFILE", "stagign")];
    let error = region(&Access::default(), &named).await.unwrap_err();
    insta::assert_snapshot!(error, @r#"
    there is no AWS profile `stagign`
      caused by: the profile `stagign` (AWS_PROFILE) was requested
      hint:      there are `staging`, `token`, `alone`, `back`, `denied`, `half`, `mfa`, `orphan` and 16 more
    "#);
}

/// The message when the first call has to be signed.
async fn unsigned(access: &Access, variables: &[(&str, &str)]) -> String {
    let denied = || Reply::xml_error(403, "AccessDenied", "not allowed to assume it");
    let wire = Wire::new()
        .on("AssumeRole", denied())
        .on("AssumeRole", denied());
    let (config, region) = load_on(&wire, access, variables).await.unwrap();
    let downloads = crate::aws::Downloads::through(|_| unreachable!("nothing is downloaded"));
    let aws = crate::aws::Aws::from_config(&config, region, downloads, Pace::Release);
    let first = aws.caller().await.unwrap_err();
    let again = aws
        .read_services(&ColorServices::alone_in("bgecs-hello"))
        .await
        .unwrap_err();
    let (first, again) = (Error::from(first), Error::from(again));
    assert_eq!((&first.message, &first.hint), (&again.message, &again.hint));
    first.to_string()
}

#[tokio::test]
async fn credentials_that_a_profile_does_not_give_say_how_to_get_them() {
    let mut all = Vec::new();
    for profile in [
        "mfa",
        "denied",
        "orphan",
        "old-sso",
        "new-sso",
        "console",
        "process",
        "broken-process",
        "empty",
    ] {
        all.push(unsigned(&by_flag(profile), &KEYS).await);
    }
    let said = all.join("\n\n");
    assert!(!said.contains("hunter"), "{said}");
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("/[0-9a-f]{40,64}", "/[HASH]");
    settings.bind(|| insta::assert_snapshot!(said, @r#"
    the profile `mfa` needs an MFA code, and bgecs does not ask for one
      caused by: sts:GetCallerIdentity on these credentials: service error: unhandled error (AccessDenied): Error { code: "AccessDenied", message: "not allowed to assume it", aws_request_id: "request-1" }
      hint:      get a session first, and run bgecs in it without --profile: `eval "$(aws configure export-credentials --profile mfa --format env)"`

    the profile `denied` cannot assume its role
      caused by: sts:GetCallerIdentity on these credentials: service error: unhandled error (AccessDenied): Error { code: "AccessDenied", message: "not allowed to assume it", aws_request_id: "request-1" }
      hint:      allow sts:AssumeRole on arn:aws:iam::123456789012:role/admin for its source_profile, and let the role trust that

    the profile `orphan` names the source_profile `gone`, which does not exist
      caused by: sts:GetCallerIdentity on these credentials: neither it nor this machine has any
      hint:      correct it in ~/.aws/config

    the profile `old-sso` is not signed in, or its session has expired
      caused by: sts:GetCallerIdentity on these credentials: failed to read `/home/al/.aws/sso/cache/[HASH].json`: entity not found
      hint:      sign in: `aws sso login --profile old-sso`

    the profile `new-sso` is not signed in, or its session has expired
      caused by: sts:GetCallerIdentity on these credentials: failed to load the cached SSO token
      hint:      sign in: `aws sso login --profile new-sso`

    the profile `console` is not signed in, or its session has expired
      caused by: sts:GetCallerIdentity on these credentials: failed to read `/home/al/.aws/login/cache/[HASH].json`: entity not found
      hint:      sign in: `aws login --profile console`

    the credential_process of the profile `process` fails
      caused by: sts:GetCallerIdentity on these credentials: Error retrieving credentials: external process exited with code exit status: 3. Stderr: out of order
      hint:      `aws sts get-caller-identity --profile process` runs the same one; what it wrote is above

    the AWS credentials are ill-formed
      caused by: sts:GetCallerIdentity on these credentials: the access key's id contains spaces, control characters or others that no AWS credential has
      hint:      look at where they come from: -v names it

    the profile `empty` (--profile) gives no credentials
      caused by: sts:GetCallerIdentity on these credentials: neither it nor this machine has any
      hint:      `aws configure list --profile empty` shows what it has
    "#));
}

#[tokio::test]
async fn a_profile_that_makes_no_sense_is_not_blamed_on_a_role_or_a_sign_in() {
    for profile in [
        "circle",
        "alone",
        "twofold",
        "elsewhere",
        "lost-sso",
        "half",
    ] {
        let said = unsigned(&by_flag(profile), &KEYS).await;
        let headline =
            format!("the profile `{profile}` (--profile) is contradictory or incomplete");
        assert!(said.starts_with(&headline), "{said}");
        assert!(said.contains("correct it in ~/.aws/config"), "{said}");
    }
    let said = unsigned(&by_flag("token"), &KEYS).await;
    assert!(said.contains("check its web_identity_token_file"), "{said}");
}

#[tokio::test]
async fn a_line_break_behind_a_key_of_a_process_is_cut_off() {
    assert_eq!(key(&by_flag("crooked-process"), &[]).await, "AKIA");
}

#[tokio::test]
async fn an_environment_role_that_is_not_given_is_named() {
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/gone"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/other"),
    ];
    let said = unsigned(&Access::default(), &web).await;
    assert!(said.contains("AWS_WEB_IDENTITY_TOKEN_FILE"), "{said}");
}

async fn profiles_of(text: &str, name: &str) -> ProfileSet {
    let fs = Fs::from_slice(&[("/home/al/.aws/config", text)]);
    let environment = Variables::default().with("HOME", "/home/al");
    aws_config::profile::load(
        &fs,
        &environment.for_sdk(),
        &EnvConfigFiles::default(),
        Some(name.to_owned().into()),
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn a_role_of_the_environments_keys_is_known() {
    let text = "
[profile a]
role_arn = arn:aws:iam::1:role/a
credential_source = Environment
[profile b]
role_arn = arn:aws:iam::1:role/b
source_profile = a
[profile c]
role_arn = arn:aws:iam::1:role/c
source_profile = c
";
    let profiles = profiles_of(text, "a").await;
    assert!(profiles::borrows_environment(&profiles, "a"));
    assert!(profiles::borrows_environment(&profiles, "b"));
    assert!(!profiles::borrows_environment(&profiles, "c"));
    assert!(!profiles::borrows_environment(&profiles, "none"));
}

async fn network(variables: &[(&str, &str)]) -> Result<()> {
    let (environment, ..) = sources(&Access::default(), variables);
    let profiles = profiles_of("[default]\nregion = eu-west-1\n", "default").await;
    network::network(&environment, &profiles).map(drop)
}

#[tokio::test]
async fn a_proxy_or_a_bundle_that_cannot_be_used_is_named() {
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        for value in [
            "socks5://al:hunter22@proxy",
            "http://",
            "http://al:hunter22@proxy:99999",
        ] {
            let error = network(&[(name, value)]).await.unwrap_err();
            assert_eq!(error.exit, Exit::Usage);
            assert!(error.message.starts_with(name), "{error}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
        for value in [
            "proxy:3128",
            "http://al:hunter22@proxy:3128/",
            "https://proxy",
        ] {
            assert!(network(&[(name, value)]).await.is_ok(), "{value}");
        }
    }
    let error = network(&[("AWS_CA_BUNDLE", "/gone/bundle.pem")])
        .await
        .unwrap_err();
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.starts_with("AWS_CA_BUNDLE"), "{error}");
}

#[test]
fn causes_of_what_is_explained_end_with_the_sentence() {
    let unsigned = Unsigned {
        headline: "no".to_owned(),
        cause: "because".to_owned(),
        hint: "so".to_owned(),
    };
    let error = aws_credential_types::provider::error::CredentialsError::provider_error(unsigned);
    assert_eq!(causes(&error).last().unwrap().to_string(), "because");
}

/// They are out of the chain, complete or not.
#[tokio::test]
async fn half_a_key_beside_an_explicit_profile_is_nobodys_business() {
    for half in [
        [("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")],
        [("AWS_SECRET_ACCESS_KEY", "secret")],
    ] {
        assert_eq!(key(&by_flag("prod"), &half).await, "AKIAPROD");
        let nobody = Access::new(None, Some("eu-west-3"), None, AwsPlace::default());
        let error = region(&nobody, &half).await.unwrap_err();
        assert!(error.message.contains("is not"), "{error}");
    }
}
