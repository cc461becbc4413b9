//! The reference page of all keys, made from the keys themselves; a test compares it with docs/configuration.md.

use super::key::KEYS;

const HEAD: &str = "# Configuration

Settings come from these places, each overriding the one before: defaults, `guichet.toml` (the file named by `--config`, else
`./guichet.toml`, else `guichet.toml` in the data folder), the environment (`GUICHET_SECTION__KEY`, such as
`GUICHET_HTTP__LISTEN`), and flags (`--set section.key=value`). The data folder is named by `--data` or `GUICHET_DATA`;
it is `./guichet-data` by default, and written DATA below.

Durations carry their unit: `500ms`, `30s`, `10m`, `4h`, `5d`. Sizes are numbers of bytes, or carry one too: `64KiB`, `25MB`.
Lists are TOML lists; in the environment and in flags they are separated by commas. Relative paths start at the working folder.
`guichet check` reads everything and reports every problem at once.

This page is printed by `guichet check --reference`.
";

/// The whole page, Markdown.
#[must_use]
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut section = "";
    for key in KEYS {
        let (of, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if of != section {
            page.push_str(&format!("\n## [{of}]\n"));
            section = of;
        }
        let hidden = if key.is_secret { " Never shown." } else { "" };
        page.push_str(&format!(
            "\n### {name}\n\n{}{hidden}\n\n- default: {}\n- example: `{name} = {}`\n",
            key.about, key.default, key.example
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_the_one_printed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == super::page(),
            "docs/configuration.md is not up to date: write it with `guichet check --reference > docs/configuration.md`"
        );
    }
}
