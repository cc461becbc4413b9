//! Each dependency has a sentence in the root `Cargo.toml` that explains it.

/// The dependencies without a comment that ends right above them; rooms explain themselves.
pub(crate) fn faults(manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut above = "";
    for line in manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1) {
        if line.starts_with('[') {
            break;
        }
        let is_room = line.contains("path = ");
        let is_explained = above.starts_with('#') && above.ends_with('.');
        if let Some((name, _)) = line.split_once(" = ")
            && !line.starts_with(['#', ' '])
            && !is_room
            && !is_explained
        {
            faults.push(format!("{name} has no sentence above it in Cargo.toml that says what it is for"));
        }
        above = line;
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn every_dependency_is_explained() {
        let manifest = |lines: &str| {
            format!(
                "[workspace]\nmembers = []\n[workspace.dependencies]\n{lines}\n[profile.dev]\ndebug = 1\n"
            )
        };
        for (lines, want) in [
            ("# Errors.\nanyhow = \"1\"", 0),
            ("# Errors of the shell,\n# with context.\nanyhow = \"1\"", 0),
            ("mail = { package = \"guichet-mail\", path = \"crates/mail\" }", 0),
            ("anyhow = \"1\"", 1),
            ("# Errors.\n\nanyhow = \"1\"", 1),
            ("# Errors.\nanyhow = \"1\"\nthiserror = \"2\"", 1),
            ("# Errors\nanyhow = \"1\"", 1),
        ] {
            assert_eq!(faults(&manifest(lines)).len(), want, "{lines}");
        }
    }
}
