//! Crates that must not be in the tree, not even for tests or the build: a second TLS besides rustls on ring, and
//! whatever needs more than a C compiler.

use super::metadata::Package;

/// The crates, each with what to use in its place.
const BANNED: [(&str, &str); 8] = [
    ("aws-lc-rs", RING),
    ("aws-lc-sys", RING),
    ("aws-lc-fips-sys", RING),
    ("native-tls", RING),
    ("openssl", RING),
    ("openssl-sys", RING),
    ("boring-sys", RING),
    ("cmake", "a crate that needs no more than a C compiler"),
];

const RING: &str = "rustls with `ring` alone; see which default feature brings it";

/// The banned packages that are in the tree.
pub(crate) fn faults(packages: &[Package]) -> Vec<String> {
    let found = |(name, instead): &(&str, &str)| {
        packages.iter().any(|package| package.name == *name).then(|| {
            format!("{name} is in the tree (`cargo tree --invert {name} --edges all`): use {instead}")
        })
    };
    BANNED.iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metadata::Package;
    use super::faults;

    #[test]
    fn banned_crates_are_found() {
        let sample = |name: &str| Package::sample(name, None);
        assert_eq!(faults(&[sample("ring"), sample("openssl-probe")]), [""; 0]);
        let faults = faults(&[sample("rustls"), sample("aws-lc-sys"), sample("openssl-sys")]);
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
