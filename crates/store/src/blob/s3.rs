//! Blobs in S3, or in what speaks its protocol: `s3://BUCKET/PREFIX`. Region, endpoint and credentials are the environment's.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use crate::error::{Result, StoreError};

/// How long a connection may take.
const CONNECT_WITHIN: &str = "5s";
/// How long one request may take with its body, the largest mail included.
const ANSWER_WITHIN: &str = "60s";
/// How often a request is sent again where the server is at fault, and for how long at most.
const RETRIES: usize = 3;
const RETRY_WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Opens a bucket with what the environment says of it; nothing is asked of it yet.
///
/// # Errors
/// [`StoreError::Setup`] for a URL of another form, or an environment that says not enough.
pub(super) fn open(url: &str) -> Result<Arc<dyn ObjectStore>> {
    // A variable that is not UTF-8 cannot be one of S3's.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    open_with(url, environment)
}

fn open_with(url: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Arc<dyn ObjectStore>> {
    let Some((bucket, prefix)) = parse(url) else {
        return Err(StoreError::setup(format!(
            "blobs.url {url:?} names no bucket; write s3://BUCKET or s3://BUCKET/PREFIX"
        )));
    };
    // Fails only when it is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry =
        RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES, retry_timeout: RETRY_WITHIN };
    let bucket = configured(environment).with_bucket_name(bucket).with_retry(retry).build();
    let bucket = bucket.map_err(|error| {
        let next = "see AWS_REGION, AWS_ENDPOINT_URL and the other AWS_ variables of the environment";
        StoreError::setup(format!("the bucket of blobs.url cannot be used: {error}; {next}"))
    })?;
    Ok(if prefix.is_empty() { Arc::new(bucket) } else { Arc::new(PrefixStore::new(bucket, prefix)) })
}

/// Our time-outs, and over them what the environment says; names it does not know are somebody else's.
fn configured(environment: impl Iterator<Item = (String, String)>) -> AmazonS3Builder {
    // Blobs are removed one by one, and not every server knows the request that removes many.
    let builder = AmazonS3Builder::new()
        .with_disable_bulk_delete(true)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_WITHIN)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), ANSWER_WITHIN);
    let ours = environment.filter(|(name, _)| name.starts_with("AWS_"));
    ours.fold(builder, |builder, (name, value)| match name.to_ascii_lowercase().parse() {
        Ok(key) => builder.with_config(key, value),
        Err(_) => builder,
    })
}

/// Bucket and prefix, without slashes at its ends; none where there is no bucket, or something else than names.
fn parse(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("s3://")?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let fits =
        !bucket.is_empty() && bucket.chars().all(is_name) && prefix.chars().all(|c| c == '/' || is_name(c));
    fits.then(|| (bucket, prefix.trim_matches('/')))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use testkit::s3::ObjectServer;

    use super::*;

    use desk::clock::Millis;
    use desk::id::MailId;

    use crate::blob::Blobs;
    use desk::id::AccountId;

    #[test]
    fn a_url_names_bucket_and_prefix() {
        for (url, want) in [
            ("s3://mails", Some(("mails", ""))),
            ("s3://mails/", Some(("mails", ""))),
            ("s3://my.mails-1/desk/raw/", Some(("my.mails-1", "desk/raw"))),
            ("s3://", None),
            ("s3:///desk", None),
            ("s3://key:secret@mails/desk", None),
            ("s3://mails/desk?region=x", None),
            ("S3://mails", None),
            ("file:/x", None),
        ] {
            assert_eq!(parse(url), want, "{url}");
        }
        let refused = open_with("s3://", std::iter::empty());
        assert!(refused.is_err_and(|error| error.to_string().contains("s3://BUCKET")));
    }

    /// A desk's blobs on a bucket, with another key where `key_id` is given.
    fn blobs(server: &ObjectServer, url: &str, key_id: Option<&str>) -> Blobs {
        let pairs = server.environment().into_iter().map(|pair| {
            let (name, value) = pair.split_once('=').unwrap();
            let value = key_id.filter(|_| name == "AWS_ACCESS_KEY_ID").unwrap_or(value);
            (name.to_owned(), value.to_owned())
        });
        Blobs {
            store: open_with(url, pairs.chain([("AWS_OF_OTHERS".to_owned(), "x".to_owned())])).unwrap(),
            is_folder: false,
        }
    }

    /// The server has a runtime of its own and stands outside.
    fn wait(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    }

    #[test]
    fn blobs_are_written_read_listed_and_removed_below_the_prefix() {
        let server = ObjectServer::start().unwrap();
        wait(async {
            for (url, prefix) in [("s3://mails", ""), ("s3://mails/desk/raw/", "desk/raw/")] {
                let blobs = blobs(&server, url, None);
                let name = Blobs::name(AccountId(7), MailId(12_345));
                let bytes: Vec<u8> = (0..=255).cycle().take(300_000).collect();
                blobs.put(&name, bytes.clone()).await.unwrap();
                blobs.put(&name, bytes.clone()).await.unwrap();
                assert_eq!(server.keys(), [format!("{prefix}7/345/12345.zst")]);
                assert_eq!(blobs.get(&name).await.unwrap(), bytes);
                let listed: Vec<_> = blobs.list().map(Result::unwrap).collect().await;
                assert_eq!(listed, [(name.clone(), Millis(1_577_836_800_000))]);
                blobs.delete(&name).await.unwrap();
                blobs.delete(&name).await.unwrap();
                assert!(matches!(blobs.get(&name).await, Err(StoreError::BlobMissing { .. })));
                blobs.check().await.unwrap();
                assert!(server.keys().is_empty(), "{:?}", server.keys());
            }
        });
    }

    #[test]
    fn a_bucket_that_cannot_be_used_is_told_before_a_mail_comes() {
        let server = ObjectServer::start().unwrap();
        wait(async {
            for (blobs, said) in [
                (blobs(&server, "s3://other", None), "NoSuchBucket"),
                (blobs(&server, "s3://mails", Some("AKOTHER")), "SignatureDoesNotMatch"),
            ] {
                let refused = blobs.check().await.unwrap_err();
                assert!(
                    matches!(refused, StoreError::Setup(_)) && refused.to_string().contains(said),
                    "{refused}"
                );
            }
        });
    }
}
